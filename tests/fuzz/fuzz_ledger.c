/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ledger: any bytes as lines, as a head, as a whole file behind which lines are to be judged. What is accepted is spelt
 * in one way only, and nothing crafted takes more than its time.
 */
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"
#include "store/folder/digest.h"
#include "store/ledger/ledger_chain.h"
#include "store/ledger/ledger_captures.h"

enum { LINES = 64 };

static void check_line(const struct vk_ledger_line *line)
{
	fuzz_text(line->time, sizeof(line->time));
	FUZZ_ASSERT(line->seq > 0 && line->seq <= VK_LEDGER_SEQ_MAX);
	FUZZ_ASSERT(strlen(line->previous) == VK_SHA256_HEX_BYTES - 1);
	FUZZ_ASSERT(vk_event_word(line->kind) != NULL);
	if (vk_event_adds(line->kind))
		FUZZ_ASSERT(line->manifest_sha256[0] != '\0');
	for (size_t i = 0; line->captures != NULL && line->captures[i] != NULL; i++)
		fuzz_text(line->captures[i], VK_CAPTURE_ID_BYTES);
}

static bool take(struct vk_chain_line *kept, struct vk_recorded_set *set, const struct vk_ledger_span *span)
{
	struct vk_ledger_line line;
	struct vk_error err = {.status = VK_OK};
	char sha256[VK_SHA256_HEX_BYTES];
	bool sound = vk_ledger_line_read(span->text, span->len, &line, &err) == VK_OK;

	memset(kept, 0, sizeof(*kept));
	FUZZ_ASSERT(vk_digest_bytes(span->text, span->len, sha256));
	vk_chain_digest(sha256, kept->digest);
	kept->offset_bytes = span->offset;
	if (sound) {
		check_line(&line);
		kept->seq = line.seq;
		vk_chain_digest(line.previous, kept->previous);
		FUZZ_ASSERT(vk_recorded_add(set, &line, span->offset, VK_F_COUNT));
	} else {
		FUZZ_ASSERT(err.what[0] != '\0');
		fuzz_text(err.what, sizeof(err.what));
	}
	vk_ledger_line_free(&line);
	return sound;
}

/* Numbers and digests straight from the input: far more shapes than lines with true digests could have. */
static void fuzz_chain(const uint8_t *data, size_t size)
{
	struct fuzz_input in = {data, size};
	struct vk_chain_line lines[LINES];
	struct vk_chain chain = {.lines = lines};
	struct fuzz_count count;
	const struct vk_finding_sink sink = fuzz_sink(&count);
	struct vk_error err;
	size_t genuine = 0;

	memset(lines, 0, sizeof(lines));
	chain.head.seq = fuzz_take(&in, 1);
	chain.head.digest[0] = (uint8_t)fuzz_take(&in, 1);
	chain.anchor.seq = fuzz_take(&in, 1);
	chain.anchor.digest[0] = (uint8_t)fuzz_take(&in, 1);
	for (; chain.count < LINES && in.size > 0; chain.count++) {
		lines[chain.count].seq = fuzz_take(&in, 1);
		lines[chain.count].digest[0] = (uint8_t)fuzz_take(&in, 1);
		lines[chain.count].previous[0] = (uint8_t)fuzz_take(&in, 1);
		lines[chain.count].offset_bytes = chain.count;
	}
	FUZZ_ASSERT(vk_chain_judge(&chain, &sink, &err) == VK_OK);
	FUZZ_ASSERT(chain.order_count <= chain.count);
	for (size_t i = 0; i < chain.count; i++)
		genuine += lines[i].is_genuine;
	FUZZ_ASSERT(genuine >= chain.order_count);
	for (size_t i = 1; i < chain.order_count; i++)
		FUZZ_ASSERT(lines[chain.order[i - 1]].seq < lines[chain.order[i]].seq);
	/* as many of them as there are lines, and then some of numbers that are missing */
	FUZZ_ASSERT(count.count <= 4 * chain.count + 2);
	(void)vk_chain_fit(&chain, &chain.head);
	(void)vk_chain_fit(&chain, &chain.anchor);
	free(chain.order);
}

static void fuzz_file(const uint8_t *data, size_t size)
{
	int fd = memfd_create("ledger", MFD_CLOEXEC);
	struct vk_chain_line lines[LINES];
	struct vk_recorded_set set = {.slots = NULL};
	struct fuzz_count count;
	const struct vk_finding_sink sink = fuzz_sink(&count);
	struct vk_ledger_scan scan;
	struct vk_ledger_span span;
	struct vk_error err;
	uint64_t end = 0;

	FUZZ_ASSERT(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	FUZZ_ASSERT(vk_ledger_scan_open(fd, &scan, &err) == VK_OK);
	for (size_t i = 0; vk_ledger_scan_next(&scan, &span, &err); i++) {
		FUZZ_ASSERT(span.offset == end || span.is_too_long);
		end = span.offset + span.len + 1;
		(void)take(&lines[i % LINES], &set, &span);
	}
	FUZZ_ASSERT(err.status == VK_OK);
	vk_ledger_scan_close(&scan);
	/* the folder of the test has none of these captures, whatever they are called */
	FUZZ_ASSERT(vk_recorded_compare(&set, fd, NULL, 0, &sink, &err) == VK_OK || err.what[0] != '\0');
	vk_recorded_free(&set);
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
	fuzz_chain(data, size);
	fuzz_file(data, size);
	fuzz_head(data, size);
	return 0;
}
