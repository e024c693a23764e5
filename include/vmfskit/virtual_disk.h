/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Virtual disks in a volume: a descriptor (text) and the data files that it names, or what is left of them; chains of
 * deltas. Descriptors are text of anybody: of any length, with any bytes, naming any file.
 *
 * Sources. Descriptor and COWD header: VMware, "Virtual Disk Format 5.0" (vmdk_50_technote). Header of sesparse files:
 * nothing official is public; the facts are those that qemu's block/vmdk.c relies on, which reads such files. What ESX
 * writes into descriptors: four of an ESX 3.5 host on its VMFS3 volume, and descriptors that users of later versions
 * published.
 */
#ifndef VMFSKIT_VIRTUAL_DISK_H
#define VMFSKIT_VIRTUAL_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vmfskit/fs.h"
#include "vmfskit/text.h"

__BEGIN_DECLS

/* The text of a descriptor. */
enum {
	VK_VMDK_TEXT_BYTES = 64 << 10, /* no longer file is one */
	VK_VMDK_NAME_BYTES = 1024,
	VK_VMDK_EXTENTS = VK_VMDK_TEXT_BYTES / 5 + 1 /* as many as such a text can hold, "RW 1" and the end of a line */
};
#define VK_VMDK_NO_PARENT 0xFFFFFFFFU /* parentCID */
enum vk_vmdk_extent_type {
	VK_VMDK_OTHER, VK_VMDK_VMFS, VK_VMDK_VMFSSPARSE, VK_VMDK_SESPARSE, VK_VMDK_VMFSRDM, VK_VMDK_FLAT,
	VK_VMDK_SPARSE, VK_VMDK_ZERO
};
/* A line "RW 409600 VMFS "vm-flat.vmdk"". */
struct vk_vmdk_extent {
	enum vk_vmdk_extent_type type;
	uint64_t sectors;              /* of 512 bytes */
	uint64_t start_sector;         /* behind the name: where the data begins in the file; else 0 */
	const char *name;              /* in names, as it stands there; empty: none, or one that is too long */
};
struct vk_vmdk_descriptor {
	bool has_cid, has_parent_cid;
	uint32_t cid, parent_cid;
	char create_type[64];
	char parent_hint[VK_VMDK_NAME_BYTES]; /* parentFileNameHint; empty: none, or one that is too long */
	size_t extent_count;
	size_t names_bytes;
	struct vk_vmdk_extent extents[VK_VMDK_EXTENTS];
	char names[VK_VMDK_TEXT_BYTES];       /* of the extents, each with a NUL behind it */
};
/*
 * False: this is no descriptor: longer than VK_VMDK_TEXT_BYTES, or without the line "# Disk DescriptorFile" in front
 * of all others. A key that stands there twice counts once, as the first says. Case does not matter.
 */
bool vk_vmdk_parse(const void *bytes, size_t len, struct vk_vmdk_descriptor *ret_descriptor);

/* What the first bytes of a data file say. */
enum vk_vmdk_magic { VK_VMDK_NO_MAGIC, VK_VMDK_COWD, VK_VMDK_SESPARSE_MAGIC, VK_VMDK_KDMV };
enum { VK_VMDK_HEADER_BYTES = 40 };
struct vk_vmdk_header {
	enum vk_vmdk_magic magic; /* "COWD" of -delta, 0xCAFEBABE of -sesparse, "KDMV" of files of hosted products */
	uint64_t version;         /* COWD 1; sesparse 0x200000001 */
	uint64_t capacity_sectors;
	uint64_t grain_sectors;
};
/* False: no such header, or fewer bytes than it has. */
bool vk_vmdk_header_decode(const uint8_t *bytes, size_t len, struct vk_vmdk_header *ret_header);

/* What ESX takes for the shape of a disk. */
struct vk_vmdk_geometry {
	uint64_t cylinders;
	uint32_t heads, sectors;
	/*
	 * Seen so in descriptors of ESX: below 1 GiB 64 heads, 32 sectors, from 2 GiB on 255, 63. Else (128, 32) it is
	 * what SCSI adapters translate to (Linux, drivers/scsi/BusLogic.c).
	 */
	bool seen;
};
void vk_vmdk_geometry_of(uint64_t disk_sectors, struct vk_vmdk_geometry *ret_geometry);
/* A descriptor that is made anew for a flat file. */
struct vk_vmdk_new {
	const char *flat_name;  /* of the file beside it */
	uint64_t size_bytes;    /* whole sectors */
	bool thin;
	unsigned hardware;      /* virtualHWVersion */
};
/* False: a quote or a control character is in the name, or the length is no number of sectors. */
bool vk_vmdk_compose(const struct vk_vmdk_new *disk, struct vk_text *text);

