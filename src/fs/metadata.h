/* SPDX-License-Identifier: Apache-2.0 */
/* Ranges of metadata while they are gathered: in any order, over each other; then sorted, each byte once. */
#ifndef VK_FS_METADATA_H
#define VK_FS_METADATA_H

#include "fs/check.h"
#include "vmfskit/fs_metadata.h"

struct vk_gathering {
	struct vk_checking c;
	struct vk_fs_metadata *out;
	unsigned kinds;
	uint64_t limit, gathered;
	uint64_t addresses_left;
	bool lost;                       /* something leads nowhere */
	uint8_t *unused[VK_CHECK_KINDS]; /* a bit for each cluster; NULL: none */
};
/* kinds, limit and out are set before. */
void vk_gather_start(struct vk_gathering *g, struct vk_fs *fs, const struct vk_finding_sink *sink,
		     struct vk_error *err);
void vk_gather_end(struct vk_gathering *g);
/* Heartbeats, header, journals, resource files with the headers of their clusters; blocks: of .fbb.sf, too. */
void vk_gather_clusters(struct vk_gathering *g, bool blocks);
/* Whether nothing was ever given out of a cluster. */
bool vk_gather_unused(const struct vk_gathering *g, enum vk_check_kind kind, uint64_t cluster);
/* Join ranges that touch; kinds that are not wanted are left out. False: memory ran out; nothing has changed then. */
VK_MUST_USE bool vk_fs_metadata_settle(struct vk_fs_metadata *metadata, unsigned kinds);

#endif
