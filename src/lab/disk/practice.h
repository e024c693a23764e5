/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Practice disks: what was asked for (spec), where everything goes (plan), what the structures say (device), and
 * the bytes. Every step is a plain function, so that tests can make any part on its own. The structures are
 * those of src/disk, written by their encoders.
 */
#ifndef VK_LAB_DISK_PRACTICE_H
#define VK_LAB_DISK_PRACTICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vmfskit/directory.h"
#include "vmfskit/error.h"
#include "vmfskit/file_descriptor.h"
#include "vmfskit/fs_descriptor.h"
#include "vmfskit/gpt.h"
#include "vmfskit/lock.h"
#include "vmfskit/lvm.h"
#include "vmfskit/resource_file.h"
#include "vmfskit/table.h"

enum {
	VK_LAB_VOLUMES_MAX = 32,
	VK_LAB_FOREIGN_MAX = 32,
	VK_LAB_PARTITIONS_MAX = VK_LAB_VOLUMES_MAX + VK_LAB_FOREIGN_MAX,
	VK_LAB_MEMBERS_MAX = VK_LVM_SD_ENTRIES,
	VK_LAB_LIVE_MAX = 512
};

/* The practice disk as a place to write to: a file, or a loop device when that is really meant. */
struct vk_lab_disk {
	int fd;
	const char *path;      /* lives as long as the disk */
	uint64_t size_bytes;
	uint32_t sector_size;  /* of a device; 0: a file does not tell */
	bool device;
	struct vk_error *err;  /* of the first write that failed */
	enum vk_status failed; /* its status; VK_OK: none */
};
/*
 * A new file of that size, all zeros. One that exists is refused unless it is empty or overwrite is set; devices are
 * always refused.
 */
VK_MUST_USE enum vk_status vk_lab_disk_create(const char *path, uint64_t size_bytes, bool overwrite,
					      struct vk_lab_disk *ret_disk, struct vk_error *err);
/*
 * An existing image for reading and writing. VK_REFUSED: a block device that is no loop device, a loop device without
 * really, or one that is mounted or otherwise in use.
 */
VK_MUST_USE enum vk_status vk_lab_disk_open(const char *path, bool really, struct vk_lab_disk *ret_disk,
					    struct vk_error *err);
/* Closed; that of a device is on its medium then. The status of the disk, or of that. */
VK_MUST_USE enum vk_status vk_lab_disk_close(struct vk_lab_disk *disk);
/*
 * Whoever writes many things looks at disk->failed at the end only: after a failure nothing more is written, and every
 * later call returns the status of the first one, whose error stays.
 */
enum vk_status vk_lab_put(struct vk_lab_disk *disk, uint64_t offset, const void *buf, size_t len);
/* The disk has failed for another reason than writing. */
enum vk_status vk_lab_fail(struct vk_lab_disk *disk, enum vk_status status);
/* Zeroed memory for what is to be written; NULL: memory ran out, and the disk has failed. */
void *vk_lab_alloc(struct vk_lab_disk *disk, size_t size);
/* All of it, or VK_ABSENT; the disk has not failed then. */
VK_MUST_USE enum vk_status vk_lab_get(struct vk_lab_disk *disk, uint64_t offset, void *buf, size_t len,
				      struct vk_error *err);
/* Zeros; what lies behind the end of the disk is left out. */
enum vk_status vk_lab_zero(struct vk_lab_disk *disk, uint64_t offset, uint64_t len);
void vk_lab_sync(struct vk_lab_disk *disk);

/* A VMFS partition that is asked for. Start from vk_lab_volume_init. */
struct vk_lab_volume {
	bool has_start;
	uint64_t start_sector;
	uint64_t size_bytes;     /* 0: to the next partition or the end of the disk */
	unsigned version;        /* 3, 5 or 6: of the file system and of its LVM; 0: the layout decides */
	bool local;              /* VMFS-L */
	bool logical;            /* in the EBR chain of an MBR */
	unsigned number;         /* in the table; 0: by position */
	const char *gpt_name;    /* static; NULL: as the ESXi tools leave it */
	bool has_label;
	char label[129];
	char lun_name[160];      /* naa. or mpx.; empty: made from the seed */
	char model[64];          /* [VENDOR:]MODEL[:REVISION] */
	uint16_t lun;
	unsigned live;           /* heartbeat slots in use */
	uint64_t block_bytes;    /* 0: 1 MiB */
	char image[4096];        /* bytes of the partition; empty: they are made */
};
void vk_lab_volume_init(struct vk_lab_volume *volume);
/*
 * Set one member by its word in a volume SPEC ("start", "size", "version", "label", "naa", ...). VK_USAGE says
 * what is wrong with it.
 */
