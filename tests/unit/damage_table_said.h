/* SPDX-License-Identifier: Apache-2.0 */
/* What the plan of a table says of one byte: that it is what stood there, or that this is not known. */
#ifndef VK_TESTS_DAMAGE_TABLE_SAID_H
#define VK_TESTS_DAMAGE_TABLE_SAID_H

#include "damage_table.h"

struct state {
	const struct table_subject *subject;
	struct vk_io *disk;
	struct vk_source healthy;
	struct damage_map map;
	struct vk_overlay *damage, *plan; /* plan is over damage */
	struct rebuilt r;                 /* overlay of it is plan */
};

/* What the plan says of one byte. */
enum said { SAID_EXACT, SAID_OPEN };

static inline const struct vk_planned_entry *planned_number(const struct vk_rebuild_table *t, unsigned number)
{
	for (size_t i = 0; i < t->entry_count; i++)
		if (t->entries[i].partition.number == number && !t->entries[i].partition.logical)
			return &t->entries[i];
	return NULL;
}

/* Whether the plan says that it does not know what these words name. */
__attribute__((format(printf, 2, 3))) static inline bool doubts(const struct vk_rebuild_table *t, const char *fmt, ...)
{
	char words[100];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(words, sizeof(words), fmt, ap);
	va_end(ap);
	return said(t->doubts, t->doubt_count, words);
}

static inline const struct vk_field *field_at(const struct vk_layout *layout, size_t offset)
{
	for (size_t i = 0; i < layout->count; i++)
		if (offset - layout->fields[i].offset < layout->fields[i].size)
			return &layout->fields[i];
	return NULL;
}

/* Of an entry the plan prints whether it is byte for byte what stood, its start and type, its end, number and GUID. */
static inline enum said said_of_entry(const struct vk_rebuild_table *t, const struct vk_planned_entry *e,
				      const char *field)
{
	if (e == NULL)
		return t->lost_count > 0 ? SAID_OPEN : SAID_EXACT;
	if (e->bytes_exact)
		return SAID_EXACT;
	if (!e->number_exact)
		return SAID_OPEN;
	/* "which nothing proves" */
	if (!e->length_exact && e->candidate == SIZE_MAX && e->origin != VK_ENTRY_LAYOUT)
		return SAID_OPEN;
	if (strcmp(field, "lastLBA") == 0 || strcmp(field, "sectors") == 0)
		return e->length_exact || e->length_rounded ? SAID_EXACT : SAID_OPEN;
	return strcmp(field, "firstLBA") == 0 || strcmp(field, "typeGUID") == 0 || strcmp(field, "type") == 0 ? SAID_EXACT :
													       SAID_OPEN;
}

static inline enum said said_of_header(const struct vk_rebuild_table *t, const char *field)
{
	if (doubts(t, "Two headers of the GPT are sound"))
		return SAID_OPEN;
	if (strstr(field, "Usable") != NULL || strncmp(field, "num", 3) == 0)
		return doubts(t, "the usable range") ? SAID_OPEN : SAID_EXACT;
	if (strcmp(field, "entriesLBA") == 0)
		return doubts(t, "where the entries of the GPT lay") || doubts(t, "the usable range") ? SAID_OPEN : SAID_EXACT;
	if (strcmp(field, "diskGUID") == 0)
		return t->disk_guid_fresh || t->disk_guid_guessed || doubts(t, "the GUID of the disk comes from damaged headers") ?
			       SAID_OPEN :
			       SAID_EXACT;
	/* they follow from what they are made over */
	return strcmp(field, "headerCRC32") == 0 || strcmp(field, "entriesCRC32") == 0 ? SAID_OPEN : SAID_EXACT;
}

