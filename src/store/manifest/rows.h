/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The plain structs of a manifest as rows: key, member, kind, bound. Writer and reader are made from them, so that
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
	VK_ROW_PART    /* enum vk_part */
};

struct vk_row {
	const char *key;
	enum vk_row_kind kind;
	bool is_newer; /* not written when it is empty or 0; older versions did not have it */
	size_t offset; /* of the member */
	size_t size;
	uint64_t max;
};

struct vk_rows {
	const struct vk_row *rows;
	size_t count;
	size_t item_size;
};
extern const struct vk_rows vk_identity_rows, vk_region_rows, vk_range_rows, vk_origin_file_rows, vk_device_rows,
	vk_file_id_rows, vk_run_rows; /* the last: who took a capture, and when */

/* Set the members of an item. */
void vk_rows_write(const struct vk_rows *rows, const void *item, struct vk_json *object);
void vk_rows_write_array(const struct vk_rows *rows, const void *items, size_t count, struct vk_json *object,
			 const char *key);
void vk_rows_read(const struct vk_rows *rows, struct vk_json_reader *r, const json_t *object, void *item);
/* Returns the items, to be freed also after a failure; NULL when there are none. */
VK_MUST_USE void *vk_rows_read_array(const struct vk_rows *rows, struct vk_json_reader *r, const json_t *object,
				     const char *key, size_t *ret_count);

#endif
