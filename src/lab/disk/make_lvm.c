/* SPDX-License-Identifier: Apache-2.0 */
/* The LVM region of a device: header, volume table, device names, PE bitmaps and tables. */
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "lab/disk/practice.h"

enum {
	BITMAP_USED_BYTES = VK_LVM_PES_PER_MAP / 8,
	TABLE_BYTES = VK_LVM_PES_PER_MAP * VK_LVM_PE_STRIDE
};
#define ENTRY6_BYTES ((uint64_t)VK_LVM_PES_PER_MAP * VK_LVM_MAPS_PER_REGION * VK_LVM_PE_BYTES)

void vk_lab_pe(const struct vk_lab_device *device, const struct vk_lab_region *region,
	       uint32_t index, struct vk_lvm_pe *ret_pe)
{
	uint64_t own_bytes = device->volume.numPEs * VK_LVM_PE_BYTES;
	uint64_t at;

	*ret_pe = (struct vk_lvm_pe){.used = 1,
				     .peID = index,
				     .volumeID = device->volume.volumeID,
				     .version = 1};
	if (region == NULL) {
		at = index * ENTRY6_BYTES;
		ret_pe->pOffset = device->header.dataOffset + at;
		ret_pe->length = vk_min_u64(ENTRY6_BYTES, own_bytes - at);
	} else {
		at = index * VK_LVM_PE_BYTES;
		ret_pe->pOffset =
			region->data_offset + (index - region->first_pe) * VK_LVM_PE_BYTES;
		ret_pe->length = VK_LVM_PE_BYTES;
	}
	ret_pe->lOffset = device->volume.firstPE * VK_LVM_PE_BYTES + at;
}

/* One pair of bitmap and table at the offset of its bitmap; first..first+count are the entries used. */
static void put_pair(const struct vk_lab_writing *w, uint64_t offset, uint32_t bitmap_bytes,
		     const struct vk_lab_region *region, uint32_t first, uint32_t count, uint8_t *table)
{
	uint8_t bitmap[BITMAP_USED_BYTES] = {0};

	for (uint32_t i = 0; i < count; i++) {
		struct vk_lvm_pe pe;

		vk_lab_pe(w->device, region, first + i, &pe);
		memset(table + (size_t)i * VK_LVM_PE_STRIDE, 0, VK_LVM_PE_STRIDE);
		vk_lvm_pe_encode(&pe, table + (size_t)i * VK_LVM_PE_STRIDE, VK_LVM_PE_STRIDE);
		bitmap[i / 8] = (uint8_t)(bitmap[i / 8] | 1U << i % 8);
	}
	vk_lab_put(w->disk, w->base_bytes + offset, bitmap, sizeof(bitmap));
	vk_lab_put(w->disk, w->base_bytes + offset + bitmap_bytes, table, (size_t)count * VK_LVM_PE_STRIDE);
}

static void put_region(const struct vk_lab_writing *w, const struct vk_lab_region *region, uint8_t *table)
{
	const struct vk_lvm_ext ext = {
		.magic = VK_LVM_MAGIC,
		.numPEMaps = region->maps,
		.dataOffset = region->data_offset,
		.nextOffset = region->next_offset,
	};
	uint8_t sector[512] = {0};
	struct vk_lvm_geometry g;

	vk_lvm_ext_encode(&ext, sector, sizeof(sector));
	if (region->header_offset != VK_LVM_HEADER_OFFSET)
		vk_lab_put(w->disk, w->base_bytes + region->header_offset, sector, sizeof(sector));
	vk_lvm_geometry(&w->device->header, region->header_offset, &g);
	for (uint32_t i = 0; i < region->maps && w->disk->failed == VK_OK; i++) {
		uint32_t done = i * VK_LVM_PES_PER_MAP;
		uint32_t count = region->pes - done < VK_LVM_PES_PER_MAP ? region->pes - done : VK_LVM_PES_PER_MAP;

		put_pair(w, g.first_bitmap + i * g.pair_bytes, g.bitmap_bytes, region, region->first_pe + done, count,
			 table);
	}
}

void vk_lab_write_lvm(const struct vk_lab_writing *w)
{
	const struct vk_lab_device *device = w->device;
	uint8_t header[512] = {0}, volume[512] = {0}, names[VK_LVM_SD_ENTRIES * VK_LVM_SD_BYTES] = {0};
	uint8_t *table = vk_lab_alloc(w->disk, TABLE_BYTES);
	uint64_t total = device->header.totalBytes;
	struct vk_lvm_geometry g;
	struct vk_lab_region r;

	if (table == NULL)
		return;
	if (!vk_lvm_geometry(&device->header, VK_LVM_HEADER_OFFSET, &g))
		vk_lab_fail(w->disk, vk_error_set(w->disk->err, VK_INTERNAL, NULL, "the header has no geometry"));
	vk_lvm_device_encode(&device->header, header, sizeof(header));
	vk_lab_put(w->disk, w->base_bytes + VK_LVM_HEADER_OFFSET, header, sizeof(header));
	vk_lvm_volume_encode(&device->volume, volume, sizeof(volume));
	vk_lab_put(w->disk, w->base_bytes + g.volume_table, volume, sizeof(volume));
	for (size_t i = 0; i < device->member_count; i++)
		vk_lvm_sd_encode(&device->members[i], names + i * VK_LVM_SD_BYTES, VK_LVM_SD_BYTES);
	if (device->member_count > 0)
		vk_lab_put(w->disk, w->base_bytes + g.sd_table, names, sizeof(names));
	if (vk_lvm_fixed_pes(&device->header)) {
		for (bool more = vk_lab_region_next(total, NULL, &r); more; more = vk_lab_region_next(total, &r, &r))
			put_region(w, &r, table);
	} else if (device->header.numPEs > VK_LVM_PES_PER_MAP) {
		vk_lab_fail(w->disk, vk_error_set(w->disk->err, VK_USAGE, NULL,
						  "an LVM6 device of that size has no known form"));
	} else {
		put_pair(w, g.first_bitmap, g.bitmap_bytes, NULL, 0, device->header.numPEs, table);
	}
	free(table);
}