VK_MUST_USE enum vk_status vk_lab_volume_set(struct vk_lab_volume *volume, const char *word,
					     const char *value, struct vk_error *err);
/* A whole SPEC: "start=2048,size=20G,version=5,logical". */
VK_MUST_USE enum vk_status vk_lab_volume_parse(struct vk_lab_volume *volume, const char *spec,
					       struct vk_error *err);

/* A partition with its place. Those of somebody else are an entry in the table, without contents but an empty FAT. */
struct vk_lab_partition {
	unsigned number;      /* 0: by position */
	uint64_t start_sector;
	uint64_t sectors;
	uint64_t ebr_sector;  /* of a logical partition; 0: a primary one */
	uint8_t mbr_type;
	struct vk_guid type;
	const char *gpt_name; /* static; NULL: as the ESXi tools leave it */
	bool fat;
	const struct vk_lab_volume *volume; /* NULL: somebody else's */
};
/* START+SECTORS:TYPE; TYPE is a hexadecimal MBR type, or for GPT a GUID or a short name (efi, basic, ...). */
VK_MUST_USE enum vk_status vk_lab_foreign_parse(struct vk_lab_partition *foreign, const char *text,
						enum vk_table_kind table, struct vk_error *err);

/* What was asked for. */
struct vk_lab_spec {
	enum vk_table_kind table;
	uint32_t sector_size;
	uint64_t size_bytes; /* of the disk; 0: what the partitions need */
	uint64_t seed;
	struct vk_lab_volume volumes[VK_LAB_VOLUMES_MAX];
	size_t volume_count;
	struct vk_lab_partition foreign[VK_LAB_FOREIGN_MAX]; /* without a volume */
	size_t foreign_count;
};

/*
 * Complete spec: what volumes leave open gets the values usual for the layout. "plain" adds nothing; the boot
 * layouts (esxi50, esxi5, esxi7, esxi7-small) make spec, whose one volume is the datastore, a disk that the ESXi
 * installer partitioned. VK_USAGE for an unknown name and, on a boot layout, for another table than GPT, other
 * sectors than 512 bytes, more than one volume.
 */
VK_MUST_USE enum vk_status vk_lab_layout_apply(struct vk_lab_spec *spec, const char *name,
					       struct vk_error *err);

/* Where everything goes. */
struct vk_lab_plan {
	enum vk_table_kind table;
	uint32_t sector_size;
	uint64_t disk_sectors;
	uint64_t seed;
	unsigned disk_index;        /* 0, or which member of a spanned volume this disk carries */
	uint64_t extended_start;    /* 0: no logical partitions */
	uint64_t extended_sectors;
	unsigned extended_number;
	struct vk_lab_partition partitions[VK_LAB_PARTITIONS_MAX]; /* in the order of their starts */
	size_t count;
};
/* spec must outlive the plan. VK_USAGE: it does not fit, overlaps, or the table cannot express it. */
VK_MUST_USE enum vk_status vk_lab_plan_make(const struct vk_lab_spec *spec,
					    struct vk_lab_plan *ret_plan, struct vk_error *err);
/* Sectors that partitions of a disk may use. */
void vk_lab_usable(enum vk_table_kind table, uint32_t sector_size, uint64_t disk_sectors,
		   uint64_t *ret_first, uint64_t *ret_last);

/* What the system files must have room for; all 0: as always. */
struct vk_lab_needs {
	uint64_t descriptors;
	uint64_t sub_blocks;
	uint64_t pointer_blocks; /* in each of .pbc.sf and .pb2.sf */
};

