/* SPDX-License-Identifier: Apache-2.0 */
/* What looks like a volume and is none: each kind is named, and comes behind the living. */
#include "find_bench.h"

#define MOD_TIME_AT 0x9A

static const uint64_t outer_start = 2048 * SECTOR;

/* A disk of 8 GiB with one volume from sector 2048 on. */
static struct vk_lab_disk with_volume(struct vk_lab_device *ret_device)
{
	struct vk_lab_disk disk = memory_disk(8 * GIB);

	*ret_device = put_volume(&disk, 5, outer_start, 7 * GIB, 1);
	return disk;
}

static void assert_ghost_of_first(const struct searched *s, size_t i, enum vk_standing standing, uint64_t start)
{
	const struct vk_candidate *c = assert_candidate(s, i, standing, start);

	assert_true(vk_standing_is_ghost(c->standing));
	assert_int_equal(c->inside, 0);
	assert_check(c, VK_CHECK_ALONE, VK_VERDICT_FAIL);
}

/* Somebody dumped the first megabytes of this LUN, or of another one, and stored them. */
static void test_copies(void **state)
{
	struct vk_lab_disk other = memory_disk(4 * GIB);
	struct vk_lab_device device;
	struct vk_lab_disk disk = with_volume(&device);
	struct searched s;

	(void)state;
	put_volume(&other, 6, 0, 3 * GIB, 7);
	copy(&disk, outer_start, &disk, 3000001 * SECTOR, 4 << 20); /* of itself */
	copy(&other, 0, &disk, 5000001 * SECTOR, 4 << 20);          /* of another */
	copy(&other, HEADER, &disk, 6000001 * SECTOR, SECTOR);      /* its header only */
	s = search(&disk);
	assert_int_equal(s.find.count, 4);
	assert_candidate(&s, 0, VK_STANDING_LIVING, outer_start);
	assert_ghost_of_first(&s, 1, VK_GHOST_INSIDE, 3000001 * SECTOR);
	assert_non_null(strstr(s.find.candidates[1].why, "copy of the header of the volume"));
	assert_ghost_of_first(&s, 2, VK_GHOST_INSIDE, 5000001 * SECTOR);
	assert_ghost_of_first(&s, 3, VK_GHOST_INSIDE, 6000001 * SECTOR - HEADER);
	search_free(&s);
	close(disk.fd);
	close(other.fd);
}

/* A header by itself, in no volume. */
static void test_copy_outside(void **state)
{
	struct vk_lab_disk disk = memory_disk(8 * GIB);
	struct vk_lab_disk other = memory_disk(4 * GIB);
	struct searched s;

	(void)state;
	put_volume(&other, 5, 0, 3 * GIB, 7);
	put_volume(&disk, 5, outer_start, 2 * GIB, 1);
	copy(&other, HEADER, &disk, 6000001 * SECTOR, SECTOR);
	copy(&disk, outer_start + HEADER, &disk, 7000001 * SECTOR, 2 << 20); /* with its tables */
	s = search(&disk);
	assert_int_equal(s.find.count, 3);
	assert_candidate(&s, 0, VK_STANDING_LIVING, outer_start);
	assert_candidate(&s, 1, VK_GHOST_INSIDE, 6000001 * SECTOR - HEADER);
	assert_candidate(&s, 2, VK_GHOST_INSIDE, 7000001 * SECTOR - HEADER);
	search_free(&s);
	close(disk.fd);
	close(other.fd);
}

/* The virtual disk of a nested ESXi: whole, with a table of its own. Also when the outer volume has lost its header. */
static void test_nested(void **state)
{
	struct vk_lab_device device;
	struct vk_lab_disk disk = with_volume(&device);
	uint64_t inner_disk = 4 * GIB + (1 << 20);
	uint8_t mbr[512] = {0};
	struct searched s;

	(void)state;
	put_volume(&disk, 6, inner_disk + 2048 * SECTOR, GIB, 7);
	s = search(&disk);
	assert_int_equal(s.find.count, 2);
	assert_candidate(&s, 0, VK_STANDING_LIVING, outer_start);
	assert_ghost_of_first(&s, 1, VK_GHOST_NESTED, inner_disk + 2048 * SECTOR);
	search_free(&s);

	mbr[0] = 0xfa; /* boot code */
	mbr[VK_MBR_ENTRY_OFFSET + 4] = VK_MBR_TYPE_VMFS;
	vk_put_le32(mbr + VK_MBR_ENTRY_OFFSET + 8, 2048);
	vk_put_le32(mbr + VK_MBR_ENTRY_OFFSET + 12, GIB / SECTOR);
	mbr[510] = 0x55;
	mbr[511] = 0xaa;
	put(&disk, inner_disk, mbr, sizeof(mbr));
	s = search(&disk);
	assert_ghost_of_first(&s, 1, VK_GHOST_NESTED, inner_disk + 2048 * SECTOR);
	assert_non_null(strstr(s.find.candidates[1].why, "its own partition table"));
	search_free(&s);

	zero(&disk, outer_start, VK_LVM_DATA_OFFSET);
	s = search(&disk);
	assert_candidate(&s, 0, VK_STANDING_DAMAGED, outer_start);
	assert_ghost_of_first(&s, 1, VK_GHOST_NESTED, inner_disk + 2048 * SECTOR);
	search_free(&s);
	zero(&disk, outer_start + DESCRIPTOR, SECTOR);
	s = search(&disk);
	assert_candidate(&s, 0, VK_STANDING_DAMAGED, outer_start);
	assert_ghost_of_first(&s, 1, VK_GHOST_NESTED, inner_disk + 2048 * SECTOR);
	search_free(&s);
	close(disk.fd);
}

