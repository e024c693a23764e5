/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The map of the files of a volume: each path, what its descriptor says, and where its bytes lie, as runs. A text of
 * lines (docs/file-map.md) that other programs can read, too. The same volume gives the same bytes: nothing of the run
 * that made it is in it, and files stand in the order of their folders. Nothing here knows captures.
 */
#ifndef VMFSKIT_FILE_MAP_H
#define VMFSKIT_FILE_MAP_H

#include "vmfskit/fs.h"
#include "vmfskit/fs_clusters.h"

__BEGIN_DECLS

enum {
	VK_FILE_MAP_LEAST_BYTES = 4 << 10,    /* no map is bounded to less */
	VK_FILE_MAP_MOST_BYTES = 1 << 30,     /* none is longer */
	VK_FILE_MAP_USUAL_BYTES = 256 << 20,
	VK_FILE_MAP_FILES_MAX = 1 << 20
};
/* How much of a volume is in the map: each has less than the one before it, because that would have been too long. */
enum vk_file_map_scope {
	VK_FILE_MAP_ALL,   /* the runs of all files */
	VK_FILE_MAP_DISKS, /* of all files what their descriptors say; runs only of virtual disks (*.vmdk) */
	VK_FILE_MAP_NAMES, /* no runs */
	VK_FILE_MAP_CUT    /* not even all names */
};
const char *vk_file_map_scope_name(unsigned scope); /* "all", "disks", "names", "cut" */

/* A name of a file. Texts are those of the map, or of who reads it. */
struct vk_file_map_file {
	uint32_t type, address, generation;
	bool unread;           /* its descriptor could not be read: what is below is 0 */
	bool torn;             /* the descriptor changed while the volume was read: its runs may be of two moments */
	uint64_t size_bytes, block_bytes;
	uint32_t flags, mode, uid, gid, links, mtime, ctime;
	const char *path;      /* as in vk_fs_visit; "/" is the root */
	const char *disk_id;   /* of a raw device mapping: its LUN, as vk_scsi_disk_id_name has it; NULL: none */
	uint64_t run_count;    /* 0 of one that has bytes: they are left out */
};
/* What a whole map says of itself. */
struct vk_file_map_sums {
	char volume[40];       /* UUID of the file system */
	char version[40];      /* "VMFS-5.81" */
	uint64_t block_bytes;
	enum vk_file_map_scope scope;
	uint64_t files, runs;
	uint64_t unread;       /* files whose descriptor could not be read */
	uint64_t torn;
	uint64_t faults;       /* that were met on the way: something of folders, descriptors or runs is not known */
	uint64_t clusters;     /* that have a stamp; 0 of a map of form 1 */
};
/*
 * Clusters one behind the other with one stamp (fs_clusters.h). It was read before the first file, and was the same
 * when the last file had been read: between the two nothing was allocated in them. So what the map says of the blocks
 * of such a cluster is true of the moment of its stamp. Clusters that changed meanwhile have none.
 */
struct vk_file_map_stamps {
	enum vk_fs_cluster_kind kind;
	uint64_t first, count;
	uint64_t stamp;
};
/* What is missing in a map may be there in the volume. */
static inline bool vk_file_map_is_whole(const struct vk_file_map_sums *sums)
{
	return sums->scope != VK_FILE_MAP_CUT && sums->faults == 0 && sums->unread == 0;
}

/* Where a map goes. */
struct vk_file_map_out {
	bool (*put)(void *ctx, const void *bytes, size_t len); /* at the end. False: it cannot; errno says why */
	bool (*restart)(void *ctx);                            /* forget all that was put */
	void *ctx;
};
struct vk_file_map_made {
	struct vk_file_map_sums sums;
	uint64_t bytes;
	bool unreadable;       /* a device did not deliver what was asked for */
	bool zeros;            /* zeros stand where metadata should: as vk_fs_info.zero_metadata */
	uint64_t damaged;      /* of the faults: damage, not only what the source does not hold */
	char first[240];       /* the first of them, damage first; empty: none */
};
/*
 * Make the map of the volume on these extents (as for vk_fs_open), of at most limit_bytes. After the last file all
 * is walked once more, and the headers of all clusters are read again: a file that is not the same is torn. Stamps are
 * left out first when it would be too long. Memory: 16 bytes for each file; that of vk_fs_clusters_read twice.
 * Errors: those of vk_fs_open; those of vk_fs_walk_tree for the root; VK_IO: put or restart failed; VK_NOMEM.
 */
