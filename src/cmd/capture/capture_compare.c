/* SPDX-License-Identifier: Apache-2.0 */
/* What changed on a disk since its last capture. */
#include <string.h>

#include "base/memory.h"
#include "cmd/capture/capture_run.h"

static const struct vk_region *find_region(const struct vk_capture *c, const char *file)
{
	for (size_t i = 0; i < c->region_count; i++)
		if (strcmp(c->regions[i].file, file) == 0)
			return &c->regions[i];
	return NULL;
}

/* Everything but heartbeats is byte for byte what it was: the usual night. */
static bool is_same(const struct vk_capture *before, const struct vk_capture *after)
{
	if (before->source_kind != after->source_kind || before->size_bytes != after->size_bytes ||
	    before->sector_size != after->sector_size || before->region_count != after->region_count ||
	    before->unreadable_count != after->unreadable_count)
		return false;
	for (size_t i = 0; i < after->region_count; i++) {
		const struct vk_region *now = &after->regions[i];
		const struct vk_region *old = find_region(before, now->file);

		if (old == NULL || old->offset_bytes != now->offset_bytes || old->length_bytes != now->length_bytes ||
		    (now->part != VK_PART_HEARTBEATS && strcmp(old->sha256, now->sha256) != 0))
			return false;
	}
	return true;
}

static void add_change(struct capture_job *job, const struct vk_change *change)
{
	if (vk_append(&job->changes, &job->change_count, change, sizeof(*change)) == NULL)
		job->result.changes_dropped++;
}

static void add_plain(struct capture_job *job, const char *field, const char *before, const char *after)
{
	struct vk_change change = {.subject = "disk"};

	snprintf(change.field, sizeof(change.field), "%s", field);
	snprintf(change.before, sizeof(change.before), "%s", before);
	snprintf(change.after, sizeof(change.after), "%s", after);
	snprintf(change.message, sizeof(change.message), "%s: %s -> %s", field, change.before, change.after);
	add_change(job, &change);
}

static enum vk_status diff_captures(const struct vk_capture *before, const struct vk_capture *after,
				    struct vk_diff *ret_diff, struct vk_error *err)
{
	struct vk_source old;
	struct vk_source now;
	enum vk_status status = vk_capture_source(before, &old, err);

	if (status != VK_OK)
		return status;
	status = vk_capture_source(after, &now, err);
	if (status == VK_OK) {
		status = vk_diff_sources(&old, &now, ret_diff, err);
		vk_source_close(&now);
	}
	vk_source_close(&old);
	return status;
}

static void compare_bytes(struct capture_job *job, const struct vk_capture *before)
{
	struct vk_diff diff = {0};
	struct vk_error err;

	if (diff_captures(before, &job->capture, &diff, &err) != VK_OK) {
		add_plain(job, "comparison", before->id, err.what);
		return;
	}
	for (size_t i = 0; i < diff.change_count; i++)
		if (!diff.changes[i].is_volatile)
			add_change(job, &diff.changes[i]);
	job->result.changes_dropped += diff.changes_dropped;
	/* the difference is reported in one way or another */
	if (diff.matters && job->change_count + job->result.changes_dropped == 0)
		add_plain(job, "saved bytes", before->id, "different");
	vk_diff_free(&diff);
}

void vk_capture_compare(struct capture_job *job, const struct vk_capture *before)
{
	if (before->source_kind != job->capture.source_kind)
		add_plain(job, "kind", vk_source_kind_name(before->source_kind),
			  vk_source_kind_name(job->capture.source_kind));
	else if (!is_same(before, &job->capture))
		compare_bytes(job, before);
}
