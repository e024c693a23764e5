/* SPDX-License-Identifier: Apache-2.0 */
/* What a damage changes: a field that something else on the volume confirms, one that is said once, or nothing. */
#ifndef VK_TESTS_FS_SAID_ONCE_H
#define VK_TESTS_FS_SAID_ONCE_H

#include "fs_damage.h"

enum said { SAID_TWICE, SAID_ONCE, NOT_READ, SAID_CLASSES };

/* Fields of which every value that fits into them may be right, as far as the rest of a volume tells. */
static const struct {
	const char *layout, *fields; /* each between blanks */
} said_once[] = {
	{"LVM_DevMetadata",
	 " minorVersion diskID generation devID initTimeUS modTimeUS lockedBy lockedWhenUS lockedFromIPv4 "},
	{"LVM_VolDescriptor", " generation state name snapID creationTimeUS modTimeUS "},
	{"FS3_Descriptor",
	 " minorVersion uuid config fsLabel creationTime snapID volInfoSnapID maxJournalSlotsPerTxn hostUuid gblGeneration "
	 "checksumType unmapPriority checksumGen checksum tbzGranularity leaseIntervalMs reclaimWindowMs localStampUS "
	 "sfbAddrBits localMountOwnerMacAddr unmapMethod unmapBandwidth unmapBandwidthMin unmapBandwidthMax "},
	{"FS3_Heartbeat",
	 " hbGen stamp driveX driveY lockImpl ip replayHost replayHostHB replayHostHBgen "},
	{"FS3_DiskLock",
	 " hbGen token mtime holders gblNumHolders gblGen gblBrk lastHbAddr lastHbGen lastMagic lastHolder "},
	{"FS3_FileMetadata",
	 " flags mtime ctime atime uid gid mode lastSFBClusterNum affinityBitmap numPreAllocBlocks numTracked lastFreeSFBC "},
	{"FS3_ResFileMetadata", " version "},
	{"FS3_ResourceClusterMDVMFS5", " nextFreeIdx typeData priority "},
	{"FS3_ResourceClusterMDVMFS6", " checksum priority allocations lastHostMac lastAllocTime lastGeneration nextFreeIdx unknown2A unknown30 "},
	{"FS3_DirEntry", " name "},
};

static inline bool is_said_once(const struct vk_layout *layout, const char *field)
{
	char word[80];

	snprintf(word, sizeof(word), " %s ", field);
	for (size_t i = 0; i < sizeof(said_once) / sizeof(said_once[0]); i++)
		if (strcmp(said_once[i].layout, layout->name) == 0 && strstr(said_once[i].fields, word) != NULL)
			return true;
	return false;
}

/* What is looked at: bytes of one structure before and after. */
struct said_look {
	const struct vk_fs_info *info;
	const struct place *place;
	const uint8_t *was, *is;
	size_t len;
	enum said said;
	char *field;
	size_t field_room;
};

static inline void said_note(struct said_look *l, enum said said, const char *field)
{
	if (said < l->said) {
		l->said = said;
		snprintf(l->field, l->field_room, "%s", field);
	}
}

/* Of a length: how many blocks it needs is confirmed by those that the file has; not where it ends in the last one. */
static inline bool same_blocks(const struct vk_layout *layout, const struct vk_field *f, const uint8_t *was, const uint8_t *is)
{
	struct vk_file_metadata a, b;

	if (layout != &vk_file_metadata_layout || strcmp(f->name, "fileLength") != 0)
		return false;
	vk_file_metadata_decode(was, VK_FILE_METADATA_BYTES, &a);
	vk_file_metadata_decode(is, VK_FILE_METADATA_BYTES, &b);
	if (a.type == VK_FILE_FOLDER || a.blockSize == 0)
		return false;
	return a.type == VK_FILE_RDM || b.fileLength / a.blockSize == a.fileLength / a.blockSize;
}

static inline void said_layout(struct said_look *l, const struct vk_layout *layout, const uint8_t *was, const uint8_t *is,
			       size_t len)
{
	for (size_t i = 0; i < layout->count; i++) {
		const struct vk_field *f = &layout->fields[i];
		size_t size = f->size;

		if (f->offset + size > len || f->view == VK_VIEW_RESERVED || strcmp(f->name, "bitmap") == 0)
			continue;
		if (f->kind == VK_KIND_TEXT)
			size = strnlen((const char *)was + f->offset, size - 1) + 1;
		if (memcmp(was + f->offset, is + f->offset, size) != 0)
			said_note(l, is_said_once(layout, f->name) || same_blocks(layout, f, was, is) ? SAID_ONCE : SAID_TWICE,
				  f->name);
	}
}

static inline void said_bits(struct said_look *l, const uint8_t *was, const uint8_t *is, uint64_t bits)
{
	for (uint64_t i = 0; i < bits; i++)
		if (((was[i / 8] ^ is[i / 8]) >> i % 8 & 1) != 0)
			said_note(l, SAID_TWICE, "bitmap");
}

