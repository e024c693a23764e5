/* SPDX-License-Identifier: Apache-2.0 */
/* The entries of a GPT: proved as a whole by a checksum, else one by one. */
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/memory.h"
#include "evidence/gpt/case.h"
#include "evidence/gpt/crc.h"

static bool take_array(struct vk_gpt_judgement *j, const struct vk_gpt_array_seen *array, enum vk_gpt_proof proof)
{
	if (array == NULL)
		return false;
	memcpy(j->image.array, array->bytes, j->look.array_bytes);
	j->proof = proof;
	return true;
}

/*
 * No header is left that can be trusted; what is left of one may still name the checksum of an array. Two that name two
 * arrays prove neither.
 */
static bool take_by_remains(struct vk_gpt_judgement *j)
{
	const struct vk_gpt_array_seen *proved = NULL;

	VK_GPT_EACH_HEADER(header, &j->look)
		VK_GPT_EACH_ARRAY(array, &j->look) {
			if (header->held != VK_GPT_HELD || !vk_gpt_has_entries(array) ||
			    header->header.entriesCRC32 != array->crc)
				continue;
			if (proved != NULL && proved->crc != array->crc)
				return false;
			proved = array;
		}
	return take_array(j, proved, VK_GPT_PROOF_CRC);
}

static bool both_there(const struct vk_gpt_judgement *j)
{
	return vk_gpt_has_entries(j->arrays[0]) && vk_gpt_has_entries(j->arrays[1]) && j->arrays[0] != j->arrays[1];
}

/* Whether slots of both arrays together are what the checksum names; other is scratch. */
static bool fits_together(struct vk_gpt_judgement *j, uint8_t *other)
{
	uint32_t wanted = j->chosen->header.entriesCRC32;

	return vk_crc32(0, j->image.array, j->look.array_bytes) == wanted ||
	       vk_gpt_crc_piece(j->image.array, other, j->look.array_bytes, j->look.entry_size, wanted);
}

/*
 * Entries of both arrays, each damaged somewhere else. Where more differ than can be tried: of two slots of which one
 * is neither an entry nor unused the other is taken, and where neither is, the slot was unused. The checksum has the
 * last word.
 */
static bool take_pieced(struct vk_gpt_judgement *j, uint8_t *scratch)
{
	uint8_t *array = j->image.array;
	size_t size = j->look.entry_size;
	bool found;

	if (!both_there(j))
		return false;
	memcpy(array, j->arrays[0]->bytes, j->look.array_bytes);
	memcpy(scratch, j->arrays[1]->bytes, j->look.array_bytes);
	found = fits_together(j, scratch);
	for (uint32_t i = 0; i < j->look.entries && !found; i++) {
		bool mine = vk_gpt_look_plausible(&j->look, array, i),
		     theirs = vk_gpt_look_plausible(&j->look, scratch, i);
		size_t at = vk_gpt_slot_at(j, i);

		if (!mine && !theirs)
			memset(array + at, 0, size);
		if (!mine && theirs)
			memcpy(array + at, scratch + at, size);
		else if (!theirs)
			memcpy(scratch + at, array + at, size);
	}
	if (!found && !fits_together(j, scratch))
		return false;
	j->proof = VK_GPT_PROOF_PIECED;
	return true;
}

/* A mended slot is an entry, or nothing: a bit that leaves neither fits the checksum by chance. */
static bool take_mended(struct vk_gpt_judgement *j)
{
	uint8_t *array = j->image.array;

	VK_GPT_EACH_ARRAY(seen, &j->look) {
		size_t bit;

		if (!vk_gpt_has_entries(seen) ||
		    !vk_gpt_crc_bit(seen->bytes, j->look.array_bytes, j->chosen->header.entriesCRC32, &bit))
			continue;
		memcpy(array, seen->bytes, j->look.array_bytes);
		array[bit / 8] ^= (uint8_t)(1 << bit % 8);
		if (!vk_gpt_look_plausible(&j->look, array, (uint32_t)(bit / 8 / j->look.entry_size)))
			continue;
		j->from = seen;
		j->bit = bit;
		j->proof = VK_GPT_PROOF_BIT;
		return true;
	}
	return false;
}

