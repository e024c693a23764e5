/* SPDX-License-Identifier: Apache-2.0 */
/* A source: opened, recognised, decoded as far as it reaches. */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/memory.h"
#include "base/checked.h"
#include "vmfskit/source.h"
#include "source/survey.h"

/* Findings of a part of the source, moved to the offsets of the source as it was given. */
struct moved_sink {
	struct vk_findings *list;
	uint64_t up;   /* where the part begins in the coordinates of the kind */
	uint64_t down; /* where byte 0 of the source lies in them */
};

static void put_moved(void *ctx, const struct vk_finding *finding)
{
	const struct moved_sink *m = ctx;
	struct vk_finding moved = *finding;
	uint64_t at = vk_add_sat(finding->offset_bytes, m->up);

	moved.offset_bytes = at > m->down ? at - m->down : 0;
	vk_findings_add(m->list, &moved);
}

/* Another system's disk: what VMFS left on it is shown, and lacks nothing that anybody needs. */
static bool is_others(const struct vk_source *s)
{
	return s->readings.items[0].kind == VK_READING_OTHER;
}

/*
 * A short dump that begins with zeros is rather a piece of a partition, which has nothing in its first MiB, than of a
 * disk, which has a table there.
 */
enum { SHORT_DUMP_BYTES = 32 << 20, FIRST_BYTES = 64 << 10 };

static bool looks_like_partition(struct vk_source *s)
{
	uint8_t buf[4096];
	size_t got = 1;

	if (vk_io_is_device(s->raw) || s->size_bytes >= SHORT_DUMP_BYTES)
		return false;
	for (uint64_t at = 0; at < FIRST_BYTES && got > 0; at += got)
		if (vk_io_read(s->raw, at, buf, sizeof(buf), &got, NULL) != VK_OK ||
		    !vk_all_zero(buf, got))
			return false;
	return true;
}

static enum vk_status choose_kind(struct vk_source *s, const struct vk_lun_signs *signs, struct vk_error *err)
{
	const struct vk_kind_fit *best = &signs->fits[signs->best];
	const struct vk_kind_fit *equal = signs->equal < 4 ? &signs->fits[signs->equal] : NULL;

	/* of a text nothing is decoded: what it is was said */
	if (vk_source_is_text(s)) {
		s->kind = VK_SOURCE_DISK;
		return VK_OK;
	}
	if (best->fit == VK_FIT_NONE) {
		s->kind = looks_like_partition(s) ? VK_SOURCE_PARTITION : VK_SOURCE_DISK;
		if (is_others(s))
			return VK_OK;
		VK_FINDINGS_SAY(&s->findings, VK_F_SOURCE_UNRECOGNISED, 0, s->size_bytes, NULL, NULL,
				"nothing in it shows what it is; read as a %s", vk_source_kind_name(s->kind));
		return VK_OK;
	}
	s->kind = best->kind;
	if (equal == NULL)
		return VK_OK;
	vk_error_set(err, VK_USAGE, s->path, "it can be read as a %s (%s) and as a %s (%s)",
		     vk_source_kind_name(best->kind), best->why, vk_source_kind_name(equal->kind),
		     equal->why);
	return vk_error_remedy(err, "say which with --as %s or --as %s",
			       vk_source_kind_name(best->kind), vk_source_kind_name(equal->kind));
}

/* Fragments begin in the middle of what they are of: find where. */
static enum vk_status place_fragment(struct vk_source *s, struct vk_error *err)
{
	bool holds_start = vk_io_held(s->raw, 0, 1) == 1;

	if (s->kind == VK_SOURCE_HEADER && holds_start)
		s->origin_bytes = VK_LVM_HEADER_OFFSET;
	else if (s->kind == VK_SOURCE_VOLUME && vk_fs_descriptor_at(s->raw, 0) &&
		 !vk_fs_descriptor_at(s->raw, VK_FS_OFFSET))
		s->origin_bytes = VK_FS_OFFSET;
	s->io = s->raw;
	if (s->origin_bytes == 0)
		return VK_OK;
	s->io = vk_io_shifted(s->raw, s->origin_bytes);
	if (s->io == NULL)
		return vk_no_memory(err, s->path);
	return VK_OK;
}

