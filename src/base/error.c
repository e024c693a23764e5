/* SPDX-License-Identifier: Apache-2.0 */
/* The one error value: filling it. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"
#include "vmfskit/error.h"

static void set_where(struct vk_error *err, enum vk_status status, const char *where)
{
	memset(err, 0, sizeof(*err));
	err->status = status;
	if (where != NULL)
		snprintf(err->where, sizeof(err->where), "%s", where);
	vk_utf8_trim(err->where);
}

enum vk_status vk_error_set(struct vk_error *err, enum vk_status status, const char *where,
			    const char *what, ...)
{
	va_list args;

	if (err == NULL)
		return status;
	set_where(err, status, where);
	va_start(args, what);
	vsnprintf(err->what, sizeof(err->what), what, args);
	va_end(args);
	vk_utf8_trim(err->what);
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
	vsnprintf(err->what, sizeof(err->what), what, args);
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
	vsnprintf(err->remedy, sizeof(err->remedy), remedy, args);
	va_end(args);
	vk_utf8_trim(err->remedy);
	return err->status;
}

const char *vk_status_name(enum vk_status status)
{
	switch (status) {
	case VK_OK:
		return "ok";
	case VK_USAGE:
		return "usage";
	case VK_IO:
		return "I/O";
	case VK_ABSENT:
		return "absent";
	case VK_DAMAGED:
		return "damaged";
	case VK_UNSUPPORTED:
		return "unsupported";
	case VK_REFUSED:
		return "refused";
	case VK_NOMEM:
		return "no memory";
	case VK_INTERNAL:
		break;
	}
	return "internal";
}
