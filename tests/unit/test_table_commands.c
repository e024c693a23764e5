/* SPDX-License-Identifier: Apache-2.0 */
/* At which LUN the commands for an ESXi host aim: at one that the kernel confirms, else at none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
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
	assert_string_equal(commands.esxi[0], expected);
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
	aims(RECORDED, "", "DEVICE", "the header was written for " RECORDED ": make sure which LUN this is");
	aims(RECORDED, NULL, "DEVICE", "the header was written for " RECORDED ": make sure which LUN this is");
	aims(RECORDED, "t10.ATA disk", "DEVICE", "the header was written for " RECORDED ": make sure which LUN this is");
	aims(NULL, OTHER, "DEVICE", "put the name of the LUN for DEVICE");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_confirmed),
		cmocka_unit_test(test_replica),
		cmocka_unit_test(test_cannot_be_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
