/* SPDX-License-Identifier: Apache-2.0 */
/* What a capture saves: which ranges, never one byte twice, never outside the disk. */
#include "capture_fixture.h"

struct range {
	const char *file;
	uint64_t start;
	uint64_t length;
};

static void assert_plan(const struct vk_source *source, const struct range *ranges, size_t count)
{
	struct vk_capture_plan plan;
	struct vk_error err = {.status = VK_OK};

	assert_int_equal(vk_capture_plan(source, &plan, &err), VK_OK);
	for (size_t i = 0; i < count && i < plan.region_count; i++) {
		assert_string_equal(plan.regions[i].file, ranges[i].file);
		assert_int_equal(plan.regions[i].offset_bytes, ranges[i].start);
		assert_int_equal(plan.regions[i].length_bytes, ranges[i].length);
	}
	assert_int_equal(plan.region_count, count);
	vk_capture_plan_free(&plan);
}

#define ASSERT_PLAN(source, ranges) assert_plan(source, ranges, sizeof(ranges) / sizeof((ranges)[0]))

static void mbr_disk(void **state)
{
	struct fixture *f = fixture_new(VK_LVM_DATA_OFFSET);
	const uint64_t data = FIXTURE_BASE + 0x1100000;
	const struct range ranges[] = {
		{"head.raw", 0, FIXTURE_BASE},
		{"p1-lvm.raw", FIXTURE_BASE, 0x1100000},
		{"p1-vh.raw", data, 0x300000},
		{"p1-heartbeats.raw", data + 0x300000, 0x100000},
	};

	(void)state;
	ASSERT_PLAN(&f->source, ranges);
	fixture_free(f);
}

static void big_blocks_have_a_tail(void **state)
{
	struct fixture *f = fixture_new(VK_LVM_DATA_OFFSET);
	const uint64_t data = FIXTURE_BASE + 0x1100000;
	const struct range ranges[] = {
		{"head.raw", 0, FIXTURE_BASE},
		{"p1-lvm.raw", FIXTURE_BASE, 0x1100000},
		{"p1-vh.raw", data, 0x300000},
		{"p1-heartbeats.raw", data + 0x300000, 0x100000},
		{"p1-vh-tail.raw", data + 0x400000, FIXTURE_BYTES - data - 0x400000},
	};

	(void)state;
	f->vmfs.fs_geometry.vh_end = 0x800000; /* cut by the end of the disk */
	ASSERT_PLAN(&f->source, ranges);
	fixture_free(f);
}

static void gpt_disk(void **state)
{
	struct fixture *f = fixture_new(VK_LVM_DATA_OFFSET);
	const uint64_t last = FIXTURE_BYTES / 512 - 1;
	const struct range ranges[] = {
		{"head.raw", 0, 34 * 512},
		{"p1-lvm.raw", 34 * 512, 0x1100000},
		{"gpt-tail.raw", (last - 40) * 512, 41 * 512},
	};

	(void)state;
	f->partition.start_sector = 34;
	f->vmfs.start_sector = 34;
	f->vmfs.fs_expected = false;
	f->source.table.gpt[0] = (struct vk_gpt_copy){.present = true, .usable = true, .lba = 1};
	f->source.table.gpt[0].header = (struct vk_gpt_header){
		.entriesLBA = 2, .numEntries = 128, .entrySize = 128};
	f->source.table.gpt[1] = (struct vk_gpt_copy){.present = true, .usable = true, .lba = last};
	f->source.table.gpt[1].header = (struct vk_gpt_header){
		.entriesLBA = last - 40, .numEntries = 128, .entrySize = 128};
	ASSERT_PLAN(&f->source, ranges);
	fixture_free(f);
}

static void set_odd_gpt(struct fixture *f, uint64_t backup_entries)
{
	f->source.table.kind = VK_TABLE_GPT;
	f->vmfs.fs_expected = false;
	f->source.table.gpt[0] = (struct vk_gpt_copy){.present = true, .usable = true, .lba = 1};
	f->source.table.gpt[0].header = (struct vk_gpt_header){
		.entriesLBA = 40000, .numEntries = 128, .entrySize = 128};
	f->source.table.gpt[1] =
		(struct vk_gpt_copy){.present = true, .usable = true, .lba = backup_entries + 32};
	f->source.table.gpt[1].header = (struct vk_gpt_header){
		.entriesLBA = backup_entries, .numEntries = 128, .entrySize = 128};
}

