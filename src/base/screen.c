/* SPDX-License-Identifier: Apache-2.0 */
/* Text that people read, fitted to the width of their screen. */
#include "base/screen.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { SCREENS = 2, COLUMNS_LEAST = 20, COLUMNS_MOST = 9999 };

struct screen {
	FILE *stream, *real; /* stream: NULL when this one is free */
	bool exact;
	int error; /* why the first write that failed did */
	char *line; /* that has no end yet */
	size_t len, size;
};

static struct screen screens[SCREENS];

static struct screen *screen_of(const FILE *out)
{
	for (size_t i = 0; i < SCREENS; i++)
		if (screens[i].stream == out)
			return &screens[i];
	return NULL;
}

static FILE *real_of(FILE *out)
{
	struct screen *s = out != NULL ? screen_of(out) : NULL;

	return s != NULL ? s->real : out;
}

bool vk_screen_is_terminal(FILE *out)
{
	FILE *real = real_of(out);

	return real != NULL && isatty(fileno(real)) == 1;
}

unsigned vk_screen_columns(FILE *out)
{
	const char *text = getenv("COLUMNS");
	unsigned long columns = 0;
	struct winsize size;
	char *end;

	if (vk_screen_is_terminal(out) && ioctl(fileno(real_of(out)), TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
		return size.ws_col < COLUMNS_LEAST ? COLUMNS_LEAST : size.ws_col;
	if (text != NULL && text[0] >= '0' && text[0] <= '9') {
		columns = strtoul(text, &end, 10);
		if (*end != '\0' || columns < COLUMNS_LEAST || columns > COLUMNS_MOST)
			columns = 0;
	}
	return (unsigned)columns;
}

/* The end of the escape sequence (ESC [ ... letter) at p; p when there is none. */
static const char *behind_escape(const char *p, const char *end)
{
	const char *q = p + 2;

	if (end - p < 3 || p[0] != '\033' || p[1] != '[')
		return p;
	while (q < end && !(*q >= '@' && *q <= '~'))
		q++;
	return q < end ? q + 1 : p;
}

/* A character is a column; a colour is none, nor is what continues a character in UTF-8. */
static size_t columns_of(const char *p, const char *end)
{
	size_t columns = 0;

	while (p < end) {
		const char *behind = behind_escape(p, end);

		if (behind == p) {
			columns += ((unsigned char)*p & 0xc0) != 0x80;
			behind = p + 1;
		}
		p = behind;
	}
	return columns;
}

static const char *word_end(const char *p, const char *end)
{
	while (p < end && *p != ' ')
		p++;
	return p;
}

static const char *word_start(const char *p, const char *end)
{
	while (p < end && *p == ' ')
		p++;
	return p;
}

static bool is_word(const char *p, const char *end, const char *word)
{
	return (size_t)(end - p) == strlen(word) && memcmp(p, word, strlen(word)) == 0;
}

static bool ends_part(char c)
{
	return strchr(".,;:)", c) != NULL;
}

static bool is_capitals(const char *p, const char *end)
{
	if (p < end && ends_part(end[-1]))
		end--;
	while (p < end && *p >= 'A' && *p <= 'Z')
		p++;
	return p == end;
}

/* Whether word, behind a colon, begins a command of other programs; such a one is told to the end of the sentence. */
static bool begins_command(const char *word, const char *behind)
{
	static const char *const programs[] = {"dev=$(losetup", "losetup",    "mdadm",    "lvchange", "vgchange",
					       "cryptsetup",    "partedUtil", "qemu-nbd", "qemu-img", "blockdev"};

	for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++)
		if (is_word(word, behind, programs[i]))
			return true;
	return false;
}

/*
 * The end of what may not be broken at p, which stands behind the character before: a word; a command; of a command of
 * our own in a sentence the words as far as they can be told from what follows: the verb, options with their values,
 * paths, and names in capitals that stand for something.
 */
static const char *unit_end(char before, const char *p, const char *end)
{
	const char *unit = word_end(p, end), *word = p;
	bool verb = is_word(p, unit, "vmfskit");

	if (before == ':' && begins_command(p, unit)) {
		unit = memmem(unit, (size_t)(end - unit), "; ", 2);
		return unit != NULL ? unit + 1 : end;
	}
	if (!verb)
		return unit;
	while (unit < end) {
		const char *next = word_start(unit, end), *behind = word_end(next, end);
		bool value = unit - word > 2 && word[0] == '-' && word[1] == '-';

		if (ends_part(unit[-1]) || next == end ||
		    !(verb || value || *next == '-' || *next == '/' || is_capitals(next, behind)))
			break;
		verb = false;
		word = next;
		unit = behind;
	}
	return unit;
}

/*
 * Where the lines below begin: under the value behind a label ("label   value") or a number ("1. "), else under the
 * line itself; two columns deeper when it begins like an item of a list and not like a sentence.
 */
static size_t hang_of(const char *line, const char *end, unsigned columns)
{
	const char *text = word_start(line, end), *p = text;
	size_t hang = (size_t)(text - line) + (*text >= 'A' && *text <= 'Z' ? 0 : 2);

	while (p < end && *p >= '0' && *p <= '9')
		p++;
	if (p > text && end - p > 2 && p[0] == '.' && p[1] == ' ')
		hang = (size_t)(p + 2 - line);
	for (p = word_end(text, end); p < end; p = word_end(p, end)) {
		const char *value = word_start(p, end);
		size_t at = columns_of(line, value);

		if (at > columns / 2)
			break;
		if (value - p > 1 && value < end)
			hang = at;
		p = value;
	}
	return hang <= columns / 2 ? hang : 2;
}

static void put_fitted(struct screen *s)
{
	const char *line = s->line, *end = line + s->len, *p = line;
	unsigned columns = vk_screen_columns(s->stream);
	/* what is behind the comment's sign in a script stays a comment */
	const char *before = s->len > 1 && line[0] == '#' && line[1] == ' ' ? "#" : "";
	size_t at = 0, hang;
	bool fresh = true;

	if (columns == 0 || columns_of(line, end) <= columns) {
		fwrite(line, 1, s->len, s->real);
		return;
	}
	hang = hang_of(line, end, columns);
	while (p < end) {
		const char *word = word_start(p, end), *behind = unit_end(p > line ? p[-1] : ' ', word, end);
		size_t blanks = (size_t)(word - p), wide = columns_of(word, behind);

		if (word == end)
			break;
		if (!fresh && at + blanks + wide > columns) {
			fprintf(s->real, "\n%s%*s", before, (int)(hang - strlen(before)), "");
			at = hang;
			blanks = 0;
		}
		fprintf(s->real, "%*s", (int)blanks, "");
		fwrite(word, 1, (size_t)(behind - word), s->real);
		at += blanks + wide;
		fresh = false;
		p = behind;
	}
}

static void end_line(struct screen *s)
{
	if (s->len > 0)
		put_fitted(s);
	s->len = 0;
}

/* Room for one more byte; without memory for that the line is printed as far as it goes. */
static void hold_byte(struct screen *s, char byte)
{
	if (s->len == s->size) {
		size_t size = s->size == 0 ? 256 : s->size * 2;
		char *line = realloc(s->line, size);

		if (line == NULL) {
			if (s->len > 0)
				fwrite(s->line, 1, s->len, s->real);
			fputc(byte, s->real);
			s->len = 0;
			return;
		}
		s->line = line;
		s->size = size;
	}
	s->line[s->len++] = byte;
}

static ssize_t write_text(void *cookie, const char *bytes, size_t count)
{
	struct screen *s = cookie;

	if (s->exact)
		fwrite(bytes, 1, count, s->real);
	for (size_t i = 0; !s->exact && i < count; i++) {
		if (bytes[i] != '\n') {
			hold_byte(s, bytes[i]);
			continue;
		}
		end_line(s);
		fputc('\n', s->real);
	}
	/* both streams may go to one terminal, in the order in which they are flushed */
	if (fflush(s->real) == 0 && !ferror(s->real))
		return (ssize_t)count;
	if (s->error == 0)
		s->error = errno;
	return 0;
}

FILE *vk_screen_open(FILE *real)
{
	static const cookie_io_functions_t functions = {.write = write_text};
	struct screen *s = screen_of(NULL);

	if (s == NULL || vk_screen_columns(real) == 0)
		return real;
	*s = (struct screen){.real = real};
	s->stream = fopencookie(s, "w", functions);
	if (s->stream == NULL)
		return real;
	setvbuf(s->stream, NULL, _IOLBF, 0);
	return s->stream;
}

void vk_screen_close(FILE *out)
{
	struct screen *s = screen_of(out);
	int error;

	if (s == NULL)
		return;
	(void)fflush(s->stream);
	end_line(s);
	(void)fflush(s->real);
	(void)fclose(s->stream);
	free(s->line);
	error = s->error;
	*s = (struct screen){.stream = NULL};
	if (error != 0)
		errno = error;
}

bool vk_screen_exact(FILE *out, bool on)
{
	struct screen *s = screen_of(out);
	bool before;

	if (s == NULL)
		return false;
	(void)fflush(out);
	/* the beginning of the line goes with the rest of it */
	if (on && s->len > 0)
		fwrite(s->line, 1, s->len, s->real);
	if (on)
		s->len = 0;
	before = s->exact;
	s->exact = on;
	return before;
}

void vk_screen_paste(FILE *out, const char *format, ...)
{
	bool before = vk_screen_exact(out, true);
	va_list args;

	va_start(args, format);
	vfprintf(out, format, args);
	va_end(args);
	(void)vk_screen_exact(out, before);
}
