/* SPDX-License-Identifier: Apache-2.0 */
/* The verdict on each part of a GPT. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "evidence/gpt/case.h"

typedef unsigned long long ull;

static void verdict(struct vk_table_part_verdict *v, enum vk_part_state state, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
static void verdict(struct vk_table_part_verdict *v, enum vk_part_state state, const char *fmt, ...)
{
	va_list args;

	v->state = state;
	va_start(args, fmt);
	(void)vsnprintf(v->why, sizeof(v->why), fmt, args);
	va_end(args);
}

/* The entry that protects: what of it is wrong. */
static void judge_protection(const struct vk_gpt_judgement *j, const struct vk_mbr_entry *e,
			     const struct vk_mbr_entry *healed, struct vk_table_part_verdict *v)
{
	uint64_t behind = j->look.disk_sectors - 1;

	if (healed->firstLBA == e->firstLBA && healed->sectors == e->sectors)
		verdict(v, VK_PART_STATE_DAMAGED, "bytes other than its place and length are damaged");
	else if (e->firstLBA != 1)
		verdict(v, VK_PART_STATE_DAMAGED, "its protection begins in sector %u, not in sector 1", e->firstLBA);
	else if (e->sectors < vk_min_u64(behind, UINT32_MAX))
		verdict(v, VK_PART_STATE_STALE, "it protects %u sectors, the disk has %llu behind sector 0", e->sectors,
			(ull)behind);
	else
		verdict(v, VK_PART_STATE_STALE, "it protects %u sectors, more than the disk has (%llu)", e->sectors,
			(ull)behind);
}

static void judge_mbr(const struct vk_gpt_judgement *j, struct vk_table_part_verdict *v)
{
	const uint8_t *now = j->look.mbr_bytes;
	const struct vk_mbr *mbr = &j->look.mbr;
	uint8_t right[VK_MBR_BYTES];
	struct vk_mbr healed;

	v->length_bytes = VK_MBR_BYTES;
	(void)vk_gpt_protective_mbr(now, j->look.disk_sectors, 0, right);
	vk_mbr_decode(right, sizeof(right), &healed);
	if (j->look.mbr_held != VK_GPT_HELD)
		verdict(v, VK_PART_STATE_UNREADABLE, "sector 0 cannot be read");
	else if (memcmp(now, right, sizeof(right)) == 0)
		verdict(v, VK_PART_STATE_CONSISTENT, "nothing contradicts it; it has no checksum");
	else if (vk_all_zero(now, VK_MBR_BYTES))
		verdict(v, VK_PART_STATE_LOST, "it is all zeros");
	else if (vk_all_zero(now + VK_MBR_ENTRY_OFFSET, VK_MBR_BYTES - VK_MBR_ENTRY_OFFSET))
		verdict(v, VK_PART_STATE_LOST, "entries and signature are zeros");
	else if (j->foreign_mbr)
		verdict(v, VK_PART_STATE_FOREIGN, "it holds partitions of another table and protects nothing");
	else if (!vk_mbr_is_protective(mbr))
		verdict(v, VK_PART_STATE_DAMAGED, "no entry protects the GPT");
	else if (mbr->signature != VK_MBR_SIGNATURE)
		verdict(v, VK_PART_STATE_DAMAGED, "the signature is %02x %02x, not 55 aa", now[510], now[511]);
	else
		for (size_t i = 0; i < 4 && v->state == VK_PART_STATE_UNUSED; i++)
			if (mbr->entries[i].type == VK_MBR_TYPE_PROTECTIVE)
				judge_protection(j, &mbr->entries[i], &healed.entries[i], v);
}

/* The field that a byte of the header lies in. */
static const char *field_at(unsigned byte)
{
	for (size_t i = 0; i < vk_gpt_header_layout.count; i++) {
		const struct vk_field *f = &vk_gpt_header_layout.fields[i];

		if (byte >= f->offset && byte < f->offset + f->size)
			return f->name;
	}
	return "header";
}

/* The first field that the header in this place would have otherwise; NULL: none. Checksums are another matter. */
static const char *field_that_differs(const struct vk_gpt_judgement *j, bool primary, const struct vk_gpt_header *h)
{
	struct vk_gpt_header right = j->image.header;

	if (!primary) {
		right.myLBA = right.alternateLBA;
		right.alternateLBA = 1;
		right.entriesLBA = j->image.backup_array_lba;
	}
	right.headerCRC32 = h->headerCRC32;
	right.entriesCRC32 = h->entriesCRC32;
	for (size_t i = 0; i < vk_gpt_header_layout.count; i++) {
		const struct vk_field *f = &vk_gpt_header_layout.fields[i];

		if (memcmp((const uint8_t *)h + f->member, (const uint8_t *)&right + f->member, f->size) != 0)
			return f->name;
	}
	return NULL;
}

