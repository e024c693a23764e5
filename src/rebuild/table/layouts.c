/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Proposals from the layouts of boot disks of ESXi 5 to 8, as published partition listings show them: each row that the
 * disk still shows.
 */
#include <stdio.h>
#include <string.h>

#include "rebuild/table/plan.h"
#include "vmfskit/fat_boot.h"

/* A single FAT or a datastore where a layout has one may stand there by chance. */
enum { OWN_MIN = 2, RANK_LAYOUT = 200, ROWS_MAX = 8 };

/* What proves that a row was there. */
enum shown_by {
	SHOWN_BY_FAT,   /* a FAT boot sector at its start, and a length that fits */
	SHOWN_BY_GAP,   /* nothing of its own: it fits between two neighbours that are proved */
	SHOWN_BY_LOCAL, /* a VMFS-L at its start */
	SHOWN_BY_VMFS   /* a VMFS at its start */
};
struct layout_row {
	unsigned number;
	uint64_t start;
	uint64_t end; /* inclusive; 0: as its volume says */
	enum shown_by proof;
	const char *type;
	const char *name; /* NULL: as the ESXi tools leave it */
};
struct layout {
	const char *name;
	const struct layout_row *rows; /* in the order of the disk */
	size_t count;
};

#define EFI VK_GPT_TYPE_EFI
#define BASIC VK_GPT_TYPE_BASIC
#define DIAG VK_GPT_TYPE_VMKDIAG
#define LOCAL VK_GPT_TYPE_VMFSL
#define VMFS VK_GPT_TYPE_VMFS

/* A public listing of an ESXi 5.5/6 boot disk. The numbers do not follow the order on the disk, and 4 was never used.
 */
static const struct layout_row esxi55[] = {
	{1, 64, 8191, SHOWN_BY_FAT, EFI, NULL},
	{5, 8224, 520191, SHOWN_BY_FAT, BASIC, NULL},
	{6, 520224, 1032191, SHOWN_BY_FAT, BASIC, NULL},
	{7, 1032224, 1257471, SHOWN_BY_GAP, DIAG, NULL},
	{8, 1257504, 1843199, SHOWN_BY_FAT, BASIC, NULL},
	{9, 1843200, 7086079, SHOWN_BY_GAP, DIAG, NULL},
	{2, 7086080, 15472639, SHOWN_BY_FAT, BASIC, NULL},
	{3, 15472640, 0, SHOWN_BY_VMFS, VMFS, NULL},
};
/* ESXi 5.0/5.1: where the datastore starts is published; what lies in front of it is that of 5.5 without its 9. */
static const struct layout_row esxi50[] = {
	{1, 64, 8191, SHOWN_BY_FAT, EFI, NULL},           {5, 8224, 520191, SHOWN_BY_FAT, BASIC, NULL},
	{6, 520224, 1032191, SHOWN_BY_FAT, BASIC, NULL},  {7, 1032224, 1257471, SHOWN_BY_GAP, DIAG, NULL},
	{8, 1257504, 1843199, SHOWN_BY_FAT, BASIC, NULL}, {2, 1843200, 10229759, SHOWN_BY_FAT, BASIC, NULL},
	{3, 10229760, 0, SHOWN_BY_VMFS, VMFS, NULL},
};
/* Two public listings. On disks too small for a datastore, 7 takes the rest: its own header knows how much. */
static const struct layout_row esxi7[] = {
	{1, 64, 204863, SHOWN_BY_FAT, EFI, "BOOT"},
	{5, 208896, 8595455, SHOWN_BY_FAT, BASIC, "BOOTBANK1"},
	{6, 8597504, 16984063, SHOWN_BY_FAT, BASIC, "BOOTBANK2"},
	{7, 16986112, 268435455, SHOWN_BY_LOCAL, LOCAL, "OSDATA"},
	{8, 268437504, 0, SHOWN_BY_VMFS, VMFS, "datastore1"},
};
/* One public listing. The datastore does not start on a multiple of 4096 bytes. */
static const struct layout_row esxi7_small[] = {
	{1, 64, 204863, SHOWN_BY_FAT, EFI, "BOOT"},
	{5, 208896, 2306047, SHOWN_BY_FAT, BASIC, "BOOTBANK1"},
	{6, 2308096, 4405247, SHOWN_BY_FAT, BASIC, "BOOTBANK2"},
	{7, 4407296, 20971486, SHOWN_BY_LOCAL, LOCAL, "OSDATA"},
	{8, 20973535, 0, SHOWN_BY_VMFS, VMFS, "datastore1"},
};

