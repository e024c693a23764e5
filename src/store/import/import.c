/* SPDX-License-Identifier: Apache-2.0 */
/* Sources sorted into disks, and each disk made a capture. */
#include "base/memory.h"
#include "vmfskit/import.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "io/io_handle.h"
#include "store/import/import_parts.h"

/* One disk: of a collector, or made of dumps. */
struct job {
	char *path;                /* as the capture names it */
	struct vk_container *from; /* NULL: dumps */
	size_t index;              /* in from */
	struct vk_dump **dumps;
	size_t dump_count;
};

struct vk_import {
	struct vk_import_options options;
	struct vk_container *containers; /* there is room for each path: jobs point to them */
	size_t container_count;
	struct vk_dump **dumps;
	size_t dump_count;
	struct job *jobs;
	size_t job_count;
};

static struct job *add_job(struct vk_import *import, const char *path)
{
	struct job job = {.path = strdup(path)};
	struct job *added = job.path != NULL ? vk_append(&import->jobs, &import->job_count, &job, sizeof(job)) : NULL;

	if (added == NULL)
		free(job.path);
	return added;
}

static enum vk_status add_container(struct vk_import *import, const char *path, struct vk_io *io,
				    uint64_t modified, struct vk_error *err)
{
	struct vk_container *container = &import->containers[import->container_count];
	const char *wanted = import->options.disk;
	enum vk_status status = vk_container_open(path, io, modified, container, err);

	if (status != VK_OK)
		return status;
	import->container_count++;
	for (size_t i = 0; i < container->index.disk_count; i++) {
		const struct vk_index_disk *disk = &container->index.disks[i];
		struct job *job;

		if (wanted != NULL && strcmp(wanted, disk->name) != 0 && strcmp(wanted, disk->path) != 0)
			continue;
		job = add_job(import, disk->path[0] != '\0' ? disk->path : disk->name);
		if (job == NULL)
			return vk_no_memory(err, path);
		job->from = container;
		job->index = i;
	}
	return VK_OK;
}

/* The job that a dump belongs to: that of --disk, that of the disk in its name, or one of its own. */
static struct job *job_of(struct vk_import *import, const struct vk_dump *dump)
{
	const char *wanted = import->options.disk;
	const char *name = wanted != NULL ? wanted : dump->disk;
	char *real, *placed = NULL;
	struct job *job;

	for (size_t i = 0; name[0] != '\0' && i < import->job_count; i++)
		if (import->jobs[i].from == NULL && strcmp(import->jobs[i].path, name) == 0)
			return &import->jobs[i];
	if (name[0] != '\0')
		return add_job(import, name);
	real = strcmp(dump->path, "-") != 0 ? realpath(dump->path, NULL) : NULL;
	/* several disks may lie in one file: by their paths alone they would count as one */
	if (import->options.view.at_bytes != 0 &&
	    asprintf(&placed, "%s:%llu", real != NULL ? real : dump->path,
		     (unsigned long long)import->options.view.at_bytes) < 0)
		placed = NULL;
	job = add_job(import, placed != NULL ? placed : real != NULL ? real : dump->path);
	free(placed);
	free(real);
	return job;
}

static const uint64_t *place_of(const struct vk_import *import)
{
	const struct vk_import_options *o = &import->options;

	return import->dump_count < o->place_count ? &o->places[import->dump_count] : NULL;
}

/* Owned also when this fails. */
static enum vk_status keep_dump(struct vk_import *import, struct vk_dump *dump, struct vk_error *err)
{
	struct job *job;

	if (vk_append(&import->dumps, &import->dump_count, &dump, sizeof(struct vk_dump *)) == NULL) {
		vk_dump_close(dump);
		free(dump);
		return vk_no_memory(err, NULL);
	}
	job = job_of(import, dump);
	return job != NULL && vk_append(&job->dumps, &job->dump_count, &dump, sizeof(struct vk_dump *)) != NULL
		       ? VK_OK
		       : vk_no_memory(err, dump->path);
}

/* A dump, or all disks of a text with listings of several. */
static enum vk_status add_dump(struct vk_import *import, const char *path, const char *part, struct vk_io *io,
			       uint64_t modified, struct vk_error *err)
{
	const struct vk_import_options *o = &import->options;
	struct vk_dump *dump = calloc(1, sizeof(*dump));
	enum vk_status status;

	if (dump == NULL) {
		vk_io_close(io);
		return vk_no_memory(err, path);
	}
	status = vk_dump_open(path, part, io, modified, o, place_of(import), dump, err);
	if (status != VK_OK) {
		free(dump);
		return status;
	}
	status = keep_dump(import, dump, err);
	while (status == VK_OK && vk_io_has_next(dump->io)) {
		struct vk_dump *next = calloc(1, sizeof(*next));

		if (next == NULL)
			return vk_no_memory(err, path);
		status = vk_dump_next(dump, o, place_of(import), next, err);
		if (status == VK_OK)
			status = keep_dump(import, next, err);
		else
			free(next);
		dump = next;
	}
	return status;
}

