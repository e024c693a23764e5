/* SPDX-License-Identifier: Apache-2.0 */
/* The table that fits what was found: everything that knows of an entry is asked, then it is decided and put. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/texts.h"
#include "find/known_starts.h"
#include "rebuild/table/plan.h"

static enum vk_status check_source(const struct vk_table_plan *plan, struct vk_error *err)
{
	const struct vk_source *source = plan->source;

	if (source->kind != VK_SOURCE_DISK) {
		vk_error_set(err, VK_USAGE, source->path, "This is read as a %s, and only a disk has a partition table",
			     vk_source_kind_name(source->kind));
		return vk_error_remedy(err, "say --as disk if it is one");
	}
	if (plan->disk_sectors < 2) {
		vk_error_set(err, VK_USAGE, source->path,
			     "How long the disk is cannot be known: only a part of it is here");
		return vk_error_remedy(err, "name the whole disk");
	}
	return VK_OK;
}

static enum vk_status judge_gpt(struct vk_table_plan *plan, const struct vk_known_start *starts, size_t start_count,
				struct vk_error *err)
{
	enum vk_status status = vk_gpt_judge(plan->source, starts, start_count, &plan->gpt, err);

	plan->gpt_judged = status == VK_OK;
	/* too small for a GPT: an MBR it may have */
	if (status == VK_USAGE)
		return VK_OK;
	if (status != VK_OK || !plan->gpt.cut)
		return status;
	vk_error_set(err, VK_USAGE, plan->source->path,
		     "Only the beginning of the disk is here: nothing can be put at its end");
	return vk_error_remedy(err, "name the whole disk");
}

/* What is said of the GPT matters when there is one, or is to be one. */
static void take_sentences(struct vk_table_plan *plan)
{
	if (!plan->gpt_judged || !plan->gpt.was_gpt ||
	    (plan->out->kind != VK_TABLE_GPT && plan->source->table.kind != VK_TABLE_GPT) || plan->gpt_foreign)
		return;
	for (size_t i = 0; i < plan->gpt.note_count; i++)
		vk_table_note(plan, "%s", plan->gpt.notes[i]);
	for (size_t i = 0; i < plan->gpt.lost_count && plan->out->kind == VK_TABLE_GPT; i++)
		vk_table_lost(plan, "%s", plan->gpt.lost[i]);
}

/* A device knows its sectors, a table shows them; an image without one does neither. */
static void doubt_sector_size(struct vk_table_plan *plan)
{
	if (plan->sector_size != 512 || plan->source->table.kind != VK_TABLE_NONE || plan->gpt.was_gpt ||
	    vk_io_is_device(plan->source->raw))
		return;
	for (size_t i = 0; i < plan->find->count; i++) {
		const struct vk_candidate *c = &plan->find->candidates[i];

		if (!c->has_fs || c->fs.physDiskBlockSize != 4096 || vk_standing_is_ghost(c->standing))
			continue;
		vk_table_doubt(plan,
			       "The table is planned in sectors of 512 bytes. The volume at sector %llu was made on "
			       "blocks of 4096 bytes: if "
			       "this is an image of a disk with sectors of 4096 bytes, say --sector-size 4096",
			       (ull)(c->start_bytes / 512));
		return;
	}
}

/* Where captures have boot records. */
static enum vk_status captured_ebrs(const struct vk_table_plan *plan, uint64_t **ret_lbas, size_t *ret_count,
				    struct vk_error *err)
{
	for (size_t k = 0; k < plan->options->known_count; k++) {
		const struct vk_table *t = &plan->options->known[k].source->table;

		for (size_t i = 0; i < t->ebr_count && t->sector_size == plan->sector_size; i++)
			if (vk_append(ret_lbas, ret_count, &t->ebr_lbas[i], sizeof(t->ebr_lbas[i])) == NULL)
				return vk_no_memory(err, NULL);
	}
	return VK_OK;
}

/* What stands of a table, judged by the volumes that were found and are no ghosts. */
static enum vk_status read_tables(struct vk_table_plan *plan, struct vk_error *err)
{
	struct vk_known_start *starts = NULL;
	uint64_t *lbas = NULL;
	size_t start_count = 0, lba_count = 0;
	enum vk_status status = captured_ebrs(plan, &lbas, &lba_count, err);

	if (status == VK_OK)
		status = vk_find_known_starts(plan->find, &starts, &start_count, err);
	if (status == VK_OK)
		status = judge_gpt(plan, starts, start_count, err);
	if (status == VK_OK)
		status = vk_mbr_now_read(plan->source, starts, start_count, lbas, lba_count, &plan->mbr, err);
	free(starts);
	free(lbas);
	return status;
}

static enum vk_status collect(struct vk_table_plan *plan, struct vk_error *err)
{
	enum vk_status status = read_tables(plan, err);

