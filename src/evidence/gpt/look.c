/* SPDX-License-Identifier: Apache-2.0 */
/* Reads every header and array of a GPT that anything on the disk points to. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/bytes.h"
#include "base/checked.h"
#include "evidence/gpt/crc.h"
#include "evidence/gpt/image.h"
#include "evidence/gpt/look.h"

enum { SEARCH_BYTES = 16065 * 512 };

/* All len bytes, or why not. */
static enum vk_status read_range(struct vk_io *io, uint32_t sector_size, uint64_t lba, uint8_t *buf, size_t len,
				 enum vk_gpt_held *ret_held, struct vk_error *err)
{
	uint64_t at, end;
	size_t got = 0;
	enum vk_status status;

	*ret_held = VK_GPT_OUTSIDE;
	if (!vk_mul_u64(lba, sector_size, &at) || !vk_add_u64(at, len, &end) || end > vk_io_size_bytes(io))
		return VK_OK;
	status = vk_io_read(io, at, buf, len, &got, err);
	if (status == VK_OK && got == len)
		*ret_held = VK_GPT_HELD;
	else if (vk_io_span(io, at + got).state == VK_SPAN_UNREADABLE)
		*ret_held = VK_GPT_UNREADABLE;
	return status;
}

static bool near_signature(const uint8_t *sector)
{
	int bits = 0;

	for (size_t i = 0; i < VK_GPT_SIGNATURE_BYTES; i++)
		bits += __builtin_popcount(sector[i] ^ (uint8_t)VK_GPT_SIGNATURE[i]);
	return bits <= 1;
}

enum vk_status vk_gpt_look_header(struct vk_gpt_look *look, uint64_t lba, const struct vk_gpt_header_seen **ret_seen,
				  struct vk_error *err)
{
	struct vk_gpt_header_seen *seen = &look->headers[look->header_count];
	enum vk_status status;

	*ret_seen = NULL;
	VK_GPT_EACH_HEADER(h, look)
		if (h->lba == lba)
			*ret_seen = h;
	if (*ret_seen != NULL || look->header_count == VK_GPT_LOOK_HEADERS)
		return VK_OK;
	*seen = (struct vk_gpt_header_seen){.lba = lba, .sector = calloc(1, look->sector_size)};
	if (seen->sector == NULL)
		return vk_no_memory(err, vk_io_name(look->io));
	look->header_count++;
	*ret_seen = seen;
	status = read_range(look->io, look->sector_size, lba, seen->sector, look->sector_size, &seen->held, err);
	if (status != VK_OK)
		return status;
	seen->blank = vk_all_zero(seen->sector, look->sector_size);
	seen->present = vk_gpt_has_signature(seen->sector, look->sector_size);
	seen->sound = vk_gpt_header_proved(seen->sector, look->sector_size);
	if (!seen->sound && near_signature(seen->sector))
		seen->mended = vk_gpt_header_mend(seen->sector, look->sector_size, &seen->bit);
	else if (!seen->sound)
		seen->mended = seen->signature_lost = vk_gpt_signature_lost(seen->sector, look->sector_size);
	if (seen->signature_lost)
		memcpy(seen->sector, VK_GPT_SIGNATURE, VK_GPT_SIGNATURE_BYTES);
	vk_gpt_header_decode(seen->sector, look->sector_size, &seen->header);
	/* a checksum proves the bytes, not that the disk has room for what they claim */
	if (look->disk_sectors < 2 * vk_gpt_entries_sectors(&seen->header, look->sector_size) + 4)
		seen->sound = seen->mended = false;
	return VK_OK;
}

/* Sector 1, the last one, and then wherever these and sector 0 look for the other. */
static enum vk_status look_for_headers(struct vk_gpt_look *look, struct vk_error *err)
{
	uint64_t places[6] = {1, look->disk_sectors - 1};
	const struct vk_gpt_header_seen *seen;
	enum vk_status status = VK_OK;

	for (size_t i = 0; i < 4; i++) {
		const struct vk_mbr_entry *e = &look->mbr.entries[i];

		if (e->type == VK_MBR_TYPE_PROTECTIVE && e->sectors > VK_GPT_PRIMARY_ARRAY_LBA &&
		    e->sectors != UINT32_MAX)
			places[2 + i] = (uint64_t)e->firstLBA + e->sectors - 1;
	}
	for (size_t i = 0; i < 6 && status == VK_OK; i++)
		if (i < 2 || places[i] != 0)
			status = vk_gpt_look_header(look, places[i], &seen, err);
	/* what is found is asked in its turn */
	VK_GPT_EACH_HEADER(found, look) {
		const struct vk_gpt_header *h = &found->header;
		uint64_t behind = vk_add_sat(h->lastUsableLBA, vk_gpt_entries_sectors(h, look->sector_size) + 1);
		const uint64_t named[] = {h->alternateLBA, h->myLBA, h->lastUsableLBA > 1 ? behind : 0};

		for (size_t k = 0; k < 3 && status == VK_OK && vk_gpt_header_trusted(found); k++)
			if (named[k] > 1)
				status = vk_gpt_look_header(look, named[k], &seen, err);
	}
	return status;
}

