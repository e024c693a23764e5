/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A copy-on-write overlay: edits are kept in memory above a source that is only read. Its dirty ranges are the
 * plan of every restore, undo and repair; the decoders run on it to prove the result before anything is written.
 */
#ifndef VMFSKIT_OVERLAY_H
#define VMFSKIT_OVERLAY_H

#include "vmfskit/io.h"

__BEGIN_DECLS

struct vk_overlay;

/* base is borrowed. NULL when memory ran out. */
struct vk_overlay *vk_overlay_new(struct vk_io *base);
void vk_overlay_free(struct vk_overlay *overlay);
/* The overlay as a source: base with the edits applied. Borrowed, lives as long as the overlay. */
struct vk_io *vk_overlay_io(struct vk_overlay *overlay);

/*
 * Put len bytes at offset, for a reason (static text, shown in the plan) and in a writing class (lower is
 * written earlier, a flush stands between classes). Sectors that already hold these bytes are left out; of one that
 * cannot be read nothing is known, so it becomes an edit, whatever is put. offset and len are multiples of the sector
 * size. Errors: VK_IO (base does not hold what is there), VK_USAGE (not whole sectors, or behind the end), VK_NOMEM.
 */
VK_MUST_USE enum vk_status vk_overlay_put(struct vk_overlay *overlay, uint64_t offset_bytes,
					  const void *bytes, size_t len, const char *reason,
					  unsigned write_class, struct vk_error *err);

/*
 * The same with any offset and len: the rest of the sectors around them stays as the overlay has it, and becomes zeros
 * where it cannot be read. ret_changed (may be NULL) says whether anything differed, or could not be read.
 */
VK_MUST_USE enum vk_status vk_overlay_lay(struct vk_overlay *overlay, uint64_t offset_bytes,
					  const void *bytes, size_t len, const char *reason,
					  unsigned write_class, bool *ret_changed,
					  struct vk_error *err);

/* One dirty range: neighbouring changed sectors with one reason. */
struct vk_edit {
	uint64_t offset_bytes;
	size_t length_bytes;
	const uint8_t *old_bytes;
	const uint8_t *new_bytes;
	const char *reason;
	unsigned write_class;
	bool old_unread; /* the device did not deliver what stands there: old_bytes are zeros and say nothing */
};
/* Sorted by offset. Valid until the next put. */
size_t vk_overlay_edits(const struct vk_overlay *overlay, const struct vk_edit **ret_edits);
uint64_t vk_overlay_dirty_bytes(const struct vk_overlay *overlay);

__END_DECLS
#endif
