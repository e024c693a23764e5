/* SPDX-License-Identifier: Apache-2.0 */
/* A ledger that is being verified; shared by the files ledger_verify.c and ledger_marks.c. */
#ifndef VK_STORE_LEDGER_VERIFYING_H
#define VK_STORE_LEDGER_VERIFYING_H

#include "store/ledger/ledger_captures.h"
#include "store/ledger/ledger_chain.h"

struct vk_ledger_verifying {
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

/* Read ledger.head and the anchor; one that cannot be used is told (head) or an error (anchor). */
VK_MUST_USE enum vk_status vk_ledger_read_head(struct vk_ledger_verifying *v, struct vk_error *err);
VK_MUST_USE enum vk_status vk_ledger_read_anchor(struct vk_ledger_verifying *v, struct vk_error *err);
/* What head and anchor say goes into the chain before it is judged; afterwards they are held against it. */
void vk_ledger_take_marks(struct vk_ledger_verifying *v);
void vk_ledger_judge_marks(const struct vk_ledger_verifying *v);
/* Number of the first genuine line that is signed; 0: none. */
uint64_t vk_ledger_first_signed(const struct vk_ledger_verifying *v);
/* A finding with this message. */
void vk_ledger_tell(const struct vk_ledger_verifying *v, enum vk_finding_code code, uint64_t offset,
		    const char *message);

#endif
