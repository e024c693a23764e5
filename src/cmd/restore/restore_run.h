/* SPDX-License-Identifier: Apache-2.0 */
/* What restore, undo and repair share: the run of a plan, and how it is shown. */
#ifndef VK_CMD_RESTORE_RUN_H
#define VK_CMD_RESTORE_RUN_H

#include <signal.h>

#include "cmd/shared/captures.h"
#include "cmd/shared/frame.h"
#include "vmfskit/restore.h"

/* One run, for those who show it. That of repair begins with it. */
struct vk_restore_run {
	struct vk_cmd cmd; /* first, as the frame wants it */
	struct vk_restore_options options;
	const struct vk_capture *capture;
	const char *target;
	struct vk_restore *restore; /* NULL: there is no plan */
	bool undo;
	bool verbose;
	bool written;
	char undo_id[VK_CAPTURE_ID_BYTES]; /* empty: nothing was written */
	bool failed;                       /* the writing; error says how */
	struct vk_error error;
	bool holds_signals;
	sigset_t signals;                  /* what was let through before */
	const char *own_options; /* of the verb, with blanks between: a command that does the same again has them */
};

/* The options that all who restore have, and the keys. False: what is wrong was reported. */
bool vk_restore_read_options(struct vk_restore_run *run);
/*
 * Whether the plan is to be carried out now. Then signals wait until vk_restore_end: until it is told what became of
 * the target.
 */
bool vk_restore_begin_writing(struct vk_restore_run *run);
/*
 * It was: with this status, and run->error. A line in the ledger of the store tells of it; captures: the two that it is
 * about. That it could not be recorded is reported and no more: the disk is written by now.
 */
void vk_restore_written(struct vk_restore_run *run, enum vk_status status, enum vk_event_kind kind,
			const char *const captures[2]);
/* Behind what was shown: objections, why the writing failed and how to go back. */
void vk_restore_end(struct vk_restore_run *run);

/* As text: all of restore and undo; the target; what would change and the result; what became of it, and the command
 * that comes next: it stands last. */
void vk_restore_show(const void *run);
void vk_restore_show_target(const struct vk_restore_run *run);
void vk_restore_show_plan(const struct vk_restore_run *run);
void vk_restore_show_outcome(const struct vk_restore_run *run);
/* What an edit changes in the fields of the structures it meets, indented by six blanks. */
void vk_restore_show_fields(const struct vk_restore_run *run, const struct vk_edit *edit);
/* As JSON: of restore and undo; what restore and repair say in common. */
void vk_restore_put_json(const void *run, struct vk_json *root);
void vk_restore_plan_json(struct vk_json *root, const struct vk_restore_run *run);

/* Errors that the target would have and has not now. */
size_t vk_restore_new_errors(const struct vk_restore_run *run);

/*
 * A command to paste: after a dry run the same one with --write, after writing the one that undoes it.
 * Free it; NULL when there is no memory.
 */
char *vk_restore_next_command(const struct vk_restore_run *run);
/*
 * Whether all that stands in the way of a plan are guards that a reader of the plan can decide: that values are
 * guesses, that sectors could not be read, that what another system made over the volume goes. Others want their
 * reason removed.
 */
bool vk_restore_may_be_lifted(const struct vk_restore *restore);
/*
 * Of a restore of an undo capture: the command that was meant, as vmfskit undo. Free it; NULL when there is no memory.
 */
char *vk_restore_as_undo(const struct vk_restore_run *run);

/* The options that all have, and the end of their list. */
#define VK_RESTORE_OPTIONS \
	{0, "override", "GUARD", "lift one guard by its name; may be given several times", \
	 VK_RESTORE_GUARD_NAMES}, \
	{0, "plan", "DIGEST", "write only the plan that was shown with this digest, no other", NULL}, \
	{'w', "write", NULL, "do it; without this option nothing is written", NULL}, \
	{'s', "store", "DIR", \
	 "where captures are looked up and where the undo capture goes (/var/lib/vmfskit)", "DIR", true}, \
	{0, "config", "FILE", "read this configuration instead of " VK_CONFIG_DEFAULT, "FILE"}, \
	VK_HOW_OPTIONS, \
	VK_SIGN_KEY_OPTION, \
	VK_PUBLIC_KEY_OPTION, \
	{0, "heartbeat-wait", "SECONDS", "time between the two looks at heartbeats in use (8), at least 4", \
	 NULL}, \
	{'v', "verbose", NULL, "show every change and every field", NULL}, \
	{'j', "json", NULL, "print JSON", NULL}, \
	{0, NULL, NULL, NULL, NULL}

/* the names of all guards, in the order of their numbers, with a space between them */
#define VK_GUARD_NAME_BEHIND_SPACE(id, name, why, past, risk) " " name
#define VK_RESTORE_GUARD_NAMES (&(VK_GUARDS(VK_GUARD_NAME_BEHIND_SPACE))[1])

#endif
