/* SPDX-License-Identifier: Apache-2.0 */
/* vmfskit ls --disks: the files of each virtual disk as one line. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/screen.h"
#include "cmd/files/ls.h"
#include "report/columns.h"
#include "vmfskit/text.h"

enum { PARENTS_SHOWN = 3 };

static bool is_below(const char *path, const char *folder)
{
	const size_t len = strlen(folder);

	return strncmp(path, folder, len) == 0 && (path[len] == '/' || (len > 0 && folder[len - 1] == '/'));
}

/* Whether the file is one of the disk's. */
static bool has_file(const struct vk_vdisks *list, const struct vk_vdisk *disk, uint32_t address)
{
	if (disk->descriptor != SIZE_MAX && list->files[disk->descriptor].address == address)
		return true;
	for (size_t i = 0; i < disk->extent_count; i++)
		if (disk->extents[i].place == VK_VDISK_HERE && list->files[disk->extents[i].file].address == address)
			return true;
	return false;
}

/* The numbers of the disks that are shown: below a folder, or those of a file. */
static bool choose(struct vk_ls *ls, const char *path, const struct vk_fs_file *file)
{
	const bool folder = vk_fs_file_is_folder(file);

	for (size_t i = 0; i < ls->disks.count; i++) {
		if (folder ? !is_below(ls->disks.disks[i].path, path)
			   : !has_file(&ls->disks, &ls->disks.disks[i], file->address))
			continue;
		if (vk_append(&ls->shown, &ls->shown_count, &i, sizeof(i)) == NULL)
			return vk_cmd_no_memory(&ls->files.cmd);
		vk_vdisks_say(ls->files.fs, &ls->disks, i, &ls->files.sink);
	}
	return true;
}

struct sought {
	uint32_t address;
	char *path; /* NULL: not found, or no memory */
};

/* The first that is in the folder tells its path; an empty one has no disks. */
static bool see_folder(void *ctx, const struct vk_fs_visit *visit, bool *ret_stop)
{
	struct sought *sought = ctx;
	const char *slash = strrchr(visit->path, '/');

	*ret_stop = visit->folder == sought->address && slash != NULL;
	if (*ret_stop)
		sought->path = strndup(visit->path, slash > visit->path ? (size_t)(slash - visit->path) : 1);
	return true;
}

/* A folder that was named over symbolic links, under its own path. */
static bool choose_real(struct vk_ls *ls, const struct vk_fs_file *file)
{
	struct sought sought = {.address = file->address};
	struct vk_error err;
	bool done;

	if (vk_fs_walk_tree(ls->files.fs, "/", see_folder, &sought, NULL, &err) != VK_OK)
		return vk_cmd_fail(&ls->files.cmd, &err);
	done = sought.path == NULL || choose(ls, sought.path, file);
	free(sought.path);
	return done;
}

/* All of the volume: a disk may lie in several folders, and a chain in several, too. */
bool vk_ls_gather_disks(struct vk_ls *ls, const char *path, const struct vk_fs_file *file)
{
	const bool whole = path[0] != '#';
	struct vk_error err;

	if (vk_vdisks_list(ls->files.fs, whole ? "/" : path, &ls->files.sink, &ls->disks, &err) != VK_OK)
		return vk_cmd_fail(&ls->files.cmd, &err);
	if (!choose(ls, path, file))
		return false;
	return ls->shown_count > 0 || !whole || !vk_fs_file_is_folder(file) || choose_real(ls, file);
}

/* Calls fn for each parent, the nearest first; a chain that leads to itself ends where it does. */
static void for_parents(const struct vk_vdisks *list, size_t number,
			void (*fn)(void *ctx, const struct vk_vdisk *parent), void *ctx)
{
	size_t met[VK_VDISK_CHAIN_MAX + 1], count = 0;

	for (size_t at = number; count < VK_VDISK_CHAIN_MAX; at = list->disks[at].parent) {
		for (size_t i = 0; i < count; i++)
			if (met[i] == at)
				return;
		met[count++] = at;
		if (list->disks[at].parent == SIZE_MAX)
			return;
		fn(ctx, &list->disks[list->disks[at].parent]);
	}
}

struct said {
	struct vk_text *text;
	const char *path; /* of the disk */
	size_t parents;
};

static void say_parent(void *ctx, const struct vk_vdisk *parent)
{
	struct said *said = ctx;
	const char *slash = strrchr(parent->path, '/'), *own = strrchr(said->path, '/');
	const bool beside = slash != NULL && own != NULL && slash - parent->path == own - said->path &&
			    strncmp(parent->path, said->path, (size_t)(slash - parent->path)) == 0;

	if (said->parents++ < PARENTS_SHOWN)
		vk_text_fmt(said->text, "%s%s", said->parents == 1 ? "on " : ", on ",
			    vk_shown_name(beside ? slash + 1 : parent->path).text);
}

/* "on vm-000001.vmdk, on vm.vmdk; the parent is lost" */
static struct vk_shown_label remarks_of(const struct vk_vdisks *list, size_t number)
{
	const struct vk_vdisk *disk = &list->disks[number];
	struct vk_shown_label shown;
	struct vk_text text = vk_text_in(shown.text, sizeof(shown.text));
	struct said said = {&text, disk->path, 0};

	for_parents(list, number, say_parent, &said);
	if (said.parents > PARENTS_SHOWN)
		vk_text_fmt(&text, ", on %zu more", said.parents - PARENTS_SHOWN);
	for (unsigned p = 0; p < VK_VDISK_P_COUNT; p++)
		if ((disk->problems >> p & 1) != 0)
			vk_text_fmt(&text, "%s%s", text.len_bytes > 0 ? "; " : "",
				    vk_vdisk_problem_text((enum vk_vdisk_problem)p));
	if (disk->missing_bytes > 0)
		vk_text_fmt(&text, " (%s)", vk_shown_size_short(disk->missing_bytes).text);
	return shown;
}

