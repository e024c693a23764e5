/* SPDX-License-Identifier: Apache-2.0 */
/* Where else an intruder wrote for certain: copies of its superblock that carry the same UUID. */
#include <string.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "doctor/doctor.h"

enum { COPIES_MAX = 1024 };

static bool mark(struct vk_doctor *doc, size_t intruder, uint64_t offset, uint64_t length)
{
	struct vk_stretch s = {.offset_bytes = offset - offset % VK_UNIT_BYTES,
			       .area = SIZE_MAX,
			       .intruder = intruder,
			       .damage = VK_DAMAGE_FOREIGN};

	s.length_bytes = vk_round_up_sat(offset + length, VK_UNIT_BYTES) - s.offset_bytes;
	if (s.offset_bytes >= doc->source.size_bytes)
		return true;
	s.length_bytes = vk_min_u64(s.length_bytes, doc->source.size_bytes - s.offset_bytes);
	/* zeros at its end may have been there before */
	for (; s.length_bytes > VK_UNIT_BYTES; s.length_bytes -= VK_UNIT_BYTES) {
		uint8_t unit[VK_UNIT_BYTES];

		if (vk_doctor_read(doc, s.offset_bytes + s.length_bytes - VK_UNIT_BYTES, unit, sizeof(unit)) == 0 ||
		    !vk_all_zero(unit, sizeof(unit)))
			break;
	}
	return vk_stretch_add(doc, &s);
}

static bool read_here(struct vk_doctor *doc, uint64_t start, uint64_t in_fs, uint8_t *buf, size_t len)
{
	uint64_t at;

	return vk_add_u64(start, in_fs, &at) && vk_doctor_read(doc, at, buf, len) == len;
}

/* The next group with a copy: any; since sparse_super the first, and powers of 3, 5 and 7. */
static uint64_t next_copy(uint64_t group, bool sparse)
{
	static const uint64_t bases[] = {3, 5, 7};
	uint64_t next = UINT64_MAX;

	if (group == 0 || !sparse)
		return group + 1;
	for (size_t i = 0; i < sizeof(bases) / sizeof(bases[0]); i++) {
		uint64_t power = bases[i];

		while (power <= group)
			power = vk_mul_sat(power, bases[i]);
		next = vk_min_u64(next, power);
	}
	return next;
}

static bool mark_ext(struct vk_doctor *doc, size_t intruder, uint64_t start)
{
	uint8_t sb[1024], copy[1024];
	uint64_t block, per_group, groups, blocks;
	bool sparse;

	if (!read_here(doc, start, 1024, sb, sizeof(sb)) || vk_get_le16(sb + 0x38) != 0xEF53 ||
	    vk_get_le32(sb + 0x18) > 6)
		return true;
	block = 1024ULL << vk_get_le32(sb + 0x18);
	per_group = vk_get_le32(sb + 0x20);
	blocks = vk_get_le32(sb + 4) | (uint64_t)vk_get_le32(sb + 0x150) << 32;
	if (per_group < 256 || blocks == 0)
		return true;
	sparse = (vk_get_le32(sb + 0x64) & 1) != 0;
	groups = (blocks - 1) / per_group + 1;
	for (uint64_t g = 1, looked = 0; g < groups && looked < COPIES_MAX; g = next_copy(g, sparse), looked++) {
		uint64_t at = vk_mul_sat(vk_add_sat(vk_get_le32(sb + 0x14), g * per_group), block);

		if (vk_add_sat(start, at) >= doc->source.size_bytes)
			break;
		if (!read_here(doc, start, at, copy, sizeof(copy)) || vk_get_le16(copy + 0x38) != 0xEF53 ||
		    memcmp(copy + 0x68, sb + 0x68, 16) != 0)
			continue;
		if (!mark(doc, intruder, start + at, sizeof(copy)))
			return false;
	}
	return true;
}

static bool mark_xfs(struct vk_doctor *doc, size_t intruder, uint64_t start)
{
	uint8_t sb[512], copy[512];
	uint64_t group_bytes, groups;

	if (!read_here(doc, start, 0, sb, sizeof(sb)) || memcmp(sb, "XFSB", 4) != 0)
		return true;
	group_bytes = vk_mul_sat(vk_get_be32(sb + 84), vk_get_be32(sb + 4));
	groups = vk_min_u64(vk_get_be32(sb + 88), COPIES_MAX);
	if (group_bytes < 1 << 20)
		return true;
	for (uint64_t g = 1; g < groups; g++) {
		uint64_t at = vk_mul_sat(g, group_bytes);

		if (read_here(doc, start, at, copy, sizeof(copy)) && memcmp(copy, "XFSB", 4) == 0 &&
		    memcmp(copy + 32, sb + 32, 16) == 0 && !mark(doc, intruder, start + at, sizeof(copy)))
			return false;
	}
	return true;
}

/* The copy of the boot sector behind the last cluster, and the first records of the MFT. */
static bool mark_ntfs(struct vk_doctor *doc, size_t intruder, uint64_t start)
{
	enum { RECORD_BYTES = 1024, RECORDS = 16 };
	uint8_t boot[512], piece[512];
	uint64_t sector, at, mft;

	if (!read_here(doc, start, 0, boot, sizeof(boot)) || memcmp(boot + 3, "NTFS    ", 8) != 0)
		return true;
	sector = vk_get_le16(boot + 0x0B);
	if (sector != 512 && sector != 4096)
		return true;
	mft = vk_mul_sat(vk_mul_sat(vk_get_le64(boot + 0x30), boot[0x0D]), sector);
	for (unsigned i = 0; i < RECORDS; i++)
		if (read_here(doc, start, vk_add_sat(mft, i * RECORD_BYTES), piece, sizeof(piece)) &&
		    memcmp(piece, "FILE", 4) == 0 &&
		    !mark(doc, intruder, start + mft + (uint64_t)i * RECORD_BYTES, RECORD_BYTES))
			return false;
	at = vk_mul_sat(vk_get_le64(boot + 0x28), sector);
	if (read_here(doc, start, at, piece, sizeof(piece)) && memcmp(piece, boot, sizeof(boot)) == 0)
		return mark(doc, intruder, start + at, sizeof(piece));
	return true;
}

bool vk_intruder_marks(struct vk_doctor *doc, size_t intruder)
{
	const struct vk_foreign *f = &doc->find.foreign.items[intruder];

	if (!mark(doc, intruder, f->magic_bytes, 1))
		return false;
	if (strncmp(f->type, "ext", 3) == 0)
		return mark_ext(doc, intruder, f->start_bytes);
	if (strcmp(f->type, "xfs") == 0)
		return mark_xfs(doc, intruder, f->start_bytes);
	if (strncmp(f->type, "ntfs", 4) == 0 || strncmp(f->type, "NTFS", 4) == 0)
		return mark_ntfs(doc, intruder, f->start_bytes);
	return true;
}
