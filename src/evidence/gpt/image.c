/* SPDX-License-Identifier: Apache-2.0 */
/* A whole GPT in memory. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "evidence/gpt/image.h"

void vk_gpt_image_resize(struct vk_gpt_image *image, uint64_t disk_sectors)
{
	uint64_t sectors = vk_gpt_entries_sectors(&image->header, image->sector_size);

	image->disk_sectors = disk_sectors;
	image->header.alternateLBA = disk_sectors - 1;
	image->backup_array_lba = disk_sectors - 1 - sectors;
	image->header.lastUsableLBA = image->backup_array_lba - 1;
}

enum vk_status vk_gpt_image_init(uint32_t sector_size, uint64_t disk_sectors, struct vk_gpt_image *ret_image,
				 struct vk_error *err)
{
	struct vk_gpt_image image = {
		.sector_size = sector_size,
		.header = {.signature = "EFI PART",
			   .revision = 0x00010000,
			   .headerSize = VK_GPT_HEADER_BYTES,
			   .myLBA = 1,
			   .entriesLBA = VK_GPT_PRIMARY_ARRAY_LBA,
			   .numEntries = VK_GPT_USUAL_ENTRIES,
			   .entrySize = VK_GPT_ENTRY_BYTES},
	};
	uint64_t sectors = vk_gpt_entries_sectors(&image.header, sector_size);

	if (disk_sectors < 2 * sectors + 4)
		return vk_error_set(err, VK_USAGE, NULL, "the disk is too small for a GPT (%llu sectors)",
				    (unsigned long long)disk_sectors);
	image.header.firstUsableLBA = VK_GPT_PRIMARY_ARRAY_LBA + sectors;
	vk_gpt_image_resize(&image, disk_sectors);
	image.sector = calloc(1, sector_size);
	image.array = calloc(VK_GPT_USUAL_ENTRIES, VK_GPT_ENTRY_BYTES);
	if (image.sector == NULL || image.array == NULL) {
		vk_gpt_image_free(&image);
		return vk_no_memory(err, NULL);
	}
	*ret_image = image;
	return VK_OK;
}

void vk_gpt_image_free(struct vk_gpt_image *image)
{
	free(image->sector);
	free(image->array);
	memset(image, 0, sizeof(*image));
}

bool vk_gpt_image_set(struct vk_gpt_image *image, unsigned number, const struct vk_gpt_entry *entry)
{
	uint8_t *slot;

	if (number == 0 || number > image->header.numEntries)
		return false;
	slot = image->array + (size_t)(number - 1) * image->header.entrySize;
	if (entry == NULL)
		memset(slot, 0, image->header.entrySize);
	else
		vk_gpt_entry_encode(entry, slot, image->header.entrySize);
	return true;
}

bool vk_gpt_image_get(const struct vk_gpt_image *image, unsigned number, struct vk_gpt_entry *ret_entry)
{
	if (number == 0 || number > image->header.numEntries)
		return false;
	vk_gpt_entry_decode(image->array + (size_t)(number - 1) * image->header.entrySize, image->header.entrySize,
			    ret_entry);
	return !vk_guid_is_nil(&ret_entry->typeGUID);
}