static inline void said_block6(struct said_look *l, const uint8_t *was, const uint8_t *is, uint64_t block)
{
	uint32_t alignment = l->info->md_alignment, slots;
	struct vk_dir6_block b;

	vk_dir6_block_decode(was, VK_DIR6_BLOCK_BYTES, &b);
	if (b.type != VK_DIR6_MAP && b.type != VK_DIR6_ENTRIES && b.type != VK_DIR6_LINKS)
		return;
	said_layout(l, &vk_dir6_block_layout, was, is, VK_DIR6_BLOCK_BYTES);
	if (b.type == VK_DIR6_MAP) {
		/* what the map says of blocks that the folder has not is nothing to anybody */
		uint64_t known = (l->place->end - VK_DIR6_BLOCKS) / alignment;

		if (block == 0 && memcmp(was + VK_DIR6_BLOCK_BYTES, is + VK_DIR6_BLOCK_BYTES, (size_t)(known + 1) / 2) != 0)
			said_note(l, SAID_TWICE, "allocation map");
		return;
	}
	slots = vk_dir6_block_slots(b.type, alignment);
	said_bits(l, was + 8, is + 8, slots);
	for (uint32_t i = 0; i < slots; i++) {
		size_t size = b.type == VK_DIR6_ENTRIES ? VK_DIR6_ENTRY_BYTES : VK_DIR6_LINK_GROUP_BYTES;
		size_t at = VK_DIR6_BLOCK_BYTES + i * size;

		if (!vk_dir6_slot_free(&b, i))
			said_layout(l, b.type == VK_DIR6_ENTRIES ? &vk_dir6_entry_layout : &vk_dir6_link_group_layout, was + at,
				    is + at, size);
	}
}

/* Of the maps only those that are counted, of the two entries what an entry has. */
static inline void said_header6(struct said_look *l, const uint8_t *was, const uint8_t *is)
{
	struct vk_dir6_header *h = malloc(sizeof(*h));

	assert_non_null(h);
	vk_dir6_header_decode(was, VK_DIR6_HEADER_BYTES, h);
	if (memcmp(was, is, 0x10) != 0 || memcmp(was + 0x10, is + 0x10, 4UL * h->numAllocationMapBlocks) != 0)
		said_note(l, SAID_TWICE, "header of a folder");
	said_layout(l, &vk_dir6_entry_layout, was + VK_DIR6_SELF, is + VK_DIR6_SELF, VK_DIR6_ENTRY_BYTES);
	said_layout(l, &vk_dir6_entry_layout, was + VK_DIR6_PARENT, is + VK_DIR6_PARENT, VK_DIR6_ENTRY_BYTES);
	free(h);
}

/* A run of a folder from file_offset on. */
static inline void said_folder6(struct said_look *l)
{
	uint32_t alignment = l->info->md_alignment;

	for (uint64_t at = l->place->file_offset; at < l->place->file_offset + l->len;) {
		const uint8_t *was = l->was + (at - l->place->file_offset), *is = l->is + (at - l->place->file_offset);

		if (at == 0) {
			said_header6(l, was, is);
			if (memcmp(was + VK_DIR6_HASH, is + VK_DIR6_HASH, 4UL * VK_DIR6_HASH_SLOTS) != 0)
				said_note(l, SAID_TWICE, "hash table");
			at = VK_DIR6_BLOCKS;
			continue;
		}
		said_block6(l, was, is, (at - VK_DIR6_BLOCKS) / alignment);
		at += alignment;
	}
}

static inline void said_folder(struct said_look *l)
{
	uint64_t at = (VK_DIR_ENTRY_BYTES - l->place->file_offset % VK_DIR_ENTRY_BYTES) % VK_DIR_ENTRY_BYTES;

	for (; at + VK_DIR_ENTRY_BYTES <= l->len; at += VK_DIR_ENTRY_BYTES)
		said_layout(l, &vk_dir_entry_layout, l->was + at, l->is + at, VK_DIR_ENTRY_BYTES);
}

static inline void said_bytes(struct said_look *l)
{
	static const struct vk_layout *const layouts[PLACE_WHATS] = {
		[LVM_DEVICE] = &vk_lvm_device_layout, [LVM_VOLUME] = &vk_lvm_volume_layout,
		[DESCRIPTOR] = &vk_fs_descriptor_layout, [HEARTBEATS] = &vk_heartbeat_layout,
		[RESOURCES] = &vk_resource_file_layout, [CLUSTER_LOCKS] = &vk_lock_layout, [FD_LOCKS] = &vk_lock_layout,
		[FD_METADATA] = &vk_file_metadata_layout,
	};

	switch (l->place->what) {
	case CLUSTERS:
		said_layout(l, l->info->vmfs6 ? &vk_cluster6_layout : &vk_cluster_layout, l->was, l->is, l->len);
		break;
	case CLUSTER_BITMAPS:
		said_bits(l, l->was, l->is, l->place->end);
		break;
	case FD_POINTERS:
	case POINTER_BLOCKS:
		said_note(l, SAID_TWICE, "addresses");
		break;
	case FD_CONTENT:
		break;
	case FOLDERS:
		if (l->info->vmfs6)
			said_folder6(l);
		else
			said_folder(l);
		break;
	default:
		said_layout(l, layouts[l->place->what], l->was, l->is, l->len);
	}
}

static inline enum said said_of(struct vk_io *sound_io, const struct vk_fs_info *info, const struct fs_damage *d, char *field,
				size_t room)
{
	struct said_look l = {.info = info, .place = d->place, .len = (size_t)d->place->len, .said = NOT_READ,
			      .field = field, .field_room = room};
	size_t at = (size_t)(d->at - d->place->at);
	uint8_t *was = malloc(l.len + VK_FILE_METADATA_BYTES), *is = malloc(l.len + VK_FILE_METADATA_BYTES);

	assert_true(was != NULL && is != NULL);
	/* rows of metadata reach further than what is damaged */
	header_bench_get(sound_io, d->place->at, was, l.len + VK_FILE_METADATA_BYTES);
	memcpy(is, was, l.len + VK_FILE_METADATA_BYTES);
	memcpy(is + at, d->bytes, d->len);
	l.was = was;
	l.is = is;
	if (d->len > 0 && memcmp(was, is, l.len) != 0)
		said_bytes(&l);
	free(was);
	free(is);
	return l.said;
}

#endif
