/* SPDX-License-Identifier: Apache-2.0 */
/* Words, paragraphs and lists of words in the texts of the command table. */
#ifndef VK_CLI_WORDS_H
#define VK_CLI_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* A stretch of a text; not NUL terminated. */
struct vk_words {
	const char *text;
	size_t len;
};

struct vk_paragraph {
	struct vk_words words;
	bool verbatim; /* begins with a blank: to be shown line by line */
};

/* The next paragraph, word or line of a text; false at its end. cursor starts at the text's beginning. */
bool vk_words_paragraph(const char **cursor, struct vk_paragraph *ret_paragraph);
bool vk_words_next(struct vk_words *rest, struct vk_words *ret_word);
bool vk_words_line(struct vk_words *rest, struct vk_words *ret_line);
struct vk_words vk_words_of(const char *text);

/*
 * Print filled to 79 columns, on a terminal to its width but at most 100. The first line starts at column `at`
 * already, the others are indented.
 */
void vk_words_fill(FILE *out, struct vk_words words, size_t at, size_t indent);

/* Whether a list of words separated by blanks has this one. */
bool vk_words_have(const char *list, struct vk_words word);

/* Print a text of unknown origin: control characters become \xNN, so that it cannot steer a terminal. */
void vk_words_clean(FILE *out, const char *text);

/*
 * Whether candidate is closer to word than *best (a distance, start with SIZE_MAX), and close enough to be
 * worth naming: then *best is its distance.
 */
bool vk_words_nearer(const char *word, const char *candidate, size_t *best);

#endif
