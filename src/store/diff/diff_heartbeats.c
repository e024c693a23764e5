/* SPDX-License-Identifier: Apache-2.0 */
/* Compares heartbeat regions: which hosts came and left, how many slots changed, whether slots were damaged. */
#include <stdio.h>
#include <string.h>

#include "base/checked.h"
#include "store/diff/diff_parts.h"

enum { PIECE_BYTES = 64 << 10, HOSTS_MAX = 64 };

/* Hosts of slots that changed; more than are kept are only counted. */
struct hosts {
	struct vk_heartbeat items[HOSTS_MAX];
	size_t count;
};

struct region {
	struct vk_differ *d;
	unsigned partition;
	const uint64_t *at;
	uint32_t slot_bytes;
	uint64_t changed;
	uint64_t damaged[VK_SIDES];
	uint64_t damage_changed; /* slots that are damaged on one side only, or in another way */
	struct hosts hosts[VK_SIDES];
};

static void keep_host(struct hosts *hosts, const struct vk_heartbeat *hb)
{
	if (hb->state != VK_HB_IN_USE)
		return;
	if (hosts->count < HOSTS_MAX)
		hosts->items[hosts->count] = *hb;
	hosts->count++;
}

static void compare_slot(struct region *r, const uint8_t *raw[VK_SIDES], uint64_t in_region,
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
	for (int side = 0; side < VK_SIDES; side++)
		keep_host(&r->hosts[side], &hb[side]);
}

static bool knows(const struct hosts *hosts, const struct vk_vmfs_uuid *owner)
{
	for (size_t i = 0; i < vk_min_u64(hosts->count, HOSTS_MAX); i++)
		if (vk_vmfs_uuid_equal(&hosts->items[i].owner, owner))
			return true;
	return false;
}

/* Hosts that only this side has. */
static void tell_hosts(const struct region *r, int side)
{
	const struct vk_diff_topic topic = {.partition = r->partition,
					    .subject = "heartbeats",
					    .field = "host",
					    .is_volatile = true};
	const struct hosts *hosts = &r->hosts[side];

	for (size_t i = 0; i < vk_min_u64(hosts->count, HOSTS_MAX); i++) {
		const struct vk_heartbeat *hb = &hosts->items[i];
		char uuid[VK_VMFS_UUID_TEXT_BYTES], name[200];
		struct vk_text text;

		if (knows(&r->hosts[!side], &hb->owner))
			continue;
		vk_vmfs_uuid_format(&hb->owner, uuid);
		vk_text_init(&text, name, sizeof(name));
		vk_text_put(&text, uuid);
		if (hb->ip[0] != 0) {
			vk_text_put(&text, " (");
			vk_text_label(&text, hb->ip, sizeof(hb->ip));
			vk_text_put(&text, ")");
		}
		vk_diff_say_so(r->d, &topic, side == VK_BEFORE ? name : "none",
			       side == VK_BEFORE ? "none" : name, "host %s %s", name,
			       side == VK_BEFORE ? "left" : "appeared");
	}
}

static void tell(const struct region *r)
{
	struct vk_diff_topic topic = {.partition = r->partition, .subject = "heartbeats"};

	if (r->damage_changed > 0) {
		topic.field = "damaged slots";
		vk_diff_say_number(r->d, &topic, r->damaged[VK_BEFORE], r->damaged[VK_AFTER]);
	}
	topic.is_volatile = true;
	topic.field = "slots";
	tell_hosts(r, VK_BEFORE);
	tell_hosts(r, VK_AFTER);
	if (r->changed > 0)
		vk_diff_say_so(r->d, &topic, "", "", "%llu slot%s changed", (unsigned long long)r->changed,
			       r->changed == 1 ? "" : "s");
}

void vk_diff_heartbeats(struct vk_differ *d, unsigned partition, const uint64_t at[VK_SIDES],
			const struct vk_fs_geometry *geometry)
{
	struct region r = {.d = d, .partition = partition, .at = at,
			   .slot_bytes = geometry->heartbeat_slot_bytes};
	uint64_t length = (uint64_t)geometry->heartbeat_slots * r.slot_bytes;
	uint8_t pieces[VK_SIDES][PIECE_BYTES];

	vk_diff_claim_both(d, VK_CLAIM_VOLATILE, at, 0, length);
	if (r.slot_bytes > PIECE_BYTES || PIECE_BYTES % r.slot_bytes != 0)
		return;
	for (uint64_t from = 0; from < length && d->status == VK_OK; from += PIECE_BYTES) {
		size_t want = (size_t)vk_min_u64(PIECE_BYTES, length - from);
		size_t got = want;

		for (int side = 0; side < VK_SIDES; side++)
			got = (size_t)vk_min_u64(got, vk_diff_read(d, side, vk_add_sat(at[side], from),
								   pieces[side], want));
		for (size_t k = 0; k + r.slot_bytes <= got; k += r.slot_bytes) {
			const uint8_t *raw[VK_SIDES] = {pieces[VK_BEFORE] + k, pieces[VK_AFTER] + k};

			compare_slot(&r, raw, from + k, geometry->heartbeat_offset + from + k);
		}
	}
	tell(&r);
}
