/* SPDX-License-Identifier: Apache-2.0 */
/* Crash points of test builds. */
#include "base/crash_point.h"

#ifdef VK_TEST_HOOKS
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static unsigned long passed;

bool vk_crash_here(const char *name)
{
	const char *at = getenv("VMFSKIT_CRASH_AT");
	const char *log = getenv("VMFSKIT_CRASH_LOG");

	passed++;
	if (log != NULL) {
		FILE *f = fopen(log, "ae");

		if (f != NULL) {
			fprintf(f, "%lu %s\n", passed, name);
			fclose(f);
		}
	}
	return at != NULL && strtoul(at, NULL, 10) == passed;
}

void vk_crash_now(void)
{
	_exit(99);
}
#endif
