/* SPDX-License-Identifier: Apache-2.0 */
/* The one place in the library that opens a disk for writing. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/crash_point.h"
#include "repair/writer.h"

enum { CHUNK_BYTES = 1 << 20, ALIGN_BYTES = 4096 };

struct writer {
	const struct vk_write_job *job;
	int fd;
	uint8_t *buf; /* CHUNK_BYTES, aligned for O_DIRECT */
	uint64_t written;
	uint64_t total;
};

static void add_remedy(const struct writer *w, struct vk_error *err)
{
	char command[300];
	struct vk_text text;

	vk_text_init(&text, command, sizeof(command));
	vk_writer_way_back(w->job, &text);
	if (w->written > 0)
		vk_error_remedy(err,
				"%" PRIu64 " of %" PRIu64
				" bytes were written before this; repeat the command, or go back with: %s",
				w->written, w->total, command);
	else
		vk_error_remedy(err, "Nothing was written; repeat the command");
}

/* Opening. */

static enum vk_status changed(const struct writer *w, struct vk_error *err, const char *what)
{
	vk_error_set(err, VK_REFUSED, w->job->path, "%s since the plan was made", what);
	return vk_error_remedy(err, "Nothing was written; look at the target, then repeat the command");
}

static bool device_fits(const struct writer *w)
{
	uint64_t size = 0;
	int sector_size = 0;

	return ioctl(w->fd, BLKGETSIZE64, &size) == 0 && size == w->job->target.size_bytes + w->job->target.footer_bytes &&
	       ioctl(w->fd, BLKSSZGET, &sector_size) == 0 && sector_size > 0 &&
	       w->job->target.sector_size % (unsigned)sector_size == 0;
}

static enum vk_status check_target(const struct writer *w, struct vk_error *err)
{
	const struct vk_target_id *want = &w->job->target;
	struct stat st;
	bool same;

	if (fstat(w->fd, &st) != 0)
		return vk_error_errno(err, errno, w->job->path, "Cannot examine the target");
	if (want->is_device)
		same = S_ISBLK(st.st_mode) && st.st_rdev == want->rdev;
	else
		same = S_ISREG(st.st_mode) && st.st_dev == want->dev && st.st_ino == want->ino;
	if (!same)
		return changed(w, err, "The path came to name something else");
	if (want->is_device ? !device_fits(w) : (uint64_t)st.st_size != want->size_bytes + want->footer_bytes)
		return changed(w, err, "The target's size or sector size changed");
	return VK_OK;
}

static enum vk_status cannot_open(const struct writer *w, struct vk_error *err)
{
	if (errno != EBUSY && errno != EWOULDBLOCK)
		return vk_error_errno(err, errno, w->job->path, "Cannot open the target for writing");
	vk_error_set(err, VK_REFUSED, w->job->path,
		     "Guard in-use: the target came into use since the plan was made");
	return vk_error_remedy(err, "Nothing was written; stop what uses it, then repeat the command");
}

static enum vk_status open_target(struct writer *w, struct vk_error *err)
{
	bool alone = !w->job->shared;
	int read_only = 0;

	if (w->job->target.is_device)
		w->fd = open(w->job->path, O_RDWR | O_DIRECT | O_CLOEXEC | (alone ? O_EXCL : 0));
	else
		w->fd = open(w->job->path, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
	if (w->fd < 0)
		return cannot_open(w, err);
	/* such a device may be opened for writing and refuses each write */
	if (w->job->target.is_device && ioctl(w->fd, BLKROGET, &read_only) == 0 && read_only != 0) {
		vk_error_set(err, VK_IO, w->job->path, "The device is read-only");
		return vk_error_remedy(err, "Nothing was written; find out why it is, then: blockdev --setrw %s",
				       w->job->path);
	}
	if (!w->job->target.is_device && alone && flock(w->fd, LOCK_EX | LOCK_NB) != 0)
		return cannot_open(w, err);
	return check_target(w, err);
}

/* Reading and comparing. */

static enum vk_status read_exactly(const struct writer *w, uint64_t offset, size_t len,
				   struct vk_error *err)
{
	size_t got = 0;

	while (got < len) {
		ssize_t n = pread(w->fd, w->buf + got, len - got, (off_t)(offset + got));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			vk_error_errno(err, n == 0 ? EIO : errno, w->job->path,
				       "Cannot read the target");
			return vk_error_at(err, offset + got);
		}
		got += (size_t)n;
	}
	return VK_OK;
}

