/* SPDX-License-Identifier: Apache-2.0 */
/* Copying ranges of a source into files. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/bytes.h"
#include "base/checked.h"
#include "io/holes.h"
#include "store/folder/save.h"

enum { ALIGNMENT = 4096 };

enum vk_status vk_saver_init(struct vk_saver *saver, struct vk_io *io, struct vk_error *err)
{
	void *buf = NULL;

	memset(saver, 0, sizeof(*saver));
	saver->io = io;
	if (!vk_digest_init(&saver->digest) || !vk_sum_init(&saver->sum) ||
	    posix_memalign(&buf, ALIGNMENT, VK_FILE_BUFFER_BYTES) != 0) {
		vk_saver_free(saver);
		return vk_no_memory(err, io != NULL ? vk_io_name(io) : NULL);
	}
	saver->buf = buf;
	return VK_OK;
}

void vk_saver_free(struct vk_saver *saver)
{
	vk_digest_free(&saver->digest);
	vk_sum_free(&saver->sum);
	free(saver->buf);
	free(saver->missing);
	memset(saver, 0, sizeof(*saver));
}

/* Neighbours become one range. Beyond the bound the last range grows: rather too much on record than too little. */
static bool note_missing(struct vk_saver *s, bool is_absent, uint64_t offset, uint64_t length)
{
	struct vk_missing *last = s->missing_count > 0 ? &s->missing[s->missing_count - 1] : NULL;
	const struct vk_missing new = {{offset, length}, is_absent};

	if (last != NULL && offset >= last->range.offset_bytes &&
	    (s->missing_count == VK_CAPTURE_RANGES_MAX ||
	     (is_absent == last->is_absent && offset == last->range.offset_bytes + last->range.length_bytes))) {
		last->range.length_bytes = offset + length - last->range.offset_bytes;
		return true;
	}
	return vk_append(&s->missing, &s->missing_count, &new, sizeof(new)) != NULL;
}

/* One step of a region: *ret_done bytes of it are dealt with. */
static enum vk_status copy_step(struct vk_saver *s, const struct vk_region *region, uint64_t pos,
				struct vk_region_file *file, uint64_t *ret_done, struct vk_error *err)
{
	uint64_t offset = region->offset_bytes + pos;
	uint64_t rest = region->length_bytes - pos;
	uint64_t sector = vk_io_sector_size(s->io);
	struct vk_span span = vk_io_span(s->io, offset);

	*ret_done = vk_min_u64(span.length_bytes, rest);
	if (span.state == VK_SPAN_DATA && *ret_done > 0) {
		size_t done;
		enum vk_status status = vk_io_read(s->io, offset, s->buf,
						   (size_t)vk_min_u64(*ret_done, VK_FILE_BUFFER_BYTES), &done, err);

		if (status == VK_OK && done > 0) {
			*ret_done = done;
			vk_digest_add(&s->digest, s->buf, done);
			return vk_region_file_bytes(file, pos, s->buf, done, err);
		}
		if (status != VK_OK)
			return status;
		/* nothing came although something should be there: now the source knows why, or it is one sector */
		span = vk_io_span(s->io, offset);
		*ret_done = vk_min_u64(span.length_bytes, rest);
		if (span.state == VK_SPAN_DATA || span.state == VK_SPAN_ZERO)
			*ret_done = vk_min_u64(*ret_done, sector - offset % sector);
	} else if (span.state == VK_SPAN_ZERO && *ret_done > 0) {
		vk_digest_add_zeros(&s->digest, *ret_done);
		return VK_OK;
	}
	if (span.state == VK_SPAN_END || *ret_done == 0)
		*ret_done = rest;
	vk_digest_add_zeros(&s->digest, *ret_done);
	return note_missing(s, span.state == VK_SPAN_ABSENT, offset, *ret_done) ? VK_OK
										: vk_no_memory(err, vk_io_name(s->io));
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
	memcpy(region->md5, saver->digest.md5_hex, sizeof(region->md5));
	return VK_OK;
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
	for (uint64_t pos = 0, n; pos < length; pos += n) {
		struct vk_span span = vk_hole_span(fd, pos);

		n = vk_min_u64(span.length_bytes, length - pos);
		if (span.state == VK_SPAN_ZERO) {
			vk_digest_add_zeros(&s->digest, n);
			continue;
		}
		n = vk_min_u64(n, VK_FILE_BUFFER_BYTES);
		if (!vk_pread_all(fd, s->buf, (size_t)n, pos) || !keep(to, s->buf, (size_t)n, pos)) {
			vk_digest_restart(&s->digest);
			return false;
		}
		vk_digest_add(&s->digest, s->buf, (size_t)n);
	}
	return vk_digest_take(&s->digest, ret_hex);
}
