/* SPDX-License-Identifier: Apache-2.0 */
/* The areas of a GPT: both headers and both arrays, and what each must say as far as a checksum tells. */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "doctor/doctor.h"

/* Whether the entries of one copy name a volume, whatever copy systems use. */
static bool entries_name_any(const struct vk_doctor *doc, const struct vk_gpt_header *header, const uint8_t *array,
			     size_t *ret_used)
{
	bool named = false;

	*ret_used = 0;
	for (uint32_t i = 0; i < header->numEntries; i++) {
		struct vk_partition p = {.gpt = true};

		vk_gpt_entry_decode(array + (uint64_t)i * header->entrySize, header->entrySize, &p.entry);
		if (vk_guid_is_nil(&p.entry.typeGUID))
			continue;
		++*ret_used;
		p.start_sector = p.entry.firstLBA;
		named = named || vk_doctor_names_any(doc, &p, 1);
	}
	return named;
}

/* A copy as it would be if its signature were there. */
struct copy {
	uint64_t lba;
	bool sound;          /* header and its checksum, signature or not */
	bool signature_only; /* it lacks nothing else */
	bool foreign;
	bool names;          /* a volume that was found */
	struct vk_gpt_header header;
	bool rivalled;       /* its header or the other's is lost, and the arrays hold two tables: nothing tells which is newer */
	uint8_t *array;      /* that its checksum proves; NULL: none */
};

static bool header_is_sound(const struct copy *c, uint8_t *sector, uint32_t ss)
{
	const struct vk_gpt_header *h = &c->header;

	if (h->headerSize < VK_GPT_HEADER_BYTES || h->headerSize > ss || h->myLBA != c->lba || vk_gpt_entries_bytes(h) == 0)
		return false;
	vk_put_le32(sector + 0x10, 0);
	/* what is behind the first unit is an area of its own */
	return vk_crc32(0, sector, h->headerSize) == h->headerCRC32 &&
	       (h->headerSize >= VK_UNIT_BYTES || vk_all_zero(sector + h->headerSize, VK_UNIT_BYTES - h->headerSize));
}

static void read_array(struct vk_doctor *doc, struct copy *c)
{
	uint32_t bytes = vk_gpt_entries_bytes(&c->header);

	c->array = malloc(bytes);
	if (c->array == NULL) {
		vk_doctor_fail(doc, VK_NOMEM, "no memory for the GPT entries");
		return;
	}
	if (vk_doctor_read(doc, vk_mul_sat(c->header.entriesLBA, doc->source.sector_size), c->array, bytes) == bytes &&
	    vk_crc32(0, c->array, bytes) == c->header.entriesCRC32)
		return;
	free(c->array);
	c->array = NULL;
}

static void look_at_copy(struct vk_doctor *doc, struct copy *c)
{
	uint32_t ss = doc->source.sector_size;
	uint8_t *sector = malloc(ss);
	size_t used = 0;

	if (sector == NULL) {
		vk_doctor_fail(doc, VK_NOMEM, "no memory for a sector");
		return;
	}
	if (vk_doctor_read(doc, vk_mul_sat(c->lba, ss), sector, ss) == ss) {
		bool signature = vk_gpt_has_signature(sector, ss);

		memcpy(sector, "EFI PART", 8);
		vk_gpt_header_decode(sector, ss, &c->header);
		c->sound = header_is_sound(c, sector, ss);
		c->signature_only = c->sound && !signature;
	}
	free(sector);
	if (c->sound)
		read_array(doc, c);
	if (c->array != NULL)
		c->names = entries_name_any(doc, &c->header, c->array, &used);
	c->foreign = doc->table_foreign && doc->source.table.kind == VK_TABLE_GPT && !c->names && used > 0;
}

/* What a checksum proves of a copy that speaks of these volumes; NULL: nothing. */
static const uint8_t *proved_array(const struct vk_doctor *doc, const struct copy *c, uint64_t length)
{
	bool ours = !c->foreign && (c->names || doc->subject_count == 0);

	return ours && c->array != NULL && vk_gpt_entries_bytes(&c->header) >= length ? c->array : NULL;
}

