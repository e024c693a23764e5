/* SPDX-License-Identifier: Apache-2.0 */
/* Resource files: layouts and checks of their metadata and clusters, and where clusters and resources lie. */
#include "base/checked.h"
#include "disk/layout_table.h"
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

enum { MIB = 1 << 20, HB_OFFSET = 0x300000, HB_SLOTS6 = 1024, FDC_START = 0x400000 };

size_t vk_resource_file_decode(const uint8_t *buf, size_t len, struct vk_resource_file *ret_file)
{
	return vk_layout_decode(&vk_resource_file_layout, buf, len, ret_file);
}

size_t vk_resource_file_encode(const struct vk_resource_file *file, uint8_t *buf, size_t len)
{
	return vk_layout_encode(&vk_resource_file_layout, file, buf, len);
}

size_t vk_cluster_decode(const uint8_t *buf, size_t len, struct vk_cluster *ret_cluster)
{
	return vk_layout_decode(&vk_cluster_layout, buf, len, ret_cluster);
}

size_t vk_cluster_encode(const struct vk_cluster *cluster, uint8_t *buf, size_t len)
{
	return vk_layout_encode(&vk_cluster_layout, cluster, buf, len);
}

size_t vk_cluster6_decode(const uint8_t *buf, size_t len, struct vk_cluster6 *ret_cluster)
{
	return vk_layout_decode(&vk_cluster6_layout, buf, len, ret_cluster);
}

size_t vk_cluster6_encode(const struct vk_cluster6 *cluster, uint8_t *buf, size_t len)
{
	return vk_layout_encode(&vk_cluster6_layout, cluster, buf, len);
}

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

/* What contradicts, as a phrase; NULL when nothing does. */
static const char *contradiction(const struct vk_resource_file *f, uint32_t md_alignment)
{
	uint64_t per_group = (uint64_t)f->resourcesPerCluster * f->clustersPerGroup;
	uint64_t count = vk_resource_count(f);

	/* a file that holds nothing yet: .pbc.sf of VMFS6 */
	if ((f->resourcesPerCluster == 0 && count != 0) || f->clustersPerGroup == 0)
		return "a cluster or a group of clusters has no members";
	if (f->clusterGroupOffset < VK_RESOURCE_FILE_BYTES || f->clusterGroupOffset % 512 != 0)
		return "the cluster groups begin inside the metadata or between sectors";
	if (!group_size_sound(f, md_alignment))
		return "the size of a cluster group is not that of its members";
	if (count > vk_mul_sat(per_group, f->numClusterGroups))
		return "there are more resources than the cluster groups hold";
	if (md_alignment != 0 && f->signature != VK_RESOURCE_SIGNATURE)
		return "the signature is missing";
	return NULL;
}

bool vk_resource_file_usable(const struct vk_resource_file *file, size_t seen_bytes,
			     uint32_t md_alignment)
{
	return seen_bytes >= VK_RESOURCE_FILE_BYTES && contradiction(file, md_alignment) == NULL;
}

void vk_resource_file_check(const struct vk_resource_file *file, size_t seen_bytes,
			    uint32_t md_alignment, uint64_t offset_bytes,
			    const struct vk_finding_sink *sink)
{
	const char *what = contradiction(file, md_alignment);
	struct vk_finding f;

	if (seen_bytes < VK_RESOURCE_FILE_BYTES || what == NULL)
		return;
	vk_finding_init(&f, VK_F_RESOURCE_GEOMETRY, offset_bytes, VK_RESOURCE_FILE_BYTES,
			"the numbers of a resource file contradict each other: %s", what);
	vk_finding_put(sink, &f);
}

void vk_cluster_check(const struct vk_cluster *cluster, size_t seen_bytes, uint64_t number,
		      uint64_t offset_bytes, const struct vk_finding_sink *sink)
{
	uint32_t ones = 0;
	struct vk_finding f;

	if (seen_bytes < VK_CLUSTER_BYTES)
		return;
	/* never initialised: a small volume's file is cut short */
	if (cluster->totalResources == 0 && cluster->clusterNum == 0)
		return;
	if (cluster->clusterNum != number) {
		vk_finding_init(&f, VK_F_CLUSTER_NUMBER, offset_bytes, 4,
				"a cluster does not carry its own number");
		vk_finding_seen(&f, "%u", cluster->clusterNum);
		vk_finding_expected(&f, "%llu", (unsigned long long)number);
		vk_finding_put(sink, &f);
	}
	for (uint32_t i = 0; i < cluster->totalResources && i < VK_CLUSTER_RESOURCES_MAX; i++)
		ones += (uint32_t)cluster->bitmap[i / 8] >> i % 8 & 1U;
	if (cluster->totalResources > VK_CLUSTER_RESOURCES_MAX || ones != cluster->freeResources) {
		vk_finding_init(&f, VK_F_CLUSTER_COUNT, offset_bytes + 4, 8,
				"a cluster's bitmap does not show the free resources that it counts");
		vk_finding_seen(&f, "%u of %u", cluster->freeResources, cluster->totalResources);
		vk_finding_expected(&f, "%u", ones);
		vk_finding_put(sink, &f);
	}
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
		return vk_round_up_sat(HB_OFFSET + (uint64_t)HB_SLOTS6 * md_alignment, MIB);
	return vk_round_up_sat(FDC_START, file_block_bytes);
}
