/* SPDX-License-Identifier: Apache-2.0 */
/* File descriptors: lock and metadata as the hosts of the real volumes left them; and what a deletion leaves. */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/memory.h"
#include "lab/files/fill.h"
#include "vmfskit/heartbeat.h"

enum {
	MAKER_GEN = 9, TBZ_SHIFT = 20, FLAG_SUB_BLOCK = 1, FLAG_POINTER_BLOCKS = 8,
	SECONDS_AFTER = 120 /* the volume was made */
};

/* A host that holds a lock. */
struct holder {
	uint64_t hb_addr;
	uint64_t hb_gen;
	struct vk_vmfs_uuid uid;
};

/* The host that made the volume has let go of its slot: a lock in its name is stale. */
static void dead_host(const struct vk_lab_fill *f, const struct vk_fs_geometry *g, struct holder *ret)
{
	ret->hb_addr = g->heartbeat_offset +
		       (uint64_t)vk_lab_maker_slot(f->w.device, g->heartbeat_slots) * g->heartbeat_slot_bytes;
	ret->hb_gen = MAKER_GEN;
	ret->uid = f->w.device->fs.hostUuid;
	if (f->w.device->version == 3) {
		uint8_t mac[6];

		vk_lab_mac(f->w.device->seed, "maker", f->w.device->seed_index, mac);
		vk_lab_uuid(f->w.device->seed, "maker session", f->w.device->seed_index,
			    f->w.device->fs.creationTime - 600, mac, &ret->uid);
	}
}

/* A host that has the volume open: its slot names it. */
static enum vk_status live_host(struct vk_lab_fill *f, const struct vk_fs_geometry *g, unsigned host,
				struct holder *ret)
{
	uint64_t index = f->w.device->seed_index * 1024 + host;
	uint8_t mac[6], raw[512];

	vk_lab_mac(f->w.device->seed, "host", index, mac);
	for (uint32_t slot = 0; slot < g->heartbeat_slots; slot++) {
		uint64_t at = g->heartbeat_offset + (uint64_t)slot * g->heartbeat_slot_bytes;
		enum vk_status status = vk_lab_volume_get(f, at, raw, sizeof(raw));
		struct vk_heartbeat hb;

		if (status != VK_OK)
			return status;
		vk_heartbeat_decode(raw, sizeof(raw), &hb);
		if (hb.state != VK_HB_IN_USE || memcmp(hb.owner.b + 10, mac, sizeof(mac)) != 0)
			continue;
		*ret = (struct holder){at, hb.hbGen, hb.owner};
		return VK_OK;
	}
	vk_error_set(f->err, VK_USAGE, NULL, "no host number %u holds a heartbeat on this volume", host);
	return vk_error_remedy(f->err, "hosts count from 0; --live says how many there are");
}

static enum vk_status make_lock(struct vk_lab_fill *f, const struct vk_lab_node *n, struct vk_lock *lock)
{
	const struct vk_lab_item *item = n->item;
	struct vk_fs_geometry g;
	struct holder h;
	enum vk_status status = VK_OK;

	vk_fs_geometry(&f->w.device->fs, VK_FS_DESCRIPTOR_BYTES, &g);
	dead_host(f, &g, &h);
	*lock = vk_lab_lock(&f->w, VK_FD_LOCK_TYPE, vk_lab_pool_offset(f, VK_LAB_POOL_FD, n->fd));
	lock->hbAddr = h.hb_addr;
	lock->hbGen = h.hb_gen;
	lock->token = n->token != 0 ? n->token : 4 + n->child_count;
	if (item == NULL || item->lock_mode == 0)
		return VK_OK;
	lock->mode = item->lock_mode;
	for (unsigned i = 0; i < item->host_count && status == VK_OK; i++) {
		uint8_t *to = lock->holders + (size_t)i * VK_LOCK_HOLDER_BYTES;

		if (item->hosts[i] == VK_LAB_HOST_DEAD)
			dead_host(f, &g, &h);
		else
			status = live_host(f, &g, (unsigned)item->hosts[i], &h);
		lock->hbAddr = h.hb_addr;
		lock->hbGen = h.hb_gen;
		if (item->lock_mode == 1) {
			lock->owner = h.uid;
			continue;
		}
		vk_put_le64(to, h.hb_addr);
		vk_put_le64(to + 8, h.hb_gen);
		memcpy(to + 16, h.uid.b, sizeof(h.uid.b));
		lock->numHolders++;
	}
	return status;
}

static uint32_t default_mode(enum vk_file_type type)
{
	return type == VK_FILE_FOLDER ? 0755 : type == VK_FILE_LINK ? 0777 : 0644;
}

