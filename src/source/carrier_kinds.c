/* SPDX-License-Identifier: Apache-2.0 */
/* The layers that a signature tells of, for each system that libblkid knows as a part of something else. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "source/carrier.h"

/*
 * Backing devices of bcache: version 1 with data from sector 16 on, later ones say it. Linux,
 * drivers/md/bcache/bcache_ondisk.h (struct cache_sb, BDEV_STATE in bits 61 and 62 of the flags).
 */
static bool read_bcache(struct vk_io *io, struct vk_layers *layers)
{
	enum { SB_AT = 4096, SB_BYTES = 208, DATA_DEFAULT = 16, STATE_DIRTY = 2 };
	struct vk_layer layer = {.whole = true};
	uint8_t sb[SB_BYTES];
	uint64_t version;
	bool dirty;

	if (vk_io_read_all(io, SB_AT, sb, sizeof(sb), NULL) != VK_OK)
		return true;
	version = vk_get_le64(sb + 16);
	dirty = (vk_get_le64(sb + 104) >> 61 & 3) == STATE_DIRTY;
	if (version == 1)
		layer.data_bytes = DATA_DEFAULT * 512;
	else if (version == 4 || version == 6)
		layer.data_bytes = vk_mul_sat(vk_get_le64(sb + 184), 512);
	else
		layer.whole = false;
	if (layer.data_bytes < SB_AT + 512 || layer.data_bytes >= vk_io_size_bytes(io))
		layer.whole = false;
	else
		layer.length_bytes = vk_io_size_bytes(io) - layer.data_bytes;
	snprintf(layer.name, sizeof(layer.name), layer.whole ? "a disk behind bcache" : "a cache of bcache");
	snprintf(layer.evidence, sizeof(layer.evidence), "bcache superblock at byte %d%s", SB_AT,
		 dirty ? ", which says that its cache holds newer data" : "");
	return vk_layers_add(io, &layer, layers);
}

/*
 * Meta data of DRBD at the end: the length agreed upon last comes first, in sectors and big endian. LINBIT's drbd,
 * drbd_meta_data.h (struct meta_data_on_disk_9), and drbdmeta for version 8; the magic is in byte 60 of both.
 */
static bool read_drbd(struct vk_io *io, uint64_t magic_bytes, struct vk_layers *layers)
{
	enum { MAGIC_AT = 60 };
	struct vk_layer layer = {.whole = true};
	uint64_t at = magic_bytes - MAGIC_AT;
	uint8_t head[8];

	if (magic_bytes < MAGIC_AT || vk_io_read_all(io, at, head, sizeof(head), NULL) != VK_OK)
		return true;
	layer.length_bytes = vk_mul_sat((uint64_t)vk_get_be32(head) << 32 | vk_get_be32(head + 4), 512);
	if (layer.length_bytes > at)
		layer.length_bytes = 0;
	snprintf(layer.name, sizeof(layer.name), "a replica of DRBD");
	snprintf(layer.evidence, sizeof(layer.evidence), "DRBD meta data at byte %" PRIu64, at);
	return vk_layers_add(io, &layer, layers);
}

/* Of these it is only said what they are: where the data of one lies, its controller or key knows. */
static bool name_others(struct vk_io *io, const struct vk_foreign *found, struct vk_layers *layers)
{
	static const struct {
		const char *type, *name, *open;
	} rows[] = {{"ddf_raid_member", "a member of a DDF RAID", "mdadm --examine"},
		    {"isw_raid_member", "a member of an Intel RAID", "IMSM_NO_PLATFORM=1 mdadm --examine"},
		    {"zfs_member", "a member of a ZFS pool", ""},
		    {"crypto_LUKS", "an encrypted device (LUKS)", "cryptsetup open --readonly"},
		    {"BitLocker", "an encrypted device (BitLocker)", "cryptsetup open --readonly --type bitlk"}};
	struct vk_layer layer = {.sealed = found->kind == VK_FOREIGN_CRYPTO};
	const char *open = layer.sealed ? "cryptsetup open --readonly" : "";

	snprintf(layer.name, sizeof(layer.name), "%s (%s)",
		 layer.sealed ? "an encrypted device" : "a part of an array or pool", found->type);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (strcmp(found->type, rows[i].type) == 0) {
			snprintf(layer.name, sizeof(layer.name), "%s", rows[i].name);
			open = rows[i].open;
		}
	snprintf(layer.open, sizeof(layer.open), "%s", open);
	layer.open_takes_device = open[0] != '\0';
	snprintf(layer.open_behind, sizeof(layer.open_behind), layer.sealed ? " vmfs" : "");
	snprintf(layer.device, sizeof(layer.device), layer.sealed ? "/dev/mapper/vmfs" : "");
	snprintf(layer.evidence, sizeof(layer.evidence), "the signature of %s at byte %" PRIu64, found->type,
		 found->magic_bytes);
	return vk_layers_add(io, &layer, layers);
}

bool vk_layers_read(struct vk_io *io, const struct vk_foreign *found, struct vk_layers *ret_layers)
{
	size_t before = ret_layers->count;
	bool fine = true;

	if (strcmp(found->type, "linux_raid_member") == 0)
		fine = vk_layers_read_md(io, found, ret_layers);
	else if (strcmp(found->type, "LVM2_member") == 0)
		fine = vk_layers_read_lvm(io, ret_layers);
	else if (strcmp(found->type, "bcache") == 0)
		fine = read_bcache(io, ret_layers);
	else if (strcmp(found->type, "drbd") == 0)
		fine = read_drbd(io, found->magic_bytes, ret_layers);
	return fine && (ret_layers->count > before || name_others(io, found, ret_layers));
}
