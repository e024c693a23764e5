/* SPDX-License-Identifier: Apache-2.0 */
/* Judges a GPT: which sector size, which header counts; the entries and the words are in files of their own. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/checked.h"
#include "evidence/gpt/case.h"
#include "base/texts.h"

/* A table begins with its first entries: some sensible one must be among these. */
enum { SLOTS_LOOKED_AT = 8 };

static bool tells_entries(const struct vk_gpt_look *look, const struct vk_gpt_array_seen *array)
{
	for (uint32_t i = 0; i < SLOTS_LOOKED_AT && i < look->entries; i++) {
		struct vk_gpt_entry e;

		if (array->held == VK_GPT_HELD && !array->blank && vk_gpt_look_entry(look, array->bytes, i, &e) &&
		    strcmp(vk_gpt_type_name(&e.typeGUID), "unknown") != 0)
			return true;
	}
	return false;
}

/* Evidence for a table that counts in this sector size; 0: none at all. */
static unsigned evidence(const struct vk_gpt_look *look)
{
	unsigned points = 0;

	VK_GPT_EACH_HEADER(seen, look) {
		/* a header is of this sector size when it stands where it says */
		if (vk_gpt_header_trusted(seen))
			points += seen->fits ? 150 : seen->header.myLBA == seen->lba ? 100 : 40;
		else if (seen->present)
			points += 20;
	}
	VK_GPT_EACH_ARRAY(array, look)
		points += tells_entries(look, array) ? 30 : 0;
	for (size_t i = 0; i < 4; i++) {
		const struct vk_mbr_entry *e = &look->mbr.entries[i];

		/* all of the disk from sector 1 on is what protects, also when a bit or the signature is gone */
		if (__builtin_popcount(e->type ^ VK_MBR_TYPE_PROTECTIVE) <= 1 && e->firstLBA == 1 &&
		    e->sectors + 1ULL == look->disk_sectors)
			points += 10;
		else if (look->protective && e->type == VK_MBR_TYPE_PROTECTIVE)
			points += 1;
	}
	return points;
}

static bool too_small(uint64_t bytes, uint32_t sector_size)
{
	uint64_t array = VK_GPT_ENTRY_BYTES * 128 / sector_size;

	return bytes / sector_size < 2 * array + 4;
}

/* Where nothing points: only when a header or all entries are missing. */
static enum vk_status look_further(struct vk_gpt_judgement *j, struct vk_error *err)
{
	uint64_t volumes_end = 0;
	bool entries = false;

	VK_GPT_EACH_ARRAY(array, &j->look)
		entries = entries || tells_entries(&j->look, array);
	if (entries && vk_gpt_look_any_trusted(&j->look))
		return VK_OK;
	for (const struct vk_known_start *s = j->starts; s != NULL && s < j->starts + j->start_count; s++)
		if (s->length_bytes != 0)
			volumes_end = vk_max_u64(volumes_end, vk_add_sat(s->bytes, s->length_bytes));
	return vk_gpt_look_behind(&j->look, volumes_end / j->look.sector_size, err);
}

/* Look with both sector sizes, keep the one that the bytes speak for; else the device's own. */
static enum vk_status look_with_both_sizes(struct vk_gpt_judgement *j, const struct vk_source *source,
					   struct vk_error *err)
{
	struct vk_io *io = source->io;
	uint32_t own = source->table.sector_size != 0 ? source->table.sector_size : vk_io_sector_size(io);
	uint32_t other_size = own == 512 ? 4096 : 512;
	struct vk_gpt_look other = {0};
	enum vk_status status;

	if (too_small(vk_io_size_bytes(io), own))
		return vk_error_set(err, VK_USAGE, source->path, "the source is too small for a GPT");
	status = vk_gpt_look(io, own, &j->look, err);
	if (status == VK_OK && !too_small(vk_io_size_bytes(io), other_size))
		status = vk_gpt_look(io, other_size, &other, err);
	if (status == VK_OK && other.io != NULL && evidence(&other) > evidence(&j->look) + 5) {
		struct vk_gpt_look swap = j->look;

		j->look = other;
		other = swap;
	}
	vk_gpt_look_free(&other);
	return status == VK_OK ? look_further(j, err) : status;
}