/*
 * A grown disk: the copy lies where the end was; and entries that lie behind the first
 * partition's start.
 */
static void gpt_of_a_grown_disk(void **state)
{
	struct fixture *f = fixture_new(VK_LVM_DATA_OFFSET);
	const struct range ranges[] = {
		{"head.raw", 0, FIXTURE_BASE},
		{"p1-lvm.raw", FIXTURE_BASE, 0x1100000},
		{"gpt-backup.raw", 36500 * 512, 33 * 512},
		{"gpt-entries.raw", 40000 * 512, 32 * 512},
		{"gpt-tail.raw", FIXTURE_BYTES - 33 * 512, 33 * 512},
	};

	(void)state;
	set_odd_gpt(f, 36500);
	ASSERT_PLAN(&f->source, ranges);
	fixture_free(f);
}

static void copy_near_the_end_is_in_the_tail(void **state)
{
	struct fixture *f = fixture_new(VK_LVM_DATA_OFFSET);
	const struct range ranges[] = {
		{"head.raw", 0, FIXTURE_BASE},
		{"p1-lvm.raw", FIXTURE_BASE, 0x1100000},
		{"gpt-entries.raw", 40000 * 512, 32 * 512},
		{"gpt-tail.raw", 41000 * 512, FIXTURE_BYTES - 41000 * 512},
	};

	(void)state;
	set_odd_gpt(f, 41000);
	ASSERT_PLAN(&f->source, ranges);
	fixture_free(f);
}

static void early_partition(void **state)
{
	struct fixture *f = fixture_new(VK_LVM_DATA_OFFSET);
	const struct range vmfs[] = {
		{"head.raw", 0, 20 * 512},
		{"p1-lvm.raw", 20 * 512, 0x1100000},
	};
	/* on an MBR disk what lies behind its start belongs to the partition, whoever's it is */
	const struct range other[] = {
		{"head.raw", 0, 20 * 512},
	};

	(void)state;
	f->vmfs.fs_expected = false;
	f->partition.start_sector = 20;
	f->vmfs.start_sector = 20;
	ASSERT_PLAN(&f->source, vmfs);
	f->source.vmfs_count = 0;
	ASSERT_PLAN(&f->source, other);
	f->source.table.partition_count = 0;
	{
		const struct range none[] = {{"head.raw", 0, 1 << 20}};

		ASSERT_PLAN(&f->source, none);
	}
	fixture_free(f);
}

/* What looks like a GPT inside a partition of an MBR disk is old: to write it back would destroy data. */
static void stale_gpt_in_a_partition(void **state)
{
	struct fixture *f = fixture_new(VK_LVM_DATA_OFFSET);
	const struct range ranges[] = {
		{"head.raw", 0, FIXTURE_BASE},
		{"p1-lvm.raw", FIXTURE_BASE, 0x1100000},
	};

	(void)state;
	set_odd_gpt(f, 36500);
	f->source.table.kind = VK_TABLE_MBR;
	f->partition.sectors = FIXTURE_BYTES / 512;
	ASSERT_PLAN(&f->source, ranges);
	fixture_free(f);
}

static void extended_chain(void **state)
{
	struct fixture *f = fixture_new(VK_LVM_DATA_OFFSET);
	uint64_t ebrs[] = {128, 400, 40000};
	const struct range ranges[] = {
		{"head.raw", 0, 128 * 512},
		{"ebr-128.raw", 128 * 512, 512},
		{"ebr-400.raw", 400 * 512, 512},
		{"p5-lvm.raw", 463 * 512, 0x1100000},
		{"ebr-40000.raw", 40000 * 512, 512},
	};

	(void)state;
	f->vmfs.fs_expected = false;
	f->vmfs.partition = 5;
	f->vmfs.start_sector = 463;
	f->partition.mbr_type = 0x0F;
	f->source.table.ebr_lbas = ebrs;
	f->source.table.ebr_count = 3;
	ASSERT_PLAN(&f->source, ranges);
	fixture_free(f);
}

