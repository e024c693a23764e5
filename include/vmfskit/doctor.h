/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One look at everything: table copies, headers, descriptors, heartbeats, the live LUN's id, other systems' signatures, the
 * captures in the store. What happened, what is intact, what is lost, and what to run next, the safest first.
 */
#ifndef VMFSKIT_DOCTOR_H
#define VMFSKIT_DOCTOR_H

#include "vmfskit/capture.h"
#include "vmfskit/find.h"

#ifdef __cplusplus
extern "C" {
#endif

/* How the bytes of a range are. */
enum vk_damage {
	VK_DAMAGE_UNKNOWN,    /* nothing that can be judged lies here, or it was not looked at */
	VK_DAMAGE_INTACT,     /* a structure that was checked, or bytes equal to a capture's */
	VK_DAMAGE_CHANGED,    /* differs from the capture, in a way that hosts write themselves */
	VK_DAMAGE_DAMAGED,    /* a structure that is there and wrong */
	VK_DAMAGE_ZERO,       /* zeros where something must be */
	VK_DAMAGE_FOREIGN,    /* another system's bytes */
	VK_DAMAGE_UNREADABLE
};
const char *vk_damage_name(enum vk_damage damage);

/* A range of the disk. Whole sectors. Plain value. */
struct vk_damage_range {
	uint64_t offset_bytes;
	uint64_t length_bytes;
	enum vk_damage damage;
	char what[80]; /* "primary GPT header", "LVM device header of partition 1", "ext4" */
};

/* A command to run next. */
struct vk_advice {
	char *command; /* ready to paste; NULL: something to do elsewhere */
	char why[240];
	bool writes;
};

struct vk_diagnosis {
	char *path;
	char headline[240];         /* the whole answer in one sentence */
	struct vk_findings findings;/* incident. codes: what happened; with the ranges */
	struct vk_damage_range *ranges; /* sorted, no two overlap */
	size_t range_count;
	uint64_t first_damaged_bytes, last_damaged_bytes; /* inclusive; both 0 and no damage: damaged is false */
	bool damaged;
	char **intact;              /* sentences: what is still there */
	size_t intact_count;
	char **lost;                /* sentences */
	size_t lost_count;
	struct vk_advice *advice;   /* the safest first */
	size_t advice_count;
	bool alive;                 /* a host beat between two looks */
	char capture[VK_CAPTURE_ID_BYTES]; /* the newest good capture of this disk; empty: none */
};

struct vk_doctor_options {
	const char *store;          /* NULL: captures are not looked for */
	uint32_t sector_size;
	bool scan;                  /* also search the whole disk */
	unsigned heartbeat_wait_ms; /* between two looks when a slot is in use; 0: one look only, alive is then not known */
	struct vk_find_options find;
};

/* Errors: those of vk_source_open and vk_find. Reads only. Free with vk_diagnosis_free. */
VK_MUST_USE enum vk_status vk_diagnose(const char *path, const struct vk_doctor_options *options,
				       struct vk_diagnosis *ret_diagnosis, struct vk_error *err);
void vk_diagnosis_free(struct vk_diagnosis *diagnosis);

#ifdef __cplusplus
}
#endif
#endif
