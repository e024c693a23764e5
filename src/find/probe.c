/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What stands around a place where a partition may begin: header, volume descriptor, file system, self-locating blocks.
 */
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "evidence/lvm/belief.h"
#include "find/find_parts.h"
#include "vmfskit/heartbeat.h"
#include "vmfskit/lock.h"

enum { HEAD_BYTES = 4096 + 512 };

static void read_volume(const struct vk_finder *f, struct vk_probe *p, const uint8_t *head, size_t got)
{
	static const size_t usual[] = {512, 4096};
	struct vk_lvm_geometry g;
	uint8_t entry[VK_LVM_VOLUME_BYTES];

	if (p->c.has_header) {
		vk_lvm_geometry(&p->lvm, VK_LVM_HEADER_OFFSET, &g);
		if (vk_find_get(f, p->start + (int64_t)g.volume_table, entry, sizeof(entry)) < sizeof(entry))
			return;
		vk_lvm_volume_decode(entry, sizeof(entry), &p->c.volume);
		p->c.has_volume = vk_lvm_volume_named(&p->c.volume) || vk_belief_volume_fits(&p->c.volume, &p->lvm);
		return;
	}
	for (size_t i = 0; i < 2 && !p->c.has_volume; i++) {
		if (got < usual[i] + sizeof(entry))
			return;
		vk_lvm_volume_decode(head + usual[i], sizeof(entry), &p->c.volume);
		p->c.has_volume = vk_lvm_volume_named(&p->c.volume);
	}
	if (!p->c.has_volume)
		memset(&p->c.volume, 0, sizeof(p->c.volume));
}

/* Without its magic a descriptor must name the volume that it lies on. */
static void read_fs(const struct vk_finder *f, struct vk_probe *p, int64_t volume_start)
{
	uint8_t raw[VK_FS_SECTOR_BYTES];
	struct vk_fs_descriptor *fs = &p->c.fs;
	struct vk_fs_descriptor with_magic;
	size_t got = vk_find_get(f, volume_start + (int64_t)VK_FS_OFFSET, raw, sizeof(raw));

	vk_fs_descriptor_decode(raw, got, fs);
	with_magic = *fs;
	p->fs_magic = vk_fs_magic_known(fs->magic);
	if (!p->fs_magic)
		with_magic.magic = VK_FS_MAGIC_VMFS;
	p->c.has_fs = vk_fs_descriptor_usable(&with_magic, got) &&
		      (p->fs_magic || (fs->diskBlockSize == 512 && !vk_vmfs_uuid_is_nil(&fs->volInfo) &&
				       (!p->c.has_volume || vk_vmfs_uuid_equal(&fs->volInfo, &p->c.volume.uuid)) &&
				       vk_fs_version_known(fs->majorVersion)));
}

/*
 * Whether blocks that say where they lie tell the truth, in pieces of the heartbeats (of either size) and of what
 * follows them; only in the first where nothing else stands.
 */
static void sample_blocks(const struct vk_finder *f, struct vk_probe *p, int64_t volume_start, bool thorough)
{
	static const uint32_t places[] = {VK_HEARTBEATS_OFFSET, 0x340000, 0x380000, 0x3f0000, 0x500000, 0x6f0000};
	uint8_t piece[16384];

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		size_t got = vk_find_get(f, volume_start + places[i], piece, sizeof(piece));

		for (size_t at = 0; at + 512 <= got; at += 512) {
			uint32_t word = vk_get_le32(piece + at);
			uint64_t addr = vk_get_le64(piece + at + 4);
			bool slot = word == VK_HB_FREE || word == VK_HB_IN_USE;
			bool counts = slot || (word >= VK_LOCK_FD && word <= VK_LOCK_PB2);

			if (counts && addr == places[i] + at) {
				p->agree++;
				p->slots_agree += slot;
			} else if (counts && addr % 512 == 0 && addr != 0) {
				p->disagree++;
			}
		}
		if (!thorough && p->agree + p->disagree == 0)
			return;
	}
}

