/* SPDX-License-Identifier: Apache-2.0 */
/* Each form of a listing is read as the bytes that it was made of, or refused with the reason. */
#include "listing_forms.h"
#include "vmfskit/finding.h"

static void found(void *ctx, const struct vk_finding *finding)
{
	strcat(ctx, finding->message);
	strcat(ctx, "\n");
}

/* What the input itself gives rise to. */
static void say_faults(struct vk_io *io, char said[4096])
{
	const struct vk_finding_sink sink = {found, said};

	said[0] = '\0';
	vk_io_say_faults(io, &sink);
}

static void check_form(const struct form *form)
{
	uint8_t raw[RAW_BYTES], got[RAW_BYTES + 1];
	char said[4096];
	struct vk_error err = {0};
	enum vk_io_form kind;
	struct vk_io *io;
	size_t count;

	make_raw(raw, !form->no_magic);
	print_form(form, raw);
	if (vk_io_open("text", NULL, &io, &kind, &err) != VK_OK) {
		if (!form->refused || strstr(err.what, form->says) == NULL)
			fail_msg("%s: %s", form->name, err.what);
		assert_int_equal(err.status, VK_USAGE);
		return;
	}
	if (form->refused || kind != VK_FORM_HEXDUMP)
		fail_msg("%s: %s", form->name, form->refused ? "it is not refused" : "it is not recognised");
	say_faults(io, said);
	assert_int_equal(vk_io_read(io, 0, got, sizeof(got), &count, &err), VK_OK);
	if (count != RAW_BYTES || memcmp(got, raw, RAW_BYTES) != 0)
		fail_msg("%s: %zu bytes, not as they were: %s", form->name, count, said);
	if (form->says == NULL ? said[0] != '\0' : strstr(said, form->says) == NULL)
		fail_msg("%s: it says \"%s\"", form->name, said);
	vk_io_close(io);
}

static void every_form_gives_its_bytes_or_a_reason(void **state)
{
	(void)state;
	assert_true(sizeof(forms) / sizeof(forms[0]) >= 60);
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
		check_form(&forms[i]);
}

static struct vk_io *unfold(const char *text, size_t len, struct vk_error *err)
{
	struct vk_io *base = vk_io_memory("mail", text, len, true);
	struct vk_io *io = NULL;

	if (vk_io_hexdump(base, &io, err) != VK_OK)
		vk_io_close(base);
	return io;
}

#define ROW(offset, digit) \
	offset "  3" digit " 32 33 34 35 36 37 38  39 30 31 32 33 34 35 36  |" digit "234567890123456|\n"

static void devices_in_one_text_are_sources_of_their_own(void **state)
{
	static const char text[] =
		"# hexdump -C -n 16 /dev/sdb\n" ROW("00000000", "1") "00000010\n"
		"root@host:~# dd if=/dev/sdc bs=512 count=1 status=none | hexdump -C\n" ROW("00000000", "2")
		"and more of the first:\n# hexdump -C -s 32 -n 16 /dev/sdb\n" ROW("00000020", "3");
	struct vk_error err = {0};
	struct vk_io *io = unfold(text, strlen(text), &err), *other;
	char said[4096];

	(void)state;
	assert_non_null(io);
	other = vk_io_take_next(io);
	assert_non_null(other);
	assert_false(vk_io_has_next(other));
	assert_string_equal(vk_io_name(io), "mail#/dev/sdb");
	assert_string_equal(vk_io_name(other), "mail#/dev/sdc");
	assert_holds(io, 0, "12345", 5);
	assert_span(io, 0x10, VK_SPAN_ABSENT, 0x10);
	assert_holds(io, 0x20, "32345", 5);
	assert_holds(other, 0, "22345", 5);
	assert_int_equal(vk_io_size_bytes(other), 16);
	say_faults(io, said);
	assert_string_equal(said, "");
	vk_io_close(other);
	vk_io_close(io);
}

static void what_collides_is_told_and_kept(void **state)
{
	static const char text[] =
		ROW("00000000", "1") ROW("00000010", "1") "\n" ROW("00000010", "2") ROW("00000020", "2");
	struct vk_error err = {0};
	struct vk_io *io = unfold(text, strlen(text), &err), *other;
	char said[4096];

	(void)state;
	assert_non_null(io);
	other = vk_io_take_next(io);
	assert_non_null(other);
	assert_string_equal(vk_io_name(other), "mail#line-4");
	assert_holds(other, 0x20, "22345", 5);
	say_faults(io, said);
	assert_non_null(strstr(said, "the listings from line 1 and from line 4 on differ at byte 16"));
	vk_io_close(other);
	vk_io_close(io);
}

