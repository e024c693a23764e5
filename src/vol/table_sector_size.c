/* SPDX-License-Identifier: Apache-2.0 */
/* Which sectors a file's table counts in: files do not say, and every part of a GPT lies elsewhere with larger ones. */
#include <string.h>

#include "vmfskit/lvm.h"
#include "vol/table_parts.h"

enum { ARRAY_BYTES = 128 * VK_GPT_ENTRY_BYTES };

static bool has_header(struct vk_io *io, uint64_t at)
{
	uint8_t magic[8];
	size_t got;

	return vk_io_read(io, at, magic, sizeof(magic), &got, NULL) == VK_OK &&
	       vk_gpt_has_signature(magic, got);
}

/* The first entries of an array: one of a type that is known. */
static bool has_entries(struct vk_io *io, uint64_t at)
{
	uint8_t array[8 * VK_GPT_ENTRY_BYTES];
	size_t got;

	if (vk_io_read(io, at, array, sizeof(array), &got, NULL) != VK_OK)
		return false;
	for (size_t i = 0; i + VK_GPT_ENTRY_BYTES <= got; i += VK_GPT_ENTRY_BYTES) {
		struct vk_gpt_entry e;

		vk_gpt_entry_decode(array + i, VK_GPT_ENTRY_BYTES, &e);
		if (!vk_guid_is_nil(&e.typeGUID) && e.firstLBA <= e.lastLBA &&
		    strcmp(vk_gpt_type_name(&e.typeGUID), "unknown") != 0)
			return true;
	}
	return false;
}

/* How many sectors the entry that protects a GPT counts. */
static bool protects(struct vk_io *io, uint64_t sectors)
{
	uint8_t sector[VK_MBR_BYTES];
	struct vk_mbr mbr;

	if (vk_io_read_all(io, 0, sector, sizeof(sector), NULL) != VK_OK)
		return false;
	vk_mbr_decode(sector, sizeof(sector), &mbr);
	for (size_t i = 0; i < 4; i++)
		if (mbr.entries[i].type == VK_MBR_TYPE_PROTECTIVE && mbr.entries[i].firstLBA == 1 &&
		    mbr.entries[i].sectors == sectors - 1)
			return true;
	return false;
}

/* A header tells more than what else may be left of it. */
static unsigned evidence(struct vk_io *io, uint32_t sector_size)
{
	uint64_t bytes = vk_io_size_bytes(io) / sector_size * sector_size;

	if (bytes < 2ULL * ARRAY_BYTES + 4ULL * sector_size)
		return 0;
	return (has_header(io, bytes - sector_size) ? 4U : 0U) + (has_entries(io, 2ULL * sector_size) ? 1U : 0U) +
	       (has_entries(io, bytes - sector_size - ARRAY_BYTES) ? 1U : 0U) +
	       (protects(io, bytes / sector_size) ? 1U : 0U);
}

bool vk_mbr_counts_in(struct vk_io *io, const struct vk_mbr *mbr, uint32_t sector_size)
{
	size_t fit = 0;

	for (size_t i = 0; i < 4; i++) {
		const struct vk_mbr_entry *e = &mbr->entries[i];
		uint64_t start = (uint64_t)e->firstLBA * sector_size;
		uint8_t raw[VK_LVM_DEVICE_BYTES];
		struct vk_lvm_device device;

		if (e->type != VK_MBR_TYPE_VMFS || e->firstLBA == 0)
			continue;
		if (vk_io_read_all(io, start + VK_LVM_HEADER_OFFSET, raw, sizeof(raw), NULL) != VK_OK)
			return false;
		vk_lvm_device_decode(raw, sizeof(raw), &device);
		if (!vk_lvm_device_usable(&device, sizeof(raw)) ||
		    device.totalBytes > (uint64_t)e->sectors * sector_size)
			return false;
		fit++;
	}
	return fit > 0;
}

/* Without a GPT: the MBR's own sectors, unless volumes stand only where larger ones have them. */
static uint32_t sectors_of_mbr(struct vk_io *io, uint32_t own, uint32_t other)
{
	uint8_t sector[VK_MBR_BYTES];
	struct vk_mbr mbr;

	if (vk_io_read_all(io, 0, sector, sizeof(sector), NULL) != VK_OK)
		return own;
	vk_mbr_decode(sector, sizeof(sector), &mbr);
	return mbr.signature == VK_MBR_SIGNATURE && !vk_mbr_counts_in(io, &mbr, own) &&
			       vk_mbr_counts_in(io, &mbr, other)
		       ? other
		       : own;
}

uint32_t vk_table_sector_size(struct vk_io *io)
{
	uint32_t own = vk_io_sector_size(io);
	uint32_t other = own == 512 ? 4096 : 512;

	if (has_header(io, own) || vk_io_is_device(io))
		return own;
	if (has_header(io, other))
		return other;
	if (evidence(io, other) > evidence(io, own))
		return other;
	return evidence(io, own) > 0 ? own : sectors_of_mbr(io, own, other);
}
