/* SPDX-License-Identifier: Apache-2.0 */
/* Comparing a file of a capture with the last one while it is read, and writing it when it is another. */
#include "store/folder/region_file.h"

#include <errno.h>
#include <fcntl.h>
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

/* Where the file holds zeros only. buf: VK_FILE_BUFFER_BYTES. */
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

static bool reads_same(int fd, uint64_t pos, const uint8_t *bytes, size_t len, uint8_t *buf)
{
	for (size_t at = 0, n; at < len; at += n) {
		n = vk_min_u64(len - at, VK_FILE_BUFFER_BYTES);
		if (!vk_pread_all(fd, buf, n, pos + at) || memcmp(buf, bytes + at, n) != 0)
			return false;
	}
	return true;
}

/* ---- beside the previous capture's file */

/*
 * Only a file that nobody else can have made or can change becomes a part of the new capture. A file system that keeps
 * no modes shows the same ones for all.
 */
static void open_old(struct vk_region_file *f)
{
	const struct vk_previous *previous = f->previous;
	struct stat st;
	uint64_t length;

	if (previous->fd < 0 || previous->links_refused ||
	    vk_folder_open_fresh(previous->fd, f->file, &f->old_fd, &length, NULL) != VK_OK)
		return;
	if (length == f->length_bytes && fstat(f->old_fd, &st) == 0 && st.st_uid == geteuid() &&
	    (st.st_mode & (previous->modes_kept ? 07777 & ~0400 : 07022)) == 0) {
		f->old_time = st.st_mtim;
		return;
	}
	close(f->old_fd);
	f->old_fd = -1;
}

static enum vk_status write_out(struct vk_region_file *f, uint64_t offset, const uint8_t *p, size_t len,
				struct vk_error *err)
{
	if (vk_step_fails("region file: write"))
		return vk_folder_failed(f->folder, f->file, errno, "cannot write", err);
	while (len > 0) {
		ssize_t n = pwrite(f->fd, p, len, (off_t)offset);

		if (n == 0 || (n < 0 && errno != EINTR))
			return vk_folder_failed(f->folder, f->file, n == 0 ? ENOSPC : errno, "cannot write", err);
		if (n > 0) {
			p += n;
			len -= (size_t)n;
			offset += (uint64_t)n;
		}
	}
	return VK_OK;
}

/*
 * A file of its own after all: with what was found to be the same so far. Where that cannot be read again, or is not
 * what was compared any more, old_is_lost: only the source has those bytes.
 */
static enum vk_status part_from_old(struct vk_region_file *f, struct vk_error *err)
{
	const int old_fd = f->old_fd;
	uint8_t compared[VK_SUM_BYTES], copied[VK_SUM_BYTES];
	struct vk_sum again;
	bool lost = !vk_sum_init_like(&again, f->sum) || !vk_sum_take(f->sum, compared);
	enum vk_status status = vk_folder_create(f->folder, f->file, &f->fd, err);

	f->old_fd = -1;
	/* begun anew with what is copied, which is summed once more to be compared with what was given */
	vk_sum_begin(f->sum);
	for (size_t i = 0; i < f->written->range_count; i++) {
		const struct vk_range *r = &f->written->ranges[i];

		for (uint64_t done = 0, n; done < r->length_bytes && status == VK_OK && !lost; done += n) {
			n = vk_min_u64(r->length_bytes - done, VK_FILE_BUFFER_BYTES);
			lost = !vk_pread_all(old_fd, f->previous->buf, (size_t)n, r->offset_bytes + done);
			if (lost)
				break;
			vk_sum_add(&again, f->previous->buf, (size_t)n);
			vk_sum_add(f->sum, f->previous->buf, (size_t)n);
			status = write_out(f, r->offset_bytes + done, f->previous->buf, (size_t)n, err);
		}
	}
	lost = lost || !vk_sum_take(&again, copied) || memcmp(copied, compared, sizeof(copied)) != 0;
	if (status == VK_OK && lost) {
		f->old_is_lost = true;
		status = vk_error_set(err, VK_IO, f->file, "the previous capture's file changed while it was read");
	}
	vk_sum_free(&again);
	close(old_fd);
	return status;
}

/* One more name of the previous capture's file. Where this does not work, for whatever reason, a file is written. */
static bool put_link(struct vk_region_file *f)
{
	const int folder = f->folder->fd;
	struct stat st;

	/* what was written to it since is not what was compared */
	if (fstat(f->old_fd, &st) != 0 || (uint64_t)st.st_size != f->length_bytes ||
	    st.st_mtim.tv_sec != f->old_time.tv_sec || st.st_mtim.tv_nsec != f->old_time.tv_nsec)
		return false;
	if (vk_step_fails("capture file: link") || linkat(f->previous->fd, f->file, folder, f->file, 0) != 0) {
		f->previous->links_refused = errno == EPERM || errno == EOPNOTSUPP || errno == ENOSYS;
		return false;
	}
	/* the link has to be of the very file that was compared, whatever stands under its old name now */
	if (vk_is_at(folder, f->file, f->old_fd))
		return true;
	(void)unlinkat(folder, f->file, 0);
	return false;
}

