/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whose bytes lie in ranges of a volume that are damaged or cannot be read: its files and folders, and the metadata
 * that leads to them. One walk over the files; what is damaged in the ranges is not believed on the way.
 */
#ifndef VMFSKIT_FS_HIT_H
#define VMFSKIT_FS_HIT_H

#include "vmfskit/fs.h"

__BEGIN_DECLS

/* A range of a device, counted from the first byte of the extent's io. */
struct vk_fs_damage {
	size_t extent; /* of vk_fs_open */
	struct vk_range range;
};

/* A file, folder or system file of which something lies in the ranges. */
struct vk_fs_hit {
	char *path;              /* "/vm/vm.vmdk"; "#0x01c00184": no name leads to it */
	uint32_t address;        /* of its descriptor */
	uint32_t type;           /* as FS3_FileMetadata.type; that of the entry where the descriptor cannot be read */
	bool folder;
	bool descriptor;         /* its descriptor lies in them, or a part of it */
	bool placed;             /* where its content lies is known as a whole */
	uint64_t size_bytes;     /* 0: not known, or empty */
	uint64_t content_bytes;  /* of its content, that lie in them: at least so many unless placed */
	uint64_t pointer_blocks; /* of it, that lie in them: what they lead to cannot be found */
	uint64_t volume_offset;  /* of the first byte of it that was found in them */
};
/* Free with vk_fs_hits_free. */
struct vk_fs_hits {
	struct vk_fs_hit *items;  /* by path; at most 2^15 */
	size_t count;
	uint64_t more;            /* files that are hit and not in items */
	uint64_t bytes;           /* of the ranges that lie in the volume */
	uint64_t free_bytes;      /* of them, that the bitmap calls free */
	uint64_t used_bytes;      /* of them, that it calls allocated; it is not known of the rest */
	uint64_t unowned_bytes;   /* of used_bytes, that no file is known to use: a host's journal, or a lost file */
	uint64_t lost_files;      /* files whose descriptor cannot be read and lies elsewhere */
	bool names_unknown;       /* parts of folders are damaged, or not in the source */
	bool unfinished;          /* the volume has more than is looked at: 2^20 files, 2^25 addresses */
};
/*
 * What the volume is known not to deliver counts as damaged, too. Nothing is walked where no range lies in the volume.
 * What cannot be read on the way is unknown, and no error. Errors: VK_IO (the device does not answer), VK_NOMEM.
 */
VK_MUST_USE enum vk_status vk_fs_hits_find(struct vk_fs *fs, const struct vk_fs_damage *damage, size_t count,
					   struct vk_fs_hits *ret_hits, struct vk_error *err);
void vk_fs_hits_free(struct vk_fs_hits *hits);

__END_DECLS
#endif
