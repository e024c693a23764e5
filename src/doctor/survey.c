/* SPDX-License-Identifier: Apache-2.0 */
/* Goes through every unit of every area: what it is by itself, and whether it is what the capture holds. */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "base/memory.h"
#include "doctor/doctor.h"

bool vk_stretch_add(struct vk_doctor *doc, const struct vk_stretch *stretch)
{
	struct vk_stretch *last = doc->stretch_count > 0 ? &doc->stretches[doc->stretch_count - 1] : NULL;

	if (last != NULL && last->area == stretch->area && last->damage == stretch->damage &&
	    last->intruder == stretch->intruder && last->offset_bytes + last->length_bytes == stretch->offset_bytes) {
		last->length_bytes += stretch->length_bytes;
		return true;
	}
	if (vk_append(&doc->stretches, &doc->stretch_count, stretch, sizeof(*stretch)) == NULL)
		return vk_doctor_fail(doc, VK_NOMEM, "no memory for the verdicts");
	return true;
}

/* The capture has the last word, but for what hosts and administrators write themselves. */
static enum vk_damage compare(const struct vk_area *a, enum vk_damage own, const uint8_t *now, const uint8_t *was)
{
	if (memcmp(now, was, VK_UNIT_BYTES) == 0)
		return VK_DAMAGE_INTACT;
	if (vk_damage_is_harm(own))
		return own;
	if (a->may_change && (own == VK_DAMAGE_CONSISTENT || own == VK_DAMAGE_INTACT))
		return VK_DAMAGE_CHANGED;
	return vk_all_zero(now, VK_UNIT_BYTES) ? VK_DAMAGE_ZERO : VK_DAMAGE_DAMAGED;
}

struct chunk {
	size_t area;
	uint64_t offset;
	size_t len;
	size_t held;      /* of the disk, without a gap */
	size_t captured;  /* of the capture */
	uint8_t now[VK_CHUNK_BYTES];
	uint8_t was[VK_CHUNK_BYTES];
};

/* How far the capture's answer reaches: bytes that it holds, or bytes that it does not hold. */
static void read_captured(struct vk_doctor *doc, struct chunk *c)
{
	struct vk_span span;
	struct vk_error ignored;

	c->captured = 0;
	if (!doc->known.found)
		return;
	span = vk_io_span(doc->known.io, c->offset);
	if (span.length_bytes > 0 && span.length_bytes < c->len)
		c->len = (size_t)vk_round_up_sat(span.length_bytes, VK_UNIT_BYTES);
	if (span.state == VK_SPAN_ZERO || span.state == VK_SPAN_DATA)
		if (vk_io_read(doc->known.io, c->offset, c->was, c->len, &c->captured, &ignored) != VK_OK)
			c->captured = 0;
}

/* The unit at which reading stopped. Where the source ends there is nothing to say. */
static bool say_missing(struct vk_doctor *doc, struct chunk *c)
{
	struct vk_span span = vk_io_span(doc->source.io, c->offset + c->held);
	struct vk_stretch s = {.area = c->area, .offset_bytes = c->offset + c->held - c->held % VK_UNIT_BYTES};
	uint64_t most = c->len - (s.offset_bytes - c->offset);

	s.length_bytes = vk_min_u64(vk_round_up_sat(vk_max_u64(span.length_bytes, 1), VK_UNIT_BYTES), most);
	/* a unit that could not be read may be the only one */
	if (span.state == VK_SPAN_DATA || span.state == VK_SPAN_ZERO)
		s.length_bytes = vk_min_u64(VK_UNIT_BYTES, most);
	s.damage = span.state == VK_SPAN_ABSENT || span.state == VK_SPAN_END ? VK_DAMAGE_UNKNOWN
									    : VK_DAMAGE_UNREADABLE;
	c->len = (size_t)(s.offset_bytes - c->offset + s.length_bytes);
	return vk_stretch_add(doc, &s);
}

static bool survey_area(struct vk_doctor *doc, struct chunk *c)
{
	const struct vk_area *a = &doc->areas[c->area];
	uint64_t end = a->offset_bytes + a->length_bytes;

	for (c->offset = a->offset_bytes; c->offset < end; c->offset += c->len) {
		c->len = (size_t)vk_min_u64(end - c->offset, VK_CHUNK_BYTES);
		read_captured(doc, c);
		doc->status = vk_io_read(doc->source.io, c->offset, c->now, c->len, &c->held, doc->err);
		for (size_t at = 0; doc->status == VK_OK && at + VK_UNIT_BYTES <= c->held; at += VK_UNIT_BYTES) {
			struct vk_stretch s = {.offset_bytes = c->offset + at,
					       .length_bytes = VK_UNIT_BYTES,
					       .area = c->area,
					       .damage = vk_judge_unit(doc, a, c->offset + at, c->now + at)};

			if (at + VK_UNIT_BYTES <= c->captured)
				s.damage = compare(a, s.damage, c->now + at, c->was + at);
			vk_stretch_add(doc, &s);
		}
		if (doc->status != VK_OK)
			return false;
		if (c->held < c->len && !say_missing(doc, c))
			return false;
	}
	return true;
}

/*
 * That the first locks are zeros means nothing on a volume whose file system is not there, as on a fragment or a
 * practice disk; where others are at their places, these were, too.
 */
static void doubt_zero_locks(struct vk_doctor *doc, size_t subject)
{
	const struct vk_candidate *c = doc->subjects[subject].candidate;
	bool any = c != NULL && c->vote.locks[1] > 0;

	for (int pass = 0; pass < 2; pass++)
		for (size_t i = 0; i < doc->stretch_count && !any; i++) {
			const struct vk_area *a = &doc->areas[doc->stretches[i].area];
			enum vk_damage *damage = &doc->stretches[i].damage;

			if (a->kind != VK_AREA_LOCKS || a->subject != subject)
				continue;
			any = pass == 0 && *damage == VK_DAMAGE_CONSISTENT;
			if (pass == 1 && *damage == VK_DAMAGE_ZERO)
				*damage = VK_DAMAGE_UNKNOWN;
		}
}

bool vk_doctor_survey(struct vk_doctor *doc)
{
	struct chunk *c = malloc(sizeof(*c));

	if (c == NULL)
		return vk_doctor_fail(doc, VK_NOMEM, "no memory for the survey");
	for (c->area = 0; c->area < doc->area_count; c->area++)
		if (!survey_area(doc, c))
			break;
	free(c);
	for (size_t i = 0; i < doc->subject_count && doc->status == VK_OK; i++)
		doubt_zero_locks(doc, i);
	return doc->status == VK_OK;
}
