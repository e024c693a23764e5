/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What heartbeats tell: whether a host is using a volume (the regions in which a slot is taken are watched), and
 * whether an array was put together in the wrong order.
 */
#include "base/bytes.h"
#include "base/checked.h"
#include "doctor/doctor.h"
#include "vmfskit/heartbeat.h"
#include "vol/heartbeat_watch.h"

/* What cannot be read the second time has not changed; the survey reports it. */
static void watch_regions(struct vk_doctor *doc, struct vk_heartbeat_watch *watch)
{
	struct vk_heartbeat_change change;
	struct vk_error ignored;
	struct vk_text text;
	char who[200];
	bool ticked;

	doc->status = vk_heartbeat_watch_begin(watch, doc->source.io, doc->err);
	if (doc->status != VK_OK)
		return;
	vk_heartbeat_watch_wait(doc->options->heartbeat_wait_ms);
	doc->d->watched = watch->left_out == 0;
	for (size_t i = 0; i < watch->count; i++) {
		const struct vk_heartbeat_region *r = &watch->items[i];
		struct vk_subject *subject = r->whose;

		if (vk_heartbeat_region_ticked(r, doc->source.io, &ticked, &change, &ignored) != VK_OK || !ticked)
			continue;
		text = vk_text_in(who, sizeof(who));
		vk_heartbeat_change_text(&change, &text);
		vk_doctor_report(doc, VK_F_INCIDENT_ALIVE, r->offset_bytes + (uint64_t)change.slot * r->slot_bytes,
				 r->slot_bytes, "heartbeat slot %u changed between two looks: %s", change.slot, who);
		doc->d->alive = true;
		subject->alive = true;
	}
}

bool vk_doctor_listen(struct vk_doctor *doc)
{
	struct vk_heartbeat_watch watch = {.count = 0};

	for (size_t i = 0; i < doc->subject_count; i++) {
		struct vk_subject *s = &doc->subjects[i];
		const struct vk_heartbeats *h = &doc->source.vmfs[s->vmfs].heartbeats;

		doc->d->in_use = doc->d->in_use || h->in_use_count > 0;
		if (h->in_use_count > 0 &&
		    vk_heartbeat_watch_add(&watch, vk_add_sat(s->start_bytes, h->offset_bytes),
					   vk_mul_sat(h->geometry.heartbeat_slots, h->geometry.heartbeat_slot_bytes),
					   h->geometry.heartbeat_slot_bytes))
			watch.items[watch.count - 1].whose = s;
	}
	if (doc->d->in_use && doc->options->heartbeat_wait_ms != 0)
		watch_regions(doc, &watch);
	vk_heartbeat_watch_end(&watch);
	return doc->status == VK_OK;
}

enum { PIECES_LEAST = 4, SLOTS_LEAST = 64, STRIPE_LEAST = 4096, PIECES_MAX = 512 };

/* Neighbouring slots with one displacement are a piece. */
struct pieces {
	size_t count, displaced;
	uint64_t first, last;     /* slot on the disk */
	int64_t here, first_away; /* displacement of the piece that is read, and of the first one that has any */
	uint64_t slots;           /* that are displaced */
	uint64_t bits;            /* of all displacements and of all borders */
	bool forth, back;
};

static void add_slot(struct pieces *p, uint64_t at, int64_t displaced)
{
	if (p->count == 0 || displaced != p->here) {
		if (p->count == PIECES_MAX)
			return;
		p->bits |= (uint64_t)displaced | (p->count > 0 ? at : 0);
		p->first = p->count > 0 ? p->first : at;
		p->first_away = p->displaced == 0 ? displaced : p->first_away;
		p->displaced += displaced != 0;
		p->count++;
		p->here = displaced;
	}
	p->last = at;
	p->slots += displaced != 0;
	p->forth = p->forth || displaced > 0;
	p->back = p->back || displaced < 0;
}

/*
 * Heartbeats that carry their own place lie displaced, in pieces of one power of two, now this way and now that. Said
 * only when many pieces agree.
 */
void vk_doctor_look_for_stripes(struct vk_doctor *doc, const struct vk_subject *s)
{
	const struct vk_vmfs *v = &doc->source.vmfs[s->vmfs];
	const uint64_t window_bytes = 8ULL << 20, region = vk_add_sat(s->start_bytes, v->heartbeats.offset_bytes);
	uint64_t from = region > window_bytes ? region - window_bytes : 0, base, stripe;
	uint64_t to = vk_min_u64(doc->source.size_bytes, vk_add_sat(region, 2 * window_bytes));
	uint8_t piece[VK_CHUNK_BYTES];
	struct pieces p = {.count = 0};
	struct vk_finding *f;

	if (!v->fs_expected || region < v->heartbeats.geometry.heartbeat_offset)
		return;
	base = region - v->heartbeats.geometry.heartbeat_offset;
	for (uint64_t at = from - from % VK_UNIT_BYTES; at < to; at += sizeof(piece)) {
		size_t got = vk_doctor_read(doc, at, piece, (size_t)vk_min_u64(sizeof(piece), to - at));

		for (size_t i = 0; i + VK_UNIT_BYTES <= got; i += VK_UNIT_BYTES) {
			uint32_t state = vk_get_le32(piece + i);
			uint64_t addr = vk_get_le64(piece + i + 4);

			if ((state == VK_HB_FREE || state == VK_HB_IN_USE) && addr % VK_UNIT_BYTES == 0 &&
			    addr >= VK_HEARTBEATS_OFFSET && addr < 0x1000000)
				add_slot(&p, at + i, (int64_t)(at + i - base - addr));
		}
	}
	/* the power of two that all displacements and all borders share */
	stripe = p.bits & (~p.bits + 1);
	if (!p.forth || !p.back || stripe < STRIPE_LEAST || p.displaced < PIECES_LEAST || p.slots < SLOTS_LEAST)
		return;
	f = vk_doctor_report(doc, VK_F_INCIDENT_STRIPES, p.first, vk_min_u64(to, p.last + VK_UNIT_BYTES) - p.first,
			     "heartbeats are displaced in %zu pieces, each by a multiple of %llu bytes, forwards and "
			     "backwards", p.displaced, (unsigned long long)stripe);
	vk_finding_seen(f, "the first piece lies %lld bytes from its place", (long long)p.first_away);
	vk_finding_expected(f, "each slot at the offset that it carries");
}
