/* SPDX-License-Identifier: Apache-2.0 */
/* What happened: the harm, put together by what it means, each with its first and last byte. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "doctor/doctor.h"

__attribute__((format(printf, 5, 6))) static void report_harm(struct vk_doctor *doc, enum vk_finding_code code,
							      const struct vk_harm *h, const char *seen,
							      const char *fmt, ...)
{
	uint64_t length = h->wrong_bytes > 0 ? h->last_bytes - h->first_bytes + 1 : 0;
	struct vk_finding *f;
	char words[400];
	struct vk_text text = vk_text_in(words, sizeof(words));
	va_list args;

	va_start(args, fmt);
	text.len_bytes = vk_min_u64((uint64_t)vsnprintf(words, 200, fmt, args), 199);
	va_end(args);
	if (length > 0) {
		vk_text_put(&text, ": at least ");
		vk_doctor_put_sectors(doc, h, &text);
	}
	f = vk_doctor_report(doc, code, h->first_bytes, length, "%s", words);
	if (seen[0] != '\0')
		vk_finding_seen(f, "%s", seen);
}

/* "WHAT of the volume at sector N HOW", when something of it is harmed. */
static bool report_hit(struct vk_doctor *doc, const struct vk_filter *f, enum vk_finding_code code, const char *what,
		       const char *how)
{
	struct vk_harm h;
	bool hit = vk_doctor_harm(doc, f, &h);

	if (hit)
		report_harm(doc, code, &h, h.zero_bytes == h.wrong_bytes && f->kind != VK_AREA_EMPTY ? "zeros" : "",
			    "%s of the volume at sector %llu %s", what,
			    vk_doctor_sector(doc, doc->subjects[f->subject].start_bytes), how);
	return hit;
}

enum { ZEROS_MAX_BYTES = 64 << 20 };

/* Holes are known to be zeros without reading; of what must be read only so much is, more would be a scan. */
static bool all_zero(struct vk_doctor *doc, uint64_t from, uint64_t to)
{
	enum { SPANS_MAX = 65536, PIECE = 4096 };
	uint8_t piece[PIECE];
	uint64_t read = 0;

	for (unsigned n = 0; from < to; n++) {
		struct vk_span span = vk_io_span(doc->source.io, from);
		size_t len = (size_t)vk_min_u64(PIECE, to - from);

		if (n == SPANS_MAX)
			return false;
		if (span.state == VK_SPAN_ZERO && span.length_bytes > 0) {
			from += vk_min_u64(span.length_bytes, to - from);
			continue;
		}
		if (read >= ZEROS_MAX_BYTES || vk_doctor_read(doc, from, piece, len) != len || !vk_all_zero(piece, len))
			return false;
		read += len;
		from += len;
	}
	return true;
}

/* How far zeros reach: whole megabytes of them tell a discard from a deleted table. */
static void describe_zeros(struct vk_doctor *doc, uint64_t from, char text[80])
{
	enum { STEP = 4096, REACH_MAX = 16 << 20 };
	uint64_t end = from + 1, size = doc->source.size_bytes;

	while (end < size && end - from <= REACH_MAX && all_zero(doc, end, vk_min_u64(end + STEP, size)))
		end = vk_min_u64(end + STEP, size);
	snprintf(text, 80, "zeros, up to sector %llu at least", vk_doctor_sector(doc, end - 1));
}

static bool gpt_copy_sound(const struct vk_table *t)
{
	return t->kind == VK_TABLE_GPT ? t->gpt_chosen >= 0 && t->gpt[t->gpt_chosen].sound
				       : t->gpt[0].sound || t->gpt[1].sound;
}

/* What lies between table and partitions: boot loaders, alignment. */
static void name_around(struct vk_doctor *doc)
{
	struct vk_filter f = {.parts = VK_PART_TABLE, .subject = SIZE_MAX, .kind = VK_AREA_OPAQUE, .own = true};
	struct vk_harm h;
	bool harmed = vk_doctor_harm(doc, &f, &h);

	f.kind = VK_AREA_EMPTY;
	if (harmed || vk_doctor_harm(doc, &f, &h))
		report_harm(doc, VK_F_INCIDENT_OVERWRITTEN, &h, "",
			    "sectors around the partition table differ from the capture");
}

