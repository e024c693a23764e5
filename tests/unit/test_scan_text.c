/* SPDX-License-Identifier: Apache-2.0 */
/* States of a scan that somebody made up: what a scan cannot have written is not believed. */
#include "fake_disk.h"
#include "find/scan/scan_resume.h"

#define MIB (1ULL << 20)

/* Texts with a right checksum and wrong contents, as nobody but a villain makes them. */
static void made_up_states_are_refused(void **state)
{
	static const char head[] = "vmfskit scan 3\ndisk d\nsaved 7\nsize 1048576 512\nrange 0 1048576\n";
	static const char *const wrong[] = {
		"done 1048577 0 0 0\n",
		"done 524288 524289 0 0\n",
		"done 524288 4096 8192 0\n",
		"done 524288 0 0 1\n",
		"done 524288 0 0 -1\n",
		"done 524288 0 0\n",
		"done 524288 0 0 0\nlvm 524288\n",
		"done 524288 0 0 0\nlvm 100\n",
		"done 524288 0 0 0\ngpt 524288\n",
		"done 524288 0 0 0\ngpt 0\ngpt 512\ngpt 1024\ngpt 1536\ngpt 2048\ngpt 2560\ngpt 3072\ngpt 3584\n"
		"gpt 4096\ngpt 4608\ngpt 5120\ngpt 5632\ngpt 6144\ngpt 6656\ngpt 7168\ngpt 7680\ngpt 8192\n",
		"done 524288 0 0 0\nlvm 512\nfs 512\n",
		"done 524288 0 0 0\nfs 1024\nlvm 512\n",
		"done 524288 0 0 0\nfs  1024\n",
		"done 524288 0 0 0\nfs 01024\n",
		"done 524288 0 0 0\nfs 18446744073709551616\n",
		"done 524288 0 0 0\nunreadable 0 0\n",
		"done 524288 0 0 0\nunreadable 0 524289\n",
		"done 524288 0 0 0\nunreadable 512 18446744073709551615\n",
		"done 524288 0 0 0\nunreadable 0 512\nunreadable 512 512\n",
		"done 524288 0 0 0\nunreadable 4096 512\nunreadable 512 512\n",
		"done 524288 0 0 0\nunreadable 0 512\nlvm 512\n",
		/* start, blocks, first, last, heartbeats, in use, stride, last heartbeat, weight, locks */
		"done 524288 0 0 0\nvote 0 2 512 512 0 0 0 0 2 0 2 0 0 0 0 0 0\n",
		"done 524288 0 0 0\nvote 0 2 512 1024 0 0 0 0 3 0 2 0 0 0 0 0 0\n",
		"done 524288 0 0 0\nvote 0 2 512 1024 0 0 0 0 0 0 2 0 0 0 0 0 0\n",
		"done 524288 0 0 0\nvote 0 2 512 1024 0 0 0 0 2 0 1 0 0 0 0 0 0\n",
		"done 524288 0 0 0\nvote 0 0 512 1024 0 0 0 0 0 0 0 0 0 0 0 0 0\n",
		"done 524288 0 0 0\nvote 100 2 512 1024 0 0 0 0 2 0 2 0 0 0 0 0 0\n",
		"done 524288 0 0 0\nvote 512 2 512 1024 0 0 0 0 2 0 2 0 0 0 0 0 0\n",
		"done 524288 0 0 0\nvote 2048 2 512 1024 0 0 0 0 2 0 2 0 0 0 0 0 0\n",
		"done 524288 0 0 0\nvote -281474976710656 2 512 1024 0 0 0 0 2 0 2 0 0 0 0 0 0\n",
		"done 524288 0 0 0\nvote 0 2 512 524288 0 0 0 0 2 0 2 0 0 0 0 0 0\n",
		"done 524288 0 0 0\nvote 0 2 512 1024 2 3 0 512 2 0 0 0 0 0 0 0 0\n",
		"done 524288 0 0 0\nvote 0 2 512 1024 2 0 1024 512 2 0 0 0 0 0 0 0 0\n",
		"done 524288 0 0 0\nvote 0 2 512 1024 2 0 512 0 2 0 0 0 0 0 0 0 0\n",
		"done 524288 0 0 0\nvote 0 2 512 1024 2 0 512 4096 2 0 0 0 0 0 0 0 0\n",
		"done 524288 0 0 0\nvote 0 2 512 1024 0 0 0 0 2 0 2 0 0 0 0 0\n",
		"done 524288 0 0 0\nvote 0 2 512 1024 0 0 0 0 2 0 2 0 0 0 0 0 0\nvote 0 2 512 1024 0 0 0 0 2 0 2 0 0 0 0 0 0\n",
		"done 524288 0 0 0\nmore\n",
		/* samples: offset, checksum */
		"done 524288 0 0 0\nsample 524288 1\n",
		"done 524288 0 0 0\nsample 100 1\n",
		"done 524288 0 0 0\nsample 512 4294967296\n",
		"done 524288 0 0 0\nsample 0 1\nsample 512 1\n",
		"done 524288 0 0 0\nlvm 0\nsample 0 1\n",
	};
	static const char right[] = "done 524288 4096 512 0\nsample 0 4294967295\nsample 20480 1\nlvm 0\nfs 512\ngpt 1024\nvote 0 2 512 1024 0 0 0 0 2 0 2 0 0 0 0 0 0\n"
				    "vote -512 3 512 2048 2 1 512 1024 1 1 0 0 0 0 0 0 0\nunreadable 0 512\nunreadable 1024 523264\n";
	const struct vk_scan_job job = {.identity = "d", .disk_bytes = MIB, .sector_size = 512, .length_bytes = MIB};
	char text[1024];

	(void)state;
	for (size_t i = 0; i <= sizeof(wrong) / sizeof(wrong[0]); i++) {
		const char *body = i == 0 ? right : wrong[i - 1];
		struct vk_scan_state s;
		struct vk_error err = {0};
		size_t len = (size_t)snprintf(text, sizeof(text) - VK_SCAN_END_BYTES, "%s%s", head, body);
		enum vk_status status;

		vk_scan_text_end(text, len, text + len);
		assert_true(vk_scan_state_init(&s, 0));
		status = vk_scan_text_read("made up", text, len + VK_SCAN_END_BYTES, &job, &s, &err);
		if (status != (i == 0 ? VK_OK : VK_USAGE))
			fail_msg("%s", body);
		vk_scan_state_free(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(made_up_states_are_refused)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
