/* SPDX-License-Identifier: Apache-2.0 */
/* MBR or GPT: what the evidence says, the stronger first. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/checked.h"
#include "rebuild/table/plan.h"

/* What the volumes that were found say about it. A volume is NULL where there is none of that kind. */
struct volumes {
	unsigned v3, v5;
	const struct vk_proposal *v6, *upgraded; /* VMFS5 that keeps what only VMFS3 had */
	bool old_start;                          /* all VMFS5 begin at 63 or 128 */
	const struct vk_proposal *big;           /* ends where no MBR reaches */
	const struct vk_proposal *no_gpt;        /* begins where a GPT lies itself */
	const struct vk_proposal *no_copy; /* ends where the copy of a GPT lies: no GPT, or the disk lost its end */
};

#define MIB 1048576U
#define MBR_SECTORS_MAX UINT32_MAX
enum { FS5_MAJOR = 14, LVM5_MAJOR = 5, LVM6_MAJOR = 6 };

static void count_version(struct volumes *v, const struct vk_candidate *c, const struct vk_proposal *p)
{
	bool fs5 = c->has_fs && c->fs.majorVersion >= FS5_MAJOR;
	bool old_start = c->start_bytes == 63 * 512 || c->start_bytes == 128 * 512;

	if ((c->has_fs && vk_fs_is_vmfs6(&c->fs)) || (c->has_header && c->lvm.majorVersion >= LVM6_MAJOR) ||
	    (!c->has_fs && c->vote.heartbeat_stride_bytes == 4096)) {
		v->v6 = p;
	} else if (fs5 || (!c->has_fs && c->has_header && c->lvm.majorVersion >= LVM5_MAJOR)) {
		v->v5++;
		v->old_start = v->old_start && old_start;
		if (fs5 && (c->fs.fileBlockSize != MIB || (c->has_header && c->lvm.majorVersion < LVM5_MAJOR)))
			v->upgraded = p;
	} else if (c->has_fs || c->has_header || old_start) {
		v->v3++;
	} else {
		v->v5++; /* nothing tells: as on any disk of today */
		v->old_start = false;
	}
}

/* How many sectors the usual entries of a GPT take. */
static uint64_t usual_array(const struct vk_table_plan *plan)
{
	return (VK_GPT_USUAL_ENTRIES * VK_GPT_ENTRY_BYTES + plan->sector_size - 1) / plan->sector_size;
}

static struct volumes look_at_volumes(const struct vk_table_plan *plan)
{
	struct volumes v = {.old_start = true};
	uint64_t array = usual_array(plan);
	uint64_t copy = plan->disk_sectors - vk_min_u64(array + 1, plan->disk_sectors);

	if (plan->gpt_judged && plan->gpt.header_exact && plan->gpt.sector_size == plan->sector_size)
		copy = plan->gpt.image.backup_array_lba;
	VK_EACH_PROPOSAL(p, plan) {
		uint64_t start = vk_proposal_start(p), end = vk_proposal_end(p);

		if (p->by != VK_PROPOSED_FOUND)
			continue;
		count_version(&v, &plan->find->candidates[p->entry.candidate], p);
		if (end > plan->disk_sectors)
			continue;
		if (start > MBR_SECTORS_MAX || p->entry.partition.sectors > MBR_SECTORS_MAX)
			v.big = p;
		if (start < array + 2)
			v.no_gpt = p;
		else if (end > copy && p->claim != VK_CLAIM_ASKED)
			v.no_copy = p;
	}
	return v;
}

/* The kind of the newest capture whose table names a volume that was found. */
static enum vk_table_kind captured_kind(const struct vk_table_plan *plan)
{
	return plan->capture_names ? plan->capture->source->table.kind : VK_TABLE_NONE;
}

