/* SPDX-License-Identifier: Apache-2.0 */
/* Practice disks in memory whose tables are lost and rebuilt. */
#ifndef VK_TEST_TABLE_BENCH_H
#define VK_TEST_TABLE_BENCH_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lab_memory.h"
#include "vmfskit/rebuild_table.h"

/* A disk, and the plan it was made by. */
struct table_bench {
	struct vk_lab_disk disk;
	struct vk_lab_spec *spec;
	struct vk_lab_plan *plan;
};

static inline void must(enum vk_status status, const struct vk_error *err)
{
	if (status != VK_OK)
		fail_msg("%s (%s)", err->what, err->where);
}

static inline struct vk_lab_spec *bench_spec(enum vk_table_kind table, uint32_t sector_size,
					     uint64_t size_bytes)
{
	struct vk_lab_spec *spec = calloc(1, sizeof(*spec));

	assert_non_null(spec);
	spec->table = table;
	spec->sector_size = sector_size;
	spec->size_bytes = size_bytes;
	return spec;
}

static inline void bench_volume(struct vk_lab_spec *spec, const char *words)
{
	struct vk_lab_volume *v = &spec->volumes[spec->volume_count++];
	struct vk_error err;

	vk_lab_volume_init(v);
	must(vk_lab_volume_parse(v, words, &err), &err);
}

static inline void bench_foreign(struct vk_lab_spec *spec, const char *text)
{
	struct vk_error err;

	must(vk_lab_foreign_parse(&spec->foreign[spec->foreign_count++], text, spec->table, &err), &err);
}

static inline void bench_write_volume(struct table_bench *b, const struct vk_lab_partition *p)
{
	struct vk_lab_device *device = calloc(1, sizeof(*device));
	const struct vk_lab_extent extent = {p->sectors * b->spec->sector_size, p->number};
	uint64_t at = p->start_sector * b->spec->sector_size;
	struct vk_error err;

	assert_non_null(device);
	if (p->volume->image[0] != '\0') {
		assert_int_equal(vk_lab_write_image(&b->disk, at, p->volume->image), VK_OK);
	} else {
		must(vk_lab_devices_make(p->volume, b->spec->seed, (size_t)(p->volume - b->spec->volumes), &extent, 1,
					 b->spec->sector_size, device, &err),
		     &err);
		assert_int_equal(vk_lab_write_device(&b->disk, at, device), VK_OK);
	}
	free(device);
}

/* spec is owned by the bench from here on. */
static inline struct table_bench bench_make(struct vk_lab_spec *spec, const char *layout)
{
	struct table_bench b = {.spec = spec, .plan = calloc(1, sizeof(struct vk_lab_plan))};
	struct vk_error err;

	assert_non_null(b.plan);
	must(vk_lab_layout_apply(spec, layout, &err), &err);
	must(vk_lab_plan_make(spec, b.plan, &err), &err);
	b.disk = memory_disk(b.plan->disk_sectors * spec->sector_size);
	assert_int_equal(vk_lab_write_table(&b.disk, b.plan), VK_OK);
	for (size_t i = 0; i < b.plan->count; i++) {
		if (b.plan->partitions[i].volume != NULL)
			bench_write_volume(&b, &b.plan->partitions[i]);
		if (b.plan->partitions[i].fat)
			assert_int_equal(vk_lab_write_fat(&b.disk, b.plan, &b.plan->partitions[i]), VK_OK);
	}
	return b;
}

static inline void bench_free(struct table_bench *b)
{
	close(b->disk.fd);
	free(b->spec);
	free(b->plan);
}

static inline void bench_zero(struct table_bench *b, uint64_t lba, uint64_t sectors)
{
	assert_int_equal(vk_lab_zero(&b->disk, lba * b->spec->sector_size, sectors * b->spec->sector_size), VK_OK);
}

/* Nothing is left, and nothing takes room. */
static inline void bench_clear(struct table_bench *b)
{
	assert_int_equal(ftruncate(b->disk.fd, 0), 0);
	assert_int_equal(ftruncate(b->disk.fd, (off_t)b->disk.size_bytes), 0);
}

