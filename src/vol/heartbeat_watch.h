/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Does a host use a volume right now? Heartbeat regions are read, and compared with what stands there later: a slot
 * whose state, owner, generation or stamp changed was written by a host. Whose the regions are, when they are looked
 * at again and what a change means is the caller's.
 */
#ifndef VK_VOL_HEARTBEAT_WATCH_H
#define VK_VOL_HEARTBEAT_WATCH_H

#include "vmfskit/vmfs.h"

enum { VK_HEARTBEAT_REGIONS_MAX = 64 };

struct vk_heartbeat_region {
	uint64_t offset_bytes; /* in the handle that is watched */
	size_t length_bytes;
	uint32_t slot_bytes;
	uint8_t *first;    /* as it was at the first look; what could not be read is zeros */
	size_t held_bytes; /* of that, from its beginning on, could be read */
	/* a slot had the marker of a free or of a used one: only such a region is one that hosts beat in */
	bool marked;
	bool in_use;       /* a slot was taken, by a host that is alive or that crashed */
	void *whose;       /* the caller's */
};
/* Start from zeros. The first look lasts until vk_heartbeat_watch_end. */
struct vk_heartbeat_watch {
	struct vk_heartbeat_region items[VK_HEARTBEAT_REGIONS_MAX];
	size_t count;
	size_t bytes;    /* of all regions */
	size_t left_out; /* for want of room, or because their size makes no sense: nobody watches these */
};
struct vk_heartbeat_change {
	uint32_t slot;
	struct vk_heartbeat after;
};

/* Nothing is read yet. A region that is there already is not added again, nor one without bytes. False: not added. */
bool vk_heartbeat_watch_add(struct vk_heartbeat_watch *watch, uint64_t offset_bytes, uint64_t length_bytes,
			    uint32_t slot_bytes);
/* The first look. Errors: VK_IO, VK_NOMEM; bytes that cannot be read are none. */
VK_MUST_USE enum vk_status vk_heartbeat_watch_begin(struct vk_heartbeat_watch *watch, struct vk_io *io,
						    struct vk_error *err);
void vk_heartbeat_watch_wait(unsigned ms);
/*
 * Of what could be read both times: whether a slot is not as it was, and the first one that is not. Errors: as
 * above.
 */
VK_MUST_USE enum vk_status vk_heartbeat_region_ticked(const struct vk_heartbeat_region *region, struct vk_io *io,
						      bool *ret_ticked, struct vk_heartbeat_change *ret_change,
						      struct vk_error *err);
void vk_heartbeat_watch_end(struct vk_heartbeat_watch *watch);

/* "host 45da20d4-... at 10.20.0.11 is using the volume", of the host that wrote the slot. */
void vk_heartbeat_change_text(const struct vk_heartbeat_change *change, struct vk_text *out);

#endif
