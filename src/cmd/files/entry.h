/* SPDX-License-Identifier: Apache-2.0 */
/* A file of a volume as ls shows it, in words. */
#ifndef VK_CMD_FILES_ENTRY_H
#define VK_CMD_FILES_ENTRY_H

#include "base/shown.h"
#include "cmd/files/files.h"

struct vk_ls_entry {
	char *path;               /* from the root of the volume: "/vm/vm.vmdk"; owned */
	size_t name_at;           /* where its last name begins in path, or all that is printed of it */
	uint32_t type;            /* FS3_FileMetadata.type, or of the folder's entry */
	uint32_t address;         /* of the file descriptor */
	bool known;               /* the descriptor could be read: all below is so */
	bool is_folder;
	struct vk_file_metadata meta;
	uint64_t missing_bytes;   /* that cannot be had */
	enum vk_fs_lack lack;     /* why, the worst of it; of what is not known: of its descriptor */
	uint64_t allocated_bytes;
	char *target;             /* of a symbolic link; NULL: none, or it is not in the source; owned */
	enum vk_status status;    /* of what cannot be read: why */
};

/* "file", "dir", "symlink", "rdm", "system"; "unknown" */
const char *vk_ls_type(uint32_t type);
/* "drwxr-xr-t": the type counts, not the type bits of mode. */
struct vk_shown vk_ls_mode(uint32_t type, bool is_folder, uint32_t mode);
/* "0755" */
struct vk_shown vk_ls_mode_octal(uint32_t mode);

/* What is known of an open file; ret_entry's path is left alone. Errors: VK_IO, VK_NOMEM. */
VK_MUST_USE enum vk_status vk_ls_measure(struct vk_files *files, const struct vk_fs_file *file,
					 struct vk_ls_entry *entry, struct vk_error *err);
/* The missing bytes are "not in the source", "not read", "lost: what leads to it is damaged". */
const char *vk_ls_missing(const struct vk_ls_entry *entry);
/* An object of vmfskit.ls/1, to which members may be added; end it with vk_json_end. */
struct vk_json vk_ls_entry_json(const struct vk_ls_entry *entry);

#endif
