/* SPDX-License-Identifier: Apache-2.0 */
/* The areas of a GPT: both headers and both arrays. What each must say is the word of the judge that repair asks, too.
 */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "doctor/doctor.h"
#include "evidence/gpt/case.h"
#include "evidence/gpt/judge.h"
#include "find/known_starts.h"

/* One copy as the judge saw it. */
struct copy {
	uint64_t lba;
	const struct vk_gpt_header_seen *header; /* NULL: there is no sector for it */
	const struct vk_gpt_array_seen *array;   /* where its entries lie; NULL: there is none */
	const uint8_t *entries;                  /* those that its checksum proves, whole; NULL: none are left */
	bool sound; /* its checksum fits, if need be with a bit or the signature put back, and it belongs here */
	bool foreign;
	bool names; /* a volume that was found */
};

/* Where the entries of a copy lie, if need be where everybody has them. */
static uint64_t entries_lba(const struct copy *c, uint64_t sectors)
{
	if (c->sound)
		return c->header->header.entriesLBA;
	if (c->lba == 1)
		return VK_GPT_PRIMARY_ARRAY_LBA;
	return c->lba > sectors ? c->lba - sectors : 0;
}

static void ask_about_copy(struct vk_doctor *doc, struct vk_gpt_judgement *j, struct copy *c)
{
	enum vk_status status = vk_gpt_look_header(&j->look, c->lba, &c->header, doc->err);
	bool used = false;

	c->sound = status == VK_OK && c->header != NULL && vk_gpt_header_trusted(c->header) &&
		   c->header->header.myLBA == c->lba;
	if (status == VK_OK)
		status = vk_gpt_look_array(&j->look, entries_lba(c, j->look.array_sectors), c->lba != 1, &c->array,
					   doc->err);
	if (status == VK_NOMEM)
		vk_doctor_fail(doc, status, "no memory for the GPT entries");
	if (c->sound)
		c->entries = vk_gpt_entries_of(j, c->header);
	/* whatever copy systems use */
	for (uint32_t i = 0; c->entries != NULL && i < c->header->header.numEntries; i++) {
		uint32_t size = c->header->header.entrySize;
		struct vk_partition p = {.gpt = true};

		vk_gpt_entry_decode(c->entries + (uint64_t)i * size, size, &p.entry);
		p.start_sector = p.entry.firstLBA;
		used = used || !vk_guid_is_nil(&p.entry.typeGUID);
		c->names = c->names || vk_doctor_names_any(doc, &p, 1);
	}
	c->foreign = doc->table_foreign && doc->source.table.kind == VK_TABLE_GPT && !c->names && used;
}

/* A header whose entries are damaged is judged by what the other copy says of them. */
static void add_header(struct vk_doctor *doc, const struct vk_gpt_judgement *j, int which, const struct copy copies[2])
{
	const struct copy *c = &copies[which], *other = &copies[1 - which];
	uint32_t ss = doc->source.sector_size, size = c->sound ? c->header->header.headerSize : 0;
	const char *side = which == 0 ? "primary" : "backup";
	struct vk_area *a = vk_area_add(doc, VK_AREA_STRUCTURE, VK_PART_TABLE, SIZE_MAX, vk_mul_sat(c->lba, ss),
					VK_UNIT_BYTES, "G", "%s GPT header", side);

	if (a == NULL)
		return;
	/* no checksum covers what stands behind a header; it is zeros, and the next unit is an area of its own */
	if (c->foreign)
		a->whole = VK_DAMAGE_FOREIGN;
	else if (!c->sound || c->header->mended ||
		 (size < VK_UNIT_BYTES && !vk_all_zero(c->header->sector + size, VK_UNIT_BYTES - size)))
		a->whole = VK_DAMAGE_DAMAGED;
	else if (j->rival != NULL)
		a->whole = VK_DAMAGE_CONSISTENT;
	else if (c->names || doc->subject_count == 0)
		a->whole = VK_DAMAGE_INTACT;
	else if (c->entries != NULL)
		a->whole = VK_DAMAGE_DAMAGED;
	else if (other->names && other->header->header.entriesCRC32 == c->header->header.entriesCRC32)
		a->whole = VK_DAMAGE_INTACT;
	else
		a->whole = VK_DAMAGE_CONSISTENT;
	if (c->sound && c->header->signature_lost)
		a->how = "only its signature is gone";
	a->may_change = a->whole == VK_DAMAGE_INTACT;
	if (ss > VK_UNIT_BYTES)
		vk_area_add(doc, VK_AREA_EMPTY, VK_PART_TABLE, SIZE_MAX, vk_mul_sat(c->lba, ss) + VK_UNIT_BYTES,
			    ss - VK_UNIT_BYTES, "", "rest of the %s GPT header's sector", side);
}

/* Wrong, and no checksum tells where: what is no entry at all is blamed first, then whatever is not zero. */
static void blame_somewhere(struct vk_area *a, const struct vk_gpt_judgement *j, const struct vk_gpt_array_seen *array)
{
	uint64_t used = 0;

	a->whole = VK_DAMAGE_DAMAGED;
	a->somewhere = true;
	for (size_t i = 0; i < 64 && i < j->look.array_bytes / VK_UNIT_BYTES && array != NULL; i++) {
		if (!vk_all_zero(array->bytes + i * VK_UNIT_BYTES, VK_UNIT_BYTES))
			used |= 1ULL << i;
		if (vk_gpt_judge_unit(j, array, i) == VK_GPT_UNIT_NONSENSE)
			a->blamed |= 1ULL << i;
	}
	if (a->blamed == 0)
		a->blamed = used != 0 ? used : 1;
}

