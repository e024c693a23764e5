/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Heartbeat slots that are neither free nor in use, or lie about their place: the field that is wrong is mended, and
 * what a slot still tells of its last user stays. One in use is never touched.
 */
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
	[SLOT_PLACE] = {VK_FIELD_COMPUTED, "addr is the place where it lies"},
	[SLOT_STATE] = {VK_FIELD_COMPUTED, "free, as most of the word says; no owner, no journal"},
	[SLOT_STATE_PLACE] = {VK_FIELD_COMPUTED, "free, as most of the word says; no owner, no journal; addr is the "
						 "place where it lies"},
	[SLOT_STATE_GUESS] = {VK_FIELD_FRESH, "free, for it has no owner and no journal; addr is the place where it "
					      "lies"},
	[SLOT_RELEASE] = {VK_FIELD_FRESH, "free, as the caller asked; owner and journal are cleared"},
	[SLOT_RESET] = {VK_FIELD_FRESH, "free, with its own address; hbGen, if there was one, begins anew"},
};

/* Neighbouring slots with which the same is done are told as one. */
struct region {
	struct vk_header_work *work;
	struct vk_fs_geometry geometry;
	uint64_t at;            /* of slot 0 in the window */
	bool asked;             /* slots that may be somebody's after all, too */
	uint32_t first, run;
	enum slot_deed deed;    /* of the run */
	uint32_t sound, foreign; /* slots with a known state at their place; others that are not zero */
	uint32_t changed, reset, astray, owned, unreadable, in_use;
	char count_text[64];
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

/* What is left of a damaged state is of a free slot: fewer bits apart, and few. */
static bool once_free(uint32_t state)
{
	int from_free = __builtin_popcount(state ^ VK_HB_FREE), from_in_use = __builtin_popcount(state ^ VK_HB_IN_USE);

	return from_free < from_in_use && from_free <= 8;
}

static enum slot_deed judge(struct region *r, const struct vk_heartbeat *hb, uint64_t volume_offset)
{
	bool placed = hb->addr == volume_offset;
	bool in_use = hb->state == VK_HB_IN_USE, free_one = hb->state == VK_HB_FREE;
	bool word = (hb->state & ~0xFFU) == (VK_HB_FREE & ~0xFFU);

