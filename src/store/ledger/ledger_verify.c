/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ledger, head, anchor and captures against each other, in one pass over the lines. A line is believed when the next
 * one, or the head, confirms it. Of lines that do not fit, the first is told and how many there are: what was done to
 * them, a comparison with another copy shows.
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
#include "store/ledger/wrong_lines.h"

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
	bool follows;               /* from the line before it, or from the head behind lines that are lost */
	enum vk_finding_code doubt; /* signature.wrong, else VK_F_COUNT */
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
	struct vk_wrong_lines broken;
	struct vk_wrong_lines wrongly_signed;
	struct vk_wrong_lines not_signed;    /* behind one that is */
	struct vk_wrong_lines before_signed; /* in front of all that are */
	struct vk_recorded_set recorded;
};

static void put_finding(const struct verifying *v, enum vk_finding_code code, uint64_t offset, const char *message)
{
	vk_finding_say(v->sink, code, offset, 0, NULL, NULL, "%s", message);
}

/* Whether l continues the chain: only then it confirms the line before it. */
static bool continues(const struct verifying *v, const struct read_line *l)
{
	if (v->lines == 0)
		return l->line.seq == 1 && strcmp(l->line.previous, VK_LEDGER_ORIGIN) == 0;
	return v->last.line.seq != 0 && l->line.seq == v->last.line.seq + 1 &&
	       strcmp(l->line.previous, v->last.sha256) == 0;
}

static void note_break(struct verifying *v, const struct read_line *l)
{
	vk_wrong_line(&v->broken, VK_F_LEDGER_BROKEN, v->lines + 1, l->offset, l->len,
		      " does not follow from the one before it");
	if (v->broken.count > 1)
		return;
	vk_finding_seen(&v->broken.first, "number %llu behind %.32s...", (unsigned long long)l->line.seq,
			l->line.previous);
	vk_finding_expected(&v->broken.first, "number %llu behind %.32s...", (unsigned long long)v->last_seq + 1,
			    v->lines > 0 ? v->last.sha256 : VK_LEDGER_ORIGIN);
}

/* Whether the head names this very line, and it stands in its place of the chain. */
static bool is_in_head(const struct verifying *v, const struct read_line *l)
{
	return l->follows && v->head.head.seq != 0 && l->line.seq == v->head.head.seq &&
	       strcmp(l->sha256, v->head.head.sha256) == 0;
}