#define LAYOUT(name, rows) {name, rows, sizeof(rows) / sizeof((rows)[0])}
static const struct layout layouts[] = {
	LAYOUT("ESXi 5.5 or 6 boot disk", esxi55),
	LAYOUT("ESXi 5.0 or 5.1 boot disk", esxi50),
	LAYOUT("ESXi 7 or 8 boot disk", esxi7),
	LAYOUT("ESXi 7 or 8 boot disk (small)", esxi7_small),
};
_Static_assert(sizeof(esxi55) / sizeof(esxi55[0]) <= ROWS_MAX, "more rows than there is room for what shows them");

/* What a disk shows of one layout, a row each. */
struct shown {
	bool there[ROWS_MAX];
	uint64_t bytes[ROWS_MAX];   /* as long as the file system, or the volume, says it is */
	size_t candidate[ROWS_MAX]; /* the volume; SIZE_MAX: none */
	unsigned own;               /* rows with a proof of their own */
};

/* What formats a partition may leave a part of it unused, but never much. */
static enum vk_status look_for_fat(const struct layout_row *row, struct vk_io *io, bool *ret_shown, uint64_t *ret_bytes,
				   struct vk_error *err)
{
	uint64_t room = (row->end - row->start + 1) * 512;
	uint8_t sector[VK_FAT_BOOT_BYTES];
	struct vk_fat_boot boot;
	size_t got;
	enum vk_status status = vk_io_read(io, row->start * 512, sector, sizeof(sector), &got, err);

	if (status != VK_OK || got != sizeof(sector))
		return status;
	*ret_bytes = vk_fat_boot_decode(sector, got, &boot) == got ? vk_fat_boot_bytes(&boot) : 0;
	*ret_shown = vk_fat_boot_usable(&boot, got) && *ret_bytes <= room && *ret_bytes >= room / 8 * 7;
	return VK_OK;
}

static enum vk_status compare_layout(const struct vk_table_plan *plan, const struct layout *layout,
				     struct shown *ret_shown, struct vk_error *err)
{
	struct shown s = {.own = 0};

	for (size_t i = 0; i < layout->count; i++) {
		const struct layout_row *row = &layout->rows[i];
		bool volume = row->proof == SHOWN_BY_LOCAL || row->proof == SHOWN_BY_VMFS;
		enum vk_status status = VK_OK;

		s.candidate[i] = SIZE_MAX;
		if (row->proof == SHOWN_BY_FAT)
			status = look_for_fat(row, plan->source->io, &s.there[i], &s.bytes[i], err);
		if (status != VK_OK)
			return status;
		for (size_t k = 0; k < plan->find->count && volume && !s.there[i]; k++) {
			const struct vk_candidate *c = &plan->find->candidates[k];

			/* ghosts prove nothing */
			s.there[i] = c->start_bytes == row->start * 512 && !c->start_before_disk &&
				     c->local == (row->proof == SHOWN_BY_LOCAL) && !vk_standing_is_ghost(c->standing);
			if (!s.there[i])
				continue;
			s.candidate[i] = k;
			s.bytes[i] = c->length_bytes;
		}
		s.own += s.there[i];
	}
	/* a dump partition holds nothing that could be recognised until a host crashed */
	for (size_t i = 1; i + 1 < layout->count; i++)
		if (layout->rows[i].proof == SHOWN_BY_GAP)
			s.there[i] = s.there[i - 1] && s.there[i + 1];
	*ret_shown = s;
	return VK_OK;
}

