/* SPDX-License-Identifier: Apache-2.0 */
/* Manifests from anyone: what is not sound is refused, and said why. */
#include "capture_fixture.h"
#include "store/folder/folder.h"
#include "store/manifest/manifest.h"

/* The manifest of a real capture, with from replaced by to. Free the result. */
static char *edited(const struct fixture *f, const char *from, const char *to)
{
	size_t len;
	char *text = (char *)fixture_slurp(fixture_file(f, "manifest.json"), &len);
	char *at = strstr(text, from);
	char *result;

	if (at == NULL)
		fail_msg("no %s in the manifest", from);
	assert_true(asprintf(&result, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from)) > 0);
	free(text);
	return result;
}

static enum vk_status read_text(const char *text, size_t len, struct vk_error *err)
{
	struct vk_manifest manifest;
	bool canonical;
	enum vk_status status = vk_manifest_read(text, len, "here", &manifest, &canonical, err);

	if (status == VK_OK)
		vk_manifest_free(&manifest);
	return status;
}

static void refused(void **state)
{
	const struct {
		const char *from;
		const char *to;
		enum vk_status status;
		const char *says; /* in the message */
	} cases[] = {
		{"vmfskit.manifest/1", "vmfskit.manifest/2", VK_UNSUPPORTED, "vmfskit.manifest/2"},
		{"\"schema\"", "\"scheme\"", VK_DAMAGED, "schema"},
		{"\"purpose\": \"capture\"", "\"purpose\": \"undo\"", VK_DAMAGED, "undo_of"},
		{"\"purpose\": \"capture\"", "\"purpose\": \"snapshot\"", VK_DAMAGED, "purpose"},
		{"\"purpose\": \"capture\"", "\"purpose\": \"rebuilt\"", VK_DAMAGED, "what"},
		{"\"purpose\": \"capture\"", "\"purpose\": \"rebuilt\", \"rebuilt\": {\"what\": \"table\"}", VK_DAMAGED,
		 "ranges"},
		{"\"purpose\": \"capture\"",
		 "\"purpose\": \"rebuilt\", \"rebuilt\": {\"what\": \"table\", \"ranges\": [{\"offset_bytes\": 512, "
		 "\"length_bytes\": 512}, {\"offset_bytes\": 1000, \"length_bytes\": 512}]}",
		 VK_DAMAGED, "out of order"},
		{"\"purpose\": \"capture\"",
		 "\"purpose\": \"rebuilt\", \"rebuilt\": {\"what\": \"table\", \"ranges\": [{\"offset_bytes\": 0, "
		 "\"length_bytes\": -5}]}",
		 VK_DAMAGED, "length_bytes"},
		{"\"purpose\": \"capture\"",
		 "\"purpose\": \"rebuilt\", \"rebuilt\": {\"what\": \"table\", \"ranges\": [], \"lost\": [\"\\u001b[2J\"]}",
		 VK_DAMAGED, "lost"},
		{"\"purpose\": \"capture\"",
		 "\"purpose\": \"rebuilt\", \"rebuilt\": {\"what\": \"\\u001b\", \"ranges\": []}", VK_DAMAGED, "what"},
		{"\"id\": \"2", "\"id\": \"\\u0007", VK_DAMAGED, "id"},
		{"\"host\": \"", "\"host\": \"\\u001b[2J", VK_DAMAGED, "host"},
		{"\"size_bytes\": 25165824", "\"size_bytes\": -1", VK_DAMAGED, "size_bytes"},
		{"\"size_bytes\": 25165824", "\"size_bytes\": 1e9", VK_DAMAGED, "size_bytes"},
		{"\"size_bytes\": 25165824", "\"size_bytes\": \"25165824\"", VK_DAMAGED, "size_bytes"},
		{"\"size_bytes\": 25165824", "\"size_bytes\": 99999999999999999999", VK_DAMAGED, "integer"},
		{"\"sector_size\": 512", "\"sector_size\": 520", VK_DAMAGED, "sector_size"},
		{"\"kind\": \"disk\"", "\"kind\": \"volume\"", VK_DAMAGED, "kind"},
		{"\"table\": \"mbr\"", "\"table\": \"apm\"", VK_DAMAGED, "table"},
		{"\"part\": \"table\"", "\"part\": \"all\"", VK_DAMAGED, "part"},
		{"\"file\": \"head.raw\"", "\"file\": \"../head.raw\"", VK_DAMAGED, "file"},
		{"\"file\": \"head.raw\"", "\"file\": \"/etc/shadow\"", VK_DAMAGED, "file"},
		{"\"file\": \"head.raw\"", "\"file\": \"..\"", VK_DAMAGED, "file"},
		{"\"file\": \"head.raw\"", "\"file\": \".head\"", VK_DAMAGED, "file"},
		{"\"file\": \"head.raw\"", "\"file\": \"\"", VK_DAMAGED, "file"},
		{"\"file\": \"head.raw\"", "\"file\": \"-rf\"", VK_DAMAGED, "file"},
		{"\"file\": \"head.raw\"", "\"file\": \"a b\"", VK_DAMAGED, "file"},
		{"\"file\": \"head.raw\"", "\"file\": \"$(id)\"", VK_DAMAGED, "file"},
		{"\"file\": \"head.raw\"", "\"file\": \"manifest.json\"", VK_DAMAGED, "file"},
		{"\"file\": \"head.raw\"", "\"file\": \"SHA256SUMS\"", VK_DAMAGED, "file"},
		{"\"file\": \"head.raw\"", "\"file\": \"p1-lvm.raw\"", VK_DAMAGED, "twice"},
		{"\"file\": \"head.raw\"", "\"file\": \"head.raw\\u0000x\"", VK_DAMAGED, "NUL"},
		{"\"file\": \"RESTORE.txt\"", "\"file\": \"head.raw\"", VK_DAMAGED, "files"},
		{"\"offset_bytes\": 0", "\"offset_bytes\": 9223372036854775807", VK_DAMAGED, "length_bytes"},
		{"\"length_bytes\": 65536", "\"length_bytes\": 0", VK_DAMAGED, "length_bytes"},
		{"\"length_bytes\": 65536", "\"length_bytes\": 9223372036854775807", VK_DAMAGED, "length_bytes"},
		{"\"sha256\": \"", "\"sha256\": \"0", VK_DAMAGED, "sha256"},
		{"\"heartbeat_slot_bytes\": 0", "\"heartbeat_slot_bytes\": -5", VK_DAMAGED, "heartbeat"},
		{"\"lun\": 0", "\"lun\": 65536", VK_DAMAGED, "lun"},
		{"\"fs_label\": \"", "\"fs_label\": null, \"x\": \"", VK_DAMAGED, "fs_label"},
		{"\"lun\": 0", "\"lun\": 0, \"lun\": 0", VK_DAMAGED, "duplicate"},
		{"\"regions\": [", "\"regions\": [5,", VK_DAMAGED, "file"},
		{"\"regions\": [", "\"regions\": [[],", VK_DAMAGED, "file"},
		{"\"unreadable\": []", "\"unreadable\": {}", VK_DAMAGED, "unreadable"},
		{"\"unreadable\": []", "\"unreadable\": [{\"offset_bytes\": 0}]", VK_DAMAGED, "length_bytes"},
		{"\"findings\": [", "\"findings\": 1, \"more\": [", VK_DAMAGED, "findings"},
	};
	struct fixture *f = fixture_new(0x10000);

	(void)state;
	fixture_take(f);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *text = edited(f, cases[i].from, cases[i].to);
		struct vk_error err = {.status = VK_OK};
		enum vk_status status = read_text(text, strlen(text), &err);

		if (status != cases[i].status || strstr(err.what, cases[i].says) == NULL)
			fail_msg("%s: %s: \"%s\"", cases[i].to, vk_status_name(status), err.what);
		free(text);
	}
	fixture_free(f);
}

