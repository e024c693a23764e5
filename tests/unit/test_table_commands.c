/* SPDX-License-Identifier: Apache-2.0 */
/*
 * At which LUN the commands for an ESXi host aim: at one that the kernel confirms, else at none. And the longest line that an
 * entry of a GPT can make for sfdisk.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "report/table_commands.h"

#define RECORDED "naa.600144f000000000000000000000beef"
#define OTHER "naa.600144f000000000000000000000cafe"

/* The device of the first command; which, when it is not NULL, has to say it. */
static void aims(const char *name, const char *live, const char *device, const char *which)
{
	const struct vk_rebuild_table table = {
		.kind = VK_TABLE_MBR, .sector_size = 512, .disk_sectors = 4096, .nothing_to_do = true};
	const struct vk_table_commands_options options = {.esxi_name = name, .live_name = live};
	struct vk_table_commands commands;
	char expected[200] = "partedUtil getptbl /vmfs/devices/disks/";

	assert_int_equal(vk_table_commands_make(&table, &options, &commands, NULL), VK_OK);
	strcat(expected, device);
	assert_string_equal(commands.esxi.lines.items[0], expected);
	if (which == NULL)
		assert_null(commands.esxi_which);
	else
		assert_non_null(strstr(commands.esxi_which, which));
	vk_table_commands_free(&commands);
}

static void test_confirmed(void **state)
{
	(void)state;
	aims(RECORDED, RECORDED, RECORDED, NULL);
	aims(RECORDED, "naa.600144F000000000000000000000BEEF", RECORDED, NULL);
	aims("mpx.vmhba32:C0:T0:L0", "mpx.vmhba32:C0:T0:L0", "mpx.vmhba32\\:C0\\:T0\\:L0", NULL);
}

static void test_replica(void **state)
{
	(void)state;
	aims(RECORDED, OTHER, "DEVICE", "WARNING: the header was written for another LUN, " RECORDED "; this one is " OTHER);
}

static void test_cannot_be_told(void **state)
{
	(void)state;
	aims(RECORDED, "", "DEVICE", "the header was written for " RECORDED ": check which LUN this is");
	aims(RECORDED, NULL, "DEVICE", "the header was written for " RECORDED ": check which LUN this is");
	aims(RECORDED, "t10.ATA disk", "DEVICE", "the header was written for " RECORDED ": check which LUN this is");
	aims(NULL, OTHER, "DEVICE", "replace DEVICE with the name of the LUN");
}

/* 36 characters of three bytes each, every one an escape, and every attribute bit. */
static void test_longest_line(void **state)
{
	struct vk_planned_entry entry = {.partition = {.number = 128, .gpt = true, .start_sector = 1ULL << 60, .sectors = 1ULL << 60}};
	struct vk_rebuild_table table = {
		.kind = VK_TABLE_GPT, .sector_size = 512, .disk_sectors = UINT64_MAX / 512, .entries = &entry, .entry_count = 1};
	const struct vk_table_commands_options options = {
		.linux_device = "/dev/disk/by-id/a-name-that-is-as-long-as-names-of-devices-may-be-here"};
	struct vk_table_commands commands;
	const char *line, *name, *attributes;
	size_t len;

	(void)state;
	memset(&entry.partition.entry.uniqueGUID, 0x77, sizeof(entry.partition.entry.uniqueGUID));
	for (size_t i = 0; i < 36; i++)
		memcpy(entry.partition.entry.name + 2 * i, "\x3c\x75", 2); /* U+753C */
	entry.partition.entry.attributes = UINT64_MAX;
	assert_int_equal(vk_table_commands_make(&table, &options, &commands, NULL), VK_OK);
	line = commands.sfdisk.lines.items[commands.sfdisk.lines.count - 1];
	len = strlen(line);
	name = strstr(line, "name=\"");
	attributes = strstr(line, "attrs=\"");
	assert_non_null(name);
	assert_non_null(attributes);
	for (size_t i = 0; i < 36; i++)
		assert_memory_equal(name + 6 + 12 * i, "\\xe7\\x94\\xbc", 12);
	assert_int_equal(name[6 + 36 * 12], '"');
	assert_string_equal(line + len - 8, "GUID:63\"");
	for (unsigned bit = 48; bit < 64; bit++) {
		char word[16];

		snprintf(word, sizeof(word), "GUID:%u", bit);
		assert_non_null(strstr(attributes, word));
	}
	vk_table_commands_free(&commands);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_confirmed),
		cmocka_unit_test(test_replica),
		cmocka_unit_test(test_cannot_be_told),
		cmocka_unit_test(test_longest_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
