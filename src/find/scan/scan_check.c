/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a state that was kept is of the bytes that are there now: its sampled blocks and its votes are read again. */
#include <string.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "find/scan/scan_resume.h"
#include "vmfskit/gpt.h"
#include "vmfskit/heartbeat.h"

enum { SECTOR = 512, STRONG_BLOCKS = 8 };

/* What was looked at again. A block that cannot be read now says nothing. */
struct look {
	struct vk_io *io;
	size_t same, other;
};

static bool read_block(struct vk_io *io, uint64_t offset, uint8_t block[SECTOR])
{
	return vk_io_read_all(io, offset, block, SECTOR, NULL) == VK_OK;
}

/*
 * One block of each vote that still says that it lies there is enough, the last or the first: a file that was deleted
 * since may have taken one along.
 */
static bool keep_vote(void *ctx, const struct vk_place_tally *tally)
{
	struct look *look = ctx;
	const struct vk_vote *v = &tally->vote;
	const uint64_t places[] = {v->last_bytes, v->first_bytes};
	bool there = false;

	for (size_t i = 0; i < 2 && !there; i++) {
		uint8_t block[SECTOR];
		bool read = read_block(look->io, places[i], block);
		uint32_t magic = read ? vk_get_le32(block) : 0;

		there = !read || ((magic == VK_HB_FREE || magic == VK_HB_IN_USE || magic >> 8 == 0x10C000) &&
				  vk_get_le64(block + 4) == places[i] - (uint64_t)v->volume_start_bytes);
	}
	if (v->blocks >= STRONG_BLOCKS) {
		look->same += there;
		look->other += !there;
	}
	return there;
}

enum vk_status vk_scan_state_check(struct vk_io *io, const char *path, struct vk_scan_state *state,
				   struct vk_error *err)
{
	struct look look = {.io = io};
	uint8_t block[SECTOR];

	for (size_t i = 0; i < state->sample_count; i++) {
		const struct vk_scan_sample *s = &state->samples[i];

		if (!read_block(io, s->offset_bytes, block))
			continue;
		look.same += vk_crc32(0, block, SECTOR) == s->crc;
		look.other += vk_crc32(0, block, SECTOR) != s->crc;
	}
	vk_tallies_keep(&state->tallies, keep_vote, &look);
	/* a datastore in use changes here and there */
	if (look.other <= look.same)
		return VK_OK;
	vk_error_set(
		err, VK_USAGE, path,
		"the state in this file is that of a scan of another disk, or this one was written over: %zu of %zu "
		"blocks that it noted are others now",
		look.other, look.other + look.same);
	return vk_error_remedy(err, "%s", VK_SCAN_ANEW);
}

uint64_t vk_scan_sample_stride(uint64_t length_bytes)
{
	return vk_round_up_sat(length_bytes / VK_SCAN_SAMPLES_MAX + 1, SECTOR);
}

void vk_scan_state_sample(struct vk_scan_state *state, const uint8_t *bytes, size_t len, uint64_t offset)
{
	size_t at = (SECTOR - (size_t)(offset % SECTOR)) % SECTOR;

	if (offset + at < state->next_sample)
		at = (size_t)vk_min_u64(state->next_sample - offset, len);
	for (; state->sample_count < VK_SCAN_SAMPLES_MAX && at < len && len - at >= SECTOR; at += SECTOR) {
		if (offset + at < state->next_sample || vk_all_zero(bytes + at, SECTOR))
			continue;
		state->samples[state->sample_count++] = (struct vk_scan_sample){offset + at,
										vk_crc32(0, bytes + at, SECTOR)};
		state->next_sample = vk_add_sat(offset + at, state->sample_stride);
	}
}
