/* SPDX-License-Identifier: Apache-2.0 */
/* The search without a capture as a whole: what files have, then one kind of candidates after another. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "undelete/carve_parts.h"

static bool make_bits(struct vk_carving *c)
{
	c->status = vk_fs_clusters_read(c->fs, &c->clusters, c->err);
	for (unsigned k = 0; k < VK_CLUSTERS_KINDS && c->status == VK_OK; k++) {
		c->live[k] = calloc(1, (size_t)(c->clusters.of[k].resources / 8 + 1));
		c->claimed[k] = calloc(1, (size_t)(c->clusters.of[k].resources / 8 + 1));
		if (c->live[k] == NULL || c->claimed[k] == NULL)
			return vk_carve_no_memory(c);
	}
	return c->status == VK_OK;
}

enum vk_status vk_carve(struct vk_fs *fs, const struct vk_carve_wish *wish, const struct vk_finding_sink *sink,
			struct vk_carved *ret_carved, struct vk_error *err)
{
	static void (*const steps[])(struct vk_carving *c) = {
		vk_carve_read_live, vk_carve_descriptors, vk_carve_pointer_blocks, vk_carve_read_names,
		vk_carve_free_blocks};
	struct vk_error unasked = {0};
	struct vk_carving c = {.fs = fs, .info = vk_fs_info(fs), .sink = sink, .addresses_left = VK_CARVE_ADDRESSES,
			       .ranges_left = VK_CARVE_RANGES, .err = err != NULL ? err : &unasked};
	/* slots that were never used are no sign of a part that was not copied */
	const bool zero_metadata = c.info->zero_metadata;

	if (wish != NULL)
		c.wish = *wish;
	if (make_bits(&c))
		for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]) && c.status == VK_OK; i++)
			steps[i](&c);
	fs->info.zero_metadata = zero_metadata;
	vk_fs_clusters_free(&c.clusters);
	for (unsigned k = 0; k < VK_CLUSTERS_KINDS; k++) {
		free(c.live[k]);
		free(c.claimed[k]);
	}
	free(c.parents);
	if (c.status == VK_OK)
		*ret_carved = c.out;
	else
		vk_carved_free(&c.out);
	return c.status;
}

void vk_carved_free(struct vk_carved *carved)
{
	vk_undelete_free(&carved->found);
	free(carved->marks);
	memset(carved, 0, sizeof(*carved));
}
