/* SPDX-License-Identifier: Apache-2.0 */
/* UTF-8 taken from untrusted bytes: what is well formed, and what may be sent to a terminal. */
#ifndef VK_BASE_UTF8_H
#define VK_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Length of the well-formed sequence at p and its code point, 0 when there is none; refuses overlong forms, surrogates
 * and what lies beyond U+10FFFF.
 */
size_t vk_utf8_decode(const uint8_t *p, size_t len, uint32_t *ret_point);
/* Characters that move the cursor, end a line or change the direction of what follows. */
bool vk_utf8_steers(uint32_t point);
/* Take an incomplete sequence off the end of a text that was cut; returns its new length. */
size_t vk_utf8_trim(char *text);

#endif
