/* SPDX-License-Identifier: Apache-2.0 */
/* Headers of earlier GPTs that a scan meets: which count, and that hostile numbers and many of them cost nothing. */
#include "find/scan/scan_state.h"
#include "io_helpers.h"
#include "base/bytes.h"
#include "vmfskit/gpt.h"

/* The header of a backup GPT that says that it stands in sector my_lba, sealed. */
static void make_gpt_header(uint8_t sector[512], uint64_t my_lba, uint32_t entries)
{
	static uint8_t array[128 * VK_GPT_ENTRY_BYTES];
	struct vk_gpt_header h = {.revision = 0x10000, .headerSize = VK_GPT_HEADER_BYTES, .myLBA = my_lba,
				  .alternateLBA = 1, .firstUsableLBA = 34, .lastUsableLBA = my_lba - 34,
				  .entriesLBA = my_lba - 33, .numEntries = 128, .entrySize = VK_GPT_ENTRY_BYTES};

	memcpy(h.signature, VK_GPT_SIGNATURE, VK_GPT_SIGNATURE_BYTES);
	memset(sector, 0, 512);
	assert_true(vk_gpt_header_encode(&h, sector, 512) > 0);
	assert_true(vk_gpt_seal(sector, 512, array));
	if (entries != 128) {
		/* numbers that cannot be, under a checksum that fits */
		vk_put_le32(sector + 0x50, entries);
		vk_put_le32(sector + 0x10, 0);
		vk_put_le32(sector + 0x10, vk_crc32(0, sector, VK_GPT_HEADER_BYTES));
	}
}

/* A header counts where its checksum fits and it names its own place, in either sector size; a few of them. */
static void gpt_headers_in_their_places(void **state)
{
	static const struct {
		uint64_t offset, my_lba;
		uint32_t entries;
		size_t len;
		bool spoilt, mark;
	} cases[] = {
		{100 * 512, 100, 128, 512, false, true},
		{100 * 4096, 100, 128, 512, false, true},
		{100 * 512, 101, 128, 512, false, false},
		{100 * 512, 100, 128, 512, true, false},
		{100 * 512, 100, 128, 511, false, false},
		{100 * 512, 100, UINT32_MAX, 512, false, false},
		{512, 1, 128, 512, false, false},
		{4096, 1, 128, 512, false, false},
		{0, 0, 128, 512, false, false},
		{0, 1ULL << 55, 128, 512, false, false}, /* times 512 it is 0 again */
		{512, (1ULL << 55) + 1, 128, 512, false, false},
	};
	uint8_t sector[512];
	struct vk_scan_state s;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_true(vk_scan_state_init(&s, 0));
		make_gpt_header(sector, cases[i].my_lba, cases[i].entries);
		sector[0x30] ^= cases[i].spoilt;
		assert_true(vk_scan_state_search(&s, sector, cases[i].len, cases[i].offset));
		if (s.mark_count != cases[i].mark || (cases[i].mark && s.marks[0].kind != VK_MARK_GPT))
			fail_msg("case %zu: %zu marks", i, s.mark_count);
		vk_scan_state_free(&s);
	}
	assert_true(vk_scan_state_init(&s, 0));
	for (uint64_t lba = 100; lba < 1000; lba++) {
		make_gpt_header(sector, lba, 128);
		assert_true(vk_scan_state_search(&s, sector, sizeof(sector), lba * 512));
	}
	assert_int_equal(s.mark_count, VK_MARKS_GPT_MAX);
	assert_int_equal(s.marks_left_out, 0);
	vk_scan_state_free(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gpt_headers_in_their_places),
	};

	return cmocka_run_group_tests_name("find: scan, GPT", tests, NULL, NULL);
}
