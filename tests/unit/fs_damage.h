/* SPDX-License-Identifier: Apache-2.0 */
/* Where the metadata of a sound volume lies, structure by structure, and damage to it that is drawn from a number. */
#ifndef VK_TESTS_FS_DAMAGE_H
#define VK_TESTS_FS_DAMAGE_H

#include "damage_draw.h"
#include "folder_bench.h"
#include "vmfskit/heartbeat.h"

enum place_what {
	LVM_DEVICE, LVM_VOLUME, DESCRIPTOR, HEARTBEATS, RESOURCES, CLUSTER_LOCKS, CLUSTERS, CLUSTER_BITMAPS, FD_LOCKS,
	FD_METADATA, FD_POINTERS, FD_CONTENT, FOLDERS, POINTER_BLOCKS, PLACE_WHATS
};
static const char *const place_names[PLACE_WHATS] = {
	"LVM device header", "LVM volume entry", "file-system descriptor", "heartbeat", "resource metadata",
	"lock of a cluster", "cluster", "bitmap of a cluster", "lock of a file", "file metadata", "addresses of a file",
	"bytes in a descriptor", "folder", "pointer block",
};
/* Each kind is hurt as often as any other. */
enum { PLACE_KINDS = 8, PLACES_MAX = 16384 };
static inline unsigned place_kind(enum place_what what)
{
	static const uint8_t kinds[PLACE_WHATS] = {0, 0, 1, 2, 3, 4, 4, 4, 5, 5, 5, 5, 6, 7};

	return kinds[what];
}

struct place {
	enum place_what what;
	uint64_t at;          /* in the source */
	uint64_t len;
	uint64_t file_offset; /* of a folder */
	uint64_t end;         /* of a folder: its fileLength; of a bitmap: how many of its bits are in use */
};
struct places {
	struct place of[PLACE_KINDS][PLACES_MAX];
	size_t count[PLACE_KINDS];
	struct vk_fs *fs;
};

static inline void place_add(struct places *p, const struct place *place)
{
	unsigned kind = place_kind(place->what);

	if (p->count[kind] < PLACES_MAX && place->len > 0)
		p->of[kind][p->count[kind]++] = *place;
}

/* Of a stretch of the volume. */
static inline void place_volume(struct places *p, enum place_what what, uint64_t volume_offset, uint64_t len, uint64_t end)
{
	struct place place = {.what = what, .len = len, .end = end};
	size_t extent;
	uint64_t held;

	if (vk_fs_place(p->fs, volume_offset, &extent, &place.at, &held))
		place_add(p, &place);
}

/* Of a stretch of a file, a place for each run. */
static inline void place_file(struct places *p, enum place_what what, const struct vk_fs_file *file, uint64_t offset,
			      uint64_t len, uint64_t end)
{
	struct vk_error err = {0};
	struct vk_fs_walk *walk;
	struct vk_fs_run run;

	assert_int_equal(vk_fs_walk_open(p->fs, file, offset, len, NULL, &walk, &err), VK_OK);
	while (vk_fs_walk_next(walk, &run)) {
		struct place place = {.what = what, .at = run.source_offset, .len = run.length_bytes,
				      .file_offset = run.file_offset, .end = end};

		if (run.kind == VK_RUN_DATA)
			place_add(p, &place);
	}
	vk_fs_walk_close(walk);
}

static inline void place_pointer_block(void *ctx, uint64_t address, uint64_t volume_offset)
{
	(void)address;
	place_volume(ctx, POINTER_BLOCKS, volume_offset, 8 * 64, 0);
}

static inline void place_descriptor(struct places *p, const struct vk_fs_file *file)
{
	const struct vk_fs_info *info = vk_fs_info(p->fs);
	bool content = file->meta.zeroLevelAddrType == VK_ZLA_RESIDENT || file->meta.type == VK_FILE_RDM;
	struct vk_error err = {0};
	struct vk_fs_walk *walk;
	struct vk_fs_run run;

	place_volume(p, FD_LOCKS, file->volume_offset, VK_LOCK_BYTES, 0);
	place_volume(p, FD_METADATA, file->volume_offset + info->fd.metadata_offset, 0x90, 0);
	place_volume(p, content ? FD_CONTENT : FD_POINTERS, file->volume_offset + info->fd.pointers_offset, 64, 0);
	if (vk_fs_file_is_folder(file))
		place_file(p, FOLDERS, file, 0, UINT64_MAX, file->meta.fileLength);
	assert_int_equal(vk_fs_walk_open(p->fs, file, 0, UINT64_MAX, NULL, &walk, &err), VK_OK);
	vk_fs_walk_on_pointer_block(walk, place_pointer_block, p);
	while (vk_fs_walk_next(walk, &run))
		continue;
	vk_fs_walk_close(walk);
}

