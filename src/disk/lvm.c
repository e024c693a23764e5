/* SPDX-License-Identifier: Apache-2.0 */
/* VMFS LVM: layouts, and where the tables of a header region lie. The checks are in lvm_check.c. */
#include <string.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "disk/layout_table.h"
#include "vmfskit/lvm.h"

VK_LAYOUT_DEFINE(
	vk_lvm_device_layout, VK_LVM_DEVICE_ROWS, struct vk_lvm_device, VK_LVM_DEVICE_BYTES, "LVM_DevMetadata",
	"LVM device header (device offset 0x100000)",
	"decoded from real volumes of VMFS 3, 5 and 6 and four published headers; extDevMetadataOffset and flags from "
	"readers of others");
VK_LAYOUT_DEFINE(vk_lvm_volume_layout, VK_LVM_VOLUME_ROWS, struct vk_lvm_volume, VK_LVM_VOLUME_BYTES,
		 "LVM_VolDescriptor", "LVM volume descriptor (volume table entry)",
		 "decoded from real volumes of VMFS 3, 5 and 6 and two published headers");
VK_LAYOUT_DEFINE(vk_lvm_pe_layout, VK_LVM_PE_ROWS, struct vk_lvm_pe, VK_LVM_PE_BYTES_USED,
		 "LVM_PETableEntry", "PE table entry (every 128 bytes)",
		 "decoded from real volumes of VMFS 3, 5 and 6");
VK_LAYOUT_DEFINE(vk_lvm_ext_layout, VK_LVM_EXT_ROWS, struct vk_lvm_ext, VK_LVM_EXT_BYTES,
		 "LVM_ExtDevMetadata", "LVM extended metadata of large devices",
		 "stated by readers of others");
VK_LAYOUT_DEFINE(vk_lvm_sd_layout, VK_LVM_SD_ROWS, struct vk_lvm_sd, VK_LVM_SD_BYTES,
		 "LVM_SDTableEntry", "Member device name (SD table entry)",
		 "decoded from real volumes of VMFS 5 and 6; empty on VMFS3");

enum {
	TABLE_SECTORS_BYTES = 1024 * 512, /* volume table, reserved space and SD table together */
	SD_TABLE_BYTES = VK_LVM_SD_ENTRIES * VK_LVM_SD_BYTES,
	BITMAP_BYTES = VK_LVM_PES_PER_MAP / 8,
	PE_TABLE_BYTES = VK_LVM_PES_PER_MAP * VK_LVM_PE_STRIDE
};

bool vk_lvm_fixed_pes(const struct vk_lvm_device *device)
{
	return device->majorVersion < 6;
}

static bool alignment_usable(uint32_t alignment)
{
	return alignment >= 512 && alignment <= 65536 && (alignment & (alignment - 1)) == 0;
}

bool vk_lvm_geometry(const struct vk_lvm_device *device, uint64_t header_offset,
		     struct vk_lvm_geometry *ret_geometry)
{
	bool lvm6 = device->majorVersion == 6;
	bool known = lvm6 ? alignment_usable(device->mdAlignment)
			  : device->majorVersion >= 3 && device->majorVersion <= 5;
	uint32_t header = lvm6 && known ? device->mdAlignment : 512;
	uint32_t bitmap = lvm6 && header > BITMAP_BYTES ? header : BITMAP_BYTES;
	uint64_t tables = vk_add_sat(header_offset, header);

	*ret_geometry = (struct vk_lvm_geometry){
		.volume_table = tables,
		.volume_entries = lvm6 ? 1 : 512,
		.sd_table = vk_add_sat(tables, TABLE_SECTORS_BYTES - SD_TABLE_BYTES),
		.first_bitmap = vk_add_sat(tables, TABLE_SECTORS_BYTES),
		.bitmap_bytes = bitmap,
		.pair_bytes = (uint64_t)bitmap + PE_TABLE_BYTES,
	};
	return known;
}

uint32_t vk_lvm_main_maps(const struct vk_lvm_device *device)
{
	if (device->numPEMaps == 0)
		return 1;
	return device->numPEMaps < VK_LVM_MAPS_PER_REGION ? device->numPEMaps
							  : VK_LVM_MAPS_PER_REGION;
}

bool vk_lvm_pe_plausible(const struct vk_lvm_pe *pe, const struct vk_lvm_device *device)
{
	uint64_t end;

	if (pe->used != 1 || pe->length == 0 || pe->pOffset < device->dataOffset)
		return false;
	if (vk_lvm_fixed_pes(device) && pe->length != VK_LVM_PE_BYTES)
		return false;
	return vk_add_u64(pe->pOffset, pe->length, &end) && end <= device->totalBytes;
}

bool vk_lvm_pe_at_place(const struct vk_lvm_pe *pe, const struct vk_lvm_device *device,
			uint64_t index, uint64_t region_data_offset, uint64_t in_region)
{
	uint64_t place = vk_add_sat(region_data_offset, vk_mul_sat(in_region, VK_LVM_PE_BYTES));

	return !vk_lvm_fixed_pes(device) || (pe->peID == index && pe->pOffset == place);
}

bool vk_lvm_volume_named(const struct vk_lvm_volume *volume)
{
	return !vk_vmfs_uuid_is_nil(&volume->uuid) &&
	       memcmp(volume->name, vk_vmfs_uuid_text(&volume->uuid).text, VK_VMFS_UUID_TEXT_BYTES) == 0;
}

bool vk_lvm_sd_name(const struct vk_lvm_sd *entry, char ret_name[VK_SCSI_NAME_BYTES])
{
	static const char *const kinds[] = {"naa.", "eui.", "t10.", "mpx."};
	size_t len = strnlen((const char *)entry->deviceName, sizeof(entry->deviceName)), end = len;
	bool known = false;

	for (size_t i = 0; i < len; i++)
		if (entry->deviceName[i] <= ' ' || entry->deviceName[i] > '~')
			return false;
	while (end > 0 && entry->deviceName[end - 1] >= '0' && entry->deviceName[end - 1] <= '9')
		end--;
	if (end == len || end < 6 || entry->deviceName[end - 1] != ':' || end > VK_SCSI_NAME_BYTES ||
	    !vk_all_zero(entry->deviceName + len, sizeof(entry->deviceName) - len))
		return false;
	memcpy(ret_name, entry->deviceName, end - 1);
	ret_name[end - 1] = '\0';
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		known = known || strncmp(ret_name, kinds[i], 4) == 0;
	return known;
}
