/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files inside a volume: VMFS 3, 5 and 6 and VMFS-L, whole or as far as the sources reach. Everything is read through
 * vk_io handles and cross-checked on the way: a lock names its own place, a descriptor its own address, an entry the
 * generation of its file. Damage yields findings; the rest is still given. Nothing here knows captures or names of
 * devices. Volume offsets count from the first byte of the logical volume.
 *
 * Memory is bounded by what is asked for, never by what the volume claims: 4 MiB of metadata that was read last, and a
 * descriptor for each open file.
 *
 * offset_bytes of a finding counts in the source of the extent that holds the place; its message names the volume
 * offset.
 */
#ifndef VMFSKIT_FS_H
#define VMFSKIT_FS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vmfskit/address.h"
#include "vmfskit/file_descriptor.h"
#include "vmfskit/finding.h"
#include "vmfskit/fs_descriptor.h"
#include "vmfskit/io.h"
#include "vmfskit/lock.h"
#include "vmfskit/resource_file.h"
#include "vmfskit/vmfs.h"

__BEGIN_DECLS

/* One device of the volume. */
struct vk_fs_extent {
	struct vk_io *io;            /* borrowed; byte 0 is that of vmfs: first byte of the partition or volume */
	const struct vk_vmfs *vmfs;  /* borrowed */
	size_t source;               /* the caller's number, given back in runs */
	uint64_t source_bytes;       /* where byte 0 of io lies in that source: 0 of an image of a partition */
	const char *name;            /* what errors call it: a path to paste; copied; NULL: the name of io */
	/* of the first extent: options for the commands that errors print, as they are pasted; borrowed; NULL: none */
	const char *options;
};
/* Why something cannot be had; what is worse is later. */
enum vk_fs_lack { VK_LACK_ABSENT, VK_LACK_UNREADABLE, VK_LACK_ZEROS, VK_LACK_DAMAGED };
const char *vk_fs_lack_said(enum vk_fs_lack lack); /* it is "not in the source", "unreadable", "zeros", "damaged" */
/* A system file. */
struct vk_fs_system {
	enum vk_fs_lack lack;        /* of one that every volume has: why it has no descriptor, or no resource */
	bool has_fd;                 /* its descriptor is at its place and sound */
	struct vk_fs_file *file;     /* owned by the file system; NULL unless has_fd */
	bool has_resource;           /* its FS3_ResFileMetadata is usable */
	struct vk_resource_file resource;
	bool has_child;              /* VMFS6 .fbb.sf: the small blocks */
	struct vk_resource_file child;
};
struct vk_fs_info {
	struct vk_fs_descriptor descriptor;
	bool vmfs6;
	uint32_t md_alignment;       /* 0 on VMFS 3 and 5 */
	uint64_t file_block_bytes;
	uint64_t large_block_bytes;  /* VMFS6; else 0 */
	uint32_t sub_block_bytes;
	uint32_t small_per_cluster;  /* VMFS6: file blocks in one large block; else 0 */
	struct vk_fd_geometry fd;    /* how a file descriptor is divided */
	uint32_t resident_offset;    /* in a descriptor, of the data of a file that has no blocks */
	uint32_t resident_bytes;
	uint32_t pointers_per_block; /* addresses in a pointer block */
	uint64_t volume_bytes;       /* logicalSize; without an LVM header the blocks of .fbb.sf; 0: not known */
	struct vk_address_form addresses;
	struct vk_fs_system system[VK_SYSTEM_COUNT];
	/*
	 * Zeros were met where a system file, a file descriptor that a name leads to, or a folder has its first bytes:
	 * damage, or what was not copied into an image. Set while the volume is read.
	 */
	bool zero_metadata;
};
struct vk_fs;
/*
 * extents are copied, what they point to is borrowed. Extents that are not given are missing: what lies there is
 * called so. Findings: file.descriptor, file.resource-metadata and structure.absent of system files: no error, as long
 * as the file-system descriptor is there. Where the descriptor of .fdc.sf is damaged its blocks are taken to lie one
 * behind the other, which each file descriptor in them confirms or not.
 * Errors: VK_USAGE (extents of two volumes, or one twice), VK_ABSENT (the source does not hold the file-system
 * descriptor, or nothing of .fdc.sf), VK_DAMAGED (no usable descriptor), VK_UNSUPPORTED (a version that nobody knows),
 * VK_IO, VK_NOMEM.
 */
