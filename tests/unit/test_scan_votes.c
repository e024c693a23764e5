/* SPDX-License-Identifier: Apache-2.0 */
/* Votes of self-locating blocks: exact on honest disks, also before the start of one, and bounded on hostile ones. */
#include "fake_disk.h"
#include "find/scan/scan_state.h"
#include "lab_memory.h"
#include "vmfskit/heartbeat.h"

#define LOCK 0x10C00000U
#define MIB (1ULL << 20)

static struct fake_disk disk;

static void new_disk(uint64_t size)
{
	memset(&disk, 0, sizeof(disk));
	disk.size = size;
}

static void scan_io(struct vk_io *io, struct vk_scan *ret_scan)
{
	const struct vk_scan_options options = {.length_bytes = vk_io_size_bytes(io), .sector_size = 512};

	assert_int_equal(vk_scan(io, &options, ret_scan, NULL), VK_OK);
}

static void scan_disk(struct vk_scan *ret_scan)
{
	struct vk_io *io = fake_open(&disk);

	scan_io(io, ret_scan);
	vk_io_close(io);
}

static void kinds_are_counted(void **state)
{
	const uint64_t base = 77 * 512;
	struct vk_scan scan;
	const struct vk_vote *v;

	(void)state;
	new_disk(16 * MIB);
	for (uint32_t kind = 1; kind <= 9; kind++)
		for (uint32_t i = 0; i < kind; i++) {
			uint64_t addr = MIB + kind * 65536ULL + i * 512ULL;

			fake_put(&disk, base + addr, LOCK + kind, addr);
		}
	for (uint32_t i = 0; i < 10; i++) {
		uint64_t addr = 3 * MIB + i * 512ULL;

		fake_put(&disk, base + addr, i % 3 == 0 ? VK_HB_IN_USE : VK_HB_FREE, addr);
	}
	scan_disk(&scan);
	assert_int_equal(scan.mark_count, 0);
	assert_int_equal(scan.vote_count, 1);
	v = &scan.votes[0];
	assert_int_equal(v->volume_start_bytes, base);
	for (uint32_t kind = 1; kind <= 6; kind++)
		assert_int_equal(v->locks[kind], kind);
	assert_int_equal(v->locks[0], 7 + 8 + 9); /* of no kind that is known */
	assert_int_equal(v->locks[7], 0);
	assert_int_equal(v->heartbeats, 10);
	assert_int_equal(v->heartbeats_in_use, 4);
	assert_int_equal(v->blocks, 45 + 10);
	assert_int_equal(v->first_bytes, base + MIB + 65536);
	assert_int_equal(v->last_bytes, base + 3 * MIB + 9 * 512);
	assert_int_equal(v->last_addr, 3 * MIB + 9 * 512);
	assert_int_equal(v->heartbeat_stride_bytes, 512);
	vk_scan_free(&scan);
}

/* What is no lock and no heartbeat, or says what cannot be. A single vote is none. */
static void noise_does_not_vote(void **state)
{
	struct vk_scan scan;
	uint64_t at = 8 * MIB;

	(void)state;
	new_disk(16 * MIB);
	for (unsigned twice = 0; twice < 2; twice++) {
		fake_put(&disk, at += 512, LOCK, 4096);
		fake_put(&disk, at += 512, LOCK + 0x101, 4096);
		fake_put(&disk, at += 512, LOCK + 1, 0);
		fake_put(&disk, at += 512, LOCK + 1, 4097);
		fake_put(&disk, at += 512, LOCK + 1, VK_SCAN_ADDR_MAX + 512);
		fake_put(&disk, at += 512, LOCK + 1, 0 - 512ULL);
		fake_put(&disk, at += 512, VK_HB_FREE - 1, 4096);
		fake_put(&disk, at += 512, VK_HB_IN_USE + 1, 4096);
		fake_put(&disk, at += 512, VK_HB_FREE, 0);
		fake_put(&disk, at += 512, VK_HB_FREE, 100);
	}
	fake_put(&disk, at + 512, LOCK + 1, 8192); /* the only one of its place */
	scan_disk(&scan);
	assert_int_equal(scan.vote_count, 0);
	vk_scan_free(&scan);
}