/* Number and size of entries: of a header for this disk rather than of an older one. */
static void settle_numbers(struct vk_gpt_look *look)
{
	uint64_t last = look->disk_sectors - 1;
	const struct vk_gpt_header_seen *best = NULL;

	for (size_t i = 0; i < look->header_count; i++) {
		struct vk_gpt_header_seen *seen = &look->headers[i];
		const struct vk_gpt_header *h = &seen->header;
		uint64_t sectors = vk_gpt_entries_sectors(h, look->sector_size);

		if (!vk_gpt_header_trusted(seen))
			continue;
		/* it belongs here, and leaves room for the other copy's entries */
		seen->fits = vk_gpt_header_faults(seen->sector, look->sector_size, seen->lba, last) == 0 &&
			     (seen->lba == 1 ? last - h->lastUsableLBA > sectors
					     : seen->lba == last &&
						       h->firstUsableLBA >= VK_GPT_PRIMARY_ARRAY_LBA + sectors);
		if (best == NULL || (seen->fits && !best->fits) ||
		    (seen->fits == best->fits && seen->sound && !best->sound))
			best = seen;
	}
	look->entries = best != NULL ? best->header.numEntries : (uint32_t)VK_GPT_USUAL_ENTRIES;
	look->entry_size = best != NULL ? best->header.entrySize : (uint32_t)VK_GPT_ENTRY_BYTES;
	look->array_bytes = look->entries * look->entry_size;
	look->array_sectors = (look->array_bytes + look->sector_size - 1ULL) / look->sector_size;
}

enum vk_status vk_gpt_look_array(struct vk_gpt_look *look, uint64_t lba, bool backup,
				 const struct vk_gpt_array_seen **ret_seen, struct vk_error *err)
{
	struct vk_gpt_array_seen *seen = &look->arrays[look->array_count];
	enum vk_status status;

	*ret_seen = NULL;
	VK_GPT_EACH_ARRAY(a, look)
		if (a->lba == lba)
			*ret_seen = a;
	if (*ret_seen != NULL || look->array_count == VK_GPT_LOOK_ARRAYS)
		return VK_OK;
	*seen = (struct vk_gpt_array_seen){.lba = lba, .backup = backup, .bytes = calloc(1, look->array_bytes)};
	if (seen->bytes == NULL)
		return vk_no_memory(err, vk_io_name(look->io));
	look->array_count++;
	*ret_seen = seen;
	status = read_range(look->io, look->sector_size, lba, seen->bytes, look->array_bytes, &seen->held, err);
	seen->blank = vk_all_zero(seen->bytes, look->array_bytes);
	seen->crc = vk_crc32(0, seen->bytes, look->array_bytes);
	return status;
}

static enum vk_status look_for_arrays(struct vk_gpt_look *look, struct vk_error *err)
{
	const struct vk_gpt_array_seen *seen;
	enum vk_status status = vk_gpt_look_array(look, VK_GPT_PRIMARY_ARRAY_LBA, false, &seen, err);

	if (status == VK_OK && look->disk_sectors > look->array_sectors + 1)
		status = vk_gpt_look_array(look, look->disk_sectors - 1 - look->array_sectors, true, &seen, err);
	VK_GPT_EACH_HEADER(found, look) {
		const struct vk_gpt_header *h = &found->header;

		if (!vk_gpt_header_trusted(found) || status != VK_OK)
			continue;
		if (h->entriesLBA >= VK_GPT_PRIMARY_ARRAY_LBA)
			status = vk_gpt_look_array(look, h->entriesLBA, h->myLBA != 1, &seen, err);
		if (status == VK_OK && h->lastUsableLBA < look->disk_sectors)
			status = vk_gpt_look_array(look, h->lastUsableLBA + 1, true, &seen, err);
	}
	return status;
}

bool vk_gpt_look_any_trusted(const struct vk_gpt_look *look)
{
	VK_GPT_EACH_HEADER(seen, look)
		if (vk_gpt_header_trusted(seen))
			return true;
	return false;
}

static void free_arrays(struct vk_gpt_look *look)
{
	for (size_t i = 0; i < look->array_count; i++)
		free(look->arrays[i].bytes);
	look->array_count = 0;
}

