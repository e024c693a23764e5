/* SPDX-License-Identifier: Apache-2.0 */
/* Which files there are today, which ones maps know, and from which map each is known. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "filemap/file_map_form.h"
#include "undelete/undelete_parts.h"

enum { SMALL_BYTES = 1 << 20 }; /* a *.vmdk below this is a descriptor */

static uint64_t live_key(uint32_t address, uint32_t generation)
{
	return (uint64_t)address << 32 | generation;
}

static int compare_live(const void *a, const void *b)
{
	const struct vk_gone_live *x = a, *y = b;

	return x->key < y->key ? -1 : x->key > y->key;
}

static int compare_keys(const void *a, const void *b)
{
	const struct vk_gone_key *x = a, *y = b;

	if (x->address != y->address)
		return x->address < y->address ? -1 : 1;
	if (x->generation != y->generation)
		return x->generation < y->generation ? -1 : 1;
	return x->map < y->map ? -1 : x->map > y->map;
}

/* ---- names of today */

static void note_folder(void *ctx, const struct vk_finding *finding)
{
	struct vk_gone_search *s = ctx;

	s->out.names_unknown |= finding->code == VK_F_FOLDER_BLOCK || finding->code == VK_F_FOLDER_ENTRY ||
				finding->code == VK_F_STRUCTURE_ABSENT || finding->code == VK_F_SOURCE_UNREADABLE;
	vk_finding_put(s->sink, finding);
}

static bool note_live(void *ctx, const struct vk_fs_visit *visit, bool *ret_stop)
{
	struct vk_gone_search *s = ctx;
	const struct vk_file_metadata *meta = visit->file != NULL ? &visit->file->meta : NULL;
	const struct vk_gone_live live = {live_key(visit->entry->address, meta != NULL ? meta->generation
										       : visit->entry->generation),
					  meta != NULL ? meta->ctime : 0};

	if (s->live_count >= VK_FILE_MAP_FILES_MAX)
		s->out.unfinished = true;
	else if (vk_append(&s->live, &s->live_count, &live, sizeof(live)) == NULL)
		(void)vk_gone_no_memory(s);
	*ret_stop = s->status != VK_OK || s->out.unfinished;
	return !*ret_stop;
}

static const struct vk_gone_live *find_live(const struct vk_gone_search *s, uint32_t address, uint32_t generation)
{
	const struct vk_gone_live want = {.key = live_key(address, generation)};

	return s->live_count > 0 ? bsearch(&want, s->live, s->live_count, sizeof(want), compare_live) : NULL;
}

static bool read_names(struct vk_gone_search *s)
{
	const struct vk_finding_sink folders = {note_folder, s};
	struct vk_error why = {0};
	const enum vk_status status = vk_fs_walk_tree(s->fs, "/", note_live, s, &folders, &why);

	if (s->status == VK_OK && (status == VK_NOMEM || status == VK_IO)) {
		s->status = status;
		*s->err = why;
	}
	s->out.names_unknown |= status != VK_OK;
	if (s->live_count > 0)
		qsort(s->live, s->live_count, sizeof(*s->live), compare_live);
	return s->status == VK_OK;
}

/* ---- what maps know */

bool vk_gone_is_wished(const struct vk_gone_search *s, const char *path)
{
	const char *wish = s->wish.path;
	size_t len;

	if (wish == NULL)
		return true;
	for (len = strlen(wish); len > 0 && wish[len - 1] == '/';)
		len--;
	return strncmp(path, wish, len) == 0 && (path[len] == '\0' || path[len] == '/');
}

struct knowing {
	struct vk_gone_search *s;
	size_t map;
};

/* The contents of a virtual disk do not shrink, but by a fault or an attack. Descriptors do, though not to nothing. */
static bool is_disk(const struct vk_file_map_file *file)
{
	return file->type == VK_FILE_ORDINARY && vk_file_map_ends(file->path, ".vmdk");
}

static bool outlives(const struct vk_gone_key *older, const struct vk_gone_key *newer)
{
	return older->disk && newer->size_bytes < older->size_bytes &&
	       (older->size_bytes >= SMALL_BYTES || newer->size_bytes == 0);
}

static bool note_key(void *ctx, const struct vk_file_map_file *file)
{
	struct knowing *k = ctx;
	struct vk_gone_search *s = k->s;
	const struct vk_gone_live *live = find_live(s, file->address, file->generation);
	const struct vk_gone_key key = {.address = file->address, .generation = file->generation,
					.size_bytes = file->size_bytes, .map = (uint16_t)k->map,
					.newest = (uint16_t)k->map, .live = live != NULL, .disk = is_disk(file),
					.wished = vk_gone_is_wished(s, file->path)};

	if (live != NULL && live->ctime != 0 && live->ctime < file->ctime && !file->unread)
		vk_gone_went_back(s, k->map);
	if (file->address == vk_fd_address(0, VK_SYSTEM_SBC))
		s->sub_ends[k->map] = file->size_bytes;
	if (k->map < s->wish.newest || file->unread ||
	    (file->type != VK_FILE_ORDINARY && file->type != VK_FILE_LINK && file->type != VK_FILE_RDM))
		return true;
	return vk_append(&s->keys, &s->key_count, &key, sizeof(key)) != NULL || vk_gone_no_memory(s);
}

static void older_knows(struct vk_gone_key *key, const struct vk_gone_key *older)
{
	const uint16_t newest = key->newest;

	*key = *older;
	key->newest = newest;
}

static bool read_keys(struct vk_gone_search *s, size_t map)
{
	struct knowing k = {s, map};
	const struct vk_file_map_visitor visitor = {.file = note_key, .ctx = &k};
	struct vk_file_map_sums sums;
	char volume[40];
	size_t kept = 0;

	s->status = vk_file_map_read(s->known[map].map, &visitor, &sums, s->err);
	if (s->status != VK_OK)
		return false;
	vk_vmfs_uuid_format(&vk_fs_info(s->fs)->descriptor.uuid, volume);
	if (strcmp(volume, sums.volume) != 0) {
		s->status = vk_error_set(s->err, VK_USAGE, s->known[map].id, "this file map is of another volume: %s",
					 sums.volume);
		return false;
	}
	if (s->key_count > 0)
		qsort(s->keys, s->key_count, sizeof(*s->keys), compare_keys);
	for (size_t i = 0; i < s->key_count; i++) {
		struct vk_gone_key *last = kept > 0 ? &s->keys[kept - 1] : NULL;

		if (last == NULL || last->address != s->keys[i].address || last->generation != s->keys[i].generation)
			s->keys[kept++] = s->keys[i];
		else if (last->map == s->keys[i].map)
			last->wished |= s->keys[i].wished;
		else if (outlives(&s->keys[i], last))
			older_knows(last, &s->keys[i]);
	}
	s->key_count = kept;
	return s->status == VK_OK;
}

bool vk_gone_names(struct vk_gone_search *s)
{
	if (!read_names(s))
		return false;
	for (size_t i = 0; i < s->count; i++)
		if (!read_keys(s, i))
			return false;
	return true;
}

struct vk_gone_key *vk_gone_find_key(const struct vk_gone_search *s, uint32_t address, uint32_t generation)
{
	const struct vk_gone_key want = {.address = address, .generation = generation};
	size_t low = 0, high = s->key_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare_keys(&s->keys[middle], &want) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low < s->key_count && s->keys[low].address == address && s->keys[low].generation == generation
		       ? &s->keys[low]
		       : NULL;
}
