/* SPDX-License-Identifier: Apache-2.0 */
/* The one place in the library that opens a disk for writing. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/checked.h"
#include "base/command.h"
#include "base/crash_point.h"
#include "base/signals.h"
#include "repair/guard/guards.h"
#include "repair/writer.h"
#include "vmfskit/ledger.h"
#include "vmfskit/vouch.h"

enum { CHUNK_BYTES = 1 << 20, ALIGN_BYTES = 4096 };

static const char since[] = "the plan was made";

struct writer {
	const struct vk_write_job *job;
	int fd;
	int disk_fd;  /* of the whole disk, locked, when the target is a part of it; else -1 */
	uint8_t *buf; /* CHUNK_BYTES, aligned to ALIGN_BYTES */
	bool cached;  /* a file that cannot be read past the cache: it was dropped from it before reading */
	uint64_t written;
	uint64_t total;
};

static void add_remedy(const struct writer *w, struct vk_error *err)
{
	if (w->written > 0 && w->job->undo_id != NULL)
		vk_error_remedy(err,
				"%" PRIu64 " of %" PRIu64 " bytes were written before this; look at the plan "
				"again and carry it out, or go back with the undo capture %s",
				w->written, w->total, w->job->undo_id);
	else if (w->written == 0)
		vk_error_remedy(err, "nothing was written; repeat the command");
}

static enum vk_status cannot_open(const struct writer *w, struct vk_error *err)
{
	/* links were followed for the plan: one in its place is another path */
	if (errno == ELOOP)
		return vk_target_changed(w->job->path, "the path came to name something else", since, err);
	if (errno != EBUSY && errno != EWOULDBLOCK) {
		vk_error_errno(err, errno, w->job->path, "cannot open the target for writing");
		return vk_error_remedy(err, "nothing was written; remove the cause, then repeat the command");
	}
	vk_error_set(err, VK_REFUSED, w->job->path,
		     "guard in-use: the target came into use since the plan was made");
	return vk_error_remedy(err, "nothing was written; stop what uses it, then repeat the command");
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
		vk_error_set(err, VK_IO, w->job->path, "the device is read-only");
		return vk_error_remedy(err, "nothing was written; find out why it is, then: blockdev --setrw %s",
				       vk_shell_path(w->job->path).text);
	}
	if (!vk_target_lock(w->fd, &w->job->target, alone, &w->disk_fd) && alone)
		return cannot_open(w, err);
	return vk_target_check(&w->job->target, w->job->facts, w->fd, w->job->path, since, err);
}

/*
 * What the undo capture has of an edit is what stands there now, and it lacks nothing that would change, except what
 * the plan calls unread.
 */
