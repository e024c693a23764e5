/* SPDX-License-Identifier: Apache-2.0 */
/* Whose the bytes in ranges of a volume are: a walk over its files, then over descriptors that no name leads to. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/memory.h"
#include "base/texts.h"
#include "fs/check.h"

enum {
	FILES_MAX = 1 << 20,     /* no volume has so many */
	ADDRESSES_MAX = 1 << 25, /* 32 TiB in blocks of 1 MiB */
	CLUSTERS_MAX = 1 << 14,  /* of bitmaps */
	KEPT_MAX = 1 << 15
};

struct hunt {
	struct vk_checking c; /* of it the map of descriptors is used; what it says is dropped */
	const struct vk_range_set *in;
	struct vk_fs_hits *out;
	uint64_t files_left, addresses_left;
	uint64_t owned_bytes; /* in the ranges, of blocks that a file has */
};

/* One file. */
struct victim {
	struct hunt *hunt;
	const struct vk_fs_file *file;
	struct vk_fs_cursor cursor;
	struct vk_fs_hit hit;
};

static uint64_t bytes_in(const struct vk_range_set *set, uint64_t offset, uint64_t length, uint64_t *ret_first)
{
	uint64_t sum = 0, end = vk_add_sat(offset, length), n;

	for (; offset < end; offset += n) {
		n = end - offset;
		if (!vk_range_set_holds(set, offset, &n))
			continue;
		if (sum == 0 && ret_first != NULL)
			*ret_first = offset;
		sum += n;
	}
	return sum;
}

static uint64_t count_bytes(struct victim *v, uint64_t volume_offset, uint64_t length)
{
	bool first = !v->hit.descriptor && v->hit.content_bytes == 0 && v->hit.pointer_blocks == 0;

	return bytes_in(v->hunt->in, volume_offset, length, first ? &v->hit.volume_offset : NULL);
}

static uint64_t pointer_block_bytes(const struct vk_fs_info *info)
{
	return (uint64_t)info->pointers_per_block * info->fd.pointer_bytes;
}

static void count_pointer_block(void *ctx, uint64_t address, uint64_t volume_offset)
{
	struct victim *v = ctx;

	(void)address;
	v->hit.pointer_blocks += count_bytes(v, volume_offset, pointer_block_bytes(&v->hunt->c.fs->info)) > 0;
}

/* What a damaged pointer block says is not where the file lies. */
static bool is_told_well(const struct victim *v)
{
	for (unsigned i = 0; i < v->cursor.level_count; i++)
		if (v->cursor.levels[i].known && v->cursor.levels[i].state == VK_OK &&
		    bytes_in(v->hunt->in, v->cursor.levels[i].volume_offset,
			     pointer_block_bytes(&v->hunt->c.fs->info), NULL) > 0)
			return false;
	return true;
}

static bool count_step(void *ctx, uint64_t offset, const struct vk_fs_step *step)
{
	struct victim *v = ctx;
	struct hunt *h = v->hunt;
	uint64_t length = v->file->meta.fileLength, bytes;
	enum vk_address_kind kind = vk_address_kind(step->address);

	if (h->addresses_left == 0) {
		h->out->unfinished = true;
		v->hit.placed = false;
		return false;
	}
	h->addresses_left--;
	if (step->kind == VK_RUN_MISSING || (v->hit.pointer_blocks > 0 && !is_told_well(v))) {
		v->hit.placed = v->hit.placed && offset >= length;
		return true;
	}
	if (step->volume_offset == UINT64_MAX)
		return true;
	bytes = count_bytes(v, step->volume_offset, step->length_bytes);
	if (bytes == 0)
		return true;
	if (kind == VK_ADDRESS_FILE_BLOCK || kind == VK_ADDRESS_LARGE_BLOCK)
		h->owned_bytes += bytes;
	/* what was never written is zeros, whatever lies there */
	if (step->kind == VK_RUN_DATA && offset < length)
		v->hit.content_bytes += bytes_in(h->in, step->volume_offset,
						 vk_min_u64(step->length_bytes, length - offset), NULL);
	return true;
}

static void count_content(struct victim *v)
{
	const struct vk_fs_info *info = &v->hunt->c.fs->info;
	const struct vk_file_metadata *m = &v->file->meta;
	struct vk_range_set followed = {0};

	vk_fs_cursor_init(&v->cursor, v->hunt->c.fs, v->file, NULL);
	if (m->zeroLevelAddrType == VK_ZLA_RESIDENT)
		v->hit.content_bytes = count_bytes(v, v->file->volume_offset + info->resident_offset,
						   vk_min_u64(m->fileLength, info->resident_bytes));
	if (!vk_fs_has_addresses(&v->cursor))
		return;
	v->cursor.followed = &followed;
	v->cursor.on_pointer_block = count_pointer_block;
	v->cursor.ctx = v;
	vk_fs_follow(&v->cursor, count_step, v);
	vk_range_set_free(&followed);
}

