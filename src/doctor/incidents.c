/* SPDX-License-Identifier: Apache-2.0 */
/* What happened: the harm, put together by what it means, each with its first and last byte. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "doctor/doctor.h"

/* Which stretches are meant. */
struct filter {
	unsigned parts;      /* bits of vk_part; 0: any */
	bool of_subject;
	size_t subject;
	const struct vk_layout *layout; /* NULL: any */
	const struct vk_layout *but;    /* any but this */
	int kind;            /* -1: any */
	bool by_intruder;    /* those that are blamed on it, and its marks */
	size_t intruder;
	bool no_intruder;
	bool used;           /* no empty areas */
};

static bool accept(const struct vk_doctor *doc, const struct vk_stretch *s, const void *ctx)
{
	const struct filter *f = ctx;
	const struct vk_area *a = s->area != SIZE_MAX ? &doc->areas[s->area] : NULL;

	if (f->by_intruder)
		return s->damage == VK_DAMAGE_FOREIGN && s->intruder == f->intruder;
	if (a == NULL || (f->no_intruder && s->damage == VK_DAMAGE_FOREIGN) || (f->used && a->kind == VK_AREA_EMPTY))
		return false;
	return (f->parts == 0 || (a->part & f->parts) != 0) && (!f->of_subject || a->subject == f->subject) &&
	       (f->layout == NULL || a->layout == f->layout) && (f->but == NULL || a->layout != f->but) &&
	       (f->kind < 0 || (int)a->kind == f->kind);
}

static void put(struct vk_doctor *doc, enum vk_finding_code code, const struct vk_harm *h, const char *seen,
		const char *fmt, ...) __attribute__((format(printf, 5, 6)));
static void put(struct vk_doctor *doc, enum vk_finding_code code, const struct vk_harm *h, const char *seen,
		const char *fmt, ...)
{
	char words[200];
	struct vk_finding f;
	struct vk_text text;
	va_list args;

	va_start(args, fmt);
	vsnprintf(words, sizeof(words), fmt, args);
	va_end(args);
	vk_finding_init(&f, code, h->first_bytes, h->wrong_bytes > 0 ? h->last_bytes - h->first_bytes + 1 : 0, "%s", words);
	if (h->wrong_bytes > 0) {
		vk_text_init(&text, f.message, sizeof(f.message));
		vk_text_put(&text, words);
		vk_text_put(&text, ": at least ");
		vk_doctor_put_sectors(doc, h, &text);
	}
	if (seen != NULL && seen[0] != '\0')
		vk_finding_seen(&f, "%s", seen);
	vk_findings_add(&doc->d->findings, &f);
}

/* Zeros between two places, known without reading holes. */
static bool all_zero_between(struct vk_doctor *doc, uint64_t from, uint64_t to)
{
	enum { BETWEEN_MAX = 64 << 20 };
	uint8_t piece[4096];

	if (to - from > BETWEEN_MAX)
		return false;
	while (from < to) {
		struct vk_span span = vk_io_span(doc->source.io, from);
		size_t len = (size_t)vk_min_u64(sizeof(piece), to - from);

		if (span.state == VK_SPAN_ZERO) {
			from += vk_min_u64(span.length_bytes, to - from);
			continue;
		}
		if (vk_doctor_read(doc, from, piece, len) != len || !vk_all_zero(piece, len))
			return false;
		from += len;
	}
	return true;
}

/* How far zeros reach: whole megabytes of them tell a discard from a deleted table. */
static void say_zeros(struct vk_doctor *doc, uint64_t from, char *text, size_t cap)
{
	enum { STEP = 4096, REACH_MAX = 16 << 20 };
	uint64_t end = from + 1, size = doc->source.size_bytes;

	while (end < size && end - from <= REACH_MAX && all_zero_between(doc, end, vk_min_u64(end + STEP, size)))
		end = vk_min_u64(end + STEP, size);
	snprintf(text, cap, "zeros, up to sector %llu at least", (unsigned long long)((end - 1) / doc->source.sector_size));
}

