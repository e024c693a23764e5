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
