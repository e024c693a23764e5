/* SPDX-License-Identifier: Apache-2.0 */
/* vmfskit cp: one file, under the name NAME.vmfskit-part until it is whole. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/memory.h"
#include "base/screen.h"
#include "cmd/copy/copy.h"
#include "cmd/copy/state.h"
#include "cmd/files/holder.h"
#include "base/shown.h"
#include "store/folder/folder.h"
#include "store/folder/save.h"

enum { SAVE_EVERY_MS = 5000, SAVE_SHARE = 50, SAMPLE_BYTES = 4 << 20, SAMPLE_STEP = 256 << 20 };

struct job {
	struct vk_copy *copy;
	const struct vk_copy_from *from;
	uint64_t size;
	const struct vk_copy_place *place;
	char *part, *map;
	int fd;
	struct vk_range_set done;  /* on disk, as far as it was flushed */
	uint64_t folded;           /* of the range that is copied: up to here it is in done */
	uint64_t save_ms;          /* when it is to be saved next */
	bool whole_before;         /* nothing was copied before: the digest is that of what passes */
	struct vk_extract extract;
	struct vk_digest digest;
};

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* What was copied since is done, but for what is missing of it. */
static bool fold(struct job *job)
{
	const struct vk_extract *x = &job->extract;
	uint64_t at = job->folded;
	bool ok = true;

	for (size_t i = 0; ok && i < x->missing_count; i++) {
		const struct vk_extract_missing *m = &x->missing[i];

		if (m->file_offset + m->length_bytes <= at)
			continue;
		if (m->file_offset > at)
			ok = vk_range_set_add(&job->done, at, m->file_offset - at);
		at = m->file_offset + m->length_bytes;
	}
	if (ok && at < x->position)
		ok = vk_range_set_add(&job->done, at, x->position - at);
	job->folded = vk_max_u64(job->folded, x->position);
	return ok;
}

/* The bytes first, then what is said of them. */
static enum vk_status save(struct job *job, struct vk_error *err)
{
	const uint64_t begun = now_ms();
	enum vk_status status = VK_OK;

	if (fdatasync(job->fd) != 0)
		return vk_error_errno(err, errno, job->place->shown, "cannot write the file");
	if (!fold(job))
		return vk_no_memory(err, job->place->shown);
	status = vk_copy_state_write(job->place->folder_fd, job->map, job->from->identity, job->size, &job->done,
				     job->extract.missing, job->extract.missing_count, err);
	job->save_ms = now_ms();
	job->save_ms += vk_max_u64(SAVE_EVERY_MS, SAVE_SHARE * (job->save_ms - begun));
	return status;
}

/* A device that does not answer: what is there is kept, and the thread that waits for it cannot be waited for. */
static void give_up_if_stuck(struct job *job)
{
	struct vk_copy *copy = job->copy;
	const uint64_t *in_call = copy->files.how.in_call_since_ms, now = now_ms();
	const uint64_t since = in_call != NULL ? __atomic_load_n(in_call, __ATOMIC_SEQ_CST) : 0;
	struct vk_error err;

	if (since == 0 || now < since || (now - since) / 1000 < copy->files.timeout_s)
		return;
	(void)vk_cmd_progress_end(&copy->progress);
	if (save(job, &err) != VK_OK)
		(void)vk_cmd_fail(&copy->files.cmd, &err);
	vk_error_set(&err, VK_IO, vk_files_source(&copy->files, 0),
		     "the device did not answer for %u s and was given up", copy->files.timeout_s);
	vk_error_remedy(&err, "when it answers again the same command with --resume goes on from where it stopped");
	(void)vk_cmd_fail(&copy->files.cmd, &err);
	if (copy->sums.out != NULL)
		(void)!vk_output_close(&copy->sums, false, NULL);
	fflush(copy->files.cmd.call->err);
	_exit(VK_EXIT_IO);
}

static bool report_progress(void *ctx, const struct vk_extract *x)
{
	struct job *job = ctx;
	struct vk_copy *copy = job->copy;

	give_up_if_stuck(job);
	/* that it cannot be saved now is told when it matters: when the copy ends before the file does */
	if (now_ms() >= job->save_ms)
		(void)!save(job, NULL);
	copy->stopped = !vk_cmd_progress_tell(&copy->progress, copy->written_bytes + x->written_bytes,
					      vk_max_u64(copy->total_bytes, copy->written_bytes + x->written_bytes));
	return !copy->stopped;
}

/* All that is not done yet. */
static enum vk_status copy_gaps(struct job *job, struct vk_io *io, struct vk_error *err)
{
	const uint64_t size = job->size;
	enum vk_status status = VK_OK;

