/* SPDX-License-Identifier: Apache-2.0 */
/* What the exit codes mean: the text of every help and manual page. */
#include "cli/cli.h"

const char *const vk_cli_exit_codes[] = {
	[VK_EXIT_OK] = "sound, or done",
	[VK_EXIT_FINDINGS] = "findings: damage, a difference, a mismatch",
	[VK_EXIT_USAGE] = "the command line makes no sense",
	[VK_EXIT_REFUSED] = "refused for safety; nothing was written",
	[VK_EXIT_IO] = "reading, writing or the environment failed",
	[VK_EXIT_INTERNAL] = "a fault of the program",
	NULL,
};
