/* SPDX-License-Identifier: Apache-2.0 */
/* What the search without a capture asks on the way: numbers of resources, bitmaps, times, how much work is left. */
#include "base/checked.h"
#include "base/memory.h"
#include "undelete/carve_parts.h"

bool vk_carve_no_memory(struct vk_carving *c)
{
	c->status = vk_no_memory(c->err, NULL);
	return false;
}

bool vk_carve_pay(struct vk_carving *c, uint64_t length_bytes)
{
	const uint64_t cost = 1 + length_bytes / c->info->file_block_bytes;

	if (c->addresses_left < cost) {
		c->out.found.unfinished = true;
		c->addresses_left = 0;
		return false;
	}
	c->addresses_left -= cost;
	return true;
}

bool vk_carve_number(const struct vk_carving *c, uint64_t address, enum vk_fs_cluster_kind *ret_kind,
		     uint64_t *ret_number)
{
	static const enum vk_fs_cluster_kind kinds[8] = {
		VK_CLUSTERS_KINDS, VK_CLUSTERS_KINDS, VK_CLUSTERS_SUB_BLOCKS, VK_CLUSTERS_POINTERS,
		VK_CLUSTERS_DESCRIPTORS, VK_CLUSTERS_POINTERS2, VK_CLUSTERS_KINDS, VK_CLUSTERS_KINDS};
	const struct vk_fs_clusters_of *of;
	struct vk_address a;

	vk_address_decode(address, &c->info->addresses, &a);
	if (kinds[a.kind] == VK_CLUSTERS_KINDS)
		return false;
	of = &c->clusters.of[kinds[a.kind]];
	*ret_kind = kinds[a.kind];
	*ret_number = vk_add_sat(vk_mul_sat(a.cluster, of->per_cluster), a.resource);
	return a.resource < of->per_cluster && *ret_number < of->resources;
}

bool vk_carve_allocated(const struct vk_carving *c, enum vk_fs_cluster_kind kind, uint64_t number, bool *ret_known)
{
	const struct vk_fs_clusters_of *of = &c->clusters.of[kind];

	*ret_known = number < of->resources && of->known != NULL && vk_bit(of->known, number / of->per_cluster);
	return *ret_known && vk_bit(of->allocated, number);
}

/* Where the metadata of a cluster lies in its file. */
static bool header_place(struct vk_carving *c, enum vk_fs_cluster_kind kind, uint64_t cluster, uint64_t *ret_at)
{
	static const enum vk_system_file files[] = {
		[VK_CLUSTERS_BLOCKS] = VK_SYSTEM_FBB, [VK_CLUSTERS_LARGE] = VK_SYSTEM_FBB,
		[VK_CLUSTERS_DESCRIPTORS] = VK_SYSTEM_FDC, [VK_CLUSTERS_SUB_BLOCKS] = VK_SYSTEM_SBC,
		[VK_CLUSTERS_POINTERS] = VK_SYSTEM_PBC, [VK_CLUSTERS_POINTERS2] = VK_SYSTEM_PB2};
	const struct vk_fs_system *system = &c->info->system[files[kind]];
	const bool small = kind == VK_CLUSTERS_BLOCKS;
	struct vk_checking checking = {.fs = c->fs};
	const struct vk_clusters k = {.c = &checking, .r = small ? &system->child : &system->resource, .small = small};
	uint64_t length;

	if (system->file == NULL || !(small ? system->has_child : system->has_resource))
		return false;
	return vk_fs_map(c->fs, system->file, vk_cluster_head_offset(&k, cluster) + c->info->md_alignment, ret_at,
			 &length) == VK_OK && length >= VK_CLUSTER6_BYTES;
}

uint32_t vk_carve_last_alloc(struct vk_carving *c, enum vk_fs_cluster_kind kind, uint64_t number)
{
	const struct vk_fs_clusters_of *of = &c->clusters.of[kind];
	uint8_t raw[VK_CLUSTER6_BYTES];
	struct vk_cluster6 cluster;
	size_t got = 0;
	uint64_t at;

	if (!c->info->vmfs6 || of->per_cluster == 0 || !header_place(c, kind, number / of->per_cluster, &at) ||
	    vk_fs_get(c->fs, at, raw, sizeof(raw), &got, NULL) != VK_OK || got < sizeof(raw))
		return 0;
	vk_cluster6_decode(raw, sizeof(raw), &cluster);
	return cluster.signature == VK_CLUSTER6_SIGNATURE && cluster.clusterNum == number / of->per_cluster
		       ? cluster.lastAllocTime : 0;
}
