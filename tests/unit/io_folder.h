/* SPDX-License-Identifier: Apache-2.0 */
/* Tests that put files into a folder of their own, which is the current one. */
#ifndef TESTS_UNIT_IO_FOLDER_H
#define TESTS_UNIT_IO_FOLDER_H

#include "io_helpers.h"

/* A file in the folder of the test, and its path. */
static inline void write_text(const char *path, const char *text, size_t len)
{
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
}

static inline int in_a_folder(void **state)
{
	static char folder[] = "/tmp/vmfskit-test-XXXXXX";

	(void)state;
	return mkdtemp(folder) == NULL || chdir(folder) != 0;
}

static inline int without_it(void **state)
{
	char here[256];

	(void)state;
	return getcwd(here, sizeof(here)) == NULL || shell("rm -f ./*") != 0 || rmdir(here) != 0;
}

#endif
