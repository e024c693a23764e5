/* SPDX-License-Identifier: Apache-2.0 */
/* What a file system says of its use and of a byte of its own: as it should be, and with numbers that nobody should believe. */
#include "io_helpers.h"

#include "base/bytes.h"
#include "source/ext.h"
#include "source/use.h"

enum { DISK = 8 << 20, BLOCK = 1024, BITMAP = 8, INODE_BITMAP = 9, INODES = 10, FREE_FROM = 600 };

static uint8_t *disk;

static int set_up(void **state)
{
	(void)state;
	disk = calloc(1, DISK);
	return disk == NULL;
}

static int tear_down(void **state)
{
	(void)state;
	free(disk);
	return 0;
}

/* One group of 8192 blocks of 1 KiB, without checksums; blocks 1 to 599 are in use, and 20 inodes. */
static void put_ext(void)
{
	uint8_t *sb = disk + 1024, *group = disk + 2048, *bitmap = disk + BITMAP * BLOCK;
	uint32_t unused = 0;

	memset(disk, 0, DISK);
	vk_put_le32(sb + 0x00, 1024);
	vk_put_le32(sb + 0x04, 8192);
	vk_put_le32(sb + 0x10, 1004);
	vk_put_le32(sb + 0x14, 1);
	vk_put_le32(sb + 0x20, 8192);
	vk_put_le32(sb + 0x24, 8192);
	vk_put_le32(sb + 0x28, 1024);
	vk_put_le32(sb + 0x2c, 1500000000);
	vk_put_le32(sb + 0x30, 1600000000);
	vk_put_le16(sb + 0x38, 0xef53);
	vk_put_le16(sb + 0x3a, 1);
	vk_put_le32(sb + 0x4c, 1);
	vk_put_le32(sb + 0x54, 11);
	vk_put_le16(sb + 0x58, 128);
	vk_put_le32(sb + 0x64, 1);
	for (uint32_t i = 0; i < 8191; i++) {
		bool used = i < FREE_FROM - 1;

		unused += !used;
		bitmap[i / 8] |= (uint8_t)(used << i % 8);
	}
	bitmap[1023] |= 0x80; /* behind the last block */
	vk_put_le32(group + 0x00, BITMAP);
	vk_put_le32(group + 0x04, INODE_BITMAP);
	vk_put_le32(group + 0x08, INODES);
	vk_put_le16(group + 0x0c, (uint16_t)unused);
	vk_put_le16(group + 0x0e, 1004);
	vk_put_le16(disk + INODES * BLOCK + 128, 0x41ed);
}

static bool open_ext(struct vk_io **ret_io, struct vk_ext *ret_fs)
{
	*ret_io = vk_io_memory("disk", disk, DISK, false);
	assert_non_null(*ret_io);
	return vk_ext_open(*ret_io, 0, ret_fs);
}

static void use_of(const char *type, struct vk_use *ret_use)
{
	struct vk_foreign foreign = {.start_bytes = 0};
	struct vk_io *io = vk_io_memory("disk", disk, DISK, false);

	assert_non_null(io);
	snprintf(foreign.type, sizeof(foreign.type), "%s", type);
	vk_use_read(io, &foreign, DISK, ret_use);
	vk_io_close(io);
}

static void test_ext(void **state)
{
	static const struct {
		uint64_t block;
		enum vk_hold hold;
	} rows[] = {{0, VK_HOLD_OWN}, {1, VK_HOLD_OWN}, {2, VK_HOLD_OWN}, {BITMAP, VK_HOLD_OWN},
		    {INODE_BITMAP, VK_HOLD_OWN}, {INODES + 127, VK_HOLD_OWN}, {INODES + 128, VK_HOLD_FILE},
		    {FREE_FROM - 1, VK_HOLD_FILE}, {FREE_FROM, VK_HOLD_FREE}, {8191, VK_HOLD_FREE},
		    {8192, VK_HOLD_UNKNOWN}, {UINT64_MAX / BLOCK, VK_HOLD_UNKNOWN}};
	struct vk_use use;
	struct vk_ext fs;
	struct vk_io *io;

	(void)state;
	put_ext();
	assert_true(open_ext(&io, &fs));
	assert_int_equal(fs.files, 9);
	assert_int_equal(fs.written_s, 1600000000);
	assert_true(fs.clean);
	assert_true(vk_ext_whole(&fs));
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(vk_ext_hold(&fs, rows[i].block * BLOCK), rows[i].hold);
	vk_io_close(io);
	use_of("ext4", &use);
	assert_true(use.in_use && use.proved);
	assert_non_null(strstr(use.why, "9 files"));

	/* only lost+found: it was made and never used */
	vk_put_le32(disk + 1024 + 0x10, 1013);
	vk_put_le16(disk + 2048 + 0x0e, 1013);
	use_of("ext4", &use);
	assert_false(use.in_use);
	/* the superblock's count is that of the last mount */
	vk_put_le16(disk + 2048 + 0x0e, 1000);
	use_of("ext4", &use);
	assert_true(use.in_use);
}

