/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of the ledger with which one thing is wrong: the first is told, and how many there are. */
#ifndef VK_STORE_WRONG_LINES_H
#define VK_STORE_WRONG_LINES_H

#include "vmfskit/finding.h"

/* Begin zeroed. */
struct vk_wrong_lines {
	struct vk_finding first;
	size_t count;
};

/* message goes on behind "line N of the ledger"; offset and len are those of the line. */
void vk_wrong_line(struct vk_wrong_lines *wrong, enum vk_finding_code code, size_t number, uint64_t offset, size_t len,
		   const char *message);
/* Nothing when there is none. */
void vk_wrong_lines_put(const struct vk_finding_sink *sink, struct vk_wrong_lines *wrong);

#endif
