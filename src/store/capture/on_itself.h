/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a store lies on the disk that it protects. */
#ifndef VK_STORE_ON_ITSELF_H
#define VK_STORE_ON_ITSELF_H

#include "vmfskit/capture.h"

/*
 * Whether what holds the folder rests, through partitions, logical volumes, RAIDs, multipath and loop devices, on
 * the disk (a block device, or a file with an image). What the system does not tell counts as no.
 */
bool vk_folder_rests_on(int folder_fd, const char *disk);
/*
 * Whether the folder lies on a disk that source, a block device, lies on, too: on it, on another partition of the same
 * disk, on another logical volume of the same group. Nothing that is written there is to come near a failing disk.
 */
bool vk_folder_shares_disk(int folder_fd, const char *source);
/* Whether the folder's path, with links resolved, goes through the datastore of the volume: /vmfs/volumes/NAME/... */
bool vk_path_in_volume(const char *path, const struct vk_identity *volume);

/* capture.on-itself, when either is so for the disk and the volumes of the capture. */
void vk_capture_check_store(const struct vk_store *store, const struct vk_capture *capture,
			    const char *disk, const struct vk_finding_sink *sink);

#endif
