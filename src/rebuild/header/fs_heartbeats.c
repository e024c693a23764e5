/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Heartbeat slots that are neither free nor in use, or lie about their place: the field that is wrong is mended, and
 * what a slot still tells of its last user stays. One in use is never touched.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/bytes.h"
#include "base/checked.h"
#include "rebuild/header/header_work.h"

enum { PIECE_BYTES = 64 * 1024 };

/* What is done with a slot. */
enum slot_deed {
	SLOT_NONE,
	SLOT_PLACE,        /* its address */
	SLOT_STATE,        /* its state becomes free, as what is left of the word says */
	SLOT_STATE_PLACE,
	SLOT_STATE_GUESS,  /* the same without a word that says so */
	SLOT_RELEASE,      /* as when its host lets go of it: the caller asked for it */
	SLOT_RESET         /* all of it: nothing there is a heartbeat */
};
static const struct {
	enum vk_field_origin origin;
	const char *what; /* behind "slot 5: " */
} deeds[] = {
	[SLOT_NONE] = {VK_FIELD_CONSTANT, ""},
	[SLOT_PLACE] = {VK_FIELD_COMPUTED, "addr is its own position"},
	[SLOT_STATE] = {VK_FIELD_COMPUTED, "free, as most of the word says; no owner, no journal"},
	[SLOT_STATE_PLACE] = {VK_FIELD_COMPUTED, "free, as most of the word says; no owner, no journal; addr is its "
						 "own position"},
	[SLOT_STATE_GUESS] = {VK_FIELD_FRESH, "free, for it has no owner and no journal; addr is its own position"},
	[SLOT_RELEASE] = {VK_FIELD_FRESH, "free, as the caller asked; owner and journal are cleared"},
	[SLOT_RESET] = {VK_FIELD_FRESH, "free, with its own address; hbGen, if there was one, begins anew"},
};

/* Neighbouring slots with which the same is done are told as one. */
struct region {
	struct vk_header_work *work;
	struct vk_fs_geometry geometry;
	uint32_t slot_bytes, slots;
	uint64_t at;            /* of slot 0 in the window */
	bool asked;             /* slots that may be somebody's after all, too */
	uint32_t first, run;
	enum slot_deed deed;    /* of the run */
	uint32_t sound, foreign; /* slots with a known state at their place; others that are not zero */
	uint32_t changed, reset, astray, owned, unreadable, in_use;
};

static bool no_user(const struct vk_heartbeat *hb)
{
	return vk_vmfs_uuid_is_nil(&hb->owner) && hb->journalAddr == 0 && hb->journalVolAddr == 0;
}

/* Some host's generation, uptime and driver: this was a heartbeat, whatever its first bytes say. */
static bool used_once(const struct vk_heartbeat *hb)
{
	return hb->hbGen != 0 && hb->hbGen <= UINT32_MAX && hb->stamp != 0 && hb->driveX != 0 && hb->driveX <= 255;
}

/* How far a damaged state is from one of the two that there are, in bits. */
static int bits_from(const struct vk_heartbeat *hb, uint32_t state)
{
	return __builtin_popcount(hb->state ^ state);
}

static enum slot_deed judge(struct region *r, const struct vk_heartbeat *hb, uint64_t volume_offset)
{
	bool placed = hb->addr == volume_offset;
	bool word = (hb->state & ~0xFFU) == (VK_HB_FREE & ~0xFFU);
	int from_free = bits_from(hb, VK_HB_FREE), from_in_use = bits_from(hb, VK_HB_IN_USE);

	if (from_free == 0)
		return placed ? SLOT_NONE : SLOT_PLACE;
	if (from_in_use == 0) {
		r->in_use += placed;
		r->astray += !placed;
		return SLOT_NONE;
	}
	if (!placed && !word && !used_once(hb))
		return SLOT_RESET;
	if (!no_user(hb) || from_in_use < from_free) {
		r->owned += !r->asked;
		return r->asked ? SLOT_RELEASE : SLOT_NONE;
	}
	/* what is left of it is of a free slot: fewer bits apart, and few */
	if (from_free >= from_in_use || from_free > 8)
		return SLOT_STATE_GUESS;
	return placed ? SLOT_STATE : SLOT_STATE_PLACE;
}

static void flush_run(struct region *r)
{
	uint64_t at = r->at + (uint64_t)r->first * r->slot_bytes, len = (uint64_t)r->run * r->slot_bytes;
	enum vk_field_origin origin = deeds[r->deed].origin;

	if (r->run == 1)
		vk_work_range(r->work, &vk_heartbeat_layout, at, len, origin, "slot %u: %s", r->first,
			      deeds[r->deed].what);
	else if (r->run > 1)
		vk_work_range(r->work, &vk_heartbeat_layout, at, len, origin, "slots %u to %u, each: %s", r->first,
			      r->first + r->run - 1, deeds[r->deed].what);
	r->run = 0;
}

