/* SPDX-License-Identifier: Apache-2.0 */
/* What a volume says of itself, on the real VMFS3 volume and on such volumes with more and more of it gone. */
#include "header_bench.h"
#include "real_volumes.h"
#include "evidence/self/report.h"

enum { DATA = 0x1100000 };
static struct vk_io *real;
static struct vk_self_report r;
#define FACT_NAME(id, name, what) name,
static const char *const fact_names[] = {VK_SELF_FACTS(FACT_NAME)};

static int open_real(void **state)
{
	(void)state;
	real = header_bench_real();
	return 0;
}

static int close_real(void **state)
{
	(void)state;
	vk_io_close(real);
	return 0;
}

static void look(struct vk_io *io, uint64_t start)
{
	struct vk_error err = {0};

	assert_int_equal(vk_self_report_at(io, start, vk_io_size_bytes(io), &r, &err), VK_OK);
}

static void assert_fact(enum vk_self_fact_id id, uint64_t value, enum vk_self_sure sure)
{
	if (r.facts[id].value != value || r.facts[id].sure != sure)
		fail_msg("%s: %llu, sure %d, from \"%s\"", fact_names[id],
			 (unsigned long long)r.facts[id].value, r.facts[id].sure, r.facts[id].from);
	assert_true(sure == VK_SELF_UNKNOWN || r.facts[id].from[0] != '\0');
}

/* A geometry: version and block size are known. */
static bool found(void)
{
	return r.facts[VK_SELF_FS_MAJOR].sure != VK_SELF_UNKNOWN &&
	       r.facts[VK_SELF_FILE_BLOCK_SIZE].sure != VK_SELF_UNKNOWN;
}

static void assert_real_volume(void)
{
	assert_true(found());
	assert_fact(VK_SELF_FS_MAJOR, 4, VK_SELF_CERTAIN);
	assert_fact(VK_SELF_FS_MINOR, 31, VK_SELF_LIKELY);
	assert_fact(VK_SELF_FILE_BLOCK_SIZE, 1 << 20, VK_SELF_CERTAIN);
	assert_fact(VK_SELF_FDC_GROUP_OFFSET, 0x10000, VK_SELF_CERTAIN);
	assert_fact(VK_SELF_FDC_PER_GROUP, 32, VK_SELF_CERTAIN);
	assert_fact(VK_SELF_SUB_BLOCK_SIZE, 65536, VK_SELF_CERTAIN);
	assert_fact(VK_SELF_MD_ALIGNMENT, 0, VK_SELF_CERTAIN);
	assert_fact(VK_SELF_LFB_SHIFT, 0, VK_SELF_UNKNOWN);
	assert_fact(VK_SELF_FILE_BLOCKS, 1024, VK_SELF_CERTAIN);
	assert_fact(VK_SELF_LOGICAL_SIZE, 1 << 30, VK_SELF_CERTAIN);
	assert_fact(VK_SELF_FIRST_TIME, 0x49EDF844, VK_SELF_LIKELY);
	assert_int_equal(r.fs_major, 4);
	assert_int_equal(r.logical_bytes, 1 << 30);
	assert_int_equal(r.volume_start_bytes, DATA);
	assert_int_equal(r.heartbeats.slot_bytes, 512);
	assert_int_equal(r.heartbeats.placed, 2048);
	assert_int_equal(r.heartbeats.driver_offset, 0x3E0600);
}

static void the_real_volume(void **state)
{
	(void)state;
	if (real == NULL)
		skip();
	look(real, DATA);
	assert_real_volume();
	assert_true(r.files[VK_SYSTEM_FBB].count_confirmed);
	for (unsigned i = VK_SYSTEM_ROOT; i <= VK_SYSTEM_VH; i++)
		assert_true(r.files[i].has_fd);
	assert_false(r.files[VK_SYSTEM_PB2].has_fd);
	assert_int_equal(r.files[VK_SYSTEM_PBC].resource.resourceSize, 4096);
	assert_int_equal(r.files[VK_SYSTEM_SBC].first_block, 8 << 20);
	assert_string_equal(r.size_from, ".fbb.sf: 1024 blocks of 1 MiB, by the metadata at volume offset 0x600000");
}

