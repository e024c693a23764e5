/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SCSI_DiskId: its rows, apart from its checks, because the walk over rows needs them for ids inside other structures.
 */
#include "disk/layout_table.h"
#include "vmfskit/scsi_id.h"

VK_LAYOUT_DEFINE(vk_scsi_disk_id_layout, VK_SCSI_DISK_ID_ROWS, struct vk_scsi_disk_id,
		 VK_SCSI_DISK_ID_BYTES, "SCSI_DiskId", "Disk id: the LUN a volume was accepted on",
		 "decoded from a real VMFS3 volume and three published headers");
