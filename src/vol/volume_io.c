/* SPDX-License-Identifier: Apache-2.0 */
/* A logical volume as a source: every read goes to the extent that holds it. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/checked.h"
#include "vmfskit/source.h"

/* One device of the volume. */
struct member {
	const struct vk_vmfs *vmfs;
	struct vk_io *io;
	uint64_t start_bytes; /* of its partition in io */
};

struct volume_io {
	struct member *members;
	size_t count;
};

/* The source, the byte in it and how far it reaches; false on a missing extent. */
static bool find(const struct volume_io *v, uint64_t offset, struct vk_io **ret_io, uint64_t *ret_at,
		 uint64_t *ret_length)
{
	for (size_t i = 0; i < v->count; i++) {
		uint64_t device;

		if (!vk_vmfs_map(v->members[i].vmfs, offset, &device, ret_length))
			continue;
		*ret_io = v->members[i].io;
		return vk_add_u64(v->members[i].start_bytes, device, ret_at);
	}
	return false;
}

static enum vk_status volume_read_at(void *self, uint64_t offset, void *buf, size_t len,
				     size_t *ret_got, struct vk_error *err)
{
	size_t done = 0;

	while (done < len) {
		struct vk_io *io;
		uint64_t at;
		uint64_t length;
		size_t want;
		size_t got;
		enum vk_status status;

		if (!find(self, offset + done, &io, &at, &length))
			break;
		want = (size_t)vk_min_u64(len - done, length);
		status = vk_io_read(io, at, (uint8_t *)buf + done, want, &got, err);
		if (status != VK_OK)
			return status;
		done += got;
		if (got < want)
			break;
	}
	*ret_got = done;
	return VK_OK;
}

/* First byte behind offset that some member holds: an absent stretch ends there. */
static uint64_t next_mapped(const struct volume_io *v, uint64_t offset)
{
	uint64_t next = UINT64_MAX;

	for (size_t i = 0; i < v->count; i++)
		for (size_t k = 0; k < v->members[i].vmfs->run_count; k++)
			if (v->members[i].vmfs->runs[k].volume_offset > offset)
				next = vk_min_u64(next, v->members[i].vmfs->runs[k].volume_offset);
	return next;
}

static struct vk_span volume_span(void *self, uint64_t offset)
{
	struct vk_io *io;
	uint64_t at;
	uint64_t length;
	struct vk_span span;

	if (!find(self, offset, &io, &at, &length))
		return (struct vk_span){VK_SPAN_ABSENT, next_mapped(self, offset) - offset};
	span = vk_io_span(io, at);
	if (span.state == VK_SPAN_END) /* the source is cut before the extent ends */
		return (struct vk_span){VK_SPAN_ABSENT, length};
	span.length_bytes = vk_min_u64(span.length_bytes, length);
	return span;
}

static void volume_close(void *self)
{
	struct volume_io *v = self;

	free(v->members);
	free(v);
}

enum vk_status vk_volume_open(const struct vk_volume *volume, const struct vk_source *sources,
			      struct vk_io **ret_io, struct vk_error *err)
{
	static const struct vk_io_ops ops = {volume_read_at, volume_span, volume_close};
	struct volume_io *v = calloc(1, sizeof(*v));
	char name[VK_VMFS_UUID_TEXT_BYTES];
	struct vk_io *io;

	if (v != NULL)
		v->members = calloc(volume->extent_count + 1, sizeof(*v->members));
	if (v == NULL || v->members == NULL) {
		free(v);
		return vk_no_memory(err, NULL);
	}
	for (size_t i = 0; i < volume->extent_count; i++) {
		const struct vk_source *s = &sources[volume->extents[i].source];
		const struct vk_vmfs *d = &s->vmfs[volume->extents[i].vmfs];

		v->members[v->count++] = (struct member){
			d, s->io, vk_mul_sat(d->start_sector, s->sector_size)};
	}
	vk_vmfs_uuid_format(&volume->uuid, name);
	io = vk_io_new(&ops, v, name, volume->logical_bytes, 512);
	if (io == NULL)
		return vk_no_memory(err, name);
	*ret_io = io;
	return VK_OK;
}
