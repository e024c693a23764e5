/* SPDX-License-Identifier: Apache-2.0 */
/* The speed of a search that goes on from a state is that of this run. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cmd/shared/scan_progress.h"

#define MIB (1024ULL * 1024)
#define TIB (1024 * 1024 * MIB)

static void test_resumed(void **state)
{
	struct vk_cmd_progress progress = {.terminal = false};
	struct vk_cli_call call = {.out = NULL};
	char *text = NULL;
	size_t size = 0;

	(void)state;
	call.err = stderr;
	vk_cmd_progress_begin(&progress, &call);
	progress.err = open_memstream(&text, &size);
	assert_non_null(progress.err);
	progress.terminal = true;
	assert_true(vk_cmd_progress_tell(&progress, 50 * TIB, 64 * TIB));
	assert_null(strstr(text, "left"));
	progress.begun.tv_sec -= 1000;
	assert_true(vk_cmd_progress_tell(&progress, 50 * TIB + 100000 * MIB, 64 * TIB));
	assert_non_null(strstr(text, ", 100 MiB/s, "));
	/* a search from its beginning, after it */
	assert_true(vk_cmd_progress_tell(&progress, 0, 64 * TIB));
	progress.begun.tv_sec -= 1000;
	assert_true(vk_cmd_progress_tell(&progress, 200000 * MIB, 64 * TIB));
	assert_non_null(strstr(text, ", 200 MiB/s, "));
	fclose(progress.err);
	progress.err = stderr;
	progress.shown = false;
	assert_false(vk_cmd_progress_end(&progress));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_resumed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
