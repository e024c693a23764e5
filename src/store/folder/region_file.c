/* SPDX-License-Identifier: Apache-2.0 */
/* Writing a file of a capture, or finding that it need not be kept twice. */
#include "store/folder/region_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "base/crash_point.h"
#include "base/memory.h"
#include "io/holes.h"

enum { HOLE_BYTES = 4096 };
#define LINK_FILE ".link" /* a link before it takes the place of the file; no capture has such a name */

/* ---- writing */

/* Neighbours become one range. */
static bool note_written(struct vk_written *w, uint64_t offset, size_t len)
{
	struct vk_range *last = w->range_count > 0 ? &w->ranges[w->range_count - 1] : NULL;
	const struct vk_range range = {offset, len};

	if (last == NULL || last->offset_bytes + last->length_bytes != offset)
		return vk_append(&w->ranges, &w->range_count, &range, sizeof(range)) != NULL;
	last->length_bytes += len;
	return true;
}

/*
 * Where there is no room, the file of the last capture may be the same and serve for both: only when it is not, that
 * is a failure. Until then the room is given back.
 */
static enum vk_status note_failure(struct vk_region_file *f, int code, struct vk_error *err)
{
	if ((code != ENOSPC && code != EDQUOT) || ftruncate(f->fd, 0) != 0)
		return vk_folder_failed(f->folder, f->file, code, "cannot write", err);
	f->no_room = code;
	return VK_OK;
}

static enum vk_status write_all(struct vk_region_file *f, uint64_t offset, const uint8_t *p, size_t len,
				struct vk_error *err)
{
	if (!note_written(f->written, offset, len))
		return vk_no_memory(err, f->file);
	vk_sum_add(f->sum, p, len);
	if (f->no_room != 0)
		return VK_OK;
	if (vk_step_fails("region file: write"))
		return note_failure(f, errno, err);
	while (len > 0) {
		ssize_t n = pwrite(f->fd, p, len, (off_t)offset);

		if (n == 0 || (n < 0 && errno != EINTR))
			return note_failure(f, n == 0 ? ENOSPC : errno, err);
		if (n > 0) {
			p += n;
			len -= (size_t)n;
			offset += (uint64_t)n;
		}
	}
	return VK_OK;
}

/* How many of len bytes are blocks of the file's grid that are all zero, or all are not. */
static size_t run_of(const uint8_t *buf, uint64_t pos, size_t len, bool zero)
{
	size_t at = 0;

	while (at < len) {
		size_t block = (size_t)vk_min_u64(len - at, HOLE_BYTES - (pos + at) % HOLE_BYTES);

		if (vk_all_zero(buf + at, block) != zero)
			break;
		at += block;
	}
	return at;
}

enum vk_status vk_region_file_begin(struct vk_region_file *f, struct vk_folder *folder, const char *name,
				    uint64_t length_bytes, struct vk_sum *sum, struct vk_written *ret_written,
				    struct vk_error *err)
{
	*f = (struct vk_region_file){.folder = folder, .file = name, .length_bytes = length_bytes, .sum = sum,
				     .written = ret_written};
	vk_sum_begin(sum);
	return vk_folder_create(folder, name, &f->fd, err);
}

enum vk_status vk_region_file_bytes(struct vk_region_file *f, uint64_t pos, const uint8_t *bytes, size_t len,
				    struct vk_error *err)
{
	enum vk_status status = VK_OK;

	/* neighbouring blocks that are not all zero go out in one write; the rest is left as a hole */
	for (size_t at = 0; status == VK_OK && at < len;) {
		size_t run;

		at += run_of(bytes + at, pos + at, len - at, true);
		run = run_of(bytes + at, pos + at, len - at, false);
		if (run > 0)
			status = write_all(f, pos + at, bytes + at, run, err);
		at += run;
	}
	return status;
}

/* ---- reading back */

static bool reads_zero(int fd, uint64_t pos, uint64_t end, uint8_t *buf)
{
	while (pos < end) {
		struct vk_span span = vk_hole_span(fd, pos);
		uint64_t n = vk_min_u64(span.length_bytes, end - pos);

		if (span.state != VK_SPAN_ZERO) {
			n = vk_min_u64(n, VK_FILE_BUFFER_BYTES);
			if (!vk_pread_all(fd, buf, (size_t)n, pos) || !vk_all_zero(buf, (size_t)n))
				return false;
		}
		pos += n;
	}
	return true;
}

