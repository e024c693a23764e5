/* SPDX-License-Identifier: Apache-2.0 */
/* The entries of a GPT: proved as a whole by a checksum, else one by one. */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "evidence/gpt/case.h"
#include "evidence/gpt/crc.h"

bool vk_gpt_has_entries(const struct vk_gpt_array_seen *array)
{
	return array != NULL && array->held == VK_GPT_HELD && !array->blank;
}

static const uint8_t *slot_of(const struct vk_gpt_case *c, const struct vk_gpt_array_seen *array,
			      uint32_t slot)
{
	return array->bytes + (size_t)slot * c->look.entry_size;
}

static void take(struct vk_gpt_case *c, const uint8_t *bytes, enum vk_gpt_proof proof)
{
	memcpy(c->j.image.array, bytes, c->look.array_bytes);
	c->j.proof = proof;
}

static bool take_whole(struct vk_gpt_case *c, const struct vk_gpt_header_seen *header,
		       enum vk_gpt_proof proof)
{
	for (size_t i = 0; i < c->look.array_count; i++)
		if (vk_gpt_matches(c, header, &c->look.arrays[i])) {
			take(c, c->look.arrays[i].bytes, proof);
			return true;
		}
	return false;
}

/*
 * No header is left that can be trusted; what is left of one may still name the checksum of an array. Two that name two arrays
 * prove neither.
 */
static bool take_by_remains(struct vk_gpt_case *c)
{
	const struct vk_gpt_array_seen *proved = NULL;

	for (size_t i = 0; i < c->look.header_count * c->look.array_count; i++) {
		const struct vk_gpt_header_seen *header = &c->look.headers[i / c->look.array_count];
		const struct vk_gpt_array_seen *array = &c->look.arrays[i % c->look.array_count];

		if (header->held != VK_GPT_HELD || !vk_gpt_has_entries(array) ||
		    header->header.entriesCRC32 != array->crc)
			continue;
		if (proved != NULL && proved->crc != array->crc)
			return false;
		proved = array;
	}
	if (proved != NULL)
		take(c, proved->bytes, VK_GPT_PROOF_CRC);
	return proved != NULL;
}

/* Entries of both arrays, each damaged somewhere else. */
static bool take_pieced(struct vk_gpt_case *c)
{
	uint8_t *array = c->j.image.array;

	if (!vk_gpt_has_entries(c->primary) || !vk_gpt_has_entries(c->backup) || c->primary == c->backup)
		return false;
	memcpy(array, c->primary->bytes, c->look.array_bytes);
	if (!vk_gpt_crc_piece(array, c->backup->bytes, c->look.array_bytes, c->look.entry_size,
			      c->chosen->header.entriesCRC32))
		return false;
	c->j.proof = VK_GPT_PROOF_PIECED;
	return true;
}

/* A mended slot is an entry, or nothing: a bit that leaves neither fits the checksum by chance. */
static bool take_mended(struct vk_gpt_case *c)
{
	uint8_t *array = c->j.image.array;

	for (size_t i = 0; i < c->look.array_count; i++) {
		const struct vk_gpt_array_seen *seen = &c->look.arrays[i];
		struct vk_gpt_entry e;
		uint32_t slot;
		size_t bit;

		if (!vk_gpt_has_entries(seen) || !vk_gpt_crc_bit(seen->bytes, c->look.array_bytes,
							  c->chosen->header.entriesCRC32, &bit))
			continue;
		memcpy(array, seen->bytes, c->look.array_bytes);
		array[bit / 8] ^= (uint8_t)(1 << bit % 8);
		slot = (uint32_t)(bit / 8 / c->look.entry_size);
		if (!vk_gpt_look_entry(&c->look, array, slot, &e) &&
		    !vk_all_zero(array + (size_t)slot * c->look.entry_size, c->look.entry_size))
			continue;
		c->from = seen;
		c->bit = bit;
		c->j.proof = VK_GPT_PROOF_BIT;
		return true;
	}
	return false;
}

