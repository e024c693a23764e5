/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command table: one description of every verb and option, from which come parsing, --help, the man
 * pages, the bash completion and docs/cli.md. Used by vmfskit and vmfskit-lab.
 */
#ifndef VK_CLI_CLI_H
#define VK_CLI_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "vmfskit/error.h"

/* Exit codes, the same for every verb. */
enum {
	VK_EXIT_OK = 0,       /* sound, or done */
	VK_EXIT_FINDINGS = 1, /* damage, difference, mismatch */
	VK_EXIT_USAGE = 2,
	VK_EXIT_REFUSED = 3,  /* refused for safety */
	VK_EXIT_IO = 4,       /* I/O or environment */
	VK_EXIT_INTERNAL = 5
};

/* What each of them means, by number; ends with NULL. */
extern const char *const vk_cli_exit_codes[];

struct vk_cli_option {
	char letter;          /* 0: none */
	const char *name;     /* long name without dashes; NULL ends a list */
	const char *argument; /* NULL: a flag; else its name in the help: "DIR" */
	const char *help;     /* one sentence without a final full stop */
	/*
	 * The values it takes, separated by blanks: "disk partition volume header". Any other is refused before the
	 * verb runs; several may be given with commas between them. NULL: free text. "FILE" and "DIR": the
	 * completion offers files or folders, nothing is checked.
	 */
	const char *choices;
	bool config;          /* may be set in the configuration file, too; never for an option that writes */
	bool several;         /* a list: in the configuration its key may be repeated, that of others may not */
};

struct vk_cli_example {
	const char *command; /* NULL ends a list */
	const char *what;
};

struct vk_cli_call;

struct vk_cli_verb {
	const char *name;
	const char *arguments;     /* "SOURCE..." */
	/* the first argument is one of these, separated by blanks: "table header"; NULL: it is free */
	const char *words;
	/* one line, lower case, no full stop: "show what is in a disk, a dump or a capture" */
	const char *purpose;
	/*
	 * For the man page and VERB --help: paragraphs separated by blank lines. They are filled, except
	 * those whose first line begins with a blank: these are shown line by line as they are.
	 */
	const char *description;
	const struct vk_cli_option *options;
	const struct vk_cli_example *examples;
	size_t least_arguments;    /* every verb has --help (and -h, unless it has an option h of its own) by itself */
	size_t most_arguments;     /* SIZE_MAX: any number */
	int (*run)(struct vk_cli_call *call); /* returns an exit code */
};

/* Verbs that belong together, in the help: from this one up to the first of the next group. */
struct vk_cli_group {
	const struct vk_cli_verb *first;
	const char *title;
};

struct vk_cli_program {
	const char *name;
	const char *version;
	const char *purpose;
	const char *description;
	const struct vk_cli_verb *const *verbs; /* ends with NULL */
	const struct vk_cli_group *groups; /* in the order of the verbs; ends with one without first; NULL: none */
	/*
	 * prints words for the completion, one a line, behind it "captures" (ids and what stands for one) or "luns":
	 * "list --words"; NULL: nothing does
	 */
	const char *words_command;
	const char *config_file; /* read by verbs with the option --config, when it is there; NULL: none */
};

/* An option as it was given. */
struct vk_cli_given {
	const struct vk_cli_option *option;
	const char *value; /* NULL for a flag */
	bool from_config;
};

/* What the command line said; lives during run. */
struct vk_cli_call {
	const struct vk_cli_program *program;
	const struct vk_cli_verb *verb;
	char **arguments;
	size_t argument_count;
	const char *const *command; /* the whole command line as it was given; ends with NULL */
	struct vk_cli_given *given; /* options in the order given */
	size_t given_count;
	char *config_text; /* what values of the configuration file point into */
	FILE *out; /* results: stdout, fitted to the screen (base/screen.h) */
	FILE *err; /* problems: stderr, likewise */
};

/*
 * Whether the option was given; its last value (NULL when not given); its n-th value (NULL behind the last).
 * option is the long name; one that the verb's table does not have ends the program as an internal fault, so
 * that a misspelt name cannot pass for an option that was not given.
 */
bool vk_cli_flag(const struct vk_cli_call *call, const char *option);
const char *vk_cli_value(const struct vk_cli_call *call, const char *option);
const char *vk_cli_nth_value(const struct vk_cli_call *call, const char *option, size_t n);
/* From now on that is its last value, which was given; it must outlive the call. */
void vk_cli_set_value(struct vk_cli_call *call, const char *option, const char *value);
/* All of its values; ends with NULL; free the list. NULL when memory ran out. */
const char **vk_cli_values(const struct vk_cli_call *call, const char *option);

/* Of an option with at most 32 choices: one bit for each that was given, the lowest for the first word of its row. */
unsigned vk_cli_chosen(const struct vk_cli_call *call, const char *option);

/* Whether the option stands on the command line itself. */
bool vk_cli_given_here(const struct vk_cli_call *call, const char *option);

/*
 * Parse and run: the whole of main(). Streams that are closed are first occupied, so that no disk is ever
 * opened as number 1 or 2 and printed on. Results that cannot be written (full disk, closed pipe) are exit 4.
 * Abbreviated option names are refused: an option that writes must not be hit by accident.
 */
int vk_cli_main(const struct vk_cli_program *program, int argc, char **argv);

/*
 * Print "PROGRAM: what (where, at byte N)" and the remedy to stderr; returns the exit code of the status:
 * usage 2, refused 3, I/O and absent and no memory 4, damaged and unsupported 1, internal 5.
 */
int vk_cli_fail(const struct vk_cli_call *call, const struct vk_error *err);
/* A usage error in the same form; returns 2 and names VERB --help. */
int vk_cli_usage(const struct vk_cli_call *call, const char *what, ...)
	__attribute__((format(printf, 2, 3)));

/* Generators. What is it, and its verbs; that with all that is common to them. */
void vk_cli_brief(const struct vk_cli_program *program, FILE *out);
void vk_cli_help(const struct vk_cli_program *program, FILE *out);
void vk_cli_verb_help(const struct vk_cli_program *program, const struct vk_cli_verb *verb, FILE *out);
void vk_cli_man(const struct vk_cli_program *program, FILE *out);
void vk_cli_verb_man(const struct vk_cli_program *program, const struct vk_cli_verb *verb, FILE *out);
void vk_cli_bash_completion(const struct vk_cli_program *program, FILE *out);
void vk_cli_markdown(const struct vk_cli_program *program, FILE *out);

#endif
