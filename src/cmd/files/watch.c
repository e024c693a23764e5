/* SPDX-License-Identifier: Apache-2.0 */
/* The thread that ends a process whose device does not answer. */
#include "cmd/files/watch.h"

#include <pthread.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/shown.h"
#include "cli/cli.h"

/* so much later: a verb that reads on another thread keeps first what it has done */
enum { LOOK_EVERY_MS = 500, LATER_S = 2 };

/* Of the one run of the process: its thread is never joined, so nothing of it may go away. */
static struct {
	uint64_t in_call_since_ms; /* set by who reads */
	uint64_t over;             /* set by vk_files_watch_end */
	const char *program, *source;
	unsigned limit_s;
} watched;

static void *watch(void *unused)
{
	const struct timespec pause = {.tv_nsec = LOOK_EVERY_MS * 1000000L};
	struct timespec now;

	while (__atomic_load_n(&watched.over, __ATOMIC_SEQ_CST) == 0) {
		const uint64_t since = __atomic_load_n(&watched.in_call_since_ms, __ATOMIC_SEQ_CST);

		clock_gettime(CLOCK_MONOTONIC, &now);
		if (since != 0 && (uint64_t)now.tv_sec > since / 1000 + watched.limit_s + LATER_S) {
			dprintf(STDERR_FILENO, "%s: the device did not answer for %u s and was given up (%s)\n",
				watched.program, watched.limit_s, vk_shown_name(watched.source).text);
			_exit(VK_EXIT_IO);
		}
		nanosleep(&pause, NULL);
	}
	return unused;
}

uint64_t *vk_files_watch(const char *program, const char *source, unsigned limit_s)
{
	pthread_attr_t attributes;
	pthread_t thread;
	bool runs;

	watched.program = program;
	watched.source = source;
	watched.limit_s = limit_s;
	if (pthread_attr_init(&attributes) != 0)
		return NULL;
	runs = pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED) == 0 &&
	       pthread_create(&thread, &attributes, watch, NULL) == 0;
	pthread_attr_destroy(&attributes);
	return runs ? &watched.in_call_since_ms : NULL;
}

void vk_files_watch_end(void)
{
	__atomic_store_n(&watched.over, 1, __ATOMIC_SEQ_CST);
}
