/* SPDX-License-Identifier: Apache-2.0 */
/* Signatures of other systems on any source: memory, overlay, with bytes that are not there; lengths as they say themselves. */
#include "io_helpers.h"

#include "base/bytes.h"
#include "vmfskit/foreign.h"
#include "vmfskit/overlay.h"

#define MIB (1ULL << 20)

/* Superblocks as their specifications have them; no more of the file systems than a probe asks for. */
static void put_ext4(uint8_t *at, uint32_t blocks)
{
	uint8_t *sb = at + 1024;

	vk_put_le32(sb + 0x00, 65536);  /* inodes */
	vk_put_le32(sb + 0x04, blocks);
	vk_put_le32(sb + 0x18, 2);      /* blocks of 4 KiB */
	sb[0x38] = 0x53;
	sb[0x39] = 0xef;
	vk_put_le32(sb + 0x4c, 1);      /* dynamic revision */
	vk_put_le32(sb + 0x5c, 4);      /* has_journal */
	vk_put_le32(sb + 0x60, 0x40);   /* extents */
	memset(sb + 0x68, 0x5a, 16);
	memcpy(sb + 0x78, "back\033slash\\", 12);
}

static void put_swap(uint8_t *at, uint32_t last_page)
{
	vk_put_le32(at + 1024, 1);
	vk_put_le32(at + 1028, last_page);
	memset(at + 1036, 0x77, 16);
	memcpy(at + 4096 - 10, "SWAPSPACE2", 10);
}

static void put_boot(uint8_t *at, const char *name)
{
	memcpy(at + 3, name, 8);
	at[0x0b] = 0;
	at[0x0c] = 2;
	at[0x0d] = 8;
	vk_put_le64(at + 0x28, 32767);
	at[510] = 0x55;
	at[511] = 0xaa;
}

static struct vk_foreigners look(struct vk_io *io, uint64_t start, uint64_t length)
{
	struct vk_foreigners found = {0};
	struct vk_error err = {0};

	assert_int_equal(vk_foreign_look(io, start, length, &found, &err), VK_OK);
	return found;
}

static void assert_one(const struct vk_foreigners *found, enum vk_foreign_kind kind, const char *type, uint64_t start,
		       uint64_t length)
{
	assert_int_equal(found->count, 1);
	assert_string_equal(found->items[0].type, type);
	assert_int_equal(found->items[0].kind, kind);
	assert_int_equal(found->items[0].start_bytes, start);
	assert_int_equal(found->items[0].length_bytes, length);
	assert_true(found->items[0].magic_bytes >= start && found->items[0].magic_bytes < start + 8192);
}

static void test_kinds(void **state)
{
	uint8_t *bytes = calloc(1, 8 * MIB);
	struct vk_io *io = vk_io_memory("disk", bytes, 8 * MIB, false);
	struct vk_foreigners found;

	(void)state;
	assert_non_null(io);
	found = look(io, 0, 8 * MIB);
	assert_int_equal(found.count, 0);
	put_ext4(bytes + MIB, 1024);
	put_swap(bytes + 2 * MIB, 255);
	found = look(io, MIB, 4 * MIB);
	assert_one(&found, VK_FOREIGN_FILE_SYSTEM, "ext4", MIB, 4 * MIB);
	assert_string_equal(found.items[0].label, "back\\x1bslash\\x5c");
	assert_string_equal(found.items[0].uuid, "5a5a5a5a-5a5a-5a5a-5a5a-5a5a5a5a5a5a");
	/* appended, in order; the same one is not told twice */
	assert_int_equal(vk_foreign_look(io, 2 * MIB, MIB, &found, NULL), VK_OK);
	assert_int_equal(vk_foreign_look(io, MIB, 2 * MIB, &found, NULL), VK_OK);
	assert_int_equal(found.count, 2);
	assert_string_equal(found.items[1].type, "swap");
	assert_int_equal(found.items[1].kind, VK_FOREIGN_OTHER);
	assert_int_equal(found.items[1].length_bytes, MIB);
	vk_foreigners_free(&found);
	/* what lies behind the end is nothing */
	found = look(io, 9 * MIB, MIB);
	assert_int_equal(found.count, 0);
	vk_io_close(io);
	free(bytes);
}

/* libblkid wants more of these than their first sector. */
static void test_boot_sectors(void **state)
{
	static const struct {
		const char *name;
		const char *type;
		enum vk_foreign_kind kind;
	} rows[] = {{"NTFS    ", "ntfs", VK_FOREIGN_FILE_SYSTEM}, {"-FVE-FS-", "BitLocker", VK_FOREIGN_CRYPTO}};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		uint8_t *bytes = calloc(1, 2 * MIB);
		struct vk_io *io = vk_io_memory("disk", bytes, 2 * MIB, false);
		struct vk_foreigners found;

		put_boot(bytes + MIB, rows[i].name);
		found = look(io, MIB, MIB);
		assert_one(&found, rows[i].kind, rows[i].type, MIB, 32768 * 512);
		assert_int_equal(found.items[0].magic_bytes, MIB + 3);
		vk_foreigners_free(&found);
		bytes[MIB + 511] = 0;
		found = look(io, MIB, MIB);
		assert_int_equal(found.count, 0);
		vk_io_close(io);
		free(bytes);
	}
}