/*
 * The array with the ends that the found volumes have, or with its last partition extended to the end of what is
 * usable; false when that changes nothing. Only tried: the checksum says whether it is right.
 */
static bool grow(const struct vk_gpt_judgement *j, uint8_t *array, bool last_only)
{
	struct vk_gpt_entry e, last = {.lastLBA = 0};
	uint32_t last_slot = 0;
	bool changed = false;

	for (uint32_t i = 0; i < j->look.entries; i++) {
		const struct vk_known_start *start;
		uint64_t sectors;

		if (!vk_gpt_look_entry(&j->look, array, i, &e))
			continue;
		if (e.lastLBA > last.lastLBA) {
			last = e;
			last_slot = i;
		}
		start = vk_gpt_start_at(j, e.firstLBA);
		sectors = start == NULL ? 0 : start->length_bytes / j->look.sector_size;
		if (last_only || sectors == 0 || sectors > j->look.disk_sectors)
			continue;
		changed = changed || e.lastLBA != e.firstLBA + sectors - 1;
		e.lastLBA = e.firstLBA + sectors - 1;
		vk_gpt_entry_encode(&e, array + vk_gpt_slot_at(j, i), j->look.entry_size);
	}
	if (!last_only || last.lastLBA == 0 || last.lastLBA >= j->image.header.lastUsableLBA)
		return changed;
	last.lastLBA = j->image.header.lastUsableLBA;
	vk_gpt_entry_encode(&last, array + vk_gpt_slot_at(j, last_slot), j->look.entry_size);
	return true;
}

/*
 * An array of an earlier time becomes the one that the checksum names when a partition that was grown since gets the
 * end that its volume has, or the end of the disk.
 */
static bool take_adapted(struct vk_gpt_judgement *j, uint8_t *scratch)
{
	for (size_t i = 0; i < j->look.array_count * 2; i++) {
		const struct vk_gpt_array_seen *seen = &j->look.arrays[i / 2];

		if (!vk_gpt_has_entries(seen))
			continue;
		memcpy(scratch, seen->bytes, j->look.array_bytes);
		if (!grow(j, scratch, i % 2 == 1))
			continue;
		memcpy(j->image.array, seen->bytes, j->look.array_bytes);
		j->adapted = vk_gpt_crc_piece(j->image.array, scratch, j->look.array_bytes, j->look.entry_size,
					      j->chosen->header.entriesCRC32);
		if (!j->adapted)
			continue;
		j->proof = VK_GPT_PROOF_PIECED;
		return true;
	}
	return false;
}

/* Both arrays are the same, and hold nothing but entries and unused slots: the best when no checksum fits. */
static bool alike_and_sensible(const struct vk_gpt_judgement *j)
{
	bool any = false;

	if (!both_there(j) || memcmp(j->arrays[0]->bytes, j->arrays[1]->bytes, j->look.array_bytes) != 0)
		return false;
	for (uint32_t i = 0; i < j->look.entries; i++) {
		struct vk_gpt_entry e;

		if (vk_gpt_look_entry(&j->look, j->arrays[0]->bytes, i, &e))
			any = true;
		else if (!vk_guid_is_nil(&e.typeGUID))
			return false;
	}
	return any;
}

static bool take_older(struct vk_gpt_judgement *j)
{
	VK_GPT_EACH_HEADER(h, &j->look)
		if (vk_gpt_header_trusted(h) && take_array(j, vk_gpt_array_of(j, h), VK_GPT_PROOF_OLDER))
			return !vk_all_zero(j->image.array, j->look.array_bytes);
	return alike_and_sensible(j) && take_array(j, j->arrays[0], VK_GPT_PROOF_OLDER);
}

