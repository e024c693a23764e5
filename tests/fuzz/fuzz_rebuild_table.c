/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table planner. First byte: bit 0 sectors of 4096 bytes, bits 1-2 the label asked for, bit 3 the first volume is asked for,
 * bit 4 the disk itself is a capture, too. Then the length of the disk (5 bytes, sectors), how many volumes were found (1 byte),
 * each as start and length (5 bytes, sectors of 512 bytes) and a byte of standing and signs; then pieces of the disk, the rest of
 * which is zeros.
 */
#include "fuzz_pieces.h"
#include "vmfskit/rebuild_table.h"

enum { VOLUMES_MAX = 8 };

/* The disk: what fuzz_pieces gave, zeros where it gave nothing. */
struct disk {
	struct vk_io *pieces;
};

static enum vk_status read_at(void *self, uint64_t offset, void *buf, size_t len, size_t *ret_got,
			      struct vk_error *err)
{
	const struct disk *disk = self;

	memset(buf, 0, len);
	*ret_got = len;
	for (size_t done = 0; done < len;) {
		struct vk_span span = vk_io_span(disk->pieces, offset + done);
		size_t n = len - done;
		size_t got;

		if (span.state == VK_SPAN_END)
			return VK_OK;
		if (span.length_bytes < n)
			n = (size_t)span.length_bytes;
		if (span.state == VK_SPAN_DATA &&
		    vk_io_read(disk->pieces, offset + done, (uint8_t *)buf + done, n, &got, err) != VK_OK)
			return VK_IO;
		done += n;
	}
	return VK_OK;
}

static struct vk_io *open_disk(struct disk *disk, struct fuzz_input *in, uint32_t ss, uint64_t sectors)
{
	static const struct vk_io_ops ops = {.read_at = read_at};

	disk->pieces = fuzz_pieces(in, ss);
	return disk->pieces == NULL ? NULL : vk_io_new(&ops, disk, "fuzz", sectors * ss, ss);
}

static size_t take_volumes(struct fuzz_input *in, struct vk_candidate *c)
{
	size_t count = (size_t)fuzz_take(in, 1) % (VOLUMES_MAX + 1);

	for (size_t i = 0; i < count; i++) {
		unsigned signs;

		memset(&c[i], 0, sizeof(c[i]));
		c[i].start_bytes = fuzz_take(in, 5) * 512;
		c[i].length_bytes = fuzz_take(in, 5) * 512;
		signs = (unsigned)fuzz_take(in, 1);
		c[i].standing = (enum vk_standing)(signs % 4);
		c[i].has_header = c[i].length_exact = signs & 4;
		c[i].has_fs = signs & 8;
		c[i].has_volume = signs & 16;
		c[i].local = signs & 32;
		c[i].start_before_disk = (signs & 192) == 192;
		c[i].sure_percent = signs % 101;
		c[i].lvm.majorVersion = 3 + signs % 4;
		c[i].fs.majorVersion = 4 + 10 * (signs / 4 % 3);
		c[i].inside = SIZE_MAX;
	}
	return count;
}

/* Never over another, never past the disk, each number once. */
static void check(const struct vk_rebuild_table *t)
{
	uint64_t extended_end = 0;

	FUZZ_ASSERT(t->kind == VK_TABLE_MBR || t->kind == VK_TABLE_GPT);
	FUZZ_ASSERT(t->why_kind[0] != '\0');
	for (size_t i = 0; i < t->entry_count; i++) {
		const struct vk_partition *p = &t->entries[i].partition;

		FUZZ_ASSERT(p->sectors > 0 && p->start_sector > 0);
		/* what stands there already is not made to fit by repair of something else */
		FUZZ_ASSERT(t->entries[i].origin == VK_ENTRY_KEPT || p->start_sector + p->sectors <= t->disk_sectors);
		FUZZ_ASSERT(i == 0 || t->entries[i - 1].partition.number < p->number);
		FUZZ_ASSERT(p->gpt == (t->kind == VK_TABLE_GPT));
		fuzz_text(t->entries[i].why, sizeof(t->entries[i].why));
		if (vk_partition_is_extended(p)) {
			extended_end = p->start_sector + p->sectors;
			continue;
		}
		FUZZ_ASSERT(!p->logical || p->start_sector + p->sectors <= extended_end);
		for (size_t k = 0; k < i; k++) {
			const struct vk_partition *q = &t->entries[k].partition;

			FUZZ_ASSERT(vk_partition_is_extended(q) || p->start_sector >= q->start_sector + q->sectors ||
				    q->start_sector >= p->start_sector + p->sectors);
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = {data, size};
	unsigned options = (unsigned)fuzz_take(&in, 1);
	uint32_t ss = options & 1 ? 4096 : 512;
	uint64_t sectors = fuzz_take(&in, 5) % (1ULL << 38) + 1;
	static struct vk_candidate candidates[VOLUMES_MAX];
	const struct vk_find find = {.candidates = candidates, .count = take_volumes(&in, candidates)};
	const struct vk_source_options source_options = {.as = VK_SOURCE_DISK, .sector_size = ss};
	uint64_t first = candidates[0].start_bytes / ss;
	struct vk_source source;
	const struct vk_known_table known = {.source = &source, .name = "capture"};
	const struct vk_rebuild_table_options o = {.label = (enum vk_table_kind)(options >> 1 & 3) % 3,
						   .include_sectors = &first,
						   .include_count = options >> 3 & 1 && find.count > 0,
						   .known = &known,
						   .known_count = options >> 4 & 1};
	struct disk disk;
	struct vk_io *io = open_disk(&disk, &in, ss, sectors);
	struct vk_rebuild_table table;
	struct vk_overlay *overlay;
	enum vk_status status;
	struct vk_error err = {0};

	if (io == NULL)
		return 0;
	if (vk_source_open_io(io, "fuzz", VK_FORM_RAW, &source_options, &source, &err) != VK_OK) {
		vk_io_close(disk.pieces);
		return 0;
	}
	overlay = vk_overlay_new(source.io);
	if (overlay != NULL) {
		status = vk_rebuild_table(&source, &find, &o, overlay, &table, &err);
		FUZZ_ASSERT(status == VK_OK || status == VK_USAGE || status == VK_ABSENT || status == VK_REFUSED);
		if (status == VK_OK) {
			check(&table);
			vk_rebuild_table_free(&table);
		} else {
			FUZZ_ASSERT(err.what[0] != '\0');
		}
	}
	vk_overlay_free(overlay);
	vk_source_close(&source);
	vk_io_close(disk.pieces);
	return 0;
}
