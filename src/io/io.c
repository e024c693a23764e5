/* SPDX-License-Identifier: Apache-2.0 */
/* The handle: reading, what lies where, what could not be read. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/checked.h"
#include "base/shown.h"
#include "io/io_handle.h"

static uint32_t sound_sector_size(uint32_t sector_size)
{
	return sector_size == 4096 ? 4096 : 512;
}

struct vk_io *vk_io_new(const struct vk_io_ops *ops, void *self, const char *name,
			uint64_t size_bytes, uint32_t sector_size)
{
	struct vk_io *io = calloc(1, sizeof(*io));
	char *copy = strdup(name);

	if (io == NULL || copy == NULL) {
		free(io);
		free(copy);
		if (ops->close != NULL)
			ops->close(self);
		return NULL;
	}
	io->ops = ops;
	io->self = self;
	io->name = copy;
	io->fd = -1;
	io->size_bytes = size_bytes;
	io->sector_size = sound_sector_size(sector_size);
	return io;
}

void vk_io_close(struct vk_io *io)
{
	if (io == NULL)
		return;
	if (io->ops->close != NULL)
		io->ops->close(io->self);
	vk_io_close(io->owned);
	vk_range_set_free(&io->bad);
	free(io->join);
	vk_findings_free(&io->notes);
	vk_io_close(io->next);
	free(io->name);
	free(io);
}

void vk_io_own(struct vk_io *io, struct vk_io *base)
{
	io->owned = base;
}

struct vk_span vk_io_span(struct vk_io *io, uint64_t offset)
{
	struct vk_span span = {VK_SPAN_DATA, UINT64_MAX};

	if (offset >= io->size_bytes)
		return (struct vk_span){VK_SPAN_END, 0};
	if (io->ops->span != NULL)
		span = io->ops->span(io->self, offset);
	if (span.state == VK_SPAN_END)
		return (struct vk_span){VK_SPAN_ABSENT, io->size_bytes - offset};
	span.length_bytes = vk_min_u64(span.length_bytes, io->size_bytes - offset);
	span.length_bytes = vk_max_u64(span.length_bytes, 1);
	return span;
}

/* A read stopped at offset: keep the range when the device is to blame. */
static enum vk_status note_stop(struct vk_io *io, uint64_t offset, struct vk_error *err)
{
	uint64_t start = offset - offset % io->sector_size;
	struct vk_span span = vk_io_span(io, start);

	/* whole sectors where they fail as a whole */
	if (span.state == VK_SPAN_UNREADABLE && span.length_bytes > offset - start)
		offset = start;
	else
		span = vk_io_span(io, offset);
	if (span.state != VK_SPAN_UNREADABLE ||
	    vk_range_set_add(&io->bad, offset, span.length_bytes))
		return VK_OK;
	return vk_no_memory(err, io->name);
}

enum vk_status vk_io_read(struct vk_io *io, uint64_t offset, void *buf, size_t len,
			  size_t *ret_got, struct vk_error *err)
{
	size_t got = 0;
	enum vk_status status;

	*ret_got = 0;
	if (offset >= io->size_bytes || len == 0)
		return VK_OK;
	len = (size_t)vk_min_u64(len, io->size_bytes - offset);
	status = io->ops->read_at(io->self, offset, buf, len, &got, err);
	if (status != VK_OK)
		return status;
	if (got > len)
		return vk_error_set(err, VK_INTERNAL, io->name,
				    "a source delivered more bytes than requested");
	*ret_got = got;
	return got < len ? note_stop(io, offset + got, err) : VK_OK;
}

size_t vk_io_splice(struct vk_io *io, uint64_t offset, int pipe, size_t len)
{
	if (io->ops->splice == NULL || offset >= io->size_bytes)
		return 0;
	return io->ops->splice(io->self, offset, pipe, (size_t)vk_min_u64(len, io->size_bytes - offset));
}

enum vk_status vk_io_read_all(struct vk_io *io, uint64_t offset, void *buf, size_t len,
			      struct vk_error *err)
{
	size_t got;
	uint64_t stop;
	struct vk_span span;
	enum vk_status status = vk_io_read(io, offset, buf, len, &got, err);

	if (status != VK_OK || got == len)
		return status;
	stop = vk_add_sat(offset, got);
	span = vk_io_span(io, stop);
	switch (span.state) {
	case VK_SPAN_END:
		vk_error_set(err, status = VK_ABSENT, io->name,
			     "the source ends after %llu bytes, %zu more are needed",
			     (unsigned long long)io->size_bytes, len - got);
		break;
	case VK_SPAN_ABSENT:
		vk_error_set(err, status = VK_ABSENT, io->name,
			     "the source does not hold %llu bytes that are needed",
			     (unsigned long long)vk_min_u64(span.length_bytes, len - got));
		break;
	case VK_SPAN_UNREADABLE:
	case VK_SPAN_DATA:
	case VK_SPAN_ZERO:
		vk_error_set(err, status = VK_IO, io->name, "a sector cannot be read");
		break;
	}
	vk_error_at(err, stop);
	return status;
}

enum vk_status vk_io_read_around_bad(struct vk_io *io, uint64_t offset, void *buf, size_t len, uint32_t sector_bytes,
				     bool *ret_unread, struct vk_error *err)
{
	uint8_t *to = buf;

	*ret_unread = false;
	for (size_t done = 0; done < len;) {
		size_t got, n;
		enum vk_status status = vk_io_read(io, offset + done, to + done, len - done, &got, err);

		if (status != VK_OK)
			return status;
		done += got;
		if (done == len)
			break;
		if (vk_io_span(io, offset + done).state != VK_SPAN_UNREADABLE)
			return vk_io_read_all(io, offset + done, to + done, len - done, err);
		n = (size_t)vk_min_u64(len - done, sector_bytes - (offset + done) % sector_bytes);
		memset(to + done, 0, n);
		done += n;
		*ret_unread = true;
	}
	return VK_OK;
}

