/* SPDX-License-Identifier: Apache-2.0 */
/* Copying ranges of a source into files. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/bytes.h"
#include "base/checked.h"
#include "store/folder/save.h"

enum { ALIGNMENT = 4096 };

enum vk_status vk_saver_init(struct vk_saver *saver, struct vk_io *io,
			      const struct vk_capture_shared *shared, struct vk_error *err)
{
	void *buf = NULL;

	memset(saver, 0, sizeof(*saver));
	saver->io = io;
	if (!vk_digest_init(&saver->digest, shared) ||
	    posix_memalign(&buf, ALIGNMENT, VK_SAVE_BUFFER_BYTES) != 0) {
		vk_saver_free(saver);
		return vk_no_memory(err, io != NULL ? vk_io_name(io) : NULL);
	}
	saver->buf = buf;
	return VK_OK;
}

void vk_saver_free(struct vk_saver *saver)
{
	vk_digest_free(&saver->digest);
	free(saver->buf);
	free(saver->unreadable);
	free(saver->absent);
	memset(saver, 0, sizeof(*saver));
}

/*
 * Neighbours become one range. Beyond the bound the last range grows: rather too much on record
 * than too little.
 */
static bool note_range(struct vk_range **list, size_t *count, size_t *cap, uint64_t offset,
		       uint64_t length)
{
	struct vk_range *last = *count > 0 ? &(*list)[*count - 1] : NULL;

	if (last != NULL && offset >= last->offset_bytes &&
	    (offset == last->offset_bytes + last->length_bytes || *count == VK_CAPTURE_RANGES_MAX)) {
		last->length_bytes = offset + length - last->offset_bytes;
		return true;
	}
	if (*list == NULL || *count == *cap) {
		size_t grown = *cap == 0 ? 16 : *cap * 2;
		struct vk_range *ranges = realloc(*list, grown * sizeof(*ranges));

		if (ranges == NULL)
			return false;
		*list = ranges;
		*cap = grown;
	}
	(*list)[(*count)++] = (struct vk_range){offset, length};
	return true;
}

static bool note_missing(struct vk_saver *s, enum vk_span_state why, uint64_t offset, uint64_t length)
{
	if (why == VK_SPAN_ABSENT)
		return note_range(&s->absent, &s->absent_count, &s->absent_cap, offset, length);
	return note_range(&s->unreadable, &s->unreadable_count, &s->unreadable_cap, offset, length);
}

/*
 * Copy what can be read at the place; *ret_done 0: nothing came although something should be
 * there.
 */
static enum vk_status copy_data(struct vk_saver *s, const struct vk_region *region, uint64_t pos,
				uint64_t length, struct vk_region_file *file, size_t *ret_done,
				struct vk_error *err)
{
	size_t len = (size_t)vk_min_u64(length, VK_SAVE_BUFFER_BYTES);
	enum vk_status status =
		vk_io_read(s->io, region->offset_bytes + pos, s->buf, len, ret_done, err);

	if (status != VK_OK || *ret_done == 0)
		return status;
	if (vk_all_zero(s->buf, *ret_done)) {
		vk_digest_add_zeros(&s->digest, *ret_done);
		return vk_region_file_zeros(file, pos, *ret_done, err);
	}
	vk_digest_add(&s->digest, s->buf, *ret_done);
	return vk_region_file_bytes(file, pos, s->buf, *ret_done, err);
}

/* One step of a region: *ret_done bytes of it are dealt with. */
static enum vk_status copy_step(struct vk_saver *s, const struct vk_region *region, uint64_t pos,
				struct vk_region_file *file, uint64_t *ret_done,
				struct vk_error *err)
{
	uint64_t offset = region->offset_bytes + pos;
	uint64_t rest = region->length_bytes - pos;
	uint64_t sector = vk_io_sector_size(s->io);
	struct vk_span span = vk_io_span(s->io, offset);
	uint64_t length = vk_min_u64(span.length_bytes, rest);
	enum vk_status status;
	size_t done;

