/* SPDX-License-Identifier: Apache-2.0 */
/* What a host does to files: each function is one change, from the bitmaps to the names. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/memory.h"
#include "lab/history/life.h"

/* Each stretch of that many bytes begins with words that say who wrote it, and when. */
enum { STAMP_EVERY = 65536, STAMP_BYTES = 512, CHUNK_BYTES = 4096 };

static struct vk_life_file *file_of(const struct vk_life *life, uint64_t id)
{
	return &life->record.files[id];
}

static uint64_t units_for(const struct vk_life_file *file, uint64_t size)
{
	return size / file->unit_bytes + (size % file->unit_bytes != 0);
}

static void stamp(const struct vk_life *life, uint64_t id, uint64_t offset, uint8_t *to, size_t len)
{
	char words[100];
	size_t n = (size_t)snprintf(words, sizeof(words), "vmfskit-lab file %" PRIu64 " moment %" PRIu64
							  " offset %" PRIu64 "\n", id, life->record.moment, offset);

	for (size_t i = 0; i < len; i++)
		to[i] = (uint8_t)words[i % n];
}

static enum vk_status write_unit(struct vk_life *life, uint64_t id, uint64_t unit)
{
	const struct vk_life_file *file = file_of(life, id);
	uint64_t each = file->unit_bytes, first = unit * each;
	uint8_t bytes[STAMP_BYTES];
	enum vk_status status = VK_OK;

	for (uint64_t at = 0; at < each && first + at < file->size_bytes && status == VK_OK; at += STAMP_EVERY) {
		stamp(life, id, first + at, bytes, sizeof(bytes));
		status = vk_lab_volume_put(life->f, file->units[unit].place + at, bytes, sizeof(bytes));
	}
	return status;
}

/* Into the descriptor, whose bytes go to the disk as they are. */
static enum vk_status write_resident(struct vk_life *life, uint64_t id)
{
	struct vk_lab_fill *f = life->f;
	uint64_t at = vk_lab_pool_offset(f, VK_LAB_POOL_FD, file_of(life, id)->fd);
	size_t len = (size_t)file_of(life, id)->size_bytes;
	enum vk_status status = vk_lab_volume_get(f, at, f->raw, f->fd.fd_bytes);

	stamp(life, id, 0, f->raw + f->fd.metadata_offset + 512, len);
	if (status == VK_OK)
		status = vk_lab_volume_put(f, at, f->raw, f->fd.fd_bytes);
	return status == VK_OK && len > 0 ? vk_life_note(life, "W %" PRIu64 " 0 0", id) : status;
}

/* The descriptor is not written yet. */
static enum vk_status write_units(struct vk_life *life, uint64_t id, uint64_t first, uint64_t end)
{
	enum vk_status status = vk_life_take(life, id, first, end, false);

	for (uint64_t i = first; i < end && status == VK_OK; i++)
		status = write_unit(life, id, i);
	if (status == VK_OK && end > first)
		status = vk_life_note(life, "W %" PRIu64 " %" PRIu64 " %" PRIu64, id, first, end - first);
	return status;
}

enum vk_status vk_life_write(struct vk_life *life, uint64_t id, uint64_t offset, uint64_t length)
{
	const struct vk_life_file *file = file_of(life, id);
	uint64_t end = vk_min_u64(file->size_bytes, vk_add_sat(offset, length));
	enum vk_status status = VK_OK;

	if (end <= offset)
		return VK_OK;
	if (file->zla == VK_ZLA_RESIDENT)
		status = write_resident(life, id);
	else
		status = write_units(life, id, offset / file->unit_bytes, units_for(file, end));
	return status == VK_OK ? vk_life_settle(life, id, false, 0) : status;
}

enum vk_status vk_life_resize(struct vk_life *life, uint64_t id, uint64_t size_bytes)
{
	enum vk_status status = vk_life_set_size(life, id, size_bytes);

	return status == VK_OK ? vk_life_settle(life, id, false, 0) : status;
}

/* To the disk or from it: the bytes of a folder. Only what differs is written. */
static enum vk_status put_folder(struct vk_life *life, const struct vk_life_file *folder, const uint8_t *bytes,
				 size_t len)
{
	uint8_t old[CHUNK_BYTES];
	enum vk_status status = VK_OK;

	for (size_t at = 0, n; at < len && status == VK_OK; at += n) {
		uint64_t place = folder->units[at / folder->unit_bytes].place + at % folder->unit_bytes;

		n = (size_t)vk_min_u64(len - at, sizeof(old));
		status = vk_lab_volume_get(life->f, place, old, n);
		if (status == VK_OK && memcmp(old, bytes + at, n) != 0)
			status = vk_lab_volume_put(life->f, place, bytes + at, n);
	}
	return status;
}

static enum vk_status get_folder(struct vk_life *life, const struct vk_life_file *file, struct vk_lab_folder *folder)
{
	enum vk_status status = VK_OK;

