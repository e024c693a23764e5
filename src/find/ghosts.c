/* SPDX-License-Identifier: Apache-2.0 */
/* What is no volume of this disk: the sentences that name each kind, and the evidence that tells them apart. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "find/find_parts.h"

bool vk_probe_self(const struct vk_probe *p)
{
	return p->c.checks[VK_CHECK_SELF_LOCATION].verdict == VK_VERDICT_PASS;
}

void vk_stand(struct vk_probe *p, enum vk_standing standing, size_t inside, const char *why, ...)
{
	va_list args;

	p->c.standing = standing;
	p->c.inside = inside;
	va_start(args, why);
	vsnprintf(p->c.why, sizeof(p->c.why), why, args);
	va_end(args);
}

void vk_ghost_dismiss(const struct vk_finder *f, struct vk_probe *p)
{
	bool header = p->magic && vk_find_beyond(f, p->start + (int64_t)VK_LVM_HEADER_OFFSET, VK_LVM_DEVICE_BYTES);
	bool fs = p->fs_magic && vk_find_beyond(f, p->deltas[0] + (int64_t)VK_FS_OFFSET, VK_FS_SECTOR_BYTES);

	if (header || fs)
		vk_stand(p, VK_STANDING_UNKNOWN, SIZE_MAX, "the first bytes of %s%s; the rest of it is not in the "
			 "source", header ? "an LVM header" : "a file-system descriptor",
			 header && fs ? ", and of a file-system descriptor where it would be" : "");
	else if (p->ext_like)
		vk_stand(p, VK_GHOST_METADATA, SIZE_MAX,
			 "extended metadata of a large device: pairs of PE tables and the "
			 "places of data and of the next region stand where a header has version and sizes");
	else if (p->c.has_header)
		vk_stand(p, VK_GHOST_INSIDE, SIZE_MAX,
			 "a lone header: without volume descriptor, PE tables or file system in their places; it is "
			 "a copy that somebody saved");
	else if (p->magic || (p->c.found_by & VK_FOUND_HEADER) != 0)
		vk_stand(p, VK_GHOST_NOISE, SIZE_MAX, "the magic of an LVM header and nothing that fits it");
	else
		vk_stand(p, VK_GHOST_NOISE, SIZE_MAX, "nothing but a trace: too little to be a volume");
}

uint64_t vk_nested_table(const struct vk_finder *f, const struct vk_probe *p, int64_t outer_start, bool sure)
{
	for (size_t i = 0; i < vk_find_usual_start_count; i++) {
		uint64_t sectors = vk_find_usual_starts[i];
		int64_t disk = p->start - (int64_t)(sectors * 512);
		uint8_t raw[1024];

		if (sectors == 0 || disk <= outer_start ||
		    vk_find_get(f, disk, raw, sizeof(raw)) < sizeof(raw) || raw[510] != 0x55 || raw[511] != 0xaa)
			continue;
		/* bytes that no EBR has: a GPT behind it, boot code or a disk signature */
		if (sure && vk_all_zero(raw, VK_MBR_ENTRY_OFFSET) && !vk_gpt_has_signature(raw + 512, 512))
			continue;
		if (vk_gpt_has_signature(raw + 512, 512))
			return (uint64_t)disk;
		for (size_t k = 0; k < 4; k++)
			if (vk_get_le32(raw + VK_MBR_ENTRY_OFFSET + 16 * k + 8) == sectors)
				return (uint64_t)disk;
	}
	return UINT64_MAX;
}

void vk_ghost_earlier(struct vk_probe *p, const struct vk_probe *now, size_t now_index)
{
	char then_text[40] = "", now_text[40] = "";
	struct vk_text text;

	if (p->c.has_header && now->c.has_header) {
		text = vk_text_in(then_text, sizeof(then_text));
		vk_text_time_us(&text, p->c.lvm.modTimeUS);
		text = vk_text_in(now_text, sizeof(now_text));
		vk_text_time_us(&text, now->c.lvm.initTimeUS);
		vk_stand(p, VK_GHOST_EARLIER, now_index,
			 "an earlier format of this disk, last changed %s: the volume at byte %" PRIu64
			 ", made %s, lies over it",
			 then_text, now->c.start_bytes, now_text);
		return;
	}
	vk_stand(p, VK_GHOST_EARLIER, now_index,
		 "an earlier format of this disk: the volume at byte %" PRIu64 " lies over it", now->c.start_bytes);
}

