/* SPDX-License-Identifier: Apache-2.0 */
/* vmfskit cp -r: all below a folder. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/memory.h"
#include "base/shown.h"
#include "cmd/copy/copy.h"
#include "store/folder/folder.h"

/* A folder that was made: its facts are set when all is in it. */
struct folder {
	char *path; /* below the tree */
	struct vk_file_metadata meta;
};
struct tree {
	struct vk_copy *copy;
	const struct vk_copy_place *place; /* NULL: only count */
	struct vk_copy_place there;   /* while they are counted: the folder DEST, or folder_fd -1 */
	size_t files, files_there;    /* how many are counted, and how many of them are in it, as long as they are */
	size_t names_there;           /* how many are in it, however long */
	size_t base_len;              /* of the path of the tree in the paths that are visited */
	struct folder *folders;
	size_t folder_count;
};

/*
 * Whether a link stays in the tree, whatever other links are in it: it leads up at most to the tree, and then only
 * down. depth: how many folders of the tree it lies in.
 */
static bool stays_inside(const char *target, size_t depth)
{
	bool down = false;

	if (target[0] == '/' || target[0] == '\0')
		return false;
	for (const char *p = target; *p != '\0';) {
		const size_t len = strcspn(p, "/");
		const bool up = len == 2 && strncmp(p, "..", 2) == 0;

		if (up && (down || depth == 0))
			return false;
		depth -= up;
		down = down || (!up && len > 0 && !(len == 1 && p[0] == '.'));
		p += len;
		p += strspn(p, "/");
	}
	return true;
}

static bool has_control(const char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			return true;
	return false;
}

static size_t depth_of(const char *below)
{
	size_t depth = 0;

	for (below += strspn(below, "/"); *below != '\0'; below++)
		depth += *below == '/';
	return depth;
}

static void make_link(struct tree *t, const struct vk_fs_visit *visit, const char *below,
		      const struct vk_copy_place *place)
{
	const struct vk_file_metadata *m = &visit->file->meta;
	const struct timespec times[2] = {{.tv_sec = (time_t)m->atime}, {.tv_sec = (time_t)m->mtime}};
	struct vk_copy *copy = t->copy;
	char target[VK_FS_LINK_BYTES], before[VK_FS_LINK_BYTES];
	struct vk_error err;
	ssize_t len;

	if (vk_fs_link(copy->files.fs, visit->file, target, &err) != VK_OK) {
		(void)vk_cmd_fail(&copy->files.cmd, &err);
		return;
	}
	if (!stays_inside(target, depth_of(below)) || has_control(target)) {
		vk_copy_leave_out(copy, visit->path, "a symbolic link that leads out of what is copied");
		return;
	}
	if (symlinkat(target, place->folder_fd, place->name) == 0) {
		(void)utimensat(place->folder_fd, place->name, times, AT_SYMLINK_NOFOLLOW);
		return;
	}
	vk_error_errno(&err, errno, place->shown, "cannot make the symbolic link");
	if (err.status == VK_OK || errno != EEXIST) {
		(void)vk_cmd_fail(&copy->files.cmd, &err);
		return;
	}
	/* the same link as before is what was asked for */
	len = readlinkat(place->folder_fd, place->name, before, sizeof(before));
	if (len < 0 || (size_t)len != strlen(target) || memcmp(before, target, (size_t)len) != 0)
		(void)vk_cmd_fail(&copy->files.cmd, &err);
}

enum vk_status vk_copy_check_mount(const struct vk_copy *copy, const struct vk_copy_place *tree, int fd,
				   const char *shown, struct vk_error *err)
{
	struct stat top, here;

	if (fstat(tree->folder_fd, &top) != 0 || fstat(fd, &here) != 0)
		return vk_error_errno(err, errno, shown, "cannot look at this place");
	return here.st_dev == top.st_dev ? VK_OK : vk_files_check_disk(&copy->files, fd, shown, err);
}

