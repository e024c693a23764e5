/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Resource files (.fbb.sf, .fdc.sf, .pbc.sf, .sbc.sf, .pb2.sf, .jbc.sf): FS3_ResFileMetadata at their file offset 0,
 * then groups of clusters; the header of a cluster is a lock and the structures below.
 */
#ifndef VMFSKIT_RESOURCE_FILE_H
#define VMFSKIT_RESOURCE_FILE_H

#include <stdbool.h>

#include "vmfskit/layout.h"

__BEGIN_DECLS

#define VK_RESOURCE_SIGNATURE 0x72666D64U /* FS3_ResFileMetadata.signature on VMFS6 */
#define VK_CLUSTER6_SIGNATURE 0x72636D64U
/* FS3_ResFileMetadata.flags; HAS_CHILD and the two of affinity are inferred from a real volume */
#define VK_RESOURCE_HAS_CHILD 0x01U
#define VK_RESOURCE_HAS_PARENT 0x02U
#define VK_RESOURCE_AFFINITY 0x04U
#define VK_RESOURCE_AFFINITY_COUNTS 0x08U
#define VK_RESOURCE_HAS_UNMAP 0x20U

#define VK_RESOURCE_FILE_ROWS(F, T) \
	F(T, U32, resourcesPerCluster, 0x00, 4, DEC, V, "") \
	F(T, U32, clustersPerGroup, 0x04, 4, DEC, V, "") \
	F(T, U32, clusterGroupOffset, 0x08, 4, OFFSET, V, "file offset of cluster group 0") \
	F(T, U32, resourceSize, 0x0C, 4, SIZE, V, "of one resource; 0 for block bitmaps") \
	F(T, U32, clusterGroupSize, 0x10, 4, SIZE, V, "distance of cluster groups") \
	F(T, U32, numResourcesLo, 0x14, 4, DEC, V, "low half of the number of resources") \
	F(T, U32, numClusterGroups, 0x18, 4, DEC, V, "") \
	F(T, U32, numResourcesHi, 0x1C, 4, DEC, V, "high half of the number of resources") \
	F(T, U32, signature, 0x20, 4, HEX, V, "0x72666D64 on VMFS6, 0 on VMFS 3 and 5, as everything after it") \
	F(T, U32, version, 0x24, 4, DEC, V, "1 on VMFS6") \
	F(T, U32, flags, 0x28, 4, HEX, V, \
	  "0x01 has a child, 0x02 has a parent, 0x04 affinity of each resource, 0x08 affinity with counts, 0x20 " \
	  "has an unmap bitmap") \
	F(T, U16, affinityPerCluster, 0x2C, 2, DEC, V, "entries in a cluster's affinity table") \
	F(T, U16, affinityPerResource, 0x2E, 2, DEC, V, "1; 52 for the large blocks") \
	F(T, U32, bitsPerResource, 0x30, 4, DEC, V, "in a cluster's bitmap: 1; 2 for small, 3 for large blocks") \
	F(T, U32, childMetaOffset, 0x34, 4, OFFSET, V, \
	  "VMFS6 .fbb.sf: file offset of the metadata of the small blocks") \
	F(T, U32, parentResourcesPerCluster, 0x38, 4, DEC, V, "in a child") \
	F(T, U32, parentClustersPerGroup, 0x3C, 4, DEC, V, "in a child") \
	F(T, U32, parentClusterGroupSize, 0x40, 4, SIZE, V, "in a child") \
	F(T, BYTES, unknown44, 0x44, 16, RESERVED, S, "meaning unknown") \
	F(T, U32, convertedClusters, 0x54, 4, DEC, V, "in a child: large blocks that became clusters of small ones")

enum { VK_RESOURCE_FILE_BYTES = 0x58 };
struct vk_resource_file {
	VK_RESOURCE_FILE_ROWS(VK_MEMBER, )
};
extern const struct vk_layout vk_resource_file_layout;

#define VK_CLUSTER_ROWS(F, T) \
	F(T, U32, clusterNum, 0x00, 4, DEC, V, "number of this cluster itself") \
	F(T, U32, totalResources, 0x04, 4, DEC, V, "resources in this cluster") \
	F(T, U32, freeResources, 0x08, 4, DEC, V, "number of ones in bitmap") \
	F(T, U32, nextFreeIdx, 0x0C, 4, DEC, V, "where the search begins; only a hint") \
	F(T, BYTES, bitmap, 0x10, 64, RAW, V, "least significant bit first; 1 free, 0 allocated") \
	F(T, BYTES, typeData, 0x50, 16, RAW, V, ".fdc.sf: first number is the generation given out last") \
	F(T, U32, priority, 0x60, 4, DEC, S, "")

