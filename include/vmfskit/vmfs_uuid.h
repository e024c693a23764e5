/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The 16-byte UUID of VMFS devices, volumes, file systems and hosts.
 * Source of the layout: docs/format.md; verified on a real VMFS3 volume.
 */
#ifndef VMFSKIT_VMFS_UUID_H
#define VMFSKIT_VMFS_UUID_H

#include <stdbool.h>

#include "vmfskit/error.h"
#include "vmfskit/layout.h"

__BEGIN_DECLS

#define VK_VMFS_UUID_ROWS(F, T) \
	F(T, U32, timeLo, 0x00, 4, TIME_S, V, "creation time, Unix seconds (UTC)") \
	F(T, U32, timeHi, 0x04, 4, HEX, U, \
	  "looks random or taken from a processor counter; not a time extension in practice") \
	F(T, U16, rand, 0x08, 2, HEX, V, "random") \
	F(T, BYTES, macAddr, 0x0A, 6, MAC, V, "MAC address of the host that made it, network byte order")

struct vk_vmfs_uuid_parts {
	VK_VMFS_UUID_ROWS(VK_MEMBER, )
};
extern const struct vk_layout vk_vmfs_uuid_layout;

enum { VK_VMFS_UUID_TEXT_BYTES = 36 }; /* 35 characters and the NUL */

void vk_vmfs_uuid_decode(const struct vk_vmfs_uuid *uuid, struct vk_vmfs_uuid_parts *ret_parts);
void vk_vmfs_uuid_encode(const struct vk_vmfs_uuid_parts *parts, struct vk_vmfs_uuid *ret_uuid);
/* "49edf842-dcb35d37-b383-0021280083cf" */
void vk_vmfs_uuid_format(const struct vk_vmfs_uuid *uuid, char ret_text[VK_VMFS_UUID_TEXT_BYTES]);
/* The same, to be named in the arguments of a call: vk_vmfs_uuid_text(&uuid).text lives as long as the statement. */
struct vk_vmfs_uuid_text {
	char text[VK_VMFS_UUID_TEXT_BYTES];
};
struct vk_vmfs_uuid_text vk_vmfs_uuid_text(const struct vk_vmfs_uuid *uuid);
/* The reverse; false when the text is not exactly of that form. */
VK_MUST_USE bool vk_vmfs_uuid_parse(const char *text, struct vk_vmfs_uuid *ret_uuid);
bool vk_vmfs_uuid_is_nil(const struct vk_vmfs_uuid *uuid);
bool vk_vmfs_uuid_equal(const struct vk_vmfs_uuid *a, const struct vk_vmfs_uuid *b);

enum { VK_MAC_TEXT_BYTES = 18 };
/* "00:21:28:00:83:cf" */
void vk_mac_format(const uint8_t mac[6], char ret_text[VK_MAC_TEXT_BYTES]);

__END_DECLS
#endif
