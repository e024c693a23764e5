/* SPDX-License-Identifier: Apache-2.0 */
/* The value of a hexadecimal digit. */
#ifndef VK_BASE_HEX_DIGIT_H
#define VK_BASE_HEX_DIGIT_H

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

#endif
