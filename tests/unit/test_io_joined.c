/* SPDX-License-Identifier: Apache-2.0 */
/* Pieces of a split dump: their names, and the source that they are together. */
#include "io_folder.h"

#include "io/io_handle.h"
#include "io/split_name.h"

static void names_of_pieces_count_on(void **state)
{
	static const struct {
		const char *path;
		bool piece, first;
		size_t number;
	} rows[] = {
		{"disk.001", true, true, 1},      {"/a.b/disk.000", true, true, 0}, {"disk.00", true, true, 0},
		{"disk.0042", true, false, 42},   {"disk.aa", true, true, 0},       {"disk.aab", true, false, 1},
		{"disk.ba", true, false, 26},     {"disk.dd.01", true, true, 1},    {"disk.1", false, false, 0},
		{"disk.00001", false, false, 0},  {"disk.a1", false, false, 0},     {"disk", false, false, 0},
		{".001", false, false, 0},        {"disk.001/x", false, false, 0},  {"disk.", false, false, 0},
		{"disk.AA", false, false, 0},
	};
	struct vk_split_name name, other;
	char text[64];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(vk_split_name(rows[i].path, &name), rows[i].piece);
		if (!rows[i].piece)
			continue;
		assert_int_equal(name.number, rows[i].number);
		assert_int_equal(vk_split_name_first(&name), rows[i].first);
		vk_split_name_nth(&name, name.number, text, sizeof(text));
		assert_string_equal(text, name.base);
	}
	assert_true(vk_split_name("a/disk.001", &name) && vk_split_name("b/disk.003", &other));
	assert_true(vk_split_name_same(&name, &other));
	assert_true(vk_split_name("b/disk.03", &other));
	assert_false(vk_split_name_same(&name, &other));
	assert_true(vk_split_name("b/disc.003", &other));
	assert_false(vk_split_name_same(&name, &other));
}

static void put_piece(const char *path, size_t len, char fill)
{
	char bytes[2048];

	memset(bytes, fill, sizeof(bytes));
	write_text(path, bytes, len);
}

/* Open, and compare length and the first byte of each 1000. first: a later piece alone names it; else NULL. */
static void assert_joined(const char *path, const struct vk_open_options *options, const char *fills, size_t size,
			  size_t missing, const char *first)
{
	struct vk_error err;
	struct vk_io *io;
	char c;

	assert_int_equal(vk_io_open_raw(path, options, &io, &err), VK_OK);
	assert_int_equal(vk_io_size_bytes(io), size);
	for (size_t i = 0; fills[i] != '\0'; i++) {
		enum vk_status status = vk_io_read_all(io, i * 1000, &c, 1, NULL);

		assert_int_equal(status, fills[i] == '-' ? VK_ABSENT : VK_OK);
		if (status == VK_OK)
			assert_int_equal(c, fills[i]);
	}
	assert_int_equal(vk_io_is_view(io), fills[1] != '\0' || first != NULL);
	assert_int_equal(vk_io_join(io) != NULL, fills[1] != '\0' || first != NULL);
	if (vk_io_join(io) != NULL) {
		assert_int_equal(vk_io_join(io)->missing_count, missing);
		assert_string_equal(vk_io_join(io)->first, first != NULL ? first : "");
	}
	vk_io_close(io);
}

