/* SPDX-License-Identifier: Apache-2.0 */
/* What must stand where: a list of areas, made of the places of each structure and of the gaps between them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "doctor/doctor.h"
#include "vmfskit/heartbeat.h"

/* What of start .. end no area has, as one area for each gap. */
static void fill(struct vk_doctor *doc, enum vk_area_kind kind, enum vk_part part, size_t subject,
		 uint64_t start, uint64_t end, const char *what)
{
	size_t count = doc->area_count;
	struct vk_area area = {.kind = kind, .part = part, .subject = subject, .symbol = ""};

	end = vk_min_u64(end, doc->source.size_bytes / VK_UNIT_BYTES * VK_UNIT_BYTES);
	vk_doctor_sort(doc->areas, doc->area_count, sizeof(*doc->areas));
	snprintf(area.what, sizeof(area.what), "%s", what);
	for (size_t i = 0; i <= count && start < end; i++) {
		uint64_t next = i < count ? doc->areas[i].offset_bytes : UINT64_MAX;

		area.offset_bytes = start;
		area.length_bytes = vk_min_u64(end, next) - start;
		if (next > start && vk_area_append(doc, &area) == NULL)
			return;
		if (i < count)
			start = vk_max_u64(start, next + doc->areas[i].length_bytes);
	}
}

/* VMFS6 has its structures at multiples of 4096 bytes, VMFS3 and VMFS5 at multiples of 512. */
enum { LOCK_DESCRIPTOR = 0x10C00001, LOCK_CLUSTER = 0x10C00005, SIX_BYTES = 4096 };

static void name_of(const struct vk_doctor *doc, const struct vk_subject *s, char text[40])
{
	if (doc->source.kind == VK_SOURCE_DISK)
		snprintf(text, 40, " of the volume at sector %llu", vk_doctor_sector(doc, s->start_bytes));
	else
		text[0] = '\0';
}

/* The letter of a structure on the map, and how it is judged: by its layout, or by that of its elements. */
static const char *symbol_of(const struct vk_place *place, enum vk_area_kind *ret_kind)
{
	static const struct {
		const struct vk_layout *layout, *element;
		enum vk_area_kind kind;
		const char *symbol;
	} rows[] = {
		{&vk_lvm_device_layout, NULL, VK_AREA_STRUCTURE, "L"},
		{&vk_lvm_volume_layout, NULL, VK_AREA_STRUCTURE, "V"},
		{&vk_lvm_ext_layout, NULL, VK_AREA_STRUCTURE, "X"},
		{&vk_fs_descriptor_layout, NULL, VK_AREA_STRUCTURE, "F"},
		{NULL, &vk_lvm_sd_layout, VK_AREA_OPAQUE, "N"},
		{NULL, &vk_heartbeat_layout, VK_AREA_HEARTBEATS, "H"},
		{NULL, &vk_lvm_pe_layout, VK_AREA_PE_TABLE, "P"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].layout == place->layout && rows[i].element == place->element) {
			*ret_kind = rows[i].kind;
			return rows[i].symbol;
		}
	*ret_kind = VK_AREA_PE_BITMAP;
	return "B";
}

/* Distance of heartbeat slots where no descriptor tells it; 0: nothing tells it. */
static uint32_t lost_stride(struct vk_doctor *doc, const struct vk_subject *s, uint64_t region)
{
	enum { REGION_BYTES = 1 << 20, LEAST = 8 };
	uint8_t piece[VK_CHUNK_BYTES];
	uint64_t on_six = 0, between = 0;

	if (s->candidate != NULL && s->candidate->vote.heartbeat_stride_bytes != 0)
		return s->candidate->vote.heartbeat_stride_bytes;
	for (uint64_t in_region = 0; in_region < REGION_BYTES; in_region += sizeof(piece)) {
		size_t got = vk_doctor_read(doc, vk_add_sat(region, in_region), piece, sizeof(piece));

		for (size_t at = 0; at + VK_UNIT_BYTES <= got; at += VK_UNIT_BYTES) {
			uint32_t state = vk_get_le32(piece + at);

			if ((state != VK_HB_FREE && state != VK_HB_IN_USE) ||
			    vk_get_le64(piece + at + 4) != VK_HEARTBEATS_OFFSET + in_region + at)
				continue;
			on_six += at % SIX_BYTES == 0;
			between += at % SIX_BYTES != 0;
		}
	}
	if (between >= LEAST)
		return VK_UNIT_BYTES;
	return on_six >= LEAST ? SIX_BYTES : 0;
}