/* What a collector wrote says itself where its bytes belong. */
static enum vk_status check_view(const struct vk_import *import, const char *path, struct vk_error *err)
{
	const struct vk_io_view *view = &import->options.view;

	if (view->at_bytes == 0 && view->stride_bytes == 0 && view->mapfile == NULL)
		return VK_OK;
	return vk_error_set(err, VK_USAGE, path,
			    "--at, --stride and --mapfile are of dumps, and this is what a collector wrote");
}

/* pieces: further ones of a split dump. */
static enum vk_status open_source(struct vk_import *import, const char *path, const char *const *pieces,
				  size_t piece_count, struct vk_error *err)
{
	const struct vk_open_options options = {.view = {.pieces = pieces, .piece_count = piece_count}};
	struct stat st;
	uint64_t modified = 0;
	const char *part = NULL;
	char *file = NULL;
	struct vk_io *io;
	enum vk_status status;

	if (!vk_io_split_name(path, &file, &part))
		return vk_no_memory(err, path);
	if (strcmp(path, "-") != 0 && stat(part != NULL ? file : path, &st) == 0) {
		if (S_ISDIR(st.st_mode)) {
			free(file);
			status = check_view(import, path, err);
			return status == VK_OK ? add_container(import, path, NULL, 0, err) : status;
		}
		modified = vk_import_modified(part != NULL ? file : path);
	}
	status = vk_io_open_raw(part != NULL ? file : path, &options, &io, err);
	free(file);
	if (status != VK_OK)
		return status;
	if (vk_io_is_device(io) || vk_io_join(io) != NULL || !vk_tar_recognise(io))
		return add_dump(import, path, part, io, modified, err);
	status = check_view(import, path, err);
	if (status == VK_OK)
		return add_container(import, path, io, modified, err);
	vk_io_close(io);
	return status;
}

enum vk_status vk_import_open(const char *const *paths, size_t count,
			      const struct vk_import_options *options,
			      struct vk_import **ret_import, struct vk_error *err)
{
	struct vk_import *import = calloc(1, sizeof(*import));
	enum vk_status status = VK_OK;
	size_t files;

	if (import == NULL)
		return vk_no_memory(err, NULL);
	import->options = *options;
	import->containers = calloc(count + 1, sizeof(*import->containers));
	if (import->containers == NULL)
		status = vk_no_memory(err, NULL);
	for (size_t i = 0; i < count && status == VK_OK; i += files) {
		files = vk_io_split_count(paths + i, count - i);
		status = open_source(import, paths[i], paths + i + 1, files - 1, err);
	}
	if (status == VK_OK && import->job_count == 0 && options->disk != NULL) {
		status = vk_error_set(err, VK_ABSENT, NULL, "the imported files contain no disk named %s",
				      options->disk);
	} else if (status == VK_OK && import->job_count == 0) {
		status = vk_error_set(err, VK_ABSENT, NULL, "the imported files contain no disk");
	} else if (status == VK_OK && options->disk_size_bytes != 0 && import->job_count > 1) {
		vk_error_set(err, VK_USAGE, NULL, "one size is given for %zu disks", import->job_count);
		status = vk_error_remedy(err, "import them one by one, with --disk where they come together");
	} else if (status == VK_OK && options->place_count > import->dump_count) {
		vk_error_set(err, VK_USAGE, NULL, "%zu places are given for %zu dumps", options->place_count,
			     import->dump_count);
		status = vk_error_remedy(err, "files whose names count on (.001, .002) are the pieces of one dump; "
					      "give them other names if they are not");
	}
	if (status == VK_OK)
		*ret_import = import;
	else
		vk_import_close(import);
	return status;
}

void vk_import_close(struct vk_import *import)
{
	if (import == NULL)
		return;
	for (size_t i = 0; i < import->job_count; i++) {
		free(import->jobs[i].path);
		free(import->jobs[i].dumps);
	}
	for (size_t i = 0; i < import->container_count; i++)
		vk_container_close(&import->containers[i]);
	for (size_t i = 0; i < import->dump_count; i++) {
		vk_dump_close(import->dumps[i]);
		free(import->dumps[i]);
	}
	free(import->jobs);
	free(import->containers);
	free(import->dumps);
	free(import);
}

size_t vk_import_count(const struct vk_import *import)
{
	return import->job_count;
}

const char *vk_import_disk(const struct vk_import *import, size_t index)
{
	return import->jobs[index].path;
}

/* What the capture is made of, while it is made. */
struct making {
	struct vk_parts parts;
	enum vk_source_kind kind;
	uint32_t sector_size;
	uint64_t size_bytes;
	struct vk_capture_origin origin;
};

static enum vk_status gather(const struct vk_import *import, const struct job *job,
			     struct making *making, struct vk_error *err)
{
	const struct vk_import_options *o = &import->options;
	const struct vk_index_disk *disk;

