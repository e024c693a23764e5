/* SPDX-License-Identifier: Apache-2.0 */
/* A whole GPT as it is to stand on a disk, and the sector 0 that protects it. */
#ifndef VK_EVIDENCE_GPT_IMAGE_H
#define VK_EVIDENCE_GPT_IMAGE_H

#include "vmfskit/gpt.h"
#include "vmfskit/mbr.h"

enum { VK_GPT_USUAL_ENTRIES = 128, VK_GPT_PRIMARY_ARRAY_LBA = 2 };

/*
 * header is that of the primary, whose CRCs are worked out when it is put; sector holds the bytes of its sector, so
 * that what stands behind the 92 known bytes survives. The backup's header follows from both. All entries lie in array,
 * vk_gpt_entries_bytes(&header) long.
 */
struct vk_gpt_image {
	uint32_t sector_size;
	uint64_t disk_sectors;
	struct vk_gpt_header header;
	uint64_t backup_array_lba;
	uint8_t *sector; /* sector_size bytes */
	uint8_t *array;
};

/*
 * An empty GPT of 128 entries with the usual places and usable range, disk GUID nil. Errors: VK_USAGE (the disk is too
 * small for one), VK_NOMEM. Free with vk_gpt_image_free.
 */
VK_MUST_USE enum vk_status vk_gpt_image_init(uint32_t sector_size, uint64_t disk_sectors,
					     struct vk_gpt_image *ret_image, struct vk_error *err);
void vk_gpt_image_free(struct vk_gpt_image *image);
/* Put the entry of that number (from 1), NULL: make it unused. False when the array has no such entry. */
VK_MUST_USE bool vk_gpt_image_set(struct vk_gpt_image *image, unsigned number, const struct vk_gpt_entry *entry);
/* The entry of that number; false when there is none or it is unused. */
VK_MUST_USE bool vk_gpt_image_get(const struct vk_gpt_image *image, unsigned number, struct vk_gpt_entry *ret_entry);
/*
 * Give the image the places and usable range of a disk of that many sectors: backup at the end. First usable sector and
 * all entries stay.
 */
void vk_gpt_image_resize(struct vk_gpt_image *image, uint64_t disk_sectors);

/* Whether an entry lies outside the usable range or overlaps another, and which. */
bool vk_gpt_entries_problem(const struct vk_gpt_header *header, const uint8_t *array, char *ret_text, size_t cap_bytes);

/*
 * The sector 0 that protects a GPT of that many sectors, made from the one that stands (VK_MBR_BYTES each; NULL: it
 * cannot be read): boot code, signature and what else is right stays. before_sectors: the disk had so many when the
 * table was written, 0: as many as now. False: a byte that changes is only what is usual (length, boot flag, heads and
 * sectors of the entry; entries that make no sense); type, first sector and signature are always known.
 */
bool vk_gpt_protective_mbr(const uint8_t *now, uint64_t disk_sectors, uint64_t before_sectors,
			   uint8_t ret_mbr[VK_MBR_BYTES]);

#endif
