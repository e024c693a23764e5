/* SPDX-License-Identifier: Apache-2.0 */
/* The verdict on each part of a GPT. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "evidence/gpt/case.h"

typedef unsigned long long ull;

static void verdict(struct vk_gpt_case *c, enum vk_table_part part, enum vk_part_state state,
		    const char *fmt, ...) __attribute__((format(printf, 4, 5)));
static void verdict(struct vk_gpt_case *c, enum vk_table_part part, enum vk_part_state state,
		    const char *fmt, ...)
{
	struct vk_table_part_verdict *v = &c->j.parts[part];
	va_list args;

	v->state = state;
	va_start(args, fmt);
	(void)vsnprintf(v->why, sizeof(v->why), fmt, args);
	va_end(args);
}

static void judge_entry_of_mbr(struct vk_gpt_case *c, const struct vk_mbr_entry *e)
{
	uint64_t expected = vk_min_u64(c->look.disk_sectors - 1, UINT32_MAX);

	if (e->firstLBA != 1)
		verdict(c, VK_TP_MBR, VK_PART_STATE_DAMAGED,
			"its protection begins in sector %u, not in sector 1", e->firstLBA);
	else if (e->sectors < expected)
		verdict(c, VK_TP_MBR, VK_PART_STATE_STALE,
			"it protects %u sectors, the disk has %llu behind sector 0", e->sectors,
			(ull)c->look.disk_sectors - 1);
	else
		verdict(c, VK_TP_MBR, VK_PART_STATE_STALE,
			"it protects %u sectors, more than the disk has (%llu)", e->sectors,
			(ull)c->look.disk_sectors - 1);
}

static void judge_mbr(struct vk_gpt_case *c)
{
	const uint8_t *now = c->look.mbr_bytes;
	uint8_t right[VK_MBR_BYTES];
	const struct vk_mbr *mbr = &c->look.mbr;

	if (c->look.mbr_held != VK_GPT_HELD) {
		verdict(c, VK_TP_MBR, VK_PART_STATE_UNREADABLE, "sector 0 cannot be read");
		return;
	}
	(void)vk_gpt_protective_mbr(now, c->look.disk_sectors, 0, right);
	if (memcmp(now, right, sizeof(right)) == 0)
		verdict(c, VK_TP_MBR, VK_PART_STATE_CONSISTENT, "nothing contradicts it; it has no checksum");
	else if (vk_all_zero(now, VK_MBR_BYTES))
		verdict(c, VK_TP_MBR, VK_PART_STATE_LOST, "it is all zeros");
	else if (vk_all_zero(now + VK_MBR_ENTRY_OFFSET, 66))
		verdict(c, VK_TP_MBR, VK_PART_STATE_LOST, "entries and signature are zeros");
	else if (c->j.foreign_mbr)
		verdict(c, VK_TP_MBR, VK_PART_STATE_FOREIGN,
			"it holds partitions of another table and protects nothing");
	else if (!vk_mbr_is_protective(mbr))
		verdict(c, VK_TP_MBR, VK_PART_STATE_DAMAGED, "no entry protects the GPT");
	else if (mbr->signature != VK_MBR_SIGNATURE)
		verdict(c, VK_TP_MBR, VK_PART_STATE_DAMAGED, "the signature is %02x %02x, not 55 aa",
			now[510], now[511]);
	else
		for (size_t i = 0; i < 4; i++)
			if (mbr->entries[i].type == VK_MBR_TYPE_PROTECTIVE) {
				struct vk_mbr_entry healed;

				vk_layout_decode(&vk_mbr_entry_layout,
						 right + VK_MBR_ENTRY_OFFSET + i * VK_MBR_ENTRY_BYTES,
						 VK_MBR_ENTRY_BYTES, &healed);
				if (healed.firstLBA == mbr->entries[i].firstLBA &&
				    healed.sectors == mbr->entries[i].sectors)
					verdict(c, VK_TP_MBR, VK_PART_STATE_DAMAGED,
						"bytes beside its place and length are damaged");
				else
					judge_entry_of_mbr(c, &mbr->entries[i]);
				return;
			}
}

static const struct vk_gpt_header_seen *header_at(const struct vk_gpt_case *c, uint64_t lba)
{
	for (size_t i = 0; i < c->look.header_count; i++)
		if (c->look.headers[i].lba == lba)
			return &c->look.headers[i];
	return NULL;
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
static const char *field_that_differs(const struct vk_gpt_case *c, enum vk_table_part part,
				      const struct vk_gpt_header *h)
{
	struct vk_gpt_header right = c->j.image.header;

	if (part == VK_TP_BACKUP_HEADER) {
		right.myLBA = right.alternateLBA;
		right.alternateLBA = 1;
		right.entriesLBA = c->j.image.backup_array_lba;
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
static void judge_trusted(struct vk_gpt_case *c, enum vk_table_part part,
			  const struct vk_gpt_header_seen *seen)
{
	const struct vk_gpt_header *h = &seen->header;
	uint64_t last = c->look.disk_sectors - 1;
	uint64_t other = part == VK_TP_PRIMARY_HEADER ? last : 1;
	const char *differs;

	if (h->myLBA != seen->lba)
		verdict(c, part, VK_PART_STATE_STALE,
			"it belongs in sector %llu: written for another place or before the disk changed its size",
			(ull)h->myLBA);
	else if (h->alternateLBA != other)
		verdict(c, part, VK_PART_STATE_STALE,
			"it looks for its copy in sector %llu; the disk ends with sector %llu",
			(ull)h->alternateLBA, (ull)last);
	else if (!seen->fits)
		verdict(c, part, VK_PART_STATE_STALE, "its usable range and its entries lie over each other");
	else if (c->chosen != NULL && seen != c->chosen &&
		 !vk_guid_equal(&h->diskGUID, &c->chosen->header.diskGUID))
		verdict(c, part, VK_PART_STATE_STALE, "it names another disk GUID than the copy that counts");
	else if (c->j.proof == VK_GPT_PROOF_RIVALLED &&
		 h->entriesCRC32 != vk_crc32(0, c->j.image.array, c->look.array_bytes))
		verdict(c, part, VK_PART_STATE_STALE,
			"its checksum names other entries than are taken, and nothing proves which are newer");
	else if (vk_gpt_proof_exact(c->j.proof) &&
		 h->entriesCRC32 != vk_crc32(0, c->j.image.array, c->look.array_bytes))
		verdict(c, part, VK_PART_STATE_STALE, "its checksum names other entries: of an earlier time");
	else if (seen->mended)
		verdict(c, part, VK_PART_STATE_DAMAGED,
			"bit %u of byte %u (%s) is flipped, which its checksum tells", seen->bit % 8,
			seen->bit / 8, field_at(seen->bit / 8));
	else if ((differs = field_that_differs(c, part, h)) != NULL)
		verdict(c, part, VK_PART_STATE_STALE, "%s is not as in the copy that counts", differs);
	else if (c->j.proof == VK_GPT_PROOF_RIVALLED)
		verdict(c, part, VK_PART_STATE_CONSISTENT, "it is whole, but nothing proves that it is the newer one");
	else
		verdict(c, part, VK_PART_STATE_SOUND, "%s", "");
}

/* How many of the bytes that the header ought to hold are there. */
static size_t bytes_right(const struct vk_gpt_case *c, const struct vk_gpt_header_seen *seen)
{
	uint8_t right[VK_GPT_HEADER_BYTES];
	size_t count = 0;

	vk_gpt_header_encode(&c->j.image.header, right, sizeof(right));
	for (size_t i = 0; i < sizeof(right); i++)
		count += right[i] != 0 && right[i] == seen->sector[i];
	return count;
}

