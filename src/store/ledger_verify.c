/* SPDX-License-Identifier: Apache-2.0 */
/* Ledger, head, anchor and captures against each other. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/digest.h"
#include "store/folder.h"
#include "store/ledger_captures.h"
#include "store/ledger_chain.h"

struct verifying {
	const char *store;
	const struct vk_ledger_check *check;
	const struct vk_finding_sink *sink;
	int store_fd;
	int fd; /* of the ledger */
	char **ids; /* captures that were there before the ledger was read */
	size_t id_count;
	struct vk_chain chain;
	size_t cap;
	char head_line_time[32]; /* of the line that the head names; empty: not seen */
	uint64_t unsigned_from; /* number from which on lines should be signed */
	struct vk_ledger_head head;
	bool has_head;
	struct vk_ledger_head anchor;
	struct vk_recorded_set recorded;
};

static void put(const struct verifying *v, enum vk_finding_code code, uint64_t offset, const char *message)
{
	struct vk_finding finding;

	vk_finding_init(&finding, code, offset, 0, "%s", message);
	vk_finding_put(v->sink, &finding);
}

static struct vk_chain_line *next_line(struct verifying *v)
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

static void put_damaged(const struct verifying *v, const struct vk_ledger_span *span, const char *why)
{
	struct vk_finding finding;

	vk_finding_init(&finding, VK_F_LEDGER_DAMAGED, span->offset, span->len, "the %zuth line of the file: %s",
			v->chain.count, why);
	vk_finding_put(v->sink, &finding);
}

/* What is kept of a line. */
static enum vk_status take_line(struct verifying *v, const struct vk_ledger_span *span, struct vk_error *err)
{
	struct vk_chain_line *kept = next_line(v);
	struct vk_error why = {.what = "it is longer than any that vmfskit writes"};
	char sha256[VK_SHA256_HEX_BYTES];
	struct vk_ledger_line line = {.captures = NULL};
	enum vk_status status = VK_DAMAGED;

	if (kept == NULL || !vk_digest_bytes(span->text, span->len, sha256))
		return vk_error_set(err, VK_NOMEM, v->store, "no memory for the ledger");
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
		return vk_error_set(err, VK_NOMEM, v->store, "no memory for the ledger");
	if (status != VK_OK)
		put_damaged(v, span, why.what);
	return VK_OK;
}

static enum vk_status read_lines(struct verifying *v, struct vk_error *err)
{
	struct vk_ledger_scan scan;
	struct vk_ledger_span span;
	enum vk_status status = vk_ledger_scan_open(v->fd, &scan, err);

	if (status != VK_OK)
		return status;
	while (status == VK_OK && vk_ledger_scan_next(&scan, &span, err)) {
		if (!span.is_torn && v->chain.count == VK_LEDGER_LINES_MAX) {
			put(v, VK_F_LEDGER_DAMAGED, span.offset, "it has more lines than any store needs; the rest was not read");
			break;
		}
		if (span.is_torn)
			put(v, VK_F_LEDGER_TORN, span.offset, "the last line is torn");
		else
			status = take_line(v, &span, err);
	}
	if (status == VK_OK)
		status = err->status;
	vk_ledger_scan_close(&scan);
	return status;
}

/* The second time: which lines are genuine is known only now. */
static enum vk_status read_captures(struct verifying *v, struct vk_error *err)
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
			sound = vk_recorded_add(&v->recorded, &line, span.offset);
		vk_ledger_line_free(&line);
	}
	vk_ledger_scan_close(&scan);
	return sound ? err->status : vk_error_set(err, VK_NOMEM, v->store, "no memory for the captures of the ledger");
}

/* A head that cannot be used is told and forgotten. */
static enum vk_status read_head(struct verifying *v, struct vk_error *err)
{
	struct vk_error why = {.status = VK_OK};
	enum vk_status status = vk_ledger_head_read(v->store_fd, VK_LEDGER_HEAD_FILE, VK_LEDGER_HEAD_SIG, &v->head, &why);

	if (status == VK_DAMAGED) {
		put(v, VK_F_LEDGER_HEAD_WRONG, 0, why.what);
		return VK_OK;
	}
	if (status != VK_OK && status != VK_ABSENT) {
		*err = why;
		return status;
	}
	v->has_head = status == VK_OK;
	return VK_OK;
}

/* Which line the head speaks for; false when its signature says that it is not ours. */
static bool head_signature(struct verifying *v)
{
	const struct vk_public_key *key = v->check->public_key;
	uint64_t seq;

	if (v->head.odd_signature) {
		put(v, VK_F_LEDGER_HEAD_WRONG, 0, VK_LEDGER_HEAD_SIG " is not a signature");
		return false;
	}
	if (key == NULL)
		return true;
	if (!v->head.is_signed) {
		put(v, VK_F_SIGNATURE_MISSING, 0, "the head of the ledger is not signed");
		return true;
	}
	if (vk_signature_fits(key, v->head.text, v->head.len, v->head.signature))
		return true;
	if (!vk_ledger_signed_line(v->fd, &v->head, key, &seq)) {
		put(v, VK_F_LEDGER_HEAD_WRONG, 0, "the signature of the head does not fit it");
		return false;
	}
	put(v, VK_F_LEDGER_UNFINISHED, 0, "the head of the ledger was being written: its signature is already that of a later one");
	return true;
}

