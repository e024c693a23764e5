/* SPDX-License-Identifier: Apache-2.0 */
/* What a capture saves, and how it is proved that it does. */
#ifndef VK_STORE_PLAN_H
#define VK_STORE_PLAN_H

#include "vmfskit/capture.h"

/* No LVM region is longer: what claims to be is not believed. */
#define VK_PLAN_LVM_MAX_BYTES (256ULL << 20)

/*
 * The device offset of a volume offset and how far it reaches; where the PE tables do not say,
 * volumes are taken to lie in one piece from dataOffset on, as every volume seen does.
 */
uint64_t vk_plan_map(const struct vk_vmfs *vmfs, uint64_t volume_offset, uint64_t *ret_length);
/*
 * Where volume data begins on the device: of a usable header, else the place that every header
 * seen names.
 */
uint64_t vk_plan_data_offset(const struct vk_vmfs *vmfs);
/* The geometry of the volume's start, usual where the descriptor does not tell. */
struct vk_fs_geometry vk_plan_geometry(const struct vk_vmfs *vmfs);
/* Byte of the source that the partition begins at. */
uint64_t vk_plan_base(const struct vk_source *source, const struct vk_vmfs *vmfs);

/*
 * The VMFS partitions of a source: those that were decoded, and of a partition whose header is
 * gone the partition itself. spare is used for the latter.
 */
const struct vk_vmfs *vk_plan_partitions(const struct vk_source *source, struct vk_vmfs *spare,
					 size_t *ret_count);

/*
 * Let the plan save the ranges that were rebuilt, too (sorted, apart), as far as it does not yet: in files of their
 * own. What lies in no volume is the table's, unless signatures were put away: then a volume was there. On failure the
 * plan is freed. Errors: VK_NOMEM.
 */
VK_MUST_USE enum vk_status vk_plan_also(const struct vk_source *source, const struct vk_rebuilt *rebuilt,
					struct vk_capture_plan *plan, struct vk_error *err);

/* By their offset, for qsort. */
int vk_region_compare(const void *a, const void *b);

void vk_identity_fill(const struct vk_source *source, const struct vk_vmfs *vmfs,
		      struct vk_identity *ret_identity);

#endif
