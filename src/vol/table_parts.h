/* SPDX-License-Identifier: Apache-2.0 */
/* What the readers of one kind of table offer to the one that decides. */
#ifndef VK_VOL_TABLE_PARTS_H
#define VK_VOL_TABLE_PARTS_H

#include "vmfskit/table.h"

/* The handle's sector size; of a file the one that what is left of a GPT, or else an MBR, speaks for. */
uint32_t vk_table_sector_size(struct vk_io *io);
/*
 * Whether the partitions of VMFS in an MBR begin where volumes do, in sectors of that size, and none is shorter than
 * its volume: so many bytes the LVM header says itself.
 */
bool vk_mbr_counts_in(struct vk_io *io, const struct vk_mbr *mbr, uint32_t sector_size);

/* Follow the chain of extended boot records; logical partitions are appended. */
enum vk_status vk_ebr_read(struct vk_io *io, const struct vk_finding_sink *sink,
			   struct vk_table *table, struct vk_error *err);

/* Read one copy of the GPT; silent. */
enum vk_status vk_gpt_copy_read(struct vk_io *io, uint32_t sector_size, uint64_t lba,
				struct vk_gpt_copy *ret_copy, struct vk_error *err);
void vk_gpt_copy_free(struct vk_gpt_copy *copy);
/* A header without its signature is none where something else took the place of the table. Once sector 0 was read. */
void vk_gpt_drop_unsigned(struct vk_table *table);
/* Its checksum fits, and it says that it lies where it was read: what it says of the disk is what was written there. */
bool vk_gpt_copy_proved(const struct vk_gpt_copy *copy, uint32_t sector_size);
/* Judge both copies and the MBR in front of them. device: what does not come is missing, and not only not at hand. */
void vk_gpt_copies_check(const struct vk_table *table, bool complete, bool device,
			 const struct vk_finding_sink *sink);
/* The partitions of the chosen copy. */
enum vk_status vk_gpt_add_entries(struct vk_table *table);

/* List what the table lies in. VK_NOMEM. */
enum vk_status vk_table_locate(struct vk_io *io, struct vk_table *table);

#endif