static void read_header(const struct vk_finder *f, struct vk_probe *p)
{
	uint8_t head[HEAD_BYTES];
	struct vk_lvm_ext ext;
	size_t got = vk_find_get(f, p->start + (int64_t)VK_LVM_HEADER_OFFSET, head, sizeof(head));

	vk_lvm_device_decode(head, got, &p->c.lvm);
	p->magic = got >= 4 && p->c.lvm.magic == VK_LVM_MAGIC;
	p->c.has_header = vk_belief_device_mended(&p->c.lvm, got < 512 ? got : 512, &p->lvm);
	vk_lvm_ext_decode(head, got, &ext);
	/* its fields make sense as extended metadata: pairs, then offsets that lead upwards */
	p->ext_like = !p->c.has_header && got >= VK_LVM_EXT_BYTES && ext.magic == VK_LVM_MAGIC && ext.numPEMaps >= 1 &&
		      ext.numPEMaps <= VK_LVM_MAPS_PER_REGION && ext.dataOffset > VK_LVM_DATA_OFFSET &&
		      ext.dataOffset % 512 == 0 && (ext.nextOffset == 0 || ext.nextOffset > ext.dataOffset);
	read_volume(f, p, head, got);
	p->c.local = p->c.has_header && p->lvm.majorVersion == 6 && (p->lvm.flags & VK_LVM_FLAG_VMFSL) != 0;
}

bool vk_probe_read(struct vk_finder *f, const struct vk_seed *seed, struct vk_probe *p)
{
	int64_t volume_start;
	struct vk_text text;

	memset(p, 0, sizeof(*p));
	p->start = seed->start;
	p->c.start_before_disk = seed->start < 0;
	p->c.start_bytes = seed->start < 0 ? 0 : (uint64_t)seed->start;
	p->c.inside = SIZE_MAX;
	p->c.found_by = seed->found_by;
	p->c.claimed_bytes = seed->claimed_bytes;
	p->c.table_sound = seed->sound;
	text = vk_text_in(p->c.heard, sizeof(p->c.heard));
	vk_heard_text(f, seed->heard, seed->number, &text);
	if (seed->claimed_bytes != 0)
		p->said[p->said_count++] = (struct vk_said){seed->claimed_bytes, seed->heard, seed->number};
	for (size_t i = 0; i < seed->other_count; i++)
		p->said[p->said_count++] = seed->others[i];
	read_header(f, p);
	p->delta_count = 1;
	p->deltas[0] = seed->later ? seed->delta : p->start + (int64_t)VK_LVM_DATA_OFFSET;
	if (p->c.has_header)
		vk_probe_pes(f, p);
	else if (p->c.has_volume && p->c.volume.firstPE <= INT64_MAX / 4 / VK_LVM_PE_BYTES)
		p->deltas[0] -= (int64_t)(p->c.volume.firstPE * VK_LVM_PE_BYTES);
	volume_start = p->deltas[0];
	p->c.head = !seed->later && (!p->c.has_volume || p->c.volume.firstPE == 0);
	if (p->c.head) {
		read_fs(f, p, volume_start);
		sample_blocks(f, p, volume_start,
			      p->magic || p->c.has_header || p->c.has_volume || p->c.has_fs ||
				      seed->claimed_bytes != 0 || (seed->found_by & VK_FOUND_SELF) != 0);
		p->c.head = p->c.has_volume || p->c.has_fs || p->agree > 0 ||
			    (p->c.has_header &&
			     vk_find_beyond(f, volume_start + (int64_t)VK_FS_OFFSET, VK_FS_SECTOR_BYTES));
	}
	if (p->c.has_fs && p->fs_magic)
		p->c.local = p->c.local || p->c.fs.magic == VK_FS_MAGIC_VMFSL ||
			     p->c.fs.magic == VK_FS_MAGIC_VMFS6L;
	p->c.found_by |= (p->magic ? VK_FOUND_HEADER : 0U) |
			 (p->c.has_fs && p->fs_magic ? VK_FOUND_FS : 0U) |
			 (p->agree > 0 ? VK_FOUND_SELF : 0U);
	return p->magic || p->c.has_header || p->c.has_volume || p->c.has_fs || p->agree >= 2 ||
	       (seed->found_by & (VK_FOUND_HEADER | VK_FOUND_FS | VK_FOUND_SELF)) != 0;
}
