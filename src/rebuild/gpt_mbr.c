/* SPDX-License-Identifier: Apache-2.0 */
/* Sector 0 of a GPT disk: what of it is right stays, byte for byte. */
#include <string.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "rebuild/gpt_put.h"

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

static void last_chs(const struct chs_habit *habit, uint32_t sectors, uint8_t ret_chs[3])
{
	memcpy(ret_chs, habit->last, 3);
	if (habit->counted)
		vk_mbr_chs(sectors, ret_chs);
}

/* A single bit beside what some tool writes is damage. What is further from all may be intent, if the rest is right. */
static void settle_chs(struct vk_mbr_entry *e, uint32_t sectors_were, bool rest_right)
{
	const struct chs_habit *nearest = NULL;
	unsigned least = UINT32_MAX;
	uint8_t last[3];

	for (size_t i = 0; i < sizeof(habits) / sizeof(habits[0]); i++) {
		unsigned bits = bits_between(e->firstCHS, habits[i].first, 3);

		last_chs(&habits[i], sectors_were, last);
		bits += bits_between(e->lastCHS, last, 3);
		if (bits < least) {
			least = bits;
			nearest = &habits[i];
		}
	}
	if (least > 1 && rest_right)
		return;
	if (least > 1)
		nearest = &habits[0];
	memcpy(e->firstCHS, nearest->first, 3);
	last_chs(nearest, e->sectors, e->lastCHS);
}

static void settle_entry(struct vk_mbr_entry *e, uint32_t sectors, bool shared)
{
	const struct vk_mbr_entry was = *e;

	if (e->bootFlag != 0x80)
		e->bootFlag = 0;
	e->type = VK_MBR_TYPE_PROTECTIVE;
	e->firstLBA = 1;
	/* all ones is what some systems write on disks of any size; a hybrid protects only what the others leave */
	if (e->sectors != UINT32_MAX && (!shared || e->sectors == 0 || e->sectors > sectors))
		e->sectors = sectors;
	settle_chs(e, was.sectors, was.type == e->type && was.firstLBA == 1 && was.sectors == e->sectors);
}

/* The entry that protects, or was meant to: one bit of its type may be flipped. */
static struct vk_mbr_entry *protecting(struct vk_mbr *mbr)
{
	for (size_t i = 0; i < 4; i++)
		if (mbr->entries[i].type == VK_MBR_TYPE_PROTECTIVE)
			return &mbr->entries[i];
	for (size_t i = 0; i < 4; i++)
		if (__builtin_popcount(mbr->entries[i].type ^ VK_MBR_TYPE_PROTECTIVE) == 1 &&
		    mbr->entries[i].firstLBA == 1)
			return &mbr->entries[i];
	return NULL;
}

/* An entry that may stand beside the one that protects; a flipped bit or noise leaves none. */
static bool sensible(const struct vk_mbr_entry *e, uint64_t disk_sectors)
{
	return vk_mbr_entry_used(e) && (e->bootFlag == 0 || e->bootFlag == 0x80) && e->firstLBA > 1 &&
	       (uint64_t)e->firstLBA + e->sectors <= disk_sectors;
}

void vk_gpt_protective_mbr(const uint8_t *now, uint64_t disk_sectors, uint8_t ret_mbr[VK_MBR_BYTES])
{
	uint32_t sectors = (uint32_t)vk_min_u64(disk_sectors - 1, UINT32_MAX);
	struct vk_mbr_entry *entry;
	bool shared = false;
	struct vk_mbr mbr;

	memset(ret_mbr, 0, VK_MBR_BYTES);
	if (now != NULL)
		memcpy(ret_mbr, now, VK_MBR_BYTES);
	vk_mbr_decode(ret_mbr, VK_MBR_BYTES, &mbr);
	entry = protecting(&mbr);
	/* without one that protects, they are another table's */
	if (entry == NULL) {
		memset(mbr.entries, 0, sizeof(mbr.entries));
		entry = &mbr.entries[0];
	}
	for (size_t i = 0; i < 4; i++) {
		if (&mbr.entries[i] == entry)
			continue;
		if (sensible(&mbr.entries[i], disk_sectors))
			shared = true;
		else
			memset(&mbr.entries[i], 0, sizeof(mbr.entries[i]));
	}
	settle_entry(entry, sectors, shared);
	mbr.signature = VK_MBR_SIGNATURE;
	vk_mbr_encode(&mbr, ret_mbr, VK_MBR_BYTES);
}
