/* SPDX-License-Identifier: Apache-2.0 */
/* Proposals from the layout of an ESXi boot disk: each row that the disk still shows. */
#include <stdio.h>
#include <string.h>

#include "rebuild/table/boot_layout.h"
#include "rebuild/table/gpt_name.h"
#include "rebuild/table/plan.h"

/* A single FAT or a datastore where a layout has one may stand there by chance. */
enum { OWN_MIN = 2, RANK_LAYOUT = 200 };

static void propose_row(struct vk_table_plan *plan, const struct vk_boot_layout *layout, size_t index,
			const struct vk_boot_evidence *e)
{
	const struct vk_boot_row *row = &layout->rows[index];
	struct vk_proposal p = {
		.entry = {.partition = {.number = row->number,
					.start_sector = row->start,
					.gpt = true},
			  .origin = VK_ENTRY_LAYOUT,
			  .length_said = true,
			  .candidate = e->candidate[index]},
		.by = VK_PROPOSED_LAYOUT,
		.claim = row->proof == VK_BOOT_GAP ? VK_CLAIM_GAP : VK_CLAIM_CONTENTS,
		.rank = RANK_LAYOUT,
		.stands = true,
		.has_entry = true,
	};

	if (row->proof == VK_BOOT_LOCAL || row->proof == VK_BOOT_VMFS)
		p.entry.partition.sectors = plan->find->candidates[e->candidate[index]].length_bytes / 512;
	else
		p.entry.partition.sectors = row->end - row->start + 1;
	if (!vk_guid_parse(row->type, &p.entry.partition.entry.typeGUID))
		return;
	vk_gpt_name_put(row->name, p.entry.partition.entry.name);
	snprintf(p.name, sizeof(p.name), "%s", layout->name);
	if (row->proof == VK_BOOT_FAT) {
		p.least_sectors = e->fat_bytes[index] / 512;
		vk_proposal_why(&p, "%s: a FAT of %llu sectors begins here", layout->name,
				(unsigned long long)p.least_sectors);
	} else if (row->proof == VK_BOOT_GAP) {
		vk_proposal_why(&p, "%s: between partitions %u and %u, which were seen", layout->name,
				layout->rows[index - 1].number, layout->rows[index + 1].number);
	}
	vk_table_propose(plan, &p);
}

/* A row that nothing shows any more: something else may lie there by now, so that a person has to decide. */
static void say_missing(struct vk_table_plan *plan, const struct vk_boot_layout *layout, size_t index)
{
	const struct vk_boot_row *row = &layout->rows[index];
	struct vk_guid guid;
	char type[VK_GUID_TEXT_BYTES] = "";

	/* a disk may be too small for a datastore, and where it would end only the datastore knows */
	if (row->end == 0 || row->end >= plan->disk_sectors)
		return;
	for (size_t i = 0; i < plan->count; i++)
		if (plan->items[i].entry.partition.start_sector == row->start)
			return;
	if (vk_guid_parse(row->type, &guid))
		vk_guid_format(&guid, type);
	vk_table_note(plan, "An %s has a partition %u in sectors %llu to %llu, of which nothing is left; it is left out. If it is wanted "
			    "all the same, add it after the repair: sgdisk -a 1 -n %u:%llu:%llu -t %u:%s",
		      layout->name, row->number, (unsigned long long)row->start,
		      (unsigned long long)row->end, row->number, (unsigned long long)row->start,
		      (unsigned long long)row->end, row->number, type);
}

enum vk_status vk_table_from_layouts(struct vk_table_plan *plan, struct vk_error *err)
{
	struct vk_boot_evidence best = {.own = 0};
	const struct vk_boot_layout *layout = NULL;

	if (plan->sector_size != 512)
		return VK_OK;
	for (size_t i = 0; i < vk_boot_layout_count; i++) {
		struct vk_boot_evidence e;
		enum vk_status status = vk_boot_layout_look(&vk_boot_layouts[i], plan->source->io,
							    plan->find, &e, err);

		if (status != VK_OK)
			return status;
		if (e.own < OWN_MIN || e.own <= best.own)
			continue;
		best = e;
		layout = &vk_boot_layouts[i];
	}
	if (layout == NULL)
		return VK_OK;
	plan->out->layout = layout->name;
	for (size_t i = 0; i < layout->count; i++)
		if (best.shown[i])
			propose_row(plan, layout, i, &best);
		else
			say_missing(plan, layout, i);
	return VK_OK;
}
