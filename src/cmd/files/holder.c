/* SPDX-License-Identifier: Apache-2.0 */
/* Who holds the lock of a file, and what his heartbeat slot says of him. */
#include "cmd/files/holder.h"

#include <string.h>

#include "base/shown.h"
#include "vmfskit/text.h"
#include "vmfskit/vmfs_uuid.h"

static const struct {
	const char *name, *said;
} states[] = {
	[VK_HOLDER_NO_SLOT] = {"no-slot", "the lock names no heartbeat slot"},
	[VK_HOLDER_UNKNOWN] = {"not-in-source", "its heartbeat slot is not in the source: whether it had the volume "
						"open is not known"},
	[VK_HOLDER_DAMAGED] = {"damaged", "its heartbeat slot is damaged"},
	[VK_HOLDER_FREE] = {"free", "its heartbeat slot is free: it no longer uses the volume, the lock is left over"},
	[VK_HOLDER_OTHER] = {"other", "its heartbeat slot belongs to another session now: the lock is left over"},
	[VK_HOLDER_SAME] = {"in-use", "its heartbeat slot is in use, with this owner and generation: it had the volume "
				      "open, and may be alive; vmfskit doctor watches for its next beat"},
};

const char *vk_holder_state_name(enum vk_holder_state state)
{
	return states[state].name;
}

const char *vk_holder_state_said(enum vk_holder_state state)
{
	return states[state].said;
}

struct vk_phrase vk_lock_mode_said(const struct vk_lock *lock)
{
	struct vk_phrase said;
	struct vk_text text;

	vk_text_init(&text, said.text, sizeof(said.text));
	vk_field_text(vk_layout_field(&vk_lock_layout, "mode"), lock, &text);
	return said;
}

static void judge(const struct vk_files *files, struct vk_holder *holder)
{
	const struct vk_fs_info *info = vk_fs_info(files->fs);
	uint8_t raw[VK_HEARTBEAT_BYTES];
	struct vk_fs_geometry g;
	struct vk_error err;
	size_t got = 0;

	(void)vk_fs_geometry(&info->descriptor, VK_FS_DESCRIPTOR_BYTES, &g);
	if (holder->hb_volume_offset < g.heartbeat_offset || holder->hb_volume_offset >= g.heartbeat_end ||
	    (holder->hb_volume_offset - g.heartbeat_offset) % g.heartbeat_slot_bytes != 0) {
		holder->state = VK_HOLDER_NO_SLOT;
		return;
	}
	holder->slot = (uint32_t)((holder->hb_volume_offset - g.heartbeat_offset) / g.heartbeat_slot_bytes);
	if (vk_fs_get(files->fs, holder->hb_volume_offset, raw, sizeof(raw), &got, &err) != VK_OK ||
	    got < sizeof(raw)) {
		holder->state = VK_HOLDER_UNKNOWN;
		return;
	}
	vk_heartbeat_decode(raw, sizeof(raw), &holder->hb);
	if (holder->hb.state == VK_HB_FREE)
		holder->state = VK_HOLDER_FREE;
	else if (holder->hb.state != VK_HB_IN_USE || holder->hb.addr != holder->hb_volume_offset)
		holder->state = VK_HOLDER_DAMAGED;
	else
		holder->state = vk_vmfs_uuid_equal(&holder->hb.owner, &holder->owner) &&
						holder->hb.hbGen == holder->hb_generation
					? VK_HOLDER_SAME
					: VK_HOLDER_OTHER;
}

size_t vk_holders_of(const struct vk_files *files, const struct vk_lock *lock,
		     struct vk_holder ret_holders[VK_LOCK_HOLDERS])
{
	size_t count = 0;

	if (lock->mode == 1 || (lock->mode != 0 && !vk_vmfs_uuid_is_nil(&lock->owner)))
		ret_holders[count++] = (struct vk_holder){.owner = lock->owner,
							  .hb_volume_offset = lock->hbAddr,
							  .hb_generation = lock->hbGen};
	for (size_t i = 0; lock->mode > 1 && i < lock->numHolders && count < VK_LOCK_HOLDERS; i++) {
		struct vk_lock_holder raw;

		if ((i + 1) * VK_LOCK_HOLDER_BYTES > sizeof(lock->holders))
			break;
		(void)vk_layout_decode(&vk_lock_holder_layout, lock->holders + i * VK_LOCK_HOLDER_BYTES,
				       VK_LOCK_HOLDER_BYTES, &raw);
		ret_holders[count++] = (struct vk_holder){.owner = raw.uid,
							  .hb_volume_offset = raw.hbAddr,
							  .hb_generation = raw.hbGen};
	}
	for (size_t i = 0; i < count; i++)
		judge(files, &ret_holders[i]);
	return count;
}

void vk_files_say_held(const struct vk_files *files, const struct vk_fs_file *file, const char *path)
{
	enum { SHARED_READ_ONLY = 2 };
	struct vk_holder holders[VK_LOCK_HOLDERS];
	const size_t count = file->lock.mode != SHARED_READ_ONLY ? vk_holders_of(files, &file->lock, holders) : 0;
	struct vk_vmfs_uuid_parts host;
	char mac[VK_MAC_TEXT_BYTES];
	size_t held = 0;

	for (size_t i = 0; i < count; i++) {
		if (holders[i].state != VK_HOLDER_SAME || held++ > 0)
			continue;
		vk_vmfs_uuid_decode(&holders[i].owner, &host);
		vk_mac_format(host.macAddr, mac);
	}
	if (held == 0)
		return;
	fprintf(files->cmd.call->err,
		"%s: note: %s is locked (%s) by the host with MAC %s%s, which had the volume open: if it is alive, "
		"the file may change while it is read\n",
		files->cmd.call->program->name, vk_shown_name(path).text,
		file->lock.mode == 1 ? "exclusive" : "multi-writer", mac,
		held > 1 ? vk_phrase(" and %zu more", held - 1).text : "");
}
