/* SPDX-License-Identifier: Apache-2.0 */
/* The table that fits what was found: everything that knows of an entry is asked, then it is decided and put. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/texts.h"
#include "find/known_starts.h"
#include "rebuild/table/plan.h"
#include "vol/table_parts.h"

/* The sectors of 4Kn. */
enum { LARGE_SECTOR = 4096 };

/* An older GPT that counts in larger sectors than the table is planned in, or a volume that was made on such blocks. */
static void doubt_sector_size(struct vk_table_plan *plan)
{
	for (size_t i = 0; i < plan->find->older_count; i++) {
		if (plan->find->older[i].sector_size == plan->sector_size)
			continue;
		vk_table_doubt(plan,
			       "the table is planned in sectors of 512 bytes. The older GPT at byte %llu counts in "
			       "sectors of 4096 bytes, and its checksum proves it: if the disk still has them, say "
			       "--sector-size 4096",
			       (ull)plan->find->older[i].offset_bytes);
		return;
	}
	for (size_t i = 0; i < plan->find->count; i++) {
		const struct vk_candidate *c = &plan->find->candidates[i];

		if (!c->has_fs || c->fs.physDiskBlockSize != 4096 || vk_standing_is_ghost(c->standing))
			continue;
		vk_table_doubt(plan,
			       "the table is planned in sectors of 512 bytes. The volume at sector %llu was made on "
			       "blocks of 4096 bytes: if this is an image of a disk with sectors of 4096 bytes, say "
			       "--sector-size 4096",
			       (ull)(c->start_bytes / 512));
		return;
	}
}

/*
 * A table that counts in other sectors than the disk is not damaged: whoever sees the disk with those sees it. Nothing
 * is planned over it, unless it is to be counted anew, and then nothing else.
 */
static enum vk_status settle_units(struct vk_table_plan *plan, struct vk_error *err)
{
	uint32_t to = plan->options->convert_sectors, from = plan->gpt_judged ? plan->gpt.sector_size : 0;

	if (plan->gpt_judged && plan->gpt.chosen != NULL && from != plan->sector_size) {
		if (to == plan->sector_size) {
			plan->out->converted_from = from;
			return vk_gpt_convert(&plan->gpt, to, plan->source->path, err);
		}
		vk_error_set(err, VK_REFUSED, plan->source->path,
			     "the table counts sectors of %u bytes, and the disk is read in sectors of %u: the table "
			     "is not damaged, and is not replaced",
			     from, plan->sector_size);
		if (from < plan->sector_size)
			return vk_error_remedy(err, "ESXi counts so on devices with sectors of 4096 bytes (4Kn, "
						    "SWE), and sees the table: nothing needs to be written");
		return vk_error_remedy(err, "set the block size of the LUN back to %u at the array or enclosure: "
					    "nothing needs to be written then; only if that is impossible, convert "
					    "the table with --convert-sectors 512", from);
	}
	if (to == 0)
		return VK_OK;
	if (plan->source->table.kind == VK_TABLE_MBR &&
	    vk_mbr_counts_in(plan->source->io, &plan->source->table.mbr, LARGE_SECTOR)) {
		vk_error_set(err, VK_USAGE, plan->source->path,
			     "the MBR counts sectors of %u bytes and is not converted: it has neither checksum nor "
			     "copy, so nothing proves its other entries, and entries of 32 bits may not hold %u times "
			     "as many sectors", LARGE_SECTOR, LARGE_SECTOR / to);
		return vk_error_remedy(err, "set the block size of the LUN back to %u at the array or enclosure: "
					    "nothing needs to be written then. Or copy the LUN onto one of %u and "
					    "run vmfskit repair table there", LARGE_SECTOR, LARGE_SECTOR);
	}
	vk_error_set(err, VK_USAGE, plan->source->path,
		     "nothing to convert: there is no GPT with sectors larger than %u bytes", to);
	return vk_error_remedy(err, "vmfskit decode shows what is there; an MBR is not converted");
}

/* What stands of a table, judged by the volumes that were found and are no ghosts. */
static enum vk_status read_tables(struct vk_table_plan *plan, struct vk_error *err)
{
	struct vk_known_start *starts = NULL;
	uint64_t *lbas = NULL; /* where captures have boot records */
	size_t start_count = 0, lba_count = 0;
	enum vk_status status = vk_find_known_starts(plan->find, &starts, &start_count, err);

