/* SPDX-License-Identifier: Apache-2.0 */
/* vmfskit undelete: a PATH at which nothing is gone. Whether anybody knows it, and where the file is now. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/shown.h"
#include "cmd/undelete/undelete.h"

enum { FILES_MAX = 16 }; /* that had this path, one after the other */

struct trace {
	const char *path;
	struct {
		uint32_t address, generation;
	} files[FILES_MAX];
	size_t count;
	char *now;
	bool no_memory;
};

static bool is_known(const struct trace *t, uint32_t address, uint32_t generation)
{
	for (size_t i = 0; i < t->count; i++)
		if (t->files[i].address == address && t->files[i].generation == generation)
			return true;
	return false;
}

static bool note_file(void *ctx, const struct vk_file_map_file *file)
{
	struct trace *t = ctx;

	if (strcmp(file->path, t->path) == 0 && t->count < FILES_MAX &&
	    !is_known(t, file->address, file->generation)) {
		t->files[t->count].address = file->address;
		t->files[t->count++].generation = file->generation;
	}
	return true;
}

static bool find_now(void *ctx, const struct vk_fs_visit *visit, bool *ret_stop)
{
	struct trace *t = ctx;

	if (visit->file == NULL || !is_known(t, visit->entry->address, visit->file->meta.generation) ||
	    strcmp(visit->path, t->path) == 0)
		return true;
	t->now = strdup(visit->path);
	t->no_memory = t->now == NULL;
	*ret_stop = true;
	return false;
}

enum vk_status vk_lost_trace(struct vk_lost_run *run, bool wanted, struct vk_error *err)
{
	struct trace trace = {.path = run->path};
	const struct vk_file_map_visitor visitor = {.file = note_file, .ctx = &trace};
	struct vk_fs *fs = run->copy.files.fs;
	struct vk_file_map_sums sums;
	enum vk_status status = VK_OK;
	struct vk_fs_file *there = NULL;
	struct vk_error ignored;

	for (size_t i = 0; i < run->known_count && status == VK_OK; i++)
		status = vk_file_map_read(run->known[i].map, &visitor, &sums, err);
	if (status != VK_OK)
		return status;
	/* a tree that cannot be read tells nothing */
	if (trace.count > 0)
		status = vk_fs_walk_tree(fs, "/", find_now, &trace, NULL, &ignored);
	if (trace.no_memory || status == VK_NOMEM)
		return vk_no_memory(err, run->path);
	run->now = trace.now;
	run->there = vk_fs_lookup(fs, run->path, true, NULL, &there, &ignored) == VK_OK;
	vk_fs_file_close(there);
	if (!wanted && (run->there || trace.count > 0))
		return VK_OK;
	vk_error_set(err, VK_ABSENT, vk_files_source(&run->copy.files, 0), "nothing that the captures know is gone at "
		     "%s", vk_shown_name(run->path).text);
	if (run->now != NULL)
		return vk_error_remedy(err, "it was renamed: it is %s now, and vmfskit cp copies it",
				       vk_shown_name(run->now).text);
	return vk_error_remedy(err, run->there ? "it is in the volume: vmfskit cp copies it"
					       : "the command without PATH and DEST lists all that is gone");
}
