/* SPDX-License-Identifier: Apache-2.0 */
/* Who holds the lock of a file, and what his heartbeat slot says of him. */
#ifndef VK_CMD_FILES_HOLDER_H
#define VK_CMD_FILES_HOLDER_H

#include "cmd/files/files.h"
#include "vmfskit/lock.h"

enum vk_holder_state {
	VK_HOLDER_NO_SLOT,   /* the lock names no heartbeat slot */
	VK_HOLDER_UNKNOWN,   /* the slot is not in the source, or cannot be read */
	VK_HOLDER_DAMAGED,   /* no slot lies there */
	VK_HOLDER_FREE,      /* the slot is free: the host closed the volume */
	VK_HOLDER_OTHER,     /* it is in use by another session */
	VK_HOLDER_SAME       /* in use, of the same owner and generation */
};
struct vk_holder {
	struct vk_vmfs_uuid owner;
	uint64_t hb_volume_offset; /* 0: none */
	uint64_t hb_generation;
	uint32_t slot;             /* number of it, when it is one */
	enum vk_holder_state state;
	struct vk_heartbeat hb;    /* where it could be read */
};
/* An exclusive lock has one, a shared one up to VK_LOCK_HOLDERS. */
size_t vk_holders_of(const struct vk_files *files, const struct vk_lock *lock,
		     struct vk_holder ret_holders[VK_LOCK_HOLDERS]);
/* Before a file is read: a note on stderr when its lock is of a host that may write to it, and may be alive. */
void vk_files_say_held(const struct vk_files *files, const struct vk_fs_file *file, const char *path);
const char *vk_holder_state_name(enum vk_holder_state state); /* in JSON: "in-use", "free", ... */
/* One look cannot tell whether a host is alive; what it can tell, as a sentence. */
const char *vk_holder_state_said(enum vk_holder_state state);
/* "free", "exclusive", "shared read-only", "multi-writer", "unknown (7)" */
struct vk_phrase vk_lock_mode_said(const struct vk_lock *lock);

#endif