static bool other_copy_sound(const struct vk_doctor *doc)
{
	const struct vk_table *t = &doc->source.table;

	return t->kind == VK_TABLE_GPT ? t->gpt_chosen >= 0 && t->gpt[t->gpt_chosen].sound
				       : t->gpt[0].sound || t->gpt[1].sound;
}

static bool copies_differ(const struct vk_doctor *doc)
{
	for (size_t i = 0; i < doc->source.findings.count; i++)
		if (doc->source.findings.items[i].code == VK_F_GPT_COPIES_DIFFER)
			return true;
	return false;
}

/* What lies between table and partitions: boot loaders, alignment. */
static void name_around(struct vk_doctor *doc)
{
	const struct filter around = {.parts = VK_PART_TABLE, .kind = VK_AREA_OPAQUE, .no_intruder = true};
	const struct filter rest = {.parts = VK_PART_TABLE, .kind = VK_AREA_EMPTY, .no_intruder = true};
	struct vk_harm h;

	if (vk_doctor_harm(doc, accept, &around, &h) || vk_doctor_harm(doc, accept, &rest, &h))
		put(doc, VK_F_INCIDENT_OVERWRITTEN, &h, "", "sectors around the partition table are not what was captured");
}

static void name_table(struct vk_doctor *doc)
{
	const struct filter table = {.parts = VK_PART_TABLE, .kind = VK_AREA_STRUCTURE};
	struct vk_harm h;
	bool harmed = vk_doctor_harm(doc, accept, &table, &h);
	char seen[80] = "";

	if (!doc->table_written)
		return;
	if (harmed && h.zero_bytes == h.wrong_bytes)
		say_zeros(doc, h.first_bytes, seen, sizeof(seen));
	if (doc->table_foreign)
		put(doc, VK_F_INCIDENT_INITIALISED, &h, doc->foreign_table,
		    "%s wrote a partition table of its own over that of the volume", doc->windows ? "Windows" : "another system");
	else if (!harmed && vk_table_unread(&doc->source.table))
		return; /* said as sectors that cannot be read */
	else if (doc->subject_count > 0 && !doc->names_some)
		put(doc, VK_F_INCIDENT_TABLE_LOST, &h, seen,
		    "no partition table that systems read names the volume%s%s", doc->subject_count == 1 ? "" : "s",
		    other_copy_sound(doc) ? "; a sound copy of the GPT is still there" : "");
	else if (harmed)
		put(doc, VK_F_INCIDENT_TABLE_DAMAGED, &h, seen, "a part of the partition table is damaged");
	else if (copies_differ(doc))
		put(doc, VK_F_INCIDENT_TABLE_DAMAGED, &h, "", "the two copies of the GPT differ");
}

/* A sound table that names others: this one was deleted, or is what an earlier format left. */
static void name_unnamed(struct vk_doctor *doc, size_t i)
{
	const struct vk_subject *s = &doc->subjects[i];
	unsigned long long sector = s->start_bytes / doc->source.sector_size;
	struct vk_finding f;

	if (s->named || !doc->names_some)
		return;
	if (s->left_over)
		vk_finding_init(&f, VK_F_INCIDENT_LEFT_OVER, s->start_bytes + VK_LVM_HEADER_OFFSET, VK_UNIT_BYTES,
				"the header of a volume lies at sector %llu, in no partition, and no file system behind it",
				sector + VK_LVM_HEADER_OFFSET / doc->source.sector_size);
	else
		vk_finding_init(&f, VK_F_INCIDENT_UNNAMED, s->start_bytes, s->length_bytes,
				"a volume begins at sector %llu that no partition names", sector);
	vk_findings_add(&doc->d->findings, &f);
}

