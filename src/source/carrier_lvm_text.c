/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The text of LVM2: sections in braces, values behind "=", lists in brackets, comments from # on. What a group's text
 * says is in LVM2, lib/format_text/export.c.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "source/carrier_lvm.h"

enum { DEPTH_MAX = 8, WORD_BYTES = VK_LVM2_NAME_BYTES };

/* One segment, as far as it was read. */
struct segment {
	uint64_t start, extents, device_extent;
	uint64_t stripes;
	char type[16];
	char device[WORD_BYTES]; /* that the first stripe names */
};

struct reader {
	const char *at;
	struct vk_lvm2_group *group;
	const uint8_t *uuid;
	char path[DEPTH_MAX][WORD_BYTES]; /* the sections that are open */
	size_t depth;
	char device[WORD_BYTES];  /* the physical volume that was asked for; empty: not seen yet */
	bool device_matches;      /* of the section of a physical volume: its id is the one */
	uint64_t device_data;     /* its pe_start */
	struct segment segment;
	struct vk_lvm2_volume volume;
	bool visible, in_one_piece;
};

static void skip_blanks(struct reader *r)
{
	for (;; r->at++) {
		if (*r->at == '#')
			r->at += strcspn(r->at, "\n");
		if (*r->at == '\0' || !isspace((unsigned char)*r->at))
			return;
	}
}

