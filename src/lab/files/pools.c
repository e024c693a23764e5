/* SPDX-License-Identifier: Apache-2.0 */
/* Giving out descriptors and blocks: bitmaps, counts, generations and who they went to, cluster by cluster. */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "base/memory.h"
#include "lab/files/fill.h"

/* As on the real volumes. A free block of two or three bits is a guess: none was seen. */
enum { TAKEN = 0, FREE = 1, CONVERTED = 4, LARGE_UNKNOWN = 0xE0, LOCK_BYTES = 512, ROUND_TOKEN = 3, MAKER_GEN = 9 };

static uint32_t header_bytes(const struct vk_lab_fill *f)
{
	return vk_cluster_header_bytes(f->files->md_alignment);
}

static uint8_t *metadata(const struct vk_lab_fill *f, uint8_t *header)
{
	return header + header_bytes(f) / 2;
}

/* Volume offset of the header of a cluster. */
static uint64_t header_offset(const struct vk_lab_fill *f, const struct vk_lab_pool *p, uint64_t cluster)
{
	const struct vk_resource_file *large = &f->files->of[VK_SYSTEM_FBB].resource;
	uint64_t offset = p->small ? vk_resource_offset(large, f->files->md_alignment,
							cluster / large->resourcesPerCluster,
							(uint32_t)(cluster % large->resourcesPerCluster))
				   : vk_cluster_header_offset(p->resource, f->files->md_alignment, cluster);

	/* a file that was cut short does not have it */
	if (offset + header_bytes(f) > f->files->of[p->file].blocks * f->block_bytes)
		return 0;
	return vk_lab_file_volume_offset(f->files, p->file, offset);
}

static enum vk_status open_pool(struct vk_lab_fill *f, enum vk_lab_pool_kind kind, enum vk_system_file file,
				const struct vk_resource_file *resource, uint64_t cursor)
{
	struct vk_lab_pool *p = &f->pools[kind];

	*p = (struct vk_lab_pool){.file = file, .resource = resource, .bits = 1, .count = vk_resource_count(resource),
				  .cursor = cursor};
	if (p->count == 0)
		return VK_OK;
	if (f->vmfs6)
		p->bits = resource->bitsPerResource;
	p->clusters = (p->count + resource->resourcesPerCluster - 1) / resource->resourcesPerCluster;
	p->headers = calloc(p->clusters, sizeof(*p->headers));
	p->changed = calloc(p->clusters, sizeof(*p->changed));
	return p->headers == NULL || p->changed == NULL ? vk_no_memory(f->err, NULL) : VK_OK;
}

/* Sub-blocks are taken from the fifth cluster on, as on a real VMFS5 volume: a cluster number of 0 hides faults. */
enum vk_status vk_lab_pools_open(struct vk_lab_fill *f)
{
	const struct vk_lab_file *of = f->files->of;
	const struct vk_resource_file *sub = &of[VK_SYSTEM_SBC].resource;
	uint64_t fifth = 4ULL * sub->resourcesPerCluster;
	enum vk_status status;

	status = open_pool(f, VK_LAB_POOL_FD, VK_SYSTEM_FDC, &of[VK_SYSTEM_FDC].resource, of[VK_SYSTEM_FDC].used);
	if (status == VK_OK)
		status = open_pool(f, VK_LAB_POOL_PB, VK_SYSTEM_PBC, &of[VK_SYSTEM_PBC].resource, 0);
	if (status == VK_OK)
		status = open_pool(f, VK_LAB_POOL_SB, VK_SYSTEM_SBC, sub, fifth < vk_resource_count(sub) ? fifth : 0);
	if (status == VK_OK && f->files->file_count > VK_SYSTEM_PB2)
		status = open_pool(f, VK_LAB_POOL_PB2, VK_SYSTEM_PB2, &of[VK_SYSTEM_PB2].resource, 0);
	if (status == VK_OK)
		status = open_pool(f, VK_LAB_POOL_SMALL, VK_SYSTEM_FBB,
				   f->vmfs6 ? &f->files->small : &of[VK_SYSTEM_FBB].resource, f->files->used_blocks);
	f->pools[VK_LAB_POOL_SMALL].small = f->vmfs6;
	if (status == VK_OK && f->vmfs6)
		status = open_pool(f, VK_LAB_POOL_LARGE, VK_SYSTEM_FBB, &of[VK_SYSTEM_FBB].resource, 0);
	return status;
}

void vk_lab_pools_free(struct vk_lab_fill *f)
{
	for (unsigned k = 0; k < VK_LAB_POOLS; k++) {
		for (uint64_t i = 0; i < f->pools[k].clusters && f->pools[k].headers != NULL; i++)
			free(f->pools[k].headers[i]);
		free(f->pools[k].headers);
		free(f->pools[k].changed);
	}
}

