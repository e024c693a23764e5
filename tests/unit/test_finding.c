/* SPDX-License-Identifier: Apache-2.0 */
/* Findings: the table of codes, and the list that keeps them. */
#include "disk_support.h"

static struct vk_finding of(enum vk_finding_code code)
{
	struct vk_finding f;

	vk_finding_init(&f, code, 1, 2, "m %d", 3);
	return f;
}

/* "lvm.magic-missing": lower-case words with one dot. */
static bool well_formed(const char *code)
{
	const char *dot = strchr(code, '.');

	return dot != NULL && dot != code && dot[1] != '\0' && strchr(dot + 1, '.') == NULL &&
	       strspn(code, "abcdefghijklmnopqrstuvwxyz.-") == strlen(code);
}

static void every_code_is_complete(void **state)
{
	(void)state;
	for (int i = 0; i < VK_F_COUNT; i++) {
		const struct vk_finding_kind *kind = vk_finding_kind((enum vk_finding_code)i);

		assert_true(well_formed(kind->code));
		assert_true(strlen(kind->why) > 10);
		assert_true(strlen(kind->remedy) > 10);
		assert_in_range(kind->severity, VK_INFO, VK_ERROR);
		for (int k = 0; k < i; k++)
			assert_string_not_equal(kind->code,
						vk_finding_kind((enum vk_finding_code)k)->code);
	}
	assert_string_equal(vk_finding_kind(VK_F_LVM_MAGIC)->code, "lvm.magic-missing");
	assert_int_equal(vk_finding_kind(VK_F_LVM_MAGIC)->severity, VK_ERROR);
	assert_string_equal(vk_severity_name(VK_INFO), "info");
	assert_string_equal(vk_severity_name(VK_WARNING), "warning");
	assert_string_equal(vk_severity_name(VK_ERROR), "error");
}

static void a_finding_is_filled(void **state)
{
	struct vk_finding f = of(VK_F_LVM_MAGIC);
	char longest[1000];

	(void)state;
	assert_int_equal(f.code, VK_F_LVM_MAGIC);
	assert_int_equal(f.offset_bytes, 1);
	assert_int_equal(f.length_bytes, 2);
	assert_string_equal(f.message, "m 3");
	assert_string_equal(f.seen, "");
	assert_string_equal(f.expected, "");
	vk_finding_seen(&f, "%s", "a");
	vk_finding_expected(&f, "%s", "b");
	assert_string_equal(f.seen, "a");
	assert_string_equal(f.expected, "b");
	for (size_t i = 0; i + 2 < sizeof(longest); i += 2)
		memcpy(longest + i, "\xc3\xa4", 2);
	longest[sizeof(longest) - 2] = '\0';
	vk_finding_seen(&f, "%s", longest);
	vk_finding_expected(&f, "a%s", longest);
	assert_printable(f.seen, sizeof(f.seen));
	assert_printable(f.expected, sizeof(f.expected));
	assert_int_equal(strlen(f.seen), 118);
	assert_int_equal(strlen(f.expected), 119);
	vk_finding_init(&f, VK_F_LVM_MAGIC, 0, 0, "a%s", longest);
	assert_printable(f.message, sizeof(f.message));
}

static void information_is_not_bad(void **state)
{
	struct vk_findings list = {0};
	struct vk_finding info = of(VK_F_LVM_LOCKED);
	struct vk_finding warning = of(VK_F_LVM_NUM_PES);
	struct vk_finding error = of(VK_F_LVM_MAGIC);

	(void)state;
	assert_false(vk_findings_bad(&list));
	vk_findings_add(&list, &info);
	assert_false(vk_findings_bad(&list));
	vk_findings_add(&list, &warning);
	assert_true(vk_findings_bad(&list));
	assert_false(vk_findings_errors(&list));
	vk_findings_add(&list, &error);
	assert_true(vk_findings_errors(&list));
	assert_codes(&list, 3, "lvm.locked", "lvm.num-pes", "lvm.magic-missing");
	assert_int_equal(list.count, 0);
	assert_null(list.items);
}

static void the_list_has_an_end(void **state)
{
	struct vk_findings list = {0};
	const struct vk_finding_sink sink = vk_findings_sink(&list);
	struct vk_finding info = of(VK_F_HEARTBEAT_IN_USE);
	struct vk_finding warning = of(VK_F_LVM_NUM_PES);
	struct vk_finding error = of(VK_F_LVM_MAGIC);

	(void)state;
	for (int i = 0; i < VK_FINDINGS_MAX + 5; i++)
		vk_finding_put(&sink, &info);
	assert_int_equal(list.count, VK_FINDINGS_MAX);
	assert_int_equal(list.dropped, 5);
	/* what was dropped still counts, as what it was */
	assert_false(vk_findings_bad(&list));
	vk_finding_put(&sink, &warning);
	assert_true(vk_findings_bad(&list));
	assert_false(vk_findings_errors(&list));
	vk_finding_put(&sink, &error);
	vk_finding_put(&sink, &info);
	assert_true(vk_findings_errors(&list));
	assert_int_equal(list.dropped, 8);
	vk_findings_free(&list);
	assert_int_equal(list.dropped, 0);
	assert_false(vk_findings_bad(&list));
}

static void nobody_has_to_listen(void **state)
{
	struct vk_finding f = of(VK_F_LVM_MAGIC);
	const struct vk_finding_sink deaf = {NULL, NULL};

	(void)state;
	vk_finding_put(NULL, &f);
	vk_finding_put(&deaf, &f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_code_is_complete),
		cmocka_unit_test(a_finding_is_filled),
		cmocka_unit_test(information_is_not_bad),
		cmocka_unit_test(the_list_has_an_end),
		cmocka_unit_test(nobody_has_to_listen),
	};

	return cmocka_run_group_tests_name("finding", tests, NULL, NULL);
}
