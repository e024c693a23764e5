/* SPDX-License-Identifier: Apache-2.0 */
/* Whose the wrong bytes are: signatures of other systems, when something within their reach is wrong. */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "doctor/doctor.h"

static bool is_in(uint64_t at, uint64_t start, uint64_t length)
{
	return at >= start && at - start < length;
}

static uint64_t start_of(const struct vk_doctor *doc, const struct vk_partition *p, uint64_t *ret_length)
{
	*ret_length = vk_mul_sat(p->sectors, doc->source.sector_size);
	return vk_mul_sat(p->start_sector, doc->source.sector_size);
}

/* What does not say how long it is ends with the volume or partition that it lies in. */
static uint64_t reach_of(const struct vk_doctor *doc, const struct vk_foreign *f)
{
	const struct vk_table *t = &doc->source.table;
	uint64_t at = f->start_bytes, end = UINT64_MAX, start, length;

	if (f->length_bytes != 0)
		end = vk_add_sat(at, f->length_bytes);
	for (size_t i = 0; i < doc->subject_count && end == UINT64_MAX; i++)
		if (is_in(at, doc->subjects[i].start_bytes, doc->subjects[i].length_bytes))
			end = vk_add_sat(doc->subjects[i].start_bytes, doc->subjects[i].length_bytes);
	for (size_t i = 0; i < t->partition_count && end == UINT64_MAX; i++) {
		start = start_of(doc, &t->partitions[i], &length);
		if (is_in(at, start, length))
			end = vk_add_sat(start, length);
	}
	return vk_min_u64(vk_max_u64(end, f->magic_bytes + VK_UNIT_BYTES), doc->source.size_bytes);
}

/* Something lies within an intruder's reach: not all of it, but the harm that is nearest to its start. */
static bool is_within(const struct vk_doctor *doc, const struct vk_stretch *s, const struct vk_foreign *f)
{
	return s->offset_bytes >= f->start_bytes && s->offset_bytes < reach_of(doc, f);
}

/* A signature in a partition that the table gives to others, and that no volume claims, belongs there. */
static bool is_at_home(const struct vk_doctor *doc, const struct vk_foreign *f)
{
	const struct vk_table *t = &doc->source.table;
	uint64_t start, length;

	if (f->start_bytes == 0)
		return false;
	for (size_t i = 0; i < doc->subject_count; i++)
		if (is_in(f->start_bytes, doc->subjects[i].start_bytes, vk_max_u64(doc->subjects[i].length_bytes, 1)))
			return false;
	for (size_t i = 0; i < t->partition_count; i++) {
		start = start_of(doc, &t->partitions[i], &length);
		if (!vk_partition_is_vmfs(&t->partitions[i]) && is_in(f->start_bytes, start, length))
			return true;
	}
	return false;
}

enum age { AGE_UNKNOWN, AGE_OLDER, AGE_YOUNGER };

/* ext says when it was made (s_mkfs_time), and a header when its volume was. */
static enum age age_of(struct vk_doctor *doc, const struct vk_foreign *f)
{
	uint64_t end = reach_of(doc, f), made;
	enum age age = AGE_UNKNOWN;
	uint8_t sb[1024];

	if (strncmp(f->type, "ext", 3) != 0 ||
	    vk_doctor_read(doc, vk_add_sat(f->start_bytes, 1024), sb, sizeof(sb)) != sizeof(sb))
		return AGE_UNKNOWN;
	made = vk_get_le32(sb + 0x108);
	for (size_t i = 0; i < doc->subject_count && made != 0; i++) {
		const struct vk_subject *s = &doc->subjects[i];

		if (!s->lvm_known || s->start_bytes >= end ||
		    vk_add_sat(s->start_bytes, s->length_bytes) <= f->start_bytes)
			continue;
		if (made > s->lvm.initTimeUS / 1000000)
			return AGE_YOUNGER;
		age = AGE_OLDER;
	}
	return age;
}

/*
 * What it wrote is wrong there, or lies in sectors that VMFS leaves empty; on bytes that are proved it is older. Harm
 * elsewhere may have any cause: only harm where its own first sectors lie says that it came after the volume.
 */