	if (status != VK_OK)
		return status;
	vk_table_from_gpt(plan);
	vk_table_from_mbr(plan);
	vk_table_from_captures(plan);
	status = vk_table_from_found(plan, err);
	if (status == VK_OK)
		status = vk_table_from_layouts(plan, err);
	vk_table_sort(plan);
	vk_table_judge_standing(plan);
	return status;
}

/* Errors end without a full stop. The list is thrown away with the error. */
static const char *first_lost(struct vk_rebuild_table *out)
{
	if (out->lost_count == 0)
		return "";
	out->lost[0][strlen(out->lost[0]) - 1] = '\0';
	return out->lost[0];
}

static enum vk_status decide(struct vk_table_plan *plan, struct vk_error *err)
{
	enum vk_status status = vk_table_choose_label(plan, err);

	if (status != VK_OK)
		return status;
	take_sentences(plan);
	doubt_sector_size(plan);
	vk_table_merge(plan);
	status = vk_table_prepare(plan, err);
	return status == VK_OK ? vk_table_settle(plan, err) : status;
}

/* Where nothing is found an empty table may stand as it is, but none is ever written. */
static enum vk_status refuse_empty(const struct vk_table_plan *plan, struct vk_error *err)
{
	if (plan->out->entry_count > 0 || plan->out->nothing_to_do)
		return VK_OK;
	vk_error_set(err, VK_ABSENT, plan->source->path, "Nothing was found that a partition table could name%s%s",
		     plan->out->lost_count > 0 ? ": " : "", first_lost(plan->out));
	vk_error_remedy(err, "if only likely places were looked at, scan the whole disk; a capture of this disk "
			     "(--capture) knows its table, too");
	return VK_ABSENT;
}

/* Of partitions, and of planned entries, which begin with one. */
static int by_number(const void *a, const void *b)
{
	const struct vk_partition *x = a, *y = b;

	return x->number < y->number ? -1 : x->number > y->number;
}
_Static_assert(offsetof(struct vk_planned_entry, partition) == 0, "a planned entry begins with its partition");

/* What stands beside the planned table, or in its partitions, would be believed before it. */
static enum vk_status refuse_kind(const struct vk_table_plan *plan, enum vk_table_kind seen, struct vk_error *err)
{
	bool gpt = seen == VK_TABLE_GPT;

	vk_error_set(err, VK_REFUSED, plan->source->path,
		     "With the %s that is planned the disk would still be read as one with %s table",
		     vk_table_kind_name(plan->out->kind),
		     gpt                    ? "a gpt"
		     : seen == VK_TABLE_MBR ? "an mbr"
					    : "no");
	vk_error_remedy(err, gpt ? "a header of a GPT stands where a partition would lie, or none of the partitions "
				   "can lie beside it: use "
				   "--label gpt, or leave partitions out with --exclude SECTOR"
				 : "leave partitions out with --exclude SECTOR, or choose with --label");
	return VK_REFUSED;
}

/* Of a chain that stays and holds nothing that can be: what it names is not the plan's. */
static void forget_logical(const struct vk_table_plan *plan, struct vk_table *table)
{
	size_t kept = 0;

	for (size_t i = 0; i < plan->out->entry_count; i++)
		if (plan->out->entries[i].partition.logical)
			return;
	for (size_t i = 0; plan->chain_stands && i < table->partition_count; i++)
		if (!table->partitions[i].logical)
			table->partitions[kept++] = table->partitions[i];
	if (plan->chain_stands)
		table->partition_count = kept;
}

/* The decoders must read from the overlay what was planned: no more, no less. */
static enum vk_status prove(const struct vk_table_plan *plan, struct vk_error *err)
{
	const struct vk_rebuild_table *out = plan->out;
	struct vk_findings findings = {0};
	const struct vk_finding_sink sink = vk_findings_sink(&findings);
	struct vk_table table;
	enum vk_status status =
		vk_table_read(vk_overlay_io(plan->overlay), plan->sector_size, true, &sink, &table, err);
	size_t equal = 0;

	vk_findings_free(&findings);
	if (status != VK_OK)
		return status;
	forget_logical(plan, &table);
	if (table.partition_count > 1)
		qsort(table.partitions, table.partition_count, sizeof(*table.partitions), by_number);
	for (size_t i = 0; i < out->entry_count && i < table.partition_count; i++) {
		const struct vk_partition *a = &out->entries[i].partition;
		const struct vk_partition *b = &table.partitions[i];

		equal += a->number == b->number && a->start_sector == b->start_sector && a->sectors == b->sectors &&
			 a->mbr_type == b->mbr_type && a->gpt == b->gpt &&
			 memcmp(&a->entry, &b->entry, sizeof(a->entry)) == 0;
	}
	if (table.kind != out->kind && (equal > 0 || out->entry_count > 0))
		status = refuse_kind(plan, table.kind, err);
	else if (equal != out->entry_count || equal != table.partition_count)
		status =
			vk_error_set(err, VK_INTERNAL, plan->source->path, "The table does not read as it was planned");
	vk_table_free(&table);
	return status;
}