/*
 * The header of a cluster; one that was never written is made now. ret_header NULL: the file ends before, and its
 * resources cannot be given out.
 */
static enum vk_status load(struct vk_lab_fill *f, struct vk_lab_pool *p, uint64_t cluster, uint8_t **ret_header)
{
	uint64_t offset = header_offset(f, p, cluster);
	enum vk_status status;
	uint8_t *raw;

	*ret_header = p->headers[cluster];
	if (*ret_header != NULL || offset == 0)
		return VK_OK;
	raw = calloc(1, header_bytes(f));
	if (raw == NULL)
		return vk_no_memory(f->err, NULL);
	status = vk_lab_volume_get(f, offset, raw, header_bytes(f));
	if (status == VK_OK && vk_get_le32(raw) == 0) {
		vk_lab_write_cluster(&f->w, p->file, p->small, cluster);
		status = vk_lab_volume_get(f, offset, raw, header_bytes(f));
	}
	if (status != VK_OK) {
		free(raw);
		return status;
	}
	p->headers[cluster] = raw;
	*ret_header = raw;
	return VK_OK;
}

static uint8_t *bitmap(const struct vk_lab_fill *f, uint8_t *header)
{
	return metadata(f, header) + (f->vmfs6 ? VK_CLUSTER6_BITMAP : 0x10);
}

static unsigned state_of(const struct vk_lab_fill *f, const struct vk_lab_pool *p, uint8_t *header, uint32_t index)
{
	const uint8_t *map = bitmap(f, header);
	unsigned value = 0;

	for (uint32_t b = 0; b < p->bits; b++) {
		uint32_t bit = index * p->bits + b;

		value |= (unsigned)(map[bit / 8] >> bit % 8 & 1) << b;
	}
	return value;
}

static void set_state(const struct vk_lab_fill *f, const struct vk_lab_pool *p, uint8_t *header, uint32_t index,
		      unsigned value)
{
	uint8_t *map = bitmap(f, header);

	for (uint32_t b = 0; b < p->bits; b++) {
		uint32_t bit = index * p->bits + b;

		map[bit / 8] = (uint8_t)((map[bit / 8] & ~(1U << bit % 8)) | (value >> b & 1U) << bit % 8);
	}
}

/* Pairs of a descriptor and a count of blocks, the first of them empty. count may be negative. */
static void count_small(uint8_t *m, struct vk_cluster6 *c, uint32_t affinity, int count)
{
	uint8_t *pairs = m + VK_CLUSTER6_AFFINITY_SMALL;
	uint32_t most = (4096 - VK_CLUSTER6_AFFINITY_SMALL) / 8, i = 1;

	while (i < c->affinityCount && vk_get_le32(pairs + (size_t)i * 8) != affinity)
		i++;
	if (i >= most)
		return;
	if (i >= c->affinityCount) {
		vk_put_le32(pairs + (size_t)i * 8, affinity);
		c->affinityCount = (uint16_t)(i + 1);
	}
	vk_put_le32(pairs + (size_t)i * 8 + 4, vk_get_le32(pairs + (size_t)i * 8 + 4) + (uint32_t)count);
	if (vk_get_le32(pairs + (size_t)i * 8 + 4) != 0)
		return;
	/* the file has no block here any more: the last pair takes its place */
	c->affinityCount--;
	memmove(pairs + (size_t)i * 8, pairs + (size_t)c->affinityCount * 8, 8);
	memset(pairs + (size_t)c->affinityCount * 8, 0, 8);
}

/* The lock of a cluster shows the host that changed it last. */
static void touch_lock(struct vk_lab_fill *f, uint8_t *header, uint32_t cluster_hint)
{
	struct vk_lock lock;
	struct vk_fs_geometry g;

	vk_lock_decode(header, LOCK_BYTES, &lock);
	vk_fs_geometry(&f->w.device->fs, VK_FS_DESCRIPTOR_BYTES, &g);
	lock.hbAddr = g.heartbeat_offset +
		      (uint64_t)vk_lab_maker_slot(f->w.device, g.heartbeat_slots) * g.heartbeat_slot_bytes;
	lock.hbGen = MAKER_GEN;
	/* of real ones it grows by two each time that they are held */
	lock.token = lock.token < ROUND_TOKEN ? ROUND_TOKEN : lock.token + (f->now != 0 ? 2 : 1);
	lock.mtime = vk_lab_lock(&f->w, lock.type, lock.addr).mtime + (f->w.device->version == 3 ? cluster_hint : 0);
	vk_lock_encode(&lock, header, LOCK_BYTES);
}