VK_MUST_USE enum vk_status vk_fs_open(const struct vk_fs_extent *extents, size_t count,
				      const struct vk_finding_sink *sink, struct vk_fs **ret_fs, struct vk_error *err);
void vk_fs_close(struct vk_fs *fs);
const struct vk_fs_info *vk_fs_info(const struct vk_fs *fs);
/*
 * The logical volume as a source; absent where an extent is missing or ends early. Owned by the file system. Where
 * volume_bytes is not known its length means nothing.
 */
struct vk_io *vk_fs_volume(const struct vk_fs *fs);
/*
 * Where a volume offset lies: number of the extent, offset in its source, bytes from there on in one piece. The source
 * may be shorter. False: on no extent that was given; *ret_length is then how far that is so.
 */
bool vk_fs_place(const struct vk_fs *fs, uint64_t volume_offset, size_t *ret_extent, uint64_t *ret_source_bytes,
		 uint64_t *ret_length);
/*
 * Bytes of the volume's metadata, through the pieces that were read last: *ret_got stops before what is absent or
 * unreadable. For small reads; large ones go to vk_fs_volume. Errors: VK_IO, VK_NOMEM.
 */
VK_MUST_USE enum vk_status vk_fs_get(struct vk_fs *fs, uint64_t volume_offset, void *buf, size_t len, size_t *ret_got,
				     struct vk_error *err);
/*
 * Forget what was read of the volume: it may be in use, and what is read next is as it is then. The descriptors of the
 * system files and of open files stay.
 */
void vk_fs_forget(struct vk_fs *fs);

/* An open file. */
struct vk_fs_file {
	uint32_t address;            /* of its descriptor */
	uint64_t volume_offset;      /* of its descriptor */
	struct vk_lock lock;
	struct vk_file_metadata meta;
	uint8_t *fd;                 /* the whole descriptor, fd_bytes of the geometry; zeros where it is cut */
	size_t fd_seen_bytes;
};
bool vk_fs_file_is_folder(const struct vk_fs_file *file); /* type 2, or a system file whose mode says so (.sdd.sf) */
/*
 * The descriptor of that address. Its lock, the place and the address that it names and (VMFS6) its signature are
 * compared: one that does not fit is the finding file.descriptor, two are no descriptor. Errors: VK_ABSENT (the source
 * does not hold it, or what leads to it), VK_DAMAGED (no descriptor lies there, or the address makes no sense), VK_IO,
 * VK_NOMEM. Free with vk_fs_file_close.
 */
VK_MUST_USE enum vk_status vk_fs_file_open(struct vk_fs *fs, uint32_t address, const struct vk_finding_sink *sink,
					   struct vk_fs_file **ret_file, struct vk_error *err);
void vk_fs_file_close(struct vk_fs_file *file);
/* Why vk_fs_file_open gave that status, VK_ABSENT or VK_DAMAGED, for this address. */
enum vk_fs_lack vk_fs_file_lack(struct vk_fs *fs, uint32_t address, enum vk_status status);

/* Where the bytes of a file lie: the one walk, on which reading, listing, mapping and checking stand. */
enum vk_run_kind {
	VK_RUN_DATA,
	VK_RUN_HOLE,     /* not allocated: zeros */
	VK_RUN_TBZ,      /* allocated, never written: zeros whatever lies there */
	VK_RUN_RESIDENT, /* in the descriptor itself */
	/*
	 * unknown: a pointer block is not in the source or damaged, an address makes no sense, the descriptor is cut,
	 * or (with a volume_offset) the extent was not given; all of an RDM
	 */
	VK_RUN_MISSING
};
const char *vk_run_kind_name(enum vk_run_kind kind); /* "data", "hole", "tbz", "resident", "missing" */
struct vk_fs_run {
	enum vk_run_kind kind;
	uint64_t file_offset;
	uint64_t length_bytes;
	uint64_t volume_offset;      /* UINT64_MAX: has none */
	size_t extent;               /* of vk_fs_open; SIZE_MAX: has none */
	uint64_t source_offset;      /* in that extent's source; UINT64_MAX: has none */
	uint64_t address;            /* raw, of the first block; 0: has none */
	bool copy_on_write;
	enum vk_fs_lack lack;        /* of VK_RUN_MISSING: of what tells where it lies */
};
struct vk_fs_walk;
/*
 * Runs from offset up to min(offset + length, fileLength), neighbours joined, cut where another extent begins. What the
 * source of a run's extent does not hold is no matter here: a run of a cut dump says where the bytes lie on the disk.
 * A pointer block that the file already used is damage (file.pointer-block-twice), so a walk always ends.
 * Findings: file.address, file.length (longer than its addresses can reach), file.pointer-block (its address leads
 * nowhere), structure.absent (a pointer block is not in the source), file.descriptor (blockSize).
 */
