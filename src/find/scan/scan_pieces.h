/* SPDX-License-Identifier: Apache-2.0 */
/* A range of a source in pieces: bytes, holes, and what cannot be read. */
#ifndef VK_FIND_SCAN_PIECES_H
#define VK_FIND_SCAN_PIECES_H

#include "find/scan/scan_reader.h"

enum { VK_PIECE_BYTES_MAX = 4 << 20, VK_PIECE_ALIGN_BYTES = 4096 };

struct vk_pieces {
	struct vk_io *io;
	uint64_t at, end;
	uint64_t data_end; /* up to here the source said that there is data: it need not be asked again */
	struct vk_range hole; /* the large one that was met last */
	uint64_t good;     /* the block that was read last; UINT64_MAX: none yet */
	const bool *stop;  /* set by another thread, atomically: what is given then does not matter any more */
};

void vk_pieces_init(struct vk_pieces *pieces, struct vk_io *io, uint64_t start, uint64_t end, const bool *stop);
/*
 * The next piece, its bytes in buf (VK_PIECE_BYTES_MAX, aligned to VK_PIECE_ALIGN_BYTES). No length: the end. Errors:
 * those of vk_io_read, and VK_IO when what could be read before cannot be read any more; an unreadable sector is none.
 */
VK_MUST_USE enum vk_status vk_pieces_next(struct vk_pieces *pieces, uint8_t *buf, struct vk_piece *ret_piece,
					  struct vk_error *err);

#endif
