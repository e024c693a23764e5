/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The order of bytes in the groups of a listing. hexdump, od and xxd -e print words as their host has them in memory;
 * xxd, HxD and all others print bytes as they stand.
 */
#include <stdio.h>
#include <string.h>

#include "io/image/listing_parts.h"

enum { SECTOR_BYTES = 512, SIGNATURE_AT = 510 };

static bool has_words(const struct vk_listing_section *s)
{
	return s->style.unit == 2 || s->style.unit == 4 || s->style.unit == 8;
}

static uint8_t byte_of(const struct vk_listing_sections *s, const struct vk_listing_part *part, size_t unit, size_t i)
{
	return unit > 1 ? vk_listing_swapped(s->store + part->at, part->stored, unit, i) : s->store[part->at + i];
}

/* Structures that begin a sector, in one order; ret_name and ret_at tell of the first. */
static size_t count_magics(const struct vk_listing_sections *s, const struct vk_listing_section *section, size_t unit,
			   const char **ret_name, uint64_t *ret_at)
{
	size_t hits = 0;

	for (size_t i = 0; i < section->part_count; i++) {
		const struct vk_listing_part *p = &s->parts[section->first_part + i];
		uint64_t at = p->offset % SECTOR_BYTES == 0 ? 0 : SECTOR_BYTES - p->offset % SECTOR_BYTES;

		for (; !p->zeros && at + 4 <= p->length; at += SECTOR_BYTES) {
			uint8_t head[8] = {0};
			const char *name;

			for (size_t k = 0; k < 8 && at + k < p->length; k++)
				head[k] = byte_of(s, p, unit, (size_t)at + k);
			name = vk_listing_magic(head);
			if (name == NULL && at + SECTOR_BYTES <= p->length &&
			    byte_of(s, p, unit, (size_t)at + SIGNATURE_AT) == 0x55 &&
			    byte_of(s, p, unit, (size_t)at + SIGNATURE_AT + 1) == 0xAA)
				name = "a boot signature";
			if (name != NULL && hits++ == 0) {
				*ret_name = name;
				*ret_at = p->offset + at;
			}
		}
	}
	return hits;
}

static bool is_same_turned(const struct vk_listing_sections *s, const struct vk_listing_section *section)
{
	for (size_t i = 0; i < section->part_count; i++) {
		const struct vk_listing_part *p = &s->parts[section->first_part + i];

		for (size_t k = 0; !p->zeros && k < p->length; k++)
			if (byte_of(s, p, section->style.unit, k) != byte_of(s, p, 1, k))
				return false;
	}
	return true;
}

static const char *by_magic(const struct vk_listing_sections *s, struct vk_listing_section *section, char *buf,
			    size_t size)
{
	const char *name = NULL;
	uint64_t at = 0;
	size_t printed = count_magics(s, section, 1, &name, &at);
	size_t swapped = count_magics(s, section, section->style.unit, &name, &at);

	if ((printed > 0) == (swapped > 0))
		return NULL;
	section->order = swapped > 0 ? VK_ORDER_SWAPPED : VK_ORDER_PRINTED;
	snprintf(buf, size, "so %s stands at byte %llu", name, (unsigned long long)at);
	return buf;
}

/* What the section itself tells; NULL: nothing. */
static const char *settle_one(const struct vk_listing_sections *s, struct vk_listing_section *section, char *buf,
			      size_t size)
{
	const char *why;

	section->order = VK_ORDER_PRINTED;
	if (!has_words(section) || is_same_turned(s, section))
		return "";
	if ((section->as_printed > 0) != (section->swapped > 0)) {
		section->order = section->swapped > 0 ? VK_ORDER_SWAPPED : VK_ORDER_PRINTED;
		return section->swapped > 0 || section->style.base != 16 ? "so the text column has it" : "";
	}
	section->order = VK_ORDER_OPEN;
	if (section->as_printed > 0)
		return NULL;
	why = by_magic(s, section, buf, size);
	if (why != NULL)
		return why;
	if (section->hints.xxd) {
		section->order = section->hints.swapped ? VK_ORDER_SWAPPED : VK_ORDER_PRINTED;
		return "so the command prints it";
	}
	if (section->hints.little && !section->colon && (section->seven || section->hints.hexdump)) {
		section->order = VK_ORDER_SWAPPED;
		return "so the host that the text names has words in memory";
	}
	return NULL;
}

