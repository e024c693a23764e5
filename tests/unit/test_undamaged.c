/* SPDX-License-Identifier: Apache-2.0 */
/*
 * On what is not damaged nothing is to be done: the plans of repair table and repair header are empty and doctor finds
 * nothing wrong, on 500 practice disks of all kinds and on the three real volumes.
 *
 * One disk again: test_undamaged NUMBER. DISKS=5000: so many.
 */
#include <inttypes.h>

#include "damage_table.h"
#include "vmfskit/doctor.h"
#include "rebuild_of.h"

enum { DISKS = 500 / CASES_SHARE };

static uint64_t random_state;
static char told[600]; /* the disk at hand, as it was asked for */

static size_t below(size_t bound)
{
	return damage_below(&random_state, bound);
}

static const char *one_of(const char *const *list, size_t count)
{
	return list[below(count)];
}

static void tell(const char *words)
{
	size_t used = strlen(told);

	snprintf(told + used, sizeof(told) - used, " %s", words);
}

/* A volume somewhere in the GiB-wide slot that is free from `slot` on; how many GiB it takes. */
static unsigned add_volume(struct vk_lab_spec *spec, unsigned slot, bool logical)
{
	static const char *const versions_mbr[] = {"3", "3", "5"}, *const versions_gpt[] = {"5", "6", "6", "6l"};
	static const char *const labels[] = {"", "", ",label=mail store", ",label=VMs f\xc3\xbcr B\xc3\xbcro", ",label=x"};
	static const char *const names[] = {"", "", ",naa=naa.600144f07ed404000000496ff8cd0003", ",naa=naa.5005076719d163d8",
					    ",naa=mpx.vmhba0:C0:T2:L0", ",naa=mpx.vmhba32:C0:T0:L0"};
	static const char *const models[] = {"", "", ",model=DGC:VRAID:0430", ",model=NETAPP:LUN"};
	static const char *const blocks[] = {"", ",block-size=2M", ",block-size=4M", ",block-size=8M"};
	bool gpt = spec->table == VK_TABLE_GPT;
	const char *version = gpt ? one_of(versions_gpt, 4) : one_of(versions_mbr, 3);
	unsigned gib = 1 + (unsigned)below(5);
	uint64_t start = ((uint64_t)slot << 30) / spec->sector_size + (slot == 0 ? 2048 : below(5000) + 100);
	uint64_t mib = (uint64_t)gib * 1024 - 32 - below(200);
	char words[300];

	snprintf(words, sizeof(words), "start=%" PRIu64 ",size=%" PRIu64 "M,version=%s%s,lun=%zu,live=%zu%s%s%s%s", start, mib,
		 version, logical ? ",logical" : "", below(300), below(3) == 0 ? below(5) : 0, one_of(labels, 5),
		 one_of(names, 6), one_of(models, 4), one_of(blocks, strcmp(version, "3") == 0 ? 4 : 1));
	tell(words);
	bench_volume(spec, words);
	return gib;
}

static struct vk_lab_spec *draw_plain(void)
{
	bool gpt = below(2) == 0;
	uint32_t ss = gpt && below(4) == 0 ? 4096 : 512;
	struct vk_lab_spec *spec = bench_spec(gpt ? VK_TABLE_GPT : VK_TABLE_MBR, ss, 0);
	unsigned slot = 0, volumes = 1 + (unsigned)below(3), logicals = gpt ? 0 : (unsigned)below(3);
	char words[64];

	tell(gpt ? ss == 512 ? "gpt" : "gpt of 4096" : "mbr");
	for (unsigned i = 0; i < volumes && (gpt || i < 2); i++)
		slot += add_volume(spec, slot, false);
	if (below(3) == 0) {
		snprintf(words, sizeof(words), "%" PRIu64 "+5000:%s", ((uint64_t)slot << 30) / ss, gpt ? "linux" : "83");
		tell(words);
		bench_foreign(spec, words);
		slot++;
	}
	for (unsigned i = 0; i < logicals; i++)
		slot += add_volume(spec, slot, true);
	spec->size_bytes = ((uint64_t)slot << 30) + (1 + below(40)) * (1 << 20);
	return spec;
}

/* Disk number `number`; its seed is that number. */
static struct table_bench draw_disk(unsigned number)
{
	static const char *const layouts[] = {"esxi50", "esxi5", "esxi7-small"};
	const char *layout = "plain";
	struct vk_lab_spec *spec;

	random_state = number * 0xD1342543DE82EF95ULL + 7;
	snprintf(told, sizeof(told), " number %u:", number);
	if (below(8) == 0) {
		layout = one_of(layouts, 3);
		tell(layout);
		spec = bench_spec(VK_TABLE_GPT, 512, (uint64_t)(12 + below(8)) << 30);
		bench_volume(spec, below(2) == 0 ? "label=datastore1" : "label=datastore1,live=1");
	} else {
		spec = draw_plain();
	}
	spec->seed = number;
	return bench_make(spec, layout);
}

static void fail_with(const char *what, const char *more)
{
	fail_msg("%s: %s; the disk:%s", what, more, told);
}

static void table_stays(const struct vk_source *source)
{
	const struct vk_find_options options = {.likely_only = below(4) != 0};
	struct rebuilt r = {.overlay = vk_overlay_new(source->io)};

	assert_non_null(r.overlay);
	must(vk_find(source, &options, &r.find, &r.err), &r.err);
	r.status = vk_rebuild_table(source, &r.find, &(struct vk_rebuild_table_options){.label = VK_TABLE_NONE}, r.overlay,
				    &r.table, &r.err);
	if (r.status != VK_OK || vk_overlay_dirty_bytes(r.overlay) != 0 || !r.table.nothing_to_do || r.table.guessed ||
	    r.table.lost_count > 0) {
		rebuilt_print(&r);
		fail_with("repair table", "the plan is not empty");
	}
	vk_rebuild_table_free(&r.table);
	vk_find_free(&r.find);
	vk_overlay_free(r.overlay);
}