/* 63 then 128: what is left of the first format still fits itself almost everywhere. */
static void test_two_generations(void **state)
{
	struct vk_lab_disk disk = memory_disk(4 * GIB);
	struct searched s;

	(void)state;
	put_volume(&disk, 3, 63 * SECTOR, 3 * GIB, 1);
	put_volume(&disk, 5, 128 * SECTOR, 3 * GIB, 2);
	for (int likely = 0; likely < 2; likely++) {
		s = likely ? search_likely(&disk) : search(&disk);
		assert_int_equal(s.find.count, 2);
		assert_candidate(&s, 0, VK_STANDING_LIVING, 128 * SECTOR);
		assert_ghost_of_first(&s, 1, VK_GHOST_EARLIER, 63 * SECTOR);
		search_free(&s);
	}
	/* also when the newer one has no header any more */
	zero(&disk, 128 * SECTOR + HEADER, SECTOR);
	s = search(&disk);
	assert_candidate(&s, 0, VK_STANDING_DAMAGED, 128 * SECTOR);
	assert_ghost_of_first(&s, 1, VK_GHOST_EARLIER, 63 * SECTOR);
	search_free(&s);
	zero(&disk, 128 * SECTOR, VK_LVM_DATA_OFFSET);
	zero(&disk, 128 * SECTOR + DESCRIPTOR, SECTOR);
	s = search(&disk);
	assert_candidate(&s, 0, VK_STANDING_DAMAGED, 128 * SECTOR);
	assert_int_equal(s.find.candidates[0].vote.heartbeats, 2048);
	search_free(&s);
	close(disk.fd);
}

/* The datastore of an old installation, inside a volume that was made over the whole disk later. */
static void test_earlier_inside(void **state)
{
	struct vk_lab_disk disk = memory_disk(16 * GIB);
	struct vk_lab_device newer, older;
	struct vk_lab_extent extent = {4 * GIB, 1};
	struct vk_lab_volume v;
	struct searched s;

	(void)state;
	newer = put_volume(&disk, 5, outer_start, 15 * GIB, 1);
	vk_lab_volume_init(&v);
	v.version = 5;
	assert_int_equal(vk_lab_devices_make(&v, 9, 0, &extent, 1, 512, &older, NULL), VK_OK);
	older.header.modTimeUS = newer.header.initTimeUS - 1000000;
	assert_int_equal(vk_lab_write_device(&disk, 10229760 * SECTOR, &older), VK_OK);
	s = search(&disk);
	assert_candidate(&s, 0, VK_STANDING_LIVING, outer_start);
	assert_ghost_of_first(&s, 1, VK_GHOST_EARLIER, 10229760 * SECTOR);
	search_free(&s);
	close(disk.fd);
}

static void test_metadata(void **state)
{
	struct vk_lab_disk disk = memory_disk(64 * TIB);
	struct searched s;

	(void)state;
	put_volume(&disk, 5, outer_start, 63 * TIB, 1);
	s = search(&disk);
	assert_candidate(&s, 0, VK_STANDING_LIVING, outer_start);
	assert_true(s.find.count > 2);
	for (size_t i = 1; i < s.find.count; i++) {
		assert_int_equal(s.find.candidates[i].standing, VK_GHOST_METADATA);
		assert_int_equal(s.find.candidates[i].inside, 0);
		assert_non_null(strstr(s.find.candidates[i].why, "names"));
	}
	search_free(&s);
	/* without the header that names it, its own fields tell */
	zero(&disk, outer_start, VK_LVM_DATA_OFFSET);
	s = search(&disk);
	assert_candidate(&s, 0, VK_STANDING_DAMAGED, outer_start);
	for (size_t i = 1; i < s.find.count; i++)
		assert_int_equal(s.find.candidates[i].standing, VK_GHOST_METADATA);
	search_free(&s);
	close(disk.fd);
}

