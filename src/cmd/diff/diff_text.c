/* SPDX-License-Identifier: Apache-2.0 */
/* Shows what differs to people. */
#include <inttypes.h>
#include <string.h>

#include "cmd/diff/diff_run.h"

enum { RANGES_SHOWN = 40 };

static void show_side(FILE *out, const char *word, const struct vk_diff_side *side)
{
	fprintf(out, "%-7s ", word);
	if (side->is_capture) {
		fprintf(out, "%s %s, taken %s of ", side->capture.is_undo      ? "undo capture"
			: side->capture.is_rebuilt ? "rebuilt capture"
						   : "capture",
			side->capture.id, side->time);
		vk_cmd_show_label(out, side->capture.source_path);
		if (side->capture.host[0] != '\0') {
			fputs(" on ", out);
			vk_cmd_show_label(out, side->capture.host);
		}
	} else {
		fprintf(out, "%s ", vk_source_kind_name(side->source.kind));
		vk_cmd_show_label(out, side->name);
		fprintf(out, ", read %s", side->time);
	}
	fputs(", ", out);
	vk_cmd_show_size(out, side->source.size_bytes);
	fputc('\n', out);
}

static void show_changes(FILE *out, const struct vk_diff *diff, bool is_volatile, const char *title)
{
	bool first = true;

	for (size_t i = 0; i < diff->change_count; i++) {
		if (diff->changes[i].is_volatile != is_volatile)
			continue;
		if (first)
			fprintf(out, "\n%s\n", title);
		first = false;
		fprintf(out, "  %s\n", diff->changes[i].message);
	}
}

static void show_range(FILE *out, const struct vk_byte_change *range, uint32_t sector_size)
{
	char place[48];

	if (range->partition != 0)
		snprintf(place, sizeof(place), "partition %u %s", range->partition, vk_part_name(range->part));
	else
		snprintf(place, sizeof(place), "%s", vk_part_name(range->part));
	fprintf(out, "  %-24s %8" PRIu64 " byte%s at %" PRIu64 " (0x%" PRIx64 ", sector %" PRIu64 ")%s\n", place,
		range->length_bytes, range->length_bytes == 1 ? " " : "s", range->offset_bytes,
		range->offset_bytes, range->offset_bytes / sector_size,
		range->is_volatile ? " volatile" : "");
}

/* First those that matter: a busy heartbeat region must not push them off the screen. */
static void show_ranges(FILE *out, const struct vk_diff *diff, uint32_t sector_size)
{
	size_t shown = 0;

	if (diff->range_count == 0)
		return;
	fputs("\nBytes that differ:\n", out);
	for (int is_volatile = 0; is_volatile < 2; is_volatile++)
		for (size_t i = 0; i < diff->range_count && shown < RANGES_SHOWN; i++)
			if (diff->ranges[i].is_volatile == (is_volatile != 0)) {
				show_range(out, &diff->ranges[i], sector_size);
				shown++;
			}
	if (diff->range_count > shown)
		fprintf(out, "  and %zu more ranges; --json lists %s%zu\n",
			diff->range_count + diff->ranges_dropped - shown,
			diff->ranges_dropped > 0 ? "the first " : "all ", diff->range_count);
}

void vk_diff_put_text(const void *ctx)
{
	const struct vk_diff_run *run = ctx;
	const struct vk_diff *diff = &run->diff;
	FILE *out = run->cmd.call->out;

	show_side(out, "before", &run->sides[0]);
	show_side(out, "after", &run->sides[1]);
	if (diff->unrelated)
		fputs("\nThese are most likely two different disks: not one UUID or GUID of one is on the other.\n",
		      out);
	show_changes(out, diff, false, "Changed:");
	if (diff->changes_dropped > 0)
		fprintf(out, "  and %zu more changes, which are too many to list\n", diff->changes_dropped);
	show_changes(out, diff, true, "Changes by itself while hosts use the volume:");
	show_ranges(out, diff, run->sides[0].source.sector_size);
	fputc('\n', out);
	if (diff->missing_bytes > 0) {
		vk_cmd_show_size(out, diff->missing_bytes);
		fputs(" could not be compared: only one of the two holds them\n", out);
	}
	vk_cmd_show_size(out, diff->compared_bytes);
	fprintf(out, " compared: %s\n",
		diff->matters				      ? "different"
		: diff->range_count + diff->change_count == 0 ? "the same"
							      : "the same, but for what changes by itself");
}