VK_MUST_USE enum vk_status vk_file_map_make(const struct vk_fs_extent *extents, size_t count, uint64_t limit_bytes,
					    const struct vk_file_map_out *out, struct vk_file_map_made *ret_made,
					    struct vk_error *err);

/* Each file, and behind it its runs: extent, source_offset and address are not known. Members may be NULL. */
struct vk_file_map_visitor {
	/* run_count, disk_id and torn are not known yet */
	bool (*file)(void *ctx, const struct vk_file_map_file *file);
	bool (*disk_id)(void *ctx, const char *disk_id);     /* of that file */
	bool (*run)(void *ctx, const struct vk_fs_run *run); /* of that file */
	bool (*torn)(void *ctx, uint32_t address, uint32_t generation); /* at the end */
	bool (*stamps)(void *ctx, const struct vk_file_map_stamps *stamps); /* then these, by kind and number */
	void *ctx;
};
/*
 * Read a map, which anybody may have written: each line is checked, the lengths of runs against the size of the file,
 * the sums at the end against what was read. visitor may be NULL. A member that returns false: memory ran out. Errors:
 * VK_DAMAGED (with the line), VK_UNSUPPORTED (a newer form), VK_IO, VK_NOMEM.
 */
VK_MUST_USE enum vk_status vk_file_map_read(struct vk_io *io, const struct vk_file_map_visitor *visitor,
					    struct vk_file_map_sums *ret_sums, struct vk_error *err);

/* All files of a map without their runs, sorted by path. Free with vk_file_map_free. */
struct vk_file_map {
	struct vk_file_map_sums sums;
	struct vk_file_map_file *files;
	size_t count;
	size_t text_bytes;
};
/* Errors also VK_UNSUPPORTED: more text in its names than any volume has (256 MiB). */
VK_MUST_USE enum vk_status vk_file_map_load(struct vk_io *io, struct vk_file_map *ret_map, struct vk_error *err);
void vk_file_map_free(struct vk_file_map *map);

/* What became of the files between two maps of one volume. A file is known by its descriptor and its generation. */
enum vk_file_change_kind {
	VK_FILE_VANISHED, VK_FILE_MOVED, VK_FILE_APPEARED, VK_FILE_GREW, VK_FILE_SHRANK,
	VK_FILE_UNSEEN    /* it is not in the later map, which is not whole */
};
const char *vk_file_change_name(enum vk_file_change_kind kind); /* "vanished", "moved", ... */
struct vk_file_change {
	enum vk_file_change_kind kind;
	const struct vk_file_map_file *before, *after; /* of the maps; NULL: it is in the other one only */
};
/*
 * Sorted by kind, then by path. System files and sizes of folders are not compared. What only the later map has is left
 * out where the earlier one is not whole. Free *ret_changes. Errors: VK_USAGE (two volumes), VK_NOMEM.
 */
VK_MUST_USE enum vk_status vk_file_map_compare(const struct vk_file_map *before, const struct vk_file_map *after,
					       struct vk_file_change **ret_changes, size_t *ret_count,
					       struct vk_error *err);
/*
 * Whether a name is that of a virtual disk's contents, as backups do not make and remove them every night: *.vmdk of a
 * MiB or more and mappings of raw devices, but no -delta, -sesparse and -ctk.
 */
bool vk_file_map_is_disk(const struct vk_file_map_file *file);

__END_DECLS
#endif
