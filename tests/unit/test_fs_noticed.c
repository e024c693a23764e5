/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How much of the damage to a volume its check notices. Each damage is 1 to 64 bytes of one structure; what it changes
 * is looked up in the rows of that structure: a field that something else on the volume confirms; one that is said
 * once only (times, owners, labels, counters of hosts), so that nobody can notice it; or nothing that is read.
 * DAMAGES: so many of each volume (430: 3010 of all seven); DAMAGES_FROM: the first number; DAMAGES_SHOW: what is not
 * noticed is told. test_fs_noticed VOLUME NUMBER tells one case.
 */
#include <signal.h>

#include "damage_run.h"
#include "fs_damage.h"
#include "fs_filled.h"
#include "fs_said_once.h"
#include "vmfskit/fs_check.h"

enum { SECONDS = 10, USUAL = 8, VOLUMES = REAL_VOLUMES + FILLED };

static struct places places;
static bool told;

/* Damages by structure. */
static struct tally {
	unsigned cases[SAID_CLASSES], noticed[SAID_CLASSES];
} tallies[PLACE_WHATS], sum;

static const char *volume_name(size_t index)
{
	return index < REAL_VOLUMES ? real_volumes[index].name : index < VOLUMES ? filled_volumes[index - REAL_VOLUMES] : NULL;
}

static void tell(const struct vk_findings *found)
{
	for (size_t i = 0; i < found->count; i++)
		fprintf(stderr, "    %s: %s (seen %s, expected %s)\n", vk_finding_kind(found->items[i].code)->code,
			found->items[i].message, found->items[i].seen, found->items[i].expected);
}

/* What the check says of the volume as it is. */
static bool notices(struct folder_bench *b, bool show)
{
	struct vk_findings found = {0};
	struct vk_finding_sink sink = vk_findings_sink(&found);
	struct vk_vmfs again = {.partition_bytes = b->vmfs.partition_bytes};
	struct vk_fs_check check = {.files = 0};
	bool noticed;

	assert_int_equal(vk_vmfs_read(vk_overlay_io(b->disk.damage), &sink, &again, &b->err), VK_OK);
	vk_vmfs_free(&again);
	folder_bench_again(b);
	if (b->fs != NULL && vk_fs_check(b->fs, &sink, &check, &b->err) != VK_OK)
		fail_msg("%s", b->err.what);
	vk_fs_check_free(&check);
	noticed = b->fs == NULL;
	for (size_t i = 0; i < found.count; i++)
		noticed = noticed || vk_finding_kind(found.items[i].code)->severity != VK_INFO;
	for (size_t i = 0; i < b->findings.count; i++)
		noticed = noticed || vk_finding_kind(b->findings.items[i].code)->severity != VK_INFO;
	if (show) {
		tell(&b->findings);
		tell(&found);
	}
	vk_findings_free(&found);
	return noticed;
}

/* The name of the case, for a signal. */
static char now[80];
static void hangs(int number)
{
	(void)number;
	if (write(STDERR_FILENO, now, strlen(now)) < 0)
		_exit(3);
	_exit(2);
}

static void one_damage(struct folder_bench *b, const char *name, const struct vk_fs_info *info, uint64_t number, bool show)
{
	uint64_t random = number * 7919 + 3;
	char field[80] = "";
	struct fs_damage d;
	enum said said;
	bool noticed;

	for (const char *c = name; *c != '\0'; c++)
		random = random * 31 + (uint8_t)*c;
	snprintf(now, sizeof(now), "%s %llu hangs\n", name, (unsigned long long)number);
	header_bench_reset(&b->disk);
	d = fs_damage_draw(&places, &random);
	said = said_of(b->disk.sound, info, &d, field, sizeof(field));
	header_bench_hurt(&b->disk, d.at, d.bytes, d.len);
	alarm(SECONDS);
	noticed = notices(b, show);
	alarm(0);
	tallies[d.place->what].cases[said]++;
	tallies[d.place->what].noticed[said] += noticed;
	sum.cases[said]++;
	sum.noticed[said] += noticed;
	if (show || (told && said == SAID_TWICE && !noticed))
		fprintf(stderr, "%s %llu: %s, %s, %zu bytes at 0x%llx (+0x%llx): %s\n", name, (unsigned long long)number,
			place_names[d.place->what], field, d.len, (unsigned long long)d.at,
			(unsigned long long)(d.at - d.place->at), noticed ? "noticed" : "not noticed");
}

/* False: the volume is not there. */
static bool run_volume(size_t index, uint64_t first, uint64_t count, bool show)
{
	bool real = index < REAL_VOLUMES;
	struct vk_io *io = real ? real_volume_open(&real_volumes[index]) : filled_volume(volume_name(index));
	struct vk_fs_info info;
	struct folder_bench b;

	if (io == NULL)
		return false;
	signal(SIGALRM, hangs);
	folder_bench_open(&b, vk_io_window(io, 0, real ? real_volumes[index].partition_bytes : UINT64_MAX));
	assert_non_null(b.fs);
	places_find(&places, &b);
	info = *vk_fs_info(b.fs);
	if (notices(&b, false)) {
		notices(&b, true);
		fail_msg("%s: the sound volume is called damaged", volume_name(index));
	}
	for (uint64_t i = 0; i < count; i++)
		one_damage(&b, volume_name(index), &info, first + i, show);
	folder_bench_close(&b);
	vk_io_close(io);
	return true;
}

static void put_row(const char *name, const struct tally *t)
{
	fprintf(stderr, "%-24s", name);
	for (unsigned i = 0; i < SAID_CLASSES; i++)
		fprintf(stderr, " %6u %6u", t->cases[i], t->noticed[i]);
	if (t->cases[SAID_TWICE] > 0)
		fprintf(stderr, " %5.1f %%", 100.0 * t->noticed[SAID_TWICE] / t->cases[SAID_TWICE]);
	fputc('\n', stderr);
}

static void put_table(void)
{
	fprintf(stderr, "%-24s %13s %13s %13s\n", "damaged, noticed", "said twice", "said once", "not read");
	for (unsigned i = 0; i < PLACE_WHATS; i++)
		put_row(place_names[i], &tallies[i]);
	put_row("all", &sum);
}

static void is_noticed(void **state)
{
	if (!run_volume((uintptr_t)*state, damage_number_of("DAMAGES_FROM", 0), damage_number_of("DAMAGES", USUAL), false))
		skip();
}

static void at_least_95_percent(void **state)
{
	/* a handful of cases says less */
	unsigned least = sum.cases[SAID_TWICE] < 500 ? 80 : 95;

	(void)state;
	put_table();
	assert_true(sum.noticed[SAID_TWICE] * 100 >= sum.cases[SAID_TWICE] * least);
}

int main(int argc, char **argv)
{
	struct CMUnitTest tests[VOLUMES + 1];

	told = damage_number_of("DAMAGES_SHOW", 0) > 0;
	for (size_t i = 0; argc > 2 && volume_name(i) != NULL; i++)
		if (strcmp(volume_name(i), argv[1]) == 0)
			return run_volume(i, strtoull(argv[2], NULL, 10), 1, true) ? 0 : 77;
	for (size_t i = 0; i < VOLUMES; i++)
		tests[i] = damage_unit_test("is_noticed", volume_name(i), is_noticed, i);
	tests[VOLUMES] = damage_unit_test("at_least_95_percent", "all", at_least_95_percent, 0);
	return cmocka_run_group_tests_name("fs noticed", tests, NULL, NULL);
}
