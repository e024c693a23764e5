/* SPDX-License-Identifier: Apache-2.0 */
/* JSON objects made member by member. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/shown.h"
#include "vmfskit/text.h"

struct vk_json vk_json_begin(void)
{
	struct vk_json object = {json_object(), false};

	object.failed = object.o == NULL;
	return object;
}

void vk_json_set(struct vk_json *object, const char *key, json_t *value)
{
	if (json_object_set_new(object->o, key, value) != 0)
		object->failed = true;
}

void vk_json_set_number(struct vk_json *object, const char *key, uint64_t value)
{
	vk_json_set(object, key, vk_json_number(value));
}

void vk_json_set_bool(struct vk_json *object, const char *key, bool value)
{
	vk_json_set(object, key, vk_json_bool(value));
}

void vk_json_set_text(struct vk_json *object, const char *key, const char *text)
{
	vk_json_set(object, key, vk_json_text(text));
}

void vk_json_set_texts(struct vk_json *object, const char *key, char *const *texts, size_t count)
{
	json_t *array = json_array();

	for (size_t i = 0; i < count; i++)
		vk_json_append(array, vk_json_text(texts[i]), object);
	vk_json_set(object, key, array);
}

void vk_json_append(json_t *array, json_t *value, struct vk_json *owner)
{
	if (json_array_append_new(array, value) != 0)
		owner->failed = true;
}

json_t *vk_json_end(struct vk_json *object)
{
	if (!object->failed)
		return object->o;
	json_decref(object->o);
	return NULL;
}

void vk_json_set_members(struct vk_json *object, const struct vk_json_member *members)
{
	for (; members->key != NULL; members++)
		vk_json_set(object, members->key, members->value);
}

json_t *vk_json_object(const struct vk_json_member *members)
{
	struct vk_json object = vk_json_begin();

	vk_json_set_members(&object, members);
	return vk_json_end(&object);
}

json_t *vk_json_bool(bool value)
{
	return json_boolean(value);
}

json_t *vk_json_same(json_t *value)
{
	return value;
}

json_t *vk_json_number(uint64_t value)
{
	char text[32];
	struct vk_text t = vk_text_in(text, sizeof(text));

	if (value <= INT64_MAX)
		return json_integer((json_int_t)value);
	vk_text_fmt(&t, "%llu", (unsigned long long)value);
	return json_string(text);
}

json_t *vk_json_text(const char *bytes)
{
	json_t *value = bytes != NULL ? json_string(bytes) : NULL;
	size_t cap;
	char *buf;

	if (bytes == NULL)
		return json_null();
	if (value != NULL)
		return value;
	cap = 4 * strlen(bytes) + 1;
	buf = malloc(cap);
	if (buf == NULL)
		return NULL;
	vk_label_into(buf, cap, bytes, strlen(bytes));
	value = json_string(buf);
	free(buf);
	return value;
}

json_t *vk_json_label(const uint8_t *bytes, size_t len)
{
	char text[1200];

	while (len > 0 && (bytes[len - 1] == ' ' || bytes[len - 1] == 0))
		len--;
	vk_label_into(text, sizeof(text), bytes, len);
	return json_string(text);
}

json_t *vk_json_hex(const uint8_t *bytes, size_t len)
{
	char text[1200];
	struct vk_text t = vk_text_in(text, sizeof(text));

	vk_text_hex(&t, bytes, len);
	return json_string(text);
}