/* The array with the ends that the found volumes have; false when that changes nothing. */
static bool adapt(const struct vk_gpt_case *c, uint8_t *array)
{
	bool changed = false;

	for (uint32_t i = 0; i < c->look.entries; i++) {
		const struct vk_candidate *candidate;
		struct vk_gpt_entry e;
		size_t index;

		if (!vk_gpt_look_entry(&c->look, array, i, &e))
			continue;
		index = vk_gpt_candidate_at(c, e.firstLBA);
		if (index == SIZE_MAX)
			continue;
		candidate = &c->find->candidates[index];
		/* only tried: the checksum says whether it is right */
		if (candidate->told_bytes < c->look.sector_size ||
		    candidate->told_bytes / c->look.sector_size > c->look.disk_sectors)
			continue;
		index = candidate->told_bytes / c->look.sector_size;
		changed = changed || e.lastLBA != e.firstLBA + index - 1;
		e.lastLBA = e.firstLBA + index - 1;
		vk_gpt_entry_encode(&e, array + (size_t)i * c->look.entry_size, c->look.entry_size);
	}
	return changed;
}

/* The array with its last partition extended to the end of what is usable. */
static bool extend(const struct vk_gpt_case *c, uint8_t *array)
{
	struct vk_gpt_entry last = {.lastLBA = 0};
	uint32_t slot = 0;

	for (uint32_t i = 0; i < c->look.entries; i++) {
		struct vk_gpt_entry e;

		if (vk_gpt_look_entry(&c->look, array, i, &e) && e.lastLBA > last.lastLBA) {
			last = e;
			slot = i;
		}
	}
	if (last.lastLBA == 0 || last.lastLBA >= c->j.image.header.lastUsableLBA)
		return false;
	last.lastLBA = c->j.image.header.lastUsableLBA;
	vk_gpt_entry_encode(&last, array + (size_t)slot * c->look.entry_size, c->look.entry_size);
	return true;
}

/*
 * An array of an earlier time becomes the one that the checksum names when a partition that was grown since gets the
 * end that its volume has, or the end of the disk.
 */
static bool take_adapted(struct vk_gpt_case *c, uint8_t *scratch)
{
	for (size_t i = 0; i < c->look.array_count * 2; i++) {
		const struct vk_gpt_array_seen *seen = &c->look.arrays[i / 2];

		if (!vk_gpt_has_entries(seen))
			continue;
		memcpy(scratch, seen->bytes, c->look.array_bytes);
		if (!(i % 2 == 0 ? adapt(c, scratch) : extend(c, scratch)))
			continue;
		memcpy(c->j.image.array, seen->bytes, c->look.array_bytes);
		if (!vk_gpt_crc_piece(c->j.image.array, scratch, c->look.array_bytes,
				      c->look.entry_size, c->chosen->header.entriesCRC32))
			continue;
		c->j.proof = VK_GPT_PROOF_PIECED;
		c->adapted = true;
		return true;
	}
	return false;
}

static bool arrays_equal(const struct vk_gpt_case *c)
{
	return vk_gpt_has_entries(c->primary) && vk_gpt_has_entries(c->backup) && c->primary != c->backup &&
	       memcmp(c->primary->bytes, c->backup->bytes, c->look.array_bytes) == 0;
}

/* A whole array that is wanted only when nothing better is left must hold nothing but entries. */
static bool all_sensible(const struct vk_gpt_case *c, const struct vk_gpt_array_seen *array)
{
	static const struct vk_guid nil;
	bool any = false;

	for (uint32_t i = 0; i < c->look.entries; i++) {
		struct vk_gpt_entry e;

		if (vk_gpt_look_entry(&c->look, array->bytes, i, &e))
			any = true;
		else if (!vk_guid_equal(&e.typeGUID, &nil))
			return false;
	}
	return any;
}

static bool take_older(struct vk_gpt_case *c)
{
	for (size_t i = 0; i < c->look.header_count; i++)
		if (vk_gpt_header_trusted(&c->look.headers[i]) &&
		    take_whole(c, &c->look.headers[i], VK_GPT_PROOF_OLDER))
			return !vk_all_zero(c->j.image.array, c->look.array_bytes);
	if (!arrays_equal(c) || !all_sensible(c, c->primary))
		return false;
	take(c, c->primary->bytes, VK_GPT_PROOF_OLDER);
	return true;
}