static void name_intruder(struct vk_doctor *doc, size_t i)
{
	const struct filter filter = {.by_intruder = true, .intruder = i, .kind = -1};
	const struct vk_foreign *f = &doc->find.foreign.items[i];
	char seen[120];
	struct vk_text text;
	struct vk_harm h;

	if (!doc->confirmed[i] || !vk_doctor_harm(doc, accept, &filter, &h))
		return;
	vk_text_init(&text, seen, sizeof(seen));
	vk_text_put(&text, f->type);
	if (f->uuid[0] != '\0')
		vk_text_fmt(&text, ", UUID %s", f->uuid);
	if (f->label[0] != '\0')
		vk_text_fmt(&text, ", label \"%s\"", f->label);
	if (doc->certain[i])
		put(doc, VK_F_INCIDENT_FORMATTED, &h, seen, "%s was made over it, from sector %llu on", f->type,
		    (unsigned long long)(f->start_bytes / doc->source.sector_size));
	else
		put(doc, VK_F_INCIDENT_REMAINS, &h, seen, "%s begins at sector %llu, and may be older than the volume", f->type,
		    (unsigned long long)(f->start_bytes / doc->source.sector_size));
}

static void put_magic(struct vk_doctor *doc, const struct vk_layout *layout, size_t subject, const char *what)
{
	for (size_t i = 0; i < doc->area_count; i++) {
		const struct vk_area *a = &doc->areas[i];
		struct vk_finding f;
		uint8_t magic[4] = {0};

		if (a->subject != subject || a->layout != layout || a->kind != VK_AREA_STRUCTURE)
			continue;
		vk_doctor_read(doc, a->offset_bytes, magic, sizeof(magic));
		vk_finding_init(&f, VK_F_INCIDENT_MAGIC_WIPED, a->offset_bytes, sizeof(magic),
				"%s of the volume at sector %llu has lost its first four bytes and nothing else that is checked", what,
				(unsigned long long)(doc->subjects[subject].start_bytes / doc->source.sector_size));
		vk_finding_seen(&f, "%02x %02x %02x %02x", magic[0], magic[1], magic[2], magic[3]);
		vk_findings_add(&doc->d->findings, &f);
		return;
	}
}

/* Sectors that no structure is known to use. Where one beside them is hit, too, they are a part of that. */
static void name_unused(struct vk_doctor *doc, size_t i)
{
	struct filter f = {.parts = VK_PART_LVM | VK_PART_VH, .of_subject = true, .subject = i, .kind = VK_AREA_EMPTY,
			   .no_intruder = true};
	struct vk_harm h;

	if (vk_doctor_harm(doc, accept, &f, &h))
		put(doc, VK_F_INCIDENT_OVERWRITTEN, &h, "", "unused sectors of the volume at sector %llu are not what was captured",
		    (unsigned long long)(doc->subjects[i].start_bytes / doc->source.sector_size));
}

static void name_length(struct vk_doctor *doc, size_t i)
{
	const struct vk_subject *s = &doc->subjects[i];
	const struct vk_vmfs *v = &doc->source.vmfs[s->vmfs];
	struct vk_finding f;

	if (!vk_length_contradicts(doc, s))
		return;
	vk_finding_init(&f, VK_F_INCIDENT_LENGTH, s->start_bytes + VK_LVM_HEADER_OFFSET, VK_UNIT_BYTES,
			"the LVM header of the volume at sector %llu gives another length than its partition entry",
			(unsigned long long)(s->start_bytes / doc->source.sector_size));
	vk_finding_seen(&f, "%llu bytes in the header", (unsigned long long)v->lvm.totalBytes);
	vk_finding_expected(&f, "%llu bytes, as the entry says, whose checksum fits",
			    (unsigned long long)vk_mul_sat(v->sectors, doc->source.sector_size));
	vk_findings_add(&doc->d->findings, &f);
}

static void name_headers(struct vk_doctor *doc, size_t i)
{
	const struct vk_subject *s = &doc->subjects[i];
	struct filter f = {.parts = VK_PART_LVM, .of_subject = true, .subject = i, .kind = -1, .used = true};
	struct vk_harm h;

	if (s->magic_only) {
		put_magic(doc, &vk_lvm_device_layout, i, "the LVM header");
		f.but = &vk_lvm_device_layout;
	}
	if (vk_doctor_harm(doc, accept, &f, &h))
		put(doc, VK_F_INCIDENT_HEADER_LOST, &h, h.zero_bytes == h.wrong_bytes ? "zeros" : "",
		    "the LVM header of the volume at sector %llu or its tables are damaged",
		    (unsigned long long)(s->start_bytes / doc->source.sector_size));
	else
		name_unused(doc, i);
	name_length(doc, i);
}

