/* SPDX-License-Identifier: Apache-2.0 */
/* What verify does beyond the files of captures: signatures and the ledger. */
#ifndef VK_CMD_VERIFY_LEDGER_H
#define VK_CMD_VERIFY_LEDGER_H

#include "cmd/shared/captures.h"
#include "cmd/shared/keys.h"
#include "vmfskit/ledger.h"

struct vk_cmd_ledger {
	bool asked;    /* all of the store is verified and there should be a ledger, or insisted */
	bool insisted; /* --ledger or --anchor */
	struct vk_cmd_trust trust;
	char *path;
	size_t lines;
	enum vk_status status;
	struct vk_error err;
	struct vk_findings findings;
};

/* Options; an exit code. Free with vk_cmd_ledger_free, also after a failure. */
int vk_cmd_ledger_begin(const struct vk_cli_call *call, struct vk_cmd_ledger *ret_ledger);
void vk_cmd_ledger_check(const struct vk_cli_call *call, struct vk_cmd_ledger *ledger);
/* Findings and failures, unless JSON is asked for; an exit code. */
int vk_cmd_ledger_report(struct vk_cli_call *call, const struct vk_cmd_ledger *ledger);
/* NULL when memory ran out. */
json_t *vk_cmd_ledger_json(const struct vk_cli_call *call, const struct vk_cmd_ledger *ledger);
void vk_cmd_ledger_free(struct vk_cmd_ledger *ledger);

/*
 * Record that captures were verified: all of the store (ids NULL) or some, so many of them not sound. Where the store cannot be
 * written to (a read-only mount, evidence of another user) nothing happens.
 */
void vk_cmd_ledger_note(const struct vk_cli_call *call, const struct vk_cmd_ledger *ledger, const char *const *ids,
			size_t count, size_t bad);

#endif
