/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether another system's file system or pool is in use. Whoever makes one over a LUN by mistake has an empty one:
 * each reader asks for what only use leaves there, and says no where it cannot tell.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "source/ext.h"
#include "source/use.h"
#include "vmfskit/text.h"

struct subject {
	struct vk_io *io;
	uint64_t start, room;
	struct vk_use *use;
};

static bool read_from(const struct subject *s, uint64_t at, void *buf, size_t len)
{
	return at < s->room && s->room - at >= len &&
	       vk_io_read_all(s->io, vk_add_sat(s->start, at), buf, len, NULL) == VK_OK;
}

static uint64_t be64_at(const uint8_t *p)
{
	return (uint64_t)vk_get_be32(p) << 32 | vk_get_be32(p + 4);
}

static void say_time(struct vk_use *use, const char *word)
{
	size_t used = strlen(use->why);
	struct vk_text text;

	if (use->written_s == 0)
		return;
	text = vk_text_in(use->why + used, sizeof(use->why) - used);
	vk_text_put(&text, word);
	vk_text_time_s(&text, use->written_s);
}

static void read_ext(const struct subject *s)
{
	struct vk_ext fs;

	if (!vk_ext_open(s->io, s->start, &fs) || fs.length_bytes > s->room || !vk_ext_whole(&fs))
		return;
	s->use->in_use = fs.files > 0;
	s->use->proved = true;
	s->use->written_s = vk_max_u64(fs.written_s, fs.mounted_s);
	if (fs.files > 0)
		snprintf(s->use->why, sizeof(s->use->why), "it holds %" PRIu64 " file%s, directories counted", fs.files,
			 fs.files == 1 ? "" : "s");
	else
		snprintf(s->use->why, sizeof(s->use->why), "it holds no files");
	say_time(s->use, ", last written ");
}

/*
 * sb_inprogress, sb_icount, sb_ifree; XFS Algorithms and Data Structures. mkfs.xfs uses three inodes, quotas and later
 * versions a few more.
 */
static void read_xfs(const struct subject *s)
{
	enum { MADE_MAX = 16 };
	uint8_t sb[512], copy[512];
	uint64_t group, used;

	if (!read_from(s, 0, sb, sizeof(sb)) || memcmp(sb, "XFSB", 4) != 0 || sb[126] != 0)
		return;
	group = vk_mul_sat(vk_get_be32(sb + 84), vk_get_be32(sb + 4));
	if (vk_mul_sat(be64_at(sb + 8), vk_get_be32(sb + 4)) > s->room || be64_at(sb + 128) < be64_at(sb + 136) ||
	    !read_from(s, group, copy, sizeof(copy)) || memcmp(copy, "XFSB", 4) != 0 ||
	    memcmp(sb + 32, copy + 32, 16) != 0)
		return;
	used = be64_at(sb + 128) - be64_at(sb + 136);
	s->use->in_use = used > MADE_MAX;
	s->use->proved = true;
	snprintf(s->use->why, sizeof(s->use->why), "%" PRIu64 " of its inodes are in use", used);
}

/*
 * Whether the root of the tree of chunks stands where the superblock's own list of chunks has it on this device, of the
 * same file system and generation. A superblock outlives its file system in the gap in front of a first partition.
 */
static bool btrfs_tree_stands(const struct subject *s, const uint8_t *sb)
{
	enum {
		ARRAY_AT = 811, ARRAY_MAX = 2048, KEY_BYTES = 17, CHUNK_BYTES = 48, STRIPE_BYTES = 32,
		NODE_BYTES = 101
	};
	const uint8_t *array = sb + ARRAY_AT, *fsid = sb + 32, *metadata_id = sb + 571;
	uint64_t root = vk_get_le64(sb + 88), device = vk_get_le64(sb + 201), first, stripes;
	uint32_t length = vk_get_le32(sb + 160), stripes_at;
	uint8_t node[NODE_BYTES];

	for (uint32_t at = 0; length <= ARRAY_MAX && at + KEY_BYTES + CHUNK_BYTES <= length;
	     at = stripes_at + (uint32_t)stripes * STRIPE_BYTES) {
		first = vk_get_le64(array + at + 9);
		stripes = vk_get_le16(array + at + KEY_BYTES + 44);
		stripes_at = at + KEY_BYTES + CHUNK_BYTES;
		if (root < first || root - first >= vk_get_le64(array + at + KEY_BYTES))
			continue;
		for (uint64_t i = 0; i < stripes && stripes_at + (i + 1) * STRIPE_BYTES <= length; i++) {
			const uint8_t *stripe = array + stripes_at + i * STRIPE_BYTES;

			if (vk_get_le64(stripe) == device &&
			    read_from(s, vk_add_sat(vk_get_le64(stripe + 8), root - first), node, sizeof(node)) &&
			    (memcmp(node + 32, fsid, 16) == 0 || memcmp(node + 32, metadata_id, 16) == 0) &&
			    vk_get_le64(node + 48) == root && vk_get_le64(node + 80) == vk_get_le64(sb + 164))
				return true;
		}
	}
	return false;
}

