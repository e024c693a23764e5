/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The metadata of the volumes of a capture: bundles of ranges of the disk, with table and LVM region, so that each is a
 * source of its own. Heartbeats and journals are left out: they differ every night.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/memory.h"
#include "base/shown.h"
#include "io/range_set.h"
#include "store/capture/apart.h"
#include "store/capture/previous.h"
#include "store/capture/taking.h"
#include "store/plan/plan.h"
#include "vmfskit/bundle.h"
#include "vmfskit/fs_metadata.h"

enum {
	NAME_BYTES = sizeof(((struct vk_saved_metadata *)NULL)->file),
	PACKED = 16,           /* so much longer than the limit its bytes may be before they are packed */
	ROOM_BYTES = 128 << 20 /* and these: the header of a volume is mostly zeros */
};
static const unsigned kinds_of[] = {
	[VK_METADATA_SAVED_ALL] =
		VK_METADATA_ALL & ~(1U << VK_METADATA_HEARTBEATS) & ~(1U << VK_METADATA_JOURNALS),
	[VK_METADATA_SAVED_LEADS] = 1U << VK_METADATA_HEADER | 1U << VK_METADATA_RESOURCES |
				    1U << VK_METADATA_DESCRIPTORS | 1U << VK_METADATA_POINTERS |
				    1U << VK_METADATA_FOLDERS | 1U << VK_METADATA_LINKS,
};

/* What is handed to the process that reads it, and back. */
struct metadata_job {
	const struct vk_source *source;
	const struct vk_capture *capture;  /* its regions are known */
	const struct vk_saver *saver;      /* and what of them could not be read */
	const struct vk_fs_extent *extent;
	unsigned partition;
	uint64_t limit;
	int fd;
	bool over;                         /* the limit was reached */
	uint64_t told_bytes;               /* that could not be read, and are those of regions, too: told of these */
	struct vk_saved_metadata made;
	enum vk_status status;
	struct vk_error why;
};

static enum vk_status put_packed(void *ctx, const void *bytes, size_t len, struct vk_error *err)
{
	struct metadata_job *job = ctx;

	job->over = job->made.length_bytes + len > job->limit;
	if (job->over)
		return vk_error_set(err, VK_UNSUPPORTED, NULL, "it would be longer than %s",
				    vk_shown_size_short(job->limit).text);
	job->made.length_bytes += len;
	return vk_scratch_put(job->fd, bytes, len, err);
}

/* Ranges of the disk, in any order. */
struct places {
	struct vk_range *items;
	size_t count;
};

static bool add_place(struct places *to, uint64_t offset, uint64_t length)
{
	return vk_append(&to->items, &to->count, &(struct vk_range){offset, length}, sizeof(*to->items)) != NULL;
}

/* Table and LVM region: with them the bundle is a disk. */
static bool add_regions(const struct metadata_job *job, struct places *to)
{
	for (size_t i = 0; i < job->capture->region_count; i++) {
		const struct vk_region *r = &job->capture->regions[i];

		if ((r->part == VK_PART_TABLE || (r->part == VK_PART_LVM && r->partition == job->partition)) &&
		    !add_place(to, r->offset_bytes, r->length_bytes))
			return false;
	}
	return true;
}

/* Where ranges of the volume lie on the disk; those on another extent are not there. */
static bool add_metadata(const struct vk_fs *fs, const struct vk_fs_metadata *m, struct places *to)
{
	uint64_t place, n;
	size_t extent;

	for (size_t i = 0; i < m->count; i++)
		for (uint64_t at = m->ranges[i].volume_offset, left = m->ranges[i].length_bytes; left > 0;
		     at += n, left -= n) {
			const bool here = vk_fs_place(fs, at, &extent, &place, &n);

			n = vk_min_u64(n, left);
			if (here && !add_place(to, place, n))
				return false;
		}
	return true;
}

/* How much of it could not be read when the regions were saved. */
static bool count_told(struct metadata_job *job, const struct vk_range_set *set)
{
	struct vk_range_set missing = {0};
	uint64_t told = 0, n;
	bool good = true;

	for (size_t i = 0; i < job->saver->missing_count && good; i++)
		good = job->saver->missing[i].is_absent ||
		       vk_range_set_add(&missing, job->saver->missing[i].range.offset_bytes,
					job->saver->missing[i].range.length_bytes);
	for (size_t i = 0; i < missing.count && good; i++)
		for (uint64_t at = missing.ranges[i].offset_bytes, left = missing.ranges[i].length_bytes; left > 0;
		     at += n, left -= n) {
			n = left;
			told += vk_range_set_holds(set, at, &n) ? n : 0;
		}
	vk_range_set_free(&missing);
	job->told_bytes = told;
	return good;
}

