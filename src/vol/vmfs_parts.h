/* SPDX-License-Identifier: Apache-2.0 */
/* What the readers of one part of a VMFS device share. */
#ifndef VK_VOL_VMFS_PARTS_H
#define VK_VOL_VMFS_PARTS_H

#include "vmfskit/vmfs.h"

/* One reading in progress. errors counts the error findings, so that a place can be marked as damaged. */
struct vk_vmfs_reader {
	struct vk_io *io;
	const struct vk_finding_sink *sink;
	struct vk_finding_sink counting; /* passes on to sink and counts errors */
	size_t errors;
	struct vk_vmfs *vmfs;
	struct vk_error *err;
	enum vk_status status;
};

/*
 * Add a place: how much of it the source holds is found out, and said when it is not whole. stride_bytes: it is an
 * array of such structures; 0: one of them. The result is valid until the next call; NULL when memory ran out
 * (reader->status is then set).
 */
struct vk_place *vk_place_add(struct vk_vmfs_reader *reader, const struct vk_layout *layout, uint32_t stride_bytes,
			      enum vk_part part, uint64_t offset_bytes, uint64_t length_bytes, const char *name, ...)
	__attribute__((format(printf, 7, 8)));
/* Read what is there; returns the bytes got, 0 also on failure (reader->status is then set). */
size_t vk_vmfs_get(struct vk_vmfs_reader *reader, uint64_t offset_bytes, void *buf, size_t len);

/* Bitmaps and tables of the main region and of all extended ones; fills pes, exts and runs. */
void vk_pe_tables_read(struct vk_vmfs_reader *reader);
/* The heartbeat region; geometry and offset are set in vmfs->heartbeats. */
void vk_heartbeats_read(struct vk_vmfs_reader *reader, uint64_t volume_offset);

#endif
