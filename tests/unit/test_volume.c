/* SPDX-License-Identifier: Apache-2.0 */
/* A logical volume over several devices: reads cross from one extent to the next and stop at a missing one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "vmfskit/source.h"

enum { DEVICE_BYTES = 8192 };

/* Device 0 begins at sector 2 of its disk and holds volume bytes 0 to 2047; device 1 holds 4096 to 5119. */
static struct vk_run runs[2] = {{0, 1024, 2048}, {4096, 512, 1024}};
static struct vk_vmfs devices[2] = {
	{.start_sector = 2, .runs = &runs[0], .run_count = 1},
	{.start_sector = 0, .runs = &runs[1], .run_count = 1},
};

static void reads_cross_extents(void **state)
{
	static uint8_t bytes[2][DEVICE_BYTES];
	struct vk_extent extents[2] = {{.source = 0}, {.source = 1, .first_pe = 1}};
	struct vk_volume volume = {.extents = extents, .extent_count = 2, .logical_bytes = 6144};
	struct vk_source sources[2] = {{.sector_size = 512, .vmfs = &devices[0], .vmfs_count = 1},
				       {.sector_size = 512, .vmfs = &devices[1], .vmfs_count = 1}};
	uint8_t buf[6144];
	struct vk_io *io;
	struct vk_span span;
	size_t got;

	(void)state;
	for (size_t d = 0; d < 2; d++) {
		for (size_t i = 0; i < DEVICE_BYTES; i++)
			bytes[d][i] = (uint8_t)(i * 7 + i / 256 + d);
		sources[d].io = vk_io_memory("device", bytes[d], DEVICE_BYTES, false);
		assert_non_null(sources[d].io);
	}
	assert_int_equal(vk_volume_open(&volume, sources, &io, NULL), VK_OK);
	/* up to the gap, from partition start + device offset on */
	assert_int_equal(vk_io_read(io, 0, buf, sizeof(buf), &got, NULL), VK_OK);
	assert_int_equal(got, 2048);
	assert_memory_equal(buf, bytes[0] + 1024 + 1024, 2048);
	span = vk_io_span(io, 2048);
	assert_int_equal(span.state, VK_SPAN_ABSENT);
	assert_int_equal(span.length_bytes, 2048);
	assert_int_equal(vk_io_read_all(io, 2000, buf, 100, NULL), VK_ABSENT);
	assert_int_equal(vk_io_read(io, 4100, buf, 10, &got, NULL), VK_OK);
	assert_int_equal(got, 10);
	assert_memory_equal(buf, bytes[1] + 512 + 4, 10);
	vk_io_close(io);
	/* the gap closed: one read goes over the border */
	runs[1].volume_offset = 2048;
	assert_int_equal(vk_volume_open(&volume, sources, &io, NULL), VK_OK);
	assert_int_equal(vk_io_read_all(io, 2000, buf, 100, NULL), VK_OK);
	assert_memory_equal(buf, bytes[0] + 2048 + 2000, 48);
	assert_memory_equal(buf + 48, bytes[1] + 512, 52);
	vk_io_close(io);
	for (size_t d = 0; d < 2; d++)
		vk_io_close(sources[d].io);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_cross_extents),
	};

	return cmocka_run_group_tests_name("volume", tests, NULL, NULL);
}
