/* SPDX-License-Identifier: Apache-2.0 */
/* Text that people read, fitted to the width of their screen. */
#ifndef VK_BASE_SCREEN_H
#define VK_BASE_SCREEN_H

#include <stdbool.h>
#include <stdio.h>

/*
 * How many columns a stream shows: those of its terminal; else the variable COLUMNS when somebody exported it; 0: as
 * many as a line has. Streams of vk_screen_open and plain ones may be asked.
 */
unsigned vk_screen_columns(FILE *out);
bool vk_screen_is_terminal(FILE *out);

/*
 * A stream over a real one: its lines that are longer than the screen are broken at blanks, what follows is indented
 * under the line's value. No word is broken. Where the screen has no width it is the real stream itself: what a script
 * reads stays in whole lines. At most two are open. What is flushed reaches the real stream's file, but for a line that
 * has no end yet. A write that failed is known of the real stream (ferror).
 */
FILE *vk_screen_open(FILE *real);
/* Writes what is left; the real stream stays open. Where a write failed, errno says why. */
void vk_screen_close(FILE *out);

/*
 * Between true and false everything goes through byte for byte: JSON, hexdump, what redraws its line. Returns what was
 * on before, to be put back. Nothing happens to a plain stream.
 */
bool vk_screen_exact(FILE *out, bool on);
/* Print lines that are to be pasted, a command for example: they are never broken. */
void vk_screen_paste(FILE *out, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