/* Virtual disks of a volume. */
enum vk_vdisk_kind {
	VK_VDISK_UNKNOWN, VK_VDISK_FLAT, VK_VDISK_DELTA, VK_VDISK_SESPARSE, VK_VDISK_RDM, VK_VDISK_RDMP,
	VK_VDISK_HOSTED /* of Workstation and the like */
};
const char *vk_vdisk_kind_name(enum vk_vdisk_kind kind); /* "flat", "physical rdm"; "unknown" */
/* By the end of a data file's name, "-flat.vmdk"; UNKNOWN: it is no name of a data file. */
enum vk_vdisk_kind vk_vdisk_kind_of_name(const char *name);
/*
 * "vm.vmdk" for a data file "vm-flat.vmdk": the usual name of its descriptor; without such an end ".vmdk" is put
 * behind the name. Free it. NULL: no memory.
 */
char *vk_vdisk_descriptor_name(const char *data_name);

/* A file with a name of virtual disks, or one that a descriptor names. */
struct vk_vdisk_file {
	char *path;
	uint32_t address;        /* of its file descriptor */
	uint64_t volume_offset;  /* of its file descriptor; 0: not known */
	enum vk_status status;   /* of its file descriptor: VK_OK, VK_ABSENT, VK_DAMAGED, VK_IO */
	uint64_t size_bytes, allocated_bytes, missing_bytes;
	enum vk_fs_lack lack;    /* of missing bytes, or of its file descriptor */
	bool raw;                /* a raw device mapping: its bytes are on another LUN */
	bool is_descriptor;      /* its text could be read */
	bool is_unread;          /* it may be one, and could not be read wholly */
	bool is_junk;            /* all of it was read; it is neither a descriptor nor a data file with a header */
	bool header_seen;        /* its first bytes could be read */
	struct vk_vmdk_header header;
	size_t named_by;         /* descriptors whose extent lines name it */
	size_t named_last;       /* while the list is made: the number of the last of them, and one more */
};
enum vk_vdisk_place {
	VK_VDISK_NOWHERE,        /* nothing is named */
	VK_VDISK_HERE,
	VK_VDISK_LOST,           /* no such file in the volume */
	/* not seen: the sources do not hold all names, or more than 1024 names were to be looked up */
	VK_VDISK_NOT_FOUND,
	VK_VDISK_ELSEWHERE       /* on another volume, says its path */
};
struct vk_vdisk_extent {
	enum vk_vmdk_extent_type type;
	uint64_t sectors, start_sector;
	char *name;              /* as the descriptor has it; of a lost descriptor the path */
	enum vk_vdisk_place place;
	size_t file;             /* of vk_vdisks.files, if HERE */
	bool again;              /* an extent before it lies in the same file */
};
enum vk_vdisk_cid { VK_VDISK_CID_NONE, VK_VDISK_CID_FITS, VK_VDISK_CID_DIFFERS, VK_VDISK_CID_UNKNOWN };
const char *vk_vdisk_cid_name(enum vk_vdisk_cid cid); /* "none" (it has no parent), "fits", "differs", "unknown" */