/* Whether the target holds these bytes; *ret_at is the first that differs. */
static enum vk_status compare(const struct writer *w, uint64_t offset, const uint8_t *want, size_t len,
			      bool *ret_same, uint64_t *ret_at, struct vk_error *err)
{
	*ret_same = true;
	for (size_t done = 0; done < len && *ret_same;) {
		size_t n = (size_t)vk_min_u64(len - done, CHUNK_BYTES);
		enum vk_status status = read_exactly(w, offset + done, n, err);

		if (status != VK_OK)
			return status;
		for (size_t i = 0; i < n && *ret_same; i++) {
			*ret_same = w->buf[i] == want[done + i];
			*ret_at = offset + done + i;
		}
		done += n;
	}
	return VK_OK;
}

static enum vk_status check_old_bytes(const struct writer *w, struct vk_error *err)
{
	for (size_t i = 0; i < w->job->edit_count; i++) {
		const struct vk_edit *edit = &w->job->edits[i];
		uint64_t at = 0;
		bool same;
		enum vk_status status = compare(w, edit->offset_bytes, edit->old_bytes,
						edit->length_bytes, &same, &at, err);

		if (status != VK_OK)
			return status;
		if (!same) {
			changed(w, err, "The target's bytes changed");
			return vk_error_at(err, at);
		}
	}
	return VK_OK;
}

/* The undo capture. */

static void count_error(void *ctx, const struct vk_finding *finding)
{
	size_t *errors = ctx;

	/* it is meant to hold damage */
	if (vk_finding_kind(finding->code)->severity == VK_ERROR &&
	    finding->code != VK_F_CAPTURE_NOT_CONTAINING)
		(*errors)++;
}

/* What the undo capture has of an edit is what stands there now, and it lacks nothing that would change. */
static bool undo_holds(struct vk_io *undo, const struct vk_edit *edit, uint8_t *buf)
{
	struct vk_error ignored;

	for (size_t done = 0; done < edit->length_bytes;) {
		size_t n = (size_t)vk_min_u64(edit->length_bytes - done, CHUNK_BYTES), got = 0;
		const uint8_t *old = edit->old_bytes + done;

		if (vk_io_read(undo, edit->offset_bytes + done, buf, n, &got, &ignored) != VK_OK ||
		    memcmp(buf, old, got) != 0)
			return false;
		if (got == 0) {
			if (*old != edit->new_bytes[done])
				return false;
			got = 1;
		}
		done += got;
	}
	return true;
}

static enum vk_status check_undo(const struct writer *w, struct vk_error *err)
{
	struct vk_capture undo;
	struct vk_io *io = NULL;
	size_t errors = 0;
	struct vk_finding_sink sink = {count_error, &errors};
	enum vk_status status = vk_capture_open(w->job->store, w->job->undo_id, &undo, err);
	bool holds = true;

	if (status != VK_OK)
		return status;
	status = vk_capture_verify(undo.path, &sink, err);
	if (status == VK_OK)
		status = vk_capture_io(&undo, &io, err);
	for (size_t i = 0; status == VK_OK && holds && i < w->job->edit_count; i++)
		holds = undo_holds(io, &w->job->edits[i], w->buf);
	if (status == VK_OK && (errors > 0 || !holds)) {
		vk_error_set(err, VK_DAMAGED, undo.path, "The undo capture %s",
			     errors > 0 ? "fails verification"
					: "does not hold what would be overwritten");
		status = vk_error_remedy(err, "Nothing was written; check the disk that holds the "
					      "store, then repeat the command");
	}
	vk_io_close(io);
	vk_capture_close(&undo);
	return status;
}

/* Writing. */

static enum vk_status write_exactly(struct writer *w, uint64_t offset, size_t len,
				    struct vk_error *err)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = pwrite(w->fd, w->buf + done, len - done, (off_t)(offset + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			vk_error_errno(err, n == 0 ? EIO : errno, w->job->path,
				       "Cannot write to the target");
			return vk_error_at(err, offset + done);
		}
		done += (size_t)n;
		w->written += (uint64_t)n;
	}
	return VK_OK;
}

static enum vk_status write_edit(struct writer *w, const struct vk_edit *edit, struct vk_error *err)
{
	size_t sector = w->job->target.sector_size;
	char point[96];

	snprintf(point, sizeof(point), "write %.64s", edit->reason);
	for (size_t done = 0; done < edit->length_bytes;) {
		size_t n = (size_t)vk_min_u64(edit->length_bytes - done, CHUNK_BYTES);
		bool torn = vk_crash_here(point);
		enum vk_status status;

		memcpy(w->buf, edit->new_bytes + done, n);
		if (torn)
			n = n / 2 / sector * sector;
		status = write_exactly(w, edit->offset_bytes + done, n, err);
		if (torn)
			vk_crash_now();
		if (status != VK_OK)
			return status;
		done += n;
	}
	return VK_OK;
}

