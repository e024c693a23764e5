/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a block address of a file descriptor or pointer block means: 32 bits on VMFS 3 and 5, 64 on VMFS6. Seen on real
 * volumes: FB, SB, FD; SFB, SB and PB2 of VMFS6 in their first clusters. The rest was stated by readers of others.
 */
#ifndef VMFSKIT_ADDRESS_H
#define VMFSKIT_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

__BEGIN_DECLS

/* Kind of an address: its lowest three bits. */
enum vk_address_kind {
	VK_ADDRESS_NONE, VK_ADDRESS_FILE_BLOCK, VK_ADDRESS_SUB_BLOCK, VK_ADDRESS_POINTER_BLOCK, VK_ADDRESS_FD,
	VK_ADDRESS_POINTER_BLOCK2, VK_ADDRESS_JOURNAL, VK_ADDRESS_LARGE_BLOCK
};
static inline enum vk_address_kind vk_address_kind(uint64_t address)
{
	return (enum vk_address_kind)(address & 7);
}

struct vk_address_form {
	bool vmfs6;
	bool dense; /* VMFS5, config bit DENSE_SBPC: sub-blocks have two more resource bits */
};
struct vk_address {
	enum vk_address_kind kind;
	uint64_t cluster;     /* FB of VMFS 3 and 5, and LFB: 0 */
	uint32_t resource;
	uint64_t block;       /* FB of VMFS 3 and 5, LFB: its number; else 0 */
	bool copy_on_write;
	bool zeroed;          /* to be zeroed: reads as zeros whatever the block holds */
	uint8_t zeroed_parts; /* VMFS6: the map of eight parts */
	bool unknown_bits;    /* bits are set that no source explains, or the volume has no such kind */
};
/* JB, of VMFS6 only, is doubtful: two readers of others disagree about its fields. */
void vk_address_decode(uint64_t raw, const struct vk_address_form *form, struct vk_address *ret_address);

/* "FB 403", "SB <30,3>", "hole". */
enum { VK_ADDRESS_TEXT_BYTES = 48 };
void vk_address_text(uint64_t raw, const struct vk_address_form *form, char ret_text[VK_ADDRESS_TEXT_BYTES]);

/* Of a file descriptor: 16 bits of cluster, 10 of resource. */
uint32_t vk_fd_address(uint32_t cluster, uint32_t resource);
/* Of file block number block: 32 bits on VMFS 3 and 5 (26 bits of block), 64 on VMFS6. */
uint64_t vk_file_block_address(bool vmfs6, uint64_t block, uint32_t blocks_per_cluster);
/*
 * Number of the file block that an address names; false when it names none (another kind, 0). blocks_per_cluster is
 * that of the small blocks of VMFS6 (512), not used on VMFS 3 and 5. A large block of VMFS6 is none.
 */
bool vk_file_block_number(bool vmfs6, uint64_t address, uint32_t blocks_per_cluster, uint64_t *ret_block);

__END_DECLS
#endif
