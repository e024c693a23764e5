/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ledger, head, anchor and captures against each other, in one pass over the lines. A line is believed when the next
 * one, or the head, confirms it. Of lines that do not fit the first is told: what was done to them, a comparison with
 * another copy shows.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "store/folder/digest.h"
#include "store/folder/folder.h"
#include "store/ledger/ledger_captures.h"

/* A line that is known from elsewhere: from the head or the anchor. */
struct mark {
	struct vk_ledger_head head; /* seq 0: there is none, or it is not to be believed */
	bool is_there;              /* the ledger has that line as it was */
	char line_time[32];         /* of the line with that number; empty: not seen */
};

/* A whole line of the file. */
struct read_line {
	struct vk_ledger_line line; /* seq 0: it cannot be understood */
	uint64_t offset;
	size_t len;
	char sha256[VK_SHA256_HEX_BYTES];
	bool follows;         /* from the line before it, or from the head behind lines that are lost */
	bool wrongly_signed;
};

struct verifying {
	const char *store;
	const struct vk_ledger_check *check;
	const struct vk_finding_sink *sink;
	int store_fd;
	int fd;     /* of the ledger */
	char **ids; /* captures that were there before the ledger was read */
	size_t id_count;
	bool has_head;
	struct mark head;
	struct mark anchor;
	size_t lines;          /* whole ones that were read */
	struct read_line last; /* the last of them */
	uint64_t last_seq;     /* of the last that could be understood */
	uint64_t first_signed; /* number of that line; 0: none is */
	bool unsigned_before;  /* a line that should be signed stands in front of all that are */
	bool repeats;          /* numbers came again */
	bool told_broken, told_wrongly_signed, told_unsigned;
	struct vk_recorded_set recorded;
};

static void put_finding(const struct verifying *v, enum vk_finding_code code, uint64_t offset, const char *message)
{
	vk_finding_say(v->sink, code, offset, 0, NULL, NULL, "%s", message);
}

/* Whether the head names this very line, and it stands in its place of the chain. */
static bool is_in_head(const struct verifying *v, const struct read_line *l)
{
	return l->follows && v->head.head.seq != 0 && l->line.seq == v->head.head.seq &&
	       strcmp(l->sha256, v->head.head.sha256) == 0;
}

/* The line before the one that is read now is complete: what it says of captures counts, or nobody goes by it. */
static bool record_last(struct verifying *v, bool is_confirmed)
{
	bool believed = (is_confirmed || is_in_head(v, &v->last)) && v->last.line.seq != 0 && !v->last.wrongly_signed;
	bool sound = !believed || vk_recorded_add(&v->recorded, &v->last.line, v->last.offset);

	v->recorded.incomplete = v->recorded.incomplete || (v->lines > 0 && !believed);
	vk_ledger_line_free(&v->last.line);
	return sound;
}

/* Nothing that was read is believed any more. */
static void forget_recorded(struct verifying *v)
{
	vk_recorded_free(&v->recorded);
	v->recorded.incomplete = true;
}

/* The line itself, or the digest that the next one has of it. */
static void look_for_mark(struct mark *mark, const struct read_line *l)
{
	const struct vk_ledger_line *line = &l->line;

	if (line->seq == mark->head.seq)
		memcpy(mark->line_time, line->time, sizeof(mark->line_time));
	mark->is_there = mark->is_there ||
			 (line->seq == mark->head.seq && strcmp(l->sha256, mark->head.sha256) == 0) ||
			 (line->seq == mark->head.seq + 1 && strcmp(line->previous, mark->head.sha256) == 0);
}

/* Only the first line with which something is wrong is told. */
static void put_line(const struct verifying *v, bool *told, enum vk_finding_code code, const struct read_line *l,
		     const char *what)
{
	if (!*told)
		vk_finding_say(v->sink, code, l->offset, l->len, NULL, NULL, "line %zu of the ledger%s", v->lines + 1,
			       what);
	*told = true;
}

