/* SPDX-License-Identifier: Apache-2.0 */
/* Identities that are made new where the old ones survive nowhere: the same on every run, and recognisable. */
#include <openssl/sha.h>
#include <string.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "rebuild/header/lvm_case.h"

const uint8_t vk_made_here[6] = {0x02, 'v', 'm', 'f', 's', 'k'};

/* What tells this volume from others, and does not change when its headers are mended. */
static void digest_volume(const struct vk_lvm_case *c, uint8_t ret_digest[SHA256_DIGEST_LENGTH])
{
	enum { BEHIND_HEARTBEATS = 0x400000, PIECE_BYTES = 65536 };
	uint64_t at = vk_add_sat(c->sizes.data_offset, BEHIND_HEARTBEATS);
	uint8_t piece[24 + PIECE_BYTES] = {0};

	if (c->fs_believed || c->volume_believed) {
		const struct vk_vmfs_uuid *id = c->fs_believed ? &c->fs.volInfo : &c->v0.uuid;

		SHA256(id->b, sizeof(id->b), ret_digest);
		return;
	}
	vk_put_le64(piece, c->work->self.file_blocks);
	vk_put_le64(piece + 8, c->work->self.file_block_bytes);
	vk_put_le64(piece + 16, c->work->self.creation_time);
	if (!vk_work_get(c->work, at, piece + 24, PIECE_BYTES))
		memset(piece + 24, 0, PIECE_BYTES);
	SHA256(piece, sizeof(piece), ret_digest);
}

void vk_lvm_fresh_uuid(const struct vk_lvm_case *c, const char *what, uint32_t seconds,
		       struct vk_vmfs_uuid *ret_uuid)
{
	struct vk_vmfs_uuid_parts parts = {.timeLo = seconds};
	uint8_t seed[SHA256_DIGEST_LENGTH + 8 + 16] = {0}, digest[SHA256_DIGEST_LENGTH];

	digest_volume(c, seed);
	vk_put_le64(seed + SHA256_DIGEST_LENGTH, c->sizes.first_pe);
	memcpy(seed + SHA256_DIGEST_LENGTH + 8, what, vk_min_u64(strlen(what), 16));
	SHA256(seed, sizeof(seed), digest);
	parts.timeHi = vk_get_le32(digest);
	parts.rand = vk_get_le16(digest + 4);
	memcpy(parts.macAddr, vk_made_here, sizeof(parts.macAddr));
	vk_vmfs_uuid_encode(&parts, ret_uuid);
}

uint32_t vk_lvm_made_at(const struct vk_lvm_case *c, const char **ret_from)
{
	uint64_t volume = c->v0.creationTimeUS / 1000000;

	*ret_from = "creationTime of the file-system descriptor";
	if (c->fs_believed && c->fs.creationTime != 0)
		return c->fs.creationTime;
	*ret_from = "creationTimeUS of the volume descriptor";
	if (c->volume_believed && volume != 0 && vk_same_event(volume, vk_uuid_seconds(&c->v0.uuid)))
		return (uint32_t)volume;
	*ret_from = "initTimeUS of the device header";
	if (c->device_believed && c->d0.initTimeUS != 0 && c->d0.initTimeUS / 1000000 == vk_uuid_seconds(&c->d0.devID))
		return (uint32_t)(c->d0.initTimeUS / 1000000);
	*ret_from = "the system files";
	return c->work->self.creation_time;
}
