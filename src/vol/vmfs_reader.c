/* SPDX-License-Identifier: Apache-2.0 */
/* What the readers of one part of a VMFS device use: places and bytes. */
#include <stdarg.h>
#include <stdio.h>

#include "base/memory.h"
#include "vol/vmfs_parts.h"

struct vk_place *vk_place_add(struct vk_vmfs_reader *r, const struct vk_layout *layout, uint32_t stride_bytes,
			      enum vk_part part, uint64_t offset_bytes, uint64_t length_bytes, const char *name, ...)
{
	struct vk_place *place = vk_append(&r->vmfs->places, &r->vmfs->place_count, NULL, sizeof(*place));
	char text[sizeof(place->name)];
	va_list args;

	if (place == NULL) {
		r->status = vk_no_memory(r->err, vk_io_name(r->io));
		return NULL;
	}
	va_start(args, name);
	vsnprintf(text, sizeof(text), name, args);
	va_end(args);
	vk_place_init(place, r->io, text, stride_bytes == 0 ? layout : NULL, part, offset_bytes, length_bytes);
	place->element = stride_bytes == 0 ? NULL : layout;
	place->stride_bytes = stride_bytes;
	return place;
}

size_t vk_vmfs_get(struct vk_vmfs_reader *r, uint64_t offset_bytes, void *buf, size_t len)
{
	size_t got = 0;

	if (r->status != VK_OK)
		return 0;
	r->status = vk_io_read(r->io, offset_bytes, buf, len, &got, r->err);
	return r->status == VK_OK ? got : 0;
}
