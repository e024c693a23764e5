/* SPDX-License-Identifier: Apache-2.0 */
/* Sector 0 of a GPT disk: what of it is right stays, byte for byte. */
#include <string.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "evidence/gpt/image.h"

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

/* All of the disk, or all ones, which some systems write on disks of any size; a hybrid protects only what the others
 * leave. */
static void settle_sectors(struct vk_mbr_entry *e, uint32_t sectors, uint32_t before, bool shared, bool *known)
{
	uint32_t was = e->sectors;

	if (was == UINT32_MAX || was == sectors || (shared && was != 0 && was < sectors))
		return;
	e->sectors = sectors;
	/* one bit beside it, and not beside all ones; or all of the disk before it was grown */
	*known = *known && ((__builtin_popcount(was ^ sectors) == 1 && __builtin_popcount(was ^ UINT32_MAX) > 1) ||
			    (before != 0 && was == before));
}

static void settle_entry(struct vk_mbr_entry *e, uint32_t sectors, uint32_t before, bool shared, bool *known)
{
	const struct vk_mbr_entry was = *e;
	bool blank = bits_set(e) == 0;

	if (e->bootFlag != 0x80 && e->bootFlag != 0) {
		*known = false;
		e->bootFlag = 0;
	}
	e->type = VK_MBR_TYPE_PROTECTIVE;
	e->firstLBA = 1;
	settle_sectors(e, sectors, before, shared, known);
	settle_chs(e, was.sectors, blank, known);
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

/* An entry that may stand beside the one that protects; a flipped bit or noise leaves none. */
static bool sensible(const struct vk_mbr_entry *e, uint64_t disk_sectors)
{
	return vk_mbr_entry_used(e) && (e->bootFlag == 0 || e->bootFlag == 0x80) &&
	       vk_mbr_entry_beside_gpt(e, disk_sectors);
}

/* Zeros in the place of an entry that is none; a single bit was never one. */
static void clear_entry(struct vk_mbr_entry *e, bool *known)
{
	*known = *known && bits_set(e) <= 1;
	memset(e, 0, sizeof(*e));
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
	/* without one that protects, they are another table's */
	for (size_t i = 0; i < 4; i++) {
		if (&mbr.entries[i] == entry)
			continue;
		if (entry != NULL && sensible(&mbr.entries[i], disk_sectors))
			shared = true;
		else
			clear_entry(&mbr.entries[i], &known);
	}
	settle_entry(entry != NULL ? entry : &mbr.entries[0], sectors, before, shared, &known);
	mbr.signature = VK_MBR_SIGNATURE;
	vk_mbr_encode(&mbr, ret_mbr, VK_MBR_BYTES);
	return known;
}