static void say_sector_size(struct vk_gpt_judgement *j)
{
	uint32_t own = vk_io_sector_size(j->look.io);
	struct vk_text text;

	j->sector_size = j->look.sector_size;
	text = vk_text_in(j->why_sector_size, sizeof(j->why_sector_size));
	if (j->sector_size == own)
		return;
	j->sector_size_differs = vk_io_is_device(j->look.io);
	if (j->sector_size_differs)
		vk_text_fmt(&text,
			    "the table counts sectors of %u bytes, the device has %u: it was written with sectors of "
			    "another size",
			    j->sector_size, own);
	else
		vk_text_fmt(&text, "the table lies where a disk with sectors of %u bytes has it", j->sector_size);
}

/*
 * Which header counts: one for this disk before one of an earlier time, one whose entries are there, whose entries fit
 * the volumes, that stands undamaged; and then the primary, because it is what systems read.
 */
static void choose_header(struct vk_gpt_judgement *j)
{
	uint64_t best = 0;

	VK_GPT_EACH_HEADER(seen, &j->look) {
		const struct vk_gpt_array_seen *array = vk_gpt_array_of(j, seen);
		const struct vk_gpt_header *h = &seen->header;
		uint64_t rank = 1ULL + (seen->lba == 1) + (seen->sound ? 2U : 0U) + (seen->fits ? 1ULL << 41 : 0);

		if (!vk_gpt_header_trusted(seen) || !vk_gpt_counts_alike(j, seen))
			continue;
		if (array != NULL)
			rank += (1ULL << 40) + ((uint64_t)vk_gpt_array_fit(j, array->bytes) << 2);
		if (j->chosen != NULL && h->entriesCRC32 != j->chosen->header.entriesCRC32) {
			const struct vk_gpt_header *c = &j->chosen->header;

			/* two copies for a disk of one size: neither is the older one for that */
			if (seen->fits == j->chosen->fits && h->myLBA == seen->lba && c->myLBA == j->chosen->lba &&
			    vk_max_u64(h->myLBA, h->alternateLBA) == vk_max_u64(c->myLBA, c->alternateLBA))
				j->disputed = true;
			j->contested = j->contested || (rank >> 40 == 3 && best >> 40 == 3);
		}
		if (rank > best) {
			best = rank;
			j->chosen = seen;
		}
	}
}

/* Where a trusted header of that copy puts its entries, if that is a possible place. */
static uint64_t array_place(const struct vk_gpt_judgement *j, bool primary)
{
	const struct vk_gpt_header *image = &j->image.header;
	uint64_t last = j->image.disk_sectors - 1;
	uint64_t usual = primary ? 2 : last - j->look.array_sectors;

	VK_GPT_EACH_HEADER(seen, &j->look) {
		uint64_t end = vk_add_sat(seen->header.entriesLBA, j->look.array_sectors);

		if (!vk_gpt_header_trusted(seen) || !vk_gpt_counts_alike(j, seen))
			continue;
		if (primary && seen->header.myLBA == 1 && seen->header.entriesLBA >= 2 && end <= image->firstUsableLBA)
			return seen->header.entriesLBA;
		if (!primary && seen->header.myLBA == last && seen->fits)
			return seen->header.entriesLBA;
	}
	return usual;
}

/* Fill header and places of the image from the header that counts. False when they make no sense: the usual ones stand.
 */
static bool place_by_header(struct vk_gpt_judgement *j)
{
	struct vk_gpt_image *image = &j->image;
	const struct vk_gpt_header *h = &j->chosen->header;
	uint64_t old_last = vk_max_u64(h->myLBA, h->alternateLBA);
	uint64_t disk = j->look.disk_sectors;

	image->header.revision = h->revision;
	image->header.headerSize = h->headerSize;
	image->header.reserved = h->reserved;
	image->header.diskGUID = h->diskGUID;
	j->disk_guid_known = true;
	j->header_exact = true;
	if (old_last != disk - 1 && old_last != UINT64_MAX)
		j->grown_from_sectors = old_last + 1;
	if (h->firstUsableLBA < 2 + j->look.array_sectors || h->firstUsableLBA > h->lastUsableLBA ||
	    h->firstUsableLBA >= image->header.lastUsableLBA)
		return false;
	image->header.firstUsableLBA = h->firstUsableLBA;
	if (old_last == disk - 1 && h->lastUsableLBA < image->backup_array_lba)
		image->header.lastUsableLBA = h->lastUsableLBA;
	return true;
}