/* What lies over a part of it makes it no longer whole. */
static void test_ext_hit(void **state)
{
	static const struct {
		size_t at, len;
	} rows[] = {{BITMAP * BLOCK, 64}, {INODES * BLOCK + 128, 2}, {2048, 32}, {1024 + 0x28, 4}, {1024 + 0x20, 4}};
	struct vk_use use;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		put_ext();
		memset(disk + rows[i].at, 0, rows[i].len);
		use_of("ext4", &use);
		assert_false(use.in_use);
	}
	/* longer than there is room */
	put_ext();
	vk_put_le32(disk + 1024 + 0x04, 8193);
	use_of("ext4", &use);
	assert_false(use.in_use);
}

/* Every field of the superblock and of a descriptor with extreme values: no read outside, no endless loop. */
static void test_ext_hostile(void **state)
{
	static const uint32_t values[] = {0, 1, 7, 0x80, 0xffff, 0x7fffffff, 0x80000000, UINT32_MAX};
	static const uint64_t places[] = {0, 1, 1024, DISK / 2, DISK - 1, UINT64_MAX};

	(void)state;
	for (size_t at = 1024; at < 2048 + 64; at += 4)
		for (size_t v = 0; v < sizeof(values) / sizeof(values[0]); v++)
			for (unsigned features = 0; features < 4; features++) {
				struct vk_ext fs;
				struct vk_io *io;

				put_ext();
				if ((features & 1) != 0) /* 64bit, flex_bg, meta_bg */
					vk_put_le32(disk + 1024 + 0x60, 0x80 | 0x200 | 0x10);
				vk_put_le16(disk + 1024 + 0xfe, 64);
				if ((features & 2) != 0) /* bigalloc, gdt_csum */
					vk_put_le32(disk + 1024 + 0x64, 0x200 | 0x10);
				vk_put_le32(disk + at, values[v]);
				if (open_ext(&io, &fs)) {
					(void)vk_ext_whole(&fs);
					for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
						(void)vk_ext_hold(&fs, places[i]);
				}
				vk_io_close(io);
			}
}

static void put_ntfs(void)
{
	memset(disk, 0, DISK);
	memcpy(disk + 3, "NTFS    ", 8);
	vk_put_le16(disk + 0x0b, 512);
	disk[0x0d] = 8;
	vk_put_le64(disk + 0x30, 4);
	memcpy(disk + 16384, "FILE", 4);
	vk_put_le16(disk + 16384 + 0x14, 0x38);
	vk_put_le32(disk + 16384 + 0x38, 0x10);
	vk_put_le32(disk + 16384 + 0x3c, 0x60);
	vk_put_le32(disk + 16384 + 0x98, 0x80);
	vk_put_le32(disk + 16384 + 0x9c, 0x48);
	disk[16384 + 0xa0] = 1;
	vk_put_le64(disk + 16384 + 0x98 + 0x38, 2048 * 1024);
}

static void put_lvm2(void)
{
	static const char text[] = "vg0 {\nlogical_volumes {\nroot {\n";

	memset(disk, 0, DISK);
	memcpy(disk + 512, "LABELONE", 8);
	vk_put_le32(disk + 512 + 20, 32);
	vk_put_le64(disk + 512 + 32 + 40, 1 << 20);
	vk_put_le64(disk + 512 + 32 + 72, 4096);
	vk_put_le64(disk + 512 + 32 + 80, 1 << 20);
	memcpy(disk + 4096 + 4, " LVM2 x[5A%r0N*>", 16);
	vk_put_le64(disk + 4096 + 40, 1024);
	vk_put_le64(disk + 4096 + 48, sizeof(text));
	memcpy(disk + 4096 + 1024, text, sizeof(text));
}

static void put_bluestore(void)
{
	memset(disk, 0, DISK);
	memcpy(disk, "bluestore block device\n", 23);
	vk_put_le32(disk + 62, 200);
	vk_put_le64(disk + 66 + 16, DISK);
	memcpy(disk + 120, "\x05\0\0\0ready\x05\0\0\0ready", 18);
	vk_put_le32(disk + 266, vk_crc32c(~0U, disk, 266));
}

