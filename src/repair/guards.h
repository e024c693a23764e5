/* SPDX-License-Identifier: Apache-2.0 */
/* The guards: each looks at a planned restore and may object. */
#ifndef VK_REPAIR_GUARDS_H
#define VK_REPAIR_GUARDS_H

#include "repair/restore_state.h"

/*
 * A guard adds its objections with vk_guard_object and fails only when it cannot look (VK_IO, VK_NOMEM).
 */
typedef enum vk_status vk_guard_ask(struct vk_restore *restore, struct vk_error *err);

vk_guard_ask vk_guard_ask_kind;
vk_guard_ask vk_guard_ask_identity;   /* disk-id, device-uuid, volume-uuid */
vk_guard_ask vk_guard_ask_disk_guid;  /* disk-id */
vk_guard_ask vk_guard_ask_table_kind;
vk_guard_ask vk_guard_ask_table_partitions;
vk_guard_ask vk_guard_ask_foreign;
vk_guard_ask vk_guard_ask_in_use;
vk_guard_ask vk_guard_ask_heartbeat;
vk_guard_ask vk_guard_ask_worse;

/* The kind of table that systems go by, VK_TABLE_NONE unless it is sound: an MBR with partitions beats a GPT. */
enum vk_table_kind vk_table_sound_kind(const struct vk_table *table);
/* Whether the captured table has this partition of the target: the same place and type. */
bool vk_partition_was_captured(const struct vk_restore *restore, const struct vk_partition *partition);

VK_MUST_USE enum vk_status vk_guard_object(struct vk_restore *restore, enum vk_guard guard,
					   struct vk_error *err, const char *message, ...)
	__attribute__((format(printf, 4, 5)));

/* capture-verified; ret_sound is false when it objected. Asked before the capture's regions are used. */
VK_MUST_USE enum vk_status vk_guard_ask_capture(struct vk_restore *restore, bool *ret_sound,
						struct vk_error *err);
/* All others, once the edits are on the overlay. */
VK_MUST_USE enum vk_status vk_guards_ask_all(struct vk_restore *restore, struct vk_error *err);

/*
 * Who uses a block device or a file: "mounted on /mnt, swap space /dev/sdb2"; an empty text when nobody is
 * known. A device's partitions count; fd is open for reading.
 */
struct vk_text;
void vk_device_users(dev_t rdev, struct vk_text *users);
void vk_file_users(dev_t dev, ino_t ino, int fd, struct vk_text *users);

#endif