/* One resource taken or given back, in all that its cluster says of it. */
static void note(struct vk_lab_fill *f, struct vk_lab_pool *p, uint64_t cluster, uint8_t *header, uint32_t index,
		 unsigned state, uint32_t affinity)
{
	uint8_t *m = metadata(f, header);
	bool taken = state != FREE;
	struct vk_cluster old;
	struct vk_cluster6 c;

	set_state(f, p, header, index, state);
	/* a host that is at work takes the lock once for all that it changes */
	if (f->now == 0 || !p->changed[cluster])
		touch_lock(f, header, (uint32_t)cluster);
	p->changed[cluster] = true;
	if (!f->vmfs6) {
		vk_cluster_decode(m, LOCK_BYTES, &old);
		old.freeResources = taken ? old.freeResources - 1 : old.freeResources + 1;
		old.nextFreeIdx = taken ? (index + 1) % old.totalResources : index;
		vk_cluster_encode(&old, m, LOCK_BYTES);
		return;
	}
	vk_cluster6_decode(m, VK_CLUSTER6_BYTES, &c);
	c.freeResources = (uint16_t)(taken ? c.freeResources - 1 : c.freeResources + 1);
	if (p->file != VK_SYSTEM_FBB)
		c.nextFreeIdx = taken ? (index + 1) % c.totalResources : index;
	if (taken) {
		c.allocations++;
		c.lastAllocTime = f->now != 0 ? f->now : f->w.device->fs.creationTime + 100;
		vk_lab_mac(f->w.device->seed, "maker", f->w.device->seed_index, c.lastHostMac);
	}
	if (p->small)
		count_small(m, &c, affinity, taken ? 1 : -1);
	else if (p->file != VK_SYSTEM_FBB && p->resource->resourcesPerCluster == 256)
		vk_put_le32(m + VK_CLUSTER6_AFFINITY_256 + (size_t)index * 4, taken ? affinity : 0);
	else if (p->file != VK_SYSTEM_FBB && p->resource->resourcesPerCluster == 32)
		vk_put_le32(m + VK_CLUSTER6_AFFINITY_32 + (size_t)index * 4, taken ? affinity : 0);
	if (p->file == VK_SYSTEM_FBB && !p->small && state == CONVERTED)
		m[LARGE_UNKNOWN + (size_t)index * 8] = 0xFF;
	vk_cluster6_encode(&c, m, VK_CLUSTER6_BYTES);
}

/* Whether small blocks may be taken from a cluster: its large block must be one already, or becomes one. */
static enum vk_status convert(struct vk_lab_fill *f, uint64_t large, bool *ret_usable)
{
	struct vk_lab_pool *p = &f->pools[VK_LAB_POOL_LARGE];
	uint32_t index = (uint32_t)(large % p->resource->resourcesPerCluster);
	uint8_t *header;
	enum vk_status status = load(f, p, large / p->resource->resourcesPerCluster, &header);

	*ret_usable = false;
	if (status != VK_OK || header == NULL)
		return status;
	if (state_of(f, p, header, index) == FREE) {
		note(f, p, large / p->resource->resourcesPerCluster, header, index, CONVERTED, 0);
		f->w.files.small.convertedClusters++;
	}
	*ret_usable = state_of(f, p, header, index) == CONVERTED;
	return VK_OK;
}

static const char *pool_name(enum vk_lab_pool_kind kind)
{
	static const char *const names[VK_LAB_POOLS] = {
		"file descriptor", "pointer block in .pbc.sf", "sub-block", "pointer block in .pb2.sf", "file block",
		"large file block",
	};

	return names[kind];
}

/* Takes what is free in a row from index on; got counts on over clusters. */
static uint64_t take_in(struct vk_lab_fill *f, struct vk_lab_pool *p, uint64_t cluster, uint8_t *header, uint64_t from,
			uint64_t end, uint64_t want, uint32_t affinity)
{
	uint64_t first = cluster * p->resource->resourcesPerCluster, got = 0;

	for (uint64_t i = from; i < end && i < first + p->resource->resourcesPerCluster && got < want; i++, got++) {
		if (state_of(f, p, header, (uint32_t)(i - first)) != FREE)
			break;
		note(f, p, cluster, header, (uint32_t)(i - first), TAKEN, affinity);
	}
	return got;
}

/* The first free resource from from on, in one cluster after the other, and those that follow it. */
static enum vk_status take_from(struct vk_lab_fill *f, enum vk_lab_pool_kind kind, uint64_t from, uint64_t end,
				uint64_t want, uint32_t affinity, uint64_t *ret_resource, uint64_t *ret_got)
{
	struct vk_lab_pool *p = &f->pools[kind];
	uint32_t per = p->resource->resourcesPerCluster;

	*ret_got = 0;
	for (uint64_t i = from, stop; i < end && *ret_got < want; i = stop) {
		uint64_t cluster = i / per, got;
		uint8_t *header;
		enum vk_status status = load(f, p, cluster, &header);
		bool usable = header != NULL;

		stop = vk_min_u64(end, (cluster + 1) * per);
		while (usable && *ret_got == 0 && i < stop && state_of(f, p, header, (uint32_t)(i % per)) != FREE)
			i++;
		if (status == VK_OK && usable && i < stop && p->small)
			status = convert(f, cluster, &usable);
		if (status != VK_OK)
			return status;
		got = usable && i < stop ? take_in(f, p, cluster, header, i, stop, want - *ret_got, affinity) : 0;
		if (*ret_got == 0)
			*ret_resource = i;
		*ret_got += got;
		/* the row ends where something is taken already */
		if (*ret_got > 0 && i + got < stop)
			break;
	}
	return VK_OK;
}

