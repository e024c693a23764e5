/* SPDX-License-Identifier: Apache-2.0 */
/* What every part of a diagnosis asks of its case: errors, bytes, areas, what is proved of a volume. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/memory.h"
#include "doctor/doctor.h"

bool vk_doctor_fail(struct vk_doctor *doc, enum vk_status status, const char *what)
{
	if (doc->status == VK_OK)
		doc->status = vk_error_set(doc->err, status, doc->path, "%s", what);
	return false;
}

size_t vk_doctor_read(struct vk_doctor *doc, uint64_t offset, void *buf, size_t len)
{
	struct vk_error ignored;
	size_t got = 0;

	if (vk_io_read(doc->source.io, offset, buf, len, &got, &ignored) != VK_OK)
		got = 0;
	memset((uint8_t *)buf + got, 0, len - got);
	return got;
}

uint64_t vk_proved_length(const struct vk_doctor *doc, const struct vk_subject *s)
{
	const struct vk_table *t = &doc->source.table;

	if (doc->source.kind != VK_SOURCE_DISK || t->kind != VK_TABLE_GPT || t->gpt_chosen < 0 ||
	    !t->gpt[t->gpt_chosen].sound || !s->named)
		return 0;
	return vk_mul_sat(doc->source.vmfs[s->vmfs].sectors, doc->source.sector_size);
}

const struct vk_finding *vk_doctor_has(const struct vk_doctor *doc, enum vk_finding_code code)
{
	for (size_t i = 0; i < doc->d->findings.count; i++)
		if (doc->d->findings.items[i].code == code)
			return &doc->d->findings.items[i];
	return NULL;
}

struct vk_finding *vk_doctor_report(struct vk_doctor *doc, enum vk_finding_code code, uint64_t offset, uint64_t length,
				    const char *fmt, ...)
{
	struct vk_findings *list = &doc->d->findings;
	size_t count = list->count;
	struct vk_finding f;
	char words[sizeof(f.message)];
	va_list args;

	va_start(args, fmt);
	vsnprintf(words, sizeof(words), fmt, args);
	va_end(args);
	vk_finding_init(&f, code, offset, length, "%s", words);
	vk_findings_add(list, &f);
	return list->count > count ? &list->items[count] : &doc->not_kept;
}

static int by_place(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

void vk_doctor_sort(void *items, size_t count, size_t size)
{
	if (count > 1)
		qsort(items, count, size, by_place);
}

unsigned long long vk_doctor_sector(const struct vk_doctor *doc, uint64_t offset)
{
	return offset / doc->source.sector_size;
}

struct vk_area *vk_area_append(struct vk_doctor *doc, const struct vk_area *area)
{
	struct vk_area *added;

	if (doc->area_count == VK_AREAS_MAX)
		return NULL;
	added = vk_append(&doc->areas, &doc->area_count, area, sizeof(*area));
	if (added == NULL)
		vk_doctor_fail(doc, VK_NOMEM, "no memory for the structures");
	return added;
}

struct vk_area *vk_area_add(struct vk_doctor *doc, enum vk_area_kind kind, enum vk_part part, size_t subject,
			    uint64_t offset, uint64_t length, const char *symbol, const char *what, ...)
{
	struct vk_area area = {.kind = kind,
			       .part = part,
			       .subject = subject,
			       .offset_bytes = offset - offset % VK_UNIT_BYTES,
			       .symbol = symbol};
	uint64_t end = vk_min_u64(vk_round_up_sat(vk_add_sat(offset, length), VK_UNIT_BYTES), doc->source.size_bytes);
	va_list args;

	if (doc->status != VK_OK || area.offset_bytes >= end)
		return NULL;
	area.length_bytes = end - area.offset_bytes;
	va_start(args, what);
	vsnprintf(area.what, sizeof(area.what), what, args);
	va_end(args);
	area.name_length = strlen(area.what);
	for (size_t i = 0; i < doc->area_count; i++)
		if (vk_ranges_meet(area.offset_bytes, area.length_bytes, doc->areas[i].offset_bytes,
				   doc->areas[i].length_bytes))
			return NULL;
	return vk_area_append(doc, &area);
}

bool vk_doctor_names_any(const struct vk_doctor *doc, const struct vk_partition *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < doc->subject_count; k++)
			if (vk_partition_is_vmfs(&list[i]) &&
			    vk_mul_sat(list[i].start_sector, doc->source.sector_size) == doc->subjects[k].start_bytes)
				return true;
	return false;
}
