/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of whole sentences. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "rebuild/sentences.h"

bool vk_sentence_add(char ***list, size_t *count, const char *fmt, ...)
{
	char **grown = reallocarray(*list, *count + 1, sizeof(**list));
	char *text = NULL;
	va_list args;
	int len;

	if (grown == NULL)
		return false;
	*list = grown;
	va_start(args, fmt);
	len = vasprintf(&text, fmt, args);
	va_end(args);
	if (len < 0)
		return false;
	grown[(*count)++] = text;
	return true;
}

void vk_sentences_free(char ***list, size_t *count)
{
	for (size_t i = 0; i < *count; i++)
		free((*list)[i]);
	free(*list);
	*list = NULL;
	*count = 0;
}
