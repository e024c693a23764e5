/* SPDX-License-Identifier: Apache-2.0 */
/* What is in the files: a pattern in which no block is like another, zeros, or the bytes of a file of this system. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "base/memory.h"
#include "lab/files/fill.h"
#include "store/folder/digest.h"

enum { CHUNK_BYTES = 1 << 20, OLD_BYTES = 4096, OLD_BLOCKS = 64 };
/* longer contents are not summed up: it would take minutes */
#define SUMMED_BYTES (1ULL << 30)

/* A file that is being written. */
struct putting {
	struct vk_lab_fill *f;
	struct vk_lab_node *n;
	const uint8_t *bytes;  /* of a folder or a link */
	int source;            /* -1: none */
	const char *source_path;
	bool pattern;
	uint64_t key;          /* of the pattern */
	uint64_t at;           /* summed up to here */
	bool sum_all, sum_data;
	struct vk_digest all, data;
	uint8_t *chunk;
};

static void put_pattern(uint64_t key, uint64_t offset, uint8_t *to, size_t len)
{
	for (size_t i = 0; i < len; i++, offset++) {
		uint64_t x = (key + offset / 8) * 0x9E3779B97F4A7C15ULL;

		x = (x ^ x >> 32) * 0xD6E8FEB86659FD93ULL;
		x ^= x >> 32;
		if (offset % 8 == 0 && len - i >= 8) {
			vk_put_le64(to + i, x);
			i += 7;
			offset += 7;
			continue;
		}
		to[i] = (uint8_t)(x >> offset % 8 * 8);
	}
}

static enum vk_status copy_source(const struct putting *p, uint64_t offset, uint8_t *to, size_t len)
{
	for (size_t done = 0; done < len;) {
		ssize_t got = pread(p->source, to + done, len - done, (off_t)(offset + done));

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return vk_error_errno(p->f->err, errno, p->source_path, "the file cannot be read");
		/* it became shorter: the rest is zeros */
		if (got == 0)
			break;
		done += (size_t)got;
	}
	return VK_OK;
}

/* Content of len bytes at that offset; nothing of it lies behind the file's end. */
static enum vk_status get_content(const struct putting *p, uint64_t offset, uint8_t *to, size_t len)
{
	const struct vk_lab_item *item = p->n->item;
	const struct vk_lab_stretch whole = {0, p->n->size_bytes};
	const struct vk_lab_stretch *data = item != NULL && item->sparse ? item->data : &whole;
	size_t count = item != NULL && item->sparse ? item->data_count : 1;
	enum vk_status status = VK_OK;

	memset(to, 0, len);
	for (size_t i = 0; i < count && status == VK_OK; i++) {
		uint64_t from = vk_max_u64(offset, data[i].offset);
		uint64_t end = vk_min_u64(offset + len, vk_add_sat(data[i].offset, data[i].length));

		if (end <= from)
			continue;
		if (p->bytes != NULL)
			memcpy(to + (from - offset), p->bytes + from, (size_t)(end - from));
		else if (p->source >= 0)
			status = copy_source(p, from, to + (from - offset), (size_t)(end - from));
		else if (p->pattern)
			put_pattern(p->key, from, to + (from - offset), (size_t)(end - from));
	}
	if (item != NULL && offset < item->head_bytes)
		memcpy(to, item->head + offset, (size_t)vk_min_u64(len, item->head_bytes - offset));
	return status;
}

static void sum_zeros_to(struct putting *p, uint64_t offset)
{
	if (p->sum_all && offset > p->at)
		vk_digest_add_zeros(&p->all, offset - p->at);
	p->at = vk_max_u64(p->at, offset);
}

static void sum_data(struct putting *p, uint64_t offset, const uint8_t *bytes, size_t len)
{
	sum_zeros_to(p, offset);
	if (p->sum_all)
		vk_digest_add(&p->all, bytes, len);
	if (p->sum_data)
		vk_digest_add(&p->data, bytes, len);
	p->at = offset + len;
}

/* Volume offset of a byte of a piece. Resources of a kind follow each other unless a file of the volume holds them. */
static uint64_t piece_offset(const struct putting *p, const struct vk_lab_piece *piece, uint64_t skip,
			     uint64_t *ret_bytes)
{
	const struct vk_lab_fill *f = p->f;
	uint64_t each = piece->pool == VK_LAB_POOL_LARGE ? f->block_bytes << f->w.device->fs.sfbToLfbShift
							 : p->n->unit_bytes;

	*ret_bytes = each - skip % each;
	return vk_lab_pool_offset(f, piece->pool, piece->resource + skip / each) + skip % each;
}

/* Blocks to be zeroed hold what was there before: here bytes that no reader may show. */
static enum vk_status put_old(struct putting *p, const struct vk_lab_piece *piece)
{
	enum vk_status status = VK_OK;
	uint64_t rest;

