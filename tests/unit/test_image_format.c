/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Containers and compressed files by their first and last bytes: each row of the table, each bit of its magic, and
 * disks, which are none.
 */
#include "io_helpers.h"

#include <unistd.h>

#include "base/bytes.h"
#include "io/image/bundle_form.h"
#include "vmfskit/io.h"
#include "vmfskit/source.h"

static uint8_t head[VK_IMAGE_HEAD_BYTES], tail[VK_IMAGE_TAIL_BYTES];

static void put_be32(uint8_t *at, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		at[i] = (uint8_t)(value >> (24 - 8 * i));
}

static void put_vhd_footer(uint8_t *at, uint32_t type)
{
	uint32_t sum = 0;

	memset(at, 0, VK_IMAGE_TAIL_BYTES);
	memcpy(at, "conectix", 8);
	put_be32(at + 60, type);
	for (size_t i = 0; i < VK_IMAGE_TAIL_BYTES; i++)
		sum += at[i];
	put_be32(at + 64, ~sum);
}

/* The magic of a row, and the least that its check asks for. */
static uint8_t *put_row(const struct vk_image_format *f)
{
	bool at_tail = f->magic_at == VK_IMAGE_AT_TAIL;
	uint8_t *at = at_tail ? tail : head + f->magic_at;

	memset(head, 0, sizeof(head));
	memset(tail, 0, sizeof(tail));
	memcpy(at, f->magic, f->magic_bytes);
	if (at_tail && memcmp(f->magic, "conectix", 8) == 0)
		put_vhd_footer(tail, f->raw_inside ? 2 : 3);
	else if (strncmp(f->name, "qcow2", 5) == 0)
		put_be32(head + 4, 3);
	else if (strncmp(f->name, "bzip2", 5) == 0)
		memcpy(head, "BZh9", 4);
	else if (strcmp(f->name, "vmfskit bundle") == 0)
		for (size_t i = 0; i < 4; i++)
			head[i] = (uint8_t)(VK_BUNDLE_SKIPPED >> (8 * i));
	return at;
}

static void test_rows(void **state)
{
	const struct vk_image_format *rows;
	size_t count = vk_image_formats(&rows);

	(void)state;
	assert_true(count >= 20);
	for (size_t i = 0; i < count; i++) {
		const struct vk_image_format *f = &rows[i];
		uint8_t *magic = put_row(f);

		assert_true(f->magic_at == VK_IMAGE_AT_TAIL || f->magic_at + f->magic_bytes <= sizeof(head));
		assert_true(f->magic_bytes >= 3 && strlen(f->open) > 0);
		assert_ptr_equal(vk_image_format_of(head, tail), f);
		for (size_t bit = 0; bit < f->magic_bytes * 8; bit++) {
			magic[bit / 8] ^= (uint8_t)(1 << bit % 8);
			if (vk_image_format_of(head, tail) != NULL)
				fail_msg("%s is still met with bit %zu of its magic flipped", f->name, bit);
			magic[bit / 8] ^= (uint8_t)(1 << bit % 8);
		}
	}
}

/* What stands behind a short magic decides, too. */
static void test_checks(void **state)
{
	(void)state;
	memset(tail, 0, sizeof(tail));
	memset(head, 0, sizeof(head));
	memcpy(head, "QFI\xfb", 4);
	put_be32(head + 4, 4);
	assert_null(vk_image_format_of(head, tail));
	memcpy(head, "\x1f\x8b\x08\x20", 4);
	assert_null(vk_image_format_of(head, tail));
	memset(head, 0, sizeof(head));
	memcpy(head, "BZh0\x31\x41\x59\x26\x53\x59", 10);
	assert_null(vk_image_format_of(head, tail));
	memset(head, 0, sizeof(head));
	for (size_t i = 0; i < VK_IMAGE_TAIL_BYTES; i++) {
		put_vhd_footer(tail, 2);
		assert_non_null(vk_image_format_of(head, tail));
		tail[i] ^= 0x10;
		assert_null(vk_image_format_of(head, tail));
	}
}

