/* SPDX-License-Identifier: Apache-2.0 */
/* Proposals from the volumes that were found. */
#include <string.h>

#include "rebuild/table/plan.h"

enum { RANK_FOUND = 1000 };

/* More than any disk has: a crafted disk must not make the plan long. */
enum { VOLUMES_MAX = 1024 };

/*
 * The head of a volume keeps the names of its members as hosts know them, "naa.x:3": behind the colon stands the number
 * of the partition. 0 when it does not say.
 */
static unsigned number_in_header(const struct vk_table_plan *plan, const struct vk_candidate *c)
{
	struct vk_lvm_geometry geometry;
	uint8_t raw[VK_LVM_SD_BYTES];
	char name[VK_SCSI_NAME_BYTES];
	const uint8_t *digit;
	struct vk_lvm_sd sd;
	unsigned number = 0;

	if (!c->has_header || !c->has_volume || c->volume.firstPE != 0 || c->lvm.majorVersion < 5 ||
	    !vk_lvm_geometry(&c->lvm, VK_LVM_HEADER_OFFSET, &geometry) ||
	    vk_io_read_all(plan->source->io, vk_add_sat(c->start_bytes, geometry.sd_table), raw, sizeof(raw), NULL) !=
		    VK_OK)
		return 0;
	vk_lvm_sd_decode(raw, sizeof(raw), &sd);
	if (!vk_lvm_sd_name(&sd, name))
		return 0;
	/* hosts write no zero in front */
	digit = sd.deviceName + strlen(name) + 1;
	if (*digit == '0')
		return 0;
	for (; digit < sd.deviceName + sizeof(sd.deviceName) && *digit != '\0' && number <= VK_GPT_USUAL_ENTRIES;
	     digit++)
		number = number * 10 + *digit - '0';
	return number <= VK_GPT_USUAL_ENTRIES ? number : 0;
}

/* False: this disk's sectors cannot name it. */
static bool place(struct vk_table_plan *plan, const struct vk_candidate *c, struct vk_proposal *p)
{
	uint64_t told = vk_max_u64(c->told_bytes, c->length_bytes);
	bool said = c->length_exact || c->told_bytes != 0;
	uint32_t ss = plan->sector_size;

	if (c->start_before_disk) {
		vk_table_lost(plan, "parts of a volume were found that would begin before the disk: no table can "
				    "list it");
		return false;
	}
	if (c->start_bytes % ss != 0) {
		vk_table_lost(plan,
			      "the volume at byte %llu begins at 512-byte sector %llu, which is no multiple of %u "
			      "bytes: no table of this disk can list it, unless the disk is read with sectors of 512 "
			      "bytes",
			      (ull)c->start_bytes, (ull)(c->start_bytes / 512), ss);
		return false;
	}
	p->entry.partition.start_sector = c->start_bytes / ss;
	p->entry.partition.sectors = p->told_sectors = vk_max_u64(vk_round_up_sat(told, ss) / ss, 1);
	p->least_sectors = vk_max_u64(vk_round_up_sat(c->length_bytes, ss) / ss, 1);
	/* its own header says it; whether anything else agrees is seen later */
	p->end_alone = said;
	p->open_end = !said;
	p->entry.length_exact = said && told % ss == 0;
	p->entry.length_rounded = said && told % ss != 0;
	if (p->entry.length_rounded)
		vk_table_note(plan,
			      "the volume at sector %llu is %llu bytes long, which is not a multiple of %u: its "
			      "partition ends with the sector of its last byte",
			      vk_proposal_start(p), (ull)told, ss);
	if (p->entry.length_exact)
		vk_proposal_why(p, "its LVM header says %llu sectors", (ull)p->told_sectors);
	else if (said)
		vk_proposal_why(p, "its LVM header says %llu bytes", (ull)told);
	else
		vk_proposal_why(p, "its LVM header, which contains the length, is gone");
	return true;
}

/* No plan drops a partition that a sound table names and another system uses, unless a person names that one. */
static enum vk_status spare_held(const struct vk_table_plan *plan, const struct vk_candidate *c, struct vk_error *err)
{
	uint64_t end = vk_add_sat(c->start_bytes, vk_max_u64(c->length_bytes, 1));

