/* SPDX-License-Identifier: Apache-2.0 */
/* Which captures the ledger says are in the store, and whether they are. */
#ifndef VK_STORE_LEDGER_CAPTURES_H
#define VK_STORE_LEDGER_CAPTURES_H

#include "store/ledger/ledger_lines.h"

struct vk_recorded; /* what the ledger says of one capture */

/* Start with all zero; free with vk_recorded_free. */
struct vk_recorded_set {
	struct vk_recorded *slots; /* open addressing, by name */
	size_t cap;
	size_t count;
};

/*
 * Take in what a genuine line says; doubt: ledger.line-altered, signature.wrong, or VK_F_COUNT when nothing is wrong
 * with the line. Lines may come in any order. False when memory ran out.
 */
VK_MUST_USE bool vk_recorded_add(struct vk_recorded_set *set, const struct vk_ledger_line *line, uint64_t offset,
				 enum vk_finding_code doubt);
void vk_recorded_free(struct vk_recorded_set *set);

/*
 * Whether the ledger records the manifest of this capture as it is; else why not: ledger.capture-unrecorded, -differs,
 * ledger.line-altered.
 */
VK_MUST_USE bool vk_recorded_vouches(const struct vk_recorded_set *set, const char *id, const char *manifest_sha256,
				     const struct vk_finding_sink *sink);
/*
 * Whether it records that manifest under any name: a copy that lies elsewhere can have another one. When it records another
 * manifest under this name, ledger.capture-differs.
 */
VK_MUST_USE bool vk_recorded_knows(const struct vk_recorded_set *set, const char *id, const char *manifest_sha256,
				   const struct vk_finding_sink *sink);

/*
 * Compare with the captures of the store: ids are those that were in it before the ledger was read, so that none of
 * them can have been recorded after. Findings ledger.capture-missing, -unrecorded, -differs, ledger.unfinished, and
 * ledger.write-unfinished.
 */
VK_MUST_USE enum vk_status vk_recorded_compare(struct vk_recorded_set *set, int store_fd, char *const *ids,
					       size_t count, const struct vk_finding_sink *sink,
					       struct vk_error *err);

/*
 * What the ledger of an open store records; the set is zeroed by the caller and freed by him, also after a failure.
 * key may be NULL. ret_expected: there is a ledger, or a head tells that there was one. VK_ABSENT: there is none;
 * VK_DAMAGED, VK_IO, VK_NOMEM.
 */
VK_MUST_USE enum vk_status vk_ledger_recorded(int store_fd, const struct vk_public_key *key,
					      struct vk_recorded_set *recorded, bool *ret_expected,
					      struct vk_error *err);

#endif