static void a_split_dump_is_one_source(void **state)
{
	static const char *const more[] = {"d.003", "d.004"}, *const rest[] = {"d.004"};
	static const char *const all[] = {"d.001", "d.002", "d.003", "d.004", "e.img"};
	struct vk_open_options options = {.view = {.pieces = more, .piece_count = 2}};
	struct vk_error err;
	struct vk_io *io;

	(void)state;
	put_piece("d.001", 1000, 'a');
	put_piece("d.002", 1000, 'b');
	put_piece("d.003", 1000, 'c');
	put_piece("d.004", 700, 'd');
	put_piece("e.img", 700, 'e');
	put_piece("d.gz", 700, 'e');
	put_piece("d.900", 700, 'e');
	assert_int_equal(vk_io_split_count(all, 5), 4);
	assert_int_equal(vk_io_split_count(all + 1, 4), 3);
	assert_int_equal(vk_io_split_count(all + 4, 1), 1);
	assert_int_equal(vk_io_split_count(all, 0), 0);
	assert_joined("d.001", NULL, "abcd", 3700, 0, NULL);
	assert_joined("d.002", NULL, "b", 1000, 0, "d.001");
	/* between two of those that are named */
	assert_joined("d.001", &options, "a-cd", 3700, 1, NULL);
	/* the first: whether it is .000 or .001 nobody can tell */
	assert_int_equal(vk_io_open_raw("d.002", &options, &io, &err), VK_ABSENT);
	assert_non_null(strstr(err.what, "d.001"));
	assert_int_equal(unlink("d.002"), 0);
	assert_int_equal(unlink("d.003"), 0);
	assert_joined("d.001", NULL, "a--d", 3700, 2, NULL);
	/* the last piece is longer than the others: how long one that is not there is cannot be told */
	put_piece("d.004", 1700, 'd');
	assert_joined("d.001", NULL, "a", 1000, 0, NULL);
	options.view = (struct vk_io_view){.pieces = rest, .piece_count = 1};
	assert_int_equal(vk_io_open_raw("d.001", &options, &io, &err), VK_ABSENT);
	assert_non_null(strstr(err.what, "d.002"));
	/* beside a .000 a .001 is the second one */
	put_piece("d.000", 1000, 'z');
	put_piece("d.002", 500, 'b');
	assert_int_equal(unlink("d.004"), 0);
	assert_joined("d.000", NULL, "zab", 2500, 0, NULL);
	assert_joined("d.001", NULL, "a", 1000, 0, "d.000");
	assert_joined("d.002", NULL, "b", 500, 0, "d.000");
	put_piece("l.aa", 1000, 'a');
	put_piece("l.ab", 1000, 'b');
	put_piece("l.ad", 1000, 'd');
	assert_joined("l.aa", NULL, "ab-d", 4000, 1, NULL);
}

static void a_piece_with_a_table_of_its_own_is_another_disk(void **state)
{
	static const char *const both[] = {"t.001", "t.002"};
	char disk[2048] = "";
	FILE *file;

	(void)state;
	memcpy(disk + 512, "EFI PART", 8);
	write_text("t.001", disk, sizeof(disk));
	write_text("t.002", disk, sizeof(disk));
	assert_int_equal(vk_io_split_count(both, 2), 1);
	assert_joined("t.001", NULL, "\0", 2048, 0, NULL);
	memset(disk, 0, sizeof(disk));
	memcpy(disk + 510, "\x55\xaa", 2);
	disk[446] = (char)0x80;
	disk[450] = (char)0xfb;
	write_text("t.002", disk, sizeof(disk));
	assert_int_equal(vk_io_split_count(both, 2), 1);
	/* so is a partition image: an LVM header stands where it belongs */
	assert_int_equal(truncate("t.002", 0), 0);
	file = fopen("t.002", "r+e");
	assert_non_null(file);
	assert_int_equal(fseek(file, 0x100000, SEEK_SET), 0);
	assert_int_equal(fwrite("\x0d\xd0\x01\xc0", 1, 4, file), 4);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(vk_io_split_count(both, 2), 1);
	/* a boot sector of a file system has code there */
	disk[462] = 0x33;
	write_text("t.002", disk, sizeof(disk));
	assert_int_equal(vk_io_split_count(both, 2), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_of_pieces_count_on),
		cmocka_unit_test(a_split_dump_is_one_source),
		cmocka_unit_test(a_piece_with_a_table_of_its_own_is_another_disk),
	};

	return cmocka_run_group_tests(tests, in_a_folder, without_it);
}
