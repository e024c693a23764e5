/* SPDX-License-Identifier: Apache-2.0 */
/* From main() to the verb and back: streams, help, version, and whether the results reached their reader. */
#include "cli/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>

#include "base/screen.h"
#include "cli/parse.h"
#include "cli/words.h"

/*
 * With a stream closed, the next file opened would take its number, and what is printed would be written into it:
 * a disk under restore must never be number 1. What is opened here can be neither read nor written.
 */
static bool occupy_streams(void)
{
	for (int fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) == -1 && errno == EBADF &&
		    open("/dev/null", O_PATH) != fd)
			return false;
	return true;
}

static const struct vk_cli_verb *find_verb(const struct vk_cli_program *program, const char *name)
{
	for (size_t i = 0; program->verbs[i] != NULL; i++)
		if (strcmp(program->verbs[i]->name, name) == 0)
			return program->verbs[i];
	return NULL;
}

static int refuse_verb(const struct vk_cli_program *program, const char *name)
{
	const char *near = NULL;
	size_t best = SIZE_MAX;

	for (size_t i = 0; program->verbs[i] != NULL; i++)
		if (vk_words_nearer(name, program->verbs[i]->name, &best))
			near = program->verbs[i]->name;
	fprintf(stderr, "%s: there is no verb \"", program->name);
	vk_words_clean(stderr, name);
	fputc('"', stderr);
	if (near != NULL)
		fprintf(stderr, "; %s is near", near);
	fprintf(stderr, "\ntry: %s --help\n", program->name);
	return VK_EXIT_USAGE;
}

static int too_much(const struct vk_cli_program *program, const char *word)
{
	fprintf(stderr, "%s: nothing can follow here: ", program->name);
	vk_words_clean(stderr, word);
	fprintf(stderr, "\ntry: %s --help\n", program->name);
	return VK_EXIT_USAGE;
}

static int run_help(const struct vk_cli_program *program, int argc, char **argv)
{
	const struct vk_cli_verb *verb;

	if (argc > 3)
		return too_much(program, argv[3]);
	if (argc == 2 || strcmp(argv[2], "help") == 0) {
		vk_cli_help(program, stdout);
		return VK_EXIT_OK;
	}
	verb = find_verb(program, argv[2]);
	if (verb == NULL)
		return refuse_verb(program, argv[2]);
	vk_cli_verb_help(program, verb, stdout);
	return VK_EXIT_OK;
}

/* argv: all of the command line; the verb's own part of it begins with its name. */
static int run_verb(const struct vk_cli_program *program, const struct vk_cli_verb *verb, int argc,
		    char **argv)
{
	struct vk_cli_call call = {.program = program,
				   .verb = verb,
				   .command = (const char *const *)argv,
				   .out = vk_screen_open(stdout),
				   .err = vk_screen_open(stderr)};
	bool help;
	int code = vk_cli_parse(&call, argc - 1, argv + 1, &help);

	if (code == VK_EXIT_OK && help)
		vk_cli_verb_help(program, verb, stdout);
	else if (code == VK_EXIT_OK)
		code = verb->run(&call);
	vk_cli_parse_free(&call);
	vk_screen_close(call.err);
	vk_screen_close(call.out);
	return code;
}

static int run(const struct vk_cli_program *program, int argc, char **argv)
{
	const struct vk_cli_verb *verb;
	const char *word = argc > 1 ? argv[1] : "";

	if (argc < 2) {
		vk_cli_brief(program, stderr);
		fprintf(stderr, "more: %s --help, %s help VERB, man %s\n", program->name, program->name,
			program->name);
		return VK_EXIT_USAGE;
	}
	if (strcmp(word, "help") == 0 || strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)
		return run_help(program, argc, argv);
	if (strcmp(word, "--version") == 0 || strcmp(word, "-V") == 0) {
		if (argc > 2)
			return too_much(program, argv[2]);
		printf("%s %s\n", program->name, program->version);
		return VK_EXIT_OK;
	}
	verb = find_verb(program, word);
	if (verb == NULL)
		return refuse_verb(program, word);
	return run_verb(program, verb, argc, argv);
}

/* Returns code, or 4 when the results did not reach their reader, who is then told. */
static int flush(const struct vk_cli_program *program, int code)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return code;
	fprintf(stderr, "%s: the results could not be written: %s\n", program->name,
		errno != 0 ? strerror(errno) : "an earlier write failed");
	return code == VK_EXIT_OK || code == VK_EXIT_FINDINGS ? VK_EXIT_IO : code;
}

int vk_cli_main(const struct vk_cli_program *program, int argc, char **argv)
{
	return occupy_streams() ? flush(program, run(program, argc, argv)) : VK_EXIT_IO;
}
