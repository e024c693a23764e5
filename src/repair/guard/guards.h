/* SPDX-License-Identifier: Apache-2.0 */
/* The guards: each looks at a planned restore and may object. */
#ifndef VK_REPAIR_GUARDS_H
#define VK_REPAIR_GUARDS_H

#include "repair/plan/restore_state.h"

/*
 * A guard adds its objections with vk_guard_object and fails only when it cannot look (VK_IO, VK_NOMEM).
 */
typedef enum vk_status vk_guard_ask(struct vk_restore *restore, struct vk_error *err);

vk_guard_ask vk_guard_ask_kind;
vk_guard_ask vk_guard_ask_identity;   /* disk-id, device-uuid, volume-uuid */
vk_guard_ask vk_guard_ask_lun;
vk_guard_ask vk_guard_ask_unidentified;
vk_guard_ask vk_guard_ask_table_kind;
vk_guard_ask vk_guard_ask_table_partitions;
vk_guard_ask vk_guard_ask_foreign;    /* foreign-signature, member */
vk_guard_ask vk_guard_ask_in_use;
vk_guard_ask vk_guard_ask_heartbeat;
vk_guard_ask vk_guard_ask_worse;

/*
 * Whether the bytes around a signature are as they were captured: then they belong to what was captured, whatever
 * they look like.
 */
struct vk_foreign;
bool vk_guard_as_captured(const struct vk_restore *restore, const struct vk_foreign *sign);

/*
 * Guard member, unless it has spoken: would anything be overwritten from the byte `end` on, where who ("a capture")
 * says that the disk ends? 0: nobody says it.
 */
VK_MUST_USE enum vk_status vk_guard_ask_tail(struct vk_restore *restore, uint64_t end, const char *who,
					     struct vk_error *err);

/* The kind of table that systems go by, VK_TABLE_NONE unless it is sound: an MBR with partitions beats a GPT. */
enum vk_table_kind vk_table_sound_kind(const struct vk_table *table);
/* Whether the target's table names none of the volumes that the plan's table does: another system wrote it. */
bool vk_guard_table_is_of_others(const struct vk_restore *restore);
/* Whether the captured table has this partition of the target: the same place and type. */
bool vk_partition_was_captured(const struct vk_restore *restore, const struct vk_partition *partition);

/* Whether any captured volume has this device UUID. */
bool vk_guard_knows_device(const struct vk_restore *restore, const char *device);

/* The guard that a capture of another disk, or one that nothing identifies, is for. */
enum vk_guard vk_guard_of_answer(const struct vk_of_disk *answer);

/*
 * capture-verified and capture-vouched; ret_sound is false when the former objected. Asked before the capture's
 * regions are used: from here on they are in memory.
 */
VK_MUST_USE enum vk_status vk_guard_ask_capture(struct vk_restore *restore, bool *ret_sound,
						struct vk_error *err);
/* All others, once the edits are on the overlay. */
VK_MUST_USE enum vk_status vk_guards_ask_all(struct vk_restore *restore, struct vk_error *err);

/*
 * Who uses the target, other processes that have it open for writing among them: "mounted on /mnt, open for writing by
 * process 12 (qemu)"; an empty text when nobody is known. A device's partitions, what is made of them and the file
 * behind a loop device count; fd is open for reading. False: not every process could be looked at.
 */
bool vk_target_users(const struct vk_target_id *target, int fd, struct vk_text *users);

/* The whole disk of a partition; false when rdev is none. ret_node (may be NULL) is the path of its node. */
enum { VK_NODE_BYTES = 300 };
bool vk_disk_of_partition(dev_t rdev, dev_t *ret_disk, char ret_node[VK_NODE_BYTES]);
/*
 * An exclusive BSD lock: on a file itself, of devices on the node of the whole disk, where udev, systemd-repart,
 * sfdisk and mkfs look for it (https://systemd.io/BLOCK_DEVICE_LOCKING). wait: udev's own locks last moments, so it
 * is tried for some seconds. Held until fd, or *ret_disk_fd when that is not -1, is closed. False: errno is
 * EWOULDBLOCK when somebody else has it.
 */
VK_MUST_USE bool vk_target_lock(int fd, const struct vk_target_id *target, bool wait, int *ret_disk_fd);

/*
 * Once more, when the next thing would be the first write: VK_REFUSED when somebody uses the target who did not when
 * the plan was made, or a host beat since then, unless that guard was lifted.
 */
VK_MUST_USE enum vk_status vk_guard_in_use_again(const struct vk_restore *restore, struct vk_error *err);
VK_MUST_USE enum vk_status vk_guard_heartbeat_again(struct vk_restore *restore, struct vk_error *err);
/* After the last write: a sentence when a host beat while it was written. */
void vk_guard_heartbeat_after(struct vk_restore *restore, struct vk_text *note);
void vk_guard_heartbeat_forget(struct vk_restore *restore);

#endif
