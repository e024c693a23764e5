/* SPDX-License-Identifier: Apache-2.0 */
/* Random damage to tables and to the first megabytes: nothing is proposed that cannot be, and nothing is called sound that is not. */
#include "table_bench.h"

#include <inttypes.h>

#include "base/bytes.h"

enum { PATTERNS = 300, SPOTS = 6 };

static uint64_t random_state;
static uint64_t rnd(uint64_t below)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state % below;
}

static struct table_bench random_disk(unsigned i)
{
	static const enum vk_table_kind kinds[] = {VK_TABLE_GPT, VK_TABLE_MBR, VK_TABLE_GPT, VK_TABLE_MBR};
	enum vk_table_kind kind = kinds[i % 4];
	uint32_t ss = i % 4 == 2 ? 4096 : 512;
	struct vk_lab_spec *spec = bench_spec(kind, ss, 4 * GIB);
	char words[128];

	spec->seed = i;
	snprintf(words, sizeof(words), "start=%" PRIu64 ",size=600M,live=1,version=%d",
		 100 + rnd(5000), kind == VK_TABLE_GPT ? 6 : 3);
	bench_volume(spec, words);
	snprintf(words, sizeof(words), "start=%" PRIu64 ",size=700M,version=%d%s",
		 (UINT64_C(1) << 30) / ss + rnd(5000), kind == VK_TABLE_GPT ? 5 : 3,
		 i % 4 == 3 ? ",logical" : "");
	bench_volume(spec, words);
	snprintf(words, sizeof(words), "start=%" PRIu64 ",size=600M,version=%d%s",
		 (UINT64_C(2) << 30) / ss + rnd(5000), kind == VK_TABLE_GPT ? 6 : 3,
		 i % 4 == 3 ? ",logical" : "");
	bench_volume(spec, words);
	if (kind == VK_TABLE_GPT)
		bench_foreign(spec, ss == 512 ? "7000000+5000:linux" : "875000+600:linux");
	return bench_make(spec, "plain");
}

/* Where damage tends to be: the table, its copy, boot records, headers, and anywhere in the first 32 MiB. */
static uint64_t random_spot(const struct table_bench *b)
{
	uint32_t ss = b->spec->sector_size;
	const struct vk_lab_partition *p = &b->plan->partitions[rnd(b->plan->count)];

	switch (rnd(6)) {
	case 0:
		return rnd(512);
	case 1:
		return rnd(34 * 512);
	case 2:
		return b->plan->disk_sectors * ss - 1 - rnd(34 * 512);
	case 3:
		return p->ebr_sector != 0 ? p->ebr_sector * ss + 440 + rnd(72) : rnd(8192);
	case 4:
		return p->start_sector * ss + 0x100000 + rnd(1024);
	default:
		return rnd(32 << 20);
	}
}

static void damage(struct table_bench *b)
{
	uint8_t buf[8192];

	for (uint64_t n = 1 + rnd(SPOTS); n > 0; n--) {
		uint64_t at = random_spot(b);
		size_t len = (size_t)(rnd(2) == 0 ? 1 : 1 + rnd(sizeof(buf)));

		if (at + len > b->disk.size_bytes)
			len = (size_t)(b->disk.size_bytes - at);
		get(&b->disk, at, buf, len);
		if (len == 1)
			buf[0] ^= (uint8_t)(1U << rnd(8));
		else
			for (size_t i = 0, noise = rnd(3); i < len; i++)
				buf[i] = noise == 0 ? (uint8_t)rnd(256) : 0;
		assert_int_equal(vk_lab_put(&b->disk, at, buf, len), VK_OK);
	}
}

/* Never over another, never past the disk. */
static void possible(const struct rebuilt *r)
{
	for (size_t i = 0; i < r->table.entry_count; i++) {
		const struct vk_partition *p = &r->table.entries[i].partition;

		assert_true(p->start_sector > 0 && p->sectors > 0);
		assert_true(p->start_sector + p->sectors <= r->table.disk_sectors);
		for (size_t k = 0; k < i; k++) {
			const struct vk_partition *q = &r->table.entries[k].partition;

			if (vk_partition_is_extended(p) || vk_partition_is_extended(q))
				continue;
			assert_true(p->start_sector >= q->start_sector + q->sectors ||
				    q->start_sector >= p->start_sector + p->sectors);
			assert_int_not_equal(p->number, q->number);
		}
	}
}

/* A part that is called sound holds the bytes of before; an entry that is called exact is the one of before. */
static void honest(const struct table_bench *b, struct table_bench *now, const struct rebuilt *r)
{
	static uint8_t was[16896], is[16896];
	struct table_bench before = *b;

	for (size_t i = 0; i < VK_TP_COUNT; i++) {
		const struct vk_table_part_verdict *part = &r->table.parts[i];
		size_t len = (size_t)part->length_bytes;

		if (part->state != VK_PART_STATE_SOUND || i == VK_TP_EBR)
			continue;
		assert_true(len <= sizeof(was) && len > 0);
		get(&before.disk, part->offset_bytes, was, len);
		get(&now->disk, part->offset_bytes, is, len);
		/* behind the header its sector is nobody's, and boot code is no table */
		if (i == VK_TP_PRIMARY_HEADER || i == VK_TP_BACKUP_HEADER)
			len = VK_GPT_HEADER_BYTES;
		if (i == VK_TP_MBR ? memcmp(was + 446, is + 446, 66) != 0 : memcmp(was, is, len) != 0) {
			rebuilt_print(r);
			fail_msg("the %s is not sound", vk_table_part_name((enum vk_table_part)i));
		}
	}
	for (size_t i = 0; i < r->table.entry_count; i++) {
		const struct vk_planned_entry *e = &r->table.entries[i];
		bool right = false;

		if (!e->length_exact || vk_partition_is_extended(&e->partition))
			continue;
		for (size_t k = 0; k < b->plan->count; k++)
			right = right || (b->plan->partitions[k].start_sector == e->partition.start_sector &&
					  b->plan->partitions[k].sectors == e->partition.sectors);
		if (!right && b->spec->table == VK_TABLE_MBR && e->candidate == SIZE_MAX)
			continue; /* no checksum guards an MBR */
		if (!right) {
			rebuilt_print(r);
			fail_msg("partition %u is called exact", e->partition.number);
		}
	}
}

static void random_damage(void **state)
{
	unsigned rebuilt = 0;

	(void)state;
	random_state = 20261121;
	for (unsigned i = 0; i < PATTERNS; i++) {
		uint64_t at = random_state;
		struct table_bench before = random_disk(i);
		struct table_bench now;
		struct rebuilt *r;

		random_state = at;
		now = random_disk(i);
		damage(&now);
		r = bench_rebuild(&now, NULL);
		assert_true(r->status == VK_OK || r->status == VK_USAGE || r->status == VK_ABSENT);
		if (r->status == VK_OK) {
			possible(r);
			honest(&before, &now, r);
			rebuilt++;
		}
		rebuilt_free(r);
		bench_free(&before);
		bench_free(&now);
	}
	assert_true(rebuilt > PATTERNS * 9 / 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_damage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
