/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading values of a JSON text that is taken for hostile: nothing is used before it was checked, and the first
 * thing that is wrong stays in the error.
 */
#ifndef VK_STORE_READER_H
#define VK_STORE_READER_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vmfskit/capture.h"

/* No capture comes near these. */
enum { VK_READER_MAX_ITEMS = 100000, VK_READER_MAX_TEXTS = 4096 };

/* ok false: status and err say what was wrong first, and nothing that was read after it counts. */
struct vk_json_reader {
	const char *what;  /* for messages: "the manifest" */
	const char *where; /* the file */
	struct vk_error *err;
	bool ok;
	enum vk_status status;
};

void vk_reader_fail(struct vk_json_reader *r, const char *key, const char *what);
/* No control characters; the text is UTF-8 already, the parser of JSON sees to that. */
bool vk_text_printable(const char *text);
/* A text shorter than cap. */
void vk_reader_text(struct vk_json_reader *r, const json_t *object, const char *key, char *ret_text,
		    size_t cap);
/*
 * A list of such texts, which may be missing: *ret_texts then stays as it is. It ends with NULL and is to be freed with
 * vk_texts_free, also after a failure.
 */
void vk_reader_newer_texts(struct vk_json_reader *r, const json_t *object, const char *key,
			   char ***ret_texts);
uint64_t vk_reader_number(struct vk_json_reader *r, const json_t *object, const char *key, uint64_t max);
/* The index of the text among these words. */
size_t vk_reader_choice(struct vk_json_reader *r, const json_t *object, const char *key, const char *const *words,
			size_t count);
/*
 * An array of objects; *ret_items are zeroed structs for them, to be freed. Returns the array, NULL when it
 * failed or is empty.
 */
const json_t *vk_reader_array(struct vk_json_reader *r, const json_t *object, const char *key,
			      size_t item_size, void **ret_items, size_t *ret_count);
/* A text that is a SHA-256. */
void vk_reader_digest(struct vk_json_reader *r, const json_t *object, const char *key,
		      char ret_hex[VK_SHA256_HEX_BYTES]);
/* Whether the text is byte for byte what json_dumps makes of it: what is not was not written by us. */
bool vk_reader_spelt(const json_t *root, size_t flags, const char *text, size_t len);

#endif
