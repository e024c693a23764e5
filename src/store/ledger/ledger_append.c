/* SPDX-License-Identifier: Apache-2.0 */
/* Appending to the ledger: one line at a time, whoever else is at it. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/command.h"
#include "base/crash_point.h"
#include "base/shown.h"
#include "store/folder/digest.h"
#include "store/ledger/ledger_lines.h"
#include "store/folder/folder.h"
#include "store/folder/save.h"

/* Bytes from the end of the ledger that are read: the last whole line lies in them, and what is torn behind it. */
enum { NEAR_END = 2 * VK_LEDGER_LINE_MAX + 2 };

struct appending {
	struct vk_store *store;
	const char *path; /* of the store, for messages */
	int fd;
	uint64_t size;
	uint64_t seq; /* of the last line; 0: none */
	char sha256[VK_SHA256_HEX_BYTES];
	char time[32];
	struct vk_ledger_head head;
	bool leave_head; /* it is signed, and this process has no key */
};

static enum vk_status open_locked(struct appending *a, struct vk_error *err)
{
	struct stat st;

	a->fd = vk_step_fails("ledger: open") ? -1 :
		       openat(vk_store_fd(a->store), VK_LEDGER_FILE,
			      O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0600);
	if (a->fd < 0 || fstat(a->fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		vk_error_errno(err, a->fd < 0 ? errno : EINVAL, a->path, "cannot open the ledger of the store");
		return vk_error_remedy(err, "look at %s/" VK_LEDGER_FILE ": it should be a plain file of yours",
				       a->path);
	}
	while (flock(a->fd, LOCK_EX) != 0)
		if (errno != EINTR)
			return vk_error_errno(err, errno, a->path, "cannot lock the ledger");
	/* its length only now: another may have appended while this waited */
	if (fstat(a->fd, &st) != 0)
		return vk_error_errno(err, errno, a->path, "cannot look at the ledger");
	a->size = (uint64_t)st.st_size;
	return VK_OK;
}

static enum vk_status not_understood(const struct appending *a, const char *why, struct vk_error *err)
{
	vk_error_set(err, VK_DAMAGED, a->path, "the end of the ledger is damaged: %s; nothing is appended to it", why);
	return vk_error_remedy(err,
			       "vmfskit verify --ledger --store %s says more; move " VK_LEDGER_FILE
			       " aside to begin a new one, and keep it: it is evidence",
			       vk_shell_path(a->path).text);
}

/* Of a line that is longer than most nothing is ours. */
static enum vk_status read_last(struct appending *a, struct vk_error *err)
{
	size_t len = a->size < NEAR_END ? (size_t)a->size : NEAR_END;
	char *buf = malloc(len + 1);
	size_t end = len;
	size_t start;
	struct vk_ledger_line line;
	struct vk_error why = {.status = VK_OK};
	enum vk_status status = VK_OK;

	if (buf == NULL)
		return vk_no_memory(err, a->path);
	if (len > 0 && !vk_pread_all(a->fd, buf, len, a->size - len)) {
		free(buf);
		return vk_error_errno(err, errno, a->path, "cannot read the ledger");
	}
	while (end > 0 && buf[end - 1] != '\n')
		end--;
	for (start = end > 0 ? end - 1 : 0; start > 0 && buf[start - 1] != '\n';)
		start--;
	if (len - end > VK_LEDGER_LINE_MAX || (end == 0 && len < a->size))
		status = not_understood(a, "it has no line end", err);
	else if (end - start > VK_LEDGER_LINE_MAX)
		status = not_understood(a, "the last line is too long", err);
	/* what a killed run left of its line never was one */
	if (status == VK_OK && end < len &&
	    (vk_step_fails("ledger: cut torn line") || ftruncate(a->fd, (off_t)(a->size - (len - end))) != 0))
		status = vk_error_errno(err, errno, a->path, "cannot cut the torn last line off the ledger");
	else if (status == VK_OK)
		a->size -= len - end;
	if (status == VK_OK && end > 0) {
		status = vk_ledger_line_read(buf + start, end - 1 - start, &line, &why);
		a->seq = line.seq;
		memcpy(a->time, line.time, sizeof(a->time));
		vk_ledger_line_free(&line);
		if (status == VK_DAMAGED)
			status = not_understood(a, why.what, err);
		else if (status != VK_OK || !vk_digest_bytes(buf + start, end - 1 - start, a->sha256))
			status = vk_no_memory(err, a->path);
	}
	free(buf);
	return status;
}

/*
 * A head that contradicts the ledger is evidence and stays until somebody takes it away. Of a ledger that is shorter
 * than its head says, the lost numbers are not given out again: the gap tells of it whatever is appended.
 */
static void mind_head(struct appending *a)
{
	const struct vk_sign_key *key = vk_store_sign_key(a->store);
	int fd = vk_store_fd(a->store);
	struct vk_error why;
	enum vk_status status = vk_ledger_head_read(fd, VK_LEDGER_HEAD_FILE, VK_LEDGER_HEAD_SIG, &a->head, &why);
	bool has_signature = vk_is_there(fd, VK_LEDGER_HEAD_SIG);

	a->leave_head = (status != VK_OK && status != VK_ABSENT) || (key == NULL && has_signature) ||
			a->head.odd_signature;
	if (status != VK_OK)
		return;
	if (key != NULL && a->head.is_signed &&
	    !vk_ledger_head_signed(a->fd, &a->head, vk_sign_key_public(key)))
		a->leave_head = true;
	else if (a->head.seq == a->seq && strcmp(a->head.sha256, a->sha256) != 0)
		a->leave_head = true;
	if (a->head.seq <= a->seq || a->head.seq >= VK_LEDGER_SEQ_MAX || (key != NULL && a->leave_head))
		return;
	a->seq = a->head.seq;
	memcpy(a->sha256, a->head.sha256, sizeof(a->sha256));
}

/* In one call, so that at most the last line is ever torn; what did not arrive whole is taken back. */
static enum vk_status write_line(struct appending *a, const char *text, size_t len, struct vk_error *err)
{
	bool torn = vk_crash_here("ledger: write");
	size_t want = torn ? len / 2 : len;
	ssize_t n;
	int code;

