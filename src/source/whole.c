/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How much of the disk a source holds, by what its table and its headers say: a file that ends before them is the
 * beginning of something longer, a device that does was cut short.
 */
#include <stdio.h>
#include <string.h>

#include "base/checked.h"
#include "vmfskit/source.h"
#include "source/survey.h"
#include "vol/table_parts.h"

static void count_fault(void *ctx, const struct vk_finding *finding)
{
	*(size_t *)ctx += vk_finding_kind(finding->code)->severity != VK_INFO;
}

static uint64_t start_of(const struct vk_source *s, uint64_t sector)
{
	return vk_mul_sat(sector, s->sector_size);
}

/* How many extents the volume has here, by its own descriptor or else by the header; 0: neither is known to say. */
static uint64_t extents_of(const struct vk_vmfs *v)
{
	if (v->volume_count == 1 && v->volumes[0].seen_bytes >= VK_LVM_VOLUME_BYTES)
		return v->volumes[0].volume.numPEs;
	return vk_lvm_fixed_pes(&v->lvm) ? v->lvm.numPEs : 0;
}

/*
 * A header to which no check objects, whatever a table says of it, and that has room for its volume. Where all of the
 * volume's extents are here, totalBytes alone says that something is missing: a wrong bit in it does that, too.
 */
static bool believes_header(const struct vk_source *s, const struct vk_vmfs *v)
{
	size_t faults = 0;
	const struct vk_finding_sink sink = {count_fault, &faults};
	uint64_t size = vk_io_size_bytes(s->io), start = start_of(s, v->start_sector), needs;

	if (v->volume_only || !v->lvm_usable)
		return false;
	vk_lvm_device_check(&v->lvm, v->lvm_seen_bytes, 0, 0, &sink);
	needs = vk_add_sat(v->lvm.dataOffset, vk_mul_sat(extents_of(v), VK_LVM_PE_BYTES));
	return faults == 0 && needs <= v->lvm.totalBytes &&
	       (extents_of(v) == 0 || vk_add_sat(start, needs) > size);
}

/* Whoever says more than those before is the one that is named. */
static void hear(struct vk_whole *whole, uint64_t end_bytes, const char *by)
{
	struct vk_text text;

	if (end_bytes <= whole->bytes)
		return;
	whole->bytes = end_bytes;
	whole->at_least = true;
	text = vk_text_in(whole->by, sizeof(whole->by));
	vk_text_put(&text, by);
}

static void hear_volumes(const struct vk_source *s, struct vk_whole *whole)
{
	for (size_t i = 0; i < s->vmfs_count; i++) {
		const struct vk_vmfs *v = &s->vmfs[i];
		uint64_t start = start_of(s, v->start_sector);

		if (!believes_header(s, v))
			continue;
		hear(whole, vk_add_sat(start, v->lvm.totalBytes),
		     s->kind == VK_SOURCE_DISK ? vk_phrase("the volume at sector %llu",
							   (unsigned long long)v->start_sector).text
					       : "its LVM header");
	}
}

/* Its header is here: that says how long the partition is, and no entry has to. */
static bool has_header(const struct vk_source *s, uint64_t start_sector)
{
	for (size_t i = 0; i < s->vmfs_count; i++)
		if (s->vmfs[i].start_sector == start_sector && s->vmfs[i].lvm_seen_bytes >= VK_LVM_DEVICE_BYTES)
			return true;
	return false;
}

/* Two partitions over each other: one of the entries is wrong, and which is not known. */
static bool entries_overlap(const struct vk_table *t)
{
	for (size_t i = 0; i < t->partition_count; i++)
		for (size_t k = 0; k < i; k++) {
			const struct vk_partition *a = &t->partitions[i], *b = &t->partitions[k];

			if (!vk_partition_is_extended(a) && !vk_partition_is_extended(b) &&
			    vk_ranges_meet(a->start_sector, a->sectors, b->start_sector, b->sectors))
				return true;
		}
	return false;
}

