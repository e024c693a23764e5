/* SPDX-License-Identifier: Apache-2.0 */
/* Which captures the ledger says are in the store, and whether they are. */
#ifndef VK_STORE_LEDGER_CAPTURES_H
#define VK_STORE_LEDGER_CAPTURES_H

#include "store/ledger_lines.h"

struct vk_recorded; /* what the ledger says of one capture */

/* Start with all zero; free with vk_recorded_free. */
struct vk_recorded_set {
	struct vk_recorded *slots; /* open addressing, by name */
	size_t cap;
	size_t count;
};

/* Take in what a genuine line says. Lines may come in any order. False when memory ran out. */
VK_MUST_USE bool vk_recorded_add(struct vk_recorded_set *set, const struct vk_ledger_line *line, uint64_t offset);
void vk_recorded_free(struct vk_recorded_set *set);

/*
 * Compare with the captures of the store: ids are those that were in it before the ledger was read, so that
 * none of them can have been recorded after. Findings ledger.capture-missing, -unrecorded, -differs, ledger.unfinished, and ledger.write-unfinished.
 */
VK_MUST_USE enum vk_status vk_recorded_compare(struct vk_recorded_set *set, int store_fd, char *const *ids,
					       size_t count, const struct vk_finding_sink *sink,
					       struct vk_error *err);

#endif
