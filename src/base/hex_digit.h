/* SPDX-License-Identifier: Apache-2.0 */
/* The value of hexadecimal digits. */
#ifndef VK_BASE_HEX_DIGIT_H
#define VK_BASE_HEX_DIGIT_H

#include <stdint.h>

/* -1 when c is none. */
static inline int vk_hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Of two characters that are digits. */
static inline uint8_t vk_hex_byte(const char *two)
{
	return (uint8_t)(vk_hex_digit(two[0]) * 16 + vk_hex_digit(two[1]));
}

#endif
