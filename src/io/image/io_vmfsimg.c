/* SPDX-License-Identifier: Apache-2.0 */
/*
 * VMFSIMG images (vmfs-tools' compressed form) as a source. One pass leaves a mark every kibibyte of the
 * stream; a read starts at the mark in front of it. So the index stays a small part of the stream, however
 * many sequences a hostile one packs into a byte.
 */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/checked.h"
#include "io/io_handle.h"
#include "io/image/vmfsimg_stream.h"

#define OUTPUT_MAX_BLOCKS ((uint64_t)1 << 51) /* 2^60 bytes */
#define MARK_EVERY_BYTES 1024
/* Sequences that span() looks at to join neighbours. */
#define SPAN_JOIN_MAX 4096

struct mark {
	uint64_t block;  /* of output */
	uint64_t offset; /* of the sequence that makes it */
};

struct image {
	struct vk_io *base;
	bool owns_base;
	unsigned version;
	uint64_t blocks;
	struct mark *marks;
	size_t count;
	struct vk_byte_reader reader;
	struct vk_vmfsimg_sequence seq;
};

static bool put_mark(struct image *image, uint64_t block, uint64_t offset)
{
	if (image->count > 0 && offset - image->marks[image->count - 1].offset < MARK_EVERY_BYTES)
		return true;
	return vk_append(&image->marks, &image->count, &(struct mark){block, offset}, sizeof(*image->marks)) != NULL;
}

/* What the first pass found. */
struct scan {
	uint32_t adler; /* of the output */
	const char *damage; /* NULL: none */
	uint64_t damage_offset;
};

static void note_damage(struct scan *scan, const char *what, uint64_t offset)
{
	if (scan->damage != NULL)
		return;
	scan->damage = what;
	scan->damage_offset = offset;
}

/* Read the stream once: marks, length, checksum. False when memory ran out. */
static bool scan_stream(struct image *image, struct scan *scan)
{
	struct vk_vmfsimg_sequence *seq = &image->seq;

	scan->adler = 1;
	vk_byte_reader_seek(&image->reader, VK_VMFSIMG_HEADER_BYTES);
	for (;;) {
		vk_vmfsimg_next(&image->reader, image->version, seq);
		switch (seq->kind) {
		case VK_VMFSIMG_END:
			return true;
		case VK_VMFSIMG_BROKEN:
			note_damage(scan, seq->what, seq->offset);
			return true;
		case VK_VMFSIMG_CHECK: /* marked too: there may be a gigabyte of them */
			if (!put_mark(image, image->blocks, seq->offset))
				return false;
			if (seq->adler != scan->adler)
				note_damage(scan, "the checksum does not fit the bytes before it",
					    seq->offset);
			continue;
		case VK_VMFSIMG_DATA:
		case VK_VMFSIMG_ZEROS:
			break;
		}
		if (seq->blocks > OUTPUT_MAX_BLOCKS - image->blocks) {
			note_damage(scan, "the image claims to be longer than a disk can be",
				    seq->offset);
			return true;
		}
		if (!put_mark(image, image->blocks, seq->offset))
			return false;
		scan->adler = vk_adler_of(scan->adler, seq);
		image->blocks += seq->blocks;
	}
}

static uint64_t block_of(const void *mark)
{
	return ((const struct mark *)mark)->block;
}

/*
 * Decode up to the sequence that makes block, and tell its first block. False when the stream is no longer
 * the same.
 */
static bool find_block(struct image *image, uint64_t block, uint64_t *ret_first)
{
	struct vk_vmfsimg_sequence *seq = &image->seq;
	/* the last mark at or in front of it: the first one is that of block 0 */
	const struct mark *mark = &image->marks[vk_first_not_below(image->marks, image->count, sizeof(*image->marks),
								   block + 1, block_of) -
						1];
	uint64_t first = mark->block;

	vk_byte_reader_seek(&image->reader, mark->offset);
	for (;;) {
		vk_vmfsimg_next(&image->reader, image->version, seq);
		if (seq->kind == VK_VMFSIMG_END || seq->kind == VK_VMFSIMG_BROKEN)
			return false;
		if (block - first < seq->blocks)
			break;
		first += seq->blocks;
	}
	*ret_first = first;
	return true;
}

/* Copy a part of what a sequence makes. */
static void copy_output(const struct vk_vmfsimg_sequence *seq, uint64_t skip, uint8_t *buf,
			size_t len)
{
	size_t data = 0;

	if (skip < seq->data_len) {
		data = (size_t)vk_min_u64(seq->data_len - skip, len);
		memcpy(buf, seq->data + skip, data);
	}
	memset(buf + data, 0, len - data);
}

static enum vk_status changed(const struct image *image, struct vk_error *err)
{
	if (image->reader.failed && err != NULL)
		*err = image->reader.error;
	else
		vk_error_set(err, VK_IO, vk_io_name(image->base),
			     "the compressed image changed while it was read");
	return err == NULL ? VK_IO : err->status;
}