static void propose_row(struct vk_table_plan *plan, const struct layout *layout, size_t index,
			const struct shown *shown)
{
	const struct layout_row *row = &layout->rows[index];
	struct vk_proposal p = {
		.entry = {.partition = {.number = row->number, .start_sector = row->start, .gpt = true},
			  .origin = VK_ENTRY_LAYOUT,
			  .length_said = true,
			  .candidate = shown->candidate[index]},
		.by = VK_PROPOSED_LAYOUT,
		.claim = row->proof == SHOWN_BY_GAP ? VK_CLAIM_GAP : VK_CLAIM_CONTENTS,
		.rank = RANK_LAYOUT,
		.stands = true,
		.has_entry = true,
	};

	p.entry.partition.sectors = shown->candidate[index] != SIZE_MAX ? shown->bytes[index] / 512
									: row->end - row->start + 1;
	if (!vk_guid_parse(row->type, &p.entry.partition.entry.typeGUID))
		return;
	vk_table_gpt_name(row->name, p.entry.partition.entry.name);
	snprintf(p.name, sizeof(p.name), "%s", layout->name);
	if (row->proof == SHOWN_BY_FAT) {
		p.least_sectors = shown->bytes[index] / 512;
		vk_proposal_why(&p, "%s: a FAT of %llu sectors begins here", layout->name, (ull)p.least_sectors);
	} else if (row->proof == SHOWN_BY_GAP) {
		vk_proposal_why(&p, "%s: between partitions %u and %u, which were seen", layout->name,
				layout->rows[index - 1].number, layout->rows[index + 1].number);
	}
	vk_table_propose(plan, &p);
}

/* A row that nothing shows any more: something else may lie there by now, so that a person has to decide. */
static void say_missing(struct vk_table_plan *plan, const struct layout *layout, size_t index)
{
	const struct layout_row *row = &layout->rows[index];
	struct vk_guid guid;
	char type[VK_GUID_TEXT_BYTES] = "";

	/* a disk may be too small for a datastore, and where it would end only the datastore knows */
	if (row->end == 0 || row->end >= plan->disk_sectors)
		return;
	VK_EACH_PROPOSAL(p, plan)
		if (vk_proposal_start(p) == row->start)
			return;
	if (vk_guid_parse(row->type, &guid))
		vk_guid_format(&guid, type);
	vk_table_note(plan,
		      "an %s has a partition %u in sectors %llu to %llu, of which nothing is left; it is left out. "
		      "To have it all the same, add it after the repair: sgdisk -a 1 -n %u:%llu:%llu -t %u:%s",
		      layout->name, row->number, (ull)row->start, (ull)row->end, row->number, (ull)row->start,
		      (ull)row->end, row->number, type);
}

enum vk_status vk_table_from_layouts(struct vk_table_plan *plan, struct vk_error *err)
{
	const struct layout *layout = NULL;
	struct shown best = {.own = OWN_MIN - 1};

	for (size_t i = 0; i < sizeof(layouts) / sizeof(layouts[0]) && plan->sector_size == 512; i++) {
		struct shown shown;
		enum vk_status status = compare_layout(plan, &layouts[i], &shown, err);

		if (status != VK_OK)
			return status;
		if (shown.own <= best.own)
			continue;
		best = shown;
		layout = &layouts[i];
	}
	if (layout == NULL)
		return VK_OK;
	plan->out->layout = layout->name;
	for (size_t i = 0; i < layout->count; i++)
		if (best.there[i])
			propose_row(plan, layout, i, &best);
		else
			say_missing(plan, layout, i);
	return VK_OK;
}
