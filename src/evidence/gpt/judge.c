/* SPDX-License-Identifier: Apache-2.0 */
/* Judges a GPT: which sector size, which header counts, where everything belongs. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/checked.h"
#include "evidence/gpt/case.h"
#include "base/texts.h"

/* A table begins with its first entries: some sensible one must be among these. */
enum { SLOTS_LOOKED_AT = 8 };

static int by_start(const void *a, const void *b)
{
	const struct vk_gpt_start *x = a, *y = b;

	if (x->bytes != y->bytes)
		return x->bytes < y->bytes ? -1 : 1;
	return x->candidate < y->candidate ? -1 : x->candidate > y->candidate;
}

static enum vk_status sort_starts(struct vk_gpt_case *c)
{
	size_t count = c->find != NULL ? c->find->count : 0;

	c->starts = calloc(count + 1, sizeof(*c->starts));
	if (c->starts == NULL)
		return VK_NOMEM;
	for (size_t i = 0; i < count; i++) {
		const struct vk_candidate *candidate = &c->find->candidates[i];

		if (!candidate->start_before_disk && !vk_standing_is_ghost(candidate->standing))
			c->starts[c->start_count++] =
				(struct vk_gpt_start){candidate->start_bytes, i};
	}
	qsort(c->starts, c->start_count, sizeof(*c->starts), by_start);
	return VK_OK;
}

size_t vk_gpt_candidate_at(const struct vk_gpt_case *c, uint64_t sector)
{
	size_t low = 0, high = c->start_count;
	uint64_t start;

	if (!vk_mul_u64(sector, c->look.sector_size, &start))
		return SIZE_MAX;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (c->starts[middle].bytes < start)
			low = middle + 1;
		else
			high = middle;
	}
	return low < c->start_count && c->starts[low].bytes == start ? c->starts[low].candidate
								     : SIZE_MAX;
}

bool vk_gpt_candidate_fits(const struct vk_gpt_case *c, size_t candidate, uint64_t sectors)
{
	uint64_t bytes;

	return candidate != SIZE_MAX && vk_mul_u64(sectors, c->look.sector_size, &bytes) &&
	       c->find->candidates[candidate].told_bytes == bytes && bytes != 0;
}

unsigned vk_gpt_array_fit(const struct vk_gpt_case *c, const uint8_t *array)
{
	unsigned points = 0;

	for (uint32_t i = 0; c->start_count > 0 && i < c->look.entries; i++) {
		struct vk_gpt_entry e;
		size_t candidate;

		if (!vk_gpt_look_entry(&c->look, array, i, &e))
			continue;
		candidate = vk_gpt_candidate_at(c, e.firstLBA);
		points += candidate != SIZE_MAX;
		if (vk_gpt_candidate_fits(c, candidate, e.lastLBA - e.firstLBA + 1))
			points += 2;
	}
	return points;
}

bool vk_gpt_matches(const struct vk_gpt_case *c, const struct vk_gpt_header_seen *header,
		    const struct vk_gpt_array_seen *array)
{
	return array->held == VK_GPT_HELD && header->header.numEntries == c->look.entries &&
	       header->header.entrySize == c->look.entry_size &&
	       header->header.entriesCRC32 == array->crc;
}

static bool tells_entries(const struct vk_gpt_look *look, const struct vk_gpt_array_seen *array)
{
	for (uint32_t i = 0; i < SLOTS_LOOKED_AT && i < look->entries; i++) {
		struct vk_gpt_entry e;

		if (array->held == VK_GPT_HELD && !array->blank &&
		    vk_gpt_look_entry(look, array->bytes, i, &e) &&
		    strcmp(vk_gpt_type_name(&e.typeGUID), "unknown") != 0)
			return true;
	}
	return false;
}

