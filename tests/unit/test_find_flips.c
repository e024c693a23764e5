/* SPDX-License-Identifier: Apache-2.0 */
/* One damaged byte of one volume, the table gone: no other volume pays for it, and no wrong length is called exact, ever. */
#include "base/bytes.h"
#include "table_bench.h"

#define FIRST 2048ULL
#define SECOND 8390656ULL
#define SECTORS 6291456ULL
#define TOTAL_BYTES_AT 0x5EULL
#define NUM_PE_MAPS_AT 0xBEULL

struct field {
	uint64_t at; /* from the start of the partition */
	size_t bytes;
};

static struct table_bench two_volumes(enum vk_table_kind kind, unsigned version)
{
	char first[80], second[80];

	snprintf(first, sizeof(first), "start=%llu,size=3G,version=%u", FIRST, version);
	snprintf(second, sizeof(second), "start=%llu,size=3G,version=%u", SECOND, version);
	return bench_disk(kind, 9 * GIB, first, second);
}

static const struct vk_candidate *found_at(const struct rebuilt *r, uint64_t start)
{
	for (size_t i = 0; i < r->find.count; i++)
		if (r->find.candidates[i].start_bytes == start * 512)
			return &r->find.candidates[i];
	return NULL;
}

static void assert_both(const struct rebuilt *r, unsigned version, uint64_t at, uint8_t mask)
{
	const struct vk_candidate *second = found_at(r, SECOND);
	const struct vk_planned_entry *one = planned_at(r, FIRST);
	const struct vk_planned_entry *two = planned_at(r, SECOND);

	if (r->status == VK_OK && second != NULL && second->standing == VK_STANDING_LIVING && one != NULL && two != NULL &&
	    two->partition.sectors == SECTORS && (!one->length_exact || one->partition.sectors == SECTORS))
		return;
	rebuilt_print(r);
	for (size_t i = 0; i < r->find.count; i++)
		print_message("%llu %s: %s\n", (unsigned long long)r->find.candidates[i].start_bytes / 512,
			      vk_standing_name(r->find.candidates[i].standing), r->find.candidates[i].why);
	fail_msg("VMFS%u, byte 0x%llx with 0x%02x", version, (unsigned long long)at, mask);
}

static void flip(struct table_bench *b, uint64_t at, uint8_t mask)
{
	uint8_t byte;

	get(&b->disk, at, &byte, 1);
	byte ^= mask;
	assert_int_equal(vk_lab_put(&b->disk, at, &byte, 1), VK_OK);
}

static void sweep(unsigned version, uint8_t mask)
{
	struct table_bench b = two_volumes(VK_TABLE_GPT, version);
	const struct field fields[] = {{VK_LVM_HEADER_OFFSET, VK_LVM_DEVICE_BYTES},
				       {VK_LVM_HEADER_OFFSET + (version == 6 ? 4096 : 512), VK_LVM_VOLUME_BYTES}};

	bench_wipe_table(&b, false);
	for (size_t f = 0; f < 2; f++)
		for (size_t i = 0; i < fields[f].bytes; i++) {
			uint64_t at = FIRST * 512 + fields[f].at + i;
			struct rebuilt *r;

			flip(&b, at, mask);
			r = bench_rebuild(&b, NULL);
			assert_both(r, version, at - FIRST * 512, mask);
			rebuilt_free(r);
			flip(&b, at, mask);
		}
	bench_free(&b);
}

static void test_every_byte_of_vmfs3(void **state)
{
	(void)state;
	sweep(3, 0x10);
}

static void test_every_byte_of_vmfs5(void **state)
{
	(void)state;
	sweep(5, 0xff);
}

static void test_every_byte_of_vmfs6(void **state)
{
	(void)state;
	sweep(6, 0x10);
}

