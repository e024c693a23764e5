/* SPDX-License-Identifier: Apache-2.0 */
/* Practice disks in memory, and comparisons of them with copies in which something was changed. */
#ifndef VK_TEST_DIFF_BENCH_H
#define VK_TEST_DIFF_BENCH_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "lab_memory.h"
#include "vmfskit/diff.h"
#include "vmfskit/overlay.h"

struct bench {
	struct vk_lab_disk disk;
	uint32_t sector_size;
	struct vk_io *base;
	struct vk_source source;
	uint64_t start; /* of the first VMFS partition */
};

static inline void must(enum vk_status status, const struct vk_error *err)
{
	if (status != VK_OK)
		fail_msg("%s (%s)", err->what, err->where);
}

static inline void bench_source(const struct bench *b, struct vk_io *io, struct vk_source *ret_source)
{
	const struct vk_source_options options = {.as = VK_SOURCE_DISK, .sector_size = b->sector_size};
	struct vk_io *window = vk_io_window(io, 0, vk_io_size_bytes(io));
	struct vk_error err;

	assert_non_null(window);
	vk_io_set_sector_size(window, b->sector_size);
	must(vk_source_open_io(window, "disk", VK_FORM_RAW, &options, ret_source, &err), &err);
}

/* volume: words of a volume SPEC. Disks of one seed have the same names. */
static inline struct bench bench_make_of(uint64_t seed, enum vk_table_kind table, uint32_t sector_size, uint64_t size,
					 const char *volume)
{
	struct bench b = {.disk = memory_disk(size), .sector_size = sector_size};
	struct vk_lab_spec *spec = calloc(1, sizeof(*spec));
	struct vk_lab_plan *plan = calloc(1, sizeof(*plan));
	struct vk_lab_device *device = calloc(1, sizeof(*device));
	struct vk_error err;
	char path[64];

	assert_true(spec != NULL && plan != NULL && device != NULL);
	*spec = (struct vk_lab_spec){
		.table = table, .sector_size = sector_size, .size_bytes = size, .seed = seed, .volume_count = 1};
	vk_lab_volume_init(&spec->volumes[0]);
	must(vk_lab_volume_parse(&spec->volumes[0], volume, &err), &err);
	must(vk_lab_layout_apply(spec, "plain", &err), &err);
	must(vk_lab_plan_make(spec, plan, &err), &err);
	assert_int_equal(vk_lab_write_table(&b.disk, plan), VK_OK);
	for (size_t i = 0; i < plan->count; i++) {
		const struct vk_lab_partition *p = &plan->partitions[i];
		const struct vk_lab_extent extent = {p->sectors * sector_size, p->number};

		b.start = p->start_sector * sector_size;
		must(vk_lab_devices_make(p->volume, seed, i, &extent, 1, sector_size, device, &err), &err);
		assert_int_equal(vk_lab_write_device(&b.disk, b.start, device), VK_OK);
	}
	free(spec);
	free(plan);
	free(device);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", b.disk.fd);
	must(vk_io_open_raw(path, &(struct vk_open_options){sector_size}, &b.base, &err), &err);
	bench_source(&b, b.base, &b.source);
	return b;
}

static inline struct bench bench_make(enum vk_table_kind table, uint32_t sector_size, uint64_t size, const char *volume)
{
	return bench_make_of(3, table, sector_size, size, volume);
}

static inline void bench_free(struct bench *b)
{
	vk_source_close(&b->source);
	vk_io_close(b->base);
	close(b->disk.fd);
}

/* Put bytes into an overlay, whatever sectors they lie in. */
static inline void bench_put(const struct bench *b, struct vk_overlay *overlay, uint64_t offset,
			     const void *bytes, size_t len)
{
	uint64_t from = offset / b->sector_size * b->sector_size;
	uint64_t to = (offset + len + b->sector_size - 1) / b->sector_size * b->sector_size;
	uint8_t *buf = malloc((size_t)(to - from));
	struct vk_error err;

	assert_non_null(buf);
	must(vk_io_read_all(vk_overlay_io(overlay), from, buf, (size_t)(to - from), &err), &err);
	memcpy(buf + (offset - from), bytes, len);
	must(vk_overlay_put(overlay, from, buf, (size_t)(to - from), "test", 0, &err), &err);
	free(buf);
}

/* What the disk differs in from the overlay over it. Some things hold for every comparison. */
static inline struct vk_diff bench_diff(struct bench *b, struct vk_overlay *overlay)
{
	struct vk_source after;
	struct vk_diff diff;
	struct vk_error err;
	bool change = false, range = false;

	bench_source(b, vk_overlay_io(overlay), &after);
	must(vk_diff_sources(&b->source, &after, &diff, &err), &err);
	vk_source_close(&after);
	for (size_t i = 0; i < diff.change_count; i++) {
		change |= !diff.changes[i].is_volatile;
		assert_true(strlen(diff.changes[i].message) > 10);
	}
	for (size_t i = 0; i < diff.range_count; i++) {
		range |= !diff.ranges[i].is_volatile;
		if (i > 0)
			assert_true(diff.ranges[i].offset_bytes >=
				    diff.ranges[i - 1].offset_bytes + diff.ranges[i - 1].length_bytes);
	}
	assert_int_equal(diff.matters, change);
	if (range)
		assert_true(change); /* no byte changes in silence */
	if (diff.range_count == 0)
		assert_int_equal(diff.change_count, 0);
	else
		assert_true(diff.change_count > 0);
	return diff;
}

static inline const struct vk_change *bench_find(const struct vk_diff *diff, const char *message)
{
	for (size_t i = 0; i < diff->change_count; i++)
		if (strstr(diff->changes[i].message, message) != NULL)
			return &diff->changes[i];
	return NULL;
}

static inline void bench_show(const struct vk_diff *diff)
{
	for (size_t i = 0; i < diff->change_count; i++)
		print_message("  %s%s\n", diff->changes[i].message,
			      diff->changes[i].is_volatile ? " (volatile)" : "");
}

#endif