	for (uint64_t at = 0, length; status == VK_OK && at < size && !job->copy->stopped; at += length) {
		length = size - at;
		if (vk_range_set_holds(&job->done, at, &length))
			continue;
		job->folded = at;
		status = vk_extract(&job->extract, io, at, at + length, job->place->shown, err);
		if (!fold(job) && status == VK_OK)
			status = vk_no_memory(err, job->place->shown);
		/* done ranges have moved: this one is dealt with as far as it came */
	}
	return status;
}

/*
 * What is in the way may be an interrupted copy of this file: its map says so. Anything else is somebody's file, which
 * stays. The map is made before the part and removed after it: a part without a map was made by nobody here.
 */
static enum vk_status open_part(struct job *job, struct vk_error *err)
{
	const struct vk_copy *copy = job->copy;
	const struct vk_copy_place *place = job->place;
	const uint64_t size = job->size;
	struct stat part_st, map_st;
	bool part, map;
	enum vk_status status = vk_copy_check_not_ours(copy, place, job->part, &part_st, &part, err);

	if (status == VK_OK)
		status = vk_copy_check_not_ours(copy, place, job->map, &map_st, &map, err);
	if (status == VK_OK && map)
		status = vk_copy_state_read(place->folder_fd, job->map, job->from->identity, size, &job->done, err);
	if (status != VK_OK)
		return status;
	if (part && !map) {
		vk_error_set(err, VK_REFUSED, place->shown, "beside it lies %s, but no %s that says what it is",
			     job->part, job->map);
		return vk_error_remedy(err, "move it away, or choose another DEST; nothing of it is replaced");
	}
	if (map && !copy->overwrite && !copy->resume) {
		vk_error_set(err, VK_USAGE, place->shown, "%s is there: a copy of this file was interrupted",
			     part ? job->part : job->map);
		return vk_error_remedy(err, "--resume goes on with it, --overwrite begins anew");
	}
	if (part && copy->resume && part_st.st_size != 0 && (uint64_t)part_st.st_size != size) {
		vk_error_set(err, VK_REFUSED, place->shown, "%s has not the length of the file", job->part);
		return vk_error_remedy(err, "move it away, or copy with --overwrite");
	}
	/* without the bytes the map says nothing */
	if (!part || !copy->resume || part_st.st_size == 0)
		vk_range_set_free(&job->done);
	if (!map)
		status = vk_copy_state_write(place->folder_fd, job->map, job->from->identity, size, &job->done, NULL,
					     0, err);
	if (status == VK_OK)
		status = vk_output_part_open(place->folder_fd, job->part, part, place->shown, &job->fd, err);
	if (status == VK_OK && part && !copy->resume && ftruncate(job->fd, 0) != 0)
		status = vk_error_errno(err, errno, place->shown, "cannot empty %s", job->part);
	return status;
}

/* Of what lies on disk, where not all of it passed now. */
static enum vk_status digest_file(const struct job *job, int fd, char ret_hex[VK_SHA256_HEX_BYTES],
				  struct vk_error *err)
{
	struct vk_saver saver;
	enum vk_status status = vk_saver_init(&saver, NULL, err);

	if (status != VK_OK)
		return status;
	if (!vk_saver_keep(&saver, fd, job->size, NULL, ret_hex))
		status = vk_error_errno(err, errno, job->place->shown, "cannot read the file back");
	vk_saver_free(&saver);
	return status;
}

enum vk_status vk_copy_facts(const struct vk_copy *copy, const struct vk_file_metadata *m, int fd, const char *shown,
			     struct vk_error *err)
{
	const struct timespec times[2] = {{.tv_sec = (time_t)m->atime}, {.tv_sec = (time_t)m->mtime}};

	/* set-uid programs of another host are nobody's here */
	if ((copy->keep_owner && fchown(fd, m->uid, m->gid) != 0) || fchmod(fd, m->mode & 0777) != 0 ||
	    futimens(fd, times) != 0)
		return vk_error_errno(err, errno, shown, "cannot set owner, mode and times");
	return VK_OK;
}

/* The bytes are there, as far as they can be had: the name, when all are. */
static enum vk_status finish(struct job *job, struct vk_copied *copied, struct vk_error *err)
{
	struct vk_copy *copy = job->copy;
	const struct vk_copy_place *place = job->place;
	const bool whole = !copy->stopped && job->extract.missing_count == 0;
	enum vk_status status = VK_OK;

