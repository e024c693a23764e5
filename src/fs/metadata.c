/* SPDX-License-Identifier: Apache-2.0 */
/* Which ranges of a volume are metadata, from the headers of clusters, the file descriptors and what these lead to. */
#include <inttypes.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "base/memory.h"
#include "fs/check.h"
#include "fs/metadata.h"

enum {
	RANGES_MAX = 1 << 20,
	ADDRESSES_MAX = 1 << 24,      /* that are followed */
	HEADER_MAX = 64 << 20,        /* where .vh.sf ends on every volume */
	FOLDER_MAX = 512 << 20,       /* more entries than are looked at */
	RESOURCE_BYTES_MAX = 1 << 20, /* from FS3_ResFileMetadata to the first cluster, and of one pointer block */
	SLOT_BYTES = 512
};

static bool goes_on(const struct vk_gathering *g)
{
	return g->c.status == VK_OK && !g->out->unfinished;
}

static void add_range(struct vk_gathering *g, enum vk_fs_metadata_kind kind, uint32_t owner, uint64_t at,
		      uint64_t length)
{
	const uint64_t end = g->c.fs->info.volume_bytes != 0 ? g->c.fs->info.volume_bytes : UINT64_MAX;
	struct vk_fs_metadata *out = g->out;
	struct vk_fs_metadata_range *last = out->count > 0 ? &out->ranges[out->count - 1] : NULL;
	const struct vk_fs_metadata_range range = {at, vk_min_u64(length, end - vk_min_u64(at, end)), kind, owner};

	if (range.length_bytes == 0 || !goes_on(g))
		return;
	g->gathered += (g->kinds & 1U << kind) != 0 ? range.length_bytes : 0;
	out->unfinished = out->count >= RANGES_MAX || (g->limit != 0 && g->gathered > g->limit);
	if (out->unfinished)
		return;
	if (last != NULL && last->volume_offset + last->length_bytes == at && last->kind == kind &&
	    last->owner == owner)
		last->length_bytes += range.length_bytes;
	else if (vk_append(&out->ranges, &out->count, &range, sizeof(range)) == NULL)
		g->c.status = vk_no_memory(g->c.err, NULL);
}

/* Bytes of a system file, wherever its blocks lie. */
static void add_bytes_of(struct vk_gathering *g, enum vk_fs_metadata_kind kind, const struct vk_fs_file *file,
			 uint64_t offset, uint64_t length)
{
	for (uint64_t end = vk_add_sat(offset, length), at, n; offset < end && goes_on(g); offset += n) {
		if (vk_fs_map(g->c.fs, file, offset, &at, &n) != VK_OK) {
			g->lost = true;
			return;
		}
		n = vk_min_u64(n, end - offset);
		add_range(g, kind, file->address, at, n);
	}
}

/* What is wrong with locks and heartbeats does not lead anywhere. */
static void pass_places(void *ctx, const struct vk_finding *finding)
{
	struct vk_gathering *g = ctx;

	if (finding->code == VK_F_FILE_LOCK || finding->code == VK_F_FILE_LOCK_FIELD)
		return;
	g->lost = g->lost || vk_finding_kind(finding->code)->severity != VK_INFO;
	vk_finding_put(g->c.sink, finding);
}

static void add_header(void *ctx, const struct vk_check_header *h)
{
	struct vk_gathering *g = ctx;
	const bool blocks = h->file == g->c.fs->info.system[VK_SYSTEM_FBB].file;

	add_range(g, blocks ? VK_METADATA_BITMAPS : VK_METADATA_RESOURCES, h->file->address, h->volume_offset,
	    vk_cluster_header_bytes(g->c.fs->info.md_alignment));
	if (!h->unused || h->kind == VK_CHECK_KINDS)
		return;
	if (g->unused[h->kind] == NULL)
		g->unused[h->kind] = calloc(1, g->c.maps[h->kind].count / 8 + 1);
	if (g->unused[h->kind] == NULL)
		g->c.status = vk_no_memory(g->c.err, NULL);
	else
		vk_set_bit(g->unused[h->kind], h->cluster);
}

bool vk_gather_unused(const struct vk_gathering *g, enum vk_check_kind kind, uint64_t cluster)
{
	return g->unused[kind] != NULL && vk_bit(g->unused[kind], cluster);
}

