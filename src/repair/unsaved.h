/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A capture that was not saved: a target with what a planner put over it. It goes through restore like any other, and
 * what restore makes of it is compared with what the planner meant.
 */
#ifndef VK_REPAIR_UNSAVED_H
#define VK_REPAIR_UNSAVED_H

#include "repair/plan/target.h"
#include "vmfskit/overlay.h"
#include "vmfskit/restore.h"

struct vk_unsaved {
	struct vk_source after; /* the overlay, decoded */
	struct vk_capture capture;
};

/*
 * overlay lies over before, which is decoded; both are borrowed. rebuilt becomes the capture's (also when this fails);
 * its ranges are filled in here. Errors: those of vk_source_open_io and vk_capture_plan. Free with vk_unsaved_free.
 */
VK_MUST_USE enum vk_status vk_unsaved_make(const struct vk_source *before, struct vk_overlay *overlay,
					   struct vk_rebuilt *rebuilt, struct vk_unsaved *ret_unsaved,
					   struct vk_error *err);
void vk_unsaved_free(struct vk_unsaved *unsaved);

/*
 * Whether the plan changes exactly what the overlay does. Errors: VK_REFUSED (the target changed in the meantime),
 * VK_INTERNAL (it does not), VK_IO.
 */
VK_MUST_USE enum vk_status vk_unsaved_check(const struct vk_overlay *overlay,
					    const struct vk_restore *restore, struct vk_error *err);

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