	VK_EACH_PROPOSAL(p, plan) {
		uint64_t from = vk_mul_sat(vk_proposal_start(p), plan->sector_size);
		uint64_t to = vk_mul_sat(vk_proposal_end(p), plan->sector_size);

		if (p->holds == NULL || from >= end || to <= c->start_bytes)
			continue;
		vk_error_set(err, VK_REFUSED, plan->source->path,
			     "the volume at sector %llu lies over partition %u, sectors %llu to %llu, of a sound "
			     "table, which holds a whole %s",
			     (ull)(c->start_bytes / plan->sector_size), p->entry.partition.number, vk_proposal_start(p),
			     (ull)(vk_proposal_end(p) - 1), p->holds->type);
		return vk_error_remedy(err, "it is a copy in a file there, or older; only if you do not need the %s: "
					    "--exclude %llu leaves its partition out",
				       p->holds->type, vk_proposal_start(p));
	}
	return VK_OK;
}

/* Every start that was asked for must be one that was found. */
static enum vk_status check_asked(const struct vk_table_plan *plan, struct vk_error *err)
{
	enum vk_status status = VK_OK;

	for (size_t i = 0; i < plan->options->include_count && status == VK_OK; i++) {
		uint64_t start = vk_mul_sat(plan->options->include_sectors[i], plan->sector_size);
		const struct vk_candidate *found = NULL;

		for (size_t k = 0; k < plan->find->count && found == NULL; k++)
			if (plan->find->candidates[k].start_bytes == start &&
			    !plan->find->candidates[k].start_before_disk)
				found = &plan->find->candidates[k];
		if (found != NULL) {
			status = spare_held(plan, found, err);
			continue;
		}
		vk_error_set(err, VK_USAGE, plan->source->path, "no volume was found at sector %llu",
			     (ull)plan->options->include_sectors[i]);
		return vk_error_remedy(err, "vmfskit find lists what there is");
	}
	return status;
}

enum vk_status vk_table_from_found(struct vk_table_plan *plan, struct vk_error *err)
{
	uint64_t disk_bytes = plan->disk_sectors * plan->sector_size;
	enum vk_status status = check_asked(plan, err);

	for (size_t i = 0; i < plan->find->count && status == VK_OK; i++) {
		const struct vk_candidate *c = &plan->find->candidates[i];
		uint64_t start = c->start_bytes / plan->sector_size, end = vk_add_sat(c->start_bytes, c->length_bytes);
		bool asked = !c->start_before_disk && c->start_bytes % plan->sector_size == 0 &&
			     vk_table_included(plan, start);
		struct vk_proposal p = {
			.entry = {.origin = VK_ENTRY_FOUND, .candidate = i},
			.by = VK_PROPOSED_FOUND,
			.claim = asked                                  ? VK_CLAIM_ASKED
				 : c->standing == VK_STANDING_LIVING ? VK_CLAIM_LIVING
				 : c->has_header                     ? VK_CLAIM_HEADER
				 : c->has_fs || c->has_volume        ? VK_CLAIM_FS
								     : VK_CLAIM_VOTES,
			.rank = RANK_FOUND,
			.stands = true,
			.local = c->local,
			.sure_percent = c->sure_percent,
		};

		/* a disk that was made shorter, or a copy of the first part of a longer one */
		if ((c->standing == VK_GHOST_OUTSIDE || c->absent_bytes != 0) && !asked && !c->start_before_disk &&
		    end > disk_bytes)
			vk_table_lost(plan,
				      "the volume at sector %llu is %llu bytes long and would end %llu bytes behind "
				      "the end of the disk: it is left out",
				      (ull)start, (ull)c->length_bytes, (ull)(end - disk_bytes));
		if ((vk_standing_is_ghost(c->standing) || c->absent_bytes != 0) && !asked)
			continue;
		if (plan->count >= VOLUMES_MAX + plan->gpt.entry_count) {
			vk_table_note(plan, "more than %d volumes were found; the others are left out", VOLUMES_MAX);
			break;
		}
		if (!place(plan, c, &p))
			continue;
		p.entry.partition.number = number_in_header(plan, c);
		p.entry.number_exact = p.entry.partition.number != 0;
		vk_table_propose(plan, &p);
	}
	return status;
}
