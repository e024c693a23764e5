/* SPDX-License-Identifier: Apache-2.0 */
/* Read faults of test builds. */
#include "io/io_fault.h"

#ifdef VK_TEST_HOOKS
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/checked.h"

static bool touches_fault(uint64_t offset, uint64_t len, uint32_t unit_bytes)
{
	const char *s = getenv("VMFSKIT_TEST_BAD");

	while (s != NULL && *s != '\0') {
		char *end;
		uint64_t start = strtoull(s, &end, 0);
		uint64_t stop;

		if (end == s || *end != '+')
			break;
		stop = vk_add_sat(start, strtoull(end + 1, &end, 0));
		start -= start % unit_bytes;
		stop = vk_round_up_sat(stop, unit_bytes);
		if (offset < stop && start < vk_add_sat(offset, len))
			return true;
		s = *end == ',' ? end + 1 : NULL;
	}
	return false;
}

/* A device that does not answer: the read never comes back. With VMFSKIT_TEST_STUCK_AT only one of that byte. */
static void hang_if_stuck(int fd, uint64_t offset, uint64_t len)
{
	const char *path = getenv("VMFSKIT_TEST_STUCK"), *at = getenv("VMFSKIT_TEST_STUCK_AT");
	struct stat want;
	struct stat have;

	if (path == NULL || stat(path, &want) != 0 || fstat(fd, &have) != 0 ||
	    want.st_dev != have.st_dev || want.st_ino != have.st_ino)
		return;
	if (at != NULL && !vk_ranges_meet(strtoull(at, NULL, 0), 1, offset, len))
		return;
	for (;;)
		pause();
}

ssize_t vk_fault_pread(int fd, void *buf, size_t len, uint64_t offset, uint32_t unit_bytes)
{
	hang_if_stuck(fd, offset, len);
	if (touches_fault(offset, len, unit_bytes)) {
		errno = EIO;
		return -1;
	}
	return pread(fd, buf, len, (off_t)offset);
}

ssize_t vk_fault_splice(int fd, int pipe, size_t len, uint64_t offset, uint32_t unit_bytes)
{
	off_t at = (off_t)offset;

	hang_if_stuck(fd, offset, len);
	if (touches_fault(offset, len, unit_bytes)) {
		errno = EIO;
		return -1;
	}
	return splice(fd, &at, pipe, NULL, len, 0);
}
#endif