static enum vk_status pack(struct metadata_job *job, const struct vk_range_set *set)
{
	const struct vk_bundle_options options = {
		.name = job->made.file, .source_bytes = vk_io_size_bytes(job->source->io),
		.sector_size = vk_io_sector_size(job->source->io), .put = put_packed, .ctx = job};
	struct vk_bundle_writer *writer = NULL;
	enum vk_status status = vk_bundle_begin(&options, &writer, &job->why);

	for (size_t i = 0; i < set->count && status == VK_OK; i++)
		status = vk_bundle_copy(writer, job->source->io, set->ranges[i].offset_bytes,
					set->ranges[i].length_bytes, NULL, NULL, &job->why);
	if (status == VK_OK)
		status = vk_bundle_end(writer, vk_phrase("{\"partition\":%u}", job->partition).text, NULL, &job->why);
	if (status == VK_OK) {
		job->made.held_bytes =
			vk_bundle_added(writer, VK_BUNDLE_DATA) + vk_bundle_added(writer, VK_BUNDLE_ZEROS);
		job->made.unreadable_bytes = vk_bundle_added(writer, VK_BUNDLE_UNREADABLE);
	}
	vk_bundle_free(writer);
	return status;
}

static enum vk_status save_scope(struct metadata_job *job, struct vk_fs *fs, enum vk_metadata_scope scope)
{
	struct vk_fs_metadata m = {.count = 0};
	struct vk_range_set set = {0};
	struct places places = {0};
	enum vk_status status = vk_fs_metadata_find(fs, kinds_of[scope], ROOM_BYTES + job->limit * PACKED, NULL, &m,
						    &job->why);

	job->over = status == VK_OK && m.unfinished;
	job->made.scope = scope;
	job->made.faults = m.unknown;
	job->made.length_bytes = 0;
	if (status == VK_OK && job->over)
		status = vk_error_set(&job->why, VK_UNSUPPORTED, NULL, "there is too much of it");
	if (status == VK_OK && (!add_regions(job, &places) || !add_metadata(fs, &m, &places) ||
				!vk_range_set_add_all(&set, places.items, places.count)))
		status = vk_no_memory(&job->why, job->made.file);
	free(places.items);
	vk_fs_metadata_free(&m);
	if (status == VK_OK && !vk_scratch_restart(job->fd))
		status = vk_error_set(&job->why, VK_IO, job->made.file, "cannot be made anew");
	if (status == VK_OK)
		status = count_told(job, &set) ? pack(job, &set) : vk_no_memory(&job->why, job->made.file);
	vk_range_set_free(&set);
	return status;
}

static void save(void *ctx)
{
	struct metadata_job *job = ctx;
	struct vk_fs *fs = NULL;

	job->status = vk_fs_open(job->extent, 1, NULL, &fs, &job->why);
	if (job->status != VK_OK)
		return;
	job->status = save_scope(job, fs, VK_METADATA_SAVED_ALL);
	if (job->status != VK_OK && job->over) {
		vk_fs_forget(fs);
		job->status = save_scope(job, fs, VK_METADATA_SAVED_LEADS);
	}
	vk_fs_close(fs);
}

static void report(const struct metadata_job *job, uint64_t base, const struct vk_finding_sink *sink)
{
	if (job->made.scope != VK_METADATA_SAVED_ALL)
		vk_finding_say(sink, VK_F_CAPTURE_FILES_LIMIT, base, 0, NULL, NULL,
			       "partition %u: its metadata would be longer than %s: bitmaps of blocks and small files "
			       "are left out", job->partition, vk_shown_size_short(job->limit).text);
	if (job->made.unreadable_bytes > job->told_bytes)
		vk_finding_say(sink, VK_F_CAPTURE_FILES_UNREAD, base, 0, NULL, NULL,
			       "partition %u: %llu bytes of its metadata could not be read", job->partition,
			       (unsigned long long)(job->made.unreadable_bytes - job->told_bytes));
}

