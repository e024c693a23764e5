/* SPDX-License-Identifier: Apache-2.0 */
/* Signatures of other systems: libblkid looks at the file or device itself, or at a copy of its ends in memory. */
#include <blkid/blkid.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/bytes.h"
#include "base/checked.h"
#include "io/io_handle.h"
#include "vmfskit/foreign.h"
#include "vmfskit/text.h"

enum { HEAD_BYTES = 2 << 20, TAIL_BYTES = 1 << 20, PIECE_BYTES = 1 << 16, SIGNS_MAX = 32, FOREIGN_MAX = 1024 };

/* What is looked at. */
struct view {
	struct vk_io *io;
	uint64_t start;
	uint64_t length;
	int fd;        /* where libblkid looks */
	uint64_t base; /* and where byte `start` of io lies in it */
};

static bool read_at(const struct view *v, uint64_t at, uint8_t *buf, size_t len)
{
	return pread(v->fd, buf, len, (off_t)(v->base + at)) == (ssize_t)len;
}

static enum vk_status no_memory_file(struct vk_error *err, int code)
{
	return vk_error_errno(err, code, NULL, "no file in memory for the signatures of other systems");
}

/* Copy a stretch; zeros are left as holes. */
static enum vk_status copy(const struct view *v, uint64_t from, uint64_t length, struct vk_error *err)
{
	uint8_t *piece = malloc(PIECE_BYTES);
	enum vk_status status = VK_OK;

	if (piece == NULL)
		return vk_no_memory(err, NULL);
	for (uint64_t at = from; at < from + length && status == VK_OK; at += PIECE_BYTES) {
		size_t len = (size_t)vk_min_u64(PIECE_BYTES, from + length - at);
		struct vk_span span = vk_io_span(v->io, v->start + at);
		size_t got = 0;

		if (span.state == VK_SPAN_ZERO && span.length_bytes >= len)
			continue;
		for (size_t done = 0; done < len; done += got > 0 ? got : 512) {
			size_t rest = len - done;

			/* what cannot be read counts as zeros; behind a bad sector it goes on */
			if (vk_io_read(v->io, v->start + at + done, piece, rest, &got, NULL) != VK_OK)
				got = 0;
			if (got > 0 && pwrite(v->fd, piece, got, (off_t)(at + done)) != (ssize_t)got) {
				status = no_memory_file(err, errno);
				break;
			}
		}
	}
	free(piece);
	return status;
}

/* The records that a probe of NTFS reads lie far behind its boot sector. */
static enum vk_status copy_ntfs_records(const struct view *v, struct vk_error *err)
{
	uint8_t sector[512];
	uint64_t cluster, at;

	if (!read_at(v, 0, sector, sizeof(sector)) || memcmp(sector + 3, "NTFS    ", 8) != 0)
		return VK_OK;
	cluster = (uint64_t)vk_get_le16(sector + 0x0b) *
		  (sector[0x0d] <= 128 ? sector[0x0d] : 1ULL << (256U - sector[0x0d]) % 32);
	at = vk_mul_sat(vk_get_le64(sector + 0x30), cluster);
	if (at >= v->length || v->length - at < PIECE_BYTES)
		return VK_OK;
	return copy(v, at, PIECE_BYTES, err);
}

static void put_value(blkid_probe probe, const char *name, char *text, size_t cap)
{
	const char *value;
	size_t len = 0;
	struct vk_text out = vk_text_in(text, cap);

	if (blkid_probe_lookup_value(probe, name, &value, &len) == 0)
		vk_text_label(&out, (const uint8_t *)value, len);
}

static uint64_t number(blkid_probe probe, const char *name)
{
	const char *value;

	return blkid_probe_lookup_value(probe, name, &value, NULL) == 0 ? strtoull(value, NULL, 10) : 0;
}

/* What libblkid files elsewhere than under "raid" and "crypto", and is a part of something all the same. */
static bool is_member_type(const char *type)
{
	static const char *const types[] = {"bcache", "DM_snapshot_cow", "DM_verity_hash", "DM_integrity",
					    "VDO", "vdo", "stratis", "ceph_bluestore"};
	static const char suffix[] = "_member";
	size_t len = strlen(type);

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (strcmp(type, types[i]) == 0)
			return true;
	return len >= sizeof(suffix) && strcmp(type + len - (sizeof(suffix) - 1), suffix) == 0;
}

