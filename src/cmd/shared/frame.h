/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The frame of a verb: options, keys and store, its work, text or JSON, exit code. A verb's run is
 *
 *	struct run { struct vk_cmd cmd; ... };  the struct vk_cmd first
 *	VK_CMD_VERB(run_verb, struct run, "vmfskit.verb/1", read_options, work, put_json, put_text, end)
 *
 * and its steps never pass exit codes on: what goes wrong is reported where it happens, and the worst counts.
 */
#ifndef VK_CMD_FRAME_H
#define VK_CMD_FRAME_H

#include <string.h>

#include "base/command.h"
#include "base/json.h"
#include "cli/cli.h"
#include "vmfskit/io.h"
#include "vmfskit/ledger.h"
#include "vmfskit/source.h"
#include "vmfskit/vouch.h"

/* Rows for tables of options; what reads them stands below. */
#define VK_CONFIG_DEFAULT "/etc/vmfskit/vmfskit.conf"
#define VK_STORE_OPTION \
	{.letter = 's', .name = "store", .argument = "DIR", .choices = "DIR", .config = true, \
	 .help = "folder of the captures (default " VK_STORE_DEFAULT ")"}, \
	{.name = "config", .argument = "FILE", .choices = "FILE", \
	 .help = "read this configuration instead of " VK_CONFIG_DEFAULT}
#define VK_JSON_OPTION {.letter = 'j', .name = "json", .help = "print JSON"}
#define VK_SECTOR_SIZE_OPTION \
	{.name = "sector-size", .argument = "BYTES", .choices = "512 4096", \
	 .help = "sector size of a file; devices know their own"}
/* How what is named is to be read, for every verb that takes a source; vk_cmd_read_how reads them. */
#define VK_HOW_OPTIONS \
	{.name = "at", .argument = "BYTES", \
	 .help = "the disk begins at this byte of the source (64M, 2048s); what is before it does not belong to it"}, \
	{.name = "stride", .argument = "BYTES", .choices = "520 528", \
	 .help = "a copy of a drive with sectors of 520 or 528 bytes: use 512 bytes of each; --at counts only " \
		 "these"}, \
	{.name = "mapfile", .argument = "FILE", .choices = "FILE", \
	 .help = "the mapfile of ddrescue that belongs to the image: what failed is unreadable, what was not tried " \
		 "is not in the source; neither is zero"}, \
	VK_SECTOR_SIZE_OPTION
#define VK_HOW_OPTION_NAMES "at stride mapfile sector-size"
#define VK_SIGN_KEY_OPTION \
	{.name = "sign-key", .argument = "FILE", .choices = "FILE", .config = true, \
	 .help = "sign with this Ed25519 key (openssl genpkey -algorithm ed25519), which only its owner can read"}
#define VK_PUBLIC_KEY_OPTION \
	{.name = "public-key", .argument = "FILE", .choices = "FILE", .config = true, \
	 .help = "check signatures with this key (openssl pkey -pubout)"}
#define VK_ANCHOR_OPTION \
	{.name = "anchor", .argument = "FILE", .choices = "FILE", .config = true, \
	 .help = "at the end save the head of the ledger in FILE, outside of the store, and its signature in " \
		 "FILE.sig; whether this is possible is checked first"}

/* What is opened here the frame closes, after the step end. */
struct vk_cmd {
	struct vk_cli_call *call;
	bool json;                        /* --json was given */
	int code;                         /* the worst exit code so far */
	struct vk_sign_key *sign_key;     /* NULL: not opened, or not named */
	struct vk_public_key *public_key; /* the same */
	struct vk_vouching *vouching;     /* NULL: not opened */
	struct vk_store *store;           /* NULL: not opened */
	struct vk_findings store_findings; /* of the store itself, when it was opened for a run */
	char **names;                     /* whole ids of what was named in short */
	size_t name_count;
};

/* Each is called with the verb's run; the first two say whether to go on. What they began is undone by end. */
struct vk_cmd_steps {
	const char *schema;                                 /* of its JSON: "vmfskit.list/1" */
	bool (*read_options)(void *run);                    /* may be NULL. Keys and anchor are asked for here, too */
	bool (*work)(void *run);                            /* false: there is nothing to show */
	/* all members behind "schema"; NULL: the verb has no --json */
	void (*put_json)(const void *run, struct vk_json *root);
	void (*put_text)(const void *run);
	void (*end)(void *run);                             /* may be NULL. Last words, and what the run holds */
};
/* The function that a verb's table names: its run, all zero, goes through these steps. */
#define VK_CMD_VERB(function, run_type, ...) \
	static int function(struct vk_cli_call *call) \
	{ \
		static const struct vk_cmd_steps steps = {__VA_ARGS__}; \
		run_type run; \
\
		memset(&run, 0, sizeof(run)); \
		return vk_cmd_run(call, &run, &steps); \
	}
/* Returns the exit code. */
int vk_cmd_run(struct vk_cli_call *call, void *run, const struct vk_cmd_steps *steps);

