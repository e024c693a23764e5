/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of the record, one after the other, become the state of the files. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "lab/history/record.h"

enum { FIELDS_MAX = 8, UNITS_MAX = 1 << 20, FILES_MAX = 1 << 20 };

/* A line on its way into the record. */
struct adding {
	struct vk_life_record *r;
	struct vk_life_file *file;
	uint64_t fields[FIELDS_MAX]; /* behind the letter; a pool is its kind */
	char path[VK_LIFE_PATH_BYTES];
	struct vk_error *err;
};

static enum vk_status is_none(const struct adding *a, const char *line)
{
	return vk_error_set(a->err, VK_DAMAGED, NULL, "\"%.60s\" is no line of a record at this place", line);
}

static bool pool_of(char letter, uint64_t *ret_pool)
{
	static const struct {
		char letter;
		enum vk_lab_pool_kind pool;
	} pools[] = {{'b', VK_LAB_POOL_SMALL}, {'s', VK_LAB_POOL_SB}, {'p', VK_LAB_POOL_PB}, {'2', VK_LAB_POOL_PB2}};

	for (size_t i = 0; i < sizeof(pools) / sizeof(pools[0]); i++)
		if (pools[i].letter == letter) {
			*ret_pool = pools[i].pool;
			return true;
		}
	return false;
}

/* form: n is a number, P a pool, t text to the end of the line. */
static bool parse(struct adding *a, const char *form, const char *text)
{
	for (size_t i = 0; form[i] != '\0'; i++) {
		size_t len;
		char *end = NULL;

		if (*text++ != ' ')
			return false;
		len = strcspn(text, form[i] == 't' ? "\n" : " \n");
		if (form[i] == 't') {
			if (len >= sizeof(a->path))
				return false;
			memcpy(a->path, text, len);
			a->path[len] = '\0';
		} else if (form[i] == 'P') {
			if (len != 1 || !pool_of(*text, &a->fields[i]))
				return false;
		} else {
			a->fields[i] = strtoull(text, &end, 10);
			if (end != text + len || len == 0)
				return false;
		}
		text += len;
	}
	return *text == '\n' || *text == '\0';
}

static enum vk_status happened(struct adding *a, char what, uint64_t unit, const struct vk_life_unit *u)
{
	const struct vk_life_event e = {.moment = a->r->moment, .what = what, .file = a->file->id,
					.file_offset = unit * a->file->unit_bytes, .place = u->place,
					.length = u->bytes, .tbz = u->tbz};

	return vk_append(&a->r->events, &a->r->event_count, &e, sizeof(e)) == NULL ? vk_no_memory(a->err, NULL) : VK_OK;
}

/* An array long enough for that many. */
static enum vk_status widen(struct adding *a, struct vk_life_unit **units, size_t *count, uint64_t wanted)
{
	if (wanted > UNITS_MAX)
		return vk_error_set(a->err, VK_DAMAGED, NULL, "a file of the record has too many units");
	while (*count < wanted)
		if (vk_append(units, count, NULL, sizeof(**units)) == NULL)
			return vk_no_memory(a->err, NULL);
	return VK_OK;
}

static enum vk_status add_units(struct adding *a)
{
	const uint64_t *f = a->fields;
	bool too_many = f[1] > UNITS_MAX || f[2] > UNITS_MAX;
	enum vk_status status = widen(a, &a->file->units, &a->file->unit_count,
				      too_many ? UINT64_MAX : f[1] + f[2]);

	for (uint64_t i = 0; i < f[2] && status == VK_OK; i++) {
		struct vk_life_unit *u = &a->file->units[f[1] + i];

		*u = (struct vk_life_unit){true, f[5] != 0, (enum vk_lab_pool_kind)f[3], f[4] + i,
					   f[6] + i * a->file->unit_bytes, a->file->unit_bytes};
		status = happened(a, '+', f[1] + i, u);
	}
	return status;
}

/* Lost or written: units that are there. */
static enum vk_status change_units(struct adding *a, char what)
{
	const uint64_t *f = a->fields;
	enum vk_status status = VK_OK;

	if (f[1] > a->file->unit_count || f[2] > a->file->unit_count - f[1])
		return vk_error_set(a->err, VK_DAMAGED, NULL, "a file of the record has no such units");
	for (uint64_t i = f[1]; i < f[1] + f[2] && status == VK_OK; i++) {
		struct vk_life_unit *u = &a->file->units[i];

		if (!u->there)
			return vk_error_set(a->err, VK_DAMAGED, NULL, "a file of the record has no such units");
		status = happened(a, what, i, u);
		u->there = what != '-';
		u->tbz = false;
	}
	return status;
}

static enum vk_status change_pointers(struct adding *a, bool got)
{
	const uint64_t *f = a->fields;
	enum vk_status status = widen(a, &a->file->pointers, &a->file->pointer_count, f[1] + 1);
	struct vk_life_unit *u;

