/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzz entry: the index of a collector; what it accepts has bounds, and makes a disk that can be read anywhere. */
#include "fuzz.h"
#include "store/folder/digest.h"
#include "store/import/import_index.h"
#include "store/import/import_parts.h"
#include "io/image/tar.h"
#include "store/manifest/manifest.h"

enum { FILE_BYTES = 4096, SPANS_MAX = 1000 };

static void check_spans(struct vk_io *io)
{
	static uint8_t buf[FILE_BYTES];
	uint64_t size = vk_io_size_bytes(io);
	uint64_t at = 0;

	for (int i = 0; i < SPANS_MAX && at < size; i++) {
		struct vk_span span = vk_io_span(io, at);
		size_t got = 0;

		FUZZ_ASSERT(span.length_bytes > 0 && span.length_bytes <= size - at);
		FUZZ_ASSERT(vk_io_read(io, at, buf, sizeof(buf), &got, NULL) == VK_OK);
		FUZZ_ASSERT((got > 0) == (span.state == VK_SPAN_DATA));
		at += span.length_bytes;
	}
}

/* Every piece is a file of 4 KiB, shorter or longer than it should be. */
static void check_disk(const struct vk_index_disk *disk, struct vk_io *file)
{
	struct vk_io_part *pieces = calloc(disk->piece_count + 1, sizeof(*pieces));
	uint64_t end = 0;
	struct vk_io *io;

	FUZZ_ASSERT(pieces != NULL);
	for (size_t i = 0; i < disk->piece_count; i++) {
		const struct vk_index_piece *p = &disk->pieces[i];

		FUZZ_ASSERT(p->length_bytes > 0 && p->offset_bytes <= INT64_MAX / 2 && p->length_bytes <= INT64_MAX / 2);
		FUZZ_ASSERT(p->file[0] == '\0' || vk_import_path_plain(p->file));
		FUZZ_ASSERT(p->sha256[0] == '\0' || vk_sha256_text(p->sha256));
		pieces[i] = (struct vk_io_part){p->offset_bytes, p->length_bytes, p->file[0] != '\0' ? file : NULL, 0};
		if (p->offset_bytes + p->length_bytes > end)
			end = p->offset_bytes + p->length_bytes;
	}
	io = vk_import_io("disk", pieces, disk->piece_count, end, disk->sector_size);
	FUZZ_ASSERT(io != NULL);
	check_spans(io);
	vk_io_close(io);
	free(pieces);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t bytes[FILE_BYTES];
	struct vk_io *file = vk_io_memory("file", bytes, sizeof(bytes), false);
	struct vk_error err = {.status = VK_OK};
	struct vk_index index;

	FUZZ_ASSERT(file != NULL);
	if (vk_index_parse((const char *)data, size, "here", &index, &err) == VK_OK) {
		fuzz_text(index.host, sizeof(index.host));
		for (size_t i = 0; i < index.disk_count; i++) {
			fuzz_text(index.disks[i].name, sizeof(index.disks[i].name));
			fuzz_text(index.disks[i].path, sizeof(index.disks[i].path));
			FUZZ_ASSERT(index.disks[i].name[0] != '\0');
			check_disk(&index.disks[i], file);
		}
		vk_index_free(&index);
	} else {
		FUZZ_ASSERT(err.status == VK_DAMAGED || err.status == VK_UNSUPPORTED);
		fuzz_text(err.what, sizeof(err.what));
	}
	vk_io_close(file);
	return 0;
}
