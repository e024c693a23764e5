/* SPDX-License-Identifier: Apache-2.0 */
/* The 16-byte UUID of VMFS. */
#include "disk_support.h"
#include "vmfskit/vmfs_uuid.h"

static void worked_example(void **state)
{
	struct vk_vmfs_uuid uuid;
	struct vk_vmfs_uuid again;
	struct vk_vmfs_uuid_parts parts;
	char text[VK_VMFS_UUID_TEXT_BYTES];
	char mac[VK_MAC_TEXT_BYTES];

	(void)state;
	bytes_of("42 f8 ed 49 37 5d b3 dc 83 b3 00 21 28 00 83 cf", uuid.b, 16);
	vk_vmfs_uuid_format(&uuid, text);
	assert_string_equal(text, "49edf842-dcb35d37-b383-0021280083cf");
	assert_true(vk_vmfs_uuid_parse(text, &again));
	assert_true(vk_vmfs_uuid_equal(&uuid, &again));
	assert_true(vk_vmfs_uuid_parse("49EDF842-DCB35D37-B383-0021280083CF", &again));
	assert_true(vk_vmfs_uuid_equal(&uuid, &again));
	assert_true(vk_vmfs_uuid_parse("0123456A-89ABCDEF-0aAf-fedcba9876A0", &again));
	vk_vmfs_uuid_format(&again, text);
	assert_string_equal(text, "0123456a-89abcdef-0aaf-fedcba9876a0");
	vk_vmfs_uuid_decode(&uuid, &parts);
	assert_int_equal(parts.timeLo, 0x49EDF842);
	assert_int_equal(parts.timeHi, 0xdcb35d37);
	assert_int_equal(parts.rand, 0xb383);
	vk_mac_format(parts.macAddr, mac);
	assert_string_equal(mac, "00:21:28:00:83:cf");
	assert_field(&vk_vmfs_uuid_layout, "timeLo", &parts, "2009-04-21T16:45:54Z");
	assert_field(&vk_vmfs_uuid_layout, "macAddr", &parts, "00:21:28:00:83:cf");
	memset(&again, 0, sizeof(again));
	vk_vmfs_uuid_encode(&parts, &again);
	assert_true(vk_vmfs_uuid_equal(&uuid, &again));
	assert_round_trip(&vk_vmfs_uuid_layout, uuid.b, 16);
	assert_false(vk_vmfs_uuid_is_nil(&uuid));
	memset(&uuid, 0, sizeof(uuid));
	assert_true(vk_vmfs_uuid_is_nil(&uuid));
	for (size_t i = 0; i < 16; i++) {
		memset(&uuid, 0, sizeof(uuid));
		uuid.b[i] = 0x80;
		assert_false(vk_vmfs_uuid_is_nil(&uuid));
		vk_vmfs_uuid_format(&uuid, text);
		assert_true(vk_vmfs_uuid_parse(text, &again));
		assert_true(vk_vmfs_uuid_equal(&uuid, &again));
	}
}

static void only_that_form_is_parsed(void **state)
{
	static const char good[] = "49edf842-dcb35d37-b383-0021280083cf";
	struct vk_vmfs_uuid before = {{1, 2, 3}};
	struct vk_vmfs_uuid uuid = before;
	char text[sizeof(good) + 1];

	(void)state;
	/* cut anywhere, and with any one character spoilt */
	for (size_t i = 0; i < sizeof(good) - 1; i++) {
		memcpy(text, good, sizeof(good));
		text[i] = '\0';
		assert_false(vk_vmfs_uuid_parse(text, &uuid));
		memcpy(text, good, sizeof(good));
		text[i] = 'g';
		assert_false(vk_vmfs_uuid_parse(text, &uuid));
		text[i] = good[i] == '-' ? '0' : '-';
		assert_false(vk_vmfs_uuid_parse(text, &uuid));
	}
	snprintf(text, sizeof(text), "%s ", good);
	assert_false(vk_vmfs_uuid_parse(text, &uuid));
	assert_true(vk_vmfs_uuid_equal(&uuid, &before));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(worked_example),
		cmocka_unit_test(only_that_form_is_parsed),
	};

	return cmocka_run_group_tests_name("uuid", tests, NULL, NULL);
}
