/* SPDX-License-Identifier: Apache-2.0 */
/* Which reading of a source its content supports. */
#ifndef VK_VOL_RECOGNISE_H
#define VK_VOL_RECOGNISE_H

#include "vmfskit/source.h"

/* How well a reading fits: 0 not at all, then a hint, a table of its own, a VMFS structure in its place. */
enum vk_fit { VK_FIT_NONE, VK_FIT_HINT, VK_FIT_TABLE, VK_FIT_STRUCTURE };

struct vk_reading {
	enum vk_source_kind kind;
	enum vk_fit fit;
	char why[120]; /* what supports it: "LVM header at 0x100000" */
};

/* Starts (in sectors of 512 bytes) where VMFS partitions usually lie. */
extern const uint64_t vk_usual_starts[];
extern const size_t vk_usual_start_count;

/* LVM header magic with a plausible version at `at`; descriptor magic with a plausible version at `at`. */
bool vk_lvm_header_at(struct vk_io *io, uint64_t at);
bool vk_fs_descriptor_at(struct vk_io *io, uint64_t at);

/* Fill all four readings (disk, partition, volume, header). table and tail are what was read of the same handle. */
void vk_recognise(struct vk_io *io, const struct vk_table *table, const struct vk_tail_gpt *tail,
		  struct vk_reading ret_readings[4]);

/*
 * Append one VMFS partition, decoded through a window of the source; part: its number, start and length as the caller
 * knows them. What is to be said of it goes to the findings of the source, in its offsets. Errors: VK_IO, VK_NOMEM.
 */
VK_MUST_USE enum vk_status vk_source_add_vmfs(struct vk_source *source, const struct vk_vmfs *part,
					      uint64_t start_bytes, uint64_t length_bytes, struct vk_error *err);

/* Set source->container, and put what is to be said of it in front of all other findings. */
void vk_source_say_container(struct vk_source *source);

#endif
