/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Texts made in place, to be named in the arguments of a call: vk_shown_size(bytes).text lives as long as the
 * statement.
 */
#ifndef VK_BASE_SHOWN_H
#define VK_BASE_SHOWN_H

#include "vmfskit/text.h"

struct vk_shown {
	char text[128];
};
struct vk_shown vk_shown_size(uint64_t bytes); /* "1.17 GiB (1258435584 bytes)" */
struct vk_shown vk_shown_size_short(uint64_t bytes); /* "1.17 GiB" */
struct vk_shown vk_shown_time_s(uint64_t unix_seconds);
struct vk_shown vk_shown_duration_us(uint64_t microseconds);
/* A time into a buffer of cap_bytes, which is at least 1. */
void vk_time_into(char *buf, size_t cap_bytes, uint64_t unix_seconds);

/* Bytes of unknown origin, so that they cannot steer a terminal. */
struct vk_shown_label {
	char text[1200];
};
struct vk_shown_label vk_shown_label(const void *bytes, size_t len);
struct vk_shown_label vk_shown_name(const char *text);
/* The same into a buffer of cap_bytes, which is at least 1; never cut inside of a character. */
void vk_label_into(char *buf, size_t cap_bytes, const void *bytes, size_t len);

#endif
