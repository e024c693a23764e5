/* SPDX-License-Identifier: Apache-2.0 */
/* Pieces and files of one import, and how long the disk must at least have been. */
#include "base/memory.h"
#include "store/import/import_parts.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/checked.h"
#include "io/io_handle.h"
#include "store/folder/digest.h"

enum { READ_BYTES = 256 << 10 };
/* No disk is longer; what claims to end there is not believed. */
static const uint64_t size_max = 1ULL << 60;

void vk_parts_free(struct vk_parts *parts)
{
	for (size_t i = 0; i < parts->owned_count; i++)
		vk_io_close(parts->owned[i]);
	free(parts->owned);
	free(parts->pieces);
	free(parts->files);
	memset(parts, 0, sizeof(*parts));
}

void vk_import_name(struct vk_origin_file *file, const char *path, const char *member, uint64_t modified)
{
	struct vk_text text = vk_text_in(file->name, sizeof(file->name));

	vk_text_label(&text, (const uint8_t *)path, strlen(path));
	if (member != NULL) {
		vk_text_put(&text, ":");
		vk_text_label(&text, (const uint8_t *)member, strlen(member));
	}
	text = vk_text_in(file->modified, sizeof(file->modified));
	if (modified != 0)
		vk_text_time_s(&text, modified);
}

uint64_t vk_import_modified(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_mtime > 0 ? (uint64_t)st.st_mtime : 0;
}

/* MD5 is what old hosts have; it finds accidents, which is what it is asked for here. */
enum vk_status vk_import_digest(struct vk_io *io, uint64_t offset, uint64_t length, struct vk_origin_file *ret_file,
				char ret_md5[VK_MD5_HEX_BYTES], struct vk_error *err)
{
	struct vk_digest digest;
	uint8_t *buf = malloc(READ_BYTES);
	const bool ready = vk_digest_init(&digest) && buf != NULL && (ret_md5 == NULL || vk_digest_add_md5(&digest));
	enum vk_status status = ready ? VK_OK : vk_no_memory(err, vk_io_name(io));

	for (uint64_t at = 0; status == VK_OK && at < length; at += READ_BYTES) {
		const size_t want = (size_t)vk_min_u64(length - at, READ_BYTES);
		size_t got;

		status = vk_io_read(io, offset + at, buf, want, &got, err);
		if (status == VK_OK && got < want) {
			vk_error_set(err, VK_DAMAGED, vk_io_name(io), "some of its bytes cannot be read");
			status = vk_error_at(err, offset + at + got);
		} else if (status == VK_OK) {
			vk_digest_add(&digest, buf, got);
		}
	}
	ret_file->length_bytes = length;
	if (status == VK_OK && !vk_digest_take(&digest, ret_file->sha256))
		status = vk_no_memory(err, vk_io_name(io));
	if (ret_md5 != NULL && ready)
		memcpy(ret_md5, digest.md5_hex, VK_MD5_HEX_BYTES);
	vk_digest_free(&digest);
	free(buf);
	return status;
}

uint64_t vk_parts_end(const struct vk_parts *parts)
{
	uint64_t end = 0;

	for (size_t i = 0; i < parts->count; i++)
		end = vk_max_u64(end, vk_add_sat(parts->pieces[i].offset_bytes, parts->pieces[i].length_bytes));
	return end;
}

static void stretch(uint64_t *size, uint64_t end)
{
	if (end <= size_max && end > *size)
		*size = end;
}

/* Only tables that were found sound or chosen count, and headers that fit: garbage must not make a disk long. */
uint64_t vk_import_end(const struct vk_source *source)
{
	const struct vk_table *table = &source->table;
	uint64_t sector = source->sector_size, end = 0;

	if (source->kind != VK_SOURCE_DISK) {
		if (source->vmfs_count > 0 && source->vmfs[0].lvm_usable)
			stretch(&end, source->vmfs[0].lvm.totalBytes);
		return end;
	}
	for (int i = 0; i < 2; i++) {
		const struct vk_gpt_copy *copy = &table->gpt[i];

		if (table->kind != VK_TABLE_GPT || !copy->sound)
			continue;
		stretch(&end, vk_mul_sat(vk_add_sat(copy->lba, 1), sector));
		stretch(&end, vk_mul_sat(vk_add_sat(copy->header.alternateLBA, 1), sector));
	}
	for (size_t i = 0; i < table->partition_count; i++)
		stretch(&end, vk_mul_sat(vk_add_sat(table->partitions[i].start_sector, table->partitions[i].sectors),
					 sector));
	return end;
}

