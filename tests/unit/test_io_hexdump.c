/* SPDX-License-Identifier: Apache-2.0 */
/* Listings: lines, whole texts, what hexdump and xxd themselves print, and what is no listing. */
#include "io_helpers.h"

#define BYTES16 "\x0d\xd0\x01\xc0\x03\x00\x00\x00\x10\x00\x00\x00\x00\x0f\x00\x00"

static struct vk_io *unfold(const char *text)
{
	struct vk_io *base = vk_io_memory("mail", text, strlen(text), false);
	struct vk_error err = {0};
	struct vk_io *io = NULL;

	assert_true(vk_io_is_hexdump(base));
	if (vk_io_hexdump(base, &io, &err) != VK_OK)
		fail_msg("%s: %s", err.where, err.what);
	return io;
}

/* A text of this row and nothing else. */
static void assert_row(const char *text, uint64_t offset, const char *bytes, size_t count)
{
	struct vk_io *io = unfold(text);

	assert_null(vk_io_damage(io, NULL));
	assert_int_equal(vk_io_size_bytes(io), offset + count);
	assert_holds(io, offset, bytes, count);
	if (offset > 0)
		assert_span(io, 0, VK_SPAN_ABSENT, offset);
	vk_io_close(io);
}

static void rows_of_all_styles_parse(void **state)
{
	(void)state;
	assert_row("00100000  0d d0 01 c0 03 00 00 00  10 00 00 00 00 0f 00 00  |................|",
		   0x100000, BYTES16, 16);
	assert_row("00100000  0d d0 01 c0 03 00 00 00  10 00 00 00 00 0f 00 00", 0x100000, BYTES16,
		   16);
	assert_row("  \t00100000  0D D0 01 C0 03 00 00 00  10 00 00 00 00 0F 00 00  |....|\r",
		   0x100000, BYTES16, 16);
	assert_row("> > 00100000 0d d0 01 c0 03 00 00 00 10 00 00 00 00 0f 00 00 >....<", 0x100000,
		   BYTES16, 16);
	assert_row("00100000: 0dd0 01c0 0300 0000 1000 0000 000f 0000  ................", 0x100000,
		   BYTES16, 16);
	assert_row("00100000: 0dd001c0 03000000 10000000 000f0000  ................", 0x100000, BYTES16,
		   16);
	assert_row("400000000000  0d d0                               |..|", 0x400000000000, BYTES16,
		   2);
	assert_row("0fffffffffffffe0  0d", 0x0fffffffffffffe0, BYTES16, 1);
	assert_row("00000200: 0dd0 01                                  ...", 0x200, BYTES16, 3);
	assert_row("\xEF\xBB\xBF" "00000000  0d|.|", 0, BYTES16, 1);
	/* words whose order a magic tells */
	assert_row("00100000  0dd0 01c0", 0x100000, BYTES16, 4);
	assert_row("00100000  d00d c001", 0x100000, BYTES16, 4);
	assert_row("000200  0d d0 01 c0", 0x200, BYTES16, 4);
	assert_row("00000000: 00112233445566778899aabbccddeeff00", 0,
		   "\0\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa\xbb\xcc\xdd\xee\xff\0", 17);
}

static void other_lines_are_told_apart(void **state)
{
	static const char *const others[] = {
		"# hexdump -C -s 0x100000 -n 688 /dev/sdb1",
		"00000000000100000  0d d0",                   /* seventeen digits */
		"00100000  0d d0 1 c0",                       /* half a byte */
		"00100000  0d d0 01 c0 hello",                /* a short row with something behind it */
		"00100000  |....|",
		"00100000:",
		"00100000: xyz",
		"00100000x 0d d0",
		"10 00 00 00 00 0f 00 00  |........|",
		"**",
		"* the partition is gone",
		"deadbeef is what it said",
		"", " > \r", "*", "> *\r", "00000200", "0000200 \r",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		struct vk_io *io = vk_io_memory("text", others[i], strlen(others[i]), false);

		if (vk_io_is_hexdump(io))
			fail_msg("\"%s\" was taken for a listing", others[i]);
		vk_io_close(io);
	}
}

static void assert_damage(struct vk_io *io, const char *what, const char *text, const char *line)
{
	uint64_t at = 0;
	const char *damage = vk_io_damage(io, &at);

	assert_non_null(damage);
	assert_non_null(strstr(damage, what));
	assert_int_equal(at, strstr(text, line) - text);
}

