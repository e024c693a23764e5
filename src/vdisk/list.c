/* SPDX-License-Identifier: Apache-2.0 */
/* The files of virtual disks, put together: what the descriptors name, then what is left. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "vdisk/vdisk.h"

static struct vk_vdisk *add_disk(struct vk_vdisk_making *m, size_t descriptor)
{
	struct vk_vdisk disk = {.descriptor = descriptor, .parent = SIZE_MAX};
	struct vk_vdisk *added = vk_append(&m->disks->disks, &m->disks->count, &disk, sizeof(disk));

	if (added == NULL)
		m->status = vk_no_memory(m->err, NULL);
	return added;
}

static struct vk_vdisk_extent *add_extent(struct vk_vdisk_making *m, struct vk_vdisk *disk, const char *name)
{
	struct vk_vdisk_extent extent = {.name = strdup(name)}, *added = NULL;

	if (extent.name != NULL)
		added = vk_append(&disk->extents, &disk->extent_count, &extent, sizeof(extent));
	if (added == NULL) {
		free(extent.name);
		m->status = vk_no_memory(m->err, NULL);
	}
	return added;
}

static bool take_descriptor(struct vk_vdisk_making *m, size_t number)
{
	const struct vk_vmdk_descriptor *text = m->text;
	struct vk_vdisk *disk = add_disk(m, number);

	if (disk == NULL)
		return false;
	disk->has_cid = text->has_cid;
	disk->cid = text->cid;
	disk->has_parent_cid = text->has_parent_cid;
	disk->parent_cid = text->parent_cid;
	disk->has_size = text->extent_count > 0;
	if (text->parent_hint[0] != '\0' && (disk->parent_hint = strdup(text->parent_hint)) == NULL) {
		m->status = vk_no_memory(m->err, NULL);
		return false;
	}
	for (size_t i = 0; i < text->extent_count; i++) {
		struct vk_vdisk_extent *extent = add_extent(m, disk, text->extents[i].name);

		if (extent == NULL)
			return false;
		extent->type = text->extents[i].type;
		extent->sectors = text->extents[i].sectors;
		extent->start_sector = text->extents[i].start_sector;
	}
	/* physical and virtual mappings differ in createType only; the older name is that of ESX */
	if (disk->extent_count > 0 && disk->extents[0].type == VK_VMDK_VMFSRDM)
		disk->kind = strcasecmp(text->create_type, "vmfsPassthroughRawDeviceMap") == 0 ||
			     strcasecmp(text->create_type, "vmfsRDMP") == 0 ? VK_VDISK_RDMP : VK_VDISK_RDM;
	return true;
}

static bool see(void *ctx, const struct vk_fs_visit *visit, bool *ret_stop)
{
	struct vk_vdisk_making *m = ctx;
	const struct vk_fs_file *file = visit->file;
	size_t number;
	char *path;

	if (visit->entry->type == VK_FILE_SYSTEM)
		return false;
	if (file != NULL ? vk_fs_file_is_folder(file) : visit->entry->type == VK_FILE_FOLDER) {
		m->disks->incomplete |= file == NULL && vk_vdisk_is_beyond(visit->error);
		return true;
	}
	/* of what cannot be read the name counts, whatever it is: a descriptor may name it */
	if ((file != NULL && !vk_vdisk_is_name(visit->path)) || visit->entry->type == VK_FILE_LINK ||
	    (file != NULL && file->meta.type != VK_FILE_ORDINARY && file->meta.type != VK_FILE_RDM))
		return false;
	path = strdup(visit->path);
	if (path == NULL)
		m->status = vk_no_memory(m->err, NULL);
	number = path != NULL ? vk_vdisk_add_file(m, path, file, visit->error) : SIZE_MAX;
	*ret_stop = number == SIZE_MAX;
	if (*ret_stop)
		return false;
	if (file == NULL)
		m->disks->files[number].lack =
			visit->error->status == VK_IO ? VK_LACK_UNREADABLE
			: vk_fs_file_lack(m->fs, visit->entry->address, visit->error->status);
	vk_vdisk_read_text(m, number, file, visit->error);
	*ret_stop = m->disks->files[number].is_descriptor && !take_descriptor(m, number);
	return false;
}

/* For what is called a disk of its own because no descriptor names it. */
static bool add_left(struct vk_vdisk_making *m, size_t descriptor, size_t data)
{
	struct vk_vdisk *disk = add_disk(m, descriptor);
	struct vk_vdisk_extent *extent;

	if (disk == NULL)
		return false;
	if (data == SIZE_MAX)
		return true;
	extent = add_extent(m, disk, m->disks->files[data].path);
	if (extent == NULL)
		return false;
	disk->kind = vk_vdisk_kind_of_name(extent->name);
	extent->place = VK_VDISK_HERE;
	extent->file = data;
	return true;
}

