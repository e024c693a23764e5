/* SPDX-License-Identifier: Apache-2.0 */
/* The ground everything stands on: texts, checked arithmetic, bytes, errors. */
#include <stdlib.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "base/command.h"
#include "disk_support.h"
#include "vmfskit/error.h"
#include "vmfskit/text.h"

static char out[512];

static struct vk_text fresh(size_t cap)
{
	struct vk_text text;

	memset(out, 'Z', sizeof(out));
	vk_text_init(&text, out, cap);
	return text;
}

static const char *size_text(uint64_t bytes)
{
	struct vk_text text = fresh(sizeof(out));

	vk_text_size(&text, bytes);
	return out;
}

static void sizes(void **state)
{
	(void)state;
	assert_string_equal(size_text(0), "0 bytes");
	assert_string_equal(size_text(688), "688 bytes");
	assert_string_equal(size_text(1023), "1023 bytes");
	assert_string_equal(size_text(1024), "1 KiB (1024 bytes)");
	assert_string_equal(size_text(1025), "1.00 KiB (1025 bytes)");
	assert_string_equal(size_text(1536), "1.50 KiB (1536 bytes)");
	assert_string_equal(size_text(1258435584), "1.17 GiB (1258435584 bytes)");
	assert_string_equal(size_text(107372739584ULL), "100.00 GiB (107372739584 bytes)");
	assert_string_equal(size_text((1ULL << 30) - 1), "1.00 GiB (1073741823 bytes)");
	assert_string_equal(size_text(1ULL << 46), "64 TiB (70368744177664 bytes)");
	assert_string_equal(size_text((1ULL << 46) - 512), "64.00 TiB (70368744177152 bytes)");
	assert_string_equal(size_text(1ULL << 60), "1 EiB (1152921504606846976 bytes)");
	assert_string_equal(size_text(UINT64_MAX), "16.00 EiB (18446744073709551615 bytes)");
}

static void times(void **state)
{
	static const struct {
		uint64_t us;
		const char *text;
	} rows[] = {
		{0x00046813617ED1E7, "2009-04-21T16:45:56.211175Z"},
		{0x000460A6FB19896E, "2009-01-17T05:30:00.435054Z"},
		{0x0004C16CFD25122D, "2012-06-01T18:02:34.536493Z"},
		{0x0004C9F5BD8AE976, "2012-09-18T08:33:11.010678Z"},
		{0x0004CA018DD447C8, "2012-09-18T22:38:50.120136Z"},
		{0, "1970-01-01T00:00:00.000000Z"},
		{253402300799999999ULL, "9999-12-31T23:59:59.999999Z"},
		{253402300800000000ULL, "253402300800000000 us since 1970 (no date)"},
		{UINT64_MAX, "18446744073709551615 us since 1970 (no date)"},
	};
	struct vk_text text;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		text = fresh(sizeof(out));
		vk_text_time_us(&text, rows[i].us);
		assert_string_equal(out, rows[i].text);
	}
	text = fresh(sizeof(out));
	vk_text_time_s(&text, 0x49EDF842);
	vk_text_put(&text, " ");
	vk_text_time_s(&text, UINT32_MAX);
	vk_text_put(&text, " ");
	vk_text_time_s(&text, UINT64_MAX);
	assert_string_equal(out, "2009-04-21T16:45:54Z 2106-02-07T06:28:15Z "
				 "18446744073709551615 s since 1970 (no date)");
}

