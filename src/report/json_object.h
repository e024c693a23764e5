/* SPDX-License-Identifier: Apache-2.0 */
/* Making JSON objects member by member. */
#ifndef VK_REPORT_JSON_OBJECT_H
#define VK_REPORT_JSON_OBJECT_H

#include <jansson.h>

#include "report/report.h"

/*
 * Members are set through these, which take the value over also when they fail: an object that could not be
 * completed is noticed once, in the end.
 */
struct json_object {
	json_t *o;
	bool failed;
};

static inline struct json_object object(void)
{
	struct json_object object = {json_object(), false};

	object.failed = object.o == NULL;
	return object;
}

static inline void set(struct json_object *object, const char *key, json_t *value)
{
	if (json_object_set_new(object->o, key, value) != 0)
		object->failed = true;
}

static inline void set_number(struct json_object *object, const char *key, uint64_t value)
{
	/* JSON integers of the library are signed; numbers beyond are damaged fields, kept as text */
	if (value <= INT64_MAX) {
		set(object, key, json_integer((json_int_t)value));
	} else {
		char text[32];
		struct vk_text t;

		vk_text_init(&t, text, sizeof(text));
		vk_text_fmt(&t, "%llu", (unsigned long long)value);
		set(object, key, json_string(text));
	}
}

static inline json_t *finish(struct json_object *object)
{
	if (!object->failed)
		return object->o;
	json_decref(object->o);
	return NULL;
}

static inline void append(json_t *array, json_t *value, struct json_object *owner)
{
	if (json_array_append_new(array, value) != 0)
		owner->failed = true;
}

static inline json_t *label_json(const uint8_t *bytes, size_t len)
{
	char text[1200];
	struct vk_text t;

	while (len > 0 && (bytes[len - 1] == ' ' || bytes[len - 1] == 0))
		len--;
	vk_text_init(&t, text, sizeof(text));
	vk_text_label(&t, bytes, len);
	return json_string(text);
}

static inline json_t *hex_json(const uint8_t *bytes, size_t len)
{
	char text[1200];
	struct vk_text t;

	vk_text_init(&t, text, sizeof(text));
	vk_text_hex(&t, bytes, len);
	return json_string(text);
}

#endif
