/* SPDX-License-Identifier: Apache-2.0 */
/* Files and block devices: cached or direct reading, holes, bad sectors. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/checked.h"
#include "io/io_fault.h"
#include "io/holes.h"
#include "io/io_handle.h"

#define BOUNCE_MAX_BYTES ((size_t)1 << 20)
#define BOUNCE_ALIGN_BYTES ((size_t)4096)

struct file {
	int fd;
	char *name;
	struct vk_io_file_facts facts;
	uint8_t *bounce;
	size_t bounce_bytes;
	struct vk_range_set bad;
	struct vk_range data; /* last answer: asking again costs as much as the data is long */
};

/*
 * Errors that are about these sectors and no others. The block layer gives ENODATA for a medium error, EILSEQ
 * for a failed protection check and EREMOTEIO when the target refuses the address.
 */
static bool is_sector_error(int code)
{
	return code == EIO || code == ENODATA || code == EILSEQ || code == EREMOTEIO;
}

static uint64_t unit_start(const struct file *f, uint64_t offset)
{
	return offset - offset % f->facts.unit_bytes;
}

/* Length of the next attempt: about chunk bytes, ending between two sectors. */
static size_t attempt_bytes(const struct file *f, uint64_t offset, size_t rest, size_t chunk)
{
	uint64_t end;

	if (chunk >= rest)
		return rest;
	end = unit_start(f, offset + chunk);
	if (end <= offset)
		end = unit_start(f, offset) + f->facts.unit_bytes;
	return (size_t)vk_min_u64(end - offset, rest);
}

/* The device takes no aligned direct read after all: read through the cache from now on. */
static bool leave_direct(struct file *f)
{
	int flags = fcntl(f->fd, F_GETFL);

	if (!f->facts.direct || flags < 0 || fcntl(f->fd, F_SETFL, flags & ~O_DIRECT) != 0)
		return false;
	(void)posix_fadvise(f->fd, 0, 0, POSIX_FADV_DONTNEED);
	f->facts.direct = false;
	return true;
}

/* Read; where sectors fail, halve the attempt until the first bad one is known, and stop in front of it. */
static enum vk_status read_run(struct file *f, uint64_t offset, uint8_t *buf, size_t len,
			       size_t *ret_got, struct vk_error *err)
{
	size_t chunk = len;
	size_t done = 0;

	while (done < len) {
		uint64_t at = offset + done;
		size_t want = attempt_bytes(f, at, len - done, chunk);
		ssize_t n;

		vk_io_call_begins(f->facts.in_call_since_ms);
		n = vk_fault_pread(f->fd, buf + done, want, at, f->facts.unit_bytes);
		vk_io_call_ends(f->facts.in_call_since_ms);
		if (n > 0 && f->facts.direct)
			n -= n % (ssize_t)f->facts.unit_bytes;
		if (n > 0) {
			done += (size_t)n;
			continue;
		}
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EINVAL && leave_direct(f))
			continue;
		if (n == 0 || !is_sector_error(errno)) {
			if (n < 0)
				vk_error_errno(err, errno, f->name, "reading failed");
			else
				vk_error_set(err, VK_IO, f->name, "it became shorter while it was read");
			vk_error_at(err, at);
			return VK_IO;
		}
		if (unit_start(f, at) == unit_start(f, at + want - 1)) {
			if (!vk_range_set_add(&f->bad, unit_start(f, at), f->facts.unit_bytes))
				return vk_no_memory(err, f->name);
			break;
		}
		chunk = want / 2;
	}
	*ret_got = done;
	return VK_OK;
}

static bool bounce_reserve(struct file *f, size_t len)
{
	void *bounce;

	if (len <= f->bounce_bytes)
		return true;
	len = (size_t)vk_round_up_sat(len, BOUNCE_ALIGN_BYTES);
	if (posix_memalign(&bounce, BOUNCE_ALIGN_BYTES, len) != 0)
		return false;
	free(f->bounce);
	f->bounce = bounce;
	f->bounce_bytes = len;
	return true;
}