static void header_stays(struct vk_io *disk, uint64_t start, uint64_t length, uint32_t sector_size)
{
	struct vk_overlay *overlay = vk_overlay_new(disk);
	struct vk_rebuild_header h;
	struct vk_error err = {0};

	assert_non_null(overlay);
	must(rebuild_of(disk, start, length, sector_size, NULL, overlay, &h, &err), &err);
	for (size_t i = 0; i < h.field_count; i++)
		print_message("  %s: \"%s\" -> \"%s\" from %s\n",
			      h.fields[i].field != NULL ? h.fields[i].field->name : "as a whole", h.fields[i].was,
			      h.fields[i].is, h.fields[i].from);
	if (vk_overlay_dirty_bytes(overlay) != 0 || !h.nothing_to_do || h.guessed)
		fail_with("repair header", "the plan is not empty");
	for (size_t i = 0; i < VK_HS_COUNT; i++)
		if (h.verdicts[i].state != VK_STRUCTURE_CONSISTENT && h.verdicts[i].state != VK_STRUCTURE_NONE)
			fail_with(vk_header_structure_name((enum vk_header_structure)i), h.verdicts[i].why);
	if (h.lost_count > 0)
		fail_with("repair header", h.lost[0]);
	vk_rebuild_header_free(&h);
	vk_overlay_free(overlay);
}

/* Nothing is wrong, and no repair is advised. */
static void doctor_is_content(struct vk_io *disk, uint32_t sector_size)
{
	const struct vk_doctor_options options = {.sector_size = sector_size, .live_id = "", .scan = below(4) == 0};
	struct vk_diagnosis d;
	struct vk_error err = {0};
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", vk_io_descriptor(disk));
	must(vk_diagnose(NULL, path, &options, &d, &err), &err);
	if (d.bad || d.damaged || d.unknown || d.lost_count > 0) {
		for (size_t i = 0; i < d.findings.count; i++)
			print_message("  %s: %s\n", vk_finding_kind(d.findings.items[i].code)->code,
				      d.findings.items[i].message);
		fail_with("doctor", d.headline);
	}
	for (size_t i = 0; i < d.advice_count; i++)
		if (d.advice[i].command != NULL && strstr(d.advice[i].command, "repair") != NULL)
			fail_with("doctor advises", d.advice[i].command);
	vk_diagnosis_free(&d);
}

static void nothing_to_do(struct vk_io *disk, uint32_t sector_size)
{
	struct vk_source source;

	table_source(disk, sector_size, &source);
	table_stays(&source);
	for (size_t i = 0; i < source.vmfs_count; i++) {
		const struct vk_vmfs *v = &source.vmfs[i];

		header_stays(disk, v->start_sector * sector_size, v->sectors * sector_size, sector_size);
		header_stays(disk, v->start_sector * sector_size, 0, sector_size);
	}
	vk_source_close(&source);
	doctor_is_content(disk, sector_size);
}

static void practice_disk(unsigned number)
{
	struct table_bench b = draw_disk(number);
	struct vk_io *disk = memory_io(dup(b.disk.fd));
	uint32_t ss = b.spec->sector_size;

	vk_io_set_sector_size(disk, ss);
	nothing_to_do(disk, ss);
	vk_io_close(disk);
	bench_free(&b);
}

static void practice_disks(void **state)
{
	const char *count = getenv("DISKS");

	(void)state;
	for (unsigned i = 0; i < (count != NULL ? (unsigned)atoi(count) : DISKS); i++)
		practice_disk(i);
}

static void real_volume(void **state)
{
	const struct real_volume *v = *state;
	struct vk_io *io = real_volume_open(v);

	if (io == NULL)
		skip();
	snprintf(told, sizeof(told), " %s", v->name);
	header_stays(io, 0, v->partition_bytes, 512);
	header_stays(io, 0, 0, 512);
	header_stays(io, 0, v->bytes, 512);
	doctor_is_content(io, 512);
	vk_io_close(io);
}

static void real_disk(void **state)
{
	const struct table_subject *s = *state;
	struct vk_io *io = table_subject_open(s);

	if (io == NULL)
		skip();
	snprintf(told, sizeof(told), " %s", s->name);
	nothing_to_do(io, 512);
	vk_io_close(io);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		{"real3", real_volume, NULL, NULL, (void *)(uintptr_t)&real_volumes[0]},
		{"real5", real_volume, NULL, NULL, (void *)(uintptr_t)&real_volumes[1]},
		{"real6", real_volume, NULL, NULL, (void *)(uintptr_t)&real_volumes[2]},
		{"real5 as a whole disk", real_disk, NULL, NULL, (void *)(uintptr_t)&table_subjects[0]},
		{"real6 as a whole disk", real_disk, NULL, NULL, (void *)(uintptr_t)&table_subjects[1]},
		{"real3 on an MBR disk", real_disk, NULL, NULL, (void *)(uintptr_t)&table_subjects[2]},
		cmocka_unit_test(practice_disks),
	};

	if (argc > 1) {
		practice_disk((unsigned)atoi(argv[1]));
		return 0;
	}
	return cmocka_run_group_tests_name("undamaged", tests, NULL, NULL);
}
