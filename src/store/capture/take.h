/* SPDX-License-Identifier: Apache-2.0 */
/* The halves of taking a capture, between which a live volume is looked at again. */
#ifndef VK_STORE_TAKE_H
#define VK_STORE_TAKE_H

#include "store/capture/taking.h"

/* Begin the folder and copy every region that the plan names. */
VK_MUST_USE enum vk_status vk_take_copy(struct vk_taking *taking, const struct vk_source *source,
					const struct vk_capture_options *options,
					struct vk_error *err);
/* Prove what was saved, tell what was found (also earlier: findings may be NULL), and give it its name. */
VK_MUST_USE enum vk_status vk_take_finish(struct vk_taking *taking, const struct vk_source *source,
					  const struct vk_capture_options *options,
					  const struct vk_findings *earlier,
					  const struct vk_finding_sink *sink,
					  char ret_id[VK_CAPTURE_ID_BYTES], struct vk_error *err);

/*
 * Bytes of the source as they stand in the written files. False when no region holds all of them,
 * or the file cannot be read back. ret_file is the region's file, NULL when there is no region.
 */
bool vk_taking_read_back(const struct vk_taking *taking, uint64_t offset, void *buf, size_t len,
			 const char **ret_file);

/*
 * Read the structures that tell where everything lies once more and compare them with what was saved, and that with
 * what the plan was made from. capture.changing, in ret_changes, for each that moved.
 */
VK_MUST_USE enum vk_status vk_taking_moved(const struct vk_taking *taking,
					   const struct vk_source *source,
					   struct vk_findings *ret_changes, struct vk_error *err);

/* VK_IO when the store certainly has not the room for this capture. The regions are known, the folder is begun. */
VK_MUST_USE enum vk_status vk_taking_room(const struct vk_taking *taking, struct vk_error *err);

#endif