/* Of a volume whose header does not say where its tables lie: found out from the others, as far as they tell. */
static bool lost_layout(struct vk_doctor *doc, const struct vk_subject *s, struct vk_lvm_geometry *ret_geometry)
{
	static const uint32_t distances[] = {VK_UNIT_BYTES, SIX_BYTES};
	const struct vk_vmfs *v = &doc->source.vmfs[s->vmfs];
	struct vk_lvm_device device = {.magic = VK_LVM_MAGIC, .majorVersion = 5};
	uint8_t bytes[VK_LVM_VOLUME_BYTES];
	struct vk_lvm_volume volume;
	uint32_t distance = 0;

	if (v->fs_usable)
		distance = vk_fs_is_vmfs6(&v->fs) ? SIX_BYTES : VK_UNIT_BYTES;
	for (size_t i = 0; i < 2 && distance == 0; i++) {
		uint64_t at = vk_add_sat(s->start_bytes, VK_LVM_HEADER_OFFSET + distances[i]);

		if (vk_doctor_read(doc, at, bytes, sizeof(bytes)) != sizeof(bytes))
			continue;
		vk_lvm_volume_decode(bytes, sizeof(bytes), &volume);
		if (vk_lvm_volume_named(&volume))
			distance = distances[i];
	}
	if (distance == 0)
		distance = lost_stride(doc, s, s->start_bytes + VK_LVM_DATA_OFFSET + VK_HEARTBEATS_OFFSET);
	if (distance == SIX_BYTES) {
		device.majorVersion = 6;
		device.mdAlignment = SIX_BYTES;
	}
	return distance != 0 && vk_lvm_geometry(&device, VK_LVM_HEADER_OFFSET, ret_geometry);
}

static void add_place(struct vk_doctor *doc, size_t index, const struct vk_vmfs *v, const struct vk_place *place)
{
	const struct vk_subject *s = &doc->subjects[index];
	enum vk_area_kind kind;
	const char *symbol = symbol_of(place, &kind);
	uint32_t stride;
	char of[40];
	const char *digits = strrchr(place->name, ' '); /* "PE table 3" */
	struct vk_area *a;

	name_of(doc, s, of);
	a = vk_area_add(doc, kind, place->part, index, vk_add_sat(s->start_bytes, place->offset_bytes),
			place->length_bytes, symbol, "%s%s", place->name, of);
	if (a == NULL)
		return;
	a->name_length = strlen(place->name);
	a->layout = place->layout;
	a->stride_bytes = place->stride_bytes;
	a->index = digits != NULL ? strtoul(digits, NULL, 10) * VK_LVM_PES_PER_MAP : 0;
	if (kind == VK_AREA_HEARTBEATS) {
		a->volume_offset = v->heartbeats.geometry.heartbeat_offset;
		a->stride_bytes = v->heartbeats.geometry.heartbeat_slot_bytes;
		stride = lost_stride(doc, s, a->offset_bytes);
		if (stride != 0) {
			a->stride_bytes = stride;
		} else if (!v->fs_usable && !s->fs_magic_only) {
			/* a slot begins here with either distance; what lies between is not known */
			a->stride_bytes = SIX_BYTES;
			a->somewhere = true;
		}
		a->may_change = true;
	}
	if (kind == VK_AREA_STRUCTURE)
		vk_judge_structure(doc, a);
	else if (kind != VK_AREA_HEARTBEATS)
		a->may_change = vk_generation_grew(doc, s);
}

/* Volume offset 0 .. length on the disk, as long as that is one run; else where it usually lies. */
static uint64_t place_volume(const struct vk_subject *s, const struct vk_vmfs *v, uint64_t volume_offset)
{
	uint64_t at, length;

	if (vk_vmfs_map(v, volume_offset, &at, &length))
		return vk_add_sat(s->start_bytes, at);
	return vk_add_sat(s->start_bytes, vk_add_sat(s->lvm_known ? s->lvm.dataOffset : VK_LVM_DATA_OFFSET,
						     volume_offset));
}

