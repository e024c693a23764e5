/* SPDX-License-Identifier: Apache-2.0 */
/* The 16-byte UUID of VMFS and its text. */
#include <string.h>

#include "base/bytes.h"
#include "base/hex_digit.h"
#include "disk/layout_table.h"
#include "vmfskit/vmfs_uuid.h"

VK_LAYOUT_DEFINE(vk_vmfs_uuid_layout, VK_VMFS_UUID_ROWS, struct vk_vmfs_uuid_parts, 16, "UUID",
		 "VMFS UUID", "decoded from a real VMFS3 volume and five published headers");

void vk_vmfs_uuid_decode(const struct vk_vmfs_uuid *uuid, struct vk_vmfs_uuid_parts *ret_parts)
{
	vk_layout_decode(&vk_vmfs_uuid_layout, uuid->b, sizeof(uuid->b), ret_parts);
}

void vk_vmfs_uuid_encode(const struct vk_vmfs_uuid_parts *parts, struct vk_vmfs_uuid *ret_uuid)
{
	vk_layout_encode(&vk_vmfs_uuid_layout, parts, ret_uuid->b, sizeof(ret_uuid->b));
}

void vk_vmfs_uuid_format(const struct vk_vmfs_uuid *uuid, char ret_text[VK_VMFS_UUID_TEXT_BYTES])
{
	struct vk_text text = vk_text_in(ret_text, VK_VMFS_UUID_TEXT_BYTES);

	vk_text_fmt(&text, "%08x-%08x-%04x-", vk_get_le32(uuid->b), vk_get_le32(uuid->b + 4),
		    vk_get_le16(uuid->b + 8));
	vk_text_hex(&text, uuid->b + 10, 6);
}

struct vk_vmfs_uuid_text vk_vmfs_uuid_text(const struct vk_vmfs_uuid *uuid)
{
	struct vk_vmfs_uuid_text text;

	vk_vmfs_uuid_format(uuid, text.text);
	return text;
}

/* Positions on disk of the 16 bytes in the order in which the text names them. */
static const uint8_t text_order[16] = {3, 2, 1, 0, 7, 6, 5, 4, 9, 8, 10, 11, 12, 13, 14, 15};

bool vk_vmfs_uuid_parse(const char *text, struct vk_vmfs_uuid *ret_uuid)
{
	struct vk_vmfs_uuid uuid;

	for (size_t i = 0; i < sizeof(uuid.b); i++) {
		int high;
		int low;

		if (i == 4 || i == 8 || i == 10)
			if (*text++ != '-')
				return false;
		high = vk_hex_digit(text[0]);
		low = high < 0 ? -1 : vk_hex_digit(text[1]);
		if (low < 0)
			return false;
		uuid.b[text_order[i]] = (uint8_t)(high << 4 | low);
		text += 2;
	}
	if (*text != '\0')
		return false;
	*ret_uuid = uuid;
	return true;
}

bool vk_vmfs_uuid_is_nil(const struct vk_vmfs_uuid *uuid)
{
	return vk_all_zero(uuid->b, sizeof(uuid->b));
}

bool vk_vmfs_uuid_equal(const struct vk_vmfs_uuid *a, const struct vk_vmfs_uuid *b)
{
	return memcmp(a->b, b->b, sizeof(a->b)) == 0;
}

void vk_mac_format(const uint8_t mac[6], char ret_text[VK_MAC_TEXT_BYTES])
{
	struct vk_text text = vk_text_in(ret_text, VK_MAC_TEXT_BYTES);

	for (int i = 0; i < 6; i++)
		vk_text_fmt(&text, "%s%02x", i == 0 ? "" : ":", mac[i]);
}
