/* SPDX-License-Identifier: Apache-2.0 */
/* The structs of a manifest, row by row. */
#include "store/manifest/rows.h"

#include <string.h>

#include "scsi/device_info.h"
#include "store/folder/digest.h"
#include "store/folder/folder.h"
#include "store/manifest/manifest.h"
#include "store/manifest/rebuilt.h"

#define ROW(type, key, member, ...) {key, offsetof(type, member), sizeof(((type *)NULL)->member), __VA_ARGS__}
#define TEXT(type, member) ROW(type, #member, member, VK_ROW_TEXT)
#define NEWER_TEXT(type, member) ROW(type, #member, member, VK_ROW_TEXT, .is_newer = true)
#define NUMBER(type, member, most) ROW(type, #member, member, VK_ROW_NUMBER, .max = (most))
#define LIST(type, key, member, counter, rows) \
	{key, offsetof(type, member), sizeof(void *), VK_ROW_LIST, .items = &(rows), \
	 .count_offset = offsetof(type, counter)}
#define NEWER_LIST(type, key, member, counter, rows) \
	{key, offsetof(type, member), sizeof(void *), VK_ROW_LIST, .is_newer = true, .items = &(rows), \
	 .count_offset = offsetof(type, counter)}
#define ROWS(name, type, ...) \
	static const struct vk_row name##_list[] = {__VA_ARGS__}; \
	const struct vk_rows name = {name##_list, sizeof(name##_list) / sizeof(name##_list[0]), sizeof(type)}
/* Rows that only lists of others use. */
#define ITEM_ROWS(name, type, ...) \
	static const struct vk_row name##_list[] = {__VA_ARGS__}; \
	static const struct vk_rows name = {name##_list, sizeof(name##_list) / sizeof(name##_list[0]), sizeof(type)}

static const struct vk_row_words part_words = {
	vk_part_name, {VK_PART_TABLE, VK_PART_LVM, VK_PART_VH, VK_PART_HEARTBEATS}, 4};
static const struct vk_row_words scope_words = {
	vk_file_map_scope_name, {VK_FILE_MAP_ALL, VK_FILE_MAP_DISKS, VK_FILE_MAP_NAMES, VK_FILE_MAP_CUT}, 4};
static const struct vk_row_words metadata_words = {
	vk_metadata_scope_name, {VK_METADATA_SAVED_ALL, VK_METADATA_SAVED_LEADS}, 2};
static const struct vk_row_words kind_words = {vk_source_kind_name, {VK_SOURCE_DISK, VK_SOURCE_PARTITION}, 2};
static const struct vk_row_words table_words = {vk_table_kind_name, {VK_TABLE_NONE, VK_TABLE_MBR, VK_TABLE_GPT}, 3};

ITEM_ROWS(identity_rows, struct vk_identity,
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
	NUMBER(struct vk_identity, heartbeat_slot_bytes, 1U << 20));

ITEM_ROWS(region_rows, struct vk_region,
	ROW(struct vk_region, "file", file, VK_ROW_NAME),
	ROW(struct vk_region, "part", part, VK_ROW_WORD, .words = &part_words),
	NUMBER(struct vk_region, partition, UINT32_MAX),
	NUMBER(struct vk_region, offset_bytes, INT64_MAX),
	ROW(struct vk_region, "length_bytes", length_bytes, VK_ROW_LENGTH, .max = VK_REGION_MAX_BYTES),
	ROW(struct vk_region, "sha256", sha256, VK_ROW_DIGEST),
	ROW(struct vk_region, "md5", md5, VK_ROW_DIGEST, .is_newer = true));

ITEM_ROWS(map_rows, struct vk_saved_map,
	ROW(struct vk_saved_map, "file", file, VK_ROW_NAME),
	NUMBER(struct vk_saved_map, partition, UINT32_MAX),
	NUMBER(struct vk_saved_map, length_bytes, VK_FILE_MAP_MOST_BYTES),
	ROW(struct vk_saved_map, "sha256", sha256, VK_ROW_DIGEST),
	ROW(struct vk_saved_map, "scope", scope, VK_ROW_WORD, .words = &scope_words),
	NUMBER(struct vk_saved_map, files, VK_FILE_MAP_FILES_MAX),
	NUMBER(struct vk_saved_map, runs, VK_FILE_MAP_MOST_BYTES),
	NUMBER(struct vk_saved_map, unread, VK_FILE_MAP_FILES_MAX),
	NUMBER(struct vk_saved_map, torn, VK_FILE_MAP_FILES_MAX),
	NUMBER(struct vk_saved_map, faults, INT64_MAX));

ITEM_ROWS(metadata_rows, struct vk_saved_metadata,
	ROW(struct vk_saved_metadata, "file", file, VK_ROW_NAME),
	NUMBER(struct vk_saved_metadata, partition, UINT32_MAX),
	NUMBER(struct vk_saved_metadata, length_bytes, VK_FILE_MAP_MOST_BYTES),
	ROW(struct vk_saved_metadata, "sha256", sha256, VK_ROW_DIGEST),
	ROW(struct vk_saved_metadata, "scope", scope, VK_ROW_WORD, .words = &metadata_words),
	NUMBER(struct vk_saved_metadata, held_bytes, INT64_MAX),
	NUMBER(struct vk_saved_metadata, unreadable_bytes, INT64_MAX),
	NUMBER(struct vk_saved_metadata, faults, INT64_MAX));

ITEM_ROWS(range_rows, struct vk_range,
	NUMBER(struct vk_range, offset_bytes, INT64_MAX),
	ROW(struct vk_range, "length_bytes", length_bytes, VK_ROW_LENGTH, .max = INT64_MAX));

ITEM_ROWS(origin_file_rows, struct vk_origin_file,
	ROW(struct vk_origin_file, "file", name, VK_ROW_TEXT),
	NUMBER(struct vk_origin_file, length_bytes, INT64_MAX),
	ROW(struct vk_origin_file, "sha256", sha256, VK_ROW_DIGEST),
	NEWER_TEXT(struct vk_origin_file, modified),
	ROW(struct vk_origin_file, "at_bytes", at_bytes, VK_ROW_NUMBER, .is_newer = true, .max = INT64_MAX),
	ROW(struct vk_origin_file, "stride_bytes", stride_bytes, VK_ROW_NUMBER, .is_newer = true,
	    .max = VK_STRIDE_MAX_BYTES),
	NEWER_TEXT(struct vk_origin_file, mapfile));

ROWS(vk_device_rows, struct vk_device_info,
	TEXT(struct vk_device_info, vendor),
	TEXT(struct vk_device_info, model),
	TEXT(struct vk_device_info, serial),
	TEXT(struct vk_device_info, wwid),
	ROW(struct vk_device_info, "partition", partition, VK_ROW_NUMBER, .is_newer = true, .max = UINT32_MAX),
	ROW(struct vk_device_info, "start_sector", start_sector, VK_ROW_NUMBER, .is_newer = true,
	    .max = INT64_MAX / 512));

ROWS(vk_file_id_rows, struct vk_file_id,
	NUMBER(struct vk_file_id, device, INT64_MAX),
	NUMBER(struct vk_file_id, inode, INT64_MAX),
	NUMBER(struct vk_file_id, born_ns, INT64_MAX));

ROWS(vk_restore_rows, struct vk_manifest,
	ROW(struct vk_manifest, "length_bytes", restore_bytes, VK_ROW_NUMBER, .max = VK_REGION_MAX_BYTES),
	ROW(struct vk_manifest, "sha256", restore_sha256, VK_ROW_DIGEST));

#define TEXTS(name) , ROW(struct vk_rebuilt, #name, name, VK_ROW_TEXTS)
ROWS(vk_rebuilt_rows, struct vk_rebuilt,
	TEXT(struct vk_rebuilt, what),
	LIST(struct vk_rebuilt, "ranges", ranges, range_count, range_rows)
	VK_REBUILT_LISTS(TEXTS));

ROWS(vk_run_rows, struct vk_capture,
	TEXT(struct vk_capture, time),
	NEWER_TEXT(struct vk_capture, ended),
	TEXT(struct vk_capture, host),
	NEWER_TEXT(struct vk_capture, user),
	NEWER_TEXT(struct vk_capture, run),
	TEXT(struct vk_capture, version),
	ROW(struct vk_capture, "command", command, VK_ROW_TEXTS, .is_newer = true),
	ROW(struct vk_capture, "signer", signer, VK_ROW_DIGEST, .is_newer = true));

ROWS(vk_source_rows, struct vk_capture,
	ROW(struct vk_capture, "path", source_path, VK_ROW_TEXT),
	ROW(struct vk_capture, "other_paths", other_paths, VK_ROW_TEXTS, .is_newer = true),
	ROW(struct vk_capture, "kind", source_kind, VK_ROW_WORD, .words = &kind_words),
	NUMBER(struct vk_capture, size_bytes, INT64_MAX),
	ROW(struct vk_capture, "size_certain", size_uncertain, VK_ROW_NOT, .is_newer = true),
	NUMBER(struct vk_capture, sector_size, 4096),
	ROW(struct vk_capture, "table", table_kind, VK_ROW_WORD, .words = &table_words));

ROWS(vk_imported_rows, struct vk_capture,
	ROW(struct vk_capture, "time", imported_time, VK_ROW_TEXT),
	ROW(struct vk_capture, "host", imported_host, VK_ROW_TEXT),
	LIST(struct vk_capture, "files", imported, imported_count, origin_file_rows));

ROWS(vk_content_rows, struct vk_capture,
	LIST(struct vk_capture, "partitions", identities, identity_count, identity_rows),
	LIST(struct vk_capture, "regions", regions, region_count, region_rows),
	NEWER_LIST(struct vk_capture, "file_maps", maps, map_count, map_rows),
	NEWER_LIST(struct vk_capture, "metadata", metadata, metadata_count, metadata_rows));

ROWS(vk_unreadable_rows, struct vk_capture,
	LIST(struct vk_capture, "unreadable", unreadable, unreadable_count, range_rows));

const char *vk_metadata_scope_name(unsigned scope)
{
	return scope == VK_METADATA_SAVED_ALL ? "all" : scope == VK_METADATA_SAVED_LEADS ? "leads" : "unknown";
}

/* The value of a member that is a number, an enum, a bool, or the first byte of a text or pointer that is not empty. */
static uint64_t get_value(const struct vk_row *row, const void *member)
{
	char *const *pointer = member;
	uint64_t wide;
	uint32_t narrow;

	switch (row->kind) {
	case VK_ROW_TEXTS:
	case VK_ROW_LIST:
		return *pointer != NULL;
	case VK_ROW_NUMBER:
	case VK_ROW_LENGTH:
	case VK_ROW_WORD:
		if (row->size == sizeof(wide)) {
			memcpy(&wide, member, sizeof(wide));
			return wide;
		}
		memcpy(&narrow, member, sizeof(narrow));
		return narrow;
	default:
		return *(const uint8_t *)member;
	}
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
		uint64_t value = get_value(row, member);
		json_t *array;
		char *const *texts;
		const char *items;

		if (row->is_newer && value == 0)
			continue;
		switch (row->kind) {
		case VK_ROW_NUMBER:
		case VK_ROW_LENGTH:
			vk_json_set_number(object, row->key, value);
			break;
		case VK_ROW_WORD:
			vk_json_set_text(object, row->key, row->words->name((unsigned)value));
			break;
		case VK_ROW_NOT:
			vk_json_set_bool(object, row->key, false);
			break;
		case VK_ROW_TEXTS:
			texts = *(char *const *const *)(const void *)member;
			array = json_array();
			for (size_t k = 0; texts != NULL && texts[k] != NULL; k++)
				vk_json_append(array, json_string(texts[k]), object);
			vk_json_set(object, row->key, array);
			break;
		case VK_ROW_LIST:
			items = *(const char *const *)(const void *)member;
			array = json_array();
			for (size_t k = 0; k < *(const size_t *)((const char *)item + row->count_offset); k++) {
				struct vk_json one = vk_json_begin();

				vk_rows_write(row->items, items + k * row->items->item_size, &one);
				vk_json_append(array, vk_json_end(&one), object);
			}
			vk_json_set(object, row->key, array);
			break;
		default:
			vk_json_set_text(object, row->key, member);
		}
	}
}

bool vk_file_name_plain(const char *name)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";

	return name[0] != '\0' && name[0] != '.' && name[0] != '-' &&
	       strspn(name, plain) == strlen(name) && strcmp(name, VK_MANIFEST_FILE) != 0 &&
	       strcmp(name, VK_SUMS_FILE) != 0 && strcmp(name, VK_RESTORE_FILE) != 0 &&
	       strcmp(name, VK_MD5SUMS_FILE) != 0 && strcmp(name, VK_SIGNATURE_FILE) != 0;
}

