/* SPDX-License-Identifier: Apache-2.0 */
/* Metadata of the clusters of VMFS6: counts, bitmaps of one to three bits, and what belongs to which file. */
#include <string.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "lab/lab.h"

enum {
	ALLOCATED = 0, FREE = 1, /* of small and large blocks FREE is a guess: the real volume has none that is free */
	CONVERTED = 4,
	UNKNOWN2A_LARGE = 7, UNKNOWN2A_SMALL = 0x100,
	LARGE_UNKNOWN = 0xE0,    /* a byte 0xFF in eight, it seems for each large block */
	AFFINITY_SMALL_MOST = 216
};

static uint64_t overlap(const struct vk_lab_run *run, uint64_t first, uint64_t count)
{
	uint64_t from = vk_max_u64(run->first_block, first);
	uint64_t to = vk_min_u64(run->first_block + run->blocks, first + count);

	return to > from ? to - from : 0;
}

bool vk_lab_cluster6_grown(const struct vk_lab_files *f, uint64_t cluster)
{
	return overlap(&f->of[VK_SYSTEM_SBC].runs[1], cluster * VK_LAB_SMALL_PER_CLUSTER, VK_LAB_SMALL_PER_CLUSTER) > 0;
}

/* The files that have blocks in a cluster of small ones, by their file descriptors, and how many; returns entries. */
static uint16_t put_small_affinity(const struct vk_lab_files *f, uint64_t cluster, uint8_t *raw)
{
	uint8_t *to = raw + VK_CLUSTER6_AFFINITY_SMALL;
	uint16_t entries = 1;

	for (unsigned i = 0; i < f->file_count && entries < AFFINITY_SMALL_MOST; i++) {
		uint64_t first = cluster * VK_LAB_SMALL_PER_CLUSTER;
		uint64_t blocks = overlap(&f->of[i].runs[0], first, VK_LAB_SMALL_PER_CLUSTER) +
				  overlap(&f->of[i].runs[1], first, VK_LAB_SMALL_PER_CLUSTER);

		if (blocks == 0)
			continue;
		vk_put_le32(to + (size_t)entries * 8, vk_fd_address(0, i));
		vk_put_le32(to + (size_t)entries * 8 + 4, (uint32_t)blocks);
		entries++;
	}
	return entries;
}

/* Who took resources after the volume was made: its maker, or the last host that opened a journal. */
static void put_last_host(const struct vk_lab_writing *w, const struct vk_lab_cluster *c, struct vk_cluster6 *m)
{
	const struct vk_lab_device *d = w->device;
	bool grown = c->small && vk_lab_cluster6_grown(&w->files, c->number);

	if (!grown && (c->used == 0 || (c->file != VK_SYSTEM_PB2 && c->file != VK_SYSTEM_JBC)))
		return;
	m->allocations = grown ? 1 : c->used;
	m->lastAllocTime = d->fs.creationTime + 1;
	if (c->file == VK_SYSTEM_JBC)
		vk_lab_mac(d->seed, "host", d->seed_index * 1024 + d->live - 1, m->lastHostMac);
	else
		vk_lab_mac(d->seed, "maker", d->seed_index, m->lastHostMac);
}

void vk_lab_cluster6(const struct vk_lab_writing *w, const struct vk_lab_cluster *c, uint8_t *raw)
{
	const struct vk_lab_files *f = &w->files;
	uint32_t bits = c->small ? f->small.bitsPerResource : f->of[c->file].resource.bitsPerResource;
	bool large = c->file == VK_SYSTEM_FBB && !c->small;
	struct vk_cluster6 m = {
		.signature = VK_CLUSTER6_SIGNATURE, .clusterNum = c->number, .totalResources = (uint16_t)c->total,
		.freeResources = (uint16_t)(c->total - c->used),
		.unknown2A = large ? UNKNOWN2A_LARGE : c->small ? UNKNOWN2A_SMALL : 0, .unknown30 = 1,
	};

	/* blocks are searched for otherwise, and a full cluster begins anew */
	if (c->file != VK_SYSTEM_FBB && c->file != VK_SYSTEM_JBC && c->used < c->total)
		m.nextFreeIdx = c->used;
	for (uint32_t i = 0; i < c->total * bits; i++) {
		uint32_t value = i / bits >= c->used ? FREE : large ? CONVERTED : ALLOCATED;

		raw[VK_CLUSTER6_BITMAP + i / 8] |= (uint8_t)((value >> i % bits & 1U) << i % 8);
	}
	for (uint32_t i = 0; large && i < c->used; i++)
		raw[LARGE_UNKNOWN + (size_t)i * 8] = 0xFF;
	if (c->small)
		m.affinityCount = put_small_affinity(f, c->number, raw);
	/* pointer blocks belong to the files whose addresses they hold; system files' descriptors to nobody */
	for (unsigned i = 0; c->file == VK_SYSTEM_PB2 && c->number == 0 && i < f->file_count; i++)
		for (uint32_t n = 0; n < f->of[i].pointer_blocks; n++)
			vk_put_le32(raw + VK_CLUSTER6_AFFINITY_32 + (size_t)(f->of[i].pointer_block + n) * 4,
				    vk_fd_address(0, i));
	put_last_host(w, c, &m);
	vk_cluster6_encode(&m, raw, f->md_alignment);
}
