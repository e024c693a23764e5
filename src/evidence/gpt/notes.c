/* SPDX-License-Identifier: Apache-2.0 */
/* What a person must know about a damaged GPT: which copy counts and why, what is lost, what else. */
#include <string.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "base/texts.h"
#include "evidence/gpt/case.h"

typedef unsigned long long ull;

/* In a condition: false when memory ran out. */
#define LOST(j, ...) vk_sentence_add(&(j)->lost, &(j)->lost_count, __VA_ARGS__)
#define NOTE(j, ...) vk_sentence_add(&(j)->notes, &(j)->note_count, __VA_ARGS__)

static const char *copy_name(bool backup)
{
	return backup ? "backup" : "primary";
}

static void compare_headers(const struct vk_gpt_judgement *j, struct vk_text *text)
{
	const struct vk_gpt_header_seen *chosen = j->chosen, *other = NULL;
	const char *right = copy_name(chosen->lba != 1);
	uint64_t end = 0; /* of the disk that the other header was made for */

	VK_GPT_EACH_HEADER(h, &j->look)
		if (other == NULL && (h->lba == 1) != (chosen->lba == 1) && vk_gpt_header_trusted(h))
			other = h;
	if (other != NULL)
		end = vk_max_u64(other->header.myLBA, other->header.alternateLBA);
	if (j->contested)
		vk_text_fmt(text,
			    "both copies are whole and made for this disk, but have different entries; the %s one is "
			    "used: %s",
			    right,
			    j->fits_found > 0 ? "its entries fit the volumes that were found best"
					      : "systems use this one");
	else if (j->rival != NULL)
		vk_text_fmt(text, "the %s array does not match the checksum of the %s header; ",
			    copy_name(j->rival->backup), right);
	else if (!chosen->fits && j->grown_from_sectors != 0)
		vk_text_fmt(text, "no copy is made for a disk of %llu sectors: they are for one of %llu",
			    (ull)j->look.disk_sectors, (ull)j->grown_from_sectors);
	else if (!chosen->fits)
		vk_text_fmt(text, "the %s header is sound in itself, but not in its right place or form", right);
	else if (other == NULL)
		vk_text_fmt(text, "only the %s header is left", right);
	else if (!other->fits && end == j->look.disk_sectors - 1)
		vk_text_fmt(text, "the %s header is in its right place and form, the other is not", right);
	else if (!other->fits)
		vk_text_fmt(text,
			    "the %s header is the newer one: it is made for this disk of %llu sectors, the other "
			    "for one that ended with sector %llu",
			    right, (ull)j->look.disk_sectors, (ull)end);
	else if (other->header.entriesCRC32 != chosen->header.entriesCRC32)
		vk_text_fmt(text,
			    "the entries match the checksum of the %s header, and not that of the other",
			    right);
	else
		vk_text_put(text, "both headers agree");
	if (!j->contested && j->rival != NULL && j->rival_counts)
		vk_text_put(text, "it is used, for it fits the volumes better or the remains of its header name it, "
				  "with the disk GUID of that header");
	else if (!j->contested && j->rival != NULL)
		vk_text_fmt(text, "the %s copy is used, for the other fits the volumes no better", right);
}

static void say_right(struct vk_gpt_judgement *j)
{
	const struct vk_gpt_array_seen *array = NULL; /* that the entries were taken from as a whole */
	struct vk_text text = vk_text_in(j->why_right, sizeof(j->why_right));

	j->right = j->chosen == NULL ? -1 : j->chosen->lba != 1;
	if (!j->was_gpt)
		return;
	if (j->chosen == NULL)
		vk_text_put(&text, "no header is left that its checksum proves");
	else
		compare_headers(j, &text);
	VK_GPT_EACH_ARRAY(a, &j->look)
		if (array == NULL && a->held == VK_GPT_HELD && vk_gpt_is_image(j, a->bytes))
			array = a;
	if (array == NULL)
		array = j->from;
	if (j->proof == VK_GPT_PROOF_PIECED)
		vk_text_put(&text, j->adapted ? "; its checksum proves older entries with the ends of the "
						"volumes that were found"
					      : "; its checksum proves a combination of the entries of both arrays");
	else if (j->proof == VK_GPT_PROOF_EQUAL)
		vk_text_put(&text, "; both arrays hold the same entries");
	else if (j->proof <= VK_GPT_PROOF_BIT && j->chosen != NULL && array != NULL &&
		 array->backup != (j->chosen->lba != 1) && j->arrays[0] != NULL &&
		 !vk_gpt_is_image(j, j->arrays[0]->bytes))
		vk_text_fmt(&text, "; its checksum proves the entries of the %s array", copy_name(array->backup));
}

static bool say_lost_header(struct vk_gpt_judgement *j)
{
	const struct vk_gpt_header *h = &j->image.header;
	bool kept;

	if (j->chosen != NULL)
		return true;
	if (vk_guid_is_nil(&h->diskGUID))
		kept = LOST(j, "the disk GUID is lost: no GPT header is left");
	else if (!j->disk_guid_known)
		kept = LOST(j, "the disk GUID is not proved: it comes from one damaged header");
	else
		kept = NOTE(j, "the disk GUID comes from two damaged headers, which agree");
	return kept && LOST(j,
			    "the usable range and the number of entries are lost with both headers; the usual ones "
			    "(sectors %llu to %llu, %u entries) take their place",
			    (ull)h->firstUsableLBA, (ull)h->lastUsableLBA, h->numEntries);
}

