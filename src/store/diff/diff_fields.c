/* SPDX-License-Identifier: Apache-2.0 */
/* Compares a structure row by row; says which rows change by themselves, and what people call them. */
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "store/diff/diff_parts.h"

/*
 * Volatile is what a host writes in normal use without anybody having changed the volume. Times of creation,
 * identities and sizes never are. What each field means: docs/format.md.
 */
static const struct vk_diff_field notes[] = {
	{&vk_lvm_device_layout, "generation", NULL, "grows with every write of the metadata"},
	{&vk_lvm_device_layout, "modTimeUS", NULL, "time of the last such write"},
	{&vk_lvm_device_layout, "lockedBy", NULL, "host that holds the LVM lock at the moment"},
	{&vk_lvm_device_layout, "lockedWhenUS", NULL, "since when it does"},
	{&vk_lvm_device_layout, "lockedFromIPv4", NULL, "address of the host that locked last"},
	{&vk_lvm_device_layout, "totalBytes", "device size", NULL},
	{&vk_lvm_device_layout, "devID", "device UUID", NULL},
	{&vk_lvm_volume_layout, "generation", NULL, "grows with every write of the metadata"},
	{&vk_lvm_volume_layout, "modTimeUS", NULL, "time of the last such write"},
	{&vk_lvm_volume_layout, "logicalSize", "volume size", NULL},
	{&vk_lvm_volume_layout, "state", "volume state", NULL},
	{&vk_lvm_volume_layout, "name", "volume name", NULL},
	{&vk_lvm_volume_layout, "uuid", "volume UUID", NULL},
	{&vk_lvm_volume_layout, "snapID", "volume snapID", NULL},
	{&vk_lvm_volume_layout, "firstPE", "first extent", NULL},
	{&vk_lvm_volume_layout, "lastPE", "last extent", NULL},
	{&vk_lvm_volume_layout, "numDevs", "devices of the volume", NULL},
	{&vk_fs_descriptor_layout, "uuid", "datastore UUID", NULL},
	{&vk_fs_descriptor_layout, "fsLabel", "label", NULL},
	{&vk_fs_descriptor_layout, "hostUuid", NULL, "names a host, and a host's UUID is new with every boot"},
	{&vk_fs_descriptor_layout, "gblGeneration", NULL, "a generation: counts what hosts do"},
	{&vk_fs_descriptor_layout, "checksumGen", NULL, "counts the checksums below"},
	{&vk_fs_descriptor_layout, "checksum", NULL, "follows every change of the descriptor, also of volatile fields"},
	{&vk_fs_descriptor_layout, "localStampUS", NULL, "VMFS-L: uptime of the host that has it mounted"},
	{&vk_fs_descriptor_layout, "localMountOwnerMacAddr", NULL, "VMFS-L: host that has it mounted"},
	{&vk_gpt_header_layout, "diskGUID", "disk GUID", NULL},
	{&vk_gpt_entry_layout, "uniqueGUID", "partition GUID", NULL},
	{&vk_gpt_entry_layout, "typeGUID", "type", NULL},
};

const struct vk_diff_field *vk_diff_field_find(const struct vk_layout *layout, const char *field)
{
	for (size_t i = 0; i < sizeof(notes) / sizeof(notes[0]); i++)
		if (notes[i].layout == layout && strcmp(notes[i].field, field) == 0)
			return &notes[i];
	return NULL;
}

static bool differs(const struct vk_diff_structure *s, const struct vk_field *field)
{
	return memcmp(s->bytes[VK_BEFORE] + field->offset, s->bytes[VK_AFTER] + field->offset,
		      field->size) != 0;
}

bool vk_diff_field_differs(const struct vk_diff_structure *s, const char *field)
{
	const struct vk_field *row = vk_layout_field(s->layout, field);

	return row != NULL && differs(s, row);
}

/* Bytes that read the same differ where no text shows it: then they are shown themselves. */
static void show_bytes(const struct vk_diff_structure *s, const struct vk_field *field,
		       char texts[VK_SIDES][200])
{
	const uint8_t *before = s->bytes[VK_BEFORE] + field->offset;
	const uint8_t *after = s->bytes[VK_AFTER] + field->offset;
	uint32_t from = 0, to = field->size;

	while (from < to && before[from] == after[from])
		from++;
	while (to > from && before[to - 1] == after[to - 1])
		to--;
	to = (uint32_t)vk_min_u64(to, from + 16);
	for (int side = 0; side < VK_SIDES; side++) {
		struct vk_text text;

		vk_text_init(&text, texts[side], 200);
		vk_text_fmt(&text, "byte %u: ", from);
		vk_text_hex(&text, s->bytes[side] + field->offset + from, to - from);
	}
}

