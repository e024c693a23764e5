/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whole systems of others. What is decided here and nowhere else: is VMFS on this disk what is left of it, or is the
 * other system the accident?
 *
 * A file system that somebody made over a LUN by mistake is empty, or nearly: mkfs puts no files there. One that holds
 * files, and whose parts agree, is what the disk is for, and a VMFS header in it is in one of these files or older
 * than it. What speaks against that makes it no more than possible: a VMFS header in its place that was made after the
 * other system was written to last; a volume (a file system behind its header) where the other system has nothing; a
 * table that is younger than the other system. A partition of VMware's in a sound table says whose disk it is.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/checked.h"
#include "source/ext.h"
#include "source/survey.h"
#include "source/use.h"
#include "vmfskit/text.h"

enum { PARTITIONS_MAX = 32, OWNERS_MAX = 8, SEEN_MAX = 48, SEEN_SAID = 2 };

/* A system in use, and where it may write. */
struct owner {
	char type[64];
	unsigned partition; /* 0: of the whole device */
	uint64_t start_bytes, length_bytes;
	struct vk_use use;
};

/* An LVM header where a partition of the table, or of a usual start, would have it. */
struct seen {
	uint64_t header_bytes;
	uint64_t made_s;
	bool volume; /* a file system stands behind it */
};

struct look {
	struct vk_survey *survey;
	struct owner owners[OWNERS_MAX];
	size_t owner_count;
	struct seen seen[SEEN_MAX];
	size_t seen_count;
};

static void see_header(struct look *l, uint64_t start)
{
	struct vk_io *io = l->survey->io;
	uint64_t at = vk_add_sat(start, VK_LVM_HEADER_OFFSET);
	uint8_t raw[VK_LVM_DEVICE_BYTES];
	struct vk_lvm_device device;
	size_t got = 0;

	for (size_t i = 0; i < l->seen_count; i++)
		if (l->seen[i].header_bytes == at)
			return;
	if (l->seen_count == SEEN_MAX || !vk_lvm_header_at(io, at) ||
	    vk_io_read(io, at, raw, sizeof(raw), &got, NULL) != VK_OK)
		return;
	vk_lvm_device_decode(raw, got, &device);
	l->seen[l->seen_count++] = (struct seen){
		.header_bytes = at,
		.made_s = got == sizeof(raw) ? device.initTimeUS / 1000000 : 0,
		.volume = vk_fs_descriptor_at(io, vk_add_sat(start, VK_LVM_DATA_OFFSET + VK_FS_OFFSET))};
}

static void see_headers(struct look *l)
{
	const struct vk_table *t = l->survey->table;

	for (size_t i = 0; i < t->partition_count && i < PARTITIONS_MAX; i++)
		if (!vk_partition_is_extended(&t->partitions[i]))
			see_header(l, vk_mul_sat(t->partitions[i].start_sector, t->sector_size));
	see_header(l, 0);
	for (size_t i = 0; i < vk_usual_start_count; i++)
		see_header(l, vk_usual_starts[i] * 512);
}

static bool is_in(const struct owner *o, uint64_t at)
{
	return at >= o->start_bytes && at - o->start_bytes < o->length_bytes;
}

static const struct owner *owner_of(const struct look *l, uint64_t at)
{
	for (size_t i = 0; i < l->owner_count; i++)
		if (is_in(&l->owners[i], at))
			return &l->owners[i];
	return NULL;
}

/* The partition of VMware that says whose disk it is; any other speaks for another system. */
static bool is_vmware(const struct vk_partition *p)
{
	char type[VK_GUID_TEXT_BYTES];
	const char *name;

	vk_partition_type(p, type, &name);
	return vk_partition_is_vmfs(p) ||
	       (p->gpt ? strcmp(type, VK_GPT_TYPE_VMKDIAG) == 0 || strcmp(type, VK_GPT_TYPE_RESERVED) == 0
		       : p->mbr_type == VK_MBR_TYPE_VMKCORE);
}

static bool names_vmware(const struct vk_table *t)
{
	for (size_t i = 0; i < t->partition_count; i++)
		if (is_vmware(&t->partitions[i]))
			return true;
	return false;
}