/*
 * generation, chunk_root, total_bytes, bytes_used, sys_chunk_array, checksum; Linux, include/uapi/linux/btrfs_tree.h
 * (struct btrfs_super_block, btrfs_chunk, btrfs_header).
 */
static void read_btrfs(const struct subject *s)
{
	enum { SUPER_AT = 65536, MADE_GENERATIONS = 16, MADE_BYTES = 4 << 20 };
	uint8_t sb[4096];

	if (!read_from(s, SUPER_AT, sb, sizeof(sb)) || memcmp(sb + 64, "_BHRfS_M", 8) != 0 ||
	    vk_get_le64(sb + 48) != SUPER_AT)
		return;
	if (!btrfs_tree_stands(s, sb)) {
		snprintf(s->use->why, sizeof(s->use->why), "a superblock of generation %" PRIu64 ", and its tree is "
			 "not where it says", vk_get_le64(sb + 72));
		return;
	}
	s->use->in_use = vk_get_le64(sb + 72) > MADE_GENERATIONS && vk_get_le64(sb + 120) > MADE_BYTES;
	s->use->proved = vk_get_le16(sb + 196) == 0 && ~vk_crc32c(~0U, sb + 32, sizeof(sb) - 32) == vk_get_le32(sb);
	snprintf(s->use->why, sizeof(s->use->why), "%" PRIu64 " bytes in it are in use, in generation %" PRIu64,
		 vk_get_le64(sb + 120), vk_get_le64(sb + 72));
}

/*
 * How much of the file table was ever written, in its own record: attribute 0x80, initialised size. Windows makes it
 * with 256 records. Offsets as public NTFS references give them (Linux-NTFS, "NTFS documentation").
 */
static void read_ntfs(const struct subject *s)
{
	enum { MADE_RECORDS = 1024, RECORD_BYTES = 1024 };
	uint8_t boot[512], record[RECORD_BYTES];
	uint64_t cluster, records = 0;
	size_t at;

	if (!read_from(s, 0, boot, sizeof(boot)) || memcmp(boot + 3, "NTFS    ", 8) != 0)
		return;
	cluster = (uint64_t)vk_get_le16(boot + 0x0b) * (boot[0x0d] <= 128 ? boot[0x0d] : 0);
	if (cluster == 0 || !read_from(s, vk_mul_sat(vk_get_le64(boot + 0x30), cluster), record, sizeof(record)) ||
	    memcmp(record, "FILE", 4) != 0)
		return;
	for (at = vk_get_le16(record + 0x14); at <= sizeof(record) - 0x40 && records == 0;) {
		uint32_t length = vk_get_le32(record + at + 4);

		if (vk_get_le32(record + at) == 0x80 && record[at + 8] == 1 && record[at + 9] == 0)
			records = vk_get_le64(record + at + 0x38) / RECORD_BYTES;
		if (length < 16 || length > sizeof(record) || vk_get_le32(record + at) == UINT32_MAX)
			break;
		at += length;
	}
	s->use->in_use = records > MADE_RECORDS && vk_mul_sat(records, RECORD_BYTES) < s->room;
	if (records > 0)
		snprintf(s->use->why, sizeof(s->use->why), "its file table has %" PRIu64 " records", records);
}

/* PercentInUse; Microsoft, exFAT file system specification, 3.1.18: 0xff is not known. */
static void read_exfat(const struct subject *s)
{
	uint8_t boot[512];

	if (!read_from(s, 0, boot, sizeof(boot)) || memcmp(boot + 3, "EXFAT   ", 8) != 0 || boot[112] > 100)
		return;
	s->use->in_use = boot[112] > 0;
	snprintf(s->use->why, sizeof(s->use->why), "%u %% of it are in use", boot[112]);
}

