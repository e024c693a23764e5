/* SPDX-License-Identifier: Apache-2.0 */
/* The header of a cluster of resources: found, decoded, and compared with what it must be. */
#include <inttypes.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "fs/check.h"

enum { LOCK_BYTES = 512 };

uint64_t vk_cluster_head_offset(const struct vk_clusters *k, uint64_t cluster)
{
	uint32_t alignment = k->c->fs->info.md_alignment, header = vk_cluster_header_bytes(alignment);
	uint64_t parents, group, pg, per;

	if (!k->small)
		return vk_cluster_header_offset(k->r, alignment, cluster);
	/* inside the data of the large blocks: section "small blocks" of docs/format.md */
	parents = vk_mul_sat(k->r->parentClustersPerGroup, k->r->parentResourcesPerCluster);
	per = vk_max_u64(parents / k->r->clustersPerGroup, 1);
	group = cluster / k->r->clustersPerGroup;
	pg = group / per;
	return vk_add_sat(k->r->clusterGroupOffset + vk_mul_sat(pg, k->r->parentClusterGroupSize),
			  (uint64_t)k->r->parentClustersPerGroup * header + group % per * k->r->clusterGroupSize +
				  cluster % k->r->clustersPerGroup * header);
}

static void decode_header(const struct vk_clusters *k, const uint8_t *lock, const uint8_t *meta,
			  struct vk_cluster_head *h)
{
	struct vk_cluster6 six;
	struct vk_cluster c;

	vk_lock_decode(lock, LOCK_BYTES, &h->lock);
	if (k->c->fs->info.vmfs6) {
		vk_cluster6_decode(meta, VK_CLUSTER6_BYTES, &six);
		h->signed_well = six.signature == VK_CLUSTER6_SIGNATURE;
		h->number = six.clusterNum;
		h->total = six.totalResources;
		h->free = six.freeResources;
		h->given = six.allocations | six.lastGeneration;
		h->stamp = k->lock_type == VK_LOCK_FDC ? six.lastGeneration : six.allocations;
		h->bits = (uint32_t)vk_min_u64(vk_max_u64(k->r->bitsPerResource, 1), 8);
		for (size_t i = 0; i < VK_CLUSTER6_BITMAP_BYTES; i++)
			h->bitmap[i] = meta[VK_CLUSTER6_BITMAP + i];
		return;
	}
	vk_cluster_decode(meta, VK_CLUSTER_BYTES, &c);
	h->signed_well = true;
	h->number = c.clusterNum;
	h->total = c.totalResources;
	h->free = c.freeResources;
	/* each lock of the cluster counts the token on */
	h->given = vk_get_le32(c.typeData) | (h->lock.token != 0);
	h->stamp = k->lock_type == VK_LOCK_FDC ? vk_get_le32(c.typeData)
		   : h->lock.mode == 0	       ? h->lock.token
					       : UINT64_MAX;
	h->bits = 1;
	for (size_t i = 0; i < sizeof(c.bitmap); i++)
		h->bitmap[i] = c.bitmap[i];
}

enum vk_status vk_cluster_head_read(struct vk_clusters *k, uint64_t cluster, struct vk_cluster_head *h)
{
	struct vk_fs *fs = k->c->fs;
	uint8_t lock[LOCK_BYTES], meta[VK_CLUSTER6_BITMAP + VK_CLUSTER6_BITMAP_BYTES] = {0};
	uint32_t block = fs->info.vmfs6 ? fs->info.md_alignment : LOCK_BYTES;
	size_t want = fs->info.vmfs6 ? vk_min_u64(sizeof(meta), fs->info.md_alignment) : LOCK_BYTES, got = 0;
	uint64_t offset = vk_cluster_head_offset(k, cluster);
	struct vk_fs_step step;

	if (offset >= k->gap_from && offset < k->gap_end)
		return VK_ABSENT;
	vk_fs_step(&k->cursor, offset, &step);
	if (step.kind != VK_RUN_DATA) {
		k->gap_from = offset;
		k->gap_end = vk_add_sat(offset, step.length_bytes);
		return step.kind == VK_RUN_MISSING && step.lack < VK_LACK_ZEROS ? VK_ABSENT : VK_DAMAGED;
	}
	h->at = step.volume_offset;
	k->c->status = vk_fs_get(fs, h->at, lock, sizeof(lock), &got, k->c->err);
	if (k->c->status == VK_OK && got == sizeof(lock))
		k->c->status = vk_fs_get(fs, h->at + block, meta, want, &got, k->c->err);
	else
		want = SIZE_MAX;
	if (k->c->status != VK_OK || got < want)
		return VK_ABSENT;
	decode_header(k, lock, meta, h);
	return VK_OK;
}

uint32_t vk_cluster_head_value(const struct vk_cluster_head *h, uint32_t resource)
{
	uint32_t value = 0;

	for (uint32_t i = 0; i < h->bits; i++) {
		uint64_t bit = (uint64_t)resource * h->bits + i;

		if (bit / 8 < sizeof(h->bitmap) && vk_bit(h->bitmap, bit))
			value |= 1U << i;
	}
	return value;
}

static bool say_cluster(struct vk_clusters *k, uint64_t cluster, const struct vk_cluster_head *h,
			const char *what, uint64_t seen, uint64_t expected)
{
	vk_fs_say(k->c->fs, &k->c->named, k->c->fd, VK_F_FILE_CLUSTER, h->at,
		  vk_cluster_header_bytes(k->c->fs->info.md_alignment), vk_phrase("0x%" PRIx64, seen).text,
		  vk_phrase("0x%" PRIx64, expected).text,
		  "cluster %" PRIu64 " of %s: %s is wrong", cluster, k->name, what);
	return false;
}

bool vk_cluster_head_judge(struct vk_clusters *k, uint64_t cluster, const struct vk_cluster_head *h)
{
	uint64_t expected = vk_min_u64(k->r->resourcesPerCluster,
				       vk_resource_count(k->r) - cluster * k->r->resourcesPerCluster);
	uint32_t free = 0;

	if (h->lock.type != k->lock_type)
		return say_cluster(k, cluster, h, "the type of its lock", h->lock.type, k->lock_type);
	if (h->lock.addr != h->at)
		return say_cluster(k, cluster, h, "addr of its lock", h->lock.addr, h->at);
	if (!h->signed_well)
		return say_cluster(k, cluster, h, "the signature", 0, VK_CLUSTER6_SIGNATURE);
	if (h->number != cluster)
		return say_cluster(k, cluster, h, "clusterNum", h->number, cluster);
	if (h->total != expected)
		return say_cluster(k, cluster, h, "totalResources", h->total, expected);
	for (uint32_t i = 0; i < h->total; i++)
		free += vk_cluster_head_value(h, i) != 0;
	/* what the values of more bits mean was not seen in full */
	if (h->bits == 1 && free != h->free)
		return say_cluster(k, cluster, h, "freeResources", h->free, free);
	return true;
}