static bool make_folder(struct tree *t, const struct vk_fs_visit *visit, const char *below,
			const struct vk_copy_place *place)
{
	struct folder folder = {strdup(below), visit->file->meta};
	struct vk_error err;
	int fd = -1;
	enum vk_status status = vk_copy_place_make_folder(place, &fd, &err);

	if (status == VK_OK)
		status = vk_copy_check_mount(t->copy, t->place, fd, place->shown, &err);
	if (fd >= 0)
		close(fd);
	if (status != VK_OK) {
		free(folder.path);
		return vk_cmd_fail(&t->copy->files.cmd, &err);
	}
	if (folder.path == NULL || vk_append(&t->folders, &t->folder_count, &folder, sizeof(folder)) == NULL) {
		free(folder.path);
		return vk_cmd_no_memory(&t->copy->files.cmd);
	}
	return true;
}

static bool copy_one(struct tree *t, const struct vk_fs_visit *visit, bool *ret_stop)
{
	const char *below = visit->path + t->base_len;
	struct vk_copy_place place;
	struct vk_error err;
	bool enter = false;

	if (vk_copy_place_below(t->place, below, &place, &err) != VK_OK)
		return vk_cmd_fail(&t->copy->files.cmd, &err);
	if (vk_fs_file_is_folder(visit->file))
		enter = make_folder(t, visit, below, &place);
	else if (visit->file->meta.type == VK_FILE_LINK)
		make_link(t, visit, below, &place);
	else
		vk_copy_of_volume(t->copy, visit->file, visit->path, &place);
	*ret_stop = t->copy->stopped;
	vk_copy_place_free(&place);
	return enter;
}

static void report_unreadable(struct vk_copy *copy, const struct vk_fs_visit *visit)
{
	const enum vk_status status = visit->error->status;
	struct vk_error err;

	vk_error_set(&err, status, visit->error->where, "%s is NOT copied: its file descriptor is %s",
		     vk_shown_name(visit->path).text,
		     status == VK_IO ? "unreadable"
				     : vk_fs_lack_said(vk_fs_file_lack(copy->files.fs, visit->entry->address, status)));
	if (visit->error->has_offset)
		(void)vk_error_at(&err, visit->error->offset_bytes);
	(void)vk_error_remedy(&err, "%s", visit->error->remedy[0] != '\0' ? visit->error->remedy : visit->error->what);
	(void)vk_cmd_fail(&copy->files.cmd, &err);
	copy->unreadable++;
}

/* No time is asked: restores give many folders and files the same one. */
static bool is_there(struct tree *t, const struct vk_fs_visit *visit)
{
	struct vk_copy_place place;
	struct stat st;
	bool there;

	if (t->there.folder_fd < 0 || vk_copy_place_below(&t->there, visit->path + t->base_len, &place, NULL) != VK_OK)
		return false;
	there = fstatat(place.folder_fd, place.name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode);
	t->names_there += there;
	there = there && (uint64_t)st.st_size == visit->file->meta.fileLength;
	vk_copy_place_free(&place);
	return there;
}

static bool visit_one(void *ctx, const struct vk_fs_visit *visit, bool *ret_stop)
{
	struct tree *t = ctx;
	struct vk_copy *copy = t->copy;
	const uint32_t type = visit->file != NULL ? visit->file->meta.type : visit->entry->type;

	if (type == VK_FILE_SYSTEM && !copy->system_files)
		return false;
	/* files that are small are never stopped in between */
	if (t->place != NULL && !vk_cmd_progress_tell(&copy->progress, copy->written_bytes,
						      vk_max_u64(copy->total_bytes, copy->written_bytes))) {
		copy->stopped = *ret_stop = true;
		return false;
	}
	if (visit->file == NULL) {
		if (t->place != NULL)
			report_unreadable(copy, visit);
		else
			copy->total_files += type == VK_FILE_ORDINARY || type == VK_FILE_SYSTEM;
		return false;
	}
	if (t->place != NULL && visit->file->meta.type == VK_FILE_RDM) {
		vk_copy_leave_out(copy, visit->path,
				  "the mapping file of a raw device has no bytes of its own; its disk is another "
				  "LUN, which vmfskit stat names");
		return false;
	}
	if (t->place != NULL)
		return copy_one(t, visit, ret_stop);
	if (!vk_fs_file_is_folder(visit->file) && visit->file->meta.type != VK_FILE_LINK &&
	    visit->file->meta.type != VK_FILE_RDM) {
		vk_copy_count(copy, visit->file);
		t->files++;
		t->files_there += is_there(t, visit);
	}
	return true;
}

