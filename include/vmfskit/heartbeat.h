/* SPDX-License-Identifier: Apache-2.0 */
/* FS3_Heartbeat: one slot per host that has the volume open; 512 bytes, on VMFS6 4096. */
#ifndef VMFSKIT_HEARTBEAT_H
#define VMFSKIT_HEARTBEAT_H

#include <stdbool.h>

#include "vmfskit/finding.h"
#include "vmfskit/vmfs_uuid.h"

__BEGIN_DECLS

#define VK_HB_FREE 0xABCDEF01U
#define VK_HB_IN_USE 0xABCDEF02U

#define VK_HEARTBEAT_ROWS(F, T) \
	F(T, U32, state, 0x00, 4, HB_STATE, V, "0xABCDEF01 free, 0xABCDEF02 in use") \
	F(T, U64, addr, 0x04, 8, OFFSET, V, "volume offset of this slot itself") \
	F(T, U64, hbGen, 0x0C, 8, DEC, V, "grows by one with every mount") \
	F(T, U64, stamp, 0x14, 8, UPTIME_US, V, "uptime of the owner at its last beat") \
	F(T, UUID, owner, 0x1C, 16, UUID, V, "host session; nil when free") \
	F(T, U32, journalAddr, 0x2C, 4, HEX, V, "address of the journal block; 0 when free") \
	F(T, U32, driveX, 0x30, 4, DEC, V, "driver major version (drv X.Y in logs)") \
	F(T, U8, driveY, 0x34, 1, DEC, V, "driver minor version") \
	F(T, U8, lockImpl, 0x35, 1, DEC, V, "lock implementation, 3 on VMFS 5 and 6") \
	F(T, TEXT, ip, 0x36, 46, TEXT, V, "owner's IP address as text; stays when the slot becomes free") \
	F(T, U64, journalVolAddr, 0x64, 8, OFFSET, V, "volume offset of the journal; 0 when free") \
	F(T, UUID, replayHost, 0x6C, 16, UUID, S, "host that replays this journal") \
	F(T, BYTES, unknown7C, 0x7C, 24, RESERVED, S, "meaning unknown") \
	F(T, U64, replayHostHB, 0x94, 8, OFFSET, S, "its heartbeat slot") \
	F(T, U64, replayHostHBgen, 0x9C, 8, DEC, S, "its generation")

enum { VK_HEARTBEAT_BYTES = 0xA4 };
struct vk_heartbeat {
	VK_HEARTBEAT_ROWS(VK_MEMBER, )
};
extern const struct vk_layout vk_heartbeat_layout;
/* Volume offset of the first slot. */
enum { VK_HEARTBEATS_OFFSET = 0x300000 };

VK_CODEC(vk_heartbeat, struct vk_heartbeat)
/* Findings: heartbeat.state, heartbeat.address, heartbeat.in-use. volume_offset is where the slot lies in the volume.
 */
void vk_heartbeat_check(const struct vk_heartbeat *hb, size_t seen_bytes, uint64_t volume_offset,
			uint64_t offset_bytes, const struct vk_finding_sink *sink);
/* A free slot that still shows its last user: generation, stamp or driver is set. */
bool vk_heartbeat_has_history(const struct vk_heartbeat *hb);

__END_DECLS
#endif
