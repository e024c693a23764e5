/* SPDX-License-Identifier: Apache-2.0 */
/* What a rebuilt capture says of itself: lists of sentences, and a copy of them. */
#ifndef VK_STORE_REBUILT_H
#define VK_STORE_REBUILT_H

#include "vmfskit/capture.h"

/* The lists of texts of struct vk_rebuilt, in the order of the manifest. */
#define VK_REBUILT_LISTS(L) L(exact) L(fresh) L(lost) L(guessed) L(replaced)

/* "capture", "undo" or "rebuilt", as manifests and JSON have it. */
const char *vk_capture_purpose(const struct vk_capture *capture);

VK_MUST_USE enum vk_status vk_rebuilt_copy(const struct vk_rebuilt *from, struct vk_rebuilt *ret_copy,
					   struct vk_error *err);
/*
 * Append a sentence to one of the lists, fit for a manifest. A list that is full takes no more: the last sentence then
 * says so. False when memory ran out.
 */
VK_MUST_USE bool vk_rebuilt_say(char ***list, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
