/* SPDX-License-Identifier: Apache-2.0 */
/* Heartbeats, and the locks that name them. */
#include <inttypes.h>

#include "base/checked.h"
#include "fs/check.h"

enum {
	SLOT_BYTES = 512,
	EXCLUSIVE = 1, MULTI_WRITER = 3 /* FS3_DiskLock.mode */
};

/* That a host has the volume open is no damage. */
static void pass_but_in_use(void *ctx, const struct vk_finding *finding)
{
	const struct vk_checking *c = ctx;

	if (finding->code != VK_F_HEARTBEAT_IN_USE)
		vk_finding_put(&c->named, finding);
}

static void count_journal(struct vk_checking *c, const struct vk_heartbeat *hb)
{
	struct vk_check_map *blocks = &c->maps[VK_CHECK_BLOCKS];
	struct vk_address a;

	if (c->fs->info.vmfs6 || hb->state != VK_HB_IN_USE)
		return;
	vk_address_decode(hb->journalAddr, &c->fs->info.addresses, &a);
	if (a.kind == VK_ADDRESS_FILE_BLOCK && a.block < blocks->count)
		vk_set_bit(blocks->used, a.block);
}

static void say_slot(struct vk_checking *c, uint64_t at, const char *what, uint64_t seen, uint64_t expected)
{
	vk_fs_say(c->fs, &c->named, c->fd, VK_F_HEARTBEAT_STATE, at, SLOT_BYTES, vk_phrase("0x%" PRIx64, seen).text,
		  vk_phrase("0x%" PRIx64, expected).text, "heartbeat: %s", what);
}

enum vk_status vk_check_journal(struct vk_fs *fs, const struct vk_heartbeat *hb, uint64_t *ret_volume_offset,
				uint64_t *ret_length)
{
	struct vk_address a;

	if (hb->state != VK_HB_IN_USE || hb->journalAddr == 0)
		return VK_ABSENT;
	vk_address_decode(hb->journalAddr, &fs->info.addresses, &a);
	*ret_length = fs->info.file_block_bytes;
	*ret_volume_offset = vk_mul_sat(a.block, fs->info.file_block_bytes);
	if (a.kind == VK_ADDRESS_FILE_BLOCK)
		return VK_OK;
	*ret_length = fs->info.system[VK_SYSTEM_JBC].resource.resourceSize;
	return a.kind == VK_ADDRESS_JOURNAL
		       ? vk_fs_resource(fs, VK_SYSTEM_JBC, a.cluster, a.resource, ret_volume_offset)
		       : VK_ABSENT;
}

/* Where the journal lies is said twice. What a free slot says of its last host stays, but not the owner. */
static void check_slot(struct vk_checking *c, const struct vk_heartbeat *hb, uint64_t at)
{
	static const struct vk_vmfs_uuid nil = {{0}};
	uint64_t journal = 0, length;

	if (hb->state == VK_HB_FREE) {
		if (!vk_vmfs_uuid_equal(&hb->owner, &nil))
			say_slot(c, at, "a free slot has an owner", hb->owner.b[0], 0);
		if (hb->journalAddr != 0 || hb->journalVolAddr != 0)
			say_slot(c, at, "a free slot has a journal", hb->journalVolAddr, 0);
	}
	/* whether VMFS3 says the second was not seen */
	if (hb->state != VK_HB_IN_USE || hb->journalAddr == 0 ||
	    (hb->journalVolAddr == 0 && c->fs->info.descriptor.majorVersion == VK_FS_VMFS3))
		return;
	if (vk_check_journal(c->fs, hb, &journal, &length) == VK_ABSENT)
		return;
	if (journal != hb->journalVolAddr)
		say_slot(c, at, "journalVolAddr is not the place of journalAddr", hb->journalVolAddr, journal);
}

