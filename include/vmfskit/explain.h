/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What VMware's logs and tools say of volumes, line by line: vmkernel.log, vobd.log, esxcfg-volume -l, esxcli storage
 * vmfs snapshot list and extent list, voma, partedUtil, vmkfstools -P and -D, esxcfg-scsidevs -m. Only messages that
 * were published word for word are in the table; of every other line nothing is said. Memory is constant.
 */
#ifndef VMFSKIT_EXPLAIN_H
#define VMFSKIT_EXPLAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/cdefs.h>

__BEGIN_DECLS

enum vk_explain_weight {
	VK_EXPLAIN_NOTE,      /* nothing is wrong */
	VK_EXPLAIN_ATTENTION, /* a volume is not used as it was, or may not be */
	VK_EXPLAIN_DAMAGE     /* bytes on the disk are wrong */
};
const char *vk_explain_weight_name(enum vk_explain_weight weight); /* "note", "attention", "damage" */

enum {
	VK_EXPLAIN_LINE_BYTES = 4096, /* of a longer line the rest is not looked at */
	VK_EXPLAIN_DEVICE_BYTES = 256, VK_EXPLAIN_LABEL_BYTES = 256, VK_EXPLAIN_UUID_BYTES = 36
};
/* Whom a line speaks of; what it does not say is empty or 0. Bytes of the text as they are: not fit for a terminal. */
struct vk_explain_subject {
	char device[VK_EXPLAIN_DEVICE_BYTES]; /* "naa.600144f0...", "mpx.vmhba1:C0:T1:L0", "vmhba1:0:5", without path */
	unsigned partition;
	char volume[VK_EXPLAIN_UUID_BYTES];   /* UUID of a file system, lower case */
	char label[VK_EXPLAIN_LABEL_BYTES];
};
struct vk_explained {
	const char *code;                 /* stable: "snapshot.detected" */
	enum vk_explain_weight weight;
	const char *means;                /* a sentence */
	const char *next;                 /* what to do next: a sentence; NULL: nothing */
	struct vk_explain_subject subject;
	bool carried;                     /* the line names nobody: the subject is that of the lines before it */
};

/* What of earlier lines matters to the next one. Begin with all zero. */
struct vk_explainer {
	struct vk_explain_subject subject; /* of the block of lines that a tool prints of one volume or device */
	unsigned table;                    /* how much of a listing of partedUtil was seen */
	bool extents;                      /* in the table of esxcli storage vmfs extent list */
	bool in_block;                     /* a tool prints a block of lines on one volume or device */
};
/* Whether the table has this line, of len bytes without its line feed. */
bool vk_explain(struct vk_explainer *explainer, const char *line, size_t len, struct vk_explained *ret_explained);

__END_DECLS
#endif
