/* SPDX-License-Identifier: Apache-2.0 */
/* A VMFS partition that is damaged in memory and whose headers are then rebuilt, for the tests of that. */
#ifndef VK_TESTS_HEADER_BENCH_H
#define VK_TESTS_HEADER_BENCH_H

#include <unistd.h>

#include "disk_support.h"
#include "lab_memory.h"
#include "rebuild/header/header_work.h"
#include "rebuild_of.h"

enum { HEADER_BENCH_REGION = 0x200000 }; /* bytes from the LVM header on that are compared */

struct header_bench {
	struct vk_io *sound;        /* a partition; byte 0 is its first */
	uint64_t length_bytes;
	struct vk_overlay *damage;  /* over sound */
	struct vk_overlay *plan;    /* over damage */
	struct vk_rebuild_header header;
	struct vk_error err;
};

/* The real volume; NULL when it is not there. */
static inline struct vk_io *header_bench_real(void)
{
	const char *shared = getenv("VMFSKIT_SHARED");
	char path[512];
	struct vk_error err = {0};
	enum vk_io_form form;
	struct vk_io *io = NULL;

	snprintf(path, sizeof(path), "%s/data/vmfs3-esx35-volume/partition.vmfsimg",
		 shared != NULL && shared[0] != '\0' ? shared : "../shared");
	return vk_io_open(path, &(struct vk_open_options){0}, &io, &form, &err) == VK_OK ? io : NULL;
}

/* A device of a lab volume as a partition of that length; member of total_count extents of the same length. */
static inline struct vk_io *header_bench_lab(const char *spec, uint64_t total, size_t count, size_t member)
{
	struct vk_lab_device *made = calloc(count, sizeof(*made));
	struct vk_lab_disk disk = memory_disk(total);
	struct vk_lab_extent extents[4];
	struct vk_lab_volume volume;
	struct vk_error err = {0};
	struct vk_io *io = NULL;
	char path[64];

	assert_non_null(made);
	assert_true(count <= 4);
	for (size_t i = 0; i < count; i++)
		extents[i] = (struct vk_lab_extent){total, 1};
	vk_lab_volume_init(&volume);
	assert_int_equal(vk_lab_volume_parse(&volume, spec, &err), VK_OK);
	assert_int_equal(vk_lab_devices_make(&volume, 7, 0, extents, count, 512, made, &err), VK_OK);
	assert_int_equal(vk_lab_write_device(&disk, 0, &made[member]), VK_OK);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", disk.fd);
	if (vk_io_open_raw(path, &(struct vk_open_options){512}, &io, &err) != VK_OK)
		fail_msg("%s: %s", path, err.what);
	close(disk.fd);
	free(made);
	return io;
}

static inline void header_bench_open(struct header_bench *b, struct vk_io *partition)
{
	memset(b, 0, sizeof(*b));
	b->sound = partition;
	b->length_bytes = vk_io_size_bytes(partition);
	b->damage = vk_overlay_new(partition);
	assert_non_null(b->damage);
}

/* Back to the sound state; sound stays open. */
static inline void header_bench_reset(struct header_bench *b)
{
	vk_rebuild_header_free(&b->header);
	vk_overlay_free(b->plan);
	vk_overlay_free(b->damage);
	b->plan = NULL;
	b->damage = vk_overlay_new(b->sound);
	assert_non_null(b->damage);
}

static inline void header_bench_close(struct header_bench *b)
{
	vk_rebuild_header_free(&b->header);
	vk_overlay_free(b->plan);
	vk_overlay_free(b->damage);
	vk_io_close(b->sound);
}

static inline void header_bench_get(struct vk_io *io, uint64_t offset, void *buf, size_t len)
{
	struct vk_error err = {0};

	if (vk_io_read_all(io, offset, buf, len, &err) != VK_OK)
		fail_msg("%s at %llu", err.what, (unsigned long long)offset);
}

/* Lay bytes over the sound partition. */
static inline void header_bench_hurt(struct header_bench *b, uint64_t offset, const void *bytes, size_t len)
{
	uint64_t from = offset - offset % 512;
	size_t whole = (size_t)((offset + len - from + 511) / 512 * 512);
	uint8_t *buf = malloc(whole);
	struct vk_error err = {0};

	assert_non_null(buf);
	header_bench_get(vk_overlay_io(b->damage), from, buf, whole);
	memcpy(buf + (offset - from), bytes, len);
	assert_int_equal(vk_overlay_put(b->damage, from, buf, whole, "damage", 0, &err), VK_OK);
	free(buf);
}

static inline void header_bench_zero(struct header_bench *b, uint64_t offset, size_t len)
{
	uint8_t *zeros = calloc(1, len);

	assert_non_null(zeros);
	header_bench_hurt(b, offset, zeros, len);
	free(zeros);
}

