/* SPDX-License-Identifier: Apache-2.0 */
/* Guard worse: what decodes now, and would not with the plan carried out. */
#include <inttypes.h>
#include <stdio.h>

#include "base/checked.h"
#include "repair/guard/guards.h"

enum { WHAT_BYTES = 240, HEADER_BYTES = 512 };

/* The table names it, or the source is its partition. */
static bool is_named(const struct vk_source *source, const struct vk_vmfs *v)
{
	return source->kind != VK_SOURCE_DISK || v->partition != 0;
}

/* What of a volume that a table names (hidden: or that none names) one has and the other has not; NULL: nothing. */
static const char *lost_part(const struct vk_restore *restore, const struct vk_source *has, const struct vk_vmfs *v,
			     const struct vk_source *other, bool hidden)
{
	uint64_t header = vk_add_sat(vk_mul_sat(v->start_sector, has->sector_size), VK_LVM_HEADER_OFFSET);
	const struct vk_vmfs *same = NULL;

	for (size_t i = 0; i < other->vmfs_count && same == NULL; i++)
		if (other->vmfs[i].start_sector == v->start_sector)
			same = &other->vmfs[i];
	if ((!v->lvm_usable && !v->fs_usable) || (!hidden && !is_named(has, v)))
		return NULL;
	if (is_named(has, v) && (same == NULL || !is_named(other, same)))
		return "partition entry";
	/* one that no table names, and that lies in a partition then, is only not shown any more */
	if (v->lvm_usable && (same == NULL ? vk_restore_edits_meet(restore, header, HEADER_BYTES) : !same->lvm_usable))
		return "LVM header";
	return v->fs_usable && same != NULL && !same->fs_usable ? "file-system descriptor" : NULL;
}

/* The first thing that can be used in one and not in the other, as a sentence; false: there is none. */
static bool lacks(const struct vk_restore *restore, const struct vk_source *has, const struct vk_source *other,
		  bool hidden, char what[WHAT_BYTES])
{
	if (has->kind == VK_SOURCE_DISK && vk_table_sound_kind(&has->table) != VK_TABLE_NONE &&
	    vk_table_sound_kind(&other->table) == VK_TABLE_NONE) {
		snprintf(what, WHAT_BYTES, "now there is a sound %s partition table",
			 vk_table_kind_name(has->table.kind));
		return true;
	}
	for (size_t i = 0; i < has->vmfs_count; i++) {
		const char *part = lost_part(restore, has, &has->vmfs[i], other, hidden);

		if (part == NULL)
			continue;
		snprintf(what, WHAT_BYTES, "now there is a usable %s of the volume at sector %" PRIu64, part,
			 has->vmfs[i].start_sector);
		return true;
	}
	return false;
}

/* How many errors of one the other does not have, and the first of them. */
static size_t errors_besides(const struct vk_findings *these, const struct vk_findings *those,
			     const struct vk_finding **ret_first)
{
	size_t count = 0;

	for (size_t i = 0; i < these->count; i++) {
		const struct vk_finding *f = &these->items[i];

		if (vk_finding_kind(f->code)->severity != VK_ERROR || vk_findings_have(those, f->code, f->offset_bytes))
			continue;
		if (count++ == 0)
			*ret_first = f;
	}
	return count;
}

/* Whether the result is worse than what is there: it loses something, or it gains nothing and has more errors. */
static bool is_worse(const struct vk_restore *restore, char what[WHAT_BYTES])
{
	const struct vk_source *before = restore->before, *after = restore->after;
	const struct vk_finding *first = NULL, *gone;
	size_t more = errors_besides(&after->findings, &before->findings, &first);
	size_t fewer = errors_besides(&before->findings, &after->findings, &gone);
	bool any = before->kind == VK_SOURCE_DISK && vk_table_sound_kind(&before->table) != VK_TABLE_NONE;
	char gained[WHAT_BYTES];

	if (lacks(restore, before, after, false, what))
		return true;
	/* what systems did not see may make room for what they will see: a relic */
	if (lacks(restore, after, before, false, gained))
		return false;
	if (lacks(restore, before, after, true, what))
		return true;
	/* of a wreck, one error more or less says nothing */
	for (size_t i = 0; i < before->vmfs_count; i++)
		any = any || (is_named(before, &before->vmfs[i]) && before->vmfs[i].lvm_usable);
	if (more <= fewer || !any)
		return false;
	snprintf(what, WHAT_BYTES,
		 "it would have %zu %s more; the first new one is %s at byte %" PRIu64 ": %.120s",
		 more - fewer, more - fewer == 1 ? "error" : "errors", vk_finding_kind(first->code)->code,
		 first->offset_bytes, first->message);
	return true;
}

/*
 * Undo is asked for by people who want the state before the restore, damage and all: when every byte is as the restore
 * found or left it, it is told what comes back and does it. Where that cannot be told, what stands there may be
 * somebody's later work, and that the capture which could tell is gone or broken does not lift the guard.
 */
enum vk_status vk_guard_ask_worse(struct vk_restore *restore, struct vk_error *err)
{
	const struct vk_capture *capture = restore->capture;
	char what[WHAT_BYTES];

	/* who puts signatures away loses a volume on purpose, and asks whether it is a leftover (repair_wipe.c) */
	if (capture->memory != NULL && vk_rebuilt_is_wipe(&capture->rebuilt))
		return VK_OK;
	if (vk_overlay_dirty_bytes(restore->overlay) == 0 || !is_worse(restore, what))
		return VK_OK;
	if (restore->capture->is_undo && restore->known_state) {
		vk_restore_add_remark(restore, "this puts the damage back: %s", what);
		return VK_OK;
	}
	if (vk_guard_object(restore, VK_GUARD_WORSE, err, "the target would be worse than it is: %s", what) != VK_OK)
		return VK_NOMEM;
	if (vk_rebuilt_is_wipe(&capture->rebuilt))
		vk_guard_add_remedy(restore, "run vmfskit wipe instead, which asks whether the signatures are "
				    "leftovers; lift this guard only when nobody needs the volume", false);
	return VK_OK;
}
