/* SPDX-License-Identifier: Apache-2.0 */
/* Options from the configuration file, for what the command line leaves open. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/command.h"
#include "cli/config_text.h"
#include "cli/parse.h"

enum { CONFIG_MAX_BYTES = 64 << 10, KEYS_MAX = 64 };

static const struct vk_cli_option *find_option(const struct vk_cli_verb *verb, const char *key)
{
	for (size_t i = 0; i < vk_cli_option_count(verb); i++)
		if (strcmp(verb->options[i].name, key) == 0)
			return &verb->options[i];
	return NULL;
}

/* An option of any verb that may stand in the file; NULL: there is none. */
static const struct vk_cli_option *find_known(const struct vk_cli_program *program, const char *key)
{
	for (size_t i = 0; program->verbs[i] != NULL; i++) {
		const struct vk_cli_option *option = find_option(program->verbs[i], key);

		if (option != NULL && option->config)
			return option;
	}
	return NULL;
}

/* Who can change the file can have anything captured, or nothing. */
static enum vk_status check_file(int fd, const char *path, struct stat *ret_st, struct vk_error *err)
{
	if (fstat(fd, ret_st) != 0)
		return vk_error_errno(err, errno, path, "cannot look at the configuration");
	if (!S_ISREG(ret_st->st_mode))
		return vk_error_set(err, VK_REFUSED, path, "the configuration is not a regular file");
	if ((ret_st->st_mode & (S_IWGRP | S_IWOTH)) != 0) {
		vk_error_set(err, VK_REFUSED, path, "others can write to the configuration (mode %04o)",
			     (unsigned)(ret_st->st_mode & 07777));
		return vk_error_remedy(err, "chmod go-w %s", vk_shell_path(path).text);
	}
	if (ret_st->st_uid != 0 && ret_st->st_uid != geteuid()) {
		vk_error_set(err, VK_REFUSED, path, "the configuration belongs to another user (%u)",
			     (unsigned)ret_st->st_uid);
		return vk_error_remedy(err, "chown root %s", vk_shell_path(path).text);
	}
	if (ret_st->st_size > CONFIG_MAX_BYTES)
		return vk_error_set(err, VK_USAGE, path, "the configuration is longer than 64 KiB");
	return VK_OK;
}

static enum vk_status read_text(int fd, const char *path, char **ret_text, struct vk_error *err)
{
	struct stat st;
	size_t got = 0;
	ssize_t n = 1;
	enum vk_status status = check_file(fd, path, &st, err);

	if (status != VK_OK)
		return status;
	*ret_text = calloc((size_t)st.st_size + 1, 1);
	if (*ret_text == NULL)
		return vk_no_memory(err, path);
	while (got < (size_t)st.st_size && n > 0) {
		n = read(fd, *ret_text + got, (size_t)st.st_size - got);
		if (n > 0)
			got += (size_t)n;
		else if (n < 0 && errno == EINTR)
			n = 1;
	}
	if (n < 0)
		return vk_error_errno(err, errno, path, "cannot read the configuration");
	if (strlen(*ret_text) != got)
		return vk_error_set(err, VK_USAGE, path, "the configuration is not a text");
	return VK_OK;
}

/* *ret_text stays NULL when there is no file and none was asked for. */
static enum vk_status load(const char *path, bool asked, char **ret_text, struct vk_error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	enum vk_status status;

	if (fd < 0 && !asked && (errno == ENOENT || errno == ENOTDIR))
		return VK_OK;
	if (fd < 0)
		return vk_error_errno(err, errno, path, "cannot open the configuration");
	status = read_text(fd, path, ret_text, err);
	close(fd);
	return status;
}

static int wrong_line(const struct vk_cli_call *call, const char *path, unsigned number,
		      const char *what, const char *text)
{
	return vk_cli_usage(call, "%s, line %u: %s%s", path, number, what, text);
}

/* Keys that were met, and where; those that are lists are left out. */
struct met {
	const char *keys[KEYS_MAX];
	unsigned lines[KEYS_MAX];
	size_t count;
};

/* The line that has the key already, 0: none. Nobody can tell which of two values is meant. */
static unsigned met_before(struct met *met, const struct vk_config_line *line)
{
	for (size_t i = 0; i < met->count; i++)
		if (strcmp(met->keys[i], line->key) == 0)
			return met->lines[i];
	if (met->count < KEYS_MAX) {
		met->keys[met->count] = line->key;
		met->lines[met->count++] = line->number;
	}
	return 0;
}

static int take_line(struct vk_cli_call *call, const char *path, const struct vk_config_line *line,
		     size_t given_here, struct met *met)
{
	const struct vk_cli_option *option = find_option(call->verb, line->key);
	const struct vk_cli_option *known = find_known(call->program, line->key);
	bool yes = strcmp(line->value, "yes") == 0;
	unsigned before;
	size_t len;

	if (line->wrong != NULL)
		return wrong_line(call, path, line->number, line->wrong, "");
	if (known == NULL)
		return wrong_line(call, path, line->number, "this cannot be set here: ", line->key);
	before = known->several ? 0 : met_before(met, line);
	if (before != 0)
		return vk_cli_usage(call, "%s, line %u: %s stands in line %u already, and can be set once only", path,
				    line->number, line->key, before);
	if (option == NULL || !option->config)
		return VK_EXIT_OK;
	if (option->argument == NULL && !yes && strcmp(line->value, "no") != 0)
		return wrong_line(call, path, line->number, line->key, " is yes or no");
	if (option->argument != NULL && vk_cli_wrong_choice(option, line->value, &len) != NULL)
		return wrong_line(call, path, line->number, "the value is not one of: ", option->choices);
	for (size_t i = 0; i < given_here; i++)
		if (call->given[i].option == option)
			return VK_EXIT_OK;
	if (option->argument != NULL || yes)
		call->given[call->given_count++] = (struct vk_cli_given){
			option, option->argument != NULL ? line->value : NULL, true};
	return VK_EXIT_OK;
}

static size_t count_lines(const char *text)
{
	size_t count = 1;

	for (; *text != '\0'; text++)
		count += *text == '\n';
	return count;
}

static int take_text(struct vk_cli_call *call, const char *path)
{
	size_t given_here = call->given_count;
	size_t room = given_here + count_lines(call->config_text) + 1;
	struct vk_cli_given *given = realloc(call->given, room * sizeof(*given));
	char *cursor = call->config_text;
	struct vk_config_line line;
	struct vk_error err;
	struct met met = {.count = 0};
	unsigned number = 0;
	int code = VK_EXIT_OK;

	if (given == NULL) {
		vk_no_memory(&err, path);
		return vk_cli_fail(call, &err);
	}
	call->given = given;
	while (code == VK_EXIT_OK && vk_config_next(&cursor, &number, &line))
		code = take_line(call, path, &line, given_here, &met);
	return code;
}

int vk_cli_config(struct vk_cli_call *call)
{
	const struct vk_cli_option *option = find_option(call->verb, "config");
	const char *named = option != NULL ? vk_cli_value(call, "config") : NULL;
	const char *path = named != NULL ? named : call->program->config_file;
	struct vk_error err;

	if (option == NULL || path == NULL)
		return VK_EXIT_OK;
	if (load(path, named != NULL, &call->config_text, &err) != VK_OK)
		return vk_cli_fail(call, &err);
	return call->config_text != NULL ? take_text(call, path) : VK_EXIT_OK;
}
