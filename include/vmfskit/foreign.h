/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What other systems left on a disk: their signatures as libblkid knows them, and boot sectors that it passes over.
 * A file or device is given to libblkid as it is, whole. Of any other source, and of a device once more, the first and
 * last megabytes are copied into an unnamed file in memory: so overlays and captures can be asked, too, and nothing is
 * missed for a stale page cache or a sector that cannot be read.
 */
#ifndef VMFSKIT_FOREIGN_H
#define VMFSKIT_FOREIGN_H

#include "vmfskit/io.h"

__BEGIN_DECLS

enum vk_foreign_kind {
	VK_FOREIGN_FILE_SYSTEM,
	VK_FOREIGN_VOLUME_MANAGER, /* LVM2, RAID members, ZFS, bcache */
	VK_FOREIGN_CRYPTO,
	VK_FOREIGN_OTHER           /* swap space and the like */
};

/* One signature. Plain value. */
struct vk_foreign {
	enum vk_foreign_kind kind;
	char type[64];         /* libblkid's word: "ext4", "ntfs", "LVM2_member" */
	char label[160];       /* as vk_text_label writes it; may be empty */
	char uuid[64];         /* may be empty */
	uint64_t start_bytes;  /* of the file system, not of its signature */
	uint64_t length_bytes; /* as it says itself; 0: not known */
	uint64_t magic_bytes;  /* where the signature lies */
};
struct vk_foreigners {
	struct vk_foreign *items; /* in order of their start */
	size_t count;
};

/*
 * Signatures of others on length_bytes bytes from start_bytes on, taken as one device; VMFS's own are left out. Appends
 * to ret_found (zero it first). Bytes that cannot be read count as zeros. Errors: VK_IO (no memory file), VK_NOMEM.
 * Free with vk_foreigners_free.
 */
VK_MUST_USE enum vk_status vk_foreign_look(struct vk_io *io, uint64_t start_bytes,
					   uint64_t length_bytes, struct vk_foreigners *ret_found,
					   struct vk_error *err);
/* Whether what carries it is only a part of something else: of a RAID, a pool, an encrypted device, a cache. */
bool vk_foreign_is_member(const struct vk_foreign *foreign);
void vk_foreigners_free(struct vk_foreigners *found);

__END_DECLS
#endif