/* A signed line vouches for all that stand before it, so that signing may begin late. */
static void check_signature(struct verifying *v, struct read_line *l, const char *text)
{
	const struct vk_public_key *key = v->check->public_key;

	if (l->line.is_signed) {
		v->first_signed = v->first_signed == 0 ? l->line.seq : v->first_signed;
		l->wrongly_signed = key != NULL && !vk_ledger_line_fits(&l->line, text, l->len, key);
		if (l->wrongly_signed)
			put_line(v, &v->told_wrongly_signed, VK_F_SIGNATURE_WRONG, l, ": the signature does not fit");
	} else if ((vk_event_effects(l->line.kind) & (VK_EFFECT_ADDS | VK_EFFECT_REMOVES)) != 0) {
		if (v->first_signed != 0)
			put_line(v, &v->told_unsigned, VK_F_LEDGER_UNSIGNED, l, " is not signed");
		v->unsigned_before = v->unsigned_before || v->first_signed == 0;
	}
}

static enum vk_status take_line(struct verifying *v, const struct vk_ledger_span *span, struct vk_error *err)
{
	const char *last_sha256 = v->lines > 0 ? v->last.sha256 : VK_LEDGER_ORIGIN;
	struct read_line now = {.offset = span->offset, .len = span->len};
	struct vk_error why = {.what = "it is longer than any that vmfskit writes"};
	enum vk_status status = VK_DAMAGED;
	bool confirms; /* the line before it, by continuing the chain */

	if (!vk_digest_bytes(span->text, span->len, now.sha256))
		return vk_no_memory(err, v->store);
	if (!span->is_too_long)
		status = vk_ledger_line_read(span->text, span->len, &now.line, &why);
	confirms = status == VK_OK && (v->lines == 0 || v->last.line.seq != 0) &&
		   now.line.seq == v->last.line.seq + 1 && strcmp(now.line.previous, last_sha256) == 0;
	now.follows = confirms || (status == VK_OK && v->head.head.seq != 0 &&
				   now.line.seq == v->head.head.seq + 1 &&
				   strcmp(now.line.previous, v->head.head.sha256) == 0);
	if (status == VK_NOMEM || !record_last(v, confirms)) {
		vk_ledger_line_free(&now.line);
		return vk_no_memory(err, v->store);
	}
	if (status != VK_OK) {
		vk_ledger_line_free(&now.line);
		now.line.seq = 0;
		put_line(v, &v->told_broken, VK_F_LEDGER_DAMAGED, &now, vk_phrase(": %s", why.what).text);
	} else {
		if (!confirms && !v->told_broken)
			vk_finding_say(
				v->sink, VK_F_LEDGER_BROKEN, now.offset, now.len,
				vk_phrase("number %llu behind %.32s...", (unsigned long long)now.line.seq,
					  now.line.previous).text,
				vk_phrase("number %llu behind %.32s...", (unsigned long long)v->last_seq + 1,
					  last_sha256).text,
				"line %zu of the ledger does not follow from the one before it", v->lines + 1);
		v->told_broken = v->told_broken || !confirms;
		/* numbers that come again: which of the two lines was put in, nothing here tells */
		if (now.line.seq <= v->last_seq) {
			forget_recorded(v);
			v->repeats = true;
		}
		check_signature(v, &now, span->text);
		look_for_mark(&v->head, &now);
		look_for_mark(&v->anchor, &now);
		v->last_seq = now.line.seq;
	}
	v->last = now;
	v->lines++;
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
		if (!span.is_torn && v->lines == VK_LEDGER_LINES_MAX) {
			put_finding(v, VK_F_LEDGER_DAMAGED, span.offset,
				    "it has more lines than any store needs; the rest was not read");
			v->recorded.incomplete = true;
			break;
		}
		if (span.is_torn)
			put_finding(v, VK_F_LEDGER_TORN, span.offset, "the last line is torn");
		else
			status = take_line(v, &span, err);
	}
	if (status == VK_OK)
		status = err->status;
	vk_ledger_scan_close(&scan);
	return status;
}

/* One that cannot be used is told and forgotten. */
static enum vk_status read_head(struct verifying *v, struct vk_error *err)
{
	struct vk_error why = {.status = VK_OK};
	enum vk_status status =
		vk_ledger_head_read(v->store_fd, VK_LEDGER_HEAD_FILE, VK_LEDGER_HEAD_SIG, &v->head.head, &why);

	v->has_head = status == VK_OK;
	if (status == VK_DAMAGED)
		put_finding(v, VK_F_LEDGER_HEAD_WRONG, 0, why.what);
	else if (status != VK_OK && status != VK_ABSENT)
		return (*err = why).status;
	return VK_OK;
}