static void take_marks(struct verifying *v)
{
	if (v->has_head && head_signature(v)) {
		v->chain.head.seq = v->head.seq;
		vk_chain_digest(v->head.sha256, v->chain.head.digest);
	}
	if (v->check->anchor != NULL) {
		v->chain.anchor.seq = v->anchor.seq;
		vk_chain_digest(v->anchor.sha256, v->chain.anchor.digest);
	}
}

/* Number of the first genuine line that is signed; 0: none. */
static uint64_t first_signed(const struct verifying *v)
{
	for (size_t i = 0; i < v->chain.order_count; i++)
		if (v->chain.lines[v->chain.order[i]].is_signed)
			return v->chain.lines[v->chain.order[i]].seq;
	return 0;
}

/* The head and the last line deny each other: who bears its own mark of being genuine is believed. */
static void judge_last(const struct verifying *v)
{
	struct vk_chain_line *last = &v->chain.lines[v->chain.order[v->chain.order_count - 1]];
	struct vk_finding finding;
	/* the head has the time of its line: what was altered in the line is most likely something else */
	bool line_altered = strcmp(v->head.time, v->head_line_time) == 0;

	if (v->check->public_key != NULL && v->head.is_signed)
		line_altered = true; /* the signature of the head fits, else it would not be believed so far */
	else if (v->check->public_key != NULL && last->is_signed)
		line_altered = !last->signature_fits;
	if (last->is_altered)
		return;
	vk_finding_init(&finding, line_altered ? VK_F_LEDGER_ALTERED : VK_F_LEDGER_HEAD_WRONG, last->offset_bytes,
			last->length_bytes, "line %llu, the last one, is not the one that the head names",
			(unsigned long long)last->seq);
	vk_finding_put(v->sink, &finding);
	last->is_altered = line_altered;
}

static void judge_head(const struct verifying *v)
{
	uint64_t signed_seq = first_signed(v);

	if (!v->has_head && v->chain.count > 1)
		put(v, VK_F_LEDGER_HEAD_WRONG, 0, "the head of the ledger is missing");
	else if (!v->has_head && v->chain.count == 1)
		put(v, VK_F_LEDGER_UNFINISHED, 0, "the head of the ledger was not yet written");
	if (v->has_head && !v->head.is_signed && !v->head.odd_signature && signed_seq > 0 && signed_seq <= v->head.seq &&
	    v->check->public_key == NULL)
		put(v, VK_F_LEDGER_HEAD_WRONG, 0, "lines of the ledger are signed and its head is not");
	if (v->chain.head.seq == 0 || v->chain.order_count == 0)
		return;
	switch (vk_chain_fit(&v->chain, &v->chain.head)) {
	case VK_CHAIN_LAST:
		judge_last(v);
		break;
	case VK_CHAIN_OTHER:
		put(v, VK_F_LEDGER_HEAD_WRONG, 0, "the head of the ledger names a line that was never in it");
		break;
	case VK_CHAIN_FITS:
		if (v->head_line_time[0] != '\0' && strcmp(v->head.time, v->head_line_time) != 0)
			put(v, VK_F_LEDGER_HEAD_WRONG, 0, "the head of the ledger has another time than its line");
		break;
	case VK_CHAIN_BEYOND: /* told as cut short */
		break;
	}
}

static void judge_anchor(const struct verifying *v)
{
	const struct vk_public_key *key = v->check->public_key;
	enum vk_chain_fit fit;
	struct vk_finding finding;
	uint64_t seq;

	if (v->check->anchor == NULL)
		return;
	if (key != NULL && !v->anchor.is_signed)
		put(v, VK_F_SIGNATURE_MISSING, 0, "the anchor is not signed");
	else if (key != NULL && !vk_signature_fits(key, v->anchor.text, v->anchor.len, v->anchor.signature) &&
		 !vk_ledger_signed_line(v->fd, &v->anchor, key, &seq))
		put(v, VK_F_SIGNATURE_WRONG, 0, "the signature of the anchor does not fit it");
	fit = vk_chain_fit(&v->chain, &v->chain.anchor);
	if (fit == VK_CHAIN_FITS || (fit == VK_CHAIN_BEYOND && v->chain.head.seq >= v->anchor.seq) ||
	    (fit == VK_CHAIN_LAST && memcmp(&v->chain.head, &v->chain.anchor, sizeof(v->chain.head)) == 0))
		return;
	vk_finding_init(&finding, VK_F_LEDGER_ROLLED_BACK, 0, 0,
			fit == VK_CHAIN_BEYOND ? "the anchor names line %llu, and the ledger does not reach it"
					       : "line %llu is not the one that the anchor names",
			(unsigned long long)v->anchor.seq);
	vk_finding_put(v->sink, &finding);
}