/* Both copies of a GPT, or an MBR that no GPT contradicts; and nothing of VMware in it. */
static bool table_is_others(const struct vk_survey *s)
{
	const struct vk_table *t = s->table;

	if (!s->own.table_sound || (t->kind == VK_TABLE_GPT ? !s->own.copies_agree
							     : t->gpt[0].sound || t->gpt[1].sound))
		return false;
	return t->partition_count > 0 && !names_vmware(t);
}

static void own_if_used(struct look *l, const struct vk_foreign *f, unsigned partition, uint64_t length)
{
	struct owner o = {.partition = partition, .start_bytes = f->start_bytes, .length_bytes = length};

	vk_use_read(l->survey->io, f, length, &o.use);
	snprintf(o.type, sizeof(o.type), "%s", f->type);
	if (o.use.in_use && l->owner_count < OWNERS_MAX)
		l->owners[l->owner_count++] = o;
}

static void look_at_partitions(struct look *l)
{
	struct vk_survey *s = l->survey;
	const struct vk_table *t = s->table;

	for (size_t i = 0; i < t->partition_count && i < PARTITIONS_MAX && s->status == VK_OK; i++) {
		const struct vk_partition *p = &t->partitions[i];
		uint64_t start = vk_mul_sat(p->start_sector, t->sector_size), size = vk_io_size_bytes(s->io);
		struct vk_foreigners found = {.count = 0};
		uint64_t length;

		if (vk_partition_is_extended(p) || start == 0 || start >= size)
			continue;
		length = vk_min_u64(vk_mul_sat(p->sectors, t->sector_size), size - start);
		s->status = vk_foreign_look(s->io, start, length, &found, s->err);
		for (size_t k = 0; k < found.count && s->status == VK_OK; k++)
			if (found.items[k].start_bytes == start)
				own_if_used(l, &found.items[k], p->number, length);
		vk_foreigners_free(&found);
	}
}

/*
 * Whether a table is younger than a system on the whole device. A primary GPT that is sound was written after whatever
 * lies around it. Of an MBR that names a volume it is not known, unless that volume's header is older.
 */
static bool is_outlived(const struct look *l)
{
	const struct vk_table *t = l->survey->table;
	const struct owner *o = &l->owners[0];

	return o->partition == 0 && (t->gpt[0].sound || (t->kind == VK_TABLE_MBR && names_vmware(t) &&
							 (l->seen_count == 0 || o->use.written_s == 0)));
}

/* Whether something of VMFS says that the other system is not what the disk is for. */
static bool is_contradicted(const struct look *l)
{
	for (size_t i = 0; i < l->seen_count; i++) {
		const struct seen *s = &l->seen[i];
		const struct owner *o = owner_of(l, s->header_bytes);

		if (o == NULL ? s->volume : o->use.written_s != 0 && s->made_s > o->use.written_s)
			return true;
	}
	return false;
}

static enum vk_hold hold_of(const struct look *l, const struct owner *o, uint64_t at)
{
	struct vk_ext fs;

	return strncmp(o->type, "ext", 3) == 0 && vk_ext_open(l->survey->io, o->start_bytes, &fs)
		       ? vk_ext_hold(&fs, at)
		       : VK_HOLD_UNKNOWN;
}

static void say_seen(const struct look *l, const struct seen *s, struct vk_text *out)
{
	static const char *const holds[] = {[VK_HOLD_UNKNOWN] = "in it: a leftover, or in a file of it",
					    [VK_HOLD_FREE] = "in blocks that it does not use: a leftover",
					    [VK_HOLD_OWN] = "in room that it keeps for its tables: a leftover",
					    [VK_HOLD_FILE] = "in blocks of its files"};
	const struct vk_table *t = l->survey->table;
	const struct owner *o = owner_of(l, s->header_bytes);
	unsigned number = 0;

	vk_text_fmt(out, "; the VMFS header at byte %" PRIu64 " (sector %" PRIu64 ") lies ", s->header_bytes,
		    s->header_bytes / t->sector_size);
	for (size_t i = 0; i < t->partition_count && o == NULL && number == 0; i++)
		if (s->header_bytes / t->sector_size >= t->partitions[i].start_sector &&
		    s->header_bytes / t->sector_size - t->partitions[i].start_sector < t->partitions[i].sectors &&
		    !vk_partition_is_extended(&t->partitions[i]))
			number = t->partitions[i].number;
	if (number != 0)
		vk_text_fmt(out, "in partition %u: a leftover", number);
	else if (o == NULL)
		vk_text_put(out, "in no partition: a leftover");
	else
		vk_text_put(out, holds[hold_of(l, o, s->header_bytes)]);
}

