/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a source is. Not every source is the LUN, in its own sectors, complete and from its first byte on: it may be one
 * disk of an array, carry the LUN inside, be counted in other sectors, or be a copy from which bytes are missing. Each
 * way to read it is a reading, with its evidence; everything else that is said of the source is said of the best one.
 */
#ifndef VMFSKIT_READING_H
#define VMFSKIT_READING_H

#include "vmfskit/io.h"

#ifdef __cplusplus
extern "C" {
#endif

/* R(id, name in JSON, title for people). The first four are the source's own bytes: the kinds of vk_source_kind. */
#define VK_READINGS(R) \
	R(DISK, "disk", "a whole disk") \
	R(PARTITION, "partition", "one partition") \
	R(VOLUME, "volume", "a logical volume, or a piece of one") \
	R(HEADER, "header", "a piece that begins at the LVM header") \
	R(CARRIER, "carrier", "something of another system in which a LUN lies whole") \
	R(MEMBER, "member", "a part of an array or pool, which alone holds what was stored") \
	R(OTHER, "other", "a sound disk of another system") \
	R(CONTAINER, "container", "a file that holds a disk in another form") \
	R(UNITS, "units", "a disk with a table that is counted in sectors of another size") \
	R(STRIDE, "stride", "a copy of a drive with longer sectors") \
	R(SHIFTED, "shifted", "a copy that lost or gained bytes") \
	R(GLUED, "glued", "beginning and end of a disk, put together") \
	R(TEXT, "text", "a text that holds no listing of bytes")

#define VK_READING_ENUM(id, name, title) VK_READING_##id,
enum vk_reading_kind { VK_READINGS(VK_READING_ENUM) VK_READING_COUNT };
#undef VK_READING_ENUM
const char *vk_reading_name(enum vk_reading_kind kind);  /* static */
const char *vk_reading_title(enum vk_reading_kind kind); /* static */

enum vk_sure { VK_SURE_POSSIBLE, VK_SURE_LIKELY, VK_SURE_CERTAIN };
const char *vk_sure_name(enum vk_sure sure); /* "possible", "likely", "certain"; static */

/* A reading that weighs no more than this is worth a word only when it is the best. */
enum { VK_READING_WEIGHT_SAID = 30 };

/* One way to read a source. Plain value; texts are empty where there is nothing to say. */
struct vk_reading {
	enum vk_reading_kind kind;
	enum vk_sure sure;
	unsigned weight;       /* by which readings are ordered; see VK_WEIGHT_* of source/survey.h */
	char what[200];        /* "a member of a Linux RAID (md 1.2, RAID1) with a LUN whole inside, from byte N on" */
	char evidence[400];    /* "md superblock at byte 4096; both copies of the GPT inside agree" */
	uint64_t at_bytes;     /* where the disk of this reading begins in the source as it was given */
	uint64_t length_bytes; /* of that disk in the source; 0: to its end */
	uint32_t stride_bytes; /* of each so many bytes the first 512 are the disk's; 0: all are */
	uint32_t sector_size;  /* in which its table counts; 0: as the source does */
	/* of VK_READING_SHIFTED: from this byte on, all lies so many bytes behind (before: negative) its place */
	uint64_t shift_from_bytes;
	int64_t shift_bytes;
	char attach[400];      /* exact commands that give access for reading by the system's own means, "; " between */
	bool repairable;       /* its bytes are the disk's own: a plan may be written to the source as it is */
};

/* Never empty once a source is open. Free items. */
struct vk_readings {
	struct vk_reading *items; /* the best first */
	size_t count;
};

#ifdef __cplusplus
}
#endif
#endif
