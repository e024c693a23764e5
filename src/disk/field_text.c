/* SPDX-License-Identifier: Apache-2.0 */
/* How the value of a field reads, by its view. */
#include <string.h>

#include "base/bytes.h"
#include "vmfskit/fs_descriptor.h"
#include "vmfskit/gpt.h"
#include "vmfskit/heartbeat.h"
#include "vmfskit/layout.h"
#include "vmfskit/lvm.h"
#include "vmfskit/mbr.h"
#include "vmfskit/scsi_id.h"

struct value_name {
	enum vk_view view;
	uint64_t value;
	const char *name;
};

static const struct value_name value_names[] = {
	{VK_VIEW_DISKID_TYPE, VK_SCSI_ID_PATH, "path"},
	{VK_VIEW_DISKID_TYPE, VK_SCSI_ID_SERIAL, "serial number"},
	{VK_VIEW_DISKID_TYPE, VK_SCSI_ID_NAA, "NAA"},
	{VK_VIEW_DISKID_TYPE, VK_SCSI_ID_SYMM, "SYMM"},
	{VK_VIEW_SCSI_TYPE, 0x00, "disk"},
	{VK_VIEW_SCSI_TYPE, 0x01, "tape"},
	{VK_VIEW_SCSI_TYPE, 0x04, "WORM"},
	{VK_VIEW_SCSI_TYPE, 0x05, "CD"},
	{VK_VIEW_SCSI_TYPE, 0x07, "MO"},
	{VK_VIEW_SCSI_TYPE, 0x08, "changer"},
	{VK_VIEW_SCSI_TYPE, 0x0C, "RAID"},
	{VK_VIEW_SCSI_TYPE, 0x0D, "enclosure"},
	{VK_VIEW_SCSI_TYPE, 0x0E, "RBC"},
	{VK_VIEW_SCSI_TYPE, 0x7F, "no LUN"},
	{VK_VIEW_VOL_STATE, VK_LVM_INVALID, "LVM_INVALID"},
	{VK_VIEW_VOL_STATE, VK_LVM_NORMAL, "LVM_NORMAL"},
	{VK_VIEW_VOL_STATE, VK_LVM_RESIG_PENDING, "LVM_RESIG_PENDING"},
	{VK_VIEW_VOL_STATE, VK_LVM_RESIG_DONE, "LVM_RESIG_DONE"},
	{VK_VIEW_VOL_STATE, VK_LVM_SENTINEL, "LVM_SENTINEL"},
	{VK_VIEW_FS_MAGIC, VK_FS_MAGIC_VMFS, "VMFS"},
	{VK_VIEW_FS_MAGIC, VK_FS_MAGIC_VMFSL, "VMFS-L"},
	{VK_VIEW_FS_MAGIC, VK_FS_MAGIC_VMFS6, "VMFS6, known from a symbol only"},
	{VK_VIEW_FS_MAGIC, VK_FS_MAGIC_VMFS6L, "VMFS6-L, known from a symbol only"},
	{VK_VIEW_FS_VERSION, 4, "VMFS3"},
	{VK_VIEW_FS_VERSION, 14, "VMFS5"},
	{VK_VIEW_FS_VERSION, 24, "VMFS6"},
	{VK_VIEW_HB_STATE, VK_HB_FREE, "free"},
	{VK_VIEW_HB_STATE, VK_HB_IN_USE, "in use"},
	{VK_VIEW_LOCK_TYPE, 0x10C00001, "file descriptor"},
	{VK_VIEW_LOCK_TYPE, 0x10C00002, "cluster of .fbb.sf"},
	{VK_VIEW_LOCK_TYPE, 0x10C00003, "cluster of .sbc.sf"},
	{VK_VIEW_LOCK_TYPE, 0x10C00004, "cluster of .pbc.sf"},
	{VK_VIEW_LOCK_TYPE, 0x10C00005, "cluster of .fdc.sf"},
	{VK_VIEW_LOCK_TYPE, 0x10C00006, "cluster of .pb2.sf"},
	{VK_VIEW_LOCK_TYPE, 0x10C00007, "cluster of .jbc.sf"},
	{VK_VIEW_LOCK_TYPE, 0x10C00008, "cluster of large blocks of .fbb.sf"},
	{VK_VIEW_LOCK_MODE, 0, "free"},
	{VK_VIEW_LOCK_MODE, 1, "exclusive"},
	{VK_VIEW_LOCK_MODE, 2, "shared read-only"},
	{VK_VIEW_LOCK_MODE, 3, "multi-writer"},
	{VK_VIEW_UNMAP_PRIO, 0, "none"},
	{VK_VIEW_UNMAP_PRIO, 1, "low"},
	{VK_VIEW_UNMAP_PRIO, 2, "medium"},
	{VK_VIEW_UNMAP_PRIO, 3, "high"},
};

static const struct {
	uint32_t bit;
	const char *name;
} config_bits[] = {
	{0x0004, "DENSE_SBPC"}, {0x0008, "MAINTENANCE"}, {0x0100, "LOCAL"},
	{0x0400, "SHARED"},     {0x0800, "OSDATA"},      {0x1000, "VSAN"},
};

const char *vk_view_name(enum vk_view view, uint64_t value)
{
	for (size_t i = 0; i < sizeof(value_names) / sizeof(value_names[0]); i++)
		if (value_names[i].view == view && value_names[i].value == value)
			return value_names[i].name;
	return NULL;
}

