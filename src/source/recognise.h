/* SPDX-License-Identifier: Apache-2.0 */
/* Which reading of a source its content supports. */
#ifndef VK_SOURCE_RECOGNISE_H
#define VK_SOURCE_RECOGNISE_H

#include "vmfskit/source.h"

/* How well a reading fits: 0 not at all, then a hint, a table of its own, a VMFS structure in its place. */
enum vk_fit { VK_FIT_NONE, VK_FIT_HINT, VK_FIT_TABLE, VK_FIT_STRUCTURE };

struct vk_kind_fit {
	enum vk_source_kind kind;
	enum vk_fit fit;
	char why[120]; /* what supports it: "LVM header at 0x100000" */
};

/* What of a LUN, or of a piece of one, stands where it would if it began at byte 0 of a handle. */
struct vk_lun_signs {
	struct vk_kind_fit fits[4]; /* disk, partition, volume, header */
	size_t best;		    /* index of the fit that is best */
	size_t equal;               /* another one that fits as well; 4: none does */
	bool shows_vmfs;   /* as a disk: a table names a VMFS partition, or a structure stands where one would begin */
	bool table_sound;  /* a copy of a GPT with both checksums, or an MBR with plausible entries */
	bool copies_agree; /* both copies of a GPT are sound, each in its place, of one disk */
	uint64_t disk_bytes; /* how long its GPT says that the disk is; 0: nobody says it */
	uint32_t sector_size;
};

/* Starts (in sectors of 512 bytes) where VMFS partitions usually lie. */
extern const uint64_t vk_usual_starts[];
extern const size_t vk_usual_start_count;

/* LVM header magic with a plausible version at `at`; descriptor magic with a plausible version at `at`. */
bool vk_lvm_header_at(struct vk_io *io, uint64_t at);
bool vk_fs_descriptor_at(struct vk_io *io, uint64_t at);
/* A heartbeat slot at `at` that says that it lies at volume_offset. */
bool vk_heartbeat_at(struct vk_io *io, uint64_t at, uint64_t volume_offset);

/* table and tail are what was read of the same handle. */
void vk_lun_signs_of(struct vk_io *io, const struct vk_table *table, const struct vk_tail_gpt *tail,
		     struct vk_lun_signs *ret_signs);
/* The same of any handle, a window into a carrier: its table is read first. Errors: VK_IO, VK_NOMEM. */
VK_MUST_USE enum vk_status vk_lun_signs_read(struct vk_io *io, uint32_t sector_size, struct vk_lun_signs *ret_signs,
					     struct vk_error *err);

/*
 * Append one VMFS partition, decoded through a window of the source; part: its number, start and length as the caller
 * knows them. What is to be said of it goes to the findings of the source, in its offsets. Errors: VK_IO, VK_NOMEM.
 */
VK_MUST_USE enum vk_status vk_source_add_vmfs(struct vk_source *source, const struct vk_vmfs *part,
					      uint64_t start_bytes, uint64_t length_bytes, struct vk_error *err);

/*
 * Fill source->readings: detectors and the source's own bytes (signs), the best first. Unless look is VK_LOOK_THROUGH,
 * or its best reading is of its own bytes, *ret_view stays NULL; else it is the disk of that reading, over
 * source->given. Errors: VK_IO, VK_NOMEM.
 */
VK_MUST_USE enum vk_status vk_source_survey(struct vk_source *source, const struct vk_source_options *options,
					    const struct vk_lun_signs *signs, struct vk_io **ret_view,
					    struct vk_error *err);
/* By its weight; of two that weigh the same the one that was there before stays in front. False: no memory. */
VK_MUST_USE bool vk_readings_put(struct vk_readings *readings, const struct vk_reading *reading);

/*
 * Set source->container, and put what is to be said of it in front of all other findings and readings. False: no
 * memory.
 */
VK_MUST_USE bool vk_source_say_container(struct vk_source *source);

#endif
