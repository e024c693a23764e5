/* SPDX-License-Identifier: Apache-2.0 */
/* Headers of the clusters of a practice volume's resource files: a lock, a count and a bitmap each. */
#include <string.h>

#include "base/checked.h"
#include "lab/lab.h"

static const uint32_t lock_types[VK_LAB_SYSTEM_FILES] = {
	[VK_SYSTEM_FBB] = VK_LOCK_FBB, [VK_SYSTEM_FDC] = VK_LOCK_FDC, [VK_SYSTEM_PBC] = VK_LOCK_PBC,
	[VK_SYSTEM_SBC] = VK_LOCK_SBC, [VK_SYSTEM_PB2] = VK_LOCK_PB2, [VK_SYSTEM_JBC] = VK_LOCK_JBC,
};

/* What the maker took again after the volume was there: its lock shows the slot, and small blocks the host, too. */
static void take_again(const struct vk_lab_writing *w, const struct vk_lab_cluster *c, struct vk_lock *lock)
{
	bool grown = c->small && vk_lab_cluster6_grown(&w->files, c->number);
	struct vk_fs_geometry g;

	if (w->files.md_alignment == 0 || (!grown && (c->file != VK_SYSTEM_PB2 || c->used == 0)))
		return;
	vk_fs_geometry(&w->device->fs, VK_FS_DESCRIPTOR_BYTES, &g);
	lock->hbAddr = g.heartbeat_offset +
		       (uint64_t)vk_lab_maker_slot(w->device, g.heartbeat_slots) * g.heartbeat_slot_bytes;
	lock->hbGen = 1;
	lock->token = 3;
	if (!grown)
		return;
	lock->lastHbAddr = lock->hbAddr;
	lock->lastHbGen = 1;
	lock->lastMagic = VK_LOCK_LAST_MAGIC;
	lock->lastHolder = w->device->fs.hostUuid;
}

static void put_cluster(struct vk_lab_writing *w, uint64_t offset, const struct vk_lab_cluster *c)
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
		vk_lab_cluster6(w, c, raw + len / 2);
	vk_lab_file_put(w, c->file, offset, raw, len);
}

static void put_clusters(struct vk_lab_writing *w, enum vk_system_file file, bool small)
{
	const struct vk_lab_files *f = &w->files;
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
		put_cluster(w, offset, &c);
	}
}

void vk_lab_write_clusters(struct vk_lab_writing *w, enum vk_system_file file)
{
	put_clusters(w, file, false);
	if (file == VK_SYSTEM_FBB && w->files.md_alignment != 0)
		put_clusters(w, file, true);
}
