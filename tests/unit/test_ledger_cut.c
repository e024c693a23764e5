/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A ledger that lost its end, at whatever byte, is never sound: not for who has its head, and not for who kept an
 * anchor.
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_prefix_unsigned),
		cmocka_unit_test(every_prefix_signed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