static void name_table(struct vk_doctor *doc)
{
	const struct vk_filter table = {.parts = VK_PART_TABLE, .subject = SIZE_MAX, .kind = VK_AREA_STRUCTURE};
	struct vk_harm h;
	bool harmed = vk_doctor_harm(doc, &table, &h), differ = false;
	char seen[80] = "";

	for (size_t i = 0; i < doc->source.findings.count; i++)
		differ = differ || doc->source.findings.items[i].code == VK_F_GPT_COPIES_DIFFER;
	if (!doc->table_written)
		return;
	if (harmed && h.zero_bytes == h.wrong_bytes)
		describe_zeros(doc, h.first_bytes, seen);
	if (doc->table_foreign)
		report_harm(doc, VK_F_INCIDENT_INITIALISED, &h, doc->foreign_table,
			    "%s wrote its own partition table over that of the volume",
			    doc->windows ? "Windows" : "another system");
	else if (!harmed && (vk_table_unread(&doc->source.table) || vk_table_absent(&doc->source.table)))
		return; /* reported as sectors that cannot be read, or as a part of the disk */
	else if (doc->subject_count > 0 && !doc->names_some)
		report_harm(doc, VK_F_INCIDENT_TABLE_LOST, &h, seen,
			    "the volume%s listed in no usable partition table%s",
			    doc->subject_count == 1 ? " is" : "s are",
			    vk_table_signatures_lost(&doc->source.table)
				    ? "; only the signatures of the GPT are gone, its checksums prove the rest"
			    : gpt_copy_sound(&doc->source.table) ? "; a sound copy of the GPT is still there"
								 : "");
	else if (harmed || differ)
		report_harm(doc, VK_F_INCIDENT_TABLE_DAMAGED, &h, seen, "%s",
			    harmed ? "a part of the partition table is damaged" : "the two copies of the GPT differ");
}

/* A sound table that names others: this one was deleted, or is what an earlier format left. */
static void name_unnamed(struct vk_doctor *doc, const struct vk_subject *s)
{
	if (s->named || !doc->names_some)
		return;
	if (s->left_over)
		vk_doctor_report(doc, VK_F_INCIDENT_LEFT_OVER, s->start_bytes + VK_LVM_HEADER_OFFSET, VK_UNIT_BYTES,
				 "the header of a volume lies at sector %llu, outside of all partitions and without "
				 "a file system behind it",
				 vk_doctor_sector(doc, s->start_bytes + VK_LVM_HEADER_OFFSET));
	else
		vk_doctor_report(doc, VK_F_INCIDENT_UNNAMED, s->start_bytes, s->length_bytes,
				 "the volume that begins at sector %llu is listed in no partition",
				 vk_doctor_sector(doc, s->start_bytes));
}

static void name_intruder(struct vk_doctor *doc, size_t i)
{
	const struct vk_foreign *f = &doc->find.foreign.items[i];
	const struct vk_filter blamed = {.foreign = f};
	char seen[120];
	struct vk_text text = vk_text_in(seen, sizeof(seen));
	struct vk_harm h;

	if (!doc->confirmed[i] || !vk_doctor_harm(doc, &blamed, &h))
		return;
	vk_text_put(&text, f->type);
	if (f->uuid[0] != '\0')
		vk_text_fmt(&text, ", UUID %s", f->uuid);
	if (f->label[0] != '\0')
		vk_text_fmt(&text, ", label \"%s\"", f->label);
	if (doc->certain[i] && strcmp(f->type, "ceph_bluestore") == 0)
		report_harm(doc, VK_F_INCIDENT_REMAINS, &h, seen,
			    "the label of an OSD of Ceph was written over it at sector %llu; nothing else of one was "
			    "seen",
			    vk_doctor_sector(doc, f->start_bytes));
	else if (doc->certain[i])
		report_harm(doc, VK_F_INCIDENT_FORMATTED, &h, seen, "%s was made over it, from sector %llu on", f->type,
			    vk_doctor_sector(doc, f->start_bytes));
	else
		report_harm(doc, VK_F_INCIDENT_REMAINS, &h, seen,
			    "%s begins at sector %llu, and may be older than the volume",
			    f->type, vk_doctor_sector(doc, f->start_bytes));
}

