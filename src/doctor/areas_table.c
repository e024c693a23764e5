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

/* The used entries of one copy, whatever copy systems use. */
static bool copy_names_any(const struct vk_doctor *doc, const struct vk_gpt_copy *copy, size_t *ret_used)
{
	bool named = false;

	*ret_used = 0;
	for (uint32_t i = 0; copy->usable && i < copy->header.numEntries; i++) {
		struct vk_partition p = {.gpt = true};

		vk_gpt_entry_decode(copy->array + (uint64_t)i * copy->header.entrySize, copy->header.entrySize,
				    &p.entry);
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
	if (protective ? guards : t->kind == VK_TABLE_MBR && names_any(doc, t->partitions, t->partition_count) &&
					  t->mbr.signature == VK_MBR_SIGNATURE)
		a->whole = VK_DAMAGE_CONSISTENT;
	else if (doc->table_foreign && t->kind == VK_TABLE_MBR)
		a->whole = VK_DAMAGE_FOREIGN;
	else if (doc->subject_count == 0 && t->kind != VK_TABLE_NONE)
		a->whole = VK_DAMAGE_CONSISTENT; /* nothing says that it should be another one */
	a->may_change = a->whole == VK_DAMAGE_CONSISTENT;
}

/* What a header would be if its signature were there, when nothing else is wrong with it. */
struct copy {
	const struct vk_gpt_copy *seen;
	uint64_t lba;
	bool sound;          /* header and its checksum, signature or not */
	bool signature_only; /* it lacks nothing else */
	bool foreign;
	bool names;
	struct vk_gpt_header header;
};

static void look_at_copy(struct vk_doctor *doc, int which, struct copy *c)
{
	uint32_t ss = doc->source.sector_size;
	uint8_t *sector = malloc(ss);
	uint32_t crc;
	size_t used;

	c->seen = &doc->source.table.gpt[which];
	if (sector == NULL) {
		vk_doctor_fail(doc, VK_NOMEM, "no memory for a sector");
		return;
	}
	if (vk_doctor_read(doc, vk_mul_sat(c->lba, ss), sector, ss) == ss) {
		bool signature = vk_gpt_has_signature(sector, ss);

		memcpy(sector, "EFI PART", 8);
		vk_gpt_header_decode(sector, ss, &c->header);
		crc = c->header.headerCRC32;
		vk_put_le32(sector + 0x10, 0);
		c->sound = c->header.headerSize >= VK_GPT_HEADER_BYTES && c->header.headerSize <= ss &&
			   c->header.myLBA == c->lba && vk_crc32(0, sector, c->header.headerSize) == crc &&
			   vk_all_zero(sector + c->header.headerSize, ss - c->header.headerSize) &&
			   vk_gpt_entries_bytes(&c->header) > 0;
		c->signature_only = c->sound && !signature;
	}
	free(sector);
	c->names = copy_names_any(doc, c->seen, &used);
	c->foreign = doc->table_foreign && doc->source.table.kind == VK_TABLE_GPT && !c->names && used > 0;
}

/* The array that a sound header's checksum proves, read from where that header says; NULL: none. Free it. */
static uint8_t *proved_array(struct vk_doctor *doc, const struct copy *c, uint32_t *ret_bytes)
{
	uint32_t bytes = vk_gpt_entries_bytes(&c->header);
	bool ours = c->sound && !c->foreign && (c->names || doc->subject_count == 0);
	uint8_t *array = ours ? malloc(bytes) : NULL;

	*ret_bytes = bytes;
	if (array == NULL)
		return NULL;
	if (vk_doctor_read(doc, vk_mul_sat(c->header.entriesLBA, doc->source.sector_size), array, bytes) == bytes &&
	    vk_crc32(0, array, bytes) == c->header.entriesCRC32)
		return array;
	free(array);
	return NULL;
}

static void add_header(struct vk_doctor *doc, int which, const struct copy *c)
{
	uint32_t ss = doc->source.sector_size;
	const char *side = which == 0 ? "primary" : "backup";
	struct vk_area *a = vk_area_add(doc, VK_AREA_STRUCTURE, VK_PART_TABLE, SIZE_MAX, vk_mul_sat(c->lba, ss),
					VK_UNIT_BYTES, "G", "%s GPT header", side);

	if (a == NULL)
		return;
	a->whole = VK_DAMAGE_DAMAGED;
	if (c->foreign)
		a->whole = VK_DAMAGE_FOREIGN;
	else if (c->sound && !c->signature_only && (c->names || doc->subject_count == 0))
		a->whole = VK_DAMAGE_INTACT;
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
	uint8_t *proved[2];
	uint32_t bytes[2];

	for (int i = 0; i < 2; i++) {
		proved[i] = proved_array(doc, i == 0 ? c : other, &bytes[i]);
		if (proved[i] != NULL && bytes[i] < a->length_bytes) {
			free(proved[i]);
			proved[i] = NULL;
		}
	}
	a->whole = VK_DAMAGE_UNKNOWN;
	/* two copies that contradict each other prove neither */
	a->proved = proved[0] == NULL || proved[1] == NULL ||
		    memcmp(proved[0], proved[1], (size_t)a->length_bytes) == 0;
	a->expected = proved[0] != NULL ? proved[0] : proved[1];
	a->may_change = a->expected != NULL;
	if (proved[0] != NULL)
		free(proved[1]);
	if (a->expected == NULL && (c->sound || other->sound))
		blame_somewhere(doc, a);
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

	if (sectors < 70)
		return;
	if (t->gpt[1].present)
		copies[1].lba = t->gpt[1].lba;
	else if (was != NULL && was->gpt[1].present && was->gpt[1].lba < sectors)
		copies[1].lba = was->gpt[1].lba;
	else if (t->gpt[0].sound && t->gpt[0].header.alternateLBA > 1 && t->gpt[0].header.alternateLBA < sectors)
		copies[1].lba = t->gpt[0].header.alternateLBA;
	for (int i = 0; i < 2 && doc->status == VK_OK; i++)
		look_at_copy(doc, i, &copies[i]);
	for (int i = 0; i < 2; i++)
		add_header(doc, i, &copies[i]);
	for (int i = 0; i < 2; i++)
		add_array(doc, i, copies);
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
