/* SPDX-License-Identifier: Apache-2.0 */
/* Which captures the ledger says are in the store, and whether they are. */
#ifndef VK_STORE_LEDGER_CAPTURES_H
#define VK_STORE_LEDGER_CAPTURES_H

#include "store/ledger/ledger_lines.h"

/* What the ledger says of one capture. Lines are counted from 1, as they stand in the file. */
struct vk_recorded {
	const char *id;
	size_t added;    /* the last line that added it; 0: none */
	size_t removed;  /* the same of removing */
	size_t begun;    /* as the undo capture of a write: the last line that begins one, ... */
	size_t ended;    /* ... and the last that tells the end of one */
	uint64_t offset; /* of the line that added it */
	char manifest_sha256[VK_SHA256_HEX_BYTES];
};

/* Start with all zero; free with vk_recorded_free. */
struct vk_recorded_set {
	void *tree; /* of tsearch, by id */
	struct vk_recorded **items; /* in the order of the ledger */
	size_t count;
	size_t lines;    /* taken in so far */
	bool incomplete; /* there are, or were, lines that are not believed: what is not here may be recorded in them */
};

/* Take in what the next line says that is believed. False when memory ran out. */
VK_MUST_USE bool vk_recorded_add(struct vk_recorded_set *set, const struct vk_ledger_line *line, uint64_t offset);
/* What it says of a capture that was added at least once, else NULL. */
const struct vk_recorded *vk_recorded_find(const struct vk_recorded_set *set, const char *id);
void vk_recorded_free(struct vk_recorded_set *set);

/*
 * Digest of the manifest in an open folder. VK_ABSENT, VK_DAMAGED: there is none that could be one; VK_IO, VK_NOMEM.
 */
VK_MUST_USE enum vk_status vk_manifest_digest(int folder_fd, char ret_sha256[VK_SHA256_HEX_BYTES],
					      struct vk_error *err);
/* Whether the ledger records the manifest of this capture as it is; else ledger.capture-unrecorded or -differs. */
VK_MUST_USE bool vk_recorded_vouches(const struct vk_recorded_set *set, const char *id, const char *manifest_sha256,
				     const struct vk_finding_sink *sink);
/*
 * Whether it records that manifest under any name: a copy that lies elsewhere can have another one. When it records
 * another manifest under this name, ledger.capture-differs.
 */
VK_MUST_USE bool vk_recorded_knows(const struct vk_recorded_set *set, const char *id, const char *manifest_sha256,
				   const struct vk_finding_sink *sink);

/*
 * Compare with the captures of the store: ids are those that were in it before the ledger was read, so that none of
 * them can have been recorded after. Findings ledger.capture-missing, -unrecorded, -differs, ledger.unfinished, and
 * ledger.write-unfinished.
 */
VK_MUST_USE enum vk_status vk_recorded_compare(const struct vk_recorded_set *set, int store_fd, char *const *ids,
					       size_t count, const struct vk_finding_sink *sink,
					       struct vk_error *err);

/*
 * What the ledger of an open store records; lines that are not believed are passed over. The set is zeroed by the
 * caller and freed by him, also after a failure. key may be NULL. ret_expected: there is a ledger, or a head tells
 * that there was one. VK_ABSENT: there is none; VK_DAMAGED, VK_IO, VK_NOMEM.
 */
VK_MUST_USE enum vk_status vk_ledger_recorded(int store_fd, const struct vk_public_key *key,
					      struct vk_recorded_set *recorded, bool *ret_expected,
					      struct vk_error *err);

/* What the ledger says is in the store and is not. Free ids with vk_sentences_free, also after a failure. */
struct vk_ledger_missing {
	char *const *present; /* captures that are there, in the order of strcmp; borrowed */
	size_t present_count;
	char **ids; /* out: those that lines add and no later line removes */
	size_t count;
};

/*
 * What the lines about these captures (ids in the order of strcmp) say, each by itself, when all of the store was
 * verified last (empty: no line tells), and what is missing (may be NULL): the chain is not proved, so it is for
 * showing. The set as above. VK_ABSENT, VK_DAMAGED, VK_IO, VK_NOMEM.
 */
VK_MUST_USE enum vk_status vk_ledger_glance(int store_fd, char *const *ids, size_t count,
					    struct vk_recorded_set *recorded, char ret_verified[32],
					    struct vk_ledger_missing *missing, struct vk_error *err);

#endif
