/* SPDX-License-Identifier: Apache-2.0 */
/* The text of a configuration file. */
#include "cli/config_text.h"

#include <string.h>

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static char *trim(char *text)
{
	size_t len;

	while (is_blank(*text))
		text++;
	len = strlen(text);
	while (len > 0 && is_blank(text[len - 1]))
		text[--len] = '\0';
	return text;
}

static bool is_key(const char *key)
{
	return key[0] != '\0' && key[strspn(key, "abcdefghijklmnopqrstuvwxyz0123456789-")] == '\0';
}

/* A comment stands behind a blank, so that a value may hold a "#". True when there was one. */
static bool cut_comment(char *text)
{
	for (char *p = text; *p != '\0'; p++)
		if (*p == '#' && p > text && is_blank(p[-1])) {
			*p = '\0';
			return true;
		}
	return false;
}

static bool has_control(const char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			return true;
	return false;
}

/* What stands between the quotes, as it is; behind them only a comment may follow. */
static void read_quoted(char *value, struct vk_config_line *ret_line)
{
	char *end = strchr(value + 1, value[0]);
	char *rest = end != NULL ? end + 1 : NULL;

	if (end == NULL) {
		ret_line->wrong = "the quote before the value is not closed";
		return;
	}
	*end = '\0';
	ret_line->value = value + 1;
	while (is_blank(*rest))
		rest++;
	if (*rest != '\0' && (*rest != '#' || rest == end + 1))
		ret_line->wrong = "there is more behind the quotes";
}

static void read_line(char *line, struct vk_config_line *ret_line)
{
	char *equals = strchr(line, '=');
	char *value;

	ret_line->key = "";
	ret_line->value = "";
	ret_line->wrong = NULL;
	if (equals != NULL)
		*equals = '\0';
	if (cut_comment(line) || equals == NULL) {
		ret_line->wrong = "a line is \"key = value\"";
		return;
	}
	ret_line->key = trim(line);
	for (value = equals + 1; is_blank(*value); value++)
		;
	if (*value == '"' || *value == '\'') {
		read_quoted(value, ret_line);
	} else {
		cut_comment(equals + 1); /* with its blanks: "key = # words" has no value */
		ret_line->value = trim(equals + 1);
	}
	if (!is_key(ret_line->key))
		ret_line->wrong = "a key is the long name of an option without its dashes";
	else if (ret_line->wrong == NULL && ret_line->value[0] == '\0')
		ret_line->wrong = "there is no value behind the =";
	else if (ret_line->wrong == NULL && has_control(ret_line->value))
		ret_line->wrong = "there is a control character in the value";
}

bool vk_config_next(char **cursor, unsigned *number, struct vk_config_line *ret_line)
{
	while (**cursor != '\0') {
		char *line = *cursor;
		size_t len = strcspn(line, "\n");

		*cursor = line + len;
		if (line[len] == '\n') {
			line[len] = '\0';
			(*cursor)++;
		}
		(*number)++;
		line = trim(line);
		if (line[0] == '\0' || line[0] == '#')
			continue;
		read_line(line, ret_line);
		ret_line->number = *number;
		return true;
	}
	return false;
}
