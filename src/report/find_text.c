/* SPDX-License-Identifier: Apache-2.0 */
/* What a search found, for people: the first answer, the volumes with their evidence, then the ghosts. */
#include <inttypes.h>

#include "base/checked.h"
#include "base/screen.h"
#include "report/report.h"
#include "report/report_find.h"
#include "base/shown.h"

/* What the sound table says of its VMFS partitions must be there. */
static bool table_is_met(const struct vk_find_view *view)
{
	const struct vk_table *t = &view->source->table;

	for (size_t i = 0; i < t->partition_count; i++) {
		const struct vk_partition *p = &t->partitions[i];
		uint64_t start = vk_mul_sat(p->start_sector, t->sector_size);
		/* of what is not in a dump of the beginning nothing is known */
		bool met = !vk_partition_is_vmfs(p) ||
			   (vk_source_is_part(view->source) &&
			    vk_add_sat(start, VK_LVM_HEADER_OFFSET + 512) > view->source->size_bytes);

		for (size_t k = 0; k < view->find->count && !met; k++)
			met = view->find->candidates[k].standing == VK_STANDING_LIVING &&
			      view->find->candidates[k].start_bytes == start;
		if (!met)
			return false;
	}
	return true;
}

bool vk_report_find_has_table(const struct vk_source *source)
{
	return source->tail.first_sector != 0 || (source->kind == VK_SOURCE_DISK &&
						  source->table.kind != VK_TABLE_NONE);
}

bool vk_report_find_in_table(const struct vk_candidate *c)
{
	return c->table_sound && c->claimed_bytes >= c->length_bytes &&
		(c->told_bytes == 0 || c->claimed_bytes == c->told_bytes);
}

/* Of what the source does not hold nothing is known; what the device did not deliver may hold anything. */
static bool was_unreadable(const struct vk_find_view *view)
{
	for (size_t i = 0; i < view->find->unreadable_count; i++)
		if (vk_io_span(view->source->io, view->find->unreadable[i].offset_bytes).state != VK_SPAN_ABSENT)
			return true;
	return false;
}

bool vk_report_find_agrees(const struct vk_find_view *view)
{
	/* what a table that is not in the source names is not known */
	bool no_word = view->source->kind == VK_SOURCE_DISK && vk_table_absent(&view->source->table);

	for (size_t i = 0; i < view->find->count; i++) {
		const struct vk_candidate *c = &view->find->candidates[i];
		/* a partition by itself is where it should be at its beginning: no table can say so */
		bool in_place = view->source->kind != VK_SOURCE_DISK && view->source->tail.first_sector == 0
				      ? c->start_bytes == 0
				      : vk_report_find_in_table(c);

		if (c->standing == VK_STANDING_DAMAGED || c->standing == VK_GHOST_OUTSIDE ||
		    (c->standing == VK_STANDING_LIVING && !in_place && !no_word))
			return false;
	}
	return !was_unreadable(view) && table_is_met(view);
}

/* Sectors as the disk counts them; of 512 bytes where a start does not fit these. */
static uint32_t unit_of(const struct vk_source *source, const struct vk_candidate *c)
{
	return c->start_bytes % source->sector_size == 0 ? source->sector_size : 512;
}

/* "living   sector 2048, 41940959 sectors, 20 GiB (…): VMFS-6.82 "practice"" */
static void put_head(FILE *out, const struct vk_source *source, const struct vk_candidate *c)
{
	uint32_t unit = unit_of(source, c);
	char version[40];

	if (c->start_before_disk)
		fputs("begins before the disk", out);
	else
		fprintf(out, "sector %" PRIu64 "%s", c->start_bytes / unit,
			unit == source->sector_size ? "" : " (of 512 bytes)");
	fprintf(out, ", %s%" PRIu64 " sectors, %s: ", c->length_exact ? "" : "at least ", c->length_bytes / unit,
		vk_shown_size_short(c->length_bytes).text);
	vk_fs_version_name(&c->fs, version);
	if (c->has_fs)
		fprintf(out, "%s \"%s\"", version, vk_shown_label(c->fs.fsLabel, sizeof(c->fs.fsLabel)).text);
	else
		fputs(c->local ? "VMFS-L" : "VMFS", out);
}

