/* SPDX-License-Identifier: Apache-2.0 */
/* Command lines, read by getopt_long with what the command table says. */
#include "cli/parse.h"

#include <getopt.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cli/words.h"

/* Long options answer with their index from here on; letters are below. */
enum { FIRST_LONG = 256, ARGUMENT = 1 };

/*
 * The table in the form that getopt_long wants.
 * "-" in front: arguments are delivered in their place and argv is not shuffled, whatever POSIXLY_CORRECT says.
 * ":" behind it: no printing, and a missing value is told from an unknown option.
 */
static void fill_table(const struct vk_cli_verb *verb, struct option *longs, char *letter)
{
	const struct vk_cli_option *option;

	*letter++ = '-';
	*letter++ = ':';
	for (size_t i = 0; (option = vk_cli_nth_option(verb, i)) != NULL; i++) {
		bool wants = option->argument != NULL;

		longs[i] = (struct option){option->name, wants ? required_argument : no_argument, NULL,
			FIRST_LONG + (int)i};
		if (option->letter == 0)
			continue;
		*letter++ = option->letter;
		if (wants)
			*letter++ = ':';
	}
}

/* The option that getopt's answer stands for; NULL: --help, or none. */
static const struct vk_cli_option *option_of(const struct vk_cli_verb *verb, int answer)
{
	size_t count = vk_cli_option_count(verb);

	for (size_t i = 0; i < count; i++)
		if (answer == FIRST_LONG + (int)i ||
		    (answer != 0 && answer == verb->options[i].letter))
			return &verb->options[i];
	return NULL;
}

static int refuse_unknown(const struct vk_cli_call *call, const char *word)
{
	const char *near = NULL;
	size_t best = SIZE_MAX;
	size_t name_len = strcspn(word, "=");
	char name[64];

	if (strncmp(word, "--", 2) != 0)
		return vk_cli_usage(call, "there is no option -%c", optopt);
	snprintf(name, sizeof(name), "%.*s", (int)(name_len - 2), word + 2);
	for (size_t i = 0; i < vk_cli_option_count(call->verb); i++)
		if (vk_words_nearer(name, call->verb->options[i].name, &best))
			near = call->verb->options[i].name;
	if (near != NULL)
		return vk_cli_usage(call, "there is no option %.*s; --%s is near", (int)name_len,
				    word, near);
	return vk_cli_usage(call, "there is no option %.*s", (int)name_len, word);
}

static int take_option(struct vk_cli_call *call, const struct vk_cli_option *option)
{
	const char *value = option->argument != NULL ? optarg : NULL;
	size_t len;
	const char *wrong = value != NULL ? vk_cli_wrong_choice(option, value, &len) : NULL;

	if (wrong != NULL)
		return vk_cli_usage(call, "--%s %s: \"%.*s\" is not one of: %s", option->name, value, (int)len, wrong,
				    option->choices);
	call->given[call->given_count++] = (struct vk_cli_given){option, value, false};
	return VK_EXIT_OK;
}

static int take_answer(struct vk_cli_call *call, int answer, const char *word, bool *ret_help)
{
	const struct vk_cli_option *option;

	switch (answer) {
	case ARGUMENT:
		call->arguments[call->argument_count++] = optarg;
		return VK_EXIT_OK;
	case ':':
		option = option_of(call->verb, optopt);
		return vk_cli_usage(call, "option --%s wants a value: %s", option->name,
				    option->argument);
	case '?':
		option = option_of(call->verb, optopt);
		if (strncmp(word, "--", 2) == 0 && option != NULL && option->argument == NULL)
			return vk_cli_usage(call, "option --%s takes no value", option->name);
		return refuse_unknown(call, word);
	default:
		/* getopt_long accepts abbreviations */
		option = option_of(call->verb, answer);
		if (answer >= FIRST_LONG &&
		    strcspn(word + 2, "=") != strlen(option != NULL ? option->name : "help"))
			return refuse_unknown(call, word);
		if (option != NULL)
			return take_option(call, option);
		*ret_help = true;
		return VK_EXIT_OK;
	}
}

static int check_arguments(const struct vk_cli_call *call)
{
	const char *words = call->verb->words;

	if (words != NULL && call->argument_count > 0 &&
	    !vk_words_have(words, vk_words_of(call->arguments[0])))
		return vk_cli_usage(call, "\"%s\" is not one of: %s", call->arguments[0], words);
	if (call->argument_count < call->verb->least_arguments)
		return vk_cli_usage(call, "too few arguments, wanted: %s", call->verb->arguments);
	if (call->argument_count > call->verb->most_arguments)
		return vk_cli_usage(call, "one argument too many: %s",
				    call->arguments[call->verb->most_arguments]);
	return VK_EXIT_OK;
}

int vk_cli_parse(struct vk_cli_call *call, int argc, char **argv, bool *ret_help)
{
	size_t options = vk_cli_option_count(call->verb) + 1;
	struct option *longs = calloc(options + 1, sizeof(*longs));
	char *letters = calloc(2 * options + 3, 1);
	int code = VK_EXIT_OK;
	int answer = 0;

	*ret_help = false;
	call->arguments = calloc((size_t)argc, sizeof(*call->arguments));
	/* a word of letters may hold an option in each of its characters */
	for (int i = 1; i < argc; i++)
		call->given_count += strlen(argv[i]) + 1;
	call->given = calloc(call->given_count + 1, sizeof(*call->given));
	call->given_count = 0;
	if (longs == NULL || letters == NULL || call->arguments == NULL || call->given == NULL) {
		fprintf(call->err, "%s: out of memory\n", call->program->name);
		code = VK_EXIT_IO;
	} else {
		fill_table(call->verb, longs, letters);
	}
	optind = 0; /* glibc: start anew */
	while (code == VK_EXIT_OK && !*ret_help) {
		const char *word = argv[optind == 0 ? 1 : optind];

		answer = getopt_long(argc, argv, letters, longs, NULL);
		if (answer == -1)
			break;
		code = take_answer(call, answer, word, ret_help);
	}
	while (answer == -1 && optind < argc)
		call->arguments[call->argument_count++] = argv[optind++];
	if (code == VK_EXIT_OK && !*ret_help)
		code = check_arguments(call);
	if (code == VK_EXIT_OK && !*ret_help)
		code = vk_cli_config(call);
	free(longs);
	free(letters);
	return code;
}

void vk_cli_parse_free(struct vk_cli_call *call)
{
	free(call->arguments);
	free(call->given);
	free(call->config_text);
	call->config_text = NULL;
	call->arguments = NULL;
	call->given = NULL;
}