/* Locks in a row within the first block of .fdc.sf: only of that one it is known that it follows .vh.sf. */
static void add_locks(struct vk_doctor *doc, size_t index, const struct vk_vmfs *v, uint64_t first, uint64_t count,
		      uint64_t stride, uint32_t type, const char *what)
{
	const struct vk_subject *s = &doc->subjects[index];
	uint64_t end = vk_add_sat(v->fs_geometry.vh_end, v->fs.fileBlockSize);
	struct vk_area *a;
	char of[40];

	if (first >= end)
		return;
	name_of(doc, s, of);
	count = vk_min_u64(count, (end - first) / stride);
	a = vk_area_add(doc, VK_AREA_LOCKS, VK_PART_VH, index, place_volume(s, v, first), count * stride,
			type == LOCK_CLUSTER ? "C" : "D", "%s%s", what, of);
	if (a == NULL)
		return;
	a->name_length = strlen(what);
	a->stride_bytes = stride;
	a->volume_offset = first;
	a->lock_type = type;
	a->at_least = type == LOCK_CLUSTER ? 1 : 6;
}

/* The first group of .fdc.sf: where it lies does not depend on any of its own bytes. */
static void add_file_descriptors(struct vk_doctor *doc, size_t index, const struct vk_vmfs *v)
{
	enum { CLUSTERS_MAX = 1024, PER_CLUSTER_MAX = 256 };
	const struct vk_subject *s = &doc->subjects[index];
	const struct vk_fs_descriptor *fs = &v->fs;
	bool six = vk_fs_is_vmfs6(fs);
	uint64_t md = six ? fs->mdAlignment : 512;
	uint64_t group = v->fs_geometry.vh_end + fs->fdcClusterGroupOffset;
	uint64_t clusters = fs->fdcClustersPerGroup, held = clusters, descriptors = UINT64_MAX;
	uint8_t head[512];

	if (!v->fs_usable || clusters == 0 || clusters > CLUSTERS_MAX || fs->fdcClusterGroupOffset % 512 != 0 ||
	    fs->fdcClusterGroupOffset == 0 || fs->fdcClusterGroupOffset > VK_LVM_PE_BYTES)
		return;
	if (vk_doctor_read(doc, place_volume(s, v, v->fs_geometry.vh_end), head, sizeof(head)) == sizeof(head) &&
	    vk_get_le32(head) > 0 && vk_get_le32(head) <= PER_CLUSTER_MAX && vk_get_le32(head + 4) == clusters &&
	    vk_get_le32(head + 0x14) > 0) {
		/* a small volume has fewer than a group */
		descriptors = vk_get_le32(head + 0x14);
		held = vk_min_u64(clusters, (descriptors - 1) / vk_get_le32(head) + 1);
	}
	add_locks(doc, index, v, group, held, 2 * md, LOCK_CLUSTER, ".fdc.sf clusters");
	add_locks(doc, index, v, group + clusters * 2 * md, descriptors, six ? 2 * md : 2048, LOCK_DESCRIPTOR,
		  "file descriptors");
}

/* Whether the header says where its tables lie: LVM6 gives their alignment, which others do not have. */
static bool tables_located(const struct vk_vmfs *v)
{
	struct vk_lvm_geometry ignored;

	return v->lvm_usable && vk_lvm_geometry(&v->lvm, VK_LVM_HEADER_OFFSET, &ignored) &&
	       (v->lvm.majorVersion == 6 || v->lvm.mdAlignment == 0);
}

