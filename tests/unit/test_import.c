/* SPDX-License-Identifier: Apache-2.0 */
/* Import below the command: a disk made of pieces, the index, names, what the manifest keeps of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "store/import/import_index.h"
#include "store/import/import_parts.h"
#include "io/image/tar.h"
#include "store/manifest/manifest.h"

static struct vk_io *filled(uint8_t value, size_t len)
{
	uint8_t *bytes = malloc(len);
	struct vk_io *io;

	assert_non_null(bytes);
	memset(bytes, value, len);
	io = vk_io_memory("piece", bytes, len, true);
	free(bytes);
	assert_non_null(io);
	return io;
}

static void assert_span(struct vk_io *io, uint64_t offset, enum vk_span_state state, uint64_t length)
{
	struct vk_span span = vk_io_span(io, offset);

	assert_int_equal(span.state, state);
	assert_int_equal(span.length_bytes, length);
}

static void assert_bytes(struct vk_io *io, uint64_t offset, uint8_t value, size_t len)
{
	uint8_t buf[8192];
	size_t got;

	assert_true(len <= sizeof(buf));
	assert_int_equal(vk_io_read(io, offset, buf, len, &got, NULL), VK_OK);
	assert_int_equal(got, len);
	for (size_t i = 0; i < len; i++)
		assert_int_equal(buf[i], value);
}

/* Given in any order; between them nothing is there, and that is not the same as what could not be read. */
static void absent_is_not_unreadable(void **state)
{
	struct vk_io *a = filled(0xaa, 4096);
	struct vk_io *b = filled(0xbb, 1024);
	const struct vk_io_part pieces[] = {
		{16384, 512, b, 512},
		{8192, 512, NULL, 0},
		{1024, 4096, a, 0},
	};
	struct vk_io *io = vk_import_io("disk", pieces, 3, 32768, 512);
	uint8_t byte;
	size_t got;

	(void)state;
	assert_non_null(io);
	assert_span(io, 0, VK_SPAN_ABSENT, 1024);
	assert_span(io, 1024, VK_SPAN_DATA, 4096);
	assert_span(io, 5120, VK_SPAN_ABSENT, 8192 - 5120);
	assert_span(io, 8192, VK_SPAN_UNREADABLE, 512);
	assert_span(io, 8704, VK_SPAN_ABSENT, 16384 - 8704);
	assert_span(io, 16384, VK_SPAN_DATA, 512);
	assert_span(io, 16896, VK_SPAN_ABSENT, 32768 - 16896);
	assert_span(io, 32768, VK_SPAN_END, 0);
	assert_bytes(io, 1024, 0xaa, 4096);
	assert_bytes(io, 16384, 0xbb, 512);
	assert_int_equal(vk_io_read(io, 0, &byte, 1, &got, NULL), VK_OK);
	assert_int_equal(got, 0);
	vk_io_close(io);
	vk_io_close(a);
	vk_io_close(b);
}

static void first_piece_counts(void **state)
{
	struct vk_io *a = filled(0xaa, 2048);
	struct vk_io *b = filled(0xbb, 8192);
	struct vk_io *c = filled(0xcc, 512);
	const struct vk_io_part pieces[] = {
		{0, 2048, a, 0},
		{1024, 8192, b, 0},
		{4096, 512, c, 0},     /* wholly inside */
		{512, 1024, NULL, 0},  /* another run could read it */
	};
	struct vk_io *io = vk_import_io("disk", pieces, 4, 9216, 512);

	(void)state;
	assert_non_null(io);
	assert_bytes(io, 0, 0xaa, 2048);
	assert_bytes(io, 2048, 0xbb, 7168);
	vk_io_close(io);
	vk_io_close(a);
	vk_io_close(b);
	vk_io_close(c);
}

/* A file that is shorter than its piece has no zeros behind its end. */
static void short_file_is_absent(void **state)
{
	struct vk_io *a = filled(0xaa, 1000);
	const struct vk_io_part pieces[] = {{0, 2048, a, 0}};
	struct vk_io *io = vk_import_io("disk", pieces, 1, 4096, 512);

	(void)state;
	assert_non_null(io);
	assert_span(io, 0, VK_SPAN_DATA, 1000);
	assert_span(io, 1000, VK_SPAN_ABSENT, 1048);
	vk_io_close(io);
	vk_io_close(a);
}

/* The disk is no device and no file of this host, even when all of it comes from one. */
static void an_import_is_nobodys_descriptor(void **state)
{
	struct vk_io *file, *io;
	struct vk_io_part all = {0, 4096, NULL, 0};

	(void)state;
	assert_int_equal(vk_io_open_raw("/proc/self/exe", NULL, &file, NULL), VK_OK);
	assert_true(vk_io_descriptor(file) >= 0);
	all.base = file;
	io = vk_import_io("disk", &all, 1, 4096, 4096);
	assert_non_null(io);
	assert_int_equal(vk_io_descriptor(io), -1);
	assert_false(vk_io_is_device(io));
	assert_int_equal(vk_io_sector_size(io), 4096);
	vk_io_close(io);
	vk_io_close(file);
}

