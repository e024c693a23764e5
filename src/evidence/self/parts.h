/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of the self report share: one look at one place, and facts that several structures tell. */
#ifndef VK_EVIDENCE_SELF_PARTS_H
#define VK_EVIDENCE_SELF_PARTS_H

#include "evidence/self/report.h"
#include "evidence/tally.h"

struct vk_self_look {
	struct vk_io *io;
	uint64_t start_bytes; /* of the volume in io */
	uint64_t end_bytes;
	struct vk_self_report *report;
	uint32_t md_alignment;
	uint64_t file_block_bytes; /* 0: not known yet */
	enum vk_status status;
	struct vk_error *err;
};

/* Exactly len bytes at a volume offset; false when any of them is not there (and when reading failed: look->status). */
bool vk_self_get(struct vk_self_look *look, uint64_t volume_offset, void *buf, size_t len);

/* The value that leads. Certain when two say so and at most half as many say otherwise. */
void vk_self_settle(struct vk_self_report *report, enum vk_self_fact_id id, const struct vk_tally *tally);
void vk_self_set(struct vk_self_report *report, enum vk_self_fact_id id, uint64_t value,
		 enum vk_self_sure sure, const char *from, ...) __attribute__((format(printf, 5, 6)));
void vk_self_add_host(struct vk_self_report *report, const struct vk_vmfs_uuid *uuid, uint64_t offset);

/* System files, and the facts that follow from their places. */
void vk_self_files_read(struct vk_self_look *look);

#endif
