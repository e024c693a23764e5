/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Captures of disks that are not here: from what a collector saved (a folder or tar with vmfskit-collect.txt), from
 * the files of the script of 2009 (vmfs-header-backup-NAME.hex: the first 2 MiB of a disk;
 * vmfs-metadata-NAME-vh.sf.bu: .vh.sf), from dumps made with dd, from texts with listings, and VMFSIMG images.
 *
 * The bytes are put at their places of a disk of which everything else is absent, and that disk is decoded and
 * captured as any other: what is saved is what a capture of the disk itself would save, as far as it is there. The
 * capture says what is not.
 */
#ifndef VMFSKIT_IMPORT_H
#define VMFSKIT_IMPORT_H

#include "vmfskit/capture.h"

__BEGIN_DECLS

/* What the sources do not tell themselves. Texts are borrowed until vk_import_close. */
struct vk_import_options {
	/* dumps: the disk that all of them are of; collectors: only this one; NULL: not said */
	const char *disk;
	const char *host;         /* whose disks they were; NULL: as the collector says */
	uint64_t disk_size_bytes; /* 0: not said */
	uint32_t sector_size;     /* 0: as recorded or recognised */
	enum vk_source_kind as;   /* what the dumps are, VK_SOURCE_AUTO: recognised */
	const uint64_t *places;   /* where the first dumps lie on their disk, in their order */
	size_t place_count;
	struct vk_io_view view;   /* of dumps: in which bytes of them the disk is; the pieces are those of the paths */
};

/* Disks found in sources, each of which becomes a capture. Free with vk_import_close. */
struct vk_import;

/*
 * Look into the sources; "-" is standard input, and pieces of one split dump that follow each other in their order are
 * one source. A dump that carries the disk, or is a copy with longer sectors, is looked through: what is imported are
 * the bytes of the disk, at their places of the disk, and the capture says where they were found. Errors: VK_USAGE (the
 * sources or options do not fit together, nothing tells what a source is, or its bytes are not in their places),
 * VK_ABSENT (no such disk, no vmfskit-collect.txt, a piece of a split dump), VK_DAMAGED and VK_UNSUPPORTED (a tar or
 * index that is broken or of another kind), VK_REFUSED (a tar whose members lead elsewhere), VK_IO, VK_NOMEM.
 */
VK_MUST_USE enum vk_status vk_import_open(const char *const *paths, size_t count,
					  const struct vk_import_options *options,
					  struct vk_import **ret_import, struct vk_error *err);
void vk_import_close(struct vk_import *import); /* NULL is allowed */

size_t vk_import_count(const struct vk_import *import);
/* The disk as its capture will name it. */
const char *vk_import_disk(const struct vk_import *import, size_t index);

/*
 * Make the capture. options->origin and options->sector_size are ignored. Findings are those of vk_capture_take, and
 * capture.not-held for a collector that was stopped. Errors: VK_USAGE (a part whose place is not known), VK_ABSENT
 * (a file of the collector is not there), VK_DAMAGED (one is not what was collected, or reaches past the end of the
 * disk), and those of vk_capture_take.
 */
VK_MUST_USE enum vk_status vk_import_take(struct vk_import *import, size_t index,
					  const struct vk_capture_options *options,
					  const struct vk_finding_sink *sink,
					  char ret_id[VK_CAPTURE_ID_BYTES], struct vk_error *err);

__END_DECLS
#endif
