/* SPDX-License-Identifier: Apache-2.0 */
/* PE tables, large devices: what the repair of LVM regions takes from where. */
#include "header_bench.h"
#include "lvm_samples.h"

static const uint64_t five_gib = 5 * GIB + 100 * 512;

static void hurt_entry(struct header_bench *b, uint64_t at, const struct vk_field *f, unsigned way)
{
	uint8_t bytes[16];

	header_bench_get(b->sound, at + f->offset, bytes, f->size);
	for (size_t i = 0; i < f->size; i++)
		bytes[i] = way == 0 ? (uint8_t)~bytes[i] : way == 1 ? (uint8_t)(bytes[i] ^ (i == 0)) : 0x41;
	header_bench_hurt(b, at + f->offset, bytes, f->size);
}

static void entries_come_back(void **state)
{
	static const char *const specs[] = {"version=3", "version=5"};

	(void)state;
	for (size_t s = 0; s < 3; s++) {
		struct vk_io *io = s < 2 ? header_bench_lab(specs[s], five_gib, 1, 0) : header_bench_real();
		const struct vk_layout *l = &vk_lvm_pe_layout;
		struct header_bench b;

		if (io == NULL)
			continue;
		header_bench_open(&b, io);
		for (size_t i = 0; i < l->count * 9; i++) {
			uint64_t entry = i / 3 % 3;

			header_bench_reset(&b);
			hurt_entry(&b, 0x180600 + entry * 128, &l->fields[i / 9], (unsigned)(i % 3));
			header_bench_must_plan(&b, NULL);
			assert_true(header_bench_lvm_same(&b));
			assert_int_equal(b.header.lost_count, 0);
			assert_false(b.header.guessed);
			assert_int_equal(b.header.verdicts[VK_HS_PE_TABLES].state, VK_STRUCTURE_MENDED);
		}
		header_bench_reset(&b);
		header_bench_hurt(&b, 0x180200, "\xA5\xA5\xA5\xA5\xA5\xA5", 6);
		header_bench_must_plan(&b, NULL);
		assert_true(header_bench_lvm_same(&b));
		header_bench_close(&b);
	}
}

/* Whole structures, alone and together: what is left tells the rest. */
static void structures_come_back(void **state)
{
	static const struct {
		uint64_t at;
		size_t len;
		bool exact;
	} parts[] = {
		{0x180200, 1024, true}, {0x180600, 0x100000, true}, {0x180200, 0x100400, true},
		{0x100200, 512, false}, {0x100000, 512, false}, {0x100000, 0x400, false},
		{0x100000, 0x180000, false}, {0x100200, 0x180000, false},
	};

	(void)state;
	for (size_t i = 0; i < 2 * sizeof(parts) / sizeof(parts[0]); i++) {
		struct vk_io *io = i % 2 == 0 ? header_bench_real() : header_bench_lab("version=5", five_gib, 1, 0);
		struct header_bench b;
		uint8_t *noise;

		if (io == NULL)
			continue;
		header_bench_open(&b, io);
		for (int way = 0; way < 2; way++) {
			header_bench_reset(&b);
			noise = malloc(parts[i / 2].len);
			assert_non_null(noise);
			for (size_t k = 0; k < parts[i / 2].len; k++)
				noise[k] = way == 0 ? 0 : (uint8_t)(k * 2654435761U >> 11);
			header_bench_hurt(&b, parts[i / 2].at, noise, parts[i / 2].len);
			free(noise);
			header_bench_must_plan(&b, NULL);
			header_bench_reads_the_same(&b);
			if (parts[i / 2].exact)
				assert_true(header_bench_lvm_same(&b));
			else
				assert_true(b.header.lost_count > 0 || header_bench_lvm_same(&b));
		}
		header_bench_close(&b);
	}
}

/* A member that is not the head, alone and without its header: nothing may be guessed. */
/* The LVM region of another volume over this one: told, and neither side is bent to fit the other. */
static void regions_of_others_are_not_bent(void **state)
{
	struct vk_io *io = header_bench_lab("version=5", five_gib, 1, 0);
	struct vk_io *other = header_bench_lab("version=3", five_gib, 1, 0);
	uint8_t *region = malloc(0x1000000);
	struct header_bench b;

	(void)state;
	assert_non_null(region);
	header_bench_get(other, 0x100000, region, 0x1000000);
	header_bench_open(&b, io);
	header_bench_hurt(&b, 0x100000, region, 0x1000000);
	header_bench_must_plan(&b, NULL);
	assert_true(b.header.nothing_to_do);
	assert_true(header_bench_says(b.header.lost, b.header.lost_count, "are of different volumes"));
	header_bench_close(&b);
	vk_io_close(other);
	free(region);
}

