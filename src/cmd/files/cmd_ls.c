/* SPDX-License-Identifier: Apache-2.0 */
/* vmfskit ls: the files of a volume. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/texts.h"
#include "cmd/files/ls.h"
#include "cmd/shared/verbs.h"

static bool read_options(void *ctx)
{
	struct vk_ls *ls = ctx;
	const struct vk_cli_call *call = ls->files.cmd.call;
	const bool body = vk_cli_flag(call, "bodyfile");

	ls->all = body || vk_cli_flag(call, "all");
	ls->recursive = body || vk_cli_flag(call, "recursive");
	ls->as_disks = vk_cli_flag(call, "disks");
	if (body && ls->files.cmd.json)
		return vk_cmd_usage(&ls->files.cmd, "--bodyfile and --json exclude each other");
	if (ls->as_disks && (ls->all || ls->recursive || vk_cli_flag(call, "long")))
		return vk_cmd_usage(&ls->files.cmd, "--disks goes with none of -l, -R, -a and --bodyfile");
	return vk_files_read_options(ctx);
}

/* A new entry of that path and name. NULL: memory ran out. */
static struct vk_ls_entry *add_entry(struct vk_ls *ls, const char *path, const char *name)
{
	struct vk_ls_entry *entry = vk_append(&ls->entries, &ls->count, NULL, sizeof(*ls->entries));
	const char *slash;

	if (entry == NULL)
		return NULL;
	if (asprintf(&entry->path, "%s%s%s", path, name[0] != '\0' && strcmp(path, "/") != 0 ? "/" : "", name) < 0) {
		entry->path = NULL;
		ls->count--;
		return NULL;
	}
	/* "#0x03000004" has no slash */
	slash = strrchr(entry->path, '/');
	entry->name_at = slash != NULL ? (size_t)(slash - entry->path) + 1 : 0;
	return entry;
}

struct visitor {
	struct vk_ls *ls;
	bool failed; /* which is reported */
};

static bool see(void *ctx, const struct vk_fs_visit *visit, bool *ret_stop)
{
	struct visitor *visitor = ctx;
	struct vk_ls *ls = visitor->ls;
	struct vk_ls_entry *entry;
	struct vk_error err;

	if (visit->entry->type == VK_FILE_SYSTEM && !ls->all)
		return false;
	entry = add_entry(ls, visit->path, "");
	if (entry == NULL) {
		visitor->failed = *ret_stop = true;
		return vk_cmd_no_memory(&ls->files.cmd);
	}
	entry->type = visit->entry->type;
	entry->address = visit->entry->address;
	if (visit->file == NULL) {
		entry->status = visit->error->status;
		entry->lack = vk_fs_file_lack(ls->files.fs, entry->address, entry->status);
		if (entry->status == VK_DAMAGED)
			(void)vk_cmd_ok(&ls->files.cmd, VK_EXIT_FINDINGS);
		else if (entry->status != VK_ABSENT)
			(void)vk_cmd_fail(&ls->files.cmd, visit->error);
		return false;
	}
	if (vk_ls_measure(&ls->files, visit->file, entry, &err) != VK_OK) {
		visitor->failed = *ret_stop = true;
		return vk_cmd_fail(&ls->files.cmd, &err);
	}
	return ls->recursive;
}

/* "." or "..", of which the descriptor may be gone */
static bool add_dots(struct vk_ls *ls, const struct vk_fs_file *folder, const char *name)
{
	struct vk_ls_entry *entry = add_entry(ls, ls->folder, name);
	struct vk_fs_file *file = NULL;
	struct vk_fs_entry found;
	struct vk_error err;
	enum vk_status status;

	if (entry == NULL)
		return vk_cmd_no_memory(&ls->files.cmd);
	entry->type = VK_FILE_FOLDER;
	entry->status = vk_fs_find(ls->files.fs, folder, name, &ls->files.sink, &found, NULL, &err);
	if (entry->status == VK_OK) {
		entry->address = found.address;
		entry->status = vk_fs_entry_open(ls->files.fs, &found, &ls->files.sink, &file, &err);
	}
	if (entry->status != VK_OK) {
		entry->lack = vk_fs_file_lack(ls->files.fs, entry->address, entry->status);
		return true;
	}
	status = vk_ls_measure(&ls->files, file, entry, &err);
	vk_fs_file_close(file);
	return status == VK_OK || vk_cmd_fail(&ls->files.cmd, &err);
}

