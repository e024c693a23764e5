/* SPDX-License-Identifier: Apache-2.0 */
/* FS3_DiskLock: a published lock, its holders, and each finding on its own. */
#include "disk_support.h"
#include "vmfskit/lock.h"

static struct vk_findings list;

static void check(const struct vk_lock *lock, size_t seen, uint64_t volume_offset)
{
	const struct vk_finding_sink sink = vk_findings_sink(&list);

	vk_lock_check(lock, seen, volume_offset, 0x1100000 + volume_offset, &sink);
}

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
	check(&lock, VK_LOCK_BYTES, 0x478800);
	assert_codes(&list, 0);
}

static void holders(void **state)
{
	struct vk_lock lock = published();
	struct vk_lock_holder holder;

	(void)state;
	for (size_t i = 0; i < sizeof(lock.holders); i++)
		lock.holders[i] = (uint8_t)i;
	for (unsigned i = 0; i < VK_LOCK_HOLDERS; i++) {
		vk_lock_holder(&lock, i, &holder);
		assert_int_equal(holder.hbAddr & 0xff, i * 32);
		assert_int_equal(holder.hbGen & 0xff, i * 32 + 8);
		assert_int_equal(holder.uid.b[15], i * 32 + 31);
	}
	/* no index reads past them */
	vk_lock_holder(&lock, 8, &holder);
	assert_int_equal(holder.hbAddr & 0xff, 0);
	vk_lock_holder(&lock, UINT32_MAX, &holder);
	assert_int_equal(holder.uid.b[15], 255);
}

static void findings(void **state)
{
	struct vk_lock lock = published();

	(void)state;
	check(&lock, VK_LOCK_BYTES, 0x478A00);
	assert_range(&list, 0, 0x1100000 + 0x478A00 + 4, 8);
	assert_string_equal(list.items[0].seen, "0x478800");
	assert_codes(&list, 1, "lock.address");

	lock.mode = 4;
	check(&lock, VK_LOCK_BYTES, 0x478800);
	assert_range(&list, 0, 0x1100000 + 0x478800 + 0x24, 4);
	assert_codes(&list, 1, "lock.mode");
	for (lock.mode = 0; lock.mode < 4; lock.mode++)
		check(&lock, VK_LOCK_BYTES, 0x478800);
	assert_codes(&list, 0);

	lock = published();
	lock.type = 0xDEADBEEF;
	check(&lock, VK_LOCK_BYTES, 0x478800);
	assert_range(&list, 0, 0x1100000 + 0x478800, 4);
	assert_codes(&list, 1, "lock.type");
	/* its magic gone, but not its place: damaged, not unused */
	lock.type = 0;
	check(&lock, VK_LOCK_BYTES, 0x478800);
	assert_codes(&list, 1, "lock.type");
	for (lock.type = 0x10C00001; lock.type <= 0x10C00009; lock.type++)
		check(&lock, VK_LOCK_BYTES, 0x478800);
	assert_codes(&list, 0);

	memset(&lock, 0, sizeof(lock));
	check(&lock, VK_LOCK_BYTES, 0x478800);
	assert_codes(&list, 0);
	lock.type = 1;
	check(&lock, VK_LOCK_BYTES - 1, 0x478800);
	assert_codes(&list, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(published_lock),
		cmocka_unit_test(holders),
		cmocka_unit_test(findings),
	};

	return cmocka_run_group_tests_name("lock", tests, NULL, NULL);
}
