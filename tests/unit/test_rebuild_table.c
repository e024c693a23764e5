/* SPDX-License-Identifier: Apache-2.0 */
/* Lost tables rebuilt: plain disks, boot disks, tables of others, captures, and what cannot be. */
#include "table_bench.h"

#include <inttypes.h>

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
	/* nothing is left of the table: GUIDs, heads and sectors are new */
	assert_true(r->table.guessed);
	settled(&b, r);
	rebuilt_free(r);
	bench_free(&b);
}

/* The last usable sector says the same as the header: the end is exact, though the entry as a whole is new. */
static void fills_the_disk(void)
{
	struct table_bench b = bench_disk(VK_TABLE_GPT, 4 * GIB, "version=6", NULL);
	struct rebuilt *r;

	bench_wipe_table(&b, true);
	r = bench_rebuild(&b, NULL);
	same_volumes(&b, r, true);
	assert_true(r->table.entries[0].length_exact && r->table.guessed);
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
	fills_the_disk();
}

static void boot_disks(void **state)
{
	static const struct {
		const char *layout;
		const char *name;
		uint64_t size;
	} disks[] = {
		{"esxi50", "ESXi 5.0 or 5.1 boot disk", 20 * GIB},
		{"esxi5", "ESXi 5.5 or 6 boot disk", 40 * GIB},
		{"esxi7", "ESXi 7 or 8 boot disk", 300 * GIB},
		{"esxi7-small", "ESXi 7 or 8 boot disk (small)", 100 * GIB},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(disks) / sizeof(disks[0]); i++) {
		struct vk_lab_spec *spec = bench_spec(VK_TABLE_GPT, 512, disks[i].size);
		struct table_bench b;
		struct rebuilt *r;

		bench_volume(spec, "live=1");
		b = bench_make(spec, disks[i].layout);
		bench_wipe_table(&b, true);
		r = bench_rebuild(&b, NULL);
		same_volumes(&b, r, true);
		if (r->table.entry_count != b.plan->count)
			rebuilt_print(r);
		assert_int_equal(r->table.entry_count, b.plan->count);
		assert_string_equal(r->table.layout, disks[i].name);
		assert_true(r->table.guessed);
		for (size_t k = 0; k < b.plan->count; k++) {
			const struct vk_lab_partition *p = &b.plan->partitions[k];
			const struct vk_planned_entry *e = planned_at(r, p->start_sector);

			if (e == NULL || e->partition.number != p->number ||
			    e->partition.sectors != p->sectors ||
			    !vk_guid_equal(&e->partition.entry.typeGUID, &p->type)) {
				rebuilt_print(r);
				fail_msg("%s: partition %u", disks[i].layout, p->number);
			}
		}
		rebuilt_free(r);
		bench_free(&b);
	}
}

static uint64_t random_state;
static uint64_t rnd(uint64_t below)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state % below;
}

/* The real volume as a file in memory; 0 bytes long: there is none here. */
static int real_fd = -1;

static int unfold_real(void **state)
{
	const char *shared = getenv("VMFSKIT_SHARED");
	static uint8_t buf[1 << 16];
	char path[512];
	struct vk_io *io;
	enum vk_io_form form;

	(void)state;
	snprintf(path, sizeof(path), "%s/data/vmfs3-esx35-volume/partition.vmfsimg",
		 shared != NULL && shared[0] != '\0' ? shared : "../shared");
	real_fd = memfd_create("real", MFD_CLOEXEC);
	if (real_fd < 0)
		return -1;
	if (vk_io_open(path, &(struct vk_open_options){0}, &io, &form, NULL) != VK_OK)
		return 0;
	for (uint64_t at = 0; at < vk_io_size_bytes(io); at += sizeof(buf)) {
		size_t got;

		if (vk_io_read(io, at, buf, sizeof(buf), &got, NULL) != VK_OK ||
		    (!vk_all_zero(buf, got) && pwrite(real_fd, buf, got, (off_t)at) != (ssize_t)got))
			return -1;
	}
	if (ftruncate(real_fd, (off_t)vk_io_size_bytes(io)) != 0)
		return -1;
	vk_io_close(io);
	return 0;
}

static int close_real(void **state)
{
	(void)state;
	close(real_fd);
	return 0;
}

/* What a kind of disk may carry. */
struct kind {
	enum vk_table_kind table;
	uint32_t sector_size;
	bool ebr;
};

