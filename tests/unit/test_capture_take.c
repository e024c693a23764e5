/* SPDX-License-Identifier: Apache-2.0 */
/* Taking captures: every byte, every unreadable sector, every name. */
#include <dirent.h>

#include "capture_fixture.h"
#include "store/folder/digest.h"

static void assert_files_are_the_disk(const struct fixture *f)
{
	struct vk_capture c;
	struct vk_error err;

	assert_int_equal(vk_capture_open(f->store, f->id, &c, &err), VK_OK);
	assert_true(c.region_count > 0);
	for (size_t i = 0; i < c.region_count; i++) {
		const struct vk_region *r = &c.regions[i];
		char sha256[VK_SHA256_HEX_BYTES];
		size_t len;
		uint8_t *bytes = fixture_slurp(fixture_file(f, r->file), &len);

		assert_int_equal(len, r->length_bytes);
		assert_memory_equal(bytes, f->disk.bytes + r->offset_bytes, len);
		assert_true(vk_digest_bytes(bytes, len, sha256));
		assert_string_equal(sha256, r->sha256);
		free(bytes);
	}
	vk_capture_close(&c);
}

static void take_and_check(bool as_holes)
{
	struct fixture *f = fixture_new(VK_LVM_DATA_OFFSET);
	struct vk_findings findings = {.count = 0};
	struct vk_finding_sink sink = vk_findings_sink(&findings);
	struct vk_error err;
	struct stat st;

	f->disk.as_holes = as_holes;
	memset(f->disk.bytes + FIXTURE_BASE + 0x555555, 0x77, 5000);
	fixture_take(f);
	assert_int_equal(f->findings.count, 0);
	assert_files_are_the_disk(f);
	assert_int_equal(vk_capture_verify(f->path, &sink, &err), VK_OK);
	assert_int_equal(findings.count, 0);
	/* 17 MiB of which two places hold anything: whoever copies a store must not copy zeros */
	assert_int_equal(stat(fixture_file(f, "p1-lvm.raw"), &st), 0);
	assert_int_equal(st.st_size, 0x1100000);
	assert_true(st.st_blocks * 512 <= 64 << 10);
	assert_int_equal(st.st_mode & 07777, 0400);
	assert_int_equal(stat(f->path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	vk_findings_free(&findings);
	fixture_free(f);
}

static void whole_disk(void **state)
{
	(void)state;
	take_and_check(false);
}

static void whole_disk_with_holes(void **state)
{
	(void)state;
	take_and_check(true);
}

static void what_is_known(void **state)
{
	struct fixture *f = fixture_new(VK_LVM_DATA_OFFSET);
	struct vk_capture c;
	struct vk_error err;

	(void)state;
	f->vmfs.lvm.diskID.type = VK_SCSI_ID_NAA;
	f->vmfs.lvm.diskID.len = 22;
	f->vmfs.lvm.diskID.lun = 3;
	memset(f->vmfs.lvm.diskID.id, 0x60, 16);
	f->vmfs.lvm.devID.b[0] = 1;
	fixture_take(f);
	assert_int_equal(vk_capture_open(f->store, f->id, &c, &err), VK_OK);
	assert_string_equal(c.id, f->id);
	assert_string_equal(c.path, f->path);
	assert_non_null(strstr(c.id, "Z-disk_one.img"));
	assert_string_equal(c.source_path, "/images/disk one.img");
	assert_int_equal(c.source_kind, VK_SOURCE_DISK);
	assert_int_equal(c.table_kind, VK_TABLE_MBR);
	assert_int_equal(c.size_bytes, FIXTURE_BYTES);
	assert_int_equal(c.sector_size, 512);
	assert_false(c.is_undo);
	assert_int_equal(strlen(c.time), strlen("2009-04-21T16:45:56Z"));
	assert_true(c.host[0] != '\0' && c.version[0] != '\0');
	assert_int_equal(c.identity_count, 1);
	assert_int_equal(c.identities[0].partition, 1);
	assert_int_equal(c.identities[0].start_sector, FIXTURE_START);
	assert_int_equal(c.identities[0].sectors, f->partition.sectors);
	assert_string_equal(c.identities[0].disk_id, "naa.60606060606060606060606060606060");
	assert_int_equal(c.identities[0].lun, 3);
	assert_string_equal(c.identities[0].device_uuid, "00000001-00000000-0000-000000000000");
	assert_string_equal(c.identities[0].fs_label, "one\\x0atwo");
	assert_int_equal(c.identities[0].heartbeat_offset_bytes, FIXTURE_BASE + 0x1400000);
	assert_int_equal(c.identities[0].heartbeat_length_bytes, 0x100000);
	assert_int_equal(c.identities[0].heartbeat_slot_bytes, 512);
	vk_capture_close(&c);
	fixture_free(f);
}

static void unreadable_to_the_sector(void **state)
{
	struct fixture *f = fixture_new(VK_LVM_DATA_OFFSET);
	const struct vk_range bad[] = {
		{FIXTURE_BASE - 512, 1536},           /* across head and LVM region */
		{FIXTURE_BASE + 0x100000 + 512, 512}, /* behind the header */
		{FIXTURE_BASE + 0x1400000, 2048},
	};
	struct vk_capture c;
	struct vk_error err;

	(void)state;
	memcpy(f->disk.bad, bad, sizeof(bad));
	f->disk.bad_count = 3;
	memset(f->disk.bytes + FIXTURE_BASE - 512, 0xee, 1536);
	fixture_take(f);
	assert_int_equal(f->findings.count, 3);
	assert_int_equal(fixture_count(&f->findings, VK_F_CAPTURE_UNREADABLE), 3);
	assert_int_equal(vk_capture_open(f->store, f->id, &c, &err), VK_OK);
	assert_int_equal(c.unreadable_count, 3);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(c.unreadable[i].offset_bytes, bad[i].offset_bytes);
		assert_int_equal(c.unreadable[i].length_bytes, bad[i].length_bytes);
		assert_int_equal(f->findings.items[i].offset_bytes, bad[i].offset_bytes);
		memset(f->disk.bytes + bad[i].offset_bytes, 0, (size_t)bad[i].length_bytes);
	}
	vk_capture_close(&c);
	/* zeros where nothing is known, and everything else as it is */
	assert_files_are_the_disk(f);
	fixture_free(f);
}

/* Each of the three magics in turn: exactly that one is missed, and the capture is kept. */
static void not_containing(void **state)
{
	const struct {
		uint64_t offset;
		size_t len;
		const char *file;
	} cases[] = {
		{510, 2, "head.raw"},
		{FIXTURE_BASE + 0x100000, 4, "p1-lvm.raw"},
		{FIXTURE_BASE + 0x1300000, 4, "p1-vh.raw"},
	};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct fixture *f = fixture_new(VK_LVM_DATA_OFFSET);

		memset(f->disk.bytes + cases[i].offset, 0, cases[i].len);
		fixture_take(f);
		assert_int_equal(f->findings.count, 1);
		assert_int_equal(f->findings.items[0].code, VK_F_CAPTURE_NOT_CONTAINING);
		assert_int_equal(f->findings.items[0].offset_bytes, cases[i].offset);
		assert_int_equal(strncmp(f->findings.items[0].message, cases[i].file,
					 strlen(cases[i].file)),
				 0);
		assert_files_are_the_disk(f);
		fixture_free(f);
	}
}