/* A header that its checksum proves, and that may still not be the one that belongs here. */
static void judge_trusted(const struct vk_gpt_judgement *j, bool primary, const struct vk_gpt_header_seen *seen,
			  struct vk_table_part_verdict *v)
{
	const struct vk_gpt_header *h = &seen->header;
	uint64_t last = j->look.disk_sectors - 1;
	bool other_entries = h->entriesCRC32 != vk_crc32(0, j->image.array, j->look.array_bytes);
	const char *differs = field_that_differs(j, primary, h);

	if (h->myLBA != seen->lba)
		verdict(v, VK_PART_STATE_STALE,
			"it belongs in sector %llu: written for another place or before the disk changed its size",
			(ull)h->myLBA);
	else if (h->alternateLBA != (primary ? last : 1))
		verdict(v, VK_PART_STATE_STALE, "its copy should be in sector %llu; the disk ends with sector %llu",
			(ull)h->alternateLBA, (ull)last);
	else if (!seen->fits)
		verdict(v, VK_PART_STATE_STALE, "its usable range and its entries overlap");
	else if (j->chosen != NULL && seen != j->chosen && !vk_guid_equal(&h->diskGUID, &j->chosen->header.diskGUID))
		verdict(v, VK_PART_STATE_STALE, "its disk GUID differs from that of the copy in use");
	else if (j->proof == VK_GPT_PROOF_RIVALLED && other_entries)
		verdict(v, VK_PART_STATE_STALE,
			"its checksum is of other entries than those in use, and nothing proves which are newer");
	else if (vk_gpt_proof_exact(j->proof) && other_entries)
		verdict(v, VK_PART_STATE_STALE, "its checksum is of older entries");
	else if (seen->signature_lost)
		verdict(v, VK_PART_STATE_DAMAGED, "its signature is gone; its checksum proves the rest");
	else if (seen->mended)
		verdict(v, VK_PART_STATE_DAMAGED, "bit %u of byte %u (%s) is flipped, as its checksum shows",
			seen->bit % 8, seen->bit / 8, field_at(seen->bit / 8));
	else if (differs != NULL)
		verdict(v, VK_PART_STATE_STALE, "%s differs from the copy in use", differs);
	else if (j->proof == VK_GPT_PROOF_RIVALLED)
		verdict(v, VK_PART_STATE_CONSISTENT, "it is whole, but nothing proves that it is the newer one");
	else
		verdict(v, VK_PART_STATE_SOUND, "%s", "");
}

static void judge_header(const struct vk_gpt_judgement *j, bool primary, struct vk_table_part_verdict *v)
{
	ull lba = primary ? 1 : j->image.header.alternateLBA;
	const struct vk_gpt_header_seen *seen = NULL;
	uint8_t right[VK_GPT_HEADER_BYTES];
	unsigned bytes_right = 0; /* of those that the header ought to hold and that are not zero */

	v->offset_bytes = vk_mul_sat(lba, j->look.sector_size);
	v->length_bytes = j->look.sector_size;
	vk_gpt_header_encode(&j->image.header, right, sizeof(right));
	VK_GPT_EACH_HEADER(h, &j->look)
		if (h->lba == lba)
			seen = h;
	for (size_t i = 0; i < sizeof(right) && seen != NULL; i++)
		bytes_right += right[i] != 0 && right[i] == seen->sector[i];
	if (seen == NULL || seen->held == VK_GPT_OUTSIDE)
		verdict(v, VK_PART_STATE_UNREADABLE, "sector %llu lies behind the end of this source", lba);
	else if (seen->held == VK_GPT_UNREADABLE)
		verdict(v, VK_PART_STATE_UNREADABLE, "sector %llu cannot be read", lba);
	else if (vk_gpt_header_trusted(seen))
		judge_trusted(j, primary, seen, v);
	else if (seen->blank)
		verdict(v, VK_PART_STATE_LOST, "sector %llu is all zeros", lba);
	else if (seen->present)
		verdict(v, VK_PART_STATE_DAMAGED, "its checksum is wrong by more than one bit");
	else if (bytes_right >= 12)
		verdict(v, VK_PART_STATE_DAMAGED, "parts of it are overwritten, the signature with them");
	else
		verdict(v, VK_PART_STATE_LOST, "something else stands in sector %llu", lba);
}

