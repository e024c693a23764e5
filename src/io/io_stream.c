/* SPDX-License-Identifier: Apache-2.0 */
/* Keeping a stream that can be read only once: in memory while it is small, then in a file without a name. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/memory.h"
#include "io/io_handle.h"

#define BUFFER_BYTES ((size_t)1 << 18)
#define BLOCK_BYTES ((size_t)4096)
#define MEMORY_MAX_BYTES ((uint64_t)64 << 20)
#define STREAM_MAX_BYTES ((uint64_t)1 << 47)

struct spool {
	const char *name;
	int fd;
	bool settled;    /* on disk, or there is no place on disk */
	uint64_t stored; /* bytes that are not holes */
	uint8_t buf[BUFFER_BYTES];
};

static enum vk_status put_bytes(struct spool *s, uint64_t offset, const uint8_t *p, size_t len,
				struct vk_error *err)
{
	while (len > 0) {
		ssize_t n = pwrite(s->fd, p, len, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			vk_error_errno(err, n == 0 ? ENOSPC : errno, s->name,
				       "there is no room to keep this input");
			vk_error_remedy(err, "save it to a file first, or set TMPDIR to a folder with room");
			return VK_IO;
		}
		p += n;
		len -= (size_t)n;
		offset += (uint64_t)n;
	}
	return VK_OK;
}

static size_t block_at(size_t at, size_t len)
{
	return len - at < BLOCK_BYTES ? len - at : BLOCK_BYTES;
}

/* Store what is in the buffer, leaving out whole blocks of zeros. */
static enum vk_status put_buffer(struct spool *s, uint64_t offset, size_t len, struct vk_error *err)
{
	size_t at = 0;

	while (at < len) {
		size_t start = at;
		enum vk_status status;

		while (at < len && !vk_all_zero(s->buf + at, block_at(at, len)))
			at += block_at(at, len);
		if (at == start) {
			at += block_at(at, len);
			continue;
		}
		status = put_bytes(s, offset + start, s->buf + start, at - start, err);
		if (status != VK_OK)
			return status;
		s->stored += at - start;
	}
	return VK_OK;
}

/* Fill the buffer from the stream; fewer bytes than its size mean the end. */
static enum vk_status fill_buffer(struct spool *s, int in, size_t *ret_len, struct vk_error *err)
{
	size_t len = 0;

	while (len < sizeof(s->buf)) {
		ssize_t n = read(in, s->buf + len, sizeof(s->buf) - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return vk_error_errno(err, errno, s->name, "reading failed");
		if (n == 0)
			break;
		len += (size_t)n;
	}
	*ret_len = len;
	return VK_OK;
}

static int open_unnamed(void)
{
	const char *const folders[] = {getenv("TMPDIR"), "/var/tmp", "/tmp"};
	int fd = -1;

	for (size_t i = 0; fd < 0 && i < sizeof(folders) / sizeof(folders[0]); i++)
		if (folders[i] != NULL)
			fd = open(folders[i], O_TMPFILE | O_RDWR | O_EXCL | O_CLOEXEC, 0600);
	return fd;
}

/* Too much for memory: move it to disk when there is a place. Uses the buffer, which must be free. */
static enum vk_status move_to_disk(struct spool *s, uint64_t size, struct vk_error *err)
{
	int from = s->fd;
	int to = open_unnamed();
	enum vk_status status = VK_OK;

	s->settled = true;
	if (to < 0)
		return VK_OK;
	s->fd = to;
	for (uint64_t at = 0; at < size && status == VK_OK;) {
		ssize_t n = pread(from, s->buf, sizeof(s->buf), (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			status = vk_error_errno(err, errno, s->name, "cannot keep this input");
			break;
		}
		if (n == 0) /* what follows is a hole that was not written */
			break;
		status = put_buffer(s, at, (size_t)n, err);
		at += (uint64_t)n;
	}
	close(from);
	return status;
}

static enum vk_status copy_stream(struct spool *s, int in, uint64_t *ret_size, struct vk_error *err)
{
	uint64_t size = 0;
	size_t len = 0;

	do {
		enum vk_status status = fill_buffer(s, in, &len, err);

		if (status == VK_OK)
			status = put_buffer(s, size, len, err);
		size += len;
		if (status == VK_OK && !s->settled && s->stored > MEMORY_MAX_BYTES)
			status = move_to_disk(s, size, err);
		if (status == VK_OK && size > STREAM_MAX_BYTES)
			status = vk_error_set(err, VK_IO, s->name, "this input does not end");
		if (status != VK_OK)
			return status;
	} while (len == sizeof(s->buf));
	if (ftruncate(s->fd, (off_t)size) != 0)
		return vk_error_errno(err, errno, s->name, "cannot keep this input");
	*ret_size = size;
	return VK_OK;
}

enum vk_status vk_stream_spool(int in, const char *name, int *ret_fd, uint64_t *ret_size_bytes,
			       struct vk_error *err)
{
	struct spool *s = calloc(1, sizeof(*s));
	enum vk_status status;

	if (s == NULL)
		return vk_no_memory(err, name);
	s->name = name;
	s->fd = memfd_create("vmfskit", MFD_CLOEXEC);
	if (s->fd < 0) {
		s->fd = open_unnamed();
		s->settled = true;
	}
	if (s->fd < 0) {
		status = vk_error_errno(err, errno, name, "there is no place to keep this input");
		free(s);
		return status;
	}
	status = copy_stream(s, in, ret_size_bytes, err);
	if (status == VK_OK)
		*ret_fd = s->fd;
	else
		close(s->fd);
	free(s);
	return status;
}
