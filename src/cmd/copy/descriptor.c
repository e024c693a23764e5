/* SPDX-License-Identifier: Apache-2.0 */
/* vmfskit cp --make-descriptor: descriptors beside copies of flat files that have lost theirs. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/shown.h"
#include "cmd/copy/copy.h"
#include "store/folder/folder.h"

enum { TEXT_BYTES = 4096 };
enum { GUESS_CID = 1, GUESS_HARDWARE = 2, GUESS_ADAPTER = 4, GUESS_GEOMETRY = 8, GUESS_THIN = 16 };
static const struct {
	unsigned bit;
	const char *key;
} guesses[] = {
	{GUESS_CID, "CID"}, {GUESS_HARDWARE, "ddb.virtualHWVersion"}, {GUESS_ADAPTER, "ddb.adapterType"},
	{GUESS_GEOMETRY, "ddb.geometry"}, {GUESS_THIN, "ddb.thinProvisioned"},
};
enum { GUESSES = sizeof(guesses) / sizeof(guesses[0]) };

json_t *vk_copy_guesses_json(uint32_t bits)
{
	struct vk_json owner = vk_json_begin();
	json_t *array = json_array();

	for (size_t i = 0; i < GUESSES; i++)
		if ((bits & guesses[i].bit) != 0)
			vk_json_append(array, vk_json_text(guesses[i].key), &owner);
	if (owner.failed) {
		json_decref(array);
		array = NULL;
	}
	json_decref(vk_json_end(&owner));
	return array;
}

/* The disk that has this file as its data; NULL: none. */
static const struct vk_vdisk *disk_of(const struct vk_copy *copy, const struct vk_fs_file *file)
{
	for (size_t i = 0; i < copy->disks.count; i++) {
		const struct vk_vdisk *disk = &copy->disks.disks[i];

		for (size_t k = 0; k < disk->extent_count; k++)
			if (disk->extents[k].place == VK_VDISK_HERE &&
			    copy->disks.files[disk->extents[k].file].address == file->address)
				return disk;
	}
	return NULL;
}

static bool is_read(const struct vk_copy *copy, const struct vk_vdisk *disk)
{
	return disk->descriptor != SIZE_MAX && copy->disks.files[disk->descriptor].is_descriptor;
}

static enum vk_status refuse(const struct vk_copy *copy, enum vk_status status, const char *path, const char *why,
			     struct vk_error *err)
{
	return vk_error_set(err, status, vk_files_source(&copy->files, 0), "no descriptor is made for %s: %s",
			    vk_shown_name(path).text, why);
}

/* Whether a descriptor can be made for a data file that is, or may be, without one. disk may be NULL. */
static enum vk_status check_kind(const struct vk_copy *copy, const struct vk_vdisk *disk, const char *path,
				 struct vk_error *err)
{
	if (disk != NULL && disk->kind != VK_VDISK_FLAT) {
		refuse(copy, VK_UNSUPPORTED, path, "only the lost one told which disk is its parent, and the CID that "
		       "the parent had", err);
		return vk_error_remedy(err, "take it from a backup; the flat file of the chain's base alone is the "
				       "disk as it was before the first snapshot");
	}
	if (disk == NULL && path[0] != '#')
		return refuse(copy, VK_USAGE, path, "its name is not that of a flat file, NAME-flat.vmdk", err);
	return VK_OK;
}

/*
 * Whether a file lies under the name of the descriptor, which is descriptor in the volume. What was read whole and is
 * none hinders the copy of a whole folder only, to which it belongs; what may be one, or may be another disk, always.
 */
static enum vk_status check_name(const struct vk_copy *copy, const char *descriptor, const char *path,
				 struct vk_error *err)
{
	const struct vk_vdisk_file *there = NULL;

	for (size_t i = 0; i < copy->disks.file_count && there == NULL; i++)
		if (strcmp(copy->disks.files[i].path, descriptor) == 0)
			there = &copy->disks.files[i];
	if (there == NULL)
		return VK_OK;
	if (there->is_descriptor)
		return refuse(copy, VK_UNSUPPORTED, path, "the descriptor of that name is there, and names other data",
			      err);
	if (there->is_junk && !copy->tree)
		return VK_OK;
	refuse(copy, VK_UNSUPPORTED, path, "a file that cannot be read as one has the descriptor's name", err);
	if (there->is_junk)
		return vk_error_remedy(err, "where that file is worth nothing: copy the flat file alone, with "
				       "--make-descriptor");
	return err->status;
}

/* Both, for the file at path. */
static enum vk_status check(const struct vk_copy *copy, const struct vk_vdisk *disk, const char *path,
			    struct vk_error *err)
{
	enum vk_status status = check_kind(copy, disk, path, err);
	char *descriptor;

	if (status != VK_OK)
		return status;
	descriptor = vk_vdisk_descriptor_name(disk != NULL ? copy->disks.files[disk->extents[0].file].path : path);
	if (descriptor == NULL)
		return vk_no_memory(err, path);
	status = check_name(copy, descriptor, path, err);
	free(descriptor);
	if (status != VK_OK || (!copy->disks.incomplete && !copy->disks.unread))
		return status;
	refuse(copy, VK_UNSUPPORTED, path, "its own may be in what the source does not hold of this volume", err);
	return vk_error_remedy(err, "get it from the disk itself, or what is missing of the image");
}