/* Header and table name different lengths that are both possible: nothing is changed, and that is said. */
static void undecidable_lengths_stay(void **state)
{
	struct vk_io *io = header_bench_lab("version=5", five_gib, 1, 0);
	struct header_bench b;

	(void)state;
	header_bench_open(&b, io);
	b.length_bytes -= 1 << 20; /* the table may be wrong, too */
	header_bench_must_plan(&b, NULL);
	assert_true(b.header.nothing_to_do);
	assert_true(header_bench_says(b.header.lost, b.header.lost_count, "which is right is not known"));
	b.length_bytes += 1 << 20;
	header_bench_hurt(&b, 0x10005F, "\xF2", 1); /* behind the end of the disk */
	header_bench_must_plan(&b, NULL);
	assert_true(header_bench_lvm_same(&b));
	header_bench_reset(&b);
	header_bench_hurt(&b, 0x10005F, "\x02", 1); /* totalBytes a little less */
	header_bench_must_plan(&b, NULL);
	assert_true(b.header.nothing_to_do);
	assert_true(header_bench_says(b.header.lost, b.header.lost_count, "which is right is not known"));
	header_bench_close(&b);
}

static void lost_member_is_refused(void **state)
{
	struct vk_io *io = header_bench_lab("version=5", five_gib, 2, 1);
	struct header_bench b;

	(void)state;
	header_bench_open(&b, io);
	header_bench_zero(&b, 0x100000, 0x80000);
	assert_int_equal(header_bench_plan(&b, NULL), VK_UNSUPPORTED);
	assert_true(b.err.remedy[0] != '\0');
	assert_int_equal(vk_overlay_dirty_bytes(b.plan), 0);
	header_bench_close(&b);
}

/* One entry of LVM6 gone: the other one does not tell how long it was, so what is made is a guess. */
static void entries_of_lvm6(void **state)
{
	struct vk_io *io = header_bench_lab("version=6", 20 * TIB, 1, 0);
	const struct vk_rebuilt_field *f = NULL;
	struct header_bench b;

	(void)state;
	header_bench_open(&b, io);
	for (uint64_t entry = 0; entry < 2; entry++) {
		uint8_t first;
		struct vk_lvm_geometry g;

		vk_lvm_geometry(&(struct vk_lvm_device){.majorVersion = 6, .mdAlignment = 4096}, 0x100000, &g);
		header_bench_reset(&b);
		header_bench_get(b.sound, g.first_bitmap + g.bitmap_bytes + 128 * entry, &first, 1);
		assert_int_equal(first, 1);
		header_bench_hurt(&b, g.first_bitmap + g.bitmap_bytes + 128 * entry + 0x19, "\xAA\x55", 2);
		header_bench_must_plan(&b, NULL);
		for (size_t i = 0; i < b.header.field_count; i++)
			if (b.header.fields[i].layout == &vk_lvm_pe_layout && strstr(b.header.fields[i].from, "entries"))
				f = &b.header.fields[i];
		assert_non_null(f);
		assert_int_equal(f->origin, VK_FIELD_USUAL);
		assert_true(b.header.guessed);
		assert_int_equal(b.header.verdicts[VK_HS_PE_TABLES].state, VK_STRUCTURE_REBUILT);
		f = NULL;
	}
	header_bench_close(&b);
}

static void large_devices(void **state)
{
	struct vk_io *io = header_bench_lab("version=5", 20 * TIB, 1, 0);
	struct header_bench b;

	(void)state;
	header_bench_open(&b, io);
	header_bench_must_plan(&b, NULL);
	assert_true(b.header.nothing_to_do);
	header_bench_zero(&b, 0x100000, 4);
	header_bench_zero(&b, 0x180600 + 128 * 70, 128 * 5);
	header_bench_must_plan(&b, NULL);
	assert_true(header_bench_lvm_same(&b));
	header_bench_reset(&b);
	header_bench_zero(&b, 0x100000, 512);
	assert_int_equal(header_bench_plan(&b, NULL), VK_UNSUPPORTED);
	header_bench_close(&b);

	io = header_bench_lab("version=6", 40 * TIB, 1, 0);
	header_bench_open(&b, io);
	header_bench_must_plan(&b, NULL);
	assert_true(b.header.nothing_to_do);
	header_bench_zero(&b, 0x100000, 0x1000000);
	header_bench_must_plan(&b, NULL);
	header_bench_reads_the_same(&b);
	header_bench_close(&b);
}

/* Without a table nobody tells how long the partition was; what is taken instead is said to be a guess. */
static void length_not_known(void **state)
{
	struct vk_io *io = header_bench_real();
	const struct vk_rebuilt_field *f;
	struct header_bench b;

	(void)state;
	if (io == NULL)
		skip();
	header_bench_open(&b, io);
	b.length_bytes = 0;
	header_bench_must_plan(&b, NULL);
	assert_true(b.header.nothing_to_do);
	header_bench_zero(&b, 0x100000, 0x1000000);
	header_bench_must_plan(&b, NULL);
	f = header_bench_field(&b, &vk_lvm_device_layout, "totalBytes");
	assert_int_equal(f->origin, VK_FIELD_USUAL);
	assert_true(b.header.guessed);
	b.length_bytes = vk_io_size_bytes(io);
	header_bench_reads_the_same(&b);
	header_bench_close(&b);
}

