/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a capture can fit into its store at all. */
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/command.h"
#include "store/capture/taking.h"

struct need {
	uint64_t bytes;
	uint64_t files;
};

/* A file that will be written, as large as the previous capture's; else of one block, unless it may be empty. */
static void need_file(struct need *need, const struct vk_taking *taking, const char *file, uint64_t block)
{
	struct stat st;
	uint64_t bytes = block;

	if (taking->previous.fd >= 0 &&
	    fstatat(taking->previous.fd, file, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode))
		bytes = vk_mul_sat((uint64_t)st.st_blocks, 512);
	need->bytes = vk_add_sat(need->bytes, bytes);
	need->files++;
}

/*
 * The least: what ticks and the papers, and of a first capture a block of each file that has something in it. How
 * sparse the rest is shows only when it is read, and a capture that would have fitted must not be refused.
 */
static struct need least(const struct vk_taking *taking, uint64_t block)
{
	const struct vk_capture *c = &taking->manifest.capture;
	struct need need = {0, 0};

	for (size_t i = 0; i < c->region_count; i++) {
		bool ticks = c->regions[i].part == VK_PART_HEARTBEATS;

		if (taking->previous.fd >= 0 ? ticks : !ticks)
			need_file(&need, taking, c->regions[i].file, block);
	}
	need_file(&need, taking, VK_MANIFEST_FILE, block);
	need_file(&need, taking, VK_SUMS_FILE, block);
	return need;
}

enum vk_status vk_taking_room(const struct vk_taking *taking, struct vk_error *err)
{
	const struct vk_folder *folder = &taking->folder;
	struct statvfs fs;
	struct need need;
	uint64_t free_bytes;
	char has[64];
	char wants[64];
	struct vk_text text;

	/* a file system that does not tell is found out by writing */
	if (fstatvfs(folder->store_fd, &fs) != 0 || fs.f_blocks == 0)
		return VK_OK;
	free_bytes = vk_mul_sat(geteuid() == 0 ? fs.f_bfree : fs.f_bavail, fs.f_frsize);
	need = least(taking, fs.f_frsize);
	if (free_bytes < need.bytes) {
		vk_text_init(&text, has, sizeof(has));
		vk_text_size(&text, free_bytes);
		vk_text_init(&text, wants, sizeof(wants));
		vk_text_size(&text, need.bytes);
		vk_error_set(err, VK_IO, folder->store,
			     "no room in the store: %s are free, this capture of %s needs at least %s",
			     has, taking->manifest.capture.source_path, wants);
	} else if (fs.f_files != 0 && (geteuid() == 0 ? fs.f_ffree : fs.f_favail) < need.files) {
		vk_error_set(err, VK_IO, folder->store,
			     "no room in the store: its file system takes %llu files more, this capture of %s needs at "
			     "least %llu",
			     (unsigned long long)fs.f_ffree, taking->manifest.capture.source_path,
			     (unsigned long long)need.files);
	} else {
		return VK_OK;
	}
	(void)vk_error_remedy(err,
			      "make room with vmfskit prune --store %s --write, or name another store with --store",
			      vk_shell_path(folder->store).text);
	return VK_IO;
}