static void at_the_wrong_place(void **state)
{
	(void)state;
	if (real == NULL)
		skip();
	look(real, DATA - 512);
	assert_false(found());
	assert_int_equal(r.self_located, 0);
	look(real, vk_io_size_bytes(real) - 100);
	assert_false(found());
	look(real, UINT64_MAX - 5);
	assert_false(found());
}

static const struct vk_self_report *look_without(const struct vk_io_piece *gone, size_t count)
{
	static uint8_t zeros[1 << 20];
	struct vk_overlay *o = vk_overlay_new(real);
	struct vk_error err = {0};

	assert_non_null(o);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(vk_overlay_put(o, DATA + gone[i].offset_bytes, zeros,
						(size_t)gone[i].length_bytes, "test", 0, &err), VK_OK);
	look(vk_overlay_io(o), DATA);
	vk_overlay_free(o);
	return &r;
}
#define LOOK_WITHOUT(...) \
	look_without((const struct vk_io_piece[]){__VA_ARGS__}, \
		     sizeof((const struct vk_io_piece[]){__VA_ARGS__}) / sizeof(struct vk_io_piece))

static void with_less_and_less(void **state)
{
	(void)state;
	if (real == NULL)
		skip();
	/* the descriptor is not asked */
	LOOK_WITHOUT({0x200000, 512, NULL});
	assert_real_volume();
	/* without .fdc.sf's own metadata: the place of its clusters tells the same */
	LOOK_WITHOUT({0x400000, 512, NULL});
	assert_fact(VK_SELF_FDC_GROUP_OFFSET, 0x10000, VK_SELF_LIKELY);
	assert_fact(VK_SELF_FDC_PER_GROUP, 32, VK_SELF_LIKELY);
	assert_fact(VK_SELF_LOGICAL_SIZE, 1 << 30, VK_SELF_CERTAIN);
	/* without the first clusters */
	LOOK_WITHOUT({0x410000, 0x8000, NULL});
	assert_fact(VK_SELF_FDC_GROUP_OFFSET, 0x10000, VK_SELF_LIKELY);
	/* without all file descriptors but one */
	LOOK_WITHOUT({0x418000, 0x1000, NULL}, {0x419800, 0x1800, NULL});
	assert_true(found());
	assert_fact(VK_SELF_FILE_BLOCK_SIZE, 1 << 20, VK_SELF_CERTAIN);
	assert_fact(VK_SELF_MD_ALIGNMENT, 0, VK_SELF_LIKELY);
	assert_fact(VK_SELF_LOGICAL_SIZE, 0, VK_SELF_UNKNOWN);
	/* without heartbeats: 64 KiB sub-blocks are a guess at VMFS3 */
	LOOK_WITHOUT({0x300000, 1 << 20, NULL});
	assert_fact(VK_SELF_FS_MAJOR, 4, VK_SELF_GUESS);
	assert_fact(VK_SELF_FS_MINOR, 0, VK_SELF_UNKNOWN);
	/* heartbeats alone */
	LOOK_WITHOUT({0x400000, 1 << 20, NULL});
	assert_false(found());
	assert_fact(VK_SELF_FS_MAJOR, 4, VK_SELF_LIKELY);
	assert_int_equal(r.self_located, 2048);
}

