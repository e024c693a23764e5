/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files of a capture as a source: each region at its place, nothing between them. One file is
 * open at a time, so that a capture of many regions does not need as many descriptors.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/checked.h"
#include "io/holes.h"
#include "io/range_set.h"
#include "store/folder/folder.h"
#include "store/capture/region_io.h"

struct region_io {
	int folder_fd;
	int fd; /* of regions[current], -1 when none is open */
	size_t current;
	uint64_t file_bytes;
	uint64_t file_start; /* of regions[current] in fd */
	const struct vk_held_region *held; /* where each region lies in fd, which has all; NULL: each has its file */
	struct vk_region *regions; /* sorted; offsets are those of this source */
	size_t region_count;
	struct vk_range_set unreadable; /* in the same coordinates: what could not be read when the capture was taken */
	uint64_t size_bytes;
};

static void close_files(void *self)
{
	struct region_io *io = self;

	if (io->fd >= 0)
		close(io->fd);
	if (io->folder_fd >= 0)
		close(io->folder_fd);
	free((void *)(uintptr_t)io->held);
	free(io->regions);
	vk_range_set_free(&io->unreadable);
	free(io);
}

static uint64_t end_of_region(const void *region)
{
	const struct vk_region *r = region;

	return r->offset_bytes + r->length_bytes;
}

/* The first region that ends behind offset; region_count when there is none. */
static size_t find_region(const struct region_io *io, uint64_t offset)
{
	return vk_first_not_below(io->regions, io->region_count, sizeof(*io->regions), vk_add_sat(offset, 1),
				  end_of_region);
}

static enum vk_status select_region(struct region_io *io, size_t index, struct vk_error *err)
{
	enum vk_status status = VK_OK;

	if (io->held != NULL) {
		io->file_start = io->held[index].start;
		io->file_bytes = io->held[index].length;
	} else if (io->fd < 0 || io->current != index) {
		if (io->fd >= 0)
			close(io->fd);
		io->fd = -1;
		status = vk_folder_open_file(io->folder_fd, io->regions[index].file, &io->fd, &io->file_bytes, err);
	}
	io->current = index;
	return status;
}

static struct vk_span span(void *self, uint64_t offset)
{
	struct region_io *io = self;
	size_t index = find_region(io, offset);
	const struct vk_region *r = &io->regions[index];
	struct vk_span here = {VK_SPAN_ABSENT, 0};
	uint64_t pos;

	if (offset >= io->size_bytes)
		return (struct vk_span){VK_SPAN_END, 0};
	if (index == io->region_count || offset < r->offset_bytes) {
		here.length_bytes = (index == io->region_count ? io->size_bytes : r->offset_bytes) - offset;
		return here;
	}
	pos = offset - r->offset_bytes;
	here.length_bytes = r->length_bytes - pos;
	if (vk_range_set_holds(&io->unreadable, offset, &here.length_bytes)) {
		here.state = VK_SPAN_UNREADABLE;
	} else if (select_region(io, index, NULL) == VK_OK && pos < io->file_bytes) {
		const struct vk_span in_file = vk_hole_span(io->fd, io->file_start + pos);

		here.state = in_file.state;
		here.length_bytes = vk_min_u64(vk_min_u64(here.length_bytes, io->file_bytes - pos),
					       in_file.length_bytes);
	}
	return here;
}

static enum vk_status read_at(void *self, uint64_t offset, void *buf, size_t len, size_t *ret_got,
			      struct vk_error *err)
{
	struct region_io *io = self;
	uint8_t *out = buf;
	size_t got = 0;

	while (got < len) {
		struct vk_span here = span(io, offset + got);
		size_t n = (size_t)vk_min_u64(here.length_bytes, len - got);

		if (here.state == VK_SPAN_ZERO) {
			memset(out + got, 0, n);
		} else if (here.state == VK_SPAN_DATA) {
			const struct vk_region *r = &io->regions[io->current];

			if (!vk_pread_all(io->fd, out + got, n, io->file_start + offset + got - r->offset_bytes))
				return vk_error_errno(err, errno, r->file,
						      "cannot read a file of the capture");
		} else {
			break;
		}
		got += n;
	}
	*ret_got = got;
	return VK_OK;
}

