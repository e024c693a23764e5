/* SPDX-License-Identifier: Apache-2.0 */
/* Compares a structure row by row. Which rows change by themselves is a mark of the rows (VK_VOLATILE). */
#include <stdio.h>
#include <string.h>

#include "base/checked.h"
#include "store/diff/differ.h"

/* Rows that people know by another name than VMware's, or that are never told, as others tell what they mean. */
static const struct {
	const struct vk_layout *layout;
	const char *row;
	const char *called; /* NULL: not told */
} names[] = {
	{&vk_lvm_device_layout, "totalBytes", "device size"},
	{&vk_lvm_device_layout, "devID", "device UUID"},
	{&vk_lvm_volume_layout, "logicalSize", "volume size"},
	{&vk_lvm_volume_layout, "state", "volume state"},
	{&vk_lvm_volume_layout, "name", "volume name"},
	{&vk_lvm_volume_layout, "uuid", "volume UUID"},
	{&vk_lvm_volume_layout, "snapID", "volume snapID"},
	{&vk_lvm_volume_layout, "firstPE", "first extent"},
	{&vk_lvm_volume_layout, "lastPE", "last extent"},
	{&vk_lvm_volume_layout, "numDevs", "devices of the volume"},
	{&vk_fs_descriptor_layout, "uuid", "datastore UUID"},
	{&vk_fs_descriptor_layout, "fsLabel", "label"},
	{&vk_scsi_disk_id_layout, "lun", "LUN"},
	{&vk_scsi_disk_id_layout, "deviceType", "device type"},
	{&vk_scsi_disk_id_layout, "scsiLevel", "SCSI level"},
	{&vk_scsi_disk_id_layout, "type", NULL}, /* these name the LUN and its vendor, together */
	{&vk_scsi_disk_id_layout, "len", NULL},
	{&vk_scsi_disk_id_layout, "id", NULL},
	{&vk_scsi_disk_id_layout, "vendor", NULL},
	{&vk_scsi_disk_id_layout, "model", NULL},
	{&vk_scsi_disk_id_layout, "revision", NULL},
	{&vk_gpt_header_layout, "diskGUID", "disk GUID"},
	{&vk_gpt_header_layout, "signature", NULL}, /* the state of the copy says it */
	{&vk_gpt_header_layout, "headerCRC32", NULL},
	{&vk_gpt_header_layout, "entriesCRC32", NULL},
	{&vk_gpt_header_layout, "myLBA", NULL},
	{&vk_gpt_entry_layout, "uniqueGUID", "partition GUID"},
	{&vk_gpt_entry_layout, "typeGUID", "type"},
	{&vk_gpt_entry_layout, "attributes", "attributes"},
	{&vk_gpt_entry_layout, "name", "name"},
	{&vk_gpt_entry_layout, "firstLBA", NULL}, /* start and end are told for both kinds of tables */
	{&vk_gpt_entry_layout, "lastLBA", NULL},
	{&vk_mbr_entry_layout, "bootFlag", "boot flag"},
	{&vk_mbr_entry_layout, "type", "type"},
	{&vk_mbr_entry_layout, "firstCHS", "CHS of the first sector"},
	{&vk_mbr_entry_layout, "lastCHS", "CHS of the last sector"},
	{&vk_mbr_entry_layout, "firstLBA", "first sector"},
	{&vk_mbr_entry_layout, "sectors", "sectors"},
	{&vk_mbr_layout, "bootCode", "boot code"},
	{&vk_mbr_layout, "diskSignature", "disk signature"},
	{&vk_mbr_layout, "unknown1BC", "bytes 0x1BC to 0x1BD"},
	{&vk_mbr_layout, "entry1", NULL}, /* told as partitions, or as those of a protective MBR */
	{&vk_mbr_layout, "entry2", NULL},
	{&vk_mbr_layout, "entry3", NULL},
	{&vk_mbr_layout, "entry4", NULL},
	{&vk_mbr_layout, "signature", "boot signature"},
};

