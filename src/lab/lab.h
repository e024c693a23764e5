/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Practice disks: what was asked for (spec), where everything goes (plan), what the structures say (device), and
 * the bytes. Every step is a plain function, so that tests can make any part on its own. The structures are
 * those of src/disk, written by their encoders.
 */
#ifndef VK_LAB_LAB_H
#define VK_LAB_LAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lab/lab_disk.h"
#include "vmfskit/error.h"
#include "vmfskit/fs_descriptor.h"
#include "vmfskit/gpt.h"
#include "vmfskit/lvm.h"
#include "vmfskit/table.h"

enum {
	VK_LAB_VOLUMES_MAX = 32,
	VK_LAB_FOREIGN_MAX = 32,
	VK_LAB_PARTITIONS_MAX = VK_LAB_VOLUMES_MAX + VK_LAB_FOREIGN_MAX,
	VK_LAB_MEMBERS_MAX = VK_LVM_SD_ENTRIES,
	VK_LAB_LIVE_MAX = 512
};

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

/* A partition of somebody else: an entry in the table, no contents but what a layout asks for. */
struct vk_lab_foreign {
	uint64_t start_sector;
	uint64_t sectors;
	bool fat;             /* holds an empty FAT */
	unsigned number;      /* 0: by position */
	const char *gpt_name; /* static; NULL: as the ESXi tools leave it */
	uint8_t mbr_type;
	struct vk_guid type;
};
/* START+SECTORS:TYPE; TYPE is a hexadecimal MBR type, or for GPT a GUID or a short name (efi, basic, ...). */
VK_MUST_USE enum vk_status vk_lab_foreign_parse(struct vk_lab_foreign *foreign, const char *text,
						enum vk_table_kind table, struct vk_error *err);

/* What was asked for. */
struct vk_lab_spec {
	enum vk_table_kind table;
	uint32_t sector_size;
	uint64_t size_bytes; /* of the disk; 0: what the partitions need */
	uint64_t seed;
	struct vk_lab_volume volumes[VK_LAB_VOLUMES_MAX];
	size_t volume_count;
	struct vk_lab_foreign foreign[VK_LAB_FOREIGN_MAX];
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
struct vk_lab_partition {
	unsigned number;
	uint64_t start_sector;
	uint64_t sectors;
	uint64_t ebr_sector;  /* of a logical partition; 0: a primary one */
	uint8_t mbr_type;
	struct vk_guid type;
	const char *gpt_name;
	bool fat;
	const struct vk_lab_volume *volume; /* NULL: somebody else's */
	size_t volume_index;
};
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

/*
 * The bytes. base_bytes is where the partition starts on the disk. All of these return what vk_lab_put returns: the
 * first failure of the disk.
 */
enum vk_status vk_lab_write_table(struct vk_lab_disk *disk, const struct vk_lab_plan *plan, struct vk_error *err);
enum vk_status vk_lab_write_lvm(struct vk_lab_disk *disk, uint64_t base_bytes, const struct vk_lab_device *device,
				struct vk_error *err);
enum vk_status vk_lab_write_pes(struct vk_lab_disk *disk, uint64_t base_bytes, const struct vk_lab_device *device,
				struct vk_error *err);
enum vk_status vk_lab_write_fs(struct vk_lab_disk *disk, uint64_t base_bytes, const struct vk_lab_device *device,
			       struct vk_error *err);
enum vk_status vk_lab_write_heartbeats(struct vk_lab_disk *disk, uint64_t base_bytes,
				       const struct vk_lab_device *device,
				       struct vk_error *err);
/* An empty FAT16 over the whole partition; sectors of 512 bytes. VK_USAGE: no FAT16 is that long. */
enum vk_status vk_lab_write_fat(struct vk_lab_disk *disk, const struct vk_lab_plan *plan,
				const struct vk_lab_partition *partition, struct vk_error *err);
/* The system files: file descriptors, resource metadata, the first clusters, the root directory (lab_files.h). */
enum vk_status vk_lab_write_files(struct vk_lab_disk *disk, uint64_t base_bytes, const struct vk_lab_device *device,
				  struct vk_error *err);
/* LVM region, PE tables and, on the head, descriptor, heartbeats and system files. */
enum vk_status vk_lab_write_device(struct vk_lab_disk *disk, uint64_t base_bytes, const struct vk_lab_device *device,
				   struct vk_error *err);
/* Copy a partition image to base_bytes; what is zero in it becomes a hole. */
enum vk_status vk_lab_write_image(struct vk_lab_disk *disk, uint64_t base_bytes, const char *path,
				  struct vk_error *err);
/* Length of an image, and whether its file system is a VMFS-L. */
VK_MUST_USE enum vk_status vk_lab_image_probe(const char *path, uint64_t *ret_bytes, bool *ret_local,
					      struct vk_error *err);

/*
 * Make a disk, or with count > 1 the disks of one spanned volume (then the spec has exactly one volume, and
 * sizes[i] is the size of its partition on disk i, 0 as in the spec). told is called for every partition made.
 */
typedef void (*vk_lab_told)(void *arg, const char *path, const struct vk_lab_plan *plan,
			    const struct vk_lab_partition *partition,
			    const struct vk_lab_device *device);
VK_MUST_USE enum vk_status vk_lab_make(const struct vk_lab_spec *spec, const char *const *paths,
				       const uint64_t *sizes, size_t count, bool overwrite,
				       vk_lab_told told, void *arg, struct vk_error *err);

/* Numbers from the seed: the same for the same three arguments, unrelated for others. */
uint64_t vk_lab_random(uint64_t seed, const char *what, uint64_t index);
void vk_lab_guid(uint64_t seed, const char *what, uint64_t index, struct vk_guid *ret_guid);
/* A UUID made at that second by that host. */
void vk_lab_uuid(uint64_t seed, const char *what, uint64_t index, uint32_t seconds,
		 const uint8_t mac[6], struct vk_vmfs_uuid *ret_uuid);
void vk_lab_mac(uint64_t seed, const char *what, uint64_t index, uint8_t ret_mac[6]);

#endif
