/* SPDX-License-Identifier: Apache-2.0 */
/* What all parts of the search use: bytes of the disk, rows of the judgement, words for who named a start. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "find/find_parts.h"

size_t vk_find_get(const struct vk_finder *f, int64_t at, void *buf, size_t len)
{
	size_t got = 0;

	memset(buf, 0, len);
	if (at < 0 || (uint64_t)at >= f->size_bytes)
		return 0;
	if (vk_io_read(f->io, (uint64_t)at, buf, len, &got, NULL) != VK_OK)
		return 0;
	return got;
}

void vk_judge_row(struct vk_probe *p, enum vk_find_check check, enum vk_verdict verdict,
		  const char *seen, ...)
{
	struct vk_check *row = &p->c.checks[check];
	va_list args;

	row->verdict = verdict;
	va_start(args, seen);
	vsnprintf(row->seen, sizeof(row->seen), seen, args);
	va_end(args);
}

void vk_heard_text(const struct vk_finder *f, enum vk_heard heard, unsigned number, struct vk_text *out)
{
	static const char *const copies[] = {[VK_HEARD_MBR] = "the MBR",
					     [VK_HEARD_EBR] = "the extended partition",
					     [VK_HEARD_GPT_PRIMARY] = "the primary GPT",
					     [VK_HEARD_GPT_BACKUP] = "the backup GPT",
					     [VK_HEARD_GPT_TAIL] = "the backup GPT at the end"};

	if (heard == VK_HEARD_HINT)
		vk_text_put(out, f->options->hints[number].from);
	else if (heard != VK_HEARD_NOBODY)
		vk_text_fmt(out, "%s %u of %s", heard == VK_HEARD_EBR ? "partition" : "entry", number, copies[heard]);
}
