/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of partedUtil: read as a shell takes them apart, whatever they hold; which LUN they are for; what they would drop. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "rebuild/table/check_line.h"

#define LINE(device) "partedUtil setptbl " device " msdos \"1 128 4000 251 0\""
#define LUN "naa.600144f000000000000000000000beef"

static const struct vk_source source = {.size_bytes = 4096 * 512, .sector_size = 512};
static const struct vk_find nothing = {.count = 0};

/* The check of a line; free it. */
static struct vk_line_check *checked(const char *line, const struct vk_rebuild_table *table, const char *live)
{
	const struct vk_line_case against = {.source = &source, .find = &nothing, .table = table, .live_name = live};
	struct vk_line_check *check = calloc(1, sizeof(*check));
	struct vk_error err;

	assert_non_null(check);
	assert_int_equal(vk_setptbl_read(line, &check->line, &err), VK_OK);
	assert_int_equal(vk_line_check(&against, check, &err), VK_OK);
	return check;
}

static bool says(char **list, size_t count, const char *what)
{
	for (size_t i = 0; i < count; i++)
		if (strstr(list[i], what) != NULL)
			return true;
	return false;
}

static void free_check(struct vk_line_check *check)
{
	vk_line_check_free(check);
	free(check);
}

static void test_which_lun(void **state)
{
	struct vk_line_check *check = checked(LINE("/vmfs/devices/disks/" LUN), NULL, LUN);

	(void)state;
	assert_true(says(check->whole.right, check->whole.right_count, "the target is the LUN " LUN));
	free_check(check);
	check = checked(LINE("/vmfs/devices/disks/" LUN), NULL, "naa.600144f000000000000000000000cafe");
	assert_true(says(check->whole.wrong, check->whole.wrong_count, "the line is for the LUN " LUN ", the target is naa."));
	assert_false(check->sound);
	free_check(check);
	/* names of other kinds, or none, cannot be compared */
	check = checked(LINE("/vmfs/devices/disks/mpx.vmhba1\\:C0\\:T0\\:L0"), NULL, LUN);
	assert_string_equal(check->line.device, "/vmfs/devices/disks/mpx.vmhba1:C0:T0:L0");
	assert_true(says(check->whole.open, check->whole.open_count, "is not known here"));
	free_check(check);
	check = checked(LINE("/vmfs/devices/disks/" LUN ":1"), NULL, "");
	assert_true(says(check->whole.wrong, check->whole.wrong_count, "is a partition"));
	free_check(check);
}

static void test_what_it_drops(void **state)
{
	struct vk_planned_entry entries[] = {
		{.partition = {.number = 1, .start_sector = 128, .sectors = 3873, .mbr_type = 251}, .length_exact = true,
		 .number_exact = true},
		{.partition = {.number = 2, .start_sector = 4002, .sectors = 90, .mbr_type = 5}, .number_exact = true},
		{.partition = {.number = 5, .start_sector = 4003, .sectors = 80, .mbr_type = 251, .logical = true}},
	};
	struct vk_rebuild_table table = {
		.kind = VK_TABLE_MBR, .sector_size = 512, .disk_sectors = 4096, .entries = entries, .entry_count = 1};
	struct vk_line_check *check = checked(LINE("x"), &table, "");

	(void)state;
	assert_true(check->sound);
	assert_null(check->line_instead);
	free_check(check);
	table.entry_count = 3;
	check = checked(LINE("x"), &table, "");
	assert_false(check->sound);
	assert_true(says(check->whole.wrong, check->whole.wrong_count, "partition 2 and partedUtil cannot write it"));
	assert_true(says(check->whole.wrong, check->whole.wrong_count, "partition 5 and partedUtil cannot write it"));
	/* what it cannot write is not printed either */
	assert_null(check->line_instead);
	free_check(check);
}

/* The largest numbers, 128 entries, 129, and words without an end. */
static void test_bounds(void **state)
{
	struct vk_rebuild_table table = {.kind = VK_TABLE_GPT, .sector_size = 512, .disk_sectors = 4096,
					 .first_usable_lba = 34, .last_usable_lba = 4062};
	const char *entry = " \"1 9223372036854775807 9223372036854775807 AA31E02A400F11DB9590000C2911D1B8 4294967295\"";
	char line[20000] = "partedUtil setptbl x gpt";
	struct vk_setptbl *read = calloc(1, sizeof(*read));
	struct vk_line_check *check;
	struct vk_error err;
	size_t len = strlen(line);

	(void)state;
	assert_non_null(read);
	for (int i = 0; i < VK_SETPTBL_ENTRIES_MAX; i++, len += strlen(entry))
		strcpy(line + len, entry);
	check = checked(line, &table, "");
	assert_int_equal(check->line.count, VK_SETPTBL_ENTRIES_MAX);
	assert_false(check->sound);
	free_check(check);
	strcpy(line + len, entry);
	assert_int_equal(vk_setptbl_read(line, read, &err), VK_USAGE);
	assert_int_equal(vk_setptbl_read("partedUtil setptbl x gpt \"1 9223372036854775808 2 251 0\"", read, &err), VK_USAGE);
	memset(line, 'a', sizeof(line) - 1);
	memcpy(line, "partedUtil setptbl ", 19);
	line[sizeof(line) - 1] = '\0';
	assert_int_equal(vk_setptbl_read(line, read, &err), VK_USAGE);
	assert_non_null(strstr(err.what, "a word that is too long"));
	assert_int_equal(vk_setptbl_read("partedUtil setptbl x gpt \\", read, &err), VK_USAGE);
	free(read);
}

/* Whatever a line holds, it is read or refused. */
static void test_mutations(void **state)
{
	static const char good[] = "~ # partedUtil setptbl \"/vmfs/devices/disks/naa.1\" gpt '1 2048 4000 "
				   "AA31E02A400F11DB9590000C2911D1B8 0' \"2 4001 4002 EBD0A0A2-B9E5-4433-87C0-68B6B72699C7 128\"";
	struct vk_setptbl *read = calloc(1, sizeof(*read));
	unsigned seed = 20261130, refused = 0;

	(void)state;
	assert_non_null(read);
	for (int round = 0; round < 20000; round++) {
		char line[sizeof(good)];
		struct vk_error err;

		memcpy(line, good, sizeof(good));
		for (int i = 0; i < 3; i++) {
			seed = seed * 1103515245 + 12345;
			line[(seed >> 8) % (sizeof(good) - 1)] = (char)(seed >> 24);
		}
		refused += vk_setptbl_read(line, read, &err) == VK_USAGE;
		assert_true(read->count <= VK_SETPTBL_ENTRIES_MAX);
		assert_non_null(memchr(read->device, '\0', sizeof(read->device)));
	}
	assert_true(refused > 1000 && refused < 20000);
	free(read);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_which_lun),
		cmocka_unit_test(test_what_it_drops),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_mutations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
