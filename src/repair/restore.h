/* SPDX-License-Identifier: Apache-2.0 */
/* Plans of repair: a restore of what was worked out on a target that is open already. */
#ifndef VK_REPAIR_RESTORE_H
#define VK_REPAIR_RESTORE_H

#include "repair/plan/target.h"
#include "repair/unsaved.h"

/*
 * vk_restore_plan of a capture that was not saved. overlay: what it was made from, over target or over a target of the
 * same path. What overlay shows was decoded as unsaved->after, and is not decoded once more: that the plan changes the
 * same bytes is asked first (vk_unsaved_check). All is borrowed. Errors: those of vk_restore_plan and vk_unsaved_check.
 */
VK_MUST_USE enum vk_status vk_restore_plan_unsaved(const struct vk_unsaved *unsaved, const struct vk_overlay *overlay,
						   struct vk_target *target, const struct vk_restore_options *options,
						   struct vk_restore **ret_restore, struct vk_error *err)
	__attribute__((nonnull(3)));

#endif