	folder->len = folder->live_bytes = (size_t)file->size_bytes;
	folder->bytes = malloc(folder->len + 1);
	if (folder->bytes == NULL)
		return vk_no_memory(life->err, NULL);
	for (size_t at = 0, n; at < folder->len && status == VK_OK; at += n) {
		n = (size_t)vk_min_u64(folder->len - at, file->unit_bytes);
		status = vk_lab_volume_get(life->f, file->units[at / file->unit_bytes].place, folder->bytes + at, n);
	}
	return status;
}

/* The new bytes of a folder, which may be longer now or shorter. */
static enum vk_status set_folder(struct vk_life *life, uint64_t id, const struct vk_lab_folder *bytes, bool is_new,
				 int links)
{
	enum vk_status status = vk_life_set_size(life, id, bytes->live_bytes);

	if (status == VK_OK)
		status = put_folder(life, file_of(life, id), bytes->bytes, bytes->live_bytes);
	if (status == VK_OK)
		status = vk_life_note(life, "W %" PRIu64 " 0 %" PRIu64, id,
				      units_for(file_of(life, id), bytes->live_bytes));
	return status == VK_OK ? vk_life_settle(life, id, is_new, links) : status;
}

/* A name more or less in the folder of a file. */
static enum vk_status change_name(struct vk_life *life, uint64_t id, bool there)
{
	uint64_t folder_id = file_of(life, id)->folder;
	bool counts = file_of(life, id)->type == VK_FILE_FOLDER;
	struct vk_lab_folder folder = {NULL, 0, 0};
	struct vk_life_dressed d;
	enum vk_status status = get_folder(life, file_of(life, folder_id), &folder);

	if (status == VK_OK)
		status = vk_life_dress(life, id, &d);
	if (status == VK_OK && there)
		status = vk_lab_folder_add(life->f, &d.folder, &d.node, &folder);
	else if (status == VK_OK)
		vk_lab_folder_remove(life->f, &d.folder, &d.node, &folder);
	if (status == VK_OK)
		vk_life_undress(&d);
	if (status == VK_OK)
		status = set_folder(life, folder_id, &folder, false, counts ? (there ? 1 : -1) : 0);
	free(folder.bytes);
	return status;
}

static enum vk_status fill_new_folder(struct vk_life *life, uint64_t id)
{
	struct vk_lab_folder bytes = {NULL, 0, 0};
	struct vk_life_dressed d;
	enum vk_status status = vk_life_dress(life, id, &d);

	if (status == VK_OK)
		status = life->f->vmfs6 ? vk_lab_folder6(life->f, &d.node, &bytes)
					: vk_lab_folder5(life->f, &d.node, &bytes);
	vk_life_undress(&d);
	if (status == VK_OK)
		status = set_folder(life, id, &bytes, true, 0);
	free(bytes.bytes);
	return status;
}

/* The folder of a path that is free; VK_USAGE: there is none, or the path is taken. */
static enum vk_status find_folder(struct vk_life *life, const char *path, uint64_t *ret_id)
{
	const char *slash = strrchr(path, '/');
	const struct vk_life_file *folder = NULL;
	char *copy;

	if (slash == NULL || slash[1] == '\0' || strlen(slash + 1) > VK_DIR6_NAME_MAX ||
	    vk_life_find(&life->record, path) != NULL)
		return vk_error_set(life->err, VK_USAGE, path, "the path is taken, or is none");
	copy = strndup(path, slash == path ? 1 : (size_t)(slash - path));
	if (copy == NULL)
		return vk_no_memory(life->err, NULL);
	folder = vk_life_find(&life->record, copy);
	free(copy);
	if (folder == NULL || folder->type != VK_FILE_FOLDER)
		return vk_error_set(life->err, VK_USAGE, path, "the history has no such folder");
	*ret_id = folder->id;
	return VK_OK;
}

static uint32_t zla_of(const struct vk_lab_fill *f, enum vk_file_type type, uint64_t size, enum vk_lab_stored stored)
{
	if (stored == VK_LAB_AUTO)
		stored = vk_lab_usual(f, type, size);
	switch (stored) {
	case VK_LAB_RESIDENT:
		return VK_ZLA_RESIDENT;
	case VK_LAB_SUB_BLOCK:
		return VK_ZLA_SUB_BLOCK;
	case VK_LAB_BLOCK:
		return VK_ZLA_FILE_BLOCK;
	default:
		return f->vmfs6 ? VK_ZLA_POINTER_BLOCK2 : VK_ZLA_POINTER_BLOCK;
	}
}

static enum vk_status new_file(struct vk_life *life, const char *path, enum vk_file_type type, uint64_t size,
			       uint32_t zla, uint64_t *ret_id)
{
	struct vk_lab_fill *f = life->f;
	bool small = zla == VK_ZLA_RESIDENT || zla == VK_ZLA_SUB_BLOCK;
	uint64_t fd, folder = 0;
	uint32_t generation;
	enum vk_status status = find_folder(life, path, &folder);

	if (status != VK_OK)
		return status;
	*ret_id = life->record.count;
	if (life->from != VK_LIFE_NEXT)
		f->pools[VK_LAB_POOL_FD].cursor = 0;
	status = vk_lab_pool_descriptor(f, file_of(life, folder)->address, &fd, &generation);
	if (status == VK_OK)
		status = vk_life_note(life, "N %" PRIu64 " %d %" PRIu64 " %" PRIu32 " %" PRIu32 " %" PRIu64 " %s",
				      *ret_id, type, fd, vk_lab_fd_address(f, fd), generation, folder, path);
	return status == VK_OK ? vk_life_note(life, "S %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu32, *ret_id, size,
					      small ? f->sub_block_bytes : f->block_bytes, zla)
			       : status;
}

