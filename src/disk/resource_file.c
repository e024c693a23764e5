/* SPDX-License-Identifier: Apache-2.0 */
/* Resource files: layouts of their metadata and clusters, and where clusters and resources lie. */
#include "base/checked.h"
#include "disk/layout_table.h"
#include "vmfskit/heartbeat.h"
#include "vmfskit/resource_file.h"

VK_LAYOUT_DEFINE(vk_resource_file_layout, VK_RESOURCE_FILE_ROWS, struct vk_resource_file,
		 VK_RESOURCE_FILE_BYTES, "FS3_ResFileMetadata",
		 "Metadata of a resource file (its file offset 0)",
		 "decoded from real VMFS 3, 5 and 6 volumes");
VK_LAYOUT_DEFINE(vk_cluster_layout, VK_CLUSTER_ROWS, struct vk_cluster, VK_CLUSTER_BYTES,
		 "FS3_ResourceClusterMDVMFS5", "Cluster of a resource file, VMFS 3 and 5, behind its lock",
		 "decoded from real VMFS 3 and 5 volumes");
VK_LAYOUT_DEFINE(vk_cluster6_layout, VK_CLUSTER6_ROWS, struct vk_cluster6, VK_CLUSTER6_BYTES,
		 "FS3_ResourceClusterMDVMFS6", "Cluster of a resource file, VMFS6, behind its lock",
		 "decoded from a real VMFS6 volume");

enum { MIB = 1 << 20, HB_SLOTS6 = 1024, FDC_START = 0x400000 };

uint32_t vk_cluster_header_bytes(uint32_t md_alignment)
{
	return 2 * (md_alignment == 0 ? 512 : md_alignment);
}

static uint64_t cluster_bytes(const struct vk_resource_file *file)
{
	return (uint64_t)file->resourcesPerCluster * file->resourceSize;
}

/* In small-block metadata of VMFS6 the groups lie inside those of the parent, by rules of their own. */
static bool group_size_sound(const struct vk_resource_file *f, uint32_t md_alignment)
{
	uint64_t bytes = vk_mul_sat(f->clustersPerGroup,
				    vk_add_sat(vk_cluster_header_bytes(md_alignment), cluster_bytes(f)));

	if ((f->flags & VK_RESOURCE_HAS_PARENT) != 0 || f->childMetaOffset != 0)
		return true;
	/* one listing of a real volume shows the size without the headers */
	return f->clusterGroupSize == bytes ||
	       (f->resourceSize != 0 &&
		f->clusterGroupSize == vk_mul_sat(f->clustersPerGroup, cluster_bytes(f)));
}

bool vk_resource_file_usable(const struct vk_resource_file *f, size_t seen_bytes, uint32_t md_alignment)
{
	uint64_t per_group = (uint64_t)f->resourcesPerCluster * f->clustersPerGroup;
	uint64_t count = vk_resource_count(f);

	if (seen_bytes < VK_RESOURCE_FILE_BYTES)
		return false;
	/* no members in a cluster is a file that holds nothing yet: .pbc.sf of VMFS6 */
	if ((f->resourcesPerCluster == 0 && count != 0) || f->clustersPerGroup == 0)
		return false;
	/* the groups lie behind the metadata, between sectors never */
	if (f->clusterGroupOffset < VK_RESOURCE_FILE_BYTES || f->clusterGroupOffset % 512 != 0)
		return false;
	return group_size_sound(f, md_alignment) && count <= vk_mul_sat(per_group, f->numClusterGroups) &&
	       (md_alignment == 0 || f->signature == VK_RESOURCE_SIGNATURE);
}

static uint64_t group_offset(const struct vk_resource_file *file, uint64_t cluster)
{
	return vk_add_sat(file->clusterGroupOffset,
			  vk_mul_sat(cluster / file->clustersPerGroup, file->clusterGroupSize));
}

uint64_t vk_cluster_header_offset(const struct vk_resource_file *file, uint32_t md_alignment,
				  uint64_t cluster)
{
	return vk_add_sat(group_offset(file, cluster),
			  cluster % file->clustersPerGroup * vk_cluster_header_bytes(md_alignment));
}

uint64_t vk_resource_offset(const struct vk_resource_file *file, uint32_t md_alignment,
			    uint64_t cluster, uint32_t resource)
{
	uint64_t data = vk_add_sat(group_offset(file, cluster),
				   (uint64_t)file->clustersPerGroup * vk_cluster_header_bytes(md_alignment));

	return vk_add_sat(data, vk_add_sat(cluster % file->clustersPerGroup * cluster_bytes(file),
					   (uint64_t)resource * file->resourceSize));
}

uint64_t vk_fdc_start(uint64_t file_block_bytes, uint32_t md_alignment)
{
	if (md_alignment != 0)
		return vk_round_up_sat(VK_HEARTBEATS_OFFSET + (uint64_t)HB_SLOTS6 * md_alignment, MIB);
	return vk_round_up_sat(FDC_START, file_block_bytes);
}
