/* SPDX-License-Identifier: Apache-2.0 */
/* Names of the pieces of a split dump. */
#include "io/split_name.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static bool count_digits(struct vk_split_name *name, const char *suffix)
{
	for (size_t i = 0; i < name->width; i++) {
		if (!isdigit((unsigned char)suffix[i]))
			return false;
		name->number = name->number * 10 + (size_t)(suffix[i] - '0');
	}
	return name->width >= 2 && name->width <= 4;
}

static bool count_letters(struct vk_split_name *name, const char *suffix)
{
	name->number = 0;
	name->letters = true;
	for (size_t i = 0; i < name->width; i++) {
		if (suffix[i] < 'a' || suffix[i] > 'z')
			return false;
		name->number = name->number * 26 + (size_t)(suffix[i] - 'a');
	}
	return name->width >= 2 && name->width <= 3;
}

bool vk_split_name(const char *path, struct vk_split_name *ret_name)
{
	const char *slash = strrchr(path, '/');
	struct vk_split_name name = {.base = slash != NULL ? slash + 1 : path};
	const char *dot = strrchr(name.base, '.');

	if (dot == NULL || dot == name.base)
		return false;
	name.stem = (size_t)(dot + 1 - name.base);
	name.width = strlen(dot + 1);
	/* no more are looked at than a name of a piece has */
	if (name.width > 4 || (!count_digits(&name, dot + 1) && !count_letters(&name, dot + 1)))
		return false;
	*ret_name = name;
	return true;
}

bool vk_split_name_first(const struct vk_split_name *name)
{
	return name->number <= !name->letters;
}

bool vk_split_name_same(const struct vk_split_name *a, const struct vk_split_name *b)
{
	return a->letters == b->letters && a->width == b->width && a->stem == b->stem &&
	       memcmp(a->base, b->base, a->stem) == 0;
}

void vk_split_name_nth(const struct vk_split_name *like, size_t number, char *buf, size_t len)
{
	char letters[4] = "aaa";

	if (!like->letters) {
		snprintf(buf, len, "%.*s%0*zu", (int)like->stem, like->base, (int)like->width, number);
		return;
	}
	letters[like->width] = '\0';
	for (size_t i = like->width; i > 0; i--, number /= 26)
		letters[i - 1] = (char)('a' + number % 26);
	snprintf(buf, len, "%.*s%s", (int)like->stem, like->base, letters);
}
