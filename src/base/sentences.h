/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of whole sentences that a plan tells a person. */
#ifndef VK_REBUILD_SENTENCES_H
#define VK_REBUILD_SENTENCES_H

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

#endif