static void keep_hit(struct hunt *h, struct vk_fs_hit *hit, const char *path)
{
	if (!hit->descriptor && hit->content_bytes == 0 && hit->pointer_blocks == 0)
		return;
	if (h->out->count == KEPT_MAX) {
		h->out->more++;
		return;
	}
	hit->path = strdup(path);
	if (hit->path == NULL || vk_append(&h->out->items, &h->out->count, hit, sizeof(*hit)) == NULL) {
		free(hit->path);
		h->c.status = vk_no_memory(h->c.err, NULL);
	}
}

/* file NULL: its descriptor cannot be read. type: as the entry says. */
static void judge(struct hunt *h, const char *path, uint32_t address, uint32_t type, const struct vk_fs_file *file)
{
	const struct vk_fd_geometry *g = &h->c.fs->info.fd;
	struct victim v = {.hunt = h, .file = file,
			   .hit = {.address = address, .type = type, .folder = type == VK_FILE_FOLDER}};
	struct vk_address a;
	uint64_t at = 0;
	bool trusted = file != NULL;

	if (h->files_left == 0) {
		h->out->unfinished = true;
		return;
	}
	h->files_left--;
	vk_address_decode(address, &h->c.fs->info.addresses, &a);
	if (file != NULL)
		at = file->volume_offset;
	else if (a.kind != VK_ADDRESS_FD || vk_fs_resource(h->c.fs, VK_SYSTEM_FDC, a.cluster, a.resource, &at) != VK_OK)
		at = UINT64_MAX;
	if (at != UINT64_MAX) {
		v.hit.descriptor = count_bytes(&v, at, g->fd_bytes) > 0;
		/* a lock says nothing of where the file lies */
		trusted = trusted && bytes_in(h->in, at + g->metadata_offset, g->fd_bytes - g->metadata_offset,
					      NULL) == 0;
	}
	if (trusted) {
		v.hit.placed = true;
		v.hit.size_bytes = file->meta.fileLength;
		v.hit.type = file->meta.type;
		v.hit.folder = vk_fs_file_is_folder(file);
		count_content(&v);
	}
	h->out->lost_files += !trusted && !v.hit.descriptor;
	keep_hit(h, &v.hit, path);
}

/* The bit of a descriptor in the map; false: none. */
static bool number_of(const struct hunt *h, uint32_t address, uint64_t *ret_number)
{
	const struct vk_check_map *fds = &h->c.maps[VK_CHECK_FDS];
	struct vk_address a;

	vk_address_decode(address, &h->c.fs->info.addresses, &a);
	*ret_number = a.cluster * fds->per_cluster + a.resource;
	return a.kind == VK_ADDRESS_FD && a.resource < fds->per_cluster && *ret_number < fds->count;
}

static void note_met(struct hunt *h, uint32_t address)
{
	uint64_t number;

	if (number_of(h, address, &number))
		vk_set_bit(h->c.maps[VK_CHECK_FDS].used, number);
}

static bool judge_visit(void *ctx, const struct vk_fs_visit *visit, bool *ret_stop)
{
	struct hunt *h = ctx;

	note_met(h, visit->entry->address);
	judge(h, visit->path, visit->entry->address, visit->entry->type, visit->file);
	*ret_stop = h->c.status != VK_OK || h->out->unfinished;
	return !*ret_stop;
}

static void judge_nameless(struct vk_checking *c, uint64_t number, void *ctx)
{
	struct hunt *h = ctx;
	const struct vk_check_map *fds = &c->maps[VK_CHECK_FDS];
	uint64_t cluster = number / fds->per_cluster;
	uint32_t address = vk_fd_address((uint32_t)cluster, (uint32_t)(number % fds->per_cluster));
	bool known = vk_bit(fds->known, cluster);
	struct vk_fs_file *file = NULL;

	if (h->out->unfinished || vk_bit(fds->used, number) || (known && !vk_bit(fds->allocated, number)))
		return;
	if (vk_fs_file_open(c->fs, address, NULL, &file, NULL) != VK_OK)
		file = NULL;
	if (known || (file != NULL && vk_check_is_alive(file)))
		judge(h, vk_phrase("#0x%08" PRIx32, address).text, address, 0, file);
	vk_fs_file_close(file);
}

/* Of a wrong hash table, or of a file, no name is missing. */
static void note_folder(void *ctx, const struct vk_finding *finding)
{
	struct hunt *h = ctx;

	h->out->names_unknown |= finding->code == VK_F_FOLDER_BLOCK || finding->code == VK_F_FOLDER_ENTRY ||
				 finding->code == VK_F_STRUCTURE_ABSENT || finding->code == VK_F_SOURCE_UNREADABLE;
}

static int by_path(const void *a, const void *b)
{
	const struct vk_fs_hit *x = a, *y = b;

	return vk_paths_compare(x->path, strlen(x->path), y->path, strlen(y->path));
}

