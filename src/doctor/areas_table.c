/* SPDX-License-Identifier: Apache-2.0 */
/* The areas of the partition table: whose it is, which parts are there, and what each must say. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "doctor/doctor.h"

#define TYPE_MSR "E3C9E316-0B5C-4DB8-817D-F92DF00215AE"

static bool covers(const struct vk_partition *p, uint32_t ss, const struct vk_subject *s)
{
	return vk_partition_is_vmfs(p) && vk_mul_sat(p->start_sector, ss) == s->start_bytes;
}

static bool names_any(const struct vk_doctor *doc, const struct vk_partition *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < doc->subject_count; k++)
			if (covers(&list[i], doc->source.sector_size, &doc->subjects[k]))
				return true;
	return false;
}

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
		named = named || names_any(doc, &p, 1);
	}
	return named;
}

static const char *foreign_kind(const struct vk_partition *p, bool *ret_windows)
{
	static const uint8_t windows[] = {0x01, 0x04, 0x06, 0x07, 0x0b, 0x0c, 0x0e, 0x27, 0x42};
	char type[VK_GUID_TEXT_BYTES];
	const char *name;

	*ret_windows = false;
	vk_partition_type(p, type, &name);
	if (p->gpt) {
		*ret_windows = strcmp(type, TYPE_MSR) == 0;
		if (*ret_windows)
			return "a Microsoft reserved partition (MSR)";
		return vk_partition_is_vmfs(p) || p->entry.firstLBA == 0 ? NULL : name;
	}
	for (size_t i = 0; i < sizeof(windows); i++)
		*ret_windows = *ret_windows || p->mbr_type == windows[i];
	if (p->mbr_type == 0x42)
		return "a dynamic disk of Windows (type 42)";
	return vk_partition_is_vmfs(p) || p->mbr_type == 0xee || vk_partition_is_extended(p) ? NULL : name;
}

static bool meets_subject(const struct vk_doctor *doc, const struct vk_partition *p)
{
	uint32_t ss = doc->source.sector_size;
	uint64_t start = vk_mul_sat(p->start_sector, ss), end = vk_add_sat(start, vk_mul_sat(p->sectors, ss));

	for (size_t i = 0; i < doc->subject_count; i++)
		if (start < vk_add_sat(doc->subjects[i].start_bytes, vk_max_u64(doc->subjects[i].length_bytes, 1)) &&
		    doc->subjects[i].start_bytes < end)
			return true;
	return false;
}

/* A table that names none of the volumes but has partitions of others, over a volume or of a kind that ESX never makes. */
static void judge_owner(struct vk_doctor *doc)
{
	const struct vk_table *t = &doc->source.table;
	struct vk_text text;

	doc->table_usable = t->kind != VK_TABLE_NONE && doc->subject_count > 0;
	for (size_t i = 0; i < doc->subject_count; i++)
		doc->table_usable = doc->table_usable && doc->subjects[i].named;
	if (doc->subject_count == 0 || names_any(doc, t->partitions, t->partition_count))
		return;
	vk_text_init(&text, doc->foreign_table, sizeof(doc->foreign_table));
	for (size_t i = 0; i < t->partition_count; i++) {
		const struct vk_partition *p = &t->partitions[i];
		bool windows;
		const char *what = foreign_kind(p, &windows);

		if (what == NULL || (!windows && !meets_subject(doc, p)))
			continue;
		doc->table_foreign = true;
		doc->windows = doc->windows || windows;
		if (strstr(doc->foreign_table, what) == NULL)
			vk_text_fmt(&text, "%s%s", text.len_bytes > 0 ? ", " : "", what);
	}
}

static bool had_gpt(const struct vk_doctor *doc)
{
	const struct vk_table *t = &doc->source.table;

	if (t->gpt[0].present || t->gpt[1].present || vk_mbr_is_protective(&t->mbr))
		return true;
	if (doc->known.found)
		return doc->known.source.table.kind == VK_TABLE_GPT;
	if (t->kind == VK_TABLE_MBR && !doc->table_foreign)
		return false;
	/* VMFS6 never had anything else, nor what begins at sector 2048 since ESXi 5 */
	for (size_t i = 0; i < doc->subject_count; i++) {
		const struct vk_subject *s = &doc->subjects[i];

		if (vk_fs_is_vmfs6(&doc->source.vmfs[s->vmfs].fs) && doc->source.vmfs[s->vmfs].fs_usable)
			return true;
		if (s->lvm_known && s->lvm.majorVersion >= 5 && s->start_bytes == 1 << 20)
			return true;
	}
	return false;
}