static void judge_header(struct vk_gpt_case *c, enum vk_table_part part, uint64_t lba)
{
	const struct vk_gpt_header_seen *seen = header_at(c, lba);
	struct vk_table_part_verdict *v = &c->j.parts[part];

	v->offset_bytes = vk_mul_sat(lba, c->look.sector_size);
	v->length_bytes = c->look.sector_size;
	if (seen == NULL || seen->held == VK_GPT_OUTSIDE)
		verdict(c, part, VK_PART_STATE_UNREADABLE, "sector %llu lies behind the end of this source",
			(ull)lba);
	else if (seen->held == VK_GPT_UNREADABLE)
		verdict(c, part, VK_PART_STATE_UNREADABLE, "sector %llu cannot be read", (ull)lba);
	else if (vk_gpt_header_trusted(seen))
		judge_trusted(c, part, seen);
	else if (seen->blank)
		verdict(c, part, VK_PART_STATE_LOST, "sector %llu is all zeros", (ull)lba);
	else if (seen->present)
		verdict(c, part, VK_PART_STATE_DAMAGED, "its checksum is wrong by more than one bit");
	else if (bytes_right(c, seen) >= 12)
		verdict(c, part, VK_PART_STATE_DAMAGED, "parts of it are overwritten, the signature with them");
	else
		verdict(c, part, VK_PART_STATE_LOST, "something else stands in sector %llu", (ull)lba);
}

