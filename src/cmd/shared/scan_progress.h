/* SPDX-License-Identifier: Apache-2.0 */
/* How far a search or a copy has come, on a terminal; and that it can be stopped. */
#ifndef VK_CMD_SCAN_PROGRESS_H
#define VK_CMD_SCAN_PROGRESS_H

#include <signal.h>
#include <stdint.h>
#include <time.h>

#include "cli/cli.h"

struct vk_cmd_progress {
	FILE *err;
	const char *done; /* "searched", unless the verb says otherwise */
	bool terminal; /* it is shown */
	bool shown;    /* a line of it stands there */
	struct timespec begun;
	bool told;             /* at first, and then: a search that goes on from a state did not do all of it now */
	uint64_t first_bytes;
	double first_seconds;
	struct sigaction was_int, was_term;
};

/* From here on SIGINT and SIGTERM stop the work instead of the program; a second one stops the program. */
void vk_cmd_progress_begin(struct vk_cmd_progress *progress, const struct vk_cli_call *call);
/* The callback of vk_find_options; ctx is the progress. */
bool vk_cmd_progress_tell(void *ctx, uint64_t done_bytes, uint64_t total_bytes);
/* Signals do again what they did. Returns whether one asked to stop. */
bool vk_cmd_progress_end(struct vk_cmd_progress *progress);
double vk_cmd_progress_seconds(const struct vk_cmd_progress *progress); /* since begin */

#endif
