/* SPDX-License-Identifier: Apache-2.0 */
/* Guards foreign-signature and member: is another system's data in the way, is the target a part of an array? */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "repair/guard/guards.h"
#include "vmfskit/foreign.h"

/* Where is looked: the whole target, the place of a captured VMFS partition, or a partition the target has. */
struct field_of_view {
	uint64_t start;
	uint64_t length;
	unsigned partition;
	bool whole;
	bool own;
};

enum { AROUND_BYTES = 4096, OWN_LOOKS_MAX = 256, BACKUP_SECTORS = 33 };

/* A magic is short and says nothing of whose it is: the 4 KiB from its sector on are compared. */
bool vk_guard_as_captured(const struct vk_restore *restore, const struct vk_foreign *sign)
{
	uint8_t seen[AROUND_BYTES], want[AROUND_BYTES];
	uint64_t start = sign->magic_bytes - sign->magic_bytes % 512; /* not the sectors before: a lost MBR */
	size_t len = (size_t)vk_min_u64(restore->target.size_bytes - start, AROUND_BYTES);
	struct vk_error ignored;

	/* what was rebuilt is the target itself, with whatever stands on it: no evidence of whose it was */
	return !restore->capture->is_rebuilt && start < restore->target.size_bytes &&
	       vk_io_read_all(restore->io, start, seen, len, &ignored) == VK_OK &&
	       vk_io_read_all(restore->captured_io, start, want, len, &ignored) == VK_OK &&
	       memcmp(seen, want, len) == 0;
}

/* It lies where a volume of the plan does, and not beside it in a partition of its own. */
static bool lies_over_volume(const struct vk_restore *restore, const struct field_of_view *view)
{
	for (size_t p = 0; p < restore->place_count && view->own; p++)
		if (vk_ranges_meet(view->start, view->length, restore->places[p].start_bytes,
				   restore->places[p].length_bytes))
			return true;
	return !view->own;
}

static bool in_the_way(const struct vk_restore *restore, const struct field_of_view *view)
{
	return vk_restore_edits_meet(restore, view->start, view->length) ||
	       (!view->whole && vk_restore_edits_in_part(restore, VK_PART_TABLE));
}

static enum vk_status ask_range(struct vk_restore *restore, const struct field_of_view *view,
			   struct vk_error *err)
{
	struct vk_foreigners found = {.count = 0};
	enum vk_status status = vk_foreign_look(restore->io, view->start, view->length, &found, err);

	for (size_t i = 0; status == VK_OK && i < found.count; i++) {
		const struct vk_foreign *sign = &found.items[i];
		char where[64] = "the whole target";

		/*
		 * A part of an array may have been one when it was captured, or have become one since a restore
		 * without a byte of that restore being changed: what excuses other signatures does not excuse it.
		 */
		if (!vk_foreign_is_member(sign) && (restore->known_state || vk_guard_as_captured(restore, sign)))
			continue;
		if (!view->whole && view->partition == 0)
			snprintf(where, sizeof(where), "the place of a volume that is in no table");
		else if (!view->whole)
			snprintf(where, sizeof(where), "%s partition %u",
				 view->own ? "the target's own" : "the place of", view->partition);
		status = vk_guard_object(restore,
					 vk_foreign_is_member(sign) ? VK_GUARD_MEMBER : VK_GUARD_FOREIGN_SIGNATURE,
					 err, "%s is on %s: its signature is at byte %" PRIu64 "%s%s%s%s%s", sign->type,
					 where, sign->magic_bytes, sign->label[0] != '\0' ? ", label \"" : "",
					 sign->label, sign->label[0] != '\0' ? "\"" : "",
					 sign->uuid[0] != '\0' ? ", UUID " : "", sign->uuid);
		if (status == VK_OK && !vk_foreign_is_member(sign))
			vk_guard_add_remedy(restore, vk_guard_kind(VK_GUARD_FOREIGN_SIGNATURE)->past,
					    lies_over_volume(restore, view));
	}
	vk_foreigners_free(&found);
	return status;
}

/* Cut to the target and looked at, when it would be hit or lose its entry in the table. */
static enum vk_status look_in(struct vk_restore *restore, struct field_of_view view,
			      struct vk_error *err)
{
	uint64_t size = restore->target.size_bytes;

	if (view.start == 0 || view.start >= size || view.length == 0)
		return VK_OK;
	view.length = vk_min_u64(view.length, size - view.start);
	return in_the_way(restore, &view) ? ask_range(restore, &view, err) : VK_OK;
}

/* The first byte from `end` on that is not zero now and would be overwritten; UINT64_MAX: none. */
static uint64_t overwritten_behind(const struct vk_restore *restore, uint64_t end)
{
	const struct vk_edit *edits;
	size_t count = vk_overlay_edits(restore->overlay, &edits);

	for (size_t i = 0; i < count; i++)
		if (edits[i].offset_bytes >= end &&
		    (edits[i].old_unread || !vk_all_zero(edits[i].old_bytes, edits[i].length_bytes)))
			return edits[i].offset_bytes;
	return UINT64_MAX;
}