static enum vk_status read_direct(struct file *f, uint64_t offset, uint8_t *buf, size_t len,
				  size_t *ret_got, struct vk_error *err)
{
	uint64_t start = unit_start(f, offset);
	size_t lead = (size_t)(offset - start);
	size_t want = BOUNCE_MAX_BYTES;
	size_t got = 0;
	enum vk_status status;

	/* the device can write into the caller's buffer itself: long reads are not to be copied */
	if (lead == 0 && (uintptr_t)buf % BOUNCE_ALIGN_BYTES == 0 && len >= f->facts.unit_bytes)
		return read_run(f, offset, buf, len - len % f->facts.unit_bytes, ret_got, err);
	if (len < BOUNCE_MAX_BYTES - lead)
		want = (size_t)vk_round_up_sat(lead + len, f->facts.unit_bytes);
	if (!bounce_reserve(f, want))
		return vk_no_memory(err, f->name);
	status = read_run(f, start, f->bounce, want, &got, err);
	if (status != VK_OK)
		return status;
	*ret_got = got <= lead ? 0 : (size_t)vk_min_u64(got - lead, len);
	memcpy(buf, f->bounce + lead, *ret_got);
	return VK_OK;
}

static enum vk_status file_read_at(void *self, uint64_t offset, void *buf, size_t len,
				   size_t *ret_got, struct vk_error *err)
{
	struct file *f = self;
	size_t done = 0;

	while (done < len) {
		uint64_t at = offset + done;
		const struct vk_range *bad = vk_range_set_find(&f->bad, at);
		size_t want = len - done;
		size_t got = 0;
		enum vk_status status;

		if (bad != NULL && bad->offset_bytes <= at)
			break;
		if (bad != NULL)
			want = (size_t)vk_min_u64(want, bad->offset_bytes - at);
		status = f->facts.direct ?
				 read_direct(f, at, (uint8_t *)buf + done, want, &got, err) :
				 read_run(f, at, (uint8_t *)buf + done, want, &got, err);
		if (status != VK_OK)
			return status;
		done += got;
	}
	*ret_got = done;
	return VK_OK;
}

/* Devices are read past the cache. */
static size_t file_splice(void *self, uint64_t offset, int pipe, size_t len)
{
	struct file *f = self;
	const struct vk_range *bad = vk_range_set_find(&f->bad, offset);
	ssize_t n;

	if (f->facts.is_device || (bad != NULL && bad->offset_bytes <= offset))
		return 0;
	if (bad != NULL)
		len = (size_t)vk_min_u64(len, bad->offset_bytes - offset);
	vk_io_call_begins(f->facts.in_call_since_ms);
	n = vk_fault_splice(f->fd, pipe, len, offset, f->facts.unit_bytes);
	vk_io_call_ends(f->facts.in_call_since_ms);
	return n > 0 ? (size_t)n : 0;
}

static struct vk_span span_of_holes(struct file *f, uint64_t offset)
{
	struct vk_span span;

	if (offset >= f->data.offset_bytes && offset - f->data.offset_bytes < f->data.length_bytes)
		return (struct vk_span){VK_SPAN_DATA,
					f->data.length_bytes - (offset - f->data.offset_bytes)};
	span = vk_hole_span(f->fd, offset);
	if (span.state == VK_SPAN_DATA && span.length_bytes != UINT64_MAX)
		f->data = (struct vk_range){offset, span.length_bytes};
	return span;
}

static struct vk_span file_span(void *self, uint64_t offset)
{
	struct file *f = self;
	const struct vk_range *bad = vk_range_set_find(&f->bad, offset);
	struct vk_span span = {VK_SPAN_DATA, UINT64_MAX};

	if (bad != NULL && bad->offset_bytes <= offset)
		return (struct vk_span){VK_SPAN_UNREADABLE,
					bad->offset_bytes + bad->length_bytes - offset};
	if (!f->facts.is_device && !f->facts.dense)
		span = span_of_holes(f, offset);
	if (bad != NULL)
		span.length_bytes = vk_min_u64(span.length_bytes, bad->offset_bytes - offset);
	return span;
}

static void file_close(void *self)
{
	struct file *f = self;

	close(f->fd);
	vk_range_set_free(&f->bad);
	free(f->bounce);
	free(f->name);
	free(f);
}

static const struct vk_io_ops file_ops = {file_read_at, file_span, file_close, file_splice};

struct vk_io *vk_io_file(int fd, const char *name, const struct vk_io_file_facts *facts)
{
	struct file *f = calloc(1, sizeof(*f));
	char *copy = strdup(name);
	struct vk_io *io;

	if (f == NULL || copy == NULL) {
		free(f);
		free(copy);
		close(fd);
		return NULL;
	}
	f->fd = fd;
	f->name = copy;
	f->facts = *facts;
	io = vk_io_new(&file_ops, f, name, facts->size_bytes, facts->sector_size);
	if (io != NULL) {
		io->is_device = facts->is_device;
		io->fd = fd;
		io->in_call_since_ms = facts->in_call_since_ms;
	}
	return io;
}
