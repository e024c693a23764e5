/* SPDX-License-Identifier: Apache-2.0 */
/* A result that goes into a file. The only place where a verb writes one; it never writes to a disk. */
#ifndef VK_CMD_OUTPUT_FILE_H
#define VK_CMD_OUTPUT_FILE_H

#include "cli/cli.h"

/* Opened by vk_output_open. */
struct vk_output_file {
	FILE *out;
	const char *path;
	char *temporary;
	bool overwrite;
};

/*
 * Whether a file may be put there, as far as that can be seen before any work is done. Errors: VK_USAGE as below,
 * VK_IO.
 */
VK_MUST_USE enum vk_status vk_output_check(const char *path, bool overwrite, struct vk_error *err);
/*
 * The bytes go into a new file beside path. Errors: VK_USAGE (something is there and overwrite is not set, or it is
 * no regular file), VK_IO, VK_NOMEM.
 */
VK_MUST_USE enum vk_status vk_output_open(const char *path, bool overwrite, struct vk_output_file *ret_file,
					  struct vk_error *err);
/*
 * Give the file its name, when keep is set and everything was written; else nothing of it stays. Errors: VK_IO,
 * VK_USAGE as above.
 */
VK_MUST_USE enum vk_status vk_output_close(struct vk_output_file *file, bool keep, struct vk_error *err);

/*
 * A file of an open folder that grows under another name, part, until it is whole. shown is its path, for errors.
 * Open part: a new file that nobody else can read, or (resume) one that is there, which must be a regular file with
 * this one name. Errors: VK_USAGE, VK_IO.
 */
VK_MUST_USE enum vk_status vk_output_part_open(int folder_fd, const char *part, bool resume, const char *shown,
					       int *ret_fd, struct vk_error *err);
/*
 * Flush it and give it its name, durably; overwrite: in place of a regular file, else of nothing. It stays open.
 * Errors: VK_USAGE, VK_IO.
 */
VK_MUST_USE enum vk_status vk_output_part_finish(int folder_fd, const char *part, int fd, const char *name,
						 bool overwrite, const char *shown, struct vk_error *err);

/*
 * Make a new sparse file of that length in a folder, for this user alone; free its path, and remove it. Errors: VK_IO
 * (also: the file system cannot hold a file that long), VK_NOMEM.
 */
VK_MUST_USE enum vk_status vk_output_scratch(const char *folder, uint64_t size_bytes, char **ret_path,
					     struct vk_error *err);

#endif
