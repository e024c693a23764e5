/* SPDX-License-Identifier: Apache-2.0 */
/* Hosts that are alive: their heartbeats tick. */
#include <stdlib.h>

#include "lab/lab_break.h"

#define TICK_US 3000000ULL /* hosts beat every three seconds */

static void beat_one(struct vk_lab_disk *disk, unsigned partition, const struct vk_lab_places *places, uint8_t *region,
		     vk_lab_beaten told, void *arg, size_t *count, struct vk_error *err)
{
	size_t len = (size_t)places->heartbeats.length_bytes;

	for (size_t at = 0; at + places->slot_bytes <= len; at += places->slot_bytes) {
		struct vk_heartbeat hb;

		vk_heartbeat_decode(region + at, places->slot_bytes, &hb);
		/* a member that is not the head has ordinary data here */
		if (hb.state != VK_HB_IN_USE || hb.addr != VK_HEARTBEATS_OFFSET + at)
			continue;
		hb.stamp += TICK_US;
		vk_heartbeat_encode(&hb, region + at, places->slot_bytes);
		if (vk_lab_put(disk, places->heartbeats.offset_bytes + at, region + at, places->slot_bytes,
			       err) != VK_OK)
			return;
		++*count;
		if (told != NULL)
			told(arg, partition, (uint32_t)(at / places->slot_bytes), &hb);
	}
}

enum vk_status vk_lab_beat(struct vk_lab_disk *disk, const struct vk_lab_choice *choice,
			   vk_lab_beaten told, void *arg, size_t *ret_count, struct vk_error *err)
{
	struct vk_lab_table t;
	enum vk_status status = vk_lab_choose(disk, choice, &t, err);

	*ret_count = 0;
	for (size_t i = 0; i < t.count && status == VK_OK; i++) {
		struct vk_lab_places places;
		uint8_t *region = NULL;
		size_t len;

		status = vk_lab_places_find(disk, &t.found[i], &places, err);
		if (status != VK_OK)
			break;
		len = (size_t)places.heartbeats.length_bytes;
		region = vk_lab_alloc(disk, len, err);
		status = disk->failed;
		if (region != NULL)
			status = vk_lab_get(disk, places.heartbeats.offset_bytes, region, len, err);
		if (status == VK_OK)
			beat_one(disk, t.found[i].number, &places, region, told, arg, ret_count, err);
		free(region);
		status = status == VK_OK ? disk->failed : status;
	}
	return status == VK_OK ? vk_lab_sync(disk, err) : status;
}
