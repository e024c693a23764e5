/* SPDX-License-Identifier: Apache-2.0 */
/* The last captures of disks, found among the manifests of a store. */
#ifndef VK_STORE_PREVIOUS_H
#define VK_STORE_PREVIOUS_H

#include "vmfskit/of_disk.h"

/* A disk whose last capture is wanted. */
struct vk_last_disk {
	const char *path; /* the name that is used now */
	const char *const *other_paths; /* ends with NULL; may be NULL */
	const char *wwid; /* may be empty, not NULL */
	const struct vk_disk_facts *facts; /* what is known of it without opening it; may be NULL; borrowed */
	char id[VK_CAPTURE_ID_BYTES]; /* out: its last capture; empty: there is none */
};

/* What the run before captured and is not among the disks. */
struct vk_last_gone {
	char *path;
	char wwid[200];
	char time[32];
	char id[VK_CAPTURE_ID_BYTES];
};
struct vk_last_gones {
	struct vk_last_gone *items;
	size_t count;
};
void vk_last_gones_free(struct vk_last_gones *gones);

/*
 * The last capture of a disk is the newest one with the same non-empty WWID, or else, when not both have one, that
 * was taken on this host under the same path; in both cases only when nothing that is known of the disk contradicts
 * (vk_capture_contradicts). Undo captures and captures without a readable manifest are passed over.
 *
 * ret_gones (NULL: not wanted) are disks of the last run on this host whose command line is_alike takes, that none of
 * the disks is. Free with vk_last_gones_free. Errors: VK_ABSENT (no store), VK_IO, VK_NOMEM.
 */
VK_MUST_USE enum vk_status vk_last_captures(const struct vk_store *store,
					    struct vk_last_disk *disks, size_t count,
					    bool (*is_alike)(const char *const *command, void *ctx), void *ctx,
					    struct vk_last_gones *ret_gones, struct vk_error *err);

#endif
