/* SPDX-License-Identifier: Apache-2.0 */
/* Repairs a partition table: search as far as needed, let the planner decide, say what is exact and what is not. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/checked.h"
#include "io/range_set.h"
#include "repair/guard/guards.h"
#include "repair/repair_state.h"
#include "store/manifest/rebuilt.h"

/* No VMFS volume is that small; what alignment and cylinders leave over is smaller. */
static const uint64_t gap_bytes = 16 << 20;

/* A device with larger sectors than those that the table is to count in: what is there. */
static enum vk_status refuse_larger(struct vk_repair *repair, const char *target, struct vk_error *err)
{
	uint32_t to = repair->options.table.convert_sectors, device;
	const struct vk_source *source;
	struct vk_target found;
	struct vk_error ignored;

	if (vk_target_open(target, VK_SOURCE_DISK, 0, &repair->options.restore.view, &found, &ignored) != VK_OK)
		return VK_USAGE;
	source = &found.source;
	device = vk_io_sector_size(source->given);
	if (!vk_io_is_device(source->given) || device <= to) {
		vk_target_close(&found);
		return VK_USAGE;
	}
	vk_error_set(err, VK_USAGE, target, "nothing to convert: the device has sectors of %" PRIu32 " bytes (4Kn)%s",
		     device, source->readings.items[0].kind == VK_READING_UNITS
				     ? ", and its table counts sectors of 512 as ESXi has it there"
			     : vk_table_sound_kind(&source->table) != VK_TABLE_NONE
				     ? ", and its table counts such sectors, so hosts see it"
				     : ", and no sound table is on it");
	vk_error_remedy(err, "leave it as it is: a table is converted where hosts have the LUN with sectors of %" PRIu32
			     " bytes and its table counts larger ones; vmfskit decode shows what is there", to);
	vk_target_close(&found);
	return VK_USAGE;
}

static enum vk_status open_disk(struct vk_repair *repair, const char *target, struct vk_error *err)
{
	enum vk_status status;

	/* as hosts with the sectors that the table is to count in see it */
	if (repair->options.table.convert_sectors != 0)
		repair->options.restore.sector_size = repair->options.table.convert_sectors;
	status = vk_repair_open(repair, target, VK_SOURCE_DISK, err);
	return status == VK_USAGE && repair->options.table.convert_sectors != 0 ? refuse_larger(repair, target, err)
										 : status;
}

static enum vk_status rebuild_table(struct vk_repair *repair, struct vk_error *err)
{
	struct vk_rebuild_table_options options = repair->options.table;
	struct vk_known_table *known = calloc(repair->known_count + 1, sizeof(*known));
	enum vk_status status;

	if (known == NULL)
		return vk_no_memory(err, NULL);
	options.known = known;
	options.known_count = 0;
	for (size_t i = 0; i < repair->known_count; i++) {
		const struct vk_known *item = &repair->known[i];

		/* one with other sectors is not used, and the planner says so */
		if (item->source.kind == VK_SOURCE_DISK)
			known[options.known_count++] = (struct vk_known_table){
				.source = &item->source,
				.name = item->name,
				.disk_bytes = item->capture.size_uncertain ? 0 : item->capture.size_bytes};
	}
	status = vk_rebuild_table(&repair->target.source, &repair->find, &options, repair->overlay, &repair->table,
				  err);
	repair->has_table = status == VK_OK;
	free(known);
	return status;
}

/* A range of the disk that no entry accounts for, large enough for a volume. */
static bool find_gap(const struct vk_repair *repair, const struct vk_range_set *taken, struct vk_range *ret_gap)
{
	uint64_t size = repair->target.source.size_bytes;

	for (uint64_t at = 0, length; at < size; at += length) {
		struct vk_span span;

		length = size - at;
		if (vk_range_set_holds(taken, at, &length) || length < gap_bytes)
			continue;
		span = vk_io_span(repair->target.source.io, at);
		if (span.state == VK_SPAN_ZERO && span.length_bytes >= length)
			continue;
		*ret_gap = (struct vk_range){at, length};
		return true;
	}
	return false;
}

/* What the likely places told accounts for the whole disk, or not: says why in either case. */
static bool is_enough(struct vk_repair *repair, enum vk_status status)
{
	uint32_t ss = repair->target.source.sector_size;
	struct vk_range_set taken = {.count = 0};
	struct vk_range gap;
	char *why = repair->why_scanned;
	size_t living = 0, guesses = 0;
	bool fits = true, enough = false, has_gap;

	for (size_t i = 0; i < repair->find.count; i++)
		living += repair->find.candidates[i].standing == VK_STANDING_LIVING;
	for (size_t i = 0; fits && i < repair->table.entry_count; i++) {
		const struct vk_planned_entry *entry = &repair->table.entries[i];

		guesses += !entry->length_exact && !entry->length_said;
		if (!vk_partition_is_extended(&entry->partition))
			fits = vk_range_set_add(&taken, vk_mul_sat(entry->partition.start_sector, ss),
						vk_mul_sat(entry->partition.sectors, ss));
	}
	has_gap = find_gap(repair, &taken, &gap);
	if (status == VK_ABSENT) {
		strcpy(why, "nothing lies at the likely places");
	} else if (repair->table.nothing_to_do) {
		/* a deleted partition leaves a sound table and room that it does not account for */
		enough = !has_gap;
		strcpy(why, enough ? "the table is sound" : "the table is sound, but leaves a part of the disk "
		       "unexplained");
	} else if (living == 0) {
		strcpy(why, "no sound volume lies at the likely places");
	} else if (guesses > 0) {
		strcpy(why, "the likely places do not show the length of every partition");
	} else if (has_gap) {
		snprintf(why, sizeof(repair->why_scanned),
			 "the likely places leave %" PRIu64 " bytes from byte %" PRIu64 " on unexplained",
			 gap.length_bytes, gap.offset_bytes);
	} else {
		enough = true;
		strcpy(why, "the likely places explain the whole disk");
	}
	vk_range_set_free(&taken);
	return enough && fits;
}

