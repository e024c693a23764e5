/* SPDX-License-Identifier: Apache-2.0 */
/* Master boot record: layout, checks, type names. */
#include <string.h>

#include "disk/layout_table.h"
#include "vmfskit/mbr.h"

VK_LAYOUT_DEFINE(vk_mbr_entry_layout, VK_MBR_ENTRY_ROWS, struct vk_mbr_entry, VK_MBR_ENTRY_BYTES,
		 "MBR entry", "MBR partition entry", "published hexdumps of three VMFS disks");
VK_LAYOUT_DEFINE(vk_mbr_layout, VK_MBR_ROWS, struct vk_mbr, VK_MBR_BYTES, "MBR",
		 "Master boot record (sector 0), and each extended boot record",
		 "published hexdumps of three VMFS disks");

static const struct {
	uint8_t type;
	const char *name;
} type_names[] = {
	{0x04, "FAT16"},      {0x05, "extended"},       {0x06, "FAT16"},
	{0x07, "NTFS/exFAT"}, {0x0B, "FAT32"},          {0x0C, "FAT32"},
	{0x0E, "FAT16"},      {0x0F, "extended"},       {0x27, "Windows recovery"},
	{0x42, "Windows dynamic disk"}, {0x82, "Linux swap"}, {0x83, "Linux"},
	{0x85, "extended"},   {0x8E, "Linux LVM"},      {0xEE, "GPT protective"},
	{0xEF, "EFI system"}, {VK_MBR_TYPE_VMFS, "VMFS"}, {VK_MBR_TYPE_VMKCORE, "VMKCORE"},
	{0xFD, "Linux RAID"},
};

size_t vk_mbr_decode(const uint8_t *buf, size_t len, struct vk_mbr *ret_mbr)
{
	size_t seen = vk_layout_decode(&vk_mbr_layout, buf, len, ret_mbr);

	for (size_t i = 0; i < 4; i++) {
		size_t at = VK_MBR_ENTRY_OFFSET + i * VK_MBR_ENTRY_BYTES;

		if (seen >= at + VK_MBR_ENTRY_BYTES)
			vk_layout_decode(&vk_mbr_entry_layout, buf + at, VK_MBR_ENTRY_BYTES,
					 &ret_mbr->entries[i]);
	}
	return seen;
}

size_t vk_mbr_encode(const struct vk_mbr *mbr, uint8_t *buf, size_t len)
{
	size_t room = vk_layout_encode(&vk_mbr_layout, mbr, buf, len);

	for (size_t i = 0; i < 4; i++) {
		size_t at = VK_MBR_ENTRY_OFFSET + i * VK_MBR_ENTRY_BYTES;

		if (room >= at + VK_MBR_ENTRY_BYTES)
			vk_layout_encode(&vk_mbr_entry_layout, &mbr->entries[i], buf + at,
					 VK_MBR_ENTRY_BYTES);
	}
	return room;
}

static void check_entry(const struct vk_mbr_entry *e, unsigned number, uint64_t disk_sectors, uint64_t offset_bytes,
			const struct vk_finding_sink *sink)
{
	uint64_t end = (uint64_t)e->firstLBA + e->sectors;

	if (e->bootFlag != 0 && e->bootFlag != 0x80)
		vk_finding_say(sink, VK_F_MBR_BOOT_FLAG, offset_bytes, 1, vk_phrase("%02x", e->bootFlag).text, NULL,
			       "the boot flag of entry %u is neither 00 nor 80", number);
	if (disk_sectors != 0 && end > disk_sectors && e->type != VK_MBR_TYPE_PROTECTIVE)
		vk_finding_say(sink, VK_F_MBR_ENTRY_OUTSIDE, offset_bytes + 8, 8,
			       vk_phrase("ends before sector %llu", (unsigned long long)end).text,
			       vk_phrase("at most %llu sectors", (unsigned long long)disk_sectors).text,
			       "partition %u ends behind the end of the disk", number);
}