/* The published headers, with what was published of their volumes, on empty disks of their size. */
static void published_headers(void **state)
{
	static const char *const names[] = {"d1-lvm316-vmfs331", "d3-lvm521", "d4-lvm521-older"};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct vk_lvm_device d = device_of(names[i]);
		struct vk_lab_disk disk = memory_disk(d.totalBytes);
		uint8_t sector[512] = {0};
		struct header_bench b;
		struct vk_io *io;
		char path[64];

		sample_bytes(names[i], VK_LVM_HEADER_OFFSET, sector, sizeof(sector));
		assert_int_equal(vk_lab_put(&disk, VK_LVM_HEADER_OFFSET, sector, 512), VK_OK);
		if (i == 0) {
			sample_bytes(names[i], 0x100200, sector, sizeof(sector));
			assert_int_equal(vk_lab_put(&disk, 0x100200, sector, 512), VK_OK);
		}
		snprintf(path, sizeof(path), "/proc/self/fd/%d", disk.fd);
		assert_int_equal(vk_io_open_raw(path, &(struct vk_open_options){512}, &io, NULL), VK_OK);
		close(disk.fd);
		header_bench_open(&b, io);
		header_bench_zero(&b, VK_LVM_HEADER_OFFSET, 4);
		header_bench_must_plan(&b, NULL);
		assert_true(header_bench_same(&b, VK_LVM_HEADER_OFFSET, i == 0 ? 1024 : 512));
		assert_int_equal(b.header.verdicts[VK_HS_LVM_HEADER].state, VK_STRUCTURE_MENDED);
		header_bench_reset(&b);
		header_bench_hurt(&b, VK_LVM_HEADER_OFFSET + 0x6A, "\x99", 1);
		header_bench_must_plan(&b, NULL);
		assert_true(header_bench_same(&b, VK_LVM_HEADER_OFFSET, i == 0 ? 1024 : 512));
		header_bench_close(&b);
	}
}

/* A device that no volume was made on is sound as it is. */
static void empty_devices_stay(void **state)
{
	struct vk_io *io = header_bench_lab("version=5", five_gib, 1, 0);
	struct header_bench b;

	(void)state;
	header_bench_open(&b, io);
	header_bench_zero(&b, 0x100066, 4);
	header_bench_zero(&b, 0x100200, 0x1000000 + 0x600000);
	header_bench_must_plan(&b, NULL);
	assert_true(b.header.nothing_to_do);
	header_bench_close(&b);
}

/* On a disk, behind a table: everything is put where the partition lies. */
static void partition_on_a_disk(void **state)
{
	struct vk_io *part = header_bench_lab("version=5", five_gib, 1, 0);
	struct vk_io *disk = vk_io_shifted(part, 63 * 512);
	struct vk_overlay *damage = vk_overlay_new(disk), *plan;
	uint64_t at = 63 * 512 + VK_LVM_HEADER_OFFSET;
	uint8_t sector[512], was[512];
	struct vk_rebuild_header header;
	const struct vk_edit *edits;
	struct vk_error err = {0};

	(void)state;
	header_bench_get(disk, at, was, 512);
	memcpy(sector, was, 512);
	memset(sector, 0, 4);
	assert_int_equal(vk_overlay_put(damage, at, sector, 512, "damage", 0, &err), VK_OK);
	plan = vk_overlay_new(vk_overlay_io(damage));
	assert_int_equal(rebuild_of(vk_overlay_io(damage), 63 * 512, five_gib, 512, NULL, plan, &header,
					   &err), VK_OK);
	assert_int_equal(vk_overlay_edits(plan, &edits), 1);
	assert_int_equal(edits[0].offset_bytes, at);
	assert_int_equal(edits[0].length_bytes, 512);
	assert_int_equal(edits[0].write_class, VK_HEADER_CLASS_LVM);
	assert_memory_equal(edits[0].new_bytes, was, 512);
	vk_rebuild_header_free(&header);
	vk_overlay_free(plan);
	vk_overlay_free(damage);
	vk_io_close(disk);
	vk_io_close(part);
}

static void nothing_is_refused(void **state)
{
	uint8_t *zeros = calloc(1, 40 << 20);
	struct vk_io *io = vk_io_memory("zeros", zeros, 40 << 20, false);
	struct header_bench b;

	(void)state;
	header_bench_open(&b, io);
	assert_int_equal(header_bench_plan(&b, NULL), VK_ABSENT);
	assert_true(b.err.what[0] != '\0' && b.err.remedy[0] != '\0');
	b.length_bytes = 1 << 20;
	assert_int_equal(header_bench_plan(&b, NULL), VK_ABSENT);
	header_bench_close(&b);
	free(zeros);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(entries_come_back),
		cmocka_unit_test(structures_come_back),
		cmocka_unit_test(regions_of_others_are_not_bent),
		cmocka_unit_test(undecidable_lengths_stay),
		cmocka_unit_test(lost_member_is_refused),
		cmocka_unit_test(entries_of_lvm6),
		cmocka_unit_test(large_devices),
		cmocka_unit_test(length_not_known),
		cmocka_unit_test(published_headers),
		cmocka_unit_test(empty_devices_stay),
		cmocka_unit_test(partition_on_a_disk),
		cmocka_unit_test(nothing_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