/* Whether an array holds an entry that makes sense and is not the one that was taken. */
static bool other_entry(const struct vk_gpt_judgement *j, const struct vk_gpt_array_seen *array)
{
	struct vk_gpt_entry e;

	for (uint32_t i = 0; vk_gpt_has_entries(array) && i < j->look.entries; i++)
		if (vk_gpt_look_entry(&j->look, array->bytes, i, &e) && !vk_gpt_is_image_slot(j, array->bytes, i))
			return true;
	return false;
}

/*
 * A table of before the disk changed its size is whole, and yet there was one of after: what counts is then lost,
 * however well the older one is proved. Unless its entries stand in the new place too.
 */
static void notice_newer(struct vk_gpt_judgement *j)
{
	const struct vk_gpt_header_seen *last = &j->look.headers[1];
	/* what it names is too damaged to be proved, and yet counts as a hint */
	bool remains = last->present && !vk_gpt_header_trusted(last);
	bool in_new_place = vk_gpt_has_entries(j->arrays[1]) && vk_gpt_is_image(j, j->arrays[1]->bytes);
	bool protects_all = false;

	for (size_t i = 0; j->look.protective && i < 4; i++) {
		const struct vk_mbr_entry *e = &j->look.mbr.entries[i];

		protects_all = protects_all || (e->type == VK_MBR_TYPE_PROTECTIVE && e->firstLBA == 1 &&
						e->sectors + 1ULL == j->look.disk_sectors);
	}
	if (j->chosen == NULL || j->chosen->fits || j->grown_from_sectors == 0 || j->look.cut)
		return;
	if (other_entry(j, j->arrays[0]))
		j->newer = "other entries in the primary array";
	else if (in_new_place && (!remains || last->header.entriesCRC32 == j->arrays[1]->crc))
		return;
	else if (other_entry(j, j->arrays[1]))
		j->newer = "other entries at the end of the disk";
	else if (remains)
		j->newer = "a header in the last sector";
	else if (protects_all)
		j->newer = "sector 0 protects all of it";
	if (j->newer != NULL && j->proof <= VK_GPT_PROOF_EQUAL)
		j->proof = VK_GPT_PROOF_OLDER;
}

enum vk_status vk_gpt_settle_array(struct vk_gpt_judgement *j)
{
	enum vk_status status = VK_OK;
	bool found;

	if (j->chosen != NULL) {
		uint8_t *scratch = malloc(j->look.array_bytes);

		if (scratch == NULL)
			return VK_NOMEM;
		found = take_array(j, vk_gpt_array_of(j, j->chosen), VK_GPT_PROOF_CRC) || take_pieced(j, scratch) ||
			take_mended(j) || take_adapted(j, scratch);
		free(scratch);
	} else {
		found = take_by_remains(j);
	}
	/* a header of an earlier time says nothing against entries that both copies hold */
	found = found || ((j->chosen == NULL || !j->chosen->fits) && alike_and_sensible(j) &&
			  take_array(j, j->arrays[0], VK_GPT_PROOF_EQUAL));
	found = found || (j->chosen != NULL && take_older(j));
	if (!found)
		status = vk_gpt_take_single(j);
	if (status != VK_OK)
		return status;
	vk_gpt_meet_rival(j);
	if (j->proof != VK_GPT_PROOF_RIVALLED)
		notice_newer(j);
	return VK_OK;
}

static enum vk_entry_origin origin_of(const struct vk_gpt_judgement *j, uint32_t slot, uint64_t *ret_lba)
{
	bool in[2] = {false, false};