static void count_blocks(const struct vk_lab_fill *f, const struct vk_lab_node *n, struct vk_file_metadata *m)
{
	uint64_t tbz = 0, cow = 0, last = 0;

	m->numBlocks = 0;
	for (size_t i = 0; i < n->piece_count; i++) {
		const struct vk_lab_piece *p = &n->pieces[i];

		m->numBlocks += p->units;
		tbz += p->tbz ? p->units : 0;
		cow += n->item != NULL && n->item->cow ? p->units : 0;
		if (p->pool == VK_LAB_POOL_LARGE)
			m->numLFB += (uint32_t)(p->units >> f->w.device->fs.sfbToLfbShift);
		if (p->pool == VK_LAB_POOL_SMALL)
			last = (p->resource + p->units - 1) / VK_LAB_SMALL_PER_CLUSTER;
	}
	m->numTBZBlocksLo = (uint32_t)tbz;
	m->numTBZBlocksHi = (uint32_t)(tbz >> 32);
	m->numCOWBlocksLo = (uint32_t)cow;
	m->numCOWBlocksHi = (uint32_t)(cow >> 32);
	if (f->w.device->version == 3)
		return;
	m->newSinceEpochLo = (uint32_t)m->numBlocks;
	m->newSinceEpochHi = (uint32_t)(m->numBlocks >> 32);
	m->numPointerBlocks = (uint32_t)n->pointer_block_count;
	if (f->vmfs6)
		m->lastSFBClusterNum = (uint32_t)last;
}

/* The root's is there already: only its length and its counts change. */
static void root_metadata(const struct vk_lab_fill *f, struct vk_file_metadata *m)
{
	vk_file_metadata_decode(f->raw + f->fd.metadata_offset, 512, m);
	m->mtime += SECONDS_AFTER;
	m->ctime = m->mtime;
	m->atime = m->mtime;
}

/* Of VMFS6: what flags say of the addresses. */
static void set_flags(const struct vk_lab_node *n, struct vk_file_metadata *m)
{
	m->flags = 0;
	if (n->zla == VK_ZLA_SUB_BLOCK && n->item->type == VK_FILE_ORDINARY)
		m->flags = FLAG_SUB_BLOCK;
	if (n->pointer_block_count == 0)
		return;
	m->flags = FLAG_POINTER_BLOCKS;
	m->unknown78[4] = 1;
	m->affinityBitmap = 1;
}

static void user_metadata(const struct vk_lab_fill *f, const struct vk_lab_node *n, struct vk_file_metadata *m)
{
	const struct vk_lab_item *item = n->item;
	uint32_t seconds = f->w.device->fs.creationTime + SECONDS_AFTER + n->seconds;

	*m = (struct vk_file_metadata){
		.descAddr = vk_lab_fd_address(f, n->fd),
		.generation = n->generation,
		.linkCount = item->type == VK_FILE_FOLDER ? 2 : 1,
		.type = item->type,
		.blockSize = n->unit_bytes,
		.mtime = item->times[0] != 0 ? item->times[0] : seconds,
		.ctime = item->times[1] != 0 ? item->times[1] : seconds,
		.atime = item->times[2] != 0 ? item->times[2] : seconds,
		.uid = item->uid,
		.gid = item->gid,
		.mode = item->has_mode ? item->mode : default_mode(item->type),
		.zeroLevelAddrType = n->zla,
	};
	if (f->w.device->version == 3) {
		/* ESX 3.5 wrote the type of ordinary files into their mode */
		m->mode |= item->type == VK_FILE_ORDINARY ? 0100000 : 0;
		return;
	}
	m->affinityFD = vk_lab_affinity(f, n, VK_LAB_POOL_SB);
	m->blockOffsetShift = (uint8_t)__builtin_ctzll(n->unit_bytes);
	m->tbzGranularityShift = !f->vmfs6 && item->type == VK_FILE_FOLDER ? m->blockOffsetShift : TBZ_SHIFT;
	if (!f->vmfs6)
		return;
	m->signature = VK_FD_SIGNATURE;
	m->parentFD = vk_lab_fd_address(f, n->parent->fd);
	set_flags(n, m);
}

enum vk_status vk_lab_put_descriptor(struct vk_lab_fill *f, struct vk_lab_node *n)
{
	struct vk_file_metadata m;
	struct vk_lock lock;
	enum vk_status status = make_lock(f, n, &lock);

	if (status != VK_OK)
		return status;
	if (n->item == NULL)
		root_metadata(f, &m);
	else
		user_metadata(f, n, &m);
	m.fileLength = n->size_bytes;
	count_blocks(f, n, &m);
	for (size_t i = 0; i < n->child_count; i++)
		if (n->children[i].node->item->type == VK_FILE_FOLDER && !n->children[i].node->item->deleted)
			m.linkCount++;
	vk_lock_encode(&lock, f->raw, f->fd.metadata_offset);
	vk_file_metadata_encode(&m, f->raw + f->fd.metadata_offset, 512);
	return vk_lab_volume_put(f, vk_lab_pool_offset(f, VK_LAB_POOL_FD, n->fd), f->raw, f->fd.fd_bytes);
}

enum vk_status vk_lab_change_descriptor(struct vk_lab_fill *f, struct vk_lab_node *n, int links)
{
	uint8_t *raw = f->raw + f->fd.metadata_offset;
	struct vk_file_metadata m;
	struct vk_lock lock;