/* Without a slash at its end, with one in front of it unless it begins at a descriptor. */
static char *clean_path(const char *path)
{
	const char *front = path[0] == '#' ? "" : "/";
	size_t len = strlen(path);
	char *clean;

	while (len > 0 && path[len - 1] == '/')
		len--;
	for (; len > 0 && path[0] == '/'; len--)
		path++;
	return asprintf(&clean, "%s%.*s", front, (int)len, path) >= 0 ? clean : NULL;
}

static int compare(const void *a, const void *b)
{
	const struct vk_ls_entry *x = a, *y = b;
	int order = vk_paths_compare(x->path, x->name_at, y->path, y->name_at);

	return order != 0 ? order : strcmp(x->path + x->name_at, y->path + y->name_at);
}

/* What file of that path is; folders: all that is in them. */
static bool gather(struct vk_ls *ls, const char *path, const struct vk_fs_file *file)
{
	struct visitor visitor = {.ls = ls};
	struct vk_error err;

	if (!vk_fs_file_is_folder(file)) {
		struct vk_ls_entry *entry = add_entry(ls, path, "");

		if (entry == NULL)
			return vk_cmd_no_memory(&ls->files.cmd);
		entry->name_at = 0;
		return vk_ls_measure(&ls->files, file, entry, &err) == VK_OK || vk_cmd_fail(&ls->files.cmd, &err);
	}
	ls->folder = strdup(path);
	if (ls->folder == NULL)
		return vk_cmd_no_memory(&ls->files.cmd);
	if (ls->all && !ls->recursive && (!add_dots(ls, file, ".") || !add_dots(ls, file, "..")))
		return false;
	/* what was found until then is shown all the same */
	if (vk_fs_walk_tree(ls->files.fs, path, see, &visitor, &ls->files.sink, &err) != VK_OK)
		(void)vk_cmd_fail(&ls->files.cmd, &err);
	if (ls->count > 0)
		qsort(ls->entries, ls->count, sizeof(*ls->entries), compare);
	return !visitor.failed;
}

static bool list(void *ctx)
{
	struct vk_ls *ls = ctx;
	struct vk_cmd *cmd = &ls->files.cmd;
	const bool follow = !vk_cli_flag(cmd->call, "long");
	struct vk_fs_file *file = NULL;
	struct vk_error err;
	const char *given;
	bool done = false;
	char *path;

	if (!vk_files_open(&ls->files) || !vk_files_at_most(&ls->files, 1))
		return false;
	given = vk_files_path(&ls->files, 0);
	path = clean_path(given != NULL ? given : "/");
	if (path == NULL)
		return vk_cmd_no_memory(cmd);
	if (vk_fs_lookup(ls->files.fs, path, follow, &ls->files.sink, &file, &err) == VK_OK)
		done = ls->as_disks ? vk_ls_gather_disks(ls, path, file) : gather(ls, path, file);
	else
		(void)vk_cmd_fail(cmd, &err);
	vk_fs_file_close(file);
	free(path);
	vk_cmd_judge_findings(cmd, &ls->files.findings);
	return done;
}

static void put_json(const void *ctx, struct vk_json *root)
{
	const struct vk_ls *ls = ctx;
	json_t *entries = ls->as_disks ? NULL : json_array();

	for (size_t i = 0; i < ls->count; i++) {
		struct vk_json entry = vk_ls_entry_json(&ls->entries[i]);

		vk_json_append(entries, vk_json_end(&entry), root);
	}
	vk_json_set(root, "volume", vk_files_volume_json(&ls->files));
	if (ls->as_disks)
		vk_ls_set_disks(ls, root);
	else
		vk_json_set(root, "entries", entries);
	vk_files_set_findings(&ls->files, root);
}

/* Names alone do not tell it. */
static void say_missing(const struct vk_ls *ls)
{
	const struct vk_cli_call *call = ls->files.cmd.call;
	size_t missing = 0, folders = 0, damaged = 0, lost = 0;

	for (size_t i = 0; i < ls->count; i++) {
		const struct vk_ls_entry *e = &ls->entries[i];

		damaged += !e->known && e->status == VK_DAMAGED;
		lost += e->known && e->missing_bytes > 0 && e->lack >= VK_LACK_ZEROS;
		missing += e->known ? e->missing_bytes > 0 && e->lack < VK_LACK_ZEROS : e->status != VK_DAMAGED;
		folders += ls->entries[i].is_folder && ls->entries[i].missing_bytes > 0;
	}
	if (damaged > 0)
		fprintf(call->err, "%s: note: of %zu of %zu files the descriptor is damaged: what they hold is not "
				   "known; vmfskit check says more\n", call->program->name, damaged, ls->count);
	if (lost > 0)
		fprintf(call->err, "%s: note: what leads to %zu of %zu files is damaged; vmfskit check says more\n",
			call->program->name, lost, ls->count);
	if (missing > 0)
		fprintf(call->err, "%s: note: %zu of %zu files %s not, or not wholly, in the source%s\n",
			call->program->name, missing, ls->count, missing == 1 ? "is" : "are",
			vk_files_is_part(&ls->files) ? ", which is only a part" : "");
	if (ls->recursive && folders > 0)
		fprintf(call->err, "%s: note: names are missing: %zu folder%s not wholly in the source\n",
			call->program->name, folders, folders == 1 ? " is" : "s are");
}

