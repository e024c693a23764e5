/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is mounted, as the kernel lists it. Our own reader and not libmount, which would bring libselinux, libpcre2 and
 * libsepol into the build, and the first two into every run of a program that runs as root, for a loop over one file.
 */
#ifndef VK_BASE_MOUNTS_H
#define VK_BASE_MOUNTS_H

#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

/* At one line of /proc/self/mountinfo; the texts live until the next one. */
struct vk_mounts {
	FILE *file;
	char *line;
	size_t cap;
	dev_t device;       /* of the file system; some have a number of their own */
	const char *place;
	const char *source; /* what is mounted: the path of a device, or anything else */
};

/* for (struct vk_mounts m = vk_mounts_begin(); vk_mounts_next(&m);): the last call of next frees it. */
struct vk_mounts vk_mounts_begin(void);
bool vk_mounts_next(struct vk_mounts *mounts);
/* The device that source names now; 0: none. */
dev_t vk_mounts_source_device(const struct vk_mounts *mounts);

/* Turn the \ooo of such files back into characters, in place. */
void vk_unescape_octal(char *text);

#endif
