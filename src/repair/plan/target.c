/* SPDX-License-Identifier: Apache-2.0 */
/* The target of a plan: opened, its table and volumes read; and whether what is opened later is still the same. */
#include "repair/plan/target.h"

#include <errno.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"

enum vk_status vk_source_over(struct vk_io *io, const char *path, enum vk_source_kind as, uint32_t sector_size,
			      struct vk_source *ret_source, struct vk_error *err)
{
	const struct vk_source_options options = {.look = VK_LOOK_NOT, .as = as, .sector_size = sector_size};
	struct vk_io *window = vk_io_window(io, 0, vk_io_size_bytes(io));

	if (window == NULL)
		return vk_no_memory(err, path);
	vk_io_set_sector_size(window, sector_size);
	return vk_source_open_io(window, path, VK_FORM_RAW, &options, ret_source, err);
}

/* What the path leads to. Nothing is opened yet: who it is, is asked of what was opened. */
static enum vk_status follow_links(const char *path, char **ret_path, struct vk_error *err)
{
	struct stat st;

	*ret_path = realpath(path, NULL);
	if (*ret_path == NULL || stat(*ret_path, &st) != 0) {
		vk_error_errno(err, errno, path, "cannot find the target");
		return vk_error_remedy(err, "name the disk or the image file to write to");
	}
	if (!S_ISBLK(st.st_mode) && !S_ISREG(st.st_mode))
		return vk_error_set(err, VK_USAGE, path, "the target must be a block device or a file");
	return VK_OK;
}

static enum vk_status identify(struct vk_target *target, struct vk_error *err)
{
	const struct vk_source *source = &target->source;
	struct vk_target_id *id = &target->id;
	struct stat st;

	if (fstat(vk_io_descriptor(source->raw), &st) != 0)
		return vk_error_errno(err, errno, target->path, "cannot examine the target");
	/* of a file it was recognised only now; edits come in whole sectors of that size */
	vk_io_set_sector_size(source->raw, source->sector_size);
	id->is_device = S_ISBLK(st.st_mode);
	id->dev = st.st_dev;
	id->ino = st.st_ino;
	id->rdev = id->is_device ? st.st_rdev : 0;
	id->is_view = vk_io_is_view(source->raw);
	id->size_bytes = source->size_bytes;
	id->footer_bytes = vk_io_footer_bytes(source->raw);
	id->sector_size = source->sector_size;
	vk_disk_facts_read(source, &target->facts);
	return VK_OK;
}

enum vk_status vk_target_open(const char *path, enum vk_source_kind as, uint32_t sector_size,
			      const struct vk_io_view *view, struct vk_target *ret_target, struct vk_error *err)
{
	const struct vk_open_options open_options = {.sector_size = sector_size, .view = *view, .uncached = true};
	/* never through another reading: what is planned here is written at the offsets of the device */
	const struct vk_source_options options = {.look = VK_LOOK_AT, .as = as, .sector_size = sector_size,
						  .view = *view};
	struct vk_io *io;
	enum vk_status status;

	memset(ret_target, 0, sizeof(*ret_target));
	status = follow_links(path, &ret_target->path, err);
	if (status == VK_OK)
		status = vk_io_open_raw(ret_target->path, &open_options, &io, err);
	if (status == VK_OK)
		status = vk_source_open_io(io, path, VK_FORM_RAW, &options, &ret_target->source, err);
	if (status == VK_OK)
		status = identify(ret_target, err);
	if (status != VK_OK)
		vk_target_close(ret_target);
	return status;
}

void vk_target_close(struct vk_target *target)
{
	vk_disk_facts_free(&target->facts);
	vk_source_close(&target->source);
	free(target->path);
	memset(target, 0, sizeof(*target));
}

enum vk_status vk_target_changed(const char *path, const char *what, const char *since, struct vk_error *err)
{
	vk_error_set(err, VK_REFUSED, path, "%s since %s", what, since);
	return vk_error_remedy(err, "nothing was written; look at the target, then repeat the command");
}

static bool device_fits(const struct vk_target_id *id, int fd)
{
	uint64_t size = 0;
	int sector_size = 0;

	return ioctl(fd, BLKGETSIZE64, &size) == 0 && size == id->size_bytes + id->footer_bytes &&
	       ioctl(fd, BLKSSZGET, &sector_size) == 0 && sector_size > 0 &&
	       id->sector_size % (unsigned)sector_size == 0;
}

enum vk_status vk_target_check(const struct vk_target_id *id, const struct vk_disk_facts *facts, int fd,
			       const char *path, const char *since, struct vk_error *err)
{
	struct vk_disk_facts now;
	struct stat st;
	bool same;

	if (fstat(fd, &st) != 0)
		return vk_error_errno(err, errno, path, "cannot examine the target");
	if (id->is_device)
		same = S_ISBLK(st.st_mode) && st.st_rdev == id->rdev;
	else
		same = S_ISREG(st.st_mode) && st.st_dev == id->dev && st.st_ino == id->ino;
	if (!same)
		return vk_target_changed(path, "the path came to name something else", since, err);
	if (id->is_view)
		return VK_OK;
	if (id->is_device ? !device_fits(id, fd) : (uint64_t)st.st_size != id->size_bytes + id->footer_bytes)
		return vk_target_changed(path, "the target's size or sector size changed", since, err);
	if (facts == NULL || vk_disk_facts_still(facts, fd, &now))
		return VK_OK;
	vk_error_set(err, VK_REFUSED, path,
		     "guard lun: this is another disk than the plan was made for: %s is \"%.80s\", it was \"%.80s\"",
		     strcmp(now.wwid, facts->wwid) != 0 ? "its WWID" : "its serial number, partition or file, of WWID",
		     now.wwid, facts->wwid);
	return vk_error_remedy(err, "nothing was written; find the captured disk, then repeat the command with its "
				    "path");
}

enum vk_status vk_target_scratch(int fd, const char *path, struct vk_error *err)
{
	struct stat st;

	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_blocks == 0 && st.st_nlink == 1 &&
	    st.st_uid == geteuid())
		return VK_OK;
	vk_error_set(err, VK_REFUSED, path, "this is no scratch file in which nothing was written yet");
	return vk_error_remedy(err, "nothing was written; make a new, empty file for it");
}