static void gpt_signature_counts_as_a_table(void **state)
{
	struct fixture *f = fixture_new(VK_LVM_DATA_OFFSET);

	(void)state;
	memset(f->disk.bytes, 0, 512);
	memcpy(f->disk.bytes + 512, "EFI PART", 8);
	fixture_take(f);
	assert_int_equal(f->findings.count, 0);
	fixture_free(f);
}

static void no_vmfs(void **state)
{
	struct fixture *f = fixture_new(VK_LVM_DATA_OFFSET);

	(void)state;
	f->source.vmfs_count = 0;
	fixture_take(f);
	assert_int_equal(f->findings.count, 1);
	assert_int_equal(f->findings.items[0].code, VK_F_CAPTURE_NO_VMFS);
	fixture_free(f);
}

static void same_second_gets_another_name(void **state)
{
	struct fixture *f = fixture_new(0x10000);
	char first[VK_CAPTURE_ID_BYTES];
	char other[300];
	char **ids;
	size_t count;
	struct vk_error err;

	(void)state;
	for (int i = 0; i < 12; i++)
		fixture_take(f);
	snprintf(other, sizeof(other), "%s/.tmp-20090421T164556Z-left", f->store);
	assert_int_equal(mkdir(other, 0700), 0);
	snprintf(other, sizeof(other), "%s/lost+found", f->store);
	assert_int_equal(mkdir(other, 0700), 0);
	assert_int_equal(vk_store_list(f->store, &ids, &count, &err), VK_OK);
	assert_int_equal(count, 12);
	snprintf(first, sizeof(first), "%s", ids[0]);
	for (size_t i = 1; i < count; i++)
		assert_true(strncmp(ids[i - 1], ids[i], 16) <= 0);
	/* in the order they were taken, also behind the ninth */
	assert_string_equal(ids[count - 1], f->id);
	for (size_t i = 0; i < count; i++)
		free(ids[i]);
	free(ids);
	fixture_free(f);
}