/* A header whose entries are damaged is judged by what the other copy says of them. */
static enum vk_damage judge_header(const struct vk_doctor *doc, const struct copy *c, const struct copy *other)
{
	if (c->foreign)
		return VK_DAMAGE_FOREIGN;
	if (!c->sound || c->signature_only)
		return VK_DAMAGE_DAMAGED;
	if (c->rivalled)
		return VK_DAMAGE_CONSISTENT;
	if (c->names || doc->subject_count == 0)
		return VK_DAMAGE_INTACT;
	if (c->array != NULL)
		return VK_DAMAGE_DAMAGED;
	return other->names && other->header.entriesCRC32 == c->header.entriesCRC32 ? VK_DAMAGE_INTACT
										   : VK_DAMAGE_CONSISTENT;
}

static void add_header(struct vk_doctor *doc, int which, const struct copy copies[2])
{
	const struct copy *c = &copies[which];
	uint32_t ss = doc->source.sector_size;
	const char *side = which == 0 ? "primary" : "backup";
	struct vk_area *a = vk_area_add(doc, VK_AREA_STRUCTURE, VK_PART_TABLE, SIZE_MAX, vk_mul_sat(c->lba, ss),
					VK_UNIT_BYTES, "G", "%s GPT header", side);

	if (a == NULL)
		return;
	a->whole = judge_header(doc, c, &copies[1 - which]);
	a->may_change = a->whole == VK_DAMAGE_INTACT;
	if (ss > VK_UNIT_BYTES)
		vk_area_add(doc, VK_AREA_EMPTY, VK_PART_TABLE, SIZE_MAX, vk_mul_sat(c->lba, ss) + VK_UNIT_BYTES,
			    ss - VK_UNIT_BYTES, "", "rest of the %s GPT header's sector", side);
}

/* Two damaged arrays with one checksum: where they differ, one of the two is right, and few choices can be tried. */
static bool merge_arrays(struct vk_doctor *doc, const struct copy *c, uint64_t other_bytes, uint32_t bytes)
{
	uint8_t *ret_array = c->array;
	enum { TRIED_MAX = 10 };
	uint8_t *theirs = malloc(bytes);
	size_t differ[TRIED_MAX], count = 0;
	bool fits = false;

	if (theirs == NULL)
		return vk_doctor_fail(doc, VK_NOMEM, "no memory for the GPT entries");
	vk_doctor_read(doc, vk_mul_sat(c->header.entriesLBA, doc->source.sector_size), ret_array, bytes);
	vk_doctor_read(doc, other_bytes, theirs, bytes);
	for (size_t at = 0; at + VK_UNIT_BYTES <= bytes && count <= TRIED_MAX; at += VK_UNIT_BYTES)
		if (memcmp(ret_array + at, theirs + at, VK_UNIT_BYTES) != 0) {
			if (count < TRIED_MAX)
				differ[count] = at;
			count++;
		}
	for (unsigned choice = 0; count <= TRIED_MAX && choice < 1U << count && !fits; choice++) {
		for (size_t i = 0; choice > 0 && i < count; i++) {
			/* Gray code: one piece changes places with its counterpart at a time */
			uint8_t kept[VK_UNIT_BYTES];

			if (((choice ^ choice >> 1) ^ ((choice - 1) ^ (choice - 1) >> 1)) != 1U << i)
				continue;
			memcpy(kept, ret_array + differ[i], VK_UNIT_BYTES);
			memcpy(ret_array + differ[i], theirs + differ[i], VK_UNIT_BYTES);
			memcpy(theirs + differ[i], kept, VK_UNIT_BYTES);
		}
		fits = vk_crc32(0, ret_array, bytes) == c->header.entriesCRC32;
	}
	free(theirs);
	return fits;
}

/* Where the entries of a copy lie, if need be where everybody has them. */
static uint64_t entries_lba(const struct copy *c, uint32_t bytes, uint32_t ss)
{
	uint64_t sectors = vk_round_up_sat(bytes, ss) / ss;

	if (c->sound)
		return c->header.entriesLBA;
	if (c->lba == 1)
		return 2;
	return c->lba > sectors ? c->lba - sectors : 0;
}