/* Whether an array holds an entry that makes sense and is not the one that was taken. */
static bool other_entry(const struct vk_gpt_case *c, const struct vk_gpt_array_seen *array)
{
	struct vk_gpt_entry e;

	for (uint32_t i = 0; vk_gpt_has_entries(array) && i < c->look.entries; i++)
		if (vk_gpt_look_entry(&c->look, array->bytes, i, &e) &&
		    memcmp(slot_of(c, array, i), c->j.image.array + (size_t)i * c->look.entry_size,
			   c->look.entry_size) != 0)
			return true;
	return false;
}

static bool protects_all(const struct vk_gpt_case *c)
{
	for (size_t i = 0; c->look.protective && i < 4; i++)
		if (c->look.mbr.entries[i].type == VK_MBR_TYPE_PROTECTIVE &&
		    c->look.mbr.entries[i].firstLBA == 1 &&
		    c->look.mbr.entries[i].sectors + 1ULL == c->look.disk_sectors)
			return true;
	return false;
}

/*
 * A table of before the disk changed its size is whole, and yet there was one of after: what counts is then lost, however
 * well the older one is proved. Unless its entries stand in the new place too.
 */
static void notice_newer(struct vk_gpt_case *c)
{
	const struct vk_gpt_header_seen *last = &c->look.headers[1];
	/* what it names is too damaged to be proved, and yet counts as a hint */
	bool remains = last->present && !vk_gpt_header_trusted(last);
	bool in_new_place = vk_gpt_has_entries(c->backup) && memcmp(c->backup->bytes, c->j.image.array,
							     c->look.array_bytes) == 0;

	if (c->chosen == NULL || c->chosen->fits || c->j.grown_from_sectors == 0 || c->look.cut)
		return;
	if (other_entry(c, c->primary))
		c->newer = "other entries in the primary array";
	else if (in_new_place && (!remains || last->header.entriesCRC32 == c->backup->crc))
		return;
	else if (other_entry(c, c->backup))
		c->newer = "other entries at the end of the disk";
	else if (remains)
		c->newer = "a header in the last sector";
	else if (protects_all(c))
		c->newer = "sector 0 protects all of it";
	if (c->newer != NULL && c->j.proof <= VK_GPT_PROOF_EQUAL)
		c->j.proof = VK_GPT_PROOF_OLDER;
}

static enum vk_status settle_array(struct vk_gpt_case *c)
{
	if (c->chosen != NULL) {
		uint8_t *scratch;
		bool found;

		if (take_whole(c, c->chosen, VK_GPT_PROOF_CRC) || take_pieced(c) || take_mended(c))
			return VK_OK;
		scratch = malloc(c->look.array_bytes);
		if (scratch == NULL)
			return VK_NOMEM;
		found = take_adapted(c, scratch);
		free(scratch);
		if (found)
			return VK_OK;
	}
	if (c->chosen == NULL && take_by_remains(c))
		return VK_OK;
	/* a header of an earlier time says nothing against entries that both copies hold */
	if ((c->chosen == NULL || !c->chosen->fits) && arrays_equal(c) && all_sensible(c, c->primary)) {
		take(c, c->primary->bytes, VK_GPT_PROOF_EQUAL);
		return VK_OK;
	}
	if (c->chosen != NULL && take_older(c))
		return VK_OK;
	return vk_gpt_take_single(c);
}

enum vk_status vk_gpt_settle_array(struct vk_gpt_case *c)
{
	enum vk_status status = settle_array(c);

	if (status == VK_OK)
		vk_gpt_meet_rival(c);
	if (c->j.proof != VK_GPT_PROOF_RIVALLED)
		notice_newer(c);
	return status;
}

static enum vk_entry_origin origin_of(const struct vk_gpt_case *c, uint32_t slot, uint64_t *ret_lba)
{
	const uint8_t *final = c->j.image.array + (size_t)slot * c->look.entry_size;
	bool in[2] = {false, false};

	*ret_lba = c->j.image.header.entriesLBA;
	for (size_t i = c->look.array_count; i-- > 0;) {
		const struct vk_gpt_array_seen *seen = &c->look.arrays[i];

		if (seen->held != VK_GPT_HELD ||
		    memcmp(slot_of(c, seen, slot), final, c->look.entry_size) != 0)
			continue;
		in[seen->backup] = true;
		if (!seen->backup || !in[0])
			*ret_lba = seen->lba;
	}
	if (in[0] && in[1])
		return VK_ENTRY_BOTH;
	if (in[0] || in[1])
		return in[0] ? VK_ENTRY_PRIMARY : VK_ENTRY_BACKUP;
	if (c->j.proof == VK_GPT_PROOF_BIT)
		return c->from->backup ? VK_ENTRY_BACKUP : VK_ENTRY_PRIMARY;
	return VK_ENTRY_FOUND;
}

