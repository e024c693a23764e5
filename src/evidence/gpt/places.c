/* SPDX-License-Identifier: Apache-2.0 */
/* Where the parts of a GPT belong on this disk, and its header: from the one that counts, else as usual. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/checked.h"
#include "evidence/gpt/case.h"

/* Where a trusted header of that copy puts its entries, if that is a possible place. */
static uint64_t array_place(const struct vk_gpt_judgement *j, bool primary)
{
	const struct vk_gpt_header *image = &j->image.header;
	uint64_t last = j->image.disk_sectors - 1;
	uint64_t usual = primary ? 2 : last - j->look.array_sectors;

	for (size_t i = 0; i < j->look.header_count; i++) {
		const struct vk_gpt_header_seen *seen = &j->look.headers[i];
		uint64_t end = vk_add_sat(seen->header.entriesLBA, j->look.array_sectors);

		if (!vk_gpt_header_trusted(seen) || !vk_gpt_counts_alike(j, seen))
			continue;
		if (primary && seen->header.myLBA == 1 && seen->header.entriesLBA >= 2 && end <= image->firstUsableLBA)
			return seen->header.entriesLBA;
		if (!primary && seen->header.myLBA == last && seen->fits)
			return seen->header.entriesLBA;
	}
	return usual;
}

/* Fill header and places of the image from the header that counts. False when they make no sense: the usual ones stand.
 */
static bool place_by_header(struct vk_gpt_judgement *j)
{
	struct vk_gpt_image *image = &j->image;
	const struct vk_gpt_header *h = &j->chosen->header;
	uint64_t old_last = vk_max_u64(h->myLBA, h->alternateLBA);
	uint64_t disk = j->look.disk_sectors;

	image->header.revision = h->revision;
	image->header.headerSize = h->headerSize;
	image->header.reserved = h->reserved;
	image->header.diskGUID = h->diskGUID;
	j->disk_guid_known = true;
	j->header_exact = true;
	if (old_last != disk - 1 && old_last != UINT64_MAX)
		j->grown_from_sectors = old_last + 1;
	if (h->firstUsableLBA < 2 + j->look.array_sectors || h->firstUsableLBA > h->lastUsableLBA ||
	    h->firstUsableLBA >= image->header.lastUsableLBA)
		return false;
	image->header.firstUsableLBA = h->firstUsableLBA;
	if (old_last == disk - 1 && h->lastUsableLBA < image->backup_array_lba)
		image->header.lastUsableLBA = h->lastUsableLBA;
	return true;
}

/* Two headers that are too damaged to be trusted, and still hold the same disk GUID. */
static void guid_of_remains(struct vk_gpt_judgement *j)
{
	const struct vk_gpt_header_seen *found = NULL;

	for (size_t i = 0; i < j->look.header_count; i++) {
		const struct vk_gpt_header_seen *seen = &j->look.headers[i];

		if (!seen->present || vk_guid_is_nil(&seen->header.diskGUID))
			continue;
		if (found == NULL)
			found = seen;
		else if (vk_guid_equal(&found->header.diskGUID, &seen->header.diskGUID))
			j->disk_guid_known = true;
	}
	if (found != NULL)
		j->image.header.diskGUID = found->header.diskGUID;
}

/* Where the arrays are put is where a header, or their own bytes, show them, or the only place that the usable range
 * leaves. */
static bool place_known(const struct vk_gpt_judgement *j, bool primary)
{
	const struct vk_gpt_header *image = &j->image.header;
	uint64_t lba = primary ? image->entriesLBA : j->image.backup_array_lba;
	uint64_t last = j->image.disk_sectors - 1;

	/* a copy that the disk never had goes to the usual place */
	if (!primary && j->grown_from_sectors != 0)
		return true;
	if (primary ? image->firstUsableLBA == 2 + j->look.array_sectors
		    : image->lastUsableLBA + 1 + j->look.array_sectors == last)
		return true;
	for (size_t i = 0; i < j->look.header_count; i++) {
		const struct vk_gpt_header_seen *seen = &j->look.headers[i];

		if (vk_gpt_header_trusted(seen) && seen->header.myLBA == seen->lba &&
		    seen->lba == (primary ? 1 : last) && seen->header.entriesLBA == lba)
			return true;
	}
	for (size_t i = 0; i < j->look.array_count; i++)
		if (j->look.arrays[i].lba == lba && vk_gpt_matches(j, j->chosen, &j->look.arrays[i]))
			return true;
	return false;
}

enum vk_status vk_gpt_make_image(struct vk_gpt_judgement *j, struct vk_error *err)
{
	struct vk_gpt_image *image = &j->image;
	enum vk_status status = vk_gpt_image_init(j->look.sector_size, j->look.disk_sectors, image, err);
	uint8_t *array;

	if (status != VK_OK)
		return status;
	j->disk_sectors = j->look.disk_sectors;
	j->cut = j->look.cut;
	if (j->chosen == NULL) {
		guid_of_remains(j);
		return VK_OK;
	}
	array = calloc(1, j->look.array_bytes);
	if (array == NULL)
		return vk_no_memory(err, j->path);
	free(image->array);
	image->array = array;
	/* what stands behind a header belongs to it only where it is at home */
	memcpy(image->sector, j->chosen->sector,
	       j->chosen->header.myLBA == j->chosen->lba ? image->sector_size : j->chosen->header.headerSize);
	image->header.numEntries = j->look.entries;
	image->header.entrySize = j->look.entry_size;
	vk_gpt_image_resize(image, j->look.disk_sectors);
	image->header.firstUsableLBA = 2 + j->look.array_sectors;
	j->usable_known = place_by_header(j);
	image->header.entriesLBA = array_place(j, true);
	image->backup_array_lba = array_place(j, false);
	if (image->header.lastUsableLBA >= image->backup_array_lba)
		image->header.lastUsableLBA = image->backup_array_lba - 1;
	j->places_known = place_known(j, true) && place_known(j, false);
	return VK_OK;
}
