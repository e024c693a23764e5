/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What all parts of the search use: bytes of the disk, rows of the judgement, words for who named a start; names of
 * checks and standings, and the starts that installers and tools use.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/checked.h"
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

bool vk_find_beyond(const struct vk_finder *f, int64_t at, size_t len)
{
	uint64_t held = at >= 0 ? vk_io_held(f->io, (uint64_t)at, len) : len, end = vk_add_sat((uint64_t)at, held);

	if (held == len)
		return false;
	return end < f->size_bytes || f->may_be_part;
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
					     [VK_HEARD_GPT_TAIL] = "the backup GPT at the end",
					     [VK_HEARD_GPT_OLDER] = "an older backup GPT"};

	if (heard == VK_HEARD_HINT)
		vk_text_put(out, f->options->hints[number].from);
	else if (heard != VK_HEARD_NOBODY)
		vk_text_fmt(out, "%s %u of %s", heard == VK_HEARD_EBR ? "partition" : "entry", number, copies[heard]);
}

/* Format reference 1.4: fdisk and the GUIs, sectors of 4096 bytes, boot disks, cylinders. */
const uint64_t vk_find_usual_starts[] = {
	2048, 128, 63, 64, 0, 1024, 16384,
	15472640, 10229760, 268437504, 20973535, 16986112,
	63 * 8, 64 * 8,
	16065, 2 * 16065, 3 * 16065, 4 * 16065, 5 * 16065, 6 * 16065, 7 * 16065, 8 * 16065,
};
const size_t vk_find_usual_start_count = sizeof(vk_find_usual_starts) / sizeof(vk_find_usual_starts[0]);

#define ROW_NAME(id, name, what) [VK_CHECK_##id] = name,
#define ROW_WHAT(id, name, what) [VK_CHECK_##id] = what,
static const char *const names[] = {VK_FIND_CHECKS(ROW_NAME)};
static const char *const whats[] = {VK_FIND_CHECKS(ROW_WHAT)};

const char *vk_find_check_name(enum vk_find_check check)
{
	return names[check];
}

const char *vk_find_check_what(enum vk_find_check check)
{
	return whats[check];
}

const char *vk_standing_name(enum vk_standing standing)
{
	static const char *const standings[] = {
		[VK_STANDING_LIVING] = "living",
		[VK_STANDING_DAMAGED] = "damaged",
		[VK_STANDING_UNKNOWN] = "unknown",
		[VK_GHOST_INSIDE] = "ghost: copy of a header",
		[VK_GHOST_NESTED] = "ghost: disk of a virtual machine",
		[VK_GHOST_METADATA] = "ghost: extended metadata",
		[VK_GHOST_EARLIER] = "ghost: earlier format",
		[VK_GHOST_FILE] = "ghost: in another system's file",
		[VK_GHOST_FOREIGN] = "ghost: under another file system",
		[VK_GHOST_OUTSIDE] = "ghost: reaches past the disk",
		[VK_GHOST_NOISE] = "ghost: noise",
	};

	return standings[standing];
}