static void cut_off_anywhere(void **state)
{
	struct fixture *f = fixture_new(0x10000);
	size_t len;
	char *text;
	struct vk_error err;

	(void)state;
	fixture_take(f);
	text = (char *)fixture_slurp(fixture_file(f, "manifest.json"), &len);
	assert_int_equal(read_text(text, len, &err), VK_OK);
	for (size_t i = 0; i + 1 < len; i++)
		assert_int_equal(read_text(text, i, &err), VK_DAMAGED);
	free(text);
	fixture_free(f);
}

static void unknown_keys_are_left_alone(void **state)
{
	struct fixture *f = fixture_new(0x10000);
	struct vk_error err;
	char *text;

	(void)state;
	fixture_take(f);
	text = edited(f, "\"host\"", "\"signature\": {\"of\": [1, 2]}, \"host\"");
	assert_int_equal(read_text(text, strlen(text), &err), VK_OK);
	free(text);
	fixture_free(f);
}

/* Reading finds a manifest whose ranges make no sense damaged; verify names each. */
static void ranges(void **state)
{
	const struct {
		const char *from;
		const char *to;
	} cases[] = {
		{"\"size_bytes\": 25165824", "\"size_bytes\": 131071"},   /* one byte too short */
		{"\"offset_bytes\": 65536", "\"offset_bytes\": 65535"},   /* one byte of overlap */
		{"\"offset_bytes\": 0", "\"offset_bytes\": 131072"},      /* out of order */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fixture *f = fixture_new(0x10000);
		struct vk_findings findings = {.count = 0};
		struct vk_finding_sink sink = vk_findings_sink(&findings);
		struct vk_capture c;
		struct vk_error err;
		char *text;

		fixture_take(f);
		text = edited(f, cases[i].from, cases[i].to);
		chmod(fixture_file(f, "manifest.json"), 0600);
		fixture_write(fixture_file(f, "manifest.json"), text, strlen(text));
		free(text);
		assert_int_equal(vk_capture_open(f->store, f->id, &c, &err), VK_DAMAGED);
		assert_non_null(strstr(err.what, "region"));
		assert_int_equal(vk_capture_verify(f->path, &sink, &err), VK_OK);
		assert_int_equal(fixture_count(&findings, VK_F_CAPTURE_RANGE), 1);
		vk_findings_free(&findings);
		fixture_free(f);
	}
}

