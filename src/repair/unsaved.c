/* SPDX-License-Identifier: Apache-2.0 */
/* A capture that was not saved: a target with what a planner put over it. */
#include "base/memory.h"
#include "repair/unsaved.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/shown.h"
#include "repair/plan/restore_state.h"
#include "store/manifest/manifest.h"
#include "store/plan/plan.h"

/* The capture holds the ranges of the edits, those that touch joined; and the bytes of the overlay. */
static enum vk_status describe(struct vk_unsaved *unsaved, struct vk_overlay *overlay, struct vk_error *err)
{
	const struct vk_source *after = &unsaved->after;
	struct vk_capture *c = &unsaved->capture;
	const struct vk_edit *edits;
	size_t count = vk_overlay_edits(overlay, &edits), joined = 0;
	struct vk_range *ranges = calloc(count + 1, sizeof(*ranges));
	struct vk_capture_plan plan;
	struct vk_device_info device;
	enum vk_status status;

	c->rebuilt.ranges = ranges;
	if (ranges == NULL)
		return vk_no_memory(err, NULL);
	for (size_t i = 0; i < count; i++) {
		struct vk_range *last = joined > 0 ? &ranges[joined - 1] : NULL;

		if (last != NULL && last->offset_bytes + last->length_bytes == edits[i].offset_bytes)
			last->length_bytes += edits[i].length_bytes;
		else
			ranges[joined++] = (struct vk_range){edits[i].offset_bytes, edits[i].length_bytes};
	}
	c->rebuilt.range_count = joined;
	status = vk_capture_plan(after, &plan, err);
	if (status == VK_OK)
		status = vk_plan_also(after, &c->rebuilt, &plan, err);
	if (status != VK_OK)
		return status;
	c->regions = plan.regions;
	c->region_count = plan.region_count;
	c->identities = plan.identities;
	c->identity_count = plan.identity_count;
	c->is_rebuilt = true;
	c->memory = vk_overlay_io(overlay);
	/* the names of what was read, through its descriptor: the path can be another LUN's by now */
	vk_device_info_of_io(after->io, &device);
	vk_manifest_set_device(c, &device);
	c->source_kind = after->kind;
	c->table_kind = after->table.kind;
	c->size_bytes = after->size_bytes;
	c->sector_size = after->sector_size;
	vk_label_into(c->source_path, sizeof(c->source_path), after->path, strlen(after->path));
	c->path = strdup(after->path);
	return c->path != NULL ? VK_OK : vk_no_memory(err, NULL);
}

enum vk_status vk_unsaved_make(const struct vk_source *before, struct vk_overlay *overlay,
			       struct vk_rebuilt *rebuilt, struct vk_unsaved *ret_unsaved,
			       struct vk_error *err)
{
	struct vk_unsaved unsaved = {.capture.rebuilt = *rebuilt};
	enum vk_status status = vk_source_over(vk_overlay_io(overlay), before->path, before->kind, before->sector_size,
					       &unsaved.after, err);

	memset(rebuilt, 0, sizeof(*rebuilt));
	if (status == VK_OK)
		status = describe(&unsaved, overlay, err);
	if (status != VK_OK)
		vk_unsaved_free(&unsaved);
	else
		*ret_unsaved = unsaved;
	return status;
}

void vk_unsaved_free(struct vk_unsaved *unsaved)
{
	vk_capture_close(&unsaved->capture);
	vk_source_close(&unsaved->after);
}

static bool holds(struct vk_io *io, uint64_t offset, const uint8_t *bytes, size_t len)
{
	uint8_t buf[4096];

	for (size_t done = 0, n; done < len; done += n) {
		struct vk_error ignored;

		n = (size_t)vk_min_u64(len - done, sizeof(buf));
		if (vk_io_read_all(io, offset + done, buf, n, &ignored) != VK_OK || memcmp(buf, bytes + done, n) != 0)
			return false;
	}
	return true;
}

/*
 * The partition, or volume that no partition names, that the byte lies in: nothing that is the table's is written
 * there.
 */
static bool fenced(const struct vk_restore *restore, uint64_t at, uint64_t *ret_start, uint64_t *ret_length)
{
	size_t count = restore->captured != NULL ? restore->captured->table.partition_count : 0;
	uint32_t ss = restore->capture->sector_size;

	for (size_t i = 0; i < count; i++) {
		const struct vk_partition *partition = &restore->captured->table.partitions[i];

		*ret_start = vk_mul_sat(partition->start_sector, ss);
		*ret_length = vk_mul_sat(partition->sectors, ss);
		if (!vk_partition_is_extended(partition) && at >= *ret_start && at - *ret_start < *ret_length)
			return true;
	}
	for (size_t i = 0; i < restore->place_count; i++) {
		*ret_start = restore->places[i].start_bytes;
		*ret_length = restore->places[i].length_bytes;
		if (at >= *ret_start && at - *ret_start < *ret_length)
			return true;
	}
	return false;
}

/* The plan leaves something of an edit as it is: why. */
static enum vk_status explain(const struct vk_restore *restore, const struct vk_edit *edit, struct vk_error *err)
{
	uint64_t at = edit->offset_bytes, end = at + edit->length_bytes, start, length;
	size_t ss = restore->target.sector_size;

	if (!edit->old_unread && !holds(restore->io, at, edit->old_bytes, edit->length_bytes)) {
		vk_error_set(err, VK_REFUSED, restore->path, "the target changed while the plan was made");
		vk_error_at(err, at);
		return vk_error_remedy(err, "nothing was written; find out who writes to it, then repeat the command");
	}
	while (at + ss < end &&
	       holds(vk_overlay_io(restore->overlay), at, edit->new_bytes + (at - edit->offset_bytes), ss))
		at += ss;
	if (!fenced(restore, at, &start, &length)) {
		vk_error_set(err, VK_INTERNAL, restore->path,
			     "the plan does not change what was worked out; nothing was written");
		return vk_error_at(err, at);
	}
	vk_error_set(err, VK_REFUSED, restore->path,
		     "the %s would be overwritten in part sector %" PRIu64 ", which lies in the partition or volume "
		     "of %" PRIu64 " sectors that begins at sector %" PRIu64,
		     edit->reason, at / ss, length / ss, start / ss);
	vk_error_at(err, at);
	return vk_error_remedy(err, "nothing was written; vmfskit decode shows what lies there. If only a part of "
				    "that volume's disk is here, work on the whole disk; else first remove the wrong "
				    "entries from the table");
}

enum vk_status vk_unsaved_check(const struct vk_overlay *overlay, const struct vk_restore *restore,
				struct vk_error *err)
{
	const struct vk_edit *edits;
	size_t count = vk_overlay_edits(overlay, &edits);

	for (size_t i = 0; i < count; i++)
		if (!holds(vk_overlay_io(restore->overlay), edits[i].offset_bytes, edits[i].new_bytes,
			   edits[i].length_bytes))
			return explain(restore, &edits[i], err);
	if (vk_overlay_dirty_bytes(overlay) != vk_overlay_dirty_bytes(restore->overlay))
		return vk_error_set(err, VK_INTERNAL, restore->path,
				    "the plan changes more than what was worked out; nothing was written");
	return VK_OK;
}
