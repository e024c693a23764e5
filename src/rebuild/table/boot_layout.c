/* SPDX-License-Identifier: Apache-2.0 */
/* Boot disks of ESXi 5 to 8, as published partition listings show them, and what a disk still shows of one. */
#include <string.h>

#include "rebuild/table/boot_layout.h"
#include "vmfskit/fat_boot.h"
#include "vmfskit/gpt.h"

#define EFI VK_GPT_TYPE_EFI
#define BASIC VK_GPT_TYPE_BASIC
#define DIAG VK_GPT_TYPE_VMKDIAG
#define LOCAL VK_GPT_TYPE_VMFSL
#define VMFS VK_GPT_TYPE_VMFS

/* A public listing of an ESXi 5.5/6 boot disk. The numbers do not follow the order on the disk, and 4 was never used. */
static const struct vk_boot_row esxi55[] = {
	{1, 64, 8191, VK_BOOT_FAT, EFI, NULL},
	{5, 8224, 520191, VK_BOOT_FAT, BASIC, NULL},
	{6, 520224, 1032191, VK_BOOT_FAT, BASIC, NULL},
	{7, 1032224, 1257471, VK_BOOT_GAP, DIAG, NULL},
	{8, 1257504, 1843199, VK_BOOT_FAT, BASIC, NULL},
	{9, 1843200, 7086079, VK_BOOT_GAP, DIAG, NULL},
	{2, 7086080, 15472639, VK_BOOT_FAT, BASIC, NULL},
	{3, 15472640, 0, VK_BOOT_VMFS, VMFS, NULL},
};
/* ESXi 5.0/5.1: where the datastore starts is published; what lies in front of it is that of 5.5 without its 9. */
static const struct vk_boot_row esxi50[] = {
	{1, 64, 8191, VK_BOOT_FAT, EFI, NULL},
	{5, 8224, 520191, VK_BOOT_FAT, BASIC, NULL},
	{6, 520224, 1032191, VK_BOOT_FAT, BASIC, NULL},
	{7, 1032224, 1257471, VK_BOOT_GAP, DIAG, NULL},
	{8, 1257504, 1843199, VK_BOOT_FAT, BASIC, NULL},
	{2, 1843200, 10229759, VK_BOOT_FAT, BASIC, NULL},
	{3, 10229760, 0, VK_BOOT_VMFS, VMFS, NULL},
};
/* Two public listings. On disks too small for a datastore, 7 takes the rest: its own header knows how much. */
static const struct vk_boot_row esxi7[] = {
	{1, 64, 204863, VK_BOOT_FAT, EFI, "BOOT"},
	{5, 208896, 8595455, VK_BOOT_FAT, BASIC, "BOOTBANK1"},
	{6, 8597504, 16984063, VK_BOOT_FAT, BASIC, "BOOTBANK2"},
	{7, 16986112, 268435455, VK_BOOT_LOCAL, LOCAL, "OSDATA"},
	{8, 268437504, 0, VK_BOOT_VMFS, VMFS, "datastore1"},
};
/* One public listing. The datastore does not start on a multiple of 4096 bytes. */
static const struct vk_boot_row esxi7_small[] = {
	{1, 64, 204863, VK_BOOT_FAT, EFI, "BOOT"},
	{5, 208896, 2306047, VK_BOOT_FAT, BASIC, "BOOTBANK1"},
	{6, 2308096, 4405247, VK_BOOT_FAT, BASIC, "BOOTBANK2"},
	{7, 4407296, 20971486, VK_BOOT_LOCAL, LOCAL, "OSDATA"},
	{8, 20973535, 0, VK_BOOT_VMFS, VMFS, "datastore1"},
};

#define LAYOUT(name, rows) {name, rows, sizeof(rows) / sizeof((rows)[0])}
const struct vk_boot_layout vk_boot_layouts[] = {
	LAYOUT("ESXi 5.5 or 6 boot disk", esxi55),
	LAYOUT("ESXi 5.0 or 5.1 boot disk", esxi50),
	LAYOUT("ESXi 7 or 8 boot disk", esxi7),
	LAYOUT("ESXi 7 or 8 boot disk (small)", esxi7_small),
};
const size_t vk_boot_layout_count = sizeof(vk_boot_layouts) / sizeof(vk_boot_layouts[0]);

_Static_assert(sizeof(esxi55) / sizeof(esxi55[0]) <= VK_BOOT_ROWS_MAX, "more rows than evidence has room for");

/* What formats a partition may leave a part of it unused, but never much. */
static bool fat_fits(uint64_t fat_bytes, uint64_t partition_bytes)
{
	return fat_bytes <= partition_bytes && fat_bytes >= partition_bytes / 8 * 7;
}

static enum vk_status look_for_fat(const struct vk_boot_row *row, struct vk_io *io, bool *ret_shown,
				   uint64_t *ret_bytes, struct vk_error *err)
{
	uint8_t sector[VK_FAT_BOOT_BYTES];
	struct vk_fat_boot boot;
	size_t got;
	enum vk_status status = vk_io_read(io, row->start * 512, sector, sizeof(sector), &got, err);

	if (status != VK_OK || got != sizeof(sector))
		return status;
	*ret_bytes = vk_fat_boot_decode(sector, got, &boot) == got ? vk_fat_boot_bytes(&boot) : 0;
	*ret_shown = vk_fat_boot_usable(&boot, got) &&
		     fat_fits(*ret_bytes, (row->end - row->start + 1) * 512);
	return VK_OK;
}

static size_t candidate_at(const struct vk_find *find, uint64_t start_bytes, bool local)
{
	for (size_t i = 0; i < find->count; i++) {
		const struct vk_candidate *c = &find->candidates[i];

		if (c->start_bytes == start_bytes && !c->start_before_disk && c->local == local &&
		    !vk_standing_is_ghost(c->standing))
			return i;
	}
	return SIZE_MAX;
}

/* A dump partition holds nothing that could be recognised until a host crashed. */
static void fill_gaps(const struct vk_boot_layout *layout, struct vk_boot_evidence *e)
{
	for (size_t i = 1; i + 1 < layout->count; i++)
		if (layout->rows[i].proof == VK_BOOT_GAP)
			e->shown[i] = e->shown[i - 1] && e->shown[i + 1];
}

enum vk_status vk_boot_layout_look(const struct vk_boot_layout *layout, struct vk_io *io,
				   const struct vk_find *find, struct vk_boot_evidence *ret_evidence,
				   struct vk_error *err)
{
	struct vk_boot_evidence e = {.own = 0};

	for (size_t i = 0; i < layout->count; i++) {
		const struct vk_boot_row *row = &layout->rows[i];
		enum vk_status status = VK_OK;

		e.candidate[i] = SIZE_MAX;
		if (row->proof == VK_BOOT_FAT) {
			status = look_for_fat(row, io, &e.shown[i], &e.fat_bytes[i], err);
		} else if (row->proof != VK_BOOT_GAP) {
			e.candidate[i] = candidate_at(find, row->start * 512,
						      row->proof == VK_BOOT_LOCAL);
			e.shown[i] = e.candidate[i] != SIZE_MAX;
		}
		if (status != VK_OK)
			return status;
		e.own += e.shown[i];
	}
	fill_gaps(layout, &e);
	*ret_evidence = e;
	return VK_OK;
}