/* ---- writing */

enum vk_status vk_region_file_begin(struct vk_region_file *f, struct vk_folder *folder, struct vk_previous *previous,
				    const char *name, uint64_t length_bytes, struct vk_sum *sum,
				    struct vk_written *ret_written, struct vk_error *err)
{
	*f = (struct vk_region_file){.folder = folder, .previous = previous, .file = name, .length_bytes = length_bytes,
				     .fd = -1, .old_fd = -1, .sum = sum, .written = ret_written};
	vk_sum_begin(sum);
	open_old(f);
	return f->old_fd >= 0 ? VK_OK : vk_folder_create(folder, name, &f->fd, err);
}

static uint64_t end_of(const struct vk_written *w)
{
	const struct vk_range *last = w->range_count > 0 ? &w->ranges[w->range_count - 1] : NULL;

	return last != NULL ? last->offset_bytes + last->length_bytes : 0;
}

/* Bytes that are no hole. */
static enum vk_status put_run(struct vk_region_file *f, uint64_t offset, const uint8_t *p, size_t len,
			      struct vk_error *err)
{
	struct vk_written *w = f->written;
	const struct vk_range range = {offset, len};
	const uint64_t end = end_of(w);
	enum vk_status status = VK_OK;

	if (f->old_fd >= 0 && (!reads_zero(f->old_fd, end, offset, f->previous->buf) ||
			       !reads_same(f->old_fd, offset, p, len, f->previous->buf)))
		status = part_from_old(f, err);
	if (status == VK_OK && f->old_fd < 0)
		status = write_out(f, offset, p, len, err);
	if (status != VK_OK)
		return status;
	vk_sum_add(f->sum, p, len);
	if (w->range_count > 0 && end == offset)
		w->ranges[w->range_count - 1].length_bytes += len;
	else if (vk_append(&w->ranges, &w->range_count, &range, sizeof(range)) == NULL)
		status = vk_no_memory(err, f->file);
	return status;
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
			status = put_run(f, pos + at, bytes + at, run, err);
		at += run;
	}
	return status;
}

enum vk_status vk_region_file_finish(struct vk_region_file *f, struct vk_error *err)
{
	enum vk_status status = VK_OK;
	int fd;

	if (!vk_sum_take(f->sum, f->written->sum))
		status = vk_error_set(err, VK_INTERNAL, f->file, "the sum of a file could not be computed");
	else if (f->old_fd >= 0 && reads_zero(f->old_fd, end_of(f->written), f->length_bytes, f->previous->buf) &&
		 put_link(f))
		f->written->linked = true;
	else if (f->old_fd >= 0)
		status = part_from_old(f, err);
	if (status == VK_OK && !f->written->linked &&
	    (vk_step_fails("region file: set length") || ftruncate(f->fd, (off_t)f->length_bytes) != 0))
		status = vk_folder_failed(f->folder, f->file, errno, "cannot set the length of", err);
	if (status != VK_OK || f->written->linked) {
		vk_region_file_abandon(f);
		return status;
	}
	fd = f->fd;
	f->fd = -1;
	return vk_folder_close_file(f->folder, f->file, fd, err);
}

void vk_region_file_abandon(struct vk_region_file *f)
{
	if (f->fd >= 0)
		close(f->fd);
	if (f->old_fd >= 0)
		close(f->old_fd);
	f->fd = f->old_fd = -1;
}

/* ---- reading back */

bool vk_written_is(const struct vk_written *written, struct vk_sum *sum, int fd, uint64_t length, uint8_t *buf)
{
	uint8_t seen[VK_SUM_BYTES];
	uint64_t pos = 0;

	vk_sum_begin(sum);
	for (size_t i = 0; i < written->range_count; i++) {
		const struct vk_range *r = &written->ranges[i];
		const uint64_t end = r->offset_bytes + r->length_bytes;

		if (!reads_zero(fd, pos, r->offset_bytes, buf))
			return false;
		pos = r->offset_bytes;
		for (uint64_t n; pos < end; pos += n) {
			n = vk_min_u64(end - pos, VK_FILE_BUFFER_BYTES);
			if (!vk_pread_all(fd, buf, (size_t)n, pos))
				return false;
			vk_sum_add(sum, buf, (size_t)n);
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

/* ---- the previous capture */

void vk_previous_open(const struct vk_folder *folder, const char *id, struct vk_previous *ret_previous)
{
	struct stat st;

	*ret_previous = (struct vk_previous){.fd = -1};
	if (id == NULL || id[0] == '.' || id[0] == '\0' || strchr(id, '/') != NULL || fstat(folder->fd, &st) != 0)
		return;
	ret_previous->buf = malloc(VK_FILE_BUFFER_BYTES);
	if (ret_previous->buf == NULL)
		return;
	ret_previous->modes_kept = (st.st_mode & 07777) == 0700;
	ret_previous->fd = openat(folder->store_fd, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

void vk_previous_close(struct vk_previous *previous)
{
	if (previous->fd >= 0)
		close(previous->fd);
	free(previous->buf);
	*previous = (struct vk_previous){.fd = -1};
}