static enum vk_status flush(const struct writer *w, struct vk_error *err)
{
	int rc;

	vk_crash_point("before flush");
	do
		rc = fsync(w->fd);
	while (rc != 0 && errno == EINTR);
	if (rc != 0)
		return vk_error_errno(err, errno, w->job->path,
				      "The target did not confirm what was written to it");
	vk_crash_point("after flush");
	return VK_OK;
}

static enum vk_status write_class(struct writer *w, unsigned write_class, struct vk_error *err)
{
	bool any = false;
	enum vk_status status = VK_OK;

	for (size_t i = 0; status == VK_OK && i < w->job->edit_count; i++) {
		if (w->job->edits[i].write_class != write_class)
			continue;
		any = true;
		status = write_edit(w, &w->job->edits[i], err);
	}
	return status == VK_OK && any ? flush(w, err) : status;
}

static enum vk_status read_back(const struct writer *w, struct vk_error *err)
{
	for (size_t i = 0; i < w->job->edit_count; i++) {
		const struct vk_edit *edit = &w->job->edits[i];
		uint64_t at = 0;
		bool same;
		enum vk_status status;

		if (!w->job->target.is_device)
			posix_fadvise(w->fd, (off_t)edit->offset_bytes, (off_t)edit->length_bytes,
				      POSIX_FADV_DONTNEED);
		status = compare(w, edit->offset_bytes, edit->new_bytes, edit->length_bytes, &same,
				 &at, err);
		if (status != VK_OK)
			return status;
		if (!same) {
			vk_error_set(err, VK_IO, w->job->path,
				     "The target does not hold what was just written to it (%s)",
				     edit->reason);
			return vk_error_at(err, at);
		}
	}
	return VK_OK;
}

/* The kernel keeps its old picture of the partitions until it is told. That it cannot is worth a word. */
static void reread_table(const struct writer *w, struct vk_text *note)
{
	const struct timespec pause = {.tv_nsec = 200 * 1000 * 1000};
	int code = 0;

	for (int i = 0; i < 5; i++) {
		if (ioctl(w->fd, BLKRRPART) == 0)
			return;
		code = errno;
		if (code != EBUSY)
			break;
		nanosleep(&pause, NULL);
	}
	if (code == EINVAL || code == ENOTTY)
		vk_text_put(note, "The kernel keeps no partitions for this device, so it was not "
				  "asked to read the table again");
	else
		vk_text_fmt(note,
			    "The kernel still has the old partition table (%s); run "
			    "\"blockdev --rereadpt %s\" or restart before using the partitions",
			    strerror(code), w->job->path);
}

static enum vk_status run(struct writer *w, struct vk_text *note, struct vk_error *err)
{
	enum vk_status status = check_undo(w, err);

	if (status == VK_OK)
		status = open_target(w, err);
	if (status == VK_OK)
		status = check_old_bytes(w, err);
	if (status != VK_OK)
		return status;
	for (unsigned c = 0; status == VK_OK && c < VK_WRITE_CLASSES; c++)
		status = write_class(w, c, err);
	if (status == VK_OK)
		status = read_back(w, err);
	if (status == VK_OK && w->job->target.is_device && w->job->reread_table)
		reread_table(w, note);
	if (status != VK_OK)
		add_remedy(w, err);
	return status;
}

enum vk_status vk_writer_run(const struct vk_write_job *job, struct vk_text *ret_note,
			     struct vk_error *err)
{
	struct writer w = {.job = job, .fd = -1};
	enum vk_status status;

	for (size_t i = 0; i < job->edit_count; i++) {
		if (job->edits[i].write_class >= VK_WRITE_CLASSES)
			return vk_error_set(err, VK_INTERNAL, job->path, "An edit is in no class");
		w.total += job->edits[i].length_bytes;
	}
	w.buf = aligned_alloc(ALIGN_BYTES, CHUNK_BYTES);
	if (w.buf == NULL)
		return vk_error_set(err, VK_NOMEM, job->path, "Out of memory");
	status = run(&w, ret_note, err);
	if (w.fd >= 0 && close(w.fd) != 0 && status == VK_OK) {
		status = vk_error_errno(err, errno, job->path, "Closing the target failed");
		add_remedy(&w, err);
	}
	if (job->ret_written != NULL)
		*job->ret_written = w.written;
	free(w.buf);
	return status;
}
