/* SPDX-License-Identifier: Apache-2.0 */
/* The verdict on each part of a GPT. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "evidence/gpt/case.h"

typedef unsigned long long ull;

static void verdict(struct vk_gpt_judgement *j, enum vk_table_part part, enum vk_part_state state, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
static void verdict(struct vk_gpt_judgement *j, enum vk_table_part part, enum vk_part_state state, const char *fmt, ...)
{
	struct vk_table_part_verdict *v = &j->parts[part];
	va_list args;

	v->state = state;
	va_start(args, fmt);
	(void)vsnprintf(v->why, sizeof(v->why), fmt, args);
	va_end(args);
}

static void judge_entry_of_mbr(struct vk_gpt_judgement *j, const struct vk_mbr_entry *e)
{
	uint64_t expected = vk_min_u64(j->look.disk_sectors - 1, UINT32_MAX);

	if (e->firstLBA != 1)
		verdict(j, VK_TP_MBR, VK_PART_STATE_DAMAGED, "its protection begins in sector %u, not in sector 1",
			e->firstLBA);
	else if (e->sectors < expected)
		verdict(j, VK_TP_MBR, VK_PART_STATE_STALE, "it protects %u sectors, the disk has %llu behind sector 0",
			e->sectors, (ull)j->look.disk_sectors - 1);
	else
		verdict(j, VK_TP_MBR, VK_PART_STATE_STALE, "it protects %u sectors, more than the disk has (%llu)",
			e->sectors, (ull)j->look.disk_sectors - 1);
}

static void judge_mbr(struct vk_gpt_judgement *j)
{
	const uint8_t *now = j->look.mbr_bytes;
	uint8_t right[VK_MBR_BYTES];
	const struct vk_mbr *mbr = &j->look.mbr;

	if (j->look.mbr_held != VK_GPT_HELD) {
		verdict(j, VK_TP_MBR, VK_PART_STATE_UNREADABLE, "sector 0 cannot be read");
		return;
	}
	(void)vk_gpt_protective_mbr(now, j->look.disk_sectors, 0, right);
	if (memcmp(now, right, sizeof(right)) == 0)
		verdict(j, VK_TP_MBR, VK_PART_STATE_CONSISTENT, "nothing contradicts it; it has no checksum");
	else if (vk_all_zero(now, VK_MBR_BYTES))
		verdict(j, VK_TP_MBR, VK_PART_STATE_LOST, "it is all zeros");
	else if (vk_all_zero(now + VK_MBR_ENTRY_OFFSET, 66))
		verdict(j, VK_TP_MBR, VK_PART_STATE_LOST, "entries and signature are zeros");
	else if (j->foreign_mbr)
		verdict(j, VK_TP_MBR, VK_PART_STATE_FOREIGN,
			"it holds partitions of another table and protects nothing");
	else if (!vk_mbr_is_protective(mbr))
		verdict(j, VK_TP_MBR, VK_PART_STATE_DAMAGED, "no entry protects the GPT");
	else if (mbr->signature != VK_MBR_SIGNATURE)
		verdict(j, VK_TP_MBR, VK_PART_STATE_DAMAGED, "the signature is %02x %02x, not 55 aa", now[510],
			now[511]);
	else
		for (size_t i = 0; i < 4; i++)
			if (mbr->entries[i].type == VK_MBR_TYPE_PROTECTIVE) {
				struct vk_mbr_entry healed;

				vk_layout_decode(&vk_mbr_entry_layout,
						 right + VK_MBR_ENTRY_OFFSET + i * VK_MBR_ENTRY_BYTES,
						 VK_MBR_ENTRY_BYTES, &healed);
				if (healed.firstLBA == mbr->entries[i].firstLBA &&
				    healed.sectors == mbr->entries[i].sectors)
					verdict(j, VK_TP_MBR, VK_PART_STATE_DAMAGED,
						"bytes beside its place and length are damaged");
				else
					judge_entry_of_mbr(j, &mbr->entries[i]);
				return;
			}
}

/* The field that a bit of the header lies in. */
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
static const char *field_that_differs(const struct vk_gpt_judgement *j, enum vk_table_part part,
				      const struct vk_gpt_header *h)
{
	struct vk_gpt_header right = j->image.header;

	if (part == VK_TP_BACKUP_HEADER) {
		right.myLBA = right.alternateLBA;
		right.alternateLBA = 1;
		right.entriesLBA = j->image.backup_array_lba;
	}
	right.headerCRC32 = h->headerCRC32;
	right.entriesCRC32 = h->entriesCRC32;
	for (size_t i = 0; i < vk_gpt_header_layout.count; i++) {
		const struct vk_field *f = &vk_gpt_header_layout.fields[i];
		const uint8_t *a = (const uint8_t *)h + f->member;
		const uint8_t *b = (const uint8_t *)&right + f->member;

		if (memcmp(a, b, f->size) != 0)
			return f->name;
	}
	return NULL;
}

