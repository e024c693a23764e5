/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The check of a file system: everything that can be compared is, in phases; nothing is changed. What the source does
 * not hold is counted, and no damage. A block that a host allocated for its journal belongs to no file and is no loss;
 * blocks that are shared copy-on-write may be used more than once.
 */
#ifndef VMFSKIT_FS_CHECK_H
#define VMFSKIT_FS_CHECK_H

#include "vmfskit/fs.h"
#include "vmfskit/fs_hit.h"

__BEGIN_DECLS

enum vk_fs_check_phase {
	VK_FS_CHECK_RESOURCES,   /* header, system files, clusters of resources */
	VK_FS_CHECK_HEARTBEATS,  /* heartbeats, and locks that name one */
	VK_FS_CHECK_DESCRIPTORS, /* file descriptors */
	VK_FS_CHECK_NAMES,       /* entries of folders, and the descriptors that they lead to */
	VK_FS_CHECK_BLOCKS,      /* addresses of all files, and the bitmaps of what is allocated */
	VK_FS_CHECK_PHASES
};
/* "header and resource files" */
const char *vk_fs_check_phase_name(enum vk_fs_check_phase phase);

/* A name of a file. */
struct vk_fs_check_name {
	uint32_t address; /* of its file descriptor */
	uint32_t folder;  /* of that of the folder that has the name */
	uint32_t type;    /* as the entry says */
	char *path;
};
/* Free with vk_fs_check_free. */
struct vk_fs_check {
	struct {
		uint64_t checked;  /* clusters; slots and locks; descriptors; entries; blocks of all kinds */
		uint64_t findings; /* warnings and errors */
		uint64_t unknown;  /* of those, what the source does not hold */
	} phases[VK_FS_CHECK_PHASES];
	uint64_t files;            /* descriptors in use, folders and system files as well */
	uint64_t blocks;           /* file blocks that the volume has */
	uint64_t blocks_allocated; /* of them, as far as the bitmaps are in the source */
	struct vk_fs_check_name *names; /* by address */
	size_t name_count;
	/* what has descriptors or blocks in clusters with a damaged header; it may be sound itself */
	struct vk_fs_hits in_doubt;
};
/*
 * Memory: two bits for each resource of the volume (a volume of 64 TB with blocks of 1 MiB has 64 million), and the
 * paths of all files. Findings: those of the other functions of fs.h; source.unreadable for each stretch of the volume
 * that could not be read while it was checked; file.cluster, file.lock, file.lock-field, file.nameless,
 * file.link-count, file.block-count, file.block-twice, file.block-free, file.block-lost, heartbeat.state and
 * heartbeat.address. One that hits a file has its fd, and names it. Errors: VK_IO, VK_NOMEM.
 */
VK_MUST_USE enum vk_status vk_fs_check(struct vk_fs *fs, const struct vk_finding_sink *sink,
				       struct vk_fs_check *ret_check, struct vk_error *err);
void vk_fs_check_free(struct vk_fs_check *check);
/* The first name of a file descriptor; NULL: it has none. */
const struct vk_fs_check_name *vk_fs_check_name_of(const struct vk_fs_check *check, uint32_t address);

__END_DECLS
#endif
