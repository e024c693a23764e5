/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The text of a configuration file: "key = value" on each line. "#" begins a comment, at the start of a line or behind
 * a blank. A value in double or single quotes is what stands between them.
 */
#ifndef VK_CLI_CONFIG_TEXT_H
#define VK_CLI_CONFIG_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* Texts lie in the text that was read. */
struct vk_config_line {
	unsigned number; /* from 1 */
	const char *key;
	const char *value;
	const char *wrong; /* what is wrong with the line; NULL: nothing, and key and value are there */
};

/*
 * The next line that says something; false at the end. text ends with NUL and is cut into pieces; start with
 * *cursor at its beginning and *number 0.
 */
bool vk_config_next(char **cursor, unsigned *number, struct vk_config_line *ret_line);

#endif
