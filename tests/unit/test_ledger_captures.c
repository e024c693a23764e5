/* SPDX-License-Identifier: Apache-2.0 */
/* Which captures the ledger vouches for: recorded, removed, put in, in doubt. */
#include "ledger_fixture.h"
#include "store/folder/digest.h"
#include "store/ledger/ledger_captures.h"

static const char some_sha256[] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/* What the ledger has of a capture: A added, R removed after that, 0 nothing. */
static void assert_recorded(const struct ledger_store *s, const char *id, char what, const char *manifest_sha256)
{
	struct vk_recorded_set set = {.tree = NULL};
	struct vk_error err;
	bool expected;
	const struct vk_recorded *r;

	assert_int_equal(vk_ledger_recorded(vk_store_fd(s->open), NULL, &set, &expected, &err), VK_OK);
	assert_true(expected);
	r = vk_recorded_find(&set, id);
	assert_int_equal(r == NULL ? '0' : r->removed > r->added ? 'R' : 'A', what);
	if (r != NULL)
		assert_string_equal(r->manifest_sha256, manifest_sha256);
	vk_recorded_free(&set);
}

static void recorded(void **state)
{
	struct ledger_store *s = ledger_store_new(true);
	struct vk_recorded_set set = {.tree = NULL};
	struct vk_error err;
	bool expected = true;

	(void)state;
	assert_int_equal(vk_ledger_recorded(vk_store_fd(s->open), NULL, &set, &expected, &err), VK_ABSENT);
	assert_false(expected);
	append_event(s, VK_EVENT_CAPTURE, "pruned", some_sha256);
	append_event(s, VK_EVENT_UNDO_CAPTURE, "there", some_sha256);
	append_event(s, VK_EVENT_CAPTURE, "given up", some_sha256);
	append_event(s, VK_EVENT_IMPORT, "again", some_sha256);
	append_event(s, VK_EVENT_PRUNE, "pruned", NULL);
	append_event(s, VK_EVENT_ABANDON, "given up", NULL);
	append_event(s, VK_EVENT_PRUNE, "again", NULL);
	append_event(s, VK_EVENT_CAPTURE, "again", VK_LEDGER_ORIGIN);
	append_event(s, VK_EVENT_PRUNE, "unknown", NULL);
	assert_recorded(s, "pruned", 'R', some_sha256);
	assert_recorded(s, "there", 'A', some_sha256);
	assert_recorded(s, "unknown", '0', "");
	assert_recorded(s, "given up", 'R', some_sha256);
	assert_recorded(s, "again", 'A', VK_LEDGER_ORIGIN);
	ledger_store_free(s);
}

/* One line of a prune names all that it removed, whichever of them is asked for. */
static void glance_at_one_of_several(void **state)
{
	static const char *const removed[] = {"first", "second", "third"};
	const struct vk_event prune = {.kind = VK_EVENT_PRUNE, .captures = removed, .capture_count = 3};
	struct ledger_store *s = ledger_store_new(true);
	char *wanted[] = {strdup("second"), strdup("third")};
	struct vk_recorded_set set = {.tree = NULL};
	const struct vk_recorded *r;
	struct vk_error err;
	char verified[32];

	(void)state;
	for (size_t i = 0; i < 3; i++)
		append_event(s, VK_EVENT_CAPTURE, removed[i], some_sha256);
	assert_int_equal(vk_ledger_append(s->open, &prune, &err), VK_OK);
	assert_int_equal(vk_ledger_glance(vk_store_fd(s->open), wanted, 2, &set, verified, NULL, &err), VK_OK);
	for (size_t i = 0; i < 2; i++) {
		r = vk_recorded_find(&set, wanted[i]);
		assert_non_null(r);
		assert_true(r->removed > r->added);
		free(wanted[i]);
	}
	assert_string_equal(verified, "");
	vk_recorded_free(&set);
	ledger_store_free(s);
}

/* A line as an attacker without a key makes it: of this number, behind text (NULL: nothing that there is). Free it. */
static char *forge(uint64_t seq, const char *behind, const char *id)
{
	const struct vk_event event = {
		.kind = VK_EVENT_CAPTURE, .captures = &id, .capture_count = 1, .manifest_sha256 = some_sha256};
	static const char *const command[] = {NULL};
	struct vk_ledger_line place = {.seq = seq, .time = "2026-11-21T01:45:00Z", .previous = VK_LEDGER_ORIGIN};
	struct vk_error err;
	char *text;
	size_t len;

	if (behind != NULL)
		assert_true(vk_digest_bytes(behind, strcspn(behind, "\n"), place.previous));
	assert_int_equal(vk_ledger_line_write(&event, 0, 1, &place, command, NULL, &text, &len, &err), VK_OK);
	return text;
}

