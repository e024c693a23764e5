/* SPDX-License-Identifier: Apache-2.0 */
/* Headers of the clusters of a practice volume's resource files: a lock, a count and a bitmap each. */
#include <string.h>

#include "base/checked.h"
#include "lab/lab_files.h"

static const uint32_t lock_types[VK_LAB_SYSTEM_FILES] = {
	[VK_SYSTEM_FBB] = VK_LOCK_FBB, [VK_SYSTEM_FDC] = VK_LOCK_FDC, [VK_SYSTEM_PBC] = VK_LOCK_PBC,
	[VK_SYSTEM_SBC] = VK_LOCK_SBC, [VK_SYSTEM_PB2] = VK_LOCK_PB2, [VK_SYSTEM_JBC] = VK_LOCK_JBC,
};

static void encode_cluster(const struct vk_lab_cluster *c, uint8_t *raw)
{
	struct vk_cluster m = {.clusterNum = (uint32_t)c->number, .totalResources = c->total,
			       .freeResources = c->total - c->used};

	m.nextFreeIdx = c->used < c->total ? c->used : 0;
	for (uint32_t i = c->used; i < c->total; i++)
		m.bitmap[i / 8] = (uint8_t)(m.bitmap[i / 8] | 1U << i % 8);
	vk_cluster_encode(&m, raw, 512);
}

static uint32_t lock_type(const struct vk_lab_files *f, const struct vk_lab_cluster *c)
{
	if (c->file == VK_SYSTEM_FBB && f->md_alignment != 0 && !c->small)
		return VK_LOCK_LFB;
	return lock_types[c->file];
}

/* What the maker took again after the volume was there: its lock shows the slot, and small blocks the host, too. */
static void take_again(const struct vk_lab_files_at *at, const struct vk_lab_cluster *c, struct vk_lock *lock)
{
	const struct vk_lab_files *f = at->files;
	bool grown = c->small && vk_lab_cluster6_grown(f, c->number);
	struct vk_fs_geometry g;

	if (f->md_alignment == 0 || (!grown && (c->file != VK_SYSTEM_PB2 || c->used == 0)))
		return;
	vk_fs_geometry(&at->device->fs, VK_FS_DESCRIPTOR_BYTES, &g);
	lock->hbAddr = g.heartbeat_offset +
		       (uint64_t)vk_lab_maker_slot(at->device, g.heartbeat_slots) * g.heartbeat_slot_bytes;
	lock->hbGen = 1;
	lock->token = 3;
	if (!grown)
		return;
	lock->lastHbAddr = lock->hbAddr;
	lock->lastHbGen = 1;
	lock->lastMagic = VK_LOCK_LAST_MAGIC;
	lock->lastHolder = at->device->fs.hostUuid;
}

static void put_cluster(struct vk_lab_files_at *at, uint64_t offset, const struct vk_lab_cluster *c,
			struct vk_error *err)
{
	const struct vk_lab_files *f = at->files;
	uint32_t len = vk_cluster_header_bytes(f->md_alignment);
	struct vk_lock lock;
	uint8_t raw[2 * 4096] = {0};

	/* a file that was cut short ends here */
	if (offset + len > f->of[c->file].blocks * f->block_bytes)
		return;
	lock = vk_lab_lock(at, lock_type(f, c), vk_lab_file_volume_offset(f, c->file, offset));
	take_again(at, c, &lock);
	vk_lock_encode(&lock, raw, len / 2);
	if (f->md_alignment != 0)
		vk_lab_cluster6(at, c, raw + len / 2);
	else
		encode_cluster(c, raw + len / 2);
	vk_lab_file_put(at, c->file, offset, raw, len, err);
}

static void put_clusters(struct vk_lab_files_at *at, enum vk_system_file file, bool small, struct vk_error *err)
{
	const struct vk_lab_files *f = at->files;
	const struct vk_resource_file *large = &f->of[file].resource;
	const struct vk_resource_file *r = small ? &f->small : large;
	uint64_t used = small ? f->used_blocks : f->of[file].used;
	uint64_t count = vk_resource_count(r);

	for (uint64_t n = 0; n < VK_LAB_CLUSTERS_MAX && n * r->resourcesPerCluster < count; n++) {
		uint64_t first = n * r->resourcesPerCluster;
		/* the header of a cluster of small blocks is the resource of a large one */
		uint64_t offset = small ? vk_resource_offset(large, f->md_alignment, n / large->resourcesPerCluster,
							     (uint32_t)(n % large->resourcesPerCluster))
					: vk_cluster_header_offset(r, f->md_alignment, n);
		struct vk_lab_cluster c = {file, small, n, 0, 0};

		c.total = (uint32_t)vk_min_u64(r->resourcesPerCluster, count - first);
		c.used = (uint32_t)vk_min_u64(c.total, used > first ? used - first : 0);
		put_cluster(at, offset, &c, err);
	}
}

void vk_lab_write_clusters(struct vk_lab_files_at *at, enum vk_system_file file, struct vk_error *err)
{
	put_clusters(at, file, false, err);
	if (file == VK_SYSTEM_FBB && at->files->md_alignment != 0)
		put_clusters(at, file, true, err);
}
