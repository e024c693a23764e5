/* SPDX-License-Identifier: Apache-2.0 */
/* Files that are gone: small histories on volumes of the lab whose verdicts are known, and maps that nobody made. */
#include "undelete_scene.h"

/* Taken at night, deleted in the day; then something else over it. */
static void one_after_the_other(void **state)
{
	(void)state;
	for (unsigned v = 0; v < VERSIONS; v++) {
		struct scene s;

		scene_open(&s, versions[v]);
		live(&s, "folder /vm\ncreate /vm/a 20M block\ncreate /vm/b 3M block\ncreate /vm/c 5000000 block");
		capture(&s);
		expect(&s, "");
		live(&s, "rename /vm/b /vm/renamed\nrename /vm/c /c");
		expect(&s, "");
		live(&s, "delete /vm/a");
		expect(&s, "/vm/a untouched: 20M");
		live(&s, "reuse /x 4M block");
		expect(&s, "/vm/a partly-reused: 16M 4M reused by /x today");
		capture(&s);
		expect(&s, "/vm/a partly-reused: 16M 4M reused by /x since 0");
		/* nothing was done since */
		capture(&s);
		expect(&s, "/vm/a partly-reused: 16M 4M reused by /x since 1");
		live(&s, "delete /c");
		capture(&s);
		assert_int_equal(find(&s, &(struct vk_undelete_wish){.path = "/c"}), VK_OK);
		assert_int_equal(s.gone.count, 1);
		assert_int_equal(s.gone.files[0].map, 1);
		assert_int_equal(s.gone.files[0].verdict, VK_UNDELETE_ALL_UNTOUCHED);
		/* what is newer says only who has it now */
		live(&s, "delete /x");
		assert_int_equal(find(&s, &(struct vk_undelete_wish){.path = "/", .newest = 3}), VK_OK);
		assert_int_equal(s.gone.count, 2);
		assert_string_equal(s.gone.files[0].path, "/vm/a");
		assert_int_equal(s.gone.files[0].bytes[VK_UNDELETE_REUSED], 4 * MIB);
		scene_close(&s);
	}
}

/* A virtual machine: all of its files at once. */
static void all_at_once(void **state)
{
	(void)state;
	for (unsigned v = 0; v < VERSIONS; v++) {
		struct scene s;

		scene_open(&s, versions[v]);
		live(&s, "folder /vm\ncreate /vm/a.vmx 3000 sub-block\ncreate /vm/a-flat.vmdk 20M block\n"
			 "create /vm/b-flat.vmdk 7M block\ncreate /vm/c-flat.vmdk 5M block");
		capture(&s);
		live(&s, "delete /vm/a.vmx\ndelete /vm/a-flat.vmdk\ndelete /vm/b-flat.vmdk\ndelete /vm/c-flat.vmdk\n"
			 "delete /vm");
		expect(&s, "/vm/a-flat.vmdk untouched: 20M; /vm/a.vmx untouched: 3000; /vm/b-flat.vmdk untouched: 7M; "
			   "/vm/c-flat.vmdk untouched: 5M");
		scene_close(&s);
	}
}

/* What no capture saw: whatever is called untouched has the bytes that it had. */
static void in_between(void **state)
{
	static const char *const day[] = {
		"delete /a\nreuse /x 2M block\ndelete /x",
		"delete /a\nresize /b 9M\nwrite /b 1M 8M\ndelete /b",
		"resize /b 9M\nwrite /b 1M 8M\nresize /b 1M\ndelete /a",
		"delete /a\nresize /b 30M\nwrite /b 1M 29M\nresize /b 1M",
		"delete /a\ncreate /x 30M block\nresize /x 3M",
	};
	uint8_t *was = malloc(20 * MIB);

	(void)state;
	assert_non_null(was);
	for (unsigned v = 0; v < VERSIONS; v++) {
		for (unsigned i = 0; i < sizeof(day) / sizeof(day[0]); i++) {
			const struct vk_undelete_file *f;
			struct scene s;

			scene_open(&s, versions[v]);
			live(&s, "create /a 20M block\ncreate /b 1M block");
			read_file(&s, "/a", was, 20 * MIB);
			capture(&s);
			live(&s, day[i]);
			assert_int_equal(find(&s, &(struct vk_undelete_wish){.path = "/a"}), VK_OK);
			assert_int_equal(s.gone.count, 1);
			f = &s.gone.files[0];
			if (i == 0)
				assert_int_equal(f->bytes[VK_UNDELETE_UNKNOWN], 20 * MIB);
			compare_untouched(&s, f, was);
			scene_close(&s);
		}
	}
	free(was);
}

