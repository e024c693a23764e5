/* SPDX-License-Identifier: Apache-2.0 */
/* Heartbeat regions read twice. */
#include "vol/heartbeat_watch.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "base/memory.h"

/* What a hostile disk or capture names is bounded, each region and all of them. */
enum { REGION_MAX_BYTES = 16 << 20, ALL_MAX_BYTES = 256 << 20 };

bool vk_heartbeat_watch_add(struct vk_heartbeat_watch *watch, uint64_t offset, uint64_t length, uint32_t slot_bytes)
{
	if (offset == 0 || length == 0)
		return false;
	for (size_t i = 0; i < watch->count; i++)
		if (watch->items[i].offset_bytes == offset && watch->items[i].length_bytes == length &&
		    watch->items[i].slot_bytes == slot_bytes)
			return false;
	if (length > REGION_MAX_BYTES || slot_bytes < 512 || length % slot_bytes != 0 ||
	    watch->count == VK_HEARTBEAT_REGIONS_MAX || watch->bytes + length > ALL_MAX_BYTES) {
		watch->left_out++;
		return false;
	}
	watch->bytes += (size_t)length;
	watch->items[watch->count++] = (struct vk_heartbeat_region){
		.offset_bytes = offset, .length_bytes = (size_t)length, .slot_bytes = slot_bytes};
	return true;
}

static enum vk_status read_region(const struct vk_heartbeat_region *region, struct vk_io *io, uint8_t *buf,
				  size_t *ret_held, struct vk_error *err)
{
	enum vk_status status = vk_io_read(io, region->offset_bytes, buf, region->length_bytes, ret_held, err);

	if (status == VK_OK)
		memset(buf + *ret_held, 0, region->length_bytes - *ret_held);
	return status;
}

enum vk_status vk_heartbeat_watch_begin(struct vk_heartbeat_watch *watch, struct vk_io *io, struct vk_error *err)
{
	for (size_t i = 0; i < watch->count; i++) {
		struct vk_heartbeat_region *region = &watch->items[i];
		enum vk_status status;

		region->first = malloc(region->length_bytes);
		if (region->first == NULL)
			return vk_no_memory(err, NULL);
		status = read_region(region, io, region->first, &region->held_bytes, err);
		if (status != VK_OK)
			return status;
		for (size_t at = 0; at < region->length_bytes; at += region->slot_bytes) {
			uint32_t state = vk_get_le32(region->first + at);

			region->in_use = region->in_use || state == VK_HB_IN_USE;
			region->marked = region->marked || state == VK_HB_IN_USE || state == VK_HB_FREE;
		}
	}
	return VK_OK;
}

void vk_heartbeat_watch_wait(unsigned ms)
{
	struct timespec left = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};

	while (nanosleep(&left, &left) != 0)
		;
}

static bool find_change(const struct vk_heartbeat_region *region, const uint8_t *second, size_t len,
			struct vk_heartbeat_change *ret_change)
{
	for (size_t at = 0; at + region->slot_bytes <= len; at += region->slot_bytes) {
		struct vk_heartbeat a, b;

		vk_heartbeat_decode(region->first + at, region->slot_bytes, &a);
		vk_heartbeat_decode(second + at, region->slot_bytes, &b);
		if (a.state == b.state && a.hbGen == b.hbGen && a.stamp == b.stamp &&
		    vk_vmfs_uuid_equal(&a.owner, &b.owner))
			continue;
		*ret_change = (struct vk_heartbeat_change){(uint32_t)(at / region->slot_bytes), b};
		return true;
	}
	return false;
}

enum vk_status vk_heartbeat_region_ticked(const struct vk_heartbeat_region *region, struct vk_io *io, bool *ret_ticked,
					  struct vk_heartbeat_change *ret_change, struct vk_error *err)
{
	uint8_t *second = malloc(region->length_bytes);
	size_t held = 0;
	enum vk_status status;

	if (second == NULL)
		return vk_no_memory(err, NULL);
	status = read_region(region, io, second, &held, err);
	*ret_ticked = status == VK_OK &&
		      find_change(region, second, (size_t)vk_min_u64(held, region->held_bytes), ret_change);
	free(second);
	return status;
}

void vk_heartbeat_watch_end(struct vk_heartbeat_watch *watch)
{
	for (size_t i = 0; i < watch->count; i++)
		free(watch->items[i].first);
	memset(watch, 0, sizeof(*watch));
}

void vk_heartbeat_change_text(const struct vk_heartbeat_change *change, struct vk_text *out)
{
	const struct vk_heartbeat *hb = &change->after;

	vk_text_fmt(out, "host %s%s", vk_vmfs_uuid_text(&hb->owner).text, hb->ip[0] == '\0' ? "" : " at ");
	vk_text_label(out, hb->ip, sizeof(hb->ip));
	vk_text_put(out, " is using the volume");
}
