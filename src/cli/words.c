/* SPDX-License-Identifier: Apache-2.0 */
/* Words, paragraphs and lists of words in the texts of the command table. */
#include "cli/words.h"

#include <stdint.h>
#include <string.h>

#include "base/screen.h"

/* prose in longer lines is not read */
enum { USUAL_COLUMNS = 79, MOST_COLUMNS = 100, WORD_MAX = 40 };


static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n';
}

struct vk_words vk_words_of(const char *text)
{
	return (struct vk_words){text, strlen(text)};
}

bool vk_words_paragraph(const char **cursor, struct vk_paragraph *ret_paragraph)
{
	const char *start = *cursor;
	const char *end;

	while (*start == '\n')
		start++;
	if (*start == '\0')
		return false;
	end = strstr(start, "\n\n");
	if (end == NULL)
		end = start + strlen(start);
	*cursor = end;
	while (end > start && is_blank(end[-1]))
		end--;
	ret_paragraph->words = (struct vk_words){start, (size_t)(end - start)};
	ret_paragraph->verbatim = *start == ' ' || *start == '\t';
	return true;
}

bool vk_words_next(struct vk_words *rest, struct vk_words *ret_word)
{
	size_t len = 0;

	while (rest->len > 0 && is_blank(*rest->text)) {
		rest->text++;
		rest->len--;
	}
	while (len < rest->len && !is_blank(rest->text[len]))
		len++;
	*ret_word = (struct vk_words){rest->text, len};
	rest->text += len;
	rest->len -= len;
	return len > 0;
}

bool vk_words_line(struct vk_words *rest, struct vk_words *ret_line)
{
	const char *end;

	if (rest->len == 0)
		return false;
	end = memchr(rest->text, '\n', rest->len);
	*ret_line = (struct vk_words){rest->text, end == NULL ? rest->len : (size_t)(end - rest->text)};
	rest->text += ret_line->len + (end != NULL);
	rest->len -= ret_line->len + (end != NULL);
	return true;
}

void vk_words_fill(FILE *out, struct vk_words words, size_t at, size_t indent)
{
	size_t columns = vk_screen_is_terminal(out) ? vk_screen_columns(out) : 0;
	struct vk_words word;
	bool first = true;

	if (columns == 0 || columns > MOST_COLUMNS)
		columns = columns == 0 ? USUAL_COLUMNS : MOST_COLUMNS;
	while (vk_words_next(&words, &word)) {
		if (!first && at + 1 + word.len > columns) {
			fprintf(out, "\n%*s", (int)indent, "");
			at = indent;
		} else if (!first) {
			fputc(' ', out);
			at++;
		}
		fprintf(out, "%.*s", (int)word.len, word.text);
		at += word.len;
		first = false;
	}
	fputc('\n', out);
}

bool vk_words_have(const char *list, struct vk_words word)
{
	struct vk_words rest = vk_words_of(list);
	struct vk_words one;

	while (vk_words_next(&rest, &one))
		if (one.len == word.len && memcmp(one.text, word.text, word.len) == 0)
			return true;
	return false;
}

void vk_words_clean(FILE *out, const char *text)
{
	const unsigned char *p = (const unsigned char *)text;

	for (; *p != '\0'; p++) {
		/* the control characters of one byte, and those of two bytes in UTF-8 */
		if (*p < 0x20 || *p == 0x7f) {
			fprintf(out, "\\x%02x", *p);
		} else if (*p == 0xc2 && p[1] >= 0x80 && p[1] < 0xa0) {
			fprintf(out, "\\x%02x\\x%02x", p[0], p[1]);
			p++;
		} else {
			fputc(*p, out);
		}
	}
}

/* Levenshtein's distance; words that are too long for a name are simply far away. */
static size_t distance(const char *a, const char *b)
{
	size_t row[WORD_MAX + 1];
	size_t a_len = strlen(a);
	size_t b_len = strlen(b);

	if (a_len > WORD_MAX || b_len > WORD_MAX)
		return SIZE_MAX;
	for (size_t j = 0; j <= b_len; j++)
		row[j] = j;
	for (size_t i = 1; i <= a_len; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= b_len; j++) {
			size_t best = diagonal + (a[i - 1] != b[j - 1]);

			diagonal = row[j];
			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
		}
	}
	return row[b_len];
}

bool vk_words_nearer(const char *word, const char *candidate, size_t *best)
{
	size_t len = strlen(word);
	size_t far = distance(word, candidate);

	/* a beginning is near, however much is missing */
	if (len > 1 && strncmp(word, candidate, len) == 0 && far > 1)
		far = 1;
	if (far >= *best || far > 1 + len / 3 || far >= strlen(candidate))
		return false;
	*best = far;
	return true;
}
