/* SPDX-License-Identifier: Apache-2.0 */
/* Compares the partitions of two tables: what came, went, moved, or is described in another way. */
#include <stdio.h>
#include <string.h>

#include "base/checked.h"
#include "store/diff/differ.h"

enum { TYPE_BYTES = 100 };

static struct vk_diff_topic topic_of(unsigned number, const char *field)
{
	return (struct vk_diff_topic){
		.partition = number, .subject = "partition table", .field = field, .short_message = true};
}

static uint64_t end_sector(const struct vk_partition *p)
{
	return p->sectors > 0 ? vk_add_sat(p->start_sector, p->sectors - 1) : p->start_sector;
}

static uint64_t byte_of(const struct vk_differ *d, int side, uint64_t sector)
{
	return vk_mul_sat(sector, d->side[side]->sector_size);
}

static void text_type(const struct vk_partition *p, char ret_text[TYPE_BYTES], const char **ret_name)
{
	char type[VK_GUID_TEXT_BYTES];

	vk_partition_type(p, type, ret_name);
	snprintf(ret_text, TYPE_BYTES, "%s (%s)", type, *ret_name);
}

/* It came or went: only one side has it. */
static void report_single(struct vk_differ *d, int side, const struct vk_partition *p)
{
	const struct vk_diff_topic topic = topic_of(p->number, "partition");
	char type[TYPE_BYTES], text[VK_DIFF_TEXT_BYTES];
	const char *name;

	/* a logical partition is known by the record in front of it, which a capture need not hold */
	if (p->logical &&
	    vk_io_held(d->side[!side]->io, p->entry_offset_bytes, VK_MBR_ENTRY_BYTES) != VK_MBR_ENTRY_BYTES)
		return;
	text_type(p, type, &name);
	snprintf(text, sizeof(text), "sectors %llu to %llu, type %s", (unsigned long long)p->start_sector,
		 (unsigned long long)end_sector(p), type);
	if (side == VK_BEFORE)
		vk_diff_report(d, &topic, text, "none", "removed from the table (was %s)", text);
	else
		vk_diff_report(d, &topic, "none", text, "added to the table (%s)", text);
}

/* What the entries say beyond start and end; the same type is written in another way when a table was converted. */
static void compare_entries(struct vk_differ *d, const struct vk_partition *const pair[VK_SIDES], bool moved)
{
	const bool gpt = pair[VK_BEFORE]->gpt;
	uint8_t bytes[VK_SIDES][VK_GPT_ENTRY_BYTES] = {{0}};
	struct vk_diff_structure s = {.layout = gpt ? &vk_gpt_entry_layout : &vk_mbr_entry_layout,
				      .topic = topic_of(pair[VK_BEFORE]->number, "type"),
				      .bytes = {bytes[VK_BEFORE], bytes[VK_AFTER]},
				      .silent = {"firstLBA", "sectors", moved ? "firstCHS" : NULL,
						 moved ? "lastCHS" : NULL}};
	char types[VK_SIDES][TYPE_BYTES];
	const char *names[VK_SIDES];

	for (int side = 0; side < VK_SIDES; side++)
		text_type(pair[side], types[side], &names[side]);
	if (gpt != pair[VK_AFTER]->gpt) {
		if (strcmp(names[VK_BEFORE], names[VK_AFTER]) != 0)
			vk_diff_report(d, &s.topic, types[VK_BEFORE], types[VK_AFTER], NULL);
		return;
	}
	/* on a GPT the entry of the copy that is believed */
	for (int side = 0; side < VK_SIDES; side++)
		if (gpt)
			(void)vk_gpt_entry_encode(&pair[side]->entry, bytes[side], VK_GPT_ENTRY_BYTES);
		else if (vk_diff_read(d, side, pair[side]->entry_offset_bytes, bytes[side], VK_MBR_ENTRY_BYTES) <
			 VK_MBR_ENTRY_BYTES)
			return;
	vk_diff_rows(d, &s);
}

static void compare_partition(struct vk_differ *d, const void *of_before, const void *of_after)
{
	const struct vk_partition *before = of_before, *after = of_after;
	const struct vk_partition *const pair[VK_SIDES] = {before, after};
	struct vk_diff_topic topic;
	char starts[VK_SIDES][24];
	bool started, ended;

	if (before == NULL || after == NULL) {
		report_single(d, before != NULL ? VK_BEFORE : VK_AFTER, before != NULL ? before : after);
		return;
	}
	topic = topic_of(before->number, "number");
	started = byte_of(d, VK_BEFORE, before->start_sector) != byte_of(d, VK_AFTER, after->start_sector);
	ended = (!started || before->sectors != after->sectors) &&
		byte_of(d, VK_BEFORE, vk_add_sat(end_sector(before), 1)) !=
			byte_of(d, VK_AFTER, vk_add_sat(end_sector(after), 1));
	if (before->number != after->number)
		vk_diff_report_number(d, &topic, before->number, after->number);
	for (int side = 0; side < VK_SIDES; side++)
		snprintf(starts[side], sizeof(starts[side]), "%llu", (unsigned long long)pair[side]->start_sector);
	topic.field = "start sector";
	if (started)
		vk_diff_report(d, &topic, starts[VK_BEFORE], starts[VK_AFTER], "start sector %s -> %s%s",
			       starts[VK_BEFORE], starts[VK_AFTER],
			       before->sectors == after->sectors ? ", length unchanged" : "");
	topic.field = "end sector";
	if (ended)
		vk_diff_report_number(d, &topic, end_sector(before), end_sector(after));
	compare_entries(d, pair, started || ended);
}

static uint64_t start_of(const struct vk_differ *d, int side, const void *item, unsigned *ret_number)
{
	const struct vk_partition *p = item;

	*ret_number = p->number;
	return byte_of(d, side, p->start_sector);
}

void vk_diff_partitions(struct vk_differ *d)
{
	const struct vk_table *before = &d->side[VK_BEFORE]->table, *after = &d->side[VK_AFTER]->table;
	const struct vk_diff_lists lists = {{before->partitions, after->partitions},
					    {before->partition_count, after->partition_count},
					    sizeof(struct vk_partition), start_of, compare_partition};

	vk_diff_pairs(d, &lists);
}
