/* SPDX-License-Identifier: Apache-2.0 */
/* What one disk is imported from, while its capture is made. */
#ifndef VK_STORE_IMPORT_PARTS_H
#define VK_STORE_IMPORT_PARTS_H

#include "store/import/import_index.h"
#include "io/image/tar.h"
#include "vmfskit/import.h"

struct vk_parts {
	struct vk_io_part *pieces; /* in any order; base NULL: whoever collected it could not read these bytes */
	size_t count;
	struct vk_origin_file *files;
	size_t file_count;
	struct vk_io **owned; /* handles of pieces that live as long as this */
	size_t owned_count;
};
void vk_parts_free(struct vk_parts *parts);
/*
 * A disk made of the pieces of it that there are, in any order: everything between them is absent, never zeros. Where
 * two overlap, the one that begins first counts, and one that was read before one that was not. NULL when memory ran
 * out, or a piece reaches behind size_bytes or past the end of the numbers.
 */
struct vk_io *vk_import_io(const char *name, const struct vk_io_part *pieces, size_t count, uint64_t size_bytes,
			   uint32_t sector_size);
uint64_t vk_parts_end(const struct vk_parts *parts); /* of the last piece; 0: there is none */

/*
 * Read length bytes and digest them; ret_md5 may be NULL. VK_DAMAGED when some of them are not there. ret_file gets
 * length and digest.
 */
VK_MUST_USE enum vk_status vk_import_digest(struct vk_io *io, uint64_t offset, uint64_t length,
					    struct vk_origin_file *ret_file,
					    char ret_md5[VK_MD5_HEX_BYTES], struct vk_error *err);
/* Name of a file in the manifest, and when it was changed; member may be NULL. */
void vk_import_name(struct vk_origin_file *file, const char *path, const char *member, uint64_t modified);
/* When a file was changed; 0: it is none, or not known. */
uint64_t vk_import_modified(const char *path);

/* The folder or tar of a collector. */
struct vk_container {
	char *path;
	int folder_fd;     /* -1: a tar */
	struct vk_io *io;  /* of the tar */
	struct vk_tar tar;
	char prefix[VK_TAR_NAME_BYTES]; /* in front of the names of the index */
	struct vk_index index;
	struct vk_origin_file self;     /* the tar, or the index of the folder */
};
/* io NULL: path is a folder; else it is a tar, and owned also when this fails. */
VK_MUST_USE enum vk_status vk_container_open(const char *path, struct vk_io *io, uint64_t modified,
					     struct vk_container *ret_container,
					     struct vk_error *err);
void vk_container_close(struct vk_container *container);
/* The pieces of one disk, each compared with the digest that was recorded. Free ret_parts also after a failure. */
VK_MUST_USE enum vk_status vk_container_parts(struct vk_container *container,
					      const struct vk_index_disk *disk,
					      struct vk_parts *ret_parts, struct vk_error *err);

/* A dump, a listing or an image: one file by itself, or the pieces of one that was split. */
struct vk_dump {
	char *path;
	struct vk_io *io;          /* as it came, put together, unfolded, and read as the options say */
	struct vk_source source;   /* of io, which it owns; not opened where its place was given */
	struct vk_io *held;        /* one of the two: the bytes that are imported */
	uint64_t length_bytes;     /* of them: what lies behind is none of the disk's */
	char disk[256];            /* that its name tells; empty: none */
	enum vk_source_kind kind;  /* in the coordinates of what it is */
	uint64_t offset_bytes;     /* where byte 0 lies in them; of a volume: in the volume */
	bool placed;               /* offset_bytes was given: on the disk */
	uint64_t modified;         /* of several files the oldest */
	struct vk_origin_file *files; /* as they came */
	size_t file_count;
};
/*
 * io is the file as it is, and owned also when this fails. part: which disk of a text of several; NULL: the first.
 * place NULL: not said.
 */
VK_MUST_USE enum vk_status vk_dump_open(const char *path, const char *part, struct vk_io *io, uint64_t modified,
					const struct vk_import_options *options, const uint64_t *place,
					struct vk_dump *ret_dump, struct vk_error *err);
/* The next disk of the same text: vk_io_has_next(before->io). */
VK_MUST_USE enum vk_status vk_dump_next(struct vk_dump *before, const struct vk_import_options *options,
					const uint64_t *place, struct vk_dump *ret_dump, struct vk_error *err);
/* What is to be said of how it was read. */
void vk_dump_say(const struct vk_dump *dump, const struct vk_finding_sink *sink);
void vk_dump_close(struct vk_dump *dump);
/*
 * All dumps of one disk at their places; ret_kind: disk or partition. VK_USAGE when a place cannot be told. Free
 * ret_parts also after a failure.
 */
VK_MUST_USE enum vk_status vk_dumps_place(struct vk_dump *const *dumps, size_t count,
					  uint32_t sector_size, struct vk_parts *ret_parts,
					  enum vk_source_kind *ret_kind, struct vk_error *err);

/*
 * The disk or partition that the parts make, decoded; sector_size 0: 512, unless its table tells. Free with
 * vk_source_close.
 */
VK_MUST_USE enum vk_status vk_parts_open(const struct vk_parts *parts, const char *name, enum vk_source_kind kind,
					 uint32_t sector_size, uint64_t size, struct vk_source *ret_source,
					 struct vk_error *err);
/*
 * Where the partitions of a disk end, and its GPT, as far as they are believed; or the partition of a header. 0:
 * nothing says it.
 */
uint64_t vk_import_end(const struct vk_source *source);
/*
 * The least that the disk or partition can be long, from its tables and headers; *ret_certain: it is exactly that.
 * At least to the end of the last piece.
 */
VK_MUST_USE enum vk_status vk_parts_size(const struct vk_parts *parts, const char *name,
					 enum vk_source_kind kind, uint32_t sector_size,
					 uint64_t *ret_size, bool *ret_certain, struct vk_error *err);

#endif
