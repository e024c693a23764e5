/* SPDX-License-Identifier: Apache-2.0 */
/* vmfskit cp: what has to be known before a byte is written. */
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/checked.h"
#include "cmd/copy/copy.h"
#include "base/shown.h"
#include "store/capture/on_itself.h"

bool vk_copy_is_source(const struct vk_copy *copy, const struct stat *st)
{
	const struct vk_io_view *view = &copy->files.how.view;
	struct stat source;

	for (size_t i = 0; i < copy->files.opened.count; i++)
		if (stat(vk_files_source(&copy->files, i), &source) == 0 && source.st_dev == st->st_dev &&
		    source.st_ino == st->st_ino)
			return true;
	for (size_t i = 0; i < view->piece_count; i++)
		if (stat(view->pieces[i], &source) == 0 && source.st_dev == st->st_dev &&
		    source.st_ino == st->st_ino)
			return true;
	return fstat(STDIN_FILENO, &source) == 0 && source.st_dev == st->st_dev && source.st_ino == st->st_ino;
}

enum vk_status vk_copy_check_disk(const struct vk_copy *copy, const struct vk_copy_place *place,
				  struct vk_error *err)
{
	for (size_t i = 0; i < copy->files.opened.count; i++) {
		const char *source = vk_files_source(&copy->files, i);

		if (!vk_folder_rests_on(place->folder_fd, source) && !vk_folder_shares_disk(place->folder_fd, source))
			continue;
		vk_error_set(err, VK_REFUSED, place->shown, "this lies on the disk that is read, %s: writing there may "
			     "destroy what is to be saved", source);
		return vk_error_remedy(err, "name a place on another disk");
	}
	return VK_OK;
}

void vk_copy_count(struct vk_copy *copy, const struct vk_fs_file *file)
{
	uint64_t missing, allocated;
	struct vk_error err;

	copy->total_files++;
	/* what cannot be measured now is told when it is copied */
	if (vk_fs_measure(copy->files.fs, file, &missing, &allocated, &err) == VK_OK)
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