/* Into the capture, and into its manifest. */
static enum vk_status keep(struct vk_taking *taking, const struct metadata_job *job, struct vk_error *err)
{
	struct vk_capture *c = &taking->manifest.capture;
	struct vk_saved_metadata *m = vk_append(&c->metadata, &c->metadata_count, &job->made, sizeof(*m));

	if (m == NULL)
		return vk_no_memory(err, NULL);
	return vk_taking_put(taking, c->region_count + c->map_count + c->metadata_count,
			     &(struct vk_taking_bytes){.fd = job->fd, .ret_sha256 = m->sha256}, err);
}

/* Of a volume whose map says already that it cannot be read it is not said twice. */
static enum vk_status take_one(struct vk_taking *taking, struct metadata_job *job,
			       const struct vk_capture_options *options, const struct vk_finding_sink *sink,
			       struct vk_error *err)
{
	const uint64_t base = job->extent->source_bytes;
	struct vk_error why = {.status = VK_OK};
	enum vk_status status = taking->hung ? VK_IO : vk_folder_scratch(&taking->folder, &job->fd, &why);

	if (status == VK_OK) {
		status = vk_apart(options->watch, save, job, &why);
		taking->hung = status != VK_OK;
	}
	if (status == VK_OK && job->status != VK_OK) {
		why = job->why;
		status = job->status;
	}
	if (status == VK_OK && !vk_taking_has_room(taking, job->made.file, "metadata", job->made.length_bytes, &why))
		status = VK_IO;
	if (status == VK_NOMEM) {
		*err = why;
		return status;
	}
	if (status == VK_OK) {
		report(job, base, sink);
		return keep(taking, job, err);
	}
	if (job->over)
		vk_finding_say(sink, VK_F_CAPTURE_FILES_LIMIT, base, 0, NULL, NULL,
			       "partition %u: its metadata is not saved: %.100s", job->partition, why.what);
	else if (vk_capture_has_map(&taking->manifest.capture, job->partition))
		vk_taking_report_lost(job->partition, base, "metadata is", &why, sink);
	return VK_OK;
}

static enum vk_status take_metadata(struct vk_taking *taking, const struct vk_source *source,
				    const struct vk_vmfs *vmfs, const struct vk_capture_options *options,
				    const struct vk_finding_sink *sink, struct vk_error *err)
{
	const uint64_t base = vk_plan_base(source, vmfs);
	const struct vk_fs_extent extent = {.io = vk_io_window(source->io, base, UINT64_MAX), .vmfs = vmfs,
					    .source_bytes = base};
	struct metadata_job *job = mmap(NULL, sizeof(*job), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	enum vk_status status = VK_NOMEM;

	if (extent.io == NULL || job == MAP_FAILED) {
		(void)vk_no_memory(err, source->path);
	} else {
		*job = (struct metadata_job){.source = source, .capture = &taking->manifest.capture,
					     .saver = &taking->saver, .extent = &extent, .partition = vmfs->partition,
					     .limit = options->files_limit_bytes, .fd = -1};
		job->made.partition = vmfs->partition;
		snprintf(job->made.file, NAME_BYTES, "p%u-metadata.bundle", vmfs->partition);
		status = take_one(taking, job, options, sink, err);
		if (job->fd >= 0)
			close(job->fd);
	}
	if (job != MAP_FAILED)
		munmap(job, sizeof(*job));
	vk_io_close(extent.io);
	return status;
}

enum vk_status vk_taking_metadata(struct vk_taking *taking, const struct vk_source *source,
				  const struct vk_capture_options *options, const struct vk_finding_sink *sink,
				  struct vk_error *err)
{
	const struct vk_capture *c = &taking->manifest.capture;
	struct vk_vmfs spare;
	size_t count;
	const struct vk_vmfs *vmfs = vk_plan_partitions(source, &spare, &count);
	enum vk_status status = VK_OK;

	for (size_t i = 0; i < count && status == VK_OK && options->files_limit_bytes > 0; i++)
		if (vmfs[i].fs_expected &&
		    c->region_count + 1 + c->map_count + c->metadata_count < taking->written_count)
			status = take_metadata(taking, source, &vmfs[i], options, sink, err);
	return status;
}
