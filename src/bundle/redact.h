/* SPDX-License-Identifier: Apache-2.0 */
/* What is left out of the structures of a file system where names must not be sent. Functions of bytes. */
#ifndef VK_BUNDLE_REDACT_H
#define VK_BUNDLE_REDACT_H

#include "bundle/bundle.h"

struct vk_redact {
	const uint8_t *key;    /* VK_REDACT_KEY_BYTES */
	bool failed;           /* a hash could not be worked out: nothing may be kept */
};
/*
 * A name of a file in room bytes: hashed up to an ending that programs give, which stays. System files, "." and ".."
 * keep theirs.
 */
void vk_redact_name(struct vk_redact *redact, uint8_t *name, size_t room);
/* Entries of a folder of VMFS 3 and 5, one behind the other; what is behind the last whole one becomes zeros. */
void vk_redact_entries(struct vk_redact *redact, uint8_t *bytes, size_t len);
/* A part of a folder of VMFS6, at a multiple of md_alignment: its hash table and links become zeros. */
void vk_redact_folder6(struct vk_redact *redact, uint64_t file_offset, uint8_t *bytes, size_t len,
		       uint32_t md_alignment);
/*
 * A whole file descriptor. Contents that lie in it become zeros; how many bytes of it, from the first on, may be kept:
 * none of contents, if it has some.
 */
size_t vk_redact_descriptor(struct vk_redact *redact, const struct vk_fs_info *info, uint8_t *bytes);
/* A sector of the heartbeat region: IP addresses, and what is behind a slot. */
void vk_redact_heartbeat(uint8_t sector[512]);

#endif
