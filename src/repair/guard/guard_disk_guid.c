/* SPDX-License-Identifier: Apache-2.0 */
/* Guard disk-id, of the partition table: the GUID of a sound GPT with partitions is that of another disk. */
#include "repair/guard/guards.h"

static const struct vk_gpt_header *sound_header(const struct vk_table *table)
{
	for (int i = 0; table->kind == VK_TABLE_GPT && i < 2; i++)
		if (table->gpt[i].sound)
			return &table->gpt[i].header;
	return NULL;
}

enum vk_status vk_guard_ask_disk_guid(struct vk_restore *restore, struct vk_error *err)
{
	const struct vk_gpt_header *target = sound_header(&restore->before->table);
	const struct vk_gpt_header *captured =
		restore->captured != NULL ? sound_header(&restore->captured->table) : NULL;
	char is[VK_GUID_TEXT_BYTES];
	char was[VK_GUID_TEXT_BYTES];

	/* what was worked out from this very target needs no other proof, and its GUID is whose table won */
	if (restore->captured == NULL || restore->known_state || restore->capture->memory != NULL)
		return VK_OK;
	/* an empty table may have been made in despair; one with partitions belongs to a disk in use */
	if (target == NULL || captured == NULL || restore->before->table.partition_count == 0 ||
	    vk_guid_equal(&target->diskGUID, &captured->diskGUID))
		return VK_OK;
	vk_guid_format(&target->diskGUID, is);
	vk_guid_format(&captured->diskGUID, was);
	return vk_guard_object(restore, VK_GUARD_DISK_ID, err,
			       "The partition table on the target is of disk %s, the captured one of disk %s",
			       is, was);
}
