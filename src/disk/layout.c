/* SPDX-License-Identifier: Apache-2.0 */
/* Walks layout tables: decode, encode, look up. */
#include <stdbool.h>
#include <string.h>

#include "vmfskit/layout.h"
#include "vmfskit/scsi_id.h"

int vk_field_held(const struct vk_field *field, size_t seen_bytes)
{
	return (size_t)field->offset + field->size <= seen_bytes;
}

bool vk_field_told(const struct vk_field *field, const void *in, size_t seen_bytes)
{
	const uint8_t *bytes = vk_field_bytes(field, in);

	return vk_field_held(field, seen_bytes) || (field->kind == VK_KIND_TEXT && field->offset < seen_bytes &&
						    bytes[0] != 0 &&
						    memchr(bytes, 0, seen_bytes - field->offset) != NULL);
}

/*
 * A member from or to its bytes on disk: they are little-endian there, and in the order of this machine here. Copies of
 * the usual sizes are inlined: a large volume has a quarter of a million entries.
 */
static inline void copy_field(const struct vk_field *f, uint8_t *to, const uint8_t *from)
{
	bool turned = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ && f->kind <= VK_KIND_U64;

	for (size_t i = 0; turned && i < f->size; i++)
		to[i] = from[f->size - 1 - i];
	if (turned)
		return;
	if (f->size == 8)
		memcpy(to, from, 8);
	else if (f->size == 4)
		memcpy(to, from, 4);
	else
		memcpy(to, from, f->size);
}

size_t vk_layout_decode(const struct vk_layout *layout, const uint8_t *buf, size_t len, void *out)
{
	size_t seen = len < layout->size ? len : layout->size;

	memset(out, 0, layout->struct_size);
	for (const struct vk_field *f = layout->fields; f < layout->fields + layout->count; f++) {
		uint8_t *member = (uint8_t *)out + f->member;

		if ((size_t)f->offset + f->size > seen) {
			if (f->kind == VK_KIND_TEXT && f->offset < seen &&
			    memchr(buf + f->offset, 0, seen - f->offset) != NULL)
				memcpy(member, buf + f->offset, seen - f->offset);
			continue;
		}
		if (f->kind == VK_KIND_DISKID)
			vk_layout_decode(&vk_scsi_disk_id_layout, buf + f->offset, f->size, member);
		else
			copy_field(f, member, buf + f->offset);
	}
	return seen;
}

uint64_t vk_field_number(const struct vk_field *field, const void *in)
{
	union {
		uint8_t u8;
		uint16_t u16;
		uint32_t u32;
		uint64_t u64;
	} v;

	if (field->kind > VK_KIND_U64)
		return 0;
	memcpy(&v, vk_field_bytes(field, in), field->size);
	return field->size == 8 ? v.u64 : field->size == 4 ? v.u32 : field->size == 2 ? v.u16 : v.u8;
}

size_t vk_layout_encode(const struct vk_layout *layout, const void *in, uint8_t *buf, size_t len)
{
	size_t room = len < layout->size ? len : layout->size;

	for (size_t i = 0; i < layout->count; i++) {
		const struct vk_field *f = &layout->fields[i];

		if (!vk_field_held(f, room))
			continue;
		if (f->kind == VK_KIND_DISKID)
			vk_layout_encode(&vk_scsi_disk_id_layout, vk_field_bytes(f, in), buf + f->offset, f->size);
		else
			copy_field(f, buf + f->offset, vk_field_bytes(f, in));
	}
	return room;
}

const struct vk_field *vk_layout_field(const struct vk_layout *layout, const char *name)
{
	for (size_t i = 0; i < layout->count; i++)
		if (strcmp(layout->fields[i].name, name) == 0)
			return &layout->fields[i];
	return NULL;
}

const uint8_t *vk_field_bytes(const struct vk_field *field, const void *in)
{
	return (const uint8_t *)in + field->member;
}

char vk_evidence_letter(enum vk_evidence evidence)
{
	return "VPXSU"[evidence];
}
