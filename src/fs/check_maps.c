/* SPDX-License-Identifier: Apache-2.0 */
/* The first phase of the check: what the system files say of each other, and the clusters of all resources. */
#include <inttypes.h>
#include <stdlib.h>

#include "base/checked.h"
#include "base/memory.h"
#include "fs/check.h"

enum {
	RESOURCES_MAX = 1 << 27,  /* of one kind: 128 TB in blocks of 1 MiB */
	DAMAGED_MAX = 1 << 12,    /* clusters of which it is asked whose they are */
	LARGE_CONVERTED = 4       /* in the bitmap of large blocks: it became a cluster of small ones */
};

static void note_bitmap(struct vk_clusters *k, uint64_t cluster, const struct vk_cluster_head *h)
{
	uint64_t first = cluster * k->r->resourcesPerCluster;

	if (k->map == NULL)
		return;
	vk_set_bit(k->map->known, cluster);
	for (uint32_t i = 0; i < h->total && first + i < k->map->count; i++)
		if (vk_cluster_head_value(h, i) == 0)
			vk_set_bit(k->map->allocated, first + i);
}

static void tell_header(const struct vk_clusters *k, uint64_t cluster, const struct vk_cluster_head *h, bool sound)
{
	const enum vk_check_kind kind = k->map != NULL ? (enum vk_check_kind)(k->map - k->c->maps) : VK_CHECK_KINDS;
	const struct vk_check_header told = {kind, k->lock_type, cluster, k->file, h->at,
					     sound && h->given == 0 && h->free == h->total,
					     sound ? h->stamp : UINT64_MAX};

	if (k->c->on_header != NULL && h->at != 0)
		k->c->on_header(k->c->on_header_ctx, &told);
}

/* What a cluster holds, whose header is damaged. */
static void note_damaged(struct vk_clusters *k, uint64_t cluster)
{
	struct vk_checking *c = k->c;
	const uint64_t size = k->block_bytes != 0 ? k->block_bytes : k->r->resourceSize;

	if (c->damaged_clusters++ >= DAMAGED_MAX || (k->block_bytes == 0 && k->map == NULL))
		return;
	for (uint32_t i = 0; i < k->r->resourcesPerCluster; i++) {
		uint64_t at = vk_mul_sat(cluster * k->r->resourcesPerCluster + i, size);

		if ((k->block_bytes != 0 || vk_fs_resource(c->fs, k->map->file, cluster, i, &at) == VK_OK) &&
		    !vk_range_set_add(&c->damaged, at, size))
			c->status = vk_no_memory(c->err, NULL);
	}
}

static uint64_t cluster_count(const struct vk_resource_file *r)
{
	return r->resourcesPerCluster == 0 ? 0
					   : vk_resource_count(r) / r->resourcesPerCluster +
						     (vk_resource_count(r) % r->resourcesPerCluster != 0);
}

static void read_clusters(struct vk_clusters *k)
{
	struct vk_checking *c = k->c;
	uint64_t count = cluster_count(k->r);

	c->fd = k->file->address;
	vk_fs_cursor_init(&k->cursor, c->fs, k->file, NULL);
	for (uint64_t i = 0; i < count && c->status == VK_OK; i++) {
		struct vk_cluster_head h = {0};
		enum vk_status status;
		bool sound = false;

		if (k->converted != NULL && !vk_bit(k->converted, i))
			continue;
		status = vk_cluster_head_read(k, i, &h);
		if (status == VK_ABSENT)
			c->result.phases[c->phase].unknown++;
		if (status == VK_DAMAGED && !c->fs->fdc_guessed)
			vk_fs_say(c->fs, &c->named, c->fd, VK_F_FILE_CLUSTER, k->file->volume_offset, 0, NULL, NULL,
				  "cluster %" PRIu64 " of %s and those behind it: no block of the file holds them", i,
				  k->name);
		/* where clusters lie was guessed: what is not one says nothing */
		if (status == VK_OK && k->map == &c->maps[VK_CHECK_FDS] && c->fs->fdc_guessed && h.lock.addr != h.at)
			continue;
		if (status == VK_OK) {
			c->result.phases[c->phase].checked++;
			vk_check_lock(c, &h.lock, h.at);
			sound = vk_cluster_head_judge(k, i, &h);
		}
		if (sound)
			note_bitmap(k, i, &h);
		else if (status == VK_OK)
			note_damaged(k, i);
		tell_header(k, i, &h, sound);
	}
	c->fd = 0;
}