/* Sector 0, both copies of a GPT, and the boot records in front of logical partitions. */
static inline void bench_wipe_table(struct table_bench *b, bool ebrs)
{
	uint64_t array = 16384 / b->spec->sector_size;
	uint64_t first = b->spec->table == VK_TABLE_GPT ? array + 2 : 1;

	bench_zero(b, 0, first);
	if (b->spec->table == VK_TABLE_GPT)
		bench_zero(b, b->plan->disk_sectors - array - 1, array + 1);
	for (size_t i = 0; i < b->plan->count && ebrs; i++)
		if (b->plan->partitions[i].ebr_sector != 0)
			bench_zero(b, b->plan->partitions[i].ebr_sector, 1);
}

static inline void bench_source(const struct table_bench *b, struct vk_source *ret_source)
{
	const struct vk_source_options options = {.as = VK_SOURCE_DISK,
						  .sector_size = b->spec->sector_size};
	char path[64];
	struct vk_error err;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", b->disk.fd);
	must(vk_source_open(path, &options, ret_source, &err), &err);
}

/* A rebuild and all that it rests on. */
struct rebuilt {
	struct vk_source source;
	struct vk_find find;
	struct vk_overlay *overlay;
	struct vk_rebuild_table table;
	enum vk_status status;
	struct vk_error err;
};

static inline struct rebuilt *bench_rebuild(const struct table_bench *b,
					    const struct vk_rebuild_table_options *options)
{
	const struct vk_rebuild_table_options none = {.label = VK_TABLE_NONE};
	const struct vk_find_options find_options = {.likely_only = false};
	struct rebuilt *r = calloc(1, sizeof(*r));

	assert_non_null(r);
	bench_source(b, &r->source);
	must(vk_find(&r->source, &find_options, &r->find, &r->err), &r->err);
	r->overlay = vk_overlay_new(r->source.io);
	assert_non_null(r->overlay);
	r->status = vk_rebuild_table(&r->source, &r->find, options != NULL ? options : &none,
				     r->overlay, &r->table, &r->err);
	return r;
}

static inline void rebuilt_free(struct rebuilt *r)
{
	if (r->status == VK_OK)
		vk_rebuild_table_free(&r->table);
	vk_overlay_free(r->overlay);
	vk_find_free(&r->find);
	vk_source_close(&r->source);
	free(r);
}

/* Everything that a person would be shown, for the eye of whoever has to find out why a test failed. */
static inline void rebuilt_print(const struct rebuilt *r)
{
	if (r->status != VK_OK) {
		print_message("status %d: %s (%s)\n", r->status, r->err.what, r->err.remedy);
		return;
	}
	print_message("%s: %s; layout %s; guessed %d; nothing to do %d\n",
		      vk_table_kind_name(r->table.kind), r->table.why_kind,
		      r->table.layout != NULL ? r->table.layout : "none", r->table.guessed,
		      r->table.nothing_to_do);
	for (size_t i = 0; i < VK_TP_COUNT; i++)
		print_message("  %-22s %-8s %s %s\n", vk_table_part_name((enum vk_table_part)i),
			      vk_part_state_name(r->table.parts[i].state),
			      r->table.parts[i].rewritten ? "rewritten" : "stays", r->table.parts[i].why);
	for (size_t i = 0; i < r->table.entry_count; i++) {
		const struct vk_planned_entry *e = &r->table.entries[i];

		print_message("  %3u %10llu + %10llu %s%s%s%s%s: %s\n", e->partition.number,
			      (unsigned long long)e->partition.start_sector,
			      (unsigned long long)e->partition.sectors, vk_entry_origin_name(e->origin),
			      e->bytes_exact ? " bytes" : "", e->length_exact ? " length" : "",
			      e->number_exact ? " number" : "", e->guid_fresh ? " fresh" : "", e->why);
	}
	for (size_t i = 0; i < r->table.note_count; i++)
		print_message("  note: %s\n", r->table.notes[i]);
	for (size_t i = 0; i < r->table.lost_count; i++)
		print_message("  lost: %s\n", r->table.lost[i]);
}

static inline const struct vk_planned_entry *planned_at(const struct rebuilt *r, uint64_t start)
{
	for (size_t i = 0; i < r->table.entry_count; i++)
		if (r->table.entries[i].partition.start_sector == start &&
		    !vk_partition_is_extended(&r->table.entries[i].partition))
			return &r->table.entries[i];
	return NULL;
}