/* On a member that is not the head the volume begins before the disk. */
static void places_before_the_disk(void **state)
{
	struct vk_scan scan;

	(void)state;
	new_disk(16 * MIB);
	for (uint64_t i = 0; i < 5; i++)
		fake_put(&disk, MIB + i * 4096, LOCK + 5, 3 * TIB + i * 4096);
	for (uint64_t i = 0; i < 3; i++)
		fake_put(&disk, 2 * MIB + i * 512, LOCK + 1, 64 * TIB + i * 512);
	scan_disk(&scan);
	assert_int_equal(scan.vote_count, 2);
	assert_true(scan.votes[0].volume_start_bytes == (int64_t)MIB - (int64_t)(3 * TIB));
	assert_int_equal(scan.votes[0].locks[5], 5);
	assert_true(scan.votes[1].volume_start_bytes == (int64_t)(2 * MIB) - (int64_t)(64 * TIB));
	assert_true(scan.votes[1].last_addr == 64 * TIB + 1024);
	vk_scan_free(&scan);
}

static void strides_are_told(void **state)
{
	static const struct {
		uint64_t addr[5];
		uint32_t stride;
	} cases[] = {
		{{0x300000, 0x301000, 0x302000, 0x303000, 0x304000}, 4096},
		{{0x300000, 0x300200, 0x300400, 0x300600, 0x300800}, 512},
		{{0x300000, 0x301000, 0x302000, 0x302200, 0x304000}, 512}, /* slots were lost */
		{{0x300000, 0x300400, 0x300800, 0x300C00, 0x301400}, 0},
		{{0x300000, 0, 0, 0, 0}, 0},
	};
	struct vk_scan scan;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		new_disk(16 * MIB);
		for (size_t k = 0; k < 5 && cases[i].addr[k] != 0; k++)
			fake_put(&disk, 512 + cases[i].addr[k], VK_HB_FREE, cases[i].addr[k]);
		fake_put(&disk, 0x500200, LOCK + 1, 0x500000);
		scan_disk(&scan);
		assert_int_equal(scan.vote_count, 1);
		assert_int_equal(scan.votes[0].heartbeat_stride_bytes, cases[i].stride);
		vk_scan_free(&scan);
	}
}

/* A practice volume of each version, somewhere on a disk; then the same without the front of the disk. */
static void practice_volumes_vote(void **state)
{
	static const char *const specs[] = {"version=3,live=3", "version=5,live=3", "version=6,live=3"};
	const struct vk_lab_extent extent = {.total_bytes = 20 * GIB};
	struct vk_lab_device *d = calloc(1, sizeof(*d));
	char path[64];

	(void)state;
	assert_non_null(d);
	for (size_t i = 0; i < 3; i++) {
		const uint64_t base = (12345 + i) * 512;
		struct vk_lab_disk file = memory_disk(base + extent.total_bytes);
		struct vk_lab_volume v;
		struct vk_scan scan;
		struct vk_io *io;

		vk_lab_volume_init(&v);
		assert_int_equal(vk_lab_volume_parse(&v, specs[i], NULL), VK_OK);
		assert_int_equal(vk_lab_devices_make(&v, 7, 0, &extent, 1, 512, d, NULL), VK_OK);
		assert_int_equal(vk_lab_write_device(&file, base, d), VK_OK);
		snprintf(path, sizeof(path), "/proc/self/fd/%d", file.fd);
		assert_int_equal(vk_io_open_raw(path, NULL, &io, NULL), VK_OK);
		for (int cut = 0; cut < 2; cut++) {
			const uint64_t gone = cut ? base + VK_LVM_DATA_OFFSET + 0x300000 : 0;
			struct vk_io *part = vk_io_window(io, gone, UINT64_MAX);

			assert_non_null(part);
			scan_io(part, &scan);
			assert_true(scan.vote_count >= 1);
			assert_true(scan.votes[0].volume_start_bytes ==
				    (int64_t)(base + VK_LVM_DATA_OFFSET) - (int64_t)gone);
			assert_int_equal(scan.votes[0].heartbeats, i == 2 ? 1024 : 2048);
			assert_int_equal(scan.votes[0].heartbeats_in_use, 3);
			assert_int_equal(scan.votes[0].heartbeat_stride_bytes, i == 2 ? 4096 : 512);
			assert_int_equal(scan.mark_count, cut ? 0 : 2);
			if (!cut) {
				assert_int_equal(scan.marks[0].offset_bytes, base + VK_LVM_HEADER_OFFSET);
				assert_int_equal(scan.marks[1].offset_bytes, base + VK_LVM_DATA_OFFSET + VK_FS_OFFSET);
			}
			vk_scan_free(&scan);
			vk_io_close(part);
		}
		vk_io_close(io);
		close(file.fd);
	}
	free(d);
}

enum { HONEST = 2048 };

/* Every sector is a lock of a place of its own, but one in 128 belongs to one volume. */
static void fill_with_locks(uint64_t offset, uint8_t *sector)
{
	uint64_t n = offset / 512;

	vk_put_le32(sector, LOCK + 1);
	if (n % 128 == 5)
		vk_put_le64(sector + 4, offset + 2048);
	else
		vk_put_le64(sector + 4, offset + 512 * (1 + (n * 0x9E3779B97F4A7C15U >> 32)));
}

