/* SPDX-License-Identifier: Apache-2.0 */
/* Files that are gone: volumes that went back in time since a map of them was made. */
#include "undelete_scene.h"

static bool all_went_back(const struct vk_undelete_file *f)
{
	bool all = f->range_count > 0 && f->verdict == VK_UNDELETE_ALL_UNKNOWN;

	for (size_t i = 0; i < f->range_count; i++)
		all = all && f->ranges[i].state == VK_UNDELETE_UNKNOWN && f->ranges[i].why == VK_UNDELETE_WENT_BACK;
	return all;
}

/* After a capture it is rolled back to an array's snapshot, and lives on: what the capture knows never was there. */
static void rolled_back(void **state)
{
	(void)state;
	for (unsigned v = 0; v < VERSIONS; v++) {
		struct scene gone, s;

		scene_open(&gone, versions[v]);
		live(&gone, "create /keep 3M block");
		capture(&gone);
		live(&gone, "create /a 30M block\ncreate /b 60M block\ncreate /c 3M block");
		capture(&gone);
		scene_open(&s, versions[v]);
		live(&s, "create /keep 3M block");
		s.known[0] = gone.known[0];
		s.known[1] = gone.known[1];
		s.count = 2;
		gone.count = 0;
		scene_close(&gone);
		live(&s, "create /new 30M block\ndelete /new");
		for (unsigned i = 0; i < 2; i++) {
			assert_int_equal(find(&s, &(struct vk_undelete_wish){.path = i == 0 ? NULL : "/b"}), VK_OK);
			assert_true(s.gone.went_back);
			assert_int_equal(s.gone.back, 0);
			assert_int_equal(s.gone.count, i == 0 ? 3 : 1);
			for (size_t f = 0; f < s.gone.count; f++)
				assert_true(all_went_back(&s.gone.files[f]));
		}
		/* what was captured since is of this line of time */
		capture(&s);
		live(&s, "delete /keep");
		assert_int_equal(find(&s, NULL), VK_OK);
		assert_true(s.gone.went_back);
		assert_int_equal(s.gone.back, 1);
		assert_int_equal(s.gone.count, 4);
		assert_string_equal(s.gone.files[0].path, "/keep");
		assert_int_equal(s.gone.files[0].verdict, VK_UNDELETE_ALL_UNTOUCHED);
		assert_true(all_went_back(&s.gone.files[3]));
		scene_close(&s);
	}
}

/* A file of the map with the address and generation of one of today, and other times, or of another type. */
static void other_file(void **state)
{
	static const struct {
		const char *type, *ctime;
		bool back_there, back_gone; /* while it is there; when it is gone */
	} rows[] = {
		{"3", "20", false, false}, {"3", "4000000000", true, true}, {"4", "20", false, true},
	};

	(void)state;
	for (unsigned v = 0; v < VERSIONS; v++) {
		uint32_t address, generation;
		struct vk_fs_file *file;
		struct scene s;

		scene_open(&s, versions[v]);
		live(&s, "create /f 1M block");
		assert_int_equal(find(&s, NULL), VK_OK);
		assert_int_equal(vk_fs_lookup(s.fs, "/f", false, NULL, &file, &s.err), VK_OK);
		address = file->address;
		generation = file->meta.generation;
		vk_fs_file_close(file);
		for (unsigned gone = 0; gone < 2; gone++) {
			for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
				char line[200];

				snprintf(line, sizeof(line), "F %s 0x%08x %u 0 1048576 0x0 0x1a4 0 0 1 10 %s /f\n",
					 rows[i].type, address, generation, rows[i].ctime);
				forged(&s, line, "1 0 0 0 0");
				assert_int_equal(find(&s, NULL), VK_OK);
				assert_int_equal(s.gone.went_back, gone ? rows[i].back_gone : rows[i].back_there);
				forget(&s);
			}
			/* of a disk that an older map knows the newest still says when it is of */
			for (unsigned ahead = 0; ahead < 2; ahead++) {
				char line[200];

				snprintf(line, sizeof(line), "F 3 0x%08x %u 1048576 1048576 0x0 0x1a4 0 0 1 10 1 /f.vmdk\n"
							     "h 1048576\n", address, generation);
				forged(&s, line, "1 1 0 0 0");
				snprintf(line, sizeof(line), "F 3 0x%08x %u 0 1048576 0x0 0x1a4 0 0 1 10 %s /f.vmdk\n",
					 address, generation, ahead == 0 ? "20" : "4000000000");
				forged(&s, line, "1 0 0 0 0");
				assert_int_equal(find(&s, NULL), VK_OK);
				assert_int_equal(s.gone.went_back, ahead);
				assert_int_equal(s.gone.count, gone);
				if (gone == 1)
					assert_int_equal(s.gone.files[0].map, 1);
				forget(&s);
			}
			if (gone == 0)
				live(&s, "delete /f");
		}
		scene_close(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rolled_back),
		cmocka_unit_test(other_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
