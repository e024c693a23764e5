/* SPDX-License-Identifier: Apache-2.0 */
/* Files that are gone: virtual disks that were cut before a capture, so that an older one knows more of them. */
#include "undelete_scene.h"

/* A night is captured after a virtual disk was cut: the night before knows more. */
static void cut_before_a_capture(void **state)
{
	(void)state;
	for (unsigned v = 0; v < VERSIONS; v++) {
		struct scene s;

		scene_open(&s, versions[v]);
		live(&s, "create /d-flat.vmdk 40M block\ncreate /d.vmdk 600 sub-block\ncreate /l.log 40M block\n"
			 "create /e.vmdk 600 sub-block");
		capture(&s);
		/* logs and descriptors are shorter after many a day */
		live(&s, "resize /d-flat.vmdk 0\nresize /l.log 0\nresize /d.vmdk 0\nresize /e.vmdk 500");
		expect(&s, "/d-flat.vmdk untouched: 40M; /d.vmdk untouched: 600; /e.vmdk untouched: 600; "
			   "/l.log untouched: 40M");
		capture(&s);
		expect(&s, "/d-flat.vmdk untouched: 40M; /d.vmdk untouched: 600");
		capture(&s);
		assert_int_equal(s.gone.files[0].map, 1);
		expect(&s, "/d-flat.vmdk untouched: 40M; /d.vmdk untouched: 600");
		assert_int_equal(s.gone.files[0].map, 2);
		assert_true(s.gone.files[0].cut);
		/* it is there no more, either; some of the 10 MiB were the log's */
		live(&s, "delete /d-flat.vmdk");
		expect(&s, "/d-flat.vmdk untouched: 40M; /d.vmdk untouched: 600");
		assert_false(s.gone.files[0].cut);
		live(&s, "reuse /x 10M block");
		expect(&s, "/d-flat.vmdk partly-reused: 32M 8M reused by /x today; /d.vmdk untouched: 600");
		capture(&s);
		expect(&s, "/d-flat.vmdk partly-reused: 32M 8M reused by /x since 0; /d.vmdk untouched: 600");
		scene_close(&s);
	}
}

/* Nothing is untouched that the file itself gave back and got anew. */
static void cut_and_grown(void **state)
{
	static const char *const days[] = {
		/* in a capture, and then not; behind reuse blocks that are got had been lost */
		"reuse /n 1M block\nresize /d.vmdk 39M\nwrite /d.vmdk 0 39M|resize /d.vmdk 0",
		"reuse /n 1M block\nresize /d.vmdk 39M\nwrite /d.vmdk 0 39M|",
		"|reuse /n 1M block\nresize /d.vmdk 39M\nwrite /d.vmdk 0 39M",
		"reuse /n 1M block\nresize /d.vmdk 39M\nwrite /d.vmdk 0 39M|delete /d.vmdk",
		/* and others with it, in the same clusters */
		"reuse /x 60M block|delete /x",
		"reuse /n 1M block\nresize /d.vmdk 39M\nwrite /d.vmdk 0 39M|delete /d.vmdk\nreuse /x 2M block\ndelete /x",
		"|delete /d.vmdk\nreuse /x 60M block\ndelete /x",
		"|delete /d.vmdk\ndelete /e.vmdk\nreuse /x 60M block\ndelete /x",
	};
	uint8_t *was[2] = {malloc(40 * MIB), malloc(30 * MIB)};

	(void)state;
	assert_true(was[0] != NULL && was[1] != NULL);
	for (unsigned v = 0; v < VERSIONS; v++) {
		uint64_t all = 0;

		for (unsigned i = 0; i < sizeof(days) / sizeof(days[0]); i++) {
			const char *second = strchr(days[i], '|') + 1;
			uint64_t untouched = 0;
			char first[200];
			struct scene s;

			snprintf(first, sizeof(first), "%.*s", (int)(second - 1 - days[i]), days[i]);
			scene_open(&s, versions[v]);
			live(&s, "create /d.vmdk 40M block\ncreate /e.vmdk 30M block");
			read_file(&s, "/d.vmdk", was[0], 40 * MIB);
			read_file(&s, "/e.vmdk", was[1], 30 * MIB);
			capture(&s);
			live(&s, "resize /d.vmdk 0\nresize /e.vmdk 0");
			capture(&s);
			live(&s, first);
			capture(&s);
			live(&s, second);
			assert_int_equal(find(&s, NULL), VK_OK);
			for (size_t f = 0; f < s.gone.count; f++) {
				const struct vk_undelete_file *file = &s.gone.files[f];
				const bool d = strcmp(file->path, "/d.vmdk") == 0;

				if (!d && strcmp(file->path, "/e.vmdk") != 0)
					continue;
				assert_int_equal(file->size_bytes, (d ? 40 : 30) * MIB);
				compare_untouched(&s, file, was[!d]);
				untouched += file->bytes[VK_UNDELETE_UNTOUCHED];
			}
			if (untouched == 70 * MIB)
				fail_msg("%s, day %u: all is called untouched", versions[v], i);
			all += untouched;
			scene_close(&s);
		}
		assert_true(all > 0);
	}
	free(was[0]);
	free(was[1]);
}

