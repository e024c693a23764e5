/* SPDX-License-Identifier: Apache-2.0 */
/* Where the system files of a practice volume lie, and how their clusters are laid out. */
#include <string.h>

#include "base/checked.h"
#include "lab/lab_files.h"

enum {
	GROUP_OFFSET = 0x10000, PER_GROUP = 32, SMALL_META_OFFSET = 0x1000,
	FBB_PER_CLUSTER = 200,         /* as an ESX 3.5 made them */
	FBB_PER_CLUSTER_MOST = 512,    /* what a bitmap holds; large volumes take it */
	FBB_MANY_BLOCKS = 8 << 20,
	FD_COUNT = 256, FDS_PER_CLUSTER = 32, OTHERS_PER_CLUSTER = 16,
	POINTER_BLOCK_BYTES = 4096,
	LARGE_PER_CLUSTER = 32,
	LARGE_SHIFT = 9
};

static uint64_t divide_up(uint64_t a, uint64_t b)
{
	return a / b + (a % b != 0);
}

static void fill_resource(struct vk_resource_file *r, uint32_t md_alignment, uint32_t per_cluster,
			  uint32_t resource_size, uint64_t count)
{
	uint64_t clusters = divide_up(count, per_cluster);

	r->resourcesPerCluster = per_cluster;
	r->clustersPerGroup = PER_GROUP;
	r->clusterGroupOffset = GROUP_OFFSET;
	r->resourceSize = resource_size;
	r->clusterGroupSize =
		PER_GROUP * (vk_cluster_header_bytes(md_alignment) + per_cluster * resource_size);
	r->numResourcesLo = (uint32_t)count;
	r->numResourcesHi = (uint32_t)(count >> 32);
	r->numClusterGroups = (uint32_t)divide_up(clusters, PER_GROUP);
	if (md_alignment != 0) {
		r->signature = VK_RESOURCE_SIGNATURE;
		r->version = 1;
	}
}

/* The file ends with its last cluster. */
static uint64_t resource_length(const struct vk_resource_file *r, uint32_t md_alignment)
{
	uint64_t clusters = divide_up(vk_resource_count(r), r->resourcesPerCluster);

	if (clusters == 0)
		return GROUP_OFFSET;
	return vk_resource_offset(r, md_alignment, clusters - 1, r->resourcesPerCluster);
}

/*
 * VMFS6: the groups of large blocks hold, behind their own cluster headers, the groups of the small ones: as many small
 * clusters as there are large blocks in the group.
 */
static uint64_t plan_fbb6(struct vk_lab_files *f)
{
	struct vk_resource_file *large = &f->of[VK_SYSTEM_FBB].resource;
	uint32_t header = vk_cluster_header_bytes(f->md_alignment);
	uint64_t large_count = f->volume_blocks >> LARGE_SHIFT;
	uint64_t clusters = divide_up(f->volume_blocks, VK_LAB_SMALL_PER_CLUSTER);
	uint32_t groups_in_group = LARGE_PER_CLUSTER;

	fill_resource(large, f->md_alignment, LARGE_PER_CLUSTER, 0, large_count);
	fill_resource(&f->small, f->md_alignment, VK_LAB_SMALL_PER_CLUSTER, 0, f->volume_blocks);
	large->clusterGroupSize = PER_GROUP * header + groups_in_group * f->small.clusterGroupSize;
	large->numClusterGroups = (uint32_t)divide_up(clusters, PER_GROUP * LARGE_PER_CLUSTER);
	large->childMetaOffset = SMALL_META_OFFSET;
	f->small.flags = VK_RESOURCE_HAS_PARENT;
	f->small.parentResourcesPerCluster = LARGE_PER_CLUSTER;
	f->small.parentClustersPerGroup = PER_GROUP;
	f->small.parentClusterGroupSize = large->clusterGroupSize;
	/* up to the last header of a small cluster */
	return GROUP_OFFSET + (clusters - 1) / (PER_GROUP * LARGE_PER_CLUSTER) * large->clusterGroupSize +
	       PER_GROUP * header +
	       ((clusters - 1) % (PER_GROUP * LARGE_PER_CLUSTER) + 1) * header;
}