enum vk_status vk_life_create(struct vk_life *life, const char *path, enum vk_file_type type, uint64_t size_bytes,
			      enum vk_lab_stored stored, bool thick)
{
	uint32_t zla = zla_of(life->f, type, size_bytes, stored);
	bool folder = type == VK_FILE_FOLDER;
	uint64_t id = 0;
	enum vk_status status;

	if (folder)
		zla = VK_ZLA_SUB_BLOCK;
	if (zla == VK_ZLA_RESIDENT && size_bytes > life->f->resident_bytes)
		return vk_error_set(life->err, VK_USAGE, path, "it is too long to be stored in its file descriptor");
	status = new_file(life, path, type, folder ? 0 : size_bytes, zla, &id);
	if (status == VK_OK && folder)
		status = fill_new_folder(life, id);
	if (status == VK_OK && !folder) {
		status = vk_life_set_size(life, id, size_bytes);
		if (status == VK_OK && thick && zla != VK_ZLA_RESIDENT && zla != VK_ZLA_SUB_BLOCK)
			status = vk_life_take(life, id, 0, units_for(file_of(life, id), size_bytes), true);
		if (status == VK_OK)
			status = vk_life_settle(life, id, true, 0);
	}
	return status == VK_OK ? change_name(life, id, true) : status;
}

/* Names of all that lies in a folder. */
static enum vk_status note_paths(struct vk_life *life, uint64_t folder)
{
	enum vk_status status = VK_OK;

	for (uint64_t i = 1; i < life->record.count && status == VK_OK; i++) {
		const struct vk_life_file *file = file_of(life, i);

		if (file->died != 0 || file->folder != folder)
			continue;
		status = vk_life_note(life, "R %" PRIu64 " %" PRIu64 " %s%s", i, folder, file_of(life, folder)->path,
				      strrchr(file->path, '/'));
		if (status == VK_OK && file_of(life, i)->type == VK_FILE_FOLDER)
			status = note_paths(life, i);
	}
	return status;
}

enum vk_status vk_life_rename(struct vk_life *life, uint64_t id, const char *path)
{
	const struct vk_life_file *file = file_of(life, id);
	uint64_t folder = 0;
	enum vk_status status = find_folder(life, path, &folder);

	if (status != VK_OK)
		return status;
	if (id == 0 || (file->type == VK_FILE_FOLDER && folder != file->folder))
		return vk_error_set(life->err, VK_USAGE, path, "folders keep their folder");
	status = change_name(life, id, false);
	if (status == VK_OK)
		status = vk_life_note(life, "R %" PRIu64 " %" PRIu64 " %s", id, folder, path);
	if (status == VK_OK)
		status = change_name(life, id, true);
	if (status == VK_OK && file_of(life, id)->type == VK_FILE_FOLDER)
		status = note_paths(life, id);
	return status == VK_OK ? vk_life_settle(life, id, false, 0) : status;
}

enum vk_status vk_life_delete(struct vk_life *life, uint64_t id)
{
	struct vk_life_dressed d;
	enum vk_status status;

	for (uint64_t i = 1; i < life->record.count; i++)
		if (file_of(life, i)->died == 0 && file_of(life, i)->folder == id)
			return vk_error_set(life->err, VK_USAGE, file_of(life, id)->path, "the folder is not empty");
	if (id == 0)
		return vk_error_set(life->err, VK_USAGE, "/", "the root stays");
	status = change_name(life, id, false);
	if (status == VK_OK)
		status = vk_life_dress(life, id, &d);
	if (status != VK_OK)
		return status;
	status = vk_lab_delete(life->f, &d.node);
	vk_life_undress(&d);
	for (uint64_t i = 0, n; i < file_of(life, id)->unit_count && status == VK_OK; i += n) {
		const struct vk_life_file *file = file_of(life, id);

		for (n = 0; i + n < file->unit_count && file->units[i + n].there; n++)
			continue;
		if (n > 0)
			status = vk_life_note(life, "- %" PRIu64 " %" PRIu64 " %" PRIu64, id, i, n);
		n += n == 0;
	}
	for (uint64_t i = 0; i < file_of(life, id)->pointer_count && status == VK_OK; i++)
		if (file_of(life, id)->pointers[i].there)
			status = vk_life_note(life, "p %" PRIu64 " %" PRIu64, id, i);
	if (status == VK_OK)
		status = vk_life_note(life, "D %" PRIu64, id);
	return status == VK_OK ? vk_lab_pools_write(life->f) : status;
}