	if (whole && copy->digests) {
		if (!job->whole_before)
			status = digest_file(job, job->fd, copied->sha256, err);
		else if (!vk_digest_take(&job->digest, copied->sha256))
			status = vk_error_set(err, VK_INTERNAL, place->shown, "the digest could not be computed");
	}
	if (status == VK_OK && !copy->stopped)
		status = vk_copy_facts(copy, job->from->meta, job->fd, place->shown, err);
	if (status == VK_OK && (!whole || job->from->doubt_count > 0))
		status = save(job, err);
	if (status == VK_OK && !copy->stopped && job->from->doubt_count > 0)
		status = vk_copy_state_write_doubts(place->folder_fd, job->map, job->from->identity, job->size,
						    &job->done, &job->extract, job->from->doubts,
						    job->from->doubt_count, err);
	if (status != VK_OK || !whole)
		return status;
	status = vk_output_part_finish(place->folder_fd, job->part, job->fd, place->name, copy->overwrite,
				       place->shown, err);
	if (status == VK_OK && job->from->doubt_count == 0 && unlinkat(place->folder_fd, job->map, 0) != 0 &&
	    errno != ENOENT)
		status = vk_error_errno(err, errno, place->shown, "cannot remove %s", job->map);
	return status;
}

static bool report_compared(void *ctx, const struct vk_extract *x)
{
	struct job *job = ctx;
	struct vk_copy *copy = job->copy;

	give_up_if_stuck(job);
	copy->stopped = !vk_cmd_progress_tell(&copy->progress, x->position, job->size);
	return !copy->stopped;
}

/* Whether these bytes of the part are still those of the source; what cannot be read of the source is not asked. */
static enum vk_status compare_piece(struct job *job, struct vk_io *io, uint64_t at, uint64_t length,
				    struct vk_error *err)
{
	struct vk_extract x = {.fd = job->fd, .sparse = true, .compare = true, .stop_at_missing = true,
			       .count_zeros = job->copy->count_zeros, .progress = report_compared, .ctx = job};
	const enum vk_status status = vk_extract(&x, io, at, length, job->place->shown, err);

	job->extract.zero_bytes += x.zero_bytes;
	vk_extract_free(&x);
	if (status != VK_OK || x.end != VK_EXTRACT_DIFFERS)
		return status;
	(void)vk_error_set(err, VK_REFUSED, job->place->shown,
			   "the source, or %s, changed since: they differ behind byte %llu", job->part,
			   (unsigned long long)x.position);
	return vk_error_remedy(err, "remove it and %s, and copy the file anew: two moments are no copy", job->map);
}

/* No descriptor tells that a host wrote to a disk: what was done is looked at, all of it for a digest. */
static enum vk_status compare_done(struct job *job, struct vk_io *io, struct vk_error *err)
{
	enum vk_status status = VK_OK;

	for (size_t i = 0; i < job->done.count && status == VK_OK; i++) {
		const struct vk_range r = job->done.ranges[i];
		const uint64_t piece = job->copy->digests ? SAMPLE_STEP : SAMPLE_BYTES;

		for (uint64_t at = 0; at < r.length_bytes && status == VK_OK && !job->copy->stopped; at += SAMPLE_STEP)
			status = compare_piece(job, io, r.offset_bytes + at,
					       vk_min_u64(piece, r.length_bytes - at), err);
	}
	return status;
}

static enum vk_status copy_now(struct job *job, struct vk_copied *copied, struct vk_error *err)
{
	struct vk_copy *copy = job->copy;
	struct vk_io *io;
	enum vk_status status = open_part(job, err);

	if (status != VK_OK)
		return status;
	job->whole_before = job->done.count == 0;
	status = save(job, err);
	if (status != VK_OK)
		return status;
	if (job->size > INT64_MAX || ftruncate(job->fd, (off_t)job->size) != 0) {
		vk_error_errno(err, job->size > INT64_MAX ? EFBIG : errno, job->place->shown,
			       "the file system cannot hold a file of %s",
			       vk_shown_size_short(job->size).text);
		unlinkat(job->place->folder_fd, job->part, 0);
		unlinkat(job->place->folder_fd, job->map, 0);
		return VK_IO;
	}
	status = job->from->open(job->from->ctx, &io, err);
	if (status != VK_OK)
		return status;
	job->extract = (struct vk_extract){.fd = job->fd, .sparse = true, .progress = report_progress, .ctx = job,
					   .count_zeros = copy->count_zeros,
					   .digest = copy->digests && job->whole_before ? &job->digest : NULL};
	status = compare_done(job, io, err);
	if (status == VK_OK && !copy->stopped)
		status = copy_gaps(job, io, err);
	vk_io_close(io);
	copy->written_bytes += job->extract.written_bytes;
	if (status == VK_OK)
		return finish(job, copied, err);
	/* what stops a copy is not to cost what was done */
	if (save(job, NULL) == VK_OK && status == VK_IO)
		(void)vk_error_remedy(err, "the same command with --resume goes on from where it stopped");
	return status;
}

