/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a volume says of itself besides its headers: the system files' descriptors and resource metadata, and the
 * heartbeats. Enough of it is self-located (holds its own volume offset) that nothing else has to be believed.
 */
#ifndef VK_EVIDENCE_SELF_REPORT_H
#define VK_EVIDENCE_SELF_REPORT_H

#include "vmfskit/file_descriptor.h"
#include "vmfskit/heartbeat.h"
#include "vmfskit/io.h"
#include "vmfskit/resource_file.h"

/* F(id, name, what it is). Sizes in bytes. */
#define VK_SELF_FACTS(F) \
	F(FS_MAJOR, "majorVersion", "4 VMFS3, 14 VMFS5, 24 VMFS6") \
	F(FS_MINOR, "minorVersion", "of the driver that was the last to use the volume") \
	F(FILE_BLOCK_SIZE, "fileBlockSize", "") \
	F(FDC_GROUP_OFFSET, "fdcClusterGroupOffset", "") \
	F(FDC_PER_GROUP, "fdcClustersPerGroup", "") \
	F(SUB_BLOCK_SIZE, "subBlockSize", "") \
	F(MD_ALIGNMENT, "mdAlignment", "0 on VMFS 3 and 5") \
	F(LFB_SHIFT, "sfbToLfbShift", "0 on VMFS 3 and 5") \
	F(FILE_BLOCKS, "file blocks", "resources of .fbb.sf; on VMFS6 of its small blocks") \
	F(LOGICAL_SIZE, "logicalSize", "file blocks x fileBlockSize") \
	F(FIRST_TIME, "creation", "the earliest time in a file descriptor of a system file, Unix seconds") \
	F(DENSE, "DENSE_SBPC", "1 when the sub-blocks are of the dense kind (config bit 2)") \
	F(POINTER_BLOCK_SIZE, "pointer blocks", "resources of .pb2.sf, VMFS6") \
	F(JOURNAL_BLOCK_SIZE, "journalBlockSize", "resources of .jbc.sf, VMFS6")

#define VK_SELF_ENUM(id, name, what) VK_SELF_##id,
enum vk_self_fact_id { VK_SELF_FACTS(VK_SELF_ENUM) VK_SELF_COUNT };
#undef VK_SELF_ENUM

enum vk_self_sure {
	VK_SELF_UNKNOWN,  /* value means nothing */
	VK_SELF_GUESS,    /* every volume seen has it so */
	VK_SELF_LIKELY,   /* one structure says so, or it follows from the place of structures */
	VK_SELF_CERTAIN   /* two or more structures agree, and at most half as many contradict */
};
struct vk_self_fact {
	uint64_t value;
	enum vk_self_sure sure;
	char from[120]; /* ".fdc.sf's resource metadata at 0x400000 of the volume", a phrase */
};

/* One system file. Offsets are volume offsets. */
struct vk_self_file {
	bool has_fd;               /* lock and descriptor name their own place */
	/* not at its fixed place: an upgraded VMFS5 has .pb2.sf and .sdd.sf where the root names them */
	bool elsewhere;
	uint32_t fd_address;
	uint64_t fd_offset;
	struct vk_file_metadata fd;
	bool has_resource;         /* the resource metadata is usable */
	uint64_t resource_offset;
	struct vk_resource_file resource;
	/* .fbb.sf of VMFS 3 and 5: its last cluster has as many blocks as the metadata says */
	bool count_confirmed;
	bool length_confirmed;     /* by its file descriptor it ends behind the last resource of the metadata */
	bool has_child;            /* VMFS6 .fbb.sf: the small blocks */
	uint64_t child_offset;
	struct vk_resource_file child;
	bool cluster_confirmed;    /* the first cluster of small blocks has as many as the child's metadata says */
	uint64_t first_block;      /* volume offset of its first block; UINT64_MAX: not known */
};

/* The region as it would be with that slot size. */
struct vk_self_heartbeats {
	uint32_t slot_bytes;       /* 512 or mdAlignment */
	uint32_t placed;           /* naming their own place with a known state */
	uint32_t otherwise;        /* that would be placed if slots had the other size */
	bool has_driver;           /* some slot shows the driver of a host */
	uint32_t driver_major, driver_minor; /* the newest of them */
	uint64_t driver_offset;    /* volume offset of that slot */
};

enum { VK_SELF_HOSTS_MAX = 8 };
/* A host session that used the volume, and the volume offset of the block that names it. */
struct vk_self_host {
	struct vk_vmfs_uuid uuid;
	uint64_t offset;
};

/* "Not known" is 0 or false throughout. */
struct vk_self_report {
	/* In sum, for the LVM region. The first three are offsets from the start of the partition (of io). */
	uint64_t votes;             /* blocks that agree on it; 0: nobody answered */
	int64_t volume_start_bytes; /* negative on a member that is not the head */
	uint64_t highest_volume_offset; /* the highest one that such a block names (volume offset) */
	char votes_from[160];       /* "93 locks and 2048 heartbeats" */
	unsigned fs_major;          /* 4, 14, 24 */
	uint64_t logical_bytes;     /* of the file blocks; the volume is not shorter */
	char size_from[160];        /* ".fbb.sf's resource metadata at 0x500000 of the volume: 1024 blocks of 1 MiB" */

	/* The same and more, each fact with its source. */
	struct vk_self_fact facts[VK_SELF_COUNT];
	struct vk_self_file files[VK_SYSTEM_COUNT];
	struct vk_self_heartbeats heartbeats;
	struct vk_self_host hosts[VK_SELF_HOSTS_MAX];
	unsigned host_count;
	bool root_readable;        /* VMFS 3 and 5: the root directory names its files */
	uint64_t self_located;     /* blocks that name exactly the place where they were found */
};

/*
 * Ask the volume whose byte 0 is at start_bytes of io (a partition or a disk); nothing from end_bytes on is looked at.
 * Needs neither LVM header nor descriptor: all of this lies in the first gigabytes of the head extent, in one run.
 * Never fails over damage, it leaves things unknown. Errors: VK_IO, VK_NOMEM.
 */
VK_MUST_USE enum vk_status vk_self_report_at(struct vk_io *io, uint64_t start_bytes, uint64_t end_bytes,
					     struct vk_self_report *ret_report,
					     struct vk_error *err);

#endif
