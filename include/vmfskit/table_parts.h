/* SPDX-License-Identifier: Apache-2.0 */
/* The parts that a partition table lies in, what a judge says of each, and from where an entry is known. */
#ifndef VMFSKIT_TABLE_PARTS_H
#define VMFSKIT_TABLE_PARTS_H

#include <stdbool.h>
#include <stdint.h>

__BEGIN_DECLS

/* The five parts that a GPT disk's table lies in, and what an MBR disk has. */
enum vk_table_part {
	VK_TP_MBR,            /* protective, or the table itself */
	VK_TP_PRIMARY_HEADER,
	VK_TP_PRIMARY_ARRAY,
	VK_TP_BACKUP_ARRAY,
	VK_TP_BACKUP_HEADER,
	VK_TP_EBR,            /* the chain as a whole */
	VK_TP_COUNT
};
const char *vk_table_part_name(enum vk_table_part part); /* "protective MBR", "primary GPT header", ... */

enum vk_part_state {
	VK_PART_STATE_UNUSED,	  /* this kind of table has no such part */
	VK_PART_STATE_SOUND,	  /* proved by a checksum */
	VK_PART_STATE_CONSISTENT, /* it has no checksum; nothing contradicts it */
	VK_PART_STATE_STALE,   /* sound in itself, but of an earlier time: before the LUN grew, before a partition was
				  made */
	VK_PART_STATE_DAMAGED, /* something of it is there */
	VK_PART_STATE_FOREIGN, /* another system's table */
	VK_PART_STATE_LOST,    /* nothing is there */
	VK_PART_STATE_UNREADABLE
};
const char *vk_part_state_name(enum vk_part_state state);
/* Whether a part is as systems want it. */
static inline bool vk_part_state_stands(enum vk_part_state state)
{
	return state == VK_PART_STATE_SOUND || state == VK_PART_STATE_CONSISTENT;
}
struct vk_table_part_verdict {
	enum vk_part_state state;
	bool rewritten;    /* the plan changes it */
	uint64_t offset_bytes;
	uint64_t length_bytes;
	char why[240];     /* what is wrong and how it is known; empty when sound */
};

/* Where an entry of the plan comes from; the best that knows it. */
enum vk_entry_origin {
	VK_ENTRY_KEPT,       /* it stands in the table that systems use now */
	VK_ENTRY_PRIMARY,    /* the primary GPT */
	VK_ENTRY_BACKUP,     /* the backup GPT */
	VK_ENTRY_BOTH,       /* single entries of both, each checked */
	VK_ENTRY_MBR,        /* an MBR or EBR */
	VK_ENTRY_CAPTURE,    /* a capture of this disk */
	VK_ENTRY_FOUND,      /* a volume that was found */
	VK_ENTRY_LAYOUT      /* an ESXi boot disk has it, and its contents fit */
};
const char *vk_entry_origin_name(enum vk_entry_origin origin);

__END_DECLS
#endif
