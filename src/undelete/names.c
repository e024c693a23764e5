/* SPDX-License-Identifier: Apache-2.0 */
/* The words for what is found of files that are gone; what all of their ranges come to. */
#include <string.h>

#include "vmfskit/undelete.h"

const char *vk_undelete_from_name(enum vk_undelete_from from)
{
	static const char *const names[] = {"capture", "descriptor", "pointer-blocks", "signature"};

	return names[from];
}

const char *vk_undelete_state_name(enum vk_undelete_state state)
{
	static const char *const names[] = {"untouched", "reused", "unknown", "hole"};

	return names[state];
}

const char *vk_undelete_verdict_name(enum vk_undelete_verdict verdict)
{
	static const char *const names[] = {"untouched", "partly-reused", "lost", "unknown"};

	return names[verdict];
}

const char *vk_undelete_why_said(enum vk_undelete_why why)
{
	static const char *const texts[] = {
		[VK_UNDELETE_SURE] = "",
		[VK_UNDELETE_NOT_SAID] = "the map does not say where it lies",
		[VK_UNDELETE_OUTSIDE] = "the map places it outside of the volume",
		[VK_UNDELETE_CONTRADICTED] = "the map gives these bytes to another lost file, too",
		[VK_UNDELETE_UNREADABLE] = "whether it is free cannot be read",
		[VK_UNDELETE_ALLOCATED] = "it is allocated, and no file is known that has it",
		[VK_UNDELETE_UNPROVED] = "it is free, but it may have been used in between",
		[VK_UNDELETE_WENT_BACK] = "the volume is older than that capture: it was rolled back, or is a copy",
		[VK_UNDELETE_DESCRIPTOR_GONE] = "it lay in the file descriptor, which is another one now",
		[VK_UNDELETE_GUESSED] = "only the bytes themselves say that they belong to this file",
	};

	return texts[why];
}

void vk_undelete_sum(struct vk_undelete_file *file)
{
	const uint64_t *b = file->bytes;
	uint64_t known = 0;

	memset(file->bytes, 0, sizeof(file->bytes));
	for (size_t i = 0; i < file->range_count; i++) {
		file->bytes[file->ranges[i].state] += file->ranges[i].length_bytes;
		known += file->ranges[i].length_bytes;
	}
	if (b[VK_UNDELETE_REUSED] > 0)
		file->verdict = b[VK_UNDELETE_UNTOUCHED] + b[VK_UNDELETE_UNKNOWN] > 0 ? VK_UNDELETE_PARTLY_REUSED
										      : VK_UNDELETE_LOST;
	else
		file->verdict = b[VK_UNDELETE_UNKNOWN] > 0 || known < file->size_bytes ? VK_UNDELETE_ALL_UNKNOWN
										       : VK_UNDELETE_ALL_UNTOUCHED;
}
