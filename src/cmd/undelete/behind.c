/* SPDX-License-Identifier: Apache-2.0 */
/* vmfskit undelete: the verdict once more behind the copies; hosts may have written meanwhile. */
#include <string.h>

#include "cmd/undelete/undelete.h"

static bool is_same_file(const struct vk_undelete_file *a, const struct vk_undelete_file *b)
{
	return a->address == b->address && a->generation == b->generation && a->map == b->map &&
	       a->size_bytes == b->size_bytes && a->path != NULL && b->path != NULL && strcmp(a->path, b->path) == 0;
}

enum vk_status vk_lost_ask_again(struct vk_lost_run *run, struct vk_error *err)
{
	const struct vk_undelete_wish wish = {run->path, run->newest};
	struct vk_undelete now, *was = &run->gone;
	enum vk_status status = vk_undelete_find(run->copy.files.fs, run->known, run->known_count, &wish, NULL, &now,
						 err);
	bool same = status == VK_OK && now.count == was->count;

	if (status != VK_OK)
		return status;
	for (size_t i = 0; same && i < now.count; i++)
		same = is_same_file(&was->files[i], &now.files[i]);
	run->other = !same;
	for (size_t i = 0; same && i < now.count; i++)
		run->changed += run->copied[i] != SIZE_MAX &&
				memcmp(was->files[i].bytes, now.files[i].bytes, sizeof(now.files[i].bytes)) != 0;
	/* what is said is what is true now; files are told by their numbers */
	if (same) {
		vk_undelete_free(was);
		*was = now;
	} else {
		vk_undelete_free(&now);
	}
	return VK_OK;
}