static const char *name_of(const char *type)
{
	return strcmp(type, "ceph_bluestore") == 0 ? "Ceph OSD (bluestore)" : type;
}

static bool holds_free_volume(const struct look *l)
{
	for (size_t i = 0; i < l->seen_count; i++) {
		const struct owner *o = owner_of(l, l->seen[i].header_bytes);

		if (o != NULL && l->seen[i].volume && hold_of(l, o, l->seen[i].header_bytes) != VK_HOLD_FILE)
			return true;
	}
	return false;
}

static void add_reading(struct look *l)
{
	const struct owner *o = &l->owners[0];
	struct vk_reading r = {.kind = VK_READING_OTHER, .weight = VK_WEIGHT_OTHER};
	struct vk_text text;

	see_headers(l);
	r.sure = o->use.proved && !holds_free_volume(l) ? VK_SURE_CERTAIN : VK_SURE_LIKELY;
	/* a LUN that lies whole inside a part of it is what people look for */
	for (size_t i = 0; i < l->survey->readings->count; i++)
		if (l->survey->readings->items[i].kind == VK_READING_CARRIER)
			r.weight = VK_WEIGHT_NOTHING;
	if (is_contradicted(l) || is_outlived(l)) {
		r.sure = VK_SURE_POSSIBLE;
		r.weight = VK_WEIGHT_NOTHING;
	}
	text = vk_text_in(r.what, sizeof(r.what));
	if (o->partition != 0)
		vk_text_fmt(&text, "a disk of another system, sound and in use: %s in partition %u", o->type,
			    o->partition);
	else
		vk_text_fmt(&text, "another system's %s, sound and in use", name_of(o->type));
	vk_text_fmt(&text, ", from byte %" PRIu64 " (sector %" PRIu64 ") on", o->start_bytes,
		    o->start_bytes / l->survey->table->sector_size);
	text = vk_text_in(r.evidence, sizeof(r.evidence));
	vk_text_put(&text, o->use.why);
	for (size_t i = 0; i < l->seen_count && i < SEEN_SAID; i++)
		say_seen(l, &l->seen[i], &text);
	if (l->seen_count > SEEN_SAID)
		vk_text_fmt(&text, "; and %zu more", l->seen_count - SEEN_SAID);
	/* that memory ran out stands in the survey */
	if (!vk_survey_add(l->survey, &r))
		return;
}

/* One that nobody is known to use: a word in the list, and no more. */
static bool add_possible(struct vk_survey *survey, const struct vk_foreign *f)
{
	struct vk_reading r = {.kind = VK_READING_OTHER, .sure = VK_SURE_POSSIBLE, .weight = VK_WEIGHT_NOTHING};
	struct vk_use use;

	vk_use_read(survey->io, f, vk_io_size_bytes(survey->io), &use);
	snprintf(r.what, sizeof(r.what), "another system's %s, from byte %" PRIu64 " on", name_of(f->type),
		 f->start_bytes);
	snprintf(r.evidence, sizeof(r.evidence), "%s", use.why);
	return vk_survey_add(survey, &r);
}

void vk_look_at_others(struct vk_survey *survey)
{
	struct look l = {.survey = survey};

	if (table_is_others(survey))
		look_at_partitions(&l);
	for (size_t i = 0; i < survey->foreign->count && l.owner_count == 0 && survey->status == VK_OK; i++) {
		const struct vk_foreign *f = &survey->foreign->items[i];

		/* parts of an array or a pool are a reading of their own */
		if (vk_foreign_is_member(f) && strcmp(f->type, "ceph_bluestore") != 0)
			continue;
		own_if_used(&l, f, 0, vk_io_size_bytes(survey->io));
		if (l.owner_count == 0 && !add_possible(survey, f))
			return;
	}
	if (l.owner_count > 0 && survey->status == VK_OK)
		add_reading(&l);
}
