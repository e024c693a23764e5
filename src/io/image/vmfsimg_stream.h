/* SPDX-License-Identifier: Apache-2.0 */
/* The sequences of a VMFSIMG stream, one after the other, and their checksum. */
#ifndef VK_IO_VMFSIMG_STREAM_H
#define VK_IO_VMFSIMG_STREAM_H

#include "io/io_reader.h"

#define VK_VMFSIMG_MAGIC "VMFSIMG"
#define VK_VMFSIMG_MAGIC_BYTES 7
#define VK_VMFSIMG_HEADER_BYTES 8
#define VK_VMFSIMG_VERSION_MAX 2
#define VK_VMFSIMG_BLOCK_BYTES 512

enum vk_vmfsimg_kind {
	VK_VMFSIMG_DATA,  /* one block */
	VK_VMFSIMG_ZEROS, /* a run of zero blocks */
	VK_VMFSIMG_CHECK, /* Adler-32 of all before */
	VK_VMFSIMG_END,
	VK_VMFSIMG_BROKEN /* what says why, the offset is that of the sequence */
};
struct vk_vmfsimg_sequence {
	enum vk_vmfsimg_kind kind;
	uint64_t offset; /* of its first byte in the stream */
	uint64_t blocks; /* of output */
	uint32_t adler;
	size_t data_len; /* bytes of data that come from the stream; the rest of the block is zero */
	uint8_t data[VK_VMFSIMG_BLOCK_BYTES];
	const char *what;
};

/* Decode the sequence at the reader's position. */
void vk_vmfsimg_next(struct vk_byte_reader *reader, unsigned version, struct vk_vmfsimg_sequence *ret_seq);

/*
 * Adler-32 of all output up to the end of this sequence, from that of all before it (1 at the start); in constant time
 * for zeros.
 */
uint32_t vk_adler_of(uint32_t before, const struct vk_vmfsimg_sequence *seq);

#endif
