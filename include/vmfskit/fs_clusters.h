/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the headers of a volume's clusters say: which resources are allocated, and a stamp that grows when one is. Who
 * compares stamps of two moments sees whether something was allocated in between, be it free again.
 */
#ifndef VMFSKIT_FS_CLUSTERS_H
#define VMFSKIT_FS_CLUSTERS_H

#include "vmfskit/fs.h"

__BEGIN_DECLS

enum vk_fs_cluster_kind {
	VK_CLUSTERS_BLOCKS,      /* of .fbb.sf; VMFS6: the small blocks of large ones that became clusters of them */
	VK_CLUSTERS_LARGE,       /* VMFS6: large blocks */
	VK_CLUSTERS_DESCRIPTORS, /* of .fdc.sf */
	VK_CLUSTERS_SUB_BLOCKS,
	VK_CLUSTERS_POINTERS,    /* of .pbc.sf */
	VK_CLUSTERS_POINTERS2,   /* of .pb2.sf */
	VK_CLUSTERS_KINDS
};
const char *vk_fs_cluster_kind_name(enum vk_fs_cluster_kind kind); /* "fbb", "lfb", "fdc", "sbc", "pbc", "pb2" */
#define VK_STAMP_NONE UINT64_MAX
/*
 * Stamps, as seen on volumes that ESX wrote.
 *   .fdc.sf    the generation that was given out last. VMFS3: a cluster of 8 descriptors says 8, VMFS 5 and 6: of 7
 *              files 7. debugvmfs gives none out (vmfs-tools 0.2.5: its files have generation 1, the number stays).
 *   VMFS6      allocations: it counts resources. A cluster of journals has 30 after 16 times that its lock was held,
 *              one of sub-blocks 3 after 2. Freeing does not count (the 30 are all free).
 *   VMFS 3, 5  token of the lock. ESX: 1 when formatted, 2 more each time that it was held, whatever was done
 *              meanwhile: of 200 blocks that 2 files got, 5; of 8 descriptors, 11. debugvmfs and vmfskit-lab: 1 more
 *              for each resource that is taken or freed. So the same token says that nothing was done, and another
 *              one does not say how much. One that is held, too, says nothing.
 */
struct vk_fs_clusters {
	struct vk_fs_clusters_of {
		uint64_t count;          /* 0: nothing is known of them */
		uint64_t resources;
		uint32_t per_cluster;
		uint64_t *stamps;        /* of each cluster; VK_STAMP_NONE: it cannot be read, or is damaged, or held */
		uint8_t *known;          /* a bit for each cluster: its bitmap was read, and is sound; NULL: LARGE */
		uint8_t *allocated;      /* a bit for each resource of these */
	} of[VK_CLUSTERS_KINDS];
};
/*
 * Read all of them, as the volume is now (vk_fs_forget before, where it may be in use). Of BLOCKS on VMFS6 known and
 * allocated are those of large blocks, too, in small ones. Memory: a bit for each resource, while it is read two; 8
 * bytes for each cluster. Free with vk_fs_clusters_free. Errors: VK_IO (the device does not answer), VK_NOMEM.
 */
VK_MUST_USE enum vk_status vk_fs_clusters_read(struct vk_fs *fs, struct vk_fs_clusters *ret_clusters,
					       struct vk_error *err);
void vk_fs_clusters_free(struct vk_fs_clusters *clusters);

__END_DECLS
#endif
