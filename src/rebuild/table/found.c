/* SPDX-License-Identifier: Apache-2.0 */
/* Proposals from the volumes that were found. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "rebuild/table/plan.h"

enum { RANK_FOUND = 1000 };

/* More than any disk has: a crafted disk must not make the plan long. */
enum { VOLUMES_MAX = 1024 };

static enum vk_claim claim_of(const struct vk_candidate *c, bool asked)
{
	if (asked)
		return VK_CLAIM_ASKED;
	if (c->standing == VK_STANDING_LIVING)
		return VK_CLAIM_LIVING;
	if (c->has_header)
		return VK_CLAIM_HEADER;
	return c->has_fs || c->has_volume ? VK_CLAIM_FS : VK_CLAIM_VOTES;
}

/*
 * The head of a volume keeps the names of its members as hosts know them, "naa.x:3": behind the colon stands the number
 * of the partition. 0 when it does not say.
 */
static unsigned number_in_header(const struct vk_table_plan *plan, const struct vk_candidate *c)
{
	struct vk_lvm_geometry geometry;
	uint8_t name[VK_LVM_SD_BYTES];
	const char *colon;
	char *end;
	unsigned long number;
	size_t got;

	if (!c->has_header || !c->has_volume || c->volume.firstPE != 0 || c->lvm.majorVersion < 5 ||
	    !vk_lvm_geometry(&c->lvm, VK_LVM_HEADER_OFFSET, &geometry))
		return 0;
	if (vk_io_read(plan->source->io, vk_add_sat(c->start_bytes, geometry.sd_table), name, sizeof(name), &got,
		       NULL) != VK_OK ||
	    got != sizeof(name) || memchr(name, '\0', sizeof(name)) == NULL)
		return 0;
	colon = strrchr((const char *)name, ':');
	if (colon == NULL || colon[1] < '1' || colon[1] > '9' ||
	    (strncmp((const char *)name, "naa.", 4) != 0 && strncmp((const char *)name, "eui.", 4) != 0 &&
	     strncmp((const char *)name, "t10.", 4) != 0 && strncmp((const char *)name, "mpx.", 4) != 0))
		return 0;
	number = strtoul(colon + 1, &end, 10);
	return *end == '\0' && number <= 128 ? (unsigned)number : 0;
}

static bool length_said(const struct vk_candidate *c)
{
	return c->length_exact || c->told_bytes != 0;
}

/* False: this disk's sectors cannot name it. */
static bool place(struct vk_table_plan *plan, const struct vk_candidate *c, struct vk_proposal *p)
{
	uint64_t told = vk_max_u64(c->told_bytes, c->length_bytes);
	uint32_t ss = plan->sector_size;

	if (c->start_before_disk) {
		vk_table_lost(plan, "A volume of which parts were found would begin in front of the disk: its "
				    "partition cannot be named");
		return false;
	}
	if (c->start_bytes % ss != 0) {
		vk_table_lost(plan,
			      "The volume at byte %llu begins at 512-byte sector %llu, which is no multiple of %u "
			      "bytes: no table of "
			      "this disk can name it, unless it is read with sectors of 512 bytes",
			      (ull)c->start_bytes, (ull)(c->start_bytes / 512), ss);
		return false;
	}
	p->entry.partition.start_sector = c->start_bytes / ss;
	p->entry.partition.sectors = vk_max_u64(vk_round_up_sat(told, ss) / ss, 1);
	p->told_sectors = p->entry.partition.sectors;
	/* its own header says it; whether anything else agrees is seen later */
	p->entry.length_exact = length_said(c);
	p->end_alone = p->entry.length_exact;
	if (p->entry.length_exact && told % ss != 0) {
		vk_table_note(plan,
			      "The volume at sector %llu is %llu bytes long, which are no whole sectors of %u bytes: "
			      "its partition "
			      "is made to end with the sector that its last byte lies in",
			      vk_proposal_start(p), (ull)told, ss);
		p->entry.length_exact = false;
		p->entry.length_rounded = true;
	}
	p->least_sectors = vk_max_u64(vk_round_up_sat(c->length_bytes, ss) / ss, 1);
	p->open_end = !length_said(c);
	return true;
}