/* The entries that a checksum proves, of a copy that speaks of these volumes; NULL: none. */
static const uint8_t *proved_entries(const struct vk_doctor *doc, const struct vk_gpt_judgement *j,
				     const struct copy *c, uint64_t length)
{
	return !c->foreign && (c->names || doc->subject_count == 0) && j->look.array_bytes >= length ? c->entries
												     : NULL;
}

static void add_array(struct vk_doctor *doc, const struct vk_gpt_judgement *j, int which, const struct copy copies[2])
{
	const struct copy *c = &copies[which], *other = &copies[1 - which];
	uint32_t ss = doc->source.sector_size, bytes = VK_GPT_USUAL_ENTRIES * VK_GPT_ENTRY_BYTES;
	const uint8_t *own, *theirs;
	uint64_t lba;
	struct vk_area *a;

	if (c->sound || other->sound)
		bytes = vk_gpt_entries_bytes(&(c->sound ? c : other)->header->header);
	lba = entries_lba(c, vk_round_up_sat(bytes, ss) / ss);
	if (lba == 0)
		return;
	a = vk_area_add(doc, VK_AREA_STRUCTURE, VK_PART_TABLE, SIZE_MAX, vk_mul_sat(lba, ss), bytes, "E",
			"%s GPT entries", which == 0 ? "primary" : "backup");
	if (a == NULL)
		return;
	own = proved_entries(doc, j, c, a->length_bytes);
	theirs = proved_entries(doc, j, other, a->length_bytes);
	a->whole = VK_DAMAGE_UNKNOWN;
	if (c->foreign) {
		a->whole = VK_DAMAGE_FOREIGN;
	} else if (j->rival != NULL && c->array != NULL && (c->array == j->rival || c->entries == c->array->bytes)) {
		/* one of two whole tables that contradict each other */
		a->whole = VK_DAMAGE_CONSISTENT;
	} else if (own != NULL || theirs != NULL) {
		a->expected = malloc((size_t)a->length_bytes);
		if (a->expected == NULL) {
			vk_doctor_fail(doc, VK_NOMEM, "no memory for the GPT entries");
			return;
		}
		memcpy(a->expected, own != NULL ? own : theirs, (size_t)a->length_bytes);
		/* two copies that contradict each other prove neither */
		a->proved = own == NULL || theirs == NULL || memcmp(own, theirs, (size_t)a->length_bytes) == 0;
		a->may_change = true;
	} else if (c->sound && c->entries == NULL && vk_gpt_counts_alike(j, c->header)) {
		/* entries of another number than the judged table has were not put to the test */
		blame_somewhere(a, j, c->array);
	}
}

/* The volumes that were found and are no ghosts are what repair judges a table by. False: nothing is known of a GPT
 * here. */
static bool judge_gpt(struct vk_doctor *doc, struct vk_gpt_judgement *j)
{
	struct vk_known_start *starts = NULL;
	size_t count = 0;
	enum vk_status status = vk_find_known_starts(&doc->find, &starts, &count, NULL);

	if (status == VK_OK)
		status = vk_gpt_judge(&doc->source, starts, count, j, NULL);
	free(starts);
	if (status == VK_NOMEM)
		vk_doctor_fail(doc, status, "no memory for the GPT");
	if (status == VK_OK && j->sector_size == doc->source.sector_size)
		return true;
	if (status == VK_OK)
		vk_gpt_judgement_free(j);
	return false;
}

void vk_doctor_plan_gpt(struct vk_doctor *doc)
{
	const struct vk_table *t = &doc->source.table;
	const struct vk_table *was = doc->known.found ? &doc->known.source.table : NULL;
	uint64_t sectors = doc->source.size_bytes / doc->source.sector_size;
	struct copy copies[2] = {{.lba = 1}, {.lba = sectors - 1}};
	struct vk_gpt_judgement j = {0};
	bool judged, cut;

	if (sectors < 70)
		return;
	if (t->gpt[1].present)
		copies[1].lba = t->gpt[1].lba;
	else if (was != NULL && was->gpt[1].present && was->gpt[1].lba < sectors)
		copies[1].lba = was->gpt[1].lba;
	else if (t->gpt[0].sound && t->gpt[0].header.alternateLBA > 1 && t->gpt[0].header.alternateLBA < sectors)
		copies[1].lba = t->gpt[0].header.alternateLBA;
	judged = judge_gpt(doc, &j);
	for (int i = 0; i < 2 && judged && doc->status == VK_OK; i++)
		ask_about_copy(doc, &j, &copies[i]);
	/* the end of a disk that was cut off carries no copy, nor does that of a dump of its beginning */
	cut = !copies[1].sound && (doc->source.whole.bytes != 0 ||
				   (copies[0].sound && copies[0].header->header.alternateLBA >= sectors));
	for (int i = 0; i < (cut ? 1 : 2); i++)
		add_header(doc, &j, i, copies);
	for (int i = 0; i < (cut ? 1 : 2); i++)
		add_array(doc, &j, i, copies);
	if (judged)
		vk_gpt_judgement_free(&j);
}