/* A map of virtual disks only does not know which blocks other files had: growth of theirs explains nothing. */
static void a_map_that_is_not_whole(void **state)
{
	char steps[16000];

	(void)state;
	for (unsigned v = 0; v < VERSIONS; v++) {
		struct vk_text text = vk_text_in(steps, sizeof(steps));
		struct scene s;

		/* in many runs, so that the map of all would be too long */
		vk_text_put(&text, "create /o 1M block\ncreate /p 1M block");
		for (unsigned i = 2; i < 150; i++)
			vk_text_fmt(&text, "\nresize /o %uM\nwrite /o %uM 1M\nresize /p %uM\nwrite /p %uM 1M", i, i - 1, i, i - 1);
		scene_open(&s, versions[v]);
		live(&s, steps);
		live(&s, "create /a.vmdk 5M block");
		capture_at_most(&s, VK_FILE_MAP_LEAST_BYTES);
		live(&s, "delete /a.vmdk\nreuse /x 5M block\ndelete /x");
		assert_int_equal(find(&s, &(struct vk_undelete_wish){.path = "/a.vmdk"}), VK_OK);
		assert_int_equal(s.gone.count, 1);
		assert_int_equal(s.gone.files[0].bytes[VK_UNDELETE_UNKNOWN], 5 * MIB);
		scene_close(&s);
	}
}

/* Bytes come back; those of others do not, unless they are asked for. */
static void contents(void **state)
{
	uint8_t *was = malloc(6 * MIB), *is = malloc(6 * MIB);

	(void)state;
	assert_true(was != NULL && is != NULL);
	for (unsigned v = 0; v < VERSIONS; v++) {
		struct vk_span span;
		struct scene s;
		struct vk_io *io;

		scene_open(&s, versions[v]);
		live(&s, "create /a 6M block\ncreate /small 3000 sub-block\ncreate /thin 9M thin\nwrite /thin 4M 1M");
		capture(&s);
		read_file(&s, "/a", was, 6 * MIB);
		live(&s, "delete /a\nreuse /x 2M block");
		capture(&s);
		live(&s, "delete /small");
		capture(&s);
		live(&s, "delete /thin");
		assert_int_equal(find(&s, &(struct vk_undelete_wish){.path = "/a"}), VK_OK);
		assert_int_equal(s.gone.count, 1);
		assert_int_equal(s.gone.files[0].bytes[VK_UNDELETE_REUSED], 2 * MIB);
		assert_int_equal(vk_undelete_io(s.fs, &s.gone.files[0], 0, &io, &s.err), VK_OK);
		assert_int_equal(vk_io_size_bytes(io), 6 * MIB);
		read_all(io, 0, is, 6 * MIB);
		for (size_t r = 0; r < s.gone.files[0].range_count; r++) {
			const struct vk_undelete_range *range = &s.gone.files[0].ranges[r];
			const bool same = memcmp(is + range->file_offset, was + range->file_offset,
						 range->length_bytes) == 0;

			assert_int_equal(same, range->state != VK_UNDELETE_REUSED);
		}
		vk_io_close(io);
		assert_int_equal(vk_undelete_io(s.fs, &s.gone.files[0], 1U << VK_UNDELETE_REUSED, &io, &s.err), VK_OK);
		for (size_t r = 0; r < s.gone.files[0].range_count; r++) {
			span = vk_io_span(io, s.gone.files[0].ranges[r].file_offset);
			assert_int_equal(span.state == VK_SPAN_ABSENT,
					 s.gone.files[0].ranges[r].state == VK_UNDELETE_REUSED);
		}
		vk_io_close(io);
		/* in one map after the other */
		assert_int_equal(find(&s, NULL), VK_OK);
		assert_int_equal(s.gone.count, 3);
		assert_string_equal(s.gone.files[0].path, "/thin");
		assert_int_equal(s.gone.files[0].map, 0);
		assert_int_equal(s.gone.files[0].bytes[VK_UNDELETE_HOLE], 8 * MIB);
		assert_string_equal(s.gone.files[1].path, "/small");
		assert_int_equal(s.gone.files[1].map, 1);
		assert_int_equal(s.gone.files[2].map, 2);
		scene_close(&s);
	}
	free(was);
	free(is);
}

