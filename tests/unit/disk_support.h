/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of on-disk structures share: samples, bytes from hexadecimal text, exact lists of findings. */
#ifndef VK_TEST_DISK_SUPPORT_H
#define VK_TEST_DISK_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/utf8.h"
#include "vmfskit/finding.h"
#include "vmfskit/layout.h"

/*
 * Of many random cases the ordinary check runs all. The sanitizers watch how the program works, not what comes out, and
 * take several times as long: a quarter there.
 */
#ifdef __SANITIZE_ADDRESS__
enum { CASES_SHARE = 4 };
#else
enum { CASES_SHARE = 1 };
#endif

/* Bytes of "0d d0 01 c0"; blanks are ignored. Returns how many. */
static inline size_t bytes_of(const char *hex, uint8_t *buf, size_t cap)
{
	size_t n = 0;
	unsigned value;
	int used;

	while (sscanf(hex, " %2x%n", &value, &used) == 1) {
		assert_true(n < cap);
		buf[n++] = (uint8_t)value;
		hex += used;
	}
	assert_int_equal(hex[strspn(hex, " ")], 0);
	return n;
}

/* len bytes at offset of samples/NAME.hex; fails when the listing does not hold them all. */
static inline void sample_bytes(const char *name, uint64_t offset, uint8_t *buf, size_t len)
{
	char path[128];
	char line[256];
	uint8_t last[16] = {0};
	uint64_t at = 0;
	uint64_t next = 0;
	size_t filled = 0;
	bool repeat = false;
	FILE *f;

	snprintf(path, sizeof(path), "samples/%s.hex", name);
	f = fopen(path, "r");
	if (f == NULL)
		fail_msg("%s: run the tests from the top of the project", path);
	while (fgets(line, sizeof(line), f) != NULL) {
		char *bar = strchr(line, '|');
		uint8_t row[16];
		size_t n;
		int used;

		if (line[0] == '*') {
			repeat = true;
			continue;
		}
		if (bar != NULL)
			*bar = '\0';
		line[strcspn(line, "\n")] = '\0';
		assert_int_equal(sscanf(line, "%lx%n", (unsigned long *)&at, &used), 1);
		for (; repeat && next < at; next++)
			if (next >= offset && next < offset + len) {
				buf[next - offset] = last[next % 16];
				filled++;
			}
		repeat = false;
		n = bytes_of(line + used, row, sizeof(row));
		for (size_t i = 0; i < n; i++)
			if (at + i >= offset && at + i < offset + len) {
				buf[at + i - offset] = row[i];
				filled++;
			}
		memcpy(last, row, n);
		next = at + n;
	}
	fclose(f);
	assert_int_equal(filled, len);
}

/* Every text in a finding is set, ends and may be printed. */
static inline void assert_printable(const char *text, size_t cap)
{
	size_t len = strnlen(text, cap);

	assert_true(len < cap);
	for (size_t i = 0; i < len;) {
		uint32_t c;
		size_t n = vk_utf8_decode((const uint8_t *)text + i, len - i, &c);

		assert_true(n > 0);
		assert_false(vk_utf8_steers(c));
		i += n;
	}
}

/* The list holds exactly the `count` codes given, in that order; then it is emptied. */
static inline void assert_codes(struct vk_findings *list, size_t count, ...)
{
	va_list args;

	va_start(args, count);
	for (size_t i = 0; i < count; i++) {
		const char *expected = va_arg(args, const char *);

		if (i >= list->count)
			fail_msg("%s is missing", expected);
		assert_string_equal(vk_finding_kind(list->items[i].code)->code, expected);
	}
	va_end(args);
	if (list->count > count)
		fail_msg("unexpected %s", vk_finding_kind(list->items[count].code)->code);
	for (size_t i = 0; i < list->count; i++) {
		assert_true(list->items[i].message[0] != '\0');
		assert_printable(list->items[i].message, sizeof(list->items[i].message));
		assert_printable(list->items[i].seen, sizeof(list->items[i].seen));
		assert_printable(list->items[i].expected, sizeof(list->items[i].expected));
	}
	vk_findings_free(list);
}

/* Offset and length of the first finding, before assert_codes empties the list. */
static inline void assert_range(const struct vk_findings *list, size_t index, uint64_t offset,
				uint64_t length)
{
	assert_true(index < list->count);
	assert_int_equal(list->items[index].offset_bytes, offset);
	assert_int_equal(list->items[index].length_bytes, length);
}

/* The text of one field of the C struct at in. */
static inline const char *field_text(const struct vk_layout *layout, const char *name,
				     const void *in, char *buf, size_t cap)
{
	const struct vk_field *field = vk_layout_field(layout, name);
	struct vk_text text;

	assert_non_null(field);
	vk_text_init(&text, buf, cap);
	vk_field_text(field, in, &text);
	return buf;
}
#define assert_field(layout, name, in, expected) \
	do { \
		char field_buf[600]; \
		assert_string_equal(field_text(layout, name, in, field_buf, sizeof(field_buf)), \
				    expected); \
	} while (0)

/* Decode, encode over other bytes, and demand the same bytes. */
static inline void assert_round_trip(const struct vk_layout *layout, const uint8_t *bytes,
				     size_t len)
{
	uint8_t *copy = malloc(len);
	void *in = malloc(layout->struct_size);

	assert_non_null(copy);
	assert_non_null(in);
	memcpy(copy, bytes, len);
	for (size_t i = 0; i < layout->count; i++)
		memset(copy + layout->fields[i].offset, 0xA5, layout->fields[i].size);
	assert_int_equal(vk_layout_decode(layout, bytes, len, in), layout->size);
	assert_int_equal(vk_layout_encode(layout, in, copy, len), layout->size);
	assert_memory_equal(copy, bytes, len);
	free(copy);
	free(in);
}

#endif