/* The ledger as those lines, with and without a line end; "+id": it vouches for that capture, "-id": it does not. */
static void assert_vouches(const struct ledger_store *s, const char *const *lines, size_t count, const char *const *ids)
{
	struct vk_recorded_set set = {.tree = NULL};
	FILE *out = fopen(store_file(s, VK_LEDGER_FILE), "w");
	struct vk_error err;
	bool expected;

	assert_non_null(out);
	for (size_t i = 0; i < count; i++) {
		assert_non_null(lines[i]);
		fprintf(out, "%.*s\n", (int)strcspn(lines[i], "\n"), lines[i]);
	}
	fclose(out);
	assert_int_equal(vk_ledger_recorded(vk_store_fd(s->open), NULL, &set, &expected, &err), VK_OK);
	for (; *ids != NULL; ids++)
		if (vk_recorded_vouches(&set, *ids + 1, some_sha256, NULL) != ((*ids)[0] == '+'))
			fail_msg("%s", *ids);
	vk_recorded_free(&set);
}

/* Whatever is put in that the head does not know of vouches for nothing; what it knows of still does. */
static void lines_put_in(void **state)
{
	struct ledger_store *s = ledger_store_new(false);
	char *l[4];
	char *x, *y, *z;

	(void)state;
	append_event(s, VK_EVENT_CAPTURE, "a", some_sha256);
	append_event(s, VK_EVENT_CAPTURE, "b", some_sha256);
	append_event(s, VK_EVENT_CAPTURE, "c", some_sha256);
	append_event(s, VK_EVENT_VERIFY, NULL, NULL);
	for (size_t i = 0; i < 4; i++)
		l[i] = nth_line(s, i);
	x = forge(3, l[1], "x");
	y = forge(4, x, "y");
	z = forge(5, NULL, "z");
	assert_vouches(s, (const char *[]){l[0], l[1], l[2], l[3]}, 4, (const char *[]){"+a", "+b", "+c", "-x", NULL});
	assert_vouches(s, (const char *[]){l[0], l[1], x, l[2], l[3]}, 5, (const char *[]){"-x", "+c", NULL});
	assert_vouches(s, (const char *[]){l[0], l[1], x, y, l[2], l[3]}, 6, (const char *[]){"-x", "-y", "+c", NULL});
	assert_vouches(s, (const char *[]){l[0], l[1], l[2], l[3], x, y}, 6, (const char *[]){"-x", "-y", NULL});
	assert_vouches(s, (const char *[]){l[0], l[1], l[2], l[3], z}, 5, (const char *[]){"+a", "+b", "+c", "-z", NULL});
	assert_vouches(s, (const char *[]){l[0], l[1], x, y}, 4, (const char *[]){"+a", "-y", NULL});
	for (size_t i = 0; i < 4; i++)
		free(l[i]);
	free(x);
	free(y);
	free(z);
	ledger_store_free(s);
}

/* A line that the head names is confirmed, whatever stands behind it. */
static void garbage_at_the_end(void **state)
{
	struct ledger_store *s = ledger_store_new(false);
	char *l[2];

	(void)state;
	append_event(s, VK_EVENT_CAPTURE, "a", some_sha256);
	append_event(s, VK_EVENT_CAPTURE, "b", some_sha256);
	l[0] = nth_line(s, 0);
	l[1] = nth_line(s, 1);
	assert_vouches(s, (const char *[]){l[0], l[1]}, 2, (const char *[]){"+a", "+b", NULL});
	assert_vouches(s, (const char *[]){l[0], l[1], "{}"}, 3, (const char *[]){"+a", "+b", NULL});
	assert_vouches(s, (const char *[]){l[0], l[1], "x", "y"}, 4, (const char *[]){"+a", "+b", NULL});
	free(l[0]);
	free(l[1]);
	ledger_store_free(s);
}

/* A line whose signature does not fit vouches for nothing, wherever it stands in the chain. */
static void another_key(void **state)
{
	struct ledger_store *s = ledger_store_new(true);
	struct ledger_store *other = ledger_store_new(true);
	const struct ledger_store *of[] = {s, other};

	(void)state;
	append_event(s, VK_EVENT_CAPTURE, "a", some_sha256);
	append_event(s, VK_EVENT_VERIFY, NULL, NULL);
	for (size_t i = 0; i < 2; i++) {
		struct vk_recorded_set set = {.tree = NULL};
		struct vk_error err;
		bool expected;

		assert_int_equal(vk_ledger_recorded(vk_store_fd(s->open), of[i]->public_key, &set, &expected, &err),
				 VK_OK);
		assert_int_equal(vk_recorded_vouches(&set, "a", some_sha256, NULL), i == 0);
		assert_int_equal(set.incomplete, i != 0);
		vk_recorded_free(&set);
	}
	ledger_store_free(other);
	ledger_store_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(recorded),
		cmocka_unit_test(glance_at_one_of_several),
		cmocka_unit_test(lines_put_in),
		cmocka_unit_test(garbage_at_the_end),
		cmocka_unit_test(another_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
