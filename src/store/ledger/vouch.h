/* SPDX-License-Identifier: Apache-2.0 */
/* Vouching for a capture whose folder is open. */
#ifndef VK_STORE_VOUCH_H
#define VK_STORE_VOUCH_H

#include "vmfskit/vouch.h"

/*
 * As vk_vouch, for an open folder; path names it. ret_sha256 is of the manifest that was asked about, empty when it
 * has none.
 */
VK_MUST_USE enum vk_status vk_vouch_folder(struct vk_vouching *vouching, int folder_fd, const char *path,
					   const struct vk_finding_sink *sink, unsigned *ret_by,
					   char ret_sha256[VK_SHA256_HEX_BYTES], struct vk_error *err);

#endif
