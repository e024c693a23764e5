/* SPDX-License-Identifier: Apache-2.0 */
/* Backup GPTs of an earlier time, of a disk that was grown or whose table was made anew: what their checksums prove. */
#include <stdlib.h>

#include "base/checked.h"
#include "base/memory.h"
#include "find/find_parts.h"

/* A volume that was made later may begin in front of the old end of the disk; one of before ends there. */
enum { SECTOR_MAX = 4096, AROUND_BYTES = 1 << 20, PLACES_MAX = 16 };

/* Whether it is a copy of the table that stands: that one is no older table, wherever it lies. */
static bool is_of_now(const struct vk_finder *f, const struct vk_gpt_header *h, uint32_t ss)
{
	const struct vk_table *t = &f->source->table;

	if (t->sector_size != ss)
		return false;
	for (int i = 0; i < 2; i++)
		if ((t->gpt[i].usable && t->gpt[i].lba == h->myLBA) ||
		    (t->gpt[i].sound && t->gpt[i].header.alternateLBA == h->myLBA))
			return true;
	return false;
}

/* The entries lie in front of the header, which was judged: they are there, or were written over. */
static enum vk_status read_entries(const struct vk_finder *f, struct vk_older_gpt *gpt, struct vk_error *err)
{
	const struct vk_gpt_header *h = &gpt->header;
	uint32_t size = vk_gpt_entries_bytes(h);
	uint64_t at = vk_mul_sat(h->entriesLBA, gpt->sector_size);
	uint8_t *array;
	bool ok = true;

	if (size == 0 || at >= gpt->offset_bytes)
		return VK_OK;
	array = malloc(size);
	if (array == NULL)
		return vk_no_memory(err, NULL);
	gpt->entries_fit = vk_find_get(f, (int64_t)at, array, size) == size &&
			   vk_crc32(0, array, size) == h->entriesCRC32;
	for (uint32_t i = 0; ok && gpt->entries_fit && i < h->numEntries; i++) {
		struct vk_older_entry e = {.number = i + 1};

		vk_gpt_entry_decode(array + (size_t)i * h->entrySize, h->entrySize, &e.entry);
		if (!vk_guid_is_nil(&e.entry.typeGUID) && e.entry.firstLBA >= h->firstUsableLBA &&
		    e.entry.firstLBA <= e.entry.lastLBA && e.entry.lastLBA <= h->lastUsableLBA &&
		    gpt->entry_count < VK_OLDER_ENTRIES_MAX)
			ok = vk_append(&gpt->entries, &gpt->entry_count, &e, sizeof(e)) != NULL;
	}
	free(array);
	return ok ? VK_OK : vk_no_memory(err, NULL);
}

/* Where a header may stand; what is none, or not of an earlier time, is passed over. */
static enum vk_status look_at(const struct vk_finder *f, uint64_t offset, struct vk_find *found, struct vk_error *err)
{
	uint8_t sector[SECTOR_MAX];
	size_t got = offset <= INT64_MAX / 2 ? vk_find_get(f, (int64_t)offset, sector, sizeof(sector)) : 0;

	for (size_t i = 0; i < found->older_count; i++)
		if (found->older[i].offset_bytes == offset)
			return VK_OK;
	for (uint32_t ss = 512; ss <= got && found->older_count < VK_OLDER_GPTS_MAX; ss *= 8) {
		struct vk_older_gpt gpt = {.offset_bytes = offset, .sector_size = ss};
		enum vk_status status;

		vk_gpt_header_decode(sector, ss, &gpt.header);
		gpt.disk_sectors = vk_add_sat(gpt.header.myLBA, 1);
		if (gpt.header.myLBA <= 1 || vk_mul_sat(gpt.header.myLBA, ss) != offset ||
		    vk_add_sat(offset, ss) >= f->size_bytes || is_of_now(f, &gpt.header, ss) ||
		    vk_gpt_header_faults(sector, ss, gpt.header.myLBA, 0) != 0)
			continue;
		status = read_entries(f, &gpt, err);
		if (status == VK_OK &&
		    vk_append(&found->older, &found->older_count, &gpt, sizeof(gpt)) == NULL)
			status = vk_no_memory(err, NULL);
		if (status != VK_OK)
			free(gpt.entries);
		return status;
	}
	return VK_OK;
}

/* Sectors are counted from the beginning of a whole disk only. */
static bool counts_from_its_start(const struct vk_finder *f)
{
	return f->source->kind == VK_SOURCE_DISK && f->source->tail.first_sector == 0;
}

enum vk_status vk_older_gpt_marks(const struct vk_finder *f, const struct vk_scan *scan, struct vk_find *found,
				  struct vk_error *err)
{
	enum vk_status status = VK_OK;

	for (size_t i = 0; i < scan->mark_count && status == VK_OK && counts_from_its_start(f); i++)
		if (scan->marks[i].kind == VK_MARK_GPT)
			status = look_at(f, scan->marks[i].offset_bytes, found, err);
	return status;
}

/* Headers in the bytes from one place on. */
static enum vk_status look_from(const struct vk_finder *f, uint64_t from, uint8_t buf[AROUND_BYTES],
				struct vk_find *found, struct vk_error *err)
{
	size_t got = from < f->size_bytes ? vk_find_get(f, (int64_t)from, buf, AROUND_BYTES) : 0;
	enum vk_status status = VK_OK;

	for (size_t at = 0; at + 512 <= got && status == VK_OK; at += 512)
		if (vk_gpt_has_signature(buf + at, 512))
			status = look_at(f, from + at, found, err);
	return status;
}

enum vk_status vk_older_gpt_likely(const struct vk_finder *f, struct vk_find *found, struct vk_error *err)
{
	uint8_t *buf = malloc(AROUND_BYTES);
	enum vk_status status = buf != NULL ? VK_OK : vk_no_memory(err, NULL);
	size_t places = 0;

	for (size_t i = 0; i < f->count && counts_from_its_start(f); i++) {
		const struct vk_candidate *c = &f->probes[i].c;

		if (vk_standing_is_ghost(c->standing) || c->start_before_disk || places++ >= PLACES_MAX)
			continue;
		if (status == VK_OK)
			status = look_from(f, c->start_bytes, buf, found, err);
		if (status == VK_OK && c->told_bytes != 0)
			status = look_from(f, vk_add_sat(c->start_bytes, c->told_bytes), buf, found, err);
	}
	free(buf);
	return status;
}