static void add_heartbeats(struct vk_gathering *g)
{
	struct vk_fs *fs = g->c.fs;
	const uint32_t vh = vk_fd_address(0, VK_SYSTEM_VH);
	struct vk_fs_geometry at;

	vk_fs_geometry(&fs->info.descriptor, VK_FS_DESCRIPTOR_BYTES, &at);
	add_range(g, VK_METADATA_HEARTBEATS, vh, at.heartbeat_offset, at.heartbeat_end - at.heartbeat_offset);
	add_range(g, VK_METADATA_HEADER, vh, 0, vk_min_u64(at.vh_end, HEADER_MAX));
	for (uint32_t i = 0; i < at.heartbeat_slots && goes_on(g); i++) {
		uint64_t journal, length;
		uint8_t raw[SLOT_BYTES];
		struct vk_heartbeat hb;
		size_t got = 0;

		g->c.status = vk_fs_get(fs, at.heartbeat_offset + (uint64_t)i * at.heartbeat_slot_bytes, raw,
					sizeof(raw), &got, g->c.err);
		if (g->c.status != VK_OK || got < sizeof(raw))
			continue;
		vk_heartbeat_decode(raw, sizeof(raw), &hb);
		if (vk_check_journal(fs, &hb, &journal, &length) == VK_OK)
			add_range(g, VK_METADATA_JOURNALS, 0, journal, vk_min_u64(length, HEADER_MAX));
	}
}

static void add_resource_files(struct vk_gathering *g)
{
	const struct vk_fs_info *info = &g->c.fs->info;
	const uint64_t block = vk_max_u64(info->md_alignment, SLOT_BYTES);

	for (unsigned i = 0; i < VK_SYSTEM_COUNT; i++) {
		const struct vk_fs_system *s = &info->system[i];
		const struct vk_fs_file *file = i == VK_SYSTEM_FDC ? g->c.fs->fdc : s->file;
		enum vk_fs_metadata_kind kind = i == VK_SYSTEM_FBB ? VK_METADATA_BITMAPS : VK_METADATA_RESOURCES;

		if (file == NULL || i == VK_SYSTEM_ROOT || i == VK_SYSTEM_VH || i == VK_SYSTEM_SDD)
			continue;
		add_bytes_of(g, kind, file, 0,
			     s->has_resource ? vk_min_u64(s->resource.clusterGroupOffset, RESOURCE_BYTES_MAX) : block);
		if (s->has_resource && s->resource.childMetaOffset != 0)
			add_bytes_of(g, kind, file, s->resource.childMetaOffset, block);
	}
}

/* One file. */
struct followed {
	struct vk_gathering *g;
	const struct vk_fs_file *file;
	enum vk_fs_metadata_kind kind;
	uint64_t end;                 /* of what is wanted of it */
};

static void add_pointer_block(void *ctx, uint64_t address, uint64_t volume_offset)
{
	struct followed *f = ctx;
	const struct vk_fs_info *info = &f->g->c.fs->info;
	enum vk_system_file of = VK_SYSTEM_FBB;

	switch (vk_address_kind(address)) {
	case VK_ADDRESS_POINTER_BLOCK:
		of = VK_SYSTEM_PBC;
		break;
	case VK_ADDRESS_POINTER_BLOCK2:
		of = VK_SYSTEM_PB2;
		break;
	case VK_ADDRESS_SUB_BLOCK:
		of = VK_SYSTEM_SBC;
		break;
	default:
		break;
	}
	add_range(f->g, VK_METADATA_POINTERS, vk_fd_address(0, of), volume_offset,
	    (uint64_t)info->pointers_per_block * info->fd.pointer_bytes);
}

static bool may_step(struct vk_gathering *g)
{
	g->out->unfinished = g->out->unfinished || g->addresses_left == 0;
	g->addresses_left -= g->addresses_left > 0;
	return goes_on(g);
}

static bool add_step(void *ctx, uint64_t offset, const struct vk_fs_step *step)
{
	struct followed *f = ctx;

	if (!may_step(f->g) || offset >= f->end)
		return false;
	if (step->kind == VK_RUN_DATA)
		add_range(f->g, f->kind, f->file->address, step->volume_offset,
		    vk_min_u64(step->length_bytes, f->end - offset));
	return true;
}