static enum vk_foreign_kind kind_of(blkid_probe probe, const char *type)
{
	const char *usage = "";

	(void)blkid_probe_lookup_value(probe, "USAGE", &usage, NULL);
	if (strcmp(usage, "crypto") == 0)
		return VK_FOREIGN_CRYPTO;
	if (strcmp(usage, "raid") == 0 || is_member_type(type))
		return VK_FOREIGN_VOLUME_MANAGER;
	return strcmp(usage, "filesystem") == 0 ? VK_FOREIGN_FILE_SYSTEM : VK_FOREIGN_OTHER;
}

bool vk_foreign_is_member(const struct vk_foreign *foreign)
{
	return foreign->kind == VK_FOREIGN_VOLUME_MANAGER || foreign->kind == VK_FOREIGN_CRYPTO;
}

/*
 * Boot sectors of file systems that libblkid passes over when the rest of the file system is not whole; offsets as
 * Microsoft's exFAT specification and public NTFS references give them.
 */
static const struct boot_sector {
	const char *type;  /* the word for it in libblkid's manner */
	const char *magic; /* eight bytes at byte 3 */
} boot_sectors[] = {{"ntfs", "NTFS    "}, {"exfat", "EXFAT   "}, {"BitLocker", "-FVE-FS-"}};

/* Which of them the sector is; NULL: none. */
static const struct boot_sector *boot_sector_of(const uint8_t sector[512])
{
	if (sector[510] != 0x55 || sector[511] != 0xaa)
		return NULL;
	for (size_t i = 0; i < sizeof(boot_sectors) / sizeof(boot_sectors[0]); i++)
		if (memcmp(sector + 3, boot_sectors[i].magic, 8) == 0)
			return &boot_sectors[i];
	return NULL;
}

/* The bytes of the file system as the sector says; 0: it does not. */
static uint64_t boot_sector_length(const uint8_t sector[512])
{
	const struct boot_sector *boot = boot_sector_of(sector);

	if (boot == NULL)
		return 0;
	if (strcmp(boot->type, "exfat") == 0)
		return sector[0x6c] < 9 || sector[0x6c] > 12 ? 0 :
			vk_mul_sat(vk_get_le64(sector + 0x48), 1ULL << sector[0x6c]);
	/* NTFS and BitLocker: the backup of the boot sector lies behind the sectors counted */
	if (vk_get_le64(sector + 0x28) == 0)
		return 0;
	return vk_mul_sat(vk_add_sat(vk_get_le64(sector + 0x28), 1),
			  vk_get_le16(sector + 0x0b));
}

/* How long it is by its own words, in the first bytes of it; 0: it does not say. */
static uint64_t length_of(const struct view *v, const char *type, uint64_t magic)
{
	uint8_t head[4096];

	if (!read_at(v, 0, head, sizeof(head)))
		return 0;
	/* s_blocks_count and s_log_block_size of the superblock; Linux, Documentation/filesystems/ext4 */
	if (strncmp(type, "ext", 3) == 0 || strcmp(type, "jbd") == 0) {
		const uint8_t *sb = head + 1024;
		bool wide = (vk_get_le32(sb + 0x60) & 0x80) != 0;
		uint64_t blocks = vk_get_le32(sb + 0x04) | (wide ? (uint64_t)vk_get_le32(sb + 0x150) << 32 : 0);

		return vk_get_le32(sb + 0x18) > 6 ? 0 : vk_mul_sat(blocks, 1024ULL << vk_get_le32(sb + 0x18));
	}
	/* sb_dblocks and sb_blocksize; XFS Algorithms and Data Structures */
	if (strcmp(type, "xfs") == 0)
		return vk_mul_sat(__builtin_bswap64(vk_get_le64(head + 8)), __builtin_bswap32(vk_get_le32(head + 4)));
	/* total sectors and bytes per sector; Microsoft's FAT specification */
	if (strcmp(type, "vfat") == 0) {
		uint64_t sectors = vk_get_le16(head + 0x13);

		return vk_mul_sat(sectors != 0 ? sectors : vk_get_le32(head + 0x20), vk_get_le16(head + 0x0b));
	}
	/* the size of a physical volume, as LVM2 writes it behind its label (lib/format_text/layout.h) */
	for (size_t at = 0; strcmp(type, "LVM2_member") == 0 && at < 4 * 512; at += 512)
		if (memcmp(head + at, "LABELONE", 8) == 0 && vk_get_le32(head + at + 20) <= 512 - 40)
			return vk_get_le64(head + at + vk_get_le32(head + at + 20) + 32);
	/* the last page of swap space; its signature ends the first one (Linux, include/linux/swap.h) */
	if (strcmp(type, "swap") == 0)
		return magic < v->length ? vk_mul_sat(vk_get_le32(head + 1028) + 1ULL, magic + 10) : 0;
	for (size_t i = 0; i < sizeof(boot_sectors) / sizeof(boot_sectors[0]); i++)
		if (strcmp(type, boot_sectors[i].type) == 0)
			return boot_sector_length(head);
	return 0;
}

