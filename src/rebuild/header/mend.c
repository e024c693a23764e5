/* SPDX-License-Identifier: Apache-2.0 */
/* Fields of one structure with the origin of their values, and votes on numbers. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "rebuild/header/mend.h"
#include "vmfskit/lvm.h"

void vk_side_init(struct vk_side *side, const struct vk_layout *layout, const void *was, void *is,
		  uint64_t at)
{
	memset(side, 0, sizeof(*side));
	side->layout = layout;
	side->was = was;
	side->is = is;
	side->at = at;
}

static size_t member_bytes(const struct vk_field *field)
{
	return field->kind == VK_KIND_DISKID ? sizeof(struct vk_scsi_disk_id) : field->size;
}

static uint8_t *member(const struct vk_side *side, const struct vk_field *field)
{
	return (uint8_t *)side->is + field->member;
}

static struct vk_side_row *row_of(struct vk_side *side, const struct vk_field *field)
{
	return &side->rows[field - side->layout->fields];
}

__attribute__((format(printf, 5, 0))) static void
keep(struct vk_side *side, const struct vk_field *field, const void *bytes,
     enum vk_field_origin origin, const char *from, va_list ap)
{
	struct vk_side_row *row = row_of(side, field);

	bool same = (!side->rebuilt || row->told) && memcmp(member(side, field), bytes, member_bytes(field)) == 0;

	/* who is sure of a value that was only likely makes it certain */
	if (same && !(row->told && vk_field_origin_exact(origin) && !vk_field_origin_exact(row->origin)))
		return;
	memcpy(member(side, field), bytes, member_bytes(field));
	row->told = true;
	row->origin = origin;
	vsnprintf(row->from, sizeof(row->from), from, ap);
}

void vk_side_number(struct vk_side *side, const char *field, uint64_t value,
		    enum vk_field_origin origin, const char *from, ...)
{
	const struct vk_field *f = vk_layout_field(side->layout, field);
	uint8_t u8 = (uint8_t)value;
	uint16_t u16 = (uint16_t)value;
	uint32_t u32 = (uint32_t)value;
	const void *bytes = &value;
	va_list ap;

	if (f->kind == VK_KIND_U8)
		bytes = &u8;
	else if (f->kind == VK_KIND_U16)
		bytes = &u16;
	else if (f->kind == VK_KIND_U32)
		bytes = &u32;
	va_start(ap, from);
	keep(side, f, bytes, origin, from, ap);
	va_end(ap);
}

void vk_side_bytes(struct vk_side *side, const char *field, const void *bytes,
		   enum vk_field_origin origin, const char *from, ...)
{
	va_list ap;

	va_start(ap, from);
	keep(side, vk_layout_field(side->layout, field), bytes, origin, from, ap);
	va_end(ap);
}

__attribute__((format(printf, 5, 6))) static void
keep_one(struct vk_side *side, const struct vk_field *field, const void *bytes,
	 enum vk_field_origin origin, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	keep(side, field, bytes, origin, fmt, ap);
	va_end(ap);
}

void vk_side_all(struct vk_side *side, const void *other, enum vk_field_origin origin,
		 const char *from)
{
	for (size_t i = 0; i < side->layout->count; i++) {
		const struct vk_field *f = &side->layout->fields[i];

		if (f->kind != VK_KIND_DISKID) /* a side of its own */
			keep_one(side, f, (const uint8_t *)other + f->member, origin, "%s", from);
	}
}

void vk_side_doubt(struct vk_side *side)
{
	for (size_t i = 0; i < side->layout->count; i++)
		side->rows[i].origin = vk_origin_if(!vk_field_origin_exact(side->rows[i].origin), side->rows[i].origin);
}

size_t vk_side_tell(const struct vk_side *side, struct vk_header_work *work, size_t *ret_inexact)
{
	size_t changed = 0;

	*ret_inexact = 0;
	for (size_t i = 0; i < side->layout->count; i++) {
		const struct vk_field *f = &side->layout->fields[i];
		const struct vk_side_row *row = &side->rows[i];
		const uint8_t *was = (const uint8_t *)side->was + f->member;

		/* a disk id is told by its own fields */
		if (f->kind == VK_KIND_DISKID || memcmp(member(side, f), was, member_bytes(f)) == 0)
			continue;
		changed++;
		if (!row->told) {
			++*ret_inexact;
			vk_work_field(work, side->layout, f->name, side->at, VK_FIELD_USUAL, side->was, side->is,
				      "zero in every header seen");
			continue;
		}
		if (!vk_field_origin_exact(row->origin))
			++*ret_inexact;
		vk_work_field(work, side->layout, f->name, side->at, row->origin,
			      side->was, side->is, "%s", row->from);
	}
	return changed;
}

static void add_ballot(struct vk_tally *tally, const struct vk_ballot *more)
{
	struct vk_text text;
	struct vk_ballot *b;
	size_t i = 0;

	while (i < tally->count && tally->ballots[i].value != more->value)
		i++;
	if (i == VK_TALLY_MAX)
		return;
	b = &tally->ballots[i];
	tally->weight += more->weight;
	tally->voices += more->voices;
	if (i == tally->count) {
		tally->count++;
		*b = *more;
		return;
	}
	text = (struct vk_text){b->from, sizeof(b->from), strlen(b->from)};
	vk_text_put(&text, ", ");
	vk_text_put(&text, more->from);
	b->weight += more->weight;
	b->voices += more->voices;
}

void vk_tally_add(struct vk_tally *tally, uint64_t value, unsigned weight, const char *from)
{
	struct vk_ballot one = {.value = value, .weight = weight, .voices = 1};

	snprintf(one.from, sizeof(one.from), "%s", from);
	add_ballot(tally, &one);
}

void vk_tally_merge(struct vk_tally *to, const struct vk_tally *from)
{
	for (size_t i = 0; i < from->count; i++)
		add_ballot(to, &from->ballots[i]);
}

unsigned vk_tally_voices(const struct vk_tally *tally, uint64_t value)
{
	for (size_t i = 0; i < tally->count; i++)
		if (tally->ballots[i].value == value)
			return tally->ballots[i].voices;
	return 0;
}

bool vk_tally_proves(const struct vk_tally *tally, uint64_t value)
{
	unsigned voices = vk_tally_voices(tally, value);

	return voices >= 2 && voices > tally->voices - voices;
}

const struct vk_ballot *vk_tally_best(const struct vk_tally *tally)
{
	const struct vk_ballot *best = NULL;
	bool tie = false;

	for (size_t i = 0; i < tally->count; i++) {
		const struct vk_ballot *b = &tally->ballots[i];

		if (best != NULL && b->weight == best->weight)
			tie = true;
		if (best == NULL || b->weight > best->weight) {
			best = b;
			tie = false;
		}
	}
	return tie ? NULL : best;
}

void vk_tally_text(const struct vk_tally *tally, char *ret_text, size_t cap)
{
	struct vk_text text;

	vk_text_init(&text, ret_text, cap);
	for (size_t i = 0; i < tally->count; i++)
		vk_text_fmt(&text, "%s%llu (%s)", i > 0 ? " against " : "",
			    (unsigned long long)tally->ballots[i].value, tally->ballots[i].from);
}
