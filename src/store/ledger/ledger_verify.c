/* SPDX-License-Identifier: Apache-2.0 */
/* Ledger, head, anchor and captures against each other. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "store/folder/digest.h"
#include "store/folder/folder.h"
#include "store/ledger/ledger_verifying.h"

static struct vk_chain_line *next_line(struct vk_ledger_verifying *v)
{
	if (v->chain.count == v->cap) {
		size_t cap = v->cap == 0 ? 256 : v->cap * 2;
		struct vk_chain_line *lines = realloc(v->chain.lines, cap * sizeof(*lines));

		if (lines == NULL)
			return NULL;
		v->chain.lines = lines;
		v->cap = cap;
	}
	memset(&v->chain.lines[v->chain.count], 0, sizeof(*v->chain.lines));
	return &v->chain.lines[v->chain.count++];
}

static void put_damaged(const struct vk_ledger_verifying *v, const struct vk_ledger_span *span, const char *why)
{
	struct vk_finding finding;

	vk_finding_init(&finding, VK_F_LEDGER_DAMAGED, span->offset, span->len, "the %zuth line of the file: %s",
			v->chain.count, why);
	vk_finding_put(v->sink, &finding);
}

/* What is kept of a line. */
static enum vk_status take_line(struct vk_ledger_verifying *v, const struct vk_ledger_span *span, struct vk_error *err)
{
	struct vk_chain_line *kept = next_line(v);
	struct vk_error why = {.what = "it is longer than any that vmfskit writes"};
	char sha256[VK_SHA256_HEX_BYTES];
	struct vk_ledger_line line = {.captures = NULL};
	enum vk_status status = VK_DAMAGED;

	if (kept == NULL || !vk_digest_bytes(span->text, span->len, sha256))
		return vk_no_memory(err, v->store);
	kept->offset_bytes = span->offset;
	kept->length_bytes = (uint32_t)span->len;
	vk_chain_digest(sha256, kept->digest);
	if (!span->is_too_long)
		status = vk_ledger_line_read(span->text, span->len, &line, &why);
	if (status == VK_OK) {
		kept->seq = line.seq;
		kept->kind = line.kind;
		if (v->has_head && line.seq == v->head.seq)
			memcpy(v->head_line_time, line.time, sizeof(v->head_line_time));
		vk_chain_digest(line.previous, kept->previous);
		kept->is_signed = line.is_signed;
		kept->signature_fits = v->check->public_key != NULL &&
				       vk_ledger_line_fits(&line, span->text, span->len, v->check->public_key);
	}
	vk_ledger_line_free(&line);
	if (status == VK_NOMEM)
		return vk_no_memory(err, v->store);
	if (status != VK_OK)
		put_damaged(v, span, why.what);
	return VK_OK;
}

static enum vk_status read_lines(struct vk_ledger_verifying *v, struct vk_error *err)
{
	struct vk_ledger_scan scan;
	struct vk_ledger_span span;
	enum vk_status status = vk_ledger_scan_open(v->fd, &scan, err);

	if (status != VK_OK)
		return status;
	while (status == VK_OK && vk_ledger_scan_next(&scan, &span, err)) {
		if (!span.is_torn && v->chain.count == VK_LEDGER_LINES_MAX) {
			vk_ledger_tell(v, VK_F_LEDGER_DAMAGED, span.offset,
				       "it has more lines than any store needs; the rest was not read");
			break;
		}
		if (span.is_torn)
			vk_ledger_tell(v, VK_F_LEDGER_TORN, span.offset, "the last line is torn");
		else
			status = take_line(v, &span, err);
	}
	if (status == VK_OK)
		status = err->status;
	vk_ledger_scan_close(&scan);
	return status;
}

static enum vk_finding_code doubt_of(const struct vk_ledger_verifying *v, const struct vk_chain_line *line)
{
	if (line->is_altered)
		return VK_F_LEDGER_ALTERED;
	return v->check->public_key != NULL && line->is_signed && !line->signature_fits ? VK_F_SIGNATURE_WRONG
											 : VK_F_COUNT;
}

