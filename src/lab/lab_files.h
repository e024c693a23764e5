/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file system's own files on a practice volume: where they lie and what their metadata says. They are complete as far as
 * a reader needs them (file descriptors, metadata, root directory); of the clusters only the first groups are written, so
 * that large volumes stay sparse.
 */
#ifndef VK_LAB_LAB_FILES_H
#define VK_LAB_LAB_FILES_H

#include "lab/lab.h"
#include "vmfskit/file_descriptor.h"
#include "vmfskit/resource_file.h"

/* Clusters of one file that get a header; those behind are zero, as never initialised ones are. */
enum { VK_LAB_CLUSTERS_MAX = 128, VK_LAB_SMALL_PER_CLUSTER = 512 };

/* A system file: one run of file blocks. */
struct vk_lab_file {
	uint64_t first_block;
	uint64_t blocks;
	uint64_t length;
	bool has_resource;
	struct vk_resource_file resource;
};
struct vk_lab_files {
	uint32_t md_alignment;    /* 0: VMFS 3 and 5 */
	uint64_t block_bytes;
	uint64_t volume_blocks;
	uint64_t used_blocks;     /* from block 0 on, without a gap */
	unsigned file_count;      /* of of: VMFS6 has .pb2.sf too */
	struct vk_lab_file of[VK_SYSTEM_PB2 + 1];
	struct vk_resource_file small; /* VMFS6: the small blocks, in .fbb.sf */
};
/* VK_USAGE: the first device is too small for them. */
VK_MUST_USE enum vk_status vk_lab_files_plan(const struct vk_lab_device *device,
					     struct vk_lab_files *ret_files, struct vk_error *err);

/* One writing: everything of it knows where byte 0 of the volume lies. */
struct vk_lab_files_at {
	struct vk_lab_disk *disk;
	uint64_t volume_bytes;
	const struct vk_lab_device *device;
	const struct vk_lab_files *files;
};
/* Bytes at a file offset of a system file. */
VK_MUST_USE enum vk_status vk_lab_file_put(const struct vk_lab_files_at *at, enum vk_system_file file,
					   uint64_t offset, const void *buf, size_t len,
					   struct vk_error *err);
uint64_t vk_lab_file_volume_offset(const struct vk_lab_files *files, enum vk_system_file file,
				   uint64_t offset);
/* A lock that was released after the object was made. */
struct vk_lock vk_lab_lock(uint32_t type, uint64_t volume_offset);

VK_MUST_USE enum vk_status vk_lab_write_clusters(const struct vk_lab_files_at *at, struct vk_error *err);
VK_MUST_USE enum vk_status vk_lab_write_root(const struct vk_lab_files_at *at, struct vk_error *err);
/* Length of the root directory's contents. */
uint64_t vk_lab_root_bytes(const struct vk_lab_files *files);

#endif
