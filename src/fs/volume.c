/* SPDX-License-Identifier: Apache-2.0 */
/* The logical volume: put together from the extents, read in large aligned pieces, and where its bytes lie. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "base/memory.h"
#include "fs/fs_parts.h"

/* How far a mapping may reach when nothing says how long the volume is. */
#define FAR_BYTES (1ULL << 62)

static uint64_t end_of(const void *part)
{
	const struct vk_fs_part *p = part;

	return p->volume_offset + p->length_bytes;
}

static int by_volume_offset(const void *a, const void *b)
{
	const struct vk_fs_part *x = a;
	const struct vk_fs_part *y = b;

	if (x->volume_offset != y->volume_offset)
		return x->volume_offset < y->volume_offset ? -1 : 1;
	return x->extent < y->extent ? -1 : x->extent > y->extent;
}

static bool add_part(struct vk_fs *fs, struct vk_fs_part part)
{
	if (part.length_bytes == 0 || part.volume_offset >= FAR_BYTES || part.device_offset >= FAR_BYTES)
		return true;
	part.length_bytes = vk_min_u64(part.length_bytes, FAR_BYTES);
	return vk_append(&fs->parts, &fs->part_count, &part, sizeof(part)) != NULL;
}

/* Without a map the volume lies where it does on every device seen. */
static bool add_extent(struct vk_fs *fs, size_t i)
{
	const struct vk_vmfs *v = fs->extents[i].vmfs;

	if (v->volume_only)
		return add_part(fs, (struct vk_fs_part){0, FAR_BYTES, 0, i});
	for (size_t k = 0; k < v->run_count; k++)
		if (!add_part(fs, (struct vk_fs_part){v->runs[k].volume_offset, v->runs[k].length_bytes,
						      v->runs[k].device_offset, i}))
			return false;
	return v->run_count > 0 ||
	       add_part(fs, (struct vk_fs_part){0, FAR_BYTES, v->lvm_usable ? v->lvm.dataOffset : VK_LVM_DATA_OFFSET,
						i});
}

static const char *name_of(const struct vk_fs_extent *extent)
{
	return extent->name != NULL ? extent->name : vk_io_name(extent->io);
}

/* Two extents at one place are no volume. Of two runs of one extent the first is taken: its table was found wrong. */
static enum vk_status settle_parts(struct vk_fs *fs, struct vk_error *err)
{
	size_t kept = 0;

	if (fs->part_count == 0)
		return VK_OK;
	qsort(fs->parts, fs->part_count, sizeof(*fs->parts), by_volume_offset);
	for (size_t i = 0; i < fs->part_count; i++) {
		const struct vk_fs_part *last = kept > 0 ? &fs->parts[kept - 1] : NULL;

		if (last == NULL || fs->parts[i].volume_offset >= end_of(last))
			fs->parts[kept++] = fs->parts[i];
		else if (fs->parts[i].extent != last->extent)
			return vk_error_set(err, VK_USAGE, name_of(&fs->extents[fs->parts[i].extent]),
					    "it holds the same part of the volume as %s: name each extent once",
					    name_of(&fs->extents[last->extent]));
	}
	fs->part_count = kept;
	return VK_OK;
}

static const struct vk_lvm_volume *volume_of(const struct vk_fs_extent *extent)
{
	return extent->vmfs->volume_count > 0 ? &extent->vmfs->volumes[0].volume : NULL;
}

/* All must be of the volume of the first one that says of which it is. */
static enum vk_status check_extents(const struct vk_fs *fs, const struct vk_lvm_volume **ret_volume,
				    struct vk_error *err)
{
	const struct vk_lvm_volume *first = NULL;

	for (size_t i = 0; i < fs->extent_count; i++) {
		const struct vk_lvm_volume *volume = volume_of(&fs->extents[i]);

		if (first == NULL)
			first = volume;
		if (volume != NULL && !vk_vmfs_uuid_equal(&volume->uuid, &first->uuid))
			return vk_error_set(err, VK_USAGE, name_of(&fs->extents[i]),
					    "it is an extent of another volume than the first one");
	}
	*ret_volume = first;
	return VK_OK;
}