enum vk_status vk_guard_ask_tail(struct vk_restore *restore, uint64_t end, const char *who, struct vk_error *err)
{
	uint64_t at = UINT64_MAX;

	if (end != 0 && !vk_guard_has_objected(restore, VK_GUARD_MEMBER))
		at = overwritten_behind(restore, end);
	if (at == UINT64_MAX)
		return VK_OK;
	return vk_guard_object(restore, VK_GUARD_MEMBER, err,
			       "%s says that the disk ends at byte %" PRIu64 ", and sectors behind that, from byte "
			       "%" PRIu64 " on, are not empty: they may be data of a RAID or a controller, and would "
			       "be overwritten", who, end, at);
}

/* Whether the disk ends with the header of a GPT that counts in larger sectors: what lies there is known. */
static bool ends_in_larger_sectors(struct vk_restore *restore)
{
	uint8_t sector[4096];
	uint64_t last = restore->target.size_bytes / sizeof(sector);
	struct vk_gpt_header header;

	if (last < 2 || restore->target.sector_size >= sizeof(sector) ||
	    vk_io_read_all(restore->io, (last - 1) * sizeof(sector), sector, sizeof(sector), NULL) != VK_OK ||
	    !vk_gpt_header_proved(sector, sizeof(sector)))
		return false;
	vk_gpt_header_decode(sector, sizeof(sector), &header);
	return header.myLBA == last - 1;
}

/* A copy of the GPT is to be put behind the end that the table names, where something lies already. */
static enum vk_status ask_tail(struct vk_restore *restore, struct vk_error *err)
{
	const struct vk_table *table = &restore->before->table;
	uint64_t end = vk_mul_sat(vk_table_gpt_disk_sectors(table), restore->target.sector_size);
	uint64_t copy = vk_mul_sat(BACKUP_SECTORS, restore->target.sector_size), size = restore->target.size_bytes;
	uint64_t at = UINT64_MAX;

	/*
	 * nothing says where the disk ended: what would be overwritten may be the rest of a lost copy, or somebody
	 * else's
	 */
	if (end == 0 && restore->capture->memory != NULL && !table->gpt[1].present && size > copy &&
	    !vk_guard_has_objected(restore, VK_GUARD_MEMBER))
		at = overwritten_behind(restore, size - copy);
	if (at != UINT64_MAX && !ends_in_larger_sectors(restore))
		vk_restore_add_remark(restore,
				      "the last sectors, from byte %" PRIu64 " on, hold something that is not a copy "
				      "of a GPT; they may be data of a RAID or a controller, and would be overwritten",
				      at);
	return vk_guard_ask_tail(restore, end, "the partition table", err);
}

enum vk_status vk_guard_ask_foreign(struct vk_restore *restore, struct vk_error *err)
{
	const struct vk_table *table = &restore->before->table;
	struct field_of_view view = {.length = restore->target.size_bytes, .whole = true};
	uint32_t ss = restore->target.sector_size;
	enum vk_status status = VK_OK;
	size_t looks = 0, named = restore->before->kind == VK_SOURCE_DISK ? table->partition_count : 0;

	if (restore->target.size_bytes == 0 || vk_overlay_dirty_bytes(restore->overlay) == 0)
		return VK_OK;
	if (in_the_way(restore, &view))
		status = ask_range(restore, &view, err);
	for (size_t i = 0; i < restore->place_count && status == VK_OK; i++) {
		const struct vk_captured_place *place = &restore->places[i];

		view = (struct field_of_view){
			place->start_bytes, place->length_bytes, place->identity->partition, false, false};
		status = look_in(restore, view, err);
	}
	/* of an undo that knows every byte, what stands there is what the restore put there */
	if (status != VK_OK || restore->known_state)
		return status;
	/* what the target's own table names and the captured one does not, however broken that table is */
	for (size_t i = 0; i < named && status == VK_OK; i++) {
		const struct vk_partition *partition = &table->partitions[i];
		bool seen;

		view = (struct field_of_view){vk_mul_sat(partition->start_sector, ss),
					      vk_mul_sat(partition->sectors, ss), partition->number, false, true};
		seen = vk_partition_is_extended(partition) ||
		       (vk_partition_was_captured(restore, partition) &&
			!vk_restore_edits_meet(restore, view.start, view.length));
		for (size_t p = 0; p < restore->place_count && !seen; p++)
			seen = restore->places[p].start_bytes == view.start;
		if (!seen && looks++ < OWN_LOOKS_MAX)
			status = look_in(restore, view, err);
	}
	return status == VK_OK ? ask_tail(restore, err) : status;
}