/* Bounds that moved, an entry more or less: what time does. Anything else is damage. */
static bool differs_like_older(const struct vk_gpt_case *c, const uint8_t *array)
{
	for (uint32_t i = 0; i < c->look.entries; i++) {
		size_t at = (size_t)i * c->look.entry_size;
		struct vk_gpt_entry was, is;
		bool used = vk_gpt_look_entry(&c->look, array, i, &was);

		if (memcmp(array + at, c->j.image.array + at, c->look.entry_size) == 0)
			continue;
		if (!used && !vk_all_zero(array + at, c->look.entry_size))
			return false;
		if (!used || !vk_gpt_image_get(&c->j.image, i + 1, &is))
			continue;
		is.firstLBA = was.firstLBA;
		is.lastLBA = was.lastLBA;
		if (memcmp(&is, &was, sizeof(is)) != 0)
			return false;
	}
	return true;
}

static unsigned entries_missing(const struct vk_gpt_case *c, const uint8_t *array, char *names,
				size_t cap)
{
	unsigned count = 0;
	struct vk_text text;

	vk_text_init(&text, names, cap);
	for (uint32_t i = 0; i < c->look.entries; i++) {
		size_t at = (size_t)i * c->look.entry_size;

		if (memcmp(array + at, c->j.image.array + at, c->look.entry_size) == 0)
			continue;
		if (count < 8)
			vk_text_fmt(&text, "%s%u", count == 0 ? "" : ", ", i + 1);
		else if (count == 8)
			vk_text_put(&text, " and more");
		count++;
	}
	return count;
}

bool vk_gpt_one_bit_apart(const uint8_t *a, const uint8_t *b, size_t len, size_t *ret_bit)
{
	int bits = 0;

	for (size_t i = 0; i < len && bits < 2; i++) {
		uint8_t difference = a[i] ^ b[i];

		if (difference == 0)
			continue;
		bits += __builtin_popcount(difference);
		*ret_bit = i * 8 + (size_t)__builtin_ctz(difference);
	}
	return bits == 1;
}

static bool header_names(const struct vk_gpt_case *c, const struct vk_gpt_array_seen *array)
{
	for (size_t i = 0; i < c->look.header_count; i++)
		if (vk_gpt_header_trusted(&c->look.headers[i]) &&
		    vk_gpt_matches(c, &c->look.headers[i], array))
			return true;
	return false;
}

