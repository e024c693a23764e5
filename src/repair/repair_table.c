/* SPDX-License-Identifier: Apache-2.0 */
/* Repairs a partition table: search as far as needed, let the planner decide, say what is exact and what is not. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "repair/repair_state.h"
#include "store/manifest/rebuilt.h"

/* No VMFS volume is that small; what alignment and cylinders leave over is smaller. */
static const uint64_t gap_bytes = 16 << 20;

static enum vk_status rebuild(struct vk_repair *repair, struct vk_error *err)
{
	struct vk_rebuild_table_options options = repair->options.table;
	struct vk_known_table *known = calloc(repair->known_count + 1, sizeof(*known));
	enum vk_status status = vk_repair_new_overlay(repair, err);

	if (repair->has_table)
		vk_rebuild_table_free(&repair->table);
	repair->has_table = false;
	if (status == VK_OK && known == NULL)
		status = vk_repair_no_memory(err);
	options.known = known;
	options.known_count = 0;
	for (size_t i = 0; status == VK_OK && known != NULL && i < repair->known_count; i++) {
		const struct vk_known *item = &repair->known[i];

		/* one with other sectors is not used, and the planner says so */
		if (item->source.kind != VK_SOURCE_DISK)
			continue;
		known[options.known_count++] = (struct vk_known_table){
			.source = &item->source,
			.name = item->name,
			.disk_bytes = item->capture.size_uncertain ? 0 : item->capture.size_bytes};
	}
	if (status == VK_OK)
		status = vk_rebuild_table(&repair->source, &repair->find, &options, repair->overlay,
					  &repair->table, err);
	repair->has_table = status == VK_OK;
	free(known);
	return status;
}

static int compare_ranges(const void *a, const void *b)
{
	const struct vk_range *x = a, *y = b;

	return x->offset_bytes < y->offset_bytes ? -1 : x->offset_bytes > y->offset_bytes;
}

static bool is_hole(struct vk_io *io, uint64_t start, uint64_t end)
{
	struct vk_span span = vk_io_span(io, start);

	return span.state == VK_SPAN_ZERO && span.length_bytes >= end - start;
}

/* A stretch of the disk that no entry accounts for, large enough for a volume. */
static bool find_gap(const struct vk_repair *repair, struct vk_range *taken, struct vk_range *ret_gap)
{
	const struct vk_rebuild_table *table = &repair->table;
	uint32_t ss = repair->source.sector_size;
	uint64_t at = 0, size = repair->source.size_bytes;
	size_t count = 0;

	for (size_t i = 0; i < table->entry_count; i++) {
		const struct vk_partition *partition = &table->entries[i].partition;

		if (!vk_partition_is_extended(partition))
			taken[count++] = (struct vk_range){vk_mul_sat(partition->start_sector, ss),
							   vk_mul_sat(partition->sectors, ss)};
	}
	if (count > 0)
		qsort(taken, count, sizeof(*taken), compare_ranges);
	taken[count] = (struct vk_range){size, 0};
	for (size_t i = 0; i <= count; i++) {
		uint64_t start = vk_min_u64(taken[i].offset_bytes, size);

		if (start > at && start - at >= gap_bytes && !is_hole(repair->source.io, at, start)) {
			*ret_gap = (struct vk_range){at, start - at};
			return true;
		}
		at = vk_max_u64(at, vk_add_sat(taken[i].offset_bytes, taken[i].length_bytes));
	}
	return false;
}

/* Whether what the likely places told accounts for the whole disk; says why in either case. */
static enum vk_status is_explained(struct vk_repair *repair, bool *ret_explained, struct vk_error *err)
{
	struct vk_range *taken = calloc(repair->table.entry_count + 1, sizeof(*taken));
	struct vk_range gap;
	char *why = repair->why_scanned;
	size_t living = 0, guesses = 0;

	*ret_explained = false;
	if (taken == NULL)
		return vk_repair_no_memory(err);
	for (size_t i = 0; i < repair->find.count; i++)
		living += repair->find.candidates[i].standing == VK_STANDING_LIVING;
	for (size_t i = 0; i < repair->table.entry_count; i++)
		guesses += !repair->table.entries[i].length_exact && !repair->table.entries[i].length_said;
	if (repair->table.nothing_to_do) {
		/* a deleted partition leaves a sound table and room that it does not account for */
		*ret_explained = !find_gap(repair, taken, &gap);
		snprintf(why, sizeof(repair->why_scanned),
			 *ret_explained ? "The table is sound"
					: "The table is sound, but does not account for the whole disk");
	} else if (living == 0) {
		snprintf(why, sizeof(repair->why_scanned), "No sound volume lies at the likely places");
	} else if (guesses > 0) {
		snprintf(why, sizeof(repair->why_scanned),
			 "The likely places do not tell how long every partition was");
	} else if (find_gap(repair, taken, &gap)) {
		snprintf(why, sizeof(repair->why_scanned),
			 "The likely places do not account for %" PRIu64 " bytes from byte %" PRIu64 " on",
			 gap.length_bytes, gap.offset_bytes);
	} else {
		*ret_explained = true;
		snprintf(why, sizeof(repair->why_scanned), "The likely places account for the whole disk");
	}
	free(taken);
	return VK_OK;
}

static enum vk_status look_everywhere(struct vk_repair *repair, struct vk_error *err)
{
	enum vk_status status = vk_repair_search(repair, true, NULL, err);

	return status == VK_OK ? rebuild(repair, err) : status;
}

static enum vk_status think(struct vk_repair *repair, struct vk_error *err)
{
	enum vk_repair_scan scan = repair->options.scan;
	enum vk_status status;
	bool explained = false;