static void put_zfs(void)
{
	memset(disk, 0, DISK);
	for (uint64_t i = 0; i < 128; i++) {
		vk_put_le64(disk + (128 << 10) + i * 1024, 0x00bab10c);
		vk_put_le64(disk + (128 << 10) + i * 1024 + 16, 5000 + i);
		vk_put_le64(disk + (128 << 10) + i * 1024 + 32, 1600000000 + i);
	}
}

static void put_be64(uint8_t *at, uint32_t value)
{
	for (unsigned i = 0; i < 4; i++)
		at[4 + i] = (uint8_t)(value >> (24 - 8 * i));
}

static void put_xfs(void)
{
	memset(disk, 0, DISK);
	memcpy(disk, "XFSB\0\0\x10\0", 8);
	put_be64(disk + 8, DISK / 4096);
	memset(disk + 32, 0x55, 16);
	vk_put_le32(disk + 84, 0x00020000); /* 512 blocks in a group */
	put_be64(disk + 128, 64);
	put_be64(disk + 136, 20);
	memcpy(disk + 512 * 4096, disk, 512);
}

static void put_btrfs(void)
{
	uint8_t *sb = disk + 65536;

	memset(disk, 0, DISK);
	memcpy(sb + 64, "_BHRfS_M", 8);
	vk_put_le64(sb + 48, 65536);
	vk_put_le64(sb + 72, 100);
	vk_put_le64(sb + 120, 5 << 20);
	/* the tree of chunks: logical 4 MiB and one block, in a chunk of 1 MiB that lies at byte 1 MiB of device 1 */
	vk_put_le64(sb + 88, (4 << 20) + 16384);
	vk_put_le32(sb + 160, 17 + 48 + 32);
	vk_put_le64(sb + 164, 99);
	vk_put_le64(sb + 201, 1);
	vk_put_le64(sb + 811 + 9, 4 << 20);
	vk_put_le64(sb + 811 + 17, 1 << 20);
	vk_put_le16(sb + 811 + 17 + 44, 1);
	vk_put_le64(sb + 811 + 65, 1);
	vk_put_le64(sb + 811 + 65 + 8, 1 << 20);
	vk_put_le64(disk + (1 << 20) + 16384 + 48, (4 << 20) + 16384);
	vk_put_le64(disk + (1 << 20) + 16384 + 80, 99);
	vk_put_le32(sb, ~vk_crc32c(~0U, sb + 32, 4096 - 32));
}

static void put_exfat(void)
{
	memset(disk, 0, DISK);
	memcpy(disk + 3, "EXFAT   ", 8);
	disk[112] = 30;
}

/* Each in use; just made; and with every word of its beginning spoiled, which must end and stay inside. */
static void test_others(void **state)
{
	static const struct {
		const char *type;
		void (*put)(void);
		size_t made_at; /* what is zero where nobody used it */
		bool proved;
		size_t base; /* spoiled from here on */
	} rows[] = {{"ntfs", put_ntfs, 16384 + 0xd0, false, 16384}, {"ntfs", put_ntfs, 16384 + 0xd0, false, 0},
		    {"LVM2_member", put_lvm2, 4096 + 1024 + 20, false, 512},
		    {"LVM2_member", put_lvm2, 4096 + 1024 + 20, false, 4096},
		    {"ceph_bluestore", put_bluestore, 124, true, 0}, {"zfs_member", put_zfs, 0, false, 128 << 10},
		    {"xfs", put_xfs, 132, true, 0}, {"btrfs", put_btrfs, 65536 + 120, true, 65536},
		    {"btrfs", put_btrfs, (1 << 20) + 16384 + 48, true, 65536 + 256},
		    {"exfat", put_exfat, 112, false, 0}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct vk_use use;

		rows[i].put();
		use_of(rows[i].type, &use);
		assert_true(use.in_use);
		assert_int_equal(use.proved, rows[i].proved);
		if (rows[i].made_at != 0) {
			vk_put_le32(disk + rows[i].made_at, 0);
			use_of(rows[i].type, &use);
			assert_false(use.in_use);
		}
		for (size_t at = rows[i].base; at < rows[i].base + 1024; at += 4) {
			rows[i].put();
			vk_put_le32(disk + at, UINT32_MAX);
			use_of(rows[i].type, &use);
			vk_put_le32(disk + at, 0);
			use_of(rows[i].type, &use);
		}
	}
}

/* Of what nobody can tell nothing is claimed. */
static void test_unknown(void **state)
{
	static const char *const types[] = {"swap", "vfat", "crypto_LUKS", "linux_raid_member", ""};
	struct vk_use use;

	(void)state;
	put_ext();
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		use_of(types[i], &use);
		assert_false(use.in_use || use.proved);
		assert_string_equal(use.why, "whether it is in use is not known");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_ext, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_ext_hit, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_ext_hostile, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_others, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_unknown, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