/* The exit code becomes at least this one. Whether it is VK_EXIT_OK. */
bool vk_cmd_ok(struct vk_cmd *cmd, int code);
/* A usage error, with the text behind it; always false. */
#define vk_cmd_usage(cmd, ...) vk_cmd_ok(cmd, vk_cli_usage((cmd)->call, __VA_ARGS__))
/* Report the error; the exit code becomes at least its own. Always false. */
bool vk_cmd_fail(struct vk_cmd *cmd, const struct vk_error *err);
/* The same of memory that ran out. */
bool vk_cmd_no_memory(struct vk_cmd *cmd);
/* VK_EXIT_FINDINGS at least, when there are any that are bad. */
void vk_cmd_judge_findings(struct vk_cmd *cmd, const struct vk_findings *findings);

/* The folder that --store names, or the default. */
const char *vk_cmd_store(const struct vk_cli_call *call);

/* Open what the options name; false: it cannot be, which is reported. Without the option nothing is opened. */
bool vk_cmd_open_sign_key(struct vk_cmd *cmd);
bool vk_cmd_open_public_key(struct vk_cmd *cmd);
/* The public key, and who vouches for captures by it and by the ledger of --store. */
bool vk_cmd_open_vouching(struct vk_cmd *cmd);
/*
 * The store, signed with the key that is open. VK_STORE_RUN makes one that is not there, and so does VK_STORE_ADD:
 * unless must_exist is set, so that a name that is misspelt does not come into being.
 */
bool vk_cmd_open_store(struct vk_cmd *cmd, enum vk_store_use use, bool must_exist);
/* Report to stderr what is in the store that no run of vmfskit can have left; that is a finding. */
void vk_cmd_report_store_findings(struct vk_cmd *cmd);

/*
 * Captures as people name them: latest, latest:LABEL, the beginning or end of an id (store/capture/named.h). Every verb
 * that takes a capture asks this first, once, and from then on has a whole id or a path: so do its plan and the
 * commands that it prints. Which one was chosen goes to stderr. False: none, or several, which is reported with a list.
 */
enum {
	VK_NAME_ONE_DISK = 1, /* latest alone is refused where the store has captures of several disks */
	VK_NAME_UNDO = 2,     /* latest is the newest undo capture */
	VK_NAME_PLANS = 4,    /* the verb has --write, with which only a whole id or a path is taken */
	VK_NAME_OR_FILE = 8   /* or a file or device, which goes first; what is neither is left to the verb to report */
};
bool vk_cmd_name_capture(struct vk_cmd *cmd, unsigned how, const char **name);
/* The same of an argument of the call, in which the whole id then stands. */
bool vk_cmd_name_argument(struct vk_cmd *cmd, unsigned how, size_t index);

/*
 * --anchor, when it was given: before anything is done, so that a refusal leaves everything as it was. saves:
 * captures are only added; then an anchor that cannot be reached is no reason to stop, vk_cmd_keep_anchor reports it.
 */
bool vk_cmd_check_anchor(struct vk_cmd *cmd, bool saves);
/*
 * --anchor, when it was given: afterwards. Whatever stands in the way, done captures were saved or removed (what) by
 * then: the exit code is never the one that says that nothing was written.
 */
void vk_cmd_keep_anchor(struct vk_cmd *cmd, size_t done, const char *what);

/* Values of options that several verbs have; false: it is no such value, which is reported. */
/* --as; ret_kind stays when it was not given. */
bool vk_cmd_read_kind(struct vk_cmd *cmd, enum vk_source_kind *ret_kind);
/* The values of VK_HOW_OPTIONS, 0 of those that were not given; nothing in the view is the run's. */
bool vk_cmd_read_how(struct vk_cmd *cmd, uint32_t *ret_sector_size, struct vk_io_view *ret_view);
/*
 * The next source that the arguments name, from *index on: *index then is the one behind it. The pieces of a split
 * dump, named one after the other, are one source: those behind the first go into the view.
 */
const char *vk_cmd_next_source(const struct vk_cli_call *call, size_t *index, struct vk_io_view *view);
/* The only one, from index on; NULL: there are more, which is reported. */
const char *vk_cmd_one_source(struct vk_cmd *cmd, size_t index, struct vk_io_view *view);
/* A whole number from least to most; ret_number stays when the option was not given. */
bool vk_cmd_read_number(struct vk_cmd *cmd, const char *option, unsigned least, unsigned most, unsigned *ret_number);

/* For a command to paste: the source as it was named, with its further pieces. */
void vk_cmd_put_source(struct vk_command *command, const char *path, const struct vk_io_view *view);
/* For a command to paste: an option as it was given, with each value; nothing when it was not. */
void vk_cmd_put_option(struct vk_command *command, const struct vk_cli_call *call, const char *name);
/* The same of several: names with blanks between them. */
void vk_cmd_put_options(struct vk_command *command, const struct vk_cli_call *call, const char *names);

/* Findings of one source, as members of an array that will be a member of owner; source may be NULL. */
void vk_cmd_findings_json(json_t *array, const char *source, const struct vk_findings *findings, struct vk_json *owner);
/* {"disk": disk, "status", "what", "where", "remedy"}; NULL when memory ran out. */
json_t *vk_cmd_error_json(const char *disk, const struct vk_error *err);

#endif
