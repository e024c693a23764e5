/* SPDX-License-Identifier: Apache-2.0 */
/* What a restore puts back beside structures. */
#ifndef VK_REPAIR_RESTORE_GAPS_H
#define VK_REPAIR_RESTORE_GAPS_H

#include "repair/plan/restore_state.h"

/*
 * Another system's signature goes from sectors that VMFS leaves unused, with all that lies in these: while it is there,
 * that system may take the volume for its own. The structures between them are left as they are: hosts may have
 * changed them since.
 */
VK_MUST_USE enum vk_status vk_restore_choose_gaps(struct vk_restore *restore, struct vk_error *err);

#endif
