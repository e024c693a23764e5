/* SPDX-License-Identifier: Apache-2.0 */
/* Appending to the ledger: the chain, its head, what killed runs and hostile hands leave. */
#include <jansson.h>
#include <pthread.h>

#include "ledger_fixture.h"
#include "store/folder/digest.h"
#include "store/ledger/ledger_captures.h"

static const char some_sha256[] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

static size_t count_lines(const struct ledger_store *s)
{
	size_t count = 0;
	char *line;

	while ((line = nth_line(s, count)) != NULL) {
		free(line);
		count++;
	}
	return count;
}

/* Chain, numbers and head are those of so many lines. */
static void assert_whole(const struct ledger_store *s, size_t lines, bool is_signed)
{
	char previous[VK_SHA256_HEX_BYTES] = VK_LEDGER_ORIGIN;
	struct vk_ledger_head head;
	struct vk_error err;
	int fd = open(s->store, O_RDONLY | O_DIRECTORY);

	assert_int_equal(count_lines(s), lines);
	for (size_t i = 0; i < lines; i++) {
		char *text = nth_line(s, i);
		struct vk_ledger_line line;

		assert_int_equal(vk_ledger_line_read(text, strlen(text), &line, &err), VK_OK);
		assert_int_equal(line.seq, i + 1);
		assert_string_equal(line.previous, previous);
		assert_int_equal(line.is_signed, is_signed);
		if (is_signed)
			assert_true(vk_ledger_line_fits(&line, text, strlen(text), s->public_key));
		assert_true(vk_digest_bytes(text, strlen(text), previous));
		vk_ledger_line_free(&line);
		free(text);
	}
	assert_int_equal(vk_ledger_head_read(fd, VK_LEDGER_HEAD_FILE, VK_LEDGER_HEAD_SIG, &head, &err), VK_OK);
	assert_int_equal(head.seq, lines);
	assert_string_equal(head.sha256, previous);
	assert_int_equal(head.is_signed, is_signed);
	if (is_signed)
		assert_true(vk_signature_fits(s->public_key, head.text, head.len, head.signature));
	close(fd);
}

static void lines_are_chained(void **state)
{
	for (int is_signed = 0; is_signed < 2; is_signed++) {
		struct ledger_store *s = ledger_store_new(is_signed);
		char *line;
		json_t *o;

		(void)state;
		append_event(s, VK_EVENT_CAPTURE, "20261121T014500Z-sdb", some_sha256);
		append_event(s, VK_EVENT_VERIFY, NULL, NULL);
		append_event(s, VK_EVENT_PRUNE, "20261121T014500Z-sdb", NULL);
		assert_whole(s, 3, is_signed);
		line = nth_line(s, 0);
		o = json_loads(line, 0, NULL);
		assert_string_equal(json_string_value(json_object_get(o, "event")), "capture");
		assert_string_equal(json_string_value(json_object_get(o, "manifest_sha256")), some_sha256);
		assert_string_equal(json_string_value(json_array_get(json_object_get(o, "captures"), 0)),
				    "20261121T014500Z-sdb");
		assert_string_equal(json_string_value(json_array_get(json_object_get(o, "command"), 2)),
				    "/dev/sd\\x1b[31m");
		assert_non_null(json_object_get(o, "user"));
		json_decref(o);
		free(line);
		ledger_store_free(s);
	}
}

static void put_ledger(const struct ledger_store *s, const char *text, size_t len)
{
	fixture_write(store_file(s, VK_LEDGER_FILE), text, len);
}

static void torn_line_is_cut(void **state)
{
	struct ledger_store *s = ledger_store_new(false);
	size_t len;
	char *text;

	(void)state;
	append_event(s, VK_EVENT_CAPTURE, "a", some_sha256);
	append_event(s, VK_EVENT_VERIFY, NULL, NULL);
	text = (char *)fixture_slurp(store_file(s, VK_LEDGER_FILE), &len);
	text = realloc(text, 2 * len);
	memcpy(text + len, text, len / 3);
	put_ledger(s, text, len + len / 3);
	append_event(s, VK_EVENT_VERIFY, NULL, NULL);
	assert_whole(s, 3, false);
	free(text);
	ledger_store_free(s);
	/* also when it was the very first */
	s = ledger_store_new(true);
	put_ledger(s, "{\"seq\":1,", 9);
	append_event(s, VK_EVENT_VERIFY, NULL, NULL);
	assert_whole(s, 1, true);
	ledger_store_free(s);
}

static void expect_refusal(struct ledger_store *s, enum vk_status status)
{
	const struct vk_event event = {.kind = VK_EVENT_VERIFY};
	struct vk_error err = {.status = VK_OK};

	assert_int_equal(vk_ledger_append(s->open, &event, &err), status);
	assert_true(err.what[0] != '\0' && err.remedy[0] != '\0');
}