	making->sector_size = o->sector_size;
	making->size_bytes = o->disk_size_bytes;
	making->origin.host = o->host != NULL ? o->host : "";
	if (job->from == NULL) {
		/* of several dumps the oldest: what is in the capture is at least that old */
		uint64_t *oldest = &making->origin.unix_seconds;

		for (size_t i = 0; i < job->dump_count; i++)
			if (*oldest == 0 || (job->dumps[i]->modified != 0 && job->dumps[i]->modified < *oldest))
				*oldest = job->dumps[i]->modified;
		if (*oldest == 0)
			*oldest = (uint64_t)time(NULL);
		return vk_dumps_place(job->dumps, job->dump_count, o->sector_size, &making->parts,
				      &making->kind, err);
	}
	disk = &job->from->index.disks[job->index];
	making->kind = VK_SOURCE_DISK;
	making->origin.unix_seconds = job->from->index.unix_seconds;
	if (o->host == NULL)
		making->origin.host = job->from->index.host;
	/* so ESXi calls a LUN by its WWID, in the words of Linux */
	if (strncmp(disk->name, "naa.", 4) == 0 || strncmp(disk->name, "eui.", 4) == 0)
		making->origin.wwid = disk->name;
	if (making->sector_size == 0)
		making->sector_size = disk->sector_size;
	if (making->size_bytes == 0)
		making->size_bytes = disk->size_bytes;
	return vk_container_parts(job->from, disk, &making->parts, err);
}

static enum vk_status settle_size(const struct job *job, struct making *making, struct vk_error *err)
{
	bool given = making->size_bytes != 0;
	bool certain = given;
	uint64_t end = vk_parts_end(&making->parts);

	if (end == 0) {
		vk_error_set(err, VK_ABSENT, job->path, "nothing of this disk was collected");
		return vk_error_remedy(err, "read what the collector said about it, and collect again");
	}
	if (given && end > making->size_bytes) {
		vk_error_set(err, VK_DAMAGED, job->path,
			     "the imported files reach to byte %llu, but the disk is %llu bytes long",
			     (unsigned long long)end, (unsigned long long)making->size_bytes);
		return vk_error_remedy(err, "compare --disk-size and --place with the disk");
	}
	if (!given) {
		enum vk_status status = vk_parts_size(&making->parts, job->path, making->kind,
						      making->sector_size, &making->size_bytes, &certain, err);

		if (status != VK_OK)
			return status;
	}
	making->origin.size_uncertain = !certain;
	return VK_OK;
}

/* That there may be more of the disk, or more disks, than was collected. */
static void report_collector(const struct vk_container *from, const struct vk_index_disk *disk,
			     const struct vk_finding_sink *sink)
{
	struct vk_finding finding;
	bool told = false;

	if (!from->index.complete) {
		vk_finding_init(&finding, VK_F_CAPTURE_NOT_HELD, 0, 0,
				"the collector was stopped before it was done; further disks may be missing");
		vk_finding_put(sink, &finding);
	}
	/* where sectors could not be read, their ranges say it already */
	for (size_t i = 0; i < disk->piece_count; i++)
		told |= disk->pieces[i].file[0] == '\0';
	if (!disk->broken && (!disk->incomplete || told))
		return;
	vk_finding_init(&finding, VK_F_CAPTURE_NOT_HELD, 0, 0,
			"the collector says that it did not get all of this disk%s: further parts may be missing",
			disk->broken ? ", because a program that it needs failed on the host" : "");
	vk_finding_put(sink, &finding);
}

enum vk_status vk_import_take(struct vk_import *import, size_t index,
			      const struct vk_capture_options *options,
			      const struct vk_finding_sink *sink, char ret_id[VK_CAPTURE_ID_BYTES],
			      struct vk_error *err)
{
	struct making making = {.kind = VK_SOURCE_DISK};
	struct vk_capture_options taking = *options;
	const struct job *job;
	struct vk_source source;
	enum vk_status status;

	if (index >= import->job_count)
		return vk_error_set(err, VK_USAGE, NULL, "the imported files contain no disk %zu", index);
	job = &import->jobs[index];
	status = gather(import, job, &making, err);
	if (status == VK_OK)
		status = settle_size(job, &making, err);
	if (status == VK_OK)
		status = vk_parts_open(&making.parts, job->path, making.kind, making.sector_size, making.size_bytes,
				       &source, err);
	if (status == VK_OK) {
		making.origin.files = making.parts.files;
		making.origin.file_count = making.parts.file_count;
		taking.origin = &making.origin;
		taking.sector_size = making.sector_size;
		for (size_t i = 0; i < job->dump_count; i++)
			vk_dump_say(job->dumps[i], sink);
		if (job->from != NULL)
			report_collector(job->from, &job->from->index.disks[job->index], sink);
		status = vk_capture_take(&source, &taking, sink, ret_id, err);
		vk_source_close(&source);
	}
	vk_parts_free(&making.parts);
	return status;
}