static bool make_map(struct vk_checking *c, enum vk_check_kind kind, enum vk_system_file file, const char *things,
		     const struct vk_resource_file *r)
{
	struct vk_check_map *m = &c->maps[kind];
	uint64_t count = vk_resource_count(r);

	*m = (struct vk_check_map){.file = file, .things = things, .per_cluster = r->resourcesPerCluster};
	if (count > RESOURCES_MAX) {
		vk_fs_say(c->fs, &c->named, vk_fd_address(0, file), VK_F_FILE_RESOURCE,
			  file == VK_SYSTEM_FDC ? c->fs->fdc->volume_offset
						: c->fs->info.system[file].file->volume_offset,
			  0, vk_phrase("%" PRIu64, count).text, NULL, "%s claims more resources than any volume has",
			  vk_system_file_name(file));
		return false;
	}
	m->allocated = calloc(1, count / 8 + 1);
	m->used = calloc(1, count / 8 + 1);
	m->known = calloc(1, cluster_count(r) / 8 + 1);
	if (m->allocated == NULL || m->used == NULL || m->known == NULL) {
		c->status = vk_no_memory(c->err, NULL);
		return false;
	}
	m->count = count;
	return count > 0;
}

static void read_kind(struct vk_checking *c, enum vk_check_kind kind, enum vk_system_file file, const char *things,
		      uint32_t lock_type)
{
	const struct vk_fs_system *s = &c->fs->info.system[file];
	struct vk_clusters k = {.c = c, .map = &c->maps[kind], .r = &s->resource, .lock_type = lock_type,
			     .name = vk_system_file_name(file),
			     .block_bytes = file == VK_SYSTEM_FBB ? c->fs->info.file_block_bytes : 0};

	k.file = file == VK_SYSTEM_FDC ? c->fs->fdc : s->file;
	if (k.file != NULL && s->has_resource && c->status == VK_OK && make_map(c, kind, file, things, k.r))
		read_clusters(&k);
}

static void note_large(struct vk_check_map *blocks, uint64_t number, const struct vk_cluster_head *h,
		       uint8_t *converted)
{
	for (uint32_t n = 0; n < h->total; n++, number++) {
		uint64_t first = number * blocks->per_cluster;
		uint64_t end = vk_min_u64(first + blocks->per_cluster, blocks->count);

		if (first >= blocks->count)
			break;
		if (vk_cluster_head_value(h, n) == LARGE_CONVERTED) {
			vk_set_bit(converted, number);
			continue;
		}
		vk_set_bit(blocks->known, number);
		for (uint64_t b = first; vk_cluster_head_value(h, n) == 0 && b < end; b++)
			vk_set_bit(blocks->allocated, b);
	}
}

