/* SPDX-License-Identifier: Apache-2.0 */
/* The checks of format reference 4.9, one row each, with what was seen. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/checked.h"
#include "base/shown.h"
#include "find/find_parts.h"

/* Where the first volume descriptor ends at the latest, from the header on: that of LVM6 is aligned. */
enum { VOLUME_END = 4096 + 512 };
static const char not_here[] = "not in the source, or could not be read";

static enum vk_verdict pass_if(bool holds)
{
	return holds ? VK_VERDICT_PASS : VK_VERDICT_FAIL;
}

static void judge_header(const struct vk_finder *f, struct vk_probe *p)
{
	const struct vk_lvm_device *d = &p->c.lvm;
	struct vk_vmfs_uuid_parts id;
	uint32_t most = d->majorVersion == 6 ? 1 : 512;
	bool offset_sound = vk_lvm_data_offset_sound(d->dataOffset);
	uint64_t room = offset_sound && d->totalBytes > d->dataOffset
				? (d->totalBytes - d->dataOffset) / VK_LVM_PE_BYTES
				: 0;

	if (!p->c.has_header &&
	    vk_find_beyond(f, p->start + (int64_t)VK_LVM_HEADER_OFFSET, VK_LVM_DEVICE_BYTES)) {
		vk_judge_row(p, VK_CHECK_MAGIC, VK_VERDICT_UNKNOWN, "%s%s", p->magic ? "the rest of it is " : "",
			     not_here);
		return;
	}
	if (p->magic)
		vk_judge_row(p, VK_CHECK_MAGIC, pass_if(vk_lvm_version_known(d->majorVersion)), "LVM %u.%u",
			     d->majorVersion, d->minorVersion);
	else
		vk_judge_row(p, VK_CHECK_MAGIC, VK_VERDICT_FAIL, p->c.has_header
				     ? "0x%08x instead of the magic; the other fields fit"
				     : "0x%08x, no LVM header", d->magic);
	if (!p->magic && !p->c.has_header)
		return;
	vk_judge_row(p, VK_CHECK_BLOCK_SIZE, pass_if(vk_lvm_block_size_sound(d->diskBlockSize)), "%u bytes",
		     d->diskBlockSize);
	vk_judge_row(p, VK_CHECK_TOTAL_BYTES, pass_if(vk_lvm_total_bytes_sound(d)), "%" PRIu64 " bytes", d->totalBytes);
	vk_judge_row(p, VK_CHECK_DATA_OFFSET,
		     pass_if(offset_sound && (!p->c.has_header || d->dataOffset == p->lvm.dataOffset)),
		     "0x%" PRIx64 "%s", d->dataOffset,
		     d->dataOffset == VK_LVM_DATA_OFFSET || !offset_sound ? "" : ", unusual");
	/* on LVM6 these mean something else, and regions of metadata take the place of some on large devices */
	if (vk_lvm_fixed_pes(&p->lvm) && offset_sound)
		vk_judge_row(p, VK_CHECK_NUM_PES, pass_if(d->extDevMetadataOffset == 0 ? d->numPEs == room :
			     d->numPEs <= room && d->numPEs + 8 >= room), "%u, room for %" PRIu64, d->numPEs, room);
	if (vk_lvm_fixed_pes(&p->lvm))
		vk_judge_row(p, VK_CHECK_LAST_PE, pass_if(d->numPEs != 0 && d->lastPEIndex == d->numPEs - 1),
			     "%u of %u", d->lastPEIndex, d->numPEs);
	vk_vmfs_uuid_decode(&d->devID, &id);
	vk_judge_row(p, VK_CHECK_INIT_TIME, pass_if(d->initTimeUS / 1000000 == id.timeLo), "%" PRIu64 " and %u",
		     d->initTimeUS / 1000000, id.timeLo);
	vk_judge_row(p, VK_CHECK_NUM_VOLUMES, pass_if(d->numVolumes >= 1 && d->numVolumes <= most), "%u",
		     d->numVolumes);
}

static void judge_volume(const struct vk_finder *f, struct vk_probe *p)
{
	const struct vk_lvm_volume *v = &p->c.volume;
	uint64_t bytes = (uint64_t)v->numPEs * VK_LVM_PE_BYTES;
	uint64_t created = v->creationTimeUS / 1000000;
	struct vk_vmfs_uuid_parts id;

	if (!p->c.has_volume) {
		if (p->c.has_header && vk_find_beyond(f, p->start + (int64_t)VK_LVM_HEADER_OFFSET, VOLUME_END))
			vk_judge_row(p, VK_CHECK_VOLUME_NAME, VK_VERDICT_UNKNOWN, "%s", not_here);
		else if (p->c.has_header && p->c.lvm.numVolumes != 0)
			vk_judge_row(p, VK_CHECK_VOLUME_NAME, VK_VERDICT_FAIL, "no volume descriptor");
		return;
	}
	vk_judge_row(p, VK_CHECK_VOLUME_NAME, pass_if(vk_lvm_volume_named(v)), "%s", "");
	vk_label_into(p->c.checks[VK_CHECK_VOLUME_NAME].seen, sizeof(p->c.checks[0].seen), v->name, sizeof(v->name));
	vk_judge_row(p, VK_CHECK_PE_RANGE, pass_if(v->lastPE >= v->firstPE && v->lastPE - v->firstPE + 1 == v->numPEs),
		     "%" PRIu64 " to %" PRIu64 ", %u", v->firstPE, v->lastPE, v->numPEs);
	/* of several devices only all together make up the size */
	if (v->numDevs <= 1)
		vk_judge_row(p, VK_CHECK_LOGICAL_SIZE, pass_if(v->logicalSize == bytes),
			     "%" PRIu64 " bytes, extents of %" PRIu64, v->logicalSize, bytes);
	vk_vmfs_uuid_decode(&v->uuid, &id);
	vk_judge_row(p, VK_CHECK_VOLUME_TIME,
		     pass_if((created > id.timeLo ? created - id.timeLo : id.timeLo - created) <= 60),
		     "%" PRIu64 " and %u", created, id.timeLo);
}

