/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GUID partition table: header and entries of one copy. Each copy is read on its own. The sector size is that
 * of the disk; entries have any size the header allows; names are kept byte for byte (ESXi writes one NUL
 * and fills with 0xFFFF).
 */
#ifndef VMFSKIT_GPT_H
#define VMFSKIT_GPT_H

#include <stdbool.h>

#include "vmfskit/error.h"
#include "vmfskit/finding.h"
#include "vmfskit/layout.h"

__BEGIN_DECLS

#define VK_GPT_HEADER_ROWS(F, T) \
	F(T, TEXT, signature, 0x00, 8, TEXT, P, "EFI PART") \
	F(T, U32, revision, 0x08, 4, HEX, P, "0x00010000") \
	F(T, U32, headerSize, 0x0C, 4, DEC, P, "bytes of the header that its CRC covers, 92") \
	F(T, U32, headerCRC32, 0x10, 4, HEX, P, "CRC-32 of the header with this field 0") \
	F(T, U32, reserved, 0x14, 4, HEX, P, "zero") \
	F(T, U64, myLBA, 0x18, 8, LBA, P, "sector of this header") \
	F(T, U64, alternateLBA, 0x20, 8, LBA, P, "sector of the other header") \
	F(T, U64, firstUsableLBA, 0x28, 8, LBA, P, "34 with 512-byte sectors and 128 entries") \
	F(T, U64, lastUsableLBA, 0x30, 8, LBA, P, "last sector that a partition may use") \
	F(T, GUID, diskGUID, 0x38, 16, GUID, P, "identity of the disk") \
	F(T, U64, entriesLBA, 0x48, 8, LBA, P, "first sector of the entry array") \
	F(T, U32, numEntries, 0x50, 4, DEC, P, "128 in practice") \
	F(T, U32, entrySize, 0x54, 4, DEC, P, "128 in practice") \
	F(T, U32, entriesCRC32, 0x58, 4, HEX, P, "CRC-32 of numEntries x entrySize bytes")

enum { VK_GPT_HEADER_BYTES = 92, VK_GPT_ENTRY_BYTES = 128 };
/* The largest entry array that is read: 16384 entries of 128 bytes or fewer larger ones. */
#define VK_GPT_ENTRIES_MAX_BYTES (2U << 20)
struct vk_gpt_header {
	VK_GPT_HEADER_ROWS(VK_MEMBER, )
};
extern const struct vk_layout vk_gpt_header_layout;

#define VK_GPT_ENTRY_ROWS(F, T) \
	F(T, GUID, typeGUID, 0x00, 16, TYPE_GUID, P, "partition type; nil: unused") \
	F(T, GUID, uniqueGUID, 0x10, 16, GUID, P, "identity of the partition") \
	F(T, U64, firstLBA, 0x20, 8, LBA, P, "first sector") \
	F(T, U64, lastLBA, 0x28, 8, LBA, P, "last sector, inclusive") \
	F(T, U64, attributes, 0x30, 8, HEX, P, "attribute bits") \
	F(T, BYTES, name, 0x38, 72, UTF16, P, "UTF-16LE; ends at the first NUL, the rest may be filler")

struct vk_gpt_entry {
	VK_GPT_ENTRY_ROWS(VK_MEMBER, )
};
extern const struct vk_layout vk_gpt_entry_layout;

/* CRC-32 with the reflected polynomial 0xEDB88320; start with crc 0, feed in pieces. */
uint32_t vk_crc32(uint32_t crc, const uint8_t *buf, size_t len);

VK_CODEC(vk_gpt_header, struct vk_gpt_header)
VK_CODEC(vk_gpt_entry, struct vk_gpt_entry)

enum { VK_GPT_SIGNATURE_BYTES = 8 };
#define VK_GPT_SIGNATURE "EFI PART"
bool vk_gpt_has_signature(const uint8_t *buf, size_t len);
/* What can be wrong with one header. */
enum vk_gpt_fault {
	VK_GPT_FAULT_SIGNATURE = 1,
	VK_GPT_FAULT_SIZE = 2,      /* it reaches out of its sector; nothing else is looked at then */
	VK_GPT_FAULT_CRC = 4,
	VK_GPT_FAULT_ENTRIES = 8,   /* number or size of the entries are impossible */
	VK_GPT_FAULT_MY_LBA = 16,
	VK_GPT_FAULT_ALTERNATE_LBA = 32,
	VK_GPT_FAULT_RANGE = 64,    /* header, entries and usable sectors do not follow each other */
	VK_GPT_FAULTS_OF_BYTES = 15 /* without one of these its checksum proves it, and it can locate entries */
};
/*
 * All that is wrong, as bits of vk_gpt_fault; everybody who judges a header asks here. sector, lba and last_lba as for
 * vk_gpt_header_check. The signature is known, so the checksum is asked as if it stood: whatever the first 8 bytes
 * hold, VK_GPT_FAULT_CRC speaks of the rest.
 */