static const struct vk_io_ops region_ops = {.read_at = read_at, .span = span, .close = close_files};

/*
 * count regions from the first-th on, moved down by from. io (NULL: memory ran out) is filled so far as it says where
 * the bytes are; it is taken over.
 */
static enum vk_status fill_regions(struct region_io *io, const struct vk_capture *capture, size_t first, size_t count,
				   uint64_t from, uint64_t size, const char *name, struct vk_io **ret_io,
				   struct vk_error *err)
{
	struct vk_range *inside = calloc(capture->unreadable_count + 1, sizeof(*inside));
	size_t inside_count = 0;
	bool sound;

	if (io == NULL || inside == NULL) {
		if (io != NULL)
			close_files(io);
		free(inside);
		return vk_no_memory(err, name);
	}
	io->size_bytes = size;
	io->region_count = count;
	io->regions = calloc(count + 1, sizeof(*io->regions));
	for (size_t i = 0; i < capture->unreadable_count; i++) {
		const struct vk_range *r = &capture->unreadable[i];
		const uint64_t start = vk_max_u64(r->offset_bytes, from);
		const uint64_t end = vk_min_u64(vk_add_sat(r->offset_bytes, r->length_bytes), from + size);

		if (start < end)
			inside[inside_count++] = (struct vk_range){start - from, end - start};
	}
	sound = io->regions != NULL && vk_range_set_add_all(&io->unreadable, inside, inside_count);
	free(inside);
	if (!sound) {
		close_files(io);
		return vk_no_memory(err, name);
	}
	for (size_t i = 0; i < count; i++) {
		io->regions[i] = capture->regions[first + i];
		io->regions[i].offset_bytes -= from;
	}
	*ret_io = vk_io_new(&region_ops, io, name, size, capture->sector_size);
	return *ret_io != NULL ? VK_OK : vk_no_memory(err, name);
}

static enum vk_status open_regions(const struct vk_capture *capture, size_t first, size_t count,
				   uint64_t from, uint64_t size, const char *name,
				   struct vk_io **ret_io, struct vk_error *err)
{
	struct vk_io *memory = capture->memory != NULL ? capture->memory : capture->held;
	struct region_io *io;

	/* of a capture that has no files, or whose regions are kept */
	if (memory != NULL) {
		*ret_io = vk_io_window(memory, from, size);
		if (*ret_io == NULL)
			return vk_no_memory(err, name);
		vk_io_set_sector_size(*ret_io, capture->sector_size);
		return VK_OK;
	}
	io = calloc(1, sizeof(*io));
	if (io != NULL) {
		io->fd = -1;
		io->folder_fd = open(capture->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	}
	if (io != NULL && io->folder_fd < 0) {
		vk_folder_closed(err, errno, capture->path, "cannot open the capture's folder");
		close_files(io);
		return VK_IO;
	}
	return fill_regions(io, capture, first, count, from, size, name, ret_io, err);
}

enum vk_status vk_region_io_held(const struct vk_capture *capture, int fd, struct vk_held_region *held,
				 struct vk_io **ret_io, struct vk_error *err)
{
	struct region_io *io = calloc(1, sizeof(*io));

	if (io != NULL) {
		*io = (struct region_io){.fd = fd, .folder_fd = -1, .held = held};
	} else {
		close(fd);
		free(held);
	}
	return fill_regions(io, capture, 0, capture->region_count, 0, capture->size_bytes, capture->path, ret_io, err);
}

enum vk_status vk_capture_region(const struct vk_capture *capture, size_t region,
				 struct vk_io **ret_io, struct vk_error *err)
{
	const struct vk_region *r;

	if (region >= capture->region_count)
		return vk_error_set(err, VK_USAGE, capture->path, "the capture has no region %zu", region);
	r = &capture->regions[region];
	return open_regions(capture, region, 1, r->offset_bytes, r->length_bytes, r->file, ret_io, err);
}

enum vk_status vk_capture_io(const struct vk_capture *capture, struct vk_io **ret_io,
			     struct vk_error *err)
{
	return open_regions(capture, 0, capture->region_count, 0, capture->size_bytes,
			    capture->path, ret_io, err);
}