static void read_text(const struct vk_row *row, struct vk_json_reader *r, const json_t *object, char *member)
{
	vk_reader_text(r, object, row->key, member, row->size);
	if (r->ok && row->kind == VK_ROW_NAME && !vk_file_name_plain(member))
		vk_reader_fail(r, row->key, "is not a plain file name");
	/* an empty one may stand where the digest is newer */
	if (r->ok && row->kind == VK_ROW_DIGEST && !(row->is_newer && member[0] == '\0') &&
	    !vk_digest_text(member, row->size - 1))
		vk_reader_fail(r, row->key, "is not a digest");
}

static void read_number(const struct vk_row *row, struct vk_json_reader *r, const json_t *object, char *member)
{
	uint64_t value = vk_reader_number(r, object, row->key, row->max);

	/* where a range ends must be a number; that it lies on the disk is judged by vk_manifest_check_ranges */
	if (r->ok && row->kind == VK_ROW_LENGTH &&
	    (value == 0 || value > (uint64_t)INT64_MAX - get_value(&row[-1], member - row->offset + row[-1].offset)))
		vk_reader_fail(r, row->key, "is out of range");
	set_number(row, value, member);
}

static void read_word(const struct vk_row *row, struct vk_json_reader *r, const json_t *object, char *member)
{
	const struct vk_row_words *words = row->words;
	const char *names[sizeof(words->values) / sizeof(words->values[0])];

	for (size_t i = 0; i < words->count; i++)
		names[i] = words->name(words->values[i]);
	set_number(row, words->values[vk_reader_choice(r, object, row->key, names, words->count)], member);
}

