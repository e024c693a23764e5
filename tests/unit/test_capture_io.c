/* SPDX-License-Identifier: Apache-2.0 */
/* A capture as a source: its bytes at their places, and the truth about all others. */
#include "capture_fixture.h"

struct opened {
	struct fixture *f;
	struct vk_capture c;
};

static struct opened open_with_bad_sectors(void)
{
	struct opened o = {.f = fixture_new(VK_LVM_DATA_OFFSET)};
	struct vk_error err;

	for (uint64_t i = 1; i < 40; i++)
		memset(o.f->disk.bytes + FIXTURE_BASE + i * 400000, (int)i, 3000);
	o.f->disk.bad[0] = (struct vk_range){FIXTURE_BASE + 0x200000, 1024};
	o.f->disk.bad_count = 1;
	fixture_take(o.f);
	assert_int_equal(vk_capture_open(o.f->store, o.f->id, &o.c, &err), VK_OK);
	return o;
}

static void close_opened(struct opened *o)
{
	vk_capture_close(&o->c);
	fixture_free(o->f);
}

/*
 * Walk the spans from 0 to the end; the bytes of each agree with the disk. sums: bytes of each
 * state.
 */
static void walk(struct vk_io *io, const struct fixture *f, uint64_t base, uint64_t size,
		 uint64_t sums[VK_SPAN_END + 1])
{
	memset(sums, 0, (VK_SPAN_END + 1) * sizeof(*sums));
	for (uint64_t at = 0; at < size;) {
		struct vk_span span = vk_io_span(io, at);
		bool held = span.state == VK_SPAN_DATA || span.state == VK_SPAN_ZERO;
		uint8_t *buf;
		struct vk_error err;
		size_t got;

		assert_int_not_equal(span.state, VK_SPAN_END);
		assert_true(span.length_bytes > 0 && span.length_bytes <= size - at);
		buf = malloc((size_t)span.length_bytes);
		assert_non_null(buf);
		assert_int_equal(vk_io_read(io, at, buf, (size_t)span.length_bytes, &got, &err), VK_OK);
		assert_int_equal(got, held ? span.length_bytes : 0);
		assert_memory_equal(buf, f->disk.bytes + base + at, got);
		if (span.state == VK_SPAN_ZERO)
			assert_true(vk_all_zero(buf, got));
		free(buf);
		sums[span.state] += span.length_bytes;
		at += span.length_bytes;
	}
	assert_int_equal(vk_io_span(io, size).state, VK_SPAN_END);
}

static void whole_capture(void **state)
{
	struct opened o = open_with_bad_sectors();
	const uint64_t held = FIXTURE_BASE + 0x1500000;
	uint8_t *buf = malloc(4 << 20);
	uint64_t sums[VK_SPAN_END + 1] = {0};
	struct vk_io *io;
	struct vk_error err;
	size_t got;

	(void)state;
	assert_int_equal(vk_capture_io(&o.c, &io, &err), VK_OK);
	assert_int_equal(vk_io_size_bytes(io), FIXTURE_BYTES);
	assert_int_equal(vk_io_sector_size(io), 512);
	for (uint64_t at = 0; at < FIXTURE_BYTES;) {
		struct vk_span span = vk_io_span(io, at);

		assert_true(span.length_bytes > 0);
		sums[span.state] += span.length_bytes;
		at += span.length_bytes;
		assert_true(at <= FIXTURE_BYTES);
	}
	assert_int_equal(sums[VK_SPAN_UNREADABLE], 1024);
	assert_int_equal(sums[VK_SPAN_ABSENT], FIXTURE_BYTES - held);
	assert_int_equal(sums[VK_SPAN_DATA] + sums[VK_SPAN_ZERO], held - 1024);
	assert_true(sums[VK_SPAN_DATA] < 1 << 20);
	/*
	 * up to the bad sectors in one read, across head and LVM region; from behind them to what
	 * is not saved
	 */
	assert_int_equal(vk_io_read(io, 100, buf, 4 << 20, &got, &err), VK_OK);
	assert_int_equal(got, FIXTURE_BASE + 0x200000 - 100);
	assert_memory_equal(buf, o.f->disk.bytes + 100, got);
	assert_int_equal(vk_io_read(io, FIXTURE_BASE + 0x200000, buf, 512, &got, &err), VK_OK);
	assert_int_equal(got, 0);
	assert_int_equal(vk_io_read(io, held - (3 << 20), buf, 4 << 20, &got, &err), VK_OK);
	assert_int_equal(got, 3 << 20);
	assert_memory_equal(buf, o.f->disk.bytes + held - (3 << 20), got);
	assert_int_equal(vk_io_read_all(io, held, buf, 512, &err), VK_ABSENT);
	vk_io_close(io);
	free(buf);
	close_opened(&o);
}