enum vk_status vk_copy_prepare_descriptors(struct vk_copy *copy, struct vk_error *err)
{
	const bool tree = vk_fs_file_is_folder(copy->file);
	enum vk_status status = vk_vdisks_list(copy->files.fs, "/", NULL, &copy->disks, err);
	const struct vk_vdisk *disk;

	/* a file that is named by its descriptor needs no folders */
	if (status != VK_OK && status != VK_NOMEM && !tree && copy->path[0] == '#')
		status = VK_OK;
	if (status != VK_OK || tree)
		return status;
	disk = disk_of(copy, copy->file);
	if (disk == NULL || !is_read(copy, disk))
		return check(copy, disk, copy->path, err);
	vk_error_set(err, VK_USAGE, vk_files_source(&copy->files, 0), "%s has its descriptor, %s",
		     vk_shown_name(copy->path).text, vk_shown_name(disk->path).text);
	return vk_error_remedy(err, "copy that one, too, and leave --make-descriptor away");
}

/* Whether the file has holes, as thin disks have. */
static enum vk_status find_holes(struct vk_copy *copy, const struct vk_fs_file *file, bool *ret_holes,
				 struct vk_error *err)
{
	struct vk_fs_walk *walk;
	struct vk_fs_run run;
	enum vk_status status = vk_fs_walk_open(copy->files.fs, file, 0, UINT64_MAX, NULL, &walk, err);

	*ret_holes = false;
	if (status != VK_OK)
		return status;
	while (!*ret_holes && vk_fs_walk_next(walk, &run))
		*ret_holes = run.kind == VK_RUN_HOLE;
	vk_fs_walk_close(walk);
	return VK_OK;
}

static enum vk_status compose(const struct vk_copy *copy, uint64_t size, bool thin, const struct vk_copy_place *place,
			      struct vk_text *text, uint32_t *ret_guesses, struct vk_error *err)
{
	const struct vk_vmdk_new made = {place->name, size, thin,
					 vk_fs_info(copy->files.fs)->descriptor.majorVersion < 14 ? 4 : 8};
	struct vk_vmdk_geometry geometry;

	vk_vmdk_geometry_of(size / 512, &geometry);
	*ret_guesses = GUESS_CID | GUESS_HARDWARE | GUESS_ADAPTER | (geometry.seen ? 0 : GUESS_GEOMETRY) |
		       (made.thin ? 0 : GUESS_THIN);
	if (vk_vmdk_compose(&made, text))
		return VK_OK;
	return vk_error_set(err, VK_UNSUPPORTED, place->shown, "no descriptor is made for it: %s",
			    size == 0 || size % 512 != 0 ? "its length is no number of sectors"
							 : "a quote or a control character is in its name");
}

/* What an earlier run left behind when it was killed is the beginning of the same text. */
static enum vk_status check_part(const struct vk_copy *copy, const struct vk_copy_place *place, const char *part,
				 const struct vk_text *text, bool *ret_there, struct vk_error *err)
{
	struct stat st;
	char *before;
	size_t len;
	enum vk_status status = vk_copy_check_not_ours(copy, place, part, &st, ret_there, err);

	if (status != VK_OK || !*ret_there)
		return status;
	status = vk_folder_slurp(place->folder_fd, part, TEXT_BYTES, &before, &len, err);
	if (status == VK_OK) {
		if (len > text->len_bytes || memcmp(before, text->buf, len) != 0)
			status = VK_DAMAGED;
		free(before);
	}
	if (status == VK_OK)
		return VK_OK;
	vk_error_set(err, VK_REFUSED, place->shown, "beside it lies %s, which is none of it", part);
	return vk_error_remedy(err, "move it away, or choose another DEST; nothing of it is replaced");
}

static bool write_all(int fd, const struct vk_text *text)
{
	for (size_t done = 0; done < text->len_bytes;) {
		const ssize_t n = pwrite(fd, text->buf + done, text->len_bytes - done, (off_t)done);

		if (n < 0 && errno != EINTR)
			return false;
		done += n > 0 ? (size_t)n : 0;
	}
	return true;
}

static enum vk_status write_text(const struct vk_copy *copy, const struct vk_copy_place *place, const char *part,
				 const struct vk_text *text, struct vk_error *err)
{
	bool there;
	int fd;
	enum vk_status status = check_part(copy, place, part, text, &there, err);

	if (status == VK_OK)
		status = vk_output_part_open(place->folder_fd, part, there, place->shown, &fd, err);
	if (status != VK_OK)
		return status;
	if (ftruncate(fd, 0) != 0 || !write_all(fd, text))
		status = vk_error_errno(err, errno, place->shown, "cannot write the file");
	if (status == VK_OK)
		status = vk_output_part_finish(place->folder_fd, part, fd, place->name, copy->overwrite, place->shown,
					       err);
	if (status != VK_OK)
		(void)unlinkat(place->folder_fd, part, 0);
	close(fd);
	return status;
}

