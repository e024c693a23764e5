/* SPDX-License-Identifier: Apache-2.0 */
/* Which of the volumes in the sources is meant. */
#ifndef VK_CMD_FILES_CHOICE_H
#define VK_CMD_FILES_CHOICE_H

#include "cmd/files/files.h"

/*
 * The only volume whose file-system descriptor is there; of several the one that --volume names, or that all further
 * extents belong to. Sets chosen. False: there is none, or it is not clear which, or an extent belongs to another one;
 * that is reported, with a list to paste.
 */
bool vk_files_choose(struct vk_files *files);
/* The device that has, or should have, the descriptor. */
const struct vk_vmfs *vk_files_vmfs(const struct vk_files *files, const struct vk_files_choice *choice);
/* What to do when a dump ends before the file system can be opened. */
#define VK_FILES_LONGER_DUMP \
	"take a longer dump: the first 26 MiB of the disk hold the descriptors of all files of a small volume; " \
	"docs/runbook-partial-dump.md says how much"
/*
 * Where byte 0 of a partition lies in its source as it was named; of a piece that begins behind it, below zero, and
 * then sums with it wrap to what is right.
 */
uint64_t vk_files_source_bytes(const struct vk_files *files, const struct vk_extent *extent);

#endif