static void walk_all(struct hunt *h)
{
	const struct vk_finding_sink folders = {note_folder, h};
	const struct vk_fs_file *root = h->c.fs->info.system[VK_SYSTEM_ROOT].file;
	struct vk_error why = {0};
	enum vk_status status;

	vk_check_descriptor_map(&h->c);
	if (h->c.status != VK_OK)
		return;
	note_met(h, vk_fd_address(0, VK_SYSTEM_ROOT));
	judge(h, "/", vk_fd_address(0, VK_SYSTEM_ROOT), VK_FILE_FOLDER, root);
	status = vk_fs_walk_tree(h->c.fs, "/", judge_visit, h, &folders, &why);
	if (status == VK_NOMEM && h->c.status == VK_OK)
		h->c.status = vk_no_memory(h->c.err, NULL);
	h->out->names_unknown |= status != VK_OK;
	vk_check_each_descriptor(&h->c, judge_nameless, h);
	/* without the bitmap files without a name are not found */
	h->out->names_unknown |= h->c.maps[VK_CHECK_FDS].count == 0;
	if (h->out->count > 0)
		qsort(h->out->items, h->out->count, sizeof(*h->out->items), by_path);
}

static void drop(void *ctx, const struct vk_finding *finding)
{
	(void)ctx;
	(void)finding;
}

enum vk_status vk_hits_in(struct vk_fs *fs, const struct vk_range_set *ranges, struct vk_fs_hits *ret_hits,
			  struct vk_error *err)
{
	struct vk_fs_hits out = {.count = 0};
	struct vk_error unasked = {0};
	struct hunt h = {.c = {.fs = fs, .named = {drop, NULL}, .err = err != NULL ? err : &unasked}, .in = ranges,
			 .out = &out, .files_left = FILES_MAX, .addresses_left = ADDRESSES_MAX};

	for (size_t i = 0; i < ranges->count; i++)
		out.bytes += ranges->ranges[i].length_bytes;
	if (out.bytes > 0) {
		walk_all(&h);
		if (h.c.status == VK_OK)
			vk_check_block_states(&h.c, ranges, CLUSTERS_MAX, &out.free_bytes, &out.used_bytes);
		out.unowned_bytes = out.used_bytes > h.owned_bytes ? out.used_bytes - h.owned_bytes : 0;
	}
	vk_check_free_maps(&h.c);
	if (h.c.status == VK_OK)
		*ret_hits = out;
	else
		vk_fs_hits_free(&out);
	return h.c.status;
}

/* Where ranges of one extent lie in the volume. */
static bool place_ranges(const struct vk_fs *fs, size_t extent, const struct vk_range_set *from,
			 struct vk_range_set *to)
{
	uint64_t limit = fs->info.volume_bytes != 0 ? fs->info.volume_bytes : UINT64_MAX;

	for (size_t i = 0; i < fs->part_count; i++) {
		const struct vk_fs_part *p = &fs->parts[i];
		uint64_t at = p->device_offset, end = at + p->length_bytes, n, place;

		for (; p->extent == extent && at < end; at += n) {
			n = end - at;
			if (!vk_range_set_holds(from, at, &n))
				continue;
			place = p->volume_offset + (at - p->device_offset);
			if (place < limit && !vk_range_set_add(to, place, vk_min_u64(n, limit - place)))
				return false;
		}
	}
	return true;
}

/* What is known without reading: by a mapfile, or because it was tried. */
static bool add_unreadable(const struct vk_fs *fs, struct vk_range_set *to)
{
	enum { SPANS_MAX = 1 << 16 };
	uint64_t end = vk_io_size_bytes(fs->volume), at = 0;

	if (fs->info.volume_bytes != 0)
		end = vk_min_u64(end, fs->info.volume_bytes);
	for (unsigned i = 0; i < SPANS_MAX && at < end; i++) {
		struct vk_span span = vk_io_span(fs->volume, at);
		uint64_t length = vk_min_u64(span.length_bytes, end - at);

		if (span.state == VK_SPAN_END || length == 0)
			break;
		if (span.state == VK_SPAN_UNREADABLE && !vk_range_set_add(to, at, length))
			return false;
		at += length;
	}
	return true;
}

enum vk_status vk_fs_hits_find(struct vk_fs *fs, const struct vk_fs_damage *damage, size_t count,
			       struct vk_fs_hits *ret_hits, struct vk_error *err)
{
	struct vk_range *ranges = calloc(count + 1, sizeof(*ranges));
	struct vk_range_set volume = {0};
	bool done = ranges != NULL && add_unreadable(fs, &volume);
	enum vk_status status = VK_NOMEM;

	for (size_t e = 0; done && e < fs->extent_count; e++) {
		struct vk_range_set of_extent = {0};
		size_t n = 0;

		for (size_t i = 0; i < count; i++)
			if (damage[i].extent == e)
				ranges[n++] = damage[i].range;
		done = vk_range_set_add_all(&of_extent, ranges, n) && place_ranges(fs, e, &of_extent, &volume);
		vk_range_set_free(&of_extent);
	}
	if (done)
		status = vk_hits_in(fs, &volume, ret_hits, err);
	else
		(void)vk_no_memory(err, NULL);
	vk_range_set_free(&volume);
	free(ranges);
	return status;
}

void vk_fs_hits_free(struct vk_fs_hits *hits)
{
	for (size_t i = 0; i < hits->count; i++)
		free(hits->items[i].path);
	free(hits->items);
	*hits = (struct vk_fs_hits){.count = 0};
}
