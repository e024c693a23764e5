/* SPDX-License-Identifier: Apache-2.0 */
/* The same GPT counted in smaller sectors: every partition keeps its bytes, its number and its GUIDs. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "evidence/gpt/case.h"

typedef unsigned long long ull;

/* Sector first to last of the larger size, as the first and last of the smaller one. */
static bool count_anew(uint64_t *first, uint64_t *last, uint64_t factor)
{
	uint64_t end;

	return vk_add_u64(*last, 1, &end) && vk_mul_u64(end, factor, &end) && end > 0 &&
	       vk_mul_u64(*first, factor, first) && (*last = end - 1) >= *first;
}

/* Why it cannot be done so that nothing is guessed and no partition moves; NULL: it can. */
static const char *objection(const struct vk_gpt_judgement *j, uint32_t to)
{
	uint32_t from = j->sector_size;

	if (j->chosen == NULL || !j->header_exact || !j->usable_known || !j->places_known || !j->disk_guid_known ||
	    !vk_gpt_proof_exact(j->proof))
		return "its checksums do not prove all of it";
	if (j->disputed || j->contested)
		return "two tables that differ are there";
	if (j->cut || j->grown_from_sectors != 0 || !j->chosen->fits)
		return "it was made for a disk of another length";
	if (to == 0 || from <= to || from % to != 0)
		return "only larger sectors can be converted to smaller ones";
	if (j->image.header.headerSize > to)
		return "its header is longer than a sector";
	return NULL;
}

static bool convert_header(struct vk_gpt_image *image, uint32_t to, uint64_t disk_sectors, uint64_t factor)
{
	struct vk_gpt_header *h = &image->header;
	uint64_t sectors = vk_gpt_entries_sectors(h, to);

	if (!count_anew(&h->firstUsableLBA, &h->lastUsableLBA, factor))
		return false;
	image->sector_size = to;
	image->disk_sectors = disk_sectors;
	image->backup_array_lba = disk_sectors - 1 - sectors;
	h->alternateLBA = disk_sectors - 1;
	h->entriesLBA = VK_GPT_PRIMARY_ARRAY_LBA;
	return h->firstUsableLBA >= VK_GPT_PRIMARY_ARRAY_LBA + sectors && h->lastUsableLBA < image->backup_array_lba;
}

static bool convert_entries(struct vk_gpt_judgement *j, uint64_t factor)
{
	struct vk_gpt_image *image = &j->image;

	for (unsigned n = 1; n <= image->header.numEntries; n++) {
		struct vk_gpt_entry e;

		if (!vk_gpt_image_get(image, n, &e))
			continue;
		if (!count_anew(&e.firstLBA, &e.lastLBA, factor) || !vk_gpt_image_set(image, n, &e))
			return false;
	}
	for (size_t i = 0; i < j->entry_count; i++) {
		struct vk_partition *p = &j->entries[i].partition;

		if (!vk_gpt_image_get(image, p->number, &p->entry))
			return false;
		p->start_sector = p->entry.firstLBA;
		p->sectors = p->entry.lastLBA - p->entry.firstLBA + 1;
	}
	return true;
}

/* Hosts that count in the smaller sectors see nothing of it yet. */
static void say_parts(struct vk_gpt_judgement *j, uint32_t from)
{
	const struct vk_gpt_image *image = &j->image;
	const uint64_t lbas[VK_TP_COUNT] = {0, 1, image->header.entriesLBA, image->backup_array_lba,
					    image->header.alternateLBA};

	for (int part = VK_TP_MBR; part <= VK_TP_BACKUP_HEADER; part++) {
		struct vk_table_part_verdict *v = &j->parts[part];
		bool array = part == VK_TP_PRIMARY_ARRAY || part == VK_TP_BACKUP_ARRAY;

		v->state = part == VK_TP_MBR ? VK_PART_STATE_STALE : VK_PART_STATE_LOST;
		v->offset_bytes = vk_mul_sat(lbas[part], image->sector_size);
		v->length_bytes = part == VK_TP_MBR ? (uint64_t)VK_MBR_BYTES
				  : array	    ? j->look.array_bytes
						    : image->sector_size;
		snprintf(v->why, sizeof(v->why),
			 part == VK_TP_MBR ? "it counts sectors of %u bytes"
					   : "it stands where sectors of %u bytes have it",
			 from);
	}
}

enum vk_status vk_gpt_convert(struct vk_gpt_judgement *j, uint32_t sector_size, const char *path,
			      struct vk_error *err)
{
	const char *why = objection(j, sector_size);
	uint32_t from = j->sector_size;
	uint64_t disk_sectors = vk_io_size_bytes(j->look.io) / vk_max_u64(sector_size, 1);

	if (why == NULL && (!convert_header(&j->image, sector_size, disk_sectors, from / sector_size) ||
			    !convert_entries(j, from / sector_size)))
		why = "the usable range leaves no room for the table";
	if (why != NULL) {
		vk_error_set(err, VK_REFUSED, path,
			     "the table with sectors of %u bytes cannot be converted to sectors of %u: %s",
			     from, sector_size, why);
		return vk_error_remedy(err, "set the block size of the LUN back to %u at the array or enclosure; the "
					    "table can then be seen, and be repaired", from);
	}
	j->mbr_from_sectors = j->look.disk_sectors;
	j->sector_size = sector_size;
	j->disk_sectors = disk_sectors;
	j->sector_size_differs = j->sound = false;
	j->used = -1;
	say_parts(j, from);
	return VK_OK;
}
