/* SPDX-License-Identifier: Apache-2.0 */
/* Guards table-kind and table-partitions: only a sound table of the target can contradict the captured one. */
#include <inttypes.h>
#include <string.h>

#include "base/checked.h"
#include "repair/guard/guards.h"

enum vk_table_kind vk_table_sound_kind(const struct vk_table *table)
{
	bool mbr = table->mbr_seen_bytes >= VK_MBR_BYTES &&
		   table->mbr.signature == VK_MBR_SIGNATURE && !vk_mbr_is_protective(&table->mbr);
	bool used = false;

	for (int i = 0; mbr && i < 4; i++)
		used = used || vk_mbr_entry_used(&table->mbr.entries[i]);
	/* with a GPT behind it, what stands there is a damaged protection */
	if (used && table->kind != VK_TABLE_GPT)
		return VK_TABLE_MBR;
	return table->gpt[0].sound || table->gpt[1].sound ? VK_TABLE_GPT : VK_TABLE_NONE;
}

enum vk_status vk_guard_ask_table_kind(struct vk_restore *restore, struct vk_error *err)
{
	enum vk_table_kind seen, want = restore->capture->table_kind;

	if (restore->known_state || restore->before->kind != VK_SOURCE_DISK ||
	    !vk_restore_edits_in_part(restore, VK_PART_TABLE))
		return VK_OK;
	seen = vk_table_sound_kind(&restore->before->table);
	if (seen == VK_TABLE_NONE || seen == want)
		return VK_OK;
	if (restore->capture->is_undo && restore->after != NULL && seen == restore->after->table.kind)
		return VK_OK;
	return vk_guard_object(restore, VK_GUARD_TABLE_KIND, err,
			       "The target has a sound %s partition table, the %s table is %s",
			       vk_table_kind_name(seen), restore->capture->is_rebuilt ? "rebuilt" : "captured",
			       vk_table_kind_name(want));
}

bool vk_partition_was_captured(const struct vk_restore *restore, const struct vk_partition *partition)
{
	const struct vk_source *captured = restore->captured;
	uint32_t ss = restore->target.sector_size, captured_ss = restore->capture->sector_size;

	for (size_t i = 0; captured != NULL && i < captured->table.partition_count; i++) {
		const struct vk_partition *was = &captured->table.partitions[i];

		if (was->gpt == partition->gpt &&
		    (was->gpt ? vk_guid_equal(&was->entry.typeGUID, &partition->entry.typeGUID)
			      : was->mbr_type == partition->mbr_type) &&
		    vk_mul_sat(was->start_sector, captured_ss) ==
			    vk_mul_sat(partition->start_sector, ss) &&
		    vk_mul_sat(was->sectors, captured_ss) == vk_mul_sat(partition->sectors, ss))
			return true;
	}
	return false;
}

/* Tables of two kinds are table-kind's affair; an undo whose bytes are all known does not get here. */
enum vk_status vk_guard_ask_table_partitions(struct vk_restore *restore, struct vk_error *err)
{
	const struct vk_table *table = &restore->before->table;
	const struct vk_partition *first = NULL;
	char type[VK_GUID_TEXT_BYTES];
	size_t count = 0;
	const char *name;

	if (restore->known_state || restore->capture->is_undo ||
	    restore->before->kind != VK_SOURCE_DISK ||
	    !vk_restore_edits_in_part(restore, VK_PART_TABLE) || table->kind == VK_TABLE_NONE ||
	    vk_table_sound_kind(table) != table->kind || table->kind != restore->capture->table_kind)
		return VK_OK;
	for (size_t i = 0; i < table->partition_count; i++) {
		const struct vk_partition *partition = &table->partitions[i];

		/*
		 * one that only becomes longer or shorter counts, too: what lies at its end is lost to it, or to its
		 * neighbour
		 */
		if (vk_partition_is_extended(partition) || vk_partition_was_captured(restore, partition))
			continue;
		if (count++ == 0)
			first = partition;
	}
	if (count == 0)
		return VK_OK;
	vk_partition_type(first, type, &name);
	return vk_guard_object(restore, VK_GUARD_TABLE_PARTITIONS, err,
			       "The target's sound table has %zu %s that the %s one does not have, or not with this "
			       "end; the first is number %u at sector %" PRIu64 ", %" PRIu64
			       " sectors, type %s (%s)",
			       count, count == 1 ? "partition" : "partitions",
			       restore->capture->is_rebuilt ? "rebuilt" : "captured", first->number,
			       first->start_sector, first->sectors, type, name);
}