void vk_ghost_inside(const struct vk_finder *f, struct vk_probe *p, const struct vk_probe *outer, size_t outer_index)
{
	bool headers = p->c.has_header && outer->c.has_header;
	uint64_t table = vk_nested_table(f, p, outer->start, false);
	uint64_t at = outer->c.start_bytes;

	if (headers && vk_vmfs_uuid_equal(&p->c.lvm.devID, &outer->c.lvm.devID))
		vk_stand(p, VK_GHOST_INSIDE, outer_index, "a copy of the header of the volume at byte %" PRIu64
		      ", stored inside it", at);
	else if (table != UINT64_MAX)
		vk_stand(p, VK_GHOST_NESTED, outer_index, "the disk of a virtual machine in the volume at byte %" PRIu64
		      ": its own partition table stands at byte %" PRIu64, at, table);
	else if (!vk_probe_self(p) || (!p->c.has_fs && !(p->agree > 0 && p->slots_agree > 0)))
		vk_stand(p, VK_GHOST_INSIDE, outer_index, p->c.has_header || p->c.has_fs
		      ? "a copy inside the volume at byte %" PRIu64 ": its own file system is not where it should be"
		      : "copies of metadata inside the volume at byte %" PRIu64 ", without header and descriptor", at);
	else if (headers && p->c.lvm.modTimeUS < outer->c.lvm.initTimeUS)
		vk_ghost_earlier(p, outer, outer_index);
	else
		vk_stand(p, VK_GHOST_NESTED, outer_index, "a volume inside the data of the one at byte %" PRIu64
		      ": the disk of a virtual machine, or a dump of another disk", at);
}

void vk_ghost_outside(struct vk_probe *p)
{
	vk_stand(p, VK_GHOST_OUTSIDE, SIZE_MAX,
		 "it would reach %s: the disk is shorter now, or not all of it is here%s",
		 p->c.checks[VK_CHECK_INSIDE_DISK].seen, vk_probe_whole(p) ? "; all else holds" : "");
}

/* It ends behind a source that may be the beginning of the disk only. */
static bool reaches_beyond(const struct vk_finder *f, const struct vk_probe *p)
{
	return f->may_be_part && !p->c.start_before_disk &&
	       vk_add_sat(p->c.start_bytes, p->c.length_bytes) > f->size_bytes;
}

/* A header, and nothing of what is in the source contradicts it. */
static bool holds_as_far(const struct vk_probe *p)
{
	for (int i = 0; i < VK_CHECK_COUNT; i++)
		if (p->c.checks[i].verdict == VK_VERDICT_FAIL && i != VK_CHECK_VOLUME_NAME && i != VK_CHECK_VOLUME_TIME)
			return false;
	return p->magic && p->c.has_header && p->c.told_bytes != 0;
}

bool vk_stand_in_part(const struct vk_finder *f, struct vk_probe *p)
{
	bool whole = vk_probe_whole(p);

	if (!reaches_beyond(f, p) || !(whole || holds_as_far(p)))
		return false;
	p->c.absent_bytes = vk_add_sat(p->c.start_bytes, p->c.length_bytes) - f->size_bytes;
	vk_stand(p, VK_STANDING_LIVING, SIZE_MAX, "%s%s; its last %" PRIu64 " bytes are not in this file",
		 "header, volume and extents agree",
		 !whole    ? " as far as they are in it"
		 : p->c.head ? ", the file system names this volume, its blocks are in their place"
			   : "; its file system begins on another device",
		 p->c.absent_bytes);
	return true;
}