/* Everything that the structures of one member device say. */
struct vk_lab_device {
	unsigned version;
	bool head;                    /* carries the file-system descriptor */
	struct vk_lvm_device header;
	struct vk_lvm_volume volume;
	struct vk_fs_descriptor fs;
	struct vk_lvm_sd members[VK_LAB_MEMBERS_MAX]; /* the head of an LVM 5 or 6 volume */
	size_t member_count;
	unsigned live;
	uint64_t seed;
	uint64_t seed_index;          /* tells the volumes of one seed apart */
	uint32_t maker_slot;          /* of a volume that was read: one more than it; 0: as the seed says */
	struct vk_lab_needs needs;
};
/* One device: its length and its number in the partition table of its disk. */
struct vk_lab_extent {
	uint64_t total_bytes;
	unsigned partition;
};
/* Decide all members of a volume. VK_USAGE: a name that is none, a device too small for one PE. */
VK_MUST_USE enum vk_status vk_lab_devices_make(const struct vk_lab_volume *volume, uint64_t seed,
					       uint64_t seed_index,
					       const struct vk_lab_extent *extents, size_t count,
					       uint32_t sector_size,
					       struct vk_lab_device *ret_devices,
					       struct vk_error *err);

/* A header region of LVM 3 to 5: its own PE tables and the data behind them. */
struct vk_lab_region {
	uint64_t header_offset; /* device offset */
	uint64_t data_offset;
	uint64_t next_offset;   /* 0: the last one */
	uint32_t first_pe;
	uint32_t pes;
	uint32_t maps;
};
/* prev NULL: the main region. False behind the last one. */
bool vk_lab_region_next(uint64_t total_bytes, const struct vk_lab_region *prev,
			struct vk_lab_region *ret_region);
/* Units of 256 MiB that fit a device. */
uint64_t vk_lab_pe_count(unsigned version, uint64_t total_bytes);
/* The PE table entry of that number. region: of LVM 3 to 5, else NULL. */
void vk_lab_pe(const struct vk_lab_device *device, const struct vk_lab_region *region,
	       uint32_t index, struct vk_lvm_pe *ret_pe);

/* Length of an image, and whether its file system is a VMFS-L. */
VK_MUST_USE enum vk_status vk_lab_image_probe(const char *path, uint64_t *ret_bytes, bool *ret_local,
					      struct vk_error *err);
/* Copy one to base_bytes; what is zero in it becomes a hole. */
enum vk_status vk_lab_write_image(struct vk_lab_disk *disk, uint64_t base_bytes, const char *path);

/*
 * The file system's own files on a practice volume: where they lie and what their metadata says, in the form that three
 * real volumes have (VMFS3 of 1 GiB, VMFS5 of 256 MiB, VMFS6 of 768 MiB). Of a very large .fbb.sf only the first
 * clusters are written, so that such volumes stay sparse.
 */
enum {
	/* of one file that get a header; those behind are zero, as never initialised ones are */
	VK_LAB_CLUSTERS_MAX = 128,
	VK_LAB_SMALL_PER_CLUSTER = 512,
	VK_LAB_SYSTEM_FILES = VK_SYSTEM_JBC + 1,
	VK_LAB_FOLDER6_BLOCK_BYTES = 4096,
	VK_LAB_FOLDER6_BYTES = VK_DIR6_BLOCKS + VK_LAB_FOLDER6_BLOCK_BYTES /* of VMFS6, without a block for entries */
};

