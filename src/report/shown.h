/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Texts made in place, to be named in the arguments of a printf: vk_shown_size(bytes).text lives as long as the
 * statement.
 */
#ifndef VK_REPORT_SHOWN_H
#define VK_REPORT_SHOWN_H

#include "vmfskit/gpt.h"
#include "vmfskit/vmfs_uuid.h"

struct vk_shown {
	char text[128];
};
struct vk_shown vk_shown_size(uint64_t bytes); /* "1.17 GiB (1258435584 bytes)" */
struct vk_shown vk_shown_size_short(uint64_t bytes); /* "1.17 GiB" */
struct vk_shown vk_shown_time_s(uint64_t unix_seconds);
struct vk_shown vk_shown_duration_us(uint64_t microseconds);
struct vk_shown vk_shown_uuid(const struct vk_vmfs_uuid *uuid);
/*
 * "2009-04-21T16:45:56Z, by the host with MAC 00:50:56:..." when and where a UUID was made; before stands between the
 * two.
 */
struct vk_shown vk_shown_made(const struct vk_vmfs_uuid *uuid, const char *before);

/* Bytes of unknown origin, so that they cannot steer a terminal. */
struct vk_shown_label {
	char text[1200];
};
struct vk_shown_label vk_shown_label(const void *bytes, size_t len);
struct vk_shown_label vk_shown_name(const char *text);

#endif
