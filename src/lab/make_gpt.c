/* SPDX-License-Identifier: Apache-2.0 */
/* Both copies of a GPT, sealed. */
#include <string.h>

#include "lab/lab.h"

enum { ENTRIES = 128, ARRAY_BYTES = ENTRIES * VK_GPT_ENTRY_BYTES, SECTOR_MAX = 4096 };

static void put_name(const char *name, uint8_t ret_name[72])
{
	if (name == NULL) {
		/* the ESXi partition tool ends the empty name and leaves 0xFFFF behind it */
		memset(ret_name, 0xFF, 72);
		ret_name[0] = ret_name[1] = 0;
		return;
	}
	memset(ret_name, 0, 72);
	for (size_t i = 0; i < 36 && name[i] != '\0'; i++)
		ret_name[2 * i] = (uint8_t)name[i];
}

static void make_array(const struct vk_lab_plan *plan, uint8_t array[ARRAY_BYTES])
{
	memset(array, 0, ARRAY_BYTES);
	for (size_t i = 0; i < plan->count; i++) {
		const struct vk_lab_partition *p = &plan->partitions[i];
		struct vk_gpt_entry e = {
			.typeGUID = p->type,
			.firstLBA = p->start_sector,
			.lastLBA = p->start_sector + p->sectors - 1,
		};

		vk_lab_guid(plan->seed, "partition GUID", plan->disk_index * 1000ULL + p->number,
			    &e.uniqueGUID);
		put_name(p->gpt_name, e.name);
		vk_gpt_entry_encode(&e, array + (size_t)(p->number - 1) * VK_GPT_ENTRY_BYTES,
				    VK_GPT_ENTRY_BYTES);
	}
}

static void put_copy(struct vk_lab_disk *disk, const struct vk_lab_plan *plan, bool primary, const uint8_t *array,
		     struct vk_error *err)
{
	uint64_t last = plan->disk_sectors - 1;
	uint8_t sector[SECTOR_MAX] = {0};
	struct vk_gpt_header h = {
		.revision = 0x00010000,
		.headerSize = VK_GPT_HEADER_BYTES,
		.myLBA = primary ? 1 : last,
		.alternateLBA = primary ? last : 1,
		.entriesLBA = primary ? 2 : last - ARRAY_BYTES / plan->sector_size,
		.numEntries = ENTRIES,
		.entrySize = VK_GPT_ENTRY_BYTES,
	};

	memcpy(h.signature, "EFI PART", sizeof(h.signature));
	vk_lab_usable(VK_TABLE_GPT, plan->sector_size, plan->disk_sectors, &h.firstUsableLBA,
		      &h.lastUsableLBA);
	vk_lab_guid(plan->seed, "disk GUID", plan->disk_index, &h.diskGUID);
	vk_gpt_header_encode(&h, sector, plan->sector_size);
	vk_gpt_seal(sector, plan->sector_size, array);
	vk_lab_put(disk, h.entriesLBA * plan->sector_size, array, ARRAY_BYTES, err);
	vk_lab_put(disk, h.myLBA * plan->sector_size, sector, plan->sector_size, err);
}

enum vk_status vk_lab_write_gpt(struct vk_lab_disk *disk, const struct vk_lab_plan *plan, struct vk_error *err)
{
	uint8_t array[ARRAY_BYTES];

	make_array(plan, array);
	put_copy(disk, plan, true, array, err);
	put_copy(disk, plan, false, array, err);
	return disk->failed;
}

enum vk_status vk_lab_write_table(struct vk_lab_disk *disk, const struct vk_lab_plan *plan, struct vk_error *err)
{
	if (plan->table != VK_TABLE_NONE)
		vk_lab_write_mbr(disk, plan, err);
	if (plan->table == VK_TABLE_GPT)
		vk_lab_write_gpt(disk, plan, err);
	return disk->failed;
}