/* Another listing of the same form in this text: from the same program. */
static bool settle_like(const struct vk_listing_sections *s, struct vk_listing_section *section)
{
	for (size_t i = 0; i < s->count; i++) {
		const struct vk_listing_section *other = &s->list[i];

		if (other == section || other->order == VK_ORDER_OPEN || other->style.unit != section->style.unit ||
		    other->style.base != section->style.base || other->colon != section->colon ||
		    other->seven != section->seven || other->ambiguous ||
		    (other->order == VK_ORDER_PRINTED && is_same_turned(s, other)))
			continue;
		section->order = other->order;
		return true;
	}
	return false;
}

static void turn_groups(const struct vk_listing_sections *s, const struct vk_listing_section *section)
{
	const size_t unit = section->style.unit;

	if (unit > 8) /* of longer ones no host turns the bytes round */
		return;
	for (size_t i = 0; i < section->part_count; i++) {
		const struct vk_listing_part *p = &s->parts[section->first_part + i];

		for (size_t at = 0; !p->zeros && at < p->stored; at += unit) {
			size_t n = p->stored - at < unit ? p->stored - at : unit;
			uint8_t turned[8] = {0};

			for (size_t k = 0; k < n; k++)
				turned[k] = s->store[p->at + at + n - 1 - k];
			memcpy(s->store + p->at + at, turned, n);
		}
	}
}

static void note_style(const struct vk_listing_section *s, const char *why, struct vk_findings *notes)
{
	static const char *const radices[] = {[0] = "no", [8] = "octal", [10] = "decimal", [16] = "hexadecimal"};
	const char *decided = s->why != NULL ? s->why : "";
	char order[160] = "";

	if (has_words(s) && why[0] != '\0')
		snprintf(order, sizeof(order), ", the %s digits of a group first, %s",
			 s->order == VK_ORDER_SWAPPED ? "last" : "first", why);
	if (s->style.radix == 16 && s->style.base == 16 && order[0] == '\0' && decided[0] == '\0')
		return;
	VK_FINDINGS_SAY(notes, VK_F_SOURCE_LISTING_READ, s->text_offset, 0, NULL, NULL,
			"the listing from line %llu on is read with %s offsets%s%s%s%s",
			(unsigned long long)s->line, radices[s->style.radix],
			s->style.radix == 0 ? ", from byte 0 on" : "", decided[0] != '\0' ? ", as " : "", decided,
			order);
}

static void refuse_order(struct vk_listing_section *s)
{
	s->ambiguous = true;
	for (int i = 0; i < 2; i++)
		snprintf(s->readings[i], sizeof(s->readings[i]), "groups of %u bytes, the %s digits first",
			 s->style.unit, i == 0 ? "first" : "last");
}

void vk_listing_settle_order(struct vk_listing_sections *s, struct vk_findings *notes)
{
	char buf[100];

	for (size_t i = 0; i < s->count; i++) {
		struct vk_listing_section *section = &s->list[i];
		const char *why;

		if (section->ambiguous)
			continue;
		why = settle_one(s, section, buf, sizeof(buf));
		if (why != NULL)
			note_style(section, why, notes);
	}
	for (size_t i = 0; i < s->count; i++) {
		struct vk_listing_section *section = &s->list[i];

		if (section->ambiguous || section->order != VK_ORDER_OPEN)
			continue;
		if (settle_like(s, section))
			note_style(section, "as in another listing of this text", notes);
		else
			refuse_order(section);
	}
	for (size_t i = 0; i < s->count; i++)
		if (!s->list[i].ambiguous && s->list[i].order == VK_ORDER_SWAPPED)
			turn_groups(s, &s->list[i]);
}
