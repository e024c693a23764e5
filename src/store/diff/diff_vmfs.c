/* SPDX-License-Identifier: Apache-2.0 */
/* Compares VMFS partitions: finds which is which, then goes through their structures. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/bytes.h"
#include "base/checked.h"
#include "store/diff/diff_device.h"
#include "store/plan/plan.h"

static bool is_fs(const uint8_t *bytes)
{
	return vk_fs_magic_known(vk_get_le32(bytes));
}

/* The descriptor repeats the identity of the volume that it lies in. */
static bool fs_follows(const struct vk_diff_structure *s, const struct vk_field *field)
{
	const struct vk_diff_device *dev = s->context;
	bool follows = dev->volume_compared;
	bool id = strcmp(field->name, "volInfo") == 0;

	if (!id && strcmp(field->name, "volInfoSnapID") != 0)
		return false;
	for (int side = 0; side < VK_SIDES && follows; side++) {
		const struct vk_lvm_volume *v = &dev->volume.decoded[side].volume;
		const struct vk_fs_descriptor *fs = &s->decoded[side].fs;

		follows = id ? vk_vmfs_uuid_equal(&fs->volInfo, &v->uuid)
			     : fs->volInfoSnapID == v->snapID;
	}
	return follows;
}

static uint64_t fs_offset(const struct vk_diff_device *dev, int side)
{
	const struct vk_vmfs *own = dev->vmfs[side], *other = dev->vmfs[!side];

	if (own != NULL && own->fs_usable)
		return own->fs_offset_bytes;
	if (other != NULL && other->fs_usable)
		return other->fs_offset_bytes;
	return vk_add_sat(vk_plan_data_offset(dev->best), VK_FS_OFFSET);
}

static void compare_fs(struct vk_diff_device *dev)
{
	struct vk_diff_structure s = {.layout = &vk_fs_descriptor_layout,
				      .subject = "file-system descriptor",
				      .partition = dev->partition,
				      .is_one = is_fs,
				      .follows = fs_follows,
				      .context = dev};

	for (int side = 0; side < VK_SIDES; side++)
		s.at[side] = vk_add_sat(dev->base[side], fs_offset(dev, side));
	vk_diff_structure(dev->d, &s);
}

static void compare_beats(struct vk_diff_device *dev)
{
	const struct vk_vmfs *guide = dev->best;
	uint64_t at[VK_SIDES];

	for (int side = 0; side < VK_SIDES; side++)
		if (dev->vmfs[side] != NULL && dev->vmfs[side]->fs_usable && !guide->fs_usable)
			guide = dev->vmfs[side];
	for (int side = 0; side < VK_SIDES; side++) {
		const struct vk_vmfs *own = dev->vmfs[side] != NULL && dev->vmfs[side]->fs_usable
						    ? dev->vmfs[side] : guide;

		at[side] = vk_add_sat(dev->base[side], own->heartbeats.offset_bytes);
	}
	if (guide->fs_usable && guide->heartbeats.geometry.heartbeat_slot_bytes >= VK_HEARTBEAT_BYTES)
		vk_diff_heartbeats(dev->d, dev->partition, at, &guide->heartbeats.geometry);
}

/* Only one side's table names it: whether the volume came or went is one change, not one for each structure. */
static bool tell_single(struct vk_diff_device *dev)
{
	if (dev->vmfs[VK_BEFORE] != NULL && dev->vmfs[VK_AFTER] != NULL)
		return false;
	if (dev->header_compared)
		return false;
	if (dev->header.present[VK_BEFORE] != dev->header.present[VK_AFTER] &&
	    dev->header.held[VK_BEFORE] && dev->header.held[VK_AFTER])
		vk_diff_number_add(dev->d, &dev->d->moved, dev->partition);
	return true;
}

static void compare_device(struct vk_diff_device *dev)
{
	bool head = false;

	vk_diff_lvm_header(dev);
	if (tell_single(dev))
		return;
	vk_diff_lvm_tables(dev);
	for (int side = 0; side < VK_SIDES; side++)
		head |= dev->vmfs[side] != NULL && dev->vmfs[side]->fs_expected;
	if (!head)
		return;
	compare_fs(dev);
	compare_beats(dev);
}

