/* SPDX-License-Identifier: Apache-2.0 */
/* Names of the pieces of a split dump: disk.001, disk.002, ...; disk.000, ...; disk.aa, disk.ab, ... */
#ifndef VK_IO_SPLIT_NAME_H
#define VK_IO_SPLIT_NAME_H

#include <stdbool.h>
#include <stddef.h>

enum { VK_SPLIT_PIECES_MAX = 1000 };

struct vk_split_name {
	const char *base; /* the last part of the path */
	size_t stem;      /* its length in front of what counts, with the dot */
	size_t width;     /* of what counts */
	bool letters;     /* aa, ab, ..., az, ba; else digits */
	size_t number;    /* from 0 */
};

/* False when it does not end like the name of a piece: a dot and two to four digits, or two or three small letters. */
bool vk_split_name(const char *path, struct vk_split_name *ret_name);
/* Whether it counts from there: 0 or 1 of digits, aa of letters. */
bool vk_split_name_first(const struct vk_split_name *name);
/* Whether both are pieces of one dump, in whatever folders they lie. */
bool vk_split_name_same(const struct vk_split_name *a, const struct vk_split_name *b);
/* The name of another piece of the same dump, without its folder. */
void vk_split_name_nth(const struct vk_split_name *like, size_t number, char *buf, size_t len);

#endif
