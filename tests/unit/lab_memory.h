/* SPDX-License-Identifier: Apache-2.0 */
/* A disk in memory and a sink that accepts no finding: for the tests of the lab. */
#ifndef VK_TESTS_LAB_MEMORY_H
#define VK_TESTS_LAB_MEMORY_H

#include <sys/mman.h>

#include "lab/lab.h"

#define GIB (1ULL << 30)
#define TIB (1ULL << 40)

/* A disk in memory: holes cost nothing, so that 64 TB fit. */
static inline struct vk_lab_disk memory_disk(uint64_t size_bytes)
{
	struct vk_lab_disk disk = {.fd = memfd_create("lab", MFD_CLOEXEC), .path = "memory"};

	assert_true(disk.fd >= 0);
	assert_int_equal(ftruncate(disk.fd, (off_t)size_bytes), 0);
	disk.size_bytes = size_bytes;
	return disk;
}

static inline void get(struct vk_lab_disk *disk, uint64_t offset, void *buf, size_t len)
{
	assert_int_equal(vk_lab_get(disk, offset, buf, len, NULL), VK_OK);
}

/* Every finding but information fails the test by name. */
static inline void put_finding(void *arg, const struct vk_finding *finding)
{
	const struct vk_finding_kind *kind = vk_finding_kind(finding->code);

	(void)arg;
	if (kind->severity != VK_INFO)
		fail_msg("%s: %s (seen %s, expected %s)", kind->code, finding->message, finding->seen,
			 finding->expected);
}
static const struct vk_finding_sink sound = {.put = put_finding};

#endif