/* The line before the one that is read now is complete: what it says of captures counts, or is in doubt. */
static bool record_last(struct verifying *v, bool is_confirmed)
{
	bool is_believed = is_confirmed || is_in_head(v, &v->last);
	enum vk_finding_code doubt = is_believed ? v->last.doubt : VK_F_LEDGER_BROKEN;
	bool sound = v->last.line.seq == 0 || vk_recorded_add(&v->recorded, &v->last.line, v->last.offset, doubt);

	vk_ledger_line_free(&v->last.line);
	return sound;
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

/* A signed line vouches for all that stand before it, so that signing may begin late. */
static void check_signature(struct verifying *v, struct read_line *l, const char *text)
{
	const struct vk_public_key *key = v->check->public_key;

	if (l->line.is_signed) {
		v->first_signed = v->first_signed == 0 ? l->line.seq : v->first_signed;
		if (key == NULL || vk_ledger_line_fits(&l->line, text, l->len, key))
			return;
		l->doubt = VK_F_SIGNATURE_WRONG;
		vk_wrong_line(&v->wrongly_signed, VK_F_SIGNATURE_WRONG, v->lines + 1, l->offset, l->len,
			      ": the signature does not fit");
	} else if ((vk_event_effects(l->line.kind) & (VK_EFFECT_ADDS | VK_EFFECT_REMOVES)) != 0) {
		vk_wrong_line(v->first_signed != 0 ? &v->not_signed : &v->before_signed, VK_F_LEDGER_UNSIGNED,
			      v->lines + 1, l->offset, l->len,
			      " is not signed");
	}
}

static enum vk_status take_line(struct verifying *v, const struct vk_ledger_span *span, struct vk_error *err)
{
	struct read_line now = {.offset = span->offset, .len = span->len, .doubt = VK_F_COUNT};
	struct vk_error why = {.what = "it is longer than any that vmfskit writes"};
	enum vk_status status = VK_DAMAGED;
	char message[sizeof(why.what) + 8];
	bool confirms;

	if (!vk_digest_bytes(span->text, span->len, now.sha256))
		return vk_no_memory(err, v->store);
	if (!span->is_too_long)
		status = vk_ledger_line_read(span->text, span->len, &now.line, &why);
	if (status != VK_OK) {
		vk_ledger_line_free(&now.line);
		now.line.seq = 0;
		snprintf(message, sizeof(message), ": %s", why.what);
		vk_wrong_line(&v->broken, VK_F_LEDGER_DAMAGED, v->lines + 1, now.offset, now.len, message);
	}
	confirms = status == VK_OK && continues(v, &now);
	now.follows = confirms || (v->head.head.seq != 0 && now.line.seq == v->head.head.seq + 1 &&
				   strcmp(now.line.previous, v->head.head.sha256) == 0);
	if (status == VK_NOMEM || !record_last(v, confirms)) {
		vk_ledger_line_free(&now.line);
		return vk_no_memory(err, v->store);
	}
	if (status == VK_OK && !confirms)
		note_break(v, &now);
	if (status == VK_OK) {
		/* numbers that come again: which of the two lines was put in, nothing here tells */
		if (now.line.seq <= v->last_seq)
			v->recorded.doubted_to = v->recorded.lines;
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
	if (!vk_ledger_signed_line(v->fd, head, key)) {
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
	else if (key != NULL && !vk_signature_fits(key, anchor->text, anchor->len, anchor->signature) &&
		 !vk_ledger_signed_line(v->fd, anchor, key))
		put_finding(v, VK_F_SIGNATURE_WRONG, 0, "the signature of the anchor does not fit it");
	/* what the head, too, says is missing was told as cut off: the store is still the one that the anchor knows */
	if (v->anchor.is_there || (is_beyond && v->head.head.seq >= anchor->seq))
		return;
	vk_finding_say(v->sink, VK_F_LEDGER_ROLLED_BACK, 0, 0, NULL, NULL,
		       is_beyond ? "the anchor names line %llu, and the ledger does not reach it"
				 : "line %llu is not the one that the anchor names",
		       (unsigned long long)anchor->seq);
}

/* What the ledger says of itself, and of captures. */
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
	if (!confirmed && v->recorded.doubted_to > 0)
		v->recorded.doubted_to = SIZE_MAX;
	vk_wrong_lines_put(v->sink, &v->broken);
	judge_head(v);
	judge_anchor(v);
	vk_wrong_lines_put(v->sink, &v->wrongly_signed);
	vk_wrong_lines_put(v->sink, &v->not_signed);
	if (v->check->public_key != NULL && v->first_signed == 0)
		vk_wrong_lines_put(v->sink, &v->before_signed);
	return VK_OK;
}

/* There are captures, or at least there were: without a ledger nothing is known of them. */
static enum vk_status without_ledger(struct verifying *v, struct vk_error *err)
{
	enum vk_status status = read_head(v, err);

	if (status != VK_OK)
		return status;
	if (v->id_count > 0 || v->has_head)
		put_finding(v, VK_F_LEDGER_MISSING, 0, "there is no " VK_LEDGER_FILE);
	else if (v->anchor.head.seq > 0)
		put_finding(v, VK_F_LEDGER_ROLLED_BACK, 0,
			    "the anchor names a line of a ledger, and there is no ledger");
	return VK_OK;
}

static enum vk_status verify(struct verifying *v, struct vk_error *err)
{
	struct vk_error why = {.status = VK_OK};
	const char *anchor = v->check->anchor;
	enum vk_status status = anchor != NULL ? vk_ledger_anchor_read(anchor, &v->anchor.head, err) : VK_OK;

	if (status != VK_OK)
		return status;
	/* the captures first: what is there by now is in the ledger that is read next */
	status = vk_store_list(v->store, &v->ids, &v->id_count, err);
	if (status != VK_OK)
		return status;
	status = vk_ledger_open(v->store_fd, &v->fd, &why);
	if (status == VK_OK)
		return study(v, err);
	if (status == VK_ABSENT)
		return without_ledger(v, err);
	if (status == VK_DAMAGED) {
		put_finding(v, VK_F_LEDGER_DAMAGED, 0, VK_LEDGER_FILE " is not a regular file");
		return VK_OK;
	}
	return (*err = why).status;
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
	close(v->store_fd);
	free(v);
}

/* Takes over store_fd; -1: the store could not be opened, errno says why. NULL when memory ran out. */
static struct verifying *begin(const char *store, int store_fd, const struct vk_ledger_check *check,
			       const struct vk_finding_sink *sink, enum vk_status *ret_status, struct vk_error *err)
{
	struct verifying *v = store_fd >= 0 ? calloc(1, sizeof(*v)) : NULL;

	*ret_status = VK_OK;
	if (v != NULL) {
		*v = (struct verifying){.store = store, .check = check, .sink = sink, .store_fd = store_fd, .fd = -1};
		return v;
	}
	if (store_fd < 0 && errno == ENOENT)
		*ret_status = vk_error_set(err, VK_ABSENT, store, "there is no store here yet");
	else if (store_fd < 0)
		*ret_status = vk_error_errno(err, errno, store, "cannot open the store");
	else
		*ret_status = vk_no_memory(err, store);
	if (store_fd >= 0)
		close(store_fd);
	return NULL;
}

enum vk_status vk_ledger_verify(const char *store, const struct vk_ledger_check *check,
				const struct vk_finding_sink *sink, size_t *ret_lines, struct vk_error *err)
{
	struct vk_error own;
	enum vk_status status;
	struct verifying *v = begin(store, open(store, O_RDONLY | O_DIRECTORY | O_CLOEXEC), check, sink, &status,
				    err = err != NULL ? err : &own);

	if (v == NULL)
		return status;
	status = verify(v, err);
	if (status == VK_OK && !check->lines_only && v->fd >= 0)
		status = vk_recorded_compare(&v->recorded, v->store_fd, v->ids, v->id_count, sink, err);
	if (status == VK_OK && ret_lines != NULL)
		*ret_lines = v->lines;
	forget(v);
	return status;
}

enum vk_status vk_ledger_recorded(int store_fd, const struct vk_public_key *key, struct vk_recorded_set *recorded,
				  bool *ret_expected, struct vk_error *err)
{
	const struct vk_ledger_check check = {.public_key = key};
	struct vk_error odd_head;
	enum vk_status status;
	struct verifying *v = begin(VK_LEDGER_FILE, openat(store_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), &check,
				    NULL, &status, err);

	/* what cannot be looked at may be there */
	*ret_expected = true;
	if (v == NULL)
		return status;
	status = vk_ledger_open(v->store_fd, &v->fd, err);
	if (status == VK_OK)
		status = study(v, err);
	else if (status == VK_ABSENT)
		*ret_expected = vk_ledger_head_read(v->store_fd, VK_LEDGER_HEAD_FILE, VK_LEDGER_HEAD_SIG, &v->head.head,
						    &odd_head) != VK_ABSENT;
	if (status == VK_OK) {
		*recorded = v->recorded;
		v->recorded = (struct vk_recorded_set){.tree = NULL};
	}
	forget(v);
	return status;
}
