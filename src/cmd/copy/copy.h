/* SPDX-License-Identifier: Apache-2.0 */
/* vmfskit cp: the run, and the work on one file of it. */
#ifndef VK_CMD_COPY_H
#define VK_CMD_COPY_H

#include "cmd/copy/place.h"
#include "cmd/copy/state.h"
#include "cmd/files/files.h"
#include "cmd/shared/output_file.h"
#include "cmd/shared/scan_progress.h"
#include "store/folder/digest.h"
#include "vmfskit/extract.h"
#include "vmfskit/virtual_disk.h"

/* Of a verb that copies; vk_copy_read_options reads them. */
#define VK_COPY_OPTIONS \
	{.name = "sums", .argument = "FILE", .choices = "FILE", \
	 .help = "write the SHA-256 of each file that is whole to FILE, for sha256sum -c"}, \
	{.name = "resume", .help = "continue a copy that was interrupted, or try again what could not be read"}, \
	{.name = "overwrite", .help = "replace files that are there"}, \
	{.name = "owner", .help = "keep user and group numbers, too (only root can)"}

/* A file that was dealt with. */
struct vk_copied {
	char *path;
	char *dest;                  /* NAME.vmfskit-part while it is not whole */
	uint64_t size_bytes;
	char sha256[VK_SHA256_HEX_BYTES]; /* empty: not asked for, or the file is not whole */
	struct vk_extract_missing *missing; /* owned */
	size_t missing_count;
	uint64_t missing_bytes;
	bool whole;
	uint64_t zero_bytes; /* if they were counted; as in vk_extract */
	bool compared; /* it was there, and holds the bytes of the source */
	uint32_t guesses; /* not 0: a descriptor that was made; which of its lines are guesses */
	/* which file of this host it is */
	uint64_t device, inode;
};

/* Begin with tree_map_fd -1; vk_copy_end at the end. */
struct vk_copy {
	struct vk_files files;   /* first */
	struct vk_fs_file *file; /* what PATH names */
	const char *path;
	const char *dest;
	/* options */
	bool count_zeros;
	bool tree, system_files, overwrite, resume, keep_owner, digests, make_descriptor;
	struct vk_output_file sums; /* out NULL: not asked for */
	struct vk_vdisks disks;     /* of the volume, for make_descriptor */
	/* what missing bytes are that cannot be asked for again; ranges_told: who calls tells which, and why */
	const char *absent_said; /* NULL: "not in the source" */
	bool ranges_told;
	/* before it begins */
	uint64_t total_files, total_bytes; /* that will be written at most */
	/* results */
	struct vk_cmd_progress progress;
	struct vk_copied *copied;
	size_t count;
	uint64_t written_bytes; /* of files that are done with */
	size_t left_out;        /* that cannot be copied as files */
	size_t unreadable;      /* entries of which nothing is known but the name */
	bool names_missing;     /* of a tree: more may be in it */
	bool tree_there;        /* each file of the tree that resume goes on with is in DEST, by name and size */
	bool names_there;       /* each is, by name */
	/* beside a folder that is made for the tree: a map that stays until all is copied; NULL: none */
	char *tree_map;
	int tree_map_fd; /* the folder that it lies in, or -1 */
	bool stopped;
};

/* The values of VK_COPY_OPTIONS and VK_FILES_OPTIONS. False: one makes no sense, which is reported. */
bool vk_copy_read_options(struct vk_copy *copy);
/* Call work(ctx) with the list of sums open, if one was asked for. Errors: those of work, and of the list. */
VK_MUST_USE enum vk_status vk_copy_with_sums(struct vk_copy *copy,
					     enum vk_status (*work)(void *ctx, struct vk_error *err), void *ctx,
					     struct vk_error *err);
/* How many files were copied, in what time, and what was found on the way. */
void vk_copy_put_summary(const struct vk_copy *copy);
/* How to go on, of a copy that was stopped. Frees what the copy holds. */
void vk_copy_end(struct vk_copy *copy);

/* What becomes a file: byte k of the source that open gives goes to byte k. Texts and meta are borrowed. */
struct vk_copy_from {
	const char *path;                    /* in the volume, as it is shown */
	const struct vk_file_metadata *meta; /* its length, times, mode and owner */
	const char *identity;                /* which file that is: a copy that was begun is of the same one */
	/* May be called more than once; each handle is closed before the next is opened. */
	enum vk_status (*open)(void *ctx, struct vk_io **ret_io, struct vk_error *err);
	void *ctx;
	/*
	 * Ascending: what is there and may not be what was in the file; "absent": nobody knows. The map of a copy that
	 * has such ranges stays beside it when it has its name.
	 */
	const struct vk_extract_missing *doubts;
	size_t doubt_count;
};
/*
 * Copy it to its place, and put it on record. False: it is not there now, or not whole; that is reported. stopped:
 * somebody asked for it.
 */
