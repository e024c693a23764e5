/* SPDX-License-Identifier: Apache-2.0 */
/* A file of a volume as a source: its runs, put one behind the other. */
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/memory.h"
#include "vmfskit/extract.h"

struct file_of_runs {
	struct vk_io *volume;
	struct vk_fs_runs runs;
	struct vk_fs_run run; /* the one that was met last; begins with no length */
	bool at_end;          /* no run comes behind it */
	uint64_t size_bytes;
};

static bool run_holds(const struct vk_fs_run *run, uint64_t offset)
{
	return offset >= run->file_offset && offset - run->file_offset < run->length_bytes;
}

/* The run that holds offset; one of kind missing where none does. */
static enum vk_status find_run(struct file_of_runs *f, uint64_t offset, struct vk_fs_run *ret_run,
			       struct vk_error *err)
{
	uint64_t passed = vk_add_sat(f->run.file_offset, f->run.length_bytes);

	if (!run_holds(&f->run, offset) && (passed != offset || f->at_end)) {
		enum vk_status status = f->runs.seek(f->runs.ctx, offset, err);

		if (status != VK_OK)
			return status;
		f->at_end = false;
		passed = offset;
	}
	/* runs that go back or have no length lead nowhere: what they should cover is missing */
	if (!run_holds(&f->run, offset)) {
		f->at_end = !f->runs.next(f->runs.ctx, &f->run);
		if (f->at_end)
			f->run = (struct vk_fs_run){.file_offset = passed};
	}
	*ret_run = f->run;
	if (run_holds(&f->run, offset))
		return VK_OK;
	*ret_run = (struct vk_fs_run){.kind = VK_RUN_MISSING, .file_offset = offset, .volume_offset = UINT64_MAX};
	ret_run->length_bytes = f->run.file_offset > offset && f->run.length_bytes > 0 ? f->run.file_offset - offset
										       : f->size_bytes - offset;
	return VK_OK;
}

/* What the run says of offset, and how far; *ret_volume_offset is where data lies. */
static struct vk_span span_of_run(struct file_of_runs *f, const struct vk_fs_run *run, uint64_t offset,
				  uint64_t *ret_volume_offset)
{
	uint64_t into = offset - run->file_offset;
	struct vk_span span = {VK_SPAN_ABSENT, run->length_bytes - into}, below;

	switch (run->kind) {
	case VK_RUN_HOLE:
	case VK_RUN_TBZ:
		span.state = VK_SPAN_ZERO;
		break;
	case VK_RUN_MISSING:
		if (run->lack != VK_LACK_ABSENT)
			span.state = VK_SPAN_UNREADABLE;
		break;
	case VK_RUN_DATA:
	case VK_RUN_RESIDENT:
		if (!vk_add_u64(run->volume_offset, into, ret_volume_offset))
			break;
		below = vk_io_span(f->volume, *ret_volume_offset);
		if (below.state == VK_SPAN_END)
			break;
		span.state = below.state;
		span.length_bytes = vk_min_u64(span.length_bytes, below.length_bytes);
		break;
	}
	return span;
}

static struct vk_span runs_span(void *self, uint64_t offset)
{
	struct file_of_runs *f = self;
	struct vk_fs_run run;
	uint64_t volume_offset;

	/* reading says why */
	if (find_run(f, offset, &run, NULL) != VK_OK)
		return (struct vk_span){VK_SPAN_DATA, 1};
	return span_of_run(f, &run, offset, &volume_offset);
}

static enum vk_status runs_read_at(void *self, uint64_t offset, void *buf, size_t len, size_t *ret_got,
				   struct vk_error *err)
{
	struct file_of_runs *f = self;
	size_t done = 0;

	while (done < len) {
		uint8_t *to = (uint8_t *)buf + done;
		uint64_t volume_offset;
		struct vk_fs_run run;
		struct vk_span span;
		size_t got;
		enum vk_status status = find_run(f, offset + done, &run, err);

		if (status != VK_OK)
			return status;
		span = span_of_run(f, &run, offset + done, &volume_offset);
		got = (size_t)vk_min_u64(span.length_bytes, len - done);
		if (span.state == VK_SPAN_ZERO) {
			memset(to, 0, got);
		} else if (span.state == VK_SPAN_DATA) {
			size_t want = got;

			status = vk_io_read(f->volume, volume_offset, to, want, &got, err);
			if (status != VK_OK)
				return status;
			if (got < want) {
				done += got;
				break;
			}
		} else {
			break;
		}
		done += got;
	}
	*ret_got = done;
	return VK_OK;
}

static size_t runs_splice(void *self, uint64_t offset, int pipe, size_t len)
{
	struct file_of_runs *f = self;
	uint64_t volume_offset;
	struct vk_fs_run run;
	struct vk_span span;

	if (find_run(f, offset, &run, NULL) != VK_OK)
		return 0;
	span = span_of_run(f, &run, offset, &volume_offset);
	if (span.state != VK_SPAN_DATA)
		return 0;
	return vk_io_splice(f->volume, volume_offset, pipe, (size_t)vk_min_u64(span.length_bytes, len));
}

static void runs_close(void *self)
{
	struct file_of_runs *f = self;

	if (f->runs.close != NULL)
		f->runs.close(f->runs.ctx);
	free(f);
}

struct vk_io *vk_io_runs(const char *name, uint64_t size_bytes, struct vk_io *volume, const struct vk_fs_runs *runs)
{
	static const struct vk_io_ops ops = {runs_read_at, runs_span, runs_close, runs_splice};
	struct file_of_runs *f = calloc(1, sizeof(*f));

	if (f == NULL) {
		if (runs->close != NULL)
			runs->close(runs->ctx);
		return NULL;
	}
	/* the first use finds that the place is none of its own, and seeks */
	*f = (struct file_of_runs){.volume = volume, .runs = *runs, .at_end = true, .size_bytes = size_bytes};
	return vk_io_new(&ops, f, name, size_bytes, vk_io_sector_size(volume));
}

/* The runs of an open file: a walk, begun anew where somebody goes back. */
struct walked {
	struct vk_fs *fs;
	const struct vk_fs_file *file;
	const struct vk_finding_sink *sink;
	struct vk_fs_walk *walk;
};

static enum vk_status walked_seek(void *ctx, uint64_t offset, struct vk_error *err)
{
	struct walked *w = ctx;

	vk_fs_walk_close(w->walk);
	w->walk = NULL;
	return vk_fs_walk_open(w->fs, w->file, offset, UINT64_MAX - offset, w->sink, &w->walk, err);
}

static bool walked_next(void *ctx, struct vk_fs_run *ret_run)
{
	struct walked *w = ctx;

	return w->walk != NULL && vk_fs_walk_next(w->walk, ret_run);
}

static void walked_close(void *ctx)
{
	struct walked *w = ctx;

	vk_fs_walk_close(w->walk);
	free(w);
}

enum vk_status vk_fs_file_io(struct vk_fs *fs, const struct vk_fs_file *file, const char *name,
			     const struct vk_finding_sink *sink, struct vk_io **ret_io, struct vk_error *err)
{
	struct walked *w = calloc(1, sizeof(*w));
	const struct vk_fs_runs runs = {walked_seek, walked_next, walked_close, w};

	if (w == NULL)
		return vk_no_memory(err, name);
	*w = (struct walked){.fs = fs, .file = file, .sink = sink};
	*ret_io = vk_io_runs(name, file->meta.fileLength, vk_fs_volume(fs), &runs);
	return *ret_io != NULL ? VK_OK : vk_no_memory(err, name);
}
