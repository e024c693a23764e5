/* SPDX-License-Identifier: Apache-2.0 */
/* Removing captures while somebody else works in the store. The program itself is tested in tests/cli/43-prune.sh. */
#include "capture_fixture.h"
#include "store/retention/prune.h"

enum { CAPTURES = 3 };

struct scene {
	struct fixture *f;
	struct vk_prune prune;
};

/* Three captures of one disk and day, of which the first two go. */
static int begin(void **state)
{
	const struct vk_retention_policy policy = {1, 1, 1, 1};
	const struct vk_pins pins = {.count = 0};
	struct scene *s = calloc(1, sizeof(*s));
	struct vk_error err;

	assert_non_null(s);
	s->f = fixture_new(0x10000);
	s->prune.store = s->f->open_store;
	s->prune.captures = calloc(CAPTURES, sizeof(*s->prune.captures));
	assert_non_null(s->prune.captures);
	s->prune.count = CAPTURES;
	for (size_t i = 0; i < CAPTURES; i++) {
		fixture_take(s->f);
		memcpy(s->prune.captures[i].id, s->f->id, sizeof(s->f->id));
		vk_prune_study(&s->prune, &pins, NULL, &s->prune.captures[i]);
		assert_string_equal(s->prune.captures[i].problem, "");
	}
	assert_int_equal(vk_prune_decide(&s->prune, &policy, &err), VK_OK);
	*state = s;
	return 0;
}

static int end(void **state)
{
	struct scene *s = *state;

	for (size_t i = 0; i < CAPTURES; i++)
		vk_prune_capture_free(&s->prune.captures[i]);
	free(s->prune.captures);
	fixture_free(s->f);
	free(s);
	return 0;
}

