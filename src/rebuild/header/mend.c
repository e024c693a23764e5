/* SPDX-License-Identifier: Apache-2.0 */
/* Fields of one structure with the origin of their values. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "rebuild/header/header_work.h"

static size_t member_bytes(const struct vk_field *field)
{
	return field->kind == VK_KIND_DISKID ? sizeof(struct vk_scsi_disk_id) : field->size;
}

__attribute__((format(printf, 5, 0))) static void
set_field(struct vk_mending *m, const struct vk_field *field, const void *bytes, enum vk_field_origin origin,
	  const char *from, va_list ap)
{
	size_t index = (size_t)(field - m->layout->fields), len = member_bytes(field);
	uint8_t *is = (uint8_t *)m->is + field->member;
	bool captured = m->capture != NULL && origin != VK_FIELD_CONSTANT &&
			!(vk_field_origin_exact(origin) && memcmp(bytes, vk_mend_member(field, m->capture), len) == 0);

	if (captured) {
		bytes = vk_mend_member(field, m->capture);
		/* it is what stood there when the field lasts */
		origin = vk_origin_if((field->marks & VK_LASTING) != 0 && m->capture_proves &&
				      (field->kind != VK_KIND_UUID || m->capture_names), VK_FIELD_CAPTURE);
	}
	/* who is sure of a value that was only likely makes it certain */
	if ((!m->rebuilt || m->fields[index].set) && memcmp(is, bytes, len) == 0 &&
	    !(m->fields[index].set && vk_field_origin_exact(origin) && !vk_field_origin_exact(m->fields[index].origin)))
		return;
	memcpy(is, bytes, len);
	m->fields[index].set = true;
	m->fields[index].origin = origin;
	if (captured)
		snprintf(m->fields[index].from, sizeof(m->fields[index].from), "%s", m->capture_name);
	else
		vsnprintf(m->fields[index].from, sizeof(m->fields[index].from), from, ap);
}

void vk_mend_number(struct vk_mending *m, const char *field, uint64_t value, enum vk_field_origin origin,
		    const char *from, ...)
{
	const struct vk_field *f = vk_layout_field(m->layout, field);
	uint8_t u8 = (uint8_t)value;
	uint16_t u16 = (uint16_t)value;
	uint32_t u32 = (uint32_t)value;
	const void *bytes = f->kind == VK_KIND_U8 ? &u8 : f->kind == VK_KIND_U16 ? &u16 : f->kind == VK_KIND_U32 ?
		&u32 : (void *)&value;
	va_list ap;

	va_start(ap, from);
	set_field(m, f, bytes, origin, from, ap);
	va_end(ap);
}

void vk_mend_bytes(struct vk_mending *m, const char *field, const void *bytes, enum vk_field_origin origin,
		   const char *from, ...)
{
	va_list ap;

	va_start(ap, from);
	set_field(m, vk_layout_field(m->layout, field), bytes, origin, from, ap);
	va_end(ap);
}

void vk_mend_all(struct vk_mending *m, const void *other, enum vk_field_origin origin, const char *from)
{
	for (size_t i = 0; i < m->layout->count; i++) {
		const struct vk_field *f = &m->layout->fields[i];

		if (f->kind != VK_KIND_DISKID)
			vk_mend_bytes(m, f->name, vk_mend_member(f, other), origin, "%s", from);
	}
}

void vk_mend_from_capture(struct vk_mending *m)
{
	for (size_t i = 0; i < m->layout->count; i++) {
		const struct vk_field *f = &m->layout->fields[i];

		if (m->rebuilt ? !m->fields[i].set : (f->marks & VK_LASTING) != 0)
			vk_mend_bytes(m, f->name, vk_mend_member(f, m->capture), VK_FIELD_USUAL, "%s",
				      m->capture_name);
	}
}

void vk_mend_doubt(struct vk_mending *m)
{
	for (size_t i = 0; i < m->layout->count; i++)
		m->fields[i].origin = vk_origin_if(!vk_field_origin_exact(m->fields[i].origin), m->fields[i].origin);
}

static const char nothing_tells[] = "zero, for its value is not known";

void vk_mend_record(const struct vk_mending *m, struct vk_mend_sum *sum)
{
	for (size_t i = 0; i < m->layout->count; i++) {
		const struct vk_field *f = &m->layout->fields[i];
		enum vk_field_origin origin = m->fields[i].set ? m->fields[i].origin : VK_FIELD_USUAL;

		/* a disk id is recorded by its own fields */
		if (f->kind == VK_KIND_DISKID ||
		    memcmp(vk_mend_member(f, m->is), vk_mend_member(f, m->was), member_bytes(f)) == 0)
			continue;
		sum->changed++;
		sum->inexact += !vk_field_origin_exact(origin);
		vk_work_field(m->work, m->layout, f, m->at, origin, m->blank ? NULL : m->was, m->is,
			      m->fields[i].set ? m->fields[i].from : nothing_tells);
	}
}

void vk_mend_lay(const struct vk_mending *m, uint8_t *raw, size_t len, const uint8_t *base, struct vk_mend_sum *sum)
{
	static const uint8_t zeros[512];
	size_t held = m->layout->size;

	if (m->rebuilt && base == NULL)
		base = zeros;
	if (m->rebuilt && memcmp(raw + held, base + held, len - held) != 0) {
		sum->changed++;
		sum->inexact++;
		vk_work_range(m->work, m->layout, m->at + held, len - held, VK_FIELD_USUAL,
			      "the sector behind the last field: %s",
			      base != zeros ? m->capture_name : nothing_tells);
	}
	if (m->rebuilt)
		memcpy(raw, base, len);
	vk_layout_encode(m->layout, m->is, raw, len);
}