static bool choose_kind(struct vk_table_plan *plan, enum vk_table_kind kind, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
static bool choose_kind(struct vk_table_plan *plan, enum vk_table_kind kind, const char *fmt, ...)
{
	va_list args;

	plan->out->kind = kind;
	va_start(args, fmt);
	vsnprintf(plan->out->why_kind, sizeof(plan->out->why_kind), fmt, args);
	va_end(args);
	return true;
}

/* What cannot be otherwise, and tables that name what was found. */
static bool by_proof(struct vk_table_plan *plan, const struct volumes *v)
{
	enum vk_table_kind kind = plan->source->table.kind;
	enum vk_table_kind captured = captured_kind(plan);

	if (v->big != NULL)
		return choose_kind(plan, VK_TABLE_GPT, "the volume at sector %llu reaches farther than an MBR can "
						       "describe",
				   vk_proposal_start(v->big));
	if (v->no_gpt != NULL || v->no_copy != NULL)
		return choose_kind(plan, VK_TABLE_MBR, "the volume at sector %llu lies in the place of a GPT",
				   vk_proposal_start(v->no_gpt != NULL ? v->no_gpt : v->no_copy));
	if (plan->table_ours && (kind == VK_TABLE_GPT ? plan->gpt_names : plan->mbr_names))
		return choose_kind(plan, kind, "the present table lists a volume that was found");
	if (plan->gpt_names && (kind == VK_TABLE_GPT || !plan->mbr_names))
		return choose_kind(plan, VK_TABLE_GPT, "the remains of a GPT list a volume that was found");
	if (plan->mbr_names)
		return choose_kind(plan, VK_TABLE_MBR,
				   "the remains of an MBR and its chain list a volume that was found");
	if (captured != VK_TABLE_NONE)
		return choose_kind(plan, captured, "%s has it so, with a volume that was found", plan->capture->name);
	return false;
}

/* What stands, and what the volumes are. */
static bool by_signs(struct vk_table_plan *plan, const struct volumes *v)
{
	const struct vk_mbr_now *mbr = &plan->mbr;
	bool remains = mbr->readable && !mbr->protective && !plan->mbr_foreign && !mbr->boot_sector &&
		       mbr->mbr.signature == VK_MBR_SIGNATURE;

	if (plan->out->layout != NULL)
		return choose_kind(plan, VK_TABLE_GPT, "it is an %s", plan->out->layout);
	if (v->v6 != NULL)
		return choose_kind(plan, VK_TABLE_GPT, "the volume at sector %llu is VMFS6, which lies on a GPT",
				   vk_proposal_start(v->v6));
	if (plan->table_ours)
		return choose_kind(plan, plan->source->table.kind, "the present table is of this kind");
	if (plan->gpt_judged && plan->gpt.was_gpt && !plan->gpt_foreign)
		return choose_kind(plan, VK_TABLE_GPT, "%s", plan->gpt.why);
	if (mbr->protective && !plan->gpt_foreign)
		return choose_kind(plan, VK_TABLE_GPT, "sector 0 protects a GPT");
	if (mbr->ebr_count > 0 && !plan->mbr_foreign)
		return choose_kind(plan, VK_TABLE_MBR, "extended boot records are there");
	if (v->upgraded != NULL)
		return choose_kind(plan, VK_TABLE_MBR, "the volume at sector %llu was a VMFS3, which lies on an MBR",
				   vk_proposal_start(v->upgraded));
	if (v->v5 > 0 && v->v3 == 0 && v->old_start && remains)
		return choose_kind(
			plan, VK_TABLE_MBR,
			"sector 0 is an MBR, and the volume begins where those of VMFS3 do: it was upgraded");
	if (v->v5 > 0)
		return choose_kind(
			plan, VK_TABLE_GPT,
			"VMFS5 lies on a GPT unless it was upgraded from VMFS3, and nothing says that it was");
	if (v->v3 > 0)
		return choose_kind(plan, VK_TABLE_MBR, "VMFS3 lies on an MBR");
	return false;
}

/* A volume lies over the place of the copy: whether it is a GPT all the same, of a disk that was longer. */
static bool lost_its_end(const struct vk_table_plan *plan, const struct volumes *v)
{
	enum vk_table_kind captured = captured_kind(plan);
	bool remains = plan->gpt_judged && plan->gpt.was_gpt && !plan->gpt_foreign;

	if (v->no_gpt != NULL)
		return false;
	if (plan->gpt_names || v->big != NULL)
		return true;
	if (plan->mbr_names || captured != VK_TABLE_NONE)
		return !plan->mbr_names && captured == VK_TABLE_GPT;
	if (v->v6 != NULL || (remains && plan->gpt.grown_from_sectors > plan->disk_sectors))
		return true;
	return v->v5 > 0 && v->upgraded == NULL && (remains || (plan->mbr.protective && !plan->gpt_foreign));
}

static enum vk_status say_shorter(const struct vk_table_plan *plan, const struct volumes *v, struct vk_error *err)
{
	ull start = vk_proposal_start(v->no_copy), end = vk_proposal_end(v->no_copy);
	bool known = plan->gpt_judged && plan->gpt.grown_from_sectors > plan->disk_sectors;
	ull was = known ? plan->gpt.grown_from_sectors : end + usual_array(plan) + 1;
	const char *least = known ? "" : "at least ";

	vk_error_set(err, VK_USAGE, plan->source->path,
		     "the disk is %s%llu sectors shorter than its table: the volume at sector %llu ends in sector "
		     "%llu, where the copy of its GPT has to lie",
		     least, was - plan->disk_sectors, start, end - 1);
	return vk_error_remedy(
		err,
		"make the LUN %s%llu sectors long again; --include %llu cuts the volume off, as a guess, and "
		"--label mbr is right only when this disk never had a GPT",
		least, was, start);
}

/* A label that the caller chose must be able to say where the volumes are. */
static enum vk_status check_wish(const struct vk_table_plan *plan, const struct volumes *v, struct vk_error *err)
{
	if (plan->out->kind == VK_TABLE_MBR && v->big != NULL) {
		vk_error_set(err, VK_USAGE, plan->source->path,
			     "an MBR cannot describe the end of the volume at sector %llu", vk_proposal_start(v->big));
		return vk_error_remedy(err, "use --label gpt");
	}
	if (plan->out->kind == VK_TABLE_GPT && v->no_copy != NULL && lost_its_end(plan, v))
		return say_shorter(plan, v, err);
	if (plan->out->kind == VK_TABLE_GPT && (v->no_gpt != NULL || v->no_copy != NULL)) {
		vk_error_set(err, VK_USAGE, plan->source->path,
			     "the volume at sector %llu lies in the place of a GPT",
			     vk_proposal_start(v->no_gpt != NULL ? v->no_gpt : v->no_copy));
		return vk_error_remedy(err, "use --label mbr");
	}
	return VK_OK;
}

static enum vk_status say_nothing_there(const struct vk_table_plan *plan, struct vk_error *err)
{
	const struct vk_candidate *c = NULL; /* the first that begins on this disk and needs more than is left of it */

	for (size_t i = 0; i < plan->find->count; i++) {
		const struct vk_candidate *other = &plan->find->candidates[i];

		if ((other->standing == VK_GHOST_OUTSIDE || other->absent_bytes != 0) && !other->start_before_disk &&
		    (c == NULL || other->start_bytes < c->start_bytes))
			c = other;
	}
	if (c == NULL) {
		vk_error_set(err, VK_ABSENT, plan->source->path,
			     "neither a volume of VMFS nor anything of a partition table was found");
		return vk_error_remedy(
			err, "if only likely places were looked at, scan the whole disk; a capture of this disk "
			     "(--capture) knows its table, too");
	}
	vk_error_set(err, VK_ABSENT, plan->source->path,
		     "a volume begins at sector %llu and needs at least %llu bytes: it reaches past the end of this "
		     "source, which has %llu "
		     "bytes",
		     (ull)(c->start_bytes / plan->sector_size), (ull)c->length_bytes, (ull)plan->source->size_bytes);
	return vk_error_remedy(
		err,
		"take the whole disk: a copy of all of it, or the LUN once it has its length of at least %llu "
		"bytes again",
		(ull)vk_add_sat(c->start_bytes, c->length_bytes));
}

enum vk_status vk_table_choose_label(struct vk_table_plan *plan, struct vk_error *err)
{
	const struct vk_table *table = &plan->source->table;
	struct volumes v = look_at_volumes(plan);

	if (plan->options->label != VK_TABLE_NONE) {
		choose_kind(plan, plan->options->label, "as requested");
		return check_wish(plan, &v, err);
	}
	if (v.no_copy != NULL && lost_its_end(plan, &v))
		return say_shorter(plan, &v, err);
	if (by_proof(plan, &v))
		return VK_OK;
	/* where nothing could be read, what is there tells nothing of its kind */
	if (!(table->mbr_unreadable && table->gpt[0].unreadable && table->gpt[1].unreadable) && by_signs(plan, &v))
		return VK_OK;
	if (table->kind != VK_TABLE_NONE) {
		choose_kind(plan, table->kind, "the present table is of this kind");
		return VK_OK;
	}
	VK_EACH_PROPOSAL(p, plan)
		if (p->by == VK_PROPOSED_CAPTURE) {
			choose_kind(plan, p->entry.partition.gpt ? VK_TABLE_GPT : VK_TABLE_MBR, "%s has it so",
				    p->name);
			return VK_OK;
		}
	if (!vk_table_unread(table))
		return say_nothing_there(plan, err);
	vk_error_set(err, VK_IO, plan->source->path,
		     "the sectors of the partition table could not be read: whether there is one is not known");
	return vk_error_remedy(err, "check the paths to the disk; copy it with ddrescue and work on the copy");
}