static void explain(const struct vk_gpt_case *c, struct vk_gpt_judged_entry *e)
{
	const char *where = e->origin == VK_ENTRY_BOTH ? "both copies" :
			    e->origin == VK_ENTRY_BACKUP ? "the backup copy" : "the primary copy";
	struct vk_text text;

	vk_text_init(&text, e->why, sizeof(e->why));
	if (e->origin == VK_ENTRY_FOUND)
		vk_text_put(&text, "an older entry with the end that its volume has, proved by the checksum");
	else if (c->j.proof == VK_GPT_PROOF_BIT && (c->bit / 8) / c->look.entry_size + 1 == e->partition.number)
		vk_text_fmt(&text, "stands in %s but for one bit, which the checksum tells", where);
	else if (c->j.proof <= VK_GPT_PROOF_BIT)
		vk_text_fmt(&text, "stands in %s, proved by the checksum", where);
	else if (c->j.proof == VK_GPT_PROOF_RIVALLED)
		vk_text_fmt(&text, "stands in %s; another table was there, too, and nothing proves which is newer", where);
	else if (c->j.proof == VK_GPT_PROOF_EQUAL)
		vk_text_fmt(&text, "stands in %s alike; no checksum is left to prove it", where);
	else if (c->j.proof == VK_GPT_PROOF_OLDER)
		vk_text_fmt(&text, "stands in %s, but of an earlier time", where);
	else
		vk_text_fmt(&text, "stands in %s; the checksum does not prove it", where);
	if (!e->exact && e->length_fits)
		vk_text_put(&text, "; the volume found there begins and ends with it");
	else if (!e->exact && e->candidate != SIZE_MAX)
		vk_text_put(&text, "; a volume found there begins with it");
	else if (!e->exact)
		vk_text_put(&text, "; no volume confirms it");
}

enum vk_status vk_gpt_list_entries(struct vk_gpt_case *c)
{
	struct vk_gpt_judgement *j = &c->j;
	size_t count = 0;

	for (uint32_t i = 1; i <= j->image.header.numEntries; i++) {
		struct vk_gpt_entry e;

		count += vk_gpt_image_get(&j->image, i, &e);
	}
	j->entries = calloc(count + 1, sizeof(*j->entries));
	if (j->entries == NULL)
		return VK_NOMEM;
	for (uint32_t i = 0; i < j->image.header.numEntries; i++) {
		struct vk_gpt_judged_entry e = {.partition = {.number = i + 1, .gpt = true}};
		struct vk_partition *p = &e.partition;
		uint64_t lba;

		if (!vk_gpt_image_get(&j->image, i + 1, &p->entry))
			continue;
		p->start_sector = p->entry.firstLBA;
		p->sectors = p->entry.lastLBA < p->entry.firstLBA
				     ? 0
				     : vk_add_sat(p->entry.lastLBA - p->entry.firstLBA, 1);
		e.origin = origin_of(c, i, &lba);
		p->entry_offset_bytes = vk_add_sat(vk_mul_sat(lba, c->look.sector_size),
						   (uint64_t)i * c->look.entry_size);
		e.exact = vk_gpt_proof_exact(j->proof);
		e.alike = e.origin == VK_ENTRY_BOTH &&
			  (j->proof == VK_GPT_PROOF_EQUAL || j->proof == VK_GPT_PROOF_SINGLE);
		e.candidate = vk_gpt_candidate_at(c, p->start_sector);
		e.length_fits = vk_gpt_candidate_fits(c, e.candidate, p->sectors);
		e.suspicious = !e.exact && !e.length_fits;
		j->fits_found += e.candidate != SIZE_MAX;
		explain(c, &e);
		j->entries[j->entry_count++] = e;
	}
	j->entries_lost = !vk_gpt_proof_exact(j->proof);
	return VK_OK;
}
