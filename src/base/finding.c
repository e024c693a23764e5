/* SPDX-License-Identifier: Apache-2.0 */
/* Findings: their table, and a list that grows. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/utf8.h"
#include "vmfskit/finding.h"

#define KIND_ROW(id, code, severity, why, remedy) {code, VK_##severity, why, remedy},
static const struct vk_finding_kind kinds[VK_F_COUNT] = {VK_FINDING_CODES(KIND_ROW)};

const struct vk_finding_kind *vk_finding_kind(enum vk_finding_code code)
{
	return &kinds[code];
}

const char *vk_severity_name(enum vk_severity severity)
{
	static const char *const names[] = {"info", "warning", "error"};

	return names[severity];
}

/* A format into a text that ends between two characters. */
__attribute__((format(printf, 3, 0)))
static void format(char *text, size_t cap, const char *fmt, va_list args)
{
	vsnprintf(text, cap, fmt, args);
	vk_utf8_trim(text);
}
#define FORMAT(text, fmt) \
	do { \
		va_list args; \
		va_start(args, fmt); \
		format(text, sizeof(text), fmt, args); \
		va_end(args); \
	} while (0)

static void begin(struct vk_finding *finding, enum vk_finding_code code, uint64_t offset_bytes, uint64_t length_bytes)
{
	memset(finding, 0, sizeof(*finding));
	finding->code = code;
	finding->offset_bytes = offset_bytes;
	finding->length_bytes = length_bytes;
}

void vk_finding_init(struct vk_finding *finding, enum vk_finding_code code, uint64_t offset_bytes,
		     uint64_t length_bytes, const char *message, ...)
{
	begin(finding, code, offset_bytes, length_bytes);
	FORMAT(finding->message, message);
}

void vk_finding_seen(struct vk_finding *finding, const char *fmt, ...)
{
	FORMAT(finding->seen, fmt);
}

void vk_finding_expected(struct vk_finding *finding, const char *fmt, ...)
{
	FORMAT(finding->expected, fmt);
}

struct vk_phrase vk_phrase(const char *fmt, ...)
{
	struct vk_phrase words = {""};

	FORMAT(words.text, fmt);
	return words;
}

void vk_finding_put(const struct vk_finding_sink *sink, const struct vk_finding *finding)
{
	if (sink != NULL && sink->put != NULL)
		sink->put(sink->ctx, finding);
}

void vk_finding_say(const struct vk_finding_sink *sink, enum vk_finding_code code, uint64_t offset_bytes,
		    uint64_t length_bytes, const char *seen, const char *expected, const char *message, ...)
{
	struct vk_finding f;

	begin(&f, code, offset_bytes, length_bytes);
	FORMAT(f.message, message);
	if (seen != NULL)
		vk_finding_seen(&f, "%s", seen);
	if (expected != NULL)
		vk_finding_expected(&f, "%s", expected);
	vk_finding_put(sink, &f);
}

void vk_findings_add(struct vk_findings *list, const struct vk_finding *finding)
{
	if (list->count < VK_FINDINGS_MAX && vk_append(&list->items, &list->count, finding, sizeof(*finding)) != NULL)
		return;
	list->dropped++;
	if (kinds[finding->code].severity > list->dropped_worst)
		list->dropped_worst = kinds[finding->code].severity;
}

static void add_to_list(void *ctx, const struct vk_finding *finding)
{
	vk_findings_add(ctx, finding);
}

struct vk_finding_sink vk_findings_sink(struct vk_findings *list)
{
	return (struct vk_finding_sink){add_to_list, list};
}

static int any_from(const struct vk_findings *list, enum vk_severity least)
{
	for (size_t i = 0; i < list->count; i++)
		if (kinds[list->items[i].code].severity >= least)
			return 1;
	return list->dropped > 0 && list->dropped_worst >= least;
}

int vk_findings_bad(const struct vk_findings *list)
{
	return any_from(list, VK_WARNING);
}

int vk_findings_errors(const struct vk_findings *list)
{
	return any_from(list, VK_ERROR);
}

size_t vk_findings_absent(const struct vk_findings *list)
{
	size_t absent = 0;

	for (size_t i = 0; i < list->count; i++)
		absent += list->items[i].code == VK_F_STRUCTURE_ABSENT || list->items[i].code == VK_F_STRUCTURE_CUT;
	return absent;
}

bool vk_findings_have(const struct vk_findings *list, enum vk_finding_code code, uint64_t offset_bytes)
{
	for (size_t i = 0; i < list->count; i++)
		if (list->items[i].code == code && list->items[i].offset_bytes == offset_bytes)
			return true;
	return false;
}

void vk_findings_free(struct vk_findings *list)
{
	free(list->items);
	memset(list, 0, sizeof(*list));
}
