/* SPDX-License-Identifier: Apache-2.0 */
/* FS3_FileMetadata and addresses: 4 bytes not used, 4 of blocks per cluster, then the metadata, whole or cut. */
#include "fuzz.h"
#include "vmfskit/file_descriptor.h"

static void addresses(bool vmfs6, uint64_t address, uint32_t blocks_per_cluster)
{
	uint64_t block;

	if (!vk_file_block_number(vmfs6, address, blocks_per_cluster, &block))
		return;
	FUZZ_ASSERT(vk_address_kind(address) == VK_ADDRESS_FILE_BLOCK);
	FUZZ_ASSERT(block < (vmfs6 ? 0x7FFFFFFFULL * blocks_per_cluster + blocks_per_cluster : 1ULL << 26));
	address = vk_file_block_address(vmfs6, block, blocks_per_cluster);
	FUZZ_ASSERT(vk_file_block_number(vmfs6, address, blocks_per_cluster, &block));
	FUZZ_ASSERT(vk_file_block_address(vmfs6, block, blocks_per_cluster) == address);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t fd[8192];
	struct fuzz_input in = {data, size};
	uint64_t seed = fuzz_take(&in, 8);
	uint32_t per_cluster = 1 + (uint32_t)(seed >> 32) % 8192;
	struct vk_file_metadata file;

	fuzz_layout(&vk_file_metadata_layout, in.data, in.size, &file);
	memset(fd, 0, sizeof(fd));
	memcpy(fd, in.data, in.size < sizeof(fd) ? in.size : sizeof(fd));
	for (uint32_t alignment = 0; alignment <= 4096; alignment += 4096) {
		struct vk_fd_geometry g;

		vk_fd_geometry(alignment, &g);
		FUZZ_ASSERT(g.fd_bytes <= sizeof(fd));
		FUZZ_ASSERT(g.pointers_offset + g.pointers * g.pointer_bytes <= g.fd_bytes);
		FUZZ_ASSERT(vk_fd_pointer(&g, fd, g.pointers) == 0);
		for (uint32_t i = 0; i < g.pointers; i++)
			addresses(alignment != 0, vk_fd_pointer(&g, fd, i), per_cluster);
	}
	return 0;
}
