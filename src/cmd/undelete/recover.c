/* SPDX-License-Identifier: Apache-2.0 */
/* vmfskit undelete SOURCE PATH DEST: what is gone goes through the engine of cp. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/memory.h"
#include "base/shown.h"
#include "cmd/undelete/undelete.h"
#include "vmfskit/vmfs_uuid.h"

#define FLAT_END "-flat.vmdk"
static const char descriptor_begin[] = "# Disk DescriptorFile";

/* One file on its way. */
struct job {
	struct vk_lost_run *run;
	const struct vk_undelete_file *file;
	unsigned leave_out;
};

static enum vk_status open_lost(void *ctx, struct vk_io **ret_io, struct vk_error *err)
{
	const struct job *job = ctx;

	return vk_undelete_io(job->run->copy.files.fs, job->file, job->leave_out, ret_io, err);
}

static unsigned left_out(const struct vk_lost_run *run)
{
	return vk_cli_flag(run->copy.files.cmd.call, "with-reused") ? 0 : 1U << VK_UNDELETE_REUSED;
}

/* Which file that is, and by which map: the copy of another one is not gone on with. */
static void identify(const struct vk_lost_run *run, const struct vk_undelete_file *file,
		     char ret_text[VK_COPY_IDENTITY_BYTES])
{
	const struct vk_lost_moment *moment = &run->moments[file->map];
	char uuid[VK_VMFS_UUID_TEXT_BYTES];

	vk_vmfs_uuid_format(&vk_fs_info(run->copy.files.fs)->descriptor.uuid, uuid);
	snprintf(ret_text, VK_COPY_IDENTITY_BYTES,
		 "volume %s, gone file 0x%08" PRIx32 ", generation %" PRIu32 ", %" PRIu64 " bytes, map %.16s%s", uuid,
		 file->address, file->generation, file->size_bytes, moment->capture->maps[moment->map].sha256,
		 left_out(run) == 0 ? ", with reused" : "");
}

/* What is not certain. *ret_doubts is NULL when memory ran out, or there is nothing. */
static size_t doubts_of(const struct vk_undelete_file *file, struct vk_extract_missing **ret_doubts)
{
	size_t count = 0;

	*ret_doubts = calloc(file->range_count + 1, sizeof(**ret_doubts));
	for (size_t i = 0; i < file->range_count && *ret_doubts != NULL; i++) {
		const struct vk_undelete_range *r = &file->ranges[i];
		struct vk_extract_missing *last = count > 0 ? &(*ret_doubts)[count - 1] : NULL;
		const bool nobody_knows = r->state == VK_UNDELETE_UNKNOWN;

		if (r->length_bytes == 0 || (!nobody_knows && r->state != VK_UNDELETE_REUSED))
			continue;
		if (last != NULL && last->absent == nobody_knows &&
		    last->file_offset + last->length_bytes == r->file_offset)
			last->length_bytes += r->length_bytes;
		else
			(*ret_doubts)[count++] =
				(struct vk_extract_missing){r->file_offset, r->length_bytes, nobody_knows};
	}
	return count;
}

/* What the missing bytes of it are. */
static const char *absent_said(const struct vk_lost_run *run, const struct vk_undelete_file *file)
{
	bool left = false;

	for (size_t i = 0; i < file->range_count; i++) {
		const struct vk_undelete_range *r = &file->ranges[i];

		left = left || r->state == VK_UNDELETE_REUSED ||
		       (r->kind != VK_RUN_HOLE && r->volume_offset == UINT64_MAX);
	}
	if (vk_lost_not_held(run, file) == 0)
		return "reused by other files, or of unknown place";
	return left ? "reused by other files, of unknown place, or not in the source" : "not in the source";
}

/* What is zeros and lay in blocks: it has bytes of them. */
static uint64_t zeros_in_blocks(const struct vk_undelete_file *file, uint64_t zeros)
{
	const uint64_t block = VK_EXTRACT_ZERO_BYTES;
	uint64_t holes = 0, first, end;

	for (size_t i = 0; i < file->range_count; i++) {
		const struct vk_undelete_range *r = &file->ranges[i];

		if (r->state != VK_UNDELETE_HOLE)
			continue;
		first = r->file_offset + (block - r->file_offset % block) % block;
		end = r->file_offset + r->length_bytes;
		if (end != file->size_bytes)
			end -= end % block;
		holes += end > first ? end - first : 0;
	}
	return zeros > holes ? zeros - holes : 0;
}

