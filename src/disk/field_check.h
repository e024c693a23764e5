/* SPDX-License-Identifier: Apache-2.0 */
/* Findings about one field of a structure, for the checks of this folder. */
#ifndef VK_DISK_FIELD_CHECK_H
#define VK_DISK_FIELD_CHECK_H

#include "vmfskit/finding.h"
#include "vmfskit/layout.h"

/* The structure that is checked. */
struct vk_checked {
	const struct vk_layout *layout;
	size_t seen_bytes;
	uint64_t offset_bytes;
	const struct vk_finding_sink *sink;
};

static inline bool vk_checked_held(const struct vk_checked *c, const char *field_name)
{
	const struct vk_field *field = vk_layout_field(c->layout, field_name);

	return field != NULL && vk_field_held(field, c->seen_bytes);
}

/* Of a field that the source does not hold nothing is said. */
static inline void vk_checked_say(const struct vk_checked *c, enum vk_finding_code code, const char *field_name,
				  const char *message, const char *seen, const char *expected)
{
	const struct vk_field *field = vk_layout_field(c->layout, field_name);

	if (vk_checked_held(c, field_name))
		vk_finding_say(c->sink, code, c->offset_bytes + field->offset, field->size, seen, expected, "%s",
			       message);
}

#define VK_NUMBER(n) vk_phrase("%llu", (unsigned long long)(n)).text
#define VK_HEX32(n) vk_phrase("0x%08x", (unsigned)(n)).text

/* Two records of one event: a UUID is made up to a minute before what carries it. */
static inline bool vk_same_event(uint64_t a_seconds, uint64_t b_seconds)
{
	return (a_seconds > b_seconds ? a_seconds - b_seconds : b_seconds - a_seconds) <= 60;
}

#endif
