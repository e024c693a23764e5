/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small disk made by hand, as decoding would describe it, and a scratch store. Every test
 * program uses a part of it.
 */
#ifndef VK_TEST_CAPTURE_FIXTURE_H
#define VK_TEST_CAPTURE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "vmfskit/capture.h"

#include "test_store.h"

enum { FIXTURE_SECTOR = 512, FIXTURE_START = 128 };
#define FIXTURE_BASE ((uint64_t)FIXTURE_START * FIXTURE_SECTOR)
#define FIXTURE_BYTES (24ULL << 20)

/*
 * A disk in memory of which sectors can be made to fail, and bytes to change while they are read.
 */
struct fixture_disk {
	uint8_t *bytes;
	uint64_t size;
	struct vk_range bad[4];
	size_t bad_count;
	unsigned reads;
	unsigned change_after_reads; /* 0: never */
	uint64_t change_at;
	bool as_holes; /* zero sectors are known to be zero */
	void (*at_read)(void *ctx, uint64_t offset); /* NULL: nothing happens meanwhile */
	void *ctx;
};

static inline bool fixture_bad(const struct fixture_disk *d, uint64_t offset, uint64_t *length)
{
	for (size_t i = 0; i < d->bad_count; i++) {
		uint64_t end = d->bad[i].offset_bytes + d->bad[i].length_bytes;

		if (offset >= d->bad[i].offset_bytes && offset < end) {
			*length = vk_min_u64(*length, end - offset);
			return true;
		}
		if (offset < d->bad[i].offset_bytes)
			*length = vk_min_u64(*length, d->bad[i].offset_bytes - offset);
	}
	return false;
}

static inline enum vk_status fixture_read(void *self, uint64_t offset, void *buf, size_t len,
				   size_t *ret_got, struct vk_error *err)
{
	struct fixture_disk *d = self;
	uint64_t length = vk_min_u64(len, d->size - vk_min_u64(offset, d->size));

	(void)err;
	if (d->at_read != NULL)
		d->at_read(d->ctx, offset);
	if (fixture_bad(d, offset, &length))
		length = 0;
	if (length > 0)
		memcpy(buf, d->bytes + offset, (size_t)length);
	d->reads++;
	if (d->change_after_reads != 0 && d->reads == d->change_after_reads)
		d->bytes[d->change_at] ^= 1;
	*ret_got = (size_t)length;
	return VK_OK;
}

static inline struct vk_span fixture_span(void *self, uint64_t offset)
{
	struct fixture_disk *d = self;
	struct vk_span span = {.state = VK_SPAN_DATA};
	uint64_t sector = FIXTURE_SECTOR - offset % FIXTURE_SECTOR;

	if (offset >= d->size) {
		span.state = VK_SPAN_END;
		return span;
	}
	span.length_bytes = d->size - offset;
	if (fixture_bad(d, offset, &span.length_bytes))
		span.state = VK_SPAN_UNREADABLE;
	else if (d->as_holes && vk_all_zero(d->bytes + offset, (size_t)sector)) {
		span.state = VK_SPAN_ZERO;
		span.length_bytes = sector;
	}
	return span;
}

static const struct vk_io_ops fixture_ops = {.read_at = fixture_read, .span = fixture_span};

struct fixture {
	struct fixture_disk disk;
	struct vk_source source;
	struct vk_vmfs vmfs;
	struct vk_run run;
	struct vk_partition partition;
	struct vk_findings findings;
	char store[64];
	struct vk_store *open_store;
	char id[VK_CAPTURE_ID_BYTES];
	char path[256]; /* of the capture */
};

