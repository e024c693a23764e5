/* SPDX-License-Identifier: Apache-2.0 */
/* What is known of a ledger from outside of it: its head and an anchor. */
#include <fcntl.h>
#include <string.h>

#include "base/command.h"
#include "store/ledger/ledger_verifying.h"

void vk_ledger_tell(const struct vk_ledger_verifying *v, enum vk_finding_code code, uint64_t offset,
		    const char *message)
{
	struct vk_finding finding;

	vk_finding_init(&finding, code, offset, 0, "%s", message);
	vk_finding_put(v->sink, &finding);
}

/* A head that cannot be used is told and forgotten. */
enum vk_status vk_ledger_read_head(struct vk_ledger_verifying *v, struct vk_error *err)
{
	struct vk_error why = {.status = VK_OK};
	enum vk_status status =
		vk_ledger_head_read(v->store_fd, VK_LEDGER_HEAD_FILE, VK_LEDGER_HEAD_SIG, &v->head, &why);

	if (status == VK_DAMAGED) {
		vk_ledger_tell(v, VK_F_LEDGER_HEAD_WRONG, 0, why.what);
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
static bool head_signature(struct vk_ledger_verifying *v)
{
	const struct vk_public_key *key = v->check->public_key;
	uint64_t seq;

	if (v->head.odd_signature) {
		vk_ledger_tell(v, VK_F_LEDGER_HEAD_WRONG, 0, VK_LEDGER_HEAD_SIG " is not a signature");
		return false;
	}
	if (key == NULL)
		return true;
	if (!v->head.is_signed) {
		vk_ledger_tell(v, VK_F_SIGNATURE_MISSING, 0, "the head of the ledger is not signed");
		return true;
	}
	if (vk_signature_fits(key, v->head.text, v->head.len, v->head.signature))
		return true;
	if (!vk_ledger_signed_line(v->fd, &v->head, key, &seq)) {
		vk_ledger_tell(v, VK_F_LEDGER_HEAD_WRONG, 0, "the signature of the head does not fit it");
		return false;
	}
	vk_ledger_tell(v, VK_F_LEDGER_UNFINISHED, 0,
		       "the head of the ledger was being written: its signature is already that of a later one");
	return true;
}

void vk_ledger_take_marks(struct vk_ledger_verifying *v)
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
uint64_t vk_ledger_first_signed(const struct vk_ledger_verifying *v)
{
	for (size_t i = 0; i < v->chain.order_count; i++)
		if (v->chain.lines[v->chain.order[i]].is_signed)
			return v->chain.lines[v->chain.order[i]].seq;
	return 0;
}

/* The head and the last line deny each other: who bears its own mark of being genuine is believed. */
static void judge_last(const struct vk_ledger_verifying *v)
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

static void judge_head(const struct vk_ledger_verifying *v)
{
	uint64_t signed_seq = vk_ledger_first_signed(v);

	if (!v->has_head && v->chain.count > 1)
		vk_ledger_tell(v, VK_F_LEDGER_HEAD_WRONG, 0, "the head of the ledger is missing");
	else if (!v->has_head && v->chain.count == 1)
		vk_ledger_tell(v, VK_F_LEDGER_UNFINISHED, 0, "the head of the ledger was not yet written");
	if (v->has_head && !v->head.is_signed && !v->head.odd_signature && signed_seq > 0 &&
	    signed_seq <= v->head.seq && v->check->public_key == NULL)
		vk_ledger_tell(v, VK_F_LEDGER_HEAD_WRONG, 0, "lines of the ledger are signed and its head is not");
	if (v->chain.head.seq == 0 || v->chain.order_count == 0)
		return;
	switch (vk_chain_fit(&v->chain, &v->chain.head)) {
	case VK_CHAIN_LAST:
		judge_last(v);
		break;
	case VK_CHAIN_OTHER:
		vk_ledger_tell(v, VK_F_LEDGER_HEAD_WRONG, 0,
			       "the head of the ledger names a line that was never in it");
		break;
	case VK_CHAIN_FITS:
		if (v->head_line_time[0] != '\0' && strcmp(v->head.time, v->head_line_time) != 0)
			vk_ledger_tell(v, VK_F_LEDGER_HEAD_WRONG, 0,
				       "the head of the ledger has another time than its line");
		break;
	case VK_CHAIN_BEYOND: /* told as cut short */
		break;
	}
}

static void judge_anchor(const struct vk_ledger_verifying *v)
{
	const struct vk_public_key *key = v->check->public_key;
	enum vk_chain_fit fit;
	struct vk_finding finding;
	uint64_t seq;

	if (v->check->anchor == NULL)
		return;
	if (key != NULL && !v->anchor.is_signed)
		vk_ledger_tell(v, VK_F_SIGNATURE_MISSING, 0, "the anchor is not signed");
	else if (key != NULL && !vk_signature_fits(key, v->anchor.text, v->anchor.len, v->anchor.signature) &&
		 !vk_ledger_signed_line(v->fd, &v->anchor, key, &seq))
		vk_ledger_tell(v, VK_F_SIGNATURE_WRONG, 0, "the signature of the anchor does not fit it");
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

enum vk_status vk_ledger_read_anchor(struct vk_ledger_verifying *v, struct vk_error *err)
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
		status = vk_error_set(err, VK_USAGE, v->check->anchor,
				      "the anchor is not a head of a ledger as vmfskit writes it");
	(void)vk_error_remedy(err, "vmfskit capture --anchor %s writes it", vk_shell_path(v->check->anchor).text);
	return status == VK_ABSENT ? VK_IO : status;
}

void vk_ledger_judge_marks(const struct vk_ledger_verifying *v)
{
	judge_head(v);
	judge_anchor(v);
}
