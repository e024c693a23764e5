/* SPDX-License-Identifier: Apache-2.0 */
/* What every part of a diagnosis asks of its case: errors, bytes, what is proved of a volume. */
#include <string.h>

#include "base/checked.h"
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