static int by_offset(const void *a, const void *b)
{
	const struct vk_io_part *x = a, *y = b;

	return x->offset_bytes < y->offset_bytes ? -1 : x->offset_bytes > y->offset_bytes;
}

struct ordered {
	struct vk_io_part *list;
	size_t count;
	uint64_t end; /* of what was added so far */
};

/* What could not be read in front of to, as far as nothing lies there yet. */
static bool add_unread(struct ordered *o, const struct vk_range_set *unread, uint64_t to)
{
	const struct vk_range *bad;

	while (o->end < to && (bad = vk_range_set_find(unread, o->end)) != NULL && bad->offset_bytes < to) {
		struct vk_io_part part = {.offset_bytes = vk_max_u64(o->end, bad->offset_bytes)};

		o->end = vk_min_u64(bad->offset_bytes + bad->length_bytes, to);
		part.length_bytes = o->end - part.offset_bytes;
		if (vk_append(&o->list, &o->count, &part, sizeof(part)) == NULL)
			return false;
	}
	return true;
}

/* A piece that is there, without what an earlier one holds of it. */
static bool add_held(struct ordered *o, const struct vk_range_set *unread, struct vk_io_part piece)
{
	uint64_t over = o->end > piece.offset_bytes ? o->end - piece.offset_bytes : 0;

	if (over >= piece.length_bytes)
		return true;
	piece.base_bytes += over;
	piece.offset_bytes += over;
	piece.length_bytes -= over;
	if (!add_unread(o, unread, piece.offset_bytes))
		return false;
	o->end = piece.offset_bytes + piece.length_bytes;
	return vk_append(&o->list, &o->count, &piece, sizeof(piece)) != NULL;
}

struct vk_io *vk_import_io(const char *name, const struct vk_io_part *pieces, size_t count, uint64_t size_bytes,
			   uint32_t sector_size)
{
	struct vk_io_part *sorted = calloc(count + 1, sizeof(*sorted));
	struct ordered o = {.count = 0};
	struct vk_range_set unread = {0};
	bool fine = sorted != NULL;
	struct vk_io *io = NULL;
	uint64_t end;

	for (size_t i = 0; i < count && fine; i++) {
		sorted[i] = pieces[i];
		fine = vk_add_u64(pieces[i].offset_bytes, pieces[i].length_bytes, &end) &&
		       vk_add_u64(pieces[i].base_bytes, pieces[i].length_bytes, &end) &&
		       (pieces[i].base != NULL ||
			vk_range_set_add(&unread, pieces[i].offset_bytes, pieces[i].length_bytes));
	}
	if (fine && count > 0)
		qsort(sorted, count, sizeof(*sorted), by_offset);
	for (size_t i = 0; i < count && fine; i++)
		fine = sorted[i].base == NULL || add_held(&o, &unread, sorted[i]);
	if (fine && add_unread(&o, &unread, UINT64_MAX))
		io = vk_io_parts(name, o.list, o.count, size_bytes, VK_SPAN_ABSENT);
	if (io != NULL) {
		/* it is none of the files that it is made of */
		io->below = NULL;
		io->fd = -1;
		vk_io_set_sector_size(io, sector_size);
	}
	vk_range_set_free(&unread);
	free(sorted);
	free(o.list);
	return io;
}

enum vk_status vk_parts_open(const struct vk_parts *parts, const char *name, enum vk_source_kind kind,
			     uint32_t sector_size, uint64_t size, struct vk_source *ret_source, struct vk_error *err)
{
	const struct vk_source_options options = {.look = VK_LOOK_NOT, .as = kind, .sector_size = sector_size};
	struct vk_io *io =
		vk_import_io(name, parts->pieces, parts->count, size, sector_size == 0 ? 512 : sector_size);

	return io != NULL ? vk_source_open_io(io, name, VK_FORM_RAW, &options, ret_source, err)
			  : vk_no_memory(err, name);
}

enum vk_status vk_parts_size(const struct vk_parts *parts, const char *name, enum vk_source_kind kind,
			     uint32_t sector_size, uint64_t *ret_size, bool *ret_certain, struct vk_error *err)
{
	struct vk_source source;
	uint64_t size = vk_parts_end(parts);
	enum vk_status status = vk_parts_open(parts, name, kind, sector_size, size, &source, err);

	*ret_certain = false;
	if (status != VK_OK)
		return status;
	/* what the header counts is its partition */
	*ret_certain = kind != VK_SOURCE_DISK && vk_import_end(&source) >= size;
	*ret_size = vk_max_u64(size, vk_import_end(&source));
	vk_source_close(&source);
	return VK_OK;
}