bool vk_written_is(const struct vk_written *written, struct vk_sum *sum, int fd, uint64_t length, uint8_t *buf)
{
	uint8_t seen[VK_SUM_BYTES];
	uint64_t pos = 0;

	vk_sum_begin(sum);
	for (size_t i = 0; i < written->range_count; i++) {
		const struct vk_range *r = &written->ranges[i];
		uint64_t end = r->offset_bytes + r->length_bytes;

		if (!reads_zero(fd, pos, r->offset_bytes, buf))
			return false;
		for (pos = r->offset_bytes; pos < end;) {
			size_t n = (size_t)vk_min_u64(end - pos, VK_FILE_BUFFER_BYTES);

			if (!vk_pread_all(fd, buf, n, pos))
				return false;
			vk_sum_add(sum, buf, n);
			pos += n;
		}
	}
	return reads_zero(fd, pos, length, buf) && vk_sum_take(sum, seen) &&
	       memcmp(seen, written->sum, sizeof(seen)) == 0;
}

void vk_written_free(struct vk_written *written)
{
	free(written->ranges);
	*written = (struct vk_written){.ranges = NULL};
}

/* ---- linking */

/*
 * Only a file that nobody else can have made or can change becomes a part of the new capture. A file system that keeps
 * no modes shows the same ones for all.
 */
static bool is_ours(const struct vk_previous *previous, int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && st.st_uid == geteuid() &&
	       (st.st_mode & (previous->modes_kept ? 07777 & ~0400 : 07022)) == 0;
}

/* Where this does not work, for whatever reason, the file stays as it was written. */
static bool put_link(struct vk_region_file *f, struct vk_previous *previous, int old_fd)
{
	int folder = f->folder->fd;

	if (vk_step_fails("capture file: link") || linkat(previous->fd, f->file, folder, LINK_FILE, 0) != 0) {
		previous->links_refused = errno == EPERM || errno == EOPNOTSUPP || errno == ENOSYS;
		return false;
	}
	/* the link has to be of the very file that was compared, whatever stands under its old name now */
	if (vk_is_at(folder, LINK_FILE, old_fd) && renameat(folder, LINK_FILE, folder, f->file) == 0)
		return true;
	(void)unlinkat(folder, LINK_FILE, 0);
	return false;
}

static bool link_if_same(struct vk_region_file *f, struct vk_previous *previous, uint8_t *buf)
{
	uint64_t length;
	bool linked;
	int fd;

	if (previous->fd < 0 || previous->links_refused ||
	    vk_folder_open_fresh(previous->fd, f->file, &fd, &length, NULL) != VK_OK)
		return false;
	linked = length == f->length_bytes && is_ours(previous, fd) &&
		 vk_written_is(f->written, f->sum, fd, length, buf) && put_link(f, previous, fd);
	close(fd);
	return linked;
}

enum vk_status vk_region_file_finish(struct vk_region_file *f, struct vk_previous *previous, uint8_t *buf,
				     struct vk_error *err)
{
	int fd = f->fd;

	if (!vk_sum_take(f->sum, f->written->sum)) {
		vk_region_file_abandon(f);
		return vk_error_set(err, VK_INTERNAL, f->file, "the sum of a file could not be computed");
	}
	f->written->linked = link_if_same(f, previous, buf);
	if (f->written->linked) {
		vk_folder_forget(f->folder, f->file);
		vk_region_file_abandon(f);
		return VK_OK;
	}
	if (f->no_room != 0) {
		vk_region_file_abandon(f);
		return vk_folder_failed(f->folder, f->file, f->no_room, "cannot write", err);
	}
	if (vk_step_fails("region file: set length") || ftruncate(fd, (off_t)f->length_bytes) != 0) {
		enum vk_status status = vk_folder_failed(f->folder, f->file, errno, "cannot set the length of", err);

		vk_region_file_abandon(f);
		return status;
	}
	f->fd = -1;
	return vk_folder_close_file(f->folder, f->file, fd, err);
}

void vk_region_file_abandon(struct vk_region_file *f)
{
	if (f->fd >= 0)
		close(f->fd);
	f->fd = -1;
}

/* ---- the previous capture */

void vk_previous_open(const struct vk_folder *folder, const char *id, struct vk_previous *ret_previous)
{
	struct stat st;

	*ret_previous = (struct vk_previous){.fd = -1};
	if (id == NULL || id[0] == '.' || id[0] == '\0' || strchr(id, '/') != NULL || fstat(folder->fd, &st) != 0)
		return;
	ret_previous->modes_kept = (st.st_mode & 07777) == 0700;
	ret_previous->fd = openat(folder->store_fd, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

void vk_previous_close(struct vk_previous *previous)
{
	if (previous->fd >= 0)
		close(previous->fd);
	*previous = (struct vk_previous){.fd = -1};
}
