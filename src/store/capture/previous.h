/* SPDX-License-Identifier: Apache-2.0 */
/* The last captures of disks, found among the manifests of a store; and the disks that the last run saw. */
#ifndef VK_STORE_PREVIOUS_H
#define VK_STORE_PREVIOUS_H

#include "vmfskit/of_disk.h"

/* A disk whose last capture is wanted. */
struct vk_last_disk {
	const char *path; /* the name that is used now */
	const char *const *other_paths; /* ends with NULL; may be NULL */
	const char *wwid; /* may be empty, not NULL */
	const struct vk_disk_facts *facts; /* what is known of it without opening it; may be NULL; borrowed */
	const char *before; /* not NULL: only captures older than that one, with a map of the files of the partition */
	unsigned partition;
	char id[VK_CAPTURE_ID_BYTES]; /* out: its last capture; empty: there is none */
};

/* Where a run looked for disks, and in which words it was told which of them are meant. */
struct vk_seen_scope {
	const char *folder; /* "": those of the host */
	const char *words;
};

VK_MUST_USE bool vk_capture_has_map(const struct vk_capture *capture, unsigned partition);

/* Captures whose disks are not there any more. Free with vk_gones_free. */
struct vk_gones {
	struct vk_capture *captures;
	size_t count;
};
void vk_gones_free(struct vk_gones *gones);

/*
 * The last capture of a disk is the newest one with the same non-empty WWID, or else, when not both have one, that
 * was taken on this host under the same path; in both cases only when nothing that is known of the disk contradicts
 * (vk_capture_contradicts). Undo captures and captures without a readable manifest are passed over. Errors: VK_ABSENT
 * (no store), VK_IO, VK_NOMEM.
 */
VK_MUST_USE enum vk_status vk_last_captures(const struct vk_store *store, struct vk_last_disk *disks, size_t count,
					    struct vk_error *err);
/*
 * What the last run on this host with this scope saw, as its captures, and none of the disks is. Of a scope that there
 * was no run with, the last run in that folder counts. ret_gones is empty also after a failure. Errors: VK_DAMAGED
 * (nobody can tell what that run saw), VK_IO, VK_NOMEM.
 */
VK_MUST_USE enum vk_status vk_seen_gone(const struct vk_store *store, const struct vk_seen_scope *scope,
					struct vk_last_disk *disks, size_t count, struct vk_gones *ret_gones,
					struct vk_error *err);
/*
 * Put on record what this run saw: the last capture of each disk. So whoever is gone is told once. The store was
 * opened with RUN. Errors: VK_IO, VK_NOMEM.
 */
VK_MUST_USE enum vk_status vk_seen_write(const struct vk_store *store, const struct vk_seen_scope *scope,
					 const char *const *ids, size_t count, struct vk_error *err);

/*
 * The ids of the captures that the last runs on this host saw, of every scope, in the order of strcmp. Free with
 * vk_sentences_free. Errors as of vk_seen_gone.
 */
VK_MUST_USE enum vk_status vk_seen_captures(const struct vk_store *store, char ***ret_ids, size_t *ret_count,
					    struct vk_error *err);

#endif