static void name_magic(struct vk_doctor *doc, const struct vk_layout *layout, size_t subject, const char *what)
{
	for (size_t i = 0; i < doc->area_count; i++) {
		const struct vk_area *a = &doc->areas[i];
		uint8_t magic[4] = {0};

		if (a->subject != subject || a->layout != layout || a->kind != VK_AREA_STRUCTURE)
			continue;
		vk_doctor_read(doc, a->offset_bytes, magic, sizeof(magic));
		vk_finding_seen(vk_doctor_report(doc, VK_F_INCIDENT_MAGIC_WIPED, a->offset_bytes, sizeof(magic),
						 "%s of the volume at sector %llu has lost its first four bytes; "
						 "everything else that is checked is right%s%s",
						 what, vk_doctor_sector(doc, doc->subjects[subject].start_bytes),
						 a->undo != NULL ? ": put away by vmfskit wipe, undo capture " : "",
						 a->undo != NULL ? a->undo : ""),
				"%02x %02x %02x %02x", magic[0], magic[1], magic[2], magic[3]);
		return;
	}
}

static void name_headers(struct vk_doctor *doc, size_t i)
{
	const struct vk_subject *s = &doc->subjects[i];
	const struct vk_vmfs *v = &doc->source.vmfs[s->vmfs];
	struct vk_filter f = {.parts = VK_PART_LVM, .subject = i, .kind = VK_AREAS_USED};
	/* no structure is known to use these; where one beside them is hit, too, they are a part of that */
	const struct vk_filter unused = {.parts = VK_PART_LVM | VK_PART_VH, .subject = i, .kind = VK_AREA_EMPTY,
				      .own = true};
	struct vk_finding *found;

	if (s->magic_only) {
		name_magic(doc, &vk_lvm_device_layout, i, "the LVM header");
		f.but = &vk_lvm_device_layout;
	}
	if (!report_hit(doc, &f, VK_F_INCIDENT_HEADER_LOST, "the LVM header", "or its tables are damaged"))
		report_hit(doc, &unused, VK_F_INCIDENT_OVERWRITTEN, "unused sectors", "are not what was captured");
	if (vk_length_contradicts(doc, s)) {
		found = vk_doctor_report(doc, VK_F_INCIDENT_LENGTH, s->start_bytes + VK_LVM_HEADER_OFFSET,
					 VK_UNIT_BYTES,
					 "the LVM header of the volume at sector %llu and its partition entry give "
					 "different lengths", vk_doctor_sector(doc, s->start_bytes));
		vk_finding_seen(found, "%llu bytes in the header", (unsigned long long)v->lvm.totalBytes);
		vk_finding_expected(found, "%llu bytes, as the entry says, whose checksum fits",
				    (unsigned long long)vk_mul_sat(v->sectors, doc->source.sector_size));
	}
	if (vk_of_two_volumes(doc, s)) {
		found = vk_doctor_report(doc, VK_F_INCIDENT_TWO_VOLUMES, s->start_bytes, 0,
					 "LVM region and file system at sector %llu are of different volumes; which "
					 "one belongs here is not known", vk_doctor_sector(doc, s->start_bytes));
		vk_finding_seen(found, "LVM region: %s; file system: %s",
				vk_vmfs_uuid_text(&v->volumes[0].volume.uuid).text,
				vk_vmfs_uuid_text(&v->fs.volInfo).text);
	}
}

static void name_file_system(struct vk_doctor *doc, size_t i)
{
	struct vk_filter f = {.subject = i, .kind = -1, .layout = &vk_fs_descriptor_layout};

	if (doc->subjects[i].fs_magic_only)
		name_magic(doc, &vk_fs_descriptor_layout, i, "the file-system descriptor");
	else
		report_hit(doc, &f, VK_F_INCIDENT_DESCRIPTOR_LOST, "the file-system descriptor", "is damaged");
	f = (struct vk_filter){.subject = i, .kind = VK_AREA_HEARTBEATS};
	report_hit(doc, &f, VK_F_INCIDENT_HEARTBEATS, "heartbeat slots", "are damaged");
	f.kind = VK_AREA_LOCKS;
	report_hit(doc, &f, VK_F_INCIDENT_METADATA_HIT, "file descriptors", "were overwritten");
}

/* Zeros in a row, and what between them is zeros, too. */
struct blank {
	struct vk_harm harm;
	size_t structures;
	size_t area; /* the last one */
	bool only_table;
};

