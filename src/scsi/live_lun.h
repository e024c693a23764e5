/* SPDX-License-Identifier: Apache-2.0 */
/* How what is known of a live LUN is put together, wherever it comes from. */
#ifndef VK_SCSI_LIVE_LUN_H
#define VK_SCSI_LIVE_LUN_H

#include <sys/types.h>

#include "vmfskit/live_lun.h"

/* Another name of it, unless it is known; the first one becomes its name. */
void vk_live_lun_add_name(struct vk_live_lun *lun, const char *name);
/* Its number on one path. */
void vk_live_lun_add_path(struct vk_live_lun *lun, uint16_t number);
/* The id of a naa. name, with the model's first characters when they are known. */
void vk_live_lun_make_naa(struct vk_live_lun *lun, const char *name);
/* The INQUIRY model: of one that has an id, the last characters of it, too. */
void vk_live_lun_set_model(struct vk_live_lun *lun, const char *model, size_t len);
/* The name without ":N" of a partition at its end. */
void vk_live_lun_cut_partition(char *name);

/* In another tree of sysfs: tests bring their own. fd: for SG_IO; -1: none. */
bool vk_live_lun_of_sysfs(const char *folder, int fd, struct vk_live_lun *ret_lun);

#endif
