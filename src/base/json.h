/* SPDX-License-Identifier: Apache-2.0 */
/* JSON objects made member by member: the one way in which JSON is written. */
#ifndef VK_BASE_JSON_H
#define VK_BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

/*
 * Members are set through these, which take the value over also when they fail (a value of NULL is memory that ran
 * out): an object that could not be completed is noticed once, at the end.
 */
struct vk_json {
	json_t *o;
	bool failed;
};

struct vk_json vk_json_begin(void);
void vk_json_set(struct vk_json *object, const char *key, json_t *value);
/* Numbers above 2^63-1, which JSON's signed integers cannot hold, are set as text. */
void vk_json_set_number(struct vk_json *object, const char *key, uint64_t value);
void vk_json_set_bool(struct vk_json *object, const char *key, bool value);
/* Text as vk_json_text makes it; NULL sets null. */
void vk_json_set_text(struct vk_json *object, const char *key, const char *text);
/* An array of texts. */
void vk_json_set_texts(struct vk_json *object, const char *key, char *const *texts, size_t count);
/* Append to an array that will be a member of owner; array may be NULL. */
void vk_json_append(json_t *array, json_t *value, struct vk_json *owner);
/* The object; NULL when memory ran out at any step. */
json_t *vk_json_end(struct vk_json *object);

/* Values. NULL when memory ran out. */
json_t *vk_json_number(uint64_t value);
/* Paths and messages are bytes, JSON is UTF-8: what is none is escaped as on a terminal. */
json_t *vk_json_text(const char *bytes);
/* The text of a label: what pads it at its end (blanks, zeros) is left out. */
json_t *vk_json_label(const uint8_t *bytes, size_t len);
json_t *vk_json_hex(const uint8_t *bytes, size_t len);

#endif