enum { VK_CLUSTER_BYTES = 0x64, VK_CLUSTER_RESOURCES_MAX = 512 };
/* Cluster metadata of VMFS 3 and 5: the second 512 bytes of a cluster's header. */
struct vk_cluster {
	VK_CLUSTER_ROWS(VK_MEMBER, )
};
extern const struct vk_layout vk_cluster_layout;

#define VK_CLUSTER6_ROWS(F, T) \
	F(T, BYTES, checksum, 0x00, 16, RAW, U, "perhaps a checksum; zero on the volume seen, not verified") \
	F(T, U32, signature, 0x10, 4, HEX, V, "0x72636D64") \
	F(T, U32, priority, 0x14, 4, DEC, V, "") \
	F(T, U64, clusterNum, 0x18, 8, DEC, V, "number of this cluster itself") \
	F(T, U16, totalResources, 0x20, 2, DEC, V, "resources in this cluster") \
	F(T, U16, freeResources, 0x22, 2, DEC, V, "number of ones in a bitmap of one bit for each") \
	F(T, BYTES, unknown24, 0x24, 2, RESERVED, S, "meaning unknown") \
	F(T, U16, affinityCount, 0x26, 2, DEC, V, \
	  "small blocks: entries of the affinity table, with the empty one in front; else 0") \
	F(T, BYTES, unknown28, 0x28, 2, RESERVED, S, "meaning unknown") \
	F(T, U16, unknown2A, 0x2A, 2, HEX, V, "meaning unknown: 7 for large blocks, 0x100 for small ones, else 0") \
	F(T, BYTES, unknown2C, 0x2C, 4, RESERVED, S, "meaning unknown") \
	F(T, U32, unknown30, 0x30, 4, DEC, V, "meaning unknown: 1 in all seen") \
	F(T, BYTES, unknown34, 0x34, 36, RESERVED, S, "meaning unknown") \
	F(T, U32, allocations, 0x58, 4, DEC, V, "made since the volume was") \
	F(T, BYTES, lastHostMac, 0x5C, 6, MAC, V, "MAC address of the host that allocated last; zero: none yet") \
	F(T, U32, lastAllocTime, 0x62, 4, TIME_S, V, "when it did") \
	F(T, BYTES, unknown66, 0x66, 2, RESERVED, S, "meaning unknown") \
	F(T, U32, lastGeneration, 0x68, 4, DEC, V, ".fdc.sf: generation given out last") \
	F(T, BYTES, unknown6C, 0x6C, 16, RESERVED, S, "meaning unknown") \
	F(T, U32, nextFreeIdx, 0x7C, 4, DEC, V, "where the search begins; only a hint")

/*
 * Offsets in the metadata block. The bitmap has bitsPerResource bits for each resource, least significant first. Of one
 * bit: 1 free, 0 allocated. Of the others 0 is allocated; of a large block 4 is one that became a cluster of small
 * blocks. The affinity table has a file descriptor address for each resource, for small blocks pairs of an address and
 * a count of blocks, the first of them empty. Seen on one volume: 32 and 256 resources in a cluster, and the small
 * blocks.
 */
enum {
	VK_CLUSTER6_BYTES = 0x80, VK_CLUSTER6_BITMAP = 0x80,
	VK_CLUSTER6_AFFINITY_32 = 0x2E0, VK_CLUSTER6_AFFINITY_256 = 0x8E0, VK_CLUSTER6_AFFINITY_SMALL = 0x940
};
/* Cluster metadata of VMFS6: the second metadata block of a cluster's header. */
struct vk_cluster6 {
	VK_CLUSTER6_ROWS(VK_MEMBER, )
};
extern const struct vk_layout vk_cluster6_layout;

VK_CODEC(vk_resource_file, struct vk_resource_file)
VK_CODEC(vk_cluster, struct vk_cluster)
VK_CODEC(vk_cluster6, struct vk_cluster6)

/* Whether the numbers agree with each other, so that clusters may be located by them. md_alignment 0: VMFS 3 and 5. */
bool vk_resource_file_usable(const struct vk_resource_file *file, size_t seen_bytes,
			     uint32_t md_alignment);

static inline uint64_t vk_resource_count(const struct vk_resource_file *file)
{
	return (uint64_t)file->numResourcesHi << 32 | file->numResourcesLo;
}
/* Bytes of a cluster's header: 1024; VMFS6 2 x mdAlignment. */
uint32_t vk_cluster_header_bytes(uint32_t md_alignment);
/* File offset of the header of a cluster, and of a resource in it. The metadata must be usable. */
uint64_t vk_cluster_header_offset(const struct vk_resource_file *file, uint32_t md_alignment,
				  uint64_t cluster);
uint64_t vk_resource_offset(const struct vk_resource_file *file, uint32_t md_alignment,
			    uint64_t cluster, uint32_t resource);
/* Volume offset of the first block of .fdc.sf. */
uint64_t vk_fdc_start(uint64_t file_block_bytes, uint32_t md_alignment);

__END_DECLS
#endif
