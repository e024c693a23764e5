/* SPDX-License-Identifier: Apache-2.0 */
/* The walk over files as no real volume at hand has them: pointer blocks, large blocks, damage of every kind. */
#include "memory_fs.h"

#define M ((uint64_t)MEM_MIB)
#define NONE UINT64_MAX

enum { RES = 10 }; /* the file that is looked at */

struct run {
	enum vk_run_kind kind;
	uint64_t file_offset, length, volume_offset;
};

static struct vk_fs_file *get_file(struct opened_fs *o, const struct vk_finding_sink *sink)
{
	struct vk_fs_file *file = NULL;
	struct vk_error err = {0};

	if (vk_fs_file_open(o->fs, vk_fd_address(0, RES), sink, &file, &err) != VK_OK)
		fail_msg("%s", err.what);
	return file;
}

/* The first runs of file RES, which are all of them when all is set. */
static void assert_runs(struct opened_fs *o, const struct run *list, size_t count, bool all,
			struct vk_findings *found)
{
	const struct vk_finding_sink sink = vk_findings_sink(found);
	struct vk_fs_file *file = get_file(o, &sink);
	struct vk_error err = {0};
	struct vk_fs_walk *walk;
	struct vk_fs_run run;

	assert_int_equal(vk_fs_walk_open(o->fs, file, 0, UINT64_MAX, &sink, &walk, &err), VK_OK);
	for (size_t i = 0; i < count; i++) {
		assert_true(vk_fs_walk_next(walk, &run));
		assert_string_equal(vk_run_kind_name(run.kind), vk_run_kind_name(list[i].kind));
		assert_int_equal(run.file_offset, list[i].file_offset);
		assert_int_equal(run.length_bytes, list[i].length);
		assert_int_equal(run.volume_offset, list[i].volume_offset);
	}
	assert_int_equal(vk_fs_walk_next(walk, &run), !all);
	vk_fs_walk_close(walk);
	vk_fs_file_close(file);
}

/* Exactly these codes, each so often; frees the list. */
static void assert_found(struct vk_findings *found, enum vk_finding_code code, size_t times)
{
	size_t n = 0;

	for (size_t i = 0; i < found->count; i++)
		n += found->items[i].code == code;
	assert_int_equal(n, times);
	assert_int_equal(found->count, times);
	vk_findings_free(found);
	*found = (struct vk_findings){0};
}

static void one_level(void **state)
{
	for (int six = 0; six < 2; six++) {
		struct memory_fs m = memory_fs(six);
		uint64_t reach = m.pointer_block_bytes / m.fd.pointer_bytes * M;
		uint64_t zeroed = mem_block(&m, 103) | (six ? 1 << 9 : 1 << 5);
		const struct run runs[] = {{VK_RUN_DATA, 0, 3 * M, 100 * M},
					   {VK_RUN_TBZ, 3 * M, M, 103 * M},
					   {VK_RUN_HOLE, 4 * M, 2 * reach - 4 * M, NONE},
					   {VK_RUN_DATA, 2 * reach, M, 7 * M},
					   {VK_RUN_HOLE, 2 * reach + M, M + 5, NONE}};
		struct vk_findings found = {0};
		struct opened_fs o;

		(void)state;
		mem_file(&m, RES, VK_FILE_ORDINARY, VK_ZLA_POINTER_BLOCK, 2 * reach + 2 * M + 5, M);
		mem_pointer(&m, RES, 0, mem_pb(&m, 0));
		mem_pointer(&m, RES, 2, mem_pb(&m, 3));
		for (uint32_t i = 0; i < 3; i++)
			mem_entry(&m, 0, i, mem_block(&m, 100 + i));
		mem_entry(&m, 0, 3, zeroed);
		mem_entry(&m, 3, 0, mem_block(&m, 7));
		mem_open(&m, NULL, &o);
		assert_runs(&o, runs, 5, true, &found);
		assert_found(&found, VK_F_FILE_ADDRESS, 0);
		fs_done(&o);
	}
}

