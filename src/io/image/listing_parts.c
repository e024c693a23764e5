/* SPDX-License-Identifier: Apache-2.0 */
/* Sections shared out to sources. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/memory.h"
#include "io/image/listing_parts.h"

static uint64_t end_of(const void *part)
{
	const struct vk_listing_part *p = part;

	return p->offset + p->length;
}

/* The first part of the source that ends behind offset. */
static size_t find_part(const struct vk_listing_source *source, uint64_t offset)
{
	return vk_first_not_below(source->parts, source->count, sizeof(*source->parts), offset + 1, end_of);
}

/* The first byte of a range in which two parts differ; its length when they do not. */
static uint64_t first_difference(const uint8_t *store, const struct vk_listing_part *a, const struct vk_listing_part *b,
				 uint64_t from, uint64_t length)
{
	if (a->zeros && b->zeros)
		return length;
	for (uint64_t i = 0; i < length; i++) {
		uint8_t x = a->zeros ? 0 : store[a->at + (size_t)(from + i - a->offset)];
		uint8_t y = b->zeros ? 0 : store[b->at + (size_t)(from + i - b->offset)];

		if (x != y)
			return i;
	}
	return length;
}

/* Whether a section says other bytes than the source has; ret_at: where. */
static bool collides(const struct vk_listing_sections *s, const struct vk_listing_section *section,
		     const struct vk_listing_source *source, uint64_t *ret_at)
{
	for (size_t i = 0; i < section->part_count; i++) {
		const struct vk_listing_part *p = &s->parts[section->first_part + i];

		for (size_t k = find_part(source, p->offset);
		     k < source->count && source->parts[k].offset < end_of(p); k++) {
			const struct vk_listing_part *q = &source->parts[k];
			uint64_t from = vk_max_u64(p->offset, q->offset);
			uint64_t length = vk_min_u64(end_of(p), end_of(q)) - from;
			uint64_t same = first_difference(s->store, p, q, from, length);

			if (same < length) {
				*ret_at = from + same;
				return true;
			}
		}
	}
	return false;
}

static bool add_part(struct vk_listing_source *out, const struct vk_listing_part *p, uint64_t from, uint64_t to)
{
	struct vk_listing_part piece = *p;

	if (from >= to)
		return true;
	piece.at += p->zeros ? 0 : (size_t)(from - p->offset);
	piece.offset = from;
	piece.length = to - from;
	return vk_append(&out->parts, &out->count, &piece, sizeof(piece)) != NULL;
}

/* Both lists in order; where both have bytes, which are then the same, those of the source stay. */
static bool merge(const struct vk_listing_sections *s, const struct vk_listing_section *section,
		  struct vk_listing_source *source)
{
	struct vk_listing_source out = {.count = 0};
	uint64_t covered = 0; /* up to where parts of the source went out */
	size_t k = 0;
	bool ok = true;

	/* the usual listing goes on behind all that is known */
	if (section->part_count > 0 &&
	    (source->count == 0 || end_of(&source->parts[source->count - 1]) <= s->parts[section->first_part].offset)) {
		for (size_t i = 0; i < section->part_count && ok; i++)
			ok = vk_append(&source->parts, &source->count, &s->parts[section->first_part + i],
				       sizeof(*source->parts)) != NULL;
		return ok;
	}
	for (size_t i = 0; i < section->part_count && ok; i++) {
		const struct vk_listing_part *p = &s->parts[section->first_part + i];
		uint64_t at = vk_max_u64(p->offset, covered);

		for (; k < source->count && source->parts[k].offset < end_of(p) && ok; k++) {
			const struct vk_listing_part *q = &source->parts[k];

			ok = add_part(&out, p, at, vk_min_u64(q->offset, end_of(p)));
			ok = ok && add_part(&out, q, q->offset, end_of(q));
			covered = end_of(q);
			at = vk_max_u64(at, covered);
		}
		ok = ok && add_part(&out, p, at, end_of(p));
	}
	for (; k < source->count && ok; k++)
		ok = add_part(&out, &source->parts[k], source->parts[k].offset, end_of(&source->parts[k]));
	if (!ok) {
		free(out.parts);
		return false;
	}
	free(source->parts);
	source->parts = out.parts;
	source->count = out.count;
	return true;
}

static void begin_source(const struct vk_listing_section *section, const char *device, bool again,
			 struct vk_listing_source *source)
{

	memset(source, 0, sizeof(*source));
	source->line = section->line;
	snprintf(source->device, sizeof(source->device), "%s", device);
	if (device[0] != '\0' && !again)
		snprintf(source->name, sizeof(source->name), "%s", device);
	else
		snprintf(source->name, sizeof(source->name), "%s%sline-%llu", device, device[0] != '\0' ? "@" : "",
			 (unsigned long long)section->line);
}

static void note_collision(const struct vk_listing_section *section, const struct vk_listing_source *with, uint64_t at,
			   struct vk_findings *notes)
{
	VK_FINDINGS_SAY(notes, VK_F_SOURCE_LISTING_COLLIDES, section->text_offset, 0, NULL, NULL,
			"the listings from line %llu and from line %llu on differ at byte %llu: they are kept apart",
			(unsigned long long)with->line, (unsigned long long)section->line, (unsigned long long)at);
}

bool vk_listing_share_out(const struct vk_listing_sections *s, struct vk_listing_source *ret_sources,
			  size_t *ret_count, struct vk_findings *notes)
{
	size_t current = 0, count = 0;

	*ret_count = 0;
	for (size_t i = 0; i < s->count; i++) {
		const struct vk_listing_section *section = &s->list[i];
		const char *device = section->device[0] != '\0' || count == 0 ? section->device
									      : ret_sources[current].device;
		const struct vk_listing_source *met = NULL;
		size_t home = SIZE_MAX;
		uint64_t at = 0;

		if (section->ambiguous || section->part_count == 0)
			continue;
		/* the one before first: what is not named follows it */
		for (size_t k = 0; k < count && home == SIZE_MAX; k++) {
			size_t candidate = (current + k) % count;

			if (strcmp(ret_sources[candidate].device, device) != 0)
				continue;
			if (!collides(s, section, &ret_sources[candidate], &at))
				home = candidate;
			else if (met == NULL)
				met = &ret_sources[candidate];
		}
		if (home == SIZE_MAX && met != NULL)
			note_collision(section, met, at, notes);
		if (home == SIZE_MAX && count == VK_LISTING_SOURCES_MAX) {
			VK_FINDINGS_SAY(notes, VK_F_SOURCE_LISTING_UNUSED, section->text_offset, 0, NULL, NULL,
					"listings of more than %d disks; those from line %llu on are not used",
					VK_LISTING_SOURCES_MAX, (unsigned long long)section->line);
			break;
		}
		if (home == SIZE_MAX) {
			home = count++;
			begin_source(section, device, met != NULL, &ret_sources[home]);
			*ret_count = count;
		}
		current = home;
		if (!merge(s, section, &ret_sources[home]))
			return false;
	}
	return true;
}