	for (size_t k = 0; k < plan->options->known_count; k++) {
		const struct vk_table *t = &plan->options->known[k].source->table;

		for (size_t i = 0; i < t->ebr_count && t->sector_size == plan->sector_size && status == VK_OK; i++)
			if (vk_append(&lbas, &lba_count, &t->ebr_lbas[i], sizeof(t->ebr_lbas[i])) == NULL)
				status = vk_no_memory(err, NULL);
	}
	if (status == VK_OK) {
		status = vk_gpt_judge(plan->source, starts, start_count, &plan->gpt, err);
		plan->gpt_judged = status == VK_OK;
		/* too small for a GPT: an MBR it may have */
		status = status == VK_USAGE ? VK_OK : status;
	}
	if (status == VK_OK)
		status = settle_units(plan, err);
	if (status == VK_OK && plan->gpt_judged && plan->gpt.cut) {
		vk_error_set(err, VK_USAGE, plan->source->path,
			     "only the beginning of the disk is here: nothing can be written at its end");
		status = vk_error_remedy(err, "name the whole disk");
	}
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
	vk_table_from_older(plan);
	status = vk_table_from_found(plan, err);
	if (status == VK_OK)
		status = vk_table_from_layouts(plan, err);
	vk_table_sort(plan);
	vk_table_judge_standing(plan);
	return status;
}

/* Which kind of table, and which partitions. */
static enum vk_status decide(struct vk_table_plan *plan, struct vk_error *err)
{
	enum vk_table_kind now = plan->source->table.kind;
	enum vk_status status = vk_table_choose_label(plan, err);
	bool gpt = plan->out->kind == VK_TABLE_GPT;

	if (status != VK_OK)
		return status;
	/* what is said of the GPT matters when there is one, or is to be one */
	if (plan->gpt_judged && plan->gpt.was_gpt && !plan->gpt_foreign && (gpt || now == VK_TABLE_GPT)) {
		for (size_t i = 0; i < plan->gpt.note_count; i++)
			vk_table_note(plan, "%s", plan->gpt.notes[i]);
		for (size_t i = 0; i < plan->gpt.lost_count && gpt; i++)
			vk_table_lost(plan, "%s", plan->gpt.lost[i]);
	}
	/* a device knows its sectors, a table shows them; an image without one does neither */
	if (plan->sector_size == 512 && now == VK_TABLE_NONE && !plan->gpt.was_gpt &&
	    !vk_io_is_device(plan->source->raw))
		doubt_sector_size(plan);
	vk_table_merge(plan);
	status = vk_table_prepare(plan, err);
	return status == VK_OK ? vk_table_settle(plan, err) : status;
}

/* Where nothing is found an empty table may stand as it is, but none is ever written. */
static enum vk_status refuse_empty(const struct vk_table_plan *plan, struct vk_error *err)
{
	const char *lost = plan->out->lost_count > 0 ? plan->out->lost[0] : "";

	if (plan->out->entry_count > 0 || plan->out->nothing_to_do)
		return VK_OK;
	/* errors end without a full stop */
	vk_error_set(err, VK_ABSENT, plan->source->path, "nothing was found that a partition table could list%s%.*s",
		     lost[0] != '\0' ? ": " : "", lost[0] != '\0' ? (int)strlen(lost) - 1 : 0, lost);
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

/* The decoders must read from the overlay what was planned: no more, no less. */
static enum vk_status prove(const struct vk_table_plan *plan, struct vk_error *err)
{
	const struct vk_rebuild_table *out = plan->out;
	struct vk_findings findings = {0};
	const struct vk_finding_sink sink = vk_findings_sink(&findings);
	struct vk_table table;
	enum vk_status status =
		vk_table_read(vk_overlay_io(plan->overlay), plan->sector_size, true, &sink, &table, err);
	size_t equal = 0, logical = 0, kept = 0;

