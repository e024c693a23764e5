/* SPDX-License-Identifier: Apache-2.0 */
/* Resource files: 1 byte (VMFS6 or not), 8 of cluster number, then metadata of the file, the same bytes as clusters too. */
#include "fuzz.h"
#include "vmfskit/resource_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = {data, size};
	uint32_t alignment = (fuzz_take(&in, 1) & 1) * 4096;
	uint64_t cluster = fuzz_take(&in, 8);
	struct vk_resource_file file;
	struct vk_cluster c;
	struct vk_cluster6 c6;
	size_t seen = fuzz_layout(&vk_resource_file_layout, in.data, in.size, &file);

	if (vk_resource_file_usable(&file, seen, alignment)) {
		FUZZ_ASSERT(vk_cluster_header_offset(&file, alignment, cluster) >= file.clusterGroupOffset);
		FUZZ_ASSERT(vk_resource_offset(&file, alignment, cluster, 0) >= file.clusterGroupOffset);
		FUZZ_ASSERT(vk_cluster_header_offset(&file, alignment, 0) == file.clusterGroupOffset);
	}
	fuzz_layout(&vk_cluster_layout, in.data, in.size, &c);
	fuzz_layout(&vk_cluster6_layout, in.data, in.size, &c6);
	return 0;
}
