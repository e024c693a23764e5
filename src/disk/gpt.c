/* SPDX-License-Identifier: Apache-2.0 */
/* GUID partition table: layouts, checksums and checks of one copy. */
#include <string.h>

#include <zlib.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "disk/field_check.h"
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
	return (uint32_t)crc32_z(crc, buf, len);
}

bool vk_gpt_has_signature(const uint8_t *buf, size_t len)
{
	return len >= VK_GPT_SIGNATURE_BYTES && memcmp(buf, VK_GPT_SIGNATURE, VK_GPT_SIGNATURE_BYTES) == 0;
}

enum { CRC_OFFSET = 0x10 };

/* With the signature in its place, whatever stands there. */
static uint32_t header_crc(const uint8_t *sector, uint32_t header_size)
{
	static const uint8_t zero[4];
	uint32_t crc = vk_crc32(0, (const uint8_t *)VK_GPT_SIGNATURE, VK_GPT_SIGNATURE_BYTES);

	crc = vk_crc32(crc, sector + VK_GPT_SIGNATURE_BYTES, CRC_OFFSET - VK_GPT_SIGNATURE_BYTES);
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

uint64_t vk_gpt_entries_sectors(const struct vk_gpt_header *header, uint32_t sector_size)
{
	return (vk_gpt_entries_bytes(header) + sector_size - 1ULL) / sector_size;
}

/* Header, entries and usable sectors follow each other without overlap; mirrored in the backup. */
static bool usable_range_sound(const struct vk_gpt_header *h, uint32_t sector_size, uint64_t lba,
			       uint64_t last_lba)
{
	uint64_t end = vk_add_sat(h->entriesLBA, vk_gpt_entries_sectors(h, sector_size));

	if (h->firstUsableLBA > h->lastUsableLBA ||
	    (last_lba != 0 && h->lastUsableLBA >= last_lba))
		return false;
	if (lba == 1)
		return h->entriesLBA > lba && end <= h->firstUsableLBA;
	return h->entriesLBA > h->lastUsableLBA && end <= lba;
}

unsigned vk_gpt_header_faults(const uint8_t *sector, uint32_t sector_size, uint64_t lba, uint64_t last_lba)
{
	unsigned faults = vk_gpt_has_signature(sector, sector_size) ? 0 : VK_GPT_FAULT_SIGNATURE;
	struct vk_gpt_header h;

	vk_gpt_header_decode(sector, sector_size, &h);
	if (h.headerSize < VK_GPT_HEADER_BYTES || h.headerSize > sector_size)
		return faults | VK_GPT_FAULT_SIZE;
	if (header_crc(sector, h.headerSize) != h.headerCRC32)
		faults |= VK_GPT_FAULT_CRC;
	if (h.myLBA != lba)
		faults |= VK_GPT_FAULT_MY_LBA;
	if (lba == 1 ? last_lba != 0 && h.alternateLBA != last_lba : h.alternateLBA != 1)
		faults |= VK_GPT_FAULT_ALTERNATE_LBA;
	/* the array's length is only known when its numbers make sense: that is a fault of its own */
	if (vk_gpt_entries_bytes(&h) == 0)
		faults |= VK_GPT_FAULT_ENTRIES;
	else if (!usable_range_sound(&h, sector_size, lba, last_lba))
		faults |= VK_GPT_FAULT_RANGE;
	return faults;
}

bool vk_gpt_header_proved(const uint8_t *sector, uint32_t sector_size)
{
	return (vk_gpt_header_faults(sector, sector_size, 1, 0) & VK_GPT_FAULTS_OF_BYTES) == 0;
}

bool vk_gpt_signature_lost(const uint8_t *sector, uint32_t sector_size)
{
	return (vk_gpt_header_faults(sector, sector_size, 1, 0) & VK_GPT_FAULTS_OF_BYTES) == VK_GPT_FAULT_SIGNATURE;
}

static void report_places(const struct vk_gpt_header *h, unsigned faults, uint64_t lba, uint64_t last_lba, uint64_t at,
			  const struct vk_finding_sink *sink)
{
	bool primary = lba == 1;

	if (faults & VK_GPT_FAULT_MY_LBA)
		vk_finding_say(sink, VK_F_GPT_MY_LBA, vk_add_sat(at, 0x18), 8, VK_NUMBER(h->myLBA), VK_NUMBER(lba),
			       "the %s GPT header gives another sector as its own", primary ? "primary" : "backup");
	if (faults & VK_GPT_FAULT_ALTERNATE_LBA)
		vk_finding_say(sink, VK_F_GPT_ALTERNATE_LBA, vk_add_sat(at, 0x20), 8, VK_NUMBER(h->alternateLBA),
			       VK_NUMBER(primary ? last_lba : 1), "%s",
			       primary ? "the primary GPT header looks for its copy in another sector than the last"
				       : "the backup GPT header looks for the primary one in another sector than 1");
	if (faults & VK_GPT_FAULT_RANGE)
		vk_finding_say(sink, VK_F_GPT_USABLE_RANGE, vk_add_sat(at, 0x28), 16,
			       vk_phrase("sectors %llu to %llu, entries at %llu", (unsigned long long)h->firstUsableLBA,
					 (unsigned long long)h->lastUsableLBA, (unsigned long long)h->entriesLBA)
				       .text,
			       NULL, "the usable range of the %s GPT header makes no sense",
			       primary ? "primary" : "backup");
}

bool vk_gpt_header_check(const uint8_t *sector, uint32_t sector_size, uint64_t lba,
			 uint64_t last_lba, const struct vk_finding_sink *sink)
{
	const char *which = lba == 1 ? "primary" : "backup";
	unsigned faults = vk_gpt_header_faults(sector, sector_size, lba, last_lba);
	uint64_t at = vk_mul_sat(lba, sector_size);
	struct vk_gpt_header h;

	vk_gpt_header_decode(sector, sector_size, &h);
	if (faults & VK_GPT_FAULT_SIZE) {
		vk_finding_say(sink, VK_F_GPT_HEADER_SIZE, vk_add_sat(at, 0x0C), 4, VK_NUMBER(h.headerSize),
			       vk_phrase("%d to %u", VK_GPT_HEADER_BYTES, sector_size).text,
			       "the %s GPT header has an impossible size", which);
		return false;
	}
	if ((faults & VK_GPT_FAULTS_OF_BYTES) == VK_GPT_FAULT_SIGNATURE)
		vk_finding_say(sink, VK_F_GPT_SIGNATURE, at, VK_GPT_SIGNATURE_BYTES,
			       vk_all_zero(sector, VK_GPT_SIGNATURE_BYTES)
				       ? "zeros"
				       : vk_phrase("%08x%08x", vk_get_be32(sector), vk_get_be32(sector + 4)).text,
			       VK_GPT_SIGNATURE,
			       "only the signature of the %s GPT header is gone, the first 8 bytes of sector %llu: its "
			       "checksum proves the rest", which, (unsigned long long)lba);
	if (faults & VK_GPT_FAULT_CRC)
		vk_finding_say(sink, VK_F_GPT_HEADER_CRC, at, h.headerSize, VK_HEX32(h.headerCRC32),
			       VK_HEX32(header_crc(sector, h.headerSize)), "the checksum of the %s GPT header is wrong",
			       which);
	report_places(&h, faults, lba, last_lba, at, sink);
	if ((faults & VK_GPT_FAULT_ENTRIES) == 0)
		return true;
	vk_finding_say(sink, VK_F_GPT_ENTRY_SIZE, vk_add_sat(at, 0x50), 8,
		       vk_phrase("%u entries of %u bytes", h.numEntries, h.entrySize).text, NULL,
		       "the %s GPT header gives an impossible number or size of entries", which);
	return false;
}

static void check_entry(const struct vk_gpt_header *h, const struct vk_gpt_entry *e, uint32_t number,
			uint64_t offset_bytes, const struct vk_finding_sink *sink)
{
	if (e->firstLBA > e->lastLBA || e->firstLBA < h->firstUsableLBA || e->lastLBA > h->lastUsableLBA)
		vk_finding_say(sink, VK_F_GPT_ENTRY_RANGE, vk_add_sat(offset_bytes, 0x20), 16,
			       vk_phrase("sectors %llu to %llu", (unsigned long long)e->firstLBA,
					 (unsigned long long)e->lastLBA)
				       .text,
			       vk_phrase("within %llu to %llu", (unsigned long long)h->firstUsableLBA,
					 (unsigned long long)h->lastUsableLBA)
				       .text,
			       "GPT partition %u does not lie in the usable range", number);
}

/* An entry of the array as the check for overlaps needs it. */
static uint64_t first_lba(const struct vk_gpt_header *h, const uint8_t *array, uint16_t index)
{
	return vk_get_le64(array + (size_t)index * h->entrySize + 0x20);
}

static uint64_t last_lba_of(const struct vk_gpt_header *h, const uint8_t *array, uint16_t index)
{
	return vk_get_le64(array + (size_t)index * h->entrySize + 0x28);
}

/* Shell's sort by first sector, with Hibbard's distances: no memory but the array, and no input makes it slow. */
static void sort_by_first(const struct vk_gpt_header *h, const uint8_t *array, uint16_t *order, size_t count)
{
	for (size_t gap = (1 << 14) - 1; gap > 0; gap >>= 1)
		for (size_t i = gap; i < count; i++) {
			uint16_t moved = order[i];
			size_t to = i;

			for (; to >= gap && first_lba(h, array, order[to - gap]) > first_lba(h, array, moved);
			     to -= gap)
				order[to] = order[to - gap];
			order[to] = moved;
		}
}

/* One finding for each entry that starts before the end of one in front of it. */
static void check_overlaps(const struct vk_gpt_header *h, const uint8_t *array, uint16_t *order,
			   size_t count, uint64_t offset_bytes, const struct vk_finding_sink *sink)
{
	sort_by_first(h, array, order, count);
	for (size_t i = 1, furthest = 0; i < count; i++) {
		uint16_t a = order[furthest];
		uint16_t b = order[i];
		unsigned low = a < b ? a : b, high = a < b ? b : a;

		if (first_lba(h, array, b) <= last_lba_of(h, array, a))
			vk_finding_say(sink, VK_F_GPT_ENTRY_OVERLAP,
				       vk_add_sat(offset_bytes, (uint64_t)high * h->entrySize), VK_GPT_ENTRY_BYTES,
				       NULL, NULL, "GPT partitions %u and %u overlap", low + 1, high + 1);
		if (last_lba_of(h, array, b) > last_lba_of(h, array, a))
			furthest = i;
	}
}

enum { ENTRIES_MAX = VK_GPT_ENTRIES_MAX_BYTES / VK_GPT_ENTRY_BYTES };
_Static_assert(ENTRIES_MAX <= UINT16_MAX, "entries are counted in 16 bits");

void vk_gpt_entries_check(const struct vk_gpt_header *header, const uint8_t *array,
			  uint64_t offset_bytes, const struct vk_finding_sink *sink)
{
	uint32_t bytes = vk_gpt_entries_bytes(header);
	uint16_t used[ENTRIES_MAX];
	size_t count = 0;
	uint32_t crc;

	if (bytes == 0)
		return;
	crc = vk_crc32(0, array, bytes);
	if (crc != header->entriesCRC32)
		vk_finding_say(sink, VK_F_GPT_ENTRIES_CRC, offset_bytes, bytes, VK_HEX32(crc),
			       VK_HEX32(header->entriesCRC32), "the checksum of the %s GPT entries is wrong",
			       header->myLBA == 1 ? "primary" : "backup");
	for (uint16_t i = 0; i < header->numEntries; i++) {
		struct vk_gpt_entry e;
		size_t at = (size_t)i * header->entrySize;

		vk_gpt_entry_decode(array + at, header->entrySize, &e);
		if (vk_guid_is_nil(&e.typeGUID))
			continue;
		check_entry(header, &e, i + 1U, vk_add_sat(offset_bytes, at), sink);
		if (e.firstLBA <= e.lastLBA)
			used[count++] = i;
	}
	check_overlaps(header, array, used, count, offset_bytes, sink);
}

bool vk_gpt_seal(uint8_t *sector, uint32_t sector_size, const uint8_t *array)
{
	struct vk_gpt_header h;

	vk_gpt_header_decode(sector, sector_size, &h);
	if (h.headerSize < VK_GPT_HEADER_BYTES || h.headerSize > sector_size ||
	    vk_gpt_entries_bytes(&h) == 0)
		return false;
	h.entriesCRC32 = vk_crc32(0, array, vk_gpt_entries_bytes(&h));
	h.headerCRC32 = 0;
	vk_gpt_header_encode(&h, sector, sector_size);
	h.headerCRC32 = header_crc(sector, h.headerSize);
	vk_gpt_header_encode(&h, sector, sector_size);
	return true;
}
