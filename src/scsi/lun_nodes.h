/* SPDX-License-Identifier: Apache-2.0 */
/* Nodes that LUNs can be read through, before it is known which of them are the same LUN. */
#ifndef VK_SCSI_LUN_NODES_H
#define VK_SCSI_LUN_NODES_H

#include "vmfskit/luns.h"

enum { VK_LUN_NODES_MAX = 65536, VK_LUN_KEYS = 4, VK_LUN_KEY_BYTES = 240 };

struct vk_lun_node {
	char *path;
	char wwid[200];
	/* nodes with one key in common are one LUN; empty: no such key */
	char keys[VK_LUN_KEYS][VK_LUN_KEY_BYTES];
	unsigned key_count;
	bool is_multipath;
	bool only_with_vmfs;
};

struct vk_lun_nodes {
	struct vk_lun_node *items;
	size_t count;
};
void vk_lun_nodes_free(struct vk_lun_nodes *nodes);

/*
 * The block devices of sysfs below root; the nodes of a folder. root is "" but in tests, which bring a tree of their
 * own. Errors: VK_IO, VK_NOMEM.
 */
VK_MUST_USE enum vk_status vk_lun_nodes_of_sysfs(const char *root, struct vk_lun_nodes *nodes,
						 struct vk_error *err);
VK_MUST_USE enum vk_status vk_lun_nodes_of_folder(const char *root, const char *folder,
						  struct vk_lun_nodes *nodes, struct vk_error *err);

/* Whether one of the globs (ends with NULL; may be NULL) is meant for this LUN. */
bool vk_luns_match(const char *const *globs, const char *path, const char *wwid);

/* vk_luns_find in another tree. */
VK_MUST_USE enum vk_status vk_luns_find_at(const char *root, const struct vk_luns_options *options,
					   struct vk_lun **ret_luns, size_t *ret_count,
					   struct vk_error *err);

#endif
