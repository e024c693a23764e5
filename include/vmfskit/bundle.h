/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bundles: ranges of a disk or volume in one compressed file, with an index of where they lie. What is not in it is
 * absent, never zeros. docs/bundle.md has the form. A bundle is read as any other source (vk_io_open).
 */
#ifndef VMFSKIT_BUNDLE_H
#define VMFSKIT_BUNDLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vmfskit/error.h"
#include "vmfskit/io.h"

__BEGIN_DECLS

enum {
	VK_BUNDLE_FRAME_BYTES = 1 << 20, /* of source data that one frame holds at most */
	VK_BUNDLE_ZERO_BYTES = 64 << 10, /* zeros are told from data in whole pieces of the source of that length */
	VK_BUNDLE_FACTS_BYTES = 1 << 20
};
#define VK_BUNDLE_INDEX_BYTES (96UL << 20) /* at most: of two million ranges and a million frames */

/* What lies in a range; nothing is known of what is in none. */
enum vk_bundle_kind { VK_BUNDLE_DATA, VK_BUNDLE_ZEROS, VK_BUNDLE_UNREADABLE, VK_BUNDLE_KINDS };

/* Takes the next bytes of the bundle. What it returns other than VK_OK ends the work, and is given back. */
typedef enum vk_status (*vk_bundle_put_fn)(void *ctx, const void *bytes, size_t len, struct vk_error *err);
struct vk_bundle_options {
	const char *name;      /* of the bundle, for errors */
	uint64_t source_bytes; /* how long the disk or volume is */
	uint32_t sector_size;
	int level;             /* of compression: 1 to 19; 0: 3 */
	bool redacted;         /* names were left out */
	vk_bundle_put_fn put;  /* called in the order of the file: nothing is ever put back */
	void *ctx;
};
struct vk_bundle_writer;
/*
 * The same bytes at the same places make the same file, with one version of libzstd. Memory: 2 MiB, what libzstd needs
 * for as much, and 24 bytes for each range. Errors: VK_NOMEM, those of put. Free with vk_bundle_free.
 */
VK_MUST_USE enum vk_status vk_bundle_begin(const struct vk_bundle_options *options,
					   struct vk_bundle_writer **ret_writer, struct vk_error *err);
/*
 * Bytes of the source, zeros of it, bytes of it that cannot be read: in the order of the source, each where the one
 * before it ends or behind that. Errors: VK_INTERNAL (out of order, behind the end), VK_UNSUPPORTED (more ranges than
 * an index can have), VK_NOMEM, those of put.
 */
VK_MUST_USE enum vk_status vk_bundle_add(struct vk_bundle_writer *writer, uint64_t offset, const void *bytes,
					 size_t len, struct vk_error *err);
VK_MUST_USE enum vk_status vk_bundle_add_none(struct vk_bundle_writer *writer, enum vk_bundle_kind kind,
					      uint64_t offset, uint64_t length, struct vk_error *err);
/* May change bytes of the source before they are kept. len: at most VK_BUNDLE_FRAME_BYTES. */
typedef enum vk_status (*vk_bundle_change_fn)(void *ctx, uint64_t offset, uint8_t *bytes, size_t len,
					      struct vk_error *err);
/*
 * A range of io, byte for byte at the same offset: its holes as zeros, what cannot be read as such; what io does not
 * hold is left out. change may be NULL. Errors: as above, VK_IO (the device does not answer), those of change.
 */
VK_MUST_USE enum vk_status vk_bundle_copy(struct vk_bundle_writer *writer, struct vk_io *io, uint64_t offset,
					  uint64_t length, vk_bundle_change_fn change, void *ctx,
					  struct vk_error *err);
/*
 * The last frame, and the index with facts: a JSON object of what is known of the source, at most
 * VK_BUNDLE_FACTS_BYTES. ret_bytes: how long the file is; may be NULL. Errors: as above.
 */
VK_MUST_USE enum vk_status vk_bundle_end(struct vk_bundle_writer *writer, const char *facts, uint64_t *ret_bytes,
					 struct vk_error *err);
/* How many bytes of each kind were added so far. */
uint64_t vk_bundle_added(const struct vk_bundle_writer *writer, enum vk_bundle_kind kind);
void vk_bundle_free(struct vk_bundle_writer *writer); /* NULL is allowed */

/*
 * Open a bundle; base is owned by the new handle on success. What is in no range of it is VK_SPAN_ABSENT. A frame that
 * is damaged is VK_SPAN_UNREADABLE when it was met, and vk_io_damage says so. Memory: the index, and the eight frames
 * that were read last. Errors: VK_DAMAGED (cut off, or an index that cannot be), VK_UNSUPPORTED (a form that is not
 * known), VK_IO, VK_NOMEM.
 */
VK_MUST_USE enum vk_status vk_io_bundle(struct vk_io *base, struct vk_io **ret_io, struct vk_error *err);
bool vk_io_is_bundle(struct vk_io *base);
/* What is known of the source of a bundle: JSON, and whether names were left out. NULL: this is none. */
const char *vk_io_bundle_facts(const struct vk_io *io, bool *ret_redacted);

__END_DECLS
#endif