static enum vk_status keep(struct vk_foreigners *found, const struct vk_foreign *item, struct vk_error *err)
{
	size_t at = found->count;

	for (size_t i = 0; i < found->count; i++)
		if (found->items[i].magic_bytes == item->magic_bytes && strcmp(found->items[i].type, item->type) == 0)
			return VK_OK;
	if (at >= FOREIGN_MAX)
		return VK_OK;
	if (vk_append(&found->items, &found->count, NULL, sizeof(*item)) == NULL)
		return vk_no_memory(err, NULL);
	for (; at > 0 && found->items[at - 1].start_bytes > item->start_bytes; at--)
		found->items[at] = found->items[at - 1];
	found->items[at] = *item;
	return VK_OK;
}

static enum vk_status keep_probed(const struct view *v, blkid_probe probe, struct vk_foreigners *found,
				  struct vk_error *err)
{
	struct vk_foreign item = {.start_bytes = v->start};

	put_value(probe, "TYPE", item.type, sizeof(item.type));
	if (item.type[0] == '\0' || strncmp(item.type, "VMFS", 4) == 0)
		return VK_OK;
	put_value(probe, "LABEL", item.label, sizeof(item.label));
	put_value(probe, "UUID", item.uuid, sizeof(item.uuid));
	item.kind = kind_of(probe, item.type);
	item.length_bytes = length_of(v, item.type, number(probe, "SBMAGIC_OFFSET"));
	item.magic_bytes = vk_add_sat(v->start, number(probe, "SBMAGIC_OFFSET"));
	return keep(found, &item, err);
}

/* *ret_whole is false when libblkid could not look at all of it. */
static enum vk_status probe_view(const struct view *v, uint32_t sector_size, struct vk_foreigners *found,
				 bool *ret_whole, struct vk_error *err)
{
	blkid_probe probe = blkid_new_probe();
	enum vk_status status = VK_OK;
	int answer = 0;

	if (probe == NULL)
		return vk_no_memory(err, NULL);
	*ret_whole = blkid_probe_set_device(probe, v->fd, (blkid_loff_t)v->base, (blkid_loff_t)v->length) == 0;
	(void)blkid_probe_set_sectorsize(probe, sector_size);
	blkid_probe_enable_superblocks(probe, 1);
	blkid_probe_set_superblocks_flags(probe, BLKID_SUBLKS_TYPE | BLKID_SUBLKS_USAGE | BLKID_SUBLKS_MAGIC |
						  BLKID_SUBLKS_LABEL | BLKID_SUBLKS_UUID);
	for (int i = 0; i < SIGNS_MAX && status == VK_OK && *ret_whole; i++) {
		answer = blkid_do_probe(probe);
		if (answer != 0)
			break;
		status = keep_probed(v, probe, found, err);
	}
	*ret_whole = *ret_whole && answer >= 0;
	blkid_free_probe(probe);
	return status;
}

/*
 * Through a descriptor of its own, for reading, and the page cache: libblkid reads into buffers that a direct one does
 * not take, and changes how far is read ahead. *ret_whole is false when the source is no file or device, or cannot be
 * opened again.
 */