struct vk_lab_run {
	uint64_t first_block;
	uint64_t blocks;
};
/* A system file. The second run has no blocks where the file is in one piece. */
struct vk_lab_file {
	struct vk_lab_run runs[2];
	uint64_t blocks;
	uint64_t length;
	uint32_t pointer_block;    /* VMFS6: first of its pointer blocks in .pb2.sf */
	uint32_t pointer_blocks;   /* 0: the addresses fit the file descriptor */
	bool has_resource;
	struct vk_resource_file resource;
	uint64_t used;             /* resources taken, from 0 on */
};
struct vk_lab_files {
	uint32_t md_alignment;    /* 0: VMFS 3 and 5 */
	uint32_t per_group;       /* clusters in a group, but not of .jbc.sf */
	uint64_t block_bytes;
	uint64_t volume_blocks;
	uint64_t device_blocks;   /* of the first device: all files lie there */
	uint64_t used_blocks;     /* of the files: from block 0 on, without a gap */
	uint64_t journal_blocks;  /* VMFS 3 and 5: behind them, one for each host that is alive */
	unsigned file_count;      /* of of: up to .vh.sf, .sdd.sf or .jbc.sf */
	struct vk_lab_file of[VK_LAB_SYSTEM_FILES];
	struct vk_resource_file small; /* VMFS6: the small blocks, in .fbb.sf */
};
/* Volume offset of a system file's descriptor: all lie in cluster 0 of .fdc.sf. */
uint64_t vk_lab_system_fd(const struct vk_fs_descriptor *fs, enum vk_system_file file);
/* VK_USAGE: the first device is too small for them. */
VK_MUST_USE enum vk_status vk_lab_files_plan(const struct vk_lab_device *device, struct vk_lab_files *ret_files,
					     struct vk_error *err);
/* Volume offset of the journal of host number host, counted from 0. */
uint64_t vk_lab_journal(const struct vk_lab_files *files, unsigned host);
/* The volume's block that holds block index of a file; the volume offset of a byte of it. */
uint64_t vk_lab_block_number(const struct vk_lab_files *files, enum vk_system_file file, uint64_t index);
uint64_t vk_lab_file_volume_offset(const struct vk_lab_files *files, enum vk_system_file file, uint64_t offset);

/* One device that is being written. */
struct vk_lab_writing {
	struct vk_lab_disk *disk;
	uint64_t base_bytes; /* where its partition starts on the disk */
	const struct vk_lab_device *device;
	struct vk_lab_files files; /* of the head */
	uint64_t locks;            /* made so far */
};
/* LVM region, PE tables and, on the head, descriptor, heartbeats and system files. */
enum vk_status vk_lab_write_device(struct vk_lab_disk *disk, uint64_t base_bytes, const struct vk_lab_device *device);
void vk_lab_write_lvm(const struct vk_lab_writing *w);
/* Descriptor and heartbeats. */
void vk_lab_write_fs(const struct vk_lab_writing *w);
/* File descriptors, resource metadata, the first clusters, the folders. */
void vk_lab_write_files(struct vk_lab_writing *w);
void vk_lab_write_clusters(struct vk_lab_writing *w, enum vk_system_file file);
/* One of them. small: of the small blocks of VMFS6. Nothing is written where the file ends before. */
void vk_lab_write_cluster(struct vk_lab_writing *w, enum vk_system_file file, bool small, uint64_t number);
/* Bytes at a file offset of a system file; they lie in one block. */
void vk_lab_file_put(const struct vk_lab_writing *w, enum vk_system_file file, uint64_t offset, const void *buf,
		     size_t len);
/* A lock as the making of its object leaves it: free, and never taken again. */
struct vk_lock vk_lab_lock(struct vk_lab_writing *w, uint32_t type, uint64_t volume_offset);
/* Heartbeat slot of the host that made the volume; it has let go. */
uint32_t vk_lab_maker_slot(const struct vk_lab_device *device, uint32_t slots);

enum vk_status vk_lab_write_table(struct vk_lab_disk *disk, const struct vk_lab_plan *plan);
/* An empty FAT16 over the whole partition; sectors of 512 bytes. VK_USAGE: no FAT16 is that long. */
enum vk_status vk_lab_write_fat(struct vk_lab_disk *disk, const struct vk_lab_plan *plan,
				const struct vk_lab_partition *p);

/* Numbers from the seed: the same for the same three arguments, unrelated for others. */
uint64_t vk_lab_random(uint64_t seed, const char *what, uint64_t index);
void vk_lab_guid(uint64_t seed, const char *what, uint64_t index, struct vk_guid *ret_guid);
/* A UUID made at that second by that host. */
void vk_lab_uuid(uint64_t seed, const char *what, uint64_t index, uint32_t seconds,
		 const uint8_t mac[6], struct vk_vmfs_uuid *ret_uuid);
void vk_lab_mac(uint64_t seed, const char *what, uint64_t index, uint8_t ret_mac[6]);

#endif
