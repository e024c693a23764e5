/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the ledger from its beginning, and looking up what it says of single captures. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/memory.h"
#include "store/folder/digest.h"
#include "store/folder/folder.h"
#include "store/ledger/ledger_lines.h"

/* A line that is damaged must not make a signature be tried for each of a million. */
enum { SIGNED_LINE_TRIES = 1000 };

enum vk_status vk_ledger_open(int store_fd, int *ret_fd, struct vk_error *err)
{
	uint64_t length;
	enum vk_status status = vk_folder_open_fresh(store_fd, VK_LEDGER_FILE, ret_fd, &length, err);

	/* where there are no locks, a line that is just being written is one that is torn */
	while (status == VK_OK && flock(*ret_fd, LOCK_SH) != 0 && errno == EINTR)
		;
	return status;
}

enum vk_status vk_ledger_scan_open(int fd, struct vk_ledger_scan *ret_scan, struct vk_error *err)
{
	memset(ret_scan, 0, sizeof(*ret_scan));
	ret_scan->fd = fd;
	ret_scan->cap = 2 * (size_t)VK_LEDGER_LINE_MAX;
	ret_scan->buf = malloc(ret_scan->cap + 1);
	return ret_scan->buf != NULL ? VK_OK
				     : vk_no_memory(err, VK_LEDGER_FILE);
}

void vk_ledger_scan_close(struct vk_ledger_scan *scan)
{
	free(scan->buf);
	scan->buf = NULL;
}

/* More of the file behind what is in the buffer. */
static bool fill(struct vk_ledger_scan *s, struct vk_error *err)
{
	ssize_t n;

	memmove(s->buf, s->buf + s->start, s->end - s->start);
	s->end -= s->start;
	s->start = 0;
	do
		n = pread(s->fd, s->buf + s->end, s->cap - s->end, (off_t)(s->offset + s->end));
	while (n < 0 && errno == EINTR);
	if (n < 0) {
		vk_error_errno(err, errno, VK_LEDGER_FILE, "cannot read the ledger");
		return false;
	}
	s->end += (size_t)n;
	s->at_end = n == 0;
	return true;
}

/* Without its line end, of which nobody knows where it is: given out in pieces would make one line many. */
static bool skip_long(struct vk_ledger_scan *s, struct vk_ledger_span *ret_span, struct vk_error *err)
{
	char *end = NULL;

	ret_span->is_too_long = true;
	while (end == NULL && !(s->at_end && s->start == s->end)) {
		end = memchr(s->buf + s->start, '\n', s->end - s->start);
		if (end != NULL) {
			s->offset += (uint64_t)(end + 1 - (s->buf + s->start));
			s->start = (size_t)(end + 1 - s->buf);
			break;
		}
		s->offset += s->end - s->start;
		s->start = s->end;
		if (!fill(s, err))
			return false;
	}
	ret_span->is_torn = end == NULL;
	ret_span->text = "";
	ret_span->len = 0;
	return true;
}

bool vk_ledger_scan_next(struct vk_ledger_scan *s, struct vk_ledger_span *ret_span, struct vk_error *err)
{
	char *end;

	err->status = VK_OK;
	memset(ret_span, 0, sizeof(*ret_span));
	ret_span->offset = s->offset;
	while ((end = s->end > s->start ? memchr(s->buf + s->start, '\n', s->end - s->start) : NULL) == NULL) {
		if (s->end - s->start > VK_LEDGER_LINE_MAX)
			return skip_long(s, ret_span, err);
		if (s->at_end)
			break;
		if (!fill(s, err))
			return false;
	}
	if (end == NULL && s->start == s->end)
		return false;
	ret_span->text = s->buf + s->start;
	ret_span->is_torn = end == NULL;
	ret_span->len = end != NULL ? (size_t)(end - ret_span->text) : s->end - s->start;
	s->buf[s->start + ret_span->len] = '\0';
	s->start += ret_span->len + (end != NULL ? 1 : 0);
	s->offset += ret_span->len + (end != NULL ? 1 : 0);
	if (ret_span->len > VK_LEDGER_LINE_MAX) {
		ret_span->is_too_long = true;
		ret_span->len = 0;
		ret_span->text = "";
	}
	return true;
}