static void hear_mbr(const struct vk_source *s, struct vk_whole *whole)
{
	const struct vk_table *t = &s->table;

	if (t->kind != VK_TABLE_MBR || t->mbr.signature != VK_MBR_SIGNATURE || entries_overlap(t))
		return;
	for (size_t i = 0; i < t->partition_count; i++) {
		const struct vk_partition *p = &t->partitions[i];

		if (strcmp(vk_mbr_type_name(p->mbr_type), "unknown") != 0 && !has_header(s, p->start_sector))
			hear(whole, start_of(s, vk_add_sat(p->start_sector, p->sectors)), "its MBR");
	}
}

/* False: a GPT says that the disk ends where the source does, or before. */
static bool hear_gpt(const struct vk_source *s, struct vk_whole *whole)
{
	const struct vk_table *t = &s->table;
	const struct vk_gpt_copy *primary = &t->gpt[0], *backup = &t->gpt[1];
	uint64_t sectors = s->size_bytes / s->sector_size, end = vk_table_gpt_disk_sectors(t);

	if (t->kind != VK_TABLE_GPT)
		return true;
	/* the entries may not be here */
	if (end == 0 && vk_gpt_copy_proved(primary, t->sector_size))
		end = vk_add_sat(primary->header.alternateLBA, 1);
	if (end > sectors) {
		hear(whole, start_of(s, end), "its GPT");
		whole->at_least = false;
		return true;
	}
	if (end != 0 || (backup->present && backup->lba == backup->header.myLBA && backup->lba + 1 == sectors))
		return false;
	for (size_t i = 0; i < 4; i++) {
		const struct vk_mbr_entry *e = &t->mbr.entries[i];

		if (t->mbr.signature == VK_MBR_SIGNATURE && e->type == VK_MBR_TYPE_PROTECTIVE && e->firstLBA == 1 &&
		    e->sectors != UINT32_MAX)
			hear(whole, start_of(s, 1ULL + e->sectors), "its protective MBR");
	}
	return true;
}

/* How much of the source is not absent; what lies behind so many spans is not looked at, and counts as here. */
static uint64_t count_held(const struct vk_source *s)
{
	enum { SPANS_MAX = 1 << 22 };
	uint64_t held = 0, at = 0;

	for (unsigned n = 0; n < SPANS_MAX && at < s->size_bytes; n++) {
		struct vk_span span = vk_io_span(s->raw, at);
		uint64_t length = vk_min_u64(span.length_bytes, s->size_bytes - at);

		if (span.state == VK_SPAN_END)
			return held;
		held += span.state != VK_SPAN_ABSENT ? length : 0;
		at += length;
	}
	return vk_add_sat(held, s->size_bytes - at);
}

void vk_source_measure(struct vk_source *s)
{
	struct vk_whole whole = {.held_bytes = s->size_bytes};
	uint64_t size = vk_io_size_bytes(s->io); /* in the coordinates of its kind */
	const bool bundle = s->form == VK_FORM_BUNDLE;
	/* gaps: pieces of a dump that are not there, what ddrescue did not try, what is not in a bundle */
	bool listed, gaps;

	s->whole = whole;
	/* of a member of an array, or of what is out of place, the table says nothing about this source */
	if (!s->readings.items[0].repairable && !vk_source_looked_through(s))
		return;
	if (s->container != NULL || s->kind == VK_SOURCE_VOLUME || s->tail.first_sector != 0)
		return;
	if (!vk_io_is_device(s->raw))
		whole.held_bytes = count_held(s);
	gaps = (bundle || vk_io_is_view(s->given)) && whole.held_bytes < s->size_bytes;
	if (s->kind == VK_SOURCE_DISK) {
		if (!hear_gpt(s, &whole) && !gaps)
			return;
		if (whole.bytes == 0) {
			hear_mbr(s, &whole);
			hear_volumes(s, &whole);
		}
	} else {
		hear_volumes(s, &whole);
		whole.at_least = false;
	}
	/* between the rows of a listing there is more of the disk, whatever its length */
	listed = s->form == VK_FORM_HEXDUMP && whole.held_bytes < s->size_bytes;
	if (listed || gaps)
		hear(&whole, size,
		     listed ? "the addresses of its rows" : bundle ? "its index" : "its mapfile or its pieces");
	/* it was made of the whole of it, and knows how long that is */
	if (bundle && whole.bytes == size)
		whole.at_least = false;
	if (whole.bytes > size || listed || gaps)
		s->whole = whole;
}

