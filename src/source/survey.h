/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The survey of a source: all readings of it, each found by a detector of its own, weighed against each other. A
 * detector reads a bounded number of places, believes nothing that it read without bounds, and adds a reading when its
 * evidence stands.
 */
#ifndef VK_SOURCE_SURVEY_H
#define VK_SOURCE_SURVEY_H

#include "base/command.h"
#include "source/recognise.h"
#include "vmfskit/foreign.h"

/* Which of two readings is believed: the heavier. Where one is conditional, the detector says lighter ones. */
enum {
	VK_WEIGHT_NOTHING = 10,
	VK_WEIGHT_HINT = 20,      /* the source's own bytes: something at a usual start */
	VK_WEIGHT_STALE = VK_READING_WEIGHT_SAID,    /* a signature that a sound disk of its own contradicts */
	VK_WEIGHT_TABLE = 40,     /* own bytes: a table, and nothing of VMFS where it points */
	VK_WEIGHT_STRUCTURE = 60, /* own bytes: VMFS where the table points, or in the place of a partition */
	VK_WEIGHT_INSIDE = 65,    /* a LUN is seen inside a carrier whose superblock stands */
	VK_WEIGHT_SOUND = 70,     /* own bytes: a sound table, and VMFS where it points */
	VK_WEIGHT_OTHER = 75,     /* another system is whole, and in use */
	VK_WEIGHT_COPY = 80,      /* all structures agree on one displacement, stride or unit */
	VK_WEIGHT_MEMBER = 90,    /* the superblock of an array, where it does not contradict a sound table */
	VK_WEIGHT_CONTAINER = 100
};

struct vk_survey {
	struct vk_io *io;     /* the source as it was given */
	const char *path;     /* what it was named by, for commands */
	uint32_t sector_size; /* chosen by hand, or the device's; 0: not known */
	bool sector_size_by_hand;
	const struct vk_table *table;    /* as it is read from byte 0 on */
	const struct vk_tail_gpt *tail;
	struct vk_lun_signs own;         /* of a LUN, partition or volume that begins with the source */
	const struct vk_foreigners *foreign; /* signatures on all of it, taken as one device */
	struct vk_readings *readings;
	enum vk_status status;           /* of whatever failed; detectors stop then */
	struct vk_error *err;
};

/* Adds a copy of the reading. False when memory ran out: status says so. */
VK_MUST_USE bool vk_survey_add(struct vk_survey *survey, const struct vk_reading *reading);

/*
 * A displaced copy, or beginning and end of a disk, with everything in its place as far as the reading tells. NULL when
 * memory ran out. io is borrowed.
 */
struct vk_io *vk_reading_put_right(struct vk_io *io, const struct vk_reading *reading);

/* A part of a file or device as a device of its own, for reading. */
struct vk_loop {
	const char *device;    /* as a shell takes it */
	uint64_t at_bytes;
	uint64_t length_bytes; /* 0: to its end */
	uint32_t sector_size;  /* 0: as it is */
};
void vk_put_losetup(struct vk_command *line, const struct vk_loop *loop);
/*
 * io begins at options->view.at_bytes of what the path names, and is cut to the length that a carrier or member gives
 * what begins there. ret_place: that reading, or a loop device over the place; only at_bytes, length_bytes, attach and
 * device of it count. Errors: VK_IO, VK_NOMEM.
 */
VK_MUST_USE enum vk_status vk_source_place(struct vk_io *io, const char *path,
					   const struct vk_source_options *options, struct vk_reading *ret_place,
					   struct vk_error *err);

/* Detectors, a file each. */
void vk_look_at_carriers(struct vk_survey *survey);
void vk_look_at_stride(struct vk_survey *survey);
void vk_look_at_shift(struct vk_survey *survey);
void vk_look_at_units(struct vk_survey *survey);
void vk_look_at_text(struct vk_survey *survey);
void vk_look_at_others(struct vk_survey *survey);

/*
 * How much of the whole is here: of a file only told, of a device a loss. The findings about the table are `count` from
 * `first` on; they become those of a part of a disk.
 */
VK_MUST_USE enum vk_status vk_source_say_part(struct vk_source *source, size_t first, size_t count,
					      struct vk_error *err);

#endif
