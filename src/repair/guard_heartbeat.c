/* SPDX-License-Identifier: Apache-2.0 */
/* Guard heartbeat: a slot that changes between two reads belongs to a host that uses the volume right now. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "repair/guards.h"

enum { WAIT_MS = 8000, REGION_MAX_BYTES = 16 << 20, REGIONS_MAX = 64 };

struct region {
	uint64_t offset;
	size_t length;
	size_t held; /* could be read */
	uint32_t slot_bytes;
	uint8_t *first;
	bool in_use;
};
struct regions {
	struct region items[REGIONS_MAX];
	size_t count;
};

static void add(struct regions *regions, uint64_t offset, uint64_t length, uint32_t slot_bytes)
{
	if (offset == 0 || length == 0 || length > REGION_MAX_BYTES || slot_bytes < 512 ||
	    length % slot_bytes != 0 || regions->count == REGIONS_MAX)
		return;
	for (size_t i = 0; i < regions->count; i++)
		if (regions->items[i].offset == offset)
			return;
	regions->items[regions->count++] = (struct region){
		.offset = offset, .length = (size_t)length, .slot_bytes = slot_bytes};
}

/* Where the capture knows heartbeats, and where the target's own volumes have them. */
static void collect(const struct vk_restore *restore, struct regions *regions)
{
	for (size_t i = 0; i < restore->place_count; i++) {
		const struct vk_identity *identity = restore->places[i].identity;

		add(regions, identity->heartbeat_offset_bytes, identity->heartbeat_length_bytes,
		    identity->heartbeat_slot_bytes);
	}
	for (size_t i = 0; i < restore->before.vmfs_count; i++) {
		const struct vk_vmfs *vmfs = &restore->before.vmfs[i];
		const struct vk_fs_geometry *geometry = &vmfs->heartbeats.geometry;

		if (vmfs->fs_usable)
			add(regions,
			    vk_add_sat(vk_mul_sat(vmfs->start_sector, restore->target.sector_size),
				       vmfs->heartbeats.offset_bytes),
			    vk_mul_sat(geometry->heartbeat_slots, geometry->heartbeat_slot_bytes),
			    geometry->heartbeat_slot_bytes);
	}
}

/* What cannot be read cannot tick; the unreadable guard speaks of it. */
static enum vk_status read_region(struct vk_restore *restore, struct region *region, uint8_t *buf,
				  struct vk_error *err)
{
	size_t got = 0;
	enum vk_status status =
		vk_io_read(restore->io, region->offset, buf, region->length, &got, err);

	if (status == VK_OK) {
		memset(buf + got, 0, region->length - got);
		region->held = got;
	}
	return status;
}

/* A free slot has its marker, too: a region without any is not the one that hosts beat in. */
static void remark_on(struct vk_restore *restore, const struct region *region)
{
	bool any = false;

	for (size_t at = 0; at < region->length && !any; at += region->slot_bytes) {
		uint32_t state = vk_get_le32(region->first + at);

		any = state == VK_HB_IN_USE || state == VK_HB_FREE;
	}
	if (region->held < region->length)
		vk_restore_add_remark(restore,
				      "heartbeats cannot be judged: the region at byte %" PRIu64
				      " of the target could not be read whole",
				      region->offset);
	else if (!any)
		vk_restore_add_remark(restore,
				      "heartbeats cannot be judged: there are none at byte %" PRIu64
				      " of the target, where they are expected",
				      region->offset);
}

static bool any_in_use(const struct region *region)
{
	for (size_t at = 0; at < region->length; at += region->slot_bytes)
		if (vk_get_le32(region->first + at) == VK_HB_IN_USE)
			return true;
	return false;
}

static enum vk_status object_to(struct vk_restore *restore, const struct region *region,
				const struct vk_heartbeat_change *change, struct vk_error *err)
{
	const struct vk_heartbeat *hb = &change->after;
	char owner[VK_VMFS_UUID_TEXT_BYTES], ip[200];
	struct vk_text text;

	vk_vmfs_uuid_format(&hb->owner, owner);
	vk_text_init(&text, ip, sizeof(ip));
	vk_text_label(&text, hb->ip, sizeof(hb->ip));
	return vk_guard_object(restore, VK_GUARD_HEARTBEAT, err,
			       "Heartbeat slot %" PRIu32 " (byte %" PRIu64
			       ") changed between two reads: host %s%s%s is using the volume",
			       change->slot,
			       region->offset + (uint64_t)change->slot * region->slot_bytes, owner,
			       ip[0] == '\0' ? "" : " at ", ip);
}

static enum vk_status compare(struct vk_restore *restore, struct region *region,
			      struct vk_error *err)
{
	struct vk_heartbeat_change change;
	uint8_t *second = malloc(region->length);
	enum vk_status status;

	if (second == NULL)
		return vk_error_set(err, VK_NOMEM, NULL, "Out of memory");
	status = read_region(restore, region, second, err);
	if (status == VK_OK && vk_heartbeats_ticked(region->first, second, region->length,
						    region->slot_bytes, &change))
		status = object_to(restore, region, &change, err);
	free(second);
	return status;
}

static void wait_ms(unsigned ms)
{
	struct timespec left = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};

	while (nanosleep(&left, &left) != 0)
		;
}

enum vk_status vk_guard_ask_heartbeat(struct vk_restore *restore, struct vk_error *err)
{
	struct regions regions = {0};
	enum vk_status status = VK_OK;
	bool in_use = false;

	if (vk_overlay_dirty_bytes(restore->overlay) == 0)
		return VK_OK;
	collect(restore, &regions);
	for (size_t i = 0; status == VK_OK && i < regions.count; i++) {
		struct region *region = &regions.items[i];

		region->first = malloc(region->length);
		if (region->first == NULL)
			status = vk_error_set(err, VK_NOMEM, NULL, "Out of memory");
		else
			status = read_region(restore, region, region->first, err);
		region->in_use = status == VK_OK && any_in_use(region);
		if (status == VK_OK)
			remark_on(restore, region);
		in_use = in_use || region->in_use;
	}
	if (status == VK_OK && in_use)
		wait_ms(restore->options.heartbeat_wait_ms != 0 ? restore->options.heartbeat_wait_ms
								: WAIT_MS);
	for (size_t i = 0; i < regions.count; i++) {
		if (status == VK_OK && regions.items[i].in_use)
			status = compare(restore, &regions.items[i], err);
		free(regions.items[i].first);
	}
	return status;
}