bool vk_source_is_part(const struct vk_source *source)
{
	return source->whole.bytes != 0 && !vk_io_is_device(source->raw);
}

bool vk_source_is_short(const struct vk_source *source)
{
	return source->whole.bytes != 0 && vk_io_is_device(source->raw);
}

void vk_source_put_part(const struct vk_source *s, struct vk_text *text)
{
	char held[64], all[64];
	struct vk_text one = vk_text_in(held, sizeof(held));

	void (*put_size)(struct vk_text *, uint64_t) = vk_text_size_short;
	struct vk_text other = vk_text_in(all, sizeof(all));

	put_size(&one, s->whole.held_bytes);
	put_size(&other, s->whole.bytes);
	/* "3 GiB of 3 GiB" says nothing: what lacks is small */
	if (strcmp(held, all) == 0)
		put_size = vk_text_size;
	vk_text_put(text, s->origin_bytes == 0 && s->whole.held_bytes == s->size_bytes ? "the first " : "");
	put_size(text, s->whole.held_bytes);
	vk_text_fmt(text, " of %s", s->whole.at_least ? "at least " : "");
	put_size(text, s->whole.bytes);
}

/* " (3 of 7 extents of its volume)": what of it lies behind `end`, counted from its partition's beginning. */
static void put_extents(const struct vk_vmfs *v, uint64_t end, struct vk_text *text)
{
	uint64_t behind = 0, all = 0;

	for (size_t i = 0; i < v->run_count; i++) {
		const struct vk_run *run = &v->runs[i];
		uint64_t run_end = vk_add_sat(run->device_offset, run->length_bytes);

		all += run->length_bytes / VK_LVM_PE_BYTES;
		if (run_end > end)
			behind += vk_round_up_sat(vk_min_u64(run->length_bytes, run_end - end), VK_LVM_PE_BYTES) /
				  VK_LVM_PE_BYTES;
	}
	if (all == 0)
		return;
	if (behind == 0)
		vk_text_put(text, " (no extent of its volume)");
	else
		vk_text_fmt(text, " (%llu of %llu extents of its volume)", (unsigned long long)behind,
			    (unsigned long long)all);
}

/* A partition that ends behind the source. False: it does not. */
static bool put_cut_partition(const struct vk_source *s, const struct vk_partition *p, const char *comma,
			      struct vk_text *text)
{
	uint64_t size = vk_io_size_bytes(s->io), start = start_of(s, p->start_sector);
	uint64_t end = start_of(s, vk_add_sat(p->start_sector, p->sectors));

	if (vk_partition_is_extended(p) || end <= size)
		return false;
	if (start >= size) {
		vk_text_fmt(text, "%spartition %u", comma, p->number);
		return true;
	}
	vk_text_fmt(text, "%sthe last %llu sectors of partition %u", comma,
		    (unsigned long long)((end - size) / s->sector_size), p->number);
	for (size_t i = 0; i < s->vmfs_count; i++)
		if (s->vmfs[i].start_sector == p->start_sector)
			put_extents(&s->vmfs[i], size - start, text);
	return true;
}

/* A volume that no entry gives a length, and that ends behind the source. */
static bool put_cut_volume(const struct vk_source *s, const struct vk_vmfs *v, const char *comma, struct vk_text *text)
{
	uint64_t size = vk_io_size_bytes(s->io), start = start_of(s, v->start_sector);
	uint64_t end = vk_add_sat(start, v->lvm.totalBytes);

	if (v->volume_only || v->partition != 0 || !v->lvm_usable || start >= size || end <= size)
		return false;
	vk_text_fmt(text, "%sthe last %llu bytes of the %s", comma, (unsigned long long)(end - size),
		    s->kind == VK_SOURCE_DISK ? vk_phrase("volume at sector %llu",
							  (unsigned long long)v->start_sector).text
					      : "partition");
	put_extents(v, size - start, text);
	return true;
}