static void durations(void **state)
{
	static const struct {
		uint64_t us;
		const char *text;
	} rows[] = {
		{0, "0.00 s"},
		{0x1762FFAF, "392.36 s"},
		{3599999999ULL, "3599.99 s"},
		{3600000000ULL, "1 h 00 min 00 s"},
		{3723000000ULL, "1 h 02 min 03 s"},
		{86399999999ULL, "23 h 59 min 59 s"},
		{15044700000000ULL, "174 d 3 h 5 min"},
		{UINT64_MAX, "213503982 d 8 h 1 min"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct vk_text text = fresh(sizeof(out));

		vk_text_duration_us(&text, rows[i].us);
		assert_string_equal(out, rows[i].text);
	}
}

static const char *label(const char *bytes, size_t len)
{
	struct vk_text text = fresh(sizeof(out));

	vk_text_label(&text, (const uint8_t *)bytes, len);
	return out;
}
#define LABEL(literal) label(literal, sizeof(literal) - 1)

static void labels(void **state)
{
	(void)state;
	assert_string_equal(LABEL("toto"), "toto");
	assert_string_equal(LABEL("toto\0hidden"), "toto");
	assert_string_equal(LABEL("Lager \xc3\xa4\xe2\x82\xac\xf0\x9f\x92\xbe"),
			    "Lager \xc3\xa4\xe2\x82\xac\xf0\x9f\x92\xbe");
	assert_string_equal(LABEL("a\x1b[2Jb"), "a\\x1b[2Jb");
	assert_string_equal(LABEL("a\\x41"), "a\\x5cx41");
	assert_string_equal(LABEL("\x01\x1f\x7f\n\r\t"), "\\x01\\x1f\\x7f\\x0a\\x0d\\x09");
	/* C1 control characters, whole */
	assert_string_equal(LABEL("\xc2\x9b" "31m"), "\\xc2\\x9b31m");
	assert_string_equal(LABEL("\xc2\xa0"), "\xc2\xa0");
	/* overlong, surrogate, beyond U+10FFFF, alone, cut off */
	assert_string_equal(LABEL("\xc0\xaf"), "\\xc0\\xaf");
	assert_string_equal(LABEL("\xe0\x80\xaf"), "\\xe0\\x80\\xaf");
	assert_string_equal(LABEL("\xed\xa0\x80"), "\\xed\\xa0\\x80");
	assert_string_equal(LABEL("\xed\xbf\xbf"), "\\xed\\xbf\\xbf");
	assert_string_equal(LABEL("\xc1\xbf"), "\\xc1\\xbf");
	assert_string_equal(LABEL("\xf0\x8f\xbf\xbf"), "\\xf0\\x8f\\xbf\\xbf");
	/* the first and last of each length, and next to the surrogates */
	assert_string_equal(LABEL("~\xc2\xa1\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf"),
			    "~\xc2\xa1\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf");
	assert_string_equal(LABEL("\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"),
			    "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf");
	assert_string_equal(LABEL("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80");
	assert_string_equal(LABEL("\xbf\xff\xfe"), "\\xbf\\xff\\xfe");
	assert_string_equal(LABEL("\xe2\x82"), "\\xe2\\x82");
	assert_string_equal(LABEL("\xc3("), "\\xc3(");
	assert_string_equal(LABEL(""), "");
}

static void labels_cannot_turn_around(void **state)
{
	static const uint32_t points[] = {0x061c, 0x200e, 0x200f, 0x2028, 0x2029, 0x202a, 0x202b,
					  0x202c, 0x202d, 0x202e, 0x2066, 0x2067, 0x2068, 0x2069};

	(void)state;
	for (size_t i = 0; i < sizeof(points) / sizeof(points[0]); i++) {
		uint32_t c = points[i];
		uint8_t bytes[3] = {(uint8_t)(0xe0 | c >> 12), (uint8_t)(0x80 | (c >> 6 & 0x3f)),
				    (uint8_t)(0x80 | (c & 0x3f))};
		uint8_t two[2] = {(uint8_t)(0xc0 | c >> 6), (uint8_t)(0x80 | (c & 0x3f))};
		char expected[32];

		if (c < 0x800) {
			snprintf(expected, sizeof(expected), "\\x%02x\\x%02x", two[0], two[1]);
			assert_string_equal(label((const char *)two, 2), expected);
		} else {
			snprintf(expected, sizeof(expected), "\\x%02x\\x%02x\\x%02x", bytes[0],
				 bytes[1], bytes[2]);
			assert_string_equal(label((const char *)bytes, 3), expected);
		}
	}
	/* their neighbours are letters and marks like any other */
	assert_string_equal(LABEL("\xe2\x80\x90\xe2\x80\xaf\xe2\x81\xaa"),
			    "\xe2\x80\x90\xe2\x80\xaf\xe2\x81\xaa");
}

/* Whatever the bytes, the text is valid UTF-8 without control characters. */
static void labels_of_any_bytes(void **state)
{
	uint8_t bytes[64];
	uint32_t seed = 1;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		struct vk_text text = fresh((size_t)(1 + round % 120));

		for (size_t i = 0; i < sizeof(bytes); i++) {
			seed = seed * 1664525 + 1013904223;
			bytes[i] = (uint8_t)(seed >> 24);
			if (round % 2 == 0 && i % 3 != 0)
				bytes[i] = (uint8_t)(0x80 | (bytes[i] & 0x3f));
		}
		vk_text_label(&text, bytes, sizeof(bytes));
		assert_printable(out, (size_t)(1 + round % 120));
		assert_int_equal(text.len_bytes, strlen(out));
	}
}

static void text_is_cut_between_characters(void **state)
{
	struct vk_text text = fresh(6);

	(void)state;
	vk_text_put(&text, "ab\xe2\x82\xac" "c");
	assert_string_equal(out, "ab\xe2\x82\xac");
	text = fresh(5);
	vk_text_put(&text, "ab\xe2\x82\xac");
	assert_string_equal(out, "ab");
	/* nothing may follow a cut */
	vk_text_put(&text, "c");
	assert_string_equal(out, "ab");
	assert_int_equal(text.len_bytes, 2);
	text = fresh(1);
	vk_text_put(&text, "anything");
	vk_text_hex(&text, (const uint8_t *)"a", 1);
	assert_string_equal(out, "");
	assert_int_equal(out[1], 'Z');
	text = fresh(4);
	vk_text_put(&text, "abc");
	assert_string_equal(out, "abc");
	vk_text_put(&text, "");
	assert_string_equal(out, "abc");
	assert_int_equal(out[4], 'Z');
	text = fresh(3);
	vk_text_put(&text, "\xf0\x9f\x92\xbe");
	assert_string_equal(out, "");
}

static void sizes_are_parsed(void **state)
{
	static const struct {
		const char *text;
		uint64_t bytes;
	} rows[] = {
		{"0", 0}, {"20480", 20480}, {"512s", 262144}, {"1B", 1}, {"1k", 1024}, {"1K", 1024},
		{"1KiB", 1024}, {"4M", 4194304}, {"1.5G", 1610612736}, {"0.5k", 512},
		{"64T", 1ULL << 46}, {"64TiB", 1ULL << 46}, {"1P", 1ULL << 50}, {"15E", 15ULL << 60},
		{"15.5e", 31ULL << 59}, {"1.1K", 1126}, {"0001M", 1048576},
		{"18446744073709551615", UINT64_MAX}, {"1.999999999999999999K", 2047},
	};
	static const char *const wrong[] = {
		"", "K", "-1", "+1", " 1", "1 ", "1 K", "1KB", "1KiBs", "0x10", "1.5", "1.5s", "1.5B",
		"1.", "1.K", ".5K", "1.5e2K", "1e3", "1.0x4K", "1,5G", "1..5G", "16E", "16384P",
		"18446744073709551616", "99999999999999999999999999", "36028797018963968s",
		"18014398509481984K", "15.9999999999999999999E", "inf", "nan", "1\xc3\xa9",
		"184467440737095516159",
	};
	uint64_t bytes;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		bytes = 7;
		if (!vk_text_parse_size(rows[i].text, &bytes))
			fail_msg("%s is a size", rows[i].text);
		assert_int_equal(bytes, rows[i].bytes);
	}
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		bytes = 7;
		if (vk_text_parse_size(wrong[i], &bytes))
			fail_msg("\"%s\" was taken for a size", wrong[i]);
		assert_int_equal(bytes, 7);
	}
}