	if (free_one)
		return placed ? SLOT_NONE : SLOT_PLACE;
	if (in_use) {
		r->in_use += placed;
		r->astray += !placed;
		return SLOT_NONE;
	}
	if (!placed && !word && !used_once(hb))
		return SLOT_RESET;
	if (!no_user(hb) || __builtin_popcount(hb->state ^ VK_HB_IN_USE) < __builtin_popcount(hb->state ^ VK_HB_FREE)) {
		r->owned += !r->asked;
		return r->asked ? SLOT_RELEASE : SLOT_NONE;
	}
	if (!once_free(hb->state))
		return SLOT_STATE_GUESS;
	return placed ? SLOT_STATE : SLOT_STATE_PLACE;
}

static void flush_run(struct region *r)
{
	uint64_t at = r->at + (uint64_t)r->first * r->geometry.heartbeat_slot_bytes;
	uint64_t len = (uint64_t)r->run * r->geometry.heartbeat_slot_bytes;

	if (r->run == 1)
		vk_work_range(r->work, &vk_heartbeat_layout, at, len, deeds[r->deed].origin,
			      "slot %u: %s", r->first, deeds[r->deed].what);
	else if (r->run > 1)
		vk_work_range(r->work, &vk_heartbeat_layout, at, len, deeds[r->deed].origin,
			      "slots %u to %u, each: %s", r->first, r->first + r->run - 1, deeds[r->deed].what);
	r->run = 0;
}

/* What somebody may still want to know of a slot whose contents go. */
static void tell_loss(struct region *r, uint32_t slot, const struct vk_heartbeat *hb)
{
	char owner[VK_VMFS_UUID_TEXT_BYTES];

	vk_vmfs_uuid_format(&hb->owner, owner);
	if (!no_user(hb))
		vk_work_lost(r->work, "Heartbeat slot %u names the owner %s and the journal at volume offset 0x%llx: "
				      "that is given up.",
			     slot, owner, (unsigned long long)hb->journalVolAddr);
}

static void change(struct region *r, uint8_t *raw, struct vk_heartbeat *hb, enum slot_deed deed, uint32_t slot,
		   uint64_t volume_offset)
{
	if (deed == SLOT_RESET) {
		*hb = (struct vk_heartbeat){0};
		memset(raw, 0, r->geometry.heartbeat_slot_bytes);
		r->reset++;
	}
	if (deed == SLOT_RELEASE) {
		tell_loss(r, slot, hb);
		hb->owner = (struct vk_vmfs_uuid){{0}};
		hb->journalAddr = 0;
		hb->journalVolAddr = 0;
	}
	if (deed != SLOT_PLACE)
		hb->state = VK_HB_FREE;
	hb->addr = volume_offset;
	vk_heartbeat_encode(hb, raw, r->geometry.heartbeat_slot_bytes);
	r->changed++;
	if (r->run > 0 && r->first + r->run == slot && r->deed == deed) {
		r->run++;
		return;
	}
	flush_run(r);
	r->first = slot;
	r->deed = deed;
	r->run = 1;
}

/* True when the slot was changed. */
static bool mend_slot(struct region *r, uint8_t *raw, uint32_t slot)
{
	uint32_t slot_bytes = r->geometry.heartbeat_slot_bytes;
	uint64_t volume_offset = r->geometry.heartbeat_offset + (uint64_t)slot * slot_bytes;
	struct vk_heartbeat hb;
	enum slot_deed deed;

	vk_heartbeat_decode(raw, slot_bytes, &hb);
	deed = judge(r, &hb, volume_offset);
	if (deed == SLOT_NONE)
		return false;
	change(r, raw, &hb, deed, slot, volume_offset);
	return true;
}

/*
 * Whether this is a heartbeat region at all, and the volume begins where it is said to: slots with a state that there
 * is, which name their own place, and others that are not just zero.
 */
static void count_slot(struct region *r, const uint8_t *raw, uint64_t volume_offset)
{
	struct vk_heartbeat hb;

	vk_heartbeat_decode(raw, r->geometry.heartbeat_slot_bytes, &hb);
	if ((hb.state == VK_HB_FREE || hb.state == VK_HB_IN_USE) && hb.addr == volume_offset)
		r->sound++;
	else if (!vk_all_zero(raw, r->geometry.heartbeat_slot_bytes))
		r->foreign++;
}

static void count_slots(struct region *r, uint8_t *piece)
{
	uint32_t slot_bytes = r->geometry.heartbeat_slot_bytes, per_piece = PIECE_BYTES / slot_bytes;

	for (uint32_t slot = 0; slot < r->geometry.heartbeat_slots; slot += per_piece) {
		uint32_t n = (uint32_t)vk_min_u64(per_piece, r->geometry.heartbeat_slots - slot);

		if (!vk_work_get(r->work, r->at + (uint64_t)slot * slot_bytes, piece, (size_t)n * slot_bytes))
			continue;
		for (uint32_t i = 0; i < n; i++)
			count_slot(r, piece + (size_t)i * slot_bytes,
				   r->geometry.heartbeat_offset + (uint64_t)(slot + i) * slot_bytes);
	}
}

/* Something else lies here, or slots of another size: resetting would overwrite it. */
static bool refuse(struct region *r)
{
	const struct vk_self_heartbeats *hb = &r->work->self.heartbeats;
	uint32_t slot_bytes = r->geometry.heartbeat_slot_bytes;
	bool other_size = hb->placed > hb->otherwise && hb->slot_bytes != slot_bytes &&
			  (slot_bytes == 512 || slot_bytes == 4096);

	if (!other_size && r->foreign <= r->sound)
		return false;
	if (other_size)
		vk_work_verdict(r->work, VK_HS_HEARTBEATS, VK_STRUCTURE_LOST,
				"by the descriptor a slot has %u bytes, by the heartbeats themselves %u", slot_bytes,
				hb->slot_bytes);
	else
		vk_work_verdict(r->work, VK_HS_HEARTBEATS, VK_STRUCTURE_LOST,
				"%u slots hold something that is no heartbeat of this place, %u are heartbeats",
				r->foreign, r->sound);
	vk_work_lost(r->work, "What lies in the heartbeat region does not look like one: nothing there is changed, for "
			      "it may be something else.");
	return true;
}

/* count slots from first on; where the piece cannot be read as a whole, one by one. */
static enum vk_status take_piece(struct region *r, uint32_t first, uint32_t count, uint8_t *piece,
				 struct vk_error *err)
{
	uint32_t slot_bytes = r->geometry.heartbeat_slot_bytes;
	uint64_t at = r->at + (uint64_t)first * slot_bytes;
	bool changed = false;

