/* SPDX-License-Identifier: Apache-2.0 */
/* Opening by content: raw bytes, a VMFSIMG image, a listing. */
#include "vmfskit/io.h"

enum vk_status vk_io_open(const char *path, const struct vk_open_options *options,
			  struct vk_io **ret_io, enum vk_io_form *ret_form, struct vk_error *err)
{
	struct vk_io *raw;
	struct vk_io *io;
	enum vk_io_form form = VK_FORM_RAW;
	enum vk_status status = vk_io_open_raw(path, options, &raw, err);

	if (status != VK_OK)
		return status;
	/* a device is what it is: bytes that look like text on it are not a listing of another disk */
	if (!vk_io_is_device(raw)) {
		if (vk_io_is_vmfsimg(raw))
			form = VK_FORM_VMFSIMG;
		else if (vk_io_is_hexdump(raw))
			form = VK_FORM_HEXDUMP;
	}
	io = raw;
	if (form == VK_FORM_VMFSIMG)
		status = vk_io_vmfsimg(raw, &io, err);
	else if (form == VK_FORM_HEXDUMP)
		status = vk_io_hexdump(raw, &io, err);
	if (status != VK_OK) {
		vk_io_close(raw);
		return status;
	}
	if (options != NULL && options->sector_size != 0)
		vk_io_set_sector_size(io, options->sector_size);
	*ret_io = io;
	*ret_form = form;
	return VK_OK;
}
