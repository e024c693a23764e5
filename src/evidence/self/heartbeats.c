/* SPDX-License-Identifier: Apache-2.0 */
/* What the heartbeat region says of the volume: the size of its slots, and which driver used it last. */
#include <stdlib.h>

#include "base/memory.h"
#include "evidence/self/parts.h"

enum { SLOTS = 2048, SLOTS6 = 1024, SLOT6_BYTES = 4096 };

static bool newer(const struct vk_self_heartbeats *h, const struct vk_heartbeat *hb)
{
	if (hb->driveX != h->driver_major)
		return hb->driveX > h->driver_major;
	return hb->driveY > h->driver_minor;
}

static void count_slot(struct vk_self_heartbeats *h, const struct vk_heartbeat *hb, uint64_t volume_offset)
{
	if (hb->addr != volume_offset || (hb->state != VK_HB_FREE && hb->state != VK_HB_IN_USE))
		return;
	h->placed++;
	h->in_use += hb->state == VK_HB_IN_USE;
	if (hb->driveX == 0 || hb->driveX > 255 || (h->has_driver && !newer(h, hb)))
		return;
	h->has_driver = true;
	h->driver_major = hb->driveX;
	h->driver_minor = hb->driveY;
	h->driver_offset = volume_offset;
}

static void look_with(struct vk_self_look *look, uint32_t slot_bytes, uint32_t slots, uint8_t *piece,
		      struct vk_self_heartbeats *ret)
{
	enum { PIECE_BYTES = 65536 };
	uint32_t per_piece = PIECE_BYTES / slot_bytes;

	*ret = (struct vk_self_heartbeats){.slot_bytes = slot_bytes};
	for (uint32_t slot = 0; slot < slots; slot++) {
		uint32_t in_piece = slot % per_piece;
		uint64_t at = VK_HEARTBEATS_OFFSET + (uint64_t)slot * slot_bytes;
		struct vk_heartbeat hb;

		if (in_piece == 0 && !vk_self_get(look, at, piece, PIECE_BYTES)) {
			slot += per_piece - 1; /* an unreadable piece says nothing */
			continue;
		}
		ret->slots++;
		vk_heartbeat_decode(piece + (size_t)in_piece * slot_bytes, slot_bytes, &hb);
		count_slot(ret, &hb, at);
		if (hb.state == VK_HB_IN_USE && hb.addr == at)
			vk_self_add_host(look->report, &hb.owner, at);
	}
}

void vk_self_heartbeats_read(struct vk_self_look *look)
{
	struct vk_self_heartbeats small, large;
	uint8_t *piece = malloc(65536);

	if (piece == NULL) {
		look->status = vk_no_memory(look->err, NULL);
		return;
	}
	look_with(look, 512, SLOTS, piece, &small);
	look_with(look, SLOT6_BYTES, SLOTS6, piece, &large);
	free(piece);
	/* seen with the slots of the other kind, a region shows one slot in eight, or none behind its first MiB */
	large.otherwise = small.placed;
	small.otherwise = large.placed;
	look->report->heartbeats = large.placed > small.placed ? large : small;
}