static void extended_metadata(void **state)
{
	struct fixture *f = fixture_new(0x10000);
	struct vk_lvm_ext_at exts[2] = {{.offset_bytes = 0x200000}, {.offset_bytes = 0x900000}};
	const struct range ranges[] = {
		{"head.raw", 0, FIXTURE_BASE},
		{"p1-lvm.raw", FIXTURE_BASE, 0x10000},
		{"p1-lvm-ext1.raw", FIXTURE_BASE + 0x200000, 0x20000},
		{"p1-lvm-ext2.raw", FIXTURE_BASE + 0x900000, FIXTURE_BYTES - FIXTURE_BASE - 0x900000},
	};

	(void)state;
	exts[0].ext.dataOffset = 0x220000;
	exts[1].ext.dataOffset = UINT64_MAX; /* not believed: 17 MiB, cut by the end */
	f->vmfs.exts = exts;
	f->vmfs.ext_count = 2;
	ASSERT_PLAN(&f->source, ranges);
	fixture_free(f);
}

static void header_gone(void **state)
{
	struct fixture *f = fixture_new(VK_LVM_DATA_OFFSET);
	const uint64_t data = FIXTURE_BASE + 0x1100000;
	const struct range ranges[] = {
		{"head.raw", 0, FIXTURE_BASE},
		{"p1-lvm.raw", FIXTURE_BASE, 0x1100000},
		{"p1-vh.raw", data, 0x300000},
		{"p1-heartbeats.raw", data + 0x300000, 0x100000},
	};

	(void)state;
	f->vmfs.lvm_usable = false;
	f->vmfs.lvm.dataOffset = 0x77;
	f->vmfs.fs_usable = false;
	f->vmfs.fs_geometry.heartbeat_offset = 0;
	f->vmfs.run_count = 0;
	ASSERT_PLAN(&f->source, ranges);
	fixture_free(f);
}

static void scattered_volume(void **state)
{
	struct fixture *f = fixture_new(VK_LVM_DATA_OFFSET);
	struct vk_run runs[] = {{0, 0x1100000, 0x280000}, {0x280000, 0x1400000, 0x180000}};
	const struct range ranges[] = {
		{"head.raw", 0, FIXTURE_BASE},
		{"p1-lvm.raw", FIXTURE_BASE, 0x1100000},
		{"p1-vh.raw", FIXTURE_BASE + 0x1100000, 0x280000},
		{"p1-vh.2.raw", FIXTURE_BASE + 0x1400000, 0x80000},
		{"p1-heartbeats.raw", FIXTURE_BASE + 0x1480000, 0x100000},
	};

	(void)state;
	f->vmfs.runs = runs;
	f->vmfs.run_count = 2;
	ASSERT_PLAN(&f->source, ranges);
	fixture_free(f);
}

static void bare_partition(void **state)
{
	struct fixture *f = fixture_new(VK_LVM_DATA_OFFSET);
	const struct range ranges[] = {
		{"p0-lvm.raw", 0, 0x1100000},
		{"p0-vh.raw", 0x1100000, 0x300000},
		{"p0-heartbeats.raw", 0x1400000, 0x100000},
	};

	(void)state;
	f->source.kind = VK_SOURCE_PARTITION;
	f->source.vmfs_count = 0; /* nothing in it was recognised */
	ASSERT_PLAN(&f->source, ranges);
	fixture_free(f);
}

static void volumes_are_refused(void **state)
{
	struct fixture *f = fixture_new(VK_LVM_DATA_OFFSET);
	struct vk_capture_plan plan;
	struct vk_error err;

	(void)state;
	f->source.kind = VK_SOURCE_VOLUME;
	assert_int_equal(vk_capture_plan(&f->source, &plan, &err), VK_USAGE);
	f->source.kind = VK_SOURCE_HEADER;
	assert_int_equal(vk_capture_plan(&f->source, &plan, &err), VK_USAGE);
	fixture_free(f);
}

static uint64_t next_random(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return *seed >> 11;
}

/* Numbers from hell, often near the interesting places. */
static uint64_t next_number(uint64_t *seed)
{
	switch (next_random(seed) % 6) {
	case 0:
		return next_random(seed) << 11;
	case 1:
		return UINT64_MAX - next_random(seed) % 100;
	case 2:
		return 0;
	default:
		return next_random(seed) % (2 * FIXTURE_BYTES / 512);
	}
}