/* Two headers that are too damaged to be trusted, and still hold the same disk GUID. */
static void guid_of_remains(struct vk_gpt_judgement *j)
{
	const struct vk_gpt_header_seen *found = NULL;

	VK_GPT_EACH_HEADER(seen, &j->look) {
		if (!seen->present || vk_guid_is_nil(&seen->header.diskGUID))
			continue;
		if (found == NULL)
			found = seen;
		else if (vk_guid_equal(&found->header.diskGUID, &seen->header.diskGUID))
			j->disk_guid_known = true;
	}
	if (found != NULL)
		j->image.header.diskGUID = found->header.diskGUID;
}

/* Where the arrays are put is where a header, or their own bytes, show them, or the only place that the usable range
 * leaves. */
static bool place_known(const struct vk_gpt_judgement *j, bool primary)
{
	const struct vk_gpt_header *image = &j->image.header;
	uint64_t lba = primary ? image->entriesLBA : j->image.backup_array_lba;
	uint64_t last = j->image.disk_sectors - 1;

	/* a copy that the disk never had goes to the usual place */
	if (!primary && j->grown_from_sectors != 0)
		return true;
	if (primary ? image->firstUsableLBA == 2 + j->look.array_sectors
		    : image->lastUsableLBA + 1 + j->look.array_sectors == last)
		return true;
	VK_GPT_EACH_HEADER(seen, &j->look)
		if (vk_gpt_header_trusted(seen) && seen->header.myLBA == seen->lba &&
		    seen->lba == (primary ? 1 : last) && seen->header.entriesLBA == lba)
			return true;
	VK_GPT_EACH_ARRAY(array, &j->look)
		if (array->lba == lba && vk_gpt_matches(j, j->chosen, array))
			return true;
	return false;
}

static enum vk_status make_image(struct vk_gpt_judgement *j, struct vk_error *err)
{
	struct vk_gpt_image *image = &j->image;
	enum vk_status status = vk_gpt_image_init(j->look.sector_size, j->look.disk_sectors, image, err);
	uint8_t *array;

	if (status != VK_OK)
		return status;
	j->disk_sectors = j->look.disk_sectors;
	j->cut = j->look.cut;
	if (j->chosen == NULL) {
		guid_of_remains(j);
		return VK_OK;
	}
	array = calloc(1, j->look.array_bytes);
	if (array == NULL)
		return VK_NOMEM;
	free(image->array);
	image->array = array;
	/* what stands behind a header belongs to it only where it is at home */
	memcpy(image->sector, j->chosen->sector,
	       j->chosen->header.myLBA == j->chosen->lba ? image->sector_size : j->chosen->header.headerSize);
	image->header.numEntries = j->look.entries;
	image->header.entrySize = j->look.entry_size;
	vk_gpt_image_resize(image, j->look.disk_sectors);
	image->header.firstUsableLBA = 2 + j->look.array_sectors;
	j->usable_known = place_by_header(j);
	image->header.entriesLBA = array_place(j, true);
	image->backup_array_lba = array_place(j, false);
	if (image->header.lastUsableLBA >= image->backup_array_lba)
		image->header.lastUsableLBA = image->backup_array_lba - 1;
	j->places_known = place_known(j, true) && place_known(j, false);
	return VK_OK;
}

/* The copy that systems find as the disk is now: sector 0 must protect, and one copy must be right where it is looked
 * for. */
static int copy_in_use(const struct vk_gpt_judgement *j)
{
	if (!j->look.protective || j->sector_size_differs)
		return -1;
	for (int copy = 0; copy < 2; copy++) {
		const struct vk_gpt_header_seen *seen = &j->look.headers[copy];

		VK_GPT_EACH_ARRAY(array, &j->look)
			if (seen->sound && seen->header.myLBA == seen->lba &&
			    array->lba == seen->header.entriesLBA && vk_gpt_matches(j, seen, array))
				return copy;
	}
	return -1;
}