/* Rows that follow from another one of the same structure: when both differ, only the other is told. */
static const struct {
	const struct vk_layout *layout;
	const char *row;
	const char *other;
} follows[] = {
	{&vk_lvm_device_layout, "numPEs", "totalBytes"},	 {&vk_lvm_device_layout, "numPEs6", "totalBytes"},
	{&vk_lvm_device_layout, "lastPEIndex", "numPEs"},	 {&vk_lvm_volume_layout, "name", "uuid"},
	{&vk_lvm_volume_layout, "numPEs", "firstPE"},		 {&vk_lvm_volume_layout, "numPEs", "lastPE"},
	{&vk_lvm_volume_layout, "logicalSize", "firstPE"},	 {&vk_lvm_volume_layout, "logicalSize", "lastPE"},
	{&vk_lvm_volume_layout, "consumedPEs", "lastPE"},
};

const char *vk_diff_row_called(const struct vk_layout *layout, const char *row)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].layout == layout && strcmp(names[i].row, row) == 0)
			return names[i].called;
	return row;
}

static bool differs(const struct vk_diff_structure *s, uint32_t from, uint32_t to)
{
	return memcmp(s->bytes[VK_BEFORE] + from, s->bytes[VK_AFTER] + from, to - from) != 0;
}

bool vk_diff_row_differs(const struct vk_diff_structure *s, const char *name)
{
	const struct vk_field *row = vk_layout_field(s->layout, name);

	return row != NULL && differs(s, row->offset, row->offset + row->size);
}

static bool is_silent(const struct vk_diff_structure *s, const char *row)
{
	for (size_t i = 0; i < sizeof(s->silent) / sizeof(s->silent[0]); i++)
		if (s->silent[i] != NULL && strcmp(s->silent[i], row) == 0)
			return true;
	for (size_t i = 0; i < sizeof(follows) / sizeof(follows[0]); i++)
		if (follows[i].layout == s->layout && strcmp(follows[i].row, row) == 0 &&
		    vk_diff_row_differs(s, follows[i].other))
			return true;
	return false;
}

/* Bytes that read the same differ where no text shows it: then they are shown themselves. */
static void show_bytes(const struct vk_diff_structure *s, uint32_t from, uint32_t to,
		       char texts[VK_SIDES][VK_DIFF_TEXT_BYTES])
{
	const uint8_t *before = s->bytes[VK_BEFORE], *after = s->bytes[VK_AFTER];
	const uint32_t start = from;

	while (from < to && before[from] == after[from])
		from++;
	while (to > from && before[to - 1] == after[to - 1])
		to--;
	to = (uint32_t)vk_min_u64(to, from + 16);
	for (int side = 0; side < VK_SIDES; side++) {
		struct vk_text text = vk_text_in(texts[side], VK_DIFF_TEXT_BYTES);

		vk_text_fmt(&text, "byte %u: ", from - start);
		vk_text_hex(&text, s->bytes[side] + from, to - from);
	}
}

static void report_row(struct vk_differ *d, const struct vk_diff_structure *s, const struct vk_field *row)
{
	union {
		struct vk_mbr mbr;
		struct vk_mbr_entry mbr_entry;
		struct vk_gpt_header gpt;
		struct vk_gpt_entry entry;
		struct vk_lvm_device device;
		struct vk_lvm_volume volume;
		struct vk_lvm_ext ext;
		struct vk_lvm_sd sd;
		struct vk_fs_descriptor fs;
		struct vk_scsi_disk_id id;
	} decoded;
	struct vk_diff_topic topic = s->topic;
	char texts[VK_SIDES][VK_DIFF_TEXT_BYTES];
	bool same;

	topic.field = vk_diff_row_called(s->layout, row->name);
	topic.short_message = topic.short_message || topic.field != row->name;
	topic.is_volatile = (row->marks & VK_VOLATILE) != 0;
	for (int side = 0; side < VK_SIDES; side++) {
		struct vk_text text;

		vk_layout_decode(s->layout, s->bytes[side], s->layout->size, &decoded);
		text = vk_text_in(texts[side], sizeof(texts[side]));
		vk_field_text(row, &decoded, &text);
	}
	same = strcmp(texts[VK_BEFORE], texts[VK_AFTER]) == 0;
	/* what stands behind the NUL of such a name is filler */
	if (same && row->view == VK_VIEW_UTF16)
		return;
	if (same || row->view == VK_VIEW_RESERVED)
		show_bytes(s, row->offset, row->offset + row->size, texts);
	vk_diff_report(d, &topic, texts[VK_BEFORE], texts[VK_AFTER], NULL);
}

