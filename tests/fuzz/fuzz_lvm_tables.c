/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PE table entry, extended metadata and SD table entry. The first byte chooses the structure; of a PE entry 8 bytes
 * totalBytes, 8 bytes dataOffset, 1 byte version and 8 bytes of index come before it.
 */
#include "fuzz.h"
#include "vmfskit/lvm.h"

static void pe_entry(struct fuzz_input in)
{
	struct vk_lvm_device d = {.magic = VK_LVM_MAGIC};
	struct vk_lvm_pe pe;
	uint64_t index;

	d.totalBytes = fuzz_take(&in, 8);
	d.dataOffset = fuzz_take(&in, 8);
	d.majorVersion = (uint32_t)fuzz_take(&in, 1);
	index = fuzz_take(&in, 8);
	fuzz_layout(&vk_lvm_pe_layout, in.data, in.size, &pe);
	if (vk_lvm_pe_plausible(&pe, &d)) {
		FUZZ_ASSERT(pe.used == 1 && pe.length > 0 && pe.pOffset >= d.dataOffset);
		FUZZ_ASSERT(pe.length <= d.totalBytes && pe.pOffset <= d.totalBytes - pe.length);
	}
	if (vk_lvm_fixed_pes(&d) && vk_lvm_pe_at_place(&pe, &d, index, d.dataOffset, index))
		FUZZ_ASSERT(pe.peID == index);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = {data, size};
	struct vk_lvm_ext ext;
	struct vk_lvm_sd sd;

	switch (fuzz_take(&in, 1) % 3) {
	case 0:
		pe_entry(in);
		break;
	case 1:
		fuzz_layout(&vk_lvm_ext_layout, in.data, in.size, &ext);
		break;
	default:
		fuzz_layout(&vk_lvm_sd_layout, in.data, in.size, &sd);
		break;
	}
	return 0;
}
