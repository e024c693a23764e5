/* SPDX-License-Identifier: Apache-2.0 */
/* vmfskit cp: what has to be known before a byte is written. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/memory.h"
#include "cmd/copy/copy.h"
#include "base/shown.h"

/* There lies what was copied before. */
static enum vk_status refuse_second(const struct vk_copy_place *place, const char *name, const char *first,
				    struct vk_error *err)
{
	const char *slash = strrchr(first, '/');

	if (strcmp(slash != NULL ? slash + 1 : first, name) == 0)
		return vk_error_set(err, VK_DAMAGED, place->shown,
				    "two files of the volume have this name; the first was copied");
	vk_error_set(err, VK_USAGE, place->shown, "that is the file under which %s was copied, as well",
		     vk_shown_name(slash != NULL ? slash + 1 : first).text);
	return vk_error_remedy(err, "a file system that does not tell large letters from small ones holds only one of "
			       "them: copy this one to another folder");
}

enum vk_status vk_copy_check_not_ours(const struct vk_copy *copy, const struct vk_copy_place *place, const char *name,
				      struct stat *ret_st, bool *ret_there, struct vk_error *err)
{
	*ret_there = fstatat(place->folder_fd, name, ret_st, AT_SYMLINK_NOFOLLOW) == 0;
	if (!*ret_there)
		return errno == ENOENT ? VK_OK
				       : vk_error_errno(err, errno, place->shown, "cannot look at this place");
	if (vk_files_is_source(&copy->files, ret_st)) {
		vk_error_set(err, VK_REFUSED, place->shown, "%s is the source itself", name);
		return vk_error_remedy(err, "choose another name");
	}
	for (size_t i = 0; i < copy->count; i++)
		if (copy->copied[i].device == ret_st->st_dev && copy->copied[i].inode == ret_st->st_ino)
			return refuse_second(place, name, copy->copied[i].dest, err);
	return VK_OK;
}

enum vk_status vk_copy_check_place(const struct vk_copy *copy, const struct vk_copy_place *place, bool *ret_there,
				   struct vk_error *err)
{
	struct stat st;
	enum vk_status status = vk_copy_check_not_ours(copy, place, place->name, &st, ret_there, err);

	if (status != VK_OK || !*ret_there || S_ISREG(st.st_mode))
		return status;
	return vk_error_set(err, VK_USAGE, place->shown,
			    "there is something else than a regular file, and only those are replaced");
}

enum vk_status vk_copy_refuse_existing(const struct vk_copy *copy, const struct vk_copy_place *place,
				       struct vk_error *err)
{
	if (copy->overwrite)
		return VK_OK;
	vk_error_set(err, VK_USAGE, place->shown, "the file exists%s",
		     copy->resume ? ", and is not, or cannot be seen to be, what would be copied" : "");
	return vk_error_remedy(err, "choose another name, or add --overwrite");
}

void vk_copy_count(struct vk_copy *copy, const struct vk_fs_file *file)
{
	uint64_t missing, allocated;
	struct vk_error err;

	copy->total_files++;
	/* what cannot be measured now is told when it is copied */
	if (vk_fs_measure(copy->files.fs, file, &missing, NULL, &allocated, &err) == VK_OK)
		copy->total_bytes += vk_min_u64(allocated, vk_round_up_sat(file->meta.fileLength, 4096));
}

enum vk_status vk_copy_check_room(struct vk_copy *copy, const struct vk_copy_place *place, struct vk_error *err)
{
	struct vk_cli_call *call = copy->files.cmd.call;
	struct statvfs room;
	uint64_t free_bytes;

	if (fstatvfs(place->folder_fd, &room) != 0)
		return VK_OK;
	free_bytes = (uint64_t)room.f_bavail * room.f_frsize;
	if (!copy->files.cmd.json)
		fprintf(call->err, "%s: %llu file%s, at most %s; %s free at %s\n", call->program->name,
			(unsigned long long)copy->total_files, copy->total_files == 1 ? "" : "s",
			vk_shown_size_short(copy->total_bytes).text, vk_shown_size_short(free_bytes).text,
			vk_shown_name(place->shown).text);
	/* a copy that goes on has some of it already */
	if (copy->total_bytes <= free_bytes || copy->resume)
		return VK_OK;
	vk_error_set(err, VK_REFUSED, place->shown, "there is not enough room: %s free, %s needed",
		     vk_shown_size_short(free_bytes).text, vk_shown_size_short(copy->total_bytes).text);
	return vk_error_remedy(err, "name a place on a larger file system, or copy fewer files");
}