static enum vk_status image_read_at(void *self, uint64_t offset, void *buf, size_t len,
				    size_t *ret_got, struct vk_error *err)
{
	struct image *image = self;
	struct vk_vmfsimg_sequence *seq = &image->seq;
	uint64_t first;
	uint8_t *out = buf;
	size_t done = 0;

	if (!find_block(image, offset / VK_VMFSIMG_BLOCK_BYTES, &first))
		return changed(image, err);
	for (;;) {
		uint64_t skip = offset + done - first * VK_VMFSIMG_BLOCK_BYTES;
		size_t n = (size_t)vk_min_u64(seq->blocks * VK_VMFSIMG_BLOCK_BYTES - skip,
					      len - done);

		copy_output(seq, skip, out + done, n);
		done += n;
		if (done == len)
			break;
		first += seq->blocks;
		do
			vk_vmfsimg_next(&image->reader, image->version, seq);
		while (seq->kind == VK_VMFSIMG_CHECK);
		if (seq->blocks == 0)
			return changed(image, err);
	}
	*ret_got = len;
	return VK_OK;
}

static struct vk_span image_span(void *self, uint64_t offset)
{
	struct image *image = self;
	struct vk_vmfsimg_sequence *seq = &image->seq;
	uint64_t block = offset / VK_VMFSIMG_BLOCK_BYTES;
	enum vk_vmfsimg_kind kind;
	uint64_t first;
	uint64_t end;

	if (!find_block(image, block, &first))
		return (struct vk_span){VK_SPAN_UNREADABLE, VK_VMFSIMG_BLOCK_BYTES};
	kind = seq->kind;
	end = first + seq->blocks;
	for (int joined = 0; joined < SPAN_JOIN_MAX && end < image->blocks; joined++) {
		vk_vmfsimg_next(&image->reader, image->version, seq);
		if (seq->kind != VK_VMFSIMG_CHECK && seq->kind != kind)
			break;
		end += seq->blocks;
	}
	return (struct vk_span){kind == VK_VMFSIMG_ZEROS ? VK_SPAN_ZERO : VK_SPAN_DATA,
				end * VK_VMFSIMG_BLOCK_BYTES - offset};
}

static void image_close(void *self)
{
	struct image *image = self;

	if (image->owns_base)
		vk_io_close(image->base);
	free(image->marks);
	free(image);
}

static const struct vk_io_ops image_ops = {image_read_at, image_span, image_close};

bool vk_io_is_vmfsimg(struct vk_io *base)
{
	uint8_t head[VK_VMFSIMG_MAGIC_BYTES];

	return vk_io_read_all(base, 0, head, sizeof(head), NULL) == VK_OK &&
	       memcmp(head, VK_VMFSIMG_MAGIC, sizeof(head)) == 0;
}

static enum vk_status check_header(struct vk_io *base, unsigned *ret_version, struct vk_error *err)
{
	uint8_t head[VK_VMFSIMG_HEADER_BYTES];
	size_t got;
	enum vk_status status = vk_io_read(base, 0, head, sizeof(head), &got, err);

	if (status != VK_OK)
		return status;
	if (got < sizeof(head) || memcmp(head, VK_VMFSIMG_MAGIC, VK_VMFSIMG_MAGIC_BYTES) != 0) {
		vk_error_set(err, VK_DAMAGED, vk_io_name(base), "it is not a whole VMFSIMG image");
		vk_error_at(err, 0);
		return VK_DAMAGED;
	}
	*ret_version = head[VK_VMFSIMG_MAGIC_BYTES];
	if (*ret_version <= VK_VMFSIMG_VERSION_MAX)
		return VK_OK;
	vk_error_set(err, VK_UNSUPPORTED, vk_io_name(base),
		     "it is a VMFSIMG image of version %u, only 0 to %d are known", *ret_version,
		     VK_VMFSIMG_VERSION_MAX);
	vk_error_remedy(err, "unfold it with the imager of the vmfs-tools that made it");
	return VK_UNSUPPORTED;
}

static enum vk_status out_of_memory(struct vk_io *base, struct vk_error *err)
{
	return vk_no_memory(err, vk_io_name(base));
}

enum vk_status vk_io_vmfsimg(struct vk_io *base, struct vk_io **ret_io, struct vk_error *err)
{
	struct scan scan = {.damage = NULL};
	unsigned version;
	struct image *image;
	struct vk_io *io;
	enum vk_status status = check_header(base, &version, err);

	if (status != VK_OK)
		return status;
	image = calloc(1, sizeof(*image));
	if (image == NULL)
		return out_of_memory(base, err);
	image->base = base;
	image->version = version;
	vk_byte_reader_init(&image->reader, base, UINT64_MAX);
	if (!scan_stream(image, &scan)) {
		image_close(image);
		return out_of_memory(base, err);
	}
	if (image->blocks == 0) {
		image_close(image);
		vk_error_set(err, VK_DAMAGED, vk_io_name(base), "the VMFSIMG image holds no block: %s",
			     scan.damage != NULL ? scan.damage : "it ends behind its header");
		vk_error_at(err, scan.damage != NULL ? scan.damage_offset : VK_VMFSIMG_HEADER_BYTES);
		return VK_DAMAGED;
	}
	io = vk_io_new(&image_ops, image, vk_io_name(base),
		       image->blocks * VK_VMFSIMG_BLOCK_BYTES, 512);
	if (io == NULL)
		return out_of_memory(base, err);
	image->owns_base = true;
	if (scan.damage != NULL)
		vk_io_set_damage(io, scan.damage, scan.damage_offset);
	*ret_io = io;
	return VK_OK;
}
