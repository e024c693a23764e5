/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is left to tell one disk from another when the volume's header is gone: the GUIDs of a sound GPT. When nothing
 * at all is left, the person is told so.
 */
#include "repair/guards.h"

static const struct vk_gpt_header *sound_header(const struct vk_table *table)
{
	for (int i = 0; table->kind == VK_TABLE_GPT && i < 2; i++)
		if (table->gpt[i].sound)
			return &table->gpt[i].header;
	return NULL;
}

/* Whether anything on the target says that it is the captured disk. */
static bool identified(const struct vk_restore *restore, const struct vk_gpt_header *target,
		       const struct vk_gpt_header *captured)
{
	if (target != NULL && captured != NULL && vk_guid_equal(&target->diskGUID, &captured->diskGUID))
		return true;
	for (size_t i = 0; i < restore->place_count; i++) {
		const struct vk_vmfs *vmfs = &restore->places[i].vmfs;

		if (vmfs->lvm_usable || vmfs->fs_usable)
			return true; /* one that contradicts is what the other guards speak of */
	}
	return false;
}

enum vk_status vk_guard_ask_disk_guid(struct vk_restore *restore, struct vk_error *err)
{
	const struct vk_gpt_header *target = sound_header(&restore->before.table);
	const struct vk_gpt_header *captured =
		restore->has_captured ? sound_header(&restore->captured.table) : NULL;
	char is[VK_GUID_TEXT_BYTES];
	char was[VK_GUID_TEXT_BYTES];

	/* what was worked out from this very target needs no other proof, and its GUID is whose table won */
	if (!restore->has_captured || restore->known_state || restore->capture->memory != NULL)
		return VK_OK;
	if (!identified(restore, target, captured))
		vk_restore_add_remark(restore,
				      "nothing that is left on the target proves that it is the captured disk: "
				      "make sure by its size, serial number or place");
	/* an empty table may have been made in despair; one with partitions belongs to a disk in use */
	if (target == NULL || captured == NULL || restore->before.table.partition_count == 0 ||
	    vk_guid_equal(&target->diskGUID, &captured->diskGUID))
		return VK_OK;
	vk_guid_format(&target->diskGUID, is);
	vk_guid_format(&captured->diskGUID, was);
	return vk_guard_object(restore, VK_GUARD_DISK_ID, err,
			       "The partition table on the target is of disk %s, the captured one of disk %s",
			       is, was);
}