VK_MUST_USE enum vk_status vk_fs_walk_open(struct vk_fs *fs, const struct vk_fs_file *file, uint64_t offset,
					   uint64_t length, const struct vk_finding_sink *sink,
					   struct vk_fs_walk **ret_walk, struct vk_error *err);
/* The next run; false: that was the last. */
bool vk_fs_walk_next(struct vk_fs_walk *walk, struct vk_fs_run *ret_run);
void vk_fs_walk_close(struct vk_fs_walk *walk);
/* Called for each pointer block that is followed. Set before the first next. */
typedef void (*vk_fs_pointer_block_fn)(void *ctx, uint64_t address, uint64_t volume_offset);
void vk_fs_walk_on_pointer_block(struct vk_fs_walk *walk, vk_fs_pointer_block_fn fn, void *ctx);
/* Bytes of a file; stops before what is missing or not held, and at fileLength (*ret_got). */
VK_MUST_USE enum vk_status vk_fs_read(struct vk_fs *fs, const struct vk_fs_file *file, uint64_t offset, void *buf,
				      size_t len, size_t *ret_got, struct vk_error *err);
/*
 * How many bytes of a file cannot be had, with the worst of the reasons, and how many its blocks up to fileLength have.
 * ret_lack may be NULL.
 */
VK_MUST_USE enum vk_status vk_fs_measure(struct vk_fs *fs, const struct vk_fs_file *file,
					 uint64_t *ret_missing_bytes, enum vk_fs_lack *ret_lack,
					 uint64_t *ret_allocated_bytes, struct vk_error *err);

/* Folders. */
enum { VK_FS_PATH_BYTES = 4096, VK_FS_PATH_NAME_BYTES = 3 * 255 + 1 };
struct vk_fs_entry {
	uint32_t type;               /* as FS3_FileMetadata.type */
	uint32_t address;            /* of the file descriptor */
	uint32_t generation;
	char name[256];              /* as on disk, NUL ended: any bytes, even a '/' */
	/* it has a '/' or control characters, or is "." or ".." where other names stand */
	bool unsafe_name;
	uint64_t file_offset;        /* of the entry in the folder */
	bool deleted;                /* its slot is free; what it says is of a file that is gone */
};
/*
 * Each entry of a folder in the order of the disk, "." and ".." too; fn returns false to stop. deleted ones only where
 * asked: what is left in free slots, and on VMFS 3 and 5 behind the last entry. Findings: folder.entry, folder.block,
 * folder.count, structure.absent (a part of the folder), folder.hash (VMFS6: the hash table does not lead to it; looked
 * at only when there is a sink). Of each code of one folder the first 8 are put, and the number of the others.
 * source.unreadable is put for a part of the folder that the device did not deliver: names may be missing there. At
 * most 2^20 slots are looked at. Errors: VK_USAGE (no folder), VK_ABSENT (none of its entries is in the source), VK_IO
 * (none of its entries can be read), VK_DAMAGED (nor found: what leads to them is damaged), VK_NOMEM.
 */
typedef bool (*vk_fs_entry_fn)(void *ctx, const struct vk_fs_entry *entry);
VK_MUST_USE enum vk_status vk_fs_list(struct vk_fs *fs, const struct vk_fs_file *folder, bool deleted,
				      vk_fs_entry_fn fn, void *ctx, const struct vk_finding_sink *sink,
				      struct vk_error *err);