/* Neighbours become one finding: a ledger that somebody else signed has it in every line. */
static void put_runs(const struct verifying *v, enum vk_finding_code code, const char *message,
		     bool (*is_one)(const struct verifying *v, const struct vk_chain_line *line))
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

static bool is_wrongly_signed(const struct verifying *v, const struct vk_chain_line *line)
{
	(void)v;
	return line->is_signed && !line->signature_fits && !line->is_altered;
}

static bool is_unsigned(const struct verifying *v, const struct vk_chain_line *line)
{
	return !line->is_signed && !line->is_altered && line->seq >= v->unsigned_from &&
	       (vk_event_adds(line->kind) || vk_event_removes(line->kind));
}

static enum vk_status judge(struct verifying *v, struct vk_error *err)
{
	enum vk_status status;

	take_marks(v);
	status = vk_chain_judge(&v->chain, v->sink, err);
	if (status != VK_OK)
		return status;
	judge_head(v);
	judge_anchor(v);
	/* a signed line vouches for all that stand before it, so that signing may begin late */
	v->unsigned_from = first_signed(v);
	if (v->unsigned_from == 0)
		v->unsigned_from = v->check->public_key != NULL ? 1 : UINT64_MAX;
	if (v->check->public_key != NULL)
		put_runs(v, VK_F_SIGNATURE_WRONG, "of the ledger: the signature does not fit", is_wrongly_signed);
	put_runs(v, VK_F_LEDGER_UNSIGNED, "of the ledger: not signed", is_unsigned);
	return VK_OK;
}

static enum vk_status read_anchor(struct verifying *v, struct vk_error *err)
{
	char sig[4096];
	struct vk_text text;
	enum vk_status status;

	if (v->check->anchor == NULL)
		return VK_OK;
	vk_text_init(&text, sig, sizeof(sig));
	vk_text_fmt(&text, "%s.sig", v->check->anchor);
	status = vk_ledger_head_read(AT_FDCWD, v->check->anchor, sig, &v->anchor, err);
	if (status == VK_OK)
		return VK_OK;
	if (status == VK_DAMAGED)
		status = vk_error_set(err, VK_USAGE, v->check->anchor, "the anchor is not a head of a ledger as vmfskit writes it");
	(void)vk_error_remedy(err, "vmfskit capture --anchor %s writes it", v->check->anchor);
	return status == VK_ABSENT ? VK_IO : status;
}

/* There are captures, or at least there were: without a ledger nothing is known of them. */
static enum vk_status without_ledger(struct verifying *v, struct vk_error *err)
{
	enum vk_status status = read_head(v, err);

	if (status != VK_OK)
		return status;
	if (v->id_count > 0 || v->has_head)
		put(v, VK_F_LEDGER_MISSING, 0, "there is no " VK_LEDGER_FILE);
	else if (v->anchor.seq > 0)
		put(v, VK_F_LEDGER_ROLLED_BACK, 0, "the anchor names a line of a ledger, and there is no ledger");
	return VK_OK;
}

static enum vk_status with_ledger(struct verifying *v, struct vk_error *err)
{
	enum vk_status status = read_head(v, err);

	if (status == VK_OK)
		status = read_lines(v, err);
	if (status == VK_OK)
		status = judge(v, err);
	if (status == VK_OK)
		status = read_captures(v, err);
	if (status == VK_OK)
		status = vk_recorded_compare(&v->recorded, v->store_fd, v->ids, v->id_count, v->sink, err);
	return status;
}

static enum vk_status verify(struct verifying *v, struct vk_error *err)
{
	struct vk_error why = {.status = VK_OK};
	enum vk_status status = read_anchor(v, err);

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
		put(v, VK_F_LEDGER_DAMAGED, 0, VK_LEDGER_FILE " is not a regular file");
		return VK_OK;
	}
	*err = why;
	return status;
}

enum vk_status vk_ledger_verify(const char *store, const struct vk_ledger_check *check,
				const struct vk_finding_sink *sink, size_t *ret_lines, struct vk_error *err)
{
	struct verifying *v = calloc(1, sizeof(*v));
	struct vk_error own;
	enum vk_status status;

	if (err == NULL)
		err = &own;
	if (v == NULL)
		return vk_error_set(err, VK_NOMEM, store, "no memory for the ledger");
	*v = (struct verifying){.store = store, .check = check, .sink = sink, .fd = -1};
	v->store_fd = open(store, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (v->store_fd >= 0)
		status = verify(v, err);
	else if (errno == ENOENT)
		status = vk_error_set(err, VK_ABSENT, store, "there is no store here yet");
	else
		status = vk_error_errno(err, errno, store, "cannot open the store");
	if (status == VK_OK && ret_lines != NULL)
		*ret_lines = v->chain.count;
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
	return status;
}
