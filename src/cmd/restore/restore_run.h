/* SPDX-License-Identifier: Apache-2.0 */
/* What restore and undo share: the run of both, and how a plan is shown. */
#ifndef VK_CMD_RESTORE_RUN_H
#define VK_CMD_RESTORE_RUN_H

#include <jansson.h>

#include "base/json.h"
#include "cli/cli.h"
#include "cmd/shared/captures.h"
#include "cmd/shared/keys.h"
#include "cmd/shared/sector_size.h"
#include "vmfskit/ledger.h"
#include "vmfskit/restore.h"

/* One run, for those who show it. */
struct vk_restore_run {
	const struct vk_cli_call *call;
	const struct vk_capture *capture;
	const char *target;
	struct vk_restore *restore;
	bool undo;
	bool verbose;
	bool written;
	char undo_id[VK_CAPTURE_ID_BYTES]; /* empty: nothing was written */
	const struct vk_error *error;      /* of the writing; NULL when all went well */
	const char *again;                 /* the command that does what was planned; NULL: that of restore or undo itself */
};

/* The verbs restore and undo; returns an exit code. */
int vk_restore_run(struct vk_cli_call *call, bool undo);

/*
 * The options that all who restore have; parts: also --part. An exit code, after what is wrong was said. run must
 * outlive the writing: its undo capture is told before the first write.
 */
int vk_restore_parse(const struct vk_restore_run *run, bool parts, struct vk_restore_options *options);
/* A capture so broken that it cannot be opened fails verification before there is a plan. An exit code. */
int vk_restore_cannot_open(const struct vk_cli_call *call, const struct vk_error *err);
/* A line in the ledger of the store; that it could not be written is said. captures: those it is about, count of them. */
void vk_restore_record(const struct vk_restore_run *run, const struct vk_restore_options *options,
		       enum vk_event_kind kind, const char *const *captures, size_t count);

/* run->error of the writing, and the whole command that takes back what was written before it. An exit code. */
int vk_restore_fail(const struct vk_restore_run *run);

/* The plan and what became of it, as text and as JSON. */
void vk_restore_show(const struct vk_restore_run *run);
/* Of that: the target; what would change, the result and the outcome. */
void vk_restore_show_target(const struct vk_restore_run *run);
void vk_restore_show_plan(const struct vk_restore_run *run);
/* Errors that the target would have and has not now. */
size_t vk_restore_new_errors(const struct vk_restore_run *run);
/* What restore and repair say in common, into root. */
void vk_restore_plan_json(json_t *root, const struct vk_restore_run *run);
void vk_restore_show_objections(const struct vk_restore_run *run);
void vk_restore_show_json(const struct vk_restore_run *run);
/* What an edit changes in the fields of the structures it meets, indented by six blanks. */
void vk_restore_show_fields(const struct vk_restore_run *run, const struct vk_edit *edit);

/*
 * A command to paste: after a dry run the same one with --write, after writing the one that undoes it.
 * Free it; NULL when there is no memory.
 */
char *vk_restore_next_command(const struct vk_restore_run *run);
/*
 * Of a restore of an undo capture: the command that was meant, as vmfskit undo. Free it; NULL when there is no memory.
 */
char *vk_restore_as_undo(const struct vk_restore_run *run);

/* The options that both have, and the end of their list. */
#define VK_RESTORE_OPTIONS \
	{0, "override", "GUARD", "lift one guard by its name; may be given several times", \
	 VK_RESTORE_GUARD_NAMES}, \
	{0, "plan", "DIGEST", "only the plan that was shown with this digest; of any other nothing is written", NULL}, \
	{'w', "write", NULL, "do it; without this option nothing is written", NULL}, \
	{'s', "store", "DIR", \
	 "where captures are looked up and where the undo capture goes (/var/lib/vmfskit)", "DIR", true}, \
	{0, "config", "FILE", "read this configuration instead of " VK_CONFIG_DEFAULT, "FILE"}, \
	VK_SECTOR_SIZE_OPTION, \
	VK_SIGN_KEY_OPTION, \
	VK_PUBLIC_KEY_OPTION, \
	{0, "heartbeat-wait", "SECONDS", "time between the two looks at heartbeats in use (8), at least 4", \
	 NULL}, \
	{'v', "verbose", NULL, "show every change and every field", NULL}, \
	{'j', "json", NULL, "print JSON", NULL}, \
	{0, NULL, NULL, NULL, NULL}

/* the names of all guards, with a space between them */
#define VK_GUARD_NAME_BEHIND_SPACE(id, name, protects, past) " " name
#define VK_RESTORE_GUARD_NAMES (&(VK_GUARDS(VK_GUARD_NAME_BEHIND_SPACE))[1])

#endif
