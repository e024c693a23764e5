/* SPDX-License-Identifier: Apache-2.0 */
/* GUID partition table: layouts, checksums and checks of one copy. */
#include <string.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "disk/layout_table.h"
#include "vmfskit/gpt.h"

VK_LAYOUT_DEFINE(vk_gpt_header_layout, VK_GPT_HEADER_ROWS, struct vk_gpt_header,
		 VK_GPT_HEADER_BYTES, "GPT header", "GPT header (LBA 1 and the last LBA)",
		 "UEFI specification; published hexdump of a VMFS5 disk");
VK_LAYOUT_DEFINE(vk_gpt_entry_layout, VK_GPT_ENTRY_ROWS, struct vk_gpt_entry, VK_GPT_ENTRY_BYTES,
		 "GPT entry", "GPT partition entry",
		 "UEFI specification; published hexdump of a VMFS5 disk");

uint32_t vk_crc32(uint32_t crc, const uint8_t *buf, size_t len)
{
	crc = ~crc;
	for (size_t i = 0; i < len; i++) {
		crc ^= buf[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (0xEDB88320U & (0U - (crc & 1)));
	}
	return ~crc;
}

size_t vk_gpt_header_decode(const uint8_t *buf, size_t len, struct vk_gpt_header *ret_header)
{
	return vk_layout_decode(&vk_gpt_header_layout, buf, len, ret_header);
}

size_t vk_gpt_header_encode(const struct vk_gpt_header *header, uint8_t *buf, size_t len)
{
	return vk_layout_encode(&vk_gpt_header_layout, header, buf, len);
}

size_t vk_gpt_entry_decode(const uint8_t *buf, size_t len, struct vk_gpt_entry *ret_entry)
{
	return vk_layout_decode(&vk_gpt_entry_layout, buf, len, ret_entry);
}

size_t vk_gpt_entry_encode(const struct vk_gpt_entry *entry, uint8_t *buf, size_t len)
{
	return vk_layout_encode(&vk_gpt_entry_layout, entry, buf, len);
}

bool vk_gpt_has_signature(const uint8_t *buf, size_t len)
{
	return len >= 8 && memcmp(buf, "EFI PART", 8) == 0;
}

enum { CRC_OFFSET = 0x10 };

static uint32_t header_crc(const uint8_t *sector, uint32_t header_size)
{
	static const uint8_t zero[4];
	uint32_t crc = vk_crc32(0, sector, CRC_OFFSET);

	crc = vk_crc32(crc, zero, sizeof(zero));
	return vk_crc32(crc, sector + CRC_OFFSET + 4, header_size - CRC_OFFSET - 4);
}

uint32_t vk_gpt_entries_bytes(const struct vk_gpt_header *header)
{
	uint64_t bytes = (uint64_t)header->numEntries * header->entrySize;

	if (header->entrySize < VK_GPT_ENTRY_BYTES || header->entrySize % 8 != 0 ||
	    bytes > VK_GPT_ENTRIES_MAX_BYTES)
		return 0;
	return (uint32_t)bytes;
}

static void check_places(const struct vk_gpt_header *h, uint32_t sector_size, uint64_t lba,
			 uint64_t last_lba, uint64_t at, const struct vk_finding_sink *sink)
{
	bool primary = lba == 1;
	uint64_t end = vk_add_sat(h->entriesLBA, (vk_gpt_entries_bytes(h) + sector_size - 1ULL) /
							 sector_size);
	bool usable = h->firstUsableLBA <= h->lastUsableLBA &&
		      (last_lba == 0 || h->lastUsableLBA < last_lba) &&
		      (primary ? end <= h->firstUsableLBA : h->entriesLBA > h->lastUsableLBA);
	struct vk_finding f;

	if (h->myLBA != lba) {
		vk_finding_init(&f, VK_F_GPT_MY_LBA, at + 0x18, 8,
				"the %s GPT header gives another sector as its own",
				primary ? "primary" : "backup");
		vk_finding_seen(&f, "%llu", (unsigned long long)h->myLBA);
		vk_finding_expected(&f, "%llu", (unsigned long long)lba);
		vk_finding_put(sink, &f);
	}
	if (primary && last_lba != 0 && h->alternateLBA != last_lba) {
		vk_finding_init(&f, VK_F_GPT_ALTERNATE_LBA, at + 0x20, 8,
				"the primary GPT header looks for its copy in another sector than the last");
		vk_finding_seen(&f, "%llu", (unsigned long long)h->alternateLBA);
		vk_finding_expected(&f, "%llu", (unsigned long long)last_lba);
		vk_finding_put(sink, &f);
	}
	if (!usable) {
		vk_finding_init(&f, VK_F_GPT_USABLE_RANGE, at + 0x28, 16,
				"the usable range of the %s GPT header makes no sense",
				primary ? "primary" : "backup");
		vk_finding_seen(&f, "sectors %llu to %llu, entries at %llu",
				(unsigned long long)h->firstUsableLBA,
				(unsigned long long)h->lastUsableLBA,
				(unsigned long long)h->entriesLBA);
		vk_finding_put(sink, &f);
	}
}

bool vk_gpt_header_check(const uint8_t *sector, uint32_t sector_size, uint64_t lba,
			 uint64_t last_lba, const struct vk_finding_sink *sink)
{
	const char *which = lba == 1 ? "primary" : "backup";
	uint64_t at = vk_mul_sat(lba, sector_size);
	struct vk_gpt_header h;
	struct vk_finding f;
	uint32_t crc;

	vk_gpt_header_decode(sector, sector_size, &h);
	if (h.headerSize < VK_GPT_HEADER_BYTES || h.headerSize > sector_size) {
		vk_finding_init(&f, VK_F_GPT_HEADER_SIZE, at + 0x0C, 4,
				"the %s GPT header has an impossible size", which);
		vk_finding_seen(&f, "%u", h.headerSize);
		vk_finding_expected(&f, "%d to %u", VK_GPT_HEADER_BYTES, sector_size);
		vk_finding_put(sink, &f);
		return false;
	}
	crc = header_crc(sector, h.headerSize);
	if (crc != h.headerCRC32) {
		vk_finding_init(&f, VK_F_GPT_HEADER_CRC, at, h.headerSize,
				"the checksum of the %s GPT header is wrong", which);
		vk_finding_seen(&f, "0x%08x", h.headerCRC32);
		vk_finding_expected(&f, "0x%08x", crc);
		vk_finding_put(sink, &f);
	}
	check_places(&h, sector_size, lba, last_lba, at, sink);
	if (vk_gpt_entries_bytes(&h) == 0) {
		vk_finding_init(&f, VK_F_GPT_ENTRY_SIZE, at + 0x50, 8,
				"the %s GPT header gives an impossible number or size of entries", which);
		vk_finding_seen(&f, "%u entries of %u bytes", h.numEntries, h.entrySize);
		vk_finding_put(sink, &f);
		return false;
	}
	return true;
}

static void check_entry(const struct vk_gpt_header *h, const struct vk_gpt_entry *e, uint32_t number,
			uint64_t offset_bytes, const struct vk_finding_sink *sink)
{
	struct vk_finding f;

	if (e->firstLBA <= e->lastLBA && e->firstLBA >= h->firstUsableLBA &&
	    e->lastLBA <= h->lastUsableLBA)
		return;
	vk_finding_init(&f, VK_F_GPT_ENTRY_RANGE, offset_bytes + 0x20, 16,
			"GPT partition %u does not lie in the usable range", number);
	vk_finding_seen(&f, "sectors %llu to %llu", (unsigned long long)e->firstLBA,
			(unsigned long long)e->lastLBA);
	vk_finding_expected(&f, "within %llu to %llu", (unsigned long long)h->firstUsableLBA,
			    (unsigned long long)h->lastUsableLBA);
	vk_finding_put(sink, &f);
}

/* The most used entries that are compared with each other; more is no real table. */
enum { OVERLAP_MAX = 256 };

static void check_overlaps(const struct vk_gpt_header *h, const uint8_t *array, const uint32_t *used,
			   size_t count, uint64_t offset_bytes, const struct vk_finding_sink *sink)
{
	struct vk_gpt_entry a;
	struct vk_gpt_entry b;
	struct vk_finding f;

	for (size_t i = 0; i < count; i++) {
		vk_gpt_entry_decode(array + (size_t)used[i] * h->entrySize, h->entrySize, &a);
		for (size_t k = i + 1; k < count; k++) {
			vk_gpt_entry_decode(array + (size_t)used[k] * h->entrySize, h->entrySize, &b);
			if (a.lastLBA < b.firstLBA || b.lastLBA < a.firstLBA)
				continue;
			vk_finding_init(&f, VK_F_GPT_ENTRY_OVERLAP,
					offset_bytes + (uint64_t)used[k] * h->entrySize,
					VK_GPT_ENTRY_BYTES, "GPT partitions %u and %u overlap",
					used[i] + 1, used[k] + 1);
			vk_finding_put(sink, &f);
		}
	}
}

void vk_gpt_entries_check(const struct vk_gpt_header *header, const uint8_t *array,
			  uint64_t offset_bytes, const struct vk_finding_sink *sink)
{
	uint32_t bytes = vk_gpt_entries_bytes(header);
	uint32_t crc = vk_crc32(0, array, bytes);
	uint32_t used[OVERLAP_MAX];
	size_t count = 0;
	struct vk_finding f;

	if (bytes == 0)
		return;
	if (crc != header->entriesCRC32) {
		vk_finding_init(&f, VK_F_GPT_ENTRIES_CRC, offset_bytes, bytes,
				"the checksum of the %s GPT entries is wrong",
				header->myLBA == 1 ? "primary" : "backup");
		vk_finding_seen(&f, "0x%08x", crc);
		vk_finding_expected(&f, "0x%08x", header->entriesCRC32);
		vk_finding_put(sink, &f);
	}
	for (uint32_t i = 0; i < header->numEntries; i++) {
		struct vk_gpt_entry e;
		uint64_t at = (uint64_t)i * header->entrySize;

		vk_gpt_entry_decode(array + at, header->entrySize, &e);
		if (vk_guid_is_nil(&e.typeGUID))
			continue;
		check_entry(header, &e, i + 1, offset_bytes + at, sink);
		if (count < OVERLAP_MAX && e.firstLBA <= e.lastLBA)
			used[count++] = i;
	}
	check_overlaps(header, array, used, count, offset_bytes, sink);
}

void vk_gpt_seal(uint8_t *sector, uint32_t sector_size, const uint8_t *array)
{
	struct vk_gpt_header h;

	vk_gpt_header_decode(sector, sector_size, &h);
	h.entriesCRC32 = vk_crc32(0, array, vk_gpt_entries_bytes(&h));
	h.headerCRC32 = 0;
	vk_gpt_header_encode(&h, sector, sector_size);
	h.headerCRC32 = header_crc(sector, h.headerSize);
	vk_gpt_header_encode(&h, sector, sector_size);
}
