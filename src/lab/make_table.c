/* SPDX-License-Identifier: Apache-2.0 */
/* Writing the MBR with its chain of extended boot records, and the GPT with its copy. */
#include <string.h>

#include "base/checked.h"
#include "lab/lab.h"

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

static void put_record(struct vk_lab_disk *disk, uint64_t offset, struct vk_mbr *mbr, struct vk_error *err)
{
	uint8_t sector[VK_MBR_BYTES] = {0};

	mbr->signature = VK_MBR_SIGNATURE;
	vk_mbr_encode(mbr, sector, sizeof(sector));
	vk_lab_put(disk, offset, sector, sizeof(sector), err);
}

static const struct vk_lab_partition *next_logical(const struct vk_lab_plan *plan, size_t from)
{
	for (size_t i = from; i < plan->count; i++)
		if (plan->partitions[i].ebr_sector != 0)
			return &plan->partitions[i];
	return NULL;
}

/* Entry 1 counts from this record, entry 2 from the start of the extended partition. */
static void put_ebrs(struct vk_lab_disk *disk, const struct vk_lab_plan *plan, struct vk_error *err)
{
	for (size_t i = 0; i < plan->count; i++) {
		const struct vk_lab_partition *p = &plan->partitions[i];
		const struct vk_lab_partition *next = next_logical(plan, i + 1);
		struct vk_mbr ebr = {.bootCode = {0}};

		if (p->ebr_sector == 0)
			continue;
		ebr.entries[0] = entry(p->mbr_type, p->start_sector - p->ebr_sector, p->sectors, p->ebr_sector);
		if (next != NULL)
			ebr.entries[1] = entry(0x05, next->ebr_sector - plan->extended_start,
					       next->start_sector + next->sectors - next->ebr_sector,
					       plan->extended_start);
		put_record(disk, p->ebr_sector * plan->sector_size, &ebr, err);
	}
}

static void fill_protective(const struct vk_lab_plan *plan, struct vk_mbr *mbr)
{
	/* the bytes that the ESXi tools write, CHS 00 01 00 included */
	mbr->entries[0] = (struct vk_mbr_entry){
		.firstCHS = {0x00, 0x01, 0x00},
		.type = VK_MBR_TYPE_PROTECTIVE,
		.lastCHS = {0xFE, 0xFF, 0xFF},
		.firstLBA = 1,
		.sectors = (uint32_t)vk_min_u64(plan->disk_sectors - 1, UINT32_MAX),
	};
}

static enum vk_status write_mbr(struct vk_lab_disk *disk, const struct vk_lab_plan *plan, struct vk_error *err)
{
	struct vk_mbr mbr = {.bootCode = {0}};

	if (plan->table == VK_TABLE_GPT) {
		fill_protective(plan, &mbr);
	} else {
		mbr.diskSignature = (uint32_t)vk_lab_random(plan->seed, "disk signature", plan->disk_index);
		for (size_t i = 0; i < plan->count; i++) {
			const struct vk_lab_partition *p = &plan->partitions[i];

			if (p->ebr_sector == 0)
				mbr.entries[p->number - 1] = entry(p->mbr_type, p->start_sector, p->sectors, 0);
		}
		if (plan->extended_start != 0)
			mbr.entries[plan->extended_number - 1] =
				entry(0x05, plan->extended_start, plan->extended_sectors, 0);
	}
	put_record(disk, 0, &mbr, err);
	put_ebrs(disk, plan, err);
	return disk->failed;
}

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

static enum vk_status write_gpt(struct vk_lab_disk *disk, const struct vk_lab_plan *plan, struct vk_error *err)
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
		write_mbr(disk, plan, err);
	if (plan->table == VK_TABLE_GPT)
		write_gpt(disk, plan, err);
	return disk->failed;
}
