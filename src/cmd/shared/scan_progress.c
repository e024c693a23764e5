/* SPDX-License-Identifier: Apache-2.0 */
/* How far a search or a copy has come, on a terminal; and that it can be stopped. */
#include "cmd/shared/scan_progress.h"

#include <stdio.h>

#include "base/screen.h"
#include "base/shown.h"

/* Set by a signal: the work ends at the next occasion, and its state is kept. */
static volatile sig_atomic_t asked_to_stop;

static void ask_to_stop(int number)
{
	(void)number;
	asked_to_stop = 1;
}

void vk_cmd_progress_begin(struct vk_cmd_progress *progress, const struct vk_cli_call *call)
{
	const struct sigaction stop = {.sa_handler = ask_to_stop, .sa_flags = (int)SA_RESETHAND};

	*progress = (struct vk_cmd_progress){.err = call->err, .done = "searched",
					     .terminal = vk_screen_is_terminal(call->err)};
	asked_to_stop = 0;
	sigaction(SIGINT, &stop, &progress->was_int);
	sigaction(SIGTERM, &stop, &progress->was_term);
	clock_gettime(CLOCK_MONOTONIC, &progress->begun);
}

bool vk_cmd_progress_end(struct vk_cmd_progress *progress)
{
	if (progress->shown) {
		fputs("\r\033[K", progress->err);
		(void)vk_screen_exact(progress->err, false);
	}
	progress->shown = false;
	sigaction(SIGINT, &progress->was_int, NULL);
	sigaction(SIGTERM, &progress->was_term, NULL);
	return asked_to_stop != 0;
}

double vk_cmd_progress_seconds(const struct vk_cmd_progress *progress)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)(now.tv_sec - progress->begun.tv_sec) +
	       (double)(now.tv_nsec - progress->begun.tv_nsec) / 1e9;
}

bool vk_cmd_progress_tell(void *ctx, uint64_t done_bytes, uint64_t total_bytes)
{
	struct vk_cmd_progress *progress = ctx;
	double seconds = vk_cmd_progress_seconds(progress);
	double rate = 0;

	if (!progress->told || done_bytes < progress->first_bytes) {
		progress->told = true;
		progress->first_bytes = done_bytes;
		progress->first_seconds = seconds;
	}
	if (seconds > progress->first_seconds)
		rate = (double)(done_bytes - progress->first_bytes) / (seconds - progress->first_seconds);
	if (!progress->terminal)
		return asked_to_stop == 0;
	if (!progress->shown)
		(void)vk_screen_exact(progress->err, true);
	fprintf(progress->err, "\r%.1f of %.1f GiB %s", (double)done_bytes / (1 << 30),
		(double)total_bytes / (1 << 30), progress->done);
	if (rate > 0)
		fprintf(progress->err, ", %.0f MiB/s, %s left", rate / (1 << 20),
			vk_shown_duration_us((uint64_t)((double)(total_bytes - done_bytes) / rate * 1e6)).text);
	fputs(" \033[K", progress->err);
	fflush(progress->err);
	progress->shown = true;
	return asked_to_stop == 0;
}