	vk_findings_free(&findings);
	if (status != VK_OK)
		return status;
	for (size_t i = 0; i < out->entry_count; i++)
		logical += out->entries[i].partition.logical;
	/* of a chain that stays and holds nothing that can be: what it names is not the plan's */
	for (size_t i = 0; i < table.partition_count; i++)
		if (!plan->chain_stands || logical > 0 || !table.partitions[i].logical)
			table.partitions[kept++] = table.partitions[i];
	table.partition_count = kept;
	if (kept > 1)
		qsort(table.partitions, kept, sizeof(*table.partitions), by_number);
	for (size_t i = 0; i < out->entry_count && i < kept; i++) {
		const struct vk_partition *a = &out->entries[i].partition;
		const struct vk_partition *b = &table.partitions[i];

		equal += a->number == b->number && a->start_sector == b->start_sector && a->sectors == b->sectors &&
			 a->mbr_type == b->mbr_type && a->gpt == b->gpt &&
			 memcmp(&a->entry, &b->entry, sizeof(a->entry)) == 0;
	}
	if (table.kind != out->kind && (equal > 0 || out->entry_count > 0)) {
		/* what stands beside the planned table, or in its partitions, would be believed before it */
		bool gpt = table.kind == VK_TABLE_GPT;

		status = vk_error_set(err, VK_REFUSED, plan->source->path,
				      "with the planned %s the disk would still be read as one with %s table",
				      vk_table_kind_name(out->kind),
				      gpt                            ? "a gpt"
				      : table.kind == VK_TABLE_MBR ? "an mbr"
								     : "no");
		vk_error_remedy(err, gpt ? "a header of a GPT stands where a partition would lie, or none of the "
					   "partitions can lie beside it: use --label gpt, or leave partitions out "
					   "with --exclude SECTOR"
					 : "leave partitions out with --exclude SECTOR, or choose with --label");
	} else if (equal != out->entry_count || equal != kept) {
		status = vk_error_set(err, VK_INTERNAL, plan->source->path,
				      "the table does not read as it was planned");
	}
	vk_table_free(&table);
	return status;
}

/* Whether the plan leaves the bytes of an MBR's entry as they are. */
static bool entry_stands(const struct vk_table_plan *plan, const struct vk_partition *p)
{
	struct vk_io *overlay = vk_overlay_io(plan->overlay);
	uint8_t now[VK_MBR_ENTRY_BYTES], then[VK_MBR_ENTRY_BYTES];

	return !p->gpt && vk_io_read_all(plan->source->io, p->entry_offset_bytes, now, sizeof(now), NULL) == VK_OK &&
	       vk_io_read_all(overlay, p->entry_offset_bytes, then, sizeof(then), NULL) == VK_OK &&
	       memcmp(now, then, sizeof(now)) == 0;
}

/* What the plan leaves as it is, what it says that is not known, and whether it does anything. */
static void finish(struct vk_table_plan *plan)
{
	struct vk_rebuild_table *out = plan->out;
	bool unproved = false;

	for (struct vk_planned_entry *e = out->entries; e != NULL && e < out->entries + out->entry_count; e++) {
		e->stands = entry_stands(plan, &e->partition);
		unproved = unproved || (!e->bytes_exact && !e->stands);
		/* it may have been deleted or changed since, where no volume shows it */
		if (e->origin == VK_ENTRY_CAPTURE && e->candidate == SIZE_MAX && !e->stands &&
		    !vk_partition_is_extended(&e->partition))
			vk_table_doubt(plan,
				       "partition %u at sector %llu is in %s, and nothing else shows it: it may have "
				       "been deleted or changed since",
				       e->partition.number, (ull)e->partition.start_sector,
				       plan->capture != NULL ? plan->capture->name : "a capture");
	}
	/* of what does not change nothing is claimed */
	out->guessed = vk_overlay_dirty_bytes(plan->overlay) > 0 &&
		       (out->doubt_count > 0 || out->disk_guid_guessed || out->disk_guid_fresh || unproved);
	out->nothing_to_do = true;
	for (size_t i = 0; i < VK_TP_COUNT; i++)
		if (out->parts[i].rewritten ||
		    (out->parts[i].state != VK_PART_STATE_UNUSED && !vk_part_state_stands(out->parts[i].state)))
			out->nothing_to_do = false;
}

/* A table that was counted anew has the partitions that it had, and no other. */
static enum vk_status check_converted(const struct vk_table_plan *plan, struct vk_error *err)
{
	size_t same = 0;

	if (plan->out->converted_from == 0)
		return VK_OK;
	for (size_t i = 0; i < plan->out->entry_count; i++)
		for (size_t k = 0; k < plan->gpt.entry_count; k++)
			same += plan->out->entries[i].bytes_exact &&
				memcmp(&plan->out->entries[i].partition.entry, &plan->gpt.entries[k].partition.entry,
				       sizeof(struct vk_gpt_entry)) == 0 &&
				plan->out->entries[i].partition.number == plan->gpt.entries[k].partition.number;
	if (same == plan->gpt.entry_count && same == plan->out->entry_count)
		return VK_OK;
	vk_error_set(err, VK_REFUSED, plan->source->path,
		     "the table cannot simply be converted: the content of the disk contradicts its partitions");
	return vk_error_remedy(err, "set the block size of the LUN back to %u at the array or enclosure, and repair "
				    "the table there", plan->out->converted_from);
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
	status = check_converted(plan, err);
	if (status == VK_OK)
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
	enum vk_status status;

	if (source->kind != VK_SOURCE_DISK) {
		status = vk_error_set(err, VK_USAGE, source->path,
				      "this is a %s, and only a disk has a partition table",
				      vk_source_kind_name(source->kind));
		vk_error_remedy(err, "say --as disk if it is one");
	} else if (vk_source_is_part(source)) {
		/* a table says where its disk ends, and a GPT has its copy there */
		status = vk_source_refuse_part(source, "a table needs its end", err);
	} else if (plan.disk_sectors < 2) {
		status = vk_error_set(err, VK_USAGE, source->path,
				      "the length of the disk is not known: only a part of it is here");
		vk_error_remedy(err, "name the whole disk");
	} else {
		status = collect(&plan, err);
	}
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