/* Nothing is appended to what is not understood, and it stays as it is. */
static void damaged_end(void **state)
{
	static const char *const ends[] = {"nonsense\n", "\n", "{}\n", "[1]\n", "{\"seq\":7}\n"};
	struct ledger_store *s = ledger_store_new(false);
	char *huge = malloc(VK_LEDGER_LINE_MAX + 10);
	size_t len;
	char *text;

	(void)state;
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		put_ledger(s, ends[i], strlen(ends[i]));
		expect_refusal(s, VK_DAMAGED);
		text = (char *)fixture_slurp(store_file(s, VK_LEDGER_FILE), &len);
		assert_int_equal(len, strlen(ends[i]));
		assert_memory_equal(text, ends[i], len);
		free(text);
	}
	memset(huge, 'x', VK_LEDGER_LINE_MAX + 10);
	put_ledger(s, huge, VK_LEDGER_LINE_MAX + 10);
	expect_refusal(s, VK_DAMAGED);
	huge[VK_LEDGER_LINE_MAX + 9] = '\n';
	put_ledger(s, huge, VK_LEDGER_LINE_MAX + 10);
	expect_refusal(s, VK_DAMAGED);
	free(huge);
	ledger_store_free(s);
}

static void not_a_file(void **state)
{
	struct ledger_store *s = ledger_store_new(false);
	struct stat st;

	(void)state;
	assert_int_equal(symlink("/tmp/vmfskit-nowhere", store_file(s, VK_LEDGER_FILE)), 0);
	expect_refusal(s, VK_IO);
	assert_int_not_equal(stat("/tmp/vmfskit-nowhere", &st), 0);
	unlink(store_file(s, VK_LEDGER_FILE));
	assert_int_equal(mkfifo(store_file(s, VK_LEDGER_FILE), 0600), 0);
	expect_refusal(s, VK_IO);
	ledger_store_free(s);
}

/* The numbers of lines that were cut off are not given out again. */
static void cut_ledger_keeps_its_gap(void **state)
{
	for (int is_signed = 0; is_signed < 2; is_signed++) {
		struct ledger_store *s = ledger_store_new(is_signed);
		struct vk_ledger_line line;
		struct vk_error err;
		char *first;
		char *text;

		(void)state;
		for (int i = 0; i < 4; i++)
			append_event(s, VK_EVENT_VERIFY, NULL, NULL);
		first = nth_line(s, 0);
		strcat(first = realloc(first, strlen(first) + 2), "\n");
		put_ledger(s, first, strlen(first));
		append_event(s, VK_EVENT_VERIFY, NULL, NULL);
		text = nth_line(s, 1);
		assert_int_equal(vk_ledger_line_read(text, strlen(text), &line, &err), VK_OK);
		assert_int_equal(line.seq, 5);
		vk_ledger_line_free(&line);
		free(text);
		free(first);
		ledger_store_free(s);
	}
}

/* A head that contradicts the ledger is not tidied away by the next run. */
static void wrong_head_stays(void **state)
{
	struct ledger_store *s = ledger_store_new(true);
	static const char forged[] = "{\"schema\":\"vmfskit.ledger-head/1\",\"seq\":9,\"sha256\":"
				     "\"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\",\"time\":\"x\"}\n";
	size_t len;
	char *text;

	(void)state;
	append_event(s, VK_EVENT_VERIFY, NULL, NULL);
	unlink(store_file(s, VK_LEDGER_HEAD_FILE));
	fixture_write(store_file(s, VK_LEDGER_HEAD_FILE), forged, strlen(forged));
	append_event(s, VK_EVENT_VERIFY, NULL, NULL);
	text = (char *)fixture_slurp(store_file(s, VK_LEDGER_HEAD_FILE), &len);
	assert_string_equal(text, forged);
	free(text);
	unlink(store_file(s, VK_LEDGER_HEAD_FILE));
	append_event(s, VK_EVENT_VERIFY, NULL, NULL);
	assert_whole(s, 3, true);
	ledger_store_free(s);
}

/* A run that died between signature and head: the next one tidies up, also when one without a key came between. */
static void torn_head(void **state)
{
	struct ledger_store *s = ledger_store_new(true);
	const struct vk_store_options options = {.use = VK_STORE_ADD};
	struct vk_store *keyless;
	const struct vk_event event = {.kind = VK_EVENT_VERIFY};
	struct vk_error err;
	size_t len;
	uint8_t *old;

	(void)state;
	append_event(s, VK_EVENT_VERIFY, NULL, NULL);
	old = fixture_slurp(store_file(s, VK_LEDGER_HEAD_FILE), &len);
	append_event(s, VK_EVENT_VERIFY, NULL, NULL);
	fixture_write(store_file(s, VK_LEDGER_HEAD_FILE), old, len);
	assert_int_equal(vk_store_open(s->store, &options, &keyless, &err), VK_OK);
	assert_int_equal(vk_ledger_append(keyless, &event, &err), VK_OK);
	vk_store_close(keyless);
	append_event(s, VK_EVENT_VERIFY, NULL, NULL);
	free(old);
	old = fixture_slurp(store_file(s, VK_LEDGER_HEAD_FILE), &len);
	assert_non_null(strstr((char *)old, "\"seq\":4,"));
	free(old);
	ledger_store_free(s);
}

static void *append_many(void *arg)
{
	for (int i = 0; i < 25; i++)
		append_event(arg, VK_EVENT_VERIFY, NULL, NULL);
	return NULL;
}

