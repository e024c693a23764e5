/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Locate: each structure and the bytes it lies in. Listing, hexdump, capture, restore and undo walk this one
 * list, so that what is saved is what may be written.
 */
#ifndef VMFSKIT_PLACE_H
#define VMFSKIT_PLACE_H

#include "vmfskit/finding.h"
#include "vmfskit/io.h"
#include "vmfskit/layout.h"

__BEGIN_DECLS

/* The parts that can be captured and restored; bits. */
enum vk_part {
	VK_PART_TABLE = 1,
	VK_PART_LVM = 2,
	VK_PART_VH = 4,
	VK_PART_HEARTBEATS = 8,
	VK_PART_ALL = 15
};
const char *vk_part_name(enum vk_part part); /* "table", "lvm", "vh", "heartbeats" */

enum vk_presence { VK_PRESENCE_WHOLE, VK_PRESENCE_CUT, VK_PRESENCE_ABSENT, VK_PRESENCE_UNREADABLE };
const char *vk_presence_name(enum vk_presence presence); /* "whole", "cut", "absent", "unreadable" */

struct vk_place {
	char name[64];                  /* "LVM device header", "PE table 3" */
	const struct vk_layout *layout; /* of the one structure here; NULL: an array or raw bytes */
	const struct vk_layout *element;/* of the elements of an array; NULL otherwise */
	uint32_t stride_bytes;          /* distance of the elements; 0 when it is no array */
	enum vk_part part;
	uint64_t offset_bytes;          /* in the handle it was read from: disk, device or volume offset */
	uint64_t length_bytes;
	uint64_t held_bytes;            /* from its start, without a gap */
	enum vk_presence presence;
	bool damaged;                   /* an error was found in it */
};

/* Fill a place and find out how much of it the source holds. */
void vk_place_init(struct vk_place *place, struct vk_io *io, const char *name,
		   const struct vk_layout *layout, enum vk_part part, uint64_t offset_bytes,
		   uint64_t length_bytes);
/* The same question again: reading may have found bad sectors since. */
void vk_place_settle(struct vk_place *place, struct vk_io *io);
/* structure.absent, structure.cut or source.unreadable, when the place is not whole. */
void vk_place_check(const struct vk_place *place, const struct vk_finding_sink *sink);

__END_DECLS
#endif