bool vk_source_put_missing(const struct vk_source *s, struct vk_text *text)
{
	size_t named = 0;

	/* what does not fit the text any more is left out by it */
	for (size_t i = 0; i < s->table.partition_count; i++)
		named += put_cut_partition(s, &s->table.partitions[i], named > 0 ? ", " : "", text);
	for (size_t i = 0; i < s->vmfs_count; i++)
		named += put_cut_volume(s, &s->vmfs[i], named > 0 ? ", " : "", text);
	if (s->table.kind == VK_TABLE_GPT && !s->table.gpt[1].present)
		vk_text_put(text, named > 0 ? " and the backup GPT" : "nothing but the backup GPT");
	else if (named == 0)
		vk_text_put(text, "no partition and no extent of a volume");
	return named > 0;
}

/*
 * Read the table again as that of the beginning of a disk: what its end would hold is then neither missing nor looked
 * for in another place. Its findings take the place of those of before, which are `count` from `first` on.
 */
static enum vk_status read_table_of_part(struct vk_source *s, size_t first, size_t count, struct vk_error *err)
{
	struct vk_findings before = s->findings;
	const struct vk_finding_sink sink = vk_findings_sink(&s->findings);
	struct vk_table table;
	enum vk_status status;

	memset(&s->findings, 0, sizeof(s->findings));
	for (size_t i = 0; i < first; i++)
		vk_findings_add(&s->findings, &before.items[i]);
	status = vk_table_read(s->raw, s->table.sector_size, false, &sink, &table, err);
	for (size_t i = first + count; i < before.count; i++)
		vk_findings_add(&s->findings, &before.items[i]);
	vk_findings_free(&before);
	if (status != VK_OK)
		return status;
	vk_table_free(&s->table);
	s->table = table;
	return VK_OK;
}

enum vk_status vk_source_say_part(struct vk_source *s, size_t first, size_t count, struct vk_error *err)
{
	struct vk_phrase seen, expected;
	char missing[160];
	struct vk_text text;

	vk_source_measure(s);
	if (s->whole.bytes == 0)
		return VK_OK;
	seen = vk_phrase("%llu bytes", (unsigned long long)s->whole.held_bytes);
	expected = vk_phrase("%s%llu bytes, by %s", s->whole.at_least ? "at least " : "",
			     (unsigned long long)s->whole.bytes, s->whole.by);
	if (vk_source_is_short(s)) {
		text = vk_text_in(missing, sizeof(missing));
		(void)vk_source_put_missing(s, &text);
		VK_FINDINGS_SAY(&s->findings, VK_F_SOURCE_CUT_SHORT, s->size_bytes, 0, seen.text, expected.text,
				"%llu bytes are missing at the end; they held %s",
				(unsigned long long)(s->whole.bytes - vk_io_size_bytes(s->io)), missing);
		return VK_OK;
	}
	if (s->readings.items[0].kind == VK_READING_DISK || s->readings.items[0].kind == VK_READING_PARTITION)
		snprintf(s->readings.items[0].what, sizeof(s->readings.items[0].what), "a part of a %s",
			 s->kind == VK_SOURCE_DISK ? "disk" : "partition");
	VK_FINDINGS_SAY(&s->findings, VK_F_SOURCE_TRUNCATED, s->size_bytes, 0, seen.text, expected.text,
			"the source holds a part of the %s only",
			s->kind == VK_SOURCE_DISK ? "disk" : "partition");
	return s->kind == VK_SOURCE_DISK && s->table.disk_sectors != 0 ? read_table_of_part(s, first, count, err)
									: VK_OK;
}

enum vk_status vk_source_refuse_part(const struct vk_source *source, const char *why, struct vk_error *err)
{
	char part[200];
	struct vk_text text = vk_text_in(part, sizeof(part));

	vk_source_put_part(source, &text);
	vk_error_set(err, VK_ABSENT, source->path, "only a part of the disk is here, %s, by %s, and %s", part,
		     source->whole.by, why);
	return vk_error_remedy(err, "take the whole disk: a copy of all of it, or the LUN once it has its length of "
				    "%s%llu bytes again", source->whole.at_least ? "at least " : "",
			       (unsigned long long)source->whole.bytes);
}