/* Names of LVM2 are made of these; anything else is no name. False: there is none, or it is too long. */
static bool read_word(struct reader *r, char word[WORD_BYTES])
{
	size_t len = strspn(r->at, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+_.-");

	if (len == 0 || len >= WORD_BYTES)
		return false;
	memcpy(word, r->at, len);
	word[len] = '\0';
	r->at += len;
	return true;
}

/* A string in quotes or a number, as text; a string that is too long is cut: none of those that count is. */
static bool read_scalar(struct reader *r, char word[WORD_BYTES])
{
	size_t len = 0;

	if (*r->at != '"')
		return read_word(r, word);
	for (r->at++; *r->at != '"'; r->at++) {
		if (*r->at == '\\' && r->at[1] != '\0')
			r->at++;
		if (*r->at == '\0')
			return false;
		if (len < WORD_BYTES - 1)
			word[len++] = *r->at;
	}
	word[len] = '\0';
	r->at++;
	return true;
}

static uint64_t number_of(const char *word)
{
	return word[0] >= '0' && word[0] <= '9' ? strtoull(word, NULL, 10) : 0;
}

static bool is_id(const struct reader *r, const char *word)
{
	size_t n = 0;

	for (; *word != '\0'; word++)
		if (*word != '-' && (n == VK_LVM2_UUID_BYTES || (uint8_t)*word != r->uuid[n++]))
			return false;
	return n == VK_LVM2_UUID_BYTES;
}

/* index: of an item of a list; 0 for what is no list. */
static void take_value(struct reader *r, const char *key, size_t index, const char *value)
{
	struct segment *s = &r->segment;

	if (r->depth == 1 && strcmp(key, "extent_size") == 0) {
		r->group->extent_bytes = vk_mul_sat(number_of(value), 512);
	} else if (r->depth == 3 && strcmp(r->path[1], "physical_volumes") == 0) {
		if (strcmp(key, "id") == 0)
			r->device_matches = is_id(r, value);
		else if (strcmp(key, "pe_start") == 0)
			r->device_data = vk_mul_sat(number_of(value), 512);
	} else if (r->depth == 3 && strcmp(key, "status") == 0) {
		r->visible = r->visible || strcmp(value, "VISIBLE") == 0;
	} else if (r->depth == 4 && strcmp(key, "start_extent") == 0) {
		s->start = number_of(value);
	} else if (r->depth == 4 && strcmp(key, "extent_count") == 0) {
		s->extents = number_of(value);
	} else if (r->depth == 4 && strcmp(key, "stripe_count") == 0) {
		s->stripes = number_of(value);
	} else if (r->depth == 4 && strcmp(key, "type") == 0) {
		memcpy(s->type, value, strnlen(value, sizeof(s->type) - 1));
	} else if (r->depth == 4 && strcmp(key, "stripes") == 0) {
		if (index == 0)
			memcpy(s->device, value, strlen(value) + 1);
		else if (index == 1)
			s->device_extent = number_of(value);
		/* a piece of a striped volume counts as one, whichever of its stripes is on the device */
		r->group->pieces += index % 2 == 0 && r->device[0] != '\0' && strcmp(value, r->device) == 0;
	}
}

static bool read_value(struct reader *r, const char *key)
{
	char word[WORD_BYTES];
	size_t index = 0;

	r->at++;
	skip_blanks(r);
	if (*r->at != '[') {
		if (!read_scalar(r, word))
			return false;
		take_value(r, key, 0, word);
		return true;
	}
	r->at++;
	for (skip_blanks(r); *r->at != ']'; skip_blanks(r)) {
		if (*r->at == ',') {
			r->at++;
			continue;
		}
		if (!read_scalar(r, word))
			return false;
		take_value(r, key, index++, word);
	}
	r->at++;
	return true;
}

static bool is_volume(const struct reader *r, size_t depth)
{
	return r->depth == depth && strcmp(r->path[1], "logical_volumes") == 0;
}

static void begin_section(struct reader *r)
{
	if (r->depth == 3) {
		r->volume = (struct vk_lvm2_volume){.extents = 0};
		r->visible = r->device_matches = false;
		r->in_one_piece = true;
		r->device_data = 0;
	} else if (r->depth == 4) {
		r->segment = (struct segment){.stripes = 0};
	}
}

/* A segment follows the one before, in the volume and on the device; linear ones are stripes of one. */
static void end_segment(struct reader *r)
{
	const struct segment *s = &r->segment;
	struct vk_lvm2_volume *v = &r->volume;

	if (v->extents == 0)
		v->first_extent = s->device_extent;
	r->in_one_piece = r->in_one_piece && strcmp(s->type, "striped") == 0 && s->stripes == 1 &&
			  r->device[0] != '\0' && strcmp(s->device, r->device) == 0 && s->start == v->extents &&
			  s->device_extent == vk_add_sat(v->first_extent, v->extents);
	v->extents = vk_add_sat(v->extents, s->extents);
}

/* What LVM2 takes as a name, of the characters that read_word takes; lvm(8), VALID NAMES. */
static bool is_name(const char *word)
{
	return word[0] != '-' && strcmp(word, ".") != 0 && strcmp(word, "..") != 0;
}

static void end_section(struct reader *r)
{
	struct vk_lvm2_group *group = r->group;

	if (r->depth == 3 && strcmp(r->path[1], "physical_volumes") == 0 && r->device_matches) {
		memcpy(r->device, r->path[2], WORD_BYTES);
		group->data_bytes = r->device_data;
	} else if (is_volume(r, 4)) {
		end_segment(r);
	} else if (is_volume(r, 3) && r->visible && r->in_one_piece && r->volume.extents > 0 &&
		   group->volume_count < VK_LVM2_VOLUMES_MAX && is_name(r->path[2])) {
		memcpy(r->volume.name, r->path[2], WORD_BYTES);
		group->volumes[group->volume_count++] = r->volume;
	}
}

bool vk_lvm2_read_text(const char *text, const uint8_t uuid[VK_LVM2_UUID_BYTES], struct vk_lvm2_group *ret_group)
{
	struct reader r = {.at = text, .group = ret_group, .uuid = uuid};
	char word[WORD_BYTES];

	for (skip_blanks(&r); *r.at != '\0'; skip_blanks(&r)) {
		if (*r.at == '}' && r.depth > 0) {
			end_section(&r);
			r.depth--;
			r.at++;
			continue;
		}
		if (!read_word(&r, word))
			return false;
		skip_blanks(&r);
		if (*r.at == '=') {
			if (!read_value(&r, word))
				return false;
		} else if (*r.at == '{' && r.depth < DEPTH_MAX) {
			r.at++;
			memcpy(r.path[r.depth++], word, WORD_BYTES);
			if (r.depth == 1 && ret_group->name[0] == '\0')
				memcpy(ret_group->name, word, WORD_BYTES);
			begin_section(&r);
		} else {
			return false;
		}
	}
	return r.depth == 0 && r.device[0] != '\0' && ret_group->extent_bytes > 0 && is_name(ret_group->name);
}
