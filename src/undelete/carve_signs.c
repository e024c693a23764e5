/* SPDX-License-Identifier: Apache-2.0 */
/* What first bytes say: tables, boot sectors and superblocks of guests, headers of virtual disks. */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "vmfskit/fat_boot.h"
#include "vmfskit/gpt.h"
#include "vmfskit/mbr.h"
#include "vmfskit/undelete_carve.h"
#include "vmfskit/virtual_disk.h"

enum { SECTOR = 512, EXT_AT = 1024, EXT_BYTES = 64, EXT_MAGIC = 0xEF53, EXT_SHIFT_MAX = 6, MARK_WITHIN = 256 };

/* One kind; ret_bytes is 0 before. */
typedef bool (*sign_fn)(const uint8_t *b, size_t len, uint64_t *ret_bytes);

static bool is_vmdk(const uint8_t *b, size_t len, enum vk_vmdk_magic magic, uint64_t *ret_bytes)
{
	struct vk_vmdk_header h;

	if (!vk_vmdk_header_decode(b, len, &h) || h.magic != magic || h.capacity_sectors == 0 ||
	    h.capacity_sectors > UINT64_MAX >> 16)
		return false;
	*ret_bytes = h.capacity_sectors * SECTOR;
	return magic == VK_VMDK_COWD ? h.version == 1 : h.version != 0;
}

static bool is_cowd(const uint8_t *b, size_t len, uint64_t *ret_bytes)
{
	return is_vmdk(b, len, VK_VMDK_COWD, ret_bytes);
}

static bool is_kdmv(const uint8_t *b, size_t len, uint64_t *ret_bytes)
{
	return is_vmdk(b, len, VK_VMDK_KDMV, ret_bytes);
}

static bool is_sesparse(const uint8_t *b, size_t len, uint64_t *ret_bytes)
{
	return is_vmdk(b, len, VK_VMDK_SESPARSE_MAGIC, ret_bytes);
}

static bool is_descriptor_text(const uint8_t *b, size_t len, uint64_t *ret_bytes)
{
	static const char mark[] = "Disk DescriptorFile";
	const size_t within = (size_t)vk_min_u64(len, MARK_WITHIN), text = strnlen((const char *)b, len);
	struct vk_vmdk_descriptor *d;
	bool is;

	if (memmem(b, within, mark, sizeof(mark) - 1) == NULL)
		return false;
	d = malloc(sizeof(*d));
	is = d != NULL && vk_vmdk_parse(b, text, d);
	free(d);
	*ret_bytes = text < len ? text : 0;
	return is;
}

static bool is_gpt(const uint8_t *b, size_t len, uint64_t *ret_bytes)
{
	for (uint32_t sector = SECTOR; sector <= 4096; sector *= 8) {
		struct vk_gpt_header h;

		if (len < 2 * (size_t)sector && len < sector + (size_t)SECTOR)
			continue;
		if (!vk_gpt_has_signature(b + sector, len - sector))
			continue;
		vk_gpt_header_decode(b + sector, len - sector, &h);
		if (h.myLBA != 1)
			continue;
		*ret_bytes = h.alternateLBA < UINT64_MAX >> 16 ? (h.alternateLBA + 1) * sector : 0;
		return true;
	}
	return false;
}

static bool has_boot_mark(const uint8_t *b, size_t len)
{
	return len >= SECTOR && vk_get_le16(b + SECTOR - 2) == VK_MBR_SIGNATURE;
}

static bool is_ntfs(const uint8_t *b, size_t len, uint64_t *ret_bytes)
{
	uint32_t sector;

	if (!has_boot_mark(b, len) || memcmp(b + 3, "NTFS    ", 8) != 0)
		return false;
	sector = vk_get_le16(b + 11);
	if (sector < SECTOR || sector > 4096 || (sector & (sector - 1)) != 0)
		return false;
	/* the copy of the boot sector is behind the last one that it counts */
	*ret_bytes = vk_get_le64(b + 40) < UINT64_MAX >> 16 ? (vk_get_le64(b + 40) + 1) * sector : 0;
	return true;
}

static bool is_fat(const uint8_t *b, size_t len, uint64_t *ret_bytes)
{
	struct vk_fat_boot boot;
	const size_t seen = vk_fat_boot_decode(b, len, &boot);

	if (!vk_fat_boot_usable(&boot, seen))
		return false;
	*ret_bytes = vk_fat_boot_bytes(&boot);
	return true;
}

static bool is_mbr(const uint8_t *b, size_t len, uint64_t *ret_bytes)
{
	struct vk_mbr mbr;
	uint64_t end = 0;

	if (!has_boot_mark(b, len))
		return false;
	vk_mbr_decode(b, len, &mbr);
	for (unsigned i = 0; i < 4; i++)
		if (vk_mbr_entry_used(&mbr.entries[i]))
			end = vk_max_u64(end, (uint64_t)mbr.entries[i].firstLBA + mbr.entries[i].sectors);
	*ret_bytes = end * SECTOR;
	return end > 0 && vk_mbr_entries_plausible(&mbr, UINT32_MAX);
}

static bool is_xfs(const uint8_t *b, size_t len, uint64_t *ret_bytes)
{
	uint64_t blocks, size;

	if (len < SECTOR || memcmp(b, "XFSB", 4) != 0)
		return false;
	size = vk_get_be32(b + 4);
	blocks = (uint64_t)vk_get_be32(b + 8) << 32 | vk_get_be32(b + 12);
	if (size < SECTOR || size > 65536 || (size & (size - 1)) != 0 || blocks == 0)
		return false;
	*ret_bytes = blocks < UINT64_MAX >> 20 ? blocks * size : 0;
	return true;
}

static bool is_ext(const uint8_t *b, size_t len, uint64_t *ret_bytes)
{
	const uint8_t *super = b + EXT_AT;
	uint32_t inodes, blocks, shift;

	if (len < EXT_AT + EXT_BYTES || vk_get_le16(super + 56) != EXT_MAGIC)
		return false;
	inodes = vk_get_le32(super);
	blocks = vk_get_le32(super + 4);
	shift = vk_get_le32(super + 24);
	*ret_bytes = shift <= EXT_SHIFT_MAX ? (uint64_t)blocks << (10 + shift) : 0;
	return shift <= EXT_SHIFT_MAX && inodes > 0 && blocks > 0;
}

/* In front is what others have as well: a GPT has an MBR, a boot sector its mark. */
static const struct {
	const char *name;
	sign_fn is;
} signs[] = {
	{"COWD header", is_cowd}, {"KDMV header", is_kdmv}, {"SESPARSE header", is_sesparse},
	{"VMDK descriptor", is_descriptor_text}, {"GPT", is_gpt}, {"NTFS boot sector", is_ntfs},
	{"FAT boot sector", is_fat}, {"XFS superblock", is_xfs}, {"ext superblock", is_ext}, {"MBR", is_mbr},
};

const char *vk_carve_looks_like(const uint8_t *bytes, size_t len, uint64_t *ret_bytes)
{
	for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++) {
		*ret_bytes = 0;
		if (signs[i].is(bytes, len, ret_bytes))
			return signs[i].name;
	}
	*ret_bytes = 0;
	return NULL;
}