/* Bounds that moved, an entry more or less: what time does. Anything else is damage. */
static bool differs_like_older(const struct vk_gpt_judgement *j, const uint8_t *array)
{
	for (uint32_t i = 0; i < j->look.entries; i++) {
		struct vk_gpt_entry was, is;
		bool used = vk_gpt_look_entry(&j->look, array, i, &was);

		if (vk_gpt_is_image_slot(j, array, i))
			continue;
		if (!used && !vk_gpt_is_blank_slot(j, array, i))
			return false;
		if (!used || !vk_gpt_image_get(&j->image, i + 1, &is))
			continue;
		is.firstLBA = was.firstLBA;
		is.lastLBA = was.lastLBA;
		if (memcmp(&is, &was, sizeof(is)) != 0)
			return false;
	}
	return true;
}

static void judge_held_array(const struct vk_gpt_judgement *j, const struct vk_gpt_array_seen *array,
			     struct vk_table_part_verdict *v)
{
	bool exact = vk_gpt_proof_exact(j->proof), rivalled = j->proof == VK_GPT_PROOF_RIVALLED;
	bool named = false; /* by the checksum of a header */
	unsigned missing = 0;
	char names[80];
	struct vk_text text = vk_text_in(names, sizeof(names));
	const char *ies, *s; /* of one or more entries */
	size_t bit;

	for (uint32_t i = 0; i < j->look.entries; i++)
		if (!vk_gpt_is_image_slot(j, array->bytes, i))
			vk_gpt_name_slot(&text, i, missing++, 8);
	ies = missing == 1 ? "y" : "ies";
	s = missing == 1 ? "s" : "";
	VK_GPT_EACH_HEADER(h, &j->look)
		named = named || (vk_gpt_header_trusted(h) && vk_gpt_matches(j, h, array));
	if (missing == 0 && exact)
		verdict(v, VK_PART_STATE_SOUND, "%s", "");
	else if (array->blank)
		verdict(v, VK_PART_STATE_LOST, "it is all zeros");
	else if (missing == 0 && rivalled)
		verdict(v, VK_PART_STATE_CONSISTENT,
			"it has the entries in use, but nothing proves that they are the newer ones");
	else if (rivalled && (array == j->rival || named))
		verdict(v, VK_PART_STATE_STALE,
			"entr%s %s %s otherwise than the entries in use, and nothing proves which is newer", ies, names,
			missing == 1 ? "is" : "are");
	else if (missing == 0 && j->proof == VK_GPT_PROOF_OLDER)
		verdict(v, VK_PART_STATE_STALE, "its entries do not match the header's checksum");
	else if (missing == 0)
		verdict(v, VK_PART_STATE_DAMAGED, "no header's checksum fits it");
	else if (!named && vk_gpt_one_bit_apart(array->bytes, j->image.array, j->look.array_bytes, &bit))
		verdict(v, VK_PART_STATE_DAMAGED, "bit %zu of byte %zu is flipped, in entry %zu", bit % 8, bit / 8,
			bit / 8 / j->look.entry_size + 1);
	else if (named || differs_like_older(j, array->bytes))
		verdict(v, VK_PART_STATE_STALE, "entr%s %s stand%s there in an older form", ies, names, s);
	else
		verdict(v, VK_PART_STATE_DAMAGED, "entr%s %s differ%s from the copy in use or make%s no sense",
						  ies, names,
			s, s);
}

static void judge_array(const struct vk_gpt_judgement *j, bool primary, struct vk_table_part_verdict *v)
{
	ull lba = primary ? j->image.header.entriesLBA : j->image.backup_array_lba;
	const struct vk_gpt_array_seen *array = j->arrays[primary ? 0 : 1];

	v->offset_bytes = vk_mul_sat(lba, j->look.sector_size);
	v->length_bytes = j->look.array_bytes;
	if (array == NULL || array->held == VK_GPT_OUTSIDE)
		verdict(v, VK_PART_STATE_UNREADABLE, "it lies behind the end of this source");
	else if (array->held == VK_GPT_UNREADABLE)
		verdict(v, VK_PART_STATE_UNREADABLE, "sector %llu cannot be read completely", lba);
	else
		judge_held_array(j, array, v);
}

void vk_gpt_give_verdicts(struct vk_gpt_judgement *j)
{
	judge_mbr(j, &j->parts[VK_TP_MBR]);
	judge_header(j, true, &j->parts[VK_TP_PRIMARY_HEADER]);
	judge_array(j, true, &j->parts[VK_TP_PRIMARY_ARRAY]);
	judge_array(j, false, &j->parts[VK_TP_BACKUP_ARRAY]);
	judge_header(j, false, &j->parts[VK_TP_BACKUP_HEADER]);
	j->sound = !j->sector_size_differs && !j->cut;
	for (int part = VK_TP_MBR; part <= VK_TP_BACKUP_HEADER; part++)
		j->sound = j->sound && vk_part_state_stands(j->parts[part].state);
}