/* Files of 2^60 bytes: holes as large as a pointer says, and an end where no address reaches. */
static void two_levels(void **state)
{
	for (int six = 0; six < 2; six++) {
		struct memory_fs m = memory_fs(six);
		uint64_t per = m.pointer_block_bytes / m.fd.pointer_bytes, reach = per * M, far = per * reach;
		uint64_t end = m.fd.pointers * far;
		const struct run runs[] = {{VK_RUN_DATA, 0, M, 100 * M},
					   {VK_RUN_HOLE, M, 3 * reach - M, NONE},
					   /* a pointer block that names itself, and one that was used before */
					   {VK_RUN_MISSING, 3 * reach, 2 * reach, NONE},
					   {VK_RUN_HOLE, 5 * reach, 2 * far - 5 * reach, NONE},
					   {VK_RUN_MISSING, 2 * far, far, NONE},
					   {VK_RUN_HOLE, 3 * far, end - 3 * far, NONE},
					   {VK_RUN_MISSING, end, (1ULL << 60) - end, NONE}};
		struct vk_findings found = {0};
		struct opened_fs o;

		(void)state;
		mem_file(&m, RES, VK_FILE_ORDINARY, VK_ZLA_DOUBLE, 1ULL << 60, M);
		mem_pointer(&m, RES, 0, mem_pb(&m, 1));
		mem_pointer(&m, RES, 2, mem_pb(&m, 1));
		mem_entry(&m, 1, 0, mem_pb(&m, 2));
		mem_entry(&m, 1, 3, mem_pb(&m, 1));
		mem_entry(&m, 1, 4, mem_pb(&m, 2));
		mem_entry(&m, 2, 0, mem_block(&m, 100));
		mem_open(&m, NULL, &o);
		/* VMFS6 reaches farther than the file is long */
		assert_runs(&o, runs, end < 1ULL << 60 ? 7 : 5, end < 1ULL << 60, &found);
		if (end < 1ULL << 60) {
			assert_int_equal(found.items[found.count - 1].code, VK_F_FILE_LENGTH);
			found.count--;
		}
		assert_found(&found, VK_F_FILE_POINTER_BLOCK_TWICE, 3);
		fs_done(&o);
	}
}

/* Addresses that no block has. */
static void senseless(void **state)
{
	struct memory_fs m = memory_fs(false);
	const struct run runs[] = {{VK_RUN_MISSING, 0, 4 * M, NONE},
				   {VK_RUN_DATA, 4 * M, 8192, MEM_SBC + MEM_GROUP + 1024 + 35 * 8192},
				   {VK_RUN_MISSING, 4 * M + 8192, M - 8192, NONE},
				   {VK_RUN_DATA, 5 * M, M, 0}};
	const struct run length[] = {{VK_RUN_HOLE, 0, 256 * M, NONE}, {VK_RUN_MISSING, 256 * M, M, NONE}};
	struct vk_findings found = {0};
	struct opened_fs o;

	(void)state;
	mem_file(&m, RES, VK_FILE_ORDINARY, VK_ZLA_FILE_BLOCK, 6 * M, M);
	mem_pointer(&m, RES, 0, mem_block(&m, MEM_BLOCKS));        /* behind the volume */
	mem_pointer(&m, RES, 1, vk_fd_address(0, 1));              /* a descriptor */
	mem_pointer(&m, RES, 2, 7);                                /* no kind of VMFS5 */
	mem_pointer(&m, RES, 3, 2 | 1 << 6);                       /* a sub-block that there is not */
	mem_pointer(&m, RES, 4, 2 | 3ULL << 28 | 2 << 3);          /* sub-block 35: shorter than the file's blocks */
	mem_pointer(&m, RES, 5, mem_block(&m, 0));
	mem_file(&m, RES + 1, VK_FILE_ORDINARY, VK_ZLA_FILE_BLOCK, 257 * M, M);
	mem_open(&m, NULL, &o);
	assert_runs(&o, runs, 4, true, &found);
	assert_found(&found, VK_F_FILE_ADDRESS, 5);
	fs_done(&o);

	m = memory_fs(false);
	mem_file(&m, RES, VK_FILE_ORDINARY, VK_ZLA_FILE_BLOCK, 257 * M, M);
	mem_open(&m, NULL, &o);
	assert_runs(&o, length, 2, true, &found);
	assert_found(&found, VK_F_FILE_LENGTH, 1);
	fs_done(&o);

	/* pointers that lead to no pointer block */
	m = memory_fs(false);
	mem_file(&m, RES, VK_FILE_ORDINARY, VK_ZLA_POINTER_BLOCK2, 3 * M, M);
	mem_pointer(&m, RES, 0, mem_block(&m, 100));
	mem_open(&m, NULL, &o);
	assert_runs(&o, (struct run[]){{VK_RUN_MISSING, 0, 3 * M, NONE}}, 1, true, &found);
	assert_found(&found, VK_F_FILE_POINTER_BLOCK, 1);
	fs_done(&o);

	m = memory_fs(false);
	mem_file(&m, RES, VK_FILE_ORDINARY, VK_ZLA_RESIDENT, 2000, 8192);
	mem_open(&m, NULL, &o);
	assert_runs(&o, (struct run[]){{VK_RUN_RESIDENT, 0, 1024, mem_fd_at(&m, RES) + 1024},
				       {VK_RUN_MISSING, 1024, 976, NONE}}, 2, true, &found);
	assert_found(&found, VK_F_FILE_LENGTH, 1);
	fs_done(&o);

	m = memory_fs(false);
	mem_file(&m, RES, VK_FILE_RDM, 0, 1ULL << 40, M);
	mem_open(&m, NULL, &o);
	assert_runs(&o, (struct run[]){{VK_RUN_MISSING, 0, 1ULL << 40, NONE}}, 1, true, &found);
	assert_found(&found, VK_F_FILE_LENGTH, 0);
	fs_done(&o);
}

