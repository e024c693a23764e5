/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A capture's folder: written under a temporary name, durable before it gets its own; files are
 * opened relative to the folder's descriptor and never through links.
 */
#ifndef VK_STORE_FOLDER_H
#define VK_STORE_FOLDER_H

#include <stddef.h>
#include <stdint.h>

#include "vmfskit/capture.h"
#include "vmfskit/store.h"

#define VK_MANIFEST_FILE "manifest.json"
#define VK_SUMS_FILE "SHA256SUMS"
#define VK_RESTORE_FILE "RESTORE.txt"
#define VK_TEMPORARY_PREFIX ".tmp-"
#define VK_GONE_PREFIX ".gone-"
#define VK_MD5SUMS_FILE "MD5SUMS"
#define VK_SIGNATURE_FILE VK_MANIFEST_FILE ".sig"

struct vk_folder {
	int store_fd; /* of the store; borrowed */
	int fd;       /* locked until the capture has its name */
	char id[VK_CAPTURE_ID_BYTES];
	char temporary[VK_CAPTURE_ID_BYTES + 8];
	const char *store; /* for messages; borrowed */
	char *made;        /* names of the files that this run wrote, each with its NUL: what has to be flushed */
	size_t made_bytes;
};

/*
 * Make in the store, which must outlive it, the temporary folder of a capture whose id is
 * the time, the disk's name and suffix ("" or "-undo"). When that is taken, the number stands behind the time
 * ("20261121T014500Z.2-sdb"): it must not look like the end of another disk's name.
 * unix_seconds is the time of the capture.
 */
VK_MUST_USE enum vk_status vk_folder_begin(struct vk_store *store, const char *disk_path,
					   const char *suffix, uint64_t unix_seconds,
					   struct vk_folder *ret_folder, struct vk_error *err);
/* Rename a folder of the store, replacing nothing. Returns 0 or an errno value. */
VK_MUST_USE int vk_rename_to_new(int store_fd, const char *from, const char *to);
/* Whether that name in an open folder is, not through a link, what is open under fd. */
bool vk_is_at(int folder_fd, const char *name, int fd);
/* Whether anything has that name, a link to nothing, too. Asked by a call that no filter of system calls turns away. */
bool vk_is_there(int folder_fd, const char *name);
/*
 * The error of a file of the folder, with what to do when there is no room: "cannot write a file of the capture in
 * ...".
 */
enum vk_status vk_folder_failed(const struct vk_folder *folder, const char *file, int code,
				const char *what, struct vk_error *err);
/* A new file of the folder, mode 0400, put on record as one to be flushed. ret_fd is the caller's to close. */
VK_MUST_USE enum vk_status vk_folder_create(struct vk_folder *folder, const char *file,
					    int *ret_fd, struct vk_error *err);
/* A file without a name on the same file system, gone when it is closed. ret_fd is the caller's to close. */
VK_MUST_USE enum vk_status vk_folder_scratch(const struct vk_folder *folder, int *ret_fd, struct vk_error *err);
/* Close a file that was written; errors that the system kept until now are told. */
VK_MUST_USE enum vk_status vk_folder_close_file(const struct vk_folder *folder, const char *file,
						int fd, struct vk_error *err);
/* A whole small file. */
VK_MUST_USE enum vk_status vk_folder_put(struct vk_folder *folder, const char *file,
					 const char *bytes, size_t len, struct vk_error *err);
/*
 * Make all files that vk_folder_create made, and the names of all, durable. What is a link to a file of a committed
 * capture is on disk already. A file that is gone meanwhile is an error.
 */
VK_MUST_USE enum vk_status vk_folder_flush(const struct vk_folder *folder, struct vk_error *err);
/*
 * Give the folder, which was flushed, its name, durably and without replacing anything. On success
 * it is closed.
 */
VK_MUST_USE enum vk_status vk_folder_commit(struct vk_folder *folder, struct vk_error *err);
/* Remove the temporary folder and what is in it; for all paths that do not commit. */
void vk_folder_abandon(struct vk_folder *folder);

/*
 * Open the folder of a capture, not through a link. VK_ABSENT when there is none, VK_IO. ret_fd is the caller's to
 * close.
 */
VK_MUST_USE enum vk_status vk_folder_open(const char *path, int *ret_fd, struct vk_error *err);
/* Of a store or a capture whose folder did not open: the error of code, and what to do about it. */
enum vk_status vk_folder_closed(struct vk_error *err, int code, const char *path, const char *what);
/*
 * Open a file of a folder for reading: a regular file, not through a link. VK_ABSENT when it is
 * not there, VK_DAMAGED when it is something else. ret_fd is the caller's to close.
 */
VK_MUST_USE enum vk_status vk_folder_open_file(int folder_fd, const char *file, int *ret_fd,
					       uint64_t *ret_length_bytes, struct vk_error *err);
/*
 * The same for a file whose bytes are to be proved: dropped from the kernel's memory first, so that what is read is
 * what will be there after a restart, and neither what was never written nor what has rotted since it was read last.
 */
VK_MUST_USE enum vk_status vk_folder_open_fresh(int folder_fd, const char *file, int *ret_fd,
						uint64_t *ret_length_bytes, struct vk_error *err);
/*
 * Read a small text file whole, with a NUL behind it; free ret_bytes. VK_DAMAGED when it is
 * longer than max.
 */
VK_MUST_USE enum vk_status vk_folder_slurp(int folder_fd, const char *file, size_t max,
					   char **ret_bytes, size_t *ret_len, struct vk_error *err);

/*
 * Read exactly len bytes of a file, through interruptions. False at its end or on an error (errno
 * is then set).
 */
VK_MUST_USE bool vk_pread_all(int fd, void *buf, size_t len, uint64_t offset);

/* Whether a name begins as ids do: "20261121T014500Z-..." or "20261121T014500Z.2-...". */
bool vk_id_stamped(const char *name);
/*
 * Where a capture named by a path or by an id of the store lies. Free ret_path. VK_ABSENT says
 * where it was looked for.
 */
VK_MUST_USE enum vk_status vk_store_find(const char *store, const char *name, char **ret_path,
					 struct vk_error *err);

/*
 * Call step for each entry of an open folder, "." and ".." left out, until it returns false; the position of
 * folder_fd stays. False when a step returned false, or when the folder cannot be listed: errno is then what stood in
 * the way.
 */
bool vk_each_entry(int folder_fd, bool (*step)(void *ctx, int folder_fd, const char *name), void *ctx);
/* Whether plain files are all that lies in it. errno is 0 when there is something else. */
bool vk_only_plain_files(int folder_fd);
/*
 * Remove the files in it; a folder among them stops it. step names the crash point of each; NULL: what cannot be
 * removed is passed over.
 */
bool vk_empty_folder(int folder_fd, const char *step);

/*
 * Replace a file of a folder, or make it: flushed under another name, renamed, the folder flushed. At every moment
 * the old file is there, or the new one. what names its steps ("pin": "pin: create", ...). Errors: VK_USAGE (the name
 * is too long), VK_IO; errno is then that of the step that failed.
 */
VK_MUST_USE enum vk_status vk_replace_file(int folder_fd, const char *file, const void *bytes, size_t len,
					   const char *what, struct vk_error *err);

/* vk_store_open without sweeping: folder and lock. */
VK_MUST_USE enum vk_status vk_store_hold(const char *path, const struct vk_store_options *options,
					 struct vk_store **ret_store, struct vk_error *err);
/* True for the first caller: a store without links is told of once in a run, not once for each disk. */
bool vk_store_first_without_links(struct vk_store *store);

#endif