enum vk_status vk_fs_volume_open(struct vk_fs *fs, struct vk_error *err)
{
	const struct vk_lvm_volume *volume = NULL;
	struct vk_io_part *list;
	enum vk_status status = check_extents(fs, &volume, err);
	uint64_t size;

	if (status != VK_OK)
		return status;
	for (size_t i = 0; i < fs->extent_count; i++)
		if (!add_extent(fs, i))
			return vk_no_memory(err, NULL);
	status = settle_parts(fs, err);
	if (status != VK_OK)
		return status;
	list = calloc(fs->part_count + 1, sizeof(*list));
	if (list == NULL)
		return vk_no_memory(err, NULL);
	for (size_t i = 0; i < fs->part_count; i++) {
		const struct vk_fs_part *p = &fs->parts[i];

		list[i] = (struct vk_io_part){p->volume_offset, p->length_bytes, fs->extents[p->extent].io,
					      p->device_offset};
	}
	fs->info.volume_bytes = volume != NULL ? volume->logicalSize : 0;
	size = fs->part_count > 0 ? end_of(&fs->parts[fs->part_count - 1]) : 0;
	fs->volume = vk_io_parts(name_of(&fs->extents[0]), list, fs->part_count,
				 vk_max_u64(size, fs->info.volume_bytes), VK_SPAN_ABSENT);
	free(list);
	return fs->volume != NULL ? VK_OK : vk_no_memory(err, NULL);
}

void vk_fs_volume_close(struct vk_fs *fs)
{
	for (size_t i = 0; i < VK_FS_PIECES; i++)
		free(fs->pieces[i].bytes);
	vk_io_close(fs->volume);
	free(fs->parts);
	free(fs->extents);
}

struct vk_io *vk_fs_volume(const struct vk_fs *fs)
{
	return fs->volume;
}

bool vk_fs_place(const struct vk_fs *fs, uint64_t volume_offset, size_t *ret_extent, uint64_t *ret_source_bytes,
		 uint64_t *ret_length)
{
	size_t i = vk_first_not_below(fs->parts, fs->part_count, sizeof(*fs->parts), vk_add_sat(volume_offset, 1),
				      end_of);
	const struct vk_fs_part *p = &fs->parts[i];

	if (i == fs->part_count || p->volume_offset > volume_offset) {
		*ret_length = i == fs->part_count ? UINT64_MAX : p->volume_offset - volume_offset;
		return false;
	}
	*ret_extent = p->extent;
	*ret_source_bytes = fs->extents[p->extent].source_bytes + p->device_offset + (volume_offset - p->volume_offset);
	*ret_length = end_of(p) - volume_offset;
	return true;
}

/* The piece of that number, read when it is not there. NULL: VK_NOMEM or VK_IO. */
static const struct vk_fs_piece *piece_of(struct vk_fs *fs, uint64_t number, struct vk_error *err,
					  enum vk_status *ret_status)
{
	struct vk_fs_piece *oldest = &fs->pieces[0];

	*ret_status = VK_OK;
	for (size_t i = 0; i < VK_FS_PIECES; i++) {
		struct vk_fs_piece *p = &fs->pieces[i];

		if (p->bytes != NULL && p->number == number) {
			p->used = ++fs->uses;
			return p;
		}
		if (p->used < oldest->used)
			oldest = p;
	}
	if (oldest->bytes == NULL)
		oldest->bytes = malloc(VK_FS_PIECE_BYTES);
	if (oldest->bytes == NULL) {
		*ret_status = vk_no_memory(err, NULL);
		return NULL;
	}
	oldest->number = UINT64_MAX;
	*ret_status = vk_io_read(fs->volume, number * VK_FS_PIECE_BYTES, oldest->bytes, VK_FS_PIECE_BYTES,
				 &oldest->held_bytes, err);
	if (*ret_status != VK_OK)
		return NULL;
	oldest->number = number;
	oldest->used = ++fs->uses;
	return oldest;
}