static void name_two_volumes(struct vk_doctor *doc, size_t i)
{
	const struct vk_subject *s = &doc->subjects[i];
	const struct vk_vmfs *v = &doc->source.vmfs[s->vmfs];
	char lvm[VK_VMFS_UUID_TEXT_BYTES], fs[VK_VMFS_UUID_TEXT_BYTES];
	struct vk_finding f;

	if (!vk_of_two_volumes(doc, s))
		return;
	vk_vmfs_uuid_format(&v->volumes[0].volume.uuid, lvm);
	vk_vmfs_uuid_format(&v->fs.volInfo, fs);
	vk_finding_init(&f, VK_F_INCIDENT_TWO_VOLUMES, s->start_bytes, 0,
			"at sector %llu LVM region and file system are of different volumes, and which belongs here is not known",
			(unsigned long long)(s->start_bytes / doc->source.sector_size));
	vk_finding_seen(&f, "LVM region: %s; file system: %s", lvm, fs);
	vk_findings_add(&doc->d->findings, &f);
}

static void name_file_system(struct vk_doctor *doc, size_t i)
{
	const struct vk_subject *s = &doc->subjects[i];
	unsigned long long sector = s->start_bytes / doc->source.sector_size;
	struct filter f = {.of_subject = true, .subject = i, .kind = -1, .layout = &vk_fs_descriptor_layout};
	struct vk_harm h;

	if (s->fs_magic_only)
		put_magic(doc, &vk_fs_descriptor_layout, i, "the file-system descriptor");
	else if (vk_doctor_harm(doc, accept, &f, &h))
		put(doc, VK_F_INCIDENT_DESCRIPTOR_LOST, &h, h.zero_bytes == h.wrong_bytes ? "zeros" : "",
		    "the file-system descriptor of the volume at sector %llu is damaged", sector);
	f = (struct filter){.of_subject = true, .subject = i, .kind = VK_AREA_HEARTBEATS};
	if (vk_doctor_harm(doc, accept, &f, &h))
		put(doc, VK_F_INCIDENT_HEARTBEATS, &h, h.zero_bytes == h.wrong_bytes ? "zeros" : "",
		    "heartbeat slots of the volume at sector %llu are damaged", sector);
	f.kind = VK_AREA_LOCKS;
	if (vk_doctor_harm(doc, accept, &f, &h))
		put(doc, VK_F_INCIDENT_METADATA_HIT, &h, h.zero_bytes == h.wrong_bytes ? "zeros" : "",
		    "file descriptors of the volume at sector %llu were overwritten", sector);
}

/* Of a table that is zeros it is said that it is. */
static void put_blanked(struct vk_doctor *doc, const struct vk_harm *h, size_t structures, bool only_table)
{
	char seen[80];

	if (structures < 2 || only_table)
		return;
	say_zeros(doc, h->last_bytes, seen, sizeof(seen));
	put(doc, VK_F_INCIDENT_BLANKED, h, seen, "zeros stand where %zu structures must be", structures);
}

static bool has(const struct vk_doctor *doc, enum vk_finding_code code)
{
	for (size_t i = 0; i < doc->d->findings.count; i++)
		if (doc->d->findings.items[i].code == code)
			return true;
	return false;
}