	do
		n = vk_step_fails("ledger: room") ? -1 : pwrite(a->fd, text, want, (off_t)a->size);
	while (n < 0 && errno == EINTR);
	code = n < 0 ? errno : ENOSPC;
	if (torn)
		vk_crash_now();
	if (n == (ssize_t)want) {
		if (!vk_step_fails("ledger: fsync") && fsync(a->fd) == 0)
			return VK_OK;
		code = errno;
	}
	/* also when nothing of it arrived: after a failed flush nobody knows */
	if (ftruncate(a->fd, (off_t)a->size) == 0)
		(void)fsync(a->fd);
	vk_error_errno(err, code, a->path, "cannot write to the ledger of the store");
	return vk_error_remedy(err, "make room in the store; nothing was done that is not in the ledger");
}

static enum vk_status append_line(struct appending *a, const struct vk_event *event, size_t from, size_t count,
				  struct vk_error *err)
{
	struct vk_ledger_line place = {.seq = a->seq + 1};
	char *line;
	size_t len;
	enum vk_status status;

	vk_time_into(place.time, sizeof(place.time), (uint64_t)time(NULL));
	memcpy(place.previous, a->seq > 0 ? a->sha256 : VK_LEDGER_ORIGIN, sizeof(place.previous));
	status = vk_ledger_line_write(event, from, count, &place, vk_store_command(a->store),
				      vk_store_sign_key(a->store), &line, &len, err);
	if (status != VK_OK)
		return status;
	status = write_line(a, line, len, err);
	if (status == VK_OK && !vk_digest_bytes(line, len - 1, a->sha256))
		status = vk_no_memory(err, a->path);
	free(line);
	if (status != VK_OK)
		return status;
	memcpy(a->time, place.time, sizeof(a->time));
	a->size += len;
	a->seq++;
	return VK_OK;
}

/* The signature first: whoever finds it beside an older head can tell that it belongs to a line behind that. */
static enum vk_status write_head(struct appending *a, struct vk_error *err)
{
	const struct vk_sign_key *key = vk_store_sign_key(a->store);
	uint8_t signature[VK_SIGNATURE_BYTES];
	char text[VK_LEDGER_HEAD_MAX];
	size_t len = vk_ledger_head_text(a->seq, a->sha256, a->time, text);
	int fd = vk_store_fd(a->store);
	enum vk_status status = VK_OK;

	if (a->leave_head)
		return VK_OK;
	if (len == 0)
		return vk_no_memory(err, a->path);
	if (key != NULL) {
		status = vk_sign(key, text, len, signature, err);
		if (status == VK_OK)
			status = vk_replace_file(fd, VK_LEDGER_HEAD_SIG, signature, sizeof(signature), "ledger head",
						 err);
	}
	if (status == VK_OK)
		status = vk_replace_file(fd, VK_LEDGER_HEAD_FILE, text, len, "ledger head", err);
	return status;
}

enum vk_status vk_ledger_append(struct vk_store *store, const struct vk_event *event, struct vk_error *err)
{
	struct appending a = {.store = store, .path = vk_store_path(store), .fd = -1};
	struct vk_error ignored;
	size_t done = 0;
	bool is_new = false;
	enum vk_status status = open_locked(&a, err);

	if (status == VK_OK)
		status = read_last(&a, err);
	if (status == VK_OK) {
		is_new = a.size == 0;
		mind_head(&a);
	}
	while (status == VK_OK) {
		size_t count = event->capture_count - done;

		count = count < VK_LEDGER_LINE_CAPTURES ? count : VK_LEDGER_LINE_CAPTURES;
		status = append_line(&a, event, done, count, err);
		done += count;
		if (done >= event->capture_count)
			break;
	}
	if (status == VK_OK && is_new && (vk_step_fails("ledger: fsync folder") || fsync(vk_store_fd(store)) != 0))
		status = vk_error_errno(err, errno, a.path, "cannot flush the folder of the ledger");
	/* what counts is recorded; the head may lag, and the next line moves it on */
	if (status == VK_OK)
		(void)!write_head(&a, &ignored);
	if (a.fd >= 0) {
		(void)flock(a.fd, LOCK_UN);
		close(a.fd);
	}
	return status;
}
