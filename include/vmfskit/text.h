/* SPDX-License-Identifier: Apache-2.0 */
/* A bounded text builder, and the texts people read: sizes, times, hexadecimal bytes. */
#ifndef VMFSKIT_TEXT_H
#define VMFSKIT_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

__BEGIN_DECLS

/*
 * Text in a buffer of the caller's; always NUL terminated, cut off where it does not fit (never inside a UTF-8
 * character; nothing more is then appended).
 */
struct vk_text {
	char *buf;
	size_t cap_bytes;
	size_t len_bytes;
};

/* Start with an empty text; cap_bytes is at least 1. */
void vk_text_init(struct vk_text *text, char *buf, size_t cap_bytes);
/* The same as a value: struct vk_text text = vk_text_in(buf, sizeof(buf)). */
struct vk_text vk_text_in(char *buf, size_t cap_bytes);
/* Append a string, formatted text, bytes as lower-case hexadecimal digits. */
void vk_text_put(struct vk_text *text, const char *s);
void vk_text_fmt(struct vk_text *text, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void vk_text_hex(struct vk_text *text, const uint8_t *bytes, size_t len);
/*
 * Append bytes as text: stops at the first NUL, shows valid UTF-8 as it is and anything else (control
 * characters, line ends, marks that change the direction of writing, broken sequences, backslash) as \xNN, so
 * that a crafted label cannot steer a terminal or show itself in another order.
 */
void vk_text_label(struct vk_text *text, const uint8_t *bytes, size_t len);

/* "1.17 GiB (1258435584 bytes)"; below 1 KiB "688 bytes". */
void vk_text_size(struct vk_text *text, uint64_t bytes);
/* "1.17 GiB", and 9.998 GiB as "10 GiB": where the exact number does not matter, or stands beside it. */
void vk_text_size_short(struct vk_text *text, uint64_t bytes);
/* Unix seconds or microseconds as "2009-04-21T16:45:56Z", "2009-04-21T16:45:56.211175Z" (always UTC). */
void vk_text_time_s(struct vk_text *text, uint64_t unix_seconds);
void vk_text_time_us(struct vk_text *text, uint64_t unix_us);
/* Length of time: "392.36 s", "1 h 02 min 03 s", "174 d 3 h 5 min". */
void vk_text_duration_us(struct vk_text *text, uint64_t us);

/*
 * Parse "64T", "1.5G", "20480", "512s" (sectors of 512 bytes), KiB powers; returns 0 when it is not a size or does not
 * fit 64 bits. Parts of a byte are cut off; fractions of bytes and sectors are no sizes.
 */
int vk_text_parse_size(const char *s, uint64_t *ret_bytes);
/*
 * Parse a whole number up to most: decimal, also with zeros in front, or hexadecimal behind 0x. Nothing is octal.
 * False, and ret_number as it was, when it is anything else.
 */
bool vk_text_parse_number(const char *s, uint64_t most, uint64_t *ret_number);

__END_DECLS
#endif