static void name_blanks(struct vk_doctor *doc)
{
	struct vk_harm h = {.wrong_bytes = 0};
	size_t structures = 0, area = SIZE_MAX;
	bool only_table = true;

	for (size_t i = 0; i < doc->stretch_count; i++) {
		const struct vk_stretch *s = &doc->stretches[i];

		if (s->damage != VK_DAMAGE_ZERO)
			continue;
		if (h.wrong_bytes > 0 && !all_zero_between(doc, h.last_bytes + 1, s->offset_bytes)) {
			put_blanked(doc, &h, structures, only_table);
			h.wrong_bytes = 0;
		}
		if (h.wrong_bytes == 0) {
			h.first_bytes = s->offset_bytes;
			structures = 0;
			area = SIZE_MAX;
			only_table = true;
		}
		only_table = only_table && doc->areas[s->area].part == VK_PART_TABLE;
		structures += s->area != area;
		area = s->area;
		h.last_bytes = s->offset_bytes + s->length_bytes - 1;
		h.wrong_bytes += s->length_bytes;
	}
	if (h.wrong_bytes > 0)
		put_blanked(doc, &h, structures, only_table);
}

static void name_unreadable(struct vk_doctor *doc)
{
	enum { TOLD_MAX = 64 };
	const struct vk_range *ranges;
	size_t count = vk_io_bad_ranges(doc->source.raw, &ranges);

	for (size_t i = 0; i < count && i < TOLD_MAX; i++) {
		struct vk_finding f;

		vk_finding_init(&f, VK_F_INCIDENT_UNREADABLE, ranges[i].offset_bytes, ranges[i].length_bytes,
				"%llu bytes from sector %llu on cannot be read",
				(unsigned long long)ranges[i].length_bytes,
				(unsigned long long)(ranges[i].offset_bytes / doc->source.sector_size));
		vk_findings_add(&doc->d->findings, &f);
	}
}

/* Holes are known to be zeros; of what must be read only so much is, more would be a scan. */
static bool is_known_empty(struct vk_doctor *doc)
{
	enum { READ_MAX = 64 << 20, SPANS_MAX = 65536, PIECE = 64 << 10 };
	uint8_t *piece = malloc(PIECE);
	uint64_t at = 0, size = doc->source.size_bytes;
	size_t done = 0;
	bool empty = piece != NULL;

	for (unsigned n = 0; empty && at < size; n++) {
		struct vk_span span = vk_io_span(doc->source.io, at);
		size_t len = (size_t)vk_min_u64(PIECE, size - at);

		if (span.state == VK_SPAN_ZERO && span.length_bytes > 0) {
			at += vk_min_u64(span.length_bytes, size - at);
			empty = n < SPANS_MAX;
			continue;
		}
		empty = n < SPANS_MAX && done < READ_MAX && vk_doctor_read(doc, at, piece, len) == len &&
			vk_all_zero(piece, len);
		done += len;
		at += len;
	}
	free(piece);
	return empty;
}

static bool table_is_sound(const struct vk_table *t)
{
	return (t->kind == VK_TABLE_GPT && t->gpt_chosen >= 0 && t->gpt[t->gpt_chosen].sound) ||
	       (t->kind == VK_TABLE_MBR && t->mbr.signature == VK_MBR_SIGNATURE && t->partition_count > 0);
}

/* Who looked at the likely places only has not seen that there is nothing. */
static void name_nothing(struct vk_doctor *doc)
{
	struct vk_finding f;

	if (doc->options->scan || doc->subject_count > 0 || doc->source.kind != VK_SOURCE_DISK ||
	    table_is_sound(&doc->source.table) || is_known_empty(doc))
		return;
	vk_finding_init(&f, VK_F_INCIDENT_NOTHING, 0, 0,
			"no partition table and no volume at the likely places; the rest of the disk was not looked at");
	vk_findings_add(&doc->d->findings, &f);
}

void vk_doctor_name_incidents(struct vk_doctor *doc)
{
	name_nothing(doc);
	name_table(doc);
	name_around(doc);
	for (size_t i = 0; i < doc->find.foreign.count && i < sizeof(doc->confirmed) / sizeof(doc->confirmed[0]); i++)
		name_intruder(doc, i);
	for (size_t i = 0; i < doc->subject_count; i++) {
		name_unnamed(doc, i);
		name_headers(doc, i);
		name_two_volumes(doc, i);
		name_file_system(doc, i);
	}
	/* on an array in the wrong order zeros stand everywhere that something was */
	if (!has(doc, VK_F_INCIDENT_STRIPES))
		name_blanks(doc);
	name_unreadable(doc);
}
