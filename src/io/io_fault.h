/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Read faults of test builds (VK_TEST_HOOKS): VMFSKIT_TEST_BAD="offset+length,offset+length" makes every
 * file and device fail with EIO where a read touches a sector of one of these byte ranges, VMFSKIT_TEST_STUCK=PATH
 * lets reads of that file never come back, with VMFSKIT_TEST_STUCK_AT=BYTE only those of that byte. In other builds
 * these are pread and splice.
 */
#ifndef VK_IO_IO_FAULT_H
#define VK_IO_IO_FAULT_H

#include <fcntl.h>
#include <stdint.h>
#include <sys/types.h>
#include <unistd.h>

#ifdef VK_TEST_HOOKS
ssize_t vk_fault_pread(int fd, void *buf, size_t len, uint64_t offset, uint32_t unit_bytes);
ssize_t vk_fault_splice(int fd, int pipe, size_t len, uint64_t offset, uint32_t unit_bytes);
#else
static inline ssize_t vk_fault_pread(int fd, void *buf, size_t len, uint64_t offset,
				     uint32_t unit_bytes)
{
	(void)unit_bytes;
	return pread(fd, buf, len, (off_t)offset);
}
static inline ssize_t vk_fault_splice(int fd, int pipe, size_t len, uint64_t offset, uint32_t unit_bytes)
{
	off_t at = (off_t)offset;

	(void)unit_bytes;
	return splice(fd, &at, pipe, NULL, len, 0);
}
#endif

#endif