enum vk_status vk_source_add_vmfs(struct vk_source *s, const struct vk_vmfs *caller_part,
				  uint64_t start_bytes, uint64_t length_bytes, struct vk_error *err)
{
	struct moved_sink moved = {&s->findings, start_bytes, s->origin_bytes};
	const struct vk_finding_sink sink = {put_moved, &moved};
	struct vk_io *window = vk_io_window(s->io, start_bytes, length_bytes);
	enum vk_status status;

	if (window == NULL || vk_append(&s->vmfs, &s->vmfs_count, caller_part, sizeof(*caller_part)) == NULL) {
		vk_io_close(window);
		return vk_no_memory(err, s->path);
	}
	status = vk_vmfs_read(window, is_others(s) ? NULL : &sink, &s->vmfs[s->vmfs_count - 1], err);
	if (status != VK_OK)
		s->vmfs_count--;
	vk_io_close(window);
	return status;
}

static bool overlaps_partition(const struct vk_source *s, uint64_t byte)
{
	for (size_t i = 0; i < s->table.partition_count; i++) {
		const struct vk_partition *p = &s->table.partitions[i];
		uint64_t start = vk_mul_sat(p->start_sector, s->table.sector_size);
		uint64_t end = vk_add_sat(start, vk_mul_sat(p->sectors, s->table.sector_size));

		if (!vk_partition_is_extended(p) && byte >= start && byte < end)
			return true;
	}
	return false;
}

/* Where the table names no partition, what still stands at the usual starts is shown. */
static enum vk_status add_hidden(struct vk_source *s, struct vk_error *err)
{
	for (size_t i = 0; i < vk_usual_start_count; i++) {
		uint64_t start = vk_usual_starts[i] * 512;
		uint64_t header = start + VK_LVM_HEADER_OFFSET;
		struct vk_vmfs part = {.start_sector = start / s->sector_size};
		enum vk_status status;

		if (overlaps_partition(s, header) || !vk_lvm_header_at(s->io, header))
			continue;
		/* what a table that is not in the source names is not known */
		if (!is_others(s) && !vk_table_absent(&s->table))
			VK_FINDINGS_SAY(&s->findings, VK_F_TABLE_HIDDEN_VMFS, header, 4, NULL, NULL,
				"an LVM header of a partition that would start at sector %llu, not in the table",
				(unsigned long long)part.start_sector);
		status = vk_source_add_vmfs(s, &part, start, UINT64_MAX - start, err);
		if (status != VK_OK)
			return status;
	}
	return VK_OK;
}

/* More VMFS partitions than any disk has: a crafted table must not keep us busy for hours. */
enum { VMFS_MAX = 128 };

/* Entries that name one start several times are one volume (and a finding about the table). */
static bool decoded_before(const struct vk_source *s, uint64_t start_sector)
{
	for (size_t i = 0; i < s->vmfs_count; i++)
		if (s->vmfs[i].start_sector == start_sector)
			return true;
	return false;
}

/* Every device is made with an id of its own; which of two is the copy is not known, so it is said of both. */
static void check_devices(struct vk_source *s)
{
	for (size_t i = 0; i < s->vmfs_count; i++)
		for (size_t k = 0; k < s->vmfs_count; k++) {
			const struct vk_vmfs *a = &s->vmfs[k], *b = &s->vmfs[i];

			if (k == i || !a->lvm_usable || !b->lvm_usable || vk_vmfs_uuid_is_nil(&b->lvm.devID) ||
			    !vk_vmfs_uuid_equal(&a->lvm.devID, &b->lvm.devID))
				continue;
			VK_FINDINGS_SAY(&s->findings, VK_F_LVM_DEVICE_TWICE,
					vk_mul_sat(b->start_sector, s->sector_size) + VK_LVM_HEADER_OFFSET,
					VK_LVM_DEVICE_BYTES, vk_vmfs_uuid_text(&b->lvm.devID).text, NULL,
					"the LVM header in partition %u is that of the same device as in partition %u",
					b->partition, a->partition);
			break;
		}
}

static enum vk_status decode_disk(struct vk_source *s, struct vk_error *err)
{
	uint32_t ss = s->table.sector_size;
	char type[VK_GUID_TEXT_BYTES];
	const char *type_name;

