/* SPDX-License-Identifier: Apache-2.0 */
/* Compares the partitions of two tables: what came, went, moved, or is described in another way. */
#include <stdio.h>
#include <string.h>

#include "base/checked.h"
#include "store/diff/differ.h"

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

/* A logical partition is known by the record in front of it, which a capture need not hold. */
static bool other_side_knows(struct vk_differ *d, int side, const struct vk_partition *p)
{
	return !p->logical ||
	       vk_io_held(d->side[!side]->io, p->entry_offset_bytes, VK_MBR_ENTRY_BYTES) == VK_MBR_ENTRY_BYTES;
}

enum { TYPE_BYTES = 100 };

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

	if (!other_side_knows(d, side, p))
		return;
	text_type(p, type, &name);
	snprintf(text, sizeof(text), "sectors %llu to %llu, type %s", (unsigned long long)p->start_sector,
		 (unsigned long long)end_sector(p), type);
	if (side == VK_BEFORE)
		vk_diff_report(d, &topic, text, "none", "removed from the table (was %s)", text);
	else
		vk_diff_report(d, &topic, "none", text, "added to the table (%s)", text);
}

/* The bytes of the entry, on a GPT those of the copy that is believed; false when they are not held. */
static bool entry_bytes(struct vk_differ *d, int side, const struct vk_partition *p,
			uint8_t ret_bytes[VK_GPT_ENTRY_BYTES])
{
	if (p->gpt)
		return vk_layout_encode(&vk_gpt_entry_layout, &p->entry, ret_bytes, VK_GPT_ENTRY_BYTES) ==
		       VK_GPT_ENTRY_BYTES;
	return vk_diff_read(d, side, p->entry_offset_bytes, ret_bytes, VK_MBR_ENTRY_BYTES) == VK_MBR_ENTRY_BYTES;
}

/* What the entries say beyond start and end; the same type is written in another way when a table was converted. */
static void compare_entries(struct vk_differ *d, unsigned number, const struct vk_partition *const pair[VK_SIDES],
			    bool moved)
{
	uint8_t bytes[VK_SIDES][VK_GPT_ENTRY_BYTES] = {{0}};
	struct vk_diff_structure s = {.topic = topic_of(number, ""), .bytes = {bytes[VK_BEFORE], bytes[VK_AFTER]}};
	char types[VK_SIDES][TYPE_BYTES];
	const char *names[VK_SIDES];

	if (pair[VK_BEFORE]->gpt != pair[VK_AFTER]->gpt) {
		for (int side = 0; side < VK_SIDES; side++)
			text_type(pair[side], types[side], &names[side]);
		s.topic.field = "type";
		if (strcmp(names[VK_BEFORE], names[VK_AFTER]) != 0)
			vk_diff_report(d, &s.topic, types[VK_BEFORE], types[VK_AFTER], NULL);
		return;
	}
	for (int side = 0; side < VK_SIDES; side++)
		if (!entry_bytes(d, side, pair[side], bytes[side]))
			return;
	s.layout = pair[VK_BEFORE]->gpt ? &vk_gpt_entry_layout : &vk_mbr_entry_layout;
	if (!pair[VK_BEFORE]->gpt) {
		s.silent[0] = "firstLBA";
		s.silent[1] = "sectors";
		s.silent[2] = moved ? "firstCHS" : NULL;
		s.silent[3] = moved ? "lastCHS" : NULL;
	}
	vk_diff_rows(d, &s);
}

static void compare_pair(struct vk_differ *d, const struct vk_partition *before, const struct vk_partition *after)
{
	const struct vk_partition *const pair[VK_SIDES] = {before, after};
	const unsigned number = before->number;
	const bool started = byte_of(d, VK_BEFORE, before->start_sector) != byte_of(d, VK_AFTER, after->start_sector);
	const bool ended = (!started || before->sectors != after->sectors) &&
			   byte_of(d, VK_BEFORE, vk_add_sat(end_sector(before), 1)) !=
				   byte_of(d, VK_AFTER, vk_add_sat(end_sector(after), 1));
	struct vk_diff_topic topic = topic_of(number, "number");
	char starts[VK_SIDES][24];

	if (number != after->number)
		vk_diff_report_number(d, &topic, number, after->number);
	snprintf(starts[VK_BEFORE], sizeof(starts[0]), "%llu", (unsigned long long)before->start_sector);
	snprintf(starts[VK_AFTER], sizeof(starts[0]), "%llu", (unsigned long long)after->start_sector);
	topic.field = "start sector";
	if (started)
		vk_diff_report(d, &topic, starts[VK_BEFORE], starts[VK_AFTER], "start sector %s -> %s%s",
			       starts[VK_BEFORE], starts[VK_AFTER],
			       before->sectors == after->sectors ? ", length unchanged" : "");
	topic.field = "end sector";
	if (ended)
		vk_diff_report_number(d, &topic, end_sector(before), end_sector(after));
	compare_entries(d, number, pair, started || ended);
}

static void compare_partition(struct vk_differ *d, const void *before, const void *after)
{
	if (before != NULL && after != NULL)
		compare_pair(d, before, after);
	else
		report_single(d, before != NULL ? VK_BEFORE : VK_AFTER, before != NULL ? before : after);
}

static struct vk_diff_key key_of(const struct vk_differ *d, int side, const void *item)
{
	const struct vk_partition *p = item;

	return (struct vk_diff_key){byte_of(d, side, p->start_sector), p->number};
}

void vk_diff_partitions(struct vk_differ *d)
{
	const struct vk_table *before = &d->side[VK_BEFORE]->table, *after = &d->side[VK_AFTER]->table;
	const struct vk_diff_lists lists = {{before->partitions, after->partitions},
					    {before->partition_count, after->partition_count},
					    sizeof(struct vk_partition), key_of, compare_partition};

	vk_diff_pairs(d, &lists);
}