static void found_by_path_or_id(void **state)
{
	struct fixture *f = fixture_new(0x10000);
	char cwd[4096];
	struct vk_capture c;
	struct vk_error err;

	(void)state;
	fixture_take(f);
	assert_int_equal(vk_capture_open("/nowhere", f->path, &c, &err), VK_OK);
	vk_capture_close(&c);
	assert_int_equal(vk_capture_open(f->store, f->id, &c, &err), VK_OK);
	vk_capture_close(&c);
	assert_non_null(getcwd(cwd, sizeof(cwd)));
	assert_int_equal(chdir(f->store), 0);
	assert_int_equal(vk_capture_open("/nowhere", f->id, &c, &err), VK_OK);
	vk_capture_close(&c);
	assert_int_equal(chdir(cwd), 0);
	assert_int_equal(vk_capture_open("/nowhere", f->id, &c, &err), VK_ABSENT);
	assert_non_null(strstr(err.what, "/nowhere"));
	assert_int_equal(vk_capture_open(f->store, "..", &c, &err), VK_ABSENT);
	assert_int_equal(vk_capture_open(f->store, "", &c, &err), VK_ABSENT);
	assert_int_equal(vk_capture_open(f->store, "/nowhere/x", &c, &err), VK_ABSENT);
	assert_int_equal(unlink(fixture_file(f, "manifest.json")), 0);
	assert_int_equal(vk_capture_open(f->store, f->id, &c, &err), VK_DAMAGED);
	fixture_free(f);
}

