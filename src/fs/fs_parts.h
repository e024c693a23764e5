/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of the reader share: the open volume, and one step of the walk over a file. */
#ifndef VK_FS_FS_PARTS_H
#define VK_FS_FS_PARTS_H

#include "io/range_set.h"
#include "vmfskit/fs.h"

/* A stretch of the volume on one extent; sorted by volume_offset, not overlapping. */
struct vk_fs_part {
	uint64_t volume_offset;
	uint64_t length_bytes;
	uint64_t device_offset;
	size_t extent;
};

/* Pieces of metadata that were read last. */
enum { VK_FS_PIECE_BYTES = 256 << 10, VK_FS_PIECES = 16 };
struct vk_fs_piece {
	uint8_t *bytes;    /* NULL: not used yet */
	uint64_t number;   /* of the piece in the volume */
	size_t held_bytes; /* from its start */
	uint64_t used;     /* when, as a count of uses */
};

struct vk_fs {
	struct vk_fs_info info;
	struct vk_fs_extent *extents;
	size_t extent_count;
	struct vk_fs_part *parts;
	size_t part_count;
	struct vk_io *volume;
	struct vk_fs_piece pieces[VK_FS_PIECES];
	uint64_t uses;
	struct vk_fs_file *fdc; /* .fdc.sf, or what stands in for it; system[VK_SYSTEM_FDC].file or owned */
	bool fdc_guessed;       /* its resource metadata is damaged: that of every volume seen stands in for it */
	unsigned depth;         /* system files that lead to each other, while an address is followed */
};

/* A finding about bytes of the volume. fd: of the file that it hits, or 0. seen and expected may be NULL. */
void vk_fs_say(const struct vk_fs *fs, const struct vk_finding_sink *sink, uint32_t fd, enum vk_finding_code code,
	       uint64_t volume_offset, uint64_t length_bytes, const char *seen, const char *expected,
	       const char *message, ...) __attribute__((format(printf, 9, 10)));
/* Why bytes at a volume offset are no structure: status as its reader gave it. */
enum vk_fs_lack vk_fs_lack_at(struct vk_fs *fs, uint64_t volume_offset, enum vk_status status);
/* "FB 403" */
struct vk_phrase vk_fs_address_text(const struct vk_fs *fs, uint64_t address);
/* What is put behind the commands that errors print: nothing, or a blank and options. */
const char *vk_fs_command_options(const struct vk_fs *fs);
/* The parts of the extents and the volume as one source. Errors: VK_USAGE, VK_NOMEM. */
VK_MUST_USE enum vk_status vk_fs_volume_open(struct vk_fs *fs, struct vk_error *err);
void vk_fs_volume_close(struct vk_fs *fs);

/* Walking a file, one address after the other. */
struct vk_fs_level {
	bool known;            /* the rest was found out for slot and address */
	uint64_t slot;
	uint64_t address;
	uint64_t volume_offset;
	enum vk_status state;  /* VK_OK: it leads to a pointer block */
	bool zeros;            /* which is known to be all zeros */
	enum vk_fs_lack lack;  /* unless VK_OK */
};
struct vk_fs_cursor {
	struct vk_fs *fs;
	const struct vk_fs_file *file;
	const struct vk_finding_sink *sink; /* may be NULL */
	uint64_t unit_bytes;                /* what one address stands for */
	unsigned level_count;               /* of pointer blocks */
	struct vk_fs_level levels[2];       /* of the one that was followed last, by the distance from the blocks */
	struct vk_range_set *followed;      /* NULL: a pointer block that comes twice is not noticed */
	vk_fs_pointer_block_fn on_pointer_block;
	void *ctx;
	bool length_said;                   /* that fileLength reaches too far */
	uint64_t wrong;                     /* addresses that make no sense; the first VK_FS_WRONG_SAID are told */
};
enum { VK_FS_WRONG_SAID = 8 };
/* What lies at an offset of a file, and how far one address or one zero pointer reaches from there. */
struct vk_fs_step {
	enum vk_run_kind kind;
	uint64_t length_bytes;  /* at least 1 */
	uint64_t volume_offset; /* UINT64_MAX: has none */
	uint64_t address;
	bool copy_on_write;
	enum vk_fs_lack lack;   /* of what is missing: of what tells where it lies */
};
void vk_fs_cursor_init(struct vk_fs_cursor *cursor, struct vk_fs *fs, const struct vk_fs_file *file,
		       const struct vk_finding_sink *sink);
/* Tells how many more addresses make no sense. */
void vk_fs_cursor_end(const struct vk_fs_cursor *cursor);
void vk_fs_step(struct vk_fs_cursor *cursor, uint64_t offset, struct vk_fs_step *ret_step);
/* Whether addresses lead to what the file holds. */
bool vk_fs_has_addresses(const struct vk_fs_cursor *cursor);
/* How far they can lead, in bytes of the file. */
uint64_t vk_fs_reach(const struct vk_fs_cursor *cursor);
/* Every step of such a file, behind fileLength, too: blocks there are allocated as well. fn returns false to end it. */
typedef bool (*vk_fs_step_fn)(void *ctx, uint64_t offset, const struct vk_fs_step *step);
void vk_fs_follow(struct vk_fs_cursor *cursor, vk_fs_step_fn fn, void *ctx);
/*
 * Volume offset of a byte of a system file, and how many bytes follow it there. VK_ABSENT: the source does not hold
 * what tells it; VK_DAMAGED: nothing tells it.
 */
VK_MUST_USE enum vk_status vk_fs_map(struct vk_fs *fs, const struct vk_fs_file *file, uint64_t offset,
				     uint64_t *ret_volume_offset, uint64_t *ret_length);
/* Where a resource of a system file lies. VK_DAMAGED: there is no such resource; VK_ABSENT as above. */
VK_MUST_USE enum vk_status vk_fs_resource(struct vk_fs *fs, enum vk_system_file file, uint64_t cluster,
					  uint32_t resource, uint64_t *ret_volume_offset);

/* A path of ESX, /vmfs/volumes/NAME/..., names the volume: what follows it; NULL: it leads elsewhere. */
const char *vk_fs_inside_volume(const struct vk_fs *fs, const char *target);

/* The descriptor at a volume offset, which must be that of the address. Findings and errors: vk_fs_file_open. */
VK_MUST_USE enum vk_status vk_fs_file_at(struct vk_fs *fs, uint64_t volume_offset, uint32_t address,
					 const struct vk_finding_sink *sink, struct vk_fs_file **ret_file,
					 struct vk_error *err);

#endif