	if (scan == VK_REPAIR_SCAN_WHOLE) {
		snprintf(repair->why_scanned, sizeof(repair->why_scanned), "It was asked for");
		return look_everywhere(repair, err);
	}
	status = vk_repair_search(repair, false, NULL, err);
	if (status != VK_OK)
		return status;
	status = rebuild(repair, err);
	if (scan == VK_REPAIR_SCAN_LIKELY) {
		snprintf(repair->why_scanned, sizeof(repair->why_scanned), "Only the likely places were asked for");
		return status;
	}
	if (status == VK_ABSENT)
		snprintf(repair->why_scanned, sizeof(repair->why_scanned), "Nothing lies at the likely places");
	else if (status == VK_OK)
		status = is_explained(repair, &explained, err);
	if (explained || (status != VK_OK && status != VK_ABSENT))
		return status;
	return look_everywhere(repair, err);
}

/* What of an entry is not known to be as it was, as the end of a sentence. */
static void say_unknown(const struct vk_planned_entry *entry, struct vk_text *text)
{
	const struct vk_partition *p = &entry->partition;
	bool end = !entry->length_exact && !entry->length_rounded;

	vk_text_fmt(text, "Partition %u at sector %" PRIu64 ": ", p->number, p->start_sector);
	if (vk_partition_is_extended(p))
		vk_text_put(text, "place and length are made to hold its logical ones");
	else if (end && entry->candidate == SIZE_MAX && p->gpt && !entry->length_said)
		vk_text_put(text, "nothing proves any of it");
	else
		vk_text_fmt(text, "%s%s%s", end ? "its end is a guess, " : "", entry->number_exact ? "" : "its number is counted, ",
			    !p->gpt ? "boot flag, heads and sectors are the usual ones"
			    : entry->guid_fresh ? "its unique GUID is new, and its name and attributes are the usual ones"
						: "no checksum proves its GUID, name and attributes");
	vk_text_fmt(text, ". %s", entry->why);
}

static bool say_entry(const struct vk_planned_entry *entry, bool guessed, struct vk_rebuilt *rebuilt)
{
	const struct vk_partition *p = &entry->partition;
	uint64_t last = p->start_sector + p->sectors - (p->sectors > 0);
	const char *origin = vk_entry_origin_name(entry->origin);
	char unknown[500];
	struct vk_text text;

	if (entry->bytes_exact)
		return vk_rebuilt_say(&rebuilt->exact, "Partition %u, sectors %" PRIu64 " to %" PRIu64 ", byte for byte: %s. %s",
				      p->number, p->start_sector, last, origin, entry->why);
	if (entry->stands)
		return true;
	vk_text_init(&text, unknown, sizeof(unknown));
	say_unknown(entry, &text);
	if (guessed && !vk_rebuilt_say(&rebuilt->guessed, "%s", unknown))
		return false;
	if (entry->guid_fresh &&
	    !vk_rebuilt_say(&rebuilt->fresh, "The unique GUID of partition %u", p->number))
		return false;
	if (!entry->number_exact &&
	    !vk_rebuilt_say(&rebuilt->fresh, "The number of partition %u, counted in the order of the disk", p->number))
		return false;
	/* where a volume begins, and of what type its partition is, its own contents say */
	return entry->candidate == SIZE_MAX ||
	       vk_rebuilt_say(&rebuilt->exact, "Partition %u: %s %" PRIu64 "%s%" PRIu64 " and its type: %s. %s", p->number,
			      entry->length_exact ? "sectors" : "first sector", p->start_sector,
			      entry->length_exact ? " to " : ", not the last one, ", last, origin, entry->why);
}

static bool say(const struct vk_rebuild_table *table, struct vk_rebuilt *rebuilt)
{
	bool sound = true;

	snprintf(rebuilt->what, sizeof(rebuilt->what), "table");
	for (size_t i = 0; sound && i < table->entry_count; i++)
		sound = say_entry(&table->entries[i], table->guessed, rebuilt);
	if (sound && table->kind == VK_TABLE_GPT && table->disk_guid_fresh)
		sound = vk_rebuilt_say(&rebuilt->fresh, "The GUID of the disk") &&
			vk_rebuilt_say(&rebuilt->guessed, "The GUID of the disk is new: no header has one any more");
	if (sound && table->disk_guid_guessed)
		sound = vk_rebuilt_say(&rebuilt->guessed, "The GUID of the disk, of a damaged header that nothing proves");
	for (size_t i = 0; sound && i < table->doubt_count; i++)
		sound = vk_rebuilt_say(&rebuilt->guessed, "%s", table->doubts[i]);
	for (size_t i = 0; sound && i < table->lost_count; i++)
		sound = vk_rebuilt_say(&rebuilt->lost, "%s", table->lost[i]);
	return sound;
}

enum vk_status vk_repair_plan_table(const char *target, const struct vk_repair_options *options,
				    struct vk_repair **ret_repair, struct vk_error *err)
{
	struct vk_repair *repair = calloc(1, sizeof(*repair));
	struct vk_rebuilt rebuilt = {.range_count = 0};
	enum vk_status status;

	if (repair == NULL)
		return vk_repair_no_memory(err);
	repair->options = *options;
	status = vk_repair_open(repair, target, VK_SOURCE_DISK, err);
	if (status == VK_OK)
		status = vk_repair_consult(repair, err);
	if (status == VK_OK)
		status = think(repair, err);
	if (status == VK_OK && !say(&repair->table, &rebuilt))
		status = vk_repair_no_memory(err);
	if (status == VK_OK)
		status = vk_repair_finish(repair, &rebuilt, NULL, err);
	vk_rebuilt_free(&rebuilt);
	if (status != VK_OK) {
		vk_repair_free(repair);
		return status;
	}
	*ret_repair = repair;
	return VK_OK;
}