/* Whether sector 0 is another table's, and of a disk of what size it is. */
static void judge_mbr(struct vk_gpt_judgement *j)
{
	const struct vk_gpt_look *look = &j->look;
	bool table = look->mbr_held == VK_GPT_HELD && look->mbr.signature == VK_MBR_SIGNATURE &&
		     !vk_mbr_is_protective(&look->mbr);

	j->mbr_from_sectors = j->grown_from_sectors;
	for (const struct vk_mbr_entry *e = look->mbr.entries; e < look->mbr.entries + 4; e++) {
		table = table && (e->bootFlag == 0 || e->bootFlag == 0x80);
		if (table && vk_mbr_entry_used(e) && e->firstLBA != 0 &&
		    vk_mbr_entry_beside_gpt(e, look->disk_sectors))
			j->foreign_mbr = true;
		/* what it protects ended where a copy of the header still stands: so long was the disk once */
		VK_GPT_EACH_HEADER(seen, look)
			if (e->type == VK_MBR_TYPE_PROTECTIVE && e->firstLBA == 1 && vk_gpt_header_trusted(seen) &&
			    seen->lba == e->sectors && seen->header.myLBA == seen->lba &&
			    seen->lba != look->disk_sectors - 1)
				j->mbr_from_sectors = seen->lba + 1;
	}
}

static void say_gpt(struct vk_gpt_judgement *j)
{
	struct vk_text text;

	j->was_gpt = evidence(&j->look) > 0;
	text = vk_text_in(j->why, sizeof(j->why));
	if (!j->was_gpt)
		vk_text_put(&text, "no part of a GPT is there");
	else if (j->chosen != NULL)
		vk_text_fmt(&text, "a GPT header %sstands in sector %llu",
			    j->chosen->sound            ? ""
			    : j->chosen->signature_lost ? "without its signature "
							: "with one flipped bit ",
			    (unsigned long long)j->chosen->lba);
	else if (j->proof <= VK_GPT_PROOF_SINGLE)
		vk_text_put(&text, "GPT entries stand where a GPT has them");
	else if (j->look.headers[0].present || j->look.headers[1].present)
		vk_text_put(&text, "a damaged GPT header is there");
	else
		vk_text_put(&text, "sector 0 protects, or protected, a GPT");
	if (j->foreign_mbr)
		vk_text_put(&text, "; sector 0 is the MBR of another table");
}

static enum vk_status judge(struct vk_gpt_judgement *j, const struct vk_source *source, struct vk_error *err)
{
	enum vk_status status = look_with_both_sizes(j, source, err);

	if (status != VK_OK)
		return status;
	say_sector_size(j);
	choose_header(j);
	status = make_image(j, err);
	for (int i = 0; i < 2 && status == VK_OK; i++)
		status = vk_gpt_look_array(&j->look, i == 0 ? j->image.header.entriesLBA : j->image.backup_array_lba,
					   i == 1, &j->arrays[i], err);
	if (status == VK_OK)
		status = vk_gpt_settle_array(j);
	if (status == VK_OK)
		status = vk_gpt_list_entries(j);
	if (status != VK_OK)
		return status;
	j->used = copy_in_use(j);
	judge_mbr(j);
	say_gpt(j);
	vk_gpt_give_verdicts(j);
	return vk_gpt_say_what_counts(j);
}

enum vk_status vk_gpt_judge(const struct vk_source *source, const struct vk_known_start *starts, size_t start_count,
			    struct vk_gpt_judgement *ret_judgement, struct vk_error *err)
{
	struct vk_gpt_judgement *j = ret_judgement;
	enum vk_status status;

	*j = (struct vk_gpt_judgement){.starts = starts, .start_count = start_count};
	status = judge(j, source, err);
	j->starts = NULL;
	j->start_count = 0;
	if (status != VK_OK)
		vk_gpt_judgement_free(j);
	return status == VK_NOMEM ? vk_no_memory(err, source->path) : status;
}

void vk_gpt_judgement_free(struct vk_gpt_judgement *judgement)
{
	vk_gpt_look_free(&judgement->look);
	vk_gpt_image_free(&judgement->image);
	free(judgement->entries);
	vk_sentences_free(&judgement->lost, &judgement->lost_count);
	vk_sentences_free(&judgement->notes, &judgement->note_count);
	memset(judgement, 0, sizeof(*judgement));
}
