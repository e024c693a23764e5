/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ledger: any bytes as lines, as a head, as the files of a store. What is accepted is spelt in one way only, and nothing
 * crafted takes more than its time.
 */
#include <fcntl.h>
#include <unistd.h>

#include "fuzz.h"
#include "store/ledger/ledger_captures.h"

static void check_line(const struct vk_ledger_line *line)
{
	fuzz_text(line->time, sizeof(line->time));
	FUZZ_ASSERT(line->seq > 0 && line->seq <= VK_LEDGER_SEQ_MAX);
	FUZZ_ASSERT(strlen(line->previous) == VK_SHA256_HEX_BYTES - 1);
	FUZZ_ASSERT(vk_event_word(line->kind) != NULL);
	if ((vk_event_effects(line->kind) & VK_EFFECT_ADDS) != 0)
		FUZZ_ASSERT(line->manifest_sha256[0] != '\0');
	for (size_t i = 0; line->captures != NULL && line->captures[i] != NULL; i++)
		fuzz_text(line->captures[i], VK_CAPTURE_ID_BYTES);
}

static void take(struct vk_recorded_set *set, const struct vk_ledger_span *span)
{
	struct vk_ledger_line line;
	struct vk_error err = {.status = VK_OK};

	if (vk_ledger_line_read(span->text, span->len, &line, &err) == VK_OK) {
		check_line(&line);
		FUZZ_ASSERT(vk_recorded_add(set, &line, span->offset));
	} else {
		FUZZ_ASSERT(err.what[0] != '\0');
		fuzz_text(err.what, sizeof(err.what));
	}
	vk_ledger_line_free(&line);
}

static void fuzz_file(int fd)
{
	struct vk_recorded_set set = {.tree = NULL};
	struct fuzz_count count;
	const struct vk_finding_sink sink = fuzz_sink(&count);
	struct vk_ledger_scan scan;
	struct vk_ledger_span span;
	struct vk_error err;
	uint64_t end = 0;

	FUZZ_ASSERT(vk_ledger_scan_open(fd, &scan, &err) == VK_OK);
	while (vk_ledger_scan_next(&scan, &span, &err)) {
		FUZZ_ASSERT(span.offset == end);
		end = span.is_too_long ? scan.offset : span.offset + span.len + 1;
		take(&set, &span);
	}
	FUZZ_ASSERT(err.status == VK_OK);
	vk_ledger_scan_close(&scan);
	/* the folder of the test has none of these captures, whatever they are called */
	FUZZ_ASSERT(vk_recorded_compare(&set, fd, NULL, 0, &sink, &err) == VK_OK || err.what[0] != '\0');
	vk_recorded_free(&set);
}

static char store[] = "/tmp/vmfskit-fuzz.XXXXXX";

static void remove_store(void)
{
	int fd = open(store, O_RDONLY | O_DIRECTORY);

	(void)!unlinkat(fd, VK_LEDGER_FILE, 0);
	(void)!unlinkat(fd, VK_LEDGER_HEAD_FILE, 0);
	close(fd);
	rmdir(store);
}

static void put_file(int store_fd, const char *name, const uint8_t *data, size_t size)
{
	int fd = openat(store_fd, name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	FUZZ_ASSERT(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	close(fd);
}

/* The whole of it as a store's: the first line is its head, the rest its lines. */
static void fuzz_store(const uint8_t *data, size_t size)
{
	static int store_fd = -1;
	const uint8_t *end = memchr(data, '\n', size);
	size_t head = end != NULL ? (size_t)(end - data) + 1 : 0;
	const struct vk_ledger_check check = {.lines_only = true};
	struct fuzz_count count;
	const struct vk_finding_sink sink = fuzz_sink(&count);
	struct vk_error err;
	size_t lines;
	int fd;

	if (store_fd < 0) {
		FUZZ_ASSERT(mkdtemp(store) != NULL);
		store_fd = open(store, O_RDONLY | O_DIRECTORY);
		atexit(remove_store);
	}
	put_file(store_fd, VK_LEDGER_HEAD_FILE, data, head);
	put_file(store_fd, VK_LEDGER_FILE, data + head, size - head);
	FUZZ_ASSERT(vk_ledger_verify(store, &check, &sink, &lines, &err) == VK_OK);
	/* whatever is wrong with how many lines */
	FUZZ_ASSERT(count.count <= 8);
	fd = openat(store_fd, VK_LEDGER_FILE, O_RDONLY);
	fuzz_file(fd);
	close(fd);
}

static void fuzz_head(const uint8_t *data, size_t size)
{
	struct vk_ledger_head head = {.len = size};
	char again[VK_LEDGER_HEAD_MAX];
	struct vk_error err = {.status = VK_OK};

	if (size >= sizeof(head.text))
		return;
	memcpy(head.text, data, size);
	if (vk_ledger_head_parse("head", &head, &err) != VK_OK) {
		fuzz_text(err.what, sizeof(err.what));
		return;
	}
	FUZZ_ASSERT(head.seq > 0);
	fuzz_text(head.time, sizeof(head.time));
	FUZZ_ASSERT(vk_ledger_head_text(head.seq, head.sha256, head.time, again) == size);
	FUZZ_ASSERT(memcmp(again, data, size) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_store(data, size);
	fuzz_head(data, size);
	return 0;
}