/* What is wrong with a disk, or cannot be seen: name; its finding, VK_F_COUNT: none; the words for it. */
#define VK_VDISK_PROBLEMS(P) \
	P(DESCRIPTOR_LOST, "descriptor-lost", VK_F_VDISK_DESCRIPTOR, "the descriptor is lost") \
	P(DESCRIPTOR_DAMAGED, "descriptor-damaged", VK_F_VDISK_DESCRIPTOR, "the descriptor is damaged") \
	P(DESCRIPTOR_LONG, "descriptor-too-long", VK_F_VDISK_DESCRIPTOR, "the descriptor is too long to be one") \
	P(DESCRIPTOR_UNREAD, "descriptor-unreadable", VK_F_COUNT, "the descriptor is unreadable") \
	P(DESCRIPTOR_ABSENT, "descriptor-absent", VK_F_COUNT, "the descriptor is not in the source") \
	P(DATA_LOST, "data-lost", VK_F_VDISK_DATA, "a data file is lost") \
	P(DATA_DAMAGED, "data-damaged", VK_F_VDISK_DATA, "a data file's file descriptor is damaged") \
	P(DATA_UNPLACED, "data-unplaced", VK_F_VDISK_DATA, "what leads to data is damaged") \
	P(DATA_UNREAD, "data-unreadable", VK_F_COUNT, "data is unreadable") \
	P(DATA_ABSENT, "data-absent", VK_F_COUNT, "data is not in the source") \
	P(DATA_ELSEWHERE, "data-elsewhere", VK_F_COUNT, "data is on another volume") \
	P(DATA_SHARED, "data-shared", VK_F_VDISK_SHARED, "another descriptor names the same data file") \
	P(NO_EXTENT, "no-extent", VK_F_VDISK_DATA, "the descriptor names no data file") \
	P(SIZE, "size", VK_F_VDISK_SIZE, "the length of the data does not fit the descriptor") \
	P(HEADER, "header", VK_F_VDISK_SIZE, "the data file does not begin as its kind does") \
	P(PARENT_LOST, "parent-lost", VK_F_VDISK_PARENT, "the parent is lost") \
	P(PARENT_ABSENT, "parent-absent", VK_F_COUNT, "the parent is not in the source") \
	P(PARENT_ELSEWHERE, "parent-elsewhere", VK_F_COUNT, "the parent is on another volume") \
	P(PARENT_NONE, "parent-no-descriptor", VK_F_VDISK_PARENT, "the parent is a file that is no descriptor") \
	P(PARENT_PROBLEM, "parent-problem", VK_F_VDISK_PARENT, "a disk that it stands on has a problem") \
	P(PARENT_PARTLY, "parent-partly", VK_F_COUNT, "a disk that it stands on is not wholly in the source") \
	P(CHAIN_LOOP, "chain-loop", VK_F_VDISK_CHAIN, "the chain leads to itself") \
	P(CHAIN_LONG, "chain-long", VK_F_VDISK_CHAIN, "the chain is too long") \
	P(CID, "cid", VK_F_VDISK_CID, "the parent was changed: its CID differs")
#define VK_VDISK_PROBLEM_ENUM(id, name, finding, text) VK_VDISK_P_##id,
enum vk_vdisk_problem { VK_VDISK_PROBLEMS(VK_VDISK_PROBLEM_ENUM) VK_VDISK_P_COUNT };
#undef VK_VDISK_PROBLEM_ENUM
const char *vk_vdisk_problem_name(enum vk_vdisk_problem problem);
const char *vk_vdisk_problem_text(enum vk_vdisk_problem problem);

enum { VK_VDISK_CHAIN_MAX = 256 };
struct vk_vdisk {
	const char *path;        /* of the descriptor, or of the data file whose descriptor is lost; of files */
	size_t descriptor;       /* of files; SIZE_MAX: lost */
	enum vk_vdisk_kind kind;
	bool has_size;
	uint64_t size_bytes;     /* as the machine sees it */
	uint64_t allocated_bytes, missing_bytes; /* of its data files */
	bool has_cid, has_parent_cid;
	uint32_t cid, parent_cid;
	char *parent_hint;       /* NULL: none */
	struct vk_vdisk_extent *extents;
	size_t extent_count;
	enum vk_vdisk_place parent_place;
	size_t parent;           /* of disks, if HERE */
	enum vk_vdisk_cid cid_check;
	uint32_t problems;       /* a bit for each */
};
struct vk_vdisks {
	struct vk_vdisk_file *files;
	size_t file_count;
	struct vk_vdisk *disks;  /* by path, byte for byte */
	size_t count;
	bool incomplete;         /* the sources do not hold all names */
	/* nor all of each file that may be a descriptor, but for those with the name that belongs to a data file */
	bool unread;
};
/*
 * All virtual disks below the folder path. A name of a file counts if it ends in ".vmdk", and whatever a descriptor
 * names. A chain has no more than VK_VDISK_CHAIN_MAX disks. Memory: what is named, and each name. Findings and errors:
 * those of vk_fs_walk_tree. Free with vk_vdisks_free.
 */
VK_MUST_USE enum vk_status vk_vdisks_list(struct vk_fs *fs, const char *path, const struct vk_finding_sink *sink,
					  struct vk_vdisks *ret_disks, struct vk_error *err);
/*
 * The findings of one disk: vdisk.descriptor, vdisk.data, vdisk.shared, vdisk.size, vdisk.parent, vdisk.chain,
 * vdisk.cid. What is not in the source, or on another volume, is none.
 */
void vk_vdisks_say(const struct vk_fs *fs, const struct vk_vdisks *disks, size_t number,
		   const struct vk_finding_sink *sink);
void vk_vdisks_free(struct vk_vdisks *disks);

__END_DECLS
#endif