const char *vk_fs_command_options(const struct vk_fs *fs)
{
	enum { MOST = 150 /* of a remedy */ };
	const char *options = fs->extents[0].options;

	if (options == NULL)
		return "";
	/* a command that is cut does something else */
	return strlen(options) < MOST ? options : " ... (the options as now)";
}

const char *vk_fs_lack_said(enum vk_fs_lack lack)
{
	static const char *const said[] = {"not in the source", "unreadable", "zeros", "damaged"};

	return said[lack];
}

enum vk_fs_lack vk_fs_lack_at(struct vk_fs *fs, uint64_t volume_offset, enum vk_status status)
{
	uint8_t raw[512];
	size_t got = 0;

	if (status == VK_DAMAGED)
		return vk_fs_get(fs, volume_offset, raw, sizeof(raw), &got, NULL) == VK_OK && got == sizeof(raw) &&
				       vk_all_zero(raw, got) ? VK_LACK_ZEROS : VK_LACK_DAMAGED;
	return vk_io_span(fs->volume, volume_offset).state == VK_SPAN_UNREADABLE ? VK_LACK_UNREADABLE : VK_LACK_ABSENT;
}

void vk_fs_forget(struct vk_fs *fs)
{
	for (size_t i = 0; i < VK_FS_PIECES; i++)
		fs->pieces[i].number = UINT64_MAX;
}

enum vk_status vk_fs_get(struct vk_fs *fs, uint64_t volume_offset, void *buf, size_t len, size_t *ret_got,
			 struct vk_error *err)
{
	size_t done = 0;

	*ret_got = 0;
	while (done < len) {
		uint64_t at = volume_offset + done;
		size_t inside = (size_t)(at % VK_FS_PIECE_BYTES), want, got;
		enum vk_status status;
		const struct vk_fs_piece *p = piece_of(fs, at / VK_FS_PIECE_BYTES, err, &status);

		if (p == NULL)
			return status;
		want = (size_t)vk_min_u64(len - done, VK_FS_PIECE_BYTES - inside);
		got = inside < p->held_bytes ? (size_t)vk_min_u64(want, p->held_bytes - inside) : 0;
		memcpy((uint8_t *)buf + done, p->bytes + inside, got);
		/* what lies behind a gap in the piece */
		if (got == 0 && inside > 0) {
			status = vk_io_read(fs->volume, at, (uint8_t *)buf + done, want, &got, err);
			if (status != VK_OK)
				return status;
		}
		done += got;
		if (got < want)
			break;
	}
	*ret_got = done;
	return VK_OK;
}

void vk_fs_say(const struct vk_fs *fs, const struct vk_finding_sink *sink, uint32_t fd, enum vk_finding_code code,
	       uint64_t volume_offset, uint64_t length_bytes, const char *seen, const char *expected,
	       const char *message, ...)
{
	char text[240];
	struct vk_finding f;
	size_t extent;
	uint64_t at, rest;
	va_list args;

	if (sink == NULL)
		return;
	va_start(args, message);
	vsnprintf(text, sizeof(text), message, args);
	va_end(args);
	/* what lies on no extent that was given has no place */
	if (!vk_fs_place(fs, volume_offset, &extent, &at, &rest))
		at = length_bytes = 0;
	vk_finding_init(&f, code, at, length_bytes, "%s, at volume offset 0x%" PRIx64, text, volume_offset);
	f.fd = fd;
	vk_finding_seen(&f, "%s", seen != NULL ? seen : "");
	vk_finding_expected(&f, "%s", expected != NULL ? expected : "");
	vk_finding_put(sink, &f);
}

struct vk_phrase vk_fs_address_text(const struct vk_fs *fs, uint64_t address)
{
	char text[VK_ADDRESS_TEXT_BYTES];

	vk_address_text(address, &fs->info.addresses, text);
	return vk_phrase("%s (0x%" PRIx64 ")", text, address);
}
