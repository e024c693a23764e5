/* SPDX-License-Identifier: Apache-2.0 */
/* Values of a JSON text that anyone may have written. */
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "store/folder/digest.h"
#include "store/folder/reader.h"

void vk_reader_fail(struct vk_json_reader *r, const char *key, const char *what)
{
	if (r->ok)
		r->status = vk_error_set(r->err, VK_DAMAGED, r->where, "%s is damaged: \"%s\" %s",
					 r->what, key, what);
	r->ok = false;
}

bool vk_text_printable(const char *text)
{
	size_t len = strlen(text);

	for (size_t i = 0; i < len;) {
		uint32_t point;
		size_t n = 1;

		if (text[i] < ' ' || text[i] > '~') {
			n = vk_utf8_decode((const uint8_t *)text + i, len - i, &point);
			if (n == 0 || vk_utf8_steers(point))
				return false;
		}
		i += n;
	}
	return true;
}

void vk_reader_text(struct vk_json_reader *r, const json_t *object, const char *key, char *ret_text,
		     size_t cap)
{
	const char *text = json_string_value(json_object_get(object, key));

	if (text == NULL)
		vk_reader_fail(r, key, "is missing or not a text");
	else if (strlen(text) >= cap || !vk_text_printable(text))
		vk_reader_fail(r, key, "is too long or has control characters in it");
	else
		memcpy(ret_text, text, strlen(text) + 1);
}

void vk_reader_newer_texts(struct vk_json_reader *r, const json_t *object, const char *key, char ***ret_texts)
{
	const json_t *array = json_object_get(object, key);
	size_t count = json_array_size(array);

	if (array == NULL || !r->ok)
		return;
	if (!json_is_array(array) || count > VK_READER_MAX_TEXTS) {
		vk_reader_fail(r, key, "is not a list, or too long a one");
		return;
	}
	*ret_texts = calloc(count + 1, sizeof(**ret_texts));
	for (size_t i = 0; i < count && *ret_texts != NULL && r->ok; i++) {
		const char *text = json_string_value(json_array_get(array, i));

		if (text == NULL || !vk_text_printable(text))
			vk_reader_fail(r, key, "has an element that is not a text or contains control characters");
		else
			(*ret_texts)[i] = strdup(text);
		if (r->ok && (*ret_texts)[i] == NULL)
			break;
	}
	if (*ret_texts == NULL || (r->ok && count > 0 && (*ret_texts)[count - 1] == NULL)) {
		r->status = vk_error_set(r->err, VK_NOMEM, r->where, "no memory for %s", r->what);
		r->ok = false;
	}
}

uint64_t vk_reader_number(struct vk_json_reader *r, const json_t *object, const char *key, uint64_t max)
{
	const json_t *value = json_object_get(object, key);
	json_int_t number = json_integer_value(value);

	if (!json_is_integer(value))
		vk_reader_fail(r, key, "is missing or not a whole number");
	else if (number < 0 || (uint64_t)number > max)
		vk_reader_fail(r, key, "is out of range");
	else
		return (uint64_t)number;
	return 0;
}

size_t vk_reader_choice(struct vk_json_reader *r, const json_t *object, const char *key,
			const char *const *words, size_t count)
{
	const char *text = json_string_value(json_object_get(object, key));

	for (size_t i = 0; i < count && text != NULL; i++)
		if (strcmp(text, words[i]) == 0)
			return i;
	vk_reader_fail(r, key, "is missing or not one of the known words");
	return 0;
}

const json_t *vk_reader_array(struct vk_json_reader *r, const json_t *object, const char *key,
			       size_t item_size, void **ret_items, size_t *ret_count)
{
	const json_t *array = json_object_get(object, key);
	size_t count = json_array_size(array);

	*ret_items = NULL;
	*ret_count = 0;
	if (!json_is_array(array) || count > VK_READER_MAX_ITEMS)
		vk_reader_fail(r, key, "is not a list, or too long a one");
	if (!r->ok || count == 0)
		return NULL;
	*ret_items = calloc(count, item_size);
	if (*ret_items == NULL) {
		r->status = vk_error_set(r->err, VK_NOMEM, r->where, "no memory for %s", r->what);
		r->ok = false;
		return NULL;
	}
	*ret_count = count;
	return array;
}

void vk_reader_digest(struct vk_json_reader *r, const json_t *object, const char *key,
		      char ret_hex[VK_SHA256_HEX_BYTES])
{
	vk_reader_text(r, object, key, ret_hex, VK_SHA256_HEX_BYTES);
	if (r->ok && !vk_sha256_text(ret_hex))
		vk_reader_fail(r, key, "is not a digest");
}

bool vk_reader_spelt(const json_t *root, size_t flags, const char *text, size_t len)
{
	char *again = json_dumps(root, flags);
	bool same = again != NULL && strlen(again) == len && memcmp(again, text, len) == 0;

	free(again);
	return same;
}
