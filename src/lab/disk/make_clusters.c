/* SPDX-License-Identifier: Apache-2.0 */
/* Headers of the clusters of a practice volume's resource files: a lock, a count and a bitmap each. */
#include <string.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "lab/disk/practice.h"

static const uint32_t lock_types[VK_LAB_SYSTEM_FILES] = {
	[VK_SYSTEM_FBB] = VK_LOCK_FBB, [VK_SYSTEM_FDC] = VK_LOCK_FDC, [VK_SYSTEM_PBC] = VK_LOCK_PBC,
	[VK_SYSTEM_SBC] = VK_LOCK_SBC, [VK_SYSTEM_PB2] = VK_LOCK_PB2, [VK_SYSTEM_JBC] = VK_LOCK_JBC,
};

/* A cluster; small: of the small blocks of VMFS6. used of its total resources are taken. */
struct cluster {
	enum vk_system_file file;
	bool small;
	uint64_t number;
	uint32_t total;
	uint32_t used;
};

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

/* Small blocks of a cluster that came to their file after the volume was made. */
static bool grown(const struct vk_lab_files *f, const struct cluster *c)
{
	return c->small && overlap(&f->of[VK_SYSTEM_SBC].runs[1], c->number * VK_LAB_SMALL_PER_CLUSTER,
				   VK_LAB_SMALL_PER_CLUSTER) > 0;
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

/* The metadata block of a cluster of VMFS6: counts, bitmap of one to three bits, and what belongs to which file. */
static void encode_cluster6(const struct vk_lab_writing *w, const struct cluster *c, uint8_t *raw)
{
	const struct vk_lab_files *f = &w->files;
	const struct vk_lab_device *d = w->device;
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
	/* who took resources after the volume was made: its maker, or the last host that opened a journal */
	if (grown(f, c) || (c->used > 0 && (c->file == VK_SYSTEM_PB2 || c->file == VK_SYSTEM_JBC))) {
		m.allocations = grown(f, c) ? 1 : c->used;
		m.lastAllocTime = d->fs.creationTime + 1;
		if (c->file == VK_SYSTEM_JBC)
			vk_lab_mac(d->seed, "host", d->seed_index * 1024 + d->live - 1, m.lastHostMac);
		else
			vk_lab_mac(d->seed, "maker", d->seed_index, m.lastHostMac);
	}
	vk_cluster6_encode(&m, raw, f->md_alignment);
}

/* What the maker took again after the volume was there: its lock shows the slot, and small blocks the host, too. */
static void take_again(const struct vk_lab_writing *w, const struct cluster *c, struct vk_lock *lock)
{
	bool is_grown = grown(&w->files, c);
	struct vk_fs_geometry g;

	if (w->files.md_alignment == 0 || (!is_grown && (c->file != VK_SYSTEM_PB2 || c->used == 0)))
		return;
	vk_fs_geometry(&w->device->fs, VK_FS_DESCRIPTOR_BYTES, &g);
	lock->hbAddr = g.heartbeat_offset +
		       (uint64_t)vk_lab_maker_slot(w->device, g.heartbeat_slots) * g.heartbeat_slot_bytes;
	lock->hbGen = 1;
	lock->token = 3;
	if (!is_grown)
		return;
	lock->lastHbAddr = lock->hbAddr;
	lock->lastHbGen = 1;
	lock->lastMagic = VK_LOCK_LAST_MAGIC;
	lock->lastHolder = w->device->fs.hostUuid;
}

static void put_cluster(struct vk_lab_writing *w, uint64_t offset, const struct cluster *c)
{
	const struct vk_lab_files *f = &w->files;
	uint32_t len = vk_cluster_header_bytes(f->md_alignment);
	bool large = c->file == VK_SYSTEM_FBB && f->md_alignment != 0 && !c->small;
	struct vk_cluster m = {.clusterNum = (uint32_t)c->number, .totalResources = c->total,
			       .freeResources = c->total - c->used,
			       .nextFreeIdx = c->used < c->total ? c->used : 0};
	struct vk_lock lock;
	uint8_t raw[2 * 4096] = {0};

	/* a file that was cut short ends here */
	if (offset + len > f->of[c->file].blocks * f->block_bytes)
		return;
	lock = vk_lab_lock(w, large ? VK_LOCK_LFB : lock_types[c->file], vk_lab_file_volume_offset(f, c->file, offset));
	take_again(w, c, &lock);
	vk_lock_encode(&lock, raw, len / 2);
	for (uint32_t i = c->used; f->md_alignment == 0 && i < c->total; i++)
		m.bitmap[i / 8] = (uint8_t)(m.bitmap[i / 8] | 1U << i % 8);
	if (f->md_alignment == 0)
		vk_cluster_encode(&m, raw + len / 2, 512);
	else
		encode_cluster6(w, c, raw + len / 2);
	vk_lab_file_put(w, c->file, offset, raw, len);
}

void vk_lab_write_cluster(struct vk_lab_writing *w, enum vk_system_file file, bool small, uint64_t number)
{
	const struct vk_lab_files *f = &w->files;
	const struct vk_resource_file *large = &f->of[file].resource;
	const struct vk_resource_file *r = small ? &f->small : large;
	uint64_t used = small ? f->used_blocks : f->of[file].used;
	uint64_t first = number * r->resourcesPerCluster;
	/* the header of a cluster of small blocks is the resource of a large one */
	uint64_t offset = small ? vk_resource_offset(large, f->md_alignment, number / large->resourcesPerCluster,
						     (uint32_t)(number % large->resourcesPerCluster))
				: vk_cluster_header_offset(r, f->md_alignment, number);
	struct cluster c = {file, small, number, 0, 0};

	c.total = (uint32_t)vk_min_u64(r->resourcesPerCluster, vk_resource_count(r) - first);
	c.used = (uint32_t)vk_min_u64(c.total, used > first ? used - first : 0);
	put_cluster(w, offset, &c);
}

static void put_clusters(struct vk_lab_writing *w, enum vk_system_file file, bool small)
{
	const struct vk_resource_file *r = small ? &w->files.small : &w->files.of[file].resource;
	/* where room was asked for, it is there */
	uint64_t most = w->device->needs.descriptors != 0 && file != VK_SYSTEM_FBB ? UINT64_MAX : VK_LAB_CLUSTERS_MAX;

	for (uint64_t n = 0; n < most && n * r->resourcesPerCluster < vk_resource_count(r); n++)
		vk_lab_write_cluster(w, file, small, n);
}

void vk_lab_write_clusters(struct vk_lab_writing *w, enum vk_system_file file)
{
	put_clusters(w, file, false);
	if (file == VK_SYSTEM_FBB && w->files.md_alignment != 0)
		put_clusters(w, file, true);
}