static bool has_header(struct vk_differ *d, int side, uint64_t base)
{
	uint8_t magic[4];

	return vk_diff_read(d, side, vk_add_sat(base, VK_LVM_HEADER_OFFSET), magic, sizeof(magic)) ==
		       sizeof(magic) && vk_diff_is_lvm(magic);
}

/*
 * The table says that the partition begins elsewhere, which is told. Where the volume stayed, it is compared where
 * it is; where it went along, other things lie now at the same places.
 */
static void follow_move(struct vk_diff_device *dev)
{
	struct vk_differ *d = dev->d;

	if (!has_header(d, VK_AFTER, dev->base[VK_AFTER]) && has_header(d, VK_AFTER, dev->base[VK_BEFORE])) {
		dev->base[VK_AFTER] = dev->base[VK_BEFORE];
		dev->vmfs[VK_AFTER] = dev->vmfs[VK_BEFORE];
		dev->best = dev->vmfs[VK_BEFORE];
	} else if (!has_header(d, VK_BEFORE, dev->base[VK_BEFORE]) &&
		   has_header(d, VK_BEFORE, dev->base[VK_AFTER])) {
		dev->base[VK_BEFORE] = dev->base[VK_AFTER];
		dev->vmfs[VK_BEFORE] = dev->vmfs[VK_AFTER];
		dev->best = dev->vmfs[VK_AFTER];
	} else {
		for (int side = 0; side < VK_SIDES; side++)
			if (dev->vmfs[side] != NULL)
				vk_diff_number_add(d, &d->moved, dev->vmfs[side]->partition);
	}
}

static void compare_pair(struct vk_differ *d, const struct vk_vmfs *before, const struct vk_vmfs *after)
{
	const struct vk_vmfs *known = before != NULL ? before : after;
	struct vk_diff_device *dev = known != NULL ? calloc(1, sizeof(*dev)) : NULL;

	if (known == NULL)
		return;
	if (dev == NULL) {
		d->status = vk_no_memory(d->err, d->side[VK_AFTER]->path);
		return;
	}
	dev->d = d;
	dev->vmfs[VK_BEFORE] = before;
	dev->vmfs[VK_AFTER] = after;
	dev->best = before != NULL && (before->lvm_usable || after == NULL || !after->lvm_usable) ? before
												  : after;
	dev->partition = known->partition;
	for (int side = 0; side < VK_SIDES; side++) {
		const struct vk_vmfs *own = dev->vmfs[side] != NULL ? dev->vmfs[side] : dev->vmfs[!side];

		dev->base[side] = vk_plan_base(d->side[dev->vmfs[side] != NULL ? side : !side], own);
	}
	if (before != NULL && after != NULL && dev->base[VK_BEFORE] != dev->base[VK_AFTER])
		follow_move(dev);
	compare_device(dev);
	free(dev);
}

void vk_diff_vmfs(struct vk_differ *d)
{
	struct vk_diff_key *keys[VK_SIDES];
	size_t counts[VK_SIDES], count = 0;
	struct vk_diff_pair *pairs = NULL;
	const struct vk_vmfs *lists[VK_SIDES];
	struct vk_vmfs spare[VK_SIDES];

	for (int side = 0; side < VK_SIDES; side++) {
		lists[side] = vk_plan_partitions(d->side[side], &spare[side], &counts[side]);
		keys[side] = calloc(counts[side] + 1, sizeof(*keys[side]));
		for (size_t i = 0; keys[side] != NULL && i < counts[side]; i++)
			keys[side][i] = (struct vk_diff_key){
				vk_plan_base(d->side[side], &lists[side][i]),
				lists[side][i].partition, i};
	}
	if (keys[VK_BEFORE] != NULL && keys[VK_AFTER] != NULL && d->status == VK_OK)
		count = vk_diff_match(d, keys, counts, &pairs);
	else if (d->status == VK_OK)
		d->status = vk_no_memory(d->err, d->side[VK_AFTER]->path);
	for (size_t i = 0; i < count && d->status == VK_OK; i++) {
		size_t before = pairs[i].index[VK_BEFORE], after = pairs[i].index[VK_AFTER];

		compare_pair(d, before == SIZE_MAX ? NULL : &lists[VK_BEFORE][before],
			     after == SIZE_MAX ? NULL : &lists[VK_AFTER][after]);
	}
	free(keys[VK_BEFORE]);
	free(keys[VK_AFTER]);
	free(pairs);
}
