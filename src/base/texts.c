/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of texts: those that end with NULL, and those with a count. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/texts.h"

int vk_texts_compare(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

bool vk_sentence_vadd(char ***list, size_t *count, const char *fmt, va_list args)
{
	char *text = NULL;

	if (vasprintf(&text, fmt, args) < 0)
		return false;
	if (vk_append(list, count, &text, sizeof(text)) != NULL)
		return true;
	free(text);
	return false;
}

bool vk_sentence_add(char ***list, size_t *count, const char *fmt, ...)
{
	va_list args;
	bool kept;

	va_start(args, fmt);
	kept = vk_sentence_vadd(list, count, fmt, args);
	va_end(args);
	return kept;
}

void vk_sentences_free(char ***list, size_t *count)
{
	for (size_t i = 0; i < *count; i++)
		free((*list)[i]);
	free(*list);
	*list = NULL;
	*count = 0;
}

void vk_texts_free(char **texts)
{
	for (size_t i = 0; texts != NULL && texts[i] != NULL; i++)
		free(texts[i]);
	free(texts);
}

int vk_paths_compare(const char *a, size_t a_len, const char *b, size_t b_len)
{
	for (size_t i = 0; i < a_len && i < b_len; i++) {
		int x = a[i] == '/' ? 1 : (unsigned char)a[i] + 1, y = b[i] == '/' ? 1 : (unsigned char)b[i] + 1;

		if (x != y)
			return x - y;
	}
	return a_len < b_len ? -1 : a_len > b_len;
}
