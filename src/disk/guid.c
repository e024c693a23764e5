/* SPDX-License-Identifier: Apache-2.0 */
/* GUIDs of GPT: text, and the partition types that disks of ESXi carry. */
#include <string.h>

#include <uuid/uuid.h>

#include "base/bytes.h"
#include "vmfskit/gpt.h"

/* The first three groups of a GUID are little-endian on disk; libuuid keeps all bytes in text order. */
static void swap_groups(const uint8_t in[16], uint8_t out[16])
{
	static const uint8_t order[16] = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};

	for (size_t i = 0; i < 16; i++)
		out[i] = in[order[i]];
}

static const struct {
	const char *guid;
	const char *name;
} type_names[] = {
	{VK_GPT_TYPE_VMFS, "VMFS"},
	{VK_GPT_TYPE_VMFSL, "VMFS-L"},
	{VK_GPT_TYPE_VMKDIAG, "vmkDiagnostic"},
	{VK_GPT_TYPE_RESERVED, "VMware Reserved"},
	{"381CFCCC-7288-11E0-92EE-000C2911D0B2", "vSAN"},
	{"77719A0C-A4A0-11E3-A47E-000C29745A24", "Virsto"},
	{"B3676DDD-A38A-4CD6-B970-718D7F873811", "NVMe memory tiering"},
	{VK_GPT_TYPE_EFI, "EFI system"},
	{VK_GPT_TYPE_BASIC, "Basic data (ESXi: linuxNative)"},
	{"0657FD6D-A4AB-43C4-84E5-0933C84B4F4F", "Linux swap"},
	{"0FC63DAF-8483-4772-8E79-3D69D8477DE4", "Linux"},
	{"E6D6D379-F507-44C2-A23C-238F2A3DF928", "Linux LVM"},
	{"A19D880F-05FC-4D3B-A006-743F0F84911E", "Linux RAID"},
	{"E3C9E316-0B5C-4DB8-817D-F92DF00215AE", "Microsoft reserved"},
};

void vk_guid_format(const struct vk_guid *guid, char ret_text[VK_GUID_TEXT_BYTES])
{
	uuid_t bytes = {0};

	swap_groups(guid->b, bytes);
	uuid_unparse_upper(bytes, ret_text);
}

struct vk_guid_text vk_guid_text(const struct vk_guid *guid)
{
	struct vk_guid_text text;

	vk_guid_format(guid, text.text);
	return text;
}

bool vk_guid_parse(const char *text, struct vk_guid *ret_guid)
{
	uuid_t bytes = {0};

	if (uuid_parse(text, bytes) != 0)
		return false;
	swap_groups(bytes, ret_guid->b);
	return true;
}

bool vk_guid_is_nil(const struct vk_guid *guid)
{
	return vk_all_zero(guid->b, sizeof(guid->b));
}

bool vk_guid_equal(const struct vk_guid *a, const struct vk_guid *b)
{
	return memcmp(a->b, b->b, sizeof(a->b)) == 0;
}

const char *vk_gpt_type_name(const struct vk_guid *type)
{
	for (size_t i = 0; i < sizeof(type_names) / sizeof(type_names[0]); i++)
		if (strcmp(type_names[i].guid, vk_guid_text(type).text) == 0)
			return type_names[i].name;
	return vk_guid_is_nil(type) ? "unused" : "unknown";
}

bool vk_gpt_type_is_vmfs(const struct vk_guid *type)
{
	return strcmp(vk_guid_text(type).text, VK_GPT_TYPE_VMFS) == 0 ||
	       strcmp(vk_guid_text(type).text, VK_GPT_TYPE_VMFSL) == 0;
}
