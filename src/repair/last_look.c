/* SPDX-License-Identifier: Apache-2.0 */
/* What happens on both sides of the writing: who uses the target is asked again, the ledger hears of it. */
#include "repair/last_look.h"

#include <inttypes.h>
#include <stdio.h>

#include "repair/guard/guards.h"
#include "vmfskit/ledger.h"

/* Should the power fail or the process be killed from now on, this line and the undo capture tell of it. */
static enum vk_status record_begun(const struct vk_last_look *look, struct vk_error *err)
{
	const char *const captures[] = {look->restore->capture->id, look->undo_id};
	char result[64];
	const struct vk_event event = {.kind = VK_EVENT_RESTORE_BEGUN,
				       .captures = captures,
				       .capture_count = 2,
				       .target = look->restore->path,
				       .plan = vk_restore_plan_digest(look->restore),
				       .result = result};

	snprintf(result, sizeof(result), "%" PRIu64 " bytes to write", vk_overlay_dirty_bytes(look->restore->overlay));
	return vk_ledger_append(look->store, &event, err);
}

enum vk_status vk_last_look_before(void *ctx, struct vk_error *err)
{
	const struct vk_last_look *look = ctx;
	enum vk_status status = vk_guard_in_use_again(look->restore, err);

	if (status == VK_OK)
		status = vk_guard_heartbeat_again(look->restore, err);
	return status == VK_OK ? record_begun(look, err) : status;
}

void vk_last_look_after(void *ctx, struct vk_text *note)
{
	const struct vk_last_look *look = ctx;

	vk_guard_heartbeat_after(look->restore, note);
}