static void numbers_are_parsed(void **state)
{
	static const struct {
		const char *text;
		uint64_t number;
	} rows[] = {
		{"0", 0}, {"4000", 4000}, {"04000", 4000}, {"00", 0}, {"008", 8}, {"0x800", 2048}, {"0X0a", 10},
		{"18446744073709551615", UINT64_MAX}, {"0xffffffffffffffff", UINT64_MAX},
	};
	static const char *const wrong[] = {
		"", "x", "0x", "0xg", "-1", "+1", " 1", "1 ", "1s", "08x", "1.0", "0b1", "a", "18446744073709551616",
		"0x10000000000000000",
	};
	uint64_t number;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_true(vk_text_parse_number(rows[i].text, UINT64_MAX, &number));
		assert_int_equal(number, rows[i].number);
	}
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		number = 7;
		if (vk_text_parse_number(wrong[i], UINT64_MAX, &number))
			fail_msg("\"%s\" was taken for a number", wrong[i]);
		assert_int_equal(number, 7);
	}
	assert_true(vk_text_parse_number("64", 64, &number));
	assert_false(vk_text_parse_number("65", 64, &number));
}

static void arithmetic(void **state)
{
	uint64_t r;

	(void)state;
	assert_true(vk_add_u64(UINT64_MAX - 1, 1, &r));
	assert_int_equal(r, UINT64_MAX);
	assert_false(vk_add_u64(UINT64_MAX, 1, &r));
	assert_true(vk_mul_u64(1ULL << 32, (1ULL << 32) - 1, &r));
	assert_int_equal(r, 0xffffffff00000000ULL);
	assert_false(vk_mul_u64(1ULL << 32, 1ULL << 32, &r));
	assert_int_equal(vk_add_sat(UINT64_MAX, UINT64_MAX), UINT64_MAX);
	assert_int_equal(vk_add_sat(2, 3), 5);
	assert_int_equal(vk_mul_sat(UINT64_MAX, 2), UINT64_MAX);
	assert_int_equal(vk_mul_sat(UINT64_MAX, 0), 0);
	assert_int_equal(vk_round_up_sat(0, 512), 0);
	assert_int_equal(vk_round_up_sat(1, 512), 512);
	assert_int_equal(vk_round_up_sat(512, 512), 512);
	assert_int_equal(vk_round_up_sat(UINT64_MAX, 4096), UINT64_MAX);
	assert_int_equal(vk_min_u64(1, 2), 1);
	assert_int_equal(vk_max_u64(1, 2), 2);
}

