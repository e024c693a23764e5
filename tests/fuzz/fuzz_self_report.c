/* SPDX-License-Identifier: Apache-2.0 */
/* What a volume says of itself: 4 bytes of place (in units of 512), then pieces of a partition. */
#include "fuzz_pieces.h"
#include "evidence/self/report.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct vk_self_report r;
	const struct vk_self_fact *block = &r.facts[VK_SELF_FILE_BLOCK_SIZE];
	struct fuzz_input in = {data, size};
	uint64_t start = fuzz_take(&in, 4) * 512;
	struct vk_error err = {0};
	struct vk_io *io = fuzz_pieces(&in, 512);

	if (io == NULL)
		return 0;
	FUZZ_ASSERT(vk_self_report_at(io, start, vk_io_size_bytes(io), &r, &err) == VK_OK);
	for (unsigned i = 0; i < VK_SELF_COUNT; i++) {
		FUZZ_ASSERT(memchr(r.facts[i].from, 0, sizeof(r.facts[i].from)) != NULL);
		FUZZ_ASSERT(r.facts[i].sure == VK_SELF_UNKNOWN || r.facts[i].from[0] != '\0');
		FUZZ_ASSERT(r.facts[i].sure != VK_SELF_UNKNOWN || r.facts[i].value == 0);
	}
	fuzz_text(r.size_from, sizeof(r.size_from));
	fuzz_text(r.votes_from, sizeof(r.votes_from));
	FUZZ_ASSERT(block->sure == VK_SELF_UNKNOWN || (block->value >= 1 << 20 && block->value <= 8 << 20));
	FUZZ_ASSERT(r.heartbeats.placed <= 2048);
	FUZZ_ASSERT(r.logical_bytes == 0 || r.logical_bytes % block->value == 0);
	vk_io_close(io);
	return 0;
}