static void mail_with_two_listings_unfolds(void **state)
{
	static const char text[] =
		"Hello,\r\n"
		"here is what I see on 20090421:\r\n"
		"20090421\r\n"
		"\r\n"
		"> [root@esx root]# hexdump -C -n 64 /dev/sdb\r\n"
		"> 00000000  41 41 41 41 41 41 41 41  41 41 41 41 41 41 41 41  |AAAAAAAAAAAAAAAA|\r\n"
		"> *\r\n"
		"> 00000030  42 42 42 42 42 42 42 42  42 42 42 42 42 42 42 42  |BBBBBBBBBBBBBBBB|\r\n"
		"> 00000040\r\n"
		"\r\n"
		"and further on\r\n"
		"12345678\r\n"
		"> 00100000  00 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00\r\n"
		"> *\r\n"
		"> 00200000  55 aa  |U.|\r\n"
		"> 00200002\r\n"
		"Regards\r\n";
	struct vk_io *io = unfold(text);

	(void)state;
	assert_null(vk_io_damage(io, NULL));
	assert_int_equal(vk_io_size_bytes(io), 0x200002);
	assert_span(io, 0, VK_SPAN_DATA, 0x40);
	assert_span(io, 0x40, VK_SPAN_ABSENT, 0x100000 - 0x40);
	assert_span(io, 0x100010, VK_SPAN_ZERO, 0xFFFF0);
	assert_holds(io, 0x2F, "ABBBB", 5);
	assert_zeros(io, 0x100000, 0x100000);
	assert_holds(io, 0x200000, "\x55\xaa", 2);
	vk_io_close(io);
}

static void wrapped_rows_are_put_together(void **state)
{
	static const char text[] =
		"00000000  41 41 41 41 41 41 41 41  41 41 41 41 41 41 41 41  |AAAAAAAAAAAAAAAA|\n"
		"00000010  42 42 42 42 42 42 42 42\n"
		"42 42 42 42 42 42 42 42  |BBBBBBBBBBBBBBBB|\n"
		"00000020  43 43 43 43 43 43 43 43  43 43 43 43 43 43 43 43\n"
		"|CCCCCCCCCCCCCCCC|\n";
	static const char lost[] =
		"00000000  41 41 41 41 41 41 41 41  41 41 41 41 41 41 41 41  |AAAAAAAAAAAAAAAA|\n"
		"00000010  42 42 42 42 42 42 42 42\n"
		"00000020  43 43 43 43 43 43 43 43  43 43 43 43 43 43 43 43  |CCCCCCCCCCCCCCCC|\n";
	struct vk_io *io = unfold(text);

	(void)state;
	assert_null(vk_io_damage(io, NULL));
	assert_span(io, 0, VK_SPAN_DATA, 0x30);
	assert_holds(io, 0xF, "ABBBBBBBBBBBBBBBBC", 18);
	vk_io_close(io);
	/* where the other half is lost, a gap is left, and no zeros */
	io = unfold(lost);
	assert_span(io, 0, VK_SPAN_DATA, 0x18);
	assert_span(io, 0x18, VK_SPAN_ABSENT, 8);
	assert_span(io, 0x20, VK_SPAN_DATA, 0x10);
	vk_io_close(io);
}

#define ROW(offset) offset "  31 32 33 34 35 36 37 38  39 30 31 32 33 34 35 36  |1234567890123456|\n"
#define ZERO_ROW(offset) offset "  00 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00  |................|\n"

static void offsets_that_go_back_begin_another_listing(void **state)
{
	static const char back[] = ROW("00001000") ROW("00001010") ROW("00000200") ROW("00002000");
	static const char overlap[] = ROW("00001000") ROW("00001010") ROW("0000101f");
	static const char zero[] = ZERO_ROW("00000000") "*\n" ROW("00000030") ROW("00000020");
	struct vk_io *io = unfold(back);
	struct vk_io *other;

	(void)state;
	assert_null(vk_io_damage(io, NULL));
	assert_int_equal(vk_io_size_bytes(io), 0x2010);
	assert_holds(io, 0x200, "1234", 4);
	assert_span(io, 0x210, VK_SPAN_ABSENT, 0x1000 - 0x210);
	assert_null(vk_io_take_next(io));
	vk_io_close(io);
	/* what gives other bytes for a place stands by itself */
	io = unfold(overlap);
	assert_int_equal(vk_io_size_bytes(io), 0x1020);
	other = vk_io_take_next(io);
	assert_non_null(other);
	assert_span(other, 0, VK_SPAN_ABSENT, 0x101f);
	assert_string_equal(vk_io_name(other), "mail#line-3");
	vk_io_close(other);
	vk_io_close(io);
	io = unfold(zero);
	assert_int_equal(vk_io_size_bytes(io), 0x40);
	other = vk_io_take_next(io);
	assert_non_null(other);
	assert_span(other, 0x20, VK_SPAN_DATA, 0x10);
	vk_io_close(other);
	vk_io_close(io);
}