static void put_config(struct vk_text *text, uint32_t config)
{
	static const char *const modes[] = {"private", "shared", "public", "shared"};

	vk_text_fmt(text, "0x%x (access %s", config, modes[config & 3]);
	for (size_t i = 0; i < sizeof(config_bits) / sizeof(config_bits[0]); i++)
		if (config & config_bits[i].bit)
			vk_text_fmt(text, ", %s", config_bits[i].name);
	vk_text_put(text, ")");
}

/* Text whose padding is blanks: shown without it. */
static void put_padded(struct vk_text *text, const uint8_t *bytes, size_t len)
{
	while (len > 0 && (bytes[len - 1] == ' ' || bytes[len - 1] == 0))
		len--;
	vk_text_put(text, "\"");
	vk_text_label(text, bytes, len);
	vk_text_put(text, "\"");
}

static void put_utf16(struct vk_text *text, const uint8_t *bytes, size_t len)
{
	vk_text_put(text, "\"");
	for (size_t i = 0; i + 1 < len; i += 2) {
		uint16_t unit = vk_get_le16(bytes + i);

		if (unit == 0)
			break;
		if (unit >= 0x20 && unit < 0x7f && unit != '\\')
			vk_text_fmt(text, "%c", (char)unit);
		else
			vk_text_fmt(text, "\\u%04x", unit);
	}
	vk_text_put(text, "\"");
}

static void put_number(const struct vk_field *field, uint64_t value, struct vk_text *text)
{
	const char *name = vk_view_name(field->view, value);

	switch (field->view) {
	case VK_VIEW_SIZE:
		vk_text_size(text, value);
		return;
	case VK_VIEW_TIME_S:
	case VK_VIEW_TIME_US:
		if (value == 0)
			vk_text_put(text, "never (0)");
		else if (field->view == VK_VIEW_TIME_S)
			vk_text_time_s(text, value);
		else
			vk_text_time_us(text, value);
		return;
	case VK_VIEW_UPTIME_US:
		vk_text_duration_us(text, value);
		return;
	case VK_VIEW_FS_CONFIG:
		put_config(text, (uint32_t)value);
		return;
	case VK_VIEW_MBR_TYPE:
		vk_text_fmt(text, "%02llx (%s)", (unsigned long long)value,
			    vk_mbr_type_name((uint8_t)value));
		return;
	case VK_VIEW_LVM_FLAGS:
		vk_text_fmt(text, "0x%llx%s", (unsigned long long)value,
			    value == VK_LVM_FLAG_VMFSL ? " (VMFS-L)" : "");
		return;
	case VK_VIEW_HEX:
	case VK_VIEW_OFFSET:
	case VK_VIEW_FS_MAGIC:
	case VK_VIEW_HB_STATE:
	case VK_VIEW_LOCK_TYPE:
		vk_text_fmt(text, "0x%llx", (unsigned long long)value);
		break;
	default:
		vk_text_fmt(text, "%llu", (unsigned long long)value);
		break;
	}
	if (name != NULL)
		vk_text_fmt(text, " (%s)", name);
}

void vk_field_text(const struct vk_field *field, const void *in, struct vk_text *text)
{
	const uint8_t *bytes = vk_field_bytes(field, in);
	struct vk_vmfs_uuid uuid;
	struct vk_guid guid;
	char name[VK_GUID_TEXT_BYTES], disk_name[VK_SCSI_NAME_BYTES];
	const struct vk_scsi_disk_id *id;
	bool certain;

	switch (field->view) {
	case VK_VIEW_TEXT:
		put_padded(text, bytes, field->size);
		break;
	case VK_VIEW_UTF16:
		put_utf16(text, bytes, field->size);
		break;
	case VK_VIEW_RAW:
	case VK_VIEW_RESERVED:
		vk_text_hex(text, bytes, field->size);
		break;
	case VK_VIEW_UUID:
		memcpy(&uuid, bytes, sizeof(uuid));
		vk_text_put(text, vk_vmfs_uuid_is_nil(&uuid) ? "none" : vk_vmfs_uuid_text(&uuid).text);
		break;
	case VK_VIEW_GUID:
	case VK_VIEW_TYPE_GUID:
		memcpy(&guid, bytes, sizeof(guid));
		vk_text_put(text, vk_guid_text(&guid).text);
		if (field->view == VK_VIEW_TYPE_GUID)
			vk_text_fmt(text, " (%s)", vk_gpt_type_name(&guid));
		break;
	case VK_VIEW_CHS:
		vk_text_fmt(text, "cylinder %u, head %u, sector %u", (bytes[1] & 0xc0U) << 2 | bytes[2], bytes[0],
			    bytes[1] & 0x3fU);
		break;
	case VK_VIEW_MAC:
		vk_mac_format(bytes, name);
		vk_text_put(text, name);
		break;
	case VK_VIEW_IPV4:
		vk_text_fmt(text, "%u.%u.%u.%u", bytes[0], bytes[1], bytes[2], bytes[3]);
		break;
	case VK_VIEW_DISKID:
		id = (const struct vk_scsi_disk_id *)(const void *)bytes;
		vk_scsi_disk_id_name(id, disk_name, &certain);
		vk_text_fmt(text, "%s, LUN %u", disk_name, id->lun);
		break;
	default:
		put_number(field, vk_field_number(field, in), text);
		break;
	}
}