/* Each pointer block once: not each address in it. */
static void add_pointer_blocks(struct followed *f, struct vk_fs_cursor *cursor)
{
	const uint64_t end = vk_fs_reach(cursor);
	const uint64_t span = vk_mul_sat(f->g->c.fs->info.pointers_per_block, cursor->unit_bytes);

	for (uint64_t at = 0; at < end && may_step(f->g);) {
		struct vk_fs_step step;

		vk_fs_step(cursor, at, &step);
		at = vk_add_sat(at, vk_max_u64(step.length_bytes, span - at % span));
	}
}

/* What of the content is wanted; false: nothing. */
static bool is_wanted(const struct vk_gathering *g, const struct vk_fs_file *file, struct followed *f)
{
	const uint64_t length = vk_round_up_sat(file->meta.fileLength, SLOT_BYTES);

	f->end = vk_min_u64(length, VK_METADATA_SMALL_BYTES);
	if (vk_fs_file_is_folder(file)) {
		f->kind = VK_METADATA_FOLDERS;
		f->end = FOLDER_MAX;
	} else if (file->meta.type == VK_FILE_LINK) {
		f->kind = VK_METADATA_LINKS;
	} else if (file->address == vk_fd_address(0, VK_SYSTEM_VH)) {
		f->kind = VK_METADATA_HEADER;
		f->end = HEADER_MAX;
	} else {
		f->kind = VK_METADATA_SMALL_FILES;
		if (file->meta.type != VK_FILE_ORDINARY || length > VK_METADATA_SMALL_BYTES)
			return false;
	}
	return (g->kinds & 1U << f->kind) != 0;
}

static void follow_file(struct vk_gathering *g, const struct vk_fs_file *file)
{
	struct followed f = {.g = g, .file = file};
	struct vk_range_set seen = {0};
	struct vk_fs_cursor cursor;
	const bool wanted = is_wanted(g, file, &f);

	vk_fs_cursor_init(&cursor, g->c.fs, file, wanted || g->kinds & 1U << VK_METADATA_POINTERS ? &g->c.named : NULL);
	if (!vk_fs_has_addresses(&cursor) || (!wanted && cursor.level_count == 0))
		return;
	cursor.followed = &seen;
	cursor.on_pointer_block = add_pointer_block;
	cursor.ctx = &f;
	if (wanted)
		vk_fs_follow(&cursor, add_step, &f);
	else
		add_pointer_blocks(&f, &cursor);
	vk_fs_cursor_end(&cursor);
	vk_range_set_free(&seen);
}

/* A slot of .fdc.sf; those that never were one of a file have no lock. */
static void add_descriptor(struct vk_checking *c, uint64_t number, void *ctx)
{
	struct vk_gathering *g = ctx;
	const struct vk_check_map *fds = &c->maps[VK_CHECK_FDS];
	const uint64_t cluster = number / fds->per_cluster;
	const uint32_t resource = (uint32_t)(number % fds->per_cluster);
	const bool known = vk_bit(fds->known, cluster), allocated = known && vk_bit(fds->allocated, number);
	struct vk_fs_file *file = NULL;
	uint8_t lock[4] = {0};
	uint64_t at;
	size_t got = 0;

	if (vk_gather_unused(g, VK_CHECK_FDS, cluster) || !goes_on(g) ||
	    vk_fs_resource(c->fs, VK_SYSTEM_FDC, cluster, resource, &at) != VK_OK)
		return;
	c->status = vk_fs_get(c->fs, at, lock, sizeof(lock), &got, c->err);
	if (c->status != VK_OK || (!allocated && vk_all_zero(lock, got)))
		return;
	add_range(g, VK_METADATA_DESCRIPTORS, vk_fd_address(0, VK_SYSTEM_FDC), at, c->fs->info.fd.fd_bytes);
	if (known && !allocated)
		return;
	if (vk_fs_file_open(c->fs, vk_fd_address((uint32_t)cluster, resource), known ? &c->named : NULL, &file, NULL) !=
	    VK_OK)
		g->lost = g->lost || known;
	else if (known || vk_check_is_alive(file))
		follow_file(g, file);
	vk_fs_file_close(file);
}

/* Where their bitmap or .fdc.sf itself is damaged they are no slots of the map. */
static void add_system_descriptors(struct vk_gathering *g)
{
	const struct vk_fs_info *info = &g->c.fs->info;

	for (unsigned i = 0; i < VK_SYSTEM_COUNT; i++)
		if (info->system[i].file != NULL) {
			add_range(g, VK_METADATA_DESCRIPTORS, vk_fd_address(0, VK_SYSTEM_FDC),
			    info->system[i].file->volume_offset, info->fd.fd_bytes);
			follow_file(g, info->system[i].file);
		}
}

