/* SPDX-License-Identifier: Apache-2.0 */
/* The plain structs of a manifest, row by row. */
#include "store/manifest/rows.h"

#include <string.h>

#include "scsi/device_info.h"
#include "store/folder/digest.h"
#include "store/manifest/manifest.h"

#define ROW(type, key, member, kind, newer, max) \
	{key, kind, newer, offsetof(type, member), sizeof(((type *)NULL)->member), max}
#define TEXT(type, member) ROW(type, #member, member, VK_ROW_TEXT, false, 0)
#define NEWER_TEXT(type, member) ROW(type, #member, member, VK_ROW_TEXT, true, 0)
#define NUMBER(type, member, max) ROW(type, #member, member, VK_ROW_NUMBER, false, max)
#define ROWS(name, type) \
	const struct vk_rows name = {name##_list, sizeof(name##_list) / sizeof(name##_list[0]), sizeof(type)}

static const struct vk_row vk_identity_rows_list[] = {
	NUMBER(struct vk_identity, partition, UINT32_MAX),
	NUMBER(struct vk_identity, start_sector, INT64_MAX / 4096),
	NUMBER(struct vk_identity, sectors, INT64_MAX / 4096),
	TEXT(struct vk_identity, disk_id),
	TEXT(struct vk_identity, vml),
	NUMBER(struct vk_identity, lun, UINT16_MAX),
	TEXT(struct vk_identity, target_label),
	TEXT(struct vk_identity, device_uuid),
	TEXT(struct vk_identity, volume_uuid),
	TEXT(struct vk_identity, fs_uuid),
	TEXT(struct vk_identity, fs_label),
	TEXT(struct vk_identity, fs_version),
	NUMBER(struct vk_identity, heartbeat_offset_bytes, INT64_MAX),
	NUMBER(struct vk_identity, heartbeat_length_bytes, 1U << 30),
	NUMBER(struct vk_identity, heartbeat_slot_bytes, 1U << 20),
};
ROWS(vk_identity_rows, struct vk_identity);

static const struct vk_row vk_region_rows_list[] = {
	ROW(struct vk_region, "file", file, VK_ROW_NAME, false, 0),
	ROW(struct vk_region, "part", part, VK_ROW_PART, false, 0),
	NUMBER(struct vk_region, partition, UINT32_MAX),
	NUMBER(struct vk_region, offset_bytes, INT64_MAX),
	ROW(struct vk_region, "length_bytes", length_bytes, VK_ROW_LENGTH, false, VK_REGION_MAX_BYTES),
	ROW(struct vk_region, "sha256", sha256, VK_ROW_DIGEST, false, 0),
	ROW(struct vk_region, "md5", md5, VK_ROW_DIGEST, true, 0),
};
ROWS(vk_region_rows, struct vk_region);

static const struct vk_row vk_range_rows_list[] = {
	NUMBER(struct vk_range, offset_bytes, INT64_MAX),
	ROW(struct vk_range, "length_bytes", length_bytes, VK_ROW_LENGTH, false, INT64_MAX),
};
ROWS(vk_range_rows, struct vk_range);

static const struct vk_row vk_origin_file_rows_list[] = {
	ROW(struct vk_origin_file, "file", name, VK_ROW_TEXT, false, 0),
	NUMBER(struct vk_origin_file, length_bytes, INT64_MAX),
	ROW(struct vk_origin_file, "sha256", sha256, VK_ROW_DIGEST, false, 0),
	NEWER_TEXT(struct vk_origin_file, modified),
};
ROWS(vk_origin_file_rows, struct vk_origin_file);

static const struct vk_row vk_device_rows_list[] = {
	TEXT(struct vk_device_info, vendor),
	TEXT(struct vk_device_info, model),
	TEXT(struct vk_device_info, serial),
	TEXT(struct vk_device_info, wwid),
	ROW(struct vk_device_info, "partition", partition, VK_ROW_NUMBER, true, UINT32_MAX),
	ROW(struct vk_device_info, "start_sector", start_sector, VK_ROW_NUMBER, true, INT64_MAX / 512),
};
ROWS(vk_device_rows, struct vk_device_info);

static const struct vk_row vk_file_id_rows_list[] = {
	NUMBER(struct vk_file_id, device, INT64_MAX),
	NUMBER(struct vk_file_id, inode, INT64_MAX),
	NUMBER(struct vk_file_id, born_ns, INT64_MAX),
};
ROWS(vk_file_id_rows, struct vk_file_id);

static const struct vk_row vk_run_rows_list[] = {
	TEXT(struct vk_capture, time),
	NEWER_TEXT(struct vk_capture, ended),
	TEXT(struct vk_capture, host),
	NEWER_TEXT(struct vk_capture, user),
	NEWER_TEXT(struct vk_capture, run),
	TEXT(struct vk_capture, version),
};
ROWS(vk_run_rows, struct vk_capture);

static bool is_number(const struct vk_row *row)
{
	return row->kind == VK_ROW_NUMBER || row->kind == VK_ROW_LENGTH;
}

static uint64_t get_number(const struct vk_row *row, const void *member)
{
	uint64_t wide = 0;
	uint32_t narrow;

	if (row->size == sizeof(wide)) {
		memcpy(&wide, member, sizeof(wide));
		return wide;
	}
	memcpy(&narrow, member, sizeof(narrow));
	return narrow;
}

static void set_number(const struct vk_row *row, uint64_t value, void *member)
{
	uint32_t narrow = (uint32_t)value;

	memcpy(member, row->size == sizeof(value) ? (const void *)&value : &narrow, row->size);
}

/* What no signed number of JSON can hold is not known: it is left out, where that may be. */
void vk_rows_write(const struct vk_rows *rows, const void *item, struct vk_json *object)
{
	for (size_t i = 0; i < rows->count; i++) {
		const struct vk_row *row = &rows->rows[i];
		const char *member = (const char *)item + row->offset;

		if (row->is_newer && (is_number(row) ? get_number(row, member) == 0 : member[0] == '\0'))
			continue;
		if (is_number(row))
			vk_json_set_number(object, row->key, get_number(row, member));
		else if (row->kind == VK_ROW_PART)
			vk_json_set_text(object, row->key, vk_part_name((enum vk_part)get_number(row, member)));
		else
			vk_json_set_text(object, row->key, member);
	}
}

void vk_rows_write_array(const struct vk_rows *rows, const void *items, size_t count, struct vk_json *object,
			 const char *key)
{
	json_t *array = json_array();

	for (size_t i = 0; i < count; i++) {
		struct vk_json one = vk_json_begin();

		vk_rows_write(rows, (const char *)items + i * rows->item_size, &one);
		vk_json_append(array, vk_json_end(&one), object);
	}
	vk_json_set(object, key, array);
}

static const char *part_word(size_t index)
{
	return vk_part_name((enum vk_part)(1U << index));
}

static void read_text(const struct vk_row *row, struct vk_json_reader *r, const json_t *object, char *member)
{
	vk_reader_text(r, object, row->key, member, row->size);
	if (r->ok && row->kind == VK_ROW_NAME && !vk_file_name_plain(member))
		vk_reader_fail(r, row->key, "is not a plain file name");
	/* an empty one may stand where the digest is newer */
	if (r->ok && row->kind == VK_ROW_DIGEST && !(row->is_newer && member[0] == '\0') &&
	    !(row->size == VK_MD5_HEX_BYTES ? vk_md5_text(member) : vk_sha256_text(member)))
		vk_reader_fail(r, row->key, "is not a digest");
}

static void read_number(const struct vk_row *row, struct vk_json_reader *r, const json_t *object, char *member)
{
	uint64_t value = vk_reader_number(r, object, row->key, row->max);

	/* where a range ends must be a number; that it lies on the disk is judged by vk_manifest_check_ranges */
	if (r->ok && row->kind == VK_ROW_LENGTH &&
	    (value == 0 || value > (uint64_t)INT64_MAX - get_number(&row[-1], member - row->offset + row[-1].offset)))
		vk_reader_fail(r, row->key, "is out of range");
	set_number(row, value, member);
}

void vk_rows_read(const struct vk_rows *rows, struct vk_json_reader *r, const json_t *object, void *item)
{
	for (size_t i = 0; i < rows->count; i++) {
		const struct vk_row *row = &rows->rows[i];
		char *member = (char *)item + row->offset;

		if (row->is_newer && json_object_get(object, row->key) == NULL)
			continue;
		if (is_number(row))
			read_number(row, r, object, member);
		else if (row->kind == VK_ROW_PART)
			set_number(row, 1ULL << vk_reader_choice(r, object, row->key, part_word, 4), member);
		else
			read_text(row, r, object, member);
	}
}

void *vk_rows_read_array(const struct vk_rows *rows, struct vk_json_reader *r, const json_t *object, const char *key,
			 size_t *ret_count)
{
	void *items;
	const json_t *array = vk_reader_array(r, object, key, rows->item_size, &items, ret_count);

	for (size_t i = 0; i < *ret_count && r->ok; i++)
		vk_rows_read(rows, r, json_array_get(array, i), (char *)items + i * rows->item_size);
	return items;
}
