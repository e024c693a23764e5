/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What differs between two states of a disk: first decoded, field by field, then as byte ranges. What changes by itself
 * on a volume in use (heartbeats, generations, times of change, who holds a lock) is told apart from what only an
 * administrator, an array or an accident changes.
 */
#ifndef VMFSKIT_DIFF_H
#define VMFSKIT_DIFF_H

#include "vmfskit/capture.h"

__BEGIN_DECLS

enum { VK_CHANGES_MAX = 4096, VK_BYTE_CHANGES_MAX = 65536 };

/* One thing that changed. A plain value. */
struct vk_change {
	bool is_volatile;   /* changes by itself while hosts use the volume */
	unsigned partition; /* 0: of the disk */
	char subject[40];   /* "partition table", "LVM device header", "file-system descriptor", "heartbeats", "disk" */
	char field[64];     /* "end sector", "LUN", "label", or VMware's name of the field */
	char before[200];   /* as decode shows it; "none" where there was nothing */
	char after[200];
	char message[560];  /* one line without the disk's name: partition 1: label "datastore1" -> "datastore2" */
};

/*
 * Bytes that differ. Ranges are sorted, within one saved part; with fewer than 16 equal bytes between them two are one.
 */
struct vk_byte_change {
	uint64_t offset_bytes; /* on the disk, or partition */
	uint64_t length_bytes;
	enum vk_part part;
	unsigned partition;
	bool is_volatile;
};

/* Start with all zero; free with vk_diff_free. */
struct vk_diff {
	struct vk_change *changes;
	size_t change_count;
	size_t changes_dropped; /* beyond VK_CHANGES_MAX */
	struct vk_byte_change *ranges;
	size_t range_count;
	size_t ranges_dropped;   /* beyond VK_BYTE_CHANGES_MAX */
	uint64_t compared_bytes; /* bytes that both sources hold among the parts that a capture saves */
	uint64_t missing_bytes;  /* bytes of those parts that only one of them holds or could deliver */
	bool matters;            /* a change that is not volatile, or a byte that differs outside volatile fields */
	bool unrelated;          /* both name volumes or disks, and have none in common: probably two disks */
};

/*
 * Compare two decoded sources of the same kind (disk or partition; a capture is one: vk_capture_source). One cause is
 * told once: a moved end of a partition is one change, though it stands in entry, both GPT copies and their checksums;
 * when bytes differ that no decoded field explains, one change per part says so ("bytes that no field explains"). What
 * only one of them holds is no difference. Who only wants to know what happened prints the message of every change that
 * is not volatile: each stands for itself and is safe for a terminal. Errors: VK_USAGE (kinds differ, or are neither
 * disk nor partition), VK_DAMAGED (a partition table that asks for more regions than any sound one), VK_IO, VK_NOMEM.
 * Free ret_diff with vk_diff_free.
 */
VK_MUST_USE enum vk_status vk_diff_sources(struct vk_source *before, struct vk_source *after,
					   struct vk_diff *ret_diff, struct vk_error *err);
void vk_diff_free(struct vk_diff *diff);

/* What became of the files of one volume between two captures. */
struct vk_files_diff {
	unsigned partition;
	bool unsure;                   /* one of the maps is not whole: some changes cannot be told */
	struct vk_file_map maps[2];    /* before, after; empty where both captures have the same map */
	struct vk_file_change *changes; /* of these */
	size_t change_count;
};
/*
 * One for each partition of which both captures have a map of the same volume. Errors: those of vk_capture_map and
 * vk_file_map_load. Free *ret_diffs with vk_diff_files_free.
 */
VK_MUST_USE enum vk_status vk_diff_files(const struct vk_capture *before, const struct vk_capture *after,
					 struct vk_files_diff **ret_diffs, size_t *ret_count, struct vk_error *err);
void vk_diff_files_free(struct vk_files_diff *diffs, size_t count);
/* A virtual disk that is gone: what an administrator is told. Else it is what hosts do all the time. */
bool vk_file_change_matters(const struct vk_file_change *change);

__END_DECLS
#endif