/* Volumes and partitions of others at random sectors, with nothing or a little between them. */
static struct vk_lab_spec *random_spec(const struct kind *kind, bool real, bool *ret_hint)
{
	static const char *const gpt_versions[] = {"3", "5", "5l", "6", "6l"};
	static const char *const mbr_versions[] = {"3", "3", "5"};
	struct vk_lab_spec *spec = bench_spec(kind->table, kind->sector_size, 0);
	unsigned volumes = 1 + (unsigned)rnd(3);
	unsigned others = (unsigned)rnd(kind->table == VK_TABLE_GPT ? 4 : 5 - volumes);
	uint64_t at = kind->table == VK_TABLE_GPT ? 34 : 1;
	bool logical = false, any5 = false, any3 = false;

	for (unsigned left = volumes + others; left > 0; left--) {
		bool volume = rnd(left) < volumes;
		uint64_t sectors = (300ULL << 20) / kind->sector_size + rnd(1 << 20);
		char words[256];

		logical = logical || (kind->ebr && volumes + others - left >= rnd(3));
		at += rnd(1 << 15) + (logical ? 64 : 0);
		if (!volume) {
			/* others stand in front of logical volumes only */
			if (logical) {
				others--;
				continue;
			}
			snprintf(words, sizeof(words), "%" PRIu64 "+%" PRIu64 ":%s", at, 1 + rnd(5000),
				 kind->table == VK_TABLE_GPT ? "linux" : "83");
			bench_foreign(spec, words);
			at += spec->foreign[spec->foreign_count - 1].sectors;
			others--;
			continue;
		}
		volumes--;
		if (real) {
			real = false;
			snprintf(words, sizeof(words), "start=%llu,image=/proc/self/fd/%d%s",
				 (unsigned long long)at, real_fd, logical ? ",logical" : "");
			sectors = 1258435584 / kind->sector_size;
			any3 = true;
		} else {
			const char *version = kind->table == VK_TABLE_GPT ? gpt_versions[rnd(5)]
									  : mbr_versions[rnd(3)];

			any3 = any3 || version[0] == '3';
			any5 = any5 || version[0] == '5';
			snprintf(words, sizeof(words), "start=%" PRIu64 ",size=%" PRIu64 ",version=%s,live=%" PRIu64 "%s",
				 at, sectors * kind->sector_size, version, rnd(3), logical ? ",logical" : "");
		}
		bench_volume(spec, words);
		at += sectors;
	}
	spec->size_bytes = (at + 33 + rnd(1 << 16)) * kind->sector_size;
	spec->seed = rnd(UINT32_MAX);
	/* VMFS3 on a GPT and VMFS5 on an MBR exist, but nothing on such a disk tells once the table is gone */
	*ret_hint = kind->table == VK_TABLE_GPT ? any3 : any5;
	return spec;
}

/* A table of others is well-formed when the checks of the library have nothing to say. */
static void well_formed(struct table_bench *b, const struct rebuilt *r)
{
	struct vk_source after;

	bench_apply(b, r);
	bench_source(b, &after);
	for (size_t i = 0; i < after.findings.count; i++) {
		const struct vk_finding_kind *kind = vk_finding_kind(after.findings.items[i].code);

		if (kind->severity == VK_INFO)
			continue;
		rebuilt_print(r);
		fail_msg("%s: %s", kind->code, after.findings.items[i].message);
	}
	assert_int_equal(after.table.kind, b->plan->table);
	vk_source_close(&after);
}

static void random_starts(void **state)
{
	static const struct kind kinds[] = {
		{VK_TABLE_MBR, 512, false}, {VK_TABLE_GPT, 512, false}, {VK_TABLE_GPT, 4096, false},
		{VK_TABLE_MBR, 512, true}};
	const bool real = lseek(real_fd, 0, SEEK_END) > 0;
	unsigned residues = 0;

	(void)state;
	random_state = 20090421;
	for (unsigned i = 0; i < 400; i++) {
		const struct kind *kind = &kinds[i % 4];
		bool with_real = real && kind->sector_size == 512 && i % 8 < 4;
		bool hint;
		struct vk_lab_spec *spec = random_spec(kind, with_real, &hint);
		struct table_bench b = bench_make(spec, "plain");
		const struct vk_rebuild_table_options options = {.label = hint ? kind->table
									       : VK_TABLE_NONE};
		struct rebuilt *r;

		for (size_t k = 0; k < b.plan->count; k++)
			if (b.plan->partitions[k].volume != NULL)
				residues |= 1U << b.plan->partitions[k].start_sector % 8;
		bench_wipe_table(&b, i % 3 == 0);
		r = bench_rebuild(&b, &options);
		same_volumes(&b, r, false);
		assert_true(r->table.guessed);
		well_formed(&b, r);
		if (i % 5 == 0)
			settled(&b, r);
		rebuilt_free(r);
		bench_free(&b);
	}
	assert_int_equal(residues, 0xFF);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_disks),
		cmocka_unit_test(boot_disks),
		cmocka_unit_test_setup_teardown(random_starts, unfold_real, close_real),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
