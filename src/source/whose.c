/* SPDX-License-Identifier: Apache-2.0 */
/* Whose a volume is that can be seen in a source and in something inside it alike. */
#include "base/checked.h"
#include "source/carrier.h"
#include "source/recognise.h"

/* Behind the last partition of a GPT; clocks of different machines. */
enum { BACKUP_BYTES = 33 * 512, DAY_S = 86400 };

static bool is_usual(uint64_t start_bytes)
{
	for (size_t i = 0; i < vk_usual_start_count; i++)
		if (vk_usual_starts[i] * 512 == start_bytes)
			return true;
	return false;
}

/* ESX 3 and 4 begin at 128, all later ones at 2048; VMware KB 2046610. */
static bool is_default(uint64_t start_bytes)
{
	return start_bytes == 128 * 512 || start_bytes == 2048 * 512;
}

/* 1: the source's; -1: the layer's; 0: that is not known. */
static int judge(struct vk_io *io, const struct vk_layer *layer, uint64_t start, uint64_t at, uint64_t length)
{
	uint64_t layer_end = vk_add_sat(at, length), end, made_s;
	bool fits_own, fits_layer, bare = start == at;
	uint8_t raw[VK_LVM_DEVICE_BYTES];
	struct vk_lvm_device device;
	size_t got = 0;

	if (vk_io_read(io, vk_add_sat(start, VK_LVM_HEADER_OFFSET), raw, sizeof(raw), &got, NULL) != VK_OK ||
	    got < sizeof(raw))
		return 0;
	vk_lvm_device_decode(raw, got, &device);
	end = vk_add_sat(start, device.totalBytes);
	made_s = device.initTimeUS / 1000000;
	if (end > layer_end)
		return 1;
	/* a partition reaches to the copy of the GPT, or is all that there is */
	fits_own = vk_add_sat(end, BACKUP_BYTES) == vk_io_size_bytes(io);
	fits_layer = vk_add_sat(end, bare ? 0 : BACKUP_BYTES) == layer_end;
	if (fits_own != fits_layer)
		return fits_own ? 1 : -1;
	if (layer->written_s != 0 && made_s > layer->written_s + DAY_S)
		return 1;
	if (!bare && is_default(start) != is_default(start - at))
		return is_default(start) ? 1 : -1;
	/* made over a volume that was there, and hardly used since */
	return layer->made_s > made_s + DAY_S && layer->written_s <= layer->made_s + DAY_S ? 1 : 0;
}

bool vk_is_of_source(struct vk_io *io, const struct vk_layer *layer, uint64_t at_bytes, uint64_t length_bytes)
{
	for (size_t i = 0; i < vk_usual_start_count && at_bytes != 0; i++) {
		uint64_t start = vk_usual_starts[i] * 512;

		if (start >= at_bytes && (start == at_bytes || is_usual(start - at_bytes)) &&
		    vk_lvm_header_at(io, vk_add_sat(start, VK_LVM_HEADER_OFFSET)) &&
		    judge(io, layer, start, at_bytes, length_bytes) > 0)
			return true;
	}
	return false;
}
