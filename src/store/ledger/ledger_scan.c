/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the ledger line by line from its beginning. */
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
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);

	*ret_scan = (struct vk_ledger_scan){.buf = malloc(VK_LEDGER_LINE_MAX + 1)};
	if (copy >= 0 && lseek(copy, 0, SEEK_SET) == 0)
		ret_scan->in = fdopen(copy, "r");
	if (ret_scan->in != NULL && ret_scan->buf != NULL)
		return VK_OK;
	if (ret_scan->in == NULL)
		vk_error_errno(err, errno, VK_LEDGER_FILE, "cannot read the ledger");
	else
		vk_no_memory(err, VK_LEDGER_FILE);
	if (ret_scan->in == NULL && copy >= 0)
		close(copy);
	vk_ledger_scan_close(ret_scan);
	return err->status;
}

void vk_ledger_scan_close(struct vk_ledger_scan *scan)
{
	if (scan->in != NULL)
		fclose(scan->in);
	free(scan->buf);
	*scan = (struct vk_ledger_scan){.in = NULL};
}

bool vk_ledger_scan_next(struct vk_ledger_scan *s, struct vk_ledger_span *ret_span, struct vk_error *err)
{
	size_t len = 0; /* of the line in the file, which buf may be too short for */
	int c;

	err->status = VK_OK;
	while ((c = getc_unlocked(s->in)) != EOF && c != '\n') {
		if (len < VK_LEDGER_LINE_MAX)
			s->buf[len] = (char)c;
		len++;
	}
	if (c == EOF && ferror(s->in)) {
		vk_error_errno(err, errno, VK_LEDGER_FILE, "cannot read the ledger");
		return false;
	}
	*ret_span = (struct vk_ledger_span){.offset = s->offset, .text = s->buf, .is_torn = c == EOF};
	ret_span->is_too_long = len > VK_LEDGER_LINE_MAX;
	ret_span->len = ret_span->is_too_long ? 0 : len;
	s->buf[ret_span->len] = '\0';
	s->offset += len + (c == '\n');
	return c == '\n' || len > 0;
}

bool vk_ledger_head_signed(int ledger_fd, const struct vk_ledger_head *head, const struct vk_public_key *key)
{
	struct vk_ledger_scan scan;
	struct vk_ledger_span span;
	struct vk_error err;
	unsigned tries = 0;
	bool found = head->is_signed && vk_signature_fits(key, head->text, head->len, head->signature);

	if (found || !head->is_signed || vk_ledger_scan_open(ledger_fd, &scan, &err) != VK_OK)
		return found;
	while (!found && tries < SIGNED_LINE_TRIES && vk_ledger_scan_next(&scan, &span, &err)) {
		struct vk_ledger_line line;
		char sha256[VK_SHA256_HEX_BYTES], text[VK_LEDGER_HEAD_MAX];

		if (span.is_torn || span.is_too_long)
			continue;
		if (vk_ledger_line_read(span.text, span.len, &line, &err) == VK_OK && line.seq > head->seq &&
		    vk_digest_bytes(span.text, span.len, sha256)) {
			size_t len = vk_ledger_head_text(line.seq, sha256, line.time, text);

			tries++;
			found = len > 0 && vk_signature_fits(key, text, len, head->signature);
		}
		vk_ledger_line_free(&line);
	}
	vk_ledger_scan_close(&scan);
	return found;
}
