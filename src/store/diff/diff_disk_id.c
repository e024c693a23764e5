/* SPDX-License-Identifier: Apache-2.0 */
/* Compares the LUN that a volume was last accepted on, part by part. */
#include <stdio.h>
#include <string.h>

#include "store/diff/diff_parts.h"

static const struct vk_scsi_disk_id *id_of(const struct vk_diff_structure *header, int side)
{
	return &header->decoded[side].device.diskID;
}

static void say(struct vk_differ *d, const struct vk_diff_structure *header, const char *field,
		const char *before, const char *after)
{
	const struct vk_diff_topic topic = {.partition = header->partition,
					    .subject = header->subject,
					    .field = field,
					    .short_message = true};

	vk_diff_say(d, &topic, before, after);
}

/* Bytes of the 78 from one row to the end of another. */
static bool rows_differ(const struct vk_diff_structure *header, const char *first, const char *last)
{
	const struct vk_field *whole = vk_layout_field(header->layout, "diskID");
	const struct vk_field *from = vk_layout_field(&vk_scsi_disk_id_layout, first);
	const struct vk_field *to = vk_layout_field(&vk_scsi_disk_id_layout, last);
	uint32_t start = whole->offset + from->offset;
	uint32_t end = whole->offset + to->offset + to->size;

	return memcmp(header->bytes[VK_BEFORE] + start, header->bytes[VK_AFTER] + start, end - start) != 0;
}

static void show_row(const struct vk_scsi_disk_id *id, const char *row, char ret_text[200])
{
	struct vk_text text;

	vk_text_init(&text, ret_text, 200);
	vk_field_text(vk_layout_field(&vk_scsi_disk_id_layout, row), id, &text);
}

static void compare_number(struct vk_differ *d, const struct vk_diff_structure *header,
			   const char *row, const char *called)
{
	char texts[VK_SIDES][200];

	if (!rows_differ(header, row, row))
		return;
	for (int side = 0; side < VK_SIDES; side++)
		show_row(id_of(header, side), row, texts[side]);
	say(d, header, called, texts[VK_BEFORE], texts[VK_AFTER]);
}

/* The name shows neither the tail of the model nor what lies behind len: then type, len and bytes are shown. */
static void show_raw(const struct vk_scsi_disk_id *id, char ret_text[200])
{
	struct vk_text text;

	vk_text_init(&text, ret_text, 200);
	vk_text_fmt(&text, "type %u, %u bytes, ", id->type, id->len);
	vk_text_hex(&text, id->id, sizeof(id->id));
}

static void compare_identifier(struct vk_differ *d, const struct vk_diff_structure *header)
{
	char texts[VK_SIDES][200];
	bool certain;

	if (!rows_differ(header, "type", "len") && !rows_differ(header, "id", "id"))
		return;
	for (int side = 0; side < VK_SIDES; side++)
		vk_scsi_disk_id_name(id_of(header, side), texts[side], &certain);
	if (strcmp(texts[VK_BEFORE], texts[VK_AFTER]) == 0)
		for (int side = 0; side < VK_SIDES; side++)
			show_raw(id_of(header, side), texts[side]);
	say(d, header, "disk id", texts[VK_BEFORE], texts[VK_AFTER]);
}

static void compare_label(struct vk_differ *d, const struct vk_diff_structure *header)
{
	char texts[VK_SIDES][200];

	if (!rows_differ(header, "vendor", "revision"))
		return;
	for (int side = 0; side < VK_SIDES; side++) {
		char label[VK_SCSI_NAME_BYTES];

		vk_scsi_disk_id_label(id_of(header, side), label);
		snprintf(texts[side], sizeof(texts[side]), "\"%s\"", label);
	}
	if (strcmp(texts[VK_BEFORE], texts[VK_AFTER]) == 0)
		for (int side = 0; side < VK_SIDES; side++) {
			struct vk_text text;

			vk_text_init(&text, texts[side], sizeof(texts[side]));
			vk_text_hex(&text, id_of(header, side)->vendor, sizeof(id_of(header, side)->vendor));
			vk_text_hex(&text, id_of(header, side)->model, sizeof(id_of(header, side)->model));
			vk_text_hex(&text, id_of(header, side)->revision,
				    sizeof(id_of(header, side)->revision));
		}
	say(d, header, "vendor and model", texts[VK_BEFORE], texts[VK_AFTER]);
}

void vk_diff_disk_id(struct vk_differ *d, const struct vk_diff_structure *header)
{
	if (vk_scsi_disk_id_is_nil(id_of(header, VK_BEFORE)) ||
	    vk_scsi_disk_id_is_nil(id_of(header, VK_AFTER))) {
		char texts[VK_SIDES][200];

		for (int side = 0; side < VK_SIDES; side++) {
			const struct vk_scsi_disk_id *id = id_of(header, side);
			char name[VK_SCSI_NAME_BYTES];
			bool certain;

			vk_scsi_disk_id_name(id, name, &certain);
			if (vk_scsi_disk_id_is_nil(id))
				snprintf(texts[side], sizeof(texts[side]), "none");
			else
				snprintf(texts[side], sizeof(texts[side]), "%s, LUN %u", name, id->lun);
		}
		say(d, header, "disk id", texts[VK_BEFORE], texts[VK_AFTER]);
		return;
	}
	compare_identifier(d, header);
	compare_number(d, header, "lun", "LUN");
	compare_number(d, header, "deviceType", "device type");
	compare_number(d, header, "scsiLevel", "SCSI level");
	compare_label(d, header);
}