static void name_blanks(struct vk_doctor *doc)
{
	struct blank b = {.area = SIZE_MAX, .only_table = true};
	char seen[80];

	for (size_t i = 0; i <= doc->stretch_count; i++) {
		const struct vk_stretch *s = i < doc->stretch_count ? &doc->stretches[i] : NULL;
		uint64_t behind = b.harm.last_bytes + 1;

		if (s != NULL && s->damage != VK_DAMAGE_ZERO)
			continue;
		if (s == NULL || b.harm.wrong_bytes == 0 || s->offset_bytes - behind > ZEROS_MAX_BYTES ||
		    !all_zero(doc, behind, s->offset_bytes)) {
			/* of a table that is zeros that is reported already */
			if (b.structures >= 2 && !b.only_table) {
				describe_zeros(doc, b.harm.last_bytes, seen);
				report_harm(doc, VK_F_INCIDENT_BLANKED, &b.harm, seen,
					    "%zu structures are zeros", b.structures);
			}
			if (s == NULL)
				return;
			b = (struct blank){.harm.first_bytes = s->offset_bytes, .area = SIZE_MAX, .only_table = true};
		}
		b.only_table = b.only_table && doc->areas[s->area].part == VK_PART_TABLE;
		b.structures += s->area != b.area;
		b.area = s->area;
		b.harm.last_bytes = s->offset_bytes + s->length_bytes - 1;
		b.harm.wrong_bytes += s->length_bytes;
	}
}

static void say_unreadable(struct vk_doctor *doc, const struct vk_range *bad)
{
	vk_doctor_report(doc, VK_F_INCIDENT_UNREADABLE, bad->offset_bytes, bad->length_bytes,
			 "%llu bytes from sector %llu on cannot be read", (unsigned long long)bad->length_bytes,
			 vk_doctor_sector(doc, bad->offset_bytes));
}

/* What a mapfile says was not read, whether it was asked for or not; else what was asked for. */
static void name_unreadable(struct vk_doctor *doc)
{
	enum { SAID_MAX = 64, SPANS_MAX = 1 << 16 };
	struct vk_io *io = doc->source.raw;
	const struct vk_range *bad;
	size_t count = vk_io_bad_ranges(io, &bad), said = 0;
	struct vk_range range = {0};

	doc->unread = count > 0;
	if (doc->options->view.mapfile == NULL) {
		for (size_t i = 0; i < count && i < SAID_MAX; i++)
			say_unreadable(doc, &bad[i]);
		return;
	}
	for (unsigned i = 0; i < SPANS_MAX && said < SAID_MAX && range.offset_bytes < vk_io_size_bytes(io); i++) {
		struct vk_span span = vk_io_span(io, range.offset_bytes);

		range.length_bytes = span.length_bytes;
		if (span.state == VK_SPAN_UNREADABLE) {
			say_unreadable(doc, &range);
			said++;
		}
		range.offset_bytes += range.length_bytes;
	}
}

void vk_doctor_name_incidents(struct vk_doctor *doc)
{
	const struct vk_table *t = &doc->source.table;
	bool mbr_sound = t->kind == VK_TABLE_MBR && t->mbr.signature == VK_MBR_SIGNATURE && t->partition_count > 0;

	/* who looked at the likely places only has not seen that there is nothing; a dump may end before anything */
	if (!doc->options->scan && !vk_doctor_has(doc, VK_F_INCIDENT_PART) && doc->subject_count == 0 &&
	    doc->source.kind == VK_SOURCE_DISK && !mbr_sound && !(t->kind == VK_TABLE_GPT && gpt_copy_sound(t)) &&
	    !all_zero(doc, 0, doc->source.size_bytes))
		vk_doctor_report(doc, VK_F_INCIDENT_NOTHING, 0, 0,
				 "no partition table and no volume at the likely places; the rest of the disk was "
				 "not searched");
	name_table(doc);
	name_around(doc);
	for (size_t i = 0; i < doc->find.foreign.count && i < VK_INTRUDERS_MAX; i++)
		name_intruder(doc, i);
	for (size_t i = 0; i < doc->subject_count; i++) {
		name_unnamed(doc, &doc->subjects[i]);
		name_headers(doc, i);
		name_file_system(doc, i);
	}
	/* on an array in the wrong order zeros stand everywhere that something was */
	if (vk_doctor_has(doc, VK_F_INCIDENT_STRIPES) == NULL)
		name_blanks(doc);
	name_unreadable(doc);
}
