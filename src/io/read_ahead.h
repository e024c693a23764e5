/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A thread that reads on while what it read before is searched or written. What it hands out depends on the position
 * only, so that who goes on from the end of any piece meets the same pieces.
 */
#ifndef VK_IO_READ_AHEAD_H
#define VK_IO_READ_AHEAD_H

#include "vmfskit/io.h"

enum { VK_PIECE_BYTES_MAX = 4 << 20 };
enum vk_piece_kind { VK_PIECE_BYTES, VK_PIECE_ZERO, VK_PIECE_MISSING };
/* What lies from offset on. The bytes are the reader's, until the piece is given back. */
struct vk_piece {
	enum vk_piece_kind kind;
	uint64_t offset_bytes;
	uint64_t length_bytes;
	const uint8_t *bytes; /* NULL but for VK_PIECE_BYTES */
	int pipe;             /* of VK_PIECE_BYTES without bytes: they are in this pipe, to be taken out, all of them */
	bool absent;          /* of VK_PIECE_MISSING: the source does not hold it; else it cannot be read */
};

struct vk_read_ahead;

enum vk_read_ahead_how {
	VK_READ_EVERY_SECTOR = 1, /* of a bad region; else only samples of a long one are tried */
	VK_READ_INTO_PIPES = 2    /* where that saves copying them */
};
/* Begin to read start .. end. io is the reader's until it is closed: nobody else may touch it. how: of the above. */
VK_MUST_USE enum vk_status vk_read_ahead_open(struct vk_io *io, uint64_t start, uint64_t end, unsigned how,
					      struct vk_read_ahead **ret_reader, struct vk_error *err);
/*
 * The next piece; NULL when there is none yet after wait_ms. At the end, and for ever after, a piece of no length. Each
 * must be given back before the next is taken. The error is that of reading, when all before it has been handed out.
 */
VK_MUST_USE enum vk_status vk_read_ahead_next(struct vk_read_ahead *reader, unsigned wait_ms,
					      const struct vk_piece **ret_piece, struct vk_error *err);
void vk_read_ahead_give_back(struct vk_read_ahead *reader);
/* Stops the thread, as soon as a read that is under way comes back. */
void vk_read_ahead_close(struct vk_read_ahead *reader);

#endif
