/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which ranges of a volume are metadata: every verb that looks says from these bytes what it says of the whole volume,
 * and a recovery of deleted files needs them. Contents of files are not in it, but for small ones, if asked for. The
 * LVM region and the partition table lie in front of the volume and are no part of it.
 */
#ifndef VMFSKIT_FS_METADATA_H
#define VMFSKIT_FS_METADATA_H

#include "vmfskit/fs.h"

__BEGIN_DECLS

/* Where two kinds lie over each other, the first of them has the bytes. */
enum vk_fs_metadata_kind {
	VK_METADATA_HEARTBEATS,  /* they change all the time */
	VK_METADATA_HEADER,      /* the file-system descriptor, and the rest of .vh.sf */
	VK_METADATA_RESOURCES,   /* resource files but .fbb.sf: FS3_ResFileMetadata, headers of clusters */
	VK_METADATA_BITMAPS,     /* the same of .fbb.sf: which blocks are free */
	VK_METADATA_DESCRIPTORS, /* file descriptors that are or were in use */
	VK_METADATA_POINTERS,    /* pointer blocks in use, and free ones that are not all zero */
	VK_METADATA_FOLDERS,     /* blocks of folders */
	VK_METADATA_LINKS,       /* blocks of symbolic links */
	VK_METADATA_SMALL_FILES, /* blocks of files of at most VK_METADATA_SMALL_BYTES */
	VK_METADATA_JOURNALS,    /* of hosts; they change all the time */
	VK_METADATA_KINDS
};
enum { VK_METADATA_SMALL_BYTES = 64 << 10 };
const char *vk_fs_metadata_kind_name(enum vk_fs_metadata_kind kind); /* "file descriptors" */
#define VK_METADATA_ALL ((1U << VK_METADATA_KINDS) - 1)

struct vk_fs_metadata_range {
	uint64_t volume_offset, length_bytes;
	enum vk_fs_metadata_kind kind;
	uint32_t owner;          /* address of the descriptor of the file that has these bytes; 0: none is known */
};
struct vk_fs_metadata {
	struct vk_fs_metadata_range *ranges; /* in the order of the volume; none overlaps another, none is empty */
	size_t count;
	uint64_t bytes[VK_METADATA_KINDS], total_bytes;
	uint64_t end_bytes;      /* behind the last byte of them: so far metadata goes on this volume */
	bool unfinished;         /* it has more than is looked at, or than limit_bytes */
	bool unknown;            /* what leads to some of it is damaged, or not in the source: see the findings */
};
/*
 * Find them. kinds: a bit for each kind that is wanted; VK_METADATA_ALL. limit_bytes: no more than so many bytes are
 * listed; 0: no limit. What the source does not hold or deliver is listed as well, where its place is known. Findings:
 * those of check about what leads to metadata. Read are the headers of clusters, .fdc.sf and .pbc.sf, and what leads to
 * the blocks of folders, links and small files; other files are followed only where the bitmaps of pointer blocks are
 * not whole. Memory: two bits for each block of the volume, at most 2^20 ranges. Free with vk_fs_metadata_free. Errors:
 * VK_IO (the device does not answer), VK_NOMEM.
 */
VK_MUST_USE enum vk_status vk_fs_metadata_find(struct vk_fs *fs, unsigned kinds, uint64_t limit_bytes,
					       const struct vk_finding_sink *sink, struct vk_fs_metadata *ret_metadata,
					       struct vk_error *err);
void vk_fs_metadata_free(struct vk_fs_metadata *metadata);

/* What will be read, told beforehand. */
struct vk_fs_metadata_sizes {
	uint64_t bytes[VK_METADATA_KINDS]; /* at most; of folders, links, small files: 0, as nothing tells it */
	uint64_t total_bytes;
	uint64_t files;          /* descriptors in use */
	uint64_t runs;           /* of all files, at most: so many addresses there is room for */
	bool unknown;            /* headers of clusters are not in the source, or damaged */
};
/* From the headers of the clusters of file descriptors, pointer blocks and sub-blocks alone. Errors as above. */
VK_MUST_USE enum vk_status vk_fs_metadata_estimate(struct vk_fs *fs, struct vk_fs_metadata_sizes *ret_sizes,
						   struct vk_error *err);

__END_DECLS
#endif