	for (size_t i = 0; i < s->table.partition_count; i++) {
		const struct vk_partition *p = &s->table.partitions[i];
		uint64_t start = vk_mul_sat(p->start_sector, ss);
		uint64_t length = vk_mul_sat(p->sectors, ss);
		struct vk_vmfs part = {.partition = p->number,
				       .start_sector = p->start_sector,
				       .sectors = p->sectors,
				       .partition_bytes = length};
		bool vmfs = vk_partition_is_vmfs(p);
		enum vk_status status;

		if (vk_partition_is_extended(p) || decoded_before(s, p->start_sector))
			continue;
		if (!vmfs && !vk_lvm_header_at(s->io, vk_add_sat(start, VK_LVM_HEADER_OFFSET)))
			continue;
		if (s->vmfs_count == VMFS_MAX) {
			VK_FINDINGS_SAY(&s->findings, VK_F_SOURCE_TOO_MANY_VOLUMES, p->entry_offset_bytes,
					p->gpt ? 128 : 16, NULL, NULL,
					"more than %d VMFS partitions; partition %u and those behind it were left out",
					VMFS_MAX, p->number);
			break;
		}
		if (!vmfs && !is_others(s)) {
			vk_partition_type(p, type, &type_name);
			VK_FINDINGS_SAY(&s->findings, VK_F_TABLE_TYPE, p->entry_offset_bytes, p->gpt ? 16 : 1,
					vk_phrase("%s (%s)", type, type_name).text, "VMFS",
					"partition %u holds a VMFS header but is of another type", p->number);
		}
		status = vk_source_add_vmfs(s, &part, start, length, err);
		if (status != VK_OK)
			return status;
	}
	check_devices(s);
	return add_hidden(s, err);
}

static enum vk_status decode(struct vk_source *s, struct vk_error *err)
{
	struct vk_vmfs part = {.volume_only = s->kind == VK_SOURCE_VOLUME};
	const struct vk_partition *named = vk_tail_gpt_partition(&s->tail, 0);
	uint64_t size = vk_io_size_bytes(s->io);

	if (vk_source_is_text(s))
		return VK_OK;
	if (s->kind == VK_SOURCE_DISK)
		return decode_disk(s, err);
	/* a dump says nothing about the length of its partition; a device does, and a GPT behind it */
	if (s->kind == VK_SOURCE_PARTITION && named != NULL)
		part.partition_bytes = vk_mul_sat(named->sectors, s->tail.table.sector_size);
	else if (s->kind == VK_SOURCE_PARTITION && vk_io_is_device(s->raw))
		part.partition_bytes = size;
	return vk_source_add_vmfs(s, &part, 0, UINT64_MAX, err);
}

static void say_input_faults(struct vk_source *s)
{
	const struct vk_finding_sink sink = vk_findings_sink(&s->findings);

	vk_io_say_faults(s->raw, &sink);
}

static void forget_table(struct vk_source *s, struct vk_findings *about_table)
{
	vk_table_free(&s->table);
	vk_tail_gpt_free(&s->tail);
	vk_findings_free(about_table);
}

static enum vk_status read_table(struct vk_source *s, uint32_t sector_size, struct vk_findings *about_table,
				 struct vk_lun_signs *ret_signs, struct vk_error *err)
{
	const struct vk_finding_sink sink = vk_findings_sink(about_table);
	/* a listing is of a part: where it ends says nothing of the disk */
	const bool complete = s->form != VK_FORM_HEXDUMP;
	enum vk_status status = vk_table_read(s->raw, sector_size, complete, &sink, &s->table, err);

	if (status == VK_OK && !s->table.mbr_used && !s->table.gpt[0].present)
		status = vk_tail_gpt_read(s->raw, sector_size, &s->tail, err);
	if (status == VK_OK)
		vk_lun_signs_of(s->raw, &s->table, &s->tail, ret_signs);
	return status;
}

/* A disk with another sector size is the same disk: its bytes are where they are, and only the table is read anew. */
static bool reads_in_units(const struct vk_source *s, const struct vk_source_options *options)
{
	return s->readings.items[0].kind == VK_READING_UNITS && options->look == VK_LOOK_THROUGH &&
	       (options->as == VK_SOURCE_AUTO || options->as == VK_SOURCE_DISK);
}

/*
 * What it is, then its table through that reading: findings about the table only count when it is read as a disk. They
 * are those of the source from ret_first on.
 */