static uint64_t plan_fbb(struct vk_lab_files *f)
{
	struct vk_resource_file *r = &f->of[VK_SYSTEM_FBB].resource;

	if (f->md_alignment != 0)
		return plan_fbb6(f);
	fill_resource(r, 0, f->volume_blocks > FBB_MANY_BLOCKS ? FBB_PER_CLUSTER_MOST : FBB_PER_CLUSTER, 0,
		      f->volume_blocks);
	return GROUP_OFFSET + (uint64_t)r->numClusterGroups * r->clusterGroupSize;
}

static void place(struct vk_lab_files *f, enum vk_system_file file, uint64_t length, bool resource)
{
	struct vk_lab_file *to = &f->of[file];

	to->first_block = f->used_blocks;
	to->length = length;
	to->blocks = divide_up(length, f->block_bytes);
	to->has_resource = resource;
	f->used_blocks += to->blocks;
}

/* What the first device, or the direct addresses of a file descriptor, cannot hold of the last file is cut off. */
static void cut_last(struct vk_lab_files *f, enum vk_system_file file, uint64_t device_blocks)
{
	struct vk_lab_file *last = &f->of[file];
	struct vk_fd_geometry fd;
	uint64_t most;

	vk_fd_geometry(f->md_alignment, &fd);
	most = vk_min_u64(fd.pointers, device_blocks - vk_min_u64(device_blocks, last->first_block));
	if (last->blocks <= most)
		return;
	f->used_blocks -= last->blocks - most;
	last->blocks = most;
	last->length = most * f->block_bytes;
}

enum vk_status vk_lab_files_plan(const struct vk_lab_device *device, struct vk_lab_files *ret_files,
				 struct vk_error *err)
{
	struct vk_lab_files *f = ret_files;
	uint64_t device_blocks = device->volume.numPEs * VK_LVM_PE_BYTES / device->fs.fileBlockSize;
	struct vk_fd_geometry fd;
	uint64_t fbb_length;
	uint64_t pbc_count;

	memset(f, 0, sizeof(*f));
	f->md_alignment = device->version == 6 ? device->fs.mdAlignment : 0;
	f->block_bytes = device->fs.fileBlockSize;
	f->file_count = f->md_alignment != 0 ? VK_SYSTEM_PB2 + 1 : VK_SYSTEM_VH + 1;
	f->volume_blocks = device->volume.logicalSize / f->block_bytes;
	vk_fd_geometry(f->md_alignment, &fd);
	fill_resource(&f->of[VK_SYSTEM_FDC].resource, f->md_alignment, FDS_PER_CLUSTER, fd.fd_bytes, FD_COUNT);
	/* pointer blocks of VMFS6 are sub-blocks: its own files for them are empty */
	pbc_count = f->md_alignment != 0 ? 0 : PER_GROUP * OTHERS_PER_CLUSTER;
	fill_resource(&f->of[VK_SYSTEM_PBC].resource, f->md_alignment, OTHERS_PER_CLUSTER,
		      f->md_alignment != 0 ? device->fs.subBlockSize : POINTER_BLOCK_BYTES, pbc_count);
	f->of[VK_SYSTEM_PB2].resource = f->of[VK_SYSTEM_PBC].resource;
	fill_resource(&f->of[VK_SYSTEM_SBC].resource, f->md_alignment, OTHERS_PER_CLUSTER,
		      device->fs.subBlockSize, PER_GROUP * OTHERS_PER_CLUSTER);
	fbb_length = plan_fbb(f);
	place(f, VK_SYSTEM_VH, vk_fdc_start(f->block_bytes, f->md_alignment), false);
	place(f, VK_SYSTEM_FDC, resource_length(&f->of[VK_SYSTEM_FDC].resource, f->md_alignment), true);
	place(f, VK_SYSTEM_ROOT, vk_lab_root_bytes(f), false);
	place(f, VK_SYSTEM_PBC, resource_length(&f->of[VK_SYSTEM_PBC].resource, f->md_alignment), true);
	place(f, VK_SYSTEM_SBC, resource_length(&f->of[VK_SYSTEM_SBC].resource, f->md_alignment), true);
	if (f->file_count > VK_SYSTEM_PB2)
		place(f, VK_SYSTEM_PB2, GROUP_OFFSET, true);
	place(f, VK_SYSTEM_FBB, fbb_length, true);
	cut_last(f, VK_SYSTEM_FBB, device_blocks);
	if (f->of[VK_SYSTEM_FBB].blocks == 0)
		return vk_error_set(err, VK_USAGE, NULL,
				    "The first device is too small for the files of a file system");
	return VK_OK;
}
