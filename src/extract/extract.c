/* SPDX-License-Identifier: Apache-2.0 */
/* Copying a file of a volume into a file or a pipe: read ahead, digested and written at the same time. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "base/crash_point.h"
#include "base/memory.h"
#include "extract/hasher.h"
#include "io/read_ahead.h"
#include "vmfskit/extract.h"

/* Holes are counted in parts: a digest of terabytes of zeros takes its time, too. */
enum { TELL_EVERY_MS = 200, HOLE_PART_BYTES = 64 << 20, ZERO_BYTES = 64 << 10 };

struct copy {
	struct vk_extract *x;
	struct vk_hasher *hasher; /* NULL: no digest */
	const char *out_name;
	uint64_t told_ms;
	uint64_t zeros_from; /* from here on there were zeros; UINT64_MAX: there were none */
	uint64_t io_end;
};

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* The caller hears of it now and then; whether to go on. */
static bool report(struct copy *c)
{
	uint64_t now = now_ms();

	if (now - c->told_ms < TELL_EVERY_MS)
		return true;
	c->told_ms = now;
	if (c->x->progress == NULL || c->x->progress(c->x->ctx, c->x))
		return true;
	c->x->end = VK_EXTRACT_STOPPED;
	return false;
}

/*
 * Whether bytes can be moved there out of a pipe: an empty one says that there are none yet. Only into a file, which
 * gets a copy: the reader of a pipe or socket would get what stands in the image when he reads it.
 */
static bool takes_pipes(int fd)
{
	struct stat st;
	int ends[2];
	bool takes;

	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || pipe2(ends, O_CLOEXEC) != 0)
		return false;
	takes = splice(ends[0], NULL, fd, NULL, 1, SPLICE_F_NONBLOCK) < 0 && errno == EAGAIN;
	close(ends[0]);
	close(ends[1]);
	return takes;
}

static ssize_t write_some(const struct vk_extract *x, const uint8_t *bytes, int pipe, size_t len, off_t at)
{
	if (vk_step_fails("extract: write"))
		return -1;
	if (bytes == NULL)
		return splice(pipe, NULL, x->fd, x->sparse ? &at : NULL, len, 0);
	return x->sparse ? pwrite(x->fd, bytes, len, at) : write(x->fd, bytes, len);
}

/* Where bytes is NULL they are in the pipe. */
static enum vk_status write_bytes(const struct copy *c, const uint8_t *bytes, int pipe, size_t len,
				  struct vk_error *err)
{
	const struct vk_extract *x = c->x;

	for (size_t done = 0; done < len;) {
		const ssize_t n = write_some(x, bytes != NULL ? bytes + done : NULL, pipe, len - done,
					     (off_t)(x->position + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			vk_error_errno(err, n < 0 ? errno : EIO, c->out_name, "cannot write");
			(void)vk_error_at(err, x->position + done);
			return VK_IO;
		}
		done += (size_t)n;
	}
	return VK_OK;
}

/* Whether fd holds these bytes from the position on, or zeros where bytes is NULL; its holes are not read. */
static enum vk_status compare_bytes(const struct copy *c, const uint8_t *bytes, uint64_t len, struct vk_error *err)
{
	static const uint8_t zeros[ZERO_BYTES];
	struct vk_extract *x = c->x;
	uint8_t there[ZERO_BYTES];

	for (uint64_t done = 0, n; done < len; done += n) {
		const off_t at = (off_t)(x->position + done);
		ssize_t got;

		if (bytes == NULL) {
			const off_t data = lseek(x->fd, at, SEEK_DATA);

			if ((data < 0 && errno == ENXIO) || (data >= at && (uint64_t)(data - at) >= len - done))
				return VK_OK;
			n = data > at ? (uint64_t)(data - at) : 0;
			if (n > 0)
				continue;
		}
		n = vk_min_u64(len - done, sizeof(there));
		got = pread(x->fd, there, (size_t)n, at);
		if (got < 0 && errno == EINTR) {
			n = 0;
			continue;
		}
		if (got < 0) {
			vk_error_errno(err, errno, c->out_name, "cannot read the file");
			(void)vk_error_at(err, (uint64_t)at);
			return VK_IO;
		}
		n = (uint64_t)got;
		if (got == 0 || memcmp(there, bytes != NULL ? bytes + done : zeros, (size_t)n) != 0) {
			x->end = VK_EXTRACT_DIFFERS;
			return VK_OK;
		}
	}
	return VK_OK;
}

static enum vk_status write_zeros(struct copy *c, uint64_t len, struct vk_error *err)
{
	static const uint8_t zeros[ZERO_BYTES];
	enum vk_status status = VK_OK;

	for (uint64_t n; status == VK_OK && len > 0; len -= n) {
		n = vk_min_u64(len, sizeof(zeros));
		status = write_bytes(c, zeros, -1, (size_t)n, err);
	}
	return status;
}

/* Bytes of a piece, or zeros where it is NULL: digested and written at the same time. */
static enum vk_status put_bytes(struct copy *c, const struct vk_piece *piece, uint64_t len, struct vk_error *err)
{
	const uint8_t *bytes = piece != NULL ? piece->bytes : NULL;
	enum vk_status status = VK_OK;

	if (c->hasher != NULL)
		vk_hasher_begin(c->hasher, bytes, len);
	if (c->x->compare)
		status = compare_bytes(c, bytes, len, err);
	else if (piece != NULL)
		status = write_bytes(c, bytes, piece->pipe, (size_t)len, err);
	else if (!c->x->sparse)
		status = write_zeros(c, len, err);
	if (c->hasher != NULL)
		vk_hasher_wait(c->hasher);
	if (status == VK_OK && c->x->end != VK_EXTRACT_DIFFERS) {
		c->x->position += len;
		c->x->written_bytes += piece != NULL && !c->x->compare ? len : 0;
	}
	return status;
}

static enum vk_status put_hole(struct copy *c, uint64_t len, struct vk_error *err)
{
	enum vk_status status = VK_OK;

