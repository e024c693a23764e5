/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of texts: those that end with NULL, and those with a count. */
#ifndef VK_BASE_TEXTS_H
#define VK_BASE_TEXTS_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

/* Append a sentence. False when memory ran out: the list is as it was. */
bool vk_sentence_add(char ***list, size_t *count, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
bool vk_sentence_vadd(char ***list, size_t *count, const char *fmt, va_list args)
	__attribute__((format(printf, 3, 0)));
/* Free all of them; the list is then empty. */
void vk_sentences_free(char ***list, size_t *count);

/* For qsort and bsearch over texts. */
int vk_texts_compare(const void *a, const void *b);

/* Two paths, so that what is in a folder stands behind it and before all others: '/' comes first. */
int vk_paths_compare(const char *a, size_t a_len, const char *b, size_t b_len);

/* Free a list that ends with NULL, and its texts. texts may be NULL. */
void vk_texts_free(char **texts);

#endif
