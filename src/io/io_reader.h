/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a source from front to back, for streams that must be unfolded. */
#ifndef VK_IO_IO_READER_H
#define VK_IO_IO_READER_H

#include "vmfskit/io.h"

#define VK_READER_BYTES ((size_t)1 << 16)

struct vk_byte_reader {
	struct vk_io *io;
	uint64_t limit;        /* bytes behind this offset are not read */
	uint64_t start;        /* offset of buf[0] */
	size_t at;             /* next byte in buf */
	size_t len;            /* bytes in buf */
	bool failed;           /* stopped in front of the end of the source; error says why */
	struct vk_error error;
	uint8_t buf[VK_READER_BYTES];
};

void vk_byte_reader_init(struct vk_byte_reader *reader, struct vk_io *io, uint64_t limit);
/* Offset of the next byte. */
uint64_t vk_byte_reader_tell(const struct vk_byte_reader *reader);
void vk_byte_reader_seek(struct vk_byte_reader *reader, uint64_t offset);
/* The next byte; false at the end, at the limit, or where the source cannot be read. */
VK_MUST_USE bool vk_byte_reader_byte(struct vk_byte_reader *reader, uint8_t *ret_byte);
/* The next len bytes, or false when there are fewer; they are then used up. */
VK_MUST_USE bool vk_byte_reader_bytes(struct vk_byte_reader *reader, uint8_t *ret_bytes, size_t len);

#endif