static void propose(struct vk_table_plan *plan, size_t index, bool asked)
{
	const struct vk_candidate *c = &plan->find->candidates[index];
	struct vk_proposal p = {
		.entry = {.origin = VK_ENTRY_FOUND, .candidate = index},
		.by = VK_PROPOSED_FOUND,
		.claim = claim_of(c, asked),
		.rank = RANK_FOUND,
		.stands = true,
		.local = c->local,
		.sure_percent = c->sure_percent,
	};

	if (!place(plan, c, &p))
		return;
	p.entry.partition.number = number_in_header(plan, c);
	p.entry.number_exact = p.entry.partition.number != 0;
	if (p.entry.length_exact)
		vk_proposal_why(&p, "its LVM header says %llu sectors", (ull)p.entry.partition.sectors);
	else if (length_said(c))
		vk_proposal_why(&p, "its LVM header says %llu bytes", (ull)vk_max_u64(c->told_bytes, c->length_bytes));
	else
		vk_proposal_why(&p, "its LVM header, which says the length, is gone");
	vk_table_propose(plan, &p);
}

/* A disk that was made shorter, or a copy of the first part of a longer one. */
static void say_outside(struct vk_table_plan *plan, const struct vk_candidate *c)
{
	uint64_t end = vk_add_sat(c->start_bytes, c->length_bytes);
	uint64_t disk = plan->disk_sectors * plan->sector_size;

	if (c->start_before_disk || end <= disk)
		return;
	vk_table_lost(plan,
		      "The volume at sector %llu is %llu bytes long and would end %llu bytes behind the end of the "
		      "disk: it is left out",
		      (ull)(c->start_bytes / plan->sector_size), (ull)c->length_bytes, (ull)(end - disk));
}

/* Every start that was asked for must be one that was found. */
static enum vk_status check_asked(const struct vk_table_plan *plan, struct vk_error *err)
{
	for (size_t i = 0; i < plan->options->include_count; i++) {
		uint64_t start = vk_mul_sat(plan->options->include_sectors[i], plan->sector_size);
		bool found = false;

		for (size_t k = 0; k < plan->find->count && !found; k++)
			found = plan->find->candidates[k].start_bytes == start &&
				!plan->find->candidates[k].start_before_disk;
		if (found)
			continue;
		vk_error_set(err, VK_USAGE, plan->source->path, "No volume was found at sector %llu",
			     (ull)plan->options->include_sectors[i]);
		return vk_error_remedy(err, "vmfskit find lists what there is");
	}
	return VK_OK;
}

enum vk_status vk_table_from_found(struct vk_table_plan *plan, struct vk_error *err)
{
	const struct vk_rebuild_table_options *o = plan->options;
	enum vk_status status = check_asked(plan, err);

	if (status != VK_OK)
		return status;
	for (size_t i = 0; i < plan->find->count; i++) {
		const struct vk_candidate *c = &plan->find->candidates[i];
		bool asked = !c->start_before_disk && c->start_bytes % plan->sector_size == 0 &&
			     vk_table_listed(o->include_sectors, o->include_count, c->start_bytes / plan->sector_size);

		if (c->standing == VK_GHOST_OUTSIDE && !asked)
			say_outside(plan, c);
		if (vk_standing_is_ghost(c->standing) && !asked)
			continue;
		if (plan->count >= VOLUMES_MAX + plan->gpt.entry_count) {
			vk_table_note(plan, "More than %d volumes were found; the others are left out", VOLUMES_MAX);
			break;
		}
		propose(plan, i, asked);
	}
	return VK_OK;
}