static void no_store_and_no_parent(void **state)
{
	struct fixture *f = fixture_new(0x10000);
	char store[128];
	const struct vk_store_options use = {.use = VK_STORE_RUN};
	struct vk_capture_options options = {.md5 = false};
	struct stat st;
	struct vk_error err;
	char **ids;
	size_t count;

	(void)state;
	snprintf(store, sizeof(store), "%s/new", f->store);
	assert_int_equal(vk_store_list(store, &ids, &count, &err), VK_ABSENT);
	options.store = test_store(store, VK_STORE_RUN);
	assert_int_equal(vk_capture_take(&f->source, &options, NULL, f->id, &err), VK_OK);
	vk_store_close(options.store);
	assert_int_equal(stat(store, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	snprintf(store, sizeof(store), "%s/none/new", f->store);
	assert_int_equal(vk_store_open(store, &use, &options.store, &err), VK_IO);
	fixture_free(f);
}

static void assert_store_has(const char *store, size_t expected)
{
	const struct dirent *entry;
	DIR *dir;
	char **ids;
	size_t count;
	struct vk_error err;

	assert_int_equal(vk_store_list(store, &ids, &count, &err), VK_OK);
	assert_int_equal(count, expected);
	for (size_t i = 0; i < count; i++)
		free(ids[i]);
	free(ids);
	/* nor a temporary folder */
	dir = opendir(store);
	assert_non_null(dir);
	while ((entry = readdir(dir)) != NULL)
		assert_int_not_equal(strncmp(entry->d_name, ".tmp-", 5), 0);
	closedir(dir);
}

static void undo(void **state)
{
	struct fixture *f = fixture_new(VK_LVM_DATA_OFFSET);
	const struct vk_capture_options options = {.store = f->open_store};
	const struct vk_region regions[] = {
		{.file = "p1-lvm.raw",
		 .part = VK_PART_LVM,
		 .partition = 1,
		 .offset_bytes = FIXTURE_BASE,
		 .length_bytes = 0x1100000},
		{.file = "head.raw", .part = VK_PART_TABLE, .offset_bytes = 0, .length_bytes = 512},
	};
	struct vk_capture of;
	struct vk_capture c;
	struct vk_error err;
	char id[VK_CAPTURE_ID_BYTES];

	(void)state;
	fixture_take(f);
	assert_int_equal(vk_capture_open(f->store, f->id, &of, &err), VK_OK);
	memset(f->disk.bytes, 0xbb, 4096);
	assert_int_equal(vk_capture_take_undo(f->source.io, &of, regions, 2, &options, id, &err),
			 VK_OK);
	assert_int_equal(strcmp(id + strlen(id) - 5, "-undo"), 0);
	assert_int_equal(vk_capture_open(f->store, id, &c, &err), VK_OK);
	assert_true(c.is_undo);
	assert_string_equal(c.undo_of, f->id);
	assert_int_equal(c.identity_count, 1);
	assert_int_equal(c.region_count, 2);
	assert_string_equal(c.regions[0].file, "head.raw");
	vk_capture_close(&c);
	snprintf(f->id, sizeof(f->id), "%s", id);
	snprintf(f->path, sizeof(f->path), "%s/%s", f->store, id);
	assert_files_are_the_disk(f);
	vk_capture_close(&of);
	fixture_free(f);
}

/* Whatever moves while the undo capture is taken makes it fail, and leaves nothing behind. */
static void undo_of_a_moving_target(void **state)
{
	struct fixture *f = fixture_new(VK_LVM_DATA_OFFSET);
	const struct vk_capture_options options = {.store = f->open_store};
	const struct vk_region region = {.file = "head.raw",
					 .part = VK_PART_TABLE,
					 .offset_bytes = 0,
					 .length_bytes = 4096};
	struct vk_capture of = {.id = "x", .source_kind = VK_SOURCE_DISK};
	struct vk_region twice[2] = {region, region};
	struct vk_error err;
	char id[VK_CAPTURE_ID_BYTES];

	(void)state;
	f->disk.change_at = 17;
	f->disk.change_after_reads = 1;
	assert_int_equal(vk_capture_take_undo(f->source.io, &of, &region, 1, &options, id, &err),
			 VK_IO);
	assert_store_has(f->store, 0);
	assert_int_equal(vk_capture_take_undo(f->source.io, &of, twice, 2, &options, id, &err),
			 VK_USAGE);
	assert_store_has(f->store, 0);
	fixture_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_disk),
		cmocka_unit_test(whole_disk_with_holes),
		cmocka_unit_test(what_is_known),
		cmocka_unit_test(unreadable_to_the_sector),
		cmocka_unit_test(not_containing),
		cmocka_unit_test(gpt_signature_counts_as_a_table),
		cmocka_unit_test(no_vmfs),
		cmocka_unit_test(same_second_gets_another_name),
		cmocka_unit_test(no_store_and_no_parent),
		cmocka_unit_test(undo),
		cmocka_unit_test(undo_of_a_moving_target),
	};

	return cmocka_run_group_tests_name("capture take", tests, NULL, NULL);
}