static enum vk_status probe_itself(const struct view *whole, struct vk_foreigners *found, bool *ret_whole,
				   struct vk_error *err)
{
	struct view v = *whole;
	enum vk_status status;
	uint64_t *in_call = vk_io_in_call(whole->io);
	char path[64];

	*ret_whole = false;
	if (v.io->fd < 0)
		return VK_OK;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", v.io->fd);
	/* libblkid reads by itself: all of it is one call, which may never come back */
	vk_io_call_begins(in_call);
	v.fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (v.fd >= 0 && vk_io_is_device(v.io))
		(void)posix_fadvise(v.fd, 0, 0, POSIX_FADV_DONTNEED);
	v.base = v.io->fd_start + v.start;
	status = v.fd >= 0 ? probe_view(&v, vk_io_sector_size(v.io), found, ret_whole, err) : VK_OK;
	if (v.fd >= 0)
		close(v.fd);
	vk_io_call_ends(in_call);
	return status;
}

/* In a copy of its ends in memory. */
static enum vk_status probe_copy(struct view *v, struct vk_foreigners *found, struct vk_error *err)
{
	uint64_t head = vk_min_u64(v->length, HEAD_BYTES);
	uint64_t tail = vk_min_u64(v->length - head, TAIL_BYTES);
	bool whole = true;
	enum vk_status status;

	v->fd = memfd_create("vmfskit-signatures", MFD_CLOEXEC);
	if (v->fd < 0 || ftruncate(v->fd, (off_t)v->length) != 0)
		return no_memory_file(err, errno);
	status = copy(v, 0, head, err);
	if (status == VK_OK)
		status = copy(v, v->length - tail, tail, err);
	if (status == VK_OK)
		status = copy_ntfs_records(v, err);
	if (status == VK_OK)
		status = probe_view(v, vk_io_sector_size(v->io), found, &whole, err);
	if (status == VK_OK && !whole)
		status = vk_error_set(err, VK_IO, NULL, "cannot look for signatures of other systems");
	return status;
}

/* Of what libblkid passes over the boot sector is looked at, through the handle: it may be an overlay's. */
static enum vk_status look_at_boot_sector(const struct view *v, struct vk_foreigners *found, struct vk_error *err)
{
	struct vk_foreign item = {.kind = VK_FOREIGN_FILE_SYSTEM, .start_bytes = v->start, .magic_bytes = v->start + 3};
	const struct boot_sector *boot;
	uint8_t sector[512];
	size_t got = 0;

	if (vk_io_read(v->io, v->start, sector, (size_t)vk_min_u64(sizeof(sector), v->length), &got, NULL) != VK_OK ||
	    got < sizeof(sector))
		return VK_OK;
	boot = boot_sector_of(sector);
	if (boot == NULL)
		return VK_OK;
	snprintf(item.type, sizeof(item.type), "%s", boot->type);
	if (strcmp(boot->type, "BitLocker") == 0)
		item.kind = VK_FOREIGN_CRYPTO;
	item.length_bytes = boot_sector_length(sector);
	return keep(found, &item, err);
}

enum vk_status vk_foreign_look(struct vk_io *io, uint64_t start_bytes, uint64_t length_bytes,
			       struct vk_foreigners *ret_found, struct vk_error *err)
{
	uint64_t size = vk_io_size_bytes(io);
	struct view v = {.io = io, .start = start_bytes, .fd = -1};
	size_t before = ret_found->count;
	enum vk_status status;
	bool whole;

	if (start_bytes >= size || length_bytes == 0)
		return VK_OK;
	v.length = vk_min_u64(length_bytes, size - start_bytes);
	v.length = vk_min_u64(v.length, INT64_MAX / 2);
	status = probe_itself(&v, ret_found, &whole, err);
	/* of a device the page cache may be stale, and libblkid passes over some on purpose */
	if (status == VK_OK && (!whole || vk_io_is_device(io)))
		status = probe_copy(&v, ret_found, err);
	if (status == VK_OK && ret_found->count == before)
		status = look_at_boot_sector(&v, ret_found, err);
	if (v.fd >= 0)
		close(v.fd);
	return status;
}

void vk_foreigners_free(struct vk_foreigners *found)
{
	free(found->items);
	memset(found, 0, sizeof(*found));
}
