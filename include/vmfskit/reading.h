/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a source is. Not every source is the LUN, in its own sectors, complete and from its first byte on: it may be one
 * disk of an array, carry the LUN inside, be counted in other sectors, or be a copy from which bytes are missing. Each
 * way to read it is a reading, with its evidence; everything else that is said of the source is said of the best one.
 */
#ifndef VMFSKIT_READING_H
#define VMFSKIT_READING_H

#include "vmfskit/io.h"

__BEGIN_DECLS

/*
 * R(id, name in JSON, title for people, what shows it, what to do). The first four are the own bytes of a source: the
 * kinds of vk_source_kind. docs/what-is-this.md comes from these rows.
 */
#define VK_READINGS(R) \
	R(DISK, "disk", "a whole disk", \
	  "a partition table, and an LVM header, a file-system descriptor or heartbeats where it points; without a " \
	  "table the same at a usual start", \
	  "everything works on it as it is") \
	R(PARTITION, "partition", "one partition", \
	  "the LVM header at byte 0x100000, the file-system descriptor at 0x1300000 or heartbeats at 0x1400000", \
	  "look at it; a table can be repaired on the whole disk only") \
	R(VOLUME, "volume", "a logical volume, or a piece of one", \
	  "the file-system descriptor at byte 0x200000 or 0, or heartbeats at 0x300000: .vh.sf, /dev/lvm", \
	  "look at it; it holds neither LVM header nor table") \
	R(HEADER, "header", "a piece that begins at the LVM header", \
	  "the LVM header at byte 0", \
	  "look at it; take a longer piece, from the beginning of the disk, to see the rest") \
	R(CARRIER, "carrier", "something of another system that contains a whole LUN", \
	  "the superblock of a RAID mirror, of an LVM2 volume, a cache, or a partition; and where it says that its " \
	  "data begins, a LUN: most surely by both copies of its GPT at one displacement", \
	  "everything is read through it; to write, assemble the array or volume and name the device that comes out") \
	R(MEMBER, "member", "a part of an array or pool, which does not contain the whole data", \
	  "the superblock of an array at its beginning or end; its data is spread over several disks, or others may " \
	  "write to it", \
	  "write nothing to it; assemble the array for reading and work on that") \
	R(OTHER, "other", "a sound disk of another system", \
	  "a file system, a pool or a table of another system that is whole and in use; VMFS in it lies in blocks " \
	  "that it gives to a file, or is left over", \
	  "repair nothing; check that it is the right disk") \
	R(CONTAINER, "container", "a file that contains a disk in another form", \
	  "the first or last bytes of such a format (qcow2, VMDK, VHDX, gzip, ...), and no sound table or volume " \
	  "in their place", \
	  "open it as described, and name the disk that comes out") \
	R(UNITS, "units", "a disk with a table for sectors of another size", \
	  "the table is sound when it is read in sectors of 4096 (or 512) bytes, and VMFS lies where it then points", \
	  "attach the disk with its earlier sector size; nothing is damaged") \
	R(STRIDE, "stride", "a copy of a drive with longer sectors", \
	  "the structures lie at multiples of 520 or 528 bytes: EFI PART at byte 520", \
	  "the bytes in between are skipped; copy it without them to use it") \
	R(SHIFTED, "shifted", "a copy that lost or gained bytes", \
	  "header, descriptor, addresses in heartbeats and the backup GPT are all displaced by the same number of " \
	  "bytes", \
	  "copy the disk again; nothing on the disk itself is known to be damaged") \
	R(GLUED, "glued", "beginning and end of a disk, put together", \
	  "the last sector contains a backup GPT of the same disk that belongs far behind the end of the file", \
	  "name the whole disk, or take its beginning and its end in two files") \
	R(TEXT, "text", "a text that holds no listing of bytes", \
	  "nothing but text, and no row that could be read as an address with bytes", \
	  "paste the listing with its addresses, or name the dump")

#define VK_READING_ENUM(id, name, title, evidence, next) VK_READING_##id,
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
	/* Exact commands that give access for reading by the system's own means. */
	char attach[400];
	/* The disk is then this; empty: the commands print it, of a member: they show what it is a part of. */
	char device[300];
	/* its bytes are the disk's own, and nothing certain speaks against it: a plan may be written to the source */
	bool repairable;
};

/* Whether it is of the source's own bytes, as they are. */
static inline bool vk_reading_is_own(const struct vk_reading *reading)
{
	return reading->kind <= VK_READING_HEADER;
}

/* Never empty once a source is open. Free items. */
struct vk_readings {
	struct vk_reading *items; /* the best first */
	size_t count;
};

__END_DECLS
#endif
