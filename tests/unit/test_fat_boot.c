/* SPDX-License-Identifier: Apache-2.0 */
/* Boot sector of a FAT: a sound one of each length field, and each number that cannot be. */
#include "base/bytes.h"
#include "disk_support.h"
#include "vmfskit/fat_boot.h"

/* A boot bank of ESXi 7: 8386560 sectors, clusters of 64 KiB. */
static void sound(uint8_t b[512])
{
	memset(b, 0, 512);
	bytes_of("EB 3C 90 4D 53 44 4F 53 35 2E 30 00 02 80 01 00 02 00 02 00 00 F8 00 01 3F 00 FF 00 "
		 "00 30 03 00 00 F8 7F 00", b, 36);
	bytes_of("55 AA", b + 510, 2);
}

static bool usable(const uint8_t *b, size_t len, struct vk_fat_boot *ret_boot)
{
	size_t seen = vk_fat_boot_decode(b, len, ret_boot);

	return vk_fat_boot_usable(ret_boot, seen);
}

static void lengths(void **state)
{
	struct vk_fat_boot boot;
	uint8_t b[512];

	(void)state;
	sound(b);
	assert_true(usable(b, 512, &boot));
	assert_int_equal(vk_fat_boot_bytes(&boot), 8386560ULL * 512);
	assert_int_equal(boot.hiddenSectors, 208896);
	assert_false(usable(b, 511, &boot));
	/* short ones count in 16 bits */
	vk_put_le16(b + 0x13, 8128);
	vk_put_le16(b + 0x16, 32);
	b[0x0D] = 1;
	assert_true(usable(b, 512, &boot));
	assert_int_equal(vk_fat_boot_bytes(&boot), 8128 * 512);
	/* FAT32: no root folder of its own, the length of a FAT in 32 bits */
	sound(b);
	vk_put_le16(b + 0x11, 0);
	vk_put_le16(b + 0x16, 0);
	assert_false(usable(b, 512, &boot));
	vk_put_le32(b + 0x24, 8192);
	assert_true(usable(b, 512, &boot));
}

static void impossible_numbers(void **state)
{
	static const struct {
		size_t at;
		uint8_t value;
	} wrong[] = {
		{0x00, 0x33}, {0x02, 0x00}, {0x0C, 0x00}, {0x0B, 0x01}, {0x0C, 0x20}, {0x0D, 0x00},
		{0x0D, 0x03}, {0x0E, 0x00}, {0x10, 0x00}, {0x10, 0x03}, {0x15, 0x00}, {0x1FE, 0x00},
		{0x1FF, 0x00},
	};
	struct vk_fat_boot boot;
	uint8_t b[512];

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		sound(b);
		b[wrong[i].at] = wrong[i].value;
		if (usable(b, 512, &boot))
			fail_msg("%02x at 0x%zx is taken for sound", wrong[i].value, wrong[i].at);
	}
	sound(b);
	vk_put_le32(b + 0x20, 2 * 256 + 32 + 1); /* shorter than what stands in front of the files */
	assert_false(usable(b, 512, &boot));
	vk_put_le32(b + 0x20, 2 * 256 + 32 + 2);
	assert_true(usable(b, 512, &boot));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lengths),
		cmocka_unit_test(impossible_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
