/* SPDX-License-Identifier: Apache-2.0 */
/* What single lines of the ledger say, without proving that it is whole. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/texts.h"
#include "store/ledger/ledger_captures.h"

/* The lines are spelt by vmfskit alone: what can be asked of one is asked of its text, and few are read. */
static bool is_wanted(const struct vk_ledger_span *span, char *const *ids, size_t count)
{
	static const char list[] = "\"captures\":[";
	const char *at = strstr(span->text, list);
	char id[VK_CAPTURE_ID_BYTES];
	const char *key = id;

	if (at == NULL)
		return false;
	at += sizeof(list) - 1;
	if (*at == ']')
		return strstr(span->text, ",\"event\":\"verify\",") != NULL;
	/* a prune names all that it removed */
	while (*at == '"') {
		size_t len = strcspn(++at, "\"");

		if (len < sizeof(id)) {
			memcpy(id, at, len);
			id[len] = '\0';
			if (count > 0 && bsearch(&key, ids, count, sizeof(*ids), vk_texts_compare) != NULL)
				return true;
		}
		at += len;
		at += *at == '"';
		at += *at == ',';
	}
	return false;
}

enum vk_status vk_ledger_glance(int store_fd, char *const *ids, size_t count, struct vk_recorded_set *recorded,
				char ret_verified[32], struct vk_error *err)
{
	struct vk_ledger_scan scan;
	struct vk_ledger_span span;
	int fd;
	enum vk_status status = vk_ledger_open(store_fd, &fd, err);

	ret_verified[0] = '\0';
	if (status != VK_OK)
		return status;
	status = vk_ledger_scan_open(fd, &scan, err);
	while (status == VK_OK && vk_ledger_scan_next(&scan, &span, err)) {
		struct vk_ledger_line line;
		struct vk_error ignored;

		if (span.is_torn || span.is_too_long || !is_wanted(&span, ids, count))
			continue;
		if (vk_ledger_line_read(span.text, span.len, &line, &ignored) == VK_OK) {
			if (line.kind == VK_EVENT_VERIFY && (line.captures == NULL || line.captures[0] == NULL))
				memcpy(ret_verified, line.time, sizeof(line.time));
			if (!vk_recorded_add(recorded, &line, span.offset))
				status = vk_no_memory(err, VK_LEDGER_FILE);
		}
		vk_ledger_line_free(&line);
	}
	if (status == VK_OK)
		status = err->status;
	vk_ledger_scan_close(&scan);
	close(fd);
	return status;
}