/* The second time: which lines are genuine is known only now. */
static enum vk_status read_captures(struct vk_ledger_verifying *v, struct vk_error *err)
{
	struct vk_ledger_scan scan;
	struct vk_ledger_span span;
	size_t at = 0;
	bool sound = true;
	enum vk_status status = vk_ledger_scan_open(v->fd, &scan, err);

	if (status != VK_OK)
		return status;
	for (; sound && at < v->chain.count && vk_ledger_scan_next(&scan, &span, err); at++) {
		const struct vk_chain_line *kept = &v->chain.lines[at];
		struct vk_ledger_line line;
		struct vk_error damaged;

		if (kept->seq == 0 || !kept->is_genuine || !vk_event_places(kept->kind))
			continue;
		if (vk_ledger_line_read(span.text, span.len, &line, &damaged) == VK_OK)
			sound = vk_recorded_add(&v->recorded, &line, span.offset, doubt_of(v, kept));
		vk_ledger_line_free(&line);
	}
	vk_ledger_scan_close(&scan);
	return sound ? err->status : vk_no_memory(err, v->store);
}

/* Neighbours become one finding: a ledger that somebody else signed has it in every line. */
static void put_runs(const struct vk_ledger_verifying *v, enum vk_finding_code code, const char *message,
		     bool (*is_one)(const struct vk_ledger_verifying *v, const struct vk_chain_line *line))
{
	const struct vk_chain *c = &v->chain;

	for (size_t i = 0; i < c->order_count; i++) {
		const struct vk_chain_line *first = &c->lines[c->order[i]];
		const struct vk_chain_line *last = first;
		struct vk_finding finding;

		if (!is_one(v, first))
			continue;
		for (; i + 1 < c->order_count && is_one(v, &c->lines[c->order[i + 1]]); i++)
			last = &c->lines[c->order[i + 1]];
		vk_finding_init(&finding, code, first->offset_bytes, first->length_bytes, "line%s %llu%s%.0llu %s",
				first == last ? "" : "s", (unsigned long long)first->seq,
				first == last ? "" : " to ", first == last ? 0 : (unsigned long long)last->seq, message);
		vk_finding_put(v->sink, &finding);
	}
}

static bool is_wrongly_signed(const struct vk_ledger_verifying *v, const struct vk_chain_line *line)
{
	(void)v;
	return line->is_signed && !line->signature_fits && !line->is_altered;
}

static bool is_unsigned(const struct vk_ledger_verifying *v, const struct vk_chain_line *line)
{
	return !line->is_signed && !line->is_altered && line->seq >= v->unsigned_from &&
	       (vk_event_adds(line->kind) || vk_event_removes(line->kind));
}

static enum vk_status judge(struct vk_ledger_verifying *v, struct vk_error *err)
{
	enum vk_status status;

	vk_ledger_take_marks(v);
	status = vk_chain_judge(&v->chain, v->sink, err);
	if (status != VK_OK)
		return status;
	vk_ledger_judge_marks(v);
	/* a signed line vouches for all that stand before it, so that signing may begin late */
	v->unsigned_from = vk_ledger_first_signed(v);
	if (v->unsigned_from == 0)
		v->unsigned_from = v->check->public_key != NULL ? 1 : UINT64_MAX;
	if (v->check->public_key != NULL)
		put_runs(v, VK_F_SIGNATURE_WRONG, "of the ledger: the signature does not fit", is_wrongly_signed);
	put_runs(v, VK_F_LEDGER_UNSIGNED, "of the ledger: not signed", is_unsigned);
	return VK_OK;
}

/* There are captures, or at least there were: without a ledger nothing is known of them. */
static enum vk_status without_ledger(struct vk_ledger_verifying *v, struct vk_error *err)
{
	enum vk_status status = vk_ledger_read_head(v, err);

	if (status != VK_OK)
		return status;
	if (v->id_count > 0 || v->has_head)
		vk_ledger_tell(v, VK_F_LEDGER_MISSING, 0, "there is no " VK_LEDGER_FILE);
	else if (v->anchor.seq > 0)
		vk_ledger_tell(v, VK_F_LEDGER_ROLLED_BACK, 0,
			       "the anchor names a line of a ledger, and there is no ledger");
	return VK_OK;
}