static void a_disk_of_votes_is_counted_in_bounds(void **state)
{
	struct vk_scan scan;

	(void)state;
	new_disk(64 * MIB);
	disk.fill = fill_with_locks;
	scan_disk(&scan);
	assert_true(scan.vote_count >= 1 && scan.vote_count <= VK_VOTES_MAX);
	assert_true(scan.votes[0].volume_start_bytes == -2048);
	assert_int_equal(scan.votes[0].blocks, 64 * MIB / 512 / 128);
	vk_scan_free(&scan);
}

/* As many places as can be kept: each count is exact, and the strongest come first. */
static void many_places_are_exact(void **state)
{
	struct vk_tallies t;
	struct vk_vote *votes;
	size_t count;

	(void)state;
	assert_true(vk_tallies_init(&t));
	for (uint64_t round = 0; round < 300; round++)
		for (uint64_t place = 0; place < VK_TALLIES_MAX; place++) {
			uint64_t addr = 512 + round * 512;
			struct vk_block_claim b = {.offset_bytes = place * MIB + addr, .addr = addr, .lock = 1};

			if (place % 300 >= round)
				vk_tallies_count(&t, &b);
		}
	assert_true(vk_tallies_ranked(&t, &votes, &count));
	assert_int_equal(count, VK_VOTES_MAX);
	for (size_t i = 0; i < count; i++) {
		uint64_t place = (uint64_t)votes[i].volume_start_bytes / MIB;

		assert_int_equal(votes[i].blocks, place % 300 + 1);
		assert_true(i == 0 || votes[i - 1].blocks > votes[i].blocks ||
			    (votes[i - 1].blocks == votes[i].blocks &&
			     votes[i - 1].volume_start_bytes < votes[i].volume_start_bytes));
	}
	free(votes);
	vk_tallies_free(&t);
}

/* A volume's few votes stay, whatever number of places comes behind them. */
static void strong_places_are_not_pushed_out(void **state)
{
	struct vk_tallies t;
	struct vk_vote *votes;
	size_t count;
	uint64_t addr = 512;

	(void)state;
	assert_true(vk_tallies_init(&t));
	for (unsigned i = 0; i < HONEST; i++, addr += 512)
		vk_tallies_count(&t, &(struct vk_block_claim){.offset_bytes = 5120 + addr, .addr = addr, .lock = 1});
	for (uint64_t i = 0; i < HONEST / 2 * VK_TALLIES_MAX; i++, addr += 512)
		vk_tallies_count(&t, &(struct vk_block_claim){.offset_bytes = addr + 1024 * (i + 99), .addr = addr, .lock = 1});
	assert_true(t.count <= VK_TALLIES_MAX);
	assert_true(vk_tallies_ranked(&t, &votes, &count));
	assert_true(count >= 1 && votes[0].volume_start_bytes == 5120);
	assert_int_equal(votes[0].blocks, HONEST);
	free(votes);
	vk_tallies_free(&t);
}

static void fill_with_headers(uint64_t offset, uint8_t *sector)
{
	vk_put_le32(sector, offset / 512 % 2 == 0 ? VK_LVM_MAGIC : VK_FS_MAGIC_VMFS);
	vk_put_le32(sector + 4, 5);
}

static void a_disk_of_marks_is_kept_in_bounds(void **state)
{
	struct vk_scan scan;

	(void)state;
	new_disk(64 * MIB);
	disk.fill = fill_with_headers;
	scan_disk(&scan);
	assert_int_equal(scan.mark_count, VK_MARKS_MAX);
	assert_int_equal(scan.marks_left_out, 64 * MIB / 512 - VK_MARKS_MAX);
	for (size_t i = 0; i < scan.mark_count; i++)
		assert_int_equal(scan.marks[i].offset_bytes, i * 512);
	vk_scan_free(&scan);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kinds_are_counted),
		cmocka_unit_test(noise_does_not_vote),
		cmocka_unit_test(places_before_the_disk),
		cmocka_unit_test(strides_are_told),
		cmocka_unit_test(practice_volumes_vote),
		cmocka_unit_test(a_disk_of_votes_is_counted_in_bounds),
		cmocka_unit_test(many_places_are_exact),
		cmocka_unit_test(strong_places_are_not_pushed_out),
		cmocka_unit_test(a_disk_of_marks_is_kept_in_bounds),
	};

	return cmocka_run_group_tests_name("find: votes", tests, NULL, NULL);
}
