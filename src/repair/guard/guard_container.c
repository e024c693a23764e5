/* SPDX-License-Identifier: Apache-2.0 */
/* Guard container: the target holds a disk in another form, or with a footer behind it. */
#include <inttypes.h>

#include "repair/guard/guards.h"

enum vk_status vk_guard_ask_container(struct vk_restore *restore, struct vk_error *err)
{
	const struct vk_image_format *format = vk_io_image_format(restore->io);
	const struct vk_form *form = vk_form(vk_io_form_of(restore->io));

	if (form->unfold != NULL)
		return vk_guard_object(restore, VK_GUARD_CONTAINER, err,
				       "The target is a %s, not a disk: name the disk that it was made of",
					       form->title);
	if (restore->before->container != NULL)
		return vk_guard_object(restore, VK_GUARD_CONTAINER, err,
				       "The target is a %s, not a disk; open it with: %s", format->name, format->open);
	if (format != NULL && format->raw_inside && vk_overlay_dirty_bytes(restore->overlay) > 0)
		return vk_guard_object(restore, VK_GUARD_CONTAINER, err,
				       "The target is a %s: its first %" PRIu64 " bytes are the disk. Attach them as a "
				       "device of their own and name that: losetup --find --show --sizelimit %" PRIu64
				       " FILE",
				       format->name, restore->target.size_bytes, restore->target.size_bytes);
	return VK_OK;
}
