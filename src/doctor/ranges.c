/* SPDX-License-Identifier: Apache-2.0 */
/* The verdicts of all units as a bounded list of ranges; the first and last byte of the harm. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "doctor/doctor.h"

enum { RANGES_MAX = 8192 };

/* Less between two damaged places is not worth two pieces. */
#define WIDE_GAP_BYTES ((uint64_t)1 << 20)

bool vk_doctor_harm(const struct vk_doctor *doc,
		    bool (*take)(const struct vk_doctor *doc, const struct vk_stretch *s, const void *ctx), const void *ctx,
		    struct vk_harm *ret_harm)
{
	struct vk_harm harm = {.wrong_bytes = 0};

	for (size_t i = 0; i < doc->stretch_count; i++) {
		const struct vk_stretch *s = &doc->stretches[i];

		if (take != NULL && !take(doc, s, ctx))
			continue;
		harm.seen_bytes += s->length_bytes;
		if (!vk_damage_is_harm(s->damage))
			continue;
		if (harm.wrong_bytes == 0)
			harm.first_bytes = s->offset_bytes;
		else if (s->offset_bytes - (harm.last_bytes + 1) >
			 vk_max_u64(WIDE_GAP_BYTES, harm.gap_to_bytes - harm.gap_from_bytes)) {
			harm.gap_from_bytes = harm.last_bytes + 1;
			harm.gap_to_bytes = s->offset_bytes;
		}
		harm.last_bytes = s->offset_bytes + s->length_bytes - 1;
		harm.wrong_bytes += s->length_bytes;
		if (s->damage == VK_DAMAGE_ZERO)
			harm.zero_bytes += s->length_bytes;
	}
	*ret_harm = harm;
	return harm.wrong_bytes > 0;
}

static void put_piece(const struct vk_doctor *doc, uint64_t first_bytes, uint64_t last_bytes, struct vk_text *text)
{
	uint64_t first = first_bytes / doc->source.sector_size, last = last_bytes / doc->source.sector_size;

	vk_text_fmt(text, "%llu", (unsigned long long)first);
	if (last != first)
		vk_text_fmt(text, " to %llu", (unsigned long long)last);
}

void vk_doctor_put_sectors(const struct vk_doctor *doc, const struct vk_harm *harm, struct vk_text *text)
{
	uint32_t ss = doc->source.sector_size;

	vk_text_put(text, harm->first_bytes / ss == harm->last_bytes / ss ? "sector " : "sectors ");
	if (harm->gap_to_bytes == 0) {
		put_piece(doc, harm->first_bytes, harm->last_bytes, text);
		return;
	}
	put_piece(doc, harm->first_bytes, harm->gap_from_bytes - 1, text);
	vk_text_put(text, " and ");
	put_piece(doc, harm->gap_to_bytes, harm->last_bytes, text);
}

static void describe(const struct vk_doctor *doc, const struct vk_stretch *s, struct vk_damage_range *r)
{
	const struct vk_area *a = s->area != SIZE_MAX ? &doc->areas[s->area] : NULL;

	*r = (struct vk_damage_range){.offset_bytes = s->offset_bytes,
				      .length_bytes = s->length_bytes,
				      .damage = s->damage,
				      .volume_start_bytes = UINT64_MAX};
	if (a == NULL) {
		snprintf(r->what, sizeof(r->what), "%.50s: its superblock or a copy",
			 doc->find.foreign.items[s->intruder].type);
		return;
	}
	memcpy(r->what, a->what, sizeof(r->what));
	snprintf(r->symbol, sizeof(r->symbol), "%s", a->symbol);
	if (a->subject != SIZE_MAX)
		r->volume_start_bytes = doc->subjects[a->subject].start_bytes;
}

/* What is worse is drawn. */
static unsigned rank(enum vk_damage damage)
{
	static const unsigned ranks[VK_DAMAGE_COUNT] = {
		[VK_DAMAGE_INTACT] = 0,  [VK_DAMAGE_CONSISTENT] = 1, [VK_DAMAGE_CHANGED] = 2,
		[VK_DAMAGE_UNKNOWN] = 3, [VK_DAMAGE_UNREADABLE] = 4, [VK_DAMAGE_ZERO] = 5,
		[VK_DAMAGE_DAMAGED] = 6, [VK_DAMAGE_FOREIGN] = 7,
	};

	return ranks[damage];
}

/* Of a structure in more pieces than can be told one by one the rest is one piece, as bad as its worst. */
static bool absorb(const struct vk_doctor *doc, struct vk_damage_range *last, const struct vk_stretch *s)
{
	const struct vk_area *a = s->area != SIZE_MAX ? &doc->areas[s->area] : NULL;

	if (a == NULL || strcmp(last->what, a->what) != 0)
		return false;
	if (rank(s->damage) > rank(last->damage))
		last->damage = s->damage;
	last->length_bytes = s->offset_bytes + s->length_bytes - last->offset_bytes;
	return true;
}

bool vk_doctor_draw(struct vk_doctor *doc)
{
	struct vk_diagnosis *d = doc->d;
	struct vk_harm harm;

	d->ranges = calloc(vk_min_u64(doc->stretch_count, RANGES_MAX) + 1, sizeof(*d->ranges));
	if (d->ranges == NULL)
		return vk_doctor_fail(doc, VK_NOMEM, "no memory for the damage map");
	for (size_t i = 0; i < doc->stretch_count; i++) {
		const struct vk_stretch *s = &doc->stretches[i];

		if (d->range_count >= RANGES_MAX / 2 && absorb(doc, &d->ranges[d->range_count - 1], s))
			continue;
		if (d->range_count == RANGES_MAX)
			break;
		describe(doc, s, &d->ranges[d->range_count++]);
	}
	d->damaged = vk_doctor_harm(doc, NULL, NULL, &harm);
	if (d->damaged) {
		d->first_damaged_bytes = harm.first_bytes;
		d->last_damaged_bytes = harm.last_bytes;
	}
	return true;
}
