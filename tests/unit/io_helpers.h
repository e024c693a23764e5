/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of sources share. */
#ifndef TESTS_UNIT_IO_HELPERS_H
#define TESTS_UNIT_IO_HELPERS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vmfskit/io.h"

/* Bytes that look random and are the same in every run. */
static inline void fill_bytes(uint8_t *p, size_t len, uint64_t seed)
{
	uint64_t x = seed * 0x9E3779B97F4A7C15U + 1;

	for (size_t i = 0; i < len; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		p[i] = (uint8_t)(x >> 32);
	}
}

/* Commands are fixed texts of the tests. */
static inline int shell(const char *command)
{
	return system(command); /* NOLINT(cert-env33-c) */
}

/* A file without a name in folder (NULL: where temporary files go), and the path that opens it. */
static inline int scratch_file(const char *folder, char ret_path[64])
{
	char name[256];
	const char *tmp = getenv("TMPDIR");
	int fd;

	snprintf(name, sizeof(name), "%s/vmfskit-test-XXXXXX",
		 folder != NULL ? folder : tmp != NULL ? tmp : "/tmp");
	fd = mkostemp(name, O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(unlink(name), 0);
	snprintf(ret_path, 64, "/proc/self/fd/%d", fd);
	return fd;
}

static inline void put_at(int fd, uint64_t offset, const void *bytes, size_t len)
{
	assert_int_equal(pwrite(fd, bytes, len, (off_t)offset), (ssize_t)len);
}

static inline void assert_span(struct vk_io *io, uint64_t offset, enum vk_span_state state,
			       uint64_t length)
{
	struct vk_span span = vk_io_span(io, offset);

	assert_int_equal(span.state, state);
	assert_int_equal(span.length_bytes, length);
}

/* A read of len bytes delivers exactly `want` of them. */
static inline void assert_got(struct vk_io *io, uint64_t offset, void *buf, size_t len, size_t want)
{
	struct vk_error err = {0};
	size_t got = SIZE_MAX;

	assert_int_equal(vk_io_read(io, offset, buf, len, &got, &err), VK_OK);
	assert_int_equal(got, want);
}

/* A read that must deliver all, compared with what is expected. */
static inline void assert_holds(struct vk_io *io, uint64_t offset, const void *want, size_t len)
{
	uint8_t *buf = malloc(len + 1);

	assert_non_null(buf);
	assert_got(io, offset, buf, len, len);
	assert_memory_equal(buf, want, len);
	free(buf);
}

static inline void assert_zeros(struct vk_io *io, uint64_t offset, size_t len)
{
	uint8_t *zeros = calloc(1, len);

	assert_non_null(zeros);
	assert_holds(io, offset, zeros, len);
	free(zeros);
}

#endif
