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

/* A comment begins a line or stands behind a blank, so that a value may hold a "#". */
static void cut_comment(char *line)
{
	for (char *p = line; *p != '\0'; p++)
		if (*p == '#' && (p == line || is_blank(p[-1]))) {
			*p = '\0';
			return;
		}
}

static bool has_control(const char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			return true;
	return false;
}

static void read_line(char *line, struct vk_config_line *ret_line)
{
	char *equals = strchr(line, '=');

	ret_line->key = "";
	ret_line->value = "";
	ret_line->wrong = NULL;
	if (equals == NULL) {
		ret_line->wrong = "a line is \"key = value\"";
		return;
	}
	*equals = '\0';
	ret_line->key = trim(line);
	ret_line->value = trim(equals + 1);
	if (!is_key(ret_line->key))
		ret_line->wrong = "a key is the long name of an option without its dashes";
	else if (ret_line->value[0] == '\0')
		ret_line->wrong = "there is no value behind the =";
	else if (has_control(ret_line->value))
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
		cut_comment(line);
		line = trim(line);
		if (line[0] == '\0')
			continue;
		read_line(line, ret_line);
		ret_line->number = *number;
		return true;
	}
	return false;
}
