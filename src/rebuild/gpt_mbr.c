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
};
static const struct chs_habit habits[] = {
	{{0x00, 0x01, 0x00}, {0xFE, 0xFF, 0xFF}}, /* ESXi, parted */
	{{0x00, 0x02, 0x00}, {0xFF, 0xFF, 0xFF}}, /* sfdisk, sgdisk, UEFI */
};

static unsigned bits_between(const uint8_t *a, const uint8_t *b, size_t len)
{
	unsigned bits = 0;

	for (size_t i = 0; i < len; i++)
		bits += (unsigned)__builtin_popcount(a[i] ^ b[i]);
	return bits;
}

/* A single bit beside what tools write is damage; anything else may be somebody's intent. */
static void settle_chs(uint8_t chs[3], const uint8_t usual[3])
{
	if (vk_all_zero(chs, 3) || bits_between(chs, usual, 3) == 1)
		memcpy(chs, usual, 3);
}

static void settle_entry(struct vk_mbr_entry *e, uint32_t sectors, bool shared)
{
	const struct chs_habit *habit = &habits[0];

	if (bits_between(e->firstCHS, habits[1].first, 3) + bits_between(e->lastCHS, habits[1].last, 3) <
	    bits_between(e->firstCHS, habit->first, 3) + bits_between(e->lastCHS, habit->last, 3))
		habit = &habits[1];
	if (vk_all_zero(e->firstCHS, 3) && vk_all_zero(e->lastCHS, 3))
		habit = &habits[0];
	settle_chs(e->firstCHS, habit->first);
	settle_chs(e->lastCHS, habit->last);
	if (e->bootFlag != 0x80)
		e->bootFlag = 0;
	e->type = VK_MBR_TYPE_PROTECTIVE;
	e->firstLBA = 1;
	/* all ones is what some systems write on disks of any size; a hybrid protects only what the others leave */
	if (e->sectors != UINT32_MAX && (!shared || e->sectors == 0 || e->sectors > sectors))
		e->sectors = sectors;
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

/* No entry at all, but not empty: what a flipped bit leaves. */
static bool stray(const struct vk_mbr_entry *e)
{
	return !vk_mbr_entry_used(e) && e->firstLBA == 0;
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
		if (stray(&mbr.entries[i]))
			memset(&mbr.entries[i], 0, sizeof(mbr.entries[i]));
		shared = shared || vk_mbr_entry_used(&mbr.entries[i]);
	}
	settle_entry(entry, sectors, shared);
	mbr.signature = VK_MBR_SIGNATURE;
	vk_mbr_encode(&mbr, ret_mbr, VK_MBR_BYTES);
}