/* .sbc.sf that lies in its own sub-blocks, .pb2.sf in its own pointer blocks: nothing leads anywhere, and it ends. */
static void circles(void **state)
{
	struct memory_fs m = memory_fs(true);
	struct vk_findings found = {0};
	struct opened_fs o;

	(void)state;
	mem_file(&m, VK_SYSTEM_PB2, VK_FILE_SYSTEM, VK_ZLA_DOUBLE, 5 * M, M);
	mem_pointer(&m, VK_SYSTEM_PB2, 0, mem_pb(&m, 0));
	mem_file(&m, VK_SYSTEM_SBC, VK_FILE_SYSTEM, VK_ZLA_SUB_BLOCK, 5 * M, M);
	for (uint32_t i = 0; i < 5; i++)
		mem_pointer(&m, VK_SYSTEM_SBC, i, 2);
	mem_file(&m, RES, VK_FILE_ORDINARY, VK_ZLA_SUB_BLOCK, M, 65536);
	for (uint32_t i = 0; i < 16; i++)
		mem_pointer(&m, RES, i, 2 | (uint64_t)i << 56);
	mem_open(&m, NULL, &o);
	assert_false(o.info->system[VK_SYSTEM_SBC].has_resource);
	assert_runs(&o, (struct run[]){{VK_RUN_MISSING, 0, M, NONE}}, 1, true, &found);
	assert_found(&found, VK_F_FILE_ADDRESS, 0);
	fs_done(&o);
}

/* One large block on two extents: its address stands in 512 pointers, and it is cut where the second one begins. */
static void large_block(void **state)
{
	enum { LFB = 512 * MEM_MIB, SEAM = 1200 * MEM_MIB };
	struct memory_fs m = memory_fs(true);
	struct vk_run first = {0, 0, SEAM}, second = {SEAM, 8 * MEM_MIB, 10ULL * SEAM};
	struct vk_lab_disk other = memory_disk(20ULL * SEAM);
	struct vk_vmfs vmfs[2] = {{.runs = &first, .run_count = 1}, {.runs = &second, .run_count = 1}};
	struct vk_fs_extent extents[2] = {{.vmfs = &vmfs[0], .source = 4}, {.vmfs = &vmfs[1], .source_bytes = 1000}};
	struct vk_error err = {0};
	struct vk_fs_walk *walk;
	struct vk_fs_run run;
	struct vk_fs_file *file;
	struct vk_fs *fs;
	uint64_t missing, allocated;
	char text[11] = "";
	size_t got;

	(void)state;
	mem_file(&m, RES, VK_FILE_ORDINARY, VK_ZLA_POINTER_BLOCK2, LFB, M);
	mem_pointer(&m, RES, 0, mem_pb(&m, 1));
	for (uint32_t i = 0; i < 512; i++)
		mem_entry(&m, 1, i, VK_ADDRESS_LARGE_BLOCK | 2ULL << 15);
	mem_put(&m, SEAM - 5, "begin", 5);
	assert_int_equal(pwrite(other.fd, "other", 5, 8 * MEM_MIB), 5);
	extents[0].io = memory_io(m.disk.fd);
	extents[1].io = memory_io(other.fd);
	assert_int_equal(vk_fs_open(extents, 2, NULL, &fs, &err), VK_OK);
	assert_int_equal(vk_fs_file_open(fs, vk_fd_address(0, RES), &sound, &file, &err), VK_OK);
	assert_int_equal(vk_fs_walk_open(fs, file, 0, UINT64_MAX, &sound, &walk, &err), VK_OK);
	assert_true(vk_fs_walk_next(walk, &run));
	assert_int_equal(run.volume_offset, 2ULL * LFB);
	assert_int_equal(run.length_bytes, SEAM - 2 * LFB);
	assert_int_equal(run.extent, 0);
	assert_true(vk_fs_walk_next(walk, &run));
	assert_int_equal(run.extent, 1);
	assert_int_equal(run.volume_offset, SEAM);
	assert_int_equal(run.source_offset, 8 * MEM_MIB + 1000);
	assert_int_equal(run.file_offset + run.length_bytes, LFB);
	assert_false(vk_fs_walk_next(walk, &run));
	vk_fs_walk_close(walk);
	assert_int_equal(vk_fs_read(fs, file, SEAM - 2 * LFB - 5, text, 10, &got, &err), VK_OK);
	assert_int_equal(got, 10);
	assert_string_equal(text, "beginother");
	vk_fs_file_close(file);
	vk_fs_close(fs);

	/* the second extent is not given */
	assert_int_equal(vk_fs_open(extents, 1, NULL, &fs, &err), VK_OK);
	assert_int_equal(vk_fs_file_open(fs, vk_fd_address(0, RES), &sound, &file, &err), VK_OK);
	assert_int_equal(vk_fs_walk_open(fs, file, SEAM - 2 * LFB, 2 * M, &sound, &walk, &err), VK_OK);
	assert_true(vk_fs_walk_next(walk, &run));
	assert_int_equal(run.kind, VK_RUN_MISSING);
	assert_int_equal(run.volume_offset, SEAM);
	assert_int_equal(run.extent, SIZE_MAX);
	vk_fs_walk_close(walk);
	assert_int_equal(vk_fs_measure(fs, file, &missing, NULL, &allocated, &err), VK_OK);
	assert_int_equal(missing, 3ULL * LFB - SEAM);
	vk_fs_file_close(file);
	vk_fs_close(fs);

	/* one twice */
	vk_io_close(extents[1].io);
	extents[1] = extents[0];
	assert_int_equal(vk_fs_open(extents, 2, NULL, &fs, &err), VK_USAGE);
	vk_io_close(extents[0].io);
}