/* Whether the plan leaves the bytes of an MBR's entry as they are. */
static bool entry_stands(const struct vk_table_plan *plan, const struct vk_partition *p)
{
	uint8_t now[VK_MBR_ENTRY_BYTES], then[VK_MBR_ENTRY_BYTES];
	size_t got = 0;

	return !p->gpt && vk_io_read(plan->source->io, p->entry_offset_bytes, now, sizeof(now), &got, NULL) == VK_OK &&
	       got == sizeof(now) &&
	       vk_io_read(vk_overlay_io(plan->overlay), p->entry_offset_bytes, then, sizeof(then), &got, NULL) ==
		       VK_OK &&
	       got == sizeof(then) && memcmp(now, then, sizeof(now)) == 0;
}

/* What a capture alone names stood there then; a partition may have been deleted or changed since, where no volume
 * shows it. */
static void doubt_captured(struct vk_table_plan *plan)
{
	for (size_t i = 0; i < plan->out->entry_count; i++) {
		const struct vk_planned_entry *e = &plan->out->entries[i];

		if (e->origin == VK_ENTRY_CAPTURE && e->candidate == SIZE_MAX && !e->stands &&
		    !vk_partition_is_extended(&e->partition))
			vk_table_doubt(plan,
				       "Partition %u at sector %llu is in %s, and nothing else shows it: it may have "
				       "been deleted or changed "
				       "since",
				       e->partition.number, (ull)e->partition.start_sector,
				       plan->capture != NULL ? plan->capture->name : "a capture");
	}
}

static void finish(struct vk_table_plan *plan)
{
	struct vk_rebuild_table *out = plan->out;

	for (size_t i = 0; i < out->entry_count; i++)
		out->entries[i].stands = entry_stands(plan, &out->entries[i].partition);
	doubt_captured(plan);
	/* of what does not change nothing is claimed */
	out->guessed = false;
	if (vk_overlay_dirty_bytes(plan->overlay) > 0)
		out->guessed = out->doubt_count > 0 || out->disk_guid_guessed || out->disk_guid_fresh;
	for (size_t i = 0; i < out->entry_count && vk_overlay_dirty_bytes(plan->overlay) > 0; i++)
		out->guessed = out->guessed || (!out->entries[i].bytes_exact && !out->entries[i].stands);
	out->nothing_to_do = true;
	for (size_t i = 0; i < VK_TP_COUNT; i++)
		if (out->parts[i].rewritten ||
		    (out->parts[i].state != VK_PART_STATE_UNUSED && !vk_part_state_stands(out->parts[i].state)))
			out->nothing_to_do = false;
}

static enum vk_status put_plan(struct vk_table_plan *plan, struct vk_error *err)
{
	struct vk_rebuild_table *out = plan->out;
	enum vk_status status = out->kind == VK_TABLE_GPT ? vk_table_put_gpt(plan, err) : vk_table_put_mbr(plan, err);

	if (status == VK_OK && plan->nomem)
		status = vk_no_memory(err, NULL);
	if (status != VK_OK)
		return status;
	if (out->entry_count > 1)
		qsort(out->entries, out->entry_count, sizeof(*out->entries), by_number);
	finish(plan);
	status = refuse_empty(plan, err);
	return status == VK_OK ? prove(plan, err) : status;
}

enum vk_status vk_rebuild_table(const struct vk_source *source, const struct vk_find *find,
				const struct vk_rebuild_table_options *options, struct vk_overlay *overlay,
				struct vk_rebuild_table *ret_table, struct vk_error *err)
{
	struct vk_rebuild_table out = {.sector_size = source->sector_size, .disk_sectors = source->table.disk_sectors};
	struct vk_table_plan plan = {
		.source = source,
		.find = find,
		.options = options,
		.overlay = overlay,
		.sector_size = out.sector_size,
		.disk_sectors = out.disk_sectors,
		.out = &out,
	};
	enum vk_status status = check_source(&plan, err);

	if (status == VK_OK)
		status = collect(&plan, err);
	if (status == VK_OK)
		status = decide(&plan, err);
	if (status == VK_OK)
		status = put_plan(&plan, err);
	if (plan.gpt_judged) {
		out.grown_from_sectors = plan.gpt.grown_from_sectors;
		vk_gpt_judgement_free(&plan.gpt);
	}
	vk_gpt_image_free(&plan.image);
	vk_mbr_now_free(&plan.mbr);
	free(plan.items);
	if (status == VK_OK)
		*ret_table = out;
	else
		vk_rebuild_table_free(&out);
	return status;
}

void vk_rebuild_table_free(struct vk_rebuild_table *table)
{
	vk_sentences_free(&table->lost, &table->lost_count);
	vk_sentences_free(&table->notes, &table->note_count);
	vk_sentences_free(&table->doubts, &table->doubt_count);
	free(table->entries);
	memset(table, 0, sizeof(*table));
}