/* With HEADER_BENCH_SHOW in the environment every plan is told. */
static inline void header_bench_show(const struct vk_rebuild_header *h)
{
	if (getenv("HEADER_BENCH_SHOW") == NULL)
		return;
	for (unsigned i = 0; i < VK_HS_COUNT; i++)
		fprintf(stderr, "  %s: %s, %s\n", vk_header_structure_name(i),
			vk_structure_state_name(h->verdicts[i].state), h->verdicts[i].why);
	for (size_t i = 0; i < h->field_count; i++) {
		const struct vk_rebuilt_field *f = &h->fields[i];

		fprintf(stderr, "  %s.%s at 0x%llx: %s -> %s [%s] %s\n", f->layout->name,
			f->field != NULL ? f->field->name : "", (unsigned long long)f->structure_bytes, f->was,
			f->is, vk_field_origin_name(f->origin), f->from);
	}
	for (size_t i = 0; i < h->lost_count; i++)
		fprintf(stderr, "  lost: %s\n", h->lost[i]);
	for (size_t i = 0; i < h->note_count; i++)
		fprintf(stderr, "  note: %s\n", h->notes[i]);
}

static inline enum vk_status header_bench_plan(struct header_bench *b,
					       const struct vk_rebuild_header_options *options)
{
	enum vk_status status;

	vk_rebuild_header_free(&b->header);
	vk_overlay_free(b->plan);
	b->plan = vk_overlay_new(vk_overlay_io(b->damage));
	assert_non_null(b->plan);
	memset(&b->err, 0, sizeof(b->err));
	status = rebuild_of(vk_overlay_io(b->damage), 0, b->length_bytes, 512, options, b->plan,
				   &b->header, &b->err);
	if (getenv("HEADER_BENCH_SHOW") != NULL)
		fprintf(stderr, "status %d %s\n", status, b->err.what);
	if (status == VK_OK)
		header_bench_show(&b->header);
	return status;
}

/* Whether len bytes at offset are what they were before the damage. */
static inline bool header_bench_same(struct header_bench *b, uint64_t offset, size_t len)
{
	uint8_t *was = malloc(len + 1), *is = malloc(len + 1);
	bool same;

	assert_true(was != NULL && is != NULL);
	header_bench_get(b->sound, offset, was, len);
	header_bench_get(vk_overlay_io(b->plan), offset, is, len);
	same = memcmp(was, is, len) == 0;
	free(was);
	free(is);
	return same;
}

static inline bool header_bench_lvm_same(struct header_bench *b)
{
	return header_bench_same(b, VK_LVM_HEADER_OFFSET, HEADER_BENCH_REGION);
}

static inline const struct vk_rebuilt_field *header_bench_field(const struct header_bench *b,
								const struct vk_layout *layout,
								const char *name)
{
	for (size_t i = 0; i < b->header.field_count; i++) {
		const struct vk_rebuilt_field *f = &b->header.fields[i];

		if (f->layout == layout && f->field != NULL && strcmp(f->field->name, name) == 0)
			return f;
	}
	return NULL;
}

static inline bool header_bench_says(char **list, size_t count, const char *part)
{
	for (size_t i = 0; i < count; i++)
		if (strstr(list[i], part) != NULL)
			return true;
	return false;
}

/* Decode the result: whether the map of the volume, and where its descriptor is, are what they were. */
static inline bool header_bench_maps_the_same(struct header_bench *b)
{
	struct vk_vmfs was = {.partition_bytes = b->length_bytes}, is = was;
	struct vk_findings ignored = {0};
	struct vk_finding_sink sink = vk_findings_sink(&ignored);
	struct vk_error err = {0};
	bool same;

	assert_int_equal(vk_vmfs_read(b->sound, &sink, &was, &err), VK_OK);
	assert_int_equal(vk_vmfs_read(vk_overlay_io(b->plan), &sink, &is, &err), VK_OK);
	same = is.lvm_usable && !is.runs_linear && is.run_count == was.run_count &&
	       is.fs_offset_bytes == was.fs_offset_bytes;
	for (size_t i = 0; same && i < was.run_count; i++)
		same = memcmp(&is.runs[i], &was.runs[i], sizeof(was.runs[i])) == 0;
	vk_vmfs_free(&was);
	vk_vmfs_free(&is);
	vk_findings_free(&ignored);
	return same;
}

static inline void header_bench_reads_the_same(struct header_bench *b)
{
	assert_true(header_bench_maps_the_same(b));
}

/* What was mended is not mended again. */
static inline void header_bench_again(struct header_bench *b, const struct vk_rebuild_header_options *o)
{
	struct vk_overlay *again = vk_overlay_new(vk_overlay_io(b->plan));
	struct vk_rebuild_header header;
	struct vk_error err = {0};

	assert_non_null(again);
	assert_int_equal(rebuild_of(vk_overlay_io(b->plan), 0, b->length_bytes, 512, o, again, &header,
					   &err), VK_OK);
	if (vk_overlay_dirty_bytes(again) != 0)
		header_bench_show(&header);
	assert_int_equal(vk_overlay_dirty_bytes(again), 0);
	vk_rebuild_header_free(&header);
	vk_overlay_free(again);
}

static inline void header_bench_must_plan(struct header_bench *b,
					  const struct vk_rebuild_header_options *o)
{
	if (header_bench_plan(b, o) != VK_OK)
		fail_msg("%s", b->err.what);
	header_bench_again(b, o);
}

#endif