static void repeats_need_both_ends(void **state)
{
	static const char cut[] = ROW("00000000") ROW("00000010") "*\n";
	static const char prose[] = ZERO_ROW("00000000") "*\n"
				    "and then the other one\n" ROW("00100000");
	static const char twice[] = ROW("00000000") "*\n00000040\n*\n00000080\n";
	static const char torn[] = ROW("00000000") "00000010  31 32\n*\n" ROW("00000040");
	struct vk_io *io = unfold(cut);

	(void)state;
	assert_damage(io, "how far", cut, "*");
	assert_int_equal(vk_io_size_bytes(io), 0x20);
	vk_io_close(io);
	io = unfold(prose);
	assert_null(vk_io_damage(io, NULL));
	assert_span(io, 0x10, VK_SPAN_ABSENT, 0xFFFF0);
	vk_io_close(io);
	io = unfold(twice); /* nothing is repeated behind an end */
	assert_int_equal(vk_io_size_bytes(io), 0x40);
	vk_io_close(io);
	io = unfold(torn); /* a * behind half a row repeats nothing known */
	assert_span(io, 0x12, VK_SPAN_ABSENT, 0x2E);
	vk_io_close(io);
}

static void huge_repeats_are_bounded(void **state)
{
	static const char zeros[] = ZERO_ROW("00000000") "*\n" ROW("800000000000");
	static const char rows[] = ROW("00000000") "*\n" ROW("04000000") "*\n" ROW("08000000");
	static const char far_off[] = ZERO_ROW("00000000") "*\n" ROW("ffffffffffffffff");
	struct vk_io *io = unfold(zeros);

	(void)state;
	assert_null(vk_io_damage(io, NULL));
	assert_span(io, 0x10, VK_SPAN_ZERO, 0x800000000000 - 0x10);
	assert_int_equal(vk_io_size_bytes(io), 0x800000000010);
	vk_io_close(io);
	io = unfold(rows); /* the first 64 MiB less a row fit, the second do not */
	assert_non_null(strstr(vk_io_damage(io, NULL), "64 MiB"));
	assert_int_equal(vk_io_size_bytes(io), 0x4000010);
	assert_holds(io, 0x3FFFFF8, "90123456" "12345678", 16);
	vk_io_close(io);
	io = unfold(far_off);
	assert_damage(io, "larger than a disk", far_off, "ffffffff");
	vk_io_close(io);
}

static void other_things_are_no_listing(void **state)
{
	static const char *const texts[] = {
		"",
		"\n\n\n",
		"Just a letter.\nNothing in it.\n",
		"20090421 12 13 14\n20090422 12 13 14\n", /* rows, but they do not belong together */
		"00000000  41 42\nis what it says\n",
	};
	static const char listing[] = ROW("00000000") ROW("00000010");
	uint8_t binary[70000];
	struct vk_error err = {0};
	struct vk_io *out = NULL;
	struct vk_io *io;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		io = vk_io_memory("text", texts[i], strlen(texts[i]), false);
		assert_false(vk_io_is_hexdump(io));
		vk_io_close(io);
	}
	fill_bytes(binary, sizeof(binary), 1);
	io = vk_io_memory("binary", binary, sizeof(binary), false);
	assert_false(vk_io_is_hexdump(io));
	vk_io_close(io);
	/* a disk with a listing on it is still a disk */
	memset(binary, 0, sizeof(binary));
	memcpy(binary, listing, sizeof(listing));
	io = vk_io_memory("binary", binary, sizeof(binary), false);
	assert_false(vk_io_is_hexdump(io));
	vk_io_close(io);
	io = vk_io_memory("letter", texts[2], strlen(texts[2]), false);
	assert_int_equal(vk_io_hexdump(io, &out, &err), VK_DAMAGED);
	assert_null(out);
	vk_io_close(io);
}

