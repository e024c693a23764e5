/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files of a logical volume: opened, walked, read, measured, checked, and searched for what was deleted, whatever stands
 * there. The input is laid over a volume of zeros: a list of offset (5 bytes), length (2 bytes), the bytes; a later piece
 * covers an earlier one. The first byte cuts the volume, in units of 256 KiB, unless it is 0.
 */
#include "base/checked.h"
#include "fuzz.h"
#include "vmfskit/fs_check.h"
#include "vmfskit/overlay.h"
#include "vmfskit/undelete_carve.h"

enum { FDS = 24, RUNS_MAX = 3000, VOLUME_BYTES_LOG = 36 };

static struct vk_fuzz_volume {
	struct vk_io *zeros, *cut;
	struct vk_overlay *overlay;
	struct vk_vmfs vmfs;
	struct vk_fs *fs;
} v;

static void lay_pieces(struct fuzz_input *in)
{
	static const struct vk_io_piece all = {0, 1ULL << VOLUME_BYTES_LOG, NULL};
	uint64_t cut = fuzz_take(in, 1) << 18;
	struct vk_error err = {0};

	v.zeros = vk_io_pieces("fuzz", &all, 1, 512, NULL);
	v.overlay = vk_overlay_new(v.zeros);
	while (in->size > 0) {
		uint64_t offset = fuzz_take(in, 5);
		uint64_t length = fuzz_take(in, 2);

		length = vk_min_u64(length, in->size);
		if (length > 0 && offset + length <= all.length_bytes)
			FUZZ_ASSERT(vk_overlay_lay(v.overlay, offset, in->data, (size_t)length, "fuzz", 0, NULL, &err) ==
				    VK_OK);
		in->data += length;
		in->size -= length;
	}
	v.cut = vk_io_window(vk_overlay_io(v.overlay), 0, cut != 0 ? cut : UINT64_MAX);
}

static void look_at_run(const struct vk_fs_run *run, uint64_t at, uint64_t end)
{
	FUZZ_ASSERT(vk_run_kind_name(run->kind)[0] != '\0');
	FUZZ_ASSERT(run->file_offset == at && run->length_bytes > 0 && run->length_bytes <= end - at);
	FUZZ_ASSERT(run->kind != VK_RUN_DATA || (run->extent == 0 && run->source_offset == run->volume_offset));
	FUZZ_ASSERT(run->kind != VK_RUN_HOLE || run->volume_offset == UINT64_MAX);
	FUZZ_ASSERT(run->volume_offset == UINT64_MAX || run->volume_offset < 1ULL << 63);
}

static void look_at_file(const struct vk_fs_file *file, uint64_t from, const struct vk_finding_sink *sink)
{
	static uint8_t buf[100000];
	uint64_t at = from, end = file->meta.fileLength;
	struct vk_error err = {0};
	struct vk_fs_walk *walk;
	struct vk_fs_run run;
	unsigned runs = 0;
	size_t got = 0;

	(void)vk_fs_file_is_folder(file);
	FUZZ_ASSERT(vk_fs_walk_open(v.fs, file, from, UINT64_MAX, sink, &walk, &err) == VK_OK);
	for (; runs < RUNS_MAX && vk_fs_walk_next(walk, &run); runs++) {
		look_at_run(&run, at, end);
		at += run.length_bytes;
	}
	FUZZ_ASSERT(runs == RUNS_MAX || at == (from < end ? end : from));
	vk_fs_walk_close(walk);
	FUZZ_ASSERT(vk_fs_read(v.fs, file, from, buf, sizeof(buf), &got, &err) == VK_OK);
	FUZZ_ASSERT(got <= sizeof(buf) && (from < end ? got <= end - from : got == 0));
}

static void look_at_files(const struct vk_finding_sink *sink)
{
	for (uint32_t i = 0; i < FDS; i++) {
		struct vk_fs_file *file = NULL;
		struct vk_error err = {0};
		uint64_t missing, allocated;

		if (vk_fs_file_open(v.fs, vk_fd_address(0, i), sink, &file, &err) != VK_OK) {
			FUZZ_ASSERT(file == NULL && err.what[0] != '\0');
			continue;
		}
		look_at_file(file, 0, sink);
		look_at_file(file, file->meta.fileLength / 2 + 3, NULL);
		FUZZ_ASSERT(vk_fs_measure(v.fs, file, &missing, NULL, &allocated, &err) == VK_OK);
		FUZZ_ASSERT(missing <= file->meta.fileLength);
		vk_fs_file_close(file);
	}
}

static void look_at_candidates(const struct vk_finding_sink *sink)
{
	struct vk_carved carved;
	struct vk_error err = {0};

	FUZZ_ASSERT(vk_carve(v.fs, NULL, sink, &carved, &err) == VK_OK);
	for (size_t i = 0; i < carved.found.count; i++) {
		const struct vk_undelete_file *f = &carved.found.files[i];
		uint64_t at = 0;

		FUZZ_ASSERT(carved.marks[i].name[0] == '#' && f->bytes[VK_UNDELETE_UNTOUCHED] == 0);
		FUZZ_ASSERT(f->verdict != VK_UNDELETE_ALL_UNTOUCHED);
		for (size_t k = 0; k < f->range_count; k++) {
			FUZZ_ASSERT(f->ranges[k].file_offset == at && f->ranges[k].length_bytes > 0);
			at = vk_add_sat(at, f->ranges[k].length_bytes);
		}
	}
	vk_carved_free(&carved);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = {data, size};
	struct vk_fs_extent extent = {.vmfs = &v.vmfs};
	struct vk_error err = {0};
	struct vk_fs_check check = {.files = 0};
	struct fuzz_count count;
	const struct vk_finding_sink sink = fuzz_sink(&count);

	v = (struct vk_fuzz_volume){.vmfs = {.volume_only = true}};
	lay_pieces(&in);
	extent.io = v.cut;
	if (vk_fs_open(&extent, 1, &sink, &v.fs, &err) == VK_OK) {
		look_at_files(&sink);
		FUZZ_ASSERT(vk_fs_check(v.fs, &sink, &check, &err) == VK_OK);
		FUZZ_ASSERT(check.blocks_allocated <= check.blocks);
		vk_fs_check_free(&check);
		look_at_candidates(&sink);
	} else {
		FUZZ_ASSERT(v.fs == NULL && err.what[0] != '\0');
	}
	vk_fs_close(v.fs);
	vk_io_close(v.cut);
	vk_overlay_free(v.overlay);
	vk_io_close(v.zeros);
	return 0;
}