/*
 * The name of an entry as a part of a path: '/' and control characters as %2f, the rest byte for byte. A '%' that would
 * be read so, with two of 0-9a-f behind it, is %25: no two names have one form.
 */
void vk_fs_name_in_path(const struct vk_fs_entry *entry, char ret_name[VK_FS_PATH_NAME_BYTES]);
/*
 * One name in a folder, in the form of vk_fs_name_in_path, or, where no entry has that, byte for byte: by hash on
 * VMFS6, and by looking at all entries where that leads nowhere (findings: those of vk_fs_list, folder.hash for one
 * that the hash table does not lead to).
 * Errors: VK_ABSENT and *ret_missing_bytes 0: no such name; VK_ABSENT and bytes of the folder that are not in the
 * source: the name may lie there; VK_IO: it may lie in bytes that cannot be read; those of vk_fs_list. err says which.
 * ret_missing_bytes may be NULL.
 */
VK_MUST_USE enum vk_status vk_fs_find(struct vk_fs *fs, const struct vk_fs_file *folder, const char *name,
				      const struct vk_finding_sink *sink, struct vk_fs_entry *ret_entry,
				      uint64_t *ret_missing_bytes, struct vk_error *err);
/* The file of an entry: opened, its generation and type compared (finding file.generation). Errors: vk_fs_file_open. */
VK_MUST_USE enum vk_status vk_fs_entry_open(struct vk_fs *fs, const struct vk_fs_entry *entry,
					    const struct vk_finding_sink *sink, struct vk_fs_file **ret_file,
					    struct vk_error *err);
/*
 * A path from the root, with or without the first slash; "/" is the root.
 * One that begins with "#0x03000004"
 * begins at the file with that descriptor, whoever names it; with a slash in front it is a name. Symbolic links
 * on the way are followed (at
 * most 40 of them), the last name only with follow. A link to /vmfs/volumes/NAME/..., NAME the label or UUID of this
 * volume, leads to its root; other absolute ones lead out of the volume. Errors: VK_ABSENT (no such file; it is not in
 * the source; a link leads out), VK_IO (a name may lie in what cannot be read), VK_DAMAGED, VK_USAGE (a path too long),
 * VK_NOMEM.
 */
VK_MUST_USE enum vk_status vk_fs_lookup(struct vk_fs *fs, const char *path, bool follow,
					const struct vk_finding_sink *sink, struct vk_fs_file **ret_file,
					struct vk_error *err);
/*
 * The target of a symbolic link, its names in the form of vk_fs_name_in_path. Errors: VK_USAGE (no link), VK_ABSENT,
 * VK_DAMAGED, VK_IO, VK_NOMEM.
 */
enum { VK_FS_LINK_BYTES = 3 * 4095 + 1 };
VK_MUST_USE enum vk_status vk_fs_link(struct vk_fs *fs, const struct vk_fs_file *file,
				      char ret_target[VK_FS_LINK_BYTES], struct vk_error *err);

/*
 * The files under a folder, "." and ".." and deleted ones excepted: all entries of a folder, then its folders in that
 * order. Each folder once, whoever names it (folder.loop). A path is made of names in the form of vk_fs_name_in_path;
 * what would be longer than VK_FS_PATH_BYTES - 1 is left out (folder.entry). At most 2^24 slots are looked at. Memory:
 * a name for each folder. A folder on the way of which nothing can be read is the finding source.unreadable,
 * folder.block or structure.absent. Errors: those of vk_fs_lookup, of vk_fs_list for the first folder, VK_USAGE (no
 * folder).
 */
struct vk_fs_visit {
	const char *path;              /* "/vm/vm.vmdk" */
	const struct vk_fs_entry *entry;
	const struct vk_fs_file *file; /* NULL: its descriptor cannot be read: error says why */
	const struct vk_error *error;
	uint32_t folder;               /* address of the folder that has the entry */
};
/* fn returns false not to go into this folder; *ret_stop ends it all. */
typedef bool (*vk_fs_visit_fn)(void *ctx, const struct vk_fs_visit *visit, bool *ret_stop);
VK_MUST_USE enum vk_status vk_fs_walk_tree(struct vk_fs *fs, const char *path, vk_fs_visit_fn fn, void *ctx,
					   const struct vk_finding_sink *sink, struct vk_error *err);

__END_DECLS
#endif
