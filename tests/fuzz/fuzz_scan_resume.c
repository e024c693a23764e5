/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state of a scan, as somebody may have changed it: the text without its last line, which is made here so that the
 * checksum is no wall. What is taken must be what we would have written, and a scan must be able to go on from it.
 */
#include "find/scan/scan_resume.h"
#include "fuzz.h"
#include "vmfskit/heartbeat.h"

static const struct vk_scan_job job = {.identity = "d", .disk_bytes = 1 << 20, .sector_size = 512, .length_bytes = 1 << 20};

static void go_on(struct vk_scan_state *state)
{
	uint8_t sector[512] = {0};
	struct vk_vote *votes;
	size_t count;

	FUZZ_ASSERT(state->position <= job.length_bytes && state->scanned_bytes <= state->position);
	FUZZ_ASSERT(state->mark_count <= VK_MARKS_MAX && state->tallies.count <= VK_TALLIES_MAX);
	for (uint64_t at = state->position - state->position % 512; at < job.length_bytes; at += 512) {
		uint64_t addr = at % 4096 == 0 ? 512 : at + 512;

		for (size_t i = 0; i < 4; i++)
			sector[i] = (uint8_t)(VK_HB_FREE >> (8 * i));
		for (size_t i = 0; i < 8; i++)
			sector[4 + i] = (uint8_t)(addr >> (8 * i));
		FUZZ_ASSERT(vk_scan_state_search(state, sector, sizeof(sector), at));
	}
	FUZZ_ASSERT(vk_tallies_ranked(&state->tallies, &votes, &count));
	FUZZ_ASSERT(count <= VK_VOTES_MAX);
	for (size_t i = 0; i < count; i++)
		FUZZ_ASSERT(votes[i].blocks >= VK_VOTES_LEAST && (i == 0 || votes[i - 1].blocks >= votes[i].blocks));
	free(votes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + VK_SCAN_END_BYTES + 1);
	size_t len = size + VK_SCAN_END_BYTES;
	struct vk_scan_state state;
	struct vk_error err = {0};
	enum vk_status status;
	char *again;
	size_t again_len;

	FUZZ_ASSERT(text != NULL && vk_scan_state_init(&state, 0));
	if (size > 0)
		memcpy(text, data, size);
	vk_scan_text_end(text, size, text + size);
	status = vk_scan_text_read("fuzz", text, len, &job, &state, &err);
	FUZZ_ASSERT(status == VK_OK || status == VK_USAGE);
	FUZZ_ASSERT(err.status == status);
	if (status == VK_OK) {
		again = vk_scan_text(&job, &state, &again_len);
		FUZZ_ASSERT(again != NULL && again_len == len && memcmp(again, text, len) == 0);
		free(again);
		go_on(&state);
	}
	vk_scan_state_free(&state);
	free(text);
	return 0;
}
