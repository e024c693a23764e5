/* SPDX-License-Identifier: Apache-2.0 */
/* Where the holes of a file are. */
#ifndef VK_IO_HOLES_H
#define VK_IO_HOLES_H

#include "vmfskit/io.h"

/* VK_SPAN_ZERO or VK_SPAN_DATA from offset on, and how far; everything is data where the file system does not tell. */
struct vk_span vk_hole_span(int fd, uint64_t offset);

#endif
