/* SPDX-License-Identifier: Apache-2.0 */
/* FS3_Heartbeat: published slots, and each finding on its own. */
#include "disk_support.h"
#include "vmfskit/heartbeat.h"

enum { DATA = 0x1200000 };
static struct vk_findings list;

static void check(const struct vk_heartbeat *hb, size_t seen, uint64_t volume_offset)
{
	const struct vk_finding_sink sink = vk_findings_sink(&list);

	vk_heartbeat_check(hb, seen, volume_offset, DATA + volume_offset, &sink);
}

static struct vk_heartbeat d6(void)
{
	uint8_t b[512];
	struct vk_heartbeat hb;

	sample_bytes("d6-heartbeats", 0x1594200, b, sizeof(b));
	assert_int_equal(vk_heartbeat_decode(b, sizeof(b), &hb), VK_HEARTBEAT_BYTES);
	assert_round_trip(&vk_heartbeat_layout, b, sizeof(b));
	return hb;
}

static void published_slots(void **state)
{
	const struct vk_layout *l = &vk_heartbeat_layout;
	struct vk_heartbeat hb = d6();
	uint8_t b[512] = {0};

	(void)state;
	assert_field(l, "state", &hb, "0xabcdef01 (free)");
	assert_int_equal(hb.addr, 0x394200);
	/* the place of the volume follows from the slot: a start of 2048 sectors and dataOffset */
	assert_int_equal(0x1594200 - hb.addr, 2048 * 512 + 0x1100000);
	assert_int_equal(hb.hbGen, 0xde);
	assert_int_equal(hb.driveX, 14);
	assert_int_equal(hb.driveY, 54);
	assert_true(vk_heartbeat_has_history(&hb));
	check(&hb, VK_HEARTBEAT_BYTES, 0x394200);
	assert_codes(&list, 0);

	/* slot 1795 of the ESX 3.5 volume */
	bytes_of("01 ef cd ab 00 06 3e 00 00 00 00 00 0e 00 00 00 00 00 00 00 af ff 62 17", b, sizeof(b));
	bytes_of("04 00 00 00 1f", b + 0x30, 5);
	vk_heartbeat_decode(b, sizeof(b), &hb);
	assert_int_equal(hb.addr, 0x300000 + 1795 * 512);
	assert_int_equal(hb.hbGen, 14);
	assert_field(l, "stamp", &hb, "392.36 s");
	assert_int_equal(hb.driveX, 4);
	assert_int_equal(hb.driveY, 31);
	assert_field(l, "owner", &hb, "none");
	assert_true(vk_heartbeat_has_history(&hb));
	check(&hb, VK_HEARTBEAT_BYTES, 0x3E0600);
	assert_codes(&list, 0);
}

/* Slots of two volumes of 2021: in use on VMFS5, free on VMFS6, where the last user's address stays. */
static void slots_of_new_volumes(void **state)
{
	const struct vk_layout *l = &vk_heartbeat_layout;
	struct vk_heartbeat hb;
	uint8_t b[512] = {0};

	(void)state;
	bytes_of("02 ef cd ab 00 b0 37 00 00 00 00 00 09 00 00 00 00 00 00 00 31 01 2b 1f 00 00 00 00 5a 7d 13 61 "
		 "78 87 df a2 d5 7e 00 0c 29 80 16 86 41 03 00 00 0e 00 00 00 51 03 31 30 2e 31 39 39 2e 35 2e 31 34 30",
		 b, sizeof(b));
	b[0x66] = 0xd0;
	vk_heartbeat_decode(b, sizeof(b), &hb);
	assert_round_trip(l, b, sizeof(b));
	assert_field(l, "state", &hb, "0xabcdef02 (in use)");
	assert_int_equal(hb.addr, 0x300000 + 984 * 512);
	assert_field(l, "stamp", &hb, "522.91 s");
	assert_field(l, "owner", &hb, "61137d5a-a2df8778-7ed5-000c29801686");
	assert_int_equal(hb.journalAddr, 0x341);
	assert_int_equal(hb.journalVolAddr, 0xD00000);
	assert_int_equal(hb.lockImpl, 3);
	assert_field(l, "ip", &hb, "\"10.199.5.140\"");
	check(&hb, VK_HEARTBEAT_BYTES, 0x37b000);
	assert_codes(&list, 1, "heartbeat.in-use");

	memset(b, 0, sizeof(b));
	bytes_of("01 ef cd ab 00 80 37 00 00 00 00 00 1e 00 00 00 00 00 00 00 3f ac 0a 22", b, sizeof(b));
	bytes_of("18 00 00 00 52 03 31 30 2e 31 39 39 2e 35 2e 31 34 30", b + 0x30, 18);
	vk_heartbeat_decode(b, sizeof(b), &hb);
	assert_int_equal(hb.addr, 0x300000 + 120 * 4096);
	assert_int_equal(hb.hbGen, 30);
	assert_field(l, "ip", &hb, "\"10.199.5.140\"");
	assert_true(vk_heartbeat_has_history(&hb));
	check(&hb, VK_HEARTBEAT_BYTES, 0x378000);
	assert_codes(&list, 0);
}