/* True when the slot was changed. */
static bool mend_slot(struct region *r, uint8_t *raw, uint32_t slot)
{
	uint64_t volume_offset = r->geometry.heartbeat_offset + (uint64_t)slot * r->slot_bytes;
	struct vk_heartbeat hb;
	enum slot_deed deed;

	vk_heartbeat_decode(raw, r->slot_bytes, &hb);
	deed = judge(r, &hb, volume_offset);
	if (deed == SLOT_NONE)
		return false;
	if (deed == SLOT_RESET) {
		hb = (struct vk_heartbeat){0};
		memset(raw, 0, r->slot_bytes);
		r->reset++;
	}
	if (deed == SLOT_RELEASE) {
		/* what somebody may still want to know of a slot whose contents go */
		if (!no_user(&hb))
			vk_work_lost(r->work,
				     "heartbeat slot %u names the owner %s and the journal at volume offset "
				     "0x%" PRIx64 ": both are dropped.",
				     slot, vk_vmfs_uuid_text(&hb.owner).text, hb.journalVolAddr);
		hb.owner = (struct vk_vmfs_uuid){{0}};
		hb.journalAddr = 0;
		hb.journalVolAddr = 0;
	}
	if (deed != SLOT_PLACE)
		hb.state = VK_HB_FREE;
	hb.addr = volume_offset;
	vk_heartbeat_encode(&hb, raw, r->slot_bytes);
	r->changed++;
	if (r->run == 0 || r->first + r->run != slot || r->deed != deed) {
		flush_run(r);
		r->first = slot;
		r->deed = deed;
	}
	r->run++;
	return true;
}

/*
 * Whether this is a heartbeat region at all, and the volume begins where it is said to: slots with a state that there
 * is, which name their own place, and others that are not just zero.
 */
static void count_slots(struct region *r, uint8_t *piece)
{
	uint32_t per_piece = PIECE_BYTES / r->slot_bytes;
	bool held = false;

	for (uint32_t slot = 0; slot < r->slots; slot++) {
		uint64_t at = (uint64_t)slot * r->slot_bytes, volume_offset = r->geometry.heartbeat_offset + at;
		uint8_t *raw = piece + (size_t)(slot % per_piece) * r->slot_bytes;
		struct vk_heartbeat hb;

		if (slot % per_piece == 0)
			held = vk_work_get(r->work, r->at + at, piece,
					   (size_t)vk_min_u64(per_piece, r->slots - slot) * r->slot_bytes);
		if (!held)
			continue;
		vk_heartbeat_decode(raw, r->slot_bytes, &hb);
		if ((hb.state == VK_HB_FREE || hb.state == VK_HB_IN_USE) && hb.addr == volume_offset)
			r->sound++;
		else
			r->foreign += !vk_all_zero(raw, r->slot_bytes);
	}
}

/* Something else lies here, or slots of another size: resetting would overwrite it. */
static bool refuse(struct region *r)
{
	const struct vk_self_heartbeats *hb = &r->work->self.heartbeats;
	bool other_size = hb->placed > hb->otherwise && hb->slot_bytes != r->slot_bytes &&
			  (r->slot_bytes == 512 || r->slot_bytes == 4096);

	if (!other_size && r->foreign <= r->sound)
		return false;
	if (other_size)
		vk_work_verdict(r->work, VK_HS_HEARTBEATS, VK_STRUCTURE_LOST,
				"a slot has %u bytes by the descriptor and %u by the heartbeats themselves",
				r->slot_bytes,
				hb->slot_bytes);
	else
		vk_work_verdict(r->work, VK_HS_HEARTBEATS, VK_STRUCTURE_LOST,
				"%u slots contain no heartbeat of this place, %u are heartbeats",
				r->foreign, r->sound);
	vk_work_lost(r->work, "the heartbeat region does not look like one: it is left unchanged, for it may be "
			      "something else.");
	return true;
}

/* count slots from first on; where the piece cannot be read as a whole, one by one. */
static enum vk_status take_piece(struct region *r, uint32_t first, uint32_t count, uint8_t *piece,
				 struct vk_error *err)
{
	uint64_t at = r->at + (uint64_t)first * r->slot_bytes;
	size_t len = (size_t)count * r->slot_bytes;
	enum vk_status status = VK_OK;
	bool changed = false;