/* ---- maps that nobody made */

#define F(fd, size, path) "F 3 " fd " 77 " size " 1048576 0x0 0x1a4 0 0 1 10 20 " path "\n"

static void hostile(void **state)
{
	static const char other[] = "vmfskit file map 1\nV 4f4173d6-923034a3-5a3d-0050561003be 1048576 VMFS-5.81\n"
				    "E all 0 0 0 0 0\n";
	static const struct {
		const char *lines, *end, *expected;
	} rows[] = {
		{F("0x00410004", "1048576", "/a") "d 1048576 9223372036853727231\n", "1 1 0 0 0",
		 "/a unknown: 1M unknown (the map places it outside of the volume)"},
		{F("0x00410004", "9223372036854775807", "/a") "d 9223372036854775807 0\n", "1 1 0 0 0",
		 "/a unknown: 9223372036854775807 unknown (the map places it outside of the volume)"},
		{F("0x00410004", "18446744073709551615", "/a") "h 18446744073709551614\nm 1\n", "1 2 0 0 0",
		 "/a unknown: 18446744073709551614 hole 1 unknown (the map does not say where it lies)"},
		/* in itself, and with another one */
		{F("0x00410004", "3145728", "/a") "d 2097152 1073741824\nd 1048576 1074790400\n"
		 F("0x00810004", "1048576", "/b") "d 1048576 1074790400\n", "2 3 0 0 0",
		 "/a unknown: 2M unknown (it is free, but it may have been used in between) 1M unknown (the map gives "
		 "these bytes to another lost file, too); "
		 "/b unknown: 1M unknown (the map gives these bytes to another lost file, too)"},
		{F("0x00410004", "0", "/a") F("0x00810004", "0", "/b") "T 0x00810004 77\n", "2 0 0 1 0",
		 "/a untouched:; /b torn untouched:"},
		/* an address that is none; bytes in a descriptor that is another; where the volume has its bitmaps */
		{F("0xffffffff", "5", "/a") "r 5\n", "1 1 0 0 0",
		 "/a unknown: 5 unknown (it lay in the file descriptor, which is another one now)"},
		{F("0x00010004", "0", "/a") F("0x00010004", "0", "/b"), "2 0 0 0 0", "/a untouched:"},
	};

	(void)state;
	for (unsigned v = 0; v < VERSIONS; v++) {
		struct scene s;

		scene_open(&s, versions[v]);
		for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
			forged(&s, rows[i].lines, rows[i].end);
			if (v == 2 && i == 3) /* what is allocated there is a large block */
				assert_int_equal(find(&s, NULL), VK_OK);
			else
				expect(&s, rows[i].expected);
			forget(&s);
		}
		know(&s, other, sizeof(other) - 1);
		assert_int_equal(find(&s, NULL), VK_USAGE);
		assert_non_null(strstr(s.err.what, "another volume"));
		forget(&s);
		know(&s, "nothing\n", 8);
		assert_int_equal(find(&s, NULL), VK_DAMAGED);
		scene_close(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_after_the_other),
		cmocka_unit_test(all_at_once),
		cmocka_unit_test(in_between),
		cmocka_unit_test(a_map_that_is_not_whole),
		cmocka_unit_test(contents),
		cmocka_unit_test(hostile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
