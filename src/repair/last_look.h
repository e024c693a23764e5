/* SPDX-License-Identifier: Apache-2.0 */
/* What happens on both sides of the writing: who uses the target is asked again, the ledger hears of it. */
#ifndef VK_REPAIR_LAST_LOOK_H
#define VK_REPAIR_LAST_LOOK_H

#include "repair/writer.h"
#include "vmfskit/store.h"

/* The context of the two that a write job calls. */
struct vk_last_look {
	struct vk_restore *restore;
	struct vk_store *store;
	const char *undo_id;
};

/* Guards in-use and heartbeat once more, then the line restore-begun: what cannot be recorded is not begun. */
VK_MUST_USE enum vk_status vk_last_look_before(void *look, struct vk_error *err);
/* Whether a host beat meanwhile. */
void vk_last_look_after(void *look, struct vk_text *note);

#endif
