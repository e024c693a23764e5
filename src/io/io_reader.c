/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a source from front to back. */
#include <string.h>

#include "base/checked.h"
#include "io/io_reader.h"

void vk_byte_reader_init(struct vk_byte_reader *reader, struct vk_io *io, uint64_t limit)
{
	reader->io = io;
	reader->limit = vk_min_u64(limit, vk_io_size_bytes(io));
	reader->start = 0;
	reader->at = 0;
	reader->len = 0;
	reader->failed = false;
}

uint64_t vk_byte_reader_tell(const struct vk_byte_reader *reader)
{
	return reader->start + reader->at;
}

void vk_byte_reader_seek(struct vk_byte_reader *reader, uint64_t offset)
{
	reader->failed = false;
	if (offset >= reader->start && offset - reader->start <= reader->len) {
		reader->at = (size_t)(offset - reader->start);
		return;
	}
	reader->start = offset;
	reader->at = 0;
	reader->len = 0;
}

static bool refill(struct vk_byte_reader *reader)
{
	uint64_t offset = vk_byte_reader_tell(reader);
	size_t want;
	size_t got;

	if (offset >= reader->limit || reader->failed)
		return false;
	want = (size_t)vk_min_u64(sizeof(reader->buf), reader->limit - offset);
	reader->start = offset;
	reader->at = 0;
	reader->len = 0;
	if (vk_io_read(reader->io, offset, reader->buf, want, &got, &reader->error) != VK_OK) {
		reader->failed = true;
		return false;
	}
	reader->len = got;
	if (got == 0) {
		reader->failed = true;
		vk_error_set(&reader->error, VK_IO, vk_io_name(reader->io),
			     "the file cannot be read on");
		vk_error_at(&reader->error, offset);
	}
	return got > 0;
}

bool vk_byte_reader_byte(struct vk_byte_reader *reader, uint8_t *ret_byte)
{
	if (reader->at == reader->len && !refill(reader))
		return false;
	*ret_byte = reader->buf[reader->at++];
	return true;
}

bool vk_byte_reader_bytes(struct vk_byte_reader *reader, uint8_t *ret_bytes, size_t len)
{
	while (len > 0) {
		size_t n;

		if (reader->at == reader->len && !refill(reader))
			return false;
		n = reader->len - reader->at < len ? reader->len - reader->at : len;
		memcpy(ret_bytes, reader->buf + reader->at, n);
		reader->at += n;
		ret_bytes += n;
		len -= n;
	}
	return true;
}
