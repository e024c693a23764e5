/* SPDX-License-Identifier: Apache-2.0 */
/* Members of a Linux RAID. Both superblocks: Linux, include/uapi/linux/raid/md_p.h; sums: drivers/md/md.c. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "source/carrier.h"

enum {
	MD_MAGIC = 0xa92b4efc,
	SB_BYTES = 4096,
	ROLES_AT = 256,
	ROLES_MAX = (SB_BYTES - ROLES_AT) / 2,
	ROLE_FAULTY = 0xfffe, /* and a spare: nothing of the array is on it */
	SUM_AT_0 = 38 * 4,    /* sb_csum of version 0.90 */
	SUM_AT_1 = 216        /* of version 1 */
};

/* Words of 32 bits, and what is over of 16, without the sum's own; what is carried out of 32 bits is added again. */
static bool sum_fits(const uint8_t *sb, size_t len, size_t sum_at)
{
	uint64_t sum = 0;
	size_t at = 0;

	for (; at + 4 <= len; at += 4)
		sum += at == sum_at ? 0 : vk_get_le32(sb + at);
	if (at + 2 <= len)
		sum += vk_get_le16(sb + at);
	return (uint32_t)((sum & 0xffffffff) + (sum >> 32)) == vk_get_le32(sb + sum_at);
}

static void name_member(struct vk_layer *layer, const char *version, int32_t level, uint32_t disks)
{
	char kind[24];

	if (level == -1)
		snprintf(kind, sizeof(kind), "linear");
	else if (level == -4)
		snprintf(kind, sizeof(kind), "multipath");
	else
		snprintf(kind, sizeof(kind), "RAID%" PRId32, level);
	snprintf(layer->name, sizeof(layer->name), "a member of a Linux RAID (md %s, %s, %" PRIu32 " disk%s)", version,
		 kind, disks, disks == 1 ? "" : "s");
}

/* One disk of a mirror is enough; of others all that are there are looked for, by the id of their array. */
static void say_how_to_open(struct vk_layer *layer, const char *uuid)
{
	if (layer->whole)
		snprintf(layer->open, sizeof(layer->open), "mdadm --assemble --readonly --run /dev/md127");
	else if (uuid[0] != '\0' && uuid[strspn(uuid, "0123456789abcdef-")] == '\0')
		snprintf(layer->open, sizeof(layer->open), "mdadm --assemble --readonly --uuid=%s /dev/md127", uuid);
	layer->open_takes_device = layer->whole;
	snprintf(layer->device, sizeof(layer->device), "/dev/md127");
}

static void say_sum(struct vk_layer *layer, uint64_t at, bool fits)
{
	snprintf(layer->evidence, sizeof(layer->evidence), "md superblock at byte %" PRIu64 ", its checksum %s", at,
		 fits ? "fits" : "does not fit");
}

/* Every disk of it holds all of it. RAID10: its layout counts near copies, and far ones from bit 8 on; see md(4). */
static bool is_mirror(int32_t level, uint32_t disks, uint32_t layout)
{
	return disks == 1 || level == 1 || level == -4 ||
	       (level == 10 && disks > 0 && (layout & 0xff) == disks && (layout >> 8 & 0xff) == 1);
}

/* Size counts in KiB; the data begins with the device and ends in front of the superblock. */
static bool read_version_0(struct vk_io *io, const struct vk_foreign *found, const uint8_t *sb,
			   struct vk_layers *layers)
{
	struct vk_layer layer = {.name = ""};
	int32_t level = (int32_t)vk_get_le32(sb + 7 * 4);
	uint32_t disks = vk_get_le32(sb + 10 * 4);
	uint64_t at = found->magic_bytes;

	name_member(&layer, "0.90", level, disks);
	say_sum(&layer, at, sum_fits(sb, SB_BYTES, SUM_AT_0));
	layer.whole = is_mirror(level, disks, vk_get_le32(sb + 64 * 4));
	layer.length_bytes = vk_min_u64(at, vk_mul_sat(vk_get_le32(sb + 8 * 4), 1024));
	say_how_to_open(&layer, found->uuid);
	return vk_layers_add(io, &layer, layers);
}

static bool read_version_1(struct vk_io *io, const struct vk_foreign *found, const uint8_t *sb,
			   struct vk_layers *layers)
{
	struct vk_layer layer = {.name = ""};
	int32_t level = (int32_t)vk_get_le32(sb + 72);
	uint32_t disks = vk_get_le32(sb + 92), roles = vk_get_le32(sb + 220), number = vk_get_le32(sb + 160);
	uint64_t at = found->magic_bytes, used = vk_mul_sat(vk_get_le64(sb + 80), 512);
	bool bounded = roles <= ROLES_MAX;

	if (vk_mul_sat(vk_get_le64(sb + 144), 512) != at)
		return true;
	name_member(&layer, at == 0 ? "1.1" : at == 4096 ? "1.2" : "1.0", level, disks);
	say_sum(&layer, at, bounded && sum_fits(sb, ROLES_AT + 2 * (size_t)roles, SUM_AT_1));
	/* ctime and utime: 40 bits of seconds */
	layer.made_s = vk_get_le64(sb + 64) & 0xffffffffff;
	layer.written_s = vk_get_le64(sb + 192) & 0xffffffffff;
	layer.data_bytes = vk_mul_sat(vk_get_le64(sb + 128), 512);
	layer.length_bytes = vk_mul_sat(vk_get_le64(sb + 136), 512);
	if (used != 0 && used < layer.length_bytes)
		layer.length_bytes = used;
	/* the superblock is no part of the data */
	if (layer.data_bytes < at)
		layer.length_bytes = vk_min_u64(layer.length_bytes, at - layer.data_bytes);
	layer.whole = is_mirror(level, disks, vk_get_le32(sb + 76)) &&
		      !(bounded && number < roles && vk_get_le16(sb + ROLES_AT + 2 * (size_t)number) >= ROLE_FAULTY);
	say_how_to_open(&layer, found->uuid);
	return vk_layers_add(io, &layer, layers);
}

bool vk_layers_read_md(struct vk_io *io, const struct vk_foreign *found, struct vk_layers *layers)
{
	uint8_t sb[SB_BYTES];

	if (vk_io_read_all(io, found->magic_bytes, sb, sizeof(sb), NULL) != VK_OK || vk_get_le32(sb) != MD_MAGIC)
		return true;
	if (vk_get_le32(sb + 4) == 0)
		return read_version_0(io, found, sb, layers);
	return vk_get_le32(sb + 4) != 1 || read_version_1(io, found, sb, layers);
}