/* Entries that do not fit the checksum of a sound header: those of the other copy may, or those of both together. */
static void mend_array(struct vk_doctor *doc, struct copy *c, const struct copy *other)
{
	uint32_t ss = doc->source.sector_size, bytes = vk_gpt_entries_bytes(&c->header);
	uint64_t theirs = vk_mul_sat(entries_lba(other, bytes, ss), ss);
	bool fits;
	size_t used;

	if (!c->sound || c->array != NULL || theirs == 0)
		return;
	c->array = malloc(bytes);
	if (c->array == NULL) {
		vk_doctor_fail(doc, VK_NOMEM, "no memory for the GPT entries");
		return;
	}
	fits = vk_doctor_read(doc, theirs, c->array, bytes) == bytes &&
	       (vk_crc32(0, c->array, bytes) == c->header.entriesCRC32 || merge_arrays(doc, c, theirs, bytes));
	if (fits) {
		c->names = entries_name_any(doc, &c->header, c->array, &used);
		return;
	}
	free(c->array);
	c->array = NULL;
}

/* Whether these entries may be what somebody wrote: unused, or from a first to a last sector of the disk. */
static bool entries_plausible(const struct vk_doctor *doc, const uint8_t *unit)
{
	uint64_t sectors = doc->source.size_bytes / doc->source.sector_size;

	for (size_t at = 0; at < VK_UNIT_BYTES; at += VK_GPT_ENTRY_BYTES) {
		struct vk_gpt_entry e;

		vk_gpt_entry_decode(unit + at, VK_GPT_ENTRY_BYTES, &e);
		if (!vk_all_zero(unit + at, VK_GPT_ENTRY_BYTES) &&
		    (vk_guid_is_nil(&e.typeGUID) || vk_guid_is_nil(&e.uniqueGUID) || e.firstLBA == 0 ||
		     e.firstLBA > e.lastLBA || e.lastLBA >= sectors))
			return false;
	}
	return true;
}

static bool more_than_a_bit(const uint8_t *a, const uint8_t *b, size_t len)
{
	int bits = 0;

	for (size_t i = 0; i < len && bits < 2; i++)
		bits += __builtin_popcount(a[i] ^ b[i]);
	return bits > 1;
}

/* A checksum proves a copy whole, not that it is newer than the table that still stands beside the other's lost header. */
static void meet_rival(struct vk_doctor *doc, struct copy *whole, struct copy *lost)
{
	uint32_t ss = doc->source.sector_size, bytes = vk_gpt_entries_bytes(&whole->header);
	uint64_t at = vk_mul_sat(entries_lba(lost, bytes, ss), ss);
	uint8_t *stands;
	bool rival;

	if (whole->array == NULL || lost->sound || at == 0 || lost->header.entriesCRC32 == whole->header.entriesCRC32)
		return;
	stands = malloc(bytes);
	if (stands == NULL) {
		vk_doctor_fail(doc, VK_NOMEM, "no memory for the GPT entries");
		return;
	}
	rival = vk_doctor_read(doc, at, stands, bytes) == bytes && !vk_all_zero(stands, bytes) &&
		more_than_a_bit(stands, whole->array, bytes);
	for (size_t i = 0; rival && i < bytes; i += VK_UNIT_BYTES)
		rival = entries_plausible(doc, stands + i);
	free(stands);
	whole->rivalled = lost->rivalled = rival;
}

/* Wrong, and no checksum tells where: what is no entry at all is blamed first, then whatever is not zero. */
static void blame_somewhere(struct vk_doctor *doc, struct vk_area *a)
{
	enum { UNITS = 64 };
	uint8_t *now = calloc(UNITS, VK_UNIT_BYTES);
	uint64_t used = 0;
	size_t len = (size_t)vk_min_u64(a->length_bytes, UNITS * VK_UNIT_BYTES);

	if (now == NULL) {
		vk_doctor_fail(doc, VK_NOMEM, "no memory for the GPT entries");
		return;
	}
	a->whole = VK_DAMAGE_DAMAGED;
	a->somewhere = true;
	vk_doctor_read(doc, a->offset_bytes, now, len);
	for (size_t i = 0; i < len / VK_UNIT_BYTES; i++) {
		if (!vk_all_zero(now + i * VK_UNIT_BYTES, VK_UNIT_BYTES))
			used |= 1ULL << i;
		if (!entries_plausible(doc, now + i * VK_UNIT_BYTES))
			a->blamed |= 1ULL << i;
	}
	if (a->blamed == 0)
		a->blamed = used != 0 ? used : 1;
	free(now);
}

