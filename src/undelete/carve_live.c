/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of today have: descriptors, pointer blocks and blocks to which a name leads; and by which name. */
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/memory.h"
#include "base/texts.h"
#include "undelete/carve_parts.h"

/* Bytes that a candidate had and somebody has today. */
struct wanted {
	uint64_t at, length;
	size_t file, range;
	const char *by;
};
/* One pass over the tree. */
struct pass {
	struct vk_carving *c;
	struct wanted *wanted;   /* NULL: the first pass, what files have is marked */
	size_t wanted_count;
	uint64_t longest;        /* of them */
	const char *path;        /* of the file that is looked at */
	const char *by;          /* the same, kept; NULL: nothing needed it yet */
	uint32_t address;        /* of it */
};

static void mark_number(struct vk_carving *c, uint64_t address)
{
	enum vk_fs_cluster_kind kind;
	uint64_t number;

	if (vk_carve_number(c, address, &kind, &number))
		vk_set_bit(c->live[kind], number);
}

static void mark_pointer_block(void *ctx, uint64_t address, uint64_t volume_offset)
{
	struct pass *p = ctx;

	(void)volume_offset;
	if (p->wanted == NULL)
		mark_number(p->c, address);
}

static void mark_blocks(struct vk_carving *c, uint64_t volume_offset, uint64_t length)
{
	const uint64_t unit = c->info->file_block_bytes, count = c->clusters.of[VK_CLUSTERS_BLOCKS].resources;
	const uint64_t end = vk_add_sat(volume_offset, length);

	for (uint64_t n = volume_offset / unit; n < count && n * unit < end; n++)
		vk_set_bit(c->live[VK_CLUSTERS_BLOCKS], n);
}

static uint64_t key_of_wanted(const void *item)
{
	return ((const struct wanted *)item)->at;
}

static bool name_wanted(struct pass *p, uint64_t volume_offset, uint64_t length)
{
	struct vk_carving *c = p->c;
	const uint64_t end = vk_add_sat(volume_offset, length);
	const uint64_t from = volume_offset > p->longest ? volume_offset - p->longest : 0;
	size_t i = vk_first_not_below(p->wanted, p->wanted_count, sizeof(*p->wanted), from, key_of_wanted);

	for (; i < p->wanted_count && p->wanted[i].at < end; i++) {
		if (p->wanted[i].by != NULL || p->wanted[i].at + p->wanted[i].length <= volume_offset)
			continue;
		if (p->by == NULL) {
			if (!vk_sentence_add(&c->out.found.names, &c->out.found.name_count, "%s", p->path))
				return vk_carve_no_memory(c);
			p->by = c->out.found.names[c->out.found.name_count - 1];
		}
		p->wanted[i].by = p->by;
	}
	return true;
}

static bool on_step(void *ctx, uint64_t offset, const struct vk_fs_step *step)
{
	struct pass *p = ctx;

	(void)offset;
	if (!vk_carve_pay(p->c, step->volume_offset == UINT64_MAX ? 0 : step->length_bytes))
		return false;
	if (step->volume_offset == UINT64_MAX)
		return true;
	if (p->wanted != NULL)
		return name_wanted(p, step->volume_offset, step->length_bytes);
	if (vk_address_kind(step->address) == VK_ADDRESS_SUB_BLOCK)
		mark_number(p->c, step->address);
	else
		mark_blocks(p->c, step->volume_offset, step->length_bytes);
	return true;
}

static void look_at_file(struct pass *p, const char *path, const struct vk_fs_file *file)
{
	struct vk_range_set followed = {0};
	struct vk_fs_cursor cursor;

	p->path = path;
	p->by = NULL;
	if (p->wanted == NULL)
		mark_number(p->c, file->address);
	vk_fs_cursor_init(&cursor, p->c->fs, file, NULL);
	if (!vk_fs_has_addresses(&cursor))
		return;
	cursor.followed = &followed;
	cursor.on_pointer_block = mark_pointer_block;
	cursor.ctx = p;
	vk_fs_follow(&cursor, on_step, p);
	vk_range_set_free(&followed);
}

/* ---- names of candidates */