bool vk_copy_file(struct vk_copy *copy, const struct vk_copy_from *from, const struct vk_copy_place *place);
/* The same of a file of the volume; with make_descriptor also the descriptor that it needs. */
void vk_copy_of_volume(struct vk_copy *copy, const struct vk_fs_file *file, const char *path,
		       const struct vk_copy_place *place);
/* Mode, times and (keep_owner) owner of what is open under fd. Errors: VK_IO. */
VK_MUST_USE enum vk_status vk_copy_facts(const struct vk_copy *copy, const struct vk_file_metadata *meta, int fd,
					 const char *shown, struct vk_error *err);
/*
 * Put a file on record; the missing ranges of extract are taken over. False: it is not whole, which is reported. dest
 * is where it is, or will be.
 */
bool vk_copy_record(struct vk_copy *copy, struct vk_copied *copied, const char *path, const char *dest,
		    struct vk_extract *extract);
/*
 * Whether that name may be removed or written to: no file that is read, none that this run made. Errors: VK_REFUSED,
 * VK_DAMAGED (two files of one name), VK_IO.
 */
struct stat;
VK_MUST_USE enum vk_status vk_copy_check_not_ours(const struct vk_copy *copy, const struct vk_copy_place *place,
						  const char *name, struct stat *ret_st, bool *ret_there,
						  struct vk_error *err);
/* The same of the name of the place, where only a regular file is replaced. Errors: as above, VK_USAGE. */
VK_MUST_USE enum vk_status vk_copy_check_place(const struct vk_copy *copy, const struct vk_copy_place *place,
					       bool *ret_there, struct vk_error *err);
/* What is there is replaced with --overwrite only. Errors: VK_USAGE. */
VK_MUST_USE enum vk_status vk_copy_refuse_existing(const struct vk_copy *copy, const struct vk_copy_place *place,
						   struct vk_error *err);
/*
 * --make-descriptor: find the virtual disks; of one file: that its descriptor is lost and can be made. Errors: those of
 * vk_vdisks_list, VK_USAGE, VK_UNSUPPORTED.
 */
VK_MUST_USE enum vk_status vk_copy_prepare_descriptors(struct vk_copy *copy, struct vk_error *err);
/* The descriptor beside a flat file that was copied whole, if it needs one; what cannot be done is reported. */
void vk_copy_make_descriptor(struct vk_copy *copy, const struct vk_fs_file *file, const char *path,
			     const struct vk_copy_place *place);
/* The same whoever says that it needs one. thin: the flat file has holes. */
void vk_copy_put_descriptor(struct vk_copy *copy, const char *path, uint64_t size_bytes, bool thin,
			    const struct vk_copy_place *place);
/* The lines that a made descriptor guesses: "CID", "ddb.adapterType", ...; free the array. */
json_t *vk_copy_guesses_json(uint32_t guesses);
/* Say how much room is needed and how much is free. Errors: VK_REFUSED, when that is not enough. */
VK_MUST_USE enum vk_status vk_copy_check_room(struct vk_copy *copy, const struct vk_copy_place *place,
					      struct vk_error *err);
/* Count a file of the volume among those to be copied, and the bytes that it will take at most. */
void vk_copy_count(struct vk_copy *copy, const struct vk_fs_file *file);
/* What is open under fd may be on another file system than the tree: errors as vk_files_check_disk. */
VK_MUST_USE enum vk_status vk_copy_check_mount(const struct vk_copy *copy, const struct vk_copy_place *tree, int fd,
					       const char *shown, struct vk_error *err);
/*
 * Make the folder of a tree, whose identity a map beside it tells until vk_copy_end_tree; place->folder_fd is then the
 * folder itself. Errors: VK_REFUSED (it lies on the disk that is read; the map is another's), VK_USAGE (it was begun,
 * and the run neither goes on nor replaces), VK_IO.
 */
VK_MUST_USE enum vk_status vk_copy_begin_tree(struct vk_copy *copy, const char *identity, struct vk_copy_place *place,
					      struct vk_error *err);
void vk_copy_end_tree(struct vk_copy *copy);
/* How many files are whole. */
uint64_t vk_copy_whole(const struct vk_copy *copy);
/* All below PATH, a folder, into the tree at its place. */
void vk_copy_tree(struct vk_copy *copy, const struct vk_copy_place *tree);
/* Count the files below PATH; sets tree_there and names_there. Errors: those of vk_fs_walk_tree. */
VK_MUST_USE enum vk_status vk_copy_count_tree(struct vk_copy *copy, struct vk_error *err);
/* Say on stderr why something is left out. */
void vk_copy_leave_out(struct vk_copy *copy, const char *path, const char *why);

#endif
