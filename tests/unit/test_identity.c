/* SPDX-License-Identifier: Apache-2.0 */
/* The recorded id of a LUN against the live one: which names can be compared, and what a difference says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "evidence/identity.h"

#define NAA16 "naa.600144f07ed404000000496ff8cd0003"
#define OTHER16 "naa.600144f07ed404000000496ff8cd0004"
#define NAA8 "naa.5005076719d163d8"
#define EUI "eui.0025385b71b0aaaa"

static void names(void **state)
{
	static const struct {
		const char *recorded, *live;
		enum vk_lun_relation relation;
	} rows[] = {
		{NAA16, NAA16, VK_LUN_SAME},
		{NAA16, "NAA.600144F07ED404000000496FF8CD0003", VK_LUN_SAME},
		{NAA16, OTHER16, VK_LUN_OTHER},
		{NAA8, "naa.5005076719d163d9", VK_LUN_OTHER},
		/* each may be a name of the same LUN */
		{NAA8, NAA16, VK_LUN_OTHER_LENGTH},
		{NAA16, EUI, VK_LUN_NOT_COMPARABLE},
		{NAA16, "t10.ATA     Disk", VK_LUN_NOT_COMPARABLE},
		{NAA16, "", VK_LUN_NOT_COMPARABLE},
		{"", "", VK_LUN_NOT_COMPARABLE},
		{"serial S1", "t10.ATA     Disk S1", VK_LUN_NOT_COMPARABLE},
		{"serial S1", "serial S1", VK_LUN_SAME},
		{"serial S1", "serial S2", VK_LUN_OTHER},
		/* inferred: no evidence for another LUN */
		{EUI, EUI, VK_LUN_SAME},
		{EUI, "eui.0025385b71b0bbbb", VK_LUN_NOT_COMPARABLE},
		/* a place */
		{"mpx.vmhba1:C0:T0:L0", "mpx.vmhba1:C0:T0:L0", VK_LUN_NOT_COMPARABLE},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (vk_lun_relate_names(rows[i].recorded, rows[i].live) != rows[i].relation)
			fail_msg("%s against %s", rows[i].recorded, rows[i].live);
}

static struct vk_scsi_disk_id id_of(const char *name, uint16_t lun)
{
	struct vk_scsi_disk_id id;

	assert_int_equal(vk_scsi_disk_id_from_name(name, "COMSTAR", lun, &id), VK_OK);
	return id;
}

static void ids(void **state)
{
	struct vk_scsi_disk_id id = id_of(NAA16, 3);
	struct vk_live_lun live = {.name = NAA16};
	char name[VK_SCSI_NAME_BYTES];

	(void)state;
	assert_int_equal(vk_lun_relate(&id, &live, name), VK_LUN_SAME);
	assert_string_equal(name, NAA16);
	live.number_known = true;
	live.number = 3;
	assert_int_equal(vk_lun_relate(&id, &live, name), VK_LUN_SAME);
	live.number = 4;
	assert_int_equal(vk_lun_relate(&id, &live, name), VK_LUN_OTHER_NUMBER);
	/* another LUN is that, whatever its number */
	live.name = OTHER16;
	assert_int_equal(vk_lun_relate(&id, &live, name), VK_LUN_OTHER);
	/* the model's characters are no part of it */
	id.id[17] = 'X';
	live = (struct vk_live_lun){.name = NAA16};
	assert_int_equal(vk_lun_relate(&id, &live, name), VK_LUN_SAME);
	/* 16 bytes announced as 8: what is inferred from that does not accuse */
	id.len = 14;
	live.name = NAA8;
	assert_int_equal(vk_lun_relate(&id, &live, name), VK_LUN_NOT_COMPARABLE);
	/* nothing recorded */
	id = (struct vk_scsi_disk_id){.type = 0};
	live.name = NAA16;
	assert_int_equal(vk_lun_relate(&id, &live, name), VK_LUN_NOT_COMPARABLE);
	assert_string_equal(name, "");
	id = id_of("mpx.vmhba1:C0:T0:L0", 0);
	assert_int_equal(vk_lun_relate(&id, &live, name), VK_LUN_NOT_COMPARABLE);
	assert_string_equal(name, "mpx.vmhba1:C0:T0:L0");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names),
		cmocka_unit_test(ids),
	};

	return cmocka_run_group_tests_name("identity", tests, NULL, NULL);
}