	if (span.state == VK_SPAN_ZERO && length > 0) {
		vk_digest_add_zeros(&s->digest, length);
		*ret_done = length;
		return vk_region_file_zeros(file, pos, length, err);
	}
	if (span.state == VK_SPAN_DATA && length > 0) {
		status = copy_data(s, region, pos, length, file, &done, err);
		*ret_done = done;
		if (status != VK_OK || done > 0)
			return status;
		span = vk_io_span(s->io, offset);
		length = vk_min_u64(span.length_bytes, rest);
		if (span.state == VK_SPAN_DATA || span.state == VK_SPAN_ZERO)
			length = vk_min_u64(length, sector - offset % sector);
	}
	if (span.state == VK_SPAN_END || length == 0)
		length = rest;
	vk_digest_add_zeros(&s->digest, length);
	*ret_done = length;
	return note_missing(s, span.state, offset, length)
		       ? vk_region_file_zeros(file, pos, length, err)
		       : vk_no_memory(err, vk_io_name(s->io));
}

struct vk_saver_mark vk_saver_mark(const struct vk_saver *saver)
{
	struct vk_saver_mark mark = {.unreadable_count = saver->unreadable_count,
				     .absent_count = saver->absent_count};

	if (mark.unreadable_count > 0)
		mark.unreadable = saver->unreadable[mark.unreadable_count - 1];
	if (mark.absent_count > 0)
		mark.absent = saver->absent[mark.absent_count - 1];
	return mark;
}

void vk_saver_back_to(struct vk_saver *saver, const struct vk_saver_mark *mark)
{
	saver->unreadable_count = mark->unreadable_count;
	saver->absent_count = mark->absent_count;
	if (mark->unreadable_count > 0)
		saver->unreadable[mark->unreadable_count - 1] = mark->unreadable;
	if (mark->absent_count > 0)
		saver->absent[mark->absent_count - 1] = mark->absent;
}

enum vk_status vk_saver_copy(struct vk_saver *saver, struct vk_region *region,
			     struct vk_region_file *file, struct vk_error *err)
{
	for (uint64_t pos = 0; pos < region->length_bytes;) {
		uint64_t done = 0;
		enum vk_status status = copy_step(saver, region, pos, file, &done, err);

		if (status != VK_OK) {
			vk_digest_restart(&saver->digest);
			return status;
		}
		pos += done;
	}
	if (!vk_digest_take(&saver->digest, region->sha256))
		return vk_error_set(err, VK_INTERNAL, region->file, "the digest could not be computed");
	return VK_OK;
}

bool vk_saver_digest(struct vk_saver *s, int fd, uint64_t length, char ret_hex[VK_SHA256_HEX_BYTES])
{
	return vk_saver_keep(s, fd, length, NULL, ret_hex);
}

/* Zeros need not be written: what is kept begins as a hole. */
static bool keep(struct vk_keeping *to, const uint8_t *bytes, size_t len, uint64_t pos)
{
	if (to == NULL || vk_all_zero(bytes, len))
		return true;
	if (len > to->room) {
		errno = EFBIG;
		return false;
	}
	to->room -= len;
	for (size_t done = 0; done < len;) {
		ssize_t n = pwrite(to->fd, bytes + done, len - done, (off_t)(to->start + pos + done));

		if (n < 0 && errno != EINTR)
			return false;
		done += n > 0 ? (size_t)n : 0;
	}
	return true;
}

bool vk_saver_keep(struct vk_saver *s, int fd, uint64_t length, struct vk_keeping *to,
		   char ret_hex[VK_SHA256_HEX_BYTES])
{
	uint64_t pos = 0;

	while (pos < length) {
		off_t data = lseek(fd, (off_t)pos, SEEK_DATA);
		off_t hole;
		uint64_t end = length;

		if (data < 0 && errno == ENXIO)
			data = (off_t)length;
		if (data > (off_t)pos) {
			end = vk_min_u64((uint64_t)data, length);
			vk_digest_add_zeros(&s->digest, end - pos);
			pos = end;
			continue;
		}
		hole = data < 0 ? -1 : lseek(fd, (off_t)pos, SEEK_HOLE);
		if (hole > (off_t)pos)
			end = vk_min_u64((uint64_t)hole, length);
		while (pos < end) {
			size_t n = (size_t)vk_min_u64(end - pos, VK_SAVE_BUFFER_BYTES);

			if (!vk_pread_all(fd, s->buf, n, pos) || !keep(to, s->buf, n, pos)) {
				vk_digest_restart(&s->digest);
				return false;
			}
			vk_digest_add(&s->digest, s->buf, n);
			pos += n;
		}
	}
	return vk_digest_take(&s->digest, ret_hex);
}