enum { MIB = 1 << 20, DISK = 8 * MIB };

static struct vk_io *open_file(const char *path)
{
	struct vk_io *io;

	assert_int_equal(vk_io_open_raw(path, NULL, &io, NULL), VK_OK);
	return io;
}

/* The footer is behind the end of whatever is opened over it. */
static void test_footer_is_out_of_reach(void **state)
{
	char path[] = "/tmp/vmfskit-vhd-XXXXXX";
	int fd = mkstemp(path);
	struct vk_io *io, *window;
	uint8_t byte;
	size_t got = 1;

	(void)state;
	assert_true(fd >= 0);
	put_vhd_footer(tail, 2);
	assert_int_equal(ftruncate(fd, DISK), 0);
	assert_int_equal(pwrite(fd, tail, sizeof(tail), DISK), (ssize_t)sizeof(tail));
	io = open_file(path);
	assert_int_equal(vk_io_size_bytes(io), DISK);
	assert_int_equal(vk_io_footer_bytes(io), sizeof(tail));
	assert_true(vk_io_image_format(io)->raw_inside);
	assert_int_equal(vk_io_read(io, DISK, &byte, 1, &got, NULL), VK_OK);
	assert_int_equal(got, 0);
	window = vk_io_window(io, 0, UINT64_MAX);
	assert_int_equal(vk_io_size_bytes(window), DISK);
	assert_ptr_equal(vk_io_image_format(window), vk_io_image_format(io));
	vk_io_close(window);
	vk_io_close(io);
	/* one bit less, and it is a disk that ends with these bytes */
	tail[100] ^= 1;
	assert_int_equal(pwrite(fd, tail, sizeof(tail), DISK), (ssize_t)sizeof(tail));
	io = open_file(path);
	assert_int_equal(vk_io_size_bytes(io), DISK + sizeof(tail));
	assert_null(vk_io_image_format(io));
	vk_io_close(io);
	close(fd);
	unlink(path);
}

static bool is_container(const char *path)
{
	const struct vk_source_options options = {0};
	struct vk_error err;
	struct vk_source source;
	bool container, first;

	assert_int_equal(vk_source_open(path, &options, &source, &err), VK_OK);
	container = source.container != NULL;
	first = source.findings.count > 0 && source.findings.items[0].code == VK_F_SOURCE_CONTAINER;
	assert_int_equal(container, first);
	assert_int_equal(vk_source_refuse_container(&source, &err), container ? VK_UNSUPPORTED : VK_OK);
	vk_source_close(&source);
	return container;
}

static void put(int fd, off_t at, const void *bytes, size_t len)
{
	assert_int_equal(pwrite(fd, bytes, len, at), (ssize_t)len);
}

/*
 * A disk with a table in its place is one, whatever its boot code begins with; entries that make no sense are no table.
 */
static void test_disk_with_a_magic(void **state)
{
	static const uint8_t entry[16] = {0, 0, 2, 0, 0xfb, 0xff, 0xff, 0xff, 0, 8, 0, 0, 0, 8, 0, 0};
	static const uint8_t signature[2] = {0x55, 0xaa};
	static const uint8_t odd_flag = 0x40, no_flag = 0;
	char path[] = "/tmp/vmfskit-zip-XXXXXX";
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, DISK), 0);
	assert_false(is_container(path));
	put(fd, 0, "PK\x03\x04", 4);
	assert_true(is_container(path));
	put(fd, 0x1be, entry, sizeof(entry));
	put(fd, 510, signature, sizeof(signature));
	assert_false(is_container(path));
	put(fd, 0x1be, &odd_flag, 1);
	assert_true(is_container(path));
	put(fd, 0x1be, &no_flag, 1);
	assert_false(is_container(path));
	put(fd, 510, "\0", 1);
	assert_true(is_container(path));
	close(fd);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_checks),
		cmocka_unit_test(test_footer_is_out_of_reach),
		cmocka_unit_test(test_disk_with_a_magic),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