static bool undo_holds(struct vk_io *undo, const struct vk_edit *edit, uint8_t *buf)
{
	struct vk_error ignored;

	for (size_t done = 0; done < edit->length_bytes;) {
		size_t n = (size_t)vk_min_u64(edit->length_bytes - done, CHUNK_BYTES), got = 0;
		const uint8_t *old = edit->old_bytes + done;

		if (vk_io_read(undo, edit->offset_bytes + done, buf, n, &got, &ignored) != VK_OK ||
		    (!edit->old_unread && memcmp(buf, old, got) != 0))
			return false;
		if (got == 0) {
			if (!edit->old_unread && *old != edit->new_bytes[done])
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
	unsigned flaws;
	const struct vk_finding_sink sink = vk_flaws_sink(&flaws);
	/* it is meant to hold damage, and what it lacks is asked of each edit */
	const unsigned bad = VK_FLAW_BROKEN | VK_FLAW_UNTRUSTED;
	enum vk_status status = vk_capture_open(w->job->store, w->job->undo_id, &undo, err);
	bool holds = true;

	if (status != VK_OK)
		return status;
	status = vk_capture_verify(undo.path, &sink, err);
	if (status == VK_OK)
		status = vk_capture_io(&undo, &io, err);
	for (size_t i = 0; status == VK_OK && holds && i < w->job->edit_count; i++)
		holds = undo_holds(io, &w->job->edits[i], w->buf);
	if (status == VK_OK && ((flaws & bad) != 0 || !holds)) {
		vk_error_set(err, VK_DAMAGED, undo.path, "the undo capture %s",
			     (flaws & bad) != 0 ? "fails verification"
					: "does not hold what would be overwritten");
		status = vk_error_remedy(err, "nothing was written; check the disk that holds the "
					      "store, then repeat the command");
	}
	vk_io_close(io);
	vk_capture_close(&undo);
	return status;
}

static enum vk_status write_edit(struct writer *w, const struct vk_edit *edit, struct vk_error *err)
{
	size_t sector = w->job->target.sector_size;
	char point[96];

	snprintf(point, sizeof(point), "write %.64s", edit->reason);
	for (size_t done = 0; done < edit->length_bytes;) {
		size_t n = (size_t)vk_min_u64(edit->length_bytes - done, CHUNK_BYTES), put = 0;
		bool torn = vk_crash_here(point);

		memcpy(w->buf, edit->new_bytes + done, n);
		if (torn)
			n = n / 2 / sector * sector;
		while (put < n) {
			uint64_t at = edit->offset_bytes + done + put;
			ssize_t wrote = pwrite(w->fd, w->buf + put, n - put, (off_t)at);

			if (wrote < 0 && errno == EINTR)
				continue;
			if (wrote <= 0) {
				vk_error_errno(err, wrote == 0 ? EIO : errno, w->job->path,
					       "cannot write to the target");
				return vk_error_at(err, at);
			}
			put += (size_t)wrote;
			w->written += (uint64_t)wrote;
		}
		if (torn)
			vk_crash_now();
		done += n;
	}
	return VK_OK;
}

static enum vk_status write_class(struct writer *w, unsigned write_class, struct vk_error *err)
{
	bool any = false;
	int rc;

	for (size_t i = 0; i < w->job->edit_count; i++) {
		enum vk_status status = VK_OK;

		if (w->job->edits[i].write_class != write_class)
			continue;
		any = true;
		status = write_edit(w, &w->job->edits[i], err);
		if (status != VK_OK)
			return status;
	}
	if (!any)
		return VK_OK;
	vk_crash_point("before flush");
	do
		rc = fsync(w->fd);
	while (rc != 0 && errno == EINTR);
	if (rc != 0)
		return vk_error_errno(err, errno, w->job->path,
				      "the target did not confirm the writing; programs may now read from memory "
				      "what is not on the disk");
	vk_crash_point("after flush");
	return VK_OK;
}

/* Reading what the target holds: from the disk, past what the kernel remembers of it. */

static bool set_direct(const struct writer *w, bool on)
{
	int flags = fcntl(w->fd, F_GETFL);

	return flags >= 0 && fcntl(w->fd, F_SETFL, on ? flags | O_DIRECT : flags & ~O_DIRECT) == 0;
}

/*
 * All of the file: of a range the kernel keeps the pages that it only partly covers, and a sector is a part of a page.
 */
static void go_cached(struct writer *w)
{
	w->cached = true;
	(void)posix_fadvise(w->fd, 0, 0, POSIX_FADV_DONTNEED);
}

/*
 * At least need bytes from start on into the buffer; start is aligned, and so is what is asked for; the end of the
 * target may not be.
 */
static enum vk_status read_window(struct writer *w, uint64_t start, size_t need, struct vk_error *err)
{
	size_t want = (size_t)vk_round_up_sat(need, ALIGN_BYTES), got = 0;

	while (got < need) {
		size_t at = got - got % ALIGN_BYTES;
		ssize_t n = pread(w->fd, w->buf + at, want - at, (off_t)(start + at));

		if (n < 0 && errno == EINTR)
			continue;
		/* the file system took the flag and refuses the read */
		if (n < 0 && errno == EINVAL && !w->job->target.is_device && !w->cached && set_direct(w, false)) {
			go_cached(w);
			continue;
		}
		if (n < 0 || at + (size_t)n <= got) {
			vk_error_errno(err, n < 0 ? errno : EIO, w->job->path, "cannot read the target");
			return vk_error_at(err, start + got);
		}
		got = at + (size_t)n;
	}
	return VK_OK;
}

/* Whether the target holds these bytes; *ret_at is the first that differs. */
static enum vk_status compare(struct writer *w, uint64_t offset, const uint8_t *want, size_t len, bool *ret_same,
			      uint64_t *ret_at, struct vk_error *err)
{
	*ret_same = true;
	for (size_t done = 0, n; done < len && *ret_same; done += n) {
		uint64_t at = offset + done;
		size_t lead = (size_t)(at % ALIGN_BYTES);
		enum vk_status status;

		n = (size_t)vk_min_u64(len - done, CHUNK_BYTES - lead);
		status = read_window(w, at - lead, lead + n, err);
		if (status != VK_OK)
			return status;
		for (size_t i = 0; i < n && *ret_same; i++) {
			*ret_same = w->buf[lead + i] == want[done + i];
			*ret_at = at + i;
		}
	}
	return VK_OK;
}

/* Whether any sector of the edit can be read: the first that can. */
static bool is_readable(struct writer *w, const struct vk_edit *edit, uint64_t *ret_at)
{
	for (size_t done = 0; done < edit->length_bytes; done += w->job->target.sector_size) {
		size_t lead = (size_t)((edit->offset_bytes + done) % ALIGN_BYTES);
		struct vk_error ignored;

		*ret_at = edit->offset_bytes + done;
		if (read_window(w, *ret_at - lead, lead + w->job->target.sector_size, &ignored) == VK_OK)
			return true;
	}
	return false;
}

/*
 * Whether the target holds the old bytes of every edit, or when it was written the new ones. A file is read with
 * O_DIRECT meanwhile; where the file system refuses that, all of it is dropped from the cache.
 */
static enum vk_status compare_edits(struct writer *w, bool written, struct vk_error *err)
{
	enum vk_status status = VK_OK;

	if (!w->job->target.is_device && (w->cached || !set_direct(w, true)))
		go_cached(w);
	for (size_t i = 0; status == VK_OK && i < w->job->edit_count; i++) {
		const struct vk_edit *edit = &w->job->edits[i];
		const char *changed = "the target's bytes changed";
		bool same = true;
		uint64_t at = 0;

		if (!written && edit->old_unread) {
			/* bytes that came to light since the plan was made have been judged by nobody */
			same = !is_readable(w, edit, &at);
			changed = "a sector that could not be read became readable";
		} else {
			status = compare(w, edit->offset_bytes, written ? edit->new_bytes : edit->old_bytes,
					 edit->length_bytes, &same, &at, err);
		}
		if (status != VK_OK || same)
			continue;
		status = written ? vk_error_set(err, VK_IO, w->job->path,
						"the target does not hold what was just written to it (%s)",
						edit->reason)
				 : vk_target_changed(w->job->path, changed, since, err);
		vk_error_at(err, at);
	}
	if (!w->job->target.is_device)
		(void)set_direct(w, false);
	return status;
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
	if (note->len_bytes > 0)
		vk_text_put(note, ". ");
	if (code == EINVAL || code == ENOTTY)
		vk_text_put(note, "the kernel keeps no partitions for this device, so it was not asked to read the "
				  "table again");
	else
		vk_text_fmt(note,
			    "the kernel still has the old partition table (%s); run \"blockdev --rereadpt %s\" or "
			    "restart before using the partitions",
			    strerror(code), w->job->path);
}

/*
 * With the target open and as it was planned for, the last moment at which to stop costs nothing: guards in-use and
 * heartbeat once more, then the line restore-begun. Should the power fail or the process be killed from then on, that
 * line and the undo capture tell of it: what cannot be recorded is not begun.
 */
static enum vk_status last_look(const struct writer *w, struct vk_error *err)
{
	struct vk_restore *restore = w->job->restore;
	enum vk_status status = VK_OK;
	int number;

	vk_crash_point("before the last look");
	if (restore != NULL) {
		const char *const captures[] = {restore->capture->id, w->job->undo_id};
		char result[64];
		const struct vk_event event = {.kind = VK_EVENT_RESTORE_BEGUN,
					       .captures = captures,
					       .capture_count = 2,
					       .target = restore->path,
					       .plan = restore->plan,
					       .result = result};

		snprintf(result, sizeof(result), "%" PRIu64 " bytes to write", w->total);
		status = vk_guard_in_use_again(restore, err);
		if (status == VK_OK)
			status = vk_guard_heartbeat_again(restore, err);
		if (status == VK_OK)
			status = vk_ledger_append(w->job->ledger, &event, err);
	}
	number = vk_signals_waiting();
	if (status != VK_OK || number == 0)
		return status;
	vk_error_set(err, VK_IO, w->job->path, "stopped by signal %d (%s) before the first write", number,
		     strsignal(number));
	return vk_error_remedy(err, "nothing was written; repeat the command");
}

static enum vk_status run(struct writer *w, struct vk_text *note, struct vk_error *err)
{
	enum vk_status status = w->job->undo_id != NULL ? check_undo(w, err) : VK_OK;

	if (status == VK_OK)
		status = open_target(w, err);
	if (status == VK_OK && w->job->undo_id == NULL)
		status = vk_target_scratch(w->fd, w->job->path, err);
	if (status == VK_OK)
		status = compare_edits(w, false, err);
	/* comparing takes its time, and a LUN can be given another number under an open descriptor */
	if (status == VK_OK)
		status = vk_target_check(&w->job->target, w->job->facts, w->fd, w->job->path, since, err);
	if (status == VK_OK)
		status = last_look(w, err);
	if (status != VK_OK)
		return status;
	for (unsigned c = 0; status == VK_OK && c < VK_WRITE_CLASSES; c++)
		status = write_class(w, c, err);
	if (status == VK_OK)
		status = compare_edits(w, true, err);
	/* also of a write that failed: that somebody else is at it may be why */
	if (w->job->restore != NULL)
		vk_guard_heartbeat_after(w->job->restore, note);
	if (status == VK_OK && w->cached)
		vk_text_fmt(note, "%sthe file system reads this file only through its cache, which was emptied of it "
				  "before it was read back", note->len_bytes > 0 ? ". " : "");
	if (status == VK_OK && w->job->target.is_device && w->job->reread_table)
		reread_table(w, note);
	if (status != VK_OK)
		add_remedy(w, err);
	return status;
}

enum vk_status vk_writer_run(const struct vk_write_job *job, struct vk_text *ret_note,
			     struct vk_error *err)
{
	struct writer w = {.job = job, .fd = -1, .disk_fd = -1};
	sigset_t before;
	enum vk_status status;

	for (size_t i = 0; i < job->edit_count; i++) {
		if (job->edits[i].write_class >= VK_WRITE_CLASSES)
			return vk_error_set(err, VK_INTERNAL, job->path, "an edit is in no class");
		w.total += job->edits[i].length_bytes;
	}
	w.buf = aligned_alloc(ALIGN_BYTES, CHUNK_BYTES);
	if (w.buf == NULL)
		return vk_no_memory(err, job->path);
	vk_signals_hold(&before);
	status = run(&w, ret_note, err);
	if (w.fd >= 0 && close(w.fd) != 0 && status == VK_OK) {
		status = vk_error_errno(err, errno, job->path, "the target could not be closed");
		add_remedy(&w, err);
	}
	if (w.disk_fd >= 0)
		close(w.disk_fd);
	vk_signals_release(&before);
	if (job->ret_written != NULL)
		*job->ret_written = w.written;
	free(w.buf);
	return status;
}
