/* SPDX-License-Identifier: Apache-2.0 */
/* Guard heartbeat: a slot that changes between two reads belongs to a host that uses the volume right now. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/memory.h"
#include "base/bytes.h"
#include "base/checked.h"
#include "repair/guard/guards.h"

enum { WAIT_MS = 8000, REGION_MAX_BYTES = 16 << 20, REGIONS_MAX = 64, ALL_MAX_BYTES = 256 << 20 };

struct region {
	uint64_t offset;
	size_t length;
	size_t held; /* could be read at the first look */
	uint32_t slot_bytes;
	uint8_t *first; /* as it was at the first look */
	bool in_use;
};
/* The first look, kept until the last write. */
struct vk_heartbeat_regions {
	struct region items[REGIONS_MAX];
	size_t count;
	size_t bytes;
	size_t left_out; /* for want of room, or because what tells of them makes no sense */
};

static void add(struct vk_heartbeat_regions *regions, uint64_t offset, uint64_t length, uint32_t slot_bytes)
{
	if (offset == 0 || length == 0)
		return;
	for (size_t i = 0; i < regions->count; i++)
		if (regions->items[i].offset == offset && regions->items[i].length == length &&
		    regions->items[i].slot_bytes == slot_bytes)
			return;
	if (length > REGION_MAX_BYTES || slot_bytes < 512 || length % slot_bytes != 0 ||
	    regions->count == REGIONS_MAX || regions->bytes + length > ALL_MAX_BYTES) {
		regions->left_out++;
		return;
	}
	regions->bytes += (size_t)length;
	regions->items[regions->count++] = (struct region){
		.offset = offset, .length = (size_t)length, .slot_bytes = slot_bytes};
}

/* Where the capture knows heartbeats, and where the target's own volumes have them. */
static void collect(const struct vk_restore *restore, struct vk_heartbeat_regions *regions)
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
static enum vk_status read_region(const struct vk_restore *restore, const struct region *region, uint8_t *buf,
				  size_t *ret_held, struct vk_error *err)
{
	enum vk_status status =
		vk_io_read(restore->io, region->offset, buf, region->length, ret_held, err);

	if (status == VK_OK)
		memset(buf + *ret_held, 0, region->length - *ret_held);
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

/* "Heartbeat slot 3 (byte 4711) WHAT: host ... at ... is using the volume" */
static void say_change(struct vk_text *out, const struct region *region, const struct vk_heartbeat_change *change,
		       const char *what)
{
	const struct vk_heartbeat *hb = &change->after;
	char owner[VK_VMFS_UUID_TEXT_BYTES], ip[200];
	struct vk_text text;

	vk_vmfs_uuid_format(&hb->owner, owner);
	vk_text_init(&text, ip, sizeof(ip));
	vk_text_label(&text, hb->ip, sizeof(hb->ip));
	vk_text_fmt(out, "Heartbeat slot %" PRIu32 " (byte %" PRIu64 ") %s: host %s%s%s is using the volume",
		    change->slot, region->offset + (uint64_t)change->slot * region->slot_bytes, what, owner,
		    ip[0] == '\0' ? "" : " at ", ip);
}

/* A slot that is not as it was at the first look, of what could be read both times. */
static enum vk_status compare(const struct vk_restore *restore, const struct region *region, bool *ret_ticked,
			      struct vk_heartbeat_change *ret_change, struct vk_error *err)
{
	uint8_t *second = malloc(region->length);
	size_t held = 0;
	enum vk_status status;

	if (second == NULL)
		return vk_no_memory(err, NULL);
	status = read_region(restore, region, second, &held, err);
	*ret_ticked = status == VK_OK &&
		      vk_heartbeats_ticked(region->first, second, (size_t)vk_min_u64(held, region->held),
					   region->slot_bytes, ret_change);
	free(second);
	return status;
}

/* The first region that ticked since the first look; NULL: none. in_use: only of those that some host seems to use. */
static enum vk_status find_ticked(const struct vk_restore *restore, bool in_use, const struct region **ret_region,
				  struct vk_heartbeat_change *ret_change, struct vk_error *err)
{
	const struct vk_heartbeat_regions *regions = restore->heartbeats;
	enum vk_status status = VK_OK;

	*ret_region = NULL;
	for (size_t i = 0; regions != NULL && status == VK_OK && i < regions->count && *ret_region == NULL; i++) {
		bool ticked = false;

		if (in_use && !regions->items[i].in_use)
			continue;
		status = compare(restore, &regions->items[i], &ticked, ret_change, err);
		if (ticked)
			*ret_region = &regions->items[i];
	}
	return status;
}

static void wait_ms(unsigned ms)
{
	struct timespec left = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};

	while (nanosleep(&left, &left) != 0)
		;
}

