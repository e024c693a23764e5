/* SPDX-License-Identifier: Apache-2.0 */
/* What a verb asks of its call: options, and words for what went wrong. */
#include "cli/cli.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "cli/parse.h"
#include "cli/words.h"

static void demand_known(const struct vk_cli_call *call, const char *name)
{
	for (size_t i = 0; i < vk_cli_option_count(call->verb); i++)
		if (strcmp(call->verb->options[i].name, name) == 0)
			return;
	fprintf(call->err, "%s: internal fault: %s asks for an option that it does not have: --%s\n",
		call->program->name, call->verb->name, name);
	exit(VK_EXIT_INTERNAL);
}

static const struct vk_cli_given *find_given(const struct vk_cli_call *call, const char *name,
					     size_t n)
{
	demand_known(call, name);
	for (size_t i = 0; i < call->given_count; i++)
		if (strcmp(call->given[i].option->name, name) == 0 && n-- == 0)
			return &call->given[i];
	return NULL;
}

bool vk_cli_flag(const struct vk_cli_call *call, const char *option)
{
	return find_given(call, option, 0) != NULL;
}

bool vk_cli_given_here(const struct vk_cli_call *call, const char *option)
{
	const struct vk_cli_given *given = find_given(call, option, 0);

	return given != NULL && !given->from_config;
}

const char *vk_cli_nth_value(const struct vk_cli_call *call, const char *option, size_t n)
{
	const struct vk_cli_given *given = find_given(call, option, n);

	return given != NULL ? given->value : NULL;
}

const char **vk_cli_values(const struct vk_cli_call *call, const char *option)
{
	const char **values = calloc(call->given_count + 1, sizeof(*values));
	size_t count = 0;

	demand_known(call, option);
	for (size_t i = 0; values != NULL && i < call->given_count; i++)
		if (strcmp(call->given[i].option->name, option) == 0)
			values[count++] = call->given[i].value;
	return values;
}

const char *vk_cli_value(const struct vk_cli_call *call, const char *option)
{
	const char *last = NULL;

	demand_known(call, option);
	for (size_t i = 0; i < call->given_count; i++)
		if (strcmp(call->given[i].option->name, option) == 0)
			last = call->given[i].value;
	return last;
}

void vk_cli_set_value(struct vk_cli_call *call, const char *option, const char *value)
{
	struct vk_cli_given *last = NULL;

	demand_known(call, option);
	for (size_t i = 0; i < call->given_count; i++)
		if (strcmp(call->given[i].option->name, option) == 0)
			last = &call->given[i];
	if (last != NULL)
		last->value = value;
}

unsigned vk_cli_chosen(const struct vk_cli_call *call, const char *option)
{
	unsigned chosen = 0;

	demand_known(call, option);
	for (size_t i = 0; i < call->given_count; i++) {
		const struct vk_cli_option *row = call->given[i].option;
		struct vk_words rest = vk_words_of(row->choices != NULL ? row->choices : ""), word;

		for (unsigned bit = 1; strcmp(row->name, option) == 0 && vk_words_next(&rest, &word); bit <<= 1)
			if (vk_cli_list_has(call->given[i].value, word))
				chosen |= bit;
	}
	return chosen;
}

static int exit_code(enum vk_status status)
{
	switch (status) {
	case VK_OK:
		return VK_EXIT_OK;
	case VK_USAGE:
		return VK_EXIT_USAGE;
	case VK_REFUSED:
		return VK_EXIT_REFUSED;
	case VK_IO:
	case VK_ABSENT:
	case VK_NOMEM:
		return VK_EXIT_IO;
	case VK_DAMAGED:
	case VK_UNSUPPORTED:
		return VK_EXIT_FINDINGS;
	case VK_INTERNAL:
		break;
	}
	return VK_EXIT_INTERNAL;
}

static void put_where(FILE *err_out, const struct vk_error *err)
{
	if (err->where[0] == '\0' && !err->has_offset)
		return;
	fputs(" (", err_out);
	vk_words_clean(err_out, err->where);
	if (err->has_offset)
		fprintf(err_out, "%sat byte %llu", err->where[0] != '\0' ? ", " : "",
			(unsigned long long)err->offset_bytes);
	fputc(')', err_out);
}

int vk_cli_fail(const struct vk_cli_call *call, const struct vk_error *err)
{
	fflush(call->out); /* keep the order where both go to one terminal */
	fprintf(call->err, "%s: ", call->program->name);
	vk_words_clean(call->err, err->what[0] != '\0' ? err->what : vk_status_name(err->status));
	put_where(call->err, err);
	fputc('\n', call->err);
	if (err->remedy[0] != '\0') {
		fputs("  ", call->err);
		vk_words_clean(call->err, err->remedy);
		fputc('\n', call->err);
	}
	return exit_code(err->status);
}

int vk_cli_usage(const struct vk_cli_call *call, const char *what, ...)
{
	char text[512];
	va_list args;

	va_start(args, what);
	vsnprintf(text, sizeof(text), what, args);
	va_end(args);
	fflush(call->out);
	fprintf(call->err, "%s %s: ", call->program->name, call->verb->name);
	vk_words_clean(call->err, text);
	fputc('\n', call->err);
	vk_cli_usage_line(call->program, call->verb, call->err);
	fprintf(call->err, "try: %s %s --help\n", call->program->name, call->verb->name);
	return VK_EXIT_USAGE;
}