static void confirm(struct vk_doctor *doc, size_t intruder)
{
	const struct vk_foreign *f = &doc->find.foreign.items[intruder];
	uint64_t unit = f->magic_bytes - f->magic_bytes % VK_UNIT_BYTES;
	enum age age;
	bool beside = false;

	if (is_at_home(doc, f))
		return;
	for (size_t i = 0; i < doc->stretch_count; i++) {
		const struct vk_stretch *s = &doc->stretches[i];
		bool here = is_in(unit, s->offset_bytes, s->length_bytes);

		if (here && s->damage == VK_DAMAGE_INTACT)
			return;
		if (here && s->damage == VK_DAMAGE_STRANGE)
			doc->confirmed[intruder] = true;
		if (!vk_damage_is_harm(s->damage))
			continue;
		if (here)
			doc->certain[intruder] = true;
		beside = beside || (s->offset_bytes <= unit && s->offset_bytes + s->length_bytes > f->start_bytes);
	}
	age = age_of(doc, f);
	if ((beside && age != AGE_OLDER) || (doc->confirmed[intruder] && age == AGE_YOUNGER))
		doc->certain[intruder] = true;
	doc->confirmed[intruder] = doc->confirmed[intruder] || doc->certain[intruder];
}

/*
 * Sectors that are usually empty are its own; of what is damaged it is accused only when it was there after the
 * volume.
 */
static void blame(struct vk_doctor *doc, struct vk_stretch *s)
{
	const bool *who = s->damage == VK_DAMAGE_STRANGE ? doc->confirmed : doc->certain;

	for (size_t i = 0; i < doc->find.foreign.count && i < VK_INTRUDERS_MAX; i++)
		if (who[i] && is_within(doc, s, &doc->find.foreign.items[i])) {
			s->damage = VK_DAMAGE_FOREIGN;
			s->intruder = i;
			return;
		}
	if (s->damage == VK_DAMAGE_STRANGE)
		s->damage = VK_DAMAGE_UNKNOWN;
}

static int by_offset(const void *a, const void *b)
{
	const struct vk_stretch *x = a, *y = b;

	return x->offset_bytes < y->offset_bytes ? -1 : x->offset_bytes > y->offset_bytes;
}

/* Marks lie where nothing else was looked at. */
static void drop_overlaps(struct vk_doctor *doc)
{
	size_t kept = 0;
	uint64_t end = 0;

	for (size_t i = 0; i < doc->stretch_count; i++) {
		const struct vk_stretch s = doc->stretches[i];
		bool covered = s.offset_bytes < end;
		bool next_covers = s.area == SIZE_MAX && i + 1 < doc->stretch_count &&
				   doc->stretches[i + 1].offset_bytes < s.offset_bytes + s.length_bytes;

		if (s.area == SIZE_MAX && (covered || next_covers))
			continue;
		end = s.offset_bytes + s.length_bytes;
		doc->stretches[kept++] = s;
	}
	doc->stretch_count = kept;
}

/*
 * What is left of a volume that no partition names lacks nothing that anybody needs; what another system wrote is
 * told.
 */
static void let_left_overs_be(struct vk_doctor *doc)
{
	for (size_t i = 0; i < doc->stretch_count; i++) {
		struct vk_stretch *s = &doc->stretches[i];
		size_t subject = s->area != SIZE_MAX ? doc->areas[s->area].subject : SIZE_MAX;

		if (subject != SIZE_MAX && doc->subjects[subject].left_over &&
		    (s->damage == VK_DAMAGE_DAMAGED || s->damage == VK_DAMAGE_ZERO))
			s->damage = VK_DAMAGE_UNKNOWN;
	}
}

bool vk_doctor_blame(struct vk_doctor *doc)
{
	size_t count = vk_min_u64(doc->find.foreign.count, VK_INTRUDERS_MAX);

	for (size_t i = 0; i < count; i++)
		confirm(doc, i);
	for (size_t i = 0; i < doc->stretch_count; i++)
		if (doc->stretches[i].damage == VK_DAMAGE_STRANGE || doc->stretches[i].damage == VK_DAMAGE_DAMAGED)
			blame(doc, &doc->stretches[i]);
	let_left_overs_be(doc);
	for (size_t i = 0; i < count; i++)
		if (doc->confirmed[i] && !vk_intruder_marks(doc, i))
			return false;
	if (doc->stretch_count > 1)
		qsort(doc->stretches, doc->stretch_count, sizeof(*doc->stretches), by_offset);
	drop_overlaps(doc);
	return true;
}