static enum vk_status first_look(struct vk_restore *restore, bool *ret_in_use, struct vk_error *err)
{
	struct vk_heartbeat_regions *regions = calloc(1, sizeof(*regions));
	enum vk_status status = VK_OK;

	if (regions == NULL)
		return vk_no_memory(err, NULL);
	vk_guard_heartbeat_forget(restore);
	restore->heartbeats = regions;
	collect(restore, regions);
	for (size_t i = 0; status == VK_OK && i < regions->count; i++) {
		struct region *region = &regions->items[i];

		region->first = malloc(region->length);
		if (region->first == NULL)
			return vk_no_memory(err, NULL);
		status = read_region(restore, region, region->first, &region->held, err);
		if (status != VK_OK)
			return status;
		region->in_use = any_in_use(region);
		*ret_in_use = *ret_in_use || region->in_use;
		remark_on(restore, region);
	}
	if (regions->left_out > 0)
		vk_restore_add_remark(restore,
				      "heartbeats cannot be judged in %zu more places, beyond %d of them or of a size "
				      "that makes no sense: a host that uses one of those volumes would not be noticed",
				      regions->left_out, REGIONS_MAX);
	return status;
}

enum vk_status vk_guard_ask_heartbeat(struct vk_restore *restore, struct vk_error *err)
{
	struct vk_heartbeat_change change;
	const struct region *region;
	bool in_use = false;
	enum vk_status status;
	char message[400];
	struct vk_text text;

	if (vk_overlay_dirty_bytes(restore->overlay) == 0)
		return VK_OK;
	status = first_look(restore, &in_use, err);
	if (status != VK_OK || !in_use)
		return status;
	wait_ms(restore->options.heartbeat_wait_ms != 0 ? restore->options.heartbeat_wait_ms : WAIT_MS);
	status = find_ticked(restore, true, &region, &change, err);
	if (status != VK_OK || region == NULL)
		return status;
	vk_text_init(&text, message, sizeof(message));
	say_change(&text, region, &change, "changed between two reads");
	return vk_guard_object(restore, VK_GUARD_HEARTBEAT, err, "%s", message);
}

/* Of every region, also of those that nobody used at the first look: a host may have mounted since. */
enum vk_status vk_guard_heartbeat_again(struct vk_restore *restore, struct vk_error *err)
{
	struct vk_heartbeat_change change;
	const struct region *region;
	char message[380];
	struct vk_text text;
	enum vk_status status;

	if (vk_guard_is_lifted(&restore->options, VK_GUARD_HEARTBEAT))
		return VK_OK;
	status = find_ticked(restore, false, &region, &change, err);
	if (status != VK_OK || region == NULL)
		return status;
	vk_text_init(&text, message, sizeof(message));
	say_change(&text, region, &change, "changed since the plan was made");
	vk_error_set(err, VK_REFUSED, restore->path, "Guard heartbeat: %s", message);
	return vk_error_remedy(err, "Nothing was written; unmount the datastore on every host, then repeat the "
				    "command");
}

/* What this run wrote into a region is no beat of a host. */
static void put_edits(const struct vk_restore *restore, struct region *region)
{
	const struct vk_edit *edits;
	size_t count = vk_overlay_edits(restore->overlay, &edits);

	for (size_t i = 0; i < count; i++) {
		uint64_t start = vk_max_u64(edits[i].offset_bytes, region->offset);
		uint64_t end = vk_min_u64(vk_add_sat(edits[i].offset_bytes, edits[i].length_bytes),
					  vk_add_sat(region->offset, region->length));

		if (start < end)
			memcpy(region->first + (start - region->offset),
			       edits[i].new_bytes + (start - edits[i].offset_bytes), (size_t)(end - start));
	}
}

void vk_guard_heartbeat_after(struct vk_restore *restore, struct vk_text *note)
{
	struct vk_heartbeat_change change;
	const struct region *region;
	struct vk_error ignored;

	for (size_t i = 0; restore->heartbeats != NULL && i < restore->heartbeats->count; i++)
		put_edits(restore, &restore->heartbeats->items[i]);
	if (find_ticked(restore, false, &region, &change, &ignored) != VK_OK || region == NULL)
		return;
	if (note->len_bytes > 0)
		vk_text_put(note, ". ");
	say_change(note, region, &change, "changed while the target was written");
	vk_text_put(note, ", and what it wrote may not fit what was written here: unmount the datastore on every "
			  "host, then decode the target");
}

void vk_guard_heartbeat_forget(struct vk_restore *restore)
{
	for (size_t i = 0; restore->heartbeats != NULL && i < restore->heartbeats->count; i++)
		free(restore->heartbeats->items[i].first);
	free(restore->heartbeats);
	restore->heartbeats = NULL;
}