static void add_mbr(struct vk_doctor *doc)
{
	const struct vk_table *t = &doc->source.table;
	bool protective = doc->gpt_expected;
	bool guards = vk_mbr_is_protective(&t->mbr) && t->mbr.signature == VK_MBR_SIGNATURE;
	struct vk_area *a = vk_area_add(doc, VK_AREA_STRUCTURE, VK_PART_TABLE, SIZE_MAX, 0, VK_MBR_BYTES, "M",
					protective ? "protective MBR" : "MBR");

	if (a == NULL)
		return;
	a->whole = VK_DAMAGE_DAMAGED;
	/* who writes a GPT writes what protects it, too */
	if (doc->table_foreign && t->kind == VK_TABLE_GPT && t->gpt_chosen == 0)
		a->whole = VK_DAMAGE_FOREIGN;
	else if (protective ? guards : t->kind == VK_TABLE_MBR && names_any(doc, t->partitions, t->partition_count) &&
					  t->mbr.signature == VK_MBR_SIGNATURE)
		a->whole = VK_DAMAGE_CONSISTENT;
	else if (doc->table_foreign && t->kind == VK_TABLE_MBR)
		a->whole = VK_DAMAGE_FOREIGN;
	else if (doc->subject_count == 0 && t->kind != VK_TABLE_NONE)
		a->whole = VK_DAMAGE_CONSISTENT; /* nothing says that it should be another one */
	a->may_change = a->whole == VK_DAMAGE_CONSISTENT;
}

/* A copy as it would be if its signature were there. */
struct copy {
	uint64_t lba;
	bool sound;          /* header and its checksum, signature or not */
	bool signature_only; /* it lacks nothing else */
	bool foreign;
	bool names;          /* a volume that was found */
	struct vk_gpt_header header;
	uint8_t *array;      /* that its checksum proves; NULL: none */
};

static bool header_is_sound(const struct copy *c, uint8_t *sector, uint32_t ss)
{
	const struct vk_gpt_header *h = &c->header;

	if (h->headerSize < VK_GPT_HEADER_BYTES || h->headerSize > ss || h->myLBA != c->lba || vk_gpt_entries_bytes(h) == 0)
		return false;
	vk_put_le32(sector + 0x10, 0);
	return vk_crc32(0, sector, h->headerSize) == h->headerCRC32 &&
	       vk_all_zero(sector + h->headerSize, ss - h->headerSize);
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

/* Where no checksum tells which entries are wrong, those that are zero may always have been. */
static void blame_somewhere(struct vk_doctor *doc, struct vk_area *a)
{
	uint8_t *now = malloc((size_t)a->length_bytes);

	if (now == NULL) {
		vk_doctor_fail(doc, VK_NOMEM, "no memory for the GPT entries");
		return;
	}
	a->whole = VK_DAMAGE_DAMAGED;
	vk_doctor_read(doc, a->offset_bytes, now, (size_t)a->length_bytes);
	a->somewhere = !vk_all_zero(now, (size_t)a->length_bytes);
	a->only_first = !a->somewhere;
	free(now);
}

static void expect_entries(struct vk_doctor *doc, struct vk_area *a, const struct copy *c, const struct copy *other)
{
	const uint8_t *own = proved_array(doc, c, a->length_bytes), *theirs = proved_array(doc, other, a->length_bytes);
	const uint8_t *best = own != NULL ? own : theirs;

	a->whole = VK_DAMAGE_UNKNOWN;
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

static void add_gpt(struct vk_doctor *doc)
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
	/* the end of a disk that was cut off carries no copy */
	cut = copies[0].sound && copies[0].header.alternateLBA >= sectors && !copies[1].sound;
	for (int i = 0; i < (cut ? 1 : 2); i++)
		add_header(doc, i, copies);
	for (int i = 0; i < (cut ? 1 : 2); i++)
		add_array(doc, i, copies);
	for (int i = 0; i < 2; i++)
		free(copies[i].array);
}

static void add_ebrs(struct vk_doctor *doc, const struct vk_table *t)
{
	for (size_t i = 0; i < t->ebr_count; i++) {
		uint8_t sector[VK_MBR_BYTES];
		struct vk_area *a = vk_area_add(doc, VK_AREA_STRUCTURE, VK_PART_TABLE, SIZE_MAX,
						vk_mul_sat(t->ebr_lbas[i], doc->source.sector_size), sizeof(sector),
						"E", "extended boot record at sector %llu",
						(unsigned long long)t->ebr_lbas[i]);

		if (a == NULL)
			continue;
		vk_doctor_read(doc, a->offset_bytes, sector, sizeof(sector));
		a->whole = vk_get_le16(sector + 510) == VK_MBR_SIGNATURE ? VK_DAMAGE_CONSISTENT : VK_DAMAGE_DAMAGED;
		a->may_change = a->whole == VK_DAMAGE_CONSISTENT;
	}
}

bool vk_doctor_plan_table(struct vk_doctor *doc)
{
	judge_owner(doc);
	doc->gpt_expected = had_gpt(doc);
	/* a disk on which nothing is or was has no table to miss */
	doc->table_written = doc->subject_count > 0 || doc->source.table.kind != VK_TABLE_NONE;
	if (!doc->table_written)
		return true;
	add_mbr(doc);
	if (doc->gpt_expected)
		add_gpt(doc);
	if (doc->known.found && doc->known.source.table.kind == VK_TABLE_MBR)
		add_ebrs(doc, &doc->known.source.table);
	if (doc->source.table.kind == VK_TABLE_MBR && !doc->table_foreign)
		add_ebrs(doc, &doc->source.table);
	return doc->status == VK_OK;
}