static enum vk_status choose_reading(struct vk_source *s, const struct vk_source_options *options,
				     uint32_t sector_size, size_t *ret_first, struct vk_error *err)
{
	struct vk_findings about_table = {0};
	struct vk_lun_signs signs;
	struct vk_io *view = NULL;
	enum vk_status status = read_table(s, sector_size, &about_table, &signs, err);

	if (status == VK_OK)
		status = vk_source_survey(s, options, &signs, &view, err);
	if (status == VK_OK && (view != NULL || reads_in_units(s, options))) {
		forget_table(s, &about_table);
		if (view != NULL)
			s->raw = view;
		s->size_bytes = vk_io_size_bytes(s->raw);
		if (s->readings.items[0].sector_size != 0)
			sector_size = s->readings.items[0].sector_size;
		status = read_table(s, sector_size, &about_table, &signs, err);
	}
	if (status == VK_OK && s->kind == VK_SOURCE_AUTO)
		status = choose_kind(s, &signs, err);
	if (s->kind != VK_SOURCE_DISK && s->kind != VK_SOURCE_PARTITION)
		vk_tail_gpt_free(&s->tail);
	/* a file system that begins with the device has no table, and needs none */
	if (status == VK_OK && is_others(s) && s->table.kind == VK_TABLE_NONE)
		vk_findings_free(&about_table);
	*ret_first = s->findings.count;
	if (status == VK_OK && s->kind == VK_SOURCE_DISK && !vk_source_is_text(s)) {
		s->sector_size = s->table.sector_size;
		/* behind the disk that is stored in a member lies what belongs to the array: nothing grew */
		for (size_t i = 0; i < about_table.count; i++)
			if (s->readings.items[0].kind != VK_READING_MEMBER ||
			    about_table.items[i].code != VK_F_GPT_ALTERNATE_LBA)
				vk_findings_add(&s->findings, &about_table.items[i]);
	} else {
		vk_table_free(&s->table);
	}
	vk_findings_free(&about_table);
	return status;
}

enum vk_status vk_source_open_io(struct vk_io *io, const char *path, enum vk_io_form form,
				 const struct vk_source_options *options,
				 struct vk_source *ret_source, struct vk_error *err)
{
	struct vk_source s = {.form = form, .given = io, .raw = io, .kind = options->as};
	uint32_t sector_size = options->sector_size;
	size_t first = 0, count = 0; /* findings about the table */
	struct vk_reading place = {.at_bytes = 0}; /* of a disk whose beginning was named by hand */
	enum vk_status status;

	s.path = strdup(path);
	s.size_bytes = vk_io_size_bytes(io);
	s.sector_size = vk_io_sector_size(io);
	if (sector_size == 0 && vk_io_is_device(io))
		sector_size = s.sector_size;
	if (s.path == NULL) {
		status = vk_no_memory(err, path);
	} else if (s.size_bytes == 0) {
		/* of no bytes nothing is known: neither that all is well nor that anything is lost */
		vk_error_set(err, VK_IO, path,
			     "it is 0 bytes long: nothing of it can be read, so nothing can be said of it");
		status = vk_error_remedy(err, "a LUN of which all paths are dead looks like this: look at the paths "
					      "and at the array");
	} else {
		status = options->view.at_bytes == 0 ? VK_OK : vk_source_place(io, path, options, &place, err);
		s.size_bytes = vk_io_size_bytes(io);
		if (status == VK_OK)
			status = choose_reading(&s, options, sector_size, &first, err);
		count = status == VK_OK ? s.findings.count - first : 0;
	}
	if (status == VK_OK && place.attach[0] != '\0') {
		memcpy(s.readings.items[0].attach, place.attach, sizeof(place.attach));
		memcpy(s.readings.items[0].device, place.device, sizeof(place.device));
	}
	if (status == VK_OK)
		status = place_fragment(&s, err);
	if (status == VK_OK)
		status = decode(&s, err);
	if (status == VK_OK)
		status = vk_source_say_part(&s, first, count, err);
	if (status == VK_OK) {
		say_input_faults(&s);
		if (!vk_source_say_container(&s))
			status = vk_no_memory(err, path);
		if (s.container != NULL)
			s.whole.bytes = 0;
	}
	if (status != VK_OK) {
		vk_source_close(&s);
		return status;
	}
	*ret_source = s;
	return VK_OK;
}

enum vk_status vk_source_open(const char *path, const struct vk_source_options *options,
			      struct vk_source *ret_source, struct vk_error *err)
{
	const struct vk_open_options open_options = {.sector_size = options->sector_size,
						      .view = options->view,
						      .in_call_since_ms = options->in_call_since_ms,
						      .several = options->several};
	enum vk_io_form form;
	struct vk_io *io;
	enum vk_status status = vk_io_open(path, &open_options, &io, &form, err);

	if (status != VK_OK)
		return status;
	return vk_source_open_io(io, vk_io_has_next(io) ? vk_io_name(io) : path, form, options, ret_source, err);
}

void vk_source_close(struct vk_source *source)
{
	for (size_t i = 0; i < source->vmfs_count; i++)
		vk_vmfs_free(&source->vmfs[i]);
	free(source->vmfs);
	vk_table_free(&source->table);
	vk_tail_gpt_free(&source->tail);
	vk_findings_free(&source->findings);
	free(source->readings.items);
	if (source->io != source->raw)
		vk_io_close(source->io);
	if (source->raw != source->given)
		vk_io_close(source->raw);
	vk_io_close(source->given);
	free(source->path);
	memset(source, 0, sizeof(*source));
}
