/* SPDX-License-Identifier: Apache-2.0 */
/* The list of areas while it is made, and which partitions are those of the volumes. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/checked.h"
#include "base/memory.h"
#include "doctor/doctor.h"

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

static bool is_free(const struct vk_doctor *doc, uint64_t offset, uint64_t length)
{
	for (size_t i = 0; i < doc->area_count; i++)
		if (offset < doc->areas[i].offset_bytes + doc->areas[i].length_bytes &&
		    doc->areas[i].offset_bytes < offset + length)
			return false;
	return true;
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
	return is_free(doc, area.offset_bytes, area.length_bytes) ? vk_area_append(doc, &area) : NULL;
}

static bool covers(const struct vk_partition *p, uint32_t ss, const struct vk_subject *s)
{
	return vk_partition_is_vmfs(p) && vk_mul_sat(p->start_sector, ss) == s->start_bytes;
}

bool vk_doctor_names_any(const struct vk_doctor *doc, const struct vk_partition *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < doc->subject_count; k++)
			if (covers(&list[i], doc->source.sector_size, &doc->subjects[k]))
				return true;
	return false;
}
