/* SPDX-License-Identifier: Apache-2.0 */
/* Where the holes of a file are. */
#include "io/holes.h"

#include <errno.h>
#include <unistd.h>

struct vk_span vk_hole_span(int fd, uint64_t offset)
{
	off_t data = lseek(fd, (off_t)offset, SEEK_DATA);
	off_t hole;

	if (data < 0)
		return (struct vk_span){errno == ENXIO ? VK_SPAN_ZERO : VK_SPAN_DATA, UINT64_MAX};
	if ((uint64_t)data > offset)
		return (struct vk_span){VK_SPAN_ZERO, (uint64_t)data - offset};
	hole = lseek(fd, (off_t)offset, SEEK_HOLE);
	if (hole < 0 || (uint64_t)hole <= offset)
		return (struct vk_span){VK_SPAN_DATA, UINT64_MAX};
	return (struct vk_span){VK_SPAN_DATA, (uint64_t)hole - offset};
}