static inline enum said said_of_gpt_byte(const struct state *s, uint64_t at, char *name, size_t cap)
{
	const struct vk_rebuild_table *t = &s->r.table;
	uint32_t ss = t->sector_size;
	uint64_t last = t->disk_sectors * ss - ss, backup = last - ARRAY_BYTES;
	bool primary = at < last && at < backup;
	uint64_t in_header = primary ? at - ss : at - last;
	uint64_t in_array = primary ? at - 2ULL * ss : at - backup;
	const struct vk_field *f;

	if (in_header < VK_GPT_HEADER_BYTES) {
		f = field_at(&vk_gpt_header_layout, (size_t)in_header);
		snprintf(name, cap, "%s header %s", primary ? "primary" : "backup", f->name);
		return said_of_header(t, f->name);
	}
	if (in_array < ARRAY_BYTES) {
		unsigned number = (unsigned)(in_array / VK_GPT_ENTRY_BYTES) + 1;
		const struct vk_planned_entry *e = planned_number(t, number);

		f = field_at(&vk_gpt_entry_layout, (size_t)(in_array % VK_GPT_ENTRY_BYTES));
		snprintf(name, cap, "%s entry%s %s, %s", primary ? "primary" : "backup", e == NULL ? " that goes" : "", f->name,
			 e == NULL ? "" : vk_entry_origin_name(e->origin));
		if (e == NULL && (doubts(t, "entry %u of the GPT", number) || doubts(t, "nothing of a GPT is left")))
			return SAID_OPEN;
		return doubts(t, "Two headers of the GPT are sound") ? SAID_OPEN : said_of_entry(t, e, f->name);
	}
	if (at >= VK_MBR_ENTRY_OFFSET && at < ss && doubts(t, "sector 0: "))
		return SAID_OPEN;
	snprintf(name, cap, "%s", at < VK_MBR_ENTRY_OFFSET ? "protective MBR, boot code" :
				  at < ss ? "protective MBR" : "outside the table");
	return SAID_EXACT;
}

/* A boot record at a place where there was none is open as long as it goes over zeros. */
static inline enum said said_of_ebr_byte(const struct state *s, uint64_t at, char *name, size_t cap)
{
	const struct vk_rebuild_table *t = &s->r.table;
	const struct vk_table *was = &s->healthy.table;
	uint64_t lba = at / 512;
	size_t in = (size_t)(at % 512);
	uint8_t sector[512];
	bool there = false, open = false;

	for (size_t i = 0; i < was->ebr_count; i++)
		there = there || was->ebr_lbas[i] == lba;
	for (size_t i = 0; i < t->entry_count; i++) {
		const struct vk_planned_entry *e = &t->entries[i];

		if (!e->partition.logical)
			continue;
		open = open || !e->bytes_exact || !e->number_exact;
		if (e->partition.entry_offset_bytes / 512 == lba && in - VK_MBR_ENTRY_OFFSET < VK_MBR_ENTRY_BYTES && there) {
			const struct vk_field *f = field_at(&vk_mbr_entry_layout, in - VK_MBR_ENTRY_OFFSET);

			snprintf(name, cap, "EBR entry %s, %s", f->name, vk_entry_origin_name(e->origin));
			return said_of_entry(t, e, f->name);
		}
	}
	damage_read(vk_overlay_io(s->damage), lba * 512, sector, sizeof(sector));
	there = there || (sector[510] == 0x55 && sector[511] == 0xAA);
	if ((there || vk_all_zero(sector, 512)) && (doubts(t, "boot record in sector %llu ", (unsigned long long)lba) ||
						    doubts(t, "to sector %llu.", (unsigned long long)lba)))
		return SAID_OPEN;
	snprintf(name, cap, there ? "EBR link" : vk_all_zero(sector, 512) ? "new EBR over zeros" : "outside the table");
	return open && (there || vk_all_zero(sector, 512)) ? SAID_OPEN : SAID_EXACT;
}

static inline enum said said_of_mbr_byte(const struct state *s, uint64_t at, char *name, size_t cap)
{
	const struct vk_planned_entry *e;
	const struct vk_field *f;

	if (at >= 512)
		return said_of_ebr_byte(s, at, name, cap);
	if (at < VK_MBR_ENTRY_OFFSET || at >= 510) {
		snprintf(name, cap, at < 510 ? "boot code" : "MBR signature");
		return SAID_EXACT;
	}
	e = planned_number(&s->r.table, (unsigned)(at - VK_MBR_ENTRY_OFFSET) / VK_MBR_ENTRY_BYTES + 1);
	f = field_at(&vk_mbr_entry_layout, (size_t)(at - VK_MBR_ENTRY_OFFSET) % VK_MBR_ENTRY_BYTES);
	snprintf(name, cap, "MBR entry%s%s %s, %s", e == NULL ? " that goes" : "",
		 e != NULL && vk_partition_is_extended(&e->partition) ? " (extended)" : "", f->name,
		 e == NULL ? "" : vk_entry_origin_name(e->origin));
	if (e == NULL && doubts(&s->r.table, "entry %u of sector 0 is removed",
				(unsigned)(at - VK_MBR_ENTRY_OFFSET) / VK_MBR_ENTRY_BYTES + 1))
		return SAID_OPEN;
	if (e != NULL && vk_partition_is_extended(&e->partition))
		return e->bytes_exact ? SAID_EXACT : SAID_OPEN;
	return said_of_entry(&s->r.table, e, f->name);
}

#endif
