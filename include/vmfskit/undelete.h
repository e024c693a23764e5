/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files that are gone: what maps of earlier moments know and the volume no longer has, and of each of their bytes
 * whether it still lies there. Nothing is written, nothing here knows captures: it is given the maps (file_map.h),
 * opened, and the volume of today. Offsets of the volume count from the first byte of the logical volume.
 *
 * A file is known by the address of its descriptor and its generation: renamed or moved it is not gone. It is gone when
 * no folder leads to a descriptor with that address and generation any more, and, too, when it is there and lost blocks
 * that the map it is known from names: it is shorter, or has none of them (it was cut). Names of one file count once.
 * A file is known from the newest map that has it. Of a virtual disk (a file whose name ends in .vmdk) a later map in
 * which it is shorter takes nothing away: it is known from the newest map in which it is longest. Such a file of less
 * than a MiB is a descriptor, which may be shorter after a change: it is known from the newest map in which it is not
 * empty. Other files shrink every day, as logs do: what they lost before the newest map that has them is not listed.
 *
 * The state of a range, by the first of these rules that applies; "later" is between the map that the file is known
 * from and today; the blocks of a map are those that it gives to a file of any kind.
 *   hole       it had no blocks there, or blocks that were never written (TBZ): zeros.
 *   unknown    VK_UNDELETE_NOT_SAID: the map does not say where it lies; OUTSIDE: nowhere in the volume; CONTRADICTED:
 *              the map gives the same bytes to two lost files.
 *   reused     a later map, or the volume of today, gives these bytes to another file: file, folder or system file; or
 *              to the same one at another offset. by is its path, since the first map that shows it, or today. A block
 *              is reused as a whole.
 *   untouched  the file that is there under the same address and generation has them at the same offset; of one that
 *              was cut only if what is below proves that it had them all the time.
 *   unknown    UNREADABLE: the bitmap of its cluster cannot be had, or is damaged; ALLOCATED: the bitmap calls it
 *              allocated, and no file is known that has it (a host's journal).
 *   untouched  free today, and between no two moments (maps, today) it can have been allocated and freed again. One of
 *              these proves it for such a time:
 *              1. VMFS6: the cluster counted no more allocations than there are blocks that the later moment gives to
 *                 a file and the earlier one to none or to another. For small blocks the same must be true of the large
 *                 blocks that they are part of.
 *              2. VMFS 3 and 5: the token of the cluster's lock is the same.
 *              3. VMFS 3 and 5: the token leaves no room for one who took and gave back. ESX counts 2 each time that it
 *                 locks the cluster, so all tokens are odd: it grew by no more than 2 for each file that vanished or
 *                 lost blocks there, and 2 if any gained some. Who took and gave back would have locked it twice more,
 *                 if it was not under the one lock of a change that is known.
 *              4. VMFS 3 and 5: no other file lost blocks or vanished in that time; each generation that the clusters
 *                 of .fdc.sf gave out is that of a file which is there at the end of it; and the tokens of all clusters
 *                 grew by 1 for each block that was freed or taken, at least 8 (so debugvmfs counts), or, where they
 *                 are not all odd, this one by no more than 1 for the file, 1 if any gained some there, and 1.
 *              None proves it for a block that the later moment gives to the file itself, and the earlier one to none.
 *              All of them need stamps of clusters (file_map.h) in both moments, the last also two whole maps without
 *              torn files; 1 and 3 count what files gained only where the earlier map is such a one.
 *   unknown    WENT_BACK: the volume is not the one that this map shows some time later, but was set back since, to
 *              an array's snapshot for example, or is a copy. Comes before untouched. One of these shows it, for a map
 *              and all before it: a stamp of any cluster of any kind is lower in a later map or today (of small blocks
 *              on VMFS6 only if the stamp of their large blocks did not grow: a new cluster may count from the
 *              beginning); a file that is there has an older ctime; the descriptor of one that is gone has its
 *              generation still, and an older ctime or another type. mtime says nothing: it can be set. Where both
 *              lines of time come to the same counts it is not seen.
 *   unknown    UNPROVED: free in each later map and today, but it may have been used meanwhile.
 * Sub-blocks go by the clusters of .sbc.sf, all others by those of .fbb.sf. Bytes in the descriptor itself are
 * untouched where the slot still has that generation and all of its bytes, or where they were given with the map; else
 * unknown (DESCRIPTOR_GONE).
 */
#ifndef VMFSKIT_UNDELETE_H
#define VMFSKIT_UNDELETE_H

#include "vmfskit/extract.h"
#include "vmfskit/file_map.h"

__BEGIN_DECLS

/* A map of an earlier moment. All is borrowed. */
struct vk_undelete_known {
	struct vk_io *map;       /* as vk_file_map_make made it */
	/*
	 * The volume as it was then, where it was kept (metadata): absent elsewhere. Bytes in descriptors are taken
	 * from here. NULL: nothing was kept.
	 */
	struct vk_io *volume;
	const char *id;          /* what errors call it */
};

enum vk_undelete_from {
	VK_UNDELETE_CAPTURE, VK_UNDELETE_DESCRIPTOR, VK_UNDELETE_POINTER_BLOCKS, VK_UNDELETE_SIGNATURE
};
const char *vk_undelete_from_name(enum vk_undelete_from from); /* "capture", "descriptor", "pointer-blocks", ... */
enum vk_undelete_state {
	VK_UNDELETE_UNTOUCHED, VK_UNDELETE_REUSED, VK_UNDELETE_UNKNOWN, VK_UNDELETE_HOLE, VK_UNDELETE_STATES
};
const char *vk_undelete_state_name(enum vk_undelete_state state); /* "untouched", "reused", "unknown", "hole" */
/* Why a range is unknown. */
enum vk_undelete_why {
	VK_UNDELETE_SURE,         /* it is not */
	VK_UNDELETE_NOT_SAID, VK_UNDELETE_OUTSIDE, VK_UNDELETE_CONTRADICTED, VK_UNDELETE_UNREADABLE,
	VK_UNDELETE_ALLOCATED, VK_UNDELETE_UNPROVED, VK_UNDELETE_DESCRIPTOR_GONE,
	VK_UNDELETE_WENT_BACK,
	VK_UNDELETE_GUESSED       /* nothing but the bytes themselves says that they belong to this file */
};
/* Behind "unknown: ", "free, but it may have been used in between". Empty: SURE. */
const char *vk_undelete_why_said(enum vk_undelete_why why);

/* They lie one behind the other, from 0 to the size of the file; neighbours of one kind are joined. */
struct vk_undelete_range {
	uint64_t file_offset, length_bytes;
	uint64_t volume_offset;  /* UINT64_MAX: has none */
	const char *by;          /* REUSED: path of the file that has or had it; owned by the vk_undelete. Else NULL */
	/* REUSED: the number of the first map that shows it; VK_UNDELETE_TODAY: none, but the volume of today */
	uint32_t since;
	enum vk_run_kind kind : 8; /* DATA, HOLE, TBZ, RESIDENT or MISSING */
	enum vk_undelete_state state : 8;
	enum vk_undelete_why why : 8;
};
#define VK_UNDELETE_TODAY UINT32_MAX

/* partly-reused: something is left, be it unknown; lost: nothing is. unknown: no part is reused, and not all is sure */
enum vk_undelete_verdict {
	VK_UNDELETE_ALL_UNTOUCHED, VK_UNDELETE_PARTLY_REUSED, VK_UNDELETE_LOST, VK_UNDELETE_ALL_UNKNOWN
};
const char *vk_undelete_verdict_name(enum vk_undelete_verdict verdict); /* "untouched", "partly-reused", ... */

/* A file that is gone, or a candidate for one. */
struct vk_undelete_file {
	char *path;              /* the first of its names; NULL: none is known */
	enum vk_undelete_from from;
	size_t map;              /* that it is known from, of the given ones; SIZE_MAX: none */
	uint32_t type, address, generation; /* of its descriptor; address 0: none is known */
	uint64_t size_bytes;     /* of a candidate: what is known of it */
	uint32_t mode, uid, gid, links, mtime, ctime; /* 0: not known */
	char *disk_id;           /* of a raw device mapping: its LUN; NULL: none */
	const char *looks_like;  /* what its first block says it is, "NTFS boot sector"; not owned; NULL: nothing */
	bool cut;                /* it is there, but lost blocks */
	bool nameless;           /* its descriptor is there, but no name leads to it */
	bool unseen;             /* parts of folders cannot be read: it may be there all the same */
	bool torn;               /* it changed while the map was made: its ranges may be of two moments */
	bool guess;              /* what is said of it is an inference: size, order or extent of its ranges */
	enum vk_undelete_verdict verdict;
	uint64_t bytes[VK_UNDELETE_STATES];
	struct vk_undelete_range *ranges; /* owned */
	size_t range_count;
	uint8_t *resident;       /* the bytes of its RESIDENT range, if they could be had; owned; else NULL */
	size_t resident_bytes;
	bool resident_kept;      /* they were given with the map */
};
/* Sets bytes and verdict by the ranges. */
void vk_undelete_sum(struct vk_undelete_file *file);

struct vk_undelete {
	struct vk_undelete_file *files; /* newest knowledge first, then by path */
	size_t count;
	char **names;            /* what by points to */
	size_t name_count;
	bool names_unknown;      /* parts of folders cannot be read: files may be there unseen */
	bool went_back;          /* of what the map back and those before it know nothing is proved */
	size_t back;
	bool unfinished;         /* more than is looked at: VK_FILE_MAP_FILES_MAX files; ranges cut in too many parts */
};
void vk_undelete_free(struct vk_undelete *gone);

struct vk_undelete_wish {
	const char *path;        /* only this one, or what is below this folder, as a map names it; NULL: all */
	size_t newest;           /* maps before this one say what was reused, but not what files there were */
};
/*
 * Find what is gone, by maps of this volume, newest first. wish NULL: all. Memory: 32 bytes for each file of all maps
 * together, 48 for each of the two that are compared, 80 for each run of files that are gone (half as much again while
 * they are split), four bits for each block of the volume, 32 bytes for each cluster. Each map is read twice, and the
 * tree of today. Errors: VK_USAGE (a map of another volume, with its id), those of vk_file_map_read, VK_IO (the
 * device does not answer), VK_NOMEM. Findings: those of vk_fs_walk_tree.
 */
VK_MUST_USE enum vk_status vk_undelete_find(struct vk_fs *fs, const struct vk_undelete_known *known, size_t count,
					    const struct vk_undelete_wish *wish, const struct vk_finding_sink *sink,
					    struct vk_undelete *ret_gone, struct vk_error *err);

/*
 * The contents of such a file as a source, to be read on another thread or copied with vk_extract: byte k is byte k of
 * the file. Ranges of the states whose bits are set in leave_out, 1U << VK_UNDELETE_REUSED, are absent, as is what has
 * no place; holes and TBZ are zeros. fs and file are borrowed. Errors: VK_NOMEM.
 */
VK_MUST_USE enum vk_status vk_undelete_io(struct vk_fs *fs, const struct vk_undelete_file *file, unsigned leave_out,
					  struct vk_io **ret_io, struct vk_error *err);

__END_DECLS
#endif