/* Deepest first: what is set on a folder does not change by what is done in others. */
static void set_facts(struct tree *t)
{
	struct vk_copy_place place;
	struct vk_error err;

	for (size_t i = t->folder_count; i > 0; i--) {
		const struct folder *folder = &t->folders[i - 1];
		int fd = -1;
		enum vk_status status = vk_copy_place_below(t->place, folder->path, &place, &err);

		if (status == VK_OK) {
			status = vk_copy_place_make_folder(&place, &fd, &err);
			if (status == VK_OK)
				status = vk_copy_facts(t->copy, &folder->meta, fd, place.shown, &err);
			vk_copy_place_free(&place);
		}
		if (fd >= 0)
			close(fd);
		if (status != VK_OK)
			(void)vk_cmd_fail(&t->copy->files.cmd, &err);
	}
}

static enum vk_status walk(struct vk_copy *copy, const struct vk_copy_place *place, struct vk_error *err)
{
	const char *path = copy->path + strspn(copy->path, "/");
	char here[] = "";
	struct tree tree = {.copy = copy, .place = place, .there = {-1, here, here}, .base_len = strlen(path)};
	const size_t absent = vk_findings_absent(&copy->files.findings), before = copy->files.findings.count;
	bool unread = false;
	enum vk_status status;

	while (tree.base_len > 0 && path[tree.base_len - 1] == '/')
		tree.base_len--;
	tree.base_len += tree.base_len > 0;
	/* a link at DEST is refused later */
	if (place == NULL && copy->resume)
		tree.there.folder_fd = open(copy->dest, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	status = vk_fs_walk_tree(copy->files.fs, copy->path, visit_one, &tree,
				 place != NULL ? &copy->files.sink : NULL, err);
	if (tree.there.folder_fd >= 0)
		close(tree.there.folder_fd);
	copy->tree_there = copy->tree_there || (tree.files > 0 && tree.files_there == tree.files);
	copy->names_there = tree.files > 0 && tree.names_there == tree.files;
	for (size_t i = before; i < copy->files.findings.count && !unread; i++)
		unread = copy->files.findings.items[i].code == VK_F_SOURCE_UNREADABLE;
	if (unread || vk_findings_absent(&copy->files.findings) > absent) {
		fprintf(copy->files.cmd.call->err,
			"%s: names are missing: not everything below %s %s, so not everything was copied\n",
			copy->files.cmd.call->program->name, vk_shown_name(copy->path).text,
			unread ? "can be read" : "is in the source");
		(void)vk_cmd_ok(&copy->files.cmd, VK_EXIT_FINDINGS);
		copy->names_missing = true;
	}
	if (status == VK_OK && place != NULL && !copy->stopped) {
		set_facts(&tree);
		/* the root goes into a folder that was there, which stays as it was */
		if (place->name[0] != '\0')
			status = vk_copy_facts(copy, &copy->file->meta, place->folder_fd, place->shown, err);
	}
	for (size_t i = 0; i < tree.folder_count; i++)
		free(tree.folders[i].path);
	free(tree.folders);
	return status;
}

uint64_t vk_copy_whole(const struct vk_copy *copy)
{
	uint64_t whole = 0;

	for (size_t i = 0; i < copy->count; i++)
		whole += copy->copied[i].whole;
	return whole;
}

/*
 * To go on with a copy that its owner changed would make another one in it. A folder that has but some of the names is
 * no copy of this one: two folders of machines may both have a vmware.log.
 */
static enum vk_status refuse_second(const struct vk_copy *copy, const struct vk_copy_place *place,
				    struct vk_error *err)
{
	vk_error_set(err, VK_USAGE, copy->dest, "all %llu files of %s are in it, not all as they are in the volume, "
		     "and no record tells that it is a copy which was interrupted",
		     (unsigned long long)copy->total_files, vk_shown_name(copy->path).text);
	return vk_error_remedy(err, "a whole copy that was changed stays as it is: copy single files, with "
			       "--overwrite; for one more copy of the folder name its place, %s, and leave --resume "
			       "away", vk_shown_name(place->shown).text);
}

enum vk_status vk_copy_begin_tree(struct vk_copy *copy, const char *identity, struct vk_copy_place *place,
				  struct vk_error *err)
{
	static const struct vk_range_set none = {.count = 0};
	enum vk_status status = VK_OK;
	struct vk_range_set read;
	const bool begun_now = !vk_is_there(place->folder_fd, place->name);
	char *map;
	int fd;