/* ub_magic, ub_txg, ub_timestamp, in the ring of the first label; OpenZFS, include/sys/uberblock_impl.h */
static void read_zfs(const struct subject *s)
{
	enum { RING_AT = 128 << 10, SLOT_BYTES = 1024, SLOTS = 128, MADE_WRITES = 1000 };
	uint64_t newest = 0;

	for (uint64_t i = 0; i < SLOTS; i++) {
		uint8_t slot[40];

		if (!read_from(s, RING_AT + i * SLOT_BYTES, slot, sizeof(slot)) || vk_get_le64(slot) != 0x00bab10c ||
		    vk_get_le64(slot + 16) <= newest)
			continue;
		newest = vk_get_le64(slot + 16);
		s->use->written_s = vk_get_le64(slot + 32);
	}
	s->use->in_use = newest > MADE_WRITES;
	snprintf(s->use->why, sizeof(s->use->why), "the pool has seen %" PRIu64 " groups of writes", newest);
	say_time(s->use, ", the last one ");
}

/*
 * The label in the first block: a text, then the structure bluestore_bdev_label_t with its checksum; Ceph,
 * src/os/bluestore/BlueStore.cc. The value "ready" is put there when the OSD is complete.
 */
static void read_bluestore(const struct subject *s)
{
	enum { TEXT_BYTES = 60, HEAD_BYTES = 6 };
	uint8_t label[4096];
	uint32_t length;

	if (!read_from(s, 0, label, sizeof(label)) || memcmp(label, "bluestore block device\n", 23) != 0)
		return;
	length = vk_get_le32(label + TEXT_BYTES + 2);
	if (length < 32 || length > sizeof(label) - TEXT_BYTES - HEAD_BYTES - 4)
		return;
	length += TEXT_BYTES + HEAD_BYTES;
	s->use->proved = vk_crc32c(~0U, label, length) == vk_get_le32(label + length);
	s->use->in_use = vk_get_le64(label + TEXT_BYTES + HEAD_BYTES + 16) <= s->room &&
			 memmem(label + TEXT_BYTES, length - TEXT_BYTES, "\x05\0\0\0ready\x05\0\0\0ready", 18) != NULL;
	snprintf(s->use->why, sizeof(s->use->why), "its label says that the OSD is %s%s",
		 s->use->in_use ? "ready" : "not ready yet", s->use->proved ? ", and its checksum fits" : "");
}

/* A physical volume is in use when its metadata has logical volumes; LVM2, lib/format_text/layout.h */
static void read_lvm2(const struct subject *s)
{
	enum { SECTORS = 4, LOCATIONS = 8, TEXT_MAX = 32768 };
	uint8_t sector[512], head[72], text[TEXT_MAX];
	uint64_t area = 0, from, length;
	uint32_t at, lists = 0;

	for (unsigned i = 0; i < SECTORS; i++)
		if (read_from(s, i * sizeof(sector), sector, sizeof(sector)) && memcmp(sector, "LABELONE", 8) == 0)
			break;
	at = vk_get_le32(sector + 20);
	if (memcmp(sector, "LABELONE", 8) != 0 || at > sizeof(sector) - 40)
		return;
	/* two lists of places behind uuid and size, each with a pair of zeros at its end: data, metadata */
	for (at += 40; at <= sizeof(sector) - 16 && area == 0 && lists < 2; at += 16) {
		lists += vk_all_zero(sector + at, 16);
		if (lists == 1 && !vk_all_zero(sector + at, 16))
			area = vk_get_le64(sector + at);
	}
	if (area == 0 || !read_from(s, area, head, sizeof(head)) || memcmp(head + 4, " LVM2 x[5A%r0N*>", 16) != 0)
		return;
	from = vk_add_sat(area, vk_get_le64(head + 40));
	length = vk_min_u64(vk_get_le64(head + 48), sizeof(text));
	if (length == 0 || !read_from(s, from, text, length))
		return;
	s->use->in_use = memmem(text, length, "logical_volumes {", 17) != NULL;
	snprintf(s->use->why, sizeof(s->use->why), "its volume group has %s", s->use->in_use ? "logical volumes"
											       : "no logical volumes");
}

void vk_use_read(struct vk_io *io, const struct vk_foreign *f, uint64_t room_bytes, struct vk_use *ret_use)
{
	static const struct {
		const char *type;
		void (*reader)(const struct subject *s);
	} readers[] = {{"ext2", read_ext}, {"ext3", read_ext}, {"ext4", read_ext}, {"xfs", read_xfs},
		       {"btrfs", read_btrfs}, {"ntfs", read_ntfs}, {"exfat", read_exfat}, {"zfs_member", read_zfs},
		       {"ceph_bluestore", read_bluestore}, {"LVM2_member", read_lvm2}};
	const struct subject s = {io, f->start_bytes, room_bytes, ret_use};

	*ret_use = (struct vk_use){.why = "whether it is in use is not known"};
	for (size_t i = 0; i < sizeof(readers) / sizeof(readers[0]); i++)
		if (strcmp(f->type, readers[i].type) == 0)
			readers[i].reader(&s);
}
