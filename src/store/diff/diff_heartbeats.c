/* SPDX-License-Identifier: Apache-2.0 */
/* Compares heartbeat regions: which hosts came and left, how many slots changed, whether slots were damaged. */
#include <string.h>

#include "base/checked.h"
#include "store/diff/differ.h"

enum { PIECE_BYTES = 64 << 10, HOSTS_MAX = 64 };

struct region {
	struct vk_differ *d;
	unsigned partition;
	const uint64_t *at;
	uint32_t slot_bytes;
	uint64_t changed;
	uint64_t hosts; /* told so far: of a region that is another one altogether some are enough */
	uint64_t damaged[VK_SIDES];
	uint64_t damage_changed; /* slots that are damaged on one side only, or in another way */
};

static void report_host(struct region *r, const struct vk_heartbeat *hb, bool left)
{
	const struct vk_diff_topic topic = {
		.partition = r->partition, .subject = "heartbeats", .field = "host", .is_volatile = true};
	char uuid[VK_VMFS_UUID_TEXT_BYTES], name[VK_DIFF_TEXT_BYTES];
	struct vk_text text;

	if (hb->state != VK_HB_IN_USE || r->hosts++ >= HOSTS_MAX)
		return;
	vk_vmfs_uuid_format(&hb->owner, uuid);
	vk_text_init(&text, name, sizeof(name));
	vk_text_put(&text, uuid);
	if (hb->ip[0] != 0) {
		vk_text_put(&text, " (");
		vk_text_label(&text, hb->ip, sizeof(hb->ip));
		vk_text_put(&text, ")");
	}
	vk_diff_report(r->d, &topic, left ? name : "none", left ? "none" : name, "host %s %s", name,
		       left ? "left" : "appeared");
}

static void compare_slot(struct region *r, const uint8_t *const raw[VK_SIDES], uint64_t in_region,
			 uint64_t volume_offset)
{
	struct vk_heartbeat hb[VK_SIDES];
	bool damaged[VK_SIDES];

	for (int side = 0; side < VK_SIDES; side++) {
		vk_heartbeat_decode(raw[side], r->slot_bytes, &hb[side]);
		damaged[side] = (hb[side].state != VK_HB_FREE && hb[side].state != VK_HB_IN_USE) ||
				hb[side].addr != volume_offset;
		r->damaged[side] += damaged[side];
	}
	if (memcmp(raw[VK_BEFORE], raw[VK_AFTER], r->slot_bytes) == 0)
		return;
	if (damaged[VK_BEFORE] || damaged[VK_AFTER]) {
		r->damage_changed++;
		vk_diff_claim_both(r->d, VK_CLAIM_TOLD, r->at, in_region, r->slot_bytes);
		return;
	}
	r->changed++;
	if (hb[VK_BEFORE].state == hb[VK_AFTER].state &&
	    vk_vmfs_uuid_equal(&hb[VK_BEFORE].owner, &hb[VK_AFTER].owner))
		return;
	report_host(r, &hb[VK_BEFORE], true);
	report_host(r, &hb[VK_AFTER], false);
}

void vk_diff_heartbeats(struct vk_differ *d, unsigned partition, const uint64_t at[VK_SIDES], uint64_t volume_offset,
			uint64_t length, uint32_t slot_bytes)
{
	struct region r = {.d = d, .partition = partition, .at = at, .slot_bytes = slot_bytes};
	struct vk_diff_topic topic = {.partition = partition, .subject = "heartbeats", .field = "damaged slots"};
	uint8_t pieces[VK_SIDES][PIECE_BYTES];

	vk_diff_claim_both(d, VK_CLAIM_VOLATILE, at, 0, length);
	if (slot_bytes < VK_HEARTBEAT_BYTES || slot_bytes > PIECE_BYTES || PIECE_BYTES % slot_bytes != 0)
		return;
	for (uint64_t from = 0; from < length && d->status == VK_OK; from += PIECE_BYTES) {
		size_t got = (size_t)vk_min_u64(PIECE_BYTES, length - from);

		for (int side = 0; side < VK_SIDES; side++)
			got = vk_diff_read(d, side, vk_add_sat(at[side], from), pieces[side], got);
		for (size_t k = 0; k + slot_bytes <= got; k += slot_bytes)
			compare_slot(&r, (const uint8_t *const[]){pieces[VK_BEFORE] + k, pieces[VK_AFTER] + k},
				     from + k, volume_offset + from + k);
	}
	if (r.damage_changed > 0)
		vk_diff_report_number(d, &topic, r.damaged[VK_BEFORE], r.damaged[VK_AFTER]);
	topic.is_volatile = true;
	topic.field = "slots";
	if (r.changed > 0)
		vk_diff_report(d, &topic, "", "", "%llu slot%s changed", (unsigned long long)r.changed,
			       r.changed == 1 ? "" : "s");
}