static bool overlap(const struct vk_mbr_entry *x, const struct vk_mbr_entry *y)
{
	return vk_mbr_entry_used(x) && vk_mbr_entry_used(y) && (uint64_t)x->firstLBA + x->sectors > y->firstLBA &&
	       (uint64_t)y->firstLBA + y->sectors > x->firstLBA;
}

void vk_mbr_check(const struct vk_mbr *mbr, size_t seen_bytes, uint64_t disk_sectors,
		  uint64_t offset_bytes, const struct vk_finding_sink *sink)
{
	if (seen_bytes >= VK_MBR_BYTES && mbr->signature != VK_MBR_SIGNATURE)
		vk_finding_say(sink, VK_F_MBR_SIGNATURE_MISSING, offset_bytes + 510, 2,
			       vk_phrase("%02x %02x", mbr->signature & 0xffU, mbr->signature >> 8).text, "55 aa",
			       "the boot record has no signature");
	for (unsigned i = 0; i < 4; i++) {
		if (vk_mbr_entry_used(&mbr->entries[i]))
			check_entry(&mbr->entries[i], i + 1, disk_sectors,
				    offset_bytes + VK_MBR_ENTRY_OFFSET + (uint64_t)i * VK_MBR_ENTRY_BYTES, sink);
		for (unsigned k = i + 1; k < 4; k++)
			if (overlap(&mbr->entries[i], &mbr->entries[k]))
				vk_finding_say(sink, VK_F_MBR_ENTRY_OVERLAP,
					       offset_bytes + VK_MBR_ENTRY_OFFSET + (uint64_t)k * VK_MBR_ENTRY_BYTES,
					       VK_MBR_ENTRY_BYTES, NULL, NULL, "partitions %u and %u overlap", i + 1,
					       k + 1);
	}
}

bool vk_mbr_entry_used(const struct vk_mbr_entry *entry)
{
	return entry->type != 0 && entry->sectors != 0;
}

bool vk_mbr_entries_plausible(const struct vk_mbr *mbr, uint64_t disk_sectors)
{
	for (int i = 0; i < 4; i++) {
		const struct vk_mbr_entry *entry = &mbr->entries[i];

		if ((entry->bootFlag & 0x7f) != 0)
			return false;
		if (vk_mbr_entry_used(entry) && (entry->firstLBA == 0 || entry->firstLBA >= disk_sectors))
			return false;
	}
	return true;
}

bool vk_mbr_entry_beside_gpt(const struct vk_mbr_entry *entry, uint64_t disk_sectors)
{
	return entry->firstLBA > 1 &&
	       (disk_sectors == 0 || (uint64_t)entry->firstLBA + entry->sectors <= disk_sectors);
}

bool vk_mbr_type_is_extended(uint8_t type)
{
	return type == 0x05 || type == 0x0F || type == 0x85;
}

bool vk_mbr_is_protective(const struct vk_mbr *mbr)
{
	for (size_t i = 0; i < 4; i++)
		if (mbr->entries[i].type == VK_MBR_TYPE_PROTECTIVE)
			return true;
	return false;
}

const char *vk_mbr_type_name(uint8_t type)
{
	for (size_t i = 0; i < sizeof(type_names) / sizeof(type_names[0]); i++)
		if (type_names[i].type == type)
			return type_names[i].name;
	return "unknown";
}

void vk_mbr_chs(uint64_t lba, uint8_t ret_chs[3])
{
	uint64_t cylinder = lba / (255ULL * 63);
	uint64_t head = lba / 63 % 255;
	uint64_t sector = lba % 63 + 1;

	if (cylinder > 1023) {
		ret_chs[0] = 0xFE;
		ret_chs[1] = 0xFF;
		ret_chs[2] = 0xFF;
		return;
	}
	ret_chs[0] = (uint8_t)head;
	ret_chs[1] = (uint8_t)(sector | (cylinder >> 8) << 6);
	ret_chs[2] = (uint8_t)cylinder;
}