/* The header says nothing any more: its tables lie where others of its kind have them. */
static void add_lost_lvm(struct vk_doctor *doc, size_t index, const struct vk_vmfs *v)
{
	struct vk_subject *s = &doc->subjects[index];
	struct vk_lvm_geometry g;

	if (v->place_count > 0 && v->places[0].layout == &vk_lvm_device_layout)
		add_place(doc, index, v, &v->places[0]);
	if (!lost_layout(doc, s, &g))
		return;
	s->lost_six = g.bitmap_bytes > VK_LVM_PES_PER_MAP / 8;
	add_place(doc, index, v,
		  &(struct vk_place){.name = "LVM volume descriptor", .layout = &vk_lvm_volume_layout,
				     .part = VK_PART_LVM, .offset_bytes = g.volume_table,
				     .length_bytes = VK_LVM_VOLUME_BYTES});
	add_place(doc, index, v,
		  &(struct vk_place){.name = "PE bitmap 0", .part = VK_PART_LVM, .offset_bytes = g.first_bitmap,
				     .length_bytes = VK_LVM_PES_PER_MAP / 8});
	add_place(doc, index, v,
		  &(struct vk_place){.name = "PE table 0", .element = &vk_lvm_pe_layout, .part = VK_PART_LVM,
				     .offset_bytes = g.first_bitmap + g.bitmap_bytes,
				     .length_bytes = (uint64_t)VK_LVM_PES_PER_MAP * VK_LVM_PE_STRIDE});
}

static bool plan_subject(struct vk_doctor *doc, size_t index)
{
	enum { LVM_MAX_BYTES = 256 << 20 };
	const struct vk_subject *s = &doc->subjects[index];
	const struct vk_vmfs *own = &doc->source.vmfs[s->vmfs];
	/* the places come from whoever knows them */
	const struct vk_vmfs *v = !tables_located(own) && s->was != NULL ? s->was : own;
	bool located = tables_located(v);
	const struct vk_vmfs *fs = !own->fs_usable && s->was != NULL ? s->was : own;
	uint64_t data = s->lvm_known ? vk_min_u64(s->lvm.dataOffset, LVM_MAX_BYTES) : VK_LVM_DATA_OFFSET;
	char of[40];
	char text[80];

	name_of(doc, s, of);
	if (!located)
		add_lost_lvm(doc, index, v);
	for (size_t i = 0; located && i < v->place_count && doc->status == VK_OK; i++)
		if (v->places[i].part == VK_PART_LVM)
			add_place(doc, index, v, &v->places[i]);
	for (size_t i = 0; i < fs->place_count && doc->status == VK_OK; i++)
		if (fs->places[i].part != VK_PART_LVM)
			add_place(doc, index, fs, &fs->places[i]);
	if (own->fs_expected)
		add_file_descriptors(doc, index, fs);
	snprintf(text, sizeof(text), "unused sectors of the LVM region%s", of);
	fill(doc, VK_AREA_EMPTY, VK_PART_LVM, index, s->start_bytes, vk_add_sat(s->start_bytes, data), text);
	snprintf(text, sizeof(text), "unused sectors of .vh.sf%s", of);
	if (own->fs_expected)
		fill(doc, VK_AREA_EMPTY, VK_PART_VH, index, place_volume(s, fs, 0),
		     place_volume(s, fs, fs->fs_geometry.vh_end), text);
	return doc->status == VK_OK;
}

bool vk_doctor_plan_areas(struct vk_doctor *doc)
{
	if (doc->source.kind == VK_SOURCE_DISK && !vk_doctor_plan_table(doc))
		return false;
	for (size_t i = 0; i < doc->subject_count; i++)
		if (!plan_subject(doc, i))
			return false;
	/* what a capture saved besides */
	for (size_t i = 0; doc->known.found && i < doc->known.capture.region_count; i++) {
		const struct vk_region *r = &doc->known.capture.regions[i];

		/* what was the end of a shorter disk is another place now */
		if (r->part == VK_PART_TABLE && r->offset_bytes > 0 &&
		    doc->known.capture.size_bytes != doc->source.size_bytes)
			continue;
		fill(doc, VK_AREA_OPAQUE, r->part, SIZE_MAX, r->offset_bytes,
		     vk_add_sat(r->offset_bytes, r->length_bytes),
		     r->part == VK_PART_TABLE ? "sectors around the partition table" : "captured sectors");
	}
	vk_doctor_sort(doc->areas, doc->area_count, sizeof(*doc->areas));
	return doc->status == VK_OK;
}
