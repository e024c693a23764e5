/* SPDX-License-Identifier: Apache-2.0 */
/* Whether another system's file system or pool is in use, as far as a few reads tell. */
#ifndef VK_SOURCE_USE_H
#define VK_SOURCE_USE_H

#include "vmfskit/foreign.h"

struct vk_use {
	bool in_use;        /* it is whole, and holds what making it does not put there */
	bool proved;        /* checksums or several parts of it agree on that */
	uint64_t written_s; /* when it was written to last, as it says, in seconds since 1970; 0: it does not */
	char why[160];      /* "it holds 23 files, ..., last written ..."; "whether it is in use is not known" */
};
/* foreign: as it was found; room_bytes: how much there is from its start on. */
void vk_use_read(struct vk_io *io, const struct vk_foreign *foreign, uint64_t room_bytes, struct vk_use *ret_use);

#endif
