/* SPDX-License-Identifier: Apache-2.0 */
/* The heartbeat region: which hosts hold the volume, which did, and whether one is alive. */
#include <string.h>

#include "base/checked.h"
#include "vol/vmfs_parts.h"

enum { PIECE_BYTES = 64 * 1024 };

/* Neighbouring slots with the same fault are one finding: a wiped region is one fault, not thousands. */
struct fault {
	enum vk_finding_code code;
	uint32_t first_slot;
	uint32_t count;
	struct vk_finding finding; /* of the first */
};

static void flush_fault(struct vk_vmfs_reader *r, struct fault *fault)
{
	struct vk_heartbeats *h = &r->vmfs->heartbeats;
	struct vk_finding *f = &fault->finding;

	if (fault->count > 1) {
		struct vk_text text;

		f->length_bytes = (uint64_t)fault->count * h->geometry.heartbeat_slot_bytes;
		text = vk_text_in(f->message, sizeof(f->message));
		vk_text_fmt(&text, "heartbeat slots %u to %u %s", fault->first_slot,
			    fault->first_slot + fault->count - 1,
			    fault->code == VK_F_HEARTBEAT_STATE
				    ? "are neither free nor in use"
				    : "do not carry their own position");
	}
	if (fault->count > 0)
		vk_finding_put(&r->counting, f);
	fault->count = 0;
}

struct slot_context {
	struct vk_vmfs_reader *r;
	struct fault *fault;
	uint32_t slot;
	bool faulty;
};

static void take_finding(void *ctx, const struct vk_finding *finding)
{
	struct slot_context *c = ctx;

	if (finding->code == VK_F_HEARTBEAT_IN_USE) {
		flush_fault(c->r, c->fault);
		vk_finding_put(&c->r->counting, finding);
		return;
	}
	c->faulty = true;
	if (c->fault->count > 0 && c->fault->code == finding->code &&
	    c->fault->first_slot + c->fault->count == c->slot) {
		c->fault->count++;
		return;
	}
	flush_fault(c->r, c->fault);
	*c->fault = (struct fault){finding->code, c->slot, 1, *finding};
}

static void keep(struct vk_heartbeat_slot *kept, uint32_t *count, uint32_t slot,
		 uint64_t volume_offset, const struct vk_heartbeat *hb)
{
	if (*count < VK_HEARTBEATS_KEPT)
		kept[*count] = (struct vk_heartbeat_slot){slot, volume_offset, *hb};
	++*count;
}

static void take_slot(struct slot_context *c, const uint8_t *raw, uint64_t volume_offset,
		      uint64_t offset_bytes)
{
	const struct vk_finding_sink sink = {take_finding, c};
	struct vk_heartbeats *h = &c->r->vmfs->heartbeats;
	struct vk_heartbeat hb;
	size_t seen = vk_heartbeat_decode(raw, h->geometry.heartbeat_slot_bytes, &hb);

	c->faulty = false;
	vk_heartbeat_check(&hb, seen, volume_offset, offset_bytes, &sink);
	h->slots_seen++;
	h->damaged_count += c->faulty;
	if (hb.state == VK_HB_IN_USE)
		keep(h->in_use, &h->in_use_count, c->slot, volume_offset, &hb);
	else if (vk_heartbeat_has_history(&hb))
		keep(h->history, &h->history_count, c->slot, volume_offset, &hb);
}

void vk_heartbeats_read(struct vk_vmfs_reader *r, uint64_t volume_offset)
{
	struct vk_heartbeats *h = &r->vmfs->heartbeats;
	uint32_t slot_bytes = h->geometry.heartbeat_slot_bytes;
	uint32_t per_piece = PIECE_BYTES / slot_bytes;
	uint8_t piece[PIECE_BYTES];
	struct fault fault = {0};
	struct slot_context c = {.r = r, .fault = &fault};

	for (uint32_t first = 0; first < h->geometry.heartbeat_slots; first += per_piece) {
		uint32_t count = (uint32_t)vk_min_u64(per_piece, h->geometry.heartbeat_slots - first);
		uint64_t at = vk_add_sat(h->offset_bytes, (uint64_t)first * slot_bytes);
		size_t got = vk_vmfs_get(r, at, piece, (size_t)count * slot_bytes);

		for (uint32_t i = 0; i < got / slot_bytes; i++) {
			uint64_t in_region = (uint64_t)(first + i) * slot_bytes;

			c.slot = first + i;
			take_slot(&c, piece + (size_t)i * slot_bytes, volume_offset + in_region,
				  at + (uint64_t)i * slot_bytes);
		}
		if (got < (size_t)count * slot_bytes && r->status != VK_OK)
			break;
	}
	flush_fault(r, &fault);
}