static bool is_there(const struct scene *s, const char *name)
{
	struct stat st;

	return fstatat(vk_store_fd(s->prune.store), name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static void assert_no_leftovers(const struct scene *s)
{
	for (size_t i = 0; i < CAPTURES; i++) {
		char gone[VK_CAPTURE_ID_BYTES + 16];

		snprintf(gone, sizeof(gone), ".gone-%s", s->prune.captures[i].id);
		assert_false(is_there(s, gone));
	}
}

static void two_of_three_go(void **state)
{
	struct scene *s = *state;
	struct vk_error err;

	assert_int_equal(s->prune.remove_count, 2);
	assert_true(s->prune.free_bytes > 0);
	assert_int_equal(vk_prune_remove(&s->prune, &err), VK_OK);
	assert_false(is_there(s, s->prune.captures[0].id));
	assert_false(is_there(s, s->prune.captures[1].id));
	assert_true(is_there(s, s->prune.captures[2].id));
	assert_no_leftovers(s);
}

/* Between the decision and the removal somebody says that it is needed. */
static void pinned_meanwhile(void **state)
{
	struct scene *s = *state;
	struct vk_prune_capture *pinned = &s->prune.captures[0];
	struct vk_findings findings = {.count = 0};
	struct vk_finding_sink sink = vk_findings_sink(&findings);
	struct vk_error err;
	char path[400];

	assert_int_equal(vk_pin_set(vk_store_fd(s->prune.store), s->f->store, pinned->id, "needed", &err), VK_OK);
	assert_int_equal(vk_prune_remove(&s->prune, &err), VK_OK);
	assert_true(pinned->item.keep);
	assert_false(pinned->removed);
	assert_string_equal(pinned->item.why, "pinned meanwhile");
	assert_false(is_there(s, s->prune.captures[1].id));
	snprintf(path, sizeof(path), "%s/%s", s->f->store, pinned->id);
	assert_int_equal(vk_capture_verify(path, &sink, &err), VK_OK);
	assert_int_equal(fixture_count(&findings, VK_F_CAPTURE_INCOMPLETE), findings.count);
	vk_findings_free(&findings);
	assert_no_leftovers(s);
}

/* Another folder under the name of what was judged is not touched, and the others go all the same. */
static void replaced_meanwhile(void **state)
{
	struct scene *s = *state;
	const char *id = s->prune.captures[0].id;
	struct vk_error err;

	assert_int_equal(renameat(vk_store_fd(s->prune.store), id, vk_store_fd(s->prune.store), "elsewhere"), 0);
	assert_int_equal(mkdirat(vk_store_fd(s->prune.store), id, 0700), 0);
	assert_int_equal(vk_prune_remove(&s->prune, &err), VK_IO);
	assert_non_null(strstr(err.what, id));
	assert_true(is_there(s, id));
	assert_true(is_there(s, "elsewhere"));
	assert_false(is_there(s, s->prune.captures[1].id));
	assert_no_leftovers(s);
}

static void gone_meanwhile(void **state)
{
	struct scene *s = *state;
	const char *id = s->prune.captures[0].id;
	struct vk_error err;

	assert_int_equal(renameat(vk_store_fd(s->prune.store), id, vk_store_fd(s->prune.store), "elsewhere"), 0);
	assert_int_equal(symlinkat("elsewhere", vk_store_fd(s->prune.store), id), 0);
	assert_int_equal(vk_prune_remove(&s->prune, &err), VK_IO);
	assert_true(is_there(s, id));
	assert_true(is_there(s, "elsewhere"));
	assert_true(is_there(s, "elsewhere/manifest.json"));
	assert_false(is_there(s, s->prune.captures[1].id));
}

/* A folder that was made in it after it was judged: what lies in there was not vmfskit's to remove. */
static void folder_made_meanwhile(void **state)
{
	struct scene *s = *state;
	char notes[VK_CAPTURE_ID_BYTES + 16];
	struct vk_error err;

	snprintf(notes, sizeof(notes), "%s/notes", s->prune.captures[0].id);
	assert_int_equal(mkdirat(vk_store_fd(s->prune.store), notes, 0700), 0);
	assert_int_equal(vk_prune_remove(&s->prune, &err), VK_IO);
	snprintf(notes, sizeof(notes), ".gone-%s/notes", s->prune.captures[0].id);
	assert_true(is_there(s, notes));
}

/* A capture that went while it was being pinned is not pinned. */
static void pin_of_what_goes(void **state)
{
	struct scene *s = *state;
	const char *id = s->prune.captures[0].id;
	struct vk_error err;
	bool was;

	assert_int_equal(vk_prune_remove(&s->prune, &err), VK_OK);
	assert_int_equal(vk_pin_set(vk_store_fd(s->prune.store), s->f->store, id, NULL, &err), VK_ABSENT);
	assert_false(vk_pin_holds(vk_store_fd(s->prune.store), id));
	assert_int_equal(vk_pin_clear(vk_store_fd(s->prune.store), s->f->store, id, &was, &err), VK_ABSENT);
}

static void reasons_from_anyone(void **state)
{
	struct scene *s = *state;
	struct vk_pins pins;
	struct vk_error err;
	const struct vk_pin *pin;
	char path[600];
	char *longer = malloc(100000);

	assert_non_null(longer);
	memset(longer, 'x', 100000);
	for (size_t i = 0; i < CAPTURES; i++)
		assert_int_equal(vk_pin_set(vk_store_fd(s->prune.store), s->f->store, s->prune.captures[i].id, "", &err),
				 VK_OK);
	snprintf(path, sizeof(path), "%s/.pins/%s", s->f->store, s->prune.captures[0].id);
	fixture_write(path, "a\x1b[31m\n\n", 8);
	snprintf(path, sizeof(path), "%s/.pins/%s", s->f->store, s->prune.captures[1].id);
	fixture_write(path, longer, 100000);
	free(longer);
	assert_int_equal(vk_pins_read(vk_store_fd(s->prune.store), s->f->store, &pins, &err), VK_OK);
	assert_int_equal(pins.count, CAPTURES);
	pin = vk_pins_find(&pins, s->prune.captures[0].id);
	assert_non_null(pin);
	assert_string_equal(pin->reason, "a\\x1b[31m");
	pin = vk_pins_find(&pins, s->prune.captures[1].id);
	assert_non_null(pin);
	assert_string_equal(pin->reason, "");
	assert_null(vk_pins_find(&pins, "20090421T164556Z-none"));
	vk_pins_free(&pins);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(two_of_three_go, begin, end),
		cmocka_unit_test_setup_teardown(pinned_meanwhile, begin, end),
		cmocka_unit_test_setup_teardown(replaced_meanwhile, begin, end),
		cmocka_unit_test_setup_teardown(gone_meanwhile, begin, end),
		cmocka_unit_test_setup_teardown(folder_made_meanwhile, begin, end),
		cmocka_unit_test_setup_teardown(pin_of_what_goes, begin, end),
		cmocka_unit_test_setup_teardown(reasons_from_anyone, begin, end),
	};

	return cmocka_run_group_tests_name("prune", tests, NULL, NULL);
}
