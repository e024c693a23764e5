/* SPDX-License-Identifier: Apache-2.0 */
/* Chooses what to put back: the named parts, or the table and whatever the decoders call damaged. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/bytes.h"
#include "base/checked.h"
#include "repair/plan/restore_state.h"

static const enum vk_part all_parts[] = {VK_PART_TABLE, VK_PART_LVM, VK_PART_VH,
					 VK_PART_HEARTBEATS};
enum { PART_KINDS = sizeof(all_parts) / sizeof(all_parts[0]) };

static unsigned held_parts(const struct vk_capture *capture)
{
	unsigned held = 0;

	for (size_t i = 0; i < capture->region_count; i++)
		held |= (unsigned)capture->regions[i].part;
	return held;
}

static bool is_chosen(const struct vk_restore *restore, enum vk_part part, unsigned partition)
{
	for (size_t i = 0; i < restore->choice_count; i++)
		if (restore->choices[i].part == part && restore->choices[i].partition == partition)
			return true;
	return false;
}

/* Every region of the part and the partition is chosen. */
static enum vk_status choose(struct vk_restore *restore, enum vk_part part, unsigned partition,
			     const char *why, struct vk_error *err)
{
	struct vk_restore_choice choice = {.part = part, .partition = partition};

	if (is_chosen(restore, part, partition))
		return VK_OK;
	snprintf(choice.why, sizeof(choice.why), "%s", why);
	if (vk_append(&restore->choices, &restore->choice_count, &choice, sizeof(choice)) == NULL)
		return vk_no_memory(err, NULL);
	restore->parts |= (unsigned)part;
	for (size_t i = 0; i < restore->capture->region_count; i++) {
		const struct vk_region *region = &restore->capture->regions[i];

		if (region->part == part && region->partition == partition)
			restore->chosen[i] = true;
	}
	return VK_OK;
}

/* Findings whose advice is to put the part back. */
static bool calls_for_restore(const struct vk_finding *finding)
{
	switch (finding->code) {
	case VK_F_LVM_PE_BITMAP:
	case VK_F_LVM_PE_TABLE:
	case VK_F_LVM_PE_GAP:
		return true;
	default:
		return vk_finding_kind(finding->code)->severity == VK_ERROR;
	}
}

/* What was already so when it was captured is not mended by a restore. */
static bool was_captured(const struct vk_restore *restore, enum vk_finding_code code, uint64_t at)
{
	return restore->captured != NULL && vk_findings_have(&restore->captured->findings, code, at);
}

static bool finding_in(const struct vk_restore *restore, const struct vk_captured_place *place,
		       const struct vk_region *region, char *why, size_t cap)
{
	for (size_t i = 0; i < place->findings.count; i++) {
		const struct vk_finding *finding = &place->findings.items[i];
		uint64_t at = vk_add_sat(place->start_bytes, finding->offset_bytes);

		if (!calls_for_restore(finding) ||
		    !vk_ranges_meet(region->offset_bytes, region->length_bytes, at,
				    vk_max_u64(finding->length_bytes, 1)) ||
		    was_captured(restore, finding->code, at))
			continue;
		snprintf(why, cap, "%s at byte %llu: %.120s", vk_finding_kind(finding->code)->code,
			 (unsigned long long)at, finding->message);
		return true;
	}
	return false;
}

enum { ZERO_LOOK_BYTES = 64 * 1024 };

/* Whether the bytes are there and are (all: in the first 64 KiB) zero. */
static bool reads_as_zero(struct vk_io *io, uint64_t offset, uint64_t length, bool *ret_zero)
{
	uint8_t *bytes;
	size_t want = (size_t)vk_min_u64(length, ZERO_LOOK_BYTES), got = 0;
	struct vk_error ignored;
	bool held;

	bytes = malloc(want);
	held = bytes != NULL && vk_io_read(io, offset, bytes, want, &got, &ignored) == VK_OK &&
	       got == want;
	*ret_zero = held && vk_all_zero(bytes, want);
	free(bytes);
	return held;
}

/* A structure that held something when it was captured and now is nothing but zeros. */
static bool zeroed_in(const struct vk_restore *restore, const struct vk_region *region, char *why,
		      size_t cap)
{
	for (size_t i = 0; i < restore->structures.count; i++) {
		const struct vk_structure *item = &restore->structures.items[i];
		bool zero;

		if (!vk_ranges_meet(region->offset_bytes, region->length_bytes, item->start,
				    item->end - item->start) ||
		    !reads_as_zero(restore->captured_io, item->start, item->end - item->start,
				   &zero) ||
		    zero)
			continue;
		if (!reads_as_zero(restore->io, item->start, item->end - item->start, &zero) ||
		    !zero)
			continue;
		snprintf(why, cap, "%s at byte %llu is nothing but zeros", item->name,
			 (unsigned long long)item->start);
		return true;
	}
	return false;
}

/* A reason to put a region back when no parts were named; NULL: none. */
static const char *reason_for(const struct vk_restore *restore, const struct vk_region *region, char *why, size_t cap)
{
	const struct vk_rebuilt *rebuilt = &restore->capture->rebuilt;

	if (restore->capture->is_undo)
		return "an undo puts back all that was changed";
	/* what was rebuilt is put back where it differs from what stood there (edits.c), and only there */
	for (size_t i = 0; restore->capture->is_rebuilt && i < rebuilt->range_count; i++)
		if (vk_ranges_meet(rebuilt->ranges[i].offset_bytes, rebuilt->ranges[i].length_bytes,
				   region->offset_bytes, region->length_bytes))
			return "what was rebuilt in it, and nothing else";
	if (restore->capture->is_rebuilt)
		return NULL;
	if (region->part == VK_PART_TABLE)
		return "always, unless parts are named";
	if (region->part != VK_PART_LVM && region->part != VK_PART_VH)
		return NULL;
	for (size_t p = 0; p < restore->place_count; p++)
		if (restore->places[p].identity->partition == region->partition &&
		    finding_in(restore, &restore->places[p], region, why, cap))
			return why;
	return zeroed_in(restore, region, why, cap) ? why : NULL;
}

static enum vk_status refuse_absent(const struct vk_restore *restore, unsigned absent,
				    struct vk_error *err)
{
	for (unsigned i = 0; i < PART_KINDS; i++) {
		if (((unsigned)all_parts[i] & absent) == 0)
			continue;
		vk_error_set(err, VK_USAGE, restore->capture->path,
			     "The capture holds no part \"%s\"", vk_part_name(all_parts[i]));
		return vk_error_remedy(err, "Leave it out of --part, or use another capture");
	}
	return vk_error_set(err, VK_USAGE, restore->capture->path, "There is no such part");
}

enum vk_status vk_restore_choose(struct vk_restore *restore, struct vk_error *err)
{
	const struct vk_capture *capture = restore->capture;
	unsigned held = held_parts(capture), named = restore->options.parts;
	enum vk_status status = VK_OK;

	restore->chosen = calloc(capture->region_count + 1, sizeof(*restore->chosen));
	if (restore->chosen == NULL)
		return vk_no_memory(err, NULL);
	if ((named & ~held) != 0)
		return refuse_absent(restore, named & ~held, err);
	for (size_t i = 0; status == VK_OK && i < capture->region_count; i++) {
		const struct vk_region *region = &capture->regions[i];
		char why[sizeof(restore->choices->why)];
		const char *reason = (named & (unsigned)region->part) != 0 ? "named" : NULL;

		if (named == 0)
			reason = reason_for(restore, region, why, sizeof(why));
		if (reason != NULL)
			status = choose(restore, region->part, region->partition, reason, err);
	}
	return status;
}
