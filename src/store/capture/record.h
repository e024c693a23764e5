/* SPDX-License-Identifier: Apache-2.0 */
/* What makes a capture evidence: who took it, its signature, its line in the ledger. */
#ifndef VK_STORE_RECORD_H
#define VK_STORE_RECORD_H

#include "store/capture/taking.h"

/* User, host, command line and the key's name into the manifest. */
VK_MUST_USE enum vk_status vk_record_who(struct vk_taking *taking, const struct vk_capture_options *options,
					 struct vk_error *err);
/*
 * What stands beside the manifest, whose text is given: its signature when the store has a key, MD5SUMS when there are
 * such digests, SHA256SUMS over all.
 */
VK_MUST_USE enum vk_status vk_record_papers(struct vk_taking *taking, const char *manifest_text, size_t len,
					    struct vk_error *err);
/* The line in the ledger, for a folder that is whole and flushed under its temporary name. */
VK_MUST_USE enum vk_status vk_record_line(struct vk_taking *taking, struct vk_error *err);
/* The line was written and the folder did not get its name after all. */
void vk_record_abandon(struct vk_taking *taking);

#endif
