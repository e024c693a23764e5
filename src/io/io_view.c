/* SPDX-License-Identifier: Apache-2.0 */
/* Which bytes of what was opened are the source: read by a rescue, the data of longer sectors, from some byte on. */
#include "base/memory.h"
#include "io/io_handle.h"
#include "io/mapfile.h"

/* The new handle stands for *io from here on. */
static enum vk_status put_over(struct vk_io **io, struct vk_io *over, struct vk_error *err)
{
	if (over == NULL)
		return vk_no_memory(err, vk_io_name(*io));
	vk_io_own(over, *io);
	*io = over;
	return VK_OK;
}

static enum vk_status put_stride(struct vk_io **io, uint32_t stride_bytes, struct vk_error *err)
{
	if (stride_bytes == 0)
		return VK_OK;
	if (stride_bytes != 520 && stride_bytes != 528)
		return vk_error_set(err, VK_USAGE, vk_io_name(*io),
				    "sectors of %u bytes are not read, only those of 520 and 528",
				    (unsigned)stride_bytes);
	return put_over(io, vk_io_strided(*io, stride_bytes), err);
}

static enum vk_status put_start(struct vk_io **io, uint64_t at_bytes, struct vk_error *err)
{
	if (at_bytes == 0)
		return VK_OK;
	if (at_bytes < vk_io_size_bytes(*io))
		return put_over(io, vk_io_window(*io, at_bytes, UINT64_MAX), err);
	vk_error_set(err, VK_USAGE, vk_io_name(*io), "it ends after %llu bytes, before byte %llu",
		     (unsigned long long)vk_io_size_bytes(*io), (unsigned long long)at_bytes);
	return vk_error_remedy(err, "name a place in it");
}

static enum vk_status refuse_writing(const char *name, struct vk_error *err)
{
	vk_error_set(err, VK_REFUSED, name,
		     "nothing is written through --at, --stride, --mapfile or into the pieces of a split dump: the "
		     "array or volume around the LUN may keep checksums or copies of these bytes");
	return vk_error_remedy(err, "write to the assembled array or volume, or to a whole copy: copy the source "
				    "into one file with cp or dd");
}

enum vk_status vk_io_refuse_view(const struct vk_io *io, struct vk_error *err)
{
	return vk_io_is_view(io) ? refuse_writing(vk_io_name(io), err) : VK_OK;
}

enum vk_status vk_io_refuse_view_of(const struct vk_io_view *view, const char *path, struct vk_error *err)
{
	const bool any = view->piece_count > 0 || view->mapfile != NULL || view->stride_bytes != 0 ||
			 view->at_bytes != 0;

	return any ? refuse_writing(path, err) : VK_OK;
}

enum vk_status vk_io_viewed(struct vk_io **io, const struct vk_io_view *view, struct vk_error *err)
{
	struct vk_io *raw = *io;
	enum vk_status status = VK_OK;

	if (view->mapfile != NULL)
		status = vk_io_mapped(raw, view->mapfile, io, err);
	if (status == VK_OK)
		status = put_stride(io, view->stride_bytes, err);
	if (status == VK_OK)
		status = put_start(io, view->at_bytes, err);
	if (status != VK_OK) {
		vk_io_close(*io);
		return status;
	}
	if (*io == raw)
		return VK_OK;
	(*io)->opened = true;
	(*io)->viewed = true;
	return VK_OK;
}
