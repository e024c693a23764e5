/* SPDX-License-Identifier: Apache-2.0 */
/* Writing the MBR with its chain of extended boot records, and the GPT with its copy. */
#include <string.h>

#include "base/checked.h"
#include "lab/disk/practice.h"

static struct vk_mbr_entry entry(uint8_t type, uint64_t start, uint64_t sectors, uint64_t chs_base)
{
	struct vk_mbr_entry e = {
		.type = type,
		.firstLBA = (uint32_t)start,
		.sectors = (uint32_t)sectors,
	};

	vk_mbr_chs(chs_base + start, e.firstCHS);
	vk_mbr_chs(chs_base + start + sectors - 1, e.lastCHS);
	return e;
}

static void put_record(struct vk_lab_disk *disk, uint64_t offset, struct vk_mbr *mbr)
{
	uint8_t sector[VK_MBR_BYTES] = {0};

	mbr->signature = VK_MBR_SIGNATURE;
	vk_mbr_encode(mbr, sector, sizeof(sector));
	vk_lab_put(disk, offset, sector, sizeof(sector));
}

/* Entry 1 of an extended boot record counts from that record, entry 2 from the start of the extended partition. */
static void put_ebr(struct vk_lab_disk *disk, const struct vk_lab_plan *plan, size_t i)
{
	const struct vk_lab_partition *p = &plan->partitions[i];
	struct vk_mbr ebr = {.bootCode = {0}};

	ebr.entries[0] = entry(p->mbr_type, p->start_sector - p->ebr_sector, p->sectors, p->ebr_sector);
	for (i++; i < plan->count && plan->partitions[i].ebr_sector == 0;)
		i++;
	if (i < plan->count) {
		const struct vk_lab_partition *next = &plan->partitions[i];

		ebr.entries[1] = entry(0x05, next->ebr_sector - plan->extended_start,
				       next->start_sector + next->sectors - next->ebr_sector, plan->extended_start);
	}
	put_record(disk, p->ebr_sector * plan->sector_size, &ebr);
}

static void put_mbr(struct vk_lab_disk *disk, const struct vk_lab_plan *plan)
{
	struct vk_mbr mbr = {.diskSignature = (uint32_t)vk_lab_random(plan->seed, "disk signature", plan->disk_index)};

	for (size_t i = 0; i < plan->count; i++) {
		const struct vk_lab_partition *p = &plan->partitions[i];

		if (p->ebr_sector == 0)
			mbr.entries[p->number - 1] = entry(p->mbr_type, p->start_sector, p->sectors, 0);
		else
			put_ebr(disk, plan, i);
	}
	if (plan->extended_start != 0)
		mbr.entries[plan->extended_number - 1] =
			entry(0x05, plan->extended_start, plan->extended_sectors, 0);
	put_record(disk, 0, &mbr);
}

enum { ENTRIES = 128, ARRAY_BYTES = ENTRIES * VK_GPT_ENTRY_BYTES, SECTOR_MAX = 4096 };

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
		/* the ESXi partition tool ends the empty name and leaves 0xFFFF behind it */
		if (p->gpt_name == NULL)
			memset(e.name + 2, 0xFF, sizeof(e.name) - 2);
		for (size_t k = 0; p->gpt_name != NULL && k < sizeof(e.name) / 2 && p->gpt_name[k] != '\0'; k++)
			e.name[2 * k] = (uint8_t)p->gpt_name[k];
		vk_gpt_entry_encode(&e, array + (size_t)(p->number - 1) * VK_GPT_ENTRY_BYTES,
				    VK_GPT_ENTRY_BYTES);
	}
}

static void put_copy(struct vk_lab_disk *disk, const struct vk_lab_plan *plan, bool primary, const uint8_t *array)
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
	vk_lab_put(disk, h.entriesLBA * plan->sector_size, array, ARRAY_BYTES);
	vk_lab_put(disk, h.myLBA * plan->sector_size, sector, plan->sector_size);
}

enum vk_status vk_lab_write_table(struct vk_lab_disk *disk, const struct vk_lab_plan *plan)
{
	/* the bytes that the ESXi tools write, CHS 00 01 00 included */
	struct vk_mbr protective = {.entries = {{
		.firstCHS = {0x00, 0x01, 0x00},
		.type = VK_MBR_TYPE_PROTECTIVE,
		.lastCHS = {0xFE, 0xFF, 0xFF},
		.firstLBA = 1,
		.sectors = (uint32_t)vk_min_u64(plan->disk_sectors - 1, UINT32_MAX),
	}}};
	uint8_t array[ARRAY_BYTES];

	if (plan->table == VK_TABLE_MBR)
		put_mbr(disk, plan);
	if (plan->table == VK_TABLE_GPT) {
		put_record(disk, 0, &protective);
		make_array(plan, array);
		put_copy(disk, plan, true, array);
		put_copy(disk, plan, false, array);
	}
	return disk->failed;
}