/* It got a block anew, the same for the same bytes or another: they are others since. */
static void same_block_anew(void **state)
{
	static const char *const told[] = {"/d.vmdk unknown: ", "1M reused by /d.vmdk "};
	unsigned met[2] = {0};

	(void)state;
	for (unsigned i = 0; i < VERSIONS * 2 * 6; i++) {
		const bool captured = i / VERSIONS % 2 == 1;
		char text[4000];
		struct scene s;

		scene_open(&s, versions[i % VERSIONS]);
		live(&s, "create /d.vmdk 2M block");
		capture(&s);
		live(&s, "resize /d.vmdk 0");
		capture(&s);
		/* chance has it which block is got */
		for (unsigned more = 0; more < i / VERSIONS / 2; more++)
			live(&s, "create /n 0 resident\ndelete /n");
		live(&s, "reuse /n 0 resident\nresize /d.vmdk 1M\nwrite /d.vmdk 0 1M");
		if (captured) {
			capture(&s);
			live(&s, "resize /d.vmdk 0");
		}
		tell(&s, text, sizeof(text));
		for (unsigned k = 0; k < 2; k++)
			met[k] += strstr(text, told[k]) != NULL;
		if (met[0] + met[1] != i + 1)
			fail_msg("%s, %u: %s", versions[i % VERSIONS], i, text);
		scene_close(&s);
	}
	assert_true(met[0] > 0 && met[1] > 0);
}

/* Two that were empty before they were deleted: their clusters were not locked for that. */
static void empty_when_deleted(void **state)
{
	uint8_t *was = malloc(4 * MIB);

	(void)state;
	assert_non_null(was);
	for (unsigned v = 0; v < VERSIONS; v++) {
		struct scene s;

		scene_open(&s, versions[v]);
		/* side by side */
		live(&s, "create /d.vmdk 12M block\nresize /d.vmdk 4M\nreuse /e.vmdk 3M block");
		read_file(&s, "/d.vmdk", was, 4 * MIB);
		capture(&s);
		live(&s, "resize /d.vmdk 0");
		capture(&s);
		live(&s, "resize /e.vmdk 0");
		capture(&s);
		expect(&s, "/e.vmdk untouched: 3M; /d.vmdk untouched: 4M");
		live(&s, "delete /d.vmdk\ndelete /e.vmdk\nreuse /x 12M block\ndelete /x");
		assert_int_equal(find(&s, NULL), VK_OK);
		assert_int_equal(s.gone.count, 2);
		assert_string_equal(s.gone.files[1].path, "/d.vmdk");
		assert_int_equal(s.gone.files[1].size_bytes, 4 * MIB);
		assert_true(s.gone.files[1].bytes[VK_UNDELETE_UNTOUCHED] < 4 * MIB);
		compare_untouched(&s, &s.gone.files[1], was);
		scene_close(&s);
	}
	free(was);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cut_before_a_capture),
		cmocka_unit_test(cut_and_grown),
		cmocka_unit_test(same_block_anew),
		cmocka_unit_test(empty_when_deleted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