	*ret_lba = j->image.header.entriesLBA;
	VK_GPT_EACH_ARRAY(seen, &j->look) {
		if (seen->held != VK_GPT_HELD || !vk_gpt_is_image_slot(j, seen->bytes, slot))
			continue;
		/* the first of the primary ones, else the first at all */
		if (seen->backup ? !in[0] && !in[1] : !in[0])
			*ret_lba = seen->lba;
		in[seen->backup] = true;
	}
	if (in[0] && in[1])
		return VK_ENTRY_BOTH;
	if (in[0] || in[1])
		return in[0] ? VK_ENTRY_PRIMARY : VK_ENTRY_BACKUP;
	if (j->proof == VK_GPT_PROOF_BIT)
		return j->from->backup ? VK_ENTRY_BACKUP : VK_ENTRY_PRIMARY;
	return VK_ENTRY_FOUND;
}

static void explain_entry(const struct vk_gpt_judgement *j, struct vk_gpt_judged_entry *e)
{
	static const char *const how[] = {
		[VK_GPT_PROOF_CRC] = ", proved by the checksum",
		[VK_GPT_PROOF_PIECED] = ", proved by the checksum",
		[VK_GPT_PROOF_BIT] = ", proved by the checksum",
		[VK_GPT_PROOF_RIVALLED] = "; there was another table, too, and nothing proves which is newer",
		[VK_GPT_PROOF_EQUAL] = " alike; no checksum is left to prove it",
		[VK_GPT_PROOF_OLDER] = ", but older",
		[VK_GPT_PROOF_SINGLE] = "; the checksum does not prove it",
		[VK_GPT_PROOF_NONE] = "; the checksum does not prove it",
	};
	bool mended = j->proof == VK_GPT_PROOF_BIT && (j->bit / 8) / j->look.entry_size + 1 == e->partition.number;
	struct vk_text text = vk_text_in(e->why, sizeof(e->why));

	if (e->origin == VK_ENTRY_FOUND)
		vk_text_put(&text, "an older entry with the end that its volume has, proved by the checksum");
	else
		vk_text_fmt(&text, "stands in %s%s",
			    e->origin == VK_ENTRY_BOTH     ? "both copies"
			    : e->origin == VK_ENTRY_BACKUP ? "the backup copy"
							   : "the primary copy",
			    mended ? " but for one bit, which the checksum shows" : how[j->proof]);
	if (!e->exact)
		vk_text_put(&text, e->length_fits             ? "; the volume found there begins and ends with it"
				   : e->candidate != SIZE_MAX ? "; a volume found there begins with it"
							      : "; no volume confirms it");
}

enum vk_status vk_gpt_list_entries(struct vk_gpt_judgement *j)
{
	for (uint32_t i = 0; i < j->image.header.numEntries; i++) {
		struct vk_gpt_judged_entry e = {.partition = {.number = i + 1, .gpt = true}};
		struct vk_partition *p = &e.partition;
		const struct vk_known_start *start;
		uint64_t lba;

		if (!vk_gpt_image_get(&j->image, i + 1, &p->entry))
			continue;
		p->start_sector = p->entry.firstLBA;
		p->sectors = p->entry.lastLBA < p->entry.firstLBA ? 0
								  : vk_add_sat(p->entry.lastLBA - p->entry.firstLBA, 1);
		e.origin = origin_of(j, i, &lba);
		p->entry_offset_bytes = vk_add_sat(vk_mul_sat(lba, j->look.sector_size), vk_gpt_slot_at(j, i));
		e.exact = vk_gpt_proof_exact(j->proof);
		e.alike = e.origin == VK_ENTRY_BOTH &&
			  (j->proof == VK_GPT_PROOF_EQUAL || j->proof == VK_GPT_PROOF_SINGLE);
		start = vk_gpt_start_at(j, p->start_sector);
		e.candidate = start == NULL ? SIZE_MAX : start->index;
		e.length_fits = vk_gpt_fit(j, p->start_sector, p->sectors) == 3;
		j->fits_found += e.candidate != SIZE_MAX;
		explain_entry(j, &e);
		if (vk_append(&j->entries, &j->entry_count, &e, sizeof(e)) == NULL)
			return VK_NOMEM;
	}
	return VK_OK;
}
