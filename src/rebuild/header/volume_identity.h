/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which LVM volume this is. Three copies say it: name and uuid of the volume descriptor, and volInfo of the file-system
 * descriptor. Each part of the UUID is decided on its own, from the copies in which that part is whole.
 */
#ifndef VK_REBUILD_VOLUME_IDENTITY_H
#define VK_REBUILD_VOLUME_IDENTITY_H

#include "vmfskit/vmfs_uuid.h"

enum vk_uuid_part { VK_UUID_TIME_LO, VK_UUID_TIME_HI, VK_UUID_RAND, VK_UUID_MAC, VK_UUID_PARTS };
enum vk_part_proof {
	VK_PART_OPEN,    /* the copies disagree, or none is left: it stays in each of them as it is */
	/* one copy is left, or more speaks for one value than for the others: a guess, no witness for others */
	VK_PART_LIKELY,
	/* two copies agree, or one of them and two witnesses of its time or host, and too little speaks against it */
	VK_PART_PROVED
};

enum { VK_IDENTITY_WITNESSES_MAX = 6 };
/* What says it. Pointers are borrowed; NULL: not there, or not believed. */
struct vk_identity_sources {
	const uint8_t *name;             /* 64 bytes; often the text of the UUID, but it may be chosen freely */
	const struct vk_vmfs_uuid *uuid; /* of the volume descriptor */
	const struct vk_vmfs_uuid *info; /* volInfo of the file-system descriptor */
	/* the rest of that descriptor is not believed: used only when it has a part of the others */
	bool info_doubtful;
	/*
	 * seconds in which the volume was made, and the hosts (last six bytes) that made it, by other fields; each its
	 * own
	 */
	uint32_t seconds[VK_IDENTITY_WITNESSES_MAX];
	const struct vk_vmfs_uuid *hosts[VK_IDENTITY_WITNESSES_MAX];
	size_t second_count, host_count;
	size_t fs_seconds, fs_hosts;     /* so many of them, the last ones, are of the file-system descriptor */
};

struct vk_volume_identity {
	struct vk_vmfs_uuid uuid;        /* parts that are open as the volume descriptor has them */
	enum vk_part_proof proof[VK_UUID_PARTS];
	bool uuid_differs[VK_UUID_PARTS]; /* from what the volume descriptor has */
	bool name_differs[VK_UUID_PARTS]; /* what can be read of that part of the name is something else */
	bool name_reads[VK_UUID_PARTS];  /* that part of the name is whole: digits, and nothing but digits */
	bool named_otherwise;            /* the name is not the text of this UUID, and was not: it stays */
	/* volInfo is whole and of another volume: neither side is bent to fit the other */
	bool info_foreign;
};

void vk_volume_identity_decide(const struct vk_identity_sources *sources, struct vk_volume_identity *ret_identity);
/* Parts that are open take this value, where it is not blank, and are then likely. */
void vk_volume_identity_fill(struct vk_volume_identity *identity, const struct vk_vmfs_uuid *uuid);
/* The weakest proof of any part. */
enum vk_part_proof vk_volume_identity_proof(const struct vk_volume_identity *identity);
/*
 * Put the parts that are at least that well proved into a copy of the UUID. Returns the weakest proof among the parts
 * that change, VK_PART_OPEN when some part is open. What is only likely must not be put into a copy that nothing else
 * doubts.
 */
enum vk_part_proof vk_volume_identity_put(const struct vk_volume_identity *identity, enum vk_part_proof least,
					  struct vk_vmfs_uuid *io_uuid);

#endif