	if (place->name[0] == '\0')
		return VK_OK;
	if (begun_now && copy->names_there)
		return refuse_second(copy, place, err);
	if (asprintf(&map, "%s" VK_COPY_MAP, place->name) < 0)
		return vk_no_memory(err, place->shown);
	if (vk_is_there(place->folder_fd, map))
		status = vk_copy_state_read(place->folder_fd, map, identity, 0, &read, err);
	else if (!vk_is_there(place->folder_fd, place->name))
		status = vk_copy_state_write(place->folder_fd, map, identity, 0, &none, NULL, 0, err);
	if (status == VK_OK && vk_is_there(place->folder_fd, map) && !begun_now && !copy->resume && !copy->overwrite) {
		free(map);
		vk_error_set(err, VK_USAGE, place->shown, "a copy of this folder was begun and is not whole");
		return vk_error_remedy(err, "--resume goes on with it, --overwrite begins each file anew");
	}
	if (status == VK_OK && copy->tree_there && copy->overwrite && !vk_is_there(place->folder_fd, map)) {
		free(map);
		vk_error_set(err, VK_USAGE, place->shown, "no record tells that this folder is a copy of %s, though it "
			     "has a file of each name and size", vk_shown_name(copy->path).text);
		return vk_error_remedy(err, "without --overwrite the files are compared; for a copy in this folder "
				       "name the place with its last name");
	}
	if (status == VK_OK && vk_is_there(place->folder_fd, map)) {
		copy->tree_map = map;
		copy->tree_map_fd = fcntl(place->folder_fd, F_DUPFD_CLOEXEC, 3);
	} else {
		free(map);
	}
	if (status == VK_OK)
		status = vk_copy_place_make_folder(place, &fd, err);
	if (status != VK_OK)
		return status;
	close(place->folder_fd);
	place->folder_fd = fd;
	return vk_files_check_disk(&copy->files, fd, place->shown, err);
}

void vk_copy_end_tree(struct vk_copy *copy)
{
	if (copy->tree_map_fd >= 0 && !copy->stopped && !copy->names_missing && copy->unreadable == 0 &&
	    vk_copy_whole(copy) == copy->total_files)
		(void)unlinkat(copy->tree_map_fd, copy->tree_map, 0);
}

enum vk_status vk_copy_count_tree(struct vk_copy *copy, struct vk_error *err)
{
	return walk(copy, NULL, err);
}

void vk_copy_tree(struct vk_copy *copy, const struct vk_copy_place *tree)
{
	struct vk_error err;

	if (walk(copy, tree, &err) != VK_OK)
		(void)vk_cmd_fail(&copy->files.cmd, &err);
}