	for (uint64_t n; status == VK_OK && len > 0 && c->x->end == VK_EXTRACT_DONE; len -= n) {
		n = c->hasher == NULL && c->x->sparse && !c->x->compare ? len : vk_min_u64(len, HOLE_PART_BYTES);
		status = put_bytes(c, NULL, n, err);
		if (status == VK_OK)
			(void)report(c);
	}
	return status;
}

static bool note_missing(struct vk_extract *x, uint64_t offset, uint64_t length, bool absent)
{
	struct vk_extract_missing *last = x->missing_count > 0 ? &x->missing[x->missing_count - 1] : NULL;
	const struct vk_extract_missing new = {offset, length, absent};

	x->missing_bytes += length;
	if (last != NULL && (x->missing_count == VK_EXTRACT_MISSING_MAX ||
			     (last->absent == absent && last->file_offset + last->length_bytes == offset))) {
		last->length_bytes = offset + length - last->file_offset;
		return true;
	}
	return vk_append(&x->missing, &x->missing_count, &new, sizeof(new)) != NULL;
}

/* Zeros end at this byte: the whole blocks of them count. */
static void end_zeros(struct copy *c, uint64_t at)
{
	const uint64_t block = VK_EXTRACT_ZERO_BYTES, from = c->zeros_from;
	const uint64_t end = at == c->io_end ? at : at - at % block;

	c->zeros_from = UINT64_MAX;
	if (from != UINT64_MAX && from + (block - from % block) % block < end)
		c->x->zero_bytes += end - (from + (block - from % block) % block);
}

static void count_zeros(struct copy *c, const struct vk_piece *piece)
{
	for (uint64_t done = 0, n; done < piece->length_bytes; done += n) {
		const uint64_t at = piece->offset_bytes + done;
		bool zeros = piece->kind == VK_PIECE_ZERO;

		n = piece->length_bytes - done;
		if (piece->kind == VK_PIECE_BYTES) {
			n = vk_min_u64(n, VK_EXTRACT_ZERO_BYTES - at % VK_EXTRACT_ZERO_BYTES);
			zeros = vk_all_zero(piece->bytes + done, (size_t)n);
		}
		if (!zeros)
			end_zeros(c, at);
		else if (c->zeros_from == UINT64_MAX)
			c->zeros_from = at;
	}
}

static enum vk_status take_piece(struct copy *c, const struct vk_piece *piece, struct vk_error *err)
{
	struct vk_extract *x = c->x;

	if (x->count_zeros)
		count_zeros(c, piece);
	switch (piece->kind) {
	case VK_PIECE_BYTES:
		return put_bytes(c, piece, piece->length_bytes, err);
	case VK_PIECE_ZERO:
		return put_hole(c, piece->length_bytes, err);
	case VK_PIECE_MISSING:
		if (!note_missing(x, piece->offset_bytes, piece->length_bytes, piece->absent))
			return vk_no_memory(err, c->out_name);
		if (x->stop_at_missing) {
			x->end = VK_EXTRACT_MISSING;
			return VK_OK;
		}
		return put_hole(c, piece->length_bytes, err);
	}
	return VK_INTERNAL;
}

static enum vk_status copy_pieces(struct copy *c, struct vk_read_ahead *reader, uint64_t end, struct vk_error *err)
{
	struct vk_extract *x = c->x;
	enum vk_status status = VK_OK;

	while (status == VK_OK && x->position < end && x->end == VK_EXTRACT_DONE) {
		const struct vk_piece *piece;

		status = vk_read_ahead_next(reader, TELL_EVERY_MS, &piece, err);
		if (status == VK_OK && piece != NULL && piece->length_bytes == 0)
			break;
		if (status == VK_OK && piece != NULL) {
			status = take_piece(c, piece, err);
			/* into a pipe that was not emptied the thread would write for ever */
			if (status == VK_OK)
				vk_read_ahead_give_back(reader);
		}
		if (status == VK_OK && x->end == VK_EXTRACT_DONE)
			(void)report(c);
	}
	return status;
}

enum vk_status vk_extract(struct vk_extract *x, struct vk_io *io, uint64_t start, uint64_t end, const char *out_name,
			  struct vk_error *err)
{
	struct copy copy = {.x = x, .out_name = out_name, .told_ms = now_ms(), .zeros_from = UINT64_MAX,
			    .io_end = vk_io_size_bytes(io)};
	unsigned how = VK_READ_EVERY_SECTOR;
	struct vk_read_ahead *reader;
	enum vk_status status;

	x->position = start;
	x->end = VK_EXTRACT_DONE;
	if (start >= end)
		return VK_OK;
	copy.hasher = x->digest != NULL ? vk_hasher_open(x->digest) : NULL;
	if (x->digest != NULL && copy.hasher == NULL)
		return vk_no_memory(err, out_name);
	if (copy.hasher == NULL && !x->compare && !x->count_zeros && takes_pipes(x->fd))
		how |= VK_READ_INTO_PIPES;
	status = vk_read_ahead_open(io, start, end, how, &reader, err);
	if (status == VK_OK) {
		status = copy_pieces(&copy, reader, end, err);
		vk_read_ahead_close(reader);
		end_zeros(&copy, x->position);
	}
	vk_hasher_close(copy.hasher);
	return status;
}

void vk_extract_free(struct vk_extract *x)
{
	free(x->missing);
	x->missing = NULL;
	x->missing_count = 0;
}