	if (!vk_work_get(r->work, at, piece, len)) {
		r->unreadable += count == 1;
		for (uint32_t i = 0; count > 1 && i < count && status == VK_OK; i++)
			status = take_piece(r, first + i, 1, piece, err);
		return status;
	}
	for (uint32_t i = 0; i < count; i++)
		changed |= mend_slot(r, piece + (size_t)i * r->slot_bytes, first + i);
	if (changed)
		status = vk_work_put(r->work, at, piece, len, "heartbeat slots", VK_HEADER_CLASS_FS, err);
	return status;
}

static void report_slots(const struct region *r)
{
	struct vk_header_work *work = r->work;

	if (r->astray > 0)
		vk_work_note(work, "%u heartbeat slot%s marked as in use without carrying the right position of its "
				   "own: left, for a host might hold it.", r->astray, r->astray == 1 ? " is" : "s are");
	if (r->owned > 0)
		vk_work_note(work, "%u heartbeat slot%s an owner while the state is damaged: left, for a host might "
				   "hold it. Ask for the heartbeats by name to free it too.", r->owned,
			     r->owned == 1 ? " shows" : "s show");
	if (r->unreadable > 0)
		vk_work_note(work, "%u heartbeat slot%s unreadable.", r->unreadable,
			     r->unreadable == 1 ? " is" : "s are");
	if (r->changed > 0)
		vk_work_verdict(work, VK_HS_HEARTBEATS,
				r->reset == r->slots ? VK_STRUCTURE_REBUILT : VK_STRUCTURE_MENDED,
				"%u of %u slots were neither free nor in use, or named another place; %u in use stay "
				"as they are", r->changed, r->slots, r->in_use);
	else if (r->unreadable == r->slots)
		vk_work_verdict(work, VK_HS_HEARTBEATS, VK_STRUCTURE_LOST,
				"the region is not there or cannot be read");
	else
		vk_work_verdict(work, VK_HS_HEARTBEATS, VK_STRUCTURE_CONSISTENT, "%s",
				r->astray + r->owned > 0 ? "no slot can be freed safely"
							 : "every slot is free or in use, in its own place");
}

enum vk_status vk_rebuild_heartbeats(struct vk_header_work *work, struct vk_error *err)
{
	static const struct vk_fs_descriptor six = {.magic = VK_FS_MAGIC_VMFS, .majorVersion = VK_FS_VMFS6,
						    .fileBlockSize = 1 << 20, .mdAlignment = 4096};
	const struct vk_vmfs *v = &work->vmfs;
	const struct vk_self_report *self = &work->self;
	struct region r = {.work = work, .geometry = v->heartbeats.geometry, .at = v->heartbeats.offset_bytes};
	enum vk_status status = VK_OK;
	uint32_t per_piece;
	uint8_t *piece;

	if (!vk_work_wants(work, VK_HS_HEARTBEATS) || !v->fs_expected) {
		vk_work_verdict(work, VK_HS_HEARTBEATS, VK_STRUCTURE_NONE, "%s",
				v->fs_expected ? "not requested"
					       : "they lie on the first extent of the volume, not on this one");
		return VK_OK;
	}
	/* slot size by the descriptor; without it by the slots or files themselves */
	if (!v->fs_usable && self->fs_major == 0 && self->heartbeats.placed == 0) {
		vk_work_verdict(work, VK_HS_HEARTBEATS, VK_STRUCTURE_LOST,
				"the version of the file system is not known, nor therefore the size of a slot");
		return VK_OK;
	}
	if (!v->fs_usable && (self->fs_major >= VK_FS_VMFS6 || self->heartbeats.slot_bytes == 4096))
		vk_fs_geometry(&six, VK_FS_DESCRIPTOR_BYTES, &r.geometry);
	else if (!v->fs_usable)
		vk_fs_geometry(NULL, 0, &r.geometry);
	r.slot_bytes = r.geometry.heartbeat_slot_bytes;
	r.slots = r.geometry.heartbeat_slots;
	r.asked = (work->options->structures & 1U << VK_HS_HEARTBEATS) != 0;
	piece = malloc(PIECE_BYTES);
	if (piece == NULL)
		return vk_no_memory(err, NULL);
	count_slots(&r, piece);
	if (!refuse(&r)) {
		per_piece = PIECE_BYTES / r.slot_bytes;
		for (uint32_t i = 0; i < r.slots && status == VK_OK; i += per_piece)
			status = take_piece(&r, i, (uint32_t)vk_min_u64(per_piece, r.slots - i), piece, err);
		flush_run(&r);
		if (status == VK_OK)
			report_slots(&r);
	}
	free(piece);
	return status;
}