/* A part of the disk id, whose text may show neither the tail of the model nor what lies behind len. */
static void report_id_part(struct vk_differ *d, const struct vk_diff_structure *s, const char *called, uint32_t from,
			   uint32_t to, char texts[VK_SIDES][VK_DIFF_TEXT_BYTES])
{
	struct vk_diff_topic topic = s->topic;

	topic.field = called;
	topic.short_message = true;
	if (strcmp(texts[VK_BEFORE], texts[VK_AFTER]) == 0)
		show_bytes(s, from, to, texts);
	vk_diff_report(d, &topic, texts[VK_BEFORE], texts[VK_AFTER], NULL);
}

/* The LUN that a volume was last accepted on: its name, its number, its vendor. One that is not there is one change. */
static void report_disk_id(struct vk_differ *d, const struct vk_diff_structure *header, const struct vk_field *row)
{
	const struct vk_field *vendor = vk_layout_field(&vk_scsi_disk_id_layout, "vendor");
	const struct vk_field *revision = vk_layout_field(&vk_scsi_disk_id_layout, "revision");
	const uint32_t vendor_end = revision->offset + revision->size;
	struct vk_diff_structure s = {.layout = &vk_scsi_disk_id_layout, .topic = header->topic};
	char names_of[VK_SIDES][VK_DIFF_TEXT_BYTES], labels[VK_SIDES][VK_DIFF_TEXT_BYTES];
	bool none = false;

	for (int side = 0; side < VK_SIDES; side++) {
		char name[VK_SCSI_NAME_BYTES], label[VK_SCSI_NAME_BYTES];
		struct vk_scsi_disk_id id;
		bool certain;

		s.bytes[side] = header->bytes[side] + row->offset;
		vk_layout_decode(s.layout, s.bytes[side], row->size, &id);
		vk_scsi_disk_id_name(&id, name, &certain);
		vk_scsi_disk_id_label(&id, label);
		snprintf(names_of[side], sizeof(names_of[side]), "%s", vk_scsi_disk_id_is_nil(&id) ? "none" : name);
		snprintf(labels[side], sizeof(labels[side]), "\"%s\"", label);
		none = none || vk_scsi_disk_id_is_nil(&id);
	}
	if (none || vk_diff_row_differs(&s, "type") || vk_diff_row_differs(&s, "len") || vk_diff_row_differs(&s, "id"))
		report_id_part(d, &s, "disk id", 0, VK_SCSI_DISK_ID_BYTES, names_of);
	if (none)
		return;
	vk_diff_rows(d, &s);
	if (differs(&s, vendor->offset, vendor_end))
		report_id_part(d, &s, "vendor and model", vendor->offset, vendor_end, labels);
}

void vk_diff_rows(struct vk_differ *d, const struct vk_diff_structure *s)
{
	for (size_t i = 0; i < s->layout->count; i++) {
		const struct vk_field *row = &s->layout->fields[i];

		if (!differs(s, row->offset, row->offset + row->size) ||
		    vk_diff_row_called(s->layout, row->name) == NULL)
			continue;
		if (s->at != NULL)
			vk_diff_claim_both(d, (row->marks & VK_VOLATILE) != 0 ? VK_CLAIM_VOLATILE : VK_CLAIM_TOLD,
					   s->at, row->offset, row->size);
		if (is_silent(s, row->name))
			continue;
		if (row->kind == VK_KIND_DISKID)
			report_disk_id(d, s, row);
		else
			report_row(d, s, row);
	}
}