void vk_check_heartbeats(struct vk_checking *c)
{
	const struct vk_finding_sink sink = {pass_but_in_use, c};
	struct vk_fs_geometry g;

	c->phase = VK_FS_CHECK_HEARTBEATS;
	vk_fs_geometry(&c->fs->info.descriptor, VK_FS_DESCRIPTOR_BYTES, &g);
	for (uint32_t i = 0; i < g.heartbeat_slots && c->status == VK_OK; i++) {
		uint64_t at = g.heartbeat_offset + (uint64_t)i * g.heartbeat_slot_bytes, source, rest;
		uint8_t raw[SLOT_BYTES];
		struct vk_heartbeat hb;
		size_t extent, got = 0;

		c->status = vk_fs_get(c->fs, at, raw, sizeof(raw), &got, c->err);
		if (c->status != VK_OK)
			return;
		if (got < sizeof(raw) || !vk_fs_place(c->fs, at, &extent, &source, &rest)) {
			c->result.phases[c->phase].unknown++;
			c->journals_unknown = true;
			continue;
		}
		c->result.phases[c->phase].checked++;
		vk_heartbeat_decode(raw, sizeof(raw), &hb);
		vk_heartbeat_check(&hb, sizeof(raw), at, source, &sink);
		count_journal(c, &hb);
		check_slot(c, &hb, at);
	}
}

/* The heartbeat slot at a volume offset. False: there is none, or it is not in the source. */
static bool read_slot(struct vk_checking *c, uint64_t at, struct vk_heartbeat *ret_slot)
{
	uint8_t raw[SLOT_BYTES];
	size_t got = 0;

	if (vk_fs_get(c->fs, at, raw, sizeof(raw), &got, NULL) != VK_OK || got < sizeof(raw))
		return false;
	vk_heartbeat_decode(raw, sizeof(raw), ret_slot);
	return true;
}

static void say_lock(struct vk_checking *c, uint64_t at, const char *what, uint64_t seen)
{
	vk_fs_say(c->fs, &c->named, c->fd, VK_F_FILE_LOCK_FIELD, at, SLOT_BYTES, vk_phrase("0x%" PRIx64, seen).text,
		  NULL, "lock: %s", what);
}

/* What every lock says of its last holder. */
static void check_holder(struct vk_checking *c, const struct vk_lock *lock, uint64_t at)
{
	static const struct vk_vmfs_uuid nil = {{0}};
	bool owned = !vk_vmfs_uuid_equal(&lock->owner, &nil);
	struct vk_fs_geometry g;
	struct vk_heartbeat hb;

	vk_fs_geometry(&c->fs->info.descriptor, VK_FS_DESCRIPTOR_BYTES, &g);
	if (lock->hbAddr != 0 && (lock->hbAddr < g.heartbeat_offset || lock->hbAddr >= g.heartbeat_end ||
				  (lock->hbAddr - g.heartbeat_offset) % g.heartbeat_slot_bytes != 0))
		say_lock(c, at, "hbAddr is no place of a heartbeat", lock->hbAddr);
	/* the slot counts on, and keeps its number when it is free */
	else if (lock->hbAddr != 0 && read_slot(c, lock->hbAddr, &hb) && lock->hbGen > hb.hbGen)
		say_lock(c, at, "hbGen is later than that of the heartbeat", lock->hbGen);
	if (owned != (lock->mode == EXCLUSIVE))
		say_lock(c, at, "owner contradicts mode", lock->mode);
	if (lock->numHolders > VK_LOCK_HOLDERS)
		say_lock(c, at, "numHolders is too large", lock->numHolders);
	/* one more with each lock */
	if (lock->token >> 48 != 0)
		say_lock(c, at, "token is too large", lock->token);
}

void vk_check_lock(struct vk_checking *c, const struct vk_lock *lock, uint64_t volume_offset)
{
	enum vk_fs_check_phase before = c->phase;
	struct vk_heartbeat hb;

	c->phase = VK_FS_CHECK_HEARTBEATS;
	c->result.phases[c->phase].checked++;
	if (lock->mode > MULTI_WRITER)
		say_lock(c, volume_offset, "mode is none of 0 to 3", lock->mode);
	else
		check_holder(c, lock, volume_offset);
	if (lock->mode == EXCLUSIVE && read_slot(c, lock->hbAddr, &hb) &&
	    (hb.state != VK_HB_IN_USE || !vk_vmfs_uuid_equal(&hb.owner, &lock->owner)))
		vk_fs_say(c->fs, &c->named, c->fd, VK_F_FILE_LOCK, volume_offset, SLOT_BYTES, NULL, NULL,
			  "a lock is held by a host without a heartbeat");
	c->phase = before;
}