void vk_report_find_likely(FILE *out, const struct vk_source *source, const struct vk_candidate *candidates,
			   size_t count, double seconds)
{
	size_t shown = 0;

	vk_report_readings_text(out, source);
	fprintf(out, "Likely places, after %.0f ms:\n", seconds * 1000);
	for (size_t i = 0; i < count; i++) {
		bool outside = candidates[i].standing == VK_GHOST_OUTSIDE && !candidates[i].start_before_disk;

		if (vk_standing_is_ghost(candidates[i].standing) && !outside)
			continue;
		/* a disk that was cut off has a volume all the same */
		fprintf(out, "  %-8s ", outside ? "past the end of the disk:"
			: vk_standing_name(candidates[i].standing));
		put_head(out, source, &candidates[i]);
		fputc('\n', out);
		shown++;
	}
	if (shown == 0)
		fputs("  no volume\n", out);
}

static void put_checks(FILE *out, const struct vk_candidate *c, bool all)
{
	static const char *const verdicts[] = {"unknown", "holds", "FAILS"};

	for (int i = 0; i < VK_CHECK_COUNT; i++)
		if (all || c->checks[i].verdict == VK_VERDICT_FAIL)
			fprintf(out, "  %-7s %-14s %s%s%s\n", verdicts[c->checks[i].verdict],
				vk_find_check_name((enum vk_find_check)i), vk_find_check_what((enum vk_find_check)i),
				c->checks[i].seen[0] == '\0' ? "" : ": ", c->checks[i].seen);
}

