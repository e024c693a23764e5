/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of whole sentences. */
#include <stdio.h>
#include <stdlib.h>

#include "base/sentences.h"

bool vk_sentence_vadd(char ***list, size_t *count, const char *fmt, va_list args)
{
	char **grown = reallocarray(*list, *count + 1, sizeof(**list));
	char *text = NULL;
	int len;

	if (grown == NULL)
		return false;
	*list = grown;
	len = vasprintf(&text, fmt, args);
	if (len < 0)
		return false;
	grown[(*count)++] = text;
	return true;
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
