/* SPDX-License-Identifier: Apache-2.0 */
/* Where a volume is known to begin: what a table is judged by, whoever found it out. */
#ifndef VK_EVIDENCE_KNOWN_START_H
#define VK_EVIDENCE_KNOWN_START_H

#include <stddef.h>
#include <stdint.h>

/* Lists of them are sorted by bytes, equal ones by index. */
struct vk_known_start {
	uint64_t bytes;        /* where it begins */
	uint64_t length_bytes; /* as the volume itself says it; 0: nothing does */
	size_t index;          /* the caller's number for it */
};

#endif
