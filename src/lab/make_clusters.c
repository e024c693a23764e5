/* SPDX-License-Identifier: Apache-2.0 */
/* Headers of the clusters of a practice volume's resource files: a lock, a count and a bitmap each. */
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "lab/lab_files.h"
#include "vmfskit/lock.h"

enum { LOCK_FBB = 0x10C00002, LOCK_SBC, LOCK_PBC, LOCK_FDC };

struct vk_lock vk_lab_lock(uint32_t type, uint64_t volume_offset)
{
	/* made before any host kept a heartbeat in it */
	return (struct vk_lock){.type = type, .addr = volume_offset, .token = 1,
				.mtime = 243180244 + (volume_offset >> 9) * 97};
}

/* One cluster: how many resources it has, and how many of the volume's first `used` are among them. */
struct cluster {
	uint64_t number;
	uint32_t total;
	uint32_t used;
};

static void encode_metadata(const struct vk_lab_files *f, const struct cluster *c, uint32_t generation,
			    uint8_t *raw)
{
	struct vk_cluster small = {.clusterNum = (uint32_t)c->number, .totalResources = c->total,
				   .freeResources = c->total - c->used, .nextFreeIdx = c->used};
	struct vk_cluster6 six = {.signature = VK_CLUSTER6_SIGNATURE, .clusterNum = c->number,
				  .totalResources = (uint16_t)c->total,
				  .freeResources = (uint16_t)(c->total - c->used)};

	if (f->md_alignment != 0) {
		vk_cluster6_encode(&six, raw, f->md_alignment);
		return;
	}
	for (uint32_t i = c->used; i < c->total; i++)
		small.bitmap[i / 8] = (uint8_t)(small.bitmap[i / 8] | 1U << i % 8);
	small.typeData[0] = (uint8_t)generation;
	vk_cluster_encode(&small, raw, 512);
}

static enum vk_status put_cluster(const struct vk_lab_files_at *at, enum vk_system_file file,
				  uint64_t offset, uint32_t lock_type, const struct cluster *c,
				  struct vk_error *err)
{
	const struct vk_lab_files *f = at->files;
	uint32_t len = vk_cluster_header_bytes(f->md_alignment);
	struct vk_lock lock = vk_lab_lock(lock_type, vk_lab_file_volume_offset(f, file, offset));
	uint8_t raw[2 * 4096] = {0};

	/* a file that was cut short ends here */
	if (offset + len > f->of[file].blocks * f->block_bytes)
		return VK_OK;
	vk_lock_encode(&lock, raw, len);
	encode_metadata(f, c, lock_type == LOCK_FDC && c->used > 0, raw + len / 2);
	return vk_lab_file_put(at, file, offset, raw, len, err);
}

/* Where the header of a small block's cluster lies among those of the large blocks. */
static uint64_t small_offset(const struct vk_lab_files *f, uint64_t cluster)
{
	const struct vk_resource_file *s = &f->small;
	uint64_t per_parent = (uint64_t)s->parentClustersPerGroup * s->parentResourcesPerCluster;
	uint32_t header = vk_cluster_header_bytes(f->md_alignment);

	return s->clusterGroupOffset + cluster / per_parent * s->parentClusterGroupSize +
	       (uint64_t)s->parentClustersPerGroup * header + cluster % per_parent * header;
}

/* used: resources from 0 on that are taken. */
static enum vk_status put_clusters(const struct vk_lab_files_at *at, enum vk_system_file file,
				   const struct vk_resource_file *r, uint32_t lock_type, uint64_t used,
				   struct vk_error *err)
{
	uint64_t count = vk_resource_count(r);
	enum vk_status status = VK_OK;

	for (uint64_t n = 0; n < VK_LAB_CLUSTERS_MAX && status == VK_OK; n++) {
		uint64_t first = n * r->resourcesPerCluster;
		uint64_t offset = r == &at->files->small
					  ? small_offset(at->files, n)
					  : vk_cluster_header_offset(r, at->files->md_alignment, n);
		struct cluster c = {.number = n};

		if (first >= count)
			break;
		c.total = (uint32_t)vk_min_u64(r->resourcesPerCluster, count - first);
		c.used = (uint32_t)vk_min_u64(c.total, used > first ? used - first : 0);
		status = put_cluster(at, file, offset, lock_type, &c, err);
	}
	return status;
}

enum vk_status vk_lab_write_clusters(const struct vk_lab_files_at *at, struct vk_error *err)
{
	static const struct {
		enum vk_system_file file;
		uint32_t lock_type;
	} files[] = {{VK_SYSTEM_FDC, LOCK_FDC}, {VK_SYSTEM_PBC, LOCK_PBC}, {VK_SYSTEM_SBC, LOCK_SBC},
		     {VK_SYSTEM_FBB, LOCK_FBB}};
	const struct vk_lab_files *f = at->files;
	enum vk_status status = VK_OK;

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]) && status == VK_OK; i++) {
		uint64_t used = files[i].file == VK_SYSTEM_FDC   ? f->file_count
				: files[i].file == VK_SYSTEM_FBB ? f->used_blocks
								 : 0;

		/* large blocks are taken as soon as one small block of them is */
		if (files[i].file == VK_SYSTEM_FBB && f->md_alignment != 0)
			used = (used + VK_LAB_SMALL_PER_CLUSTER - 1) / VK_LAB_SMALL_PER_CLUSTER;
		status = put_clusters(at, files[i].file, &f->of[files[i].file].resource, files[i].lock_type,
				      used, err);
	}
	if (status == VK_OK && f->md_alignment != 0)
		status = put_clusters(at, VK_SYSTEM_FBB, &f->small, LOCK_FBB, f->used_blocks, err);
	return status;
}
