/* SPDX-License-Identifier: Apache-2.0 */
/* The one error value: filling it. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"
#include "vmfskit/error.h"

/* What does not fit ends with a mark, so that nobody takes half a command or half a path for the whole. */
static void put_text(char *text, size_t cap, const char *format, va_list args) __attribute__((format(printf, 3, 0)));
static void put_text(char *text, size_t cap, const char *format, va_list args)
{
	static const char mark[] = " [...]";
	int len = vsnprintf(text, cap, format, args);

	if (len < 0 || (size_t)len < cap) {
		vk_utf8_trim(text);
		return;
	}
	text[cap - sizeof(mark)] = '\0';
	memcpy(text + vk_utf8_trim(text), mark, sizeof(mark));
}

static void put_fmt(char *text, size_t cap, const char *format, ...) __attribute__((format(printf, 3, 4)));
static void put_fmt(char *text, size_t cap, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	put_text(text, cap, format, args);
	va_end(args);
}

static void set_where(struct vk_error *err, enum vk_status status, const char *where)
{
	memset(err, 0, sizeof(*err));
	err->status = status;
	if (where != NULL)
		put_fmt(err->where, sizeof(err->where), "%s", where);
}

enum vk_status vk_error_set(struct vk_error *err, enum vk_status status, const char *where,
			    const char *what, ...)
{
	va_list args;

	if (err == NULL)
		return status;
	set_where(err, status, where);
	va_start(args, what);
	put_text(err->what, sizeof(err->what), what, args);
	va_end(args);
	return status;
}

enum vk_status vk_error_errno(struct vk_error *err, int code, const char *where, const char *what,
			      ...)
{
	va_list args;
	size_t used;

	if (err == NULL)
		return VK_IO;
	set_where(err, VK_IO, where);
	va_start(args, what);
	put_text(err->what, sizeof(err->what), what, args);
	va_end(args);
	used = strlen(err->what);
	snprintf(err->what + used, sizeof(err->what) - used, ": %s", strerror(code));
	vk_utf8_trim(err->what);
	return VK_IO;
}

enum vk_status vk_error_at(struct vk_error *err, uint64_t offset_bytes)
{
	if (err == NULL)
		return VK_INTERNAL;
	err->has_offset = true;
	err->offset_bytes = offset_bytes;
	return err->status;
}

enum vk_status vk_error_remedy(struct vk_error *err, const char *remedy, ...)
{
	va_list args;

	if (err == NULL)
		return VK_INTERNAL;
	va_start(args, remedy);
	put_text(err->remedy, sizeof(err->remedy), remedy, args);
	va_end(args);
	return err->status;
}

const char *vk_status_name(enum vk_status status)
{
	static const char *const names[] = {
		[VK_OK] = "ok",		  [VK_USAGE] = "usage",	    [VK_IO] = "I/O",
		[VK_ABSENT] = "absent",	  [VK_DAMAGED] = "damaged", [VK_UNSUPPORTED] = "unsupported",
		[VK_REFUSED] = "refused", [VK_NOMEM] = "no memory", [VK_INTERNAL] = "internal"};

	return names[status];
}
