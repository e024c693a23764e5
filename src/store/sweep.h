/* SPDX-License-Identifier: Apache-2.0 */
/* Removing what a killed run left in a store. */
#ifndef VK_STORE_SWEEP_H
#define VK_STORE_SWEEP_H

#include "vmfskit/store.h"

/*
 * Remove the folders of captures that were being made or removed when their run ended; one that the ledger has gets
 * its name. A folder that is locked is being made by somebody beside this run and stays. What no run can have left (a
 * folder with other things than plain files in it, a link) stays, too, and so does what may have been recorded in a
 * line of the ledger that is not believed; both are told: store.left-over. For who holds the lock of the store.
 * Errors: VK_IO (store or ledger cannot be read), VK_NOMEM.
 */
VK_MUST_USE enum vk_status vk_store_sweep(struct vk_store *store, const struct vk_finding_sink *sink,
					  struct vk_error *err);

#endif