void vk_rows_read(const struct vk_rows *rows, struct vk_json_reader *r, const json_t *object, void *item)
{
	for (size_t i = 0; i < rows->count; i++) {
		const struct vk_row *row = &rows->rows[i];
		const json_t *value = json_object_get(object, row->key);
		char *member = (char *)item + row->offset;
		size_t *count = (size_t *)(void *)((char *)item + row->count_offset);
		void *items;

		if (row->is_newer && value == NULL)
			continue;
		switch (row->kind) {
		case VK_ROW_NUMBER:
		case VK_ROW_LENGTH:
			read_number(row, r, object, member);
			break;
		case VK_ROW_WORD:
			read_word(row, r, object, member);
			break;
		case VK_ROW_NOT:
			if (!json_is_boolean(value))
				vk_reader_fail(r, row->key, "is neither true nor false");
			*(bool *)member = json_is_false(value);
			break;
		case VK_ROW_TEXTS:
			vk_reader_newer_texts(r, object, row->key, (char ***)(void *)member);
			break;
		case VK_ROW_LIST:
			value = vk_reader_array(r, object, row->key, row->items->item_size, &items, count);
			for (size_t k = 0; k < *count && r->ok; k++)
				vk_rows_read(row->items, r, json_array_get(value, k),
					     (char *)items + k * row->items->item_size);
			*(void **)(void *)member = items;
			break;
		default:
			read_text(row, r, object, member);
		}
	}
}
