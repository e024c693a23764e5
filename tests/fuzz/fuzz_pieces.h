/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A scattered source from fuzz input, so that a few hundred bytes reach the far ends of a 64 TB disk. The input is
 * a list of: offset (6 bytes), length (2 bytes), the bytes. A length with its top bit set means that many sectors of zeros
 * (15 bits) and no bytes. Pieces may come in any order; one that overlaps another is left out.
 */
#ifndef VK_FUZZ_PIECES_H
#define VK_FUZZ_PIECES_H

#include "fuzz.h"
#include "vmfskit/io.h"

enum { FUZZ_PIECES_MAX = 64 };

static inline int fuzz_by_offset(const void *a, const void *b)
{
	const struct vk_io_piece *x = a;
	const struct vk_io_piece *y = b;

	return x->offset_bytes < y->offset_bytes ? -1 : x->offset_bytes > y->offset_bytes;
}

/* The source; NULL when memory ran out. It borrows the input. */
static inline struct vk_io *fuzz_pieces(struct fuzz_input *in, uint32_t sector_size)
{
	struct vk_io_piece pieces[FUZZ_PIECES_MAX];
	size_t count = 0;
	size_t kept = 0;

	while (in->size > 0 && count < FUZZ_PIECES_MAX) {
		uint64_t offset = fuzz_take(in, 6);
		uint64_t length = fuzz_take(in, 2);
		const uint8_t *bytes = in->data;

		if (length & 0x8000) {
			length = (length & 0x7fff) * 512;
			bytes = NULL;
		} else {
			length = length < in->size ? length : in->size;
			in->data += length;
			in->size -= length;
		}
		if (length > 0)
			pieces[count++] = (struct vk_io_piece){offset, length, bytes};
	}
	qsort(pieces, count, sizeof(pieces[0]), fuzz_by_offset);
	for (size_t i = 0; i < count; i++) {
		const struct vk_io_piece *last = kept > 0 ? &pieces[kept - 1] : NULL;

		if (last == NULL || pieces[i].offset_bytes >= last->offset_bytes + last->length_bytes)
			pieces[kept++] = pieces[i];
	}
	return vk_io_pieces("fuzz", pieces, kept, sector_size, NULL);
}

#endif