static bool copy_one(struct vk_lost_run *run, size_t number, const struct vk_copy_place *place)
{
	const struct vk_undelete_file *file = &run->gone.files[number];
	const struct vk_file_metadata meta = {.fileLength = file->size_bytes, .mode = file->mode, .uid = file->uid,
					      .gid = file->gid, .atime = file->mtime, .mtime = file->mtime};
	struct job job = {run, file, left_out(run)};
	char identity[VK_COPY_IDENTITY_BYTES];
	struct vk_copy_from from = {file->path, &meta, identity, open_lost, &job, NULL, 0};
	struct vk_extract_missing *doubts;
	const size_t before = run->copy.count;
	bool whole;

	identify(run, file, identity);
	from.doubt_count = doubts_of(file, &doubts);
	from.doubts = doubts;
	if (doubts == NULL)
		return vk_cmd_no_memory(&run->copy.files.cmd);
	run->copy.absent_said = absent_said(run, file);
	whole = vk_copy_file(&run->copy, &from, place);
	free(doubts);
	if (run->copy.count > before) {
		struct vk_copied *copied = &run->copy.copied[before];

		run->copied[number] = before;
		copied->zero_bytes = zeros_in_blocks(file, copied->zero_bytes);
		if (copied->zero_bytes > 0)
			(void)vk_cmd_ok(&run->copy.files.cmd, VK_EXIT_FINDINGS);
	}
	return whole;
}

/* ---- descriptors */

static int compare_paths(const void *a, const void *b, void *files)
{
	const struct vk_undelete_file *f = files;

	return strcmp(f[*(const size_t *)a].path, f[*(const size_t *)b].path);
}

/* The files by path: those that have one. */
static bool sort_paths(struct vk_lost_run *run)
{
	run->by_path = calloc(run->gone.count + 1, sizeof(*run->by_path));
	if (run->by_path == NULL)
		return false;
	for (size_t i = 0; i < run->gone.count; i++)
		if (run->gone.files[i].path != NULL)
			run->by_path[run->named_count++] = i;
	qsort_r(run->by_path, run->named_count, sizeof(*run->by_path), compare_paths, run->gone.files);
	return true;
}

/* Of two of one name the one that can be a file, and the newer. SIZE_MAX: none. */
static size_t find_path(const struct vk_lost_run *run, const char *path)
{
	size_t low = 0, high = run->named_count, best = SIZE_MAX;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;

		if (strcmp(run->gone.files[run->by_path[middle]].path, path) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < run->named_count && strcmp(run->gone.files[run->by_path[low]].path, path) == 0; low++)
		if (vk_lost_is_file(&run->gone.files[run->by_path[low]]) && run->by_path[low] < best)
			best = run->by_path[low];
	return best;
}

/* Whether what there is of it is the text of a descriptor. */
static bool is_descriptor(const struct vk_lost_run *run, const struct vk_undelete_file *file)
{
	const size_t len = sizeof(descriptor_begin) - 1;
	char text[sizeof(descriptor_begin)];
	struct vk_io *io;
	bool is;

	if (file->size_bytes < len ||
	    vk_undelete_io(run->copy.files.fs, file, 1U << VK_UNDELETE_REUSED, &io, NULL) != VK_OK)
		return false;
	is = vk_io_read_all(io, 0, text, len, NULL) == VK_OK && memcmp(text, descriptor_begin, len) == 0;
	vk_io_close(io);
	return is;
}

/* Whether a flat file has lost its descriptor: its own text is nowhere any more. */
static bool needs_descriptor(const struct vk_lost_run *run, const char *descriptor)
{
	const size_t own = find_path(run, descriptor);
	struct vk_fs_file *there;
	struct vk_error err;
	enum vk_status status;

	if (own != SIZE_MAX)
		return run->gone.files[own].verdict != VK_UNDELETE_ALL_UNTOUCHED &&
		       !is_descriptor(run, &run->gone.files[own]);
	status = vk_fs_lookup(run->copy.files.fs, descriptor, true, NULL, &there, &err);
	if (status == VK_OK)
		vk_fs_file_close(there);
	return status == VK_ABSENT && !run->gone.names_unknown;
}