static void expect_entries(struct vk_doctor *doc, struct vk_area *a, const struct copy *c, const struct copy *other)
{
	const uint8_t *own = proved_array(doc, c, a->length_bytes), *theirs = proved_array(doc, other, a->length_bytes);
	const uint8_t *best = own != NULL ? own : theirs;

	a->whole = VK_DAMAGE_UNKNOWN;
	if (c->rivalled) {
		a->whole = VK_DAMAGE_CONSISTENT;
		return;
	}
	if (best == NULL) {
		if (c->sound && c->array == NULL)
			blame_somewhere(doc, a);
		return;
	}
	a->expected = malloc((size_t)a->length_bytes);
	if (a->expected == NULL) {
		vk_doctor_fail(doc, VK_NOMEM, "no memory for the GPT entries");
		return;
	}
	memcpy(a->expected, best, (size_t)a->length_bytes);
	/* two copies that contradict each other prove neither */
	a->proved = own == NULL || theirs == NULL || memcmp(own, theirs, (size_t)a->length_bytes) == 0;
	a->may_change = true;
}

static void add_array(struct vk_doctor *doc, int which, const struct copy copies[2])
{
	const struct copy *c = &copies[which], *other = &copies[1 - which];
	uint32_t ss = doc->source.sector_size, bytes = 128 * VK_GPT_ENTRY_BYTES;
	const struct vk_gpt_header *h = c->sound ? &c->header : other->sound ? &other->header : NULL;
	const char *side = which == 0 ? "primary" : "backup";
	uint64_t lba;
	struct vk_area *a;

	if (h != NULL)
		bytes = vk_gpt_entries_bytes(h);
	lba = c->sound ? c->header.entriesLBA : which == 0 ? 2 : c->lba - vk_round_up_sat(bytes, ss) / ss;
	if (!c->sound && which == 1 && c->lba <= bytes / ss)
		return;
	a = vk_area_add(doc, VK_AREA_STRUCTURE, VK_PART_TABLE, SIZE_MAX, vk_mul_sat(lba, ss), bytes, "E",
			"%s GPT entries", side);
	if (a == NULL)
		return;
	if (c->foreign) {
		a->whole = VK_DAMAGE_FOREIGN;
		return;
	}
	expect_entries(doc, a, c, other);
}

void vk_doctor_plan_gpt(struct vk_doctor *doc)
{
	const struct vk_table *t = &doc->source.table;
	const struct vk_table *was = doc->known.found ? &doc->known.source.table : NULL;
	uint64_t sectors = doc->source.size_bytes / doc->source.sector_size;
	struct copy copies[2] = {{.lba = 1}, {.lba = sectors - 1}};
	bool cut;

	if (sectors < 70)
		return;
	if (t->gpt[1].present)
		copies[1].lba = t->gpt[1].lba;
	else if (was != NULL && was->gpt[1].present && was->gpt[1].lba < sectors)
		copies[1].lba = was->gpt[1].lba;
	else if (t->gpt[0].sound && t->gpt[0].header.alternateLBA > 1 && t->gpt[0].header.alternateLBA < sectors)
		copies[1].lba = t->gpt[0].header.alternateLBA;
	for (int i = 0; i < 2 && doc->status == VK_OK; i++)
		look_at_copy(doc, &copies[i]);
	for (int i = 0; i < 2 && doc->status == VK_OK; i++)
		mend_array(doc, &copies[i], &copies[1 - i]);
	for (int i = 0; i < 2 && doc->status == VK_OK; i++)
		meet_rival(doc, &copies[i], &copies[1 - i]);
	/* the end of a disk that was cut off carries no copy */
	cut = copies[0].sound && copies[0].header.alternateLBA >= sectors && !copies[1].sound;
	for (int i = 0; i < (cut ? 1 : 2); i++)
		add_header(doc, i, copies);
	for (int i = 0; i < (cut ? 1 : 2); i++)
		add_array(doc, i, copies);
	for (int i = 0; i < 2; i++)
		free(copies[i].array);
}