static void numbers_do_not_overflow(void **state)
{
	struct vk_io *a = filled(0xaa, 512);
	const struct vk_io_part far = {UINT64_MAX - 100, 512, a, 0};
	const struct vk_io_part from = {0, 512, a, UINT64_MAX - 100};

	(void)state;
	assert_null(vk_import_io("disk", &far, 1, UINT64_MAX, 512));
	assert_null(vk_import_io("disk", &from, 1, UINT64_MAX, 512));
	vk_io_close(a);
}

static void plain_paths(void **state)
{
	static const char *const good[] = {"a", "a/b", "d1/head-0.raw", "...", "a/..b", ".hidden"};
	static const char *const bad[] = {"", "/a", "a/", "a//b", ".", "..", "../a", "a/..", "a/../b", "./a", "a/./b"};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(vk_import_path_plain(good[i]));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(vk_import_path_plain(bad[i]));
}

static void index_is_read(void **state)
{
	static const char text[] = "vmfskit-collect/1\nhost esx1\ntime 2009-04-21T16:45:56Z\nsystem x\n"
				   "disk 1\nname naa.6\npath /vmfs/devices/disks/naa 6\nsize 8796093022208\nsector 4096\n"
				   "piece d1/head-0.raw 0 4096\nlater words\nunreadable 4096 512\nbroken hexdump\n"
				   "status incomplete\ndisk 2\nname b\nsize unknown\nstatus complete\nend 2\n";
	struct vk_index index;
	struct vk_error err;

	(void)state;
	assert_int_equal(vk_index_parse(text, sizeof(text) - 1, "here", &index, &err), VK_OK);
	assert_true(index.complete);
	assert_string_equal(index.host, "esx1");
	assert_int_equal(index.unix_seconds, 1240332356);
	assert_int_equal(index.disk_count, 2);
	assert_string_equal(index.disks[0].path, "/vmfs/devices/disks/naa 6");
	assert_int_equal(index.disks[0].size_bytes, 8796093022208);
	assert_int_equal(index.disks[0].sector_size, 4096);
	assert_int_equal(index.disks[0].piece_count, 2);
	assert_string_equal(index.disks[0].pieces[1].file, "");
	assert_int_equal(index.disks[0].pieces[1].offset_bytes, 4096);
	assert_true(index.disks[0].incomplete && index.disks[0].broken);
	assert_int_equal(index.disks[1].size_bytes, 0);
	assert_false(index.disks[1].incomplete || index.disks[1].broken);
	vk_index_free(&index);
	/* a line without its end was cut */
	assert_int_equal(vk_index_parse(text, sizeof(text) - 2, "here", &index, &err), VK_DAMAGED);
	/* one that counts other disks than there are is not the end */
	assert_int_equal(vk_index_parse("vmfskit-collect/1\ntime 2009-04-21T16:45:56Z\nend 1\n", 50, "here", &index, &err),
			 VK_OK);
	assert_false(index.complete);
	vk_index_free(&index);
}

/* What an import adds to the manifest is read as it was written; without it nothing is added. */
static void manifest_keeps_origin(void **state)
{
	struct vk_origin_file file = {.name = "a.tar:d1/head-0.raw", .length_bytes = 7, .modified = "2009-04-21T16:45:56Z"};
	struct vk_manifest m = {.restore_bytes = 1};
	struct vk_manifest again;
	struct vk_error err;
	bool canonical;
	size_t len;
	char *text;

	(void)state;
	memset(file.sha256, '0', 64);
	memset(m.restore_sha256, '0', 64);
	m.capture.source_kind = VK_SOURCE_DISK;
	m.capture.sector_size = 512;
	assert_int_equal(vk_manifest_write(&m, &text, &len, &err), VK_OK);
	assert_null(strstr(text, "imported"));
	assert_null(strstr(text, "size_certain"));
	free(text);
	m.capture.imported = &file;
	m.capture.imported_count = 1;
	m.capture.size_uncertain = true;
	memcpy(m.capture.imported_time, "2026-11-21T02:30:00Z", 21);
	memcpy(m.capture.imported_host, "backup", 7);
	assert_int_equal(vk_manifest_write(&m, &text, &len, &err), VK_OK);
	assert_int_equal(vk_manifest_read(text, len, "here", &again, &canonical, &err), VK_OK);
	assert_true(canonical && again.capture.size_uncertain);
	assert_string_equal(again.capture.imported_time, "2026-11-21T02:30:00Z");
	assert_string_equal(again.capture.imported_host, "backup");
	assert_int_equal(again.capture.imported_count, 1);
	assert_memory_equal(&again.capture.imported[0], &file, sizeof(file));
	vk_manifest_free(&again);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(absent_is_not_unreadable),
		cmocka_unit_test(first_piece_counts),
		cmocka_unit_test(short_file_is_absent),
		cmocka_unit_test(an_import_is_nobodys_descriptor),
		cmocka_unit_test(numbers_do_not_overflow),
		cmocka_unit_test(plain_paths),
		cmocka_unit_test(index_is_read),
		cmocka_unit_test(manifest_keeps_origin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