static void never_twice_never_outside(void **state)
{
	struct fixture *f = fixture_new(VK_LVM_DATA_OFFSET);
	uint64_t seed = 20090421;

	(void)state;
	for (int round = 0; round < 3000; round++) {
		struct vk_vmfs vmfs[3];
		struct vk_run runs[3][2];
		struct vk_lvm_ext_at exts[2];
		uint64_t ebrs[4];
		struct vk_capture_plan plan;
		struct vk_error err;
		uint64_t end = 0;

		for (int i = 0; i < 3; i++) {
			vmfs[i] = f->vmfs;
			vmfs[i].partition = (unsigned)next_random(&seed) % 4;
			vmfs[i].start_sector = next_number(&seed);
			vmfs[i].partition_bytes = next_number(&seed);
			vmfs[i].lvm_usable = next_random(&seed) % 2 == 0;
			vmfs[i].lvm.dataOffset = next_number(&seed) * 512;
			vmfs[i].fs_geometry.heartbeat_offset = next_number(&seed) * 512;
			vmfs[i].fs_geometry.heartbeat_end = next_number(&seed) * 512;
			vmfs[i].fs_geometry.vh_end = next_number(&seed) * 512;
			runs[i][0] = (struct vk_run){0, next_number(&seed) * 512, next_number(&seed)};
			runs[i][1] = (struct vk_run){runs[i][0].length_bytes, next_number(&seed),
						     next_number(&seed)};
			vmfs[i].runs = runs[i];
			vmfs[i].run_count = 2;
			vmfs[i].exts = exts;
			vmfs[i].ext_count = 2;
		}
		for (int i = 0; i < 2; i++) {
			exts[i].offset_bytes = next_number(&seed) * 512;
			exts[i].ext.dataOffset = next_number(&seed) * 512;
			f->source.table.gpt[i].present = next_random(&seed) % 2 == 0;
			f->source.table.gpt[i].usable = next_random(&seed) % 2 == 0;
			f->source.table.gpt[i].lba = next_number(&seed);
			f->source.table.gpt[i].header = (struct vk_gpt_header){
				.entriesLBA = next_number(&seed),
				.numEntries = (uint32_t)next_number(&seed),
				.entrySize = 128};
		}
		for (int i = 0; i < 4; i++)
			ebrs[i] = next_number(&seed);
		f->partition.start_sector = next_number(&seed);
		f->source.table.ebr_lbas = ebrs;
		f->source.table.ebr_count = 4;
		f->source.vmfs = vmfs;
		f->source.vmfs_count = 3;
		assert_int_equal(vk_capture_plan(&f->source, &plan, &err), VK_OK);
		assert_true(plan.region_count > 0);
		assert_int_equal(plan.regions[0].offset_bytes, 0);
		for (size_t i = 0; i < plan.region_count; i++) {
			assert_true(plan.regions[i].length_bytes > 0);
			assert_true(plan.regions[i].offset_bytes >= end);
			end = plan.regions[i].offset_bytes + plan.regions[i].length_bytes;
			assert_true(end <= FIXTURE_BYTES);
			for (size_t k = 0; k < i; k++)
				assert_string_not_equal(plan.regions[i].file, plan.regions[k].file);
		}
		vk_capture_plan_free(&plan);
	}
	f->source.vmfs = &f->vmfs;
	fixture_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mbr_disk),
		cmocka_unit_test(big_blocks_have_a_tail),
		cmocka_unit_test(gpt_disk),
		cmocka_unit_test(gpt_of_a_grown_disk),
		cmocka_unit_test(copy_near_the_end_is_in_the_tail),
		cmocka_unit_test(early_partition),
		cmocka_unit_test(stale_gpt_in_a_partition),
		cmocka_unit_test(extended_chain),
		cmocka_unit_test(extended_metadata),
		cmocka_unit_test(header_gone),
		cmocka_unit_test(scattered_volume),
		cmocka_unit_test(bare_partition),
		cmocka_unit_test(volumes_are_refused),
		cmocka_unit_test(never_twice_never_outside),
	};

	return cmocka_run_group_tests_name("capture plan", tests, NULL, NULL);
}