/* Files that no descriptor names: data files with the descriptor that should be theirs, then descriptors alone. */
static void add_others(struct vk_vdisk_making *m)
{
	const size_t count = m->disks->file_count;
	uint8_t *used = calloc(1, count + 1);

	if (used == NULL)
		m->status = vk_no_memory(m->err, NULL);
	for (size_t i = 0; i < count && m->status == VK_OK; i++) {
		const struct vk_vdisk_file *file = &m->disks->files[i];
		char *name;
		size_t descriptor;

		if (file->named_by > 0 || file->is_descriptor ||
		    vk_vdisk_kind_of_name(file->path) == VK_VDISK_UNKNOWN)
			continue;
		name = vk_vdisk_descriptor_name(file->path);
		if (name == NULL) {
			m->status = vk_no_memory(m->err, NULL);
			break;
		}
		descriptor = vk_vdisk_file_at(m, name);
		free(name);
		if (descriptor != SIZE_MAX && (m->disks->files[descriptor].is_descriptor || used[descriptor] != 0))
			descriptor = SIZE_MAX;
		if (descriptor != SIZE_MAX)
			used[descriptor] = 1;
		used[i] = 1;
		if (!add_left(m, descriptor, i))
			break;
	}
	/* one that has its own data file is not that of another */
	for (size_t i = 0; i < count && m->status == VK_OK; i++)
		m->disks->unread |= m->disks->files[i].is_unread && used[i] == 0;
	for (size_t i = 0; i < count && m->status == VK_OK; i++)
		if (used[i] == 0 && m->disks->files[i].named_by == 0 && !m->disks->files[i].is_descriptor &&
		    vk_vdisk_is_name(m->disks->files[i].path) && !add_left(m, i, SIZE_MAX))
			break;
	free(used);
}

static int by_path(const void *a, const void *b, void *ctx)
{
	const struct vk_vdisk_file *files = ctx;

	return strcmp(files[*(const size_t *)a].path, files[*(const size_t *)b].path);
}

static int disks_by_path(const void *a, const void *b)
{
	return strcmp(((const struct vk_vdisk *)a)->path, ((const struct vk_vdisk *)b)->path);
}

static void sort_files(struct vk_vdisk_making *m)
{
	m->by_path = calloc(m->disks->file_count + 1, sizeof(*m->by_path));
	if (m->by_path == NULL) {
		m->status = vk_no_memory(m->err, NULL);
		return;
	}
	m->sorted = m->disks->file_count;
	for (size_t i = 0; i < m->sorted; i++)
		m->by_path[i] = i;
	qsort_r(m->by_path, m->sorted, sizeof(*m->by_path), by_path, m->disks->files);
}

/* The files that the extent lines name. */
static void find_extents(struct vk_vdisk_making *m)
{
	for (size_t i = 0; i < m->disks->count && m->status == VK_OK; i++) {
		struct vk_vdisk *disk = &m->disks->disks[i];

		for (size_t k = 0; k < disk->extent_count; k++) {
			struct vk_vdisk_extent *extent = &disk->extents[k];
			struct vk_vdisk_file *file;

			if (extent->type == VK_VMDK_ZERO)
				continue;
			extent->place = vk_vdisk_resolve(m, m->disks->files[disk->descriptor].path, extent->name,
							 &extent->file);
			if (extent->place != VK_VDISK_HERE)
				continue;
			file = &m->disks->files[extent->file];
			extent->again = file->named_last == i + 1;
			file->named_by += !extent->again;
			file->named_last = i + 1;
		}
	}
}

static void set_paths(struct vk_vdisks *disks)
{
	for (size_t i = 0; i < disks->count; i++) {
		struct vk_vdisk *disk = &disks->disks[i];

		disk->path = disks->files[disk->descriptor != SIZE_MAX ? disk->descriptor : disk->extents[0].file].path;
	}
	if (disks->count > 0)
		qsort(disks->disks, disks->count, sizeof(*disks->disks), disks_by_path);
}

/* Names that the sources do not hold are no lost files. */
struct counted {
	const struct vk_finding_sink *sink;
	struct vk_vdisks *disks;
};

static void put_counted(void *ctx, const struct vk_finding *finding)
{
	const struct counted *c = ctx;

	c->disks->incomplete |= finding->code == VK_F_STRUCTURE_ABSENT || finding->code == VK_F_SOURCE_UNREADABLE;
	if (c->sink != NULL)
		c->sink->put(c->sink->ctx, finding);
}

enum vk_status vk_vdisks_list(struct vk_fs *fs, const char *path, const struct vk_finding_sink *sink,
			      struct vk_vdisks *ret_disks, struct vk_error *err)
{
	struct vk_vdisks disks = {.count = 0};
	struct counted counted = {sink, &disks};
	const struct vk_finding_sink count = {put_counted, &counted};
	struct vk_vdisk_making m = {.fs = fs, .top = path, .disks = &disks, .err = err};

	m.text = malloc(sizeof(*m.text));
	m.bytes = malloc(VK_VMDK_TEXT_BYTES);
	if (m.text == NULL || m.bytes == NULL) {
		m.status = vk_no_memory(err, NULL);
	} else {
		const enum vk_status status = vk_fs_walk_tree(fs, path, see, &m, &count, err);

		/* what stopped the walk says it itself */
		m.status = m.status != VK_OK ? m.status : status;
	}
	if (m.status == VK_OK)
		sort_files(&m);
	if (m.status == VK_OK)
		find_extents(&m);
	if (m.status == VK_OK)
		add_others(&m);
	if (m.status == VK_OK) {
		set_paths(&disks);
		vk_vdisk_judge(&m);
	}
	free(m.text);
	free(m.bytes);
	free(m.by_path);
	if (m.status == VK_OK)
		*ret_disks = disks;
	else
		vk_vdisks_free(&disks);
	return m.status;
}

void vk_vdisks_free(struct vk_vdisks *disks)
{
	for (size_t i = 0; i < disks->count; i++) {
		for (size_t k = 0; k < disks->disks[i].extent_count; k++)
			free(disks->disks[i].extents[k].name);
		free(disks->disks[i].extents);
		free(disks->disks[i].parent_hint);
	}
	for (size_t i = 0; i < disks->file_count; i++)
		free(disks->files[i].path);
	free(disks->disks);
	free(disks->files);
	*disks = (struct vk_vdisks){.count = 0};
}