/* The overlay onto the disk. */
static inline void bench_apply(struct table_bench *b, const struct rebuilt *r)
{
	const struct vk_edit *edits;
	size_t count = vk_overlay_edits(r->overlay, &edits);

	for (size_t i = 0; i < count; i++)
		assert_int_equal(vk_lab_put(&b->disk, edits[i].offset_bytes, edits[i].new_bytes, edits[i].length_bytes),
				 VK_OK);
}

/* After it was put on the disk there is nothing left to do. */
static inline void settled(struct table_bench *b, const struct rebuilt *before)
{
	struct rebuilt *r;

	bench_apply(b, before);
	r = bench_rebuild(b, NULL);
	if (r->status != VK_OK || !r->table.nothing_to_do || vk_overlay_dirty_bytes(r->overlay) != 0) {
		rebuilt_print(before);
		rebuilt_print(r);
		fail_msg("a second run finds work, %llu bytes",
			 (unsigned long long)vk_overlay_dirty_bytes(r->overlay));
	}
	assert_int_equal(r->table.entry_count, before->table.entry_count);
	for (size_t i = 0; i < r->table.entry_count; i++) {
		assert_true(r->table.entries[i].bytes_exact || r->table.entries[i].stands);
		assert_int_equal(r->table.entries[i].origin, VK_ENTRY_KEPT);
	}
	rebuilt_free(r);
}

static inline struct table_bench bench_disk(enum vk_table_kind kind, uint64_t size, const char *first, const char *second)
{
	struct vk_lab_spec *spec = bench_spec(kind, 512, size);

	bench_volume(spec, first);
	if (second != NULL)
		bench_volume(spec, second);
	return bench_make(spec, "plain");
}

/* Put the table of another disk of that size over this one: NULL ends the partitions. */
static inline void bench_other_table(struct table_bench *b, enum vk_table_kind kind, uint64_t seed,
			const char *const *partitions)
{
	struct vk_lab_spec *spec = bench_spec(kind, 512, b->plan->disk_sectors * 512);
	struct vk_lab_plan *plan = calloc(1, sizeof(*plan));
	struct vk_error err;

	assert_non_null(plan);
	spec->seed = seed;
	for (; *partitions != NULL; partitions++)
		bench_foreign(spec, *partitions);
	must(vk_lab_plan_make(spec, plan, &err), &err);
	assert_int_equal(vk_lab_write_table(&b->disk, plan), VK_OK);
	free(plan);
	free(spec);
}

/* The table of the plan without partition `index`, both copies sealed. */
static inline void bench_delete_entry(struct table_bench *b, size_t index)
{
	struct vk_lab_plan *plan = malloc(sizeof(*plan));

	assert_non_null(plan);
	*plan = *b->plan;
	memmove(&plan->partitions[index], &plan->partitions[index + 1],
		(plan->count - index - 1) * sizeof(plan->partitions[0]));
	plan->count--;
	assert_int_equal(vk_lab_write_table(&b->disk, plan), VK_OK);
	free(plan);
}

static inline const struct vk_planned_entry *entry_of(const struct table_bench *b, const struct rebuilt *r,
					       size_t index)
{
	const struct vk_lab_partition *p = &b->plan->partitions[index];
	const struct vk_planned_entry *e;

	if (r->status != VK_OK)
		rebuilt_print(r);
	assert_int_equal(r->status, VK_OK);
	e = planned_at(r, p->start_sector);
	if (e == NULL || e->partition.sectors != p->sectors) {
		rebuilt_print(r);
		fail_msg("partition %u is missing or wrong", p->number);
	}
	return e;
}

static inline bool said(char *const *list, size_t count, const char *words)
{
	for (size_t i = 0; i < count; i++)
		if (strstr(list[i], words) != NULL)
			return true;
	return false;
}

static inline void must_say(const struct rebuilt *r, const char *words)
{
	if (said(r->table.notes, r->table.note_count, words) ||
	    said(r->table.lost, r->table.lost_count, words))
		return;
	rebuilt_print(r);
	fail_msg("nothing says \"%s\"", words);
}

#endif
