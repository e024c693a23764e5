/* SPDX-License-Identifier: Apache-2.0 */
/* Lost tables rebuilt: plain disks, boot disks, tables of others, captures, and what cannot be. */
#include "table_bench.h"

#include "base/bytes.h"

/* Every VMFS partition of the plan: start, length and type as they were; with numbers, also those. */
static void same_volumes(const struct table_bench *b, const struct rebuilt *r, bool numbers)
{
	size_t right = 0, wanted = 0;

	for (size_t i = 0; i < b->plan->count; i++) {
		const struct vk_lab_partition *p = &b->plan->partitions[i];
		const struct vk_planned_entry *e =
			r->status == VK_OK ? planned_at(r, p->start_sector) : NULL;

		if (p->volume == NULL)
			continue;
		wanted++;
		right += e != NULL && e->partition.sectors == p->sectors &&
			 e->partition.gpt == (b->plan->table == VK_TABLE_GPT) &&
			 (e->partition.gpt ? vk_guid_equal(&e->partition.entry.typeGUID, &p->type)
					   : e->partition.mbr_type == p->mbr_type) &&
			 (!numbers || e->partition.number == p->number);
	}
	if (right == wanted && wanted > 0)
		return;
	rebuilt_print(r);
	fail_msg("%zu of %zu volumes", right, wanted);
}

static void one_volume(enum vk_table_kind kind, uint32_t ss, const char *words, bool numbers)
{
	struct vk_lab_spec *spec = bench_spec(kind, ss, 0);
	struct table_bench b;
	struct rebuilt *r;

	bench_volume(spec, words);
	b = bench_make(spec, "plain");
	bench_wipe_table(&b, true);
	r = bench_rebuild(&b, NULL);
	same_volumes(&b, r, numbers);
	assert_false(r->table.guessed);
	rebuilt_free(r);
	bench_free(&b);
}

static void plain_disks(void **state)
{
	(void)state;
	one_volume(VK_TABLE_MBR, 512, "version=3,size=2G", true);
	one_volume(VK_TABLE_MBR, 512, "version=3,size=2G,start=63", true);
	one_volume(VK_TABLE_GPT, 512, "version=5,size=2G", true);
	one_volume(VK_TABLE_GPT, 512, "version=6,size=2G", true);
	one_volume(VK_TABLE_GPT, 512, "version=6l,size=2G", true);
	one_volume(VK_TABLE_GPT, 4096, "version=6,size=2G", true);
	one_volume(VK_TABLE_GPT, 512, "version=5,size=2G,number=7", true);
	one_volume(VK_TABLE_GPT, 512, "version=5,size=3T", true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_disks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