static void overwrite(struct memory_fs *m, uint64_t at, size_t len)
{
	static const uint8_t rubbish[8192] = {1, 2, 3};

	mem_put(m, at, rubbish, len);
}

static void descriptors(void **state)
{
	struct vk_findings found = {0};
	const struct vk_finding_sink sink = vk_findings_sink(&found);
	struct vk_error err = {0};
	struct vk_fs_file *file;
	struct opened_fs o;
	struct memory_fs m = memory_fs(false);

	(void)state;
	/* one wrong field, and two */
	mem_file(&m, RES, VK_FILE_ORDINARY, VK_ZLA_FILE_BLOCK, M, M);
	overwrite(&m, mem_fd_at(&m, RES) + 4, 8);
	mem_file(&m, RES + 1, VK_FILE_ORDINARY, VK_ZLA_FILE_BLOCK, M, M);
	overwrite(&m, mem_fd_at(&m, RES + 1), 12);
	mem_open(&m, NULL, &o);
	vk_fs_file_close(get_file(&o, &sink));
	assert_found(&found, VK_F_FILE_DESCRIPTOR, 1);
	assert_int_equal(vk_fs_file_open(o.fs, vk_fd_address(0, RES + 1), &sink, &file, &err), VK_DAMAGED);
	assert_int_equal(vk_fs_file_open(o.fs, vk_fd_address(0, MEM_FDS), &sink, &file, &err), VK_DAMAGED);
	assert_int_equal(vk_fs_file_open(o.fs, vk_fd_address(1, 0), &sink, &file, &err), VK_DAMAGED);
	assert_int_equal(vk_fs_file_open(o.fs, 0x41, &sink, &file, &err), VK_DAMAGED);
	assert_int_equal(found.count, 0);
	fs_done(&o);

	/* without the descriptor of .fdc.sf, and without its metadata as well, the others are still found */
	for (int six = 0; six < 2; six++) {
		m = memory_fs(six);
		mem_file(&m, RES, VK_FILE_ORDINARY, VK_ZLA_FILE_BLOCK, M, M);
		overwrite(&m, mem_fd_at(&m, VK_SYSTEM_FDC), m.fd.fd_bytes);
		mem_open(&m, &sink, &o);
		assert_true(vk_findings_have(&found, VK_F_FILE_DESCRIPTOR, mem_fd_at(&m, VK_SYSTEM_FDC)));
		assert_false(o.info->system[VK_SYSTEM_FDC].has_fd);
		vk_fs_file_close(get_file(&o, &sound));
		fs_done(&o);
		vk_findings_free(&found);
		found = (struct vk_findings){0};

		m = memory_fs(six);
		mem_file(&m, RES, VK_FILE_ORDINARY, VK_ZLA_FILE_BLOCK, M, M);
		overwrite(&m, m.fdc_start, 512);
		mem_open(&m, &sink, &o);
		assert_true(vk_findings_have(&found, VK_F_FILE_RESOURCE, m.fdc_start));
		vk_fs_file_close(get_file(&o, &sound));
		fs_done(&o);
		vk_findings_free(&found);
		found = (struct vk_findings){0};
	}
}

