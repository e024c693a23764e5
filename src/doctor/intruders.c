/* SPDX-License-Identifier: Apache-2.0 */
/* Whose the wrong bytes are: signatures of other systems, when something within their reach is wrong. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

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
	size_t subject = s->area != SIZE_MAX ? doc->areas[s->area].subject : SIZE_MAX;

	for (size_t i = 0; i < doc->find.foreign.count && i < VK_INTRUDERS_MAX && s->damage != VK_DAMAGE_ZERO; i++) {
		const struct vk_foreign *f = &doc->find.foreign.items[i];

		if (who[i] && s->offset_bytes >= f->start_bytes && s->offset_bytes < reach_of(doc, f)) {
			s->damage = VK_DAMAGE_FOREIGN;
			s->intruder = i;
			return;
		}
	}
	/* what is left of a volume that no partition names lacks nothing that anybody needs */
	if (s->damage == VK_DAMAGE_STRANGE || (subject != SIZE_MAX && doc->subjects[subject].left_over))
		s->damage = VK_DAMAGE_UNKNOWN;
}

enum { COPIES_MAX = 1024, MFT_RECORDS = 16 };

static bool mark(struct vk_doctor *doc, size_t intruder, uint64_t offset, uint64_t length)
{
	struct vk_stretch s = {.offset_bytes = offset - offset % VK_UNIT_BYTES,
			       .area = SIZE_MAX,
			       .intruder = intruder,
			       .damage = VK_DAMAGE_FOREIGN};
	uint8_t unit[VK_UNIT_BYTES];

	if (s.offset_bytes >= doc->source.size_bytes)
		return true;
	s.length_bytes = vk_min_u64(vk_round_up_sat(offset + length, VK_UNIT_BYTES), doc->source.size_bytes) -
			 s.offset_bytes;
	/* zeros at its end may have been there before */
	while (s.length_bytes > VK_UNIT_BYTES &&
	       vk_doctor_read(doc, s.offset_bytes + s.length_bytes - VK_UNIT_BYTES, unit, sizeof(unit)) != 0 &&
	       vk_all_zero(unit, sizeof(unit)))
		s.length_bytes -= VK_UNIT_BYTES;
	return vk_stretch_add(doc, &s);
}

/* The next group with a copy: any; since sparse_super of ext the first, and powers of 3, 5 and 7. */
static uint64_t next_copy(uint64_t group, bool sparse)
{
	static const uint64_t bases[] = {3, 5, 7};
	uint64_t next = UINT64_MAX;

	if (group == 0 || !sparse)
		return group + 1;
	for (size_t i = 0; i < sizeof(bases) / sizeof(bases[0]); i++) {
		uint64_t power = bases[i];

		while (power <= group)
			power = vk_mul_sat(power, bases[i]);
		next = vk_min_u64(next, power);
	}
	return next;
}

/* What the superblocks of a system have in common, and where in the file system the copies lie. */
struct copies {
	uint32_t first, bytes;        /* of the superblock */
	uint32_t magic, magic_bytes;  /* in it */
	uint32_t uuid, uuid_bytes;
	uint64_t base, stride, count; /* of its copies, with the first */
	bool sparse;
	uint64_t mft;                 /* of NTFS: where its first records lie; 0: it is another system */
};

static bool find_copies(const char *type, const uint8_t *fs, struct copies *c)
{
	const uint8_t *ext = fs + 1024;
	uint64_t blocks;

	if (strncmp(type, "ext", 3) == 0 && vk_get_le16(ext + 0x38) == 0xEF53 && vk_get_le32(ext + 0x18) <= 6) {
		uint64_t block = 1024ULL << vk_get_le32(ext + 0x18), per_group = vk_get_le32(ext + 0x20);

		blocks = vk_get_le32(ext + 4) | (uint64_t)vk_get_le32(ext + 0x150) << 32;
		*c = (struct copies){1024, 1024, 0x38, 2, 0x68, 16};
		c->base = vk_mul_sat(vk_get_le32(ext + 0x14), block);
		c->stride = vk_mul_sat(per_group, block);
		c->count = per_group < 256 || blocks == 0 ? 0 : (blocks - 1) / per_group + 1;
		c->sparse = (vk_get_le32(ext + 0x64) & 1) != 0;
		return true;
	}
	if (strcmp(type, "xfs") == 0 && memcmp(fs, "XFSB", 4) == 0) {
		*c = (struct copies){0, 512, 0, 4, 32, 16};
		c->stride = vk_mul_sat(vk_get_be32(fs + 84), vk_get_be32(fs + 4));
		c->count = c->stride < 1 << 20 ? 0 : vk_get_be32(fs + 88);
		return true;
	}
	/* one copy of the boot sector, behind the last cluster */
	if (strncasecmp(type, "ntfs", 4) == 0 && memcmp(fs + 3, "NTFS    ", 8) == 0) {
		*c = (struct copies){0, 512, 3, 8, 0, 512};
		c->stride = vk_mul_sat(vk_get_le64(fs + 0x28), vk_get_le16(fs + 0x0B));
		c->count = 2;
		c->mft = vk_mul_sat(vk_mul_sat(vk_get_le64(fs + 0x30), fs[0x0D]), vk_get_le16(fs + 0x0B));
		return true;
	}
	return false;
}

