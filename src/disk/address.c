/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses of blocks, sub-blocks, pointer blocks and file descriptors. */
#include <inttypes.h>

#include "vmfskit/address.h"
#include "vmfskit/text.h"

/* A field of an address; bits 0: it has none. */
struct field {
	unsigned shift, bits;
};
/* What the bits of one kind mean. Bits in none of them were never explained. */
struct form {
	const char *name; /* NULL: the version has no such kind */
	bool numbered;    /* cluster is the number of a block */
	struct field cluster, resource, copy_on_write, zeroed;
};

static const struct form forms32[8] = {
	[VK_ADDRESS_FILE_BLOCK] = {"FB", true, {6, 26}, {0, 0}, {4, 1}, {5, 1}},
	[VK_ADDRESS_SUB_BLOCK] = {"SB", false, {6, 22}, {28, 4}, {5, 1}, {0, 0}},
	[VK_ADDRESS_POINTER_BLOCK] = {"PB", false, {6, 22}, {28, 4}, {5, 1}, {0, 0}},
	[VK_ADDRESS_FD] = {"FD", false, {6, 16}, {22, 10}, {0, 0}, {0, 0}},
	[VK_ADDRESS_POINTER_BLOCK2] = {"PB2", false, {6, 22}, {28, 4}, {5, 1}, {0, 0}},
};
static const struct form forms64[8] = {
	[VK_ADDRESS_FILE_BLOCK] = {"SFB", false, {15, 31}, {51, 13}, {5, 1}, {7, 8}},
	[VK_ADDRESS_SUB_BLOCK] = {"SB", false, {6, 36}, {56, 8}, {5, 1}, {0, 0}},
	[VK_ADDRESS_POINTER_BLOCK] = {"PB", false, {6, 36}, {56, 8}, {5, 1}, {0, 0}},
	[VK_ADDRESS_FD] = {"FD", false, {6, 16}, {22, 10}, {0, 0}, {0, 0}},
	[VK_ADDRESS_POINTER_BLOCK2] = {"PB2", false, {6, 36}, {56, 8}, {5, 1}, {0, 0}},
	[VK_ADDRESS_JOURNAL] = {"JB", false, {3, 13}, {26, 6}, {0, 0}, {0, 0}},
	[VK_ADDRESS_LARGE_BLOCK] = {"LFB", true, {15, 31}, {0, 0}, {5, 1}, {7, 8}},
};

static uint64_t field_of(uint64_t raw, struct field field, uint64_t *unknown)
{
	uint64_t mask = ((1ULL << field.bits) - 1) << field.shift;

	*unknown &= ~mask;
	return (raw & mask) >> field.shift;
}

void vk_address_decode(uint64_t raw, const struct vk_address_form *form, struct vk_address *ret_address)
{
	enum vk_address_kind kind = vk_address_kind(raw);
	const struct form *f = form->vmfs6 ? &forms64[kind] : &forms32[kind];
	struct vk_address a = {.kind = kind};
	uint64_t unknown = raw, number;

	if (f->name != NULL) {
		(void)field_of(raw, (struct field){0, 3}, &unknown);
		number = field_of(raw, f->cluster, &unknown);
		*(f->numbered ? &a.block : &a.cluster) = number;
		a.resource = (uint32_t)field_of(raw, f->resource, &unknown);
		a.copy_on_write = field_of(raw, f->copy_on_write, &unknown) != 0;
		a.zeroed_parts = (uint8_t)field_of(raw, f->zeroed, &unknown);
		a.zeroed = a.zeroed_parts != 0;
		if (!form->vmfs6)
			a.zeroed_parts = 0;
		if (kind == VK_ADDRESS_SUB_BLOCK && !form->vmfs6 && form->dense)
			a.resource |= (uint32_t)field_of(raw, (struct field){3, 2}, &unknown) << 4;
	}
	a.unknown_bits = unknown != 0;
	*ret_address = a;
}

void vk_address_text(uint64_t raw, const struct vk_address_form *form, char ret_text[VK_ADDRESS_TEXT_BYTES])
{
	const struct form *f = form->vmfs6 ? &forms64[raw & 7] : &forms32[raw & 7];
	struct vk_address a;
	struct vk_text text;

	vk_address_decode(raw, form, &a);
	vk_text_init(&text, ret_text, VK_ADDRESS_TEXT_BYTES);
	if (raw == 0)
		vk_text_fmt(&text, "hole");
	else if (f->name == NULL)
		vk_text_fmt(&text, "0x%" PRIx64, raw);
	else if (f->numbered)
		vk_text_fmt(&text, "%s %" PRIu64, f->name, a.block);
	else
		vk_text_fmt(&text, "%s <%" PRIu64 ",%" PRIu32 ">", f->name, a.cluster, a.resource);
}

uint32_t vk_fd_address(uint32_t cluster, uint32_t resource)
{
	return VK_ADDRESS_FD | (cluster & 0xFFFF) << 6 | (resource & 0x3FF) << 22;
}

uint64_t vk_file_block_address(bool vmfs6, uint64_t block, uint32_t blocks_per_cluster)
{
	if (!vmfs6)
		return VK_ADDRESS_FILE_BLOCK | (block & 0x3FFFFFF) << 6;
	return VK_ADDRESS_FILE_BLOCK | (block / blocks_per_cluster & 0x7FFFFFFF) << 15 |
	       (block % blocks_per_cluster & 0x1FFF) << 51;
}

bool vk_file_block_number(bool vmfs6, uint64_t address, uint32_t blocks_per_cluster, uint64_t *ret_block)
{
	struct vk_address a;

	vk_address_decode(address, &(struct vk_address_form){.vmfs6 = vmfs6}, &a);
	if (a.kind != VK_ADDRESS_FILE_BLOCK || (vmfs6 ? a.resource >= blocks_per_cluster : address > UINT32_MAX))
		return false;
	*ret_block = vmfs6 ? a.cluster * blocks_per_cluster + a.resource : a.block;
	return true;
}
