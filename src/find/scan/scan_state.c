/* SPDX-License-Identifier: Apache-2.0 */
/* What a scan knows so far, and the search that adds to it. */
#include "find/scan/scan_state.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "base/memory.h"
#include "vmfskit/fs_descriptor.h"
#include "vmfskit/gpt.h"
#include "vmfskit/heartbeat.h"
#include "vmfskit/lvm.h"

enum { SECTOR = 512, LEAST_BYTES = 12 };
#define GPT_BEGIN 0x20494645U /* "EFI ", of "EFI PART" */

bool vk_scan_state_init(struct vk_scan_state *state, uint64_t position)
{
	memset(state, 0, sizeof(*state));
	state->position = position;
	return vk_tallies_init(&state->tallies);
}

void vk_scan_state_free(struct vk_scan_state *state)
{
	free(state->marks);
	vk_tallies_free(&state->tallies);
	vk_range_set_free(&state->unreadable);
	memset(state, 0, sizeof(*state));
}

bool vk_scan_state_mark(struct vk_scan_state *state, enum vk_mark_kind kind, uint64_t offset)
{
	if (kind == VK_MARK_GPT && state->gpt_marks == VK_MARKS_GPT_MAX)
		return true;
	if (state->mark_count == VK_MARKS_MAX) {
		state->marks_left_out++;
		return true;
	}
	state->gpt_marks += kind == VK_MARK_GPT;
	return vk_append(&state->marks, &state->mark_count, &(struct vk_mark){kind, offset}, sizeof(*state->marks)) !=
	       NULL;
}

bool vk_scan_state_unreadable(struct vk_scan_state *state, uint64_t offset, uint64_t length)
{
	struct vk_range_set *set = &state->unreadable;

	if (set->count == VK_SCAN_RANGES_MAX) {
		struct vk_range *last = &set->ranges[set->count - 1];

		last->length_bytes = offset + length - last->offset_bytes;
		return true;
	}
	return vk_range_set_add(set, offset, length);
}

/*
 * One field that is as it must be, besides the magic: so that one damaged field does not hide a header. Extended
 * metadata has the number of its PE maps, 1 to 8, where a header has its version.
 */
static bool is_structure(const uint8_t *block, size_t len, uint32_t least, uint32_t most, size_t block_size_at)
{
	uint32_t version = vk_get_le32(block + 4);

	return (version >= least && version <= most) ||
	       (len >= block_size_at + 4 && vk_lvm_block_size_sound(vk_get_le32(block + block_size_at)));
}

/*
 * Whether a GPT header proves that it was written for this place: a copy in a file, or on the disk of a virtual
 * machine, names another. Sector 1 is where the table that stands has its own.
 */
static bool is_gpt_in_place(const uint8_t *block, size_t len, uint64_t offset)
{
	struct vk_gpt_header h;

	if (len < SECTOR || !vk_gpt_header_proved(block, SECTOR))
		return false;
	vk_gpt_header_decode(block, len, &h);
	return h.myLBA > 1 && (vk_mul_sat(h.myLBA, 512) == offset || vk_mul_sat(h.myLBA, 4096) == offset);
}

/* A block of which at least LEAST_BYTES are there. */
static bool look_at(struct vk_scan_state *state, const uint8_t *block, size_t len, uint64_t offset)
{
	enum { HIGHEST_FS = 63 };
	uint32_t magic = vk_get_le32(block);
	struct vk_block_claim claim = {.offset_bytes = offset, .addr = vk_get_le64(block + 4),
				       .heartbeat = magic == VK_HB_FREE || magic == VK_HB_IN_USE,
				       .in_use = magic == VK_HB_IN_USE,
				       .lock = (magic & 0xff) <= 6 ? magic & 0xff : 0};

	switch (magic) {
	case VK_LVM_MAGIC:
		return !is_structure(block, len, 1, VK_LVM_MAPS_PER_REGION, 0x5A) ||
		       vk_scan_state_mark(state, VK_MARK_LVM, offset);
	case VK_FS_MAGIC_VMFS:
	case VK_FS_MAGIC_VMFSL:
	case VK_FS_MAGIC_VMFS6:
	case VK_FS_MAGIC_VMFS6L:
		return !is_structure(block, len, VK_FS_VMFS3, HIGHEST_FS, 0x9D) ||
		       vk_scan_state_mark(state, VK_MARK_FS, offset);
	case GPT_BEGIN:
		return !is_gpt_in_place(block, len, offset) || vk_scan_state_mark(state, VK_MARK_GPT, offset);
	default:
		/*
		 * Locks of journals and large blocks have numbers that no source names. Neither locks nor heartbeats
		 * lie at the very start of a volume.
		 */
		if ((claim.heartbeat || (magic >> 8 == 0x10C000 && (magic & 0xff) != 0)) && claim.addr != 0 &&
		    claim.addr % SECTOR == 0 && claim.addr <= VK_SCAN_ADDR_MAX)
			vk_tallies_count(&state->tallies, &claim);
		return true;
	}
}

static bool may_be_magic(uint32_t magic)
{
	uint32_t family = magic >> 8;

	return family == VK_LVM_MAGIC >> 8 || family == VK_FS_MAGIC_VMFS >> 8 || family == VK_HB_FREE >> 8 ||
	       family == 0x10C000 || magic == GPT_BEGIN;
}

bool vk_scan_state_search(struct vk_scan_state *state, const uint8_t *bytes, size_t len, uint64_t offset)
{
	size_t at = (SECTOR - (size_t)(offset % SECTOR)) % SECTOR;

	for (; at < len && len - at >= LEAST_BYTES; at += SECTOR) {
		if (__builtin_expect(may_be_magic(vk_get_le32(bytes + at)), 0) &&
		    !look_at(state, bytes + at, (size_t)vk_min_u64(len - at, SECTOR), offset + at))
			return false;
	}
	return true;
}
