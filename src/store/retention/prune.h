/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Removing captures from a store: what each is, which may go, and how they go so that a run can be killed at any
 * moment.
 */
#ifndef VK_STORE_PRUNE_H
#define VK_STORE_PRUNE_H

#include <sys/types.h>

#include "store/retention/pins.h"
#include "vmfskit/capture.h"
#include "vmfskit/retention.h"
#include "vmfskit/store.h"

/* One capture of the store. Start with all zero; free with vk_prune_capture_free. */
struct vk_prune_capture {
	char id[VK_CAPTURE_ID_BYTES];
	char problem[300]; /* not empty: too little is known of it, so that it stays and counts for nothing */
	bool unread;       /* and that is because it could not be read: it may be as good as any */
	dev_t dev;         /* of its folder: what was judged is what is removed */
	ino_t ino;
	char time[32];
	char manifest_sha256[VK_SHA256_HEX_BYTES]; /* empty: it could not be read */
	char *source_path; /* NULL: its manifest could not be read */
	/* what the rules ask of it, and what they decide; its texts are these: */
	struct vk_retention_item item;
	char *disk;
	char **volumes;
	char header[VK_SHA256_HEX_BYTES];
	bool removed;
};

struct vk_prune {
	struct vk_store *store; /* borrowed */
	struct vk_prune_capture *captures;
	size_t count;
	size_t remove_count; /* of the plan */
	/* recorded, and not in the store: recorded as removed, too. Free with vk_sentences_free. */
	char **missing;
	size_t missing_count;
	uint64_t free_bytes; /* what the file system gets back from those */
};

/*
 * Read and verify the capture whose id is set. Whatever is wrong with it becomes its verdict or its problem. Safe from
 * several threads; cache may be NULL.
 */
void vk_prune_study(const struct vk_prune *prune, const struct vk_pins *pins, struct vk_verify_cache *cache,
		   struct vk_prune_capture *capture);
void vk_prune_capture_free(struct vk_prune_capture *capture);

/* Decide for all, and fill the sums. Errors: VK_NOMEM, VK_IO. */
VK_MUST_USE enum vk_status vk_prune_decide(struct vk_prune *prune, const struct vk_retention_policy *policy,
					   struct vk_error *err);

/*
 * Remove what does not stay. It is recorded in the ledger first; then all are renamed to .gone-<id> and that is
 * flushed before the first file goes: a run that is killed leaves whole captures under their names and others, whole
 * or not, under .gone-, where nobody takes them for captures and vk_store_sweep of the next run removes them. One
 * that was pinned meanwhile stays. Goes on behind a capture that fails; the first failure is returned: VK_IO,
 * VK_NOMEM, or what the ledger says, and then nothing was removed.
 */
VK_MUST_USE enum vk_status vk_prune_remove(struct vk_prune *prune, struct vk_error *err);

#endif
