/* SPDX-License-Identifier: Apache-2.0 */
/* Sector 0 and a chain of extended boot records as they are, wherever records may still lie. */
#ifndef VK_EVIDENCE_MBR_NOW_H
#define VK_EVIDENCE_MBR_NOW_H

#include "evidence/known_start.h"
#include "vmfskit/source.h"

/* A boot record of a chain that is still there. */
struct vk_ebr {
	uint64_t lba;
	uint8_t sector[VK_MBR_BYTES];
	struct vk_mbr record;
};

struct vk_mbr_now {
	bool readable;
	bool blank; /* no entry and no signature */
	bool protective;
	bool boot_sector; /* it is a file system's boot sector */
	uint8_t sector[VK_MBR_BYTES];
	struct vk_mbr mbr;
	unsigned extended_number; /* 0: none known */
	uint8_t extended_type;
	uint64_t extended_start;
	uint64_t extended_sectors; /* 0: not known */
	bool extended_exact;       /* as the MBR that stands has it */
	struct vk_ebr *ebrs;       /* sorted by lba, VK_EBR_MAX at most */
	size_t ebr_count;
};

/*
 * Boot records are looked for where the chain leads, in the sectors that are named (where a capture has them), and in
 * front of known starts. Errors: VK_IO, VK_NOMEM. Free with vk_mbr_now_free.
 */
VK_MUST_USE enum vk_status vk_mbr_now_read(const struct vk_source *source, const struct vk_known_start *starts,
					   size_t start_count, const uint64_t *lbas, size_t lba_count,
					   struct vk_mbr_now *ret_mbr, struct vk_error *err);
void vk_mbr_now_free(struct vk_mbr_now *mbr);
/* The record in that sector; NULL: there is none. */
const struct vk_ebr *vk_mbr_now_ebr(const struct vk_mbr_now *mbr, uint64_t lba);
/* What links of the chain count from: the start of the extended partition, as far as that is known; 0: nothing tells.
 */
static inline uint64_t vk_mbr_now_base(const struct vk_mbr_now *mbr)
{
	return mbr->extended_start != 0 || mbr->ebr_count == 0 ? mbr->extended_start : mbr->ebrs[0].lba;
}

#endif