/* A header that its checksum proves, and that is still not the one that belongs here. */
static void judge_trusted(struct vk_gpt_judgement *j, enum vk_table_part part, const struct vk_gpt_header_seen *seen)
{
	const struct vk_gpt_header *h = &seen->header;
	uint64_t last = j->look.disk_sectors - 1;
	uint64_t other = part == VK_TP_PRIMARY_HEADER ? last : 1;
	const char *differs;

	if (h->myLBA != seen->lba)
		verdict(j, part, VK_PART_STATE_STALE,
			"it belongs in sector %llu: written for another place or before the disk changed its size",
			(ull)h->myLBA);
	else if (h->alternateLBA != other)
		verdict(j, part, VK_PART_STATE_STALE,
			"it looks for its copy in sector %llu; the disk ends with sector %llu", (ull)h->alternateLBA,
			(ull)last);
	else if (!seen->fits)
		verdict(j, part, VK_PART_STATE_STALE, "its usable range and its entries lie over each other");
	else if (j->chosen != NULL && seen != j->chosen && !vk_guid_equal(&h->diskGUID, &j->chosen->header.diskGUID))
		verdict(j, part, VK_PART_STATE_STALE, "it names another disk GUID than the copy that counts");
	else if (j->proof == VK_GPT_PROOF_RIVALLED &&
		 h->entriesCRC32 != vk_crc32(0, j->image.array, j->look.array_bytes))
		verdict(j, part, VK_PART_STATE_STALE,
			"its checksum names other entries than are taken, and nothing proves which are newer");
	else if (vk_gpt_proof_exact(j->proof) && h->entriesCRC32 != vk_crc32(0, j->image.array, j->look.array_bytes))
		verdict(j, part, VK_PART_STATE_STALE, "its checksum names other entries: of an earlier time");
	else if (seen->signature_lost)
		verdict(j, part, VK_PART_STATE_DAMAGED, "its signature is gone; its checksum proves the rest");
	else if (seen->mended)
		verdict(j, part, VK_PART_STATE_DAMAGED, "bit %u of byte %u (%s) is flipped, which its checksum tells",
			seen->bit % 8, seen->bit / 8, field_at(seen->bit / 8));
	else if ((differs = field_that_differs(j, part, h)) != NULL)
		verdict(j, part, VK_PART_STATE_STALE, "%s is not as in the copy that counts", differs);
	else if (j->proof == VK_GPT_PROOF_RIVALLED)
		verdict(j, part, VK_PART_STATE_CONSISTENT, "it is whole, but nothing proves that it is the newer one");
	else
		verdict(j, part, VK_PART_STATE_SOUND, "%s", "");
}

/* How many of the bytes that the header ought to hold are there. */
static size_t bytes_right(const struct vk_gpt_judgement *j, const struct vk_gpt_header_seen *seen)
{
	uint8_t right[VK_GPT_HEADER_BYTES];
	size_t count = 0;

	vk_gpt_header_encode(&j->image.header, right, sizeof(right));
	for (size_t i = 0; i < sizeof(right); i++)
		count += right[i] != 0 && right[i] == seen->sector[i];
	return count;
}