/* data_offset: 0x1100000 as always, or a small one for tests that verify thousands of times. */
static inline struct fixture *fixture_new(uint64_t data_offset)
{
	struct fixture *f = calloc(1, sizeof(*f));
	uint64_t header = FIXTURE_BASE + VK_LVM_HEADER_OFFSET;
	uint64_t fs = FIXTURE_BASE + data_offset + VK_FS_OFFSET;

	assert_non_null(f);
	f->disk.size = FIXTURE_BYTES;
	f->disk.bytes = calloc(1, FIXTURE_BYTES);
	assert_non_null(f->disk.bytes);
	vk_put_le16(f->disk.bytes + 510, VK_MBR_SIGNATURE);
	vk_put_le32(f->disk.bytes + header, VK_LVM_MAGIC);
	vk_put_le32(f->disk.bytes + fs, VK_FS_MAGIC_VMFS);
	memset(f->disk.bytes + FIXTURE_BASE + data_offset + 0x300000, 0x5a, 512);
	f->source.path = strdup("/images/disk one.img");
	f->source.kind = VK_SOURCE_DISK;
	f->source.size_bytes = FIXTURE_BYTES;
	f->source.sector_size = FIXTURE_SECTOR;
	f->source.io = vk_io_new(&fixture_ops, &f->disk, "disk", FIXTURE_BYTES, FIXTURE_SECTOR);
	f->source.raw = f->source.io;
	f->partition = (struct vk_partition){.number = 1,
					     .start_sector = FIXTURE_START,
					     .sectors = FIXTURE_BYTES / FIXTURE_SECTOR - FIXTURE_START,
					     .mbr_type = VK_MBR_TYPE_VMFS};
	f->source.table = (struct vk_table){.kind = VK_TABLE_MBR,
					    .sector_size = FIXTURE_SECTOR,
					    .disk_sectors = FIXTURE_BYTES / FIXTURE_SECTOR,
					    .partitions = &f->partition,
					    .partition_count = 1,
					    .gpt_chosen = -1};
	f->run = (struct vk_run){.device_offset = data_offset,
				 .length_bytes = FIXTURE_BYTES - FIXTURE_BASE - data_offset};
	f->vmfs = (struct vk_vmfs){.partition = 1,
				   .start_sector = FIXTURE_START,
				   .sectors = f->partition.sectors,
				   .partition_bytes = f->partition.sectors * FIXTURE_SECTOR,
				   .lvm_usable = true,
				   .runs = &f->run,
				   .run_count = 1,
				   .fs_expected = data_offset == VK_LVM_DATA_OFFSET,
				   .fs_usable = true};
	f->vmfs.lvm.dataOffset = data_offset;
	memcpy(f->vmfs.fs.fsLabel, "one\ntwo", 8);
	(void)vk_fs_geometry(NULL, 0, &f->vmfs.fs_geometry);
	f->source.vmfs = &f->vmfs;
	f->source.vmfs_count = 1;
	snprintf(f->store, sizeof(f->store), "/tmp/vmfskit-unit.XXXXXX");
	assert_non_null(mkdtemp(f->store));
	f->open_store = test_store(f->store, VK_STORE_ADD);
	return f;
}

static inline int fixture_unlink(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

static inline void fixture_free(struct fixture *f)
{
	vk_store_close(f->open_store);
	nftw(f->store, fixture_unlink, 16, FTW_DEPTH | FTW_PHYS);
	vk_findings_free(&f->findings);
	vk_io_close(f->source.io);
	free(f->source.path);
	free(f->disk.bytes);
	free(f);
}

static inline void fixture_take(struct fixture *f)
{
	const struct vk_capture_options options = {.store = f->open_store};
	struct vk_finding_sink sink = vk_findings_sink(&f->findings);
	struct vk_error err = {.status = VK_OK};

	if (vk_capture_take(&f->source, &options, &sink, f->id, &err) != VK_OK)
		fail_msg("capture failed: %s (%s)", err.what, err.where);
	snprintf(f->path, sizeof(f->path), "%s/%s", f->store, f->id);
}

/* "PATH of the capture/FILE"; valid until the next call. */
static inline const char *fixture_file(const struct fixture *f, const char *file)
{
	static char path[400];

	snprintf(path, sizeof(path), "%s/%s", f->path, file);
	return path;
}

/* A whole file; free the result. */
static inline uint8_t *fixture_slurp(const char *path, size_t *ret_len)
{
	FILE *in = fopen(path, "rb");
	uint8_t *bytes;

	assert_non_null(in);
	fseek(in, 0, SEEK_END);
	*ret_len = (size_t)ftell(in);
	rewind(in);
	bytes = calloc(1, *ret_len + 1);
	assert_non_null(bytes);
	assert_int_equal(fread(bytes, 1, *ret_len, in), *ret_len);
	fclose(in);
	return bytes;
}

static inline void fixture_write(const char *path, const void *bytes, size_t len)
{
	FILE *out = fopen(path, "wb");

	assert_non_null(out);
	assert_int_equal(fwrite(bytes, 1, len, out), len);
	assert_int_equal(fclose(out), 0);
}

static inline void fixture_put(const char *path, uint64_t offset, const void *bytes, size_t len)
{
	int fd = open(path, O_WRONLY);

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, bytes, len, (off_t)offset), (ssize_t)len);
	close(fd);
}

static inline size_t fixture_count(const struct vk_findings *findings, enum vk_finding_code code)
{
	size_t count = 0;

	for (size_t i = 0; i < findings->count; i++)
		count += findings->items[i].code == code;
	return count;
}

#endif
