/* SPDX-License-Identifier: Apache-2.0 */
/* What a volume says of itself without its LVM header: from self-locating blocks and the headers of its resource files. */
#ifndef VK_REBUILD_SELF_REPORT_H
#define VK_REBUILD_SELF_REPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "vmfskit/error.h"

struct vk_header_work;

/* Offsets are bytes from the start of the partition. Zero (false) is: not known. Every text is a phrase, "93 locks and 2048 heartbeats". */
struct vk_self_report {
	/* Where volume offset 0 lies: stored volume offsets against the places they were read at. */
	uint64_t votes;             /* blocks that agree on it; 0: nobody was asked or answered */
	uint64_t votes_against;
	int64_t volume_start_bytes; /* negative on a member that is not the head */
	uint64_t highest_volume_offset; /* the highest one that such a block names (volume offset) */
	char votes_from[160];

	/* The file system, from the resource files alone: the descriptor is not asked. */
	unsigned fs_major;          /* 4, 14, 24 */
	uint32_t metadata_block_bytes; /* 512; 4096 on VMFS6 */
	uint64_t file_block_bytes;
	uint64_t file_blocks;       /* resources of .fbb.sf, in file blocks (VMFS6: small ones) */
	uint64_t logical_bytes;     /* file_blocks x file_block_bytes; the volume is not shorter */
	uint32_t creation_time;     /* of the system files, Unix seconds: when the file system was made */
	char size_from[160];        /* ".fbb.sf header at 0x1518800: 1024 blocks of 1 MiB" */
};

/*
 * Ask the volume under work->window (and work->options->candidate). Called before anything is planned; needs neither LVM
 * header nor descriptor. Damage is no error, it leaves things unknown. Errors: VK_IO, VK_NOMEM.
 */
VK_MUST_USE enum vk_status vk_self_report_read(struct vk_header_work *work,
					       struct vk_self_report *ret_report,
					       struct vk_error *err);

#endif