/* What it says of itself, and of captures. */
static enum vk_status study(struct vk_ledger_verifying *v, struct vk_error *err)
{
	enum vk_status status = vk_ledger_read_head(v, err);

	if (status == VK_OK)
		status = read_lines(v, err);
	if (status == VK_OK)
		status = judge(v, err);
	return status == VK_OK ? read_captures(v, err) : status;
}

static enum vk_status with_ledger(struct vk_ledger_verifying *v, struct vk_error *err)
{
	enum vk_status status = study(v, err);

	if (status == VK_OK)
		status = vk_recorded_compare(&v->recorded, v->store_fd, v->ids, v->id_count, v->sink, err);
	return status;
}

static enum vk_status verify(struct vk_ledger_verifying *v, struct vk_error *err)
{
	struct vk_error why = {.status = VK_OK};
	enum vk_status status = vk_ledger_read_anchor(v, err);

	if (status != VK_OK)
		return status;
	/* the captures first: what is there by now is in the ledger that is read next */
	status = vk_store_list(v->store, &v->ids, &v->id_count, err);
	if (status != VK_OK)
		return status;
	status = vk_ledger_open(v->store_fd, &v->fd, &why);
	if (status == VK_OK)
		return with_ledger(v, err);
	if (status == VK_ABSENT)
		return without_ledger(v, err);
	if (status == VK_DAMAGED) {
		vk_ledger_tell(v, VK_F_LEDGER_DAMAGED, 0, VK_LEDGER_FILE " is not a regular file");
		return VK_OK;
	}
	*err = why;
	return status;
}

static void forget(struct vk_ledger_verifying *v)
{
	vk_recorded_free(&v->recorded);
	for (size_t i = 0; i < v->id_count; i++)
		free(v->ids[i]);
	free(v->ids);
	free(v->chain.lines);
	free(v->chain.order);
	if (v->fd >= 0)
		close(v->fd);
	if (v->store_fd >= 0)
		close(v->store_fd);
	free(v);
}

enum vk_status vk_ledger_recorded(int store_fd, const struct vk_public_key *key,
				  struct vk_recorded_set *recorded, bool *ret_expected, struct vk_error *err)
{
	const struct vk_ledger_check check = {.public_key = key};
	struct vk_ledger_verifying *v = calloc(1, sizeof(*v));
	struct vk_error odd_head;
	enum vk_status status;

	if (v == NULL)
		return vk_no_memory(err, VK_LEDGER_FILE);
	*v = (struct vk_ledger_verifying){.store = VK_LEDGER_FILE, .check = &check, .fd = -1, .store_fd = -1};
	v->store_fd = openat(store_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	status = v->store_fd >= 0 ? vk_ledger_open(v->store_fd, &v->fd, err)
				  : vk_error_errno(err, errno, VK_LEDGER_FILE, "cannot open the store");
	if (status == VK_OK)
		status = study(v, err);
	*ret_expected = status != VK_ABSENT ||
			vk_ledger_head_read(v->store_fd, VK_LEDGER_HEAD_FILE, VK_LEDGER_HEAD_SIG, &v->head,
					    &odd_head) != VK_ABSENT;
	if (status == VK_OK) {
		*recorded = v->recorded;
		v->recorded = (struct vk_recorded_set){.slots = NULL};
	}
	forget(v);
	return status;
}

enum vk_status vk_ledger_verify(const char *store, const struct vk_ledger_check *check,
				const struct vk_finding_sink *sink, size_t *ret_lines, struct vk_error *err)
{
	struct vk_ledger_verifying *v = calloc(1, sizeof(*v));
	struct vk_error own;
	enum vk_status status;

	if (err == NULL)
		err = &own;
	if (v == NULL)
		return vk_no_memory(err, store);
	*v = (struct vk_ledger_verifying){.store = store, .check = check, .sink = sink, .fd = -1};
	v->store_fd = open(store, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (v->store_fd >= 0)
		status = verify(v, err);
	else if (errno == ENOENT)
		status = vk_error_set(err, VK_ABSENT, store, "there is no store here yet");
	else
		status = vk_error_errno(err, errno, store, "cannot open the store");
	if (status == VK_OK && ret_lines != NULL)
		*ret_lines = v->chain.count;
	forget(v);
	return status;
}