/* Whether anything stands there; unreadable bytes may. */
static bool has_bytes(struct vk_gathering *g, uint64_t at, uint64_t length, uint8_t *buf)
{
	const struct vk_span span = vk_io_span(g->c.fs->volume, at);
	size_t got = 0;

	if (span.state == VK_SPAN_ZERO && span.length_bytes >= length)
		return false;
	g->c.status = vk_fs_get(g->c.fs, at, buf, (size_t)length, &got, g->c.err);
	return g->c.status == VK_OK && (got < length || !vk_all_zero(buf, got));
}

/* Pointer blocks that are in use, or free and as their last file left them. */
static void add_all_pointer_blocks(struct vk_gathering *g, enum vk_check_kind kind, enum vk_system_file of)
{
	const struct vk_check_map *m = &g->c.maps[kind];
	const uint64_t length = g->c.fs->info.system[of].resource.resourceSize;
	uint8_t *buf;
	uint64_t at;

	if (m->count == 0 || length == 0 || length > RESOURCE_BYTES_MAX)
		return;
	buf = malloc(length);
	if (buf == NULL)
		g->c.status = vk_no_memory(g->c.err, NULL);
	for (uint64_t i = 0; i < m->count && goes_on(g); i++) {
		const uint64_t cluster = i / m->per_cluster;

		if (vk_gather_unused(g, kind, cluster) ||
		    vk_fs_resource(g->c.fs, of, cluster, (uint32_t)(i % m->per_cluster), &at) != VK_OK)
			continue;
		if ((vk_bit(m->known, cluster) && vk_bit(m->allocated, i)) || has_bytes(g, at, length, buf))
			add_range(g, VK_METADATA_POINTERS, vk_fd_address(0, of), at, length);
	}
	free(buf);
}

void vk_gather_clusters(struct vk_gathering *g, bool blocks)
{
	add_heartbeats(g);
	add_resource_files(g);
	vk_check_clusters(&g->c, blocks);
	/* without the bitmap files are not found */
	g->lost = g->lost || g->c.maps[VK_CHECK_FDS].count == 0 ||
		  g->c.result.phases[VK_FS_CHECK_RESOURCES].unknown > 0;
}

static void gather_all(struct vk_gathering *g)
{
	vk_gather_clusters(g, true);
	add_system_descriptors(g);
	vk_check_each_descriptor(&g->c, add_descriptor, g);
	add_all_pointer_blocks(g, VK_CHECK_PBS, VK_SYSTEM_PBC);
	add_all_pointer_blocks(g, VK_CHECK_PB2S, VK_SYSTEM_PB2);
}

void vk_gather_start(struct vk_gathering *g, struct vk_fs *fs, const struct vk_finding_sink *sink, struct vk_error *err)
{
	g->c = (struct vk_checking){.fs = fs, .sink = sink, .err = err, .on_header = add_header, .on_header_ctx = g};
	g->c.named = (struct vk_finding_sink){pass_places, g};
	g->addresses_left = ADDRESSES_MAX;
}

void vk_gather_end(struct vk_gathering *g)
{
	vk_check_free_maps(&g->c);
	for (size_t i = 0; i < VK_CHECK_KINDS; i++)
		free(g->unused[i]);
}

enum vk_status vk_fs_metadata_find(struct vk_fs *fs, unsigned kinds, uint64_t limit_bytes,
				   const struct vk_finding_sink *sink, struct vk_fs_metadata *ret_metadata,
				   struct vk_error *err)
{
	struct vk_error unasked = {0};
	struct vk_fs_metadata out = {.count = 0};
	struct vk_gathering g = {.out = &out, .kinds = kinds, .limit = limit_bytes};

	vk_gather_start(&g, fs, sink, err != NULL ? err : &unasked);
	gather_all(&g);
	out.unknown = g.lost || g.c.blocks_unknown;
	if (g.c.status == VK_OK && !vk_fs_metadata_settle(&out, kinds))
		g.c.status = vk_no_memory(err, NULL);
	vk_gather_end(&g);
	if (g.c.status == VK_OK)
		*ret_metadata = out;
	else
		vk_fs_metadata_free(&out);
	return g.c.status;
}