/* An NTFS volume was made over the partition: the header survived, the file system did not. */
static void test_foreign(void **state)
{
	struct vk_lab_device device;
	struct vk_lab_disk disk = with_volume(&device);
	uint8_t boot[512] = {0xeb, 0x52, 0x90, 'N', 'T', 'F', 'S', ' ', ' ', ' ', ' ', 0, 2, 8};
	struct searched s;

	(void)state;
	boot[510] = 0x55;
	boot[511] = 0xaa;
	vk_put_le64(boot + 0x28, 7 * GIB / SECTOR - 1);
	put(&disk, outer_start, boot, sizeof(boot));
	s = search(&disk);
	assert_candidate(&s, 0, VK_STANDING_DAMAGED, outer_start); /* still whole, but somebody has been there */
	assert_check(&s.find.candidates[0], VK_CHECK_NOT_FOREIGN, VK_VERDICT_FAIL);
	assert_int_equal(s.find.foreign.count, 1);
	assert_string_equal(s.find.foreign.items[0].type, "ntfs");
	assert_int_equal(s.find.foreign.items[0].start_bytes, outer_start);
	assert_int_equal(s.find.foreign.items[0].length_bytes, 7 * GIB);
	search_free(&s);
	zero(&disk, outer_start + DESCRIPTOR, 512 << 20);
	s = search(&disk);
	assert_candidate(&s, 0, VK_GHOST_FOREIGN, outer_start);
	search_free(&s);
	close(disk.fd);
}

/* Magics in random places, extended metadata that is none, and more of them than anybody looks at. */
static void test_noise(void **state)
{
	struct vk_lab_device device;
	struct vk_lab_disk disk = with_volume(&device);
	uint8_t raw[SECTOR] = {0};
	struct searched s;

	(void)state;
	vk_put_le32(raw, VK_LVM_MAGIC);
	vk_put_le32(raw + 4, 5);
	put(&disk, 6 * GIB + 512, raw, sizeof(raw));
	s = search(&disk);
	assert_int_equal(s.find.count, 2);
	assert_candidate(&s, 0, VK_STANDING_LIVING, outer_start);
	assert_ghost_of_first(&s, 1, VK_GHOST_NOISE, 6 * GIB + 512 - HEADER);
	search_free(&s);
	for (unsigned i = 0; i < 5000; i++)
		put(&disk, 6 * GIB + i * 1024ULL, raw, sizeof(raw));
	s = search(&disk);
	assert_candidate(&s, 0, VK_STANDING_LIVING, outer_start);
	assert_true(s.find.count <= 1300 && s.find.left_out >= 3000);
	search_free(&s);
	close(disk.fd);
}

/* Two volumes side by side are no ghosts of each other. */
static void test_neighbours(void **state)
{
	struct vk_lab_disk disk = memory_disk(8 * GIB);
	struct searched s;

	(void)state;
	put_volume(&disk, 5, outer_start, 2 * GIB, 1);
	put_volume(&disk, 6, outer_start + 2 * GIB, 2 * GIB, 2);
	put_volume(&disk, 3, outer_start + 4 * GIB + 63 * SECTOR, 2 * GIB, 3);
	s = search(&disk);
	assert_int_equal(s.find.count, 3);
	assert_candidate(&s, 0, VK_STANDING_LIVING, outer_start);
	assert_candidate(&s, 1, VK_STANDING_LIVING, outer_start + 2 * GIB);
	assert_candidate(&s, 2, VK_STANDING_LIVING, outer_start + 4 * GIB + 63 * SECTOR);
	search_free(&s);
	close(disk.fd);
}

/* What is better than one volume must not take the place of another that it was never compared with. */
static void test_replaces_only_what_is_worse(void **state)
{
	struct vk_lab_disk disk = memory_disk(12 * GIB);
	const uint64_t near = outer_start + (8 << 20), far = 10485761 * SECTOR;
	const struct vk_find_hint hint = {.start_sector = 10485761, .from = "a capture"};
	const struct vk_find_options options = {.hints = &hint, .hint_count = 1};
	uint8_t time[8];
	struct searched s;

	(void)state;
	put_volume(&disk, 5, outer_start, 2 * GIB, 1);
	put_volume(&disk, 5, far, 2 * GIB, 2);
	put_volume(&disk, 5, near, 8 * GIB, 3);
	vk_put_le64(time, UINT64_C(1) << 51);
	put(&disk, near + HEADER + MOD_TIME_AT, time, sizeof(time));
	s = search_with(&disk, &options);
	for (size_t i = 0; i < s.find.count; i++) {
		if (s.find.candidates[i].start_bytes == far) {
			assert_candidate(&s, i, VK_STANDING_LIVING, far);
			search_free(&s);
			close(disk.fd);
			return;
		}
	}
	fail_msg("the volume is lost");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_copies),
		cmocka_unit_test(test_copy_outside),
		cmocka_unit_test(test_nested),
		cmocka_unit_test(test_two_generations),
		cmocka_unit_test(test_earlier_inside),
		cmocka_unit_test(test_metadata),
		cmocka_unit_test(test_foreign),
		cmocka_unit_test(test_noise),
		cmocka_unit_test(test_neighbours),
		cmocka_unit_test(test_replaces_only_what_is_worse),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
