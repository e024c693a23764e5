/* SPDX-License-Identifier: Apache-2.0 */
/* Guard heartbeat: a slot that changes between two reads belongs to a host that uses the volume right now. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/checked.h"
#include "repair/guard/guards.h"
#include "vol/heartbeat_watch.h"

enum { WAIT_MS = 8000, TEXT_BYTES = 380 };

/*
 * The first region that ticked since the first look, as a text: "Heartbeat slot 3 (byte 4711) WHAT: host ... at ... is
 * using the volume"; empty: none. in_use: only of those that some host seems to use.
 */
static enum vk_status find_ticked(const struct vk_restore *restore, bool in_use, const char *what,
				  char ret_text[TEXT_BYTES], struct vk_error *err)
{
	const struct vk_heartbeat_watch *watch = restore->heartbeats;
	enum vk_status status = VK_OK;
	bool ticked = false;
	struct vk_text text = vk_text_in(ret_text, TEXT_BYTES);

	for (size_t i = 0; watch != NULL && status == VK_OK && i < watch->count && !ticked; i++) {
		const struct vk_heartbeat_region *region = &watch->items[i];
		struct vk_heartbeat_change change;

		if (in_use && !region->in_use)
			continue;
		status = vk_heartbeat_region_ticked(region, restore->io, &ticked, &change, err);
		if (status != VK_OK || !ticked)
			continue;
		vk_text_fmt(&text, "heartbeat slot %" PRIu32 " (byte %" PRIu64 ") %s: ", change.slot,
			    region->offset_bytes + (uint64_t)change.slot * region->slot_bytes, what);
		vk_heartbeat_change_text(&change, &text);
	}
	return status;
}

static enum vk_status first_look(struct vk_restore *restore, bool *ret_in_use, struct vk_error *err)
{
	struct vk_heartbeat_watch *watch = calloc(1, sizeof(*watch));
	enum vk_status status;

	if (watch == NULL)
		return vk_no_memory(err, NULL);
	vk_guard_heartbeat_forget(restore);
	restore->heartbeats = watch;
	/* where the capture knows heartbeats, and where the target's own volumes have them */
	for (size_t i = 0; i < restore->place_count; i++) {
		const struct vk_identity *identity = restore->places[i].identity;

		vk_heartbeat_watch_add(watch, identity->heartbeat_offset_bytes, identity->heartbeat_length_bytes,
				       identity->heartbeat_slot_bytes);
	}
	for (size_t i = 0; i < restore->before->vmfs_count; i++) {
		const struct vk_vmfs *vmfs = &restore->before->vmfs[i];
		const struct vk_fs_geometry *geometry = &vmfs->heartbeats.geometry;

		if (vmfs->fs_usable)
			vk_heartbeat_watch_add(watch,
					       vk_add_sat(vk_mul_sat(vmfs->start_sector, restore->target.sector_size),
							  vmfs->heartbeats.offset_bytes),
					       vk_mul_sat(geometry->heartbeat_slots, geometry->heartbeat_slot_bytes),
					       geometry->heartbeat_slot_bytes);
	}
	status = vk_heartbeat_watch_begin(watch, restore->io, err);
	if (status != VK_OK)
		return status;
	for (size_t i = 0; i < watch->count; i++) {
		const struct vk_heartbeat_region *region = &watch->items[i];
		bool cut = region->held_bytes < region->length_bytes;

		*ret_in_use = *ret_in_use || region->in_use;
		/*
		 * a region without a marker is not the one that hosts beat in; of what cannot be read the unreadable
		 * guard speaks, too
		 */
		if (cut || !region->marked)
			vk_restore_add_remark(restore, "heartbeats cannot be judged: %s at byte %" PRIu64
					      " of the target%s", cut ? "the region" : "there are none",
					      region->offset_bytes,
					      cut ? " could not be read whole" : ", where they are expected");
	}
	if (watch->left_out > 0)
		vk_restore_add_remark(restore,
				      "heartbeats cannot be judged in %zu more places (more than %d, or of an "
				      "impossible size): a host that uses one of those volumes would not be noticed",
				      watch->left_out, VK_HEARTBEAT_REGIONS_MAX);
	return VK_OK;
}

enum vk_status vk_guard_ask_heartbeat(struct vk_restore *restore, struct vk_error *err)
{
	unsigned wait_ms = restore->options.heartbeat_wait_ms;
	char message[TEXT_BYTES];
	bool in_use = false;
	enum vk_status status;

	if (vk_overlay_dirty_bytes(restore->overlay) == 0)
		return VK_OK;
	status = first_look(restore, &in_use, err);
	if (status != VK_OK || !in_use)
		return status;
	vk_heartbeat_watch_wait(wait_ms != 0 ? wait_ms : WAIT_MS);
	status = find_ticked(restore, true, "changed between two reads", message, err);
	if (status != VK_OK || message[0] == '\0')
		return status;
	return vk_guard_object(restore, VK_GUARD_HEARTBEAT, err, "%s", message);
}

/* Of every region, also of those that nobody used at the first look: a host may have mounted since. */
enum vk_status vk_guard_heartbeat_again(struct vk_restore *restore, struct vk_error *err)
{
	char message[TEXT_BYTES];
	enum vk_status status;

	if (vk_guard_is_lifted(&restore->options, VK_GUARD_HEARTBEAT))
		return VK_OK;
	status = find_ticked(restore, false, "changed since the plan was made", message, err);
	if (status != VK_OK || message[0] == '\0')
		return status;
	vk_error_set(err, VK_REFUSED, restore->path, "guard heartbeat: %s", message);
	return vk_error_remedy(err, "nothing was written; unmount the datastore on every host, then repeat the "
				    "command");
}

void vk_guard_heartbeat_after(struct vk_restore *restore, struct vk_text *note)
{
	char message[TEXT_BYTES];
	const struct vk_edit *edits;
	size_t count = vk_overlay_edits(restore->overlay, &edits);
	struct vk_error ignored;

	/* what this run wrote into a region is no beat of a host */
	for (size_t i = 0; restore->heartbeats != NULL && i < restore->heartbeats->count; i++)
		for (size_t e = 0; e < count; e++) {
			struct vk_heartbeat_region *region = &restore->heartbeats->items[i];
			uint64_t start = vk_max_u64(edits[e].offset_bytes, region->offset_bytes);
			uint64_t end = vk_min_u64(vk_add_sat(edits[e].offset_bytes, edits[e].length_bytes),
						  vk_add_sat(region->offset_bytes, region->length_bytes));

			if (start < end)
				memcpy(region->first + (start - region->offset_bytes),
				       edits[e].new_bytes + (start - edits[e].offset_bytes), (size_t)(end - start));
		}
	if (find_ticked(restore, false, "changed while the target was written", message, &ignored) == VK_OK &&
	    message[0] != '\0')
		vk_text_fmt(note, "%s%s; its writes may contradict this one: unmount the datastore on every host, "
				  "then decode the target", note->len_bytes > 0 ? ". " : "", message);
}

void vk_guard_heartbeat_forget(struct vk_restore *restore)
{
	if (restore->heartbeats != NULL)
		vk_heartbeat_watch_end(restore->heartbeats);
	free(restore->heartbeats);
	restore->heartbeats = NULL;
}
