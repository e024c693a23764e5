/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A store: the folder that captures lie in. It belongs to one owner; everything in it is opened relative to its
 * descriptor and never through links, so that a store that is swapped or seeded with links while a run works in it can
 * neither be followed elsewhere nor mix two stores.
 *
 *   <store>/<id>/          a capture (capture.h)
 *   <store>/.tmp-<id>/     one that is being made; locked by who makes it
 *   <store>/.gone-<id>/    one that is being removed
 *   <store>/.pins/<id>     a pin: why this capture stays
 *   <store>/.lock          who works in the store: held by capture, import and prune --write
 *   <store>/ledger.jsonl   what was done, line by line (ledger.h)
 *   <store>/ledger.head    number and digest of its last line; ledger.head.sig the signature of that
 */
#ifndef VMFSKIT_STORE_H
#define VMFSKIT_STORE_H

#include <stdbool.h>
#include <stddef.h>

#include "vmfskit/error.h"
#include "vmfskit/finding.h"

__BEGIN_DECLS

#define VK_STORE_DEFAULT "/var/lib/vmfskit"

enum vk_store_use {
	VK_STORE_READ, /* it must be there; nothing in it is changed */
	VK_STORE_ADD,  /* made when it is not there; single additions (an undo capture, a pin, an event) beside a run */
	/* made when it is not there; holds the lock: one run at a time, and removes what a killed one left */
	VK_STORE_RUN
};

struct vk_sign_key; /* signature.h */

struct vk_store_options {
	enum vk_store_use use;
	/* captures, ledger lines and the head are signed with it; borrowed; may be NULL */
	const struct vk_sign_key *sign_key;
	/* with RUN: what was found while leftovers were removed (store.left-over) goes here; may be NULL */
	const struct vk_finding_sink *sink;
	/* the command line, for manifests and ledger; ends with NULL; borrowed; may be NULL */
	const char *const *command;
};

/* A handle; safe for use by several threads. Free with vk_store_close. */
struct vk_store;

/*
 * Errors: VK_ABSENT (READ: there is none), VK_REFUSED (others can write to it: its owner is neither this user nor
 * root, or its mode lets group or others write; READ does not ask), VK_IO (cannot be made or opened; with RUN also:
 * another run holds the lock, and who that is), VK_NOMEM.
 */
VK_MUST_USE enum vk_status vk_store_open(const char *path, const struct vk_store_options *options,
					 struct vk_store **ret_store, struct vk_error *err);
/* Gives the lock back, also when a process that was forked meanwhile has the handle, too. NULL is allowed. */
void vk_store_close(struct vk_store *store);

const char *vk_store_path(const struct vk_store *store);
int vk_store_fd(const struct vk_store *store); /* of its folder; borrowed */
const struct vk_sign_key *vk_store_sign_key(const struct vk_store *store);
/* Names the time that this handle is open, sorts as time does: "20261121T014500.042113Z-4711". */
const char *vk_store_run(const struct vk_store *store);
const char *const *vk_store_command(const struct vk_store *store); /* never NULL; may be empty */

/* Ids of the captures in a store, oldest first. Free each and the array. VK_ABSENT when there is no store. */
VK_MUST_USE enum vk_status vk_store_list(const char *store, char ***ret_ids, size_t *ret_count,
					 struct vk_error *err);

__END_DECLS
#endif
