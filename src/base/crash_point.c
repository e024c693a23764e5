/* SPDX-License-Identifier: Apache-2.0 */
/* Crash points of test builds. */
#include "base/crash_point.h"

#ifdef VK_TEST_HOOKS
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* In memory that the processes of a run share. */
static atomic_ulong *passed;

static void __attribute__((constructor)) make_counter(void)
{
	passed = mmap(NULL, sizeof(*passed), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (passed == MAP_FAILED)
		abort();
}

enum { CRASHED = 99 };

static bool is_number(const char *variable, unsigned long number)
{
	const char *at = getenv(variable);

	return at != NULL && strtoul(at, NULL, 10) == number;
}

static unsigned long pass(const char *name)
{
	const char *log = getenv("VMFSKIT_CRASH_LOG");
	unsigned long number = atomic_fetch_add(passed, 1) + 1;

	if (log != NULL) {
		FILE *f = fopen(log, "ae");

		if (f != NULL) {
			fprintf(f, "%lu %s\n", number, name);
			fclose(f);
		}
	}
	/* to this thread, which then stops at once, and the others with it */
	if (is_number("VMFSKIT_STOP_AT", number))
		raise(SIGSTOP);
	return number;
}

bool vk_crash_here(const char *name)
{
	return is_number("VMFSKIT_CRASH_AT", pass(name));
}

void vk_stop_point(const char *name)
{
	const char *at = getenv("VMFSKIT_STOP_AT");

	if (at != NULL && strcmp(at, name) == 0)
		raise(SIGSTOP);
}

void vk_crash_now(void)
{
	_exit(CRASHED);
}

void vk_crash_with(int wait_status)
{
	if (WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == CRASHED)
		vk_crash_now();
}

bool vk_step_fails(const char *name)
{
	unsigned long number = pass(name);

	if (is_number("VMFSKIT_CRASH_AT", number))
		vk_crash_now();
	if (!is_number("VMFSKIT_TEST_NOSPACE_AT", number))
		return false;
	errno = ENOSPC;
	return true;
}
#endif