unsigned vk_gpt_header_faults(const uint8_t *sector, uint32_t sector_size, uint64_t lba, uint64_t last_lba);
/* Whether the checksum proves the header and its numbers can locate entries, wherever it stands. */
bool vk_gpt_header_proved(const uint8_t *sector, uint32_t sector_size);
/* Whether nothing but the signature is missing for that, as wipefs and sfdisk --wipe leave it. */
bool vk_gpt_signature_lost(const uint8_t *sector, uint32_t sector_size);
/*
 * Findings about one header. sector is its raw sector (sector_size bytes), lba where it was read, last_lba the
 * last sector of the disk (0: not known); a header in another sector than 1 is judged as the backup. Findings:
 * gpt.signature-lost, gpt.header-size, gpt.header-crc, gpt.my-lba, gpt.alternate-lba, gpt.entry-size,
 * gpt.usable-range. Returns true when the header may be used to locate its entries.
 */
bool vk_gpt_header_check(const uint8_t *sector, uint32_t sector_size, uint64_t lba,
			 uint64_t last_lba, const struct vk_finding_sink *sink);
/* Bytes of the entry array, 0 when the header's numbers are not usable (entry size, size limit). */
uint32_t vk_gpt_entries_bytes(const struct vk_gpt_header *header);
/* How many sectors the entry array takes. */
uint64_t vk_gpt_entries_sectors(const struct vk_gpt_header *header, uint32_t sector_size);
/* Findings: gpt.entries-crc, gpt.entry-range, gpt.entry-overlap. array is vk_gpt_entries_bytes long. */
void vk_gpt_entries_check(const struct vk_gpt_header *header, const uint8_t *array,
			  uint64_t offset_bytes, const struct vk_finding_sink *sink);
/*
 * Put both CRCs right: header (encoded, sector_size bytes) and its array. False, and nothing is written, when the
 * header's own numbers (header size, number and size of entries) are impossible.
 */
bool vk_gpt_seal(uint8_t *sector, uint32_t sector_size, const uint8_t *array);

enum { VK_GUID_TEXT_BYTES = 37 };
/* "AA31E02A-400F-11DB-9590-000C2911D1B8" */
void vk_guid_format(const struct vk_guid *guid, char ret_text[VK_GUID_TEXT_BYTES]);
/* The same, to be named in the arguments of a call: vk_guid_text(&guid).text lives as long as the statement. */
struct vk_guid_text {
	char text[VK_GUID_TEXT_BYTES];
};
struct vk_guid_text vk_guid_text(const struct vk_guid *guid);
VK_MUST_USE bool vk_guid_parse(const char *text, struct vk_guid *ret_guid);
bool vk_guid_is_nil(const struct vk_guid *guid);
bool vk_guid_equal(const struct vk_guid *a, const struct vk_guid *b);

/* Types that an ESXi disk carries; the texts of their GUIDs. */
#define VK_GPT_TYPE_VMFS "AA31E02A-400F-11DB-9590-000C2911D1B8"
#define VK_GPT_TYPE_VMFSL "4EB2EA39-7855-4790-A79E-FAE495E21F8D"
#define VK_GPT_TYPE_VMKDIAG "9D275380-40AD-11DB-BF97-000C2911D1B8"
#define VK_GPT_TYPE_RESERVED "9198EFFC-31C0-11DB-8F78-000C2911D1B8"
#define VK_GPT_TYPE_EFI "C12A7328-F81F-11D2-BA4B-00A0C93EC93B"
#define VK_GPT_TYPE_BASIC "EBD0A0A2-B9E5-4433-87C0-68B6B72699C7"
/* Name for people: "VMFS", "VMFS-L", "vmkDiagnostic", ...; "unknown" for others. */
const char *vk_gpt_type_name(const struct vk_guid *type);
bool vk_gpt_type_is_vmfs(const struct vk_guid *type); /* VMFS or VMFS-L */

__END_DECLS
#endif