static void bytes_in_order(void **state)
{
	uint8_t b[9] = {0xff, 0xf7, 0xf6, 0xf5, 0xf4, 0xf3, 0xf2, 0xf1, 0xf0};
	static const uint8_t zeros[40];
	uint8_t one[40] = {0};

	(void)state;
	/* unaligned, and with every top bit set */
	assert_int_equal(vk_get_le16(b + 1), 0xf6f7);
	assert_int_equal(vk_get_le32(b + 1), 0xf4f5f6f7);
	assert_int_equal(vk_get_le64(b + 1), 0xf0f1f2f3f4f5f6f7);
	vk_put_le64(b + 1, 0x0102030405060708);
	assert_int_equal(b[1], 8);
	assert_int_equal(b[8], 1);
	assert_int_equal(b[0], 0xff);
	vk_put_le16(b + 1, 0xaabb);
	vk_put_le32(b + 3, 0xccddeeff);
	assert_memory_equal(b + 1, "\xbb\xaa\xff\xee\xdd\xcc", 6);
	for (size_t i = 0; i < sizeof(one); i++) {
		assert_true(vk_all_zero(zeros, i));
		one[i] = 1;
		assert_true(vk_all_zero(one, i));
		assert_false(vk_all_zero(one, i + 1));
		assert_false(vk_all_zero(one, sizeof(one)));
		one[i] = 0;
	}
	assert_true(vk_all_bytes((const uint8_t *)"aaa", 3, 'a'));
	assert_false(vk_all_bytes((const uint8_t *)"aab", 3, 'a'));
}