/* The candidate with that descriptor; NULL: none. They lie in the order of cluster and resource. */
static struct vk_undelete_file *candidate_of(struct vk_carving *c, uint32_t address)
{
	size_t low = 0, high = c->kept[VK_UNDELETE_DESCRIPTOR];

	while (low < high) {
		const size_t middle = low + (high - low) / 2;
		struct vk_undelete_file *f = &c->out.found.files[middle];
		enum vk_fs_cluster_kind kind;
		uint64_t wanted, number;

		if (f->address == address)
			return f;
		if (!vk_carve_number(c, address, &kind, &wanted) || !vk_carve_number(c, f->address, &kind, &number))
			return NULL;
		if (number < wanted)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

static char *path_of(const char *folder, const char *name)
{
	const size_t len = strcmp(folder, "/") == 0 ? 0 : strlen(folder);
	char *path = malloc(len + strlen(name) + 2);

	if (path != NULL) {
		memcpy(path, folder, len);
		path[len] = '/';
		memcpy(path + len + 1, name, strlen(name) + 1);
	}
	return path;
}

static bool on_entry(void *ctx, const struct vk_fs_entry *entry)
{
	struct pass *p = ctx;
	struct vk_undelete_file *f = entry->deleted ? candidate_of(p->c, entry->address) : NULL;
	char name[VK_FS_PATH_NAME_BYTES];

	if (f == NULL || f->path != NULL || f->generation != entry->generation || entry->name[0] == '\0')
		return true;
	vk_fs_name_in_path(entry, name);
	f->path = path_of(p->path, name);
	return f->path != NULL || vk_carve_no_memory(p->c);
}

static uint64_t key_of_parent(const void *item)
{
	return ((const struct vk_carve_parent *)item)->folder;
}

static int compare_parents(const void *a, const void *b)
{
	const struct vk_carve_parent *x = a, *y = b;

	if (x->folder != y->folder)
		return x->folder < y->folder ? -1 : 1;
	return x->file < y->file ? -1 : x->file > y->file;
}

/* Those that name this folder and that no entry is left of. */
static void place_in_folder(struct pass *p, uint32_t folder)
{
	struct vk_carving *c = p->c;
	size_t i = vk_first_not_below(c->parents, c->parent_count, sizeof(*c->parents), folder, key_of_parent);

	for (; i < c->parent_count && c->parents[i].folder == folder && c->status == VK_OK; i++) {
		struct vk_undelete_file *f = &c->out.found.files[c->parents[i].file];

		if (f->path == NULL)
			f->path = path_of(p->path, c->out.marks[c->parents[i].file].name);
		if (f->path == NULL)
			(void)vk_carve_no_memory(c);
	}
}

static void look_at_folder(struct pass *p, const struct vk_fs_file *folder)
{
	struct vk_error why = {0};
	const enum vk_status status = p->c->kept[VK_UNDELETE_DESCRIPTOR] == 0
		? VK_OK : vk_fs_list(p->c->fs, folder, true, on_entry, p, NULL, &why);

	if (status == VK_NOMEM)
		(void)vk_carve_no_memory(p->c);
	place_in_folder(p, folder->address);
}

static bool on_visit(void *ctx, const struct vk_fs_visit *visit, bool *ret_stop)
{
	struct pass *p = ctx;

	if (visit->file == NULL) {
		p->c->out.found.names_unknown = true;
		if (p->wanted == NULL)
			mark_number(p->c, visit->entry->address);
		return true;
	}
	/* a name that leads to another generation leads to no file */
	if (visit->entry->generation == visit->file->meta.generation || p->wanted != NULL)
		look_at_file(p, visit->path, visit->file);
	if (p->wanted != NULL && vk_fs_file_is_folder(visit->file))
		look_at_folder(p, visit->file);
	*ret_stop = p->c->status != VK_OK;
	return !*ret_stop;
}

static void note_folder(void *ctx, const struct vk_finding *finding)
{
	struct vk_carving *c = ctx;

	c->out.found.names_unknown |= finding->code == VK_F_FOLDER_BLOCK || finding->code == VK_F_FOLDER_ENTRY ||
				      finding->code == VK_F_STRUCTURE_ABSENT || finding->code == VK_F_SOURCE_UNREADABLE;
	vk_finding_put(c->sink, finding);
}

static void walk(struct pass *p, const struct vk_finding_sink *sink)
{
	struct vk_carving *c = p->c;
	struct vk_error why = {0};
	enum vk_status status;

	for (unsigned i = 0; i < VK_SYSTEM_COUNT; i++) {
		const struct vk_fs_system *s = &c->info->system[i];
		char path[64] = "/";

		if (s->file == NULL)
			continue;
		if (i != VK_SYSTEM_ROOT)
			(void)memccpy(path + 1, vk_system_file_name((enum vk_system_file)i), '\0', sizeof(path) - 2);
		look_at_file(p, path, s->file);
		if (i == VK_SYSTEM_ROOT && p->wanted != NULL)
			look_at_folder(p, s->file);
	}
	status = vk_fs_walk_tree(c->fs, "/", on_visit, p, sink, &why);
	if (c->status == VK_OK && (status == VK_NOMEM || status == VK_IO)) {
		c->status = status;
		*c->err = why;
	}
	c->out.found.names_unknown |= status != VK_OK;
}

void vk_carve_read_live(struct vk_carving *c)
{
	const struct vk_finding_sink sink = {note_folder, c};
	struct pass p = {.c = c};

	walk(&p, &sink);
	/* candidates have as many, however many the files of today take */
	c->addresses_left = VK_CARVE_ADDRESSES;
}

static int compare_wanted(const void *a, const void *b)
{
	const struct wanted *x = a, *y = b;

	if (x->at != y->at)
		return x->at < y->at ? -1 : 1;
	if (x->file != y->file)
		return x->file < y->file ? -1 : 1;
	return x->range < y->range ? -1 : x->range > y->range;
}

static bool collect(struct pass *p)
{
	struct vk_undelete *found = &p->c->out.found;

	for (size_t i = 0; i < found->count; i++)
		for (size_t k = 0; k < found->files[i].range_count; k++) {
			const struct vk_undelete_range *r = &found->files[i].ranges[k];
			const struct wanted want = {r->volume_offset, r->length_bytes, i, k, NULL};

			if (r->state != VK_UNDELETE_REUSED)
				continue;
			p->longest = vk_max_u64(p->longest, r->length_bytes);
			if (vk_append(&p->wanted, &p->wanted_count, &want, sizeof(want)) == NULL)
				return vk_carve_no_memory(p->c);
		}
	if (p->wanted == NULL)
		p->wanted = calloc(1, sizeof(*p->wanted));
	else
		qsort(p->wanted, p->wanted_count, sizeof(*p->wanted), compare_wanted);
	return p->wanted != NULL || vk_carve_no_memory(p->c);
}

/* Neighbours that one file has become one range. */
static void join_reused(struct vk_undelete_file *f)
{
	size_t kept = 0;

	for (size_t i = 0; i < f->range_count; i++) {
		struct vk_undelete_range *last = kept > 0 ? &f->ranges[kept - 1] : NULL, *r = &f->ranges[i];

		if (last != NULL && last->state == VK_UNDELETE_REUSED && r->state == VK_UNDELETE_REUSED &&
		    last->kind == r->kind && last->by == r->by &&
		    last->volume_offset + last->length_bytes == r->volume_offset)
			last->length_bytes += r->length_bytes;
		else
			f->ranges[kept++] = *r;
	}
	f->range_count = kept;
}

void vk_carve_read_names(struct vk_carving *c)
{
	struct pass p = {.c = c};

	if (c->out.found.count == 0 || !collect(&p)) {
		free(p.wanted);
		return;
	}
	c->addresses_left = VK_CARVE_ADDRESSES;
	if (c->parent_count > 0)
		qsort(c->parents, c->parent_count, sizeof(*c->parents), compare_parents);
	walk(&p, NULL);
	for (size_t i = 0; i < p.wanted_count; i++)
		c->out.found.files[p.wanted[i].file].ranges[p.wanted[i].range].by = p.wanted[i].by;
	free(p.wanted);
	for (size_t i = 0; i < c->out.found.count; i++)
		join_reused(&c->out.found.files[i]);
}
