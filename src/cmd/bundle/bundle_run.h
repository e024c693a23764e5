/* SPDX-License-Identifier: Apache-2.0 */
/* capture --bundle: its options and its run. */
#ifndef VK_CMD_BUNDLE_RUN_H
#define VK_CMD_BUNDLE_RUN_H

#include "cli/cli.h"

#define VK_BUNDLE_OPTIONS \
	{.name = "bundle", .argument = "FILE", .choices = "FILE", \
	 .help = "instead of a capture: the tables, headers and all metadata of one DISK in one compressed file"}, \
	{.name = "redact", \
	 .help = "with --bundle: names are hashed; small files, link targets, journals, hosts' IPs are left out"}, \
	{.name = "redact-key", .argument = "FILE", .choices = "FILE", \
	 .help = "with --redact: hash with the bytes of FILE, so that the same names give the same hashes again " \
		 "(default: a random key that is not kept)"}, \
	{.name = "overwrite", .help = "with --bundle: replace FILE"}
/* Whether the call asks for a bundle. */
bool vk_bundle_asked(const struct vk_cli_call *call);
int vk_bundle_run(struct vk_cli_call *call);

#endif
