/* SPDX-License-Identifier: Apache-2.0 */
/* FS3_DiskLock: the first block of every file descriptor and resource cluster. */
#ifndef VMFSKIT_LOCK_H
#define VMFSKIT_LOCK_H

#include <stdbool.h>

#include "vmfskit/vmfs_uuid.h"

__BEGIN_DECLS

#define VK_LOCK_ROWS(F, T) \
	F(T, U32, type, 0x00, 4, LOCK_TYPE, V, "kind of object: 0x10C00001 file descriptor, ...") \
	F(T, U64, addr, 0x04, 8, OFFSET, V, "volume offset of this block itself") \
	F(T, U64, hbAddr, 0x0C, 8, OFFSET, V, "volume offset of the last holder's heartbeat slot") \
	F(T, U64, hbGen, 0x14, 8, DEC, V, "generation of that slot when locked") \
	F(T, U64, token, 0x1C, 8, DEC, V, "version, grows with every lock and update") \
	F(T, U32, mode, 0x24, 4, LOCK_MODE, V, "0 free, 1 exclusive, 2 shared read-only, 3 multi-writer") \
	F(T, UUID, owner, 0x28, 16, UUID, V, "host that holds it exclusively; nil otherwise") \
	F(T, U64, mtime, 0x38, 8, DEC, V, \
	  "VMFS3: uptime of the host at the last change, microseconds; VMFS 5 and 6: a counter of the host, not a " \
	  "time") \
	F(T, U32, numHolders, 0x40, 4, DEC, S, "shared holders") \
	F(T, BYTES, holders, 0x44, 256, RESERVED, S, "8 x heartbeat address, generation and host") \
	F(T, BYTES, unknown144, 0x144, 32, RESERVED, S, "meaning unknown") \
	F(T, U32, gblNumHolders, 0x164, 4, DEC, S, "") \
	F(T, U64, gblGen, 0x168, 8, DEC, S, "") \
	F(T, U32, gblBrk, 0x170, 4, DEC, S, "") \
	F(T, BYTES, unknown174, 0x174, 36, RESERVED, S, "meaning unknown") \
	F(T, U64, lastHbAddr, 0x198, 8, OFFSET, V, \
	  "VMFS6, seen once: heartbeat slot of the last holder, kept after release") \
	F(T, U32, lastHbGen, 0x1A0, 4, DEC, V, "generation of that slot") \
	F(T, U32, lastMagic, 0x1A4, 4, HEX, V, "0xCAFEBAFE where there is one") \
	F(T, UUID, lastHolder, 0x1A8, 16, UUID, V, "that host")

/* FS3_DiskLock.type */
enum vk_lock_type {
	VK_LOCK_FD = 0x10C00001, VK_LOCK_FBB, VK_LOCK_SBC, VK_LOCK_PBC, VK_LOCK_FDC, VK_LOCK_PB2, VK_LOCK_JBC,
	VK_LOCK_LFB /* large blocks of VMFS6; VK_LOCK_FBB are its small ones */
};
#define VK_LOCK_LAST_MAGIC 0xCAFEBAFEU
enum { VK_LOCK_BYTES = 0x1B8, VK_LOCK_HOLDERS = 8, VK_LOCK_HOLDER_BYTES = 32 };
struct vk_lock {
	VK_LOCK_ROWS(VK_MEMBER, )
};
extern const struct vk_layout vk_lock_layout;

#define VK_LOCK_HOLDER_ROWS(F, T) \
	F(T, U64, hbAddr, 0x00, 8, OFFSET, S, "volume offset of the holder's heartbeat slot") \
	F(T, U64, hbGen, 0x08, 8, DEC, S, "generation of that slot") \
	F(T, UUID, uid, 0x10, 16, UUID, S, "host")

struct vk_lock_holder {
	VK_LOCK_HOLDER_ROWS(VK_MEMBER, )
};
extern const struct vk_layout vk_lock_holder_layout;

VK_CODEC(vk_lock, struct vk_lock)

__END_DECLS
#endif