/* Whether the head speaks for this ledger, as far as its signature tells. */
static bool is_head_ours(const struct verifying *v, const struct vk_ledger_head *head)
{
	const struct vk_public_key *key = v->check->public_key;

	if (head->odd_signature) {
		put_finding(v, VK_F_LEDGER_HEAD_WRONG, 0, VK_LEDGER_HEAD_SIG " is not a signature");
		return false;
	}
	if (key == NULL)
		return true;
	if (!head->is_signed) {
		put_finding(v, VK_F_SIGNATURE_MISSING, 0, "the head of the ledger is not signed");
		return true;
	}
	if (vk_signature_fits(key, head->text, head->len, head->signature))
		return true;
	if (!vk_ledger_head_signed(v->fd, head, key)) {
		put_finding(v, VK_F_LEDGER_HEAD_WRONG, 0, "the signature of the head does not fit it");
		return false;
	}
	put_finding(v, VK_F_LEDGER_UNFINISHED, 0,
		    "the head of the ledger was being written: its signature is already that of a later one");
	return true;
}

static void judge_head(struct verifying *v)
{
	const struct vk_ledger_head *head = &v->head.head;

	if (!v->has_head && v->lines > 1)
		put_finding(v, VK_F_LEDGER_HEAD_WRONG, 0, "the head of the ledger is missing");
	else if (!v->has_head && v->lines == 1)
		put_finding(v, VK_F_LEDGER_UNFINISHED, 0, "the head of the ledger was not yet written");
	if (v->has_head && !head->is_signed && !head->odd_signature && v->first_signed > 0 &&
	    v->first_signed <= head->seq && v->check->public_key == NULL)
		put_finding(v, VK_F_LEDGER_HEAD_WRONG, 0, "lines of the ledger are signed and its head is not");
	if (head->seq == 0)
		return;
	v->recorded.incomplete = v->recorded.incomplete || !v->head.is_there;
	if (head->seq > v->last_seq) {
		vk_finding_say(v->sink, VK_F_LEDGER_CUT, v->last.offset, v->last.len, NULL, NULL,
			       "the ledger ends with line %llu, and its head names line %llu",
			       (unsigned long long)v->last_seq, (unsigned long long)head->seq);
	} else if (!v->head.is_there) {
		put_finding(v, VK_F_LEDGER_HEAD_WRONG, v->last.offset,
			    "the head of the ledger names a line that is not in it: one of the two was altered");
	} else if (v->head.line_time[0] != '\0' && strcmp(head->time, v->head.line_time) != 0) {
		put_finding(v, VK_F_LEDGER_HEAD_WRONG, 0, "the head of the ledger has another time than its line");
	}
}

static void judge_anchor(const struct verifying *v)
{
	const struct vk_public_key *key = v->check->public_key;
	const struct vk_ledger_head *anchor = &v->anchor.head;
	bool is_beyond = anchor->seq > v->last_seq;

	if (v->check->anchor == NULL)
		return;
	if (key != NULL && !anchor->is_signed)
		put_finding(v, VK_F_SIGNATURE_MISSING, 0, "the anchor is not signed");
	else if (key != NULL && !vk_ledger_head_signed(v->fd, anchor, key))
		put_finding(v, VK_F_SIGNATURE_WRONG, 0, "the signature of the anchor does not fit it");
	/* what the head, too, says is missing was told as cut off: the store is still the one that the anchor knows */
	if (v->anchor.is_there || (is_beyond && v->head.head.seq >= anchor->seq))
		return;
	vk_finding_say(v->sink, VK_F_LEDGER_ROLLED_BACK, 0, 0, NULL, NULL,
		       is_beyond ? "the anchor names line %llu, and the ledger does not reach it"
				 : "line %llu is not the one that the anchor names",
		       (unsigned long long)anchor->seq);
}

/* What the open ledger says of itself, and of captures. */
static enum vk_status study(struct verifying *v, struct vk_error *err)
{
	enum vk_status status = read_head(v, err);
	bool confirmed;

