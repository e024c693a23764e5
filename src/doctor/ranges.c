/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The verdicts and what they are called; those of all units as a bounded list of ranges, the first and last byte of
 * the harm.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "doctor/doctor.h"

static const struct {
	const char *name;
	char sign;
	unsigned rank; /* what is worse is drawn */
	const char *meaning;
} verdicts[VK_DAMAGE_COUNT] = {
	[VK_DAMAGE_UNKNOWN] = {"unknown", '?', 3, "nothing here can be judged"},
	[VK_DAMAGE_INTACT] = {"intact", '=', 0, "proved by a checksum or a capture"},
	[VK_DAMAGE_CONSISTENT] = {"consistent", '.', 1, "plausible, not every byte can be verified"},
	[VK_DAMAGE_CHANGED] = {"changed", '~', 2, "differs from the capture, as hosts and administrators write"},
	[VK_DAMAGE_DAMAGED] = {"damaged", '#', 6, "there and wrong"},
	[VK_DAMAGE_ZERO] = {"zero", '0', 5, "zeros where something must be"},
	[VK_DAMAGE_FOREIGN] = {"foreign", 'X', 7, "another system's bytes"},
	[VK_DAMAGE_UNREADABLE] = {"unreadable", '!', 4, "the disk does not deliver it"},
};

const char *vk_damage_name(enum vk_damage damage)
{
	return verdicts[damage].name;
}

const char *vk_damage_meaning(enum vk_damage damage)
{
	return verdicts[damage].meaning;
}

char vk_damage_sign(enum vk_damage damage)
{
	return verdicts[damage].sign;
}

unsigned vk_damage_rank(enum vk_damage damage)
{
	return verdicts[damage].rank;
}

enum { RANGES_MAX = 8192 };

/* Less between two damaged places is not worth two pieces. */
#define WIDE_GAP_BYTES ((uint64_t)1 << 20)

static bool is_meant(const struct vk_doctor *doc, const struct vk_filter *f, const struct vk_stretch *s)
{
	const struct vk_area *a = s->area != SIZE_MAX ? &doc->areas[s->area] : NULL;

	if (f == NULL)
		return true;
	if (f->foreign != NULL)
		return s->damage == VK_DAMAGE_FOREIGN && &doc->find.foreign.items[s->intruder] == f->foreign;
	return a != NULL && !(f->own && s->damage == VK_DAMAGE_FOREIGN) &&
	       !(f->kind == VK_AREAS_USED && a->kind == VK_AREA_EMPTY) &&
	       (f->parts == 0 || (a->part & f->parts) != 0) && (f->subject == SIZE_MAX || a->subject == f->subject) &&
	       (f->layout == NULL || a->layout == f->layout) && (f->but == NULL || a->layout != f->but) &&
	       (f->kind < 0 || (int)a->kind == f->kind);
}

bool vk_doctor_harm(const struct vk_doctor *doc, const struct vk_filter *filter, struct vk_harm *ret_harm)
{
	struct vk_harm harm = {.wrong_bytes = 0};

	for (size_t i = 0; i < doc->stretch_count; i++) {
		const struct vk_stretch *s = &doc->stretches[i];

		if (!vk_damage_is_harm(s->damage) || !is_meant(doc, filter, s))
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

void vk_doctor_put_sectors(const struct vk_doctor *doc, const struct vk_harm *harm, struct vk_text *text)
{
	bool gap = harm->gap_to_bytes != 0;
	const uint64_t ends[2][2] = {
		{harm->first_bytes, gap ? harm->gap_from_bytes - 1 : harm->last_bytes},
		{harm->gap_to_bytes, harm->last_bytes},
	};

	vk_text_put(text, vk_doctor_sector(doc, harm->first_bytes) == vk_doctor_sector(doc, harm->last_bytes)
				  ? "sector " : "sectors ");
	for (int i = 0; i < (gap ? 2 : 1); i++) {
		unsigned long long first = vk_doctor_sector(doc, ends[i][0]), last = vk_doctor_sector(doc, ends[i][1]);

		vk_text_fmt(text, "%s%llu", i > 0 ? " and " : "", first);
		if (last != first)
			vk_text_fmt(text, "-%llu", last);
	}
}

/* Of a structure in more pieces than can be told one by one the rest is one piece, as bad as its worst. */
void vk_doctor_draw(struct vk_doctor *doc)
{
	struct vk_diagnosis *d = doc->d;
	struct vk_harm harm;

	d->ranges = calloc(vk_min_u64(doc->stretch_count, RANGES_MAX) + 1, sizeof(*d->ranges));
	if (d->ranges == NULL) {
		vk_doctor_fail(doc, VK_NOMEM, "no memory for the damage map");
		return;
	}
	for (size_t i = 0; i < doc->stretch_count; i++) {
		const struct vk_stretch *s = &doc->stretches[i];
		const struct vk_area *a = s->area != SIZE_MAX ? &doc->areas[s->area] : NULL;
		struct vk_damage_range *r = &d->ranges[d->range_count];

		if (d->range_count >= RANGES_MAX / 2 && a != NULL && strcmp(r[-1].what, a->what) == 0) {
			if (vk_damage_rank(s->damage) > vk_damage_rank(r[-1].damage))
				r[-1].damage = s->damage;
			r[-1].length_bytes = s->offset_bytes + s->length_bytes - r[-1].offset_bytes;
			continue;
		}
		if (d->range_count == RANGES_MAX)
			break;
		d->range_count++;
		r->offset_bytes = s->offset_bytes;
		r->length_bytes = s->length_bytes;
		r->damage = s->damage;
		r->volume_start_bytes = UINT64_MAX;
		if (a == NULL)
			snprintf(r->what, sizeof(r->what), "%.50s: its superblock or a copy",
				 doc->find.foreign.items[s->intruder].type);
		else
			memcpy(r->what, a->what, sizeof(r->what));
		snprintf(r->symbol, sizeof(r->symbol), "%s", a != NULL ? a->symbol : "");
		if (a != NULL && a->subject != SIZE_MAX)
			r->volume_start_bytes = doc->subjects[a->subject].start_bytes;
	}
	d->damaged = vk_doctor_harm(doc, NULL, &harm);
	d->first_damaged_bytes = harm.first_bytes;
	d->last_damaged_bytes = harm.last_bytes;
}
