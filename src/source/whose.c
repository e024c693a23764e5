/* SPDX-License-Identifier: Apache-2.0 */
/* Whose a volume is that can be seen in a source and in something inside it alike. */
#include "base/checked.h"
#include "source/carrier.h"
#include "source/recognise.h"

/* Clocks of different machines, and an array that is made and filled on one day. */
enum { DAY_S = 86400 };

/* The last partition mostly reaches to the copy of the GPT: 16 KiB of entries, and a sector of 512 or 4096 bytes. */
static bool ends_at_copy(uint64_t end_bytes, uint64_t disk_end)
{
	return vk_add_sat(end_bytes, 33 * 512) == disk_end || vk_add_sat(end_bytes, 5 * 4096) == disk_end;
}

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

/* By how long the volume is: 1: the source's; -1: the layer's; 0: that is not known. */
static int judge_length(uint64_t size, uint64_t layer_end, uint64_t end, bool bare)
{
	/* without a table a partition is all that there is; where both end there, that tells nothing */
	bool fits_layer = bare ? end == layer_end && end != size : ends_at_copy(end, layer_end);

	if (end > layer_end)
		return 1;
	return (int)ends_at_copy(end, size) - (int)fits_layer;
}

/* By the times of both, as above. */
static int judge_times(const struct vk_layer *layer, uint64_t made_s)
{
	if (layer->made_s == 0 || made_s == 0)
		return 0;
	/* made over a volume that was there, and hardly used since */
	if (layer->made_s > made_s + DAY_S)
		return layer->written_s <= layer->made_s + DAY_S;
	/* used for long after the volume was made */
	return layer->written_s > made_s + DAY_S ? -1 : 0;
}

/* As above; start: of a volume whose header is in its place, at: where the layer's bytes begin. */
static int judge(struct vk_io *io, const struct vk_layer *layer, uint64_t start, uint64_t at, uint64_t length)
{
	uint8_t raw[VK_LVM_DEVICE_BYTES];
	struct vk_lvm_device device;
	uint64_t made_s;
	int by;

	if (vk_io_read_all(io, vk_add_sat(start, VK_LVM_HEADER_OFFSET), raw, sizeof(raw), NULL) != VK_OK)
		return 0;
	vk_lvm_device_decode(raw, sizeof(raw), &device);
	by = judge_length(vk_io_size_bytes(io), vk_add_sat(at, length), vk_add_sat(start, device.totalBytes),
			  start == at);
	if (by != 0)
		return by;
	made_s = device.initTimeUS / 1000000;
	if (layer->written_s != 0 && made_s > layer->written_s + DAY_S)
		return 1;
	if (start != at && is_default(start) != is_default(start - at))
		return is_default(start) ? 1 : -1;
	return judge_times(layer, made_s);
}

/*
 * A volume without a table begins with the layer's bytes. Where ESXi begins on a disk, arrays and LVM2 often begin with
 * their data, too: there it is the source's, unless something says otherwise.
 */
static bool is_bare_of_source(struct vk_io *io, const struct vk_layer *layer, uint64_t at, uint64_t length)
{
	int by = vk_lvm_header_at(io, vk_add_sat(at, VK_LVM_HEADER_OFFSET)) ? judge(io, layer, at, at, length) : 0;

	return by > 0 || (by == 0 && is_default(at) && !layer->in_use);
}

bool vk_is_of_source(struct vk_io *io, const struct vk_layer *layer, uint64_t at_bytes, uint64_t length_bytes,
		     bool bare)
{
	/* no volume has a place in it */
	if (layer->empty)
		return true;
	if (bare && at_bytes != 0 && is_bare_of_source(io, layer, at_bytes, length_bytes))
		return true;
	for (size_t i = 0; i < vk_usual_start_count && at_bytes != 0; i++) {
		uint64_t start = vk_usual_starts[i] * 512;

		if (start > at_bytes && is_usual(start - at_bytes) &&
		    vk_lvm_header_at(io, vk_add_sat(start, VK_LVM_HEADER_OFFSET)) &&
		    judge(io, layer, start, at_bytes, length_bytes) > 0)
			return true;
	}
	return false;
}
