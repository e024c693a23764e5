/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The structs of a manifest as rows: key, member, kind, bound. Writer and reader are made from them, so that
 * a new member is one row.
 */
#ifndef VK_STORE_ROWS_H
#define VK_STORE_ROWS_H

#include "base/json.h"
#include "store/folder/reader.h"

enum vk_row_kind {
	VK_ROW_TEXT,   /* char[] */
	VK_ROW_NAME,   /* char[]: a plain file name */
	VK_ROW_DIGEST, /* char[]: hex digits, as many as fit */
	VK_ROW_NUMBER, /* of 4 or 8 bytes, at most max */
	VK_ROW_LENGTH, /* uint64_t: not 0, at most max; the row before it is the offset, and the sum is a number, too */
	VK_ROW_WORD,   /* an enum, by the name of its value */
	VK_ROW_NOT,    /* bool: written as false when it is set, else not at all */
	VK_ROW_TEXTS,  /* char **, ends with NULL; missing is an empty list */
	VK_ROW_LIST    /* a pointer to items, and how many there are */
};

/* Names of the values of an enum. */
struct vk_row_words {
	const char *(*name)(unsigned value);
	unsigned values[4];
	size_t count;
};

struct vk_row {
	const char *key;
	size_t offset; /* of the member */
	size_t size;
	enum vk_row_kind kind;
	bool is_newer; /* not written when it is empty or 0; older versions did not have it */
	uint64_t max;
	const struct vk_row_words *words;
	const struct vk_rows *items; /* of a list */
	size_t count_offset;
};

struct vk_rows {
	const struct vk_row *rows;
	size_t count;
	size_t item_size;
};
/* Of struct vk_capture: who took it, when and how; where from; files that it was imported of; what it holds. */
extern const struct vk_rows vk_run_rows, vk_source_rows, vk_imported_rows, vk_content_rows, vk_unreadable_rows;
/* Of struct vk_rebuilt, vk_device_info, vk_file_id, and RESTORE.txt of struct vk_manifest. */
extern const struct vk_rows vk_rebuilt_rows, vk_device_rows, vk_file_id_rows, vk_restore_rows;

/* Set the members of an item. */
void vk_rows_write(const struct vk_rows *rows, const void *item, struct vk_json *object);
/* Members of the item that are pointers are to be freed also after a failure. */
void vk_rows_read(const struct vk_rows *rows, struct vk_json_reader *r, const json_t *object, void *item);

#endif