	memset(p->chunk, 0xDB, OLD_BYTES);
	for (uint64_t u = 0; u < piece->units && u < OLD_BLOCKS && status == VK_OK; u++)
		status = vk_lab_volume_put(p->f, piece_offset(p, piece, u * p->n->unit_bytes, &rest), p->chunk,
					   OLD_BYTES);
	return status;
}

static bool written(const struct putting *p, uint64_t offset, uint64_t len)
{
	const struct vk_lab_item *item = p->n->item;

	if (item != NULL && offset < item->head_bytes)
		return true;
	if (item == NULL || !item->sparse)
		return item == NULL || item->type != VK_FILE_ORDINARY || item->content != VK_LAB_ZEROS;
	for (size_t i = 0; i < item->data_count; i++)
		if (vk_ranges_meet(offset, len, item->data[i].offset, item->data[i].length))
			return item->content != VK_LAB_ZEROS;
	return false;
}

static enum vk_status put_piece(struct putting *p, const struct vk_lab_piece *piece)
{
	uint64_t first = piece->first_unit * p->n->unit_bytes;
	uint64_t bytes = vk_min_u64(piece->units * p->n->unit_bytes, p->n->size_bytes - vk_min_u64(first,
										      p->n->size_bytes));
	enum vk_status status = VK_OK;
	uint64_t len;

	if (piece->tbz)
		return put_old(p, piece);
	for (uint64_t done = 0; done < bytes && status == VK_OK; done += len) {
		uint64_t to = piece_offset(p, piece, done, &len);

		len = vk_min_u64(vk_min_u64(len, CHUNK_BYTES), bytes - done);
		/* the volume is new: zeros are there */
		if (!written(p, first + done, len)) {
			if (p->sum_data)
				vk_digest_add_zeros(&p->data, len);
			continue;
		}
		status = get_content(p, first + done, p->chunk, (size_t)len);
		sum_data(p, first + done, p->chunk, (size_t)len);
		if (status == VK_OK && !vk_all_zero(p->chunk, (size_t)len))
			status = vk_lab_volume_put(p->f, to, p->chunk, (size_t)len);
	}
	return status;
}

static enum vk_status put_resident(struct putting *p)
{
	size_t len = (size_t)p->n->size_bytes;
	uint8_t *to = p->f->raw + p->f->fd.metadata_offset + 512;
	enum vk_status status = get_content(p, 0, to, len);

	sum_data(p, 0, to, len);
	return status;
}

static enum vk_status put_all(struct putting *p)
{
	struct vk_lab_node *n = p->n;
	uint64_t data = 0;
	enum vk_status status = VK_OK;

	for (size_t i = 0; i < n->piece_count; i++)
		data += n->pieces[i].tbz ? 0 : n->pieces[i].units * n->unit_bytes;
	p->sum_all = n->size_bytes <= SUMMED_BYTES;
	p->sum_data = data <= SUMMED_BYTES;
	if (n->zla == VK_ZLA_RESIDENT)
		status = put_resident(p);
	for (size_t i = 0; i < n->piece_count && status == VK_OK; i++)
		status = put_piece(p, &n->pieces[i]);
	sum_zeros_to(p, n->size_bytes);
	if (status == VK_OK && p->sum_all && !vk_digest_take(&p->all, n->sha256))
		status = vk_no_memory(p->f->err, NULL);
	if (status == VK_OK && p->sum_data && !vk_digest_take(&p->data, n->data_sha256))
		status = vk_no_memory(p->f->err, NULL);
	return status;
}

enum vk_status vk_lab_put_content(struct vk_lab_fill *f, struct vk_lab_node *n, const uint8_t *bytes)
{
	struct putting p = {.f = f, .n = n, .bytes = bytes, .source = -1};
	enum vk_status status = VK_OK;
	bool ready;

	if (n->item != NULL) {
		p.key = vk_lab_random(f->w.device->seed, n->item->path, 0);
		p.pattern = n->item->content == VK_LAB_PATTERN;
		p.source_path = n->item->text;
	}
	if (bytes == NULL && n->item != NULL && n->item->content == VK_LAB_COPY) {
		p.source = open(n->item->text, O_RDONLY | O_CLOEXEC);
		if (p.source < 0)
			return vk_error_errno(f->err, errno, n->item->text, "the file cannot be opened");
	}
	p.chunk = malloc(CHUNK_BYTES);
	ready = vk_digest_init(&p.all);
	ready = vk_digest_init(&p.data) && ready;
	status = ready && p.chunk != NULL ? put_all(&p) : vk_no_memory(f->err, NULL);
	vk_digest_free(&p.all);
	vk_digest_free(&p.data);
	free(p.chunk);
	if (p.source >= 0)
		close(p.source);
	return status;
}
