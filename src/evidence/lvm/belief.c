/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How far headers can be believed: each sign is a field, or a relation between two, that chance and other contents do
 * not show.
 */
#include <string.h>

#include "base/checked.h"
#include "base/utf8.h"
#include "evidence/lvm/belief.h"

enum { RELATIONS_ENOUGH = 2, LABEL_BYTES = 128 };

/* Extents that there is room for; 0: none. Of an unsound data offset the usual one is taken. */
static uint64_t extents_in(const struct vk_lvm_device *d)
{
	uint64_t data = vk_lvm_data_offset_sound(d->dataOffset) ? d->dataOffset : VK_LVM_DATA_OFFSET;

	return d->totalBytes > data ? (d->totalBytes - data) / VK_LVM_PE_BYTES : 0;
}

/* On LVM6 numPEs counts entries of any length, and numPEs6 the extents. */
static bool extents_agree(const struct vk_lvm_device *d)
{
	uint64_t extents = extents_in(d);

	return extents > 0 && (d->numPEs == extents || (d->majorVersion == 6 && d->numPEs6 == extents));
}

static bool last_agrees(const struct vk_lvm_device *d)
{
	return d->numPEs != 0 && d->lastPEIndex == d->numPEs - 1;
}

bool vk_belief_device(const struct vk_lvm_device *d)
{
	unsigned signs = 0;

	signs += vk_lvm_version_known(d->majorVersion);
	signs += vk_lvm_block_size_sound(d->diskBlockSize);
	signs += vk_lvm_data_offset_sound(d->dataOffset);
	signs += extents_in(d) > 0 && d->totalBytes % 512 == 0;
	signs += d->numVolumes >= 1 && d->numVolumes <= 512;
	signs += extents_agree(d) || (extents_in(d) > 0 && d->extDevMetadataOffset != 0);
	signs += last_agrees(d);
	signs += vk_lvm_device_time_sound(d);
	return signs >= VK_BELIEF_ENOUGH;
}

static unsigned relations(const struct vk_lvm_device *d)
{
	return (unsigned)vk_lvm_device_time_sound(d) + last_agrees(d) + extents_agree(d);
}

bool vk_belief_device_mended(const struct vk_lvm_device *seen, size_t seen_bytes, struct vk_lvm_device *ret_device)
{
	struct vk_lvm_device *d = ret_device;

	*d = *seen;
	if (vk_lvm_device_usable(d, seen_bytes)) {
		/* an unusual place of the data that contradicts the rest */
		d->dataOffset = VK_LVM_DATA_OFFSET;
		if (!vk_lvm_device_usable(d, seen_bytes) || relations(d) <= relations(seen))
			d->dataOffset = seen->dataOffset;
		return true;
	}
	for (uint32_t attempt = 0; attempt < 6; attempt++) {
		*d = *seen;
		if (attempt == 0)
			d->magic = VK_LVM_MAGIC;
		else if (attempt == 1)
			d->dataOffset = VK_LVM_DATA_OFFSET;
		else if (attempt == 2)
			d->totalBytes = vk_add_sat(vk_mul_sat(seen->numPEs, VK_LVM_PE_BYTES),
						   vk_add_sat(seen->dataOffset, 512));
		else /* only LVM6 has an alignment */
			d->majorVersion = seen->mdAlignment == 4096 ? 6 : attempt;
		if (vk_lvm_device_usable(d, seen_bytes) && relations(d) >= RELATIONS_ENOUGH)
			return true;
	}
	*d = *seen;
	return false;
}

unsigned vk_belief_volume(const struct vk_lvm_volume *v, const struct vk_vmfs_uuid *info)
{
	char name[VK_VMFS_UUID_TEXT_BYTES];
	struct vk_vmfs_uuid named;
	unsigned signs = 0;

	memcpy(name, v->name, sizeof(name));
	signs += vk_lvm_volume_named(v) ? 2 : 0;
	signs += name[sizeof(name) - 1] == '\0' && vk_vmfs_uuid_parse(name, &named);
	signs += v->numPEs != 0 && v->lastPE >= v->firstPE && v->lastPE - v->firstPE == v->numPEs - 1ULL;
	signs += v->numPEs != 0 && (v->logicalSize == v->numPEs * VK_LVM_PE_BYTES ||
				    (v->numDevs > 1 && v->numDevs <= VK_LVM_SD_ENTRIES));
	signs += v->creationTimeUS != 0 && vk_same_event(v->creationTimeUS / 1000000, vk_uuid_seconds(&v->uuid));
	signs += v->state == VK_LVM_NORMAL;
	signs += v->snapID == 1;
	signs += v->numDevs >= 1 && v->numDevs <= VK_LVM_SD_ENTRIES;
	signs += info != NULL && vk_vmfs_uuid_equal(&v->uuid, info) ? 2 : 0;
	return signs;
}

bool vk_belief_volume_fits(const struct vk_lvm_volume *v, const struct vk_lvm_device *device)
{
	return !vk_vmfs_uuid_is_nil(&v->uuid) && v->state <= VK_LVM_SENTINEL && v->numPEs != 0 &&
	       v->lastPE - v->firstPE + 1 == v->numPEs && (uint64_t)v->numPEs * VK_LVM_PE_BYTES <= device->totalBytes;
}

size_t vk_label_text_bytes(const uint8_t label[LABEL_BYTES])
{
	size_t len = 0;
	uint32_t point;

	while (len < LABEL_BYTES && label[len] != 0) {
		size_t n = vk_utf8_decode(label + len, LABEL_BYTES - len, &point);

		if (n == 0 || vk_utf8_steers(point))
			return 0;
		len += n;
	}
	return len;
}

bool vk_label_sound(const uint8_t label[LABEL_BYTES])
{
	size_t len = vk_label_text_bytes(label);

	return vk_all_zero(label + len, LABEL_BYTES - len);
}

bool vk_belief_fs(const struct vk_fs_descriptor *d, const struct vk_vmfs_uuid *lvm_volume)
{
	uint32_t drawn = vk_uuid_seconds(&d->uuid);
	unsigned signs = 0;

	signs += vk_fs_version_known(d->majorVersion);
	signs += d->fileBlockSize >= 1 << 20 && d->fileBlockSize <= 8 << 20 &&
		(d->fileBlockSize & (d->fileBlockSize - 1)) == 0;
	signs += vk_lvm_block_size_sound(d->diskBlockSize);
	signs += d->snapID == 1;
	signs += d->volInfoSnapID == 1 && vk_all_zero(d->volInfoRest, sizeof(d->volInfoRest));
	signs += d->fdcClusterGroupOffset == 0x10000;
	signs += d->fdcClustersPerGroup == 8 || d->fdcClustersPerGroup == 32 || d->fdcClustersPerGroup == 64;
	signs += d->subBlockSize == 8192 || d->subBlockSize == 65536;
	signs += d->creationTime != 0 && vk_same_event(d->creationTime, drawn);
	signs += d->fsLabel[0] != 0 && vk_label_sound(d->fsLabel);
	signs += lvm_volume != NULL && vk_vmfs_uuid_equal(&d->volInfo, lvm_volume) ? 2 : 0;
	/* it was drawn by the host, and in the minute, in which its LVM volume was */
	signs += lvm_volume != NULL && vk_same_event(drawn, vk_uuid_seconds(lvm_volume)) &&
		 memcmp(d->uuid.b + 10, lvm_volume->b + 10, 6) == 0 ? 2 : 0;
	return signs >= (vk_fs_magic_known(d->magic) ? VK_BELIEF_ENOUGH - 1U : VK_BELIEF_ENOUGH);
}
