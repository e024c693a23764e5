/* SPDX-License-Identifier: Apache-2.0 */
/* How much metadata a volume has at most, told from the headers of its clusters. */
#include "base/checked.h"
#include "base/memory.h"
#include "fs/metadata.h"

/* Slots of a kind that may have been in use: of clusters out of which nothing was given there are none. */
static uint64_t touched(const struct vk_gathering *g, enum vk_check_kind kind, uint64_t *ret_allocated)
{
	const struct vk_check_map *m = &g->c.maps[kind];
	uint64_t count = 0;

	for (uint64_t i = 0; i < m->count; i++) {
		const uint64_t cluster = i / m->per_cluster;

		count += !vk_gather_unused(g, kind, cluster);
		*ret_allocated += !vk_bit(m->known, cluster) || vk_bit(m->allocated, i);
	}
	return count;
}

static uint64_t bitmap_bytes(const struct vk_fs_info *info)
{
	const struct vk_fs_system *fbb = &info->system[VK_SYSTEM_FBB];
	uint64_t clusters = 0;

	if (fbb->has_resource)
		clusters = vk_resource_count(&fbb->resource) / fbb->resource.resourcesPerCluster + 1;
	if (fbb->has_child)
		clusters += fbb->child.convertedClusters;
	return vk_mul_sat(clusters, vk_cluster_header_bytes(info->md_alignment));
}

/* Runs: data and the holes between them. A volume has no more blocks than its bitmap. */
static void count_runs(struct vk_gathering *g, struct vk_fs_metadata_sizes *sizes, uint64_t pointer_blocks)
{
	const struct vk_fs_info *info = &g->c.fs->info;
	const uint64_t sub_blocks = g->c.maps[VK_CHECK_SUB_BLOCKS].count;
	uint64_t addresses = vk_add_sat(vk_mul_sat(sizes->files, info->fd.pointers),
					vk_mul_sat(pointer_blocks, info->pointers_per_block));

	if (info->volume_bytes != 0)
		addresses = vk_min_u64(addresses, info->volume_bytes / info->file_block_bytes + sub_blocks);
	sizes->runs = vk_add_sat(vk_mul_sat(addresses, 2), sizes->files);
}

enum vk_status vk_fs_metadata_estimate(struct vk_fs *fs, struct vk_fs_metadata_sizes *ret_sizes, struct vk_error *err)
{
	struct vk_error unasked = {0};
	struct vk_fs_metadata out = {.count = 0};
	struct vk_gathering g = {.out = &out, .kinds = VK_METADATA_ALL};
	struct vk_fs_metadata_sizes sizes = {.total_bytes = 0};
	uint64_t pointer_blocks = 0, sub_blocks = 0, blocks;

	vk_gather_start(&g, fs, NULL, err != NULL ? err : &unasked);
	vk_gather_clusters(&g, false);
	if (g.c.status == VK_OK && !vk_fs_metadata_settle(&out, VK_METADATA_ALL))
		g.c.status = vk_no_memory(err, NULL);
	for (unsigned i = 0; i < VK_METADATA_KINDS; i++)
		sizes.bytes[i] = out.bytes[i];
	sizes.bytes[VK_METADATA_BITMAPS] += bitmap_bytes(&fs->info);
	sizes.bytes[VK_METADATA_DESCRIPTORS] =
		vk_mul_sat(touched(&g, VK_CHECK_FDS, &sizes.files), fs->info.fd.fd_bytes);
	blocks = touched(&g, VK_CHECK_PBS, &pointer_blocks) + touched(&g, VK_CHECK_PB2S, &pointer_blocks);
	(void)touched(&g, VK_CHECK_SUB_BLOCKS, &sub_blocks);
	/* VMFS6 keeps them in sub-blocks, too */
	pointer_blocks += fs->info.vmfs6 ? sub_blocks : 0;
	blocks += fs->info.vmfs6 ? sub_blocks : 0;
	sizes.bytes[VK_METADATA_POINTERS] =
		vk_mul_sat(blocks, (uint64_t)fs->info.pointers_per_block * fs->info.fd.pointer_bytes);
	count_runs(&g, &sizes, pointer_blocks);
	for (unsigned i = 0; i < VK_METADATA_KINDS; i++)
		sizes.total_bytes = vk_add_sat(sizes.total_bytes, sizes.bytes[i]);
	sizes.unknown = g.lost;
	vk_fs_metadata_free(&out);
	vk_gather_end(&g);
	if (g.c.status == VK_OK)
		*ret_sizes = sizes;
	return g.c.status;
}
