/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The partition table of a disk: every copy read on its own, then compared. All sector numbers are in logical
 * sectors of the disk.
 */
#ifndef VMFSKIT_TABLE_H
#define VMFSKIT_TABLE_H

#include "vmfskit/finding.h"
#include "vmfskit/gpt.h"
#include "vmfskit/io.h"
#include "vmfskit/mbr.h"
#include "vmfskit/place.h"

__BEGIN_DECLS

enum vk_table_kind { VK_TABLE_NONE, VK_TABLE_MBR, VK_TABLE_GPT };
const char *vk_table_kind_name(enum vk_table_kind kind); /* "none", "mbr", "gpt" */

struct vk_partition {
	unsigned number; /* as Linux and ESX count: MBR 1-4, logical from 5, GPT slot + 1 */
	uint64_t start_sector;
	uint64_t sectors;
	bool gpt;     /* which of the two below describes it */
	bool logical; /* from an EBR */
	uint8_t mbr_type;
	struct vk_gpt_entry entry;
	uint64_t entry_offset_bytes; /* where the entry lies on the disk */
};
/* "fb" or the type GUID, and the type's name. */
void vk_partition_type(const struct vk_partition *partition, char ret_type[VK_GUID_TEXT_BYTES],
		       const char **ret_name);
bool vk_partition_is_vmfs(const struct vk_partition *partition);     /* FB, VMFS or VMFS-L */
bool vk_partition_is_extended(const struct vk_partition *partition); /* MBR 05, 0F, 85 */

/* One copy of the GPT. */
struct vk_gpt_copy {
	bool present;    /* the signature is there, or nothing but it is gone */
	/*
	 * Other bytes stand in its place, and with it the checksum fits: systems do not see this copy. Only where no
	 * other table and nothing else took its place (vk_table_read).
	 */
	bool signature_lost;
	bool usable;     /* its entries could be located and were read */
	bool sound;      /* both checksums fit */
	uint64_t lba;    /* where it was read */
	size_t seen_bytes;
	bool unreadable; /* the device did not deliver the header or its entries: what is there is not known */
	struct vk_gpt_header header;
	uint8_t *sector; /* sector_size bytes, NULL when it could not be read */
	uint8_t *array;  /* vk_gpt_entries_bytes(header), NULL unless usable */
};

struct vk_table {
	enum vk_table_kind kind;
	uint32_t sector_size;
	uint64_t disk_sectors; /* 0: not known (a cut dump says only how long it is itself) */
	size_t mbr_seen_bytes;
	bool mbr_unreadable;   /* the device did not deliver it */
	struct vk_mbr mbr;
	bool mbr_used;         /* its entries are partitions (signature there, or plausible without) */
	uint64_t *ebr_lbas;    /* the chain, in order */
	size_t ebr_count;
	struct vk_gpt_copy gpt[2]; /* primary, backup */
	int gpt_chosen;        /* which copy partitions[] comes from; -1 none */
	struct vk_partition *partitions; /* used entries, in table order */
	size_t partition_count;
	struct vk_place *places;         /* what the table lies in, in order of offset */
	size_t place_count;
};

/*
 * Read what there is. sector_size 0: the handle's, or 4096 when only there a GPT is found. complete: the
 * source is the whole disk, so its last sector is the disk's last. Never fails over damage; findings say
 * what is wrong: all mbr., ebr. and gpt. codes and table.none. Errors: VK_IO, VK_NOMEM.
 * Free ret_table with vk_table_free.
 */
VK_MUST_USE enum vk_status vk_table_read(struct vk_io *io, uint32_t sector_size, bool complete,
					 const struct vk_finding_sink *sink,
					 struct vk_table *ret_table, struct vk_error *err);
void vk_table_free(struct vk_table *table);
/* Whether the device kept something of it back: that there is no table, or no copy of it, is then not known. */
bool vk_table_unread(const struct vk_table *table);
/*
 * Whether no partition was seen because the source does not hold what would name it: sector 0, or the entries of a GPT.
 * What the disk has there is then not known.
 */
bool vk_table_absent(const struct vk_table *table);
/* Whether all that keeps systems from seeing the GPT are the signatures of its headers (and perhaps of sector 0). */
bool vk_table_signatures_lost(const struct vk_table *table);
/* How many sectors the disk had that the GPT was written for; 0: no sound copy tells. */
uint64_t vk_table_gpt_disk_sectors(const struct vk_table *table);

/*
 * The backup GPT in the last sector of an image that begins behind the beginning of its disk: its own LBA is larger
 * than the number of that sector, and the difference says where the image begins. Only a copy whose two checksums fit
 * is taken (UEFI specification 5.3.2; seen on two real disks: format reference, appendix on R5 and R6).
 */
struct vk_tail_gpt {
	uint64_t first_sector; /* of the disk, where the image begins; 0: there is no such GPT, and table is empty */
	/*
	 * Of that disk, from this copy alone: gpt[1], partitions, sector_size, disk_sectors. All sectors are the
	 * disk's.
	 */
	struct vk_table table;
};
/*
 * Read it from an image, which must have no table at its own beginning: that would be the beginning of the disk.
 * sector_size 0: that of the GPT, 512 or 4096. Damage is no error: then there is none. Errors: VK_IO, VK_NOMEM. Free
 * ret_tail with vk_tail_gpt_free.
 */
VK_MUST_USE enum vk_status vk_tail_gpt_read(struct vk_io *io, uint32_t sector_size, struct vk_tail_gpt *ret_tail,
					    struct vk_error *err);
void vk_tail_gpt_free(struct vk_tail_gpt *tail);
/* The partition that begins at this byte of the image; NULL: none does. Borrowed. */
const struct vk_partition *vk_tail_gpt_partition(const struct vk_tail_gpt *tail, uint64_t start_bytes);

__END_DECLS
#endif