static void restore_text_is_in_a_safe_order(void **state)
{
	static const char *const order[] = {
		"sha256sum -c SHA256SUMS",
		"\ndd if=gpt-tail.raw of=TARGET bs=512 seek=49119 conv=notrunc,fsync\n",
		"\ndd if=head.raw of=TARGET bs=512 skip=1 seek=1 conv=notrunc,fsync\n",
		"\ndd if=head.raw of=TARGET bs=512 seek=0 count=1 conv=notrunc,fsync\n",
		"\ndd if=p1-lvm.raw of=TARGET bs=512 seek=128 conv=notrunc,fsync\n",
		"\n# dd if=p1-vh.raw of=TARGET bs=512 seek=34944 conv=notrunc,fsync\n", /* has a hole */
		"\n# dd if=p1-heartbeats.raw of=TARGET bs=512 seek=41088 conv=notrunc,fsync\n",
	};
	struct fixture *f = fixture_new(VK_LVM_DATA_OFFSET);
	size_t len;
	char *text;
	const char *at;

	(void)state;
	f->source.table.kind = VK_TABLE_GPT;
	f->source.table.gpt[0].present = true;
	f->disk.bad[0] = (struct vk_range){FIXTURE_BASE + 0x1200000, 512};
	f->disk.bad_count = 1;
	fixture_take(f);
	text = (char *)fixture_slurp(fixture_file(f, "RESTORE.txt"), &len);
	at = text;
	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		const char *found = strstr(at, order[i]);

		if (found == NULL)
			fail_msg("%s is not there, or not in its place:\n%s", order[i], text);
		else
			at = found;
	}
	free(text);
	fixture_free(f);
}

/* No two disks or partitions that are there at one time are taken for one. */
static void disk_keys(void **state)
{
	static const struct vk_disk_said said[] = {
		{.wwid = "", .host = "a", .path = "/dev/sdb", .serial = "", .is_disk = true},
		{.wwid = "", .host = "a", .path = "/dev/sdb1", .serial = "", .is_disk = false},
		{.wwid = "", .host = "a", .path = "/dev/sdb", .serial = "1", .is_disk = true},
		{.wwid = "", .host = "b", .path = "/dev/sdb", .serial = "", .is_disk = true},
		{.wwid = "naa.1", .host = "a", .path = "/dev/sdb", .serial = "", .is_disk = true},
		{.wwid = "naa.1", .host = "a", .path = "/dev/sdb1", .serial = "", .is_disk = false},
		{.wwid = "naa.1", .host = "a", .path = "/dev/sdb2", .serial = "", .is_disk = false},
	};
	enum { COUNT = sizeof(said) / sizeof(said[0]) };
	char *keys[COUNT], *again;

	(void)state;
	for (size_t i = 0; i < COUNT; i++) {
		keys[i] = vk_disk_key(&said[i]);
		assert_non_null(keys[i]);
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(keys[i], keys[k]);
	}
	/* a disk with a WWID is the same one under every path and host */
	again = vk_disk_key(&(struct vk_disk_said){.wwid = "naa.1", .host = "b", .path = "/dev/sdx", .serial = "2",
						   .is_disk = true});
	assert_string_equal(keys[4], again);
	free(again);
	for (size_t i = 0; i < COUNT; i++)
		free(keys[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refused),
		cmocka_unit_test(cut_off_anywhere),
		cmocka_unit_test(unknown_keys_are_left_alone),
		cmocka_unit_test(ranges),
		cmocka_unit_test(disk_keys),
		cmocka_unit_test(found_by_path_or_id),
		cmocka_unit_test(restore_text_is_in_a_safe_order),
	};

	return cmocka_run_group_tests_name("capture manifest", tests, NULL, NULL);
}
