/* SPDX-License-Identifier: Apache-2.0 */
/* What a person must know about a damaged GPT: which copy counts and why, what is lost, what else. */
#include <string.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "evidence/gpt/case.h"
#include "base/texts.h"

typedef unsigned long long ull;

/* In a condition: false when memory ran out. */
#define LOST(c, ...) vk_sentence_add(&(c)->j.lost, &(c)->j.lost_count, __VA_ARGS__)
#define NOTE(c, ...) vk_sentence_add(&(c)->j.notes, &(c)->j.note_count, __VA_ARGS__)

static const char *copy_name(bool backup)
{
	return backup ? "backup" : "primary";
}

/* The array that the entries were taken from as a whole; NULL: from none alone. */
static const struct vk_gpt_array_seen *whole_source(const struct vk_gpt_case *c)
{
	for (size_t i = 0; i < c->look.array_count; i++)
		if (c->look.arrays[i].held == VK_GPT_HELD &&
		    memcmp(c->look.arrays[i].bytes, c->j.image.array, c->look.array_bytes) == 0)
			return &c->look.arrays[i];
	return c->from;
}

static const struct vk_gpt_header_seen *other_header(const struct vk_gpt_case *c)
{
	for (size_t i = 0; i < c->look.header_count; i++)
		if ((c->look.headers[i].lba == 1) != (c->chosen->lba == 1) &&
		    vk_gpt_header_trusted(&c->look.headers[i]))
			return &c->look.headers[i];
	return NULL;
}

static void compare_headers(struct vk_gpt_case *c, struct vk_text *text)
{
	const struct vk_gpt_header_seen *other = other_header(c);
	const char *right = copy_name(c->chosen->lba != 1);

	if (c->contested)
		vk_text_fmt(text,
			    "both copies are whole and made for this disk, but hold different entries; the %s one "
			    "counts: %s",
			    right,
			    c->j.fits_found > 0 ? "its entries fit the volumes that were found best"
						: "it is the one that systems read");
	else if (c->rival != NULL && c->rival_counts)
		vk_text_fmt(text, "the %s array holds another table than the %s header's checksum names; it counts, for it fits the "
				  "volumes better or what is left of its header names it, with the disk GUID of that header", copy_name(c->rival->backup), right);
	else if (c->rival != NULL)
		vk_text_fmt(text, "the %s array holds another table than the %s header's checksum names; the %s copy counts, for the other "
				  "fits the volumes no better", copy_name(c->rival->backup), right, right);
	else if (!c->chosen->fits && c->j.grown_from_sectors != 0)
		vk_text_fmt(text, "no copy is made for a disk of %llu sectors: they are of one of %llu",
			    (ull)c->look.disk_sectors, (ull)c->j.grown_from_sectors);
	else if (!c->chosen->fits)
		vk_text_fmt(text, "the %s header is sound in itself, though not where or how it ought to be",
			    right);
	else if (other == NULL)
		vk_text_fmt(text, "only the %s header is left", right);
	else if (!other->fits && vk_max_u64(other->header.myLBA, other->header.alternateLBA) ==
					 c->look.disk_sectors - 1)
		vk_text_fmt(text, "the %s header stands where and as it ought to, the other does not", right);
	else if (!other->fits)
		vk_text_fmt(text,
			    "the %s header is the newer one: it is made for this disk of %llu sectors, the other "
			    "for one that ended with sector %llu",
			    right, (ull)c->look.disk_sectors,
			    (ull)vk_max_u64(other->header.myLBA, other->header.alternateLBA));
	else if (other->header.entriesCRC32 != c->chosen->header.entriesCRC32)
		vk_text_fmt(text, "the entries that the %s header's checksum names are there, those of the "
				  "other are not", right);
	else
		vk_text_put(text, "both headers agree");
}

static void say_right(struct vk_gpt_case *c)
{
	const struct vk_gpt_array_seen *array = whole_source(c);
	struct vk_text text;

	vk_text_init(&text, c->j.why_right, sizeof(c->j.why_right));
	c->j.right = c->chosen == NULL ? -1 : c->chosen->lba != 1;
	if (!c->j.was_gpt)
		return;
	if (c->chosen == NULL)
		vk_text_put(&text, "no header is left that its checksum proves");
	else
		compare_headers(c, &text);
	if (c->j.proof == VK_GPT_PROOF_PIECED)
		vk_text_put(&text, c->adapted ? "; its checksum proves older entries with the ends of the "
						"volumes that were found"
					      : "; its checksum proves entries of both arrays put together");
	else if (c->j.proof == VK_GPT_PROOF_EQUAL)
		vk_text_put(&text, "; both arrays hold the same entries");
	else if (c->j.proof <= VK_GPT_PROOF_BIT && c->chosen != NULL && array != NULL &&
		 array->backup != (c->chosen->lba != 1) && c->primary != NULL &&
		 memcmp(c->primary->bytes, c->j.image.array, c->look.array_bytes) != 0)
		vk_text_fmt(&text, "; its checksum proves the entries of the %s array",
			    copy_name(array->backup));
}

static bool say_lost_header(struct vk_gpt_case *c)
{
	const struct vk_gpt_header *h = &c->j.image.header;
	bool kept;

	if (c->chosen != NULL || !c->j.was_gpt)
		return true;
	if (vk_guid_is_nil(&h->diskGUID))
		kept = LOST(c, "The disk GUID is lost: no GPT header is left");
	else if (!c->j.disk_guid_known)
		kept = LOST(c, "The disk GUID cannot be proved: it is that of one damaged header");
	else
		kept = NOTE(c, "The disk GUID is that of two damaged headers, which agree in it");
	return kept &&
	       LOST(c, "The usable range and the number of entries are lost with both headers; the usual ones "
		       "(sectors %llu to %llu, %u entries) take their place",
		    (ull)h->firstUsableLBA, (ull)h->lastUsableLBA, h->numEntries);
}

