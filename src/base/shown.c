/* SPDX-License-Identifier: Apache-2.0 */
/* Texts made in place, to be named in the arguments of a call. */
#include "base/shown.h"

#include <string.h>

static struct vk_shown make(void (*put)(struct vk_text *text, uint64_t value), uint64_t value)
{
	struct vk_shown shown;
	struct vk_text text = vk_text_in(shown.text, sizeof(shown.text));

	put(&text, value);
	return shown;
}

struct vk_shown vk_shown_size(uint64_t bytes)
{
	return make(vk_text_size, bytes);
}

struct vk_shown vk_shown_size_short(uint64_t bytes)
{
	return make(vk_text_size_short, bytes);
}

struct vk_shown vk_shown_time_s(uint64_t unix_seconds)
{
	return make(vk_text_time_s, unix_seconds);
}

struct vk_shown vk_shown_duration_us(uint64_t microseconds)
{
	return make(vk_text_duration_us, microseconds);
}

void vk_time_into(char *buf, size_t cap_bytes, uint64_t unix_seconds)
{
	struct vk_text text = vk_text_in(buf, cap_bytes);

	vk_text_time_s(&text, unix_seconds);
}

void vk_label_into(char *buf, size_t cap_bytes, const void *bytes, size_t len)
{
	struct vk_text text = vk_text_in(buf, cap_bytes);

	vk_text_label(&text, bytes, len);
}

struct vk_shown_label vk_shown_label(const void *bytes, size_t len)
{
	struct vk_shown_label shown;

	vk_label_into(shown.text, sizeof(shown.text), bytes, len);
	return shown;
}

struct vk_shown_label vk_shown_name(const char *text)
{
	return vk_shown_label(text, strlen(text));
}
