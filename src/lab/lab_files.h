/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file system's own files on a practice volume: where they lie and what their metadata says, in the form that three
 * real volumes have (VMFS3 of 1 GiB, VMFS5 of 256 MiB, VMFS6 of 768 MiB). Of a very large .fbb.sf only the first
 * clusters are written, so that such volumes stay sparse.
 */
#ifndef VK_LAB_LAB_FILES_H
#define VK_LAB_LAB_FILES_H

#include "lab/lab.h"
#include "vmfskit/file_descriptor.h"
#include "vmfskit/lock.h"
#include "vmfskit/resource_file.h"

enum {
	/* of one file that get a header; those behind are zero, as never initialised ones are */
	VK_LAB_CLUSTERS_MAX = 128,
	VK_LAB_SMALL_PER_CLUSTER = 512,
	VK_LAB_SYSTEM_FILES = VK_SYSTEM_JBC + 1,
	VK_LAB_ENTRY_BYTES = 140,       /* of a folder of VMFS 3 and 5 */
	VK_LAB_FOLDER6_BYTES = 0x11000, /* of VMFS6, without a block for entries */
	VK_LAB_FOLDER6_BLOCK_BYTES = 4096
};

struct vk_lab_run {
	uint64_t first_block;
	uint64_t blocks;
};
/* A system file. The second run has no blocks where the file is in one piece. */
struct vk_lab_file {
	struct vk_lab_run runs[2];
	uint64_t blocks;
	uint64_t length;
	uint32_t pointer_block;    /* VMFS6: first of its pointer blocks in .pb2.sf */
	uint32_t pointer_blocks;   /* 0: the addresses fit the file descriptor */
	bool has_resource;
	struct vk_resource_file resource;
	uint64_t used;             /* resources taken, from 0 on */
};
struct vk_lab_files {
	uint32_t md_alignment;    /* 0: VMFS 3 and 5 */
	uint32_t per_group;       /* clusters in a group, but not of .jbc.sf */
	uint64_t block_bytes;
	uint64_t volume_blocks;
	uint64_t device_blocks;   /* of the first device: all files lie there */
	uint64_t used_blocks;     /* of the files: from block 0 on, without a gap */
	uint64_t journal_blocks;  /* VMFS 3 and 5: behind them, one for each host that is alive */
	unsigned file_count;      /* of of: up to .vh.sf, .sdd.sf or .jbc.sf */
	struct vk_lab_file of[VK_LAB_SYSTEM_FILES];
	struct vk_resource_file small; /* VMFS6: the small blocks, in .fbb.sf */
};
/* Volume offset of a system file's descriptor: all lie in cluster 0 of .fdc.sf. */
uint64_t vk_lab_system_fd(const struct vk_fs_descriptor *fs, enum vk_system_file file);
/* VK_USAGE: the first device is too small for them. */
VK_MUST_USE enum vk_status vk_lab_files_plan(const struct vk_lab_device *device,
					     struct vk_lab_files *ret_files, struct vk_error *err);
/* Volume offset of the journal of host number host, counted from 0. */
uint64_t vk_lab_journal(const struct vk_lab_files *files, unsigned host);
/* Heartbeat slot of the host that made the volume; it has let go. */
uint32_t vk_lab_maker_slot(const struct vk_lab_device *device, uint32_t slots);

/* One writing: everything of it knows where byte 0 of the volume lies. */
struct vk_lab_files_at {
	struct vk_lab_disk *disk;
	uint64_t volume_bytes;
	const struct vk_lab_device *device;
	const struct vk_lab_files *files;
	uint64_t locks; /* made so far */
};
/* The volume's block that holds block index of a file. */
uint64_t vk_lab_block_number(const struct vk_lab_files *files, enum vk_system_file file, uint64_t index);
/* Bytes at a file offset of a system file; they lie in one block. Fails as vk_lab_put does. */
void vk_lab_file_put(const struct vk_lab_files_at *at, enum vk_system_file file, uint64_t offset, const void *buf,
		     size_t len, struct vk_error *err);
uint64_t vk_lab_file_volume_offset(const struct vk_lab_files *files, enum vk_system_file file,
				   uint64_t offset);
/* A lock as the making of its object leaves it: free, and never taken again. */
struct vk_lock vk_lab_lock(struct vk_lab_files_at *at, uint32_t type, uint64_t volume_offset);

/* The cluster headers of a resource file. */
void vk_lab_write_clusters(struct vk_lab_files_at *at, enum vk_system_file file, struct vk_error *err);
/* The metadata block of a cluster of VMFS6; small: of the small blocks. used of its total resources are taken. */
struct vk_lab_cluster {
	enum vk_system_file file;
	bool small;
	uint64_t number;
	uint32_t total;
	uint32_t used;
};
void vk_lab_cluster6(const struct vk_lab_files_at *at, const struct vk_lab_cluster *cluster, uint8_t *raw);
/* Small blocks of a cluster that came to their file after the volume was made. */
bool vk_lab_cluster6_grown(const struct vk_lab_files *files, uint64_t cluster);
void vk_lab_write_folders(const struct vk_lab_files_at *at, struct vk_error *err);

#endif