static void threads(void **state)
{
	struct ledger_store *s = ledger_store_new(true);
	pthread_t running[8];

	(void)state;
	for (size_t i = 0; i < 8; i++)
		assert_int_equal(pthread_create(&running[i], NULL, append_many, s), 0);
	for (size_t i = 0; i < 8; i++)
		pthread_join(running[i], NULL);
	assert_whole(s, 200, true);
	ledger_store_free(s);
}

static void many_captures_take_several_lines(void **state)
{
	struct ledger_store *s = ledger_store_new(true);
	const size_t count = 2 * VK_LEDGER_LINE_CAPTURES + 7;
	const char **ids = calloc(count, sizeof(*ids));
	char id[VK_CAPTURE_ID_BYTES];
	struct vk_event event = {.kind = VK_EVENT_PRUNE, .captures = ids, .capture_count = count};
	struct vk_error err;

	(void)state;
	memset(id, 'i', sizeof(id) - 1);
	id[sizeof(id) - 1] = '\0';
	for (size_t i = 0; i < count; i++)
		ids[i] = id;
	assert_int_equal(vk_ledger_append(s->open, &event, &err), VK_OK);
	assert_whole(s, 3, true);
	append_event(s, VK_EVENT_VERIFY, NULL, NULL);
	assert_whole(s, 4, true);
	free(ids);
	ledger_store_free(s);
}

/* What the verification of a store says, one finding of that code at most; VK_F_COUNT: none at all. */
static void assert_says(const char *store, enum vk_finding_code code)
{
	const struct vk_ledger_check check = {.anchor = NULL};
	struct vk_findings findings = {.count = 0};
	struct vk_finding_sink sink = vk_findings_sink(&findings);
	struct vk_error err = {.status = VK_OK};

	if (vk_ledger_verify(store, &check, &sink, NULL, &err) != VK_OK)
		fail_msg("verify: %s (%s)", err.what, err.where);
	assert_int_equal(findings.count, code == VK_F_COUNT ? 0 : 1);
	if (code != VK_F_COUNT && findings.items[0].code != code)
		fail_msg("found %s: %s", vk_finding_kind(findings.items[0].code)->code, findings.items[0].message);
	vk_findings_free(&findings);
}

static void move(const struct fixture *f, const char *from, const char *to)
{
	char a[300];
	char b[300];

	snprintf(a, sizeof(a), "%s/%s%s", f->store, from, f->id);
	snprintf(b, sizeof(b), "%s/%s%s", f->store, to, f->id);
	assert_int_equal(rename(a, b), 0);
}

static void write_manifest(const struct fixture *f, const char *bytes, size_t len)
{
	assert_int_equal(chmod(fixture_file(f, "manifest.json"), 0600), 0);
	fixture_write(fixture_file(f, "manifest.json"), bytes, len);
}

/* A run or a prune that died between its line and its deed is no alarm; the same with other bytes is one. */
static void unfinished(void **state)
{
	struct fixture *f = fixture_new(VK_LVM_DATA_OFFSET);
	const char *id = f->id;
	const struct vk_event prune = {.kind = VK_EVENT_PRUNE, .captures = &id, .capture_count = 1};
	struct vk_error err;
	size_t len;
	char *manifest;

	(void)state;
	fixture_take(f);
	manifest = (char *)fixture_slurp(fixture_file(f, "manifest.json"), &len);
	assert_says(f->store, VK_F_COUNT);
	move(f, "", ".tmp-");
	assert_says(f->store, VK_F_LEDGER_UNFINISHED);
	move(f, ".tmp-", ".gone-");
	assert_says(f->store, VK_F_LEDGER_CAPTURE_MISSING);
	move(f, ".gone-", "");
	write_manifest(f, "{}", 2);
	assert_says(f->store, VK_F_LEDGER_CAPTURE_DIFFERS);
	move(f, "", ".tmp-");
	assert_says(f->store, VK_F_LEDGER_CAPTURE_MISSING);
	move(f, ".tmp-", "");
	write_manifest(f, manifest, len);
	assert_says(f->store, VK_F_COUNT);
	assert_int_equal(vk_ledger_append(f->open_store, &prune, &err), VK_OK);
	assert_says(f->store, VK_F_LEDGER_UNFINISHED);
	write_manifest(f, "{}", 2);
	assert_says(f->store, VK_F_LEDGER_CAPTURE_UNRECORDED);
	move(f, "", ".gone-");
	assert_says(f->store, VK_F_LEDGER_UNFINISHED);
	move(f, ".gone-", ".elsewhere-");
	assert_says(f->store, VK_F_COUNT);
	free(manifest);
	fixture_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_are_chained),
		cmocka_unit_test(torn_line_is_cut),
		cmocka_unit_test(damaged_end),
		cmocka_unit_test(not_a_file),
		cmocka_unit_test(cut_ledger_keeps_its_gap),
		cmocka_unit_test(wrong_head_stays),
		cmocka_unit_test(torn_head),
		cmocka_unit_test(threads),
		cmocka_unit_test(many_captures_take_several_lines),
		cmocka_unit_test(unfinished),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
