/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What lies where on a disk: the ranges of partition table and VMFS headers with their names, so that a plan
 * speaks of structures and each is written in its turn.
 */
#ifndef VK_REPAIR_STRUCTURES_H
#define VK_REPAIR_STRUCTURES_H

#include "io/write_class.h"
#include "vmfskit/capture.h"


/* Bytes start .. end on the disk, whole sectors, and the structure that begins at byte `at` in them. */
struct vk_structure {
	uint64_t start;
	uint64_t end;
	uint64_t at;
	const char *name; /* lives as long as the source that was listed */
	const struct vk_layout *layout; /* NULL: no fields */
	unsigned write_class;
};

/* Sorted, none overlaps another. Free with vk_structures_free. */
struct vk_structures {
	struct vk_structure *items;
	size_t count;
};

/* List the structures of a decoded disk or partition. Errors: VK_NOMEM. */
VK_MUST_USE enum vk_status vk_structures_list(const struct vk_source *source,
					      struct vk_structures *ret_structures,
					      struct vk_error *err);
void vk_structures_free(struct vk_structures *structures);

/*
 * What lies at offset in a captured region, up to where something else begins or to end. A place that no
 * structure claims is named after the region.
 */
struct vk_structure vk_structures_at(const struct vk_structures *structures,
				     const struct vk_region *region, uint64_t offset, uint64_t end);

#endif
