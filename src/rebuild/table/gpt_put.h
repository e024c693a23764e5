/* SPDX-License-Identifier: Apache-2.0 */
/* How a whole GPT gets onto an overlay. */
#ifndef VK_REBUILD_GPT_PUT_H
#define VK_REBUILD_GPT_PUT_H

#include "evidence/gpt/image.h"
#include "vmfskit/overlay.h"
#include "vmfskit/table_parts.h"

/*
 * Put image on overlay in the classes of io/write_class.h: backup, primary, MBR. Only what differs becomes an edit;
 * ret_rewritten (VK_TP_COUNT of them, may be NULL) says which parts do. Errors: VK_USAGE (an entry lies outside the
 * usable range or overlaps another; the table would lie over itself or over an entry; the overlay's disk has another
 * size or a sector size that cannot hold it), VK_IO, VK_NOMEM.
 */
VK_MUST_USE enum vk_status vk_gpt_put(const struct vk_gpt_image *image, struct vk_overlay *overlay, bool *ret_rewritten,
				      struct vk_error *err);

#endif