static void long_preface_and_long_lines_do_not_matter(void **state)
{
	static const char listing[] = "\n" ROW("00000000") ROW("00000010") "00000020\n";
	char *text = malloc(50000);
	struct vk_io *io;

	(void)state;
	memset(text, 'w', 40000);
	memcpy(text + 40000, listing, sizeof(listing));
	io = unfold(text);
	assert_int_equal(vk_io_size_bytes(io), 0x20);
	vk_io_close(io);
	free(text);
}

/* What the real programs print for made data. */
static void assert_round_trip(const char *program, const uint8_t *bytes, size_t len)
{
	const char *tmp = getenv("TMPDIR");
	char name[200];
	char text[210];
	char command[600];
	struct vk_error err = {0};
	enum vk_io_form form;
	struct vk_io *io;
	int fd;

	snprintf(name, sizeof(name), "%s/vmfskit-test-XXXXXX", tmp != NULL ? tmp : "/tmp");
	fd = mkstemp(name);
	assert_true(fd >= 0);
	put_at(fd, 0, bytes, len);
	snprintf(command, sizeof(command), "%s <%s >%s.text", program, name, name);
	assert_int_equal(shell(command), 0);
	unlink(name);
	snprintf(text, sizeof(text), "%s.text", name);
	assert_int_equal(vk_io_open(text, NULL, &io, &form, &err), VK_OK);
	assert_int_equal(form, VK_FORM_HEXDUMP);
	assert_null(vk_io_damage(io, NULL));
	assert_int_equal(vk_io_size_bytes(io), len);
	assert_holds(io, 0, bytes, len);
	vk_io_close(io);
	unlink(text);
	close(fd);
}

static void round_trips(const char *program)
{
	static const size_t lengths[] = {16, 17, 31, 33, 40, 512, 4096, 100001};
	uint8_t *bytes = malloc(1 << 20);

	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		fill_bytes(bytes, lengths[i], i + 1);
		assert_round_trip(program, bytes, lengths[i]);
		memset(bytes, 0, lengths[i]);
		assert_round_trip(program, bytes, lengths[i]);
		memset(bytes, 'e', lengths[i]);
		assert_round_trip(program, bytes, lengths[i]);
	}
	memset(bytes, 0, 1 << 20); /* runs of all kinds */
	fill_bytes(bytes + 70000, 700, 1);
	memset(bytes + 300000, 0xFF, 5000);
	fill_bytes(bytes + (1 << 20) - 100, 100, 1);
	assert_round_trip(program, bytes, 1 << 20);
	free(bytes);
}

static void hexdump_round_trips(void **state)
{
	(void)state;
	if (shell("command -v hexdump >/dev/null") != 0)
		skip();
	round_trips("hexdump -C");
}

static void xxd_round_trips(void **state)
{
	(void)state;
	if (shell("command -v xxd >/dev/null") != 0)
		skip();
	round_trips("xxd");
	round_trips("xxd -g 1 -u");
}

/* hexdump -C -s: begins far into the disk. */
static void listing_of_a_part_keeps_its_offset(void **state)
{
	char text[] = ROW("00100000") ROW("00100010") "00100020\n";
	struct vk_io *io = unfold(text);

	(void)state;
	assert_span(io, 0, VK_SPAN_ABSENT, 0x100000);
	assert_int_equal(vk_io_size_bytes(io), 0x100020);
	assert_int_equal(vk_io_sector_size(io), 512);
	vk_io_close(io);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_of_all_styles_parse),
		cmocka_unit_test(other_lines_are_told_apart),
		cmocka_unit_test(mail_with_two_listings_unfolds),
		cmocka_unit_test(wrapped_rows_are_put_together),
		cmocka_unit_test(offsets_that_go_back_begin_another_listing),
		cmocka_unit_test(repeats_need_both_ends),
		cmocka_unit_test(huge_repeats_are_bounded),
		cmocka_unit_test(other_things_are_no_listing),
		cmocka_unit_test(long_preface_and_long_lines_do_not_matter),
		cmocka_unit_test(hexdump_round_trips),
		cmocka_unit_test(xxd_round_trips),
		cmocka_unit_test(listing_of_a_part_keeps_its_offset),
	};

	return cmocka_run_group_tests_name("io: listings", tests, NULL, NULL);
}
