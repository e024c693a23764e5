/* SPDX-License-Identifier: Apache-2.0 */
/* The bytes of a volume, spread over its members as their extent tables say. */
#include "base/checked.h"
#include "lab/files/fill.h"

/* Where a byte of the volume lies, and how many follow it there. */
struct place {
	struct vk_lab_disk *disk;
	uint64_t offset;
	uint64_t bytes;
};

static uint64_t first_byte(const struct vk_lab_device *d)
{
	return d->volume.firstPE * VK_LVM_PE_BYTES;
}

/* own: bytes from the start of the member's part of the volume. */
static struct place in_member(const struct vk_lab_member *m, uint64_t own)
{
	const struct vk_lab_device *d = m->device;
	struct vk_lab_region region;
	struct vk_lvm_pe pe = {0};
	uint64_t skip;

	if (vk_lvm_fixed_pes(&d->header)) {
		uint64_t index = own / VK_LVM_PE_BYTES;

		for (bool more = vk_lab_region_next(d->header.totalBytes, NULL, &region); more;
		     more = vk_lab_region_next(d->header.totalBytes, &region, &region))
			if (index < (uint64_t)region.first_pe + region.pes)
				break;
		vk_lab_pe(d, &region, (uint32_t)index, &pe);
	} else {
		for (uint32_t i = 0; i < d->header.numPEs; i++) {
			vk_lab_pe(d, NULL, i, &pe);
			if (own < pe.lOffset - first_byte(d) + pe.length)
				break;
		}
	}
	skip = own - (pe.lOffset - first_byte(d));
	return (struct place){m->disk, m->base_bytes + pe.pOffset + skip, pe.length - skip};
}

/* False: the volume ends before. */
static bool find_place(const struct vk_lab_fill *f, uint64_t offset, struct place *ret_place)
{
	for (size_t i = 0; i < f->member_count; i++) {
		const struct vk_lab_device *d = f->members[i].device;
		uint64_t first = first_byte(d);

		if (offset >= first && offset - first < d->volume.numPEs * VK_LVM_PE_BYTES) {
			*ret_place = in_member(&f->members[i], offset - first);
			return true;
		}
	}
	return false;
}

enum vk_status vk_lab_volume_status(const struct vk_lab_fill *f)
{
	for (size_t i = 0; i < f->member_count; i++)
		if (f->members[i].disk->failed != VK_OK)
			return f->members[i].disk->failed;
	return VK_OK;
}

/* To the disk, or from it when to is not NULL. */
static enum vk_status transfer(struct vk_lab_fill *f, uint64_t offset, const uint8_t *from, uint8_t *to, uint64_t len)
{
	enum vk_status status = vk_lab_volume_status(f);
	struct place p;

	for (uint64_t n; len > 0 && status == VK_OK; len -= n, offset += n) {
		if (!find_place(f, offset, &p)) {
			vk_error_set(f->err, VK_INTERNAL, NULL, "a file was given a block outside of the volume");
			return vk_error_at(f->err, offset);
		}
		n = vk_min_u64(len, p.bytes);
		if (to != NULL)
			status = vk_lab_get(p.disk, p.offset, to, (size_t)n, f->err);
		else
			status = vk_lab_put(p.disk, p.offset, from, (size_t)n);
		from = from == NULL ? NULL : from + n;
		to = to == NULL ? NULL : to + n;
	}
	return status;
}

enum vk_status vk_lab_volume_put(struct vk_lab_fill *f, uint64_t offset, const void *buf, size_t len)
{
	return transfer(f, offset, buf, NULL, len);
}

enum vk_status vk_lab_volume_get(struct vk_lab_fill *f, uint64_t offset, void *buf, size_t len)
{
	return transfer(f, offset, NULL, buf, len);
}

void vk_lab_volume_blocks(const struct vk_lab_fill *f, unsigned member, uint64_t *ret_first, uint64_t *ret_end)
{
	*ret_first = 0;
	*ret_end = f->files->volume_blocks;
	if (member == 0 || member > f->member_count)
		return;
	*ret_first = first_byte(f->members[member - 1].device) / f->block_bytes;
	*ret_end = *ret_first + f->members[member - 1].device->volume.numPEs * VK_LVM_PE_BYTES / f->block_bytes;
}