static void refused(void **state)
{
	struct memory_fs m = memory_fs(false);
	struct vk_error err = {0};
	struct opened_fs o;

	(void)state;
	assert_int_equal(vk_fs_open(NULL, 0, NULL, &o.fs, &err), VK_USAGE);
	mem_put(&m, VK_FS_OFFSET + 4, "\x63", 1);
	assert_int_equal(fs_try(memory_io(m.disk.fd), true, NULL, &o, &err), VK_UNSUPPORTED);
	fs_done(&o);
	m = memory_fs(true);
	overwrite(&m, VK_FS_OFFSET, 512);
	assert_int_equal(fs_try(memory_io(m.disk.fd), true, NULL, &o, &err), VK_DAMAGED);
	fs_done(&o);
	/* metadata blocks in which no file descriptor has room */
	m = memory_fs(true);
	mem_put(&m, VK_FS_OFFSET + 0x134, "\0\2\0\0", 4);
	assert_int_equal(fs_try(memory_io(m.disk.fd), true, NULL, &o, &err), VK_UNSUPPORTED);
	fs_done(&o);
	m = memory_fs(true);
	assert_int_equal(ftruncate(m.disk.fd, VK_FS_OFFSET + 100), 0);
	assert_int_equal(fs_try(memory_io(m.disk.fd), true, NULL, &o, &err), VK_ABSENT);
	fs_done(&o);
}

/* The volume ends inside a large block: what lies behind its end is not read from its beginning instead. */
static void short_large_block(void **state)
{
	enum { LFB = 512 * MEM_MIB };
	struct memory_fs m = memory_fs(true);
	struct vk_run all = {0, 0, 3ULL * LFB};
	struct vk_lvm_volume_at volume = {.volume.logicalSize = 2ULL * LFB + LFB / 2};
	struct vk_vmfs vmfs = {.runs = &all, .run_count = 1, .volumes = &volume, .volume_count = 1};
	struct vk_fs_extent extent = {.vmfs = &vmfs};
	struct vk_error err = {0};
	struct vk_fs_walk *walk;
	struct vk_fs_file *file;
	struct vk_fs_run run;
	struct vk_fs *fs;

	(void)state;
	mem_file(&m, RES, VK_FILE_ORDINARY, VK_ZLA_POINTER_BLOCK2, LFB, M);
	mem_pointer(&m, RES, 0, mem_pb(&m, 1));
	for (uint32_t i = 0; i < 512; i++)
		mem_entry(&m, 1, i, VK_ADDRESS_LARGE_BLOCK | 2ULL << 15);
	extent.io = memory_io(m.disk.fd);
	assert_int_equal(vk_fs_open(&extent, 1, NULL, &fs, &err), VK_OK);
	assert_int_equal(vk_fs_file_open(fs, vk_fd_address(0, RES), &sound, &file, &err), VK_OK);
	assert_int_equal(vk_fs_walk_open(fs, file, 0, UINT64_MAX, NULL, &walk, &err), VK_OK);
	assert_true(vk_fs_walk_next(walk, &run));
	assert_int_equal(run.kind, VK_RUN_DATA);
	assert_int_equal(run.volume_offset, 2ULL * LFB);
	assert_int_equal(run.length_bytes, LFB / 2);
	assert_true(vk_fs_walk_next(walk, &run));
	assert_int_equal(run.kind, VK_RUN_MISSING);
	assert_int_equal(run.length_bytes, LFB / 2);
	assert_false(vk_fs_walk_next(walk, &run));
	vk_fs_walk_close(walk);
	vk_fs_file_close(file);
	vk_fs_close(fs);
	vk_io_close(extent.io);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_level), cmocka_unit_test(two_levels), cmocka_unit_test(senseless),
		cmocka_unit_test(circles), cmocka_unit_test(large_block), cmocka_unit_test(descriptors),
		cmocka_unit_test(refused), cmocka_unit_test(short_large_block),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