/* The volumes of 2021; .sbc.sf of the VMFS6 one is mapped by a pointer block. */
static void volumes_of_2021(void **state)
{
	(void)state;
	for (unsigned six = 0; six < 2; six++) {
		struct vk_io *io = real_volume_open(&real_volumes[1 + six]);

		if (io == NULL)
			skip();
		look(io, DATA);
		vk_io_close(io);
		assert_true(found());
		assert_fact(VK_SELF_FS_MAJOR, six ? 24 : 14, VK_SELF_CERTAIN);
		assert_fact(VK_SELF_FILE_BLOCK_SIZE, 1 << 20, VK_SELF_CERTAIN);
		assert_fact(VK_SELF_FDC_GROUP_OFFSET, 0x10000, VK_SELF_CERTAIN);
		assert_fact(VK_SELF_FDC_PER_GROUP, six ? 8 : 64, VK_SELF_CERTAIN);
		assert_fact(VK_SELF_SUB_BLOCK_SIZE, six ? 65536 : 8192, VK_SELF_CERTAIN);
		assert_fact(VK_SELF_MD_ALIGNMENT, six ? 4096 : 0, VK_SELF_CERTAIN);
		assert_fact(VK_SELF_FILE_BLOCKS, six ? 768 : 256, six ? VK_SELF_LIKELY : VK_SELF_CERTAIN);
		assert_fact(VK_SELF_LFB_SHIFT, six ? 9 : 0, six ? VK_SELF_CERTAIN : VK_SELF_UNKNOWN);
		assert_fact(VK_SELF_DENSE, !six, six ? VK_SELF_UNKNOWN : VK_SELF_CERTAIN);
		assert_fact(VK_SELF_POINTER_BLOCK_SIZE, six ? 65536 : 0, six ? VK_SELF_CERTAIN : VK_SELF_UNKNOWN);
		assert_fact(VK_SELF_JOURNAL_BLOCK_SIZE, six ? 2 << 20 : 0, six ? VK_SELF_CERTAIN : VK_SELF_UNKNOWN);
		assert_fact(VK_SELF_FIRST_TIME, six ? 0x6113001E : 0x61137DD5, VK_SELF_LIKELY);
		assert_int_equal(r.files[VK_SYSTEM_SBC].first_block, six ? 0x8B00000 : 0x800000);
		/* one block of each names the session that made it */
		assert_int_equal(r.host_count, 1);
		assert_int_equal(r.hosts[0].offset, six ? 0x922000 : 0x37B000);
	}
}

/* What the lab wrote is what is read back, on every version and size. */
static void volumes_of_the_lab(void **state)
{
	static const struct {
		const char *spec;
		uint64_t bytes;
		unsigned major;
		uint32_t block, sub;
		unsigned locks; /* of file descriptors and clusters in the first MiB of .fdc.sf */
	} cases[] = {
		{"version=3", 300 << 20, 4, 1 << 20, 65536, 8},
		{"version=3,block-size=2M", 5 * GIB, 4, 2 << 20, 65536, 25},
		{"version=3,block-size=4M", 5 * GIB, 4, 4 << 20, 65536, 16},
		{"version=3,block-size=8M", 5 * GIB, 4, 8 << 20, 65536, 11},
		{"version=3", 64 * TIB, 4, 1 << 20, 65536, 38},
		{"version=5", 300 << 20, 14, 1 << 20, 8192, 10},
		{"version=5", 64 * TIB, 14, 1 << 20, 8192, 72},
		{"version=6", 300 << 20, 24, 1 << 20, 65536, 17},
		{"version=6", 64 * TIB, 24, 1 << 20, 65536, 17},
		{"version=6l,live=3", 20 * GIB, 24, 1 << 20, 65536, 17},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct vk_io *io = header_bench_lab(cases[i].spec, cases[i].bytes, 1, 0);
		uint64_t units = vk_lab_pe_count(cases[i].major == 24 ? 6 : 5, cases[i].bytes);
		char votes[64];

		look(io, DATA);
		assert_true(found());
		assert_fact(VK_SELF_FS_MAJOR, cases[i].major, VK_SELF_CERTAIN);
		assert_fact(VK_SELF_FS_MINOR, cases[i].major == 4 ? 31 : cases[i].major == 14 ? 81 : 82, VK_SELF_LIKELY);
		assert_fact(VK_SELF_FILE_BLOCK_SIZE, cases[i].block, VK_SELF_CERTAIN);
		assert_fact(VK_SELF_SUB_BLOCK_SIZE, cases[i].sub, VK_SELF_CERTAIN);
		assert_fact(VK_SELF_LOGICAL_SIZE, units * VK_LVM_PE_BYTES,
			    cases[i].major == 24 || cases[i].bytes > TIB ? VK_SELF_LIKELY : VK_SELF_CERTAIN);
		assert_fact(VK_SELF_MD_ALIGNMENT, cases[i].major == 24 ? 4096 : 0, VK_SELF_CERTAIN);
		assert_fact(VK_SELF_LFB_SHIFT, cases[i].major == 24 ? 9 : 0,
			    cases[i].major == 24 ? VK_SELF_CERTAIN : VK_SELF_UNKNOWN);
		assert_fact(VK_SELF_FDC_GROUP_OFFSET, 0x10000, VK_SELF_CERTAIN);
		assert_fact(VK_SELF_FDC_PER_GROUP, cases[i].major == 4 ? 32 : cases[i].major == 14 ? 64 : 8, VK_SELF_CERTAIN);
		assert_int_equal(r.heartbeats.placed, cases[i].major == 24 ? 1024 : 2048);
		snprintf(votes, sizeof(votes), "%u locks and %d heartbeats", cases[i].locks,
			 cases[i].major == 24 ? 1024 : 2048);
		assert_string_equal(r.votes_from, votes);
		vk_io_close(io);
	}
}