/* Where it was found, whether a table names it, and how far its length can be believed. */
static void put_evidence(FILE *out, const struct vk_source *source, const struct vk_candidate *c)
{
	static const char *const ways[] = {"the partition table", "a capture", "a usual start", "an LVM header",
					   "a file-system descriptor", "locks and heartbeats"};
	/* a partition by itself is named by no table */
	bool named = source->kind == VK_SOURCE_DISK || source->tail.first_sector != 0;
	uint32_t unit = unit_of(source, c);
	const char *comma = "";

	if (named && vk_report_find_in_table(c))
		fprintf(out, "  partition       %s\n", c->heard);
	else if (named && c->table_sound)
		fprintf(out, "  partition       %s, but with %" PRIu64 " sectors\n", c->heard, c->claimed_bytes / unit);
	else if (named)
		fprintf(out, "  partition       none in a sound table; its type is fb (MBR) or %s (GPT)\n",
			c->local ? VK_GPT_TYPE_VMFSL : VK_GPT_TYPE_VMFS);
	fputs("  found by        ", out);
	for (unsigned i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		if ((c->found_by >> i & 1) != 0) {
			fprintf(out, "%s%s", comma, ways[i]);
			comma = ", ";
		}
	fprintf(out, "%s%s%s\n", c->heard[0] == '\0' ? "" : " (", c->heard, c->heard[0] == '\0' ? "" : ")");
	fprintf(out, "  sure            %u %%: %s\n", c->sure_percent, c->why);
	if (c->length_exact)
		fprintf(out, "  length          from the header, and %s\n", c->length_witness);
	else if (c->told_bytes != 0)
		fprintf(out, "  length          not exact: the header says %" PRIu64 " sectors, and %s; its extents "
			"need %" PRIu64 "\n",
			c->told_bytes / unit, c->table_sound ? "the table says something else" : "nothing confirms it",
			c->length_bytes / unit);
	else
		fputs("  length          not exact: no sound LVM header contains it\n", out);
}

static void put_volume(FILE *out, const struct vk_find_view *view, const struct vk_candidate *c)
{
	uint32_t unit = unit_of(view->source, c);

	fprintf(out, "\n%s%s: ", c->standing == VK_STANDING_LIVING   ? "Living"
			       : c->standing == VK_STANDING_DAMAGED ? "Damaged"
								   : "Not known",
		c->head || c->standing == VK_STANDING_UNKNOWN ? "" : ", not the first extent of its volume");
	put_head(out, view->source, c);
	fputc('\n', out);
	if (!c->start_before_disk)
		fprintf(out, "  last sector     %s%" PRIu64 "\n", c->length_exact ? "" : "at least ",
			(vk_add_sat(c->start_bytes, c->length_bytes) - 1) / unit);
	if (c->has_header) {
		fprintf(out, "  LVM version     %u.%u\n", c->lvm.majorVersion, c->lvm.minorVersion);
		fprintf(out, "  device UUID     %s\n", vk_vmfs_uuid_text(&c->lvm.devID).text);
	}
	if (c->has_volume)
		fprintf(out, "  volume UUID     %s\n", vk_vmfs_uuid_text(&c->volume.uuid).text);
	if (c->has_fs)
		fprintf(out, "  datastore UUID  %s\n", vk_vmfs_uuid_text(&c->fs.uuid).text);
	put_evidence(out, view->source, c);
	put_checks(out, c, view->all);
}

enum { GHOSTS_SHOWN = 20 };

static void put_ghosts(FILE *out, const struct vk_find_view *view, size_t ghosts)
{
	size_t shown = 0;

	if (ghosts == 0)
		return;
	fprintf(out, "\nNot volumes of this disk, although they look like it:\n");
	for (size_t i = 0; i < view->find->count; i++) {
		const struct vk_candidate *c = &view->find->candidates[i];

		if (!vk_standing_is_ghost(c->standing))
			continue;
		if (shown++ == GHOSTS_SHOWN && !view->all) {
			fprintf(out, "  and %zu more; --all shows them\n", ghosts - GHOSTS_SHOWN);
			return;
		}
		fprintf(out, "  %s: ", vk_standing_name(c->standing));
		put_head(out, view->source, c);
		fprintf(out, "\n    %s\n", c->why);
		if (view->all)
			put_checks(out, c, true);
	}
}

/* What was not read now is said with its date: the disk may have changed since. */
void vk_report_find_resumed(FILE *out, const struct vk_find *f, const char *resume_path)
{
	if (f->resumed_s == 0)
		return;
	if (f->resumed_bytes >= f->total_bytes)
		fprintf(out, "  all of it comes from %s of %s; only what was found there was read again. Without "
			"--resume the disk is searched again\n", resume_path,
			vk_shown_time_s(f->resumed_s).text);
	else
		fprintf(out, "  the first %s come from %s of %s\n", vk_shown_size_short(f->resumed_bytes).text,
			resume_path, vk_shown_time_s(f->resumed_s).text);
}

static void put_searched(FILE *out, const struct vk_find_view *view)
{
	const struct vk_find *f = view->find;

	if (view->likely_only) {
		fprintf(out, "\nLooked at the likely places only, in %.0f ms\n", view->seconds * 1000);
		return;
	}
	fprintf(out, "\nSearched %s", vk_shown_size_short(f->scanned_bytes).text);
	if (f->scanned_bytes < f->total_bytes)
		fprintf(out, " of %s", vk_shown_size_short(f->total_bytes).text);
	fprintf(out, " in %.1f s", view->seconds);
	if (f->holes_bytes > 0)
		fprintf(out, ", of that %s known to be zero", vk_shown_size_short(f->holes_bytes).text);
	fputc('\n', out);
	vk_report_find_resumed(out, f, view->resume_path);
	for (size_t i = 0; i < f->unreadable_count && i < 16; i++)
		fprintf(out, "  not there or unreadable: %" PRIu64 " bytes from byte %" PRIu64 "\n",
			f->unreadable[i].length_bytes, f->unreadable[i].offset_bytes);
	if (f->unreadable_count > 16)
		fprintf(out, "  not there or unreadable: %zu more ranges\n", f->unreadable_count - 16);
	if (f->left_out > 0)
		fprintf(out, "  %zu marks were found and not judged: there are too many\n", f->left_out);
}

/* What is missing behind the end of a dump of the beginning. */
static void put_part(FILE *out, const struct vk_find_view *view)
{
	bool part = vk_source_is_part(view->source);
	char words[200];
	struct vk_text text = vk_text_in(words, sizeof(words));

	for (size_t i = 0; i < view->find->count; i++)
		part = part || view->find->candidates[i].absent_bytes != 0;
	if (!part)
		return;
	if (view->source->whole.bytes != 0)
		vk_source_put_part(view->source, &text);
	else
		vk_text_put(&text, "the beginning of a longer disk");
	fprintf(out, "\nThis file is %s: to see the rest, name the whole LUN or dump more of it.\n", words);
}

/* What the disk was once: evidence of starts and lengths, and no table of now. */
static void put_older(FILE *out, const struct vk_find *f)
{
	for (size_t i = 0; i < f->older_count; i++) {
		const struct vk_older_gpt *gpt = &f->older[i];

		fprintf(out, "%s  an older backup GPT at sector %" PRIu64 "%s, whose %s: the disk was %" PRIu64
			" sectors long then\n", i == 0 ? "\nEarlier partition tables of this disk:\n" : "",
			gpt->header.myLBA, gpt->sector_size == 512 ? "" : " (of 4096 bytes)",
			gpt->entries_fit ? "checksums fit" : "checksum fits, and whose entries were overwritten",
			gpt->disk_sectors);
		fprintf(out, "    disk GUID %s\n", vk_guid_text(&gpt->header.diskGUID).text);
		for (size_t k = 0; k < gpt->entry_count; k++)
			fprintf(out, "    partition %u: sectors %" PRIu64 " to %" PRIu64 ", %s\n",
				gpt->entries[k].number, gpt->entries[k].entry.firstLBA,
				gpt->entries[k].entry.lastLBA, vk_gpt_type_name(&gpt->entries[k].entry.typeGUID));
	}
}

void vk_report_find_text(FILE *out, const struct vk_find_view *view)
{
	const struct vk_report_style style = vk_report_style_for(out);
	const struct vk_find *f = view->find;
	const struct vk_reading *own = view->source->readings.items;
	size_t living = 0, damaged = 0, unknown = 0, ghosts = 0;
	struct vk_error refused;

	for (size_t i = 0; i < f->count; i++) {
		living += f->candidates[i].standing == VK_STANDING_LIVING;
		damaged += f->candidates[i].standing == VK_STANDING_DAMAGED;
		unknown += f->candidates[i].standing == VK_STANDING_UNKNOWN;
		ghosts += vk_standing_is_ghost(f->candidates[i].standing);
	}
	/* with the likely places it was said already */
	if (view->likely_only)
		vk_report_readings_text(out, view->source);
	put_searched(out, view);
	fprintf(out, "\nFound %zu living volume%s, %zu damaged, ", living, living == 1 ? "" : "s", damaged);
	if (unknown > 0)
		fprintf(out, "%zu not known, ", unknown);
	fprintf(out, "%zu ghost%s\n", ghosts, ghosts == 1 ? "" : "s");
	for (size_t i = 0; i < f->count; i++)
		if (!vk_standing_is_ghost(f->candidates[i].standing))
			put_volume(out, view, &f->candidates[i]);
	put_ghosts(out, view, ghosts);
	for (size_t i = 0; i < f->foreign.count; i++) {
		const struct vk_foreign *x = &f->foreign.items[i];

		/* of a member all is the array's; its superblock may lie at the end */
		fprintf(out, "%s%s%s at byte %" PRIu64, i == 0 ? "\nOther systems on this disk:\n  " : "  ", x->type,
			vk_foreign_is_member(x) ? ", its signature" : "",
			vk_foreign_is_member(x) ? x->magic_bytes : x->start_bytes);
		if (x->length_bytes > 0)
			fprintf(out, ", %s", vk_shown_size_short(x->length_bytes).text);
		fprintf(out, "%s%s%s\n", x->label[0] == '\0' ? "" : ", label \"", x->label,
			x->label[0] == '\0' ? "" : "\"");
	}
	put_older(out, f);
	if (view->of_source->count > 0)
		fputs("\nThe source itself:\n", out);
	vk_report_findings_text(out, view->of_source, NULL, &style);
	put_part(out, view);
	if (!vk_report_find_agrees(view) && vk_io_refuse_view(view->source->raw, &refused) != VK_OK)
		fprintf(out, "\nNote: %s.\n  %s\n", refused.what, refused.remedy);
	if (view->next_count > 0)
		fprintf(out, "\nNext (%s):\n", vk_io_is_view(view->source->raw) ? "for reading only"
									     : "nothing is written without --write");
	else if (living > 0 && vk_report_find_has_table(view->source) && vk_report_find_agrees(view))
		fprintf(out, "\nThe %s agrees with what was found.\n",
			view->source->tail.first_sector != 0 ? "backup GPT at the end" : "partition table");
	for (size_t i = 0; i < view->next_count; i++)
		vk_screen_paste(out, "  %s\n", view->next[i]);
	if (view->next_count > 0 && vk_io_is_view(view->source->raw) && own->device[0] != '\0')
		fprintf(out, "  The disk is then %s.\n", own->device);
}