static void judge_held_array(struct vk_gpt_case *c, enum vk_table_part part,
			     const struct vk_gpt_array_seen *array)
{
	const uint8_t *final = c->j.image.array;
	char names[80];
	size_t bit;
	unsigned missing = entries_missing(c, array->bytes, names, sizeof(names));

	if (missing == 0 && vk_gpt_proof_exact(c->j.proof))
		verdict(c, part, VK_PART_STATE_SOUND, "%s", "");
	else if (array->blank)
		verdict(c, part, VK_PART_STATE_LOST, "it is all zeros");
	else if (c->j.proof == VK_GPT_PROOF_RIVALLED && missing == 0)
		verdict(c, part, VK_PART_STATE_CONSISTENT, "it holds the entries that are taken, but nothing proves that they are the newer ones");
	else if (c->j.proof == VK_GPT_PROOF_RIVALLED && (array == c->rival || header_names(c, array)))
		verdict(c, part, VK_PART_STATE_STALE,
			"entr%s %s %s otherwise than what is taken, and nothing proves which is newer",
			missing == 1 ? "y" : "ies", names, missing == 1 ? "is" : "are");
	else if (c->j.proof == VK_GPT_PROOF_OLDER && missing == 0)
		verdict(c, part, VK_PART_STATE_STALE, "its entries are not those that the header's checksum names");
	else if (missing == 0)
		verdict(c, part, VK_PART_STATE_DAMAGED, "no header's checksum fits it");
	else if (!header_names(c, array) && vk_gpt_one_bit_apart(array->bytes, final, c->look.array_bytes, &bit))
		verdict(c, part, VK_PART_STATE_DAMAGED, "bit %zu of byte %zu is flipped, in entry %zu", bit % 8,
			bit / 8, bit / 8 / c->look.entry_size + 1);
	else if (header_names(c, array) || differs_like_older(c, array->bytes))
		verdict(c, part, VK_PART_STATE_STALE, "entr%s %s stand%s there as of an earlier time",
			missing == 1 ? "y" : "ies", names, missing == 1 ? "s" : "");
	else
		verdict(c, part, VK_PART_STATE_DAMAGED, "entr%s %s differ%s from what counts or make%s no sense",
			missing == 1 ? "y" : "ies", names, missing == 1 ? "s" : "",
			missing == 1 ? "s" : "");
}

static void judge_array(struct vk_gpt_case *c, enum vk_table_part part,
			const struct vk_gpt_array_seen *array)
{
	struct vk_table_part_verdict *v = &c->j.parts[part];
	uint64_t lba = part == VK_TP_PRIMARY_ARRAY ? c->j.image.header.entriesLBA
						   : c->j.image.backup_array_lba;

	v->offset_bytes = vk_mul_sat(lba, c->look.sector_size);
	v->length_bytes = c->look.array_bytes;
	if (array == NULL || array->held == VK_GPT_OUTSIDE)
		verdict(c, part, VK_PART_STATE_UNREADABLE, "it lies behind the end of this source");
	else if (array->held == VK_GPT_UNREADABLE)
		verdict(c, part, VK_PART_STATE_UNREADABLE, "sector %llu cannot be read in whole", (ull)lba);
	else
		judge_held_array(c, part, array);
}

void vk_gpt_give_verdicts(struct vk_gpt_case *c)
{
	struct vk_gpt_judgement *j = &c->j;

	j->parts[VK_TP_MBR].length_bytes = VK_MBR_BYTES;
	judge_mbr(c);
	judge_header(c, VK_TP_PRIMARY_HEADER, 1);
	judge_array(c, VK_TP_PRIMARY_ARRAY, c->primary);
	judge_array(c, VK_TP_BACKUP_ARRAY, c->backup);
	judge_header(c, VK_TP_BACKUP_HEADER, j->image.header.alternateLBA);
	j->sound = !j->sector_size_differs && !j->cut;
	for (int part = VK_TP_MBR; part <= VK_TP_BACKUP_HEADER; part++)
		j->sound = j->sound && vk_part_state_stands(j->parts[part].state);
}