	if (!vk_work_get(r->work, at, piece, (size_t)count * slot_bytes)) {
		enum vk_status status = VK_OK;

		if (count == 1) {
			r->unreadable++;
			return VK_OK;
		}
		for (uint32_t i = 0; i < count && status == VK_OK; i++)
			status = take_piece(r, first + i, 1, piece, err);
		return status;
	}
	for (uint32_t i = 0; i < count; i++)
		changed |= mend_slot(r, piece + (size_t)i * slot_bytes, first + i);
	if (!changed)
		return VK_OK;
	return vk_work_put(r->work, at, piece, (size_t)count * slot_bytes, "heartbeat slots",
			   VK_HEADER_CLASS_FS, err);
}

/* Slot size by the descriptor; without it by the slots or files themselves. False when nothing tells. */
static bool settle_geometry(struct region *r)
{
	const struct vk_vmfs *v = &r->work->vmfs;
	const struct vk_self_report *self = &r->work->self;
	struct vk_fs_descriptor six = {.magic = VK_FS_MAGIC_VMFS, .majorVersion = 24,
				       .fileBlockSize = 1 << 20, .mdAlignment = 4096};

	r->geometry = v->heartbeats.geometry;
	r->at = v->heartbeats.offset_bytes;
	if (v->fs_usable)
		return true;
	if (self->fs_major == 0 && self->heartbeats.placed == 0)
		return false;
	if (self->fs_major >= 24 || self->heartbeats.slot_bytes == 4096)
		vk_fs_geometry(&six, VK_FS_DESCRIPTOR_BYTES, &r->geometry);
	else
		vk_fs_geometry(NULL, 0, &r->geometry);
	return true;
}

/* "3 heartbeat slots are": valid until the next call. */
static const char *counted(struct region *r, uint32_t n, const char *one, const char *more)
{
	struct vk_text text;

	vk_text_init(&text, r->count_text, sizeof(r->count_text));
	vk_text_fmt(&text, "%u %s", n, n == 1 ? one : more);
	return r->count_text;
}

static void report_slots(struct region *r)
{
	struct vk_header_work *work = r->work;

	if (r->astray > 0)
		vk_work_note(work, "%s marked as in use without carrying the right position of its own: left, for a "
				   "host might hold it.",
			     counted(r, r->astray, "heartbeat slot is", "heartbeat slots are"));
	if (r->owned > 0)
		vk_work_note(work, "%s an owner while the state is damaged: left, for a host might hold it. Ask for "
				   "the heartbeats by name to free it too.",
			     counted(r, r->owned, "heartbeat slot shows", "heartbeat slots show"));
	if (r->unreadable > 0)
		vk_work_note(work, "%s unreadable.", counted(r, r->unreadable, "heartbeat slot is",
							     "heartbeat slots are"));
	if (r->changed > 0)
		vk_work_verdict(work, VK_HS_HEARTBEATS,
				r->reset == r->geometry.heartbeat_slots ? VK_STRUCTURE_REBUILT
									: VK_STRUCTURE_MENDED,
				"%u of %u slots were neither free nor in use, or named another place; %u in use stay "
				"as they are",
				r->changed, r->geometry.heartbeat_slots, r->in_use);
	else if (r->unreadable == r->geometry.heartbeat_slots)
		vk_work_verdict(work, VK_HS_HEARTBEATS, VK_STRUCTURE_LOST,
				"the region is not there or cannot be read");
	else
		vk_work_verdict(work, VK_HS_HEARTBEATS, VK_STRUCTURE_CONSISTENT, "%s",
				r->astray + r->owned > 0 ? "no slot can be freed with a good conscience"
							 : "every slot is free or in use, at its own place");
}

enum vk_status vk_rebuild_heartbeats(struct vk_header_work *work, struct vk_error *err)
{
	struct region r = {.work = work};
	enum vk_status status = VK_OK;
	uint32_t per_piece;
	uint8_t *piece;

	if (!vk_work_wants(work, VK_HS_HEARTBEATS) || !work->vmfs.fs_expected) {
		vk_work_verdict(work, VK_HS_HEARTBEATS, VK_STRUCTURE_NONE, "%s",
				work->vmfs.fs_expected ? "not asked for"
						       : "they lie on the first extent of the volume, not on this one");
		return VK_OK;
	}
	if (!settle_geometry(&r)) {
		vk_work_verdict(work, VK_HS_HEARTBEATS, VK_STRUCTURE_LOST,
				"nothing tells the version of the file system, so the size of a slot is not known");
		return VK_OK;
	}
	r.asked = (work->options->structures & 1U << VK_HS_HEARTBEATS) != 0;
	piece = malloc(PIECE_BYTES);
	if (piece == NULL)
		return vk_no_memory(err, NULL);
	count_slots(&r, piece);
	if (refuse(&r)) {
		free(piece);
		return VK_OK;
	}
	per_piece = PIECE_BYTES / r.geometry.heartbeat_slot_bytes;
	for (uint32_t i = 0; i < r.geometry.heartbeat_slots && status == VK_OK; i += per_piece)
		status = take_piece(&r, i, (uint32_t)vk_min_u64(per_piece, r.geometry.heartbeat_slots - i),
				    piece, err);
	flush_run(&r);
	free(piece);
	if (status == VK_OK)
		report_slots(&r);
	return status;
}
