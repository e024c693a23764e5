/* SPDX-License-Identifier: Apache-2.0 */
/* The list of all layouts. */
#include <stddef.h>

#include "vmfskit/directory.h"
#include "vmfskit/fat_boot.h"
#include "vmfskit/file_descriptor.h"
#include "vmfskit/fs_descriptor.h"
#include "vmfskit/gpt.h"
#include "vmfskit/heartbeat.h"
#include "vmfskit/layout.h"
#include "vmfskit/lock.h"
#include "vmfskit/lvm.h"
#include "vmfskit/mbr.h"
#include "vmfskit/resource_file.h"
#include "vmfskit/scsi_id.h"
#include "vmfskit/vmfs_uuid.h"

const struct vk_layout *const vk_layouts[] = {
	&vk_mbr_layout,          &vk_mbr_entry_layout,     &vk_gpt_header_layout,
	&vk_gpt_entry_layout,    &vk_vmfs_uuid_layout,     &vk_scsi_disk_id_layout,
	&vk_lvm_device_layout,   &vk_lvm_volume_layout,    &vk_lvm_pe_layout,
	&vk_lvm_ext_layout,      &vk_lvm_sd_layout,        &vk_fs_descriptor_layout,
	&vk_heartbeat_layout,    &vk_lock_layout,          &vk_lock_holder_layout,
	&vk_fat_boot_layout,
	&vk_file_metadata_layout, &vk_resource_file_layout, &vk_cluster_layout,
	&vk_cluster6_layout,     &vk_dir_entry_layout,     &vk_dir6_header_layout,
	&vk_dir6_entry_layout,   &vk_dir6_block_layout,    &vk_dir6_link_group_layout,
	NULL,
};