static void put_text(const void *ctx)
{
	const struct vk_ls *ls = ctx;

	if (ls->as_disks)
		vk_ls_show_disks(ls);
	else if (vk_cli_flag(ls->files.cmd.call, "bodyfile"))
		vk_ls_show_body(ls);
	else if (!vk_ls_show(ls))
		fprintf(ls->files.cmd.call->err, "memory ran out: the listing cannot be shown\n");
	fflush(ls->files.cmd.call->out);
	say_missing(ls);
	vk_files_show_findings(&ls->files);
}

static void end(void *ctx)
{
	struct vk_ls *ls = ctx;

	for (size_t i = 0; i < ls->count; i++) {
		free(ls->entries[i].path);
		free(ls->entries[i].target);
	}
	free(ls->entries);
	free(ls->folder);
	free(ls->shown);
	vk_vdisks_free(&ls->disks);
	vk_files_close(&ls->files);
}

static int run_ls(struct vk_cli_call *call)
{
	static const struct vk_cmd_steps steps = {"vmfskit.ls/1", read_options, list, put_json, put_text, end};
	struct vk_ls run = {.count = 0};

	return vk_cmd_run(call, &run, &steps);
}

static const struct vk_cli_option options[] = {
	{.letter = 'l', .name = "long",
	 .help = "mode, links, uid, gid, size, time of the last change (UTC) and name; the target of links"},
	{.letter = 'R', .name = "recursive", .help = "also what is in the folders"},
	{.letter = 'a', .name = "all", .help = "also the system files, . and .."},
	{.name = "bodyfile", .help = "print a body file for mactime (The Sleuth Kit 3), of all files below PATH"},
	{.name = "disks", .help = "the virtual disks below PATH, one in a line, and what is wrong with each"},
	VK_FILES_OPTIONS,
	{0},
};

static const struct vk_cli_example examples[] = {
	{"vmfskit ls -lR /dev/sdb", "every file of the volume on a LUN"},
	{"vmfskit ls -l first-26-MiB.dd /vm", "a folder, from a dump of the beginning"},
	{"vmfskit ls --extent /dev/sdc /dev/sdb", "a volume of two extents"},
	{"vmfskit ls --bodyfile disk.img | mactime -d", "a timeline"},
	{"vmfskit ls --disks /dev/sdb /web", "the disks of a virtual machine, and which of their files are lost"},
	{NULL, NULL},
};

const struct vk_cli_verb vk_verb_ls = {
	.name = "ls",
	.arguments = "SOURCE [PATH]",
	.purpose = "list the files of a volume",
	.description =
		"Prints the names in the folder PATH, or in the root, one in a line. Only system files, \".\" and "
		"\"..\" are left out; other names that begin with a dot are shown. Control characters and backslashes "
		"in a name are shown as \\xNN.\n\n"
		VK_FILES_SOURCE_TEXT "\n\n"
		"Of a file that is not, or not wholly, in the sources it is said how much is not. That is no error: "
		"a dump ends somewhere. A file whose blocks cannot be found because something is damaged is named by "
		"a finding.\n\n"
		"--disks shows each virtual disk as one line: its descriptor and the files that hold its data. A line "
		"has the path of the descriptor, or of the data file if the descriptor is lost; the kind: flat, delta, "
		"sesparse, rdm, physical rdm, hosted (made by Workstation); the length of the disk, and the bytes of "
		"its blocks. CID: a delta keeps the CID that its parent had. \"fits\": the parent still has it; "
		"\"differs\": the parent was changed since; \"none\": the disk has no parent. Then come the parents, "
		"and what is lost, damaged, or not in the source. Of descriptors 64 KiB and 32 extents are read.\n\n"
		"The exit code is 1 when something is damaged, and with --disks also when something is lost.",
	.options = options,
	.examples = examples,
	.least_arguments = 1,
	.most_arguments = SIZE_MAX,
	.run = run_ls,
};
