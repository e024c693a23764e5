/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which capture a person means. A name is, in this order:
 *
 *	a path                what has a slash: the folder of a capture
 *	an id                 the whole id of a capture in the store, or a capture in a folder of this name here;
 *	                      both at once are refused, and so is a folder whose name is one of those below
 *	latest                the newest backup: no undo capture, and not what repair rebuilt; one whose time lies in
 *	                      the future only where there is no other
 *	latest:TEXT           the newest of the disk whose label, NAA name or WWID is TEXT, or has TEXT in it
 *	the beginning, or the end, of one id in the store, at least three characters of it
 *
 * What can mean captures of several disks, or several captures, is refused with a list of them.
 */
#ifndef VK_STORE_NAMED_H
#define VK_STORE_NAMED_H

#include "vmfskit/capture.h"

enum { VK_NAMED_SHOWN = 10 };

struct vk_naming {
	const char *store;
	bool undo;     /* latest is the newest undo capture instead */
	bool one_disk; /* latest alone is refused where the store has such captures of several disks */
};

/* A capture as people know it. Texts are empty where its manifest cannot be read. */
struct vk_named {
	char id[VK_CAPTURE_ID_BYTES];
	char time[32];
	char label[520]; /* of its first volume that has one */
	char naa[200];   /* WWID; without one the disk id of its first volume that has one */
};

/* What a name may mean. Plain value. */
struct vk_named_list {
	bool whole; /* the name is a path or a whole id; on success nothing else is filled then but here */
	bool here;  /* it is a folder of the current folder, without a slash */
	struct vk_named items[VK_NAMED_SHOWN]; /* newest first; on success the first one is meant */
	size_t count;                          /* of items */
	size_t all;                            /* that may be meant; more than count are not listed */
	size_t unread;                         /* so many newer ones that nothing can be told of were passed over, */
	char unread_id[VK_CAPTURE_ID_BYTES];   /* the newest of them */
	size_t ahead;                          /* the same of those whose time lies in the future */
	char ahead_id[VK_CAPTURE_ID_BYTES];
};

/* Whether the name is latest or latest:TEXT, and so may mean another capture tomorrow. */
bool vk_name_is_latest(const char *name);
/*
 * ret_list is filled in any case. Errors: VK_ABSENT, VK_USAGE (several may be meant: ret_list has them), VK_IO (also:
 * what may be the newest cannot be read), VK_NOMEM.
 */
VK_MUST_USE enum vk_status vk_capture_named(const struct vk_naming *naming, const char *name,
					    struct vk_named_list *ret_list, struct vk_error *err);

#endif