/* Tools leave up to a cylinder, 16065 sectors of 512 bytes, free behind the last partition. */
static enum vk_status search_from(struct vk_gpt_look *look, uint64_t from, struct vk_error *err)
{
	uint64_t to = vk_min_u64(from + look->array_sectors + SEARCH_BYTES / look->sector_size, look->disk_sectors);
	const struct vk_gpt_header_seen *seen;
	enum vk_status status = VK_OK;
	size_t len, got;
	uint8_t *buf;

	if (from < 2 || from >= to)
		return VK_OK;
	len = (size_t)(to - from) * look->sector_size;
	buf = malloc(len);
	if (buf == NULL)
		return vk_no_memory(err, vk_io_name(look->io));
	status = vk_io_read(look->io, from * look->sector_size, buf, len, &got, err);
	for (size_t at = 0; status == VK_OK && at + look->sector_size <= got; at += look->sector_size)
		if (near_signature(buf + at))
			status = vk_gpt_look_header(look, from + at / look->sector_size, &seen, err);
	free(buf);
	return status;
}

enum vk_status vk_gpt_look_behind(struct vk_gpt_look *look, uint64_t volumes_end, struct vk_error *err)
{
	uint64_t entries_end = 1; /* behind the last sector that an entry of any array names */
	size_t before = look->header_count;
	enum vk_status status = VK_OK;
	struct vk_gpt_entry e;

	VK_GPT_EACH_ARRAY(seen, look)
		for (uint32_t i = 0; seen->held == VK_GPT_HELD && i < look->entries; i++)
			if (vk_gpt_look_entry(look, seen->bytes, i, &e))
				entries_end = vk_max_u64(entries_end, e.lastLBA + 1);
	if (!vk_gpt_look_any_trusted(look))
		status = search_from(look, entries_end, err);
	if (status == VK_OK && volumes_end != entries_end)
		status = search_from(look, volumes_end, err);
	if (status != VK_OK || look->header_count == before)
		return status;
	free_arrays(look);
	settle_numbers(look);
	return look_for_arrays(look, err);
}

enum vk_status vk_gpt_look(struct vk_io *io, uint32_t sector_size, struct vk_gpt_look *ret_look, struct vk_error *err)
{
	struct vk_gpt_look *look = ret_look;
	const struct vk_gpt_header_seen *first = look->headers;
	uint64_t bytes;
	enum vk_status status;

	*look = (struct vk_gpt_look){
		.io = io,
		.sector_size = sector_size,
		.disk_sectors = vk_io_size_bytes(io) / sector_size,
	};
	status = read_range(io, sector_size, 0, look->mbr_bytes, sizeof(look->mbr_bytes), &look->mbr_held, err);
	vk_mbr_decode(look->mbr_bytes, sizeof(look->mbr_bytes), &look->mbr);
	look->protective = look->mbr.signature == VK_MBR_SIGNATURE && vk_mbr_is_protective(&look->mbr);
	if (status == VK_OK)
		status = look_for_headers(look, err);
	if (status != VK_OK)
		return status;
	/*
	 * A file whose sound table ends behind it is the first part of a disk; a device has the size it has. A table
	 * whose signature was taken away may be a former one of a longer disk.
	 */
	if (!vk_io_is_device(io) && vk_gpt_header_trusted(first) && !first->signature_lost &&
	    !vk_gpt_header_trusted(&look->headers[1]) && first->header.alternateLBA >= look->disk_sectors &&
	    first->header.lastUsableLBA < first->header.alternateLBA &&
	    vk_mul_u64(vk_add_sat(first->header.alternateLBA, 1), sector_size, &bytes)) {
		look->cut = true;
		look->disk_sectors = first->header.alternateLBA + 1;
	}
	settle_numbers(look);
	return look_for_arrays(look, err);
}

void vk_gpt_look_free(struct vk_gpt_look *look)
{
	for (size_t i = 0; i < look->header_count; i++)
		free(look->headers[i].sector);
	free_arrays(look);
	memset(look, 0, sizeof(*look));
}

bool vk_gpt_look_entry(const struct vk_gpt_look *look, const uint8_t *array, uint32_t slot,
		       struct vk_gpt_entry *ret_entry)
{
	vk_gpt_entry_decode(array + (size_t)slot * look->entry_size, look->entry_size, ret_entry);
	return !vk_guid_is_nil(&ret_entry->typeGUID) && !vk_guid_is_nil(&ret_entry->uniqueGUID) &&
	       ret_entry->firstLBA >= VK_GPT_PRIMARY_ARRAY_LBA && ret_entry->firstLBA <= ret_entry->lastLBA &&
	       ret_entry->lastLBA < look->disk_sectors;
}

bool vk_gpt_look_plausible(const struct vk_gpt_look *look, const uint8_t *array, uint32_t slot)
{
	struct vk_gpt_entry e;

	return vk_all_zero(array + (size_t)slot * look->entry_size, look->entry_size) ||
	       vk_gpt_look_entry(look, array, slot, &e);
}
