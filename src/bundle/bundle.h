/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which ranges of a disk a bundle has, and how they get into it: the table with all its copies, of each VMFS partition
 * what a capture saves, all metadata of its file system, the end of the disk, the beginnings of other partitions.
 */
#ifndef VK_BUNDLE_BUNDLE_H
#define VK_BUNDLE_BUNDLE_H

#include "vmfskit/bundle.h"
#include "vmfskit/capture.h"
#include "vmfskit/fs_metadata.h"

/* Behind the kinds of the metadata of a file system. */
enum {
	VK_PIECE_TABLE = VK_METADATA_KINDS,
	VK_PIECE_LVM,
	VK_PIECE_AROUND, /* what tells of other systems: the ends of the disk and of partitions */
	VK_PIECE_KINDS
};
const char *vk_piece_kind_name(unsigned kind);

/* A file system of the disk, or the part of it that lies there. */
struct vk_bundle_volume {
	struct vk_fs *fs;
	struct vk_io **windows;
	size_t window_count;
	struct vk_fs_extent *extents;
	size_t extent_count;
};
struct vk_bundle_piece {
	uint64_t offset_bytes, length_bytes; /* on the disk */
	uint64_t volume_offset;              /* of metadata of a file system */
	unsigned kind;
	uint32_t owner;                      /* as in vk_fs_metadata_range */
	uint32_t volume;                     /* index */
};
struct vk_bundle_plan {
	const struct vk_source *source;      /* borrowed */
	struct vk_capture_plan saved;
	struct vk_bundle_volume *volumes;
	size_t volume_count;
	struct vk_bundle_piece *pieces;      /* sorted, apart */
	size_t piece_count;
	uint64_t bytes[VK_PIECE_KINDS], total_bytes;
	uint64_t estimate_bytes;             /* told before the search: at most so many */
	bool unfinished, unknown;            /* as in vk_fs_metadata */
};
/*
 * Open the file systems and estimate. A file system that cannot be opened is none of volumes, and its why is put on
 * sink. Errors: those of vk_capture_plan, VK_USAGE (a piece of a disk that begins elsewhere), VK_IO, VK_NOMEM. Free
 * with vk_bundle_plan_free, also when this fails.
 */
VK_MUST_USE enum vk_status vk_bundle_plan_begin(const struct vk_source *source, struct vk_bundle_plan *plan,
						struct vk_error *err);
/*
 * Find the pieces. redacted: without those that have contents of files, journals, or are of other systems. Errors:
 * VK_IO, VK_NOMEM.
 */
VK_MUST_USE enum vk_status vk_bundle_plan_find(struct vk_bundle_plan *plan, bool redacted, struct vk_error *err);
void vk_bundle_plan_free(struct vk_bundle_plan *plan);

enum { VK_REDACT_KEY_BYTES = 32 };
/* Copy all pieces. key NULL: as they are; else names are hashed with it, and addresses of hosts left out. */
VK_MUST_USE enum vk_status vk_bundle_write(const struct vk_bundle_plan *plan, struct vk_bundle_writer *writer,
					   const uint8_t key[VK_REDACT_KEY_BYTES], struct vk_error *err);
/* What is known of the disk, as JSON text to be freed; NULL: memory ran out. */
char *vk_bundle_facts(const struct vk_bundle_plan *plan, bool redacted);

#endif
