/* SPDX-License-Identifier: Apache-2.0 */
/* A whole GPT in memory, and sector 0 of its disk: what of that is right stays, byte for byte. */
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/memory.h"
#include "evidence/gpt/image.h"
#include "vmfskit/text.h"

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

struct problem {
	bool found;
	struct vk_text text;
};

static void note_problem(void *ctx, const struct vk_finding *finding)
{
	struct problem *problem = ctx;

	if (problem->found || (finding->code != VK_F_GPT_ENTRY_RANGE && finding->code != VK_F_GPT_ENTRY_OVERLAP))
		return;
	problem->found = true;
	vk_text_put(&problem->text, finding->message);
}

bool vk_gpt_entries_problem(const struct vk_gpt_header *header, const uint8_t *array, char *ret_text, size_t cap_bytes)
{
	struct problem problem = {.found = false};
	const struct vk_finding_sink sink = {note_problem, &problem};

	problem.text = vk_text_in(ret_text, cap_bytes);
	vk_gpt_entries_check(header, array, 0, &sink);
	return problem.found;
}

/* The CHS bytes of a protective entry as tools write them. Nobody reads them. */
struct chs_habit {
	uint8_t first[3];
	uint8_t last[3];
	bool counted; /* last is that of the last sector */
};
static const struct chs_habit habits[] = {
	{{0x00, 0x01, 0x00}, {0xFE, 0xFF, 0xFF}, false}, /* ESXi, parted */
	{{0x00, 0x02, 0x00}, {0xFF, 0xFF, 0xFF}, false}, /* sfdisk, sgdisk on large disks, UEFI */
	{{0x00, 0x02, 0x00}, {0xFE, 0xFF, 0xFF}, false}, /* Windows */
	{{0x00, 0x02, 0x00}, {0x00, 0x00, 0x00}, true},  /* sgdisk on small disks */
};

static unsigned bits_between(const uint8_t *a, const uint8_t *b, size_t len)
{
	unsigned bits = 0;

	for (size_t i = 0; i < len; i++)
		bits += (unsigned)__builtin_popcount(a[i] ^ b[i]);
	return bits;
}

static unsigned bits_set(const struct vk_mbr_entry *e)
{
	static const uint8_t zeros[VK_MBR_ENTRY_BYTES];
	uint8_t raw[VK_MBR_ENTRY_BYTES];

	vk_layout_encode(&vk_mbr_entry_layout, e, raw, sizeof(raw));
	return bits_between(raw, zeros, sizeof(raw));
}

static void last_chs(const struct chs_habit *habit, uint32_t sectors, uint8_t ret_chs[3])
{
	memcpy(ret_chs, habit->last, 3);
	if (habit->counted)
		vk_mbr_chs(sectors, ret_chs);
}

/*
 * A single bit beside what some tool writes is damage, though which tool it was nobody knows. What is further from all
 * stays: it may be intent, and nobody reads it. Of an entry of zeros nothing is known but what is usual.
 */
static void settle_chs(struct vk_mbr_entry *e, uint32_t sectors_were, bool blank, bool *known)
{
	const struct chs_habit *nearest = blank ? &habits[0] : NULL;
	unsigned least = 2;
	uint8_t last[3];

	for (size_t i = 0; i < sizeof(habits) / sizeof(habits[0]) && !blank; i++) {
		unsigned bits = bits_between(e->firstCHS, habits[i].first, 3);

		last_chs(&habits[i], sectors_were, last);
		bits += bits_between(e->lastCHS, last, 3);
		if (bits >= least)
			continue;
		nearest = &habits[i];
		least = bits;
	}
	if (nearest == NULL)
		return;
	*known = *known && !blank && least == 0;
	memcpy(e->firstCHS, nearest->first, 3);
	last_chs(nearest, e->sectors, e->lastCHS);
}

/*
 * before: the disk had so many sectors, 0: as many as now. shared: other entries stand beside this one; a hybrid
 * protects only what these leave.
 */
static void settle_entry(struct vk_mbr_entry *e, uint32_t sectors, uint32_t before, bool shared, bool *known)
{
	uint32_t was = e->sectors;
	bool blank = bits_set(e) == 0;

	if (e->bootFlag != 0x80 && e->bootFlag != 0) {
		*known = false;
		e->bootFlag = 0;
	}
	e->type = VK_MBR_TYPE_PROTECTIVE;
	e->firstLBA = 1;
	/* all of the disk, or all ones, which some systems write on disks of any size */
	if (was != UINT32_MAX && was != sectors && !(shared && was != 0 && was < sectors)) {
		e->sectors = sectors;
		/* one bit beside it, and not beside all ones; or all of the disk before it was grown */
		*known = *known &&
			 ((__builtin_popcount(was ^ sectors) == 1 && __builtin_popcount(was ^ UINT32_MAX) > 1) ||
			  (before != 0 && was == before));
	}
	settle_chs(e, was, blank, known);
}

/* The entry that protects, or was meant to: it begins where the GPT's header stands, or one bit of its type is flipped.
 */
static struct vk_mbr_entry *protecting(struct vk_mbr *mbr)
{
	for (size_t i = 0; i < 4; i++)
		if (mbr->entries[i].type == VK_MBR_TYPE_PROTECTIVE)
			return &mbr->entries[i];
	for (size_t i = 0; i < 4; i++)
		if (mbr->entries[i].firstLBA == 1)
			return &mbr->entries[i];
	return NULL;
}

bool vk_gpt_protective_mbr(const uint8_t *now, uint64_t disk_sectors, uint64_t before_sectors,
			   uint8_t ret_mbr[VK_MBR_BYTES])
{
	uint32_t sectors = (uint32_t)vk_min_u64(disk_sectors - 1, UINT32_MAX);
	uint32_t before = before_sectors == 0 ? 0 : (uint32_t)vk_min_u64(before_sectors - 1, UINT32_MAX);
	struct vk_mbr_entry *entry;
	bool shared = false, known = now != NULL;
	struct vk_mbr mbr;

	memset(ret_mbr, 0, VK_MBR_BYTES);
	if (now != NULL)
		memcpy(ret_mbr, now, VK_MBR_BYTES);
	vk_mbr_decode(ret_mbr, VK_MBR_BYTES, &mbr);
	entry = protecting(&mbr);
	/* without one that protects, the others are another table's */
	for (size_t i = 0; i < 4; i++) {
		struct vk_mbr_entry *e = &mbr.entries[i];

		if (e == entry)
			continue;
		/* one that may stand beside it; a flipped bit or noise leaves none */
		if (entry != NULL && vk_mbr_entry_used(e) && (e->bootFlag == 0 || e->bootFlag == 0x80) &&
		    vk_mbr_entry_beside_gpt(e, disk_sectors)) {
			shared = true;
			continue;
		}
		/* zeros in the place of an entry that is none; a single bit was never one */
		known = known && bits_set(e) <= 1;
		memset(e, 0, sizeof(*e));
	}
	settle_entry(entry != NULL ? entry : &mbr.entries[0], sectors, before, shared, &known);
	mbr.signature = VK_MBR_SIGNATURE;
	vk_mbr_encode(&mbr, ret_mbr, VK_MBR_BYTES);
	return known;
}
