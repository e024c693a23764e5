/* SPDX-License-Identifier: Apache-2.0 */
/* Where a byte of a system file lies in the volume. */
#include "base/bytes.h"
#include "evidence/self/parts.h"

enum { POINTER_BLOCK = 4096, POINTER_BLOCK6 = 65536 };

uint64_t vk_self_fd_pointer(const struct vk_self_area *a, unsigned file, uint32_t index)
{
	return vk_fd_pointer(&a->fd, a->bytes + a->base + (uint64_t)file * a->fd.fd_bytes, index);
}

/* Volume offset of the pointer block that an address names. */
static bool pointer_block(struct vk_self_look *look, const struct vk_self_area *a, uint64_t address,
			  uint64_t *ret_offset)
{
	enum vk_system_file file = vk_address_kind(address) == VK_ADDRESS_POINTER_BLOCK ? VK_SYSTEM_PBC : VK_SYSTEM_PB2;
	const struct vk_self_file *f = &look->report->files[file];
	bool six = a->md_alignment != 0;
	uint64_t cluster = address >> 6 & (six ? 0xFFFFFFFFFULL : 0x3FFFFFULL);
	uint32_t resource = (uint32_t)(address >> (six ? 56 : 28)) & (six ? 0xFF : 0xF);

	if ((vk_address_kind(address) != VK_ADDRESS_POINTER_BLOCK &&
	     vk_address_kind(address) != VK_ADDRESS_POINTER_BLOCK2) ||
	    !f->has_resource || f->fd.zeroLevelAddrType != VK_ZLA_FILE_BLOCK ||
	    resource >= f->resource.resourcesPerCluster)
		return false;
	return vk_self_file_byte(look, a, file, vk_resource_offset(&f->resource, a->md_alignment, cluster, resource),
				 ret_offset);
}

/* Address number index of a file's blocks, of files with one level of pointer blocks out of the first of them. */
static bool block_address(struct vk_self_look *look, const struct vk_self_area *a, unsigned file, uint64_t index,
			  uint64_t *ret_address)
{
	const struct vk_self_file *f = &look->report->files[file];
	uint32_t bytes = a->fd.pointer_bytes;
	uint64_t per_block = (a->md_alignment != 0 ? POINTER_BLOCK6 : POINTER_BLOCK) / bytes;
	uint8_t raw[8] = {0};
	uint64_t at;

	if (f->fd.zeroLevelAddrType == VK_ZLA_FILE_BLOCK) {
		*ret_address = index < a->fd.pointers ? vk_self_fd_pointer(a, file, (uint32_t)index) : 0;
		return true;
	}
	if ((f->fd.zeroLevelAddrType != VK_ZLA_POINTER_BLOCK && f->fd.zeroLevelAddrType != VK_ZLA_POINTER_BLOCK2) ||
	    index / per_block >= a->fd.pointers ||
	    !pointer_block(look, a, vk_self_fd_pointer(a, file, (uint32_t)(index / per_block)), &at) ||
	    !vk_self_get(look, at + index % per_block * bytes, raw, bytes))
		return false;
	*ret_address = vk_get_le64(raw);
	return true;
}

bool vk_self_file_byte(struct vk_self_look *look, const struct vk_self_area *a, unsigned file, uint64_t offset,
		      uint64_t *ret_volume_offset)
{
	uint64_t block;
	uint64_t address;

	if (!look->report->files[file].has_fd || look->file_block_bytes == 0 ||
	    !block_address(look, a, file, offset / look->file_block_bytes, &address) ||
	    !vk_file_block_number(a->md_alignment != 0, address, VK_SELF_SMALL_PER_CLUSTER, &block))
		return false;
	*ret_volume_offset = block * look->file_block_bytes + offset % look->file_block_bytes;
	return true;
}