uint64_t vk_io_held(struct vk_io *io, uint64_t offset, uint64_t length)
{
	uint64_t held = 0;

	while (held < length) {
		struct vk_span span = vk_io_span(io, vk_add_sat(offset, held));

		if (span.state != VK_SPAN_DATA && span.state != VK_SPAN_ZERO)
			break;
		held += vk_min_u64(span.length_bytes, length - held);
	}
	return held;
}

const char *vk_io_name(const struct vk_io *io)
{
	return io->name;
}

uint64_t vk_io_size_bytes(const struct vk_io *io)
{
	return io->size_bytes;
}

void vk_io_cut(struct vk_io *io, uint64_t length_bytes)
{
	io->size_bytes = vk_min_u64(io->size_bytes, length_bytes);
}

uint32_t vk_io_sector_size(const struct vk_io *io)
{
	return io->sector_size;
}

void vk_io_set_sector_size(struct vk_io *io, uint32_t sector_size)
{
	io->sector_size = sound_sector_size(sector_size);
}

uint64_t *vk_io_in_call(const struct vk_io *io)
{
	while (io->below != NULL)
		io = io->below;
	return io->in_call_since_ms;
}

bool vk_io_is_device(const struct vk_io *io)
{
	while (io->below != NULL)
		io = io->below;
	return io->is_device;
}

int vk_io_descriptor(const struct vk_io *io)
{
	while (io->below != NULL)
		io = io->below;
	return io->fd;
}

/* What a path led to, for the handle of which it is asked what that was. */
static const struct vk_io *opened(const struct vk_io *io)
{
	while (io->below != NULL && !io->opened)
		io = io->below;
	return io;
}

const struct vk_image_format *vk_io_image_format(const struct vk_io *io)
{
	return opened(io)->format;
}

uint64_t vk_io_footer_bytes(const struct vk_io *io)
{
	return opened(io)->footer_bytes;
}

bool vk_io_is_view(const struct vk_io *io)
{
	return opened(io)->viewed;
}

const struct vk_io_join *vk_io_join(const struct vk_io *io)
{
	while (io->below != NULL && io->join == NULL)
		io = io->below;
	return io->join;
}

const char *vk_io_damage(const struct vk_io *io, uint64_t *ret_offset_bytes)
{
	while (io->below != NULL && io->damage[0] == '\0')
		io = io->below;
	if (io->damage[0] == '\0')
		return NULL;
	if (ret_offset_bytes != NULL)
		*ret_offset_bytes = io->damage_offset;
	return io->damage;
}

/* The first damage is kept: later ones tend to follow from it. */
void vk_io_set_damage(struct vk_io *io, const char *sentence, uint64_t offset_bytes)
{
	if (io->damage[0] != '\0')
		return;
	snprintf(io->damage, sizeof(io->damage), "%s", sentence);
	io->damage_offset = offset_bytes;
}

static void say_pieces(const struct vk_io *io, const struct vk_finding_sink *sink)
{
	const struct vk_io_join *join = vk_io_join(io);

	if (join == NULL)
		return;
	if (join->first[0] != '\0') {
		vk_finding_say(sink, VK_F_SOURCE_PIECE_MISSING, 0, 0, NULL, NULL,
			       "this is a later piece of the split dump that begins with %s",
			       vk_shown_name(join->first).text);
		return;
	}
	vk_finding_say(sink, VK_F_SOURCE_JOINED, 0, io->size_bytes, NULL, NULL, "%zu files were put together, up to %s",
		       join->count, vk_shown_name(join->last).text);
	if (join->missing_count > 0)
		vk_finding_say(sink, VK_F_SOURCE_PIECE_MISSING, join->missing_at_bytes, join->missing_bytes, NULL, NULL,
			       "%zu piece%s not there: %s", join->missing_count,
			       join->missing_count == 1 ? " is" : "s are", join->missing);
}

void vk_io_say_faults(const struct vk_io *io, const struct vk_finding_sink *sink)
{
	const struct vk_range *ranges;
	size_t count = vk_io_bad_ranges(io, &ranges);
	uint64_t at = 0;
	const char *damage = vk_io_damage(io, &at);

	say_pieces(io, sink);
	for (size_t i = 0; i < count; i++)
		vk_finding_say(sink, VK_F_SOURCE_UNREADABLE, ranges[i].offset_bytes, ranges[i].length_bytes, NULL, NULL,
			       "unreadable sectors");
	if (damage != NULL)
		vk_finding_say(sink, VK_F_SOURCE_STREAM_DAMAGED, at, 0, NULL, NULL, "%s", damage);
	while (io->notes.count == 0 && (io->below != NULL || io->owned != NULL))
		io = io->below != NULL ? io->below : io->owned;
	for (size_t i = 0; i < io->notes.count; i++)
		vk_finding_put(sink, &io->notes.items[i]);
}

bool vk_io_has_next(const struct vk_io *io)
{
	while (io->next == NULL && io->owned != NULL)
		io = io->owned;
	return io->next != NULL;
}

struct vk_io *vk_io_take_next(struct vk_io *io)
{
	struct vk_io *next;

	while (io->next == NULL && io->owned != NULL)
		io = io->owned;
	next = io->next;
	io->next = NULL;
	return next;
}

size_t vk_io_bad_ranges(const struct vk_io *io, const struct vk_range **ret_ranges)
{
	*ret_ranges = io->bad.ranges;
	return io->bad.count;
}