/* VMFS6: large blocks, and the clusters of small blocks that some of them became. */
static void read_large(struct vk_checking *c)
{
	const struct vk_fs_system *fbb = &c->fs->info.system[VK_SYSTEM_FBB];
	struct vk_check_map *blocks = &c->maps[VK_CHECK_BLOCKS];
	uint64_t larges = vk_resource_count(&fbb->resource);
	struct vk_clusters large = {.c = c, .file = fbb->file, .r = &fbb->resource, .lock_type = VK_LOCK_LFB,
				 .name = ".fbb.sf (large blocks)", .block_bytes = c->fs->info.large_block_bytes};
	struct vk_clusters small = {.c = c, .map = blocks, .file = fbb->file, .r = &fbb->child,
				 .lock_type = VK_LOCK_FBB, .name = ".fbb.sf (small blocks)", .small = true,
				 .block_bytes = c->fs->info.file_block_bytes};
	uint64_t became = 0, judged = 0;
	uint8_t *converted;

	if (fbb->file == NULL || !fbb->has_resource || !fbb->has_child || larges > RESOURCES_MAX ||
	    !make_map(c, VK_CHECK_BLOCKS, VK_SYSTEM_FBB, "file blocks", &fbb->child))
		return;
	converted = calloc(1, vk_max_u64(larges, cluster_count(&fbb->child)) / 8 + 1);
	if (converted == NULL) {
		c->status = vk_no_memory(c->err, NULL);
		return;
	}
	c->fd = fbb->file->address;
	vk_fs_cursor_init(&large.cursor, c->fs, large.file, NULL);
	for (uint64_t i = 0; i < cluster_count(large.r) && c->status == VK_OK; i++) {
		struct vk_cluster_head h = {0};
		bool sound;

		if (vk_cluster_head_read(&large, i, &h) != VK_OK) {
			tell_header(&large, i, &h, false);
			c->result.phases[c->phase].unknown++;
			continue;
		}
		c->result.phases[c->phase].checked++;
		vk_check_lock(c, &h.lock, h.at);
		sound = vk_cluster_head_judge(&large, i, &h);
		if (sound)
			note_large(blocks, i * large.r->resourcesPerCluster, &h, converted);
		else
			note_damaged(&large, i);
		tell_header(&large, i, &h, sound);
		judged += sound;
	}
	for (uint64_t i = 0; i < cluster_count(&fbb->child); i++)
		became += vk_bit(converted, i);
	if (became != fbb->child.convertedClusters && judged == cluster_count(large.r))
		vk_fs_say(c->fs, &c->named, c->fd, VK_F_FILE_RESOURCE, fbb->file->volume_offset, 0,
			  vk_phrase("%" PRIu32, fbb->child.convertedClusters).text, vk_phrase("%" PRIu64, became).text,
			  "convertedClusters of .fbb.sf is not what the bitmaps say");
	small.converted = converted;
	read_clusters(&small);
	free(converted);
}

/* The cluster that was asked for last. */
struct asked {
	struct vk_clusters k;
	uint64_t cluster;
	bool read, believed;
	struct vk_cluster_head h;
};

/* Its value for a resource. False: not known. */
static bool value_at(struct asked *a, uint64_t number, uint64_t *clusters_left, uint32_t *ret_value)
{
	uint64_t cluster;

	if (a->k.file == NULL || a->k.r->resourcesPerCluster == 0 || number >= vk_resource_count(a->k.r))
		return false;
	cluster = number / a->k.r->resourcesPerCluster;
	if (!a->read || a->cluster != cluster) {
		if (*clusters_left == 0)
			return false;
		--*clusters_left;
		a->h = (struct vk_cluster_head){0};
		a->cluster = cluster;
		a->read = true;
		a->believed = vk_cluster_head_read(&a->k, cluster, &a->h) == VK_OK &&
			      vk_cluster_head_judge(&a->k, cluster, &a->h);
	}
	*ret_value = a->believed ? vk_cluster_head_value(&a->h, (uint32_t)(number % a->k.r->resourcesPerCluster)) : 0;
	return a->believed;
}