/* The files of another volume at this place: their addresses give them away. */
static void moved_files_are_no_witnesses(void **state)
{
	struct vk_io *io = header_bench_lab("version=5", 5 * GIB, 1, 0);
	uint8_t *area = malloc(1 << 20);
	struct header_bench b;

	(void)state;
	assert_non_null(area);
	header_bench_open(&b, io);
	header_bench_get(io, DATA + 0x400000, area, 1 << 20);
	header_bench_zero(&b, DATA + 0x400000, 1 << 20);
	header_bench_hurt(&b, DATA + 0x400200, area, (1 << 20) - 0x200);
	look(vk_overlay_io(b.damage), DATA);
	assert_false(found());
	assert_int_equal(r.heartbeats.placed, 2048);
	assert_fact(VK_SELF_FILE_BLOCK_SIZE, 0, VK_SELF_UNKNOWN);
	free(area);
	header_bench_close(&b);
}

/* A byte of noise in each place of the file descriptors and metadata: never a wrong number that claims to be certain. */
static void noise(void **state)
{
	static const uint64_t areas[][2] = {{0x400000, 0x58}, {0x410000, 0x400}, {0x418800, 0x410}, {0x419000, 0x410},
					    {0xA00000, 0x58}, {0x600000, 0x58}, {0x41A000, 0x410}};
	struct header_bench b;

	(void)state;
	header_bench_open(&b, header_bench_lab("version=3", 5 * GIB, 1, 0));
	for (size_t i = 0; i < sizeof(areas) / sizeof(areas[0]); i++)
		for (uint64_t at = 0; at < areas[i][1]; at += 1 + at / 64) {
			uint8_t byte;

			header_bench_get(b.sound, DATA + areas[i][0] + at, &byte, 1);
			byte ^= 0x41;
			header_bench_hurt(&b, DATA + areas[i][0] + at, &byte, 1);
			look(vk_overlay_io(b.damage), DATA);
			for (unsigned f = 0; f < VK_SELF_COUNT; f++) {
				static const uint64_t right[VK_SELF_COUNT] = {
					[VK_SELF_FS_MAJOR] = 4, [VK_SELF_FS_MINOR] = 31, [VK_SELF_FILE_BLOCK_SIZE] = 1 << 20,
					[VK_SELF_FDC_GROUP_OFFSET] = 0x10000, [VK_SELF_FDC_PER_GROUP] = 32,
					[VK_SELF_SUB_BLOCK_SIZE] = 65536, [VK_SELF_FILE_BLOCKS] = 19 * 256,
					[VK_SELF_LOGICAL_SIZE] = 19ULL << 28};

				if (r.facts[f].sure == VK_SELF_CERTAIN && r.facts[f].value != right[f])
					fail_msg("byte 0x%llx: %s is %llu, \"%s\"", (unsigned long long)(areas[i][0] + at),
						 fact_names[f], (unsigned long long)r.facts[f].value, r.facts[f].from);
			}
			header_bench_reset(&b);
		}
	header_bench_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_real_volume),
		cmocka_unit_test(at_the_wrong_place),
		cmocka_unit_test(with_less_and_less),
		cmocka_unit_test(volumes_of_2021),
		cmocka_unit_test(volumes_of_the_lab),
		cmocka_unit_test(moved_files_are_no_witnesses),
		cmocka_unit_test(noise),
	};

	return cmocka_run_group_tests(tests, open_real, close_real);
}
