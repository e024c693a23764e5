/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Chooses what to put back: the named parts, or the table and whatever the decoders call damaged; and tells what
 * differs and stays.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/bytes.h"
#include "base/checked.h"
#include "repair/plan/restore_state.h"

enum { ZERO_LOOK_BYTES = 64 * 1024, PIECE_BYTES = VK_RESTORE_PIECE_BYTES };

enum vk_status vk_restore_choose_part(struct vk_restore *restore, enum vk_part part, unsigned partition,
				      const char *why, struct vk_error *err)
{
	struct vk_restore_choice choice = {.part = part, .partition = partition};

	for (size_t i = 0; i < restore->choice_count; i++)
		if (restore->choices[i].part == part && restore->choices[i].partition == partition)
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

/* A finding whose advice is to put the region back, and that was not there when it was captured. */
static bool finding_in(const struct vk_restore *restore, const struct vk_captured_place *place,
		       const struct vk_region *region, char *why, size_t cap)
{
	for (size_t i = 0; i < place->findings.count; i++) {
		const struct vk_finding *finding = &place->findings.items[i];
		const struct vk_finding_kind *kind = vk_finding_kind(finding->code);
		uint64_t at = vk_add_sat(place->start_bytes, finding->offset_bytes);

		if ((finding->code != VK_F_LVM_PE_BITMAP && finding->code != VK_F_LVM_PE_TABLE &&
		     finding->code != VK_F_LVM_PE_GAP && kind->severity != VK_ERROR) ||
		    !vk_ranges_meet(region->offset_bytes, region->length_bytes, at,
				    vk_max_u64(finding->length_bytes, 1)) ||
		    (restore->captured != NULL && vk_findings_have(&restore->captured->findings, finding->code, at)))
			continue;
		snprintf(why, cap, "%s at byte %llu: %.120s", kind->code, (unsigned long long)at, finding->message);
		return true;
	}
	return false;
}

/* Whether the bytes are there and are (all: in the first 64 KiB) zero. */
static bool reads_as_zero(struct vk_io *io, uint64_t offset, uint64_t length, bool *ret_zero)
{
	uint8_t *bytes;
	size_t want = (size_t)vk_min_u64(length, ZERO_LOOK_BYTES);
	struct vk_error ignored;
	bool held;

	bytes = malloc(want);
	held = bytes != NULL && vk_io_read_all(io, offset, bytes, want, &ignored) == VK_OK;
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
		snprintf(why, cap, "%s at byte %llu is all zeros", item->name,
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
		return "an undo restores everything that was changed";
	/* what was rebuilt is put back where it differs from what stood there (edits.c), and only there */
	for (size_t i = 0; restore->capture->is_rebuilt && i < rebuilt->range_count; i++)
		if (vk_ranges_meet(rebuilt->ranges[i].offset_bytes, rebuilt->ranges[i].length_bytes,
				   region->offset_bytes, region->length_bytes))
			return "only what was rebuilt";
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

bool vk_restore_differs(const struct vk_restore *restore, const struct vk_range *range, uint8_t *buf)
{
	for (uint64_t done = 0; done < range->length_bytes;) {
		uint64_t at = range->offset_bytes + done;
		size_t want = (size_t)vk_min_u64(PIECE_BYTES, range->length_bytes - done);
		size_t is, was;

		if (vk_io_read(restore->io, at, buf, want, &is, NULL) != VK_OK ||
		    vk_io_read(restore->captured_io, at, buf + PIECE_BYTES, want, &was, NULL) != VK_OK ||
		    is < want || was < want)
			return false;
		if (memcmp(buf, buf + PIECE_BYTES, want) != 0)
			return true;
		done += want;
	}
	return false;
}

enum vk_status vk_restore_choose(struct vk_restore *restore, struct vk_error *err)
{
	const struct vk_capture *capture = restore->capture;
	unsigned named = restore->options.parts, absent = named;
	enum vk_status status = VK_OK;

	restore->chosen = calloc(capture->region_count + 1, sizeof(*restore->chosen));
	restore->gaps_only = calloc(capture->region_count + 1, sizeof(*restore->gaps_only));
	if (restore->chosen == NULL || restore->gaps_only == NULL)
		return vk_no_memory(err, NULL);
	for (size_t i = 0; i < capture->region_count; i++)
		absent &= ~(unsigned)capture->regions[i].part;
	if (absent != 0 && (absent & VK_PART_ALL) == 0)
		return vk_error_set(err, VK_USAGE, capture->path, "there is no such part");
	if (absent != 0) {
		/* the lowest bit: the first of them */
		vk_error_set(err, VK_USAGE, capture->path, "the capture holds no part \"%s\"",
			     vk_part_name((enum vk_part)(absent & -absent)));
		return vk_error_remedy(err, "leave it out of --part, or use another capture");
	}
	for (size_t i = 0; status == VK_OK && i < capture->region_count; i++) {
		const struct vk_region *region = &capture->regions[i];
		char why[sizeof(restore->choices->why)];
		const char *reason = (named & (unsigned)region->part) != 0 ? "named" : NULL;

		if (named == 0)
			reason = reason_for(restore, region, why, sizeof(why));
		if (reason != NULL)
			status = vk_restore_choose_part(restore, region->part, region->partition, reason, err);
	}
	return status;
}

/* A person who reads "nothing to change" must not take that for "nothing differs". */
void vk_restore_say_left_out(struct vk_restore *restore)
{
	const struct vk_capture *capture = restore->capture;
	uint8_t *buf = malloc(2 * (size_t)PIECE_BYTES);
	bool *different = calloc(capture->region_count + 1, sizeof(*different));
	char list[200];
	struct vk_text text = vk_text_in(list, sizeof(list));

	for (size_t i = 0; buf != NULL && different != NULL && i < capture->region_count; i++) {
		const struct vk_region *region = &capture->regions[i];
		const struct vk_range range = {region->offset_bytes, region->length_bytes};
		bool said = restore->chosen[i] || region->part == VK_PART_TABLE;

		for (size_t k = 0; k < i; k++)
			said = said || (different[k] && capture->regions[k].part == region->part &&
					capture->regions[k].partition == region->partition);
		different[i] = !said && vk_restore_differs(restore, &range, buf);
		if (!different[i])
			continue;
		vk_text_fmt(&text, "%s%s of partition %u", text.len_bytes > 0 ? ", " : "",
			    vk_part_name(region->part), region->partition);
	}
	if (text.len_bytes > 0)
		vk_restore_add_remark(restore,
				      "not restored, although it differs from the capture: %s; name it with --part "
				      "to restore it",
				      list);
	free(buf);
	free(different);
}
