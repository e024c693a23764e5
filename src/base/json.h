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
/* Text as vk_json_text makes it. */
void vk_json_set_text(struct vk_json *object, const char *key, const char *text);
/* An array of texts. */
void vk_json_set_texts(struct vk_json *object, const char *key, char *const *texts, size_t count);
/* Members in a row: VK_JSON_SET(&o, VK_KEY("start", s->start), VK_KEY("label", label)). */
#define VK_JSON_SET(object, ...) vk_json_set_members(object, (const struct vk_json_member[]){__VA_ARGS__, {NULL, NULL}})
/* An object of such members; NULL when memory ran out. */
#define VK_JSON_OBJECT(...) vk_json_object((const struct vk_json_member[]){__VA_ARGS__, {NULL, NULL}})
/* The type of the value says what it becomes: an unsigned number, a bool, a text or NULL; a json_t is taken over. */
#define VK_KEY(key, value) \
	{key, _Generic((value), bool: vk_json_bool, char *: vk_json_text, const char *: vk_json_text, \
		       json_t *: vk_json_same, unsigned char: vk_json_number, unsigned short: vk_json_number, \
		       unsigned: vk_json_number, unsigned long: vk_json_number, \
		       unsigned long long: vk_json_number)(value)}
struct vk_json_member {
	const char *key; /* NULL ends the row */
	json_t *value;
};
void vk_json_set_members(struct vk_json *object, const struct vk_json_member *members);
json_t *vk_json_object(const struct vk_json_member *members);
/* Append to an array that will be a member of owner; array may be NULL. */
void vk_json_append(json_t *array, json_t *value, struct vk_json *owner);
/* The object; NULL when memory ran out at any step. */
json_t *vk_json_end(struct vk_json *object);

/* Values. NULL when memory ran out. */
json_t *vk_json_number(uint64_t value);
json_t *vk_json_bool(bool value);
json_t *vk_json_same(json_t *value);
/* Paths and messages are bytes, JSON is UTF-8: what is none is escaped as on a terminal. NULL becomes null. */
json_t *vk_json_text(const char *bytes);
/* The text of a label: what pads it at its end (blanks, zeros) is left out. */
json_t *vk_json_label(const uint8_t *bytes, size_t len);
json_t *vk_json_hex(const uint8_t *bytes, size_t len);

#endif