/* Where else an intruder wrote for certain: its signature, and copies of its superblock with the same UUID. */
static bool mark_intruder(struct vk_doctor *doc, size_t intruder)
{
	const struct vk_foreign *f = &doc->find.foreign.items[intruder];
	uint8_t fs[2048], copy[1024];
	struct copies c;

	if (!mark(doc, intruder, f->magic_bytes, 1))
		return false;
	/* where sectors of one part cannot be read, which are then zeros, the superblock may lie in the other */
	vk_doctor_read(doc, f->start_bytes, fs, 1024);
	vk_doctor_read(doc, vk_add_sat(f->start_bytes, 1024), fs + 1024, 1024);
	if (!find_copies(f->type, fs, &c))
		return true;
	for (unsigned i = 0; i < MFT_RECORDS && c.mft != 0; i++) {
		uint64_t at = vk_add_sat(f->start_bytes, vk_add_sat(c.mft, i * 1024ULL));

		if (vk_doctor_read(doc, at, copy, 4) == 4 && memcmp(copy, "FILE", 4) == 0 &&
		    !mark(doc, intruder, at, 1024))
			return false;
	}
	for (uint64_t g = 1, looked = 0; g < c.count && looked < COPIES_MAX; g = next_copy(g, c.sparse), looked++) {
		uint64_t at = vk_add_sat(f->start_bytes, vk_add_sat(c.base, vk_mul_sat(g, c.stride)));

		if (at >= doc->source.size_bytes)
			break;
		if (vk_doctor_read(doc, at, copy, c.bytes) == c.bytes &&
		    memcmp(copy + c.magic, fs + c.first + c.magic, c.magic_bytes) == 0 &&
		    memcmp(copy + c.uuid, fs + c.first + c.uuid, c.uuid_bytes) == 0 &&
		    !mark(doc, intruder, at, c.bytes))
			return false;
	}
	return true;
}

/* Marks lie where nothing else was looked at. */
static void drop_overlaps(struct vk_doctor *doc)
{
	size_t kept = 0;
	uint64_t end = 0;

	for (size_t i = 0; i < doc->stretch_count; i++) {
		const struct vk_stretch s = doc->stretches[i];
		bool next_covers = i + 1 < doc->stretch_count &&
				   doc->stretches[i + 1].offset_bytes < s.offset_bytes + s.length_bytes;

		if (s.area == SIZE_MAX && (s.offset_bytes < end || next_covers))
			continue;
		end = s.offset_bytes + s.length_bytes;
		doc->stretches[kept++] = s;
	}
	doc->stretch_count = kept;
}

bool vk_doctor_blame(struct vk_doctor *doc)
{
	size_t count = vk_min_u64(doc->find.foreign.count, VK_INTRUDERS_MAX);

	for (size_t i = 0; i < count; i++)
		confirm(doc, i);
	for (size_t i = 0; i < doc->stretch_count; i++)
		if (doc->stretches[i].damage == VK_DAMAGE_STRANGE || doc->stretches[i].damage == VK_DAMAGE_DAMAGED ||
		    doc->stretches[i].damage == VK_DAMAGE_ZERO)
			blame(doc, &doc->stretches[i]);
	for (size_t i = 0; i < count; i++)
		if (doc->confirmed[i] && !mark_intruder(doc, i))
			return false;
	vk_doctor_sort(doc->stretches, doc->stretch_count, sizeof(*doc->stretches));
	drop_overlaps(doc);
	return true;
}