static bool describe_entry(const struct vk_rebuild_table *table, const struct vk_planned_entry *entry,
			   struct vk_rebuilt *rebuilt)
{
	const struct vk_partition *p = &entry->partition;
	uint64_t last = p->start_sector + p->sectors - (p->sectors > 0);
	const char *origin = vk_entry_origin_name(entry->origin);
	bool exact = entry->length_exact, end = !exact && !entry->length_rounded, fits = true;
	char unknown[500];
	struct vk_text text = vk_text_in(unknown, sizeof(unknown));

	if (entry->bytes_exact)
		return vk_rebuilt_say(&rebuilt->exact, "partition %u, sectors %" PRIu64 " to %" PRIu64 ", %s: %s. %s",
				      p->number, p->start_sector, last,
				      table->converted_from == 0 ? "byte for byte" : "the same bytes of the disk, "
										     "number, GUIDs and name",
				      origin, entry->why);
	if (entry->stands)
		return true;
	/* what of it is not known to be as it was */
	if (vk_partition_is_extended(p))
		vk_text_put(&text, "place and length are chosen for its logical partitions");
	else if (end && entry->candidate == SIZE_MAX && p->gpt && !entry->length_said)
		vk_text_put(&text, "nothing proves any of it");
	else
		vk_text_fmt(&text, "%s%s%s", end ? "its end is a guess, " : "",
			    entry->number_exact ? "" : "its number is assumed, ",
			    !p->gpt ? "boot flag, heads and sectors are the usual ones"
			    : entry->guid_fresh ? "its unique GUID is new, and its name and attributes are the usual "
			    "ones"
						: "no checksum proves its GUID, name and attributes");
	if (table->guessed)
		fits = vk_rebuilt_say(&rebuilt->guessed, "partition %u at sector %" PRIu64 ": %s. %s", p->number,
				      p->start_sector, unknown, entry->why);
	if (fits && entry->guid_fresh)
		fits = vk_rebuilt_say(&rebuilt->fresh, "the unique GUID of partition %u", p->number);
	if (fits && !entry->number_exact)
		fits = vk_rebuilt_say(&rebuilt->fresh, "the number of partition %u, from the order on the disk",
				      p->number);
	/* where a volume begins, and of what type its partition is, its own contents say */
	if (fits && entry->candidate != SIZE_MAX)
		fits = vk_rebuilt_say(&rebuilt->exact, "partition %u: %s %" PRIu64 "%s%" PRIu64 " and its type: %s. %s",
				      p->number, exact ? "sectors" : "first sector", p->start_sector,
				      exact ? " to " : ", not the last one, ", last, origin, entry->why);
	return fits;
}

static bool describe_table(const struct vk_repair *repair, struct vk_rebuilt *rebuilt)
{
	const struct vk_rebuild_table *table = &repair->table;
	bool sound = true;

	snprintf(rebuilt->what, sizeof(rebuilt->what), "table");
	for (size_t i = 0; sound && i < table->entry_count; i++)
		sound = describe_entry(table, &table->entries[i], rebuilt);
	if (sound && table->kind == VK_TABLE_GPT && table->disk_guid_fresh)
		sound = vk_rebuilt_say(&rebuilt->fresh, "the GUID of the disk") &&
			vk_rebuilt_say(&rebuilt->guessed, "the GUID of the disk is new: no header contains one any "
							  "more");
	if (sound && table->disk_guid_guessed)
		sound = vk_rebuilt_say(&rebuilt->guessed, "the GUID of the disk, of a damaged header that nothing "
				       "proves");
	for (size_t i = 0; sound && i < table->doubt_count; i++)
		sound = vk_rebuilt_say(&rebuilt->guessed, "%s", table->doubts[i]);
	for (size_t i = 0; sound && i < table->lost_count; i++)
		sound = vk_rebuilt_say(&rebuilt->lost, "%s", table->lost[i]);
	return sound;
}

enum vk_status vk_repair_plan_table(const char *target, const struct vk_repair_options *options,
				    struct vk_repair **ret_repair, struct vk_error *err)
{
	static const struct vk_repair_kind kind = {
		.why_likely = "only the likely places were requested",
		.worked_out = "the table was worked out",
		.open = open_disk,
		.rebuild = rebuild_table,
		.is_enough = is_enough,
		.describe = describe_table,
	};

	return vk_repair_plan(&kind, target, options, ret_repair, err);
}