/* Entries that stand in an array where they belong and were not taken. */
static bool say_refused_entries(struct vk_gpt_case *c)
{
	char names[100];
	unsigned count = 0;
	struct vk_text text;

	vk_text_init(&text, names, sizeof(names));
	for (uint32_t i = 0; i < c->look.entries; i++) {
		size_t at = (size_t)i * c->look.entry_size;
		const struct vk_gpt_array_seen *sides[2] = {c->primary, c->backup};
		bool there = false;

		for (int side = 0; side < 2; side++)
			there = there || (sides[side] != NULL && sides[side]->held == VK_GPT_HELD &&
					  !vk_all_zero(sides[side]->bytes + at, c->look.entry_size));
		if (!there || !vk_all_zero(c->j.image.array + at, c->look.entry_size))
			continue;
		if (count < 12)
			vk_text_fmt(&text, "%s%u", count == 0 ? "" : ", ", i + 1);
		else if (count == 12)
			vk_text_put(&text, " and more");
		count++;
	}
	return count == 0 ||
	       LOST(c, "In the place of entr%s %s stand bytes that make no entry",
		    count == 1 ? "y" : "ies", names);
}

static bool say_lost_entries(struct vk_gpt_case *c)
{
	if (!c->j.was_gpt || vk_gpt_proof_exact(c->j.proof))
		return true;
	if (c->j.proof == VK_GPT_PROOF_NONE)
		return LOST(c, "All GPT entries are lost: neither array holds one that makes sense, so the "
			       "partitions' numbers, GUIDs and names are not known");
	if (c->j.proof == VK_GPT_PROOF_RIVALLED)
		return LOST(c, "Which entries were written last cannot be proved: %s", c->j.why_right);
	if (c->newer != NULL)
		return LOST(c, "A table made for this disk of %llu sectors was there (%s). What is left whole is of "
			       "before, when it had %llu: what was changed since is lost",
			    (ull)c->look.disk_sectors, c->newer, (ull)c->j.grown_from_sectors);
	if (c->j.proof == VK_GPT_PROOF_OLDER)
		return LOST(c, "The entries as they were written last are lost: the header's checksum 0x%08x fits "
			       "nothing that is left. Those that are there are of an earlier time",
			    c->chosen->header.entriesCRC32);
	return LOST(c, "The entries as a whole cannot be proved: %zu %s left, each judged alone, and others "
		       "may have been there",
		    c->j.entry_count, c->j.entry_count == 1 ? "is" : "are") &&
	       say_refused_entries(c);
}

static bool say_lost_mbr(struct vk_gpt_case *c)
{
	if (!c->j.was_gpt || c->look.mbr_held != VK_GPT_HELD ||
	    !vk_all_zero(c->look.mbr_bytes, VK_MBR_ENTRY_OFFSET))
		return true;
	if (c->j.parts[VK_TP_MBR].state == VK_PART_STATE_LOST)
		return LOST(c, "Boot code and disk signature of sector 0, if it had any, are lost; VMFS needs neither");
	return true;
}

static bool say_size(struct vk_gpt_case *c)
{
	uint64_t was = c->j.grown_from_sectors;
	uint64_t array = c->look.array_sectors;

	if (c->j.cut)
		return NOTE(c, "The source ends before its disk does: nothing can be put on it");
	if (was == 0)
		return true;
	if (was > c->look.disk_sectors)
		return NOTE(c, "The table is of a disk of %llu sectors, this one has %llu: the disk was cut off, "
			       "or the table was copied from a larger one",
			    (ull)was, (ull)c->look.disk_sectors);
	return NOTE(c, "The disk was grown from %llu to %llu sectors", (ull)was, (ull)c->look.disk_sectors) &&
	       (was <= array + 1 ||
		NOTE(c, "The backup of before, in sectors %llu to %llu, is left as it is",
		     (ull)(was - 1 - array), (ull)was - 1));
}

/* Why one copy counts more matters where they tell different stories. */
static bool say_choice(struct vk_gpt_case *c)
{
	bool stale = false;

	for (int part = VK_TP_PRIMARY_HEADER; part <= VK_TP_BACKUP_HEADER; part++)
		stale = stale || c->j.parts[part].state == VK_PART_STATE_STALE;
	return !stale || c->chosen == NULL || NOTE(c, "Which copy counts: %s", c->j.why_right);
}

static bool say_notes(struct vk_gpt_case *c)
{
	if (!say_choice(c))
		return false;
	if (c->j.why_sector_size[0] != '\0' && c->j.was_gpt &&
	    !NOTE(c, "Sector size: %s", c->j.why_sector_size))
		return false;
	if (c->chosen != NULL && !c->chosen->fits && c->j.proof == VK_GPT_PROOF_EQUAL &&
	    !NOTE(c, "No header of after the last change is left; the entries that both arrays hold alike are taken"))
		return false;
	if (c->contested && !NOTE(c, "Of two whole copies that differ, one had to be chosen: compare both before writing"))
		return false;
	return say_size(c);
}

enum vk_status vk_gpt_say_what_counts(struct vk_gpt_case *c)
{
	say_right(c);
	return say_lost_mbr(c) && say_lost_header(c) && say_lost_entries(c) && say_notes(c) ? VK_OK
											    : VK_NOMEM;
}
