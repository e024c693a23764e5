/* SPDX-License-Identifier: Apache-2.0 */
/* A GPT header without its signature: the published table of a VMFS5 disk. */
#include "disk_support.h"
#include "vmfskit/gpt.h"

enum { LAST = 20971519 };
static struct vk_findings list;
static uint8_t sector[512];

static void primary(void)
{
	sample_bytes("d5-mbr-gpt", 512, sector, sizeof(sector));
}

static bool check_header(uint64_t lba)
{
	const struct vk_finding_sink sink = vk_findings_sink(&list);

	return vk_gpt_header_check(sector, sizeof(sector), lba, LAST, &sink);
}

/* Whatever stands in the place of the signature, the checksum proves the rest; a bit of that more and it does not. */
static void signature_lost(void **state)
{
	static const char *const instead[] = {"\0\0\0\0\0\0\0", "EFI PARX", "efi part", "LABELONE", "\377\377EFI PA"};

	(void)state;
	primary();
	assert_true(vk_gpt_header_proved(sector, 512));
	assert_false(vk_gpt_signature_lost(sector, 512));
	for (size_t i = 0; i < sizeof(instead) / sizeof(instead[0]); i++) {
		primary();
		memcpy(sector, instead[i], VK_GPT_SIGNATURE_BYTES);
		assert_true(vk_gpt_signature_lost(sector, 512));
		assert_false(vk_gpt_header_proved(sector, 512));
		assert_true(check_header(1));
		assert_range(&list, 0, 512, VK_GPT_SIGNATURE_BYTES);
		assert_codes(&list, 1, "gpt.signature-lost");
		sector[0x40] ^= 1;
		assert_false(vk_gpt_signature_lost(sector, 512));
		assert_true(check_header(1));
		assert_codes(&list, 1, "gpt.header-crc");
	}
	memset(sector, 0, 512);
	assert_false(vk_gpt_signature_lost(sector, 512));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(signature_lost),
	};

	return cmocka_run_group_tests_name("gpt_signature", tests, NULL, NULL);
}
