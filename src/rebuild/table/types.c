/* SPDX-License-Identifier: Apache-2.0 */
/* Partition types that both kinds of table have. */
#include "rebuild/table/plan.h"

/* The first row of a type counts. */
static const struct {
	uint8_t mbr;
	const char *guid;
} types[] = {
	{VK_MBR_TYPE_VMFS, VK_GPT_TYPE_VMFS},
	{VK_MBR_TYPE_VMFS, VK_GPT_TYPE_VMFSL},
	{VK_MBR_TYPE_VMKCORE, VK_GPT_TYPE_VMKDIAG},
	{0xEF, VK_GPT_TYPE_EFI},
	{0x07, VK_GPT_TYPE_BASIC},
	{0x0C, VK_GPT_TYPE_BASIC},
	{0x0B, VK_GPT_TYPE_BASIC},
	{0x0E, VK_GPT_TYPE_BASIC},
	{0x06, VK_GPT_TYPE_BASIC},
	{0x04, VK_GPT_TYPE_BASIC},
	{0x83, "0FC63DAF-8483-4772-8E79-3D69D8477DE4"},
	{0x82, "0657FD6D-A4AB-43C4-84E5-0933C84B4F4F"},
	{0x8E, "E6D6D379-F507-44C2-A23C-238F2A3DF928"},
	{0xFD, "A19D880F-05FC-4D3B-A006-743F0F84911E"},
};

bool vk_table_type_to_mbr(const struct vk_guid *type, uint8_t *ret_type)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		struct vk_guid guid;

		if (!vk_guid_parse(types[i].guid, &guid) || !vk_guid_equal(&guid, type))
			continue;
		*ret_type = types[i].mbr;
		return true;
	}
	return false;
}

bool vk_table_type_to_gpt(uint8_t type, struct vk_guid *ret_type)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (types[i].mbr == type)
			return vk_guid_parse(types[i].guid, ret_type);
	return false;
}
