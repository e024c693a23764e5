/* SPDX-License-Identifier: Apache-2.0 */
/* The folders' phase of the check: every entry, and the names of each descriptor. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "fs/check.h"

/* Findings of folders name the folder by themselves or have no file; what is absent makes names unknown. */
static void pass_and_note(void *ctx, const struct vk_finding *finding)
{
	struct vk_checking *c = ctx;

	if (finding->code == VK_F_STRUCTURE_ABSENT || finding->code == VK_F_STRUCTURE_CUT ||
	    finding->code == VK_F_SOURCE_UNREADABLE)
		c->result.phases[c->phase].unknown++;
	c->names_unknown = true;
	/* the phase of the blocks says it of every file */
	if (finding->code != VK_F_FILE_LENGTH)
		vk_finding_put(&c->named, finding);
}

static void check_up(struct vk_checking *c, const struct vk_fs_file *folder, uint32_t parent)
{
	struct vk_error why = {0};
	struct vk_fs_entry up;

	if (vk_fs_find(c->fs, folder, "..", NULL, &up, NULL, &why) == VK_OK && up.address != parent)
		vk_fs_say(c->fs, &c->named, folder->address, VK_F_FOLDER_ENTRY, folder->volume_offset,
			  c->fs->info.fd.fd_bytes,
			  vk_fs_address_text(c->fs, up.address).text, vk_fs_address_text(c->fs, parent).text,
			  "\"..\" of a folder is not the folder that it is in");
}

/* A folder counts for the one that it is in, and says itself which that is. */
static void note_folder(struct vk_checking *c, const struct vk_fs_visit *visit)
{
	if (vk_append(&c->subfolders, &c->subfolder_count, &visit->folder, sizeof(visit->folder)) == NULL) {
		c->status = vk_no_memory(c->err, NULL);
		return;
	}
	check_up(c, visit->file, visit->folder);
}

static bool note_name(void *ctx, const struct vk_fs_visit *visit, bool *ret_stop)
{
	struct vk_checking *c = ctx;
	struct vk_fs_check_name name = {visit->entry->address, visit->folder, visit->entry->type, strdup(visit->path)};

	if (name.path == NULL || vk_append(&c->result.names, &c->result.name_count, &name, sizeof(name)) == NULL) {
		free(name.path);
		c->status = vk_no_memory(c->err, NULL);
		*ret_stop = true;
		return false;
	}
	c->result.phases[c->phase].checked++;
	c->path = name.path;
	c->fd = name.address;
	if (visit->file == NULL && visit->error != NULL && visit->error->status == VK_ABSENT)
		c->result.phases[c->phase].unknown++;
	else if (visit->file == NULL && visit->error != NULL)
		vk_fs_say(c->fs, &c->named, c->fd, VK_F_FILE_DESCRIPTOR, c->fs->fdc->volume_offset, 0,
			  vk_fs_address_text(c->fs, visit->entry->address).text, NULL,
			  "a name leads to no file descriptor");
	else if (visit->file != NULL && vk_fs_file_is_folder(visit->file))
		note_folder(c, visit);
	c->path = NULL;
	c->fd = 0;
	return true;
}

static int by_path(const void *a, const void *b)
{
	const struct vk_fs_check_name *x = a;
	const struct vk_fs_check_name *y = b;

	return strcmp(x->path, y->path);
}

/* A path leads to the first of them only. */
static void check_alike(struct vk_checking *c)
{
	if (c->result.names != NULL)
		qsort(c->result.names, c->result.name_count, sizeof(*c->result.names), by_path);
	for (size_t i = 1; i < c->result.name_count; i++) {
		const struct vk_fs_check_name *a = &c->result.names[i - 1], *b = &c->result.names[i];

		if (strcmp(a->path, b->path) != 0)
			continue;
		c->path = b->path;
		c->fd = b->address;
		vk_fs_say(c->fs, &c->named, c->fd, VK_F_FOLDER_ENTRY, c->fs->fdc->volume_offset, 0,
			  vk_phrase("#0x%08" PRIx32 " and #0x%08" PRIx32, a->address, b->address).text, NULL,
			  "two entries of a folder have one name");
		c->path = NULL;
		c->fd = 0;
	}
}

static int by_number(const void *a, const void *b)
{
	const uint32_t *x = a;
	const uint32_t *y = b;

	return *x < *y ? -1 : *x > *y;
}

static uint64_t number_of(const void *number)
{
	const uint32_t *n = number;

	return *n;
}

static int by_address(const void *a, const void *b)
{
	const struct vk_fs_check_name *x = a;
	const struct vk_fs_check_name *y = b;

	return x->address < y->address ? -1 : x->address > y->address;
}

static uint64_t address_of(const void *name)
{
	const struct vk_fs_check_name *n = name;

	return n->address;
}

void vk_check_names(struct vk_checking *c)
{
	const struct vk_finding_sink sink = {pass_and_note, c};
	struct vk_error why = {0};
	enum vk_status status;

	c->phase = VK_FS_CHECK_NAMES;
	status = vk_fs_walk_tree(c->fs, "/", note_name, c, &sink, &why);
	if (c->status == VK_OK && status == VK_NOMEM) {
		*c->err = why;
		c->status = status;
	}
	if (c->fs->info.system[VK_SYSTEM_ROOT].file != NULL)
		check_up(c, c->fs->info.system[VK_SYSTEM_ROOT].file, c->fs->info.system[VK_SYSTEM_ROOT].file->address);
	if (status == VK_IO)
		vk_fs_say(c->fs, &c->named, c->fd, VK_F_SOURCE_UNREADABLE, VK_FS_OFFSET, 0, NULL, NULL, "%s", why.what);
	/* without a root nothing has a name */
	if (status != VK_OK) {
		c->names_unknown = true;
		c->result.phases[c->phase].unknown++;
	}
	check_alike(c);
	if (c->result.names != NULL)
		qsort(c->result.names, c->result.name_count, sizeof(*c->result.names), by_address);
	if (c->subfolders != NULL)
		qsort(c->subfolders, c->subfolder_count, sizeof(*c->subfolders), by_number);
}

const struct vk_fs_check_name *vk_fs_check_name_of(const struct vk_fs_check *check, uint32_t address)
{
	size_t i = vk_first_not_below(check->names, check->name_count, sizeof(*check->names), address, address_of);

	return i < check->name_count && check->names[i].address == address ? &check->names[i] : NULL;
}

size_t vk_check_names_of(const struct vk_checking *c, uint32_t address, const char **ret_path, uint32_t *ret_folder)
{
	const struct vk_fs_check_name *first = vk_fs_check_name_of(&c->result, address), *name = first;

	*ret_path = first != NULL ? first->path : NULL;
	if (first != NULL && ret_folder != NULL)
		*ret_folder = first->folder;
	for (; name != NULL && name < c->result.names + c->result.name_count && name->address == address; name++)
		continue;
	return (size_t)(name - first);
}

size_t vk_check_subfolders_of(const struct vk_checking *c, uint32_t address)
{
	size_t n = c->subfolder_count, width = sizeof(*c->subfolders);

	return vk_first_not_below(c->subfolders, n, width, address + 1ULL, number_of) -
	       vk_first_not_below(c->subfolders, n, width, address, number_of);
}