	if (status == VK_OK && v->has_head && !is_head_ours(v, &v->head.head))
		v->head.head.seq = 0;
	if (status == VK_OK)
		status = read_lines(v, err);
	if (status != VK_OK)
		return status;
	/* nothing follows the last line: the head speaks for it, or, when it lags, its own place in the chain */
	confirmed = v->head.head.seq != 0 && v->head.head.seq == v->last.line.seq
			    ? is_in_head(v, &v->last) : v->last.follows;
	if (!record_last(v, confirmed))
		return vk_no_memory(err, v->store);
	/* numbers came again, and the lines that they came with lead to an end that the head does not know */
	if (!confirmed && v->repeats)
		forget_recorded(v);
	judge_head(v);
	judge_anchor(v);
	if (v->check->public_key != NULL && v->first_signed == 0 && v->unsigned_before)
		put_finding(v, VK_F_LEDGER_UNSIGNED, 0, "no line of the ledger is signed");
	return VK_OK;
}

static void forget(struct verifying *v)
{
	vk_ledger_line_free(&v->last.line);
	vk_recorded_free(&v->recorded);
	for (size_t i = 0; i < v->id_count; i++)
		free(v->ids[i]);
	free(v->ids);
	if (v->fd >= 0)
		close(v->fd);
}

enum vk_status vk_ledger_verify(const char *store, const struct vk_ledger_check *check,
				const struct vk_finding_sink *sink, size_t *ret_lines, struct vk_error *err)
{
	struct verifying v = {.store = store, .check = check, .sink = sink, .fd = -1};
	struct vk_error own = {.status = VK_OK}, why;
	enum vk_status status = VK_OK;
	enum vk_status found = VK_OK; /* of the ledger */

	err = err != NULL ? err : &own;
	v.store_fd = open(store, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (v.store_fd < 0)
		return errno == ENOENT ? vk_error_set(err, VK_ABSENT, store, "there is no store here yet")
				       : vk_folder_closed(err, errno, store, "cannot open the store");
	if (check->anchor != NULL)
		status = vk_ledger_anchor_read(check->anchor, &v.anchor.head, err);
	/* the captures first: what is there by now is in the ledger that is read next */
	if (status == VK_OK)
		status = vk_store_list(store, &v.ids, &v.id_count, err);
	if (status == VK_OK)
		found = vk_ledger_open(v.store_fd, &v.fd, &why);
	if (status == VK_OK && found == VK_OK) {
		status = study(&v, err);
		if (status == VK_OK && !check->lines_only)
			status = vk_recorded_compare(&v.recorded, v.store_fd, v.ids, v.id_count, sink, err);
	} else if (found == VK_ABSENT) {
		/* there are captures, or at least there were: without a ledger nothing is known of them */
		status = read_head(&v, err);
		if (status == VK_OK && (v.id_count > 0 || v.has_head))
			put_finding(&v, VK_F_LEDGER_MISSING, 0, "there is no " VK_LEDGER_FILE);
		else if (status == VK_OK && v.anchor.head.seq > 0)
			put_finding(&v, VK_F_LEDGER_ROLLED_BACK, 0,
				    "the anchor names a line of a ledger, and there is no ledger");
	} else if (found == VK_DAMAGED) {
		put_finding(&v, VK_F_LEDGER_DAMAGED, 0, VK_LEDGER_FILE " is not a regular file");
	} else if (found != VK_OK) {
		*err = why;
		status = found;
	}
	if (status == VK_OK && ret_lines != NULL)
		*ret_lines = v.lines;
	forget(&v);
	close(v.store_fd);
	return status;
}

enum vk_status vk_ledger_recorded(int store_fd, const struct vk_public_key *key, struct vk_recorded_set *recorded,
				  bool *ret_expected, struct vk_error *err)
{
	const struct vk_ledger_check check = {.public_key = key};
	struct verifying v = {.store = VK_LEDGER_FILE, .check = &check, .store_fd = store_fd, .fd = -1};
	struct vk_error odd_head;
	enum vk_status status = vk_ledger_open(store_fd, &v.fd, err);

	/* what cannot be looked at may be there */
	*ret_expected = true;
	if (status == VK_OK)
		status = study(&v, err);
	else if (status == VK_ABSENT)
		*ret_expected = vk_ledger_head_read(store_fd, VK_LEDGER_HEAD_FILE, VK_LEDGER_HEAD_SIG, &v.head.head,
						    &odd_head) != VK_ABSENT;
	if (status == VK_OK) {
		*recorded = v.recorded;
		v.recorded = (struct vk_recorded_set){.tree = NULL};
	}
	forget(&v);
	return status;
}