/* Evidence for a table that counts in this sector size; 0: none at all. */
static unsigned evidence(const struct vk_gpt_look *look)
{
	unsigned points = 0;

	for (size_t i = 0; i < look->header_count; i++) {
		const struct vk_gpt_header_seen *seen = &look->headers[i];

		/* a header is of this sector size when it stands where it says */
		if (vk_gpt_header_trusted(seen))
			points += seen->fits ? 150 : seen->header.myLBA == seen->lba ? 100 : 40;
		else if (seen->present)
			points += 20;
	}
	for (size_t i = 0; i < look->array_count; i++)
		points += tells_entries(look, &look->arrays[i]) ? 30 : 0;
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

static uint64_t end_of_volumes(const struct vk_gpt_case *c)
{
	uint64_t end = 0;

	for (size_t i = 0; i < c->start_count; i++) {
		const struct vk_candidate *candidate = &c->find->candidates[c->starts[i].candidate];

		if (candidate->told_bytes != 0)
			end = vk_max_u64(end, vk_add_sat(candidate->start_bytes, candidate->told_bytes));
	}
	return end / c->look.sector_size;
}

/* Where nothing points: only when a header or all entries are missing. */
static enum vk_status look_further(struct vk_gpt_case *c, struct vk_error *err)
{
	bool header = false;
	bool entries = false;

	for (size_t i = 0; i < c->look.header_count; i++)
		header = header || vk_gpt_header_trusted(&c->look.headers[i]);
	for (size_t i = 0; i < c->look.array_count; i++)
		entries = entries || tells_entries(&c->look, &c->look.arrays[i]);
	if (header && entries)
		return VK_OK;
	return vk_gpt_look_behind(&c->look, end_of_volumes(c), err);
}

/* Look with both sector sizes, keep the one that the bytes speak for; else the device's own. */
static enum vk_status look(struct vk_gpt_case *c, struct vk_error *err)
{
	struct vk_io *io = c->source->io;
	uint32_t own = c->source->table.sector_size != 0 ? c->source->table.sector_size
							 : vk_io_sector_size(io);
	uint32_t other_size = own == 512 ? 4096 : 512;
	struct vk_gpt_look other = {0};
	enum vk_status status;

	if (too_small(vk_io_size_bytes(io), own))
		return vk_error_set(err, VK_USAGE, c->source->path, "the source is too small for a GPT");
	status = vk_gpt_look(io, own, &c->look, err);
	if (status == VK_OK && !too_small(vk_io_size_bytes(io), other_size))
		status = vk_gpt_look(io, other_size, &other, err);
	if (status != VK_OK)
		return status;
	if (other.io != NULL && evidence(&other) > evidence(&c->look) + 5) {
		struct vk_gpt_look swap = c->look;

		c->look = other;
		other = swap;
	}
	vk_gpt_look_free(&other);
	return look_further(c, err);
}

static void say_sector_size(struct vk_gpt_case *c)
{
	struct vk_gpt_judgement *j = &c->j;
	uint32_t own = vk_io_sector_size(c->source->io);
	struct vk_text text;

	j->sector_size = c->look.sector_size;
	vk_text_init(&text, j->why_sector_size, sizeof(j->why_sector_size));
	if (j->sector_size == own)
		return;
	j->sector_size_differs = vk_io_is_device(c->source->io);
	if (j->sector_size_differs)
		vk_text_fmt(&text,
			    "the table counts sectors of %u bytes, the device has %u: it was written where the "
			    "same bytes had other sectors",
			    j->sector_size, own);
	else
		vk_text_fmt(&text, "the table lies where a disk with sectors of %u bytes has it",
			    j->sector_size);
}

static bool matched(const struct vk_gpt_case *c, const struct vk_gpt_header_seen *header,
		    unsigned *ret_points)
{
	bool any = false;

	*ret_points = 0;
	for (size_t i = 0; i < c->look.array_count; i++)
		if (!any && vk_gpt_matches(c, header, &c->look.arrays[i])) {
			any = true;
			*ret_points = vk_gpt_array_fit(c, c->look.arrays[i].bytes);
		}
	return any;
}

/* Two copies for a disk of one size: neither is the older one for that. */
static bool of_one_size(const struct vk_gpt_header_seen *a, const struct vk_gpt_header_seen *b)
{
	return a->fits == b->fits && a->header.myLBA == a->lba && b->header.myLBA == b->lba &&
	       vk_max_u64(a->header.myLBA, a->header.alternateLBA) == vk_max_u64(b->header.myLBA, b->header.alternateLBA);
}

/*
 * Which header counts: one for this disk before one of an earlier time, one whose entries are there, whose entries fit the
 * volumes, that stands undamaged; and then the primary, because it is what systems read.
 */
static void choose_header(struct vk_gpt_case *c)
{
	uint64_t best = 0;

	for (size_t i = 0; i < c->look.header_count; i++) {
		const struct vk_gpt_header_seen *seen = &c->look.headers[i];
		unsigned points;
		uint64_t rank;

		if (!vk_gpt_header_trusted(seen) || seen->header.numEntries != c->look.entries ||
		    seen->header.entrySize != c->look.entry_size)
			continue;
		if (c->chosen != NULL && of_one_size(seen, c->chosen) &&
		    seen->header.entriesCRC32 != c->chosen->header.entriesCRC32)
			c->j.disputed = true;
		rank = 1ULL + (seen->lba == 1) + (seen->sound ? 2U : 0U) + (seen->fits ? 1ULL << 41 : 0);
		if (matched(c, seen, &points))
			rank += (1ULL << 40) + ((uint64_t)points << 2);
		if (c->chosen != NULL && seen->fits && c->chosen->fits && rank >> 40 == 3 &&
		    best >> 40 == 3 &&
		    seen->header.entriesCRC32 != c->chosen->header.entriesCRC32)
			c->contested = true;
		if (rank > best) {
			best = rank;
			c->chosen = seen;
		}
	}
}

/* The copy that systems find as the disk is now: sector 0 must protect, and one copy must be right where it is looked for. */
static int copy_in_use(const struct vk_gpt_case *c)
{
	if (!c->look.protective || c->j.sector_size_differs)
		return -1;
	for (int copy = 0; copy < 2; copy++) {
		const struct vk_gpt_header_seen *seen = &c->look.headers[copy];

		if (!seen->sound || seen->header.myLBA != seen->lba)
			continue;
		for (size_t i = 0; i < c->look.array_count; i++)
			if (c->look.arrays[i].lba == seen->header.entriesLBA &&
			    vk_gpt_matches(c, seen, &c->look.arrays[i]))
				return copy;
	}
	return -1;
}

static void judge_mbr(struct vk_gpt_case *c)
{
	bool table = c->look.mbr_held == VK_GPT_HELD && c->look.mbr.signature == VK_MBR_SIGNATURE &&
		     !vk_mbr_is_protective(&c->look.mbr);

	for (size_t i = 0; i < 4 && table; i++) {
		const struct vk_mbr_entry *e = &c->look.mbr.entries[i];

		if (e->bootFlag != 0 && e->bootFlag != 0x80)
			return;
		if (!vk_mbr_entry_used(e) || e->firstLBA == 0 || !vk_mbr_entry_beside_gpt(e, c->look.disk_sectors))
			continue;
		c->j.foreign_mbr = true;
		c->j.mbr_fits_found += vk_gpt_candidate_at(c, e->firstLBA) != SIZE_MAX;
	}
}

/* What sector 0 protects ended where a copy of the header still stands: so long was the disk before it was grown. */
static void date_mbr(struct vk_gpt_case *c)
{
	c->j.mbr_from_sectors = c->j.grown_from_sectors;
	for (size_t i = 0; i < 4 * c->look.header_count; i++) {
		const struct vk_mbr_entry *e = &c->look.mbr.entries[i % 4];
		const struct vk_gpt_header_seen *seen = &c->look.headers[i / 4];

		if (e->type == VK_MBR_TYPE_PROTECTIVE && e->firstLBA == 1 && vk_gpt_header_trusted(seen) &&
		    seen->lba == e->sectors && seen->header.myLBA == seen->lba && seen->lba != c->look.disk_sectors - 1)
			c->j.mbr_from_sectors = seen->lba + 1;
	}
}

static void say_gpt(struct vk_gpt_case *c)
{
	struct vk_gpt_judgement *j = &c->j;
	struct vk_text text;

	j->was_gpt = evidence(&c->look) > 0;
	vk_text_init(&text, j->why, sizeof(j->why));
	if (!j->was_gpt)
		vk_text_put(&text, "no part of a GPT is there");
	else if (c->chosen != NULL)
		vk_text_fmt(&text, "a GPT header %sstands in sector %llu",
			    c->chosen->sound ? "" : "with one flipped bit ",
			    (unsigned long long)c->chosen->lba);
	else if (j->proof <= VK_GPT_PROOF_SINGLE)
		vk_text_put(&text, "GPT entries stand where a GPT has them");
	else if (c->look.headers[0].present || c->look.headers[1].present)
		vk_text_put(&text, "a damaged GPT header is there");
	else
		vk_text_put(&text, "sector 0 protects, or protected, a GPT");
	if (j->foreign_mbr)
		vk_text_put(&text, "; sector 0 is the MBR of another table");
}

static enum vk_status judge(struct vk_gpt_case *c, struct vk_error *err)
{
	enum vk_status status = sort_starts(c);

	if (status == VK_OK)
		status = look(c, err);
	if (status != VK_OK)
		return status;
	say_sector_size(c);
	choose_header(c);
	status = vk_gpt_make_image(c, err);
	if (status == VK_OK)
		status = vk_gpt_look_array(&c->look, c->j.image.header.entriesLBA, false, &c->primary,
					   err);
	if (status == VK_OK)
		status = vk_gpt_look_array(&c->look, c->j.image.backup_array_lba, true, &c->backup, err);
	if (status == VK_OK)
		status = vk_gpt_settle_array(c);
	if (status == VK_OK)
		status = vk_gpt_list_entries(c);
	if (status != VK_OK)
		return status;
	c->j.used = copy_in_use(c);
	judge_mbr(c);
	date_mbr(c);
	say_gpt(c);
	vk_gpt_give_verdicts(c);
	return vk_gpt_say_what_counts(c);
}

enum vk_status vk_gpt_judge(const struct vk_source *source, const struct vk_find *find,
			    struct vk_gpt_judgement *ret_judgement, struct vk_error *err)
{
	struct vk_gpt_case c = {.source = source, .find = find};
	enum vk_status status = judge(&c, err);

	if (status == VK_OK)
		*ret_judgement = c.j;
	else
		vk_gpt_judgement_free(&c.j);
	vk_gpt_look_free(&c.look);
	free(c.starts);
	if (status == VK_NOMEM)
		return vk_no_memory(err, source->path);
	return status;
}

void vk_gpt_judgement_free(struct vk_gpt_judgement *judgement)
{
	vk_gpt_image_free(&judgement->image);
	free(judgement->entries);
	vk_sentences_free(&judgement->lost, &judgement->lost_count);
	vk_sentences_free(&judgement->notes, &judgement->note_count);
	memset(judgement, 0, sizeof(*judgement));
}