static void rows_that_are_not_used_are_counted(void **state)
{
	/* a digit was changed in the third line, and one was lost in the fifth */
	static const char text[] =
		"Look:\n" ROW("00000000", "1")
		"00000010  41 32 33 34 35 36 37 38  39 30 31 32 33 34 35 36  |1234567890123456|\n" ROW("00000020", "3")
		"00000030  31 32 33 34 35 36 37 38  9 30 31 32 33 34 35 36  |1234567890123456|\n" ROW("00000040", "5");
	struct vk_error err = {0};
	struct vk_io *io = unfold(text, strlen(text), &err);
	char said[4096];

	(void)state;
	assert_non_null(io);
	assert_null(vk_io_take_next(io));
	assert_span(io, 0x10, VK_SPAN_ABSENT, 0x10);
	assert_span(io, 0x30, VK_SPAN_ABSENT, 0x10);
	say_faults(io, said);
	assert_non_null(strstr(said, "2 rows are not used; the first is line 3: its text column is not that of its"));
	vk_io_close(io);
}

/* Each device as VMware's KB 2046610 prints it; bytes of a published case, whose text column hides the label. */
static void the_search_of_vmware_is_read_as_what_it_is(void **state)
{
	static const char text[] =
		"/vmfs/devices/disks/naa.6005076801810209f000000000000089\n"
		"msdos\n130541 255 63 2097152000\n1 128 2097141164 251 0\n"
		"Checking offset found at 128:\n0110000 d00d c001\n0110004\n1310000 f15e 2fab\n1310004\n"
		"0131001d  53 4d 54 49 4e 54 47 58  52 5f 36 34 00 00 00 00  |MY-DATASTORE....|\n"
		"0131002d  00 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00  |................|\n"
		"---------------------\n"
		"/vmfs/devices/disks/naa.6005076801810209f000000000000025\n"
		"msdos\n130541 255 63 2097152000\n---------------------\n";
	struct vk_error err = {0};
	struct vk_io *io = unfold(text, strlen(text), &err);
	char said[4096];

	(void)state;
	assert_non_null(io);
	assert_null(vk_io_take_next(io));
	assert_holds(io, 0x110000, "\x0d\xd0\x01\xc0", 4);
	assert_holds(io, 0x1310000, "\x5e\xf1\xab\x2f", 4);
	assert_span(io, 0x1310004, VK_SPAN_ABSENT, 0x29);
	say_faults(io, said);
	assert_non_null(strstr(said, "partition 1: 128 to 2097141164 (251)"));
	assert_non_null(strstr(said, "an LVM header at byte 1114112, so a partition starts at sector 128"));
	assert_non_null(strstr(said, "1 row is not used; the first is line 10"));
	vk_io_close(io);
}

/* A text of which nothing can be used is given up quickly, however it tries. */
static void hostile_texts_are_given_up(void **state)
{
	enum { LINES = 200000 };
	char *text = malloc((size_t)LINES * 64);
	struct vk_error err = {0};
	size_t len = 0;
	struct vk_io *io;

	(void)state;
	assert_non_null(text);
	for (size_t i = 0; i < LINES; i++)
		len += (size_t)sprintf(text + len, "%08zx: %02zx %02zx %02zx %02zx\n", (i * 7919) % 65536 * 256,
				       i & 255, i & 255, i & 255, i >> 8 & 255);
	io = unfold(text, len, &err);
	assert_true(io != NULL || err.status == VK_DAMAGED || err.status == VK_USAGE);
	vk_io_close(io);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_form_gives_its_bytes_or_a_reason),
		cmocka_unit_test(devices_in_one_text_are_sources_of_their_own),
		cmocka_unit_test(what_collides_is_told_and_kept),
		cmocka_unit_test(rows_that_are_not_used_are_counted),
		cmocka_unit_test(the_search_of_vmware_is_read_as_what_it_is),
		cmocka_unit_test(hostile_texts_are_given_up),
	};

	return cmocka_run_group_tests_name("io: forms of listings", tests, make_folder, drop_folder);
}
