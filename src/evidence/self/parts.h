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

/* System files: fdc_start, files, and the facts that follow from them. */
void vk_self_files_read(struct vk_self_look *look);
enum { VK_SELF_AREA_BYTES = 1 << 20 }; /* the system files' descriptors lie in so much of .fdc.sf */
/* The start of .fdc.sf as one geometry would have it. */
struct vk_self_area {
	uint8_t *bytes;
	uint64_t volume_offset;
	uint32_t md_alignment;
	struct vk_fd_geometry fd;
	uint64_t base;         /* offset in bytes of file descriptor 0 */
	unsigned fds;          /* system files that agree on base */
	uint64_t cluster0;     /* offset in bytes of the lock of cluster 0; UINT64_MAX: none */
};
/* Small blocks of a VMFS6 cluster while .fbb.sf is not open. */
enum { VK_SELF_SMALL_PER_CLUSTER = 512 };
/* Address number index in the file descriptor of a system file. */
uint64_t vk_self_fd_pointer(const struct vk_self_area *area, unsigned file, uint32_t index);
/*
 * Volume offset of a byte of a system file that is mapped by file blocks, directly or through one pointer block; false
 * otherwise, and while the file of the pointer blocks has not been read.
 */
bool vk_self_file_byte(struct vk_self_look *look, const struct vk_self_area *area, unsigned file,
		       uint64_t offset, uint64_t *ret_volume_offset);
/* .pb2.sf and .sdd.sf where the root directory of VMFS 3 and 5 names them. */
void vk_self_root_read(struct vk_self_look *look, const struct vk_self_area *area);

/* Everything that follows from these two: version, sizes, sums. */
void vk_self_facts(struct vk_self_look *look);
void vk_self_add_host(struct vk_self_report *report, const struct vk_vmfs_uuid *uuid, uint64_t offset);
/* The heartbeat region, by whichever slot size more slots confirm. */
void vk_self_heartbeats_read(struct vk_self_look *look);

#endif