static void each_region(void **state)
{
	struct opened o = open_with_bad_sectors();
	uint64_t sums[VK_SPAN_END + 1];
	struct vk_error err;
	struct vk_io *io;

	(void)state;
	for (size_t i = 0; i < o.c.region_count; i++) {
		const struct vk_region *r = &o.c.regions[i];

		assert_int_equal(vk_capture_region(&o.c, i, &io, &err), VK_OK);
		assert_int_equal(vk_io_size_bytes(io), r->length_bytes);
		walk(io, o.f, r->offset_bytes, r->length_bytes, sums);
		assert_int_equal(sums[VK_SPAN_UNREADABLE], r->part == VK_PART_LVM ? 1024 : 0);
		assert_int_equal(sums[VK_SPAN_ABSENT], 0);
		vk_io_close(io);
	}
	assert_int_equal(vk_capture_region(&o.c, o.c.region_count, &io, &err), VK_USAGE);
	close_opened(&o);
}

static void a_file_gone_is_absent(void **state)
{
	struct opened o = open_with_bad_sectors();
	struct vk_io *io;
	struct vk_error err;
	uint8_t byte;

	(void)state;
	assert_int_equal(unlink(fixture_file(o.f, "p1-lvm.raw")), 0);
	chmod(fixture_file(o.f, "head.raw"), 0600);
	assert_int_equal(truncate(fixture_file(o.f, "head.raw"), 1000), 0);
	assert_int_equal(vk_capture_io(&o.c, &io, &err), VK_OK);
	assert_int_equal(vk_io_read_all(io, 999, &byte, 1, &err), VK_OK);
	assert_int_equal(vk_io_read_all(io, 1000, &byte, 1, &err), VK_ABSENT);
	assert_int_equal(vk_io_span(io, FIXTURE_BASE + 5).state, VK_SPAN_ABSENT);
	assert_int_equal(vk_io_read_all(io, FIXTURE_BASE + 5, &byte, 1, &err), VK_ABSENT);
	vk_io_close(io);
	close_opened(&o);
}

/*
 * A disk that decoding understands: what decode tells of the capture is what it tells of the
 * disk.
 */
static void make_real(struct fixture *f)
{
	uint8_t *partition = f->disk.bytes + FIXTURE_BASE;
	struct vk_mbr mbr = {.signature = VK_MBR_SIGNATURE};
	struct vk_lvm_device device = {.magic = VK_LVM_MAGIC,
				       .majorVersion = 3,
				       .minorVersion = 16,
				       .diskBlockSize = 512,
				       .totalBytes = f->partition.sectors * FIXTURE_SECTOR,
				       .numVolumes = 1,
				       .generation = 2,
				       .dataOffset = VK_LVM_DATA_OFFSET};
	struct vk_fs_descriptor fs = {.magic = VK_FS_MAGIC_VMFS,
				      .majorVersion = 4,
				      .minorVersion = 31,
				      .diskBlockSize = 512,
				      .fileBlockSize = 1 << 20};

	mbr.entries[0] = (struct vk_mbr_entry){.type = VK_MBR_TYPE_VMFS,
					       .firstLBA = FIXTURE_START,
					       .sectors = (uint32_t)f->partition.sectors};
	vk_mbr_encode(&mbr, f->disk.bytes, VK_MBR_BYTES);
	device.devID.b[3] = 0x49;
	vk_lvm_device_encode(&device, partition + VK_LVM_HEADER_OFFSET, VK_LVM_DEVICE_BYTES);
	memcpy(fs.fsLabel, "kept", 5);
	vk_fs_descriptor_encode(&fs, partition + VK_LVM_DATA_OFFSET + VK_FS_OFFSET,
				VK_FS_DESCRIPTOR_BYTES);
}

static void decoded(void **state)
{
	struct fixture *f = fixture_new(VK_LVM_DATA_OFFSET);
	struct vk_capture c;
	struct vk_source source;
	struct vk_error err;

	(void)state;
	make_real(f);
	fixture_take(f);
	assert_int_equal(f->findings.count, 0);
	assert_int_equal(vk_capture_open(f->store, f->id, &c, &err), VK_OK);
	assert_int_equal(vk_capture_source(&c, &source, &err), VK_OK);
	assert_int_equal(source.kind, VK_SOURCE_DISK);
	assert_string_equal(source.path, f->path);
	assert_int_equal(source.size_bytes, FIXTURE_BYTES);
	assert_int_equal(source.table.kind, VK_TABLE_MBR);
	assert_int_equal(source.vmfs_count, 1);
	assert_true(source.vmfs[0].lvm_usable && source.vmfs[0].fs_usable);
	assert_int_equal(source.vmfs[0].lvm.totalBytes, f->partition.sectors * FIXTURE_SECTOR);
	assert_string_equal((const char *)source.vmfs[0].fs.fsLabel, "kept");
	assert_int_equal(source.vmfs[0].heartbeats.slots_seen, 2048);
	vk_source_close(&source);
	vk_capture_close(&c);
	fixture_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_capture),
		cmocka_unit_test(each_region),
		cmocka_unit_test(a_file_gone_is_absent),
		cmocka_unit_test(decoded),
	};

	return cmocka_run_group_tests_name("capture io", tests, NULL, NULL);
}
