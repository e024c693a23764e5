/* SPDX-License-Identifier: Apache-2.0 */
/* Whether the volume went back in time since a map: it was rolled back, or is a copy that lives on. */
#include <stdlib.h>
#include <string.h>

#include "undelete/undelete_parts.h"

void vk_gone_went_back(struct vk_gone_search *s, size_t map)
{
	if (!s->out.went_back || map < s->out.back)
		s->out.back = map;
	s->out.went_back = true;
}

bool vk_gone_is_back(const struct vk_gone_search *s, const struct vk_undelete_file *file)
{
	return s->out.went_back && file->map != SIZE_MAX && file->map >= s->out.back;
}

/* A large block may have been cut into a new cluster of small ones, which counts from the beginning. */
static bool may_be_new(const struct vk_gone_search *s, unsigned kind, uint64_t cluster)
{
	const struct vk_fs_clusters_of *large = &s->clusters.of[VK_CLUSTERS_LARGE];
	const uint64_t c = large->per_cluster == 0 ? large->count : cluster / large->per_cluster;
	uint64_t was, is;

	if (!vk_fs_info(s->fs)->vmfs6 || kind != VK_CLUSTERS_BLOCKS)
		return false;
	if (c >= large->count)
		return true;
	was = s->before.stamps[VK_CLUSTERS_LARGE] != NULL ? s->before.stamps[VK_CLUSTERS_LARGE][c] : VK_STAMP_NONE;
	is = s->now.stamps[VK_CLUSTERS_LARGE][c];
	return was == VK_STAMP_NONE || is == VK_STAMP_NONE || is > was;
}

void vk_gone_compare_stamps(struct vk_gone_search *s)
{
	const size_t before = s->since == VK_UNDELETE_TODAY ? 0 : (size_t)s->since + 1;

	for (unsigned k = 0; k < VK_CLUSTERS_KINDS && s->status == VK_OK; k++) {
		const uint64_t count = s->clusters.of[k].count;
		uint64_t *seen = s->seen[k];

		if (seen == NULL) {
			seen = s->seen[k] = malloc((size_t)(count + 1) * sizeof(*seen));
			if (seen == NULL) {
				(void)vk_gone_no_memory(s);
				return;
			}
			memset(seen, 0xFF, (size_t)(count + 1) * sizeof(*seen));
		}
		for (uint64_t c = 0; c < count; c++) {
			const uint64_t stamp = s->now.stamps[k][c];

			if (stamp == VK_STAMP_NONE)
				continue;
			if (seen[c] != VK_STAMP_NONE && stamp < seen[c] && before < s->count && !may_be_new(s, k, c))
				vk_gone_went_back(s, before);
			seen[c] = stamp;
		}
	}
}

void vk_gone_compare_slot(struct vk_gone_search *s, const struct vk_file_map_file *file, size_t map)
{
	struct vk_fs_file *today;
	const struct vk_file_metadata *is;

	if (vk_fs_file_open(s->fs, file->address, NULL, &today, NULL) != VK_OK)
		return;
	is = &today->meta;
	/* who deletes it may set its ctime, and clear its type; mtime can be set to anything */
	if (is->generation == file->generation &&
	    ((is->ctime != 0 && is->ctime < file->ctime) || (is->type != 0 && is->type != file->type)))
		vk_gone_went_back(s, map);
	vk_fs_file_close(today);
}
