/* SPDX-License-Identifier: Apache-2.0 */
/* Disks in memory with lab volumes on them, searched. */
#ifndef VK_TESTS_FIND_BENCH_H
#define VK_TESTS_FIND_BENCH_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "lab_memory.h"
#include "vmfskit/find.h"

#define SECTOR 512ULL
#define HEADER (VK_LVM_HEADER_OFFSET)
#define DESCRIPTOR (VK_LVM_DATA_OFFSET + VK_FS_OFFSET)
#define HEARTBEATS (VK_LVM_DATA_OFFSET + 0x300000)

/* A volume of that many bytes, written where its partition begins. */
static inline struct vk_lab_device put_volume(struct vk_lab_disk *disk, unsigned version, uint64_t start, uint64_t bytes,
					      uint64_t seed)
{
	struct vk_lab_extent extent = {bytes, 1};
	struct vk_lab_device device;
	struct vk_lab_volume v;

	vk_lab_volume_init(&v);
	v.version = version;
	assert_int_equal(vk_lab_devices_make(&v, seed, 0, &extent, 1, 512, &device, NULL), VK_OK);
	assert_int_equal(vk_lab_write_device(disk, start, &device), VK_OK);
	return device;
}

static inline void put(struct vk_lab_disk *disk, uint64_t offset, const void *bytes, size_t len)
{
	assert_int_equal(vk_lab_put(disk, offset, bytes, len), VK_OK);
}

static inline void zero(struct vk_lab_disk *disk, uint64_t offset, uint64_t len)
{
	assert_int_equal(vk_lab_zero(disk, offset, len), VK_OK);
}

/* Bytes of one place to another, or to another disk. */
static inline void copy(struct vk_lab_disk *from, uint64_t offset, struct vk_lab_disk *to, uint64_t at, uint64_t len)
{
	static uint8_t piece[1 << 20];

	for (uint64_t done = 0; done < len; done += sizeof(piece)) {
		size_t n = len - done < sizeof(piece) ? (size_t)(len - done) : sizeof(piece);

		get(from, offset + done, piece, n);
		put(to, at + done, piece, n);
	}
}

/* A search of a disk in memory; free with search_free. */
struct searched {
	struct vk_source source;
	struct vk_find find;
};

static inline struct searched search_with(const struct vk_lab_disk *disk, const struct vk_find_options *options)
{
	struct vk_source_options how = {.as = VK_SOURCE_DISK};
	struct searched s = {0};
	struct vk_error err = {0};
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", disk->fd);
	assert_int_equal(vk_source_open(path, &how, &s.source, &err), VK_OK);
	if (vk_find(&s.source, options, &s.find, &err) != VK_OK)
		fail_msg("%s", err.what);
	return s;
}

static inline struct searched search_likely(const struct vk_lab_disk *disk)
{
	const struct vk_find_options options = {.likely_only = true};

	return search_with(disk, &options);
}

static inline struct searched search(const struct vk_lab_disk *disk)
{
	const struct vk_find_options options = {0};

	return search_with(disk, &options);
}

static inline void search_free(struct searched *s)
{
	vk_find_free(&s->find);
	vk_source_close(&s->source);
}

/* Candidate number i: standing and start. */
static inline const struct vk_candidate *assert_candidate(const struct searched *s, size_t i, enum vk_standing standing,
							  uint64_t start)
{
	const struct vk_candidate *c;

	if (i >= s->find.count)
		fail_msg("%zu candidates only", s->find.count);
	c = &s->find.candidates[i];
	if (c->standing != standing || c->start_bytes != start)
		fail_msg("candidate %zu is %s at %llu (%s)", i, vk_standing_name(c->standing),
			 (unsigned long long)c->start_bytes, c->why);
	assert_true(c->why[0] != '\0' && c->sure_percent <= 100);
	return c;
}

static inline void assert_check(const struct vk_candidate *c, enum vk_find_check check, enum vk_verdict verdict)
{
	if (c->checks[check].verdict != verdict)
		fail_msg("%s is %d: %s", vk_find_check_name(check), (int)c->checks[check].verdict, c->checks[check].seen);
}

#endif