static void judge_fs(const struct vk_finder *f, struct vk_probe *p)
{
	const struct vk_fs_descriptor *fs = &p->c.fs;
	bool names = !p->c.has_volume || vk_vmfs_uuid_equal(&fs->volInfo, &p->c.volume.uuid);

	if (!p->c.head) {
		if (p->c.has_volume)
			vk_judge_row(p, VK_CHECK_FS_DESCRIPTOR, VK_VERDICT_UNKNOWN,
				     "on the volume's first device, not here");
		return;
	}
	if (!p->c.has_fs && vk_find_beyond(f, p->deltas[0] + (int64_t)VK_FS_OFFSET, VK_FS_SECTOR_BYTES))
		vk_judge_row(p, VK_CHECK_FS_DESCRIPTOR, VK_VERDICT_UNKNOWN, "%s", not_here);
	else if (!p->c.has_fs)
		vk_judge_row(p, VK_CHECK_FS_DESCRIPTOR, VK_VERDICT_FAIL, "0x%08x, no usable descriptor", fs->magic);
	else if (!p->fs_magic)
		vk_judge_row(p, VK_CHECK_FS_DESCRIPTOR, VK_VERDICT_FAIL,
			     "0x%08x instead of the magic; the other fields fit", fs->magic);
	else
		vk_judge_row(p, VK_CHECK_FS_DESCRIPTOR, pass_if(names), "%s volume %s", names ? "of" : "of another",
			     vk_vmfs_uuid_text(&fs->volInfo).text);
}

/* Self-location, with the votes of a scan when there was one. */
static void judge_self(const struct vk_finder *f, struct vk_probe *p)
{
	struct vk_vote *sum = &p->c.vote;
	uint64_t agree = p->agree;

	memset(sum, 0, sizeof(*sum));
	for (size_t i = 0; i < f->vote_count; i++)
		for (size_t k = 0; k < p->delta_count; k++)
			if (f->votes[i].volume_start_bytes == p->deltas[k] && f->votes[i].blocks > sum->blocks)
				*sum = f->votes[i];
	agree = vk_max_u64(agree, sum->blocks);
	if (sum->blocks > 0)
		p->c.found_by |= VK_FOUND_SELF;
	if (agree < 2 && p->disagree == 0)
		return;
	if (p->disagree > p->agree / 8 || agree < 2)
		vk_judge_row(p, VK_CHECK_SELF_LOCATION, VK_VERDICT_FAIL, "%" PRIu64 " blocks agree, %" PRIu64
			     " belong to another volume", p->agree, p->disagree);
	else
		vk_judge_row(p, VK_CHECK_SELF_LOCATION, VK_VERDICT_PASS, "%" PRIu64 " blocks agree", agree);
}

void vk_judge_rows(const struct vk_finder *f, struct vk_probe *p)
{
	judge_header(f, p);
	judge_volume(f, p);
	judge_fs(f, p);
	judge_self(f, p);
	vk_judge_length(f, p);
}

/* Signatures of others that lie over it, and not only somewhere in what it stores. */
void vk_judge_foreign(const struct vk_finder *f, struct vk_probe *p)
{
	uint64_t end = vk_add_sat(p->c.start_bytes, p->c.length_bytes);

	if (f->foreign == NULL || p->c.length_bytes == 0)
		return;
	vk_judge_row(p, VK_CHECK_NOT_FOREIGN, VK_VERDICT_PASS, "no other signature");
	for (size_t i = 0; i < f->foreign->count; i++) {
		const struct vk_foreign *x = &f->foreign->items[i];
		uint64_t x_end = vk_add_sat(x->start_bytes, vk_max_u64(x->length_bytes, 512));

		if (x->start_bytes >= end || x_end <= p->c.start_bytes)
			continue;
		vk_judge_row(p, VK_CHECK_NOT_FOREIGN, VK_VERDICT_FAIL, "%s from byte %" PRIu64, x->type,
			     x->start_bytes);
		return;
	}
}

bool vk_probe_whole(const struct vk_probe *p)
{
	static const enum vk_find_check pass[] = {VK_CHECK_MAGIC,	VK_CHECK_BLOCK_SIZE,  VK_CHECK_TOTAL_BYTES,
						  VK_CHECK_DATA_OFFSET, VK_CHECK_NUM_VOLUMES, VK_CHECK_PE_RANGE,
						  VK_CHECK_PE_TABLES};
	static const enum vk_find_check not_fail[] = {VK_CHECK_NUM_PES, VK_CHECK_LAST_PE, VK_CHECK_LOGICAL_SIZE,
						      VK_CHECK_SELF_LOCATION};
	const struct vk_check *rows = p->c.checks;

	if (!p->c.has_header || !p->c.has_volume || p->c.told_bytes == 0)
		return false;
	for (size_t i = 0; i < sizeof(pass) / sizeof(pass[0]); i++)
		if (rows[pass[i]].verdict != VK_VERDICT_PASS)
			return false;
	for (size_t i = 0; i < sizeof(not_fail) / sizeof(not_fail[0]); i++)
		if (rows[not_fail[i]].verdict == VK_VERDICT_FAIL)
			return false;
	return !p->c.head || (rows[VK_CHECK_FS_DESCRIPTOR].verdict == VK_VERDICT_PASS &&
			      rows[VK_CHECK_SELF_LOCATION].verdict == VK_VERDICT_PASS);
}