enum vk_status vk_lab_pool_take(struct vk_lab_fill *f, enum vk_lab_pool_kind kind, uint64_t first, uint64_t end,
				uint64_t want, uint32_t affinity, uint64_t *ret_resource, uint64_t *ret_got)
{
	struct vk_lab_pool *p = &f->pools[kind];
	uint64_t stop = vk_min_u64(end, p->count);
	uint64_t cursor = vk_max_u64(p->cursor, first);
	enum vk_status status = VK_OK;

	*ret_got = 0;
	if (p->resource != NULL && p->count > 0 && cursor < stop)
		status = take_from(f, kind, cursor, stop, want, affinity, ret_resource, ret_got);
	if (status == VK_OK && *ret_got == 0 && p->resource != NULL && p->count > 0 && first < stop)
		status = take_from(f, kind, first, stop, want, affinity, ret_resource, ret_got);
	if (status != VK_OK)
		return status;
	if (*ret_got == 0) {
		vk_error_set(f->err, VK_USAGE, NULL, "the volume has no %s left", pool_name(kind));
		return vk_error_remedy(f->err, "make the volume larger, or ask for fewer or shorter files");
	}
	p->cursor = *ret_resource + *ret_got;
	return VK_OK;
}

enum vk_status vk_lab_pool_give(struct vk_lab_fill *f, enum vk_lab_pool_kind kind, uint64_t resource, uint32_t affinity)
{
	struct vk_lab_pool *p = &f->pools[kind];
	uint64_t cluster = resource / p->resource->resourcesPerCluster;
	uint8_t *header;
	enum vk_status status = load(f, p, cluster, &header);

	if (status == VK_OK && header != NULL)
		note(f, p, cluster, header, (uint32_t)(resource % p->resource->resourcesPerCluster), FREE, affinity);
	return status;
}

enum vk_status vk_lab_pool_descriptor(struct vk_lab_fill *f, uint32_t folder, uint64_t *ret_fd,
				      uint32_t *ret_generation)
{
	struct vk_lab_pool *p = &f->pools[VK_LAB_POOL_FD];
	uint64_t got;
	enum vk_status status = vk_lab_pool_take(f, VK_LAB_POOL_FD, 0, p->count, 1, folder, ret_fd, &got);
	uint8_t *last;

	if (status != VK_OK)
		return status;
	/* each cluster counts the generations that it hands out */
	last = metadata(f, p->headers[*ret_fd / p->resource->resourcesPerCluster]) + (f->vmfs6 ? 0x68 : 0x50);
	*ret_generation = vk_get_le32(last) + 1;
	vk_put_le32(last, *ret_generation);
	return VK_OK;
}

uint64_t vk_lab_pool_offset(const struct vk_lab_fill *f, enum vk_lab_pool_kind kind, uint64_t resource)
{
	const struct vk_lab_pool *p = &f->pools[kind];

	if (kind == VK_LAB_POOL_SMALL)
		return resource * f->block_bytes;
	if (kind == VK_LAB_POOL_LARGE)
		return resource * (f->block_bytes << f->w.device->fs.sfbToLfbShift);
	return vk_lab_file_volume_offset(f->files, p->file,
					 vk_resource_offset(p->resource, f->files->md_alignment,
							    resource / p->resource->resourcesPerCluster,
							    (uint32_t)(resource % p->resource->resourcesPerCluster)));
}

enum vk_status vk_lab_pools_write(struct vk_lab_fill *f)
{
	uint8_t sector[512] = {0};

	for (unsigned k = 0; k < VK_LAB_POOLS; k++) {
		struct vk_lab_pool *p = &f->pools[k];

		for (uint64_t i = 0; i < p->clusters; i++) {
			if (p->changed[i])
				vk_lab_volume_put(f, header_offset(f, p, i), p->headers[i], header_bytes(f));
			p->changed[i] = false;
		}
	}
	if (f->vmfs6) {
		vk_resource_file_encode(&f->files->small, sector, sizeof(sector));
		vk_lab_file_put(&f->w, VK_SYSTEM_FBB, f->files->of[VK_SYSTEM_FBB].resource.childMetaOffset, sector,
				sizeof(sector));
	}
	return vk_lab_volume_status(f);
}
