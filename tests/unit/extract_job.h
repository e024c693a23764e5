/* SPDX-License-Identifier: Apache-2.0 */
/* Copying a file that is a list of runs, and what must then be there. */
#ifndef VK_TEST_EXTRACT_JOB_H
#define VK_TEST_EXTRACT_JOB_H

#include "fake_disk.h"
#include "store/folder/digest.h"
#include "vmfskit/extract.h"

#define MIB ((uint64_t)1 << 20)

/* A file is a list of runs over a disk whose bytes tell their place. */
struct list {
	const struct vk_fs_run *runs;
	size_t count, at;
	unsigned seeks;
};
static struct fake_disk disk;

static inline enum vk_status list_seek(void *ctx, uint64_t offset, struct vk_error *err)
{
	struct list *list = ctx;

	(void)err;
	list->seeks++;
	for (list->at = 0; list->at < list->count; list->at++)
		if (offset < vk_add_sat(list->runs[list->at].file_offset, list->runs[list->at].length_bytes))
			break;
	return VK_OK;
}

static inline bool list_next(void *ctx, struct vk_fs_run *ret_run)
{
	struct list *list = ctx;

	if (list->at == list->count)
		return false;
	*ret_run = list->runs[list->at++];
	return true;
}

static inline uint8_t byte_at(uint64_t offset)
{
	uint64_t x = (offset / 8 + 1) * 0x9E3779B97F4A7C15U;

	return (uint8_t)((x >> (offset % 8 * 8)) | 1);
}

static inline void fill_places(uint64_t offset, uint8_t *sector)
{
	for (size_t i = 0; i < 512; i++)
		sector[i] = byte_at(offset + i);
}

#define DATA(at, length, volume) {.kind = VK_RUN_DATA, .file_offset = (at), .length_bytes = (length), \
				  .volume_offset = (volume)}
#define OTHER(what, at, length) {.kind = VK_RUN_##what, .file_offset = (at), .length_bytes = (length), \
				 .volume_offset = UINT64_MAX}

struct job {
	struct list list;
	struct vk_io *volume, *io;
	struct vk_extract x;
	struct vk_digest digest;
	struct vk_error err;
	uint64_t size;
	int fd; /* of the output, when it is a file */
};

static inline void job_begin_on(struct job *job, struct vk_io *volume, const struct vk_fs_run *runs, size_t count,
			 uint64_t size)
{
	struct vk_fs_runs from = {list_seek, list_next, NULL, &job->list};
	char path[64];

	*job = (struct job){.list = {.runs = runs, .count = count}, .size = size};
	job->volume = volume;
	job->io = vk_io_runs("file", size, job->volume, &from);
	assert_non_null(job->io);
	assert_true(vk_digest_init(&job->digest));
	job->fd = scratch_file(NULL, path);
	job->x = (struct vk_extract){.fd = job->fd, .sparse = true, .digest = &job->digest};
}

static inline void job_begin(struct job *job, const struct vk_fs_run *runs, size_t count, uint64_t size)
{
	job_begin_on(job, fake_open(&disk), runs, count, size);
}

static inline void job_end(struct job *job)
{
	vk_extract_free(&job->x);
	vk_digest_free(&job->digest);
	vk_io_close(job->io);
	vk_io_close(job->volume);
	close(job->fd);
	memset(&disk, 0, sizeof(disk));
}

static inline void job_copy(struct job *job)
{
	if (vk_extract(&job->x, job->io, 0, job->size, "out", &job->err) != VK_OK)
		fail_msg("%s", job->err.what);
	if (job->x.sparse)
		assert_int_equal(ftruncate(job->fd, (off_t)job->size), 0);
}

/* What the file holds by its runs and the list of what is missing: zeros there. */
static inline uint8_t *expected_of(const struct job *job)
{
	uint8_t *bytes = calloc(1, job->size + 1);

	assert_non_null(bytes);
	for (size_t i = 0; i < job->list.count; i++) {
		const struct vk_fs_run *run = &job->list.runs[i];

		for (uint64_t k = 0; k < run->length_bytes && run->file_offset + k < job->size; k++)
			if (run->kind == VK_RUN_DATA || run->kind == VK_RUN_RESIDENT)
				bytes[run->file_offset + k] = byte_at(run->volume_offset + k);
	}
	for (size_t i = 0; i < job->x.missing_count; i++)
		memset(bytes + job->x.missing[i].file_offset, 0, job->x.missing[i].length_bytes);
	return bytes;
}

static inline void job_compare(struct job *job)
{
	uint8_t *expected = expected_of(job), *seen = malloc(job->size + 1);
	char want[VK_SHA256_HEX_BYTES], have[VK_SHA256_HEX_BYTES];

	assert_non_null(seen);
	assert_int_equal(pread(job->fd, seen, job->size + 1, 0), (ssize_t)job->size);
	assert_memory_equal(seen, expected, job->size);
	if (job->x.digest != NULL) {
		assert_true(vk_digest_bytes(expected, job->size, want));
		assert_true(vk_digest_take(&job->digest, have));
		assert_string_equal(have, want);
	}
	free(expected);
	free(seen);
}

static const struct vk_fs_run mixed[] = {
	DATA(0, MIB, 100 * MIB), DATA(MIB, 2 * MIB, 7 * MIB), OTHER(HOLE, 3 * MIB, 5 * MIB),
	DATA(8 * MIB, MIB, 300 * MIB), OTHER(TBZ, 9 * MIB, MIB), DATA(10 * MIB, 6 * MIB + 777, 20 * MIB),
};
enum { MIXED = sizeof(mixed) / sizeof(mixed[0]) };
#define MIXED_BYTES (16 * MIB + 777)

static inline void new_disk(void)
{
	memset(&disk, 0, sizeof(disk));
	disk.size = 1024 * MIB;
	disk.fill = fill_places;
}

#endif