/* Entries that stand in an array where they belong and were not taken. */
static bool say_refused_entries(struct vk_gpt_judgement *j)
{
	char names[100];
	unsigned count = 0;
	struct vk_text text = vk_text_in(names, sizeof(names));

	for (uint32_t i = 0; i < j->look.entries; i++) {
		bool there = false;

		for (int side = 0; side < 2; side++)
			there = there || (vk_gpt_has_entries(j->arrays[side]) &&
					  !vk_gpt_is_blank_slot(j, j->arrays[side]->bytes, i));
		if (there && vk_gpt_is_blank_slot(j, j->image.array, i))
			vk_gpt_name_slot(&text, i, count++, 12);
	}
	return count == 0 ||
	       LOST(j, "the bytes in the place of entr%s %s are not an entry", count == 1 ? "y" : "ies", names);
}

static bool say_lost_entries(struct vk_gpt_judgement *j)
{
	if (vk_gpt_proof_exact(j->proof))
		return true;
	if (j->proof == VK_GPT_PROOF_NONE)
		return LOST(j, "all GPT entries are lost: neither array holds one that makes sense, so the "
			       "partitions' numbers, GUIDs and names are not known");
	if (j->proof == VK_GPT_PROOF_RIVALLED)
		return LOST(j, "which entries were written last cannot be proved: %s", j->why_right);
	if (j->newer != NULL)
		return LOST(j,
			    "a table made for this disk of %llu sectors was there (%s). The whole table that is left "
			    "is older, from when the disk had %llu: later changes are lost",
			    (ull)j->look.disk_sectors, j->newer, (ull)j->grown_from_sectors);
	if (j->proof == VK_GPT_PROOF_OLDER)
		return LOST(j,
			    "the newest entries are lost: nothing that is left matches the header's checksum 0x%08x. "
			    "The entries that are left are older",
			    j->chosen->header.entriesCRC32);
	return LOST(j,
		    "the entries as a whole cannot be proved: %zu %s left, each judged alone, and others "
		    "may have been there",
		    j->entry_count, j->entry_count == 1 ? "is" : "are") &&
	       say_refused_entries(j);
}

static bool say_size(struct vk_gpt_judgement *j)
{
	ull was = j->grown_from_sectors, now = j->look.disk_sectors, array = j->look.array_sectors;

	if (j->cut)
		return NOTE(j, "the source ends before its disk does: nothing can be written to it");
	if (was == 0)
		return true;
	if (was > now)
		return NOTE(j,
			    "the table is of a disk of %llu sectors, this one has %llu: the disk was cut off, "
			    "or the table was copied from a larger one",
			    was, now);
	return NOTE(j, "the disk was grown from %llu to %llu sectors", was, now) &&
	       (was <= array + 1 || NOTE(j, "the old backup, in sectors %llu to %llu, is left as it is",
					 was - 1 - array, was - 1));
}

static bool say_notes(struct vk_gpt_judgement *j)
{
	bool stale = j->parts[VK_TP_PRIMARY_ARRAY].state == VK_PART_STATE_STALE ||
		     j->parts[VK_TP_BACKUP_ARRAY].state == VK_PART_STATE_STALE ||
		     j->parts[VK_TP_PRIMARY_HEADER].state == VK_PART_STATE_STALE ||
		     j->parts[VK_TP_BACKUP_HEADER].state == VK_PART_STATE_STALE;

	/* why one copy counts more matters where they tell different stories */
	if (stale && j->chosen != NULL && !NOTE(j, "which copy is used: %s", j->why_right))
		return false;
	if (j->why_sector_size[0] != '\0' && j->was_gpt && !NOTE(j, "sector size: %s", j->why_sector_size))
		return false;
	if (j->chosen != NULL && !j->chosen->fits && j->proof == VK_GPT_PROOF_EQUAL &&
	    !NOTE(j, "no header from after the last change is left; the entries that both arrays share are used"))
		return false;
	if (j->contested &&
	    !NOTE(j, "two whole copies differ, and one was chosen: compare both before writing"))
		return false;
	return say_size(j);
}

enum vk_status vk_gpt_say_what_counts(struct vk_gpt_judgement *j)
{
	bool kept = true;

	say_right(j);
	if (j->was_gpt && j->parts[VK_TP_MBR].state == VK_PART_STATE_LOST && j->look.mbr_held == VK_GPT_HELD &&
	    vk_all_zero(j->look.mbr_bytes, VK_MBR_ENTRY_OFFSET))
		kept = LOST(j, "boot code and disk signature of sector 0, if it had any, are lost; VMFS needs neither");
	if (kept && j->was_gpt)
		kept = say_lost_header(j) && say_lost_entries(j);
	return kept && say_notes(j) ? VK_OK : VK_NOMEM;
}