/* What an overlay would make of the disk is looked at, not the disk. */
static void test_overlay(void **state)
{
	static const uint8_t zeros[512];
	uint8_t *bytes = calloc(1, 8 * MIB);
	struct vk_io *base = vk_io_memory("disk", bytes, 8 * MIB, false);
	struct vk_overlay *overlay;
	struct vk_foreigners found;

	(void)state;
	put_ext4(bytes, 2048);
	overlay = vk_overlay_new(base);
	assert_non_null(overlay);
	found = look(vk_overlay_io(overlay), 0, 8 * MIB);
	assert_one(&found, VK_FOREIGN_FILE_SYSTEM, "ext4", 0, 8 * MIB);
	vk_foreigners_free(&found);
	assert_int_equal(vk_overlay_put(overlay, 1024, zeros, sizeof(zeros), "test", 0, NULL), VK_OK);
	found = look(vk_overlay_io(overlay), 0, 8 * MIB);
	assert_int_equal(found.count, 0);
	vk_overlay_free(overlay);
	vk_io_close(base);
	free(bytes);
}

/* Bytes that are not there count as zeros; what stands behind them is still seen, also at the far end of 64 TB. */
static void test_holes(void **state)
{
	uint8_t *head = calloc(1, 4096);
	struct vk_io_piece pieces[] = {{1024, 3072, head + 1024}, {(64ULL << 40) - 512, 512, NULL}};
	struct vk_foreigners found;
	struct vk_io *io;

	(void)state;
	put_ext4(head, 1024);
	io = vk_io_pieces("scattered", pieces, 2, 512, NULL);
	assert_non_null(io);
	found = look(io, 0, 64ULL << 40);
	assert_one(&found, VK_FOREIGN_FILE_SYSTEM, "ext4", 0, 4 * MIB);
	vk_foreigners_free(&found);
	vk_io_close(io);
	free(head);
}

/* DDF: a header in the last sector, and one 16 MiB before the end, to which it points (SNIA, Common RAID DDF). */
static void put_ddf(int fd, uint64_t start, uint64_t length)
{
	uint64_t sectors = length / 512, primary = sectors - 32768;
	uint8_t header[512] = {0xde, 0x11, 0xde, 0x11};

	memcpy(header + 32, "01.02.00", 8);
	for (int i = 0; i < 8; i++)
		header[96 + i] = (uint8_t)(primary >> (56 - 8 * i));
	assert_int_equal(pwrite(fd, header, 512, (off_t)(start + (sectors - 1) * 512)), 512);
	assert_int_equal(pwrite(fd, header, 512, (off_t)(start + primary * 512)), 512);
}

/*
 * What lies far from both ends is found where libblkid is given the file itself: from its start, or from a partition's.
 */
static void test_whole_file(void **state)
{
	const uint64_t size = 64ULL << 40;
	char path[] = "/tmp/vmfskit-ddf-XXXXXX";
	int fd = mkstemp(path);
	struct vk_io *io, *window;
	struct vk_foreigners found;

	(void)state;
	assert_true(fd >= 0);
	unlink(path);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	/* ext4 stops at 16 TB: less is enough where it does */
	for (uint64_t length = size; length >= size / 64; length /= 8) {
		if (ftruncate(fd, (off_t)length) != 0)
			continue;
		put_ddf(fd, 0, length);
		assert_int_equal(vk_io_open_raw(path, NULL, &io, NULL), VK_OK);
		found = look(io, 0, length);
		assert_int_equal(found.count, 1);
		assert_string_equal(found.items[0].type, "ddf_raid_member");
		assert_true(vk_foreign_is_member(&found.items[0]));
		vk_foreigners_free(&found);
		/* the same bytes through a window that begins and ends elsewhere are none */
		window = vk_io_window(io, MIB, length - MIB - 4096);
		found = look(window, 0, length);
		assert_int_equal(found.count, 0);
		vk_io_close(window);
		put_ddf(fd, 3 * MIB, 64 * MIB);
		window = vk_io_window(io, MIB, 80 * MIB);
		found = look(window, 2 * MIB, 64 * MIB);
		assert_int_equal(found.count, 1);
		assert_int_equal(found.items[0].start_bytes, 2 * MIB);
		vk_foreigners_free(&found);
		vk_io_close(window);
		vk_io_close(io);
		break;
	}
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_boot_sectors),
		cmocka_unit_test(test_overlay),
		cmocka_unit_test(test_holes),
		cmocka_unit_test(test_whole_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
