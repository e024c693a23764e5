/* SPDX-License-Identifier: Apache-2.0 */
/* Walks layout tables: decode, encode, look up. */
#include <string.h>

#include "base/bytes.h"
#include "vmfskit/fat_boot.h"
#include "vmfskit/file_descriptor.h"
#include "vmfskit/fs_descriptor.h"
#include "vmfskit/gpt.h"
#include "vmfskit/heartbeat.h"
#include "vmfskit/layout.h"
#include "vmfskit/lock.h"
#include "vmfskit/lvm.h"
#include "vmfskit/mbr.h"
#include "vmfskit/resource_file.h"
#include "vmfskit/scsi_id.h"
#include "vmfskit/vmfs_uuid.h"

const struct vk_layout *const vk_layouts[] = {
	&vk_mbr_layout,          &vk_mbr_entry_layout,     &vk_gpt_header_layout,
	&vk_gpt_entry_layout,    &vk_vmfs_uuid_layout,     &vk_scsi_disk_id_layout,
	&vk_lvm_device_layout,   &vk_lvm_volume_layout,    &vk_lvm_pe_layout,
	&vk_lvm_ext_layout,      &vk_lvm_sd_layout,        &vk_fs_descriptor_layout,
	&vk_heartbeat_layout,    &vk_lock_layout,          &vk_lock_holder_layout,
	&vk_fat_boot_layout,
	&vk_file_metadata_layout, &vk_resource_file_layout, &vk_cluster_layout,
	&vk_cluster6_layout,
	NULL,
};

int vk_field_held(const struct vk_field *field, size_t seen_bytes)
{
	return (size_t)field->offset + field->size <= seen_bytes;
}

static void decode_field(const struct vk_field *f, const uint8_t *p, uint8_t *member)
{
	switch (f->kind) {
	case VK_KIND_U8:
		*member = *p;
		break;
	case VK_KIND_U16: {
		uint16_t v = vk_get_le16(p);
		memcpy(member, &v, sizeof(v));
		break;
	}
	case VK_KIND_U32: {
		uint32_t v = vk_get_le32(p);
		memcpy(member, &v, sizeof(v));
		break;
	}
	case VK_KIND_U64: {
		uint64_t v = vk_get_le64(p);
		memcpy(member, &v, sizeof(v));
		break;
	}
	case VK_KIND_DISKID:
		vk_layout_decode(&vk_scsi_disk_id_layout, p, f->size, member);
		break;
	case VK_KIND_TEXT:
	case VK_KIND_BYTES:
	case VK_KIND_UUID:
	case VK_KIND_GUID:
		memcpy(member, p, f->size);
		break;
	}
}

size_t vk_layout_decode(const struct vk_layout *layout, const uint8_t *buf, size_t len, void *out)
{
	size_t seen = len < layout->size ? len : layout->size;

	memset(out, 0, layout->struct_size);
	for (size_t i = 0; i < layout->count; i++) {
		const struct vk_field *f = &layout->fields[i];

		if (vk_field_held(f, seen))
			decode_field(f, buf + f->offset, (uint8_t *)out + f->member);
	}
	return seen;
}

uint64_t vk_field_number(const struct vk_field *field, const void *in)
{
	const uint8_t *member = (const uint8_t *)in + field->member;

	switch (field->kind) {
	case VK_KIND_U8:
		return *member;
	case VK_KIND_U16: {
		uint16_t v;
		memcpy(&v, member, sizeof(v));
		return v;
	}
	case VK_KIND_U32: {
		uint32_t v;
		memcpy(&v, member, sizeof(v));
		return v;
	}
	case VK_KIND_U64: {
		uint64_t v;
		memcpy(&v, member, sizeof(v));
		return v;
	}
	case VK_KIND_TEXT:
	case VK_KIND_BYTES:
	case VK_KIND_UUID:
	case VK_KIND_GUID:
	case VK_KIND_DISKID:
		break;
	}
	return 0;
}

static void encode_field(const struct vk_field *f, const void *in, uint8_t *p)
{
	uint64_t v = vk_field_number(f, in);

	switch (f->kind) {
	case VK_KIND_U8:
		*p = (uint8_t)v;
		break;
	case VK_KIND_U16:
		vk_put_le16(p, (uint16_t)v);
		break;
	case VK_KIND_U32:
		vk_put_le32(p, (uint32_t)v);
		break;
	case VK_KIND_U64:
		vk_put_le64(p, v);
		break;
	case VK_KIND_DISKID:
		vk_layout_encode(&vk_scsi_disk_id_layout, vk_field_bytes(f, in), p, f->size);
		break;
	case VK_KIND_TEXT:
	case VK_KIND_BYTES:
	case VK_KIND_UUID:
	case VK_KIND_GUID:
		memcpy(p, vk_field_bytes(f, in), f->size);
		break;
	}
}

size_t vk_layout_encode(const struct vk_layout *layout, const void *in, uint8_t *buf, size_t len)
{
	size_t room = len < layout->size ? len : layout->size;

	for (size_t i = 0; i < layout->count; i++)
		if (vk_field_held(&layout->fields[i], room))
			encode_field(&layout->fields[i], in, buf + layout->fields[i].offset);
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
