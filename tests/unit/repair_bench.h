/* SPDX-License-Identifier: Apache-2.0 */
/* A small disk in a file, a store beside it and captures of it, for the tests of plan and writer. */
#ifndef REPAIR_BENCH_H
#define REPAIR_BENCH_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "repair/writer.h"

#include "test_store.h"

enum { BENCH_BYTES = 1 << 20 };

struct bench {
	char dir[64];
	char disk[128];
	char store[128];
	uint8_t bytes[BENCH_BYTES]; /* what the file holds */
	struct vk_io *io;
};

static inline void bench_write_disk(const struct bench *b)
{
	FILE *f = fopen(b->disk, "r+be");

	if (f == NULL)
		f = fopen(b->disk, "wbe");
	assert_non_null(f);
	assert_int_equal(fwrite(b->bytes, 1, BENCH_BYTES, f), BENCH_BYTES);
	assert_int_equal(fclose(f), 0);
}

static inline void bench_read_disk(const struct bench *b, uint8_t *ret_bytes)
{
	FILE *f = fopen(b->disk, "rbe");

	assert_non_null(f);
	assert_int_equal(fread(ret_bytes, 1, BENCH_BYTES, f), BENCH_BYTES);
	fclose(f);
}

static inline struct bench *bench_open(void)
{
	struct bench *b = test_calloc(1, sizeof(*b));
	struct vk_error err;

	strcpy(b->dir, "/tmp/vmfskit-repair.XXXXXX");
	assert_non_null(mkdtemp(b->dir));
	snprintf(b->disk, sizeof(b->disk), "%s/disk", b->dir);
	snprintf(b->store, sizeof(b->store), "%s/store", b->dir);
	for (size_t i = 0; i < BENCH_BYTES; i++)
		b->bytes[i] = (uint8_t)(i * 2654435761U >> 13);
	bench_write_disk(b);
	assert_int_equal(vk_io_open_raw(b->disk, &(struct vk_open_options){512}, &b->io, &err), VK_OK);
	return b;
}

static inline void bench_close(struct bench *b)
{
	char command[128];

	vk_io_close(b->io);
	snprintf(command, sizeof(command), "rm -rf %s", b->dir);
	assert_int_equal(system(command), 0);
	test_free(b);
}

/* Save regions of the disk as it is now, and read the capture back. */
static inline void bench_capture(struct bench *b, const struct vk_region *regions, size_t count,
				 char ret_id[VK_CAPTURE_ID_BYTES], struct vk_capture *ret_capture)
{
	struct vk_capture of = {.id = "bench",
				.source_kind = VK_SOURCE_DISK,
				.table_kind = VK_TABLE_MBR,
				.size_bytes = BENCH_BYTES,
				.sector_size = 512};
	struct vk_store *store = test_store(b->store, VK_STORE_ADD);
	struct vk_capture_options options = {.store = store, .sector_size = 512};
	struct vk_error err;

	assert_int_equal(vk_capture_take_undo(b->io, &of, regions, count, &options, ret_id, &err), VK_OK);
	vk_store_close(store);
	if (ret_capture != NULL)
		assert_int_equal(vk_capture_open(b->store, ret_id, ret_capture, &err), VK_OK);
}

#endif