/* Whatever is in the words, and however long they are, a shell and a program take them as they are. */
static void commands(void **state)
{
	struct vk_command c;
	char longest[5000];
	char *text;

	(void)state;
	vk_command_begin(&c, "vmfskit");
	vk_command_add(&c, " %s", "undo");
	vk_command_path(&c, "x-undo");
	vk_command_path(&c, "-odd name");
	vk_command_path(&c, "-odd");
	vk_command_add(&c, " --store");
	vk_command_path(&c, "/a b/it's");
	vk_command_word(&c, "-1");
	vk_command_word(&c, "");
	vk_command_word(&c, "$HOME");
	text = vk_command_end(&c);
	assert_string_equal(text, "vmfskit undo x-undo './-odd name' ./-odd --store '/a b/it'\\''s' -1 '' '$HOME'");
	free(text);
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	vk_command_begin(&c, "vmfskit undo");
	vk_command_path(&c, longest);
	vk_command_add(&c, " --write");
	text = vk_command_end(&c);
	assert_int_equal(strlen(text), 12 + 1 + sizeof(longest) - 1 + 8);
	assert_string_equal(text + strlen(text) - 8, " --write");
	free(text);
	assert_string_equal(vk_shell_path("/a b/it's").text, "'/a b/it'\\''s'");
	assert_string_equal(vk_shell_path("/srv/store").text, "/srv/store");
	assert_string_equal(vk_shell_path("-odd").text, "./-odd");
	assert_string_equal(vk_shell_path(longest).text, "PATH");
}

static void errors(void **state)
{
	struct vk_error err = {.status = VK_OK};
	char longest[2000];

	(void)state;
	assert_int_equal(vk_error_set(&err, VK_DAMAGED, "disk.img", "entry %d is bad", 3), VK_DAMAGED);
	assert_int_equal(err.status, VK_DAMAGED);
	assert_string_equal(err.what, "entry 3 is bad");
	assert_string_equal(err.where, "disk.img");
	assert_false(err.has_offset);
	assert_int_equal(vk_error_at(&err, 512), VK_DAMAGED);
	assert_true(err.has_offset);
	assert_int_equal(err.offset_bytes, 512);
	assert_int_equal(vk_error_remedy(&err, "do %s", "this"), VK_DAMAGED);
	assert_string_equal(err.remedy, "do this");
	assert_int_equal(vk_error_errno(&err, 2, NULL, "cannot open it"), VK_IO);
	assert_string_equal(err.what, "cannot open it: No such file or directory");
	assert_string_equal(err.where, "");
	assert_false(err.has_offset);
	assert_string_equal(err.remedy, "");
	assert_int_equal(vk_error_set(NULL, VK_USAGE, NULL, "x"), VK_USAGE);
	assert_int_equal(vk_error_errno(NULL, 5, NULL, "x"), VK_IO);

	/* cut, but never inside a character */
	memset(longest, 'x', sizeof(longest));
	for (size_t i = 0; i + 3 < sizeof(longest); i += 3)
		memcpy(longest + i, "\xe2\x82\xac", 3);
	longest[sizeof(longest) - 1] = '\0';
	vk_error_set(&err, VK_INTERNAL, longest, "%s", longest);
	assert_int_equal(strlen(err.what), 399);
	vk_error_set(&err, VK_INTERNAL, longest + 3, "a%s", longest);
	assert_int_equal(strlen(err.what), 397);
	assert_string_equal(err.what + 391, " [...]");
	assert_string_equal(err.where + 393, " [...]");
	vk_error_remedy(&err, "vmfskit undo %s --write", longest);
	assert_string_equal(err.remedy + strlen(err.remedy) - 6, " [...]");
	assert_printable(err.what, sizeof(err.what));
	assert_printable(err.where, sizeof(err.where));
	for (int s = VK_OK; s <= VK_INTERNAL; s++)
		assert_true(vk_status_name((enum vk_status)s)[0] != '\0');
	assert_string_equal(vk_status_name(VK_NOMEM), "no memory");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes),
		cmocka_unit_test(times),
		cmocka_unit_test(durations),
		cmocka_unit_test(labels),
		cmocka_unit_test(labels_cannot_turn_around),
		cmocka_unit_test(labels_of_any_bytes),
		cmocka_unit_test(text_is_cut_between_characters),
		cmocka_unit_test(sizes_are_parsed),
		cmocka_unit_test(numbers_are_parsed),
		cmocka_unit_test(arithmetic),
		cmocka_unit_test(bytes_in_order),
		cmocka_unit_test(commands),
		cmocka_unit_test(errors),
	};

	return cmocka_run_group_tests_name("base", tests, NULL, NULL);
}
