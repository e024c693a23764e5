/* SPDX-License-Identifier: Apache-2.0 */
/* GUIDs of GPT: text, byte order, names of types. */
#include "disk_support.h"
#include "vmfskit/gpt.h"

static void guids(void **state)
{
	static const struct {
		const char *text;
		const char *bytes;
		const char *name;
	} rows[] = {
		{VK_GPT_TYPE_VMFS, "2A E0 31 AA 0F 40 DB 11 95 90 00 0C 29 11 D1 B8", "VMFS"},
		{VK_GPT_TYPE_VMKDIAG, "80 53 27 9D AD 40 DB 11 BF 97 00 0C 29 11 D1 B8", "vmkDiagnostic"},
		{VK_GPT_TYPE_RESERVED, "FC EF 98 91 C0 31 DB 11 8F 78 00 0C 29 11 D1 B8",
		 "VMware Reserved"},
		{VK_GPT_TYPE_VMFSL, "39 EA B2 4E 55 78 90 47 A7 9E FA E4 95 E2 1F 8D", "VMFS-L"},
		{"381CFCCC-7288-11E0-92EE-000C2911D0B2",
		 "CC FC 1C 38 88 72 E0 11 92 EE 00 0C 29 11 D0 B2", "vSAN"},
		{"77719A0C-A4A0-11E3-A47E-000C29745A24",
		 "0C 9A 71 77 A0 A4 E3 11 A4 7E 00 0C 29 74 5A 24", "Virsto"},
		{VK_GPT_TYPE_EFI, "28 73 2A C1 1F F8 D2 11 BA 4B 00 A0 C9 3E C9 3B", "EFI system"},
		{VK_GPT_TYPE_BASIC, "A2 A0 D0 EB E5 B9 33 44 87 C0 68 B6 B7 26 99 C7",
		 "Basic data (ESXi: linuxNative)"},
		{"00000000-0000-0000-0000-000000000000", "00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00",
		 "unused"},
		{"00000000-0000-0000-0000-000000000001", "00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 01",
		 "unknown"},
	};
	static const char *const wrong[] = {
		"", "AA31E02A", "AA31E02A-400F-11DB-9590-000C2911D1B", "AA31E02A-400F-11DB-9590-000C2911D1B8 ",
		"AA31E02A-400F-11DB-9590-000C2911D1BG", "AA31E02A0400F011DB0959000000C2911D1B8",
	};
	struct vk_guid g;
	char text[VK_GUID_TEXT_BYTES];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint8_t b[16];

		bytes_of(rows[i].bytes, b, 16);
		assert_true(vk_guid_parse(rows[i].text, &g));
		assert_memory_equal(g.b, b, 16);
		vk_guid_format(&g, text);
		assert_string_equal(text, rows[i].text);
		assert_string_equal(vk_gpt_type_name(&g), rows[i].name);
		assert_int_equal(vk_gpt_type_is_vmfs(&g), i == 0 || i == 3);
		assert_int_equal(vk_guid_is_nil(&g), i == 8);
	}
	assert_true(vk_guid_parse("aa31e02a-400f-11db-9590-000c2911d1b8", &g));
	assert_true(vk_gpt_type_is_vmfs(&g));
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct vk_guid same = g;

		assert_false(vk_guid_parse(wrong[i], &g));
		assert_true(vk_guid_equal(&g, &same));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(guids),
	};

	return cmocka_run_group_tests_name("guid", tests, NULL, NULL);
}