	vk_lock_decode(f->raw, f->fd.metadata_offset, &lock);
	lock.token++;
	lock.mtime = vk_lab_lock(&f->w, VK_FD_LOCK_TYPE, lock.addr).mtime;
	vk_lock_encode(&lock, f->raw, f->fd.metadata_offset);
	vk_file_metadata_decode(raw, 512, &m);
	m.linkCount += (uint32_t)links;
	m.fileLength = n->size_bytes;
	m.blockSize = n->unit_bytes;
	m.zeroLevelAddrType = n->zla;
	m.mtime = f->now;
	m.ctime = f->now;
	count_blocks(f, n, &m);
	if (f->w.device->version > 3)
		m.blockOffsetShift = (uint8_t)__builtin_ctzll(n->unit_bytes);
	if (f->vmfs6 && n->item != NULL) {
		m.parentFD = vk_lab_fd_address(f, n->parent->fd);
		set_flags(n, &m);
	}
	vk_file_metadata_encode(&m, raw, 512);
	return vk_lab_volume_put(f, vk_lab_pool_offset(f, VK_LAB_POOL_FD, n->fd), f->raw, f->fd.fd_bytes);
}

/* How many blocks of the volume or of a resource file a piece has. */
static uint64_t resources_of(const struct vk_lab_fill *f, const struct vk_lab_piece *p)
{
	return p->pool == VK_LAB_POOL_LARGE ? p->units >> f->w.device->fs.sfbToLfbShift : p->units;
}

static void clear_blocks(struct vk_lab_fill *f, const struct vk_lab_node *n, struct vk_file_metadata *m)
{
	m->fileLength = 0;
	m->numBlocks = 0;
	m->numTBZBlocksLo = 0;
	m->numTBZBlocksHi = 0;
	m->numCOWBlocksLo = 0;
	m->numCOWBlocksHi = 0;
	m->newSinceEpochLo = 0;
	m->newSinceEpochHi = 0;
	m->numPointerBlocks = 0;
	m->numLFB = 0;
	if (n->zla != VK_ZLA_RESIDENT)
		memset(f->raw + f->fd.pointers_offset, 0, (size_t)f->fd.pointers * f->fd.pointer_bytes);
}

static enum vk_status put_zeros(struct vk_lab_fill *f, uint64_t offset, size_t len)
{
	uint8_t *zeros = calloc(1, len);
	enum vk_status status = zeros != NULL ? vk_lab_volume_put(f, offset, zeros, len) : vk_no_memory(f->err, NULL);

	free(zeros);
	return status;
}

/*
 * Length 0, no addresses, no link; type, times, pointer blocks and what lies in the blocks stay, unless the recipe says
 * what is left. What ESX leaves is known from hearsay only: that addresses are gone on VMFS 3 and 5, and that no link
 * is left.
 */
enum vk_status vk_lab_delete(struct vk_lab_fill *f, struct vk_lab_node *n)
{
	uint8_t *raw = f->raw + f->fd.metadata_offset;
	uint64_t at = vk_lab_pool_offset(f, VK_LAB_POOL_FD, n->fd);
	enum vk_status status = vk_lab_volume_get(f, at, f->raw, f->fd.fd_bytes);
	const enum vk_lab_left left = n->item != NULL ? n->item->left : VK_LAB_LEFT_BLOCKS;
	struct vk_file_metadata m;
	struct vk_lock lock;

	if (status != VK_OK)
		return status;
	vk_lock_decode(f->raw, f->fd.metadata_offset, &lock);
	lock.token += f->now != 0;
	vk_lock_encode(&lock, f->raw, f->fd.metadata_offset);
	vk_file_metadata_decode(raw, 512, &m);
	m.linkCount = 0;
	if (left != VK_LAB_LEFT_POINTERS)
		clear_blocks(f, n, &m);
	vk_file_metadata_encode(&m, raw, 512);
	for (size_t i = 0; i < n->piece_count; i++)
		for (uint64_t k = 0; k < resources_of(f, &n->pieces[i]) && status == VK_OK; k++)
			status = vk_lab_pool_give(f, n->pieces[i].pool, n->pieces[i].resource + k,
						  vk_lab_affinity(f, n, n->pieces[i].pool));
	for (size_t i = 0; i < n->pointer_block_count && status == VK_OK && left == VK_LAB_LEFT_NOTHING; i++)
		status = put_zeros(f, vk_lab_pool_offset(f, n->pointer_blocks[i].pool, n->pointer_blocks[i].resource),
				   f->pointer_block_bytes);
	for (size_t i = 0; i < n->pointer_block_count && status == VK_OK; i++)
		status = vk_lab_pool_give(f, n->pointer_blocks[i].pool, n->pointer_blocks[i].resource,
					  vk_lab_fd_address(f, n->fd));
	if (status == VK_OK)
		status = vk_lab_pool_give(f, VK_LAB_POOL_FD, n->fd, 0);
	return status == VK_OK ? vk_lab_volume_put(f, at, f->raw, f->fd.fd_bytes) : status;
}