/* The table is sound: one field of a header is no reason to change them. */
static void test_sound_table_stays(void **state)
{
	static const struct {
		enum vk_table_kind kind;
		unsigned version;
		uint64_t by;
	} cases[] = {{VK_TABLE_GPT, 6, 4ULL << 30}, {VK_TABLE_GPT, 5, 1ULL << 21}, {VK_TABLE_GPT, 5, 1ULL << 24},
		     {VK_TABLE_GPT, 6, 1ULL << 20}, {VK_TABLE_MBR, 3, 1ULL << 21}, {VK_TABLE_MBR, 3, 1ULL << 33}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct table_bench b = two_volumes(cases[i].kind, cases[i].version);
		uint64_t at = FIRST * 512 + VK_LVM_HEADER_OFFSET + TOTAL_BYTES_AT;
		struct rebuilt *r;
		uint8_t raw[8];

		get(&b.disk, at, raw, 8);
		vk_put_le64(raw, vk_get_le64(raw) ^ cases[i].by);
		assert_int_equal(vk_lab_put(&b.disk, at, raw, 8), VK_OK);
		r = bench_rebuild(&b, NULL);
		if (r->status != VK_OK || !r->table.nothing_to_do || vk_overlay_dirty_bytes(r->overlay) != 0) {
			rebuilt_print(r);
			fail_msg("case %zu", i);
		}
		rebuilt_free(r);
		bench_free(&b);
	}
}

/* One wrong bit leads to where the last partition of a disk usually ends: the entry, whose checksum is right, says otherwise. */
static void test_a_usual_end_against_a_sound_entry(void **state)
{
	enum { SECTORS_HERE = 4000383, FARTHER = 1024 };
	struct table_bench b = bench_disk(VK_TABLE_GPT, (FIRST + SECTORS_HERE + FARTHER + 33) * 512, "start=2048,size=4000383s,version=5", NULL);
	struct rebuilt *r;

	(void)state;
	flip(&b, FIRST * 512 + VK_LVM_HEADER_OFFSET + TOTAL_BYTES_AT + 2, FARTHER * 512 >> 16);
	r = bench_rebuild(&b, NULL);
	assert_non_null(found_at(r, FIRST));
	assert_int_equal(found_at(r, FIRST)->told_bytes, (SECTORS_HERE + FARTHER) * 512ULL);
	if (found_at(r, FIRST)->length_exact || !r->table.nothing_to_do)
		fail_msg("%s", found_at(r, FIRST)->length_witness);
	rebuilt_free(r);
	bench_free(&b);
}

/* Headers whose tables are long to read, in front of a volume: it is judged all the same. */
static void test_crafted_headers_in_front(void **state)
{
	static uint8_t filler[1 << 20];
	struct table_bench b = two_volumes(VK_TABLE_GPT, 6);
	struct rebuilt *r;
	uint8_t header[512];

	(void)state;
	for (size_t i = 255; i < sizeof(filler); i += 1024)
		filler[i] = 0x80;
	get(&b.disk, FIRST * 512 + VK_LVM_HEADER_OFFSET, header, sizeof(header));
	vk_put_le32(header + NUM_PE_MAPS_AT, VK_LVM_MAPS_PER_REGION);
	bench_wipe_table(&b, false);
	for (uint64_t at = 0; at < 32; at++)
		assert_int_equal(vk_lab_put(&b.disk, FIRST * 512 + VK_LVM_HEADER_OFFSET + (at << 20), filler, sizeof(filler)),
				 VK_OK);
	for (uint64_t i = 0; i < 400; i++)
		assert_int_equal(vk_lab_put(&b.disk, FIRST * 512 + VK_LVM_HEADER_OFFSET + i * 8192, header, sizeof(header)),
				 VK_OK);
	r = bench_rebuild(&b, NULL);
	assert_non_null(found_at(r, SECOND));
	if (found_at(r, SECOND)->standing != VK_STANDING_LIVING)
		fail_msg("%s", found_at(r, SECOND)->why);
	rebuilt_free(r);
	bench_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_byte_of_vmfs3),
		cmocka_unit_test(test_every_byte_of_vmfs5),
		cmocka_unit_test(test_every_byte_of_vmfs6),
		cmocka_unit_test(test_sound_table_stays),
		cmocka_unit_test(test_a_usual_end_against_a_sound_entry),
		cmocka_unit_test(test_crafted_headers_in_front),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
