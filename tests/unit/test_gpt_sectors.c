/* SPDX-License-Identifier: Apache-2.0 */
/* On one damaged GPT doctor and repair table ask one judge: they name the same sectors. */
#include "table_bench.h"

#include "vmfskit/doctor.h"

enum { UNIT = 512, UNITS = 40, ARRAY_UNITS = 32 };

/* Bytes of the array of one copy, from sector 2 of the primary on. */
static void hurt(struct table_bench *b, bool backup, size_t at, uint8_t bits)
{
	uint64_t from = backup ? b->disk.size_bytes - 33 * UNIT : 2 * UNIT;
	uint8_t byte;

	assert_int_equal(pread(b->disk.fd, &byte, 1, (off_t)(from + at)), 1);
	byte ^= bits;
	assert_int_equal(vk_lab_put(&b->disk, from + at, &byte, 1), VK_OK);
}

/* Sectors of the table that a verb names: those of the primary copy first, then those at the end of the disk. */
struct named {
	bool first[UNITS], last[UNITS];
};

static void name_range(struct named *n, const struct table_bench *b, uint64_t from, uint64_t length)
{
	for (uint64_t at = from / UNIT; at < (from + length + UNIT - 1) / UNIT; at++) {
		uint64_t to_end = b->plan->disk_sectors - 1 - at;

		if (at < UNITS)
			n->first[at] = true;
		if (to_end < UNITS)
			n->last[to_end] = true;
	}
}

static struct named named_by_doctor(const struct table_bench *b)
{
	const struct vk_doctor_options options = {.sector_size = 512, .live_id = ""};
	struct vk_diagnosis d;
	struct named n = {{false}, {false}};
	struct vk_error err;
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", b->disk.fd);
	must(vk_diagnose(NULL, path, &options, &d, &err), &err);
	for (size_t i = 0; i < d.range_count; i++)
		if (d.ranges[i].damage == VK_DAMAGE_DAMAGED || d.ranges[i].damage == VK_DAMAGE_ZERO)
			name_range(&n, b, d.ranges[i].offset_bytes, d.ranges[i].length_bytes);
	vk_diagnosis_free(&d);
	return n;
}

static struct named named_by_repair(const struct table_bench *b, bool exact)
{
	struct rebuilt *r = bench_rebuild(b, NULL);
	const struct vk_edit *edits;
	struct named n = {{false}, {false}};
	size_t count = vk_overlay_edits(r->overlay, &edits);

	if (r->status != VK_OK || r->table.guessed == exact)
		rebuilt_print(r);
	assert_int_equal(r->status, VK_OK);
	assert_int_equal(r->table.guessed, !exact);
	for (size_t i = 0; i < count; i++)
		for (size_t at = 0; at < edits[i].length_bytes; at += UNIT)
			if (memcmp(edits[i].old_bytes + at, edits[i].new_bytes + at, UNIT) != 0)
				name_range(&n, b, edits[i].offset_bytes + at, UNIT);
	rebuilt_free(r);
	return n;
}

/* A byte in each of 11 units of the primary array, three bits in the unit of the used entry, and what else is wanted.
 */
static void same_sectors(bool used_in_backup, int backup_unit, unsigned expected)
{
	struct table_bench b = bench_disk(VK_TABLE_GPT, 310 << 20, "version=5,size=300M,start=2048", NULL);
	struct named doctor, repair;
	unsigned count = 0;

	for (size_t unit = 1; unit <= 11; unit++)
		hurt(&b, false, unit * UNIT + 37 * unit % UNIT, 0x5A);
	for (size_t bit = 0; bit < 3; bit++)
		hurt(&b, used_in_backup, 20 + 9 * bit, (uint8_t)(1U << bit));
	if (backup_unit >= 0)
		hurt(&b, true, (size_t)backup_unit * UNIT + 100, 0xC3);
	doctor = named_by_doctor(&b);
	repair = named_by_repair(&b, true);
	for (size_t i = 0; i < UNITS; i++) {
		if (doctor.first[i] != repair.first[i] || doctor.last[i] != repair.last[i])
			fail_msg("sector %zu from the beginning, from the end: doctor %d %d, repair %d %d", i,
				 doctor.first[i], doctor.last[i], repair.first[i], repair.last[i]);
		count += (unsigned)(repair.first[i] + repair.last[i]);
	}
	assert_int_equal(count, expected);
	bench_free(&b);
}

static void doctor_and_repair_name_the_same(void **state)
{
	(void)state;
	same_sectors(false, -1, 12);
	same_sectors(true, -1, 12);
	same_sectors(false, 20, 13);
	same_sectors(false, 3, 13);
	same_sectors(true, 20, 13);
	same_sectors(true, ARRAY_UNITS - 1, 13);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(doctor_and_repair_name_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