static bool ends_in(const char *path, const char *end)
{
	const size_t len = strlen(path), end_len = strlen(end);

	return len > end_len && strcmp(path + len - end_len, end) == 0;
}

static void make_descriptor(struct vk_lost_run *run, const struct vk_undelete_file *file,
			    const struct vk_copy_place *place)
{
	char *descriptor;
	bool thin = false;

	if (!ends_in(file->path, FLAT_END))
		return;
	descriptor = vk_vdisk_descriptor_name(file->path);
	for (size_t i = 0; i < file->range_count && !thin; i++)
		thin = file->ranges[i].kind == VK_RUN_HOLE && file->ranges[i].length_bytes > 0;
	if (descriptor != NULL && needs_descriptor(run, descriptor))
		vk_copy_put_descriptor(&run->copy, file->path, file->size_bytes, thin, place);
	free(descriptor);
}

/* Whether it was a descriptor, is junk now, and its flat file comes back: a new one takes its place. */
static bool is_replaced(const struct vk_lost_run *run, const struct vk_undelete_file *file)
{
	char *flat;
	bool replaced;

	if (file->verdict == VK_UNDELETE_ALL_UNTOUCHED || !ends_in(file->path, ".vmdk") ||
	    asprintf(&flat, "%.*s" FLAT_END, (int)(strlen(file->path) - strlen(".vmdk")), file->path) < 0)
		return false;
	replaced = find_path(run, flat) != SIZE_MAX && file->verdict != VK_UNDELETE_ALL_UNTOUCHED &&
		   !is_descriptor(run, file);
	free(flat);
	return replaced;
}

static void say_replaced(struct vk_lost_run *run, const struct vk_undelete_file *file)
{
	fprintf(run->copy.files.cmd.call->err, "%s: %s is not copied: what there is of it is no descriptor; a new one "
		"is made when its flat file is whole\n", run->copy.files.cmd.call->program->name,
		vk_shown_name(file->path).text);
	run->copy.total_files--;
}

/* ---- a folder of them */

/* Each folder on the way to below, in the tree. */
static enum vk_status make_folders(struct vk_lost_run *run, const struct vk_copy_place *tree, const char *below,
				   struct vk_error *err)
{
	enum vk_status status = VK_OK;

	for (const char *slash = strchr(below, '/'); slash != NULL && status == VK_OK; slash = strchr(slash + 1, '/')) {
		char *folder = strndup(below, (size_t)(slash - below));
		struct vk_copy_place place;
		int fd = -1;

		if (folder == NULL)
			return vk_no_memory(err, below);
		status = vk_copy_place_below(tree, folder, &place, err);
		free(folder);
		if (status != VK_OK)
			return status;
		status = vk_copy_place_make_folder(&place, &fd, err);
		if (status == VK_OK)
			status = vk_copy_check_mount(&run->copy, tree, fd, place.shown, err);
		if (fd >= 0)
			close(fd);
		vk_copy_place_free(&place);
	}
	return status;
}

static void recover_below(struct vk_lost_run *run, size_t number, const char *below, const struct vk_copy_place *tree)
{
	const struct vk_undelete_file *file = &run->gone.files[number];
	struct vk_copy_place place;
	struct vk_error err;

	if (make_folders(run, tree, below, &err) != VK_OK || vk_copy_place_below(tree, below, &place, &err) != VK_OK) {
		(void)vk_cmd_fail(&run->copy.files.cmd, &err);
		return;
	}
	if (copy_one(run, number, &place))
		make_descriptor(run, file, &place);
	vk_copy_place_free(&place);
}

static void recover_tree(struct vk_lost_run *run, const struct vk_copy_place *tree)
{
	struct vk_copy *copy = &run->copy;
	const size_t base = strlen(run->path) + (strcmp(run->path, "/") != 0);

	for (size_t i = 0; i < run->gone.count && !copy->stopped; i++) {
		const struct vk_undelete_file *file = &run->gone.files[i];

		if (!vk_cmd_progress_tell(&copy->progress, copy->written_bytes,
					  vk_max_u64(copy->total_bytes, copy->written_bytes)))
			copy->stopped = true;
		else if (file->type == VK_FILE_LINK || file->type == VK_FILE_RDM)
			vk_copy_leave_out(copy, file->path, file->type == VK_FILE_LINK
					  ? "a symbolic link" : "the mapping file of a raw device; its disk is "
					  "another LUN, and has all its bytes");
		else if (vk_lost_is_file(file) && is_replaced(run, file))
			say_replaced(run, file);
		else if (vk_lost_is_file(file) && strlen(file->path) > base)
			recover_below(run, i, file->path + base, tree);
	}
}