static void tell_field(struct vk_differ *d, const struct vk_diff_structure *s,
		       const struct vk_field *field)
{
	const struct vk_diff_field *note = vk_diff_field_find(s->layout, field->name);
	struct vk_diff_topic topic = {.partition = s->partition,
				      .subject = s->subject,
				      .field = field->name,
				      .is_volatile = note != NULL && note->reason != NULL};
	char texts[VK_SIDES][200];

	if (note != NULL && note->alias != NULL) {
		topic.field = note->alias;
		topic.short_message = true;
	}
	for (int side = 0; side < VK_SIDES; side++) {
		struct vk_text text;

		vk_text_init(&text, texts[side], sizeof(texts[side]));
		vk_field_text(field, &s->decoded[side], &text);
	}
	if (strcmp(texts[VK_BEFORE], texts[VK_AFTER]) == 0 || field->view == VK_VIEW_RESERVED)
		show_bytes(s, field, texts);
	vk_diff_say(d, &topic, texts[VK_BEFORE], texts[VK_AFTER]);
}

static void compare_fields(struct vk_differ *d, struct vk_diff_structure *s)
{
	for (size_t i = 0; i < s->layout->count; i++) {
		const struct vk_field *field = &s->layout->fields[i];
		const struct vk_diff_field *note = vk_diff_field_find(s->layout, field->name);
		bool is_volatile = note != NULL && note->reason != NULL;

		if (!differs(s, field))
			continue;
		vk_diff_claim_both(d, is_volatile ? VK_CLAIM_VOLATILE : VK_CLAIM_TOLD, s->at,
				   field->offset, field->size);
		if (field->kind == VK_KIND_DISKID)
			vk_diff_disk_id(d, s);
		else if (s->follows == NULL || !s->follows(s, field))
			tell_field(d, s, field);
	}
}

static const char *state_of(const struct vk_diff_structure *s, int side)
{
	if (s->present[side])
		return "present";
	return vk_all_zero(s->bytes[side], sizeof(s->bytes[side])) ? "zeros" : "overwritten";
}

static bool unreadable(struct vk_differ *d, int side, uint64_t at)
{
	return vk_io_span(d->side[side]->io, at).state == VK_SPAN_UNREADABLE;
}

/* Not there on one side: that is one change, and not one for each field. */
static void tell_presence(struct vk_differ *d, const struct vk_diff_structure *s)
{
	const struct vk_diff_topic topic = {
		.partition = s->partition, .subject = s->subject, .field = "structure"};
	const char *states[VK_SIDES];

	for (int side = 0; side < VK_SIDES; side++) {
		if (s->held[side])
			states[side] = state_of(s, side);
		else if (unreadable(d, side, s->at[side]))
			states[side] = "unreadable";
		else
			return;
	}
	if ((!s->present[VK_BEFORE] && !s->present[VK_AFTER]) || strcmp(states[0], states[1]) == 0)
		return;
	vk_diff_say_so(d, &topic, states[VK_BEFORE], states[VK_AFTER], "%s -> %s",
		       states[VK_BEFORE], states[VK_AFTER]);
	vk_diff_claim_both(d, VK_CLAIM_TOLD, s->at, 0, sizeof(s->bytes[0]));
}

bool vk_diff_structure(struct vk_differ *d, struct vk_diff_structure *s)
{
	for (int side = 0; side < VK_SIDES; side++) {
		size_t got = vk_diff_read(d, side, s->at[side], s->bytes[side], sizeof(s->bytes[side]));

		s->held[side] = got >= s->layout->size;
		s->present[side] = s->held[side] && s->is_one(s->bytes[side]);
		vk_layout_decode(s->layout, s->bytes[side], got, &s->decoded[side]);
	}
	if (!s->present[VK_BEFORE] || !s->present[VK_AFTER]) {
		tell_presence(d, s);
		return false;
	}
	compare_fields(d, s);
	return true;
}