void vk_ls_show_disks(const struct vk_ls *ls)
{
	static const struct vk_column columns[] = {
		{"DISK", .least = 16}, {"KIND"}, {"SIZE", .right = true}, {"ALLOCATED", .right = true},
		{"CID"}, {"CHAIN, WHAT IS WRONG", .prose = true}};
	struct vk_columns table = VK_COLUMNS(columns);

	for (size_t i = 0; i < ls->shown_count; i++) {
		const struct vk_vdisk *disk = &ls->disks.disks[ls->shown[i]];
		const bool raw = disk->kind == VK_VDISK_RDM || disk->kind == VK_VDISK_RDMP;

		vk_columns_row(&table, (const char *const[]){
			vk_shown_name(disk->path).text, vk_vdisk_kind_name(disk->kind),
			disk->has_size ? vk_shown_size_short(disk->size_bytes).text : "?",
			raw ? "" : vk_shown_size_short(disk->allocated_bytes).text,
			vk_vdisk_cid_name(disk->cid_check), remarks_of(&ls->disks, ls->shown[i]).text});
	}
	if (ls->shown_count > 0)
		vk_columns_end(&table, ls->files.cmd.call->out);
	fflush(ls->files.cmd.call->out);
	if (ls->disks.incomplete)
		fprintf(ls->files.cmd.call->err, "%s: note: names are missing: not all folders are wholly in the "
			"source\n", ls->files.cmd.call->program->name);
}

struct chain {
	json_t *array;
	struct vk_json *owner;
};

static void append_parent(void *ctx, const struct vk_vdisk *parent)
{
	const struct chain *chain = ctx;

	vk_json_append(chain->array, vk_json_text(parent->path), chain->owner);
}

static const char *type_name(enum vk_vmdk_extent_type type)
{
	static const char *const names[] = {NULL, "VMFS", "VMFSSPARSE", "SESPARSE", "VMFSRDM", "FLAT", "SPARSE",
					    "ZERO"};

	return names[type];
}

static json_t *extent_json(const struct vk_vdisks *list, const struct vk_vdisk_extent *extent)
{
	static const char *const places[] = {"nowhere", "here", "lost", "not found", "elsewhere"};
	const bool here = extent->place == VK_VDISK_HERE;
	struct vk_json o = vk_json_begin();

	VK_JSON_SET(&o, VK_KEY("name", (const char *)extent->name), VK_KEY("place", places[extent->place]));
	if (type_name(extent->type) != NULL)
		VK_JSON_SET(&o, VK_KEY("type", type_name(extent->type)), VK_KEY("sectors", extent->sectors));
	if (here)
		VK_JSON_SET(&o, VK_KEY("path", (const char *)list->files[extent->file].path),
			    VK_KEY("size_bytes", list->files[extent->file].size_bytes));
	if (here && list->files[extent->file].header.magic != VK_VMDK_NO_MAGIC)
		VK_JSON_SET(&o, VK_KEY("capacity_sectors", list->files[extent->file].header.capacity_sectors),
			    VK_KEY("grain_sectors", list->files[extent->file].header.grain_sectors));
	return vk_json_end(&o);
}

static json_t *disk_json(const struct vk_vdisks *list, size_t number)
{
	const struct vk_vdisk *disk = &list->disks[number];
	struct vk_json o = vk_json_begin();
	json_t *chain = json_array(), *extents = json_array(), *problems = json_array();
	struct chain parents = {chain, &o};

	VK_JSON_SET(&o, VK_KEY("path", disk->path), VK_KEY("kind", vk_vdisk_kind_name(disk->kind)));
	if (disk->descriptor != SIZE_MAX)
		vk_json_set_text(&o, "descriptor", list->files[disk->descriptor].path);
	if (disk->has_size)
		vk_json_set_number(&o, "size_bytes", disk->size_bytes);
	VK_JSON_SET(&o, VK_KEY("allocated_bytes", disk->allocated_bytes),
		    VK_KEY("missing_bytes", disk->missing_bytes));
	if (disk->has_cid)
		vk_json_set_text(&o, "cid", vk_phrase("%08" PRIx32, disk->cid).text);
	if (disk->has_parent_cid)
		vk_json_set_text(&o, "parent_cid", vk_phrase("%08" PRIx32, disk->parent_cid).text);
	if (disk->parent_hint != NULL)
		vk_json_set_text(&o, "parent_hint", disk->parent_hint);
	vk_json_set_text(&o, "cid_check", vk_vdisk_cid_name(disk->cid_check));
	for_parents(list, number, append_parent, &parents);
	for (size_t i = 0; i < disk->extent_count; i++)
		vk_json_append(extents, extent_json(list, &disk->extents[i]), &o);
	for (unsigned p = 0; p < VK_VDISK_P_COUNT; p++)
		if ((disk->problems >> p & 1) != 0)
			vk_json_append(problems, vk_json_text(vk_vdisk_problem_name((enum vk_vdisk_problem)p)), &o);
	VK_JSON_SET(&o, VK_KEY("chain", chain), VK_KEY("extents", extents), VK_KEY("problems", problems));
	return vk_json_end(&o);
}

void vk_ls_set_disks(const struct vk_ls *ls, struct vk_json *root)
{
	json_t *disks = json_array();

	for (size_t i = 0; i < ls->shown_count; i++)
		vk_json_append(disks, disk_json(&ls->disks, ls->shown[i]), root);
	vk_json_set(root, "disks", disks);
}
