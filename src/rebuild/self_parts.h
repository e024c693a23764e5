/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of the self report share: one look at one place, and facts that several structures tell. */
#ifndef VK_REBUILD_SELF_PARTS_H
#define VK_REBUILD_SELF_PARTS_H

#include "rebuild/self_report.h"

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

/* What several structures say of one number: the majority counts. */
struct vk_self_tally {
	uint64_t value;
	unsigned agree, against;
	char from[120];
};
/* weight 2: the structure's own numbers confirm each other. */
void vk_self_tell(struct vk_self_tally *tally, uint64_t value, unsigned weight, const char *from, ...)
	__attribute__((format(printf, 4, 5)));
void vk_self_settle(struct vk_self_report *report, enum vk_self_fact_id id,
		    const struct vk_self_tally *tally);
void vk_self_set(struct vk_self_report *report, enum vk_self_fact_id id, uint64_t value,
		 enum vk_self_sure sure, const char *from, ...) __attribute__((format(printf, 5, 6)));

/* System files: fdc_start, files, and the facts that follow from them. */
void vk_self_files_read(struct vk_self_look *look);
/* Everything that follows from these two: version, sizes, sums. */
void vk_self_facts(struct vk_self_look *look);
/* The heartbeat region, by whichever slot size more slots confirm. */
void vk_self_heartbeats_read(struct vk_self_look *look);

#endif