/* ---- both */

/* Files that were asked for and not copied, because another one has their name. */
static void say_namesakes(struct vk_lost_run *run)
{
	const struct vk_cmd *cmd = &run->copy.files.cmd;
	size_t first = SIZE_MAX;

	for (size_t k = 0; k < run->named_count; k++) {
		const size_t number = run->by_path[k];
		const struct vk_undelete_file *file = &run->gone.files[number];

		if (k == 0 || compare_paths(&run->by_path[k - 1], &number, run->gone.files) != 0)
			first = find_path(run, file->path);
		if (!vk_lost_is_file(file) || first == number || run->copied[number] != SIZE_MAX ||
		    file->map >= run->moment_count)
			continue;
		fprintf(cmd->call->err, "%s: %s: an older file of this name, %s long, is not copied; the same command "
			"with --capture %s and another DEST copies it\n", cmd->call->program->name,
			vk_shown_name(file->path).text, vk_shown_size_short(file->size_bytes).text,
			run->moments[file->map].capture->id);
		(void)vk_cmd_ok(&run->copy.files.cmd, VK_EXIT_FINDINGS);
	}
}

static void count_all(struct vk_lost_run *run)
{
	const unsigned none = left_out(run);

	for (size_t i = 0; i < run->gone.count; i++) {
		const struct vk_undelete_file *file = &run->gone.files[i];

		if (!vk_lost_is_file(file))
			continue;
		run->copy.total_files++;
		for (unsigned state = 0; state < VK_UNDELETE_STATES; state++)
			if (state != VK_UNDELETE_HOLE && (none >> state & 1) == 0)
				run->copy.total_bytes += file->bytes[state];
	}
}

static enum vk_status place_of(const struct vk_lost_run *run, bool one, const char *identity,
			       struct vk_copy_place *ret_place, struct vk_error *err)
{
	return one ? vk_copy_place_of(run->copy.dest, run->path, ret_place, err)
		   : vk_copy_place_of_tree(run->copy.dest, run->path, identity, false, ret_place, err);
}

enum vk_status vk_lost_recover(void *ctx, struct vk_error *err)
{
	struct vk_lost_run *run = ctx;
	struct vk_copy *copy = &run->copy;
	size_t single;
	bool one;
	char identity[VK_COPY_IDENTITY_BYTES], uuid[VK_VMFS_UUID_TEXT_BYTES];
	struct vk_copy_place place;
	enum vk_status status;

	vk_vmfs_uuid_format(&vk_fs_info(copy->files.fs)->descriptor.uuid, uuid);
	snprintf(identity, sizeof(identity), "volume %s, gone from %.120s", uuid, vk_shown_name(run->path).text);
	count_all(run);
	if (copy->total_files == 0)
		return vk_lost_trace(run, true, err);
	run->copied = calloc(run->gone.count, sizeof(*run->copied));
	if (run->copied == NULL || !sort_paths(run))
		return vk_no_memory(err, copy->dest);
	single = find_path(run, run->path);
	one = single != SIZE_MAX;
	for (size_t i = 0; i < run->gone.count; i++)
		run->copied[i] = SIZE_MAX;
	copy->ranges_told = true;
	copy->count_zeros = true;
	copy->tree = !one;
	status = place_of(run, one, identity, &place, err);
	if (status != VK_OK)
		return status;
	status = vk_files_check_disk(&copy->files, place.folder_fd, place.shown, err);
	if (status == VK_OK)
		status = vk_copy_check_room(copy, &place, err);
	if (status == VK_OK && !one)
		status = vk_copy_begin_tree(copy, identity, &place, err);
	if (status == VK_OK) {
		vk_cmd_progress_begin(&copy->progress, copy->files.cmd.call);
		copy->progress.done = "copied";
		if (one)
			(void)copy_one(run, single, &place);
		else
			recover_tree(run, &place);
		(void)vk_cmd_progress_end(&copy->progress);
		vk_copy_end_tree(copy);
		say_namesakes(run);
		if (!copy->stopped)
			status = vk_lost_ask_again(run, err);
	}
	vk_copy_place_free(&place);
	return status;
}