static void judge_header(struct vk_gpt_judgement *j, enum vk_table_part part, uint64_t lba)
{
	const struct vk_gpt_header_seen *seen = vk_gpt_header_at(j, lba);
	struct vk_table_part_verdict *v = &j->parts[part];

	v->offset_bytes = vk_mul_sat(lba, j->look.sector_size);
	v->length_bytes = j->look.sector_size;
	if (seen == NULL || seen->held == VK_GPT_OUTSIDE)
		verdict(j, part, VK_PART_STATE_UNREADABLE, "sector %llu lies behind the end of this source", (ull)lba);
	else if (seen->held == VK_GPT_UNREADABLE)
		verdict(j, part, VK_PART_STATE_UNREADABLE, "sector %llu cannot be read", (ull)lba);
	else if (vk_gpt_header_trusted(seen))
		judge_trusted(j, part, seen);
	else if (seen->blank)
		verdict(j, part, VK_PART_STATE_LOST, "sector %llu is all zeros", (ull)lba);
	else if (seen->present)
		verdict(j, part, VK_PART_STATE_DAMAGED, "its checksum is wrong by more than one bit");
	else if (bytes_right(j, seen) >= 12)
		verdict(j, part, VK_PART_STATE_DAMAGED, "parts of it are overwritten, the signature with them");
	else
		verdict(j, part, VK_PART_STATE_LOST, "something else stands in sector %llu", (ull)lba);
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

static unsigned entries_missing(const struct vk_gpt_judgement *j, const uint8_t *array, char *names, size_t cap)
{
	unsigned count = 0;
	struct vk_text text;

	vk_text_init(&text, names, cap);
	for (uint32_t i = 0; i < j->look.entries; i++)
		if (!vk_gpt_is_image_slot(j, array, i))
			vk_gpt_name_slot(&text, i, count++, 8);
	return count;
}

static bool header_names(const struct vk_gpt_judgement *j, const struct vk_gpt_array_seen *array)
{
	for (size_t i = 0; i < j->look.header_count; i++)
		if (vk_gpt_header_trusted(&j->look.headers[i]) && vk_gpt_matches(j, &j->look.headers[i], array))
			return true;
	return false;
}

static void judge_held_array(struct vk_gpt_judgement *j, enum vk_table_part part, const struct vk_gpt_array_seen *array)
{
	const uint8_t *final = j->image.array;
	char names[80];
	size_t bit;
	unsigned missing = entries_missing(j, array->bytes, names, sizeof(names));

	if (missing == 0 && vk_gpt_proof_exact(j->proof))
		verdict(j, part, VK_PART_STATE_SOUND, "%s", "");
	else if (array->blank)
		verdict(j, part, VK_PART_STATE_LOST, "it is all zeros");
	else if (j->proof == VK_GPT_PROOF_RIVALLED && missing == 0)
		verdict(j, part, VK_PART_STATE_CONSISTENT,
			"it holds the entries that are taken, but nothing proves that they are the newer ones");
	else if (j->proof == VK_GPT_PROOF_RIVALLED && (array == j->rival || header_names(j, array)))
		verdict(j, part, VK_PART_STATE_STALE,
			"entr%s %s %s otherwise than what is taken, and nothing proves which is newer",
			missing == 1 ? "y" : "ies", names, missing == 1 ? "is" : "are");
	else if (j->proof == VK_GPT_PROOF_OLDER && missing == 0)
		verdict(j, part, VK_PART_STATE_STALE, "its entries are not those that the header's checksum names");
	else if (missing == 0)
		verdict(j, part, VK_PART_STATE_DAMAGED, "no header's checksum fits it");
	else if (!header_names(j, array) && vk_gpt_one_bit_apart(array->bytes, final, j->look.array_bytes, &bit))
		verdict(j, part, VK_PART_STATE_DAMAGED, "bit %zu of byte %zu is flipped, in entry %zu", bit % 8,
			bit / 8, bit / 8 / j->look.entry_size + 1);
	else if (header_names(j, array) || differs_like_older(j, array->bytes))
		verdict(j, part, VK_PART_STATE_STALE, "entr%s %s stand%s there as of an earlier time",
			missing == 1 ? "y" : "ies", names, missing == 1 ? "s" : "");
	else
		verdict(j, part, VK_PART_STATE_DAMAGED, "entr%s %s differ%s from what counts or make%s no sense",
			missing == 1 ? "y" : "ies", names, missing == 1 ? "s" : "", missing == 1 ? "s" : "");
}

static void judge_array(struct vk_gpt_judgement *j, enum vk_table_part part, const struct vk_gpt_array_seen *array)
{
	struct vk_table_part_verdict *v = &j->parts[part];
	uint64_t lba = part == VK_TP_PRIMARY_ARRAY ? j->image.header.entriesLBA : j->image.backup_array_lba;

	v->offset_bytes = vk_mul_sat(lba, j->look.sector_size);
	v->length_bytes = j->look.array_bytes;
	if (array == NULL || array->held == VK_GPT_OUTSIDE)
		verdict(j, part, VK_PART_STATE_UNREADABLE, "it lies behind the end of this source");
	else if (array->held == VK_GPT_UNREADABLE)
		verdict(j, part, VK_PART_STATE_UNREADABLE, "sector %llu cannot be read in whole", (ull)lba);
	else
		judge_held_array(j, part, array);
}

void vk_gpt_give_verdicts(struct vk_gpt_judgement *j)
{
	j->parts[VK_TP_MBR].length_bytes = VK_MBR_BYTES;
	judge_mbr(j);
	judge_header(j, VK_TP_PRIMARY_HEADER, 1);
	judge_array(j, VK_TP_PRIMARY_ARRAY, j->arrays[0]);
	judge_array(j, VK_TP_BACKUP_ARRAY, j->arrays[1]);
	judge_header(j, VK_TP_BACKUP_HEADER, j->image.header.alternateLBA);
	j->sound = !j->sector_size_differs && !j->cut;
	for (int part = VK_TP_MBR; part <= VK_TP_BACKUP_HEADER; part++)
		j->sound = j->sound && vk_part_state_stands(j->parts[part].state);
}