static bool head_of_line_signed(const struct vk_ledger_line *line, const struct vk_ledger_span *span,
				const struct vk_ledger_head *head, const struct vk_public_key *key)
{
	char sha256[VK_SHA256_HEX_BYTES];
	char text[VK_LEDGER_HEAD_MAX];
	size_t len;

	if (!vk_digest_bytes(span->text, span->len, sha256))
		return false;
	len = vk_ledger_head_text(line->seq, sha256, line->time, text);
	return len > 0 && vk_signature_fits(key, text, len, head->signature);
}

bool vk_ledger_signed_line(int ledger_fd, const struct vk_ledger_head *head, const struct vk_public_key *key,
			   uint64_t *ret_seq)
{
	struct vk_ledger_scan scan;
	struct vk_ledger_span span;
	struct vk_error err;
	unsigned tries = 0;
	bool found = false;

	if (!head->is_signed || vk_ledger_scan_open(ledger_fd, &scan, &err) != VK_OK)
		return false;
	while (!found && tries < SIGNED_LINE_TRIES && vk_ledger_scan_next(&scan, &span, &err)) {
		struct vk_ledger_line line;

		if (span.is_torn || span.is_too_long)
			continue;
		if (vk_ledger_line_read(span.text, span.len, &line, &err) == VK_OK && line.seq > head->seq) {
			tries++;
			found = head_of_line_signed(&line, &span, head, key);
			*ret_seq = line.seq;
		}
		vk_ledger_line_free(&line);
	}
	vk_ledger_scan_close(&scan);
	return found;
}

static int compare_queries(const void *a, const void *b)
{
	const struct vk_ledger_query *const *x = a;
	const struct vk_ledger_query *const *y = b;

	return strcmp((*x)->id, (*y)->id);
}

static void apply_line(const struct vk_ledger_line *line, struct vk_ledger_query **sorted, size_t count)
{
	for (size_t i = 0; line->captures != NULL && line->captures[i] != NULL; i++) {
		const struct vk_ledger_query key = {.id = line->captures[i]};
		const struct vk_ledger_query *key_at = &key;
		struct vk_ledger_query **found =
			bsearch(&key_at, sorted, count, sizeof(struct vk_ledger_query *), compare_queries);

		if (found == NULL)
			continue;
		if (vk_event_adds(line->kind)) {
			(*found)->is_recorded = true;
			(*found)->is_removed = false;
			memcpy((*found)->manifest_sha256, line->manifest_sha256, VK_SHA256_HEX_BYTES);
		} else if (vk_event_removes(line->kind)) {
			(*found)->is_removed = (*found)->is_recorded;
		}
	}
}

static enum vk_status look_up(int fd, struct vk_ledger_query **sorted, size_t count, struct vk_error *err)
{
	struct vk_ledger_scan scan;
	struct vk_ledger_span span;
	enum vk_status status = vk_ledger_scan_open(fd, &scan, err);

	if (status != VK_OK)
		return status;
	while (vk_ledger_scan_next(&scan, &span, err)) {
		struct vk_ledger_line line;
		struct vk_error damaged;

		if (span.is_torn || span.is_too_long)
			continue;
		if (vk_ledger_line_read(span.text, span.len, &line, &damaged) == VK_OK)
			apply_line(&line, sorted, count);
		vk_ledger_line_free(&line);
	}
	vk_ledger_scan_close(&scan);
	return err->status;
}

enum vk_status vk_ledger_lookup(const struct vk_store *store, struct vk_ledger_query *queries, size_t count,
				struct vk_error *err)
{
	struct vk_ledger_query **sorted;
	struct vk_error why = {.status = VK_OK};
	enum vk_status status;
	int fd = -1;

	for (size_t i = 0; i < count; i++)
		queries[i].is_recorded = queries[i].is_removed = false;
	if (count == 0)
		return VK_OK;
	status = vk_ledger_open(vk_store_fd(store), &fd, &why);
	if (status == VK_ABSENT)
		return VK_OK;
	sorted = calloc(count, sizeof(struct vk_ledger_query *));
	if (status == VK_OK && sorted == NULL)
		status = vk_no_memory(&why, VK_LEDGER_FILE);
	for (size_t i = 0; status == VK_OK && i < count; i++)
		sorted[i] = &queries[i];
	if (status == VK_OK) {
		qsort(sorted, count, sizeof(struct vk_ledger_query *), compare_queries);
		status = look_up(fd, sorted, count, &why);
	}
	free(sorted);
	if (fd >= 0)
		close(fd);
	if (status != VK_OK && err != NULL)
		*err = why;
	return status;
}
