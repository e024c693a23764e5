/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The form of a bundle (docs/bundle.md): a head, frames of zstd, an index, a tail; numbers are little-endian. Head,
 * index and tail are frames that zstd skips, so that `zstd -dc` gives the bytes of all frames.
 */
#ifndef VK_IO_IMAGE_BUNDLE_FORM_H
#define VK_IO_IMAGE_BUNDLE_FORM_H

#include "vmfskit/bundle.h"

#define VK_BUNDLE_SKIPPED 0x184D2A5EU /* of a frame that is skipped: magic, length of what follows */
#define VK_BUNDLE_HEAD "vmfskit bundle 1\n\0\0\0\0\0\0\0"
#define VK_BUNDLE_TAIL "vmfskit index 1\n"
enum {
	VK_BUNDLE_SHA_BYTES = 32,
	VK_BUNDLE_SKIPPED_BYTES = 8,
	VK_BUNDLE_MAGIC_BYTES = 15, /* of the head, in front of its version */
	VK_BUNDLE_HEAD_BYTES = VK_BUNDLE_SKIPPED_BYTES + 24,

	/* the tail, behind what is skipped: the magic, then */
	VK_BUNDLE_TAIL_INDEX_AT = 16,     /* u64: where the frame of the index begins */
	VK_BUNDLE_TAIL_INDEX_PACKED = 24, /* u64 */
	VK_BUNDLE_TAIL_INDEX_BYTES = 32,  /* u64: unpacked */
	VK_BUNDLE_TAIL_SHA = 40,          /* of the unpacked index */
	VK_BUNDLE_TAIL_BYTES = 72,

	/* the index: this, then its ranges, frames and facts */
	VK_BUNDLE_INDEX_SOURCE = 0,       /* u64: length of the source */
	VK_BUNDLE_INDEX_SECTOR = 8,       /* u32 */
	VK_BUNDLE_INDEX_FLAGS = 12,       /* u32 */
	VK_BUNDLE_INDEX_RANGES = 16,      /* u64: how many */
	VK_BUNDLE_INDEX_FRAMES = 24,      /* u64 */
	VK_BUNDLE_INDEX_FACTS = 32,       /* u64: bytes */
	VK_BUNDLE_INDEX_HEAD_BYTES = 64,
	/* a range: u64 offset, u64 length, u32 kind, u32 zero */
	VK_BUNDLE_RANGE_BYTES = 24,
	/* a frame: u32 packed length, u32 length, SHA-256 of the unpacked bytes */
	VK_BUNDLE_FRAME_ROW_BYTES = 8 + VK_BUNDLE_SHA_BYTES
};
#define VK_BUNDLE_REDACTED 1U /* flag */

/* False when it cannot be worked out. */
VK_MUST_USE bool vk_bundle_sha(const void *bytes, size_t len, uint8_t ret_sha[VK_BUNDLE_SHA_BYTES]);

#endif
