/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A ledger that lost its end, at whatever byte, is never sound: not for who has its head, and not for who kept an
 * anchor. Nor is one of which any byte was altered, or any line removed, doubled or moved.
 */
#include "ledger_fixture.h"
#include "vmfskit/ledger.h"

/* Copy a file of the store to its folder, or back. */
static void copy_file(const char *from, const char *to)
{
	size_t len;
	uint8_t *bytes = fixture_slurp(from, &len);

	fixture_write(to, bytes, len);
	free(bytes);
}

struct known {
	bool key;
	bool head;
	bool anchor;
};

static bool is_sound(const struct ledger_store *s, const char *anchor, const struct known *known)
{
	const struct vk_ledger_check check = {.public_key = known->key ? s->public_key : NULL,
					      .anchor = known->anchor ? anchor : NULL};
	struct vk_findings findings = {.count = 0};
	struct vk_finding_sink sink = vk_findings_sink(&findings);
	struct vk_error err = {.status = VK_OK};
	bool sound;

	if (vk_ledger_verify(s->store, &check, &sink, NULL, &err) != VK_OK)
		fail_msg("verify: %s (%s)", err.what, err.where);
	sound = !vk_findings_bad(&findings);
	vk_findings_free(&findings);
	return sound;
}

static void every_prefix(bool is_signed)
{
	struct ledger_store *s = ledger_store_new(is_signed);
	char anchor[320], head[320], sig[330];
	struct vk_error err;
	uint8_t *whole;
	size_t len;

	for (int i = 0; i < 2; i++)
		append_event(s, VK_EVENT_VERIFY, "one", NULL);
	snprintf(anchor, sizeof(anchor), "%s/anchor", s->folder);
	snprintf(head, sizeof(head), "%s", store_file(s, VK_LEDGER_HEAD_FILE));
	snprintf(sig, sizeof(sig), "%s.sig", head);
	assert_int_equal(vk_ledger_anchor(s->open, anchor, &err), VK_OK);
	whole = fixture_slurp(store_file(s, VK_LEDGER_FILE), &len);
	assert_true(len > 400);
	for (unsigned way = 0; way < 8; way++) {
		const struct known known = {.key = (way & 1) != 0, .head = (way & 2) != 0, .anchor = (way & 4) != 0};

		if ((known.key && !is_signed) || (!known.head && !known.anchor))
			continue;
		(void)unlink(head);
		(void)unlink(sig);
		if (known.head)
			copy_file(anchor, head);
		if (known.head && is_signed) {
			char anchor_sig[330];

			snprintf(anchor_sig, sizeof(anchor_sig), "%s.sig", anchor);
			copy_file(anchor_sig, sig);
		}
		for (size_t n = 0; n < len; n++) {
			fixture_write(store_file(s, VK_LEDGER_FILE), whole, n);
			if (is_sound(s, anchor, &known))
				fail_msg("the first %zu of %zu bytes are sound (key %d, head %d, anchor %d)", n, len,
					 known.key, known.head, known.anchor);
		}
		fixture_write(store_file(s, VK_LEDGER_FILE), whole, len);
		if (known.head)
			assert_true(is_sound(s, anchor, &known));
	}
	free(whole);
	ledger_store_free(s);
}

static void every_prefix_unsigned(void **state)
{
	(void)state;
	every_prefix(false);
}

static void every_prefix_signed(void **state)
{
	(void)state;
	every_prefix(true);
}

static void every_byte_altered(void **state)
{
	const struct known known = {.key = false};
	struct ledger_store *s = ledger_store_new(true);
	size_t len;
	uint8_t *whole;

	(void)state;
	for (int i = 0; i < 3; i++)
		append_event(s, VK_EVENT_VERIFY, "one", NULL);
	whole = fixture_slurp(store_file(s, VK_LEDGER_FILE), &len);
	assert_true(is_sound(s, NULL, &known));
	for (size_t i = 0; i < len; i++) {
		for (unsigned flip = 1; flip <= 0x20; flip *= 0x20) {
			whole[i] ^= (uint8_t)flip;
			fixture_write(store_file(s, VK_LEDGER_FILE), whole, len);
			if (is_sound(s, NULL, &known))
				fail_msg("byte %zu of %zu altered by %#x is sound", i, len, flip);
			whole[i] ^= (uint8_t)flip;
		}
	}
	free(whole);
	ledger_store_free(s);
}

enum { LINES = 5 };

/* Write the lines order[0] .. order[count-1] of text, of which line N begins at starts[N]. */
static void write_lines(const struct ledger_store *s, const char *text, const size_t *starts, const int *order, int count)
{
	FILE *out = fopen(store_file(s, VK_LEDGER_FILE), "w");

	assert_non_null(out);
	for (int i = 0; i < count; i++)
		fwrite(text + starts[order[i]], 1, starts[order[i] + 1] - starts[order[i]], out);
	fclose(out);
}

/* Every line at every place: moved there, or put there once more; and each of them gone. */
static void every_line_moved(bool is_signed)
{
	const struct known known = {.key = is_signed};
	struct ledger_store *s = ledger_store_new(is_signed);
	size_t starts[LINES + 1] = {0};
	size_t len;
	char *text;

	for (int i = 0; i < LINES; i++) {
		append_event(s, VK_EVENT_VERIFY, "one", NULL);
		free(fixture_slurp(store_file(s, VK_LEDGER_FILE), &starts[i + 1]));
	}
	text = (char *)fixture_slurp(store_file(s, VK_LEDGER_FILE), &len);
	assert_true(is_sound(s, NULL, &known));
	for (int from = 0; from < LINES; from++) {
		for (int to = 0; to <= LINES; to++) {
			for (int keep = 0; keep < 2; keep++) {
				int order[LINES + 1];
				int count = 0;

				for (int i = 0; i <= LINES; i++) {
					if (i == to)
						order[count++] = from;
					if (i < LINES && (keep != 0 || i != from))
						order[count++] = i;
				}
				write_lines(s, text, starts, order, count);
				if (keep != 0 || (to != from && to != from + 1))
					assert_false(is_sound(s, NULL, &known));
				else
					assert_true(is_sound(s, NULL, &known));
			}
		}
		int rest[LINES];
		int count = 0;

		for (int i = 0; i < LINES; i++)
			if (i != from)
				rest[count++] = i;
		write_lines(s, text, starts, rest, count);
		assert_false(is_sound(s, NULL, &known));
	}
	free(text);
	ledger_store_free(s);
}

static void every_line_moved_unsigned(void **state)
{
	(void)state;
	every_line_moved(false);
}

static void every_line_moved_signed(void **state)
{
	(void)state;
	every_line_moved(true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_prefix_unsigned),
		cmocka_unit_test(every_prefix_signed),
		cmocka_unit_test(every_byte_altered),
		cmocka_unit_test(every_line_moved_unsigned),
		cmocka_unit_test(every_line_moved_signed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