static inline bool place_visit(void *ctx, const struct vk_fs_visit *visit, bool *ret_stop)
{
	(void)ret_stop;
	if (visit->file != NULL)
		place_descriptor(ctx, visit->file);
	return true;
}

/* The first four clusters of a system file. */
static inline void place_clusters(struct places *p, const struct vk_fs_system *system)
{
	const struct vk_fs_info *info = vk_fs_info(p->fs);
	const struct vk_resource_file *r = &system->resource;
	uint32_t lock = info->vmfs6 ? info->md_alignment : 512;
	uint32_t at = info->vmfs6 ? VK_CLUSTER6_BITMAP : 0x10, meta = info->vmfs6 ? VK_CLUSTER6_BYTES : VK_CLUSTER_BYTES;
	uint64_t left = vk_resource_count(r);

	for (uint32_t i = 0; i < 4 && left > 0; i++) {
		uint64_t offset = vk_cluster_header_offset(r, info->md_alignment, i);
		uint64_t in_use = left < r->resourcesPerCluster ? left : r->resourcesPerCluster;
		uint64_t bits = in_use * (r->bitsPerResource > 1 ? r->bitsPerResource : 1);

		place_file(p, CLUSTER_LOCKS, system->file, offset, VK_LOCK_BYTES, 0);
		place_file(p, CLUSTERS, system->file, offset + lock, meta, 0);
		place_file(p, CLUSTER_BITMAPS, system->file, offset + lock + at, (bits + 7) / 8, bits);
		left -= in_use;
	}
}

static inline void places_find(struct places *p, struct folder_bench *b)
{
	const struct vk_fs_info *info = vk_fs_info(b->fs);
	struct vk_error err = {0};
	struct vk_fs_geometry g;
	struct vk_fs_file *root;

	memset(p->count, 0, sizeof(p->count));
	p->fs = b->fs;
	if (!b->vmfs.volume_only) {
		place_add(p, &(struct place){.what = LVM_DEVICE, .at = VK_LVM_HEADER_OFFSET, .len = vk_lvm_device_layout.size});
		place_add(p, &(struct place){.what = LVM_VOLUME, .len = VK_LVM_VOLUME_BYTES,
					     .at = VK_LVM_HEADER_OFFSET + (info->vmfs6 ? 0x1000 : 0x200)});
	}
	place_add(p, &(struct place){.what = DESCRIPTOR, .at = b->vmfs.fs_offset_bytes, .len = VK_FS_DESCRIPTOR_BYTES});
	vk_fs_geometry(&info->descriptor, VK_FS_DESCRIPTOR_BYTES, &g);
	for (uint32_t i = 0; i < 16; i++)
		place_volume(p, HEARTBEATS, g.heartbeat_offset + (uint64_t)i * g.heartbeat_slot_bytes, VK_HEARTBEAT_BYTES, 0);
	for (size_t i = 0; i < VK_SYSTEM_COUNT; i++) {
		const struct vk_fs_system *system = &info->system[i];

		if (!system->has_resource)
			continue;
		place_file(p, RESOURCES, system->file, 0, VK_RESOURCE_FILE_BYTES, 0);
		if (system->has_child)
			place_file(p, RESOURCES, system->file, system->resource.childMetaOffset, VK_RESOURCE_FILE_BYTES, 0);
		place_clusters(p, system);
	}
	assert_int_equal(vk_fs_lookup(p->fs, "/", false, NULL, &root, &err), VK_OK);
	place_descriptor(p, root);
	vk_fs_file_close(root);
	assert_int_equal(vk_fs_walk_tree(p->fs, "/", place_visit, p, NULL, &err), VK_OK);
}

/* 1 to 64 bytes at one place. */
struct fs_damage {
	const struct place *place;
	uint64_t at;
	size_t len;
	uint8_t bytes[64];
};
static inline struct fs_damage fs_damage_draw(const struct places *p, uint64_t *random)
{
	struct fs_damage d;
	unsigned kind;

	do
		kind = (unsigned)damage_below(random, PLACE_KINDS);
	while (p->count[kind] == 0);
	d.place = &p->of[kind][damage_below(random, p->count[kind])];
	d.len = 1 + damage_below(random, d.place->len < sizeof(d.bytes) ? (size_t)d.place->len : sizeof(d.bytes));
	if (damage_below(random, 2) == 0)
		d.len = d.len % 4 + 1;
	d.len = d.len < d.place->len ? d.len : (size_t)d.place->len;
	d.at = d.place->at + damage_below(random, (size_t)(d.place->len - d.len + 1));
	for (size_t i = 0; i < d.len; i++)
		d.bytes[i] = (uint8_t)damage_random(random);
	return d;
}

#endif
