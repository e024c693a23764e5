/* SPDX-License-Identifier: Apache-2.0 */
/* The walk over PE bitmaps, PE tables and extended metadata. */
#include "base/checked.h"
#include "vol/pe_walk.h"

struct vk_pe_region vk_pe_main_region(const struct vk_lvm_device *device)
{
	struct vk_pe_region region = {.data_offset = device->dataOffset, .maps = vk_lvm_main_maps(device)};

	vk_lvm_geometry(device, VK_LVM_HEADER_OFFSET, &region.geometry);
	return region;
}

bool vk_pe_fits(const struct vk_pe_pair *pair, uint64_t index, const struct vk_lvm_pe *pe,
		const struct vk_lvm_device *device)
{
	uint64_t end;

	return vk_lvm_pe_plausible(pe, device) && vk_add_u64(pe->lOffset, pe->length, &end) &&
	       vk_lvm_pe_at_place(pe, device, index, pair->region->data_offset, index - pair->region->first_pe);
}

bool vk_pe_walk_region(const struct vk_pe_walk *walk, const struct vk_pe_region *region)
{
	for (uint32_t i = 0; i < region->maps; i++) {
		struct vk_pe_pair pair = {.region = region};

		pair.bitmap_at = vk_add_sat(region->geometry.first_bitmap, i * region->geometry.pair_bytes);
		pair.table_at = vk_add_sat(pair.bitmap_at, region->geometry.bitmap_bytes);
		pair.first_pe = vk_add_sat(region->first_pe, (uint64_t)i * VK_LVM_PES_PER_MAP);
		if (!walk->pair(walk, &pair))
			return false;
	}
	return true;
}

void vk_pe_walk_entries(const struct vk_pe_walk *walk, const struct vk_pe_pair *pair, uint64_t first, uint64_t count)
{
	uint8_t piece[VK_PE_PIECE_MAX * VK_LVM_PE_STRIDE];

	for (uint64_t i = first; i < first + count; i += walk->piece_entries) {
		size_t len = (size_t)vk_min_u64(walk->piece_entries, first + count - i) * VK_LVM_PE_STRIDE;
		uint64_t at = vk_add_sat(pair->table_at, i * VK_LVM_PE_STRIDE);
		size_t got;

		if (walk->holes != NULL) {
			struct vk_span span = vk_io_span(walk->holes, at);

			if (span.state == VK_SPAN_ZERO && span.length_bytes >= len)
				continue;
		}
		got = walk->get(walk->ctx, at, piece, len);
		if (walk->whole && got < len)
			return;
		for (size_t k = 0; k < got / VK_LVM_PE_STRIDE; k++) {
			const uint8_t *raw = piece + k * VK_LVM_PE_STRIDE;
			struct vk_lvm_pe pe;

			vk_lvm_pe_decode(raw, VK_LVM_PE_STRIDE, &pe);
			if (pe.used != 0 || vk_pe_marked(pair, i + k))
				walk->entry(walk->ctx, pair, pair->first_pe + i + k, &pe);
		}
	}
}

static bool ext_sound(const struct vk_lvm_ext *ext, uint64_t at)
{
	return ext->magic == VK_LVM_MAGIC && ext->numPEMaps > 0 && ext->numPEMaps <= VK_LVM_MAPS_PER_REGION &&
	       ext->dataOffset > at;
}

enum vk_pe_chain vk_pe_walk_exts(const struct vk_pe_walk *walk, const struct vk_lvm_device *device, uint64_t at,
				 uint64_t above, uint64_t end, size_t most, uint64_t *ret_at)
{
	uint64_t first = (uint64_t)vk_lvm_main_maps(device) * VK_LVM_PES_PER_MAP;

	for (size_t n = 0; at != 0; n++) {
		uint8_t raw[VK_LVM_EXT_BYTES];
		struct vk_pe_region region = {.first_pe = first};
		struct vk_lvm_ext ext;
		bool read;

		*ret_at = at;
		if (n == most || at <= above || at > end)
			return VK_PE_CHAIN_ASTRAY;
		read = walk->get(walk->ctx, at, raw, sizeof(raw)) == sizeof(raw);
		vk_lvm_ext_decode(raw, read ? sizeof(raw) : 0, &ext);
		walk->ext(walk->ctx, at, ext_sound(&ext, at) ? &ext : NULL);
		if (!ext_sound(&ext, at))
			return read ? VK_PE_CHAIN_STRANGE : VK_PE_CHAIN_UNREAD;
		region.data_offset = ext.dataOffset;
		region.maps = ext.numPEMaps;
		vk_lvm_geometry(device, at, &region.geometry);
		if (walk->pair != NULL)
			(void)vk_pe_walk_region(walk, &region);
		first += (uint64_t)ext.numPEMaps * VK_LVM_PES_PER_MAP;
		above = at;
		at = ext.nextOffset;
	}
	return VK_PE_CHAIN_ENDS;
}