	if (status != VK_OK)
		return status;
	u = &a->file->pointers[f[1]];
	if (got)
		*u = (struct vk_life_unit){true, false, (enum vk_lab_pool_kind)f[2], f[3], f[4], f[5]};
	else
		u->there = false;
	return happened(a, got ? 'P' : 'p', 0, u);
}

static enum vk_status set_path(struct adding *a)
{
	char *path = strdup(a->path);

	if (path == NULL)
		return vk_no_memory(a->err, NULL);
	free(a->file->path);
	a->file->path = path;
	return VK_OK;
}

/* A new file; the root, number 0, is there before any of them. */
static enum vk_status add_file(struct adding *a)
{
	const uint64_t *f = a->fields;
	const struct vk_life_file file = {
		.id = f[0], .type = (enum vk_file_type)f[1], .fd = f[2], .address = (uint32_t)f[3],
		.generation = (uint32_t)f[4], .folder = f[5], .born = a->r->moment, .unit_bytes = 1,
	};

	if (f[0] != a->r->count || f[0] > FILES_MAX || (f[0] != 0 && f[5] >= f[0]))
		return vk_error_set(a->err, VK_DAMAGED, NULL, "the files of the record are not in their order");
	a->file = vk_append(&a->r->files, &a->r->count, &file, sizeof(file));
	return a->file == NULL ? vk_no_memory(a->err, NULL) : set_path(a);
}

static const struct {
	char letter;
	const char *form;
} lines[] = {
	{'M', "nnt"}, {'N', "nnnnnnt"}, {'S', "nnnn"}, {'+', "nnnPnnn"}, {'-', "nnn"}, {'W', "nnn"},
	{'P', "nnPnnn"}, {'p', "nn"}, {'R', "nnt"}, {'D', "n"},
};

static enum vk_status apply(struct adding *a, char letter)
{
	const uint64_t *f = a->fields;

	switch (letter) {
	case 'M':
		a->r->moment = f[0];
		return VK_OK;
	case 'N':
		return add_file(a);
	case 'S':
		a->file->size_bytes = f[1];
		a->file->unit_bytes = f[2] == 0 ? 1 : f[2];
		a->file->zla = (uint32_t)f[3];
		return VK_OK;
	case '+':
		return add_units(a);
	case 'P':
	case 'p':
		return change_pointers(a, letter == 'P');
	case 'R':
		a->file->folder = f[1];
		return set_path(a);
	case 'D':
		a->file->died = a->r->moment;
		return VK_OK;
	default:
		return change_units(a, letter);
	}
}

enum vk_status vk_life_record_add(struct vk_life_record *record, const char *line, struct vk_error *err)
{
	struct adding a = {.r = record, .err = err};
	size_t i = 0;

	while (i < sizeof(lines) / sizeof(lines[0]) && lines[i].letter != *line)
		i++;
	if (i == sizeof(lines) / sizeof(lines[0]) || !parse(&a, lines[i].form, line + 1))
		return is_none(&a, line);
	if (*line != 'M' && *line != 'N') {
		if (a.fields[0] >= record->count)
			return is_none(&a, line);
		a.file = &record->files[a.fields[0]];
	}
	return apply(&a, *line);
}

enum vk_status vk_life_record_read(const char *path, struct vk_life_record *ret_record, struct vk_error *err)
{
	struct vk_life_record record = {NULL};
	enum vk_status status = VK_OK;
	FILE *in = fopen(path, "re");
	char *line = NULL;
	size_t size = 0;

	if (in == NULL)
		return vk_error_errno(err, errno, path, "the record cannot be opened");
	for (uint64_t n = 0; status == VK_OK && getline(&line, &size, in) > 0; n++)
		if (n == 0 && strcmp(line, VK_LIFE_FIRST_LINE) != 0)
			status = vk_error_set(err, VK_DAMAGED, path, "this is no record of a history");
		else if (n > 0)
			status = vk_life_record_add(&record, line, err);
	if (status == VK_OK && ferror(in))
		status = vk_error_errno(err, EIO, path, "the record cannot be read");
	free(line);
	fclose(in);
	if (status == VK_OK)
		*ret_record = record;
	else
		vk_life_record_free(&record);
	return status;
}

void vk_life_record_free(struct vk_life_record *record)
{
	for (size_t i = 0; i < record->count; i++) {
		free(record->files[i].units);
		free(record->files[i].pointers);
		free(record->files[i].path);
	}
	free(record->files);
	free(record->events);
	*record = (struct vk_life_record){NULL};
}

struct vk_life_file *vk_life_find(const struct vk_life_record *record, const char *path)
{
	for (size_t i = record->count; i-- > 0;)
		if (record->files[i].died == 0 && strcmp(record->files[i].path, path) == 0)
			return &record->files[i];
	return NULL;
}