void vk_check_block_states(struct vk_checking *c, const struct vk_range_set *ranges, uint64_t clusters,
			   uint64_t *ret_free_bytes, uint64_t *ret_used_bytes)
{
	const struct vk_fs_info *info = &c->fs->info;
	const struct vk_fs_system *fbb = &info->system[VK_SYSTEM_FBB];
	const bool six = info->vmfs6;
	struct asked top = {.k = {.c = c, .file = fbb->has_resource ? fbb->file : NULL, .r = &fbb->resource,
				  .name = ".fbb.sf", .lock_type = six ? VK_LOCK_LFB : VK_LOCK_FBB}};
	struct asked small = {.k = {.c = c, .file = fbb->has_child ? fbb->file : NULL, .r = &fbb->child,
				    .name = ".fbb.sf", .lock_type = VK_LOCK_FBB, .small = true}};
	uint64_t size = info->file_block_bytes, length, all;
	uint32_t value;

	*ret_free_bytes = *ret_used_bytes = 0;
	if (fbb->file == NULL || (six && info->small_per_cluster == 0))
		return;
	vk_fs_cursor_init(&top.k.cursor, c->fs, fbb->file, NULL);
	vk_fs_cursor_init(&small.k.cursor, c->fs, fbb->file, NULL);
	all = vk_mul_sat(vk_mul_sat(vk_resource_count(&fbb->resource), six ? info->small_per_cluster : 1), size);
	for (size_t i = 0; i < ranges->count; i++) {
		const struct vk_range *r = &ranges->ranges[i];
		uint64_t at = r->offset_bytes, end = vk_min_u64(at + r->length_bytes, all);

		for (; at < end && clusters > 0 && c->status == VK_OK; at += length) {
			uint64_t block = at / size;
			bool known = value_at(&top, six ? block / info->small_per_cluster : block, &clusters, &value);

			length = vk_min_u64(size - at % size, end - at);
			if (known && six && value == LARGE_CONVERTED)
				known = value_at(&small, block, &clusters, &value);
			if (known)
				*(value != 0 ? ret_free_bytes : ret_used_bytes) += length;
		}
	}
}

void vk_check_descriptor_map(struct vk_checking *c)
{
	c->phase = VK_FS_CHECK_RESOURCES;
	read_kind(c, VK_CHECK_FDS, VK_SYSTEM_FDC, "file descriptors", VK_LOCK_FDC);
}

void vk_check_clusters(struct vk_checking *c, bool blocks)
{
	const struct vk_fs_info *info = &c->fs->info;
	struct vk_clusters journals = {.c = c, .file = info->system[VK_SYSTEM_JBC].file,
				    .r = &info->system[VK_SYSTEM_JBC].resource, .lock_type = VK_LOCK_JBC,
				    .name = ".jbc.sf"};

	c->phase = VK_FS_CHECK_RESOURCES;
	if (blocks && info->vmfs6)
		read_large(c);
	else if (blocks)
		read_kind(c, VK_CHECK_BLOCKS, VK_SYSTEM_FBB, "file blocks", VK_LOCK_FBB);
	vk_check_descriptor_map(c);
	read_kind(c, VK_CHECK_PBS, VK_SYSTEM_PBC, "pointer blocks", VK_LOCK_PBC);
	read_kind(c, VK_CHECK_SUB_BLOCKS, VK_SYSTEM_SBC, "sub-blocks", VK_LOCK_SBC);
	read_kind(c, VK_CHECK_PB2S, VK_SYSTEM_PB2, "pointer blocks", VK_LOCK_PB2);
	if (journals.file != NULL && info->system[VK_SYSTEM_JBC].has_resource)
		read_clusters(&journals);
}

void vk_check_resources(struct vk_checking *c)
{
	const struct vk_check_map *blocks = &c->maps[VK_CHECK_BLOCKS];

	c->phase = VK_FS_CHECK_RESOURCES;
	vk_check_system(c);
	vk_check_clusters(c, true);
	c->result.blocks = blocks->count;
	for (uint64_t i = 0; i < blocks->count; i++)
		c->result.blocks_allocated += vk_bit(blocks->allocated, i);
}

void vk_check_free_maps(struct vk_checking *c)
{
	for (size_t i = 0; i < VK_CHECK_KINDS; i++) {
		free(c->maps[i].allocated);
		free(c->maps[i].used);
		free(c->maps[i].known);
		vk_range_set_free(&c->twice[i]);
	}
	vk_range_set_free(&c->damaged);
}