static void history(void **state)
{
	struct vk_heartbeat hb = {.state = VK_HB_FREE, .addr = 0x300000};

	(void)state;
	assert_false(vk_heartbeat_has_history(&hb));
	hb.hbGen = 1;
	assert_true(vk_heartbeat_has_history(&hb));
	hb = (struct vk_heartbeat){.state = VK_HB_FREE, .stamp = 1};
	assert_true(vk_heartbeat_has_history(&hb));
	hb = (struct vk_heartbeat){.state = VK_HB_FREE, .driveX = 1};
	assert_true(vk_heartbeat_has_history(&hb));
	hb = (struct vk_heartbeat){.state = VK_HB_FREE, .driveY = 1};
	assert_true(vk_heartbeat_has_history(&hb));
	hb.state = VK_HB_IN_USE;
	assert_false(vk_heartbeat_has_history(&hb));
	hb.state = 0;
	assert_false(vk_heartbeat_has_history(&hb));
}

static void findings(void **state)
{
	struct vk_heartbeat hb = d6();
	uint8_t zero[512];

	(void)state;
	hb.state = VK_HB_IN_USE;
	assert_true(vk_vmfs_uuid_parse("50a2d28e-dcb35d37-b383-0021280083cf", &hb.owner));
	check(&hb, VK_HEARTBEAT_BYTES, 0x394200);
	assert_range(&list, 0, DATA + 0x394200, VK_HEARTBEAT_BYTES);
	assert_string_equal(list.items[0].seen, "50a2d28e-dcb35d37-b383-0021280083cf");
	assert_codes(&list, 1, "heartbeat.in-use");
	assert_int_equal(vk_finding_kind(VK_F_HEARTBEAT_IN_USE)->severity, VK_INFO);

	check(&hb, VK_HEARTBEAT_BYTES, 0x394400);
	assert_range(&list, 0, DATA + 0x394400 + 4, 8);
	assert_codes(&list, 2, "heartbeat.address", "heartbeat.in-use");
	hb = d6();
	check(&hb, VK_HEARTBEAT_BYTES, 0x394000);
	assert_string_equal(list.items[0].seen, "0x394200");
	assert_string_equal(list.items[0].expected, "0x394000");
	assert_codes(&list, 1, "heartbeat.address");

	/* the published slot in front of it was all zero: "corrupt heartbeat, state 0" */
	sample_bytes("d6-heartbeats", 0x1594000, zero, sizeof(zero));
	vk_heartbeat_decode(zero, sizeof(zero), &hb);
	check(&hb, VK_HEARTBEAT_BYTES, 0x394000);
	assert_range(&list, 0, DATA + 0x394000, 4);
	assert_codes(&list, 1, "heartbeat.state");
	hb.state = 0xABCDEF03;
	check(&hb, VK_HEARTBEAT_BYTES, 0x394000);
	assert_codes(&list, 1, "heartbeat.state");

	/* of a slot that is not whole nothing is said */
	check(&hb, VK_HEARTBEAT_BYTES - 1, 0x394000);
	assert_codes(&list, 0);
}

static void hostile_address(void **state)
{
	struct vk_heartbeat hb = d6();

	(void)state;
	memcpy(hb.ip, "10.0.0.1\0\x1b[2J", 13);
	assert_field(&vk_heartbeat_layout, "ip", &hb, "\"10.0.0.1\"");
	memcpy(hb.ip, "\x1b[2J\xe2\x80\xae\0", 8);
	assert_field(&vk_heartbeat_layout, "ip", &hb, "\"\\x1b[2J\\xe2\\x80\\xae\"");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(published_slots),
		cmocka_unit_test(slots_of_new_volumes),
		cmocka_unit_test(history),
		cmocka_unit_test(findings),
		cmocka_unit_test(hostile_address),
	};

	return cmocka_run_group_tests_name("heartbeat", tests, NULL, NULL);
}