/* Whether the file that is there holds the bytes of the source, all of which must be there. stopped: not known. */
static enum vk_status compare_file(struct job *job, struct vk_copied *copied, struct vk_error *err)
{
	struct vk_copy *copy = job->copy;
	const struct vk_copy_place *place = job->place;
	const char *const done = copy->progress.done;
	struct vk_extract x = {.sparse = true, .compare = true, .stop_at_missing = true, .progress = report_compared,
			       .ctx = job, .count_zeros = copy->count_zeros,
			       .digest = copy->digests ? &job->digest : NULL};
	struct vk_range_set ranges;
	struct vk_io *io;
	uint64_t length;
	enum vk_status status = vk_folder_open_file(place->folder_fd, place->name, &x.fd, &length, err);

	if (status != VK_OK)
		return status;
	if (length == job->size) {
		status = job->from->open(job->from->ctx, &io, err);
		if (status == VK_OK) {
			copy->progress.done = "compared";
			status = vk_extract(&x, io, 0, length, place->shown, err);
			copy->progress.done = done;
			vk_io_close(io);
		}
		copied->compared = status == VK_OK && x.end == VK_EXTRACT_DONE;
		copied->zero_bytes = copied->compared ? x.zero_bytes : 0;
	}
	close(x.fd);
	vk_extract_free(&x);
	if (status != VK_OK || !copied->compared || copy->stopped)
		return status;
	if (copy->digests && !vk_digest_take(&job->digest, copied->sha256))
		return vk_error_set(err, VK_INTERNAL, place->shown, "the digest could not be computed");
	/* it was stopped between the last two steps */
	if (vk_copy_state_read(place->folder_fd, job->map, job->from->identity, job->size, &ranges, NULL) == VK_OK) {
		vk_range_set_free(&ranges);
		if (job->from->doubt_count == 0)
			(void)unlinkat(place->folder_fd, job->map, 0);
	}
	return VK_OK;
}

bool vk_copy_file(struct vk_copy *copy, const struct vk_copy_from *from, const struct vk_copy_place *place)
{
	struct job job = {.copy = copy, .from = from, .size = from->meta->fileLength, .place = place, .fd = -1};
	struct vk_copied copied = {.size_bytes = from->meta->fileLength};
	struct vk_error err = {.status = VK_OK};
	enum vk_status status = VK_OK;
	bool whole = false, there = false;
	struct stat st;

	if (asprintf(&job.part, "%s" VK_COPY_PART, place->name) < 0)
		job.part = NULL;
	if (asprintf(&job.map, "%s" VK_COPY_MAP, place->name) < 0)
		job.map = NULL;
	if (job.part == NULL || job.map == NULL || !vk_digest_init(&job.digest))
		status = vk_no_memory(&err, place->shown);
	if (status == VK_OK)
		status = vk_copy_check_place(copy, place, &there, &err);
	if (status == VK_OK && there && copy->resume && !vk_is_there(place->folder_fd, job.part))
		status = compare_file(&job, &copied, &err);
	if (status == VK_OK && !copied.compared && !copy->stopped) {
		if (there)
			status = vk_copy_refuse_existing(copy, place, &err);
		vk_digest_free(&job.digest);
		if (status == VK_OK && !vk_digest_init(&job.digest))
			status = vk_no_memory(&err, place->shown);
		if (status == VK_OK)
			status = copy_now(&job, &copied, &err);
	}
	if (job.fd >= 0 ? fstat(job.fd, &st) == 0
			: fstatat(place->folder_fd, place->name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
		copied.device = st.st_dev;
		copied.inode = st.st_ino;
	}
	if (status == VK_OK)
		whole = vk_copy_record(copy, &copied, from->path, place->shown, &job.extract);
	else
		(void)vk_cmd_fail(&copy->files.cmd, &err);
	if (job.fd >= 0)
		close(job.fd);
	vk_range_set_free(&job.done);
	vk_extract_free(&job.extract);
	vk_digest_free(&job.digest);
	free(job.part);
	free(job.map);
	return whole;
}

struct of_volume {
	struct vk_copy *copy;
	const struct vk_fs_file *file;
	const char *path;
};

static enum vk_status open_of_volume(void *ctx, struct vk_io **ret_io, struct vk_error *err)
{
	const struct of_volume *of = ctx;

	return vk_fs_file_io(of->copy->files.fs, of->file, of->path, &of->copy->files.sink, ret_io, err);
}

void vk_copy_of_volume(struct vk_copy *copy, const struct vk_fs_file *file, const char *path,
		       const struct vk_copy_place *place)
{
	struct of_volume of = {copy, file, path};
	char identity[VK_COPY_IDENTITY_BYTES];
	const struct vk_copy_from from = {path, &file->meta, identity, open_of_volume, &of, NULL, 0};

	vk_copy_identity(vk_fs_info(copy->files.fs), file, identity);
	vk_files_say_held(&copy->files, file, path);
	if (vk_copy_file(copy, &from, place))
		vk_copy_make_descriptor(copy, file, path, place);
}
