/* SPDX-License-Identifier: Apache-2.0 */
/* Commands that a person pastes into a shell. The one place that quotes words for it. */
#ifndef VK_BASE_COMMAND_H
#define VK_BASE_COMMAND_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* One that grows word by word, in memory: no path is too long for it. Fields are private. */
struct vk_command {
	FILE *out;
	char *text;
	size_t size;
};

/* words are taken as they are: "vmfskit undo". Every vk_command that was begun is ended with vk_command_end. */
void vk_command_begin(struct vk_command *command, const char *words);
/* More of what is taken as it is. */
void vk_command_add(struct vk_command *command, const char *words, ...) __attribute__((format(printf, 2, 3)));
/* A word, quoted where a shell would take it apart. */
void vk_command_word(struct vk_command *command, const char *word);
/* The same of a path: one that begins with a hyphen gets ./ in front, or it would be taken for an option. */
void vk_command_path(struct vk_command *command, const char *path);
/*
 * A path as vk_command_path writes it, to be named in the arguments of a printf: vk_shell_path(path).text lives as long
 * as the statement. PATH stands for one that is too long for a line: it is never cut.
 */
struct vk_shell_word {
	char text[256];
};
struct vk_shell_word vk_shell_path(const char *path);
/* The text; free it. NULL when memory ran out at any step. */
char *vk_command_end(struct vk_command *command);

#endif
