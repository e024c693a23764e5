/* SPDX-License-Identifier: Apache-2.0 */
/* FS3_DiskLock: a published lock. */
#include "disk_support.h"
#include "vmfskit/lock.h"

/* The file descriptor <6,1> of the ESX 3.5 volume. */
static struct vk_lock published(void)
{
	uint8_t b[512] = {0};
	struct vk_lock lock;

	bytes_of("01 00 c0 10 00 88 47 00 00 00 00 00 00 06 3e 00 00 00 00 00 0b 00 00 00 00 00 00 00 "
		 "1c 00 00 00 00 00 00 00 00 00 00 00", b, sizeof(b));
	bytes_of("fc 97 48 13", b + 0x38, 8);
	assert_int_equal(vk_lock_decode(b, sizeof(b), &lock), VK_LOCK_BYTES);
	assert_round_trip(&vk_lock_layout, b, sizeof(b));
	return lock;
}

static void published_lock(void **state)
{
	const struct vk_layout *l = &vk_lock_layout;
	struct vk_lock lock = published();

	(void)state;
	assert_field(l, "type", &lock, "0x10c00001 (file descriptor)");
	assert_int_equal(lock.addr, 0x478800);
	assert_int_equal(lock.hbAddr, 0x3E0600);
	assert_int_equal(lock.hbGen, 11);
	assert_int_equal(lock.token, 28);
	assert_field(l, "mode", &lock, "0 (free)");
	assert_field(l, "owner", &lock, "none");
	/* a time on VMFS3 only, so it is not shown as one */
	assert_field(l, "mtime", &lock, "323524604");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(published_lock),
	};

	return cmocka_run_group_tests_name("lock", tests, NULL, NULL);
}