/* Beside the copy of the flat file, under the name that belongs to it. */
static enum vk_status place_of(const struct vk_copy_place *flat, struct vk_copy_place *ret_place, struct vk_error *err)
{
	struct vk_copy_place place = {fcntl(flat->folder_fd, F_DUPFD_CLOEXEC, 3), vk_vdisk_descriptor_name(flat->name),
				      vk_vdisk_descriptor_name(flat->shown)};

	*ret_place = place;
	if (place.folder_fd < 0)
		return vk_error_errno(err, errno, flat->shown, "cannot open the folder");
	return place.name != NULL && place.shown != NULL ? VK_OK : vk_no_memory(err, flat->shown);
}

static bool is_there_already(const struct vk_copy_place *place, const struct vk_text *text)
{
	char *before;
	size_t len;
	bool same;

	if (vk_folder_slurp(place->folder_fd, place->name, TEXT_BYTES, &before, &len, NULL) != VK_OK)
		return false;
	same = len == text->len_bytes && memcmp(before, text->buf, len) == 0;
	free(before);
	return same;
}

static enum vk_status put_descriptor(struct vk_copy *copy, const struct vk_copy_place *place,
				     const struct vk_text *text, struct vk_copied *copied, struct vk_error *err)
{
	enum vk_status status;
	struct stat st;
	bool there;
	char *part;

	if (asprintf(&part, "%s" VK_COPY_PART, place->name) < 0)
		return vk_no_memory(err, place->shown);
	status = vk_copy_check_place(copy, place, &there, err);
	copied->compared = status == VK_OK && there && copy->resume && is_there_already(place, text);
	if (status == VK_OK && there && !copied->compared)
		status = vk_copy_refuse_existing(copy, place, err);
	if (status == VK_OK && !copied->compared)
		status = write_text(copy, place, part, text, err);
	free(part);
	copied->size_bytes = text->len_bytes;
	if (status == VK_OK && copy->digests && !vk_digest_bytes(text->buf, text->len_bytes, copied->sha256))
		status = vk_no_memory(err, place->shown);
	if (status == VK_OK && fstatat(place->folder_fd, place->name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
		copied->device = st.st_dev;
		copied->inode = st.st_ino;
	}
	return status;
}

static void report_guesses(const struct vk_copy *copy, const struct vk_copy_place *place, uint32_t bits)
{
	FILE *out = copy->files.cmd.call->err;
	const char *comma = "";

	fprintf(out, "%s: %s was made; guessed in it: ", copy->files.cmd.call->program->name,
		vk_shown_name(place->shown).text);
	for (size_t i = 0; i < GUESSES; i++)
		if ((bits & guesses[i].bit) != 0) {
			fprintf(out, "%s%s", comma, guesses[i].key);
			comma = ", ";
		}
	fputc('\n', out);
}

static void put_made(struct vk_copy *copy, const char *descriptor, uint64_t size_bytes, bool thin,
		     const struct vk_copy_place *flat)
{
	char buf[TEXT_BYTES];
	struct vk_text text = vk_text_in(buf, sizeof(buf));
	struct vk_copy_place place = {.folder_fd = -1};
	struct vk_copied copied = {.size_bytes = 0};
	struct vk_extract whole = {.fd = -1};
	struct vk_error err;
	enum vk_status status = place_of(flat, &place, &err);

	if (status == VK_OK)
		status = compose(copy, size_bytes, thin, flat, &text, &copied.guesses, &err);
	if (status == VK_OK)
		status = put_descriptor(copy, &place, &text, &copied, &err);
	if (status != VK_OK) {
		(void)vk_cmd_fail(&copy->files.cmd, &err);
	} else {
		copy->written_bytes += copied.compared ? 0 : text.len_bytes;
		if (vk_copy_record(copy, &copied, descriptor, place.shown, &whole))
			report_guesses(copy, &place, copied.guesses);
	}
	vk_copy_place_free(&place);
}

void vk_copy_put_descriptor(struct vk_copy *copy, const char *path, uint64_t size_bytes, bool thin,
			    const struct vk_copy_place *flat)
{
	char *descriptor = vk_vdisk_descriptor_name(path);

	copy->total_files++;
	if (descriptor == NULL)
		(void)vk_cmd_no_memory(&copy->files.cmd);
	else
		put_made(copy, descriptor, size_bytes, thin, flat);
	free(descriptor);
}

void vk_copy_make_descriptor(struct vk_copy *copy, const struct vk_fs_file *file, const char *path,
			     const struct vk_copy_place *flat)
{
	const struct vk_vdisk *disk = copy->make_descriptor ? disk_of(copy, file) : NULL;
	struct vk_error err;
	bool thin;

	if (!copy->make_descriptor || (disk != NULL && is_read(copy, disk)) || (disk == NULL && copy->tree))
		return;
	if (check(copy, disk, path, &err) == VK_OK && find_holes(copy, file, &thin, &err) == VK_OK) {
		vk_copy_put_descriptor(copy, path, file->meta.fileLength, thin, flat);
		return;
	}
	copy->total_files++;
	(void)vk_cmd_fail(&copy->files.cmd, &err);
}
