/* SPDX-License-Identifier: Apache-2.0 */
/* Which captures may go: random histories against a second implementation that compares all with all. */
#include "retention_history.h"

static uint64_t seed;

static unsigned dice(unsigned sides)
{
	seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (unsigned)(seed >> 33) % sides;
}

static const char *const disk_names[] = {"naa.6001", "naa.6002", "host:/dev/sdb"};
static const char *const header_names[] = {"h1", "h2", "h3", ""};
static const char *const volume_names[] = {"v1", "v2", "v3", "v4"};

static void random_history(size_t size)
{
	int64_t first = 1000000000 + (int64_t)dice(1000000000);
	unsigned step = 1 + dice(3 * 86400);

	count = 0;
	for (size_t i = 0; i < size; i++) {
		struct vk_retention_item *item =
			add(first, disk_names[dice(3)], header_names[dice(20) == 0 ? dice(4) : 0]);

		first += dice(4) > 0 ? (int64_t)dice(2 * step) : 0;
		item->verdict = dice(8) > 0 ? VK_RETENTION_SOUND : (enum vk_retention_verdict)dice(3);
		item->pinned = dice(30) == 0;
		item->is_undo = dice(8) == 0;
		item->is_rebuilt = dice(30) == 0;
		item->volumes = volume_names + dice(3);
		item->volume_count = dice(3);
	}
	/* in no order */
	for (size_t i = count; i > 1; i--) {
		size_t k = dice((unsigned)i);
		struct vk_retention_item swap = items[i - 1];

		items[i - 1] = items[k];
		items[k] = swap;
	}
}

/* The name of a period as people write it, made by walking day by day with the C library. */
static void name_period(const struct vk_retention_item *item, int period, char ret_name[32])
{
	static const size_t lengths[] = {10, 10, 7, 4};
	time_t t = (time_t)item->unix_seconds;
	struct tm tm;

	gmtime_r(&t, &tm);
	while (period == 1 && tm.tm_wday != 5) {
		t += 86400;
		gmtime_r(&t, &tm);
	}
	strftime(ret_name, 32, "%Y-%m-%d", &tm);
	ret_name[lengths[period]] = '\0';
}

static bool naive_good(const struct vk_retention_item *item)
{
	return !item->is_undo && !item->is_rebuilt && item->verdict != VK_RETENTION_DAMAGED;
}

static bool naive_newer(const struct vk_retention_item *a, const struct vk_retention_item *b)
{
	return a->unix_seconds != b->unix_seconds ? a->unix_seconds > b->unix_seconds
						  : strverscmp(a->id, b->id) > 0;
}

/* Names of the periods of all items, and whether each item is the last of its own. */
static char names[MAX_ITEMS][4][32];
static bool lasts[MAX_ITEMS][4];

static void naive_prepare(void)
{
	for (size_t i = 0; i < count; i++)
		for (int p = 0; p < 4; p++)
			name_period(&items[i], p, names[i][p]);
	for (size_t i = 0; i < count; i++) {
		for (int p = 0; p < 4; p++) {
			lasts[i][p] = naive_good(&items[i]);
			for (size_t k = 0; k < count; k++)
				if (naive_good(&items[k]) && strcmp(items[k].disk, items[i].disk) == 0 &&
				    strcmp(names[k][p], names[i][p]) == 0 && naive_newer(&items[k], &items[i]))
					lasts[i][p] = false;
		}
	}
}

/* How many later periods of its disk have a good capture. */
static unsigned naive_later(size_t i, int p)
{
	unsigned later = 0;

	for (size_t k = 0; k < count; k++)
		later += lasts[k][p] && strcmp(items[k].disk, items[i].disk) == 0 &&
			 strcmp(names[k][p], names[i][p]) > 0;
	return later;
}

static bool naive_shares(const struct vk_retention_item *a, const struct vk_retention_item *b, int kind, size_t v)
{
	if (b->is_undo || b->is_rebuilt)
		return false;
	if (kind == 0)
		return strcmp(a->disk, b->disk) == 0;
	if (kind == 1)
		return strcmp(a->disk, b->disk) == 0 && strcmp(a->header, b->header) == 0;
	for (size_t i = 0; i < b->volume_count; i++)
		if (strcmp(b->volumes[i], a->volumes[v]) == 0)
			return true;
	return false;
}

/* Whether nothing else of the group could stand in for it. */
static bool naive_best(size_t i, int kind, size_t v)
{
	const struct vk_retention_item *item = &items[i];

	for (size_t k = 0; k < count; k++) {
		const struct vk_retention_item *other = &items[k];

		if (k == i || !naive_shares(item, other, kind, v))
			continue;
		if (other->verdict < item->verdict)
			return false;
		if (other->verdict == item->verdict && item->verdict != VK_RETENTION_DAMAGED &&
		    naive_newer(other, item))
			return false;
	}
	return true;
}

/* Of its disk, whatever its verdict, or of those that are not damaged. */
static bool naive_newest_undo(size_t i)
{
	bool newest = true;
	bool newest_good = items[i].verdict != VK_RETENTION_DAMAGED;

	for (size_t k = 0; k < count; k++) {
		if (!items[k].is_undo || strcmp(items[k].disk, items[i].disk) != 0 ||
		    !naive_newer(&items[k], &items[i]))
			continue;
		newest = false;
		newest_good = newest_good && items[k].verdict == VK_RETENTION_DAMAGED;
	}
	return newest || newest_good;
}

static bool naive_keeps(size_t i, const unsigned keep[4])
{
	const struct vk_retention_item *item = &items[i];

	if (item->pinned || item->is_rebuilt)
		return true;
	if (item->is_undo)
		return naive_newest_undo(i) || naive_later(i, 0) < keep[0] || naive_later(i, 1) < keep[1] ||
		       naive_later(i, 2) < keep[2];
	for (int p = 0; p < 4; p++)
		if (lasts[i][p] && naive_later(i, p) < keep[p])
			return true;
	if (item->verdict == VK_RETENTION_DAMAGED && naive_later(i, 0) < keep[0])
		return true;
	if (naive_best(i, 0, 0) || (item->header[0] != '\0' && naive_best(i, 1, 0)))
		return true;
	for (size_t v = 0; v < item->volume_count; v++)
		if (naive_best(i, 2, v))
			return true;
	return false;
}

static void against_the_naive_one(void **state)
{
	(void)state;
	for (seed = 1; seed < 400; seed += 2) {
		uint64_t begun = seed;
		unsigned keep[4];

		random_history(1 + dice(120));
		naive_prepare();
		for (unsigned round = 0; round < 5; round++) {
			for (int p = 0; p < 4; p++)
				keep[p] = round == 0 ? 0 : dice(10);
			decide(keep[0], keep[1], keep[2], keep[3]);
			for (size_t i = 0; i < count; i++)
				if (items[i].keep != naive_keeps(i, keep))
					fail_msg("seed %llu, %u %u %u %u: %s is told \"%s\"",
						 (unsigned long long)begun, keep[0], keep[1], keep[2], keep[3],
						 items[i].id, items[i].why);
		}
		seed = begun;
	}
}

/* Larger numbers keep more; pinning one changes nothing for the others; deciding again after removing changes nothing. */
static void what_must_always_hold(void **state)
{
	(void)state;
	for (seed = 1; seed < 200; seed += 2) {
		uint64_t begun = seed;
		unsigned keep[4] = {dice(8), dice(6), dice(13), dice(11)};
		bool kept[MAX_ITEMS] = {false};
		size_t left = 0;
		size_t pinned;

		random_history(1 + dice(200));
		decide(keep[0], keep[1], keep[2], keep[3]);
		for (size_t i = 0; i < count; i++)
			kept[i] = items[i].keep;
		decide(keep[0] + dice(3), keep[1] + dice(3), keep[2] + dice(3), keep[3] + dice(3));
		for (size_t i = 0; i < count; i++)
			assert_true(items[i].keep || !kept[i]);
		pinned = dice(count > 0 ? (unsigned)count : 1);
		items[pinned].pinned = true;
		decide(keep[0], keep[1], keep[2], keep[3]);
		for (size_t i = 0; i < count; i++)
			assert_int_equal(items[i].keep, kept[i] || i == pinned);
		for (size_t i = 0; i < count; i++)
			if (items[i].keep)
				items[left++] = items[i];
		count = left;
		decide(keep[0], keep[1], keep[2], keep[3]);
		for (size_t i = 0; i < count; i++)
			assert_true(items[i].keep);
		seed = begun;
	}
}

/* Thousands of equal keys are no more work than thousands of different ones. */
static void many(void **state)
{
	enum { MANY = 100000 };
	struct vk_retention_item *all = calloc(MANY, sizeof(*all));
	char (*names_of)[16] = calloc(MANY, sizeof(*names_of));
	const struct vk_retention_policy policy = VK_RETENTION_DEFAULT;
	struct vk_error err;
	clock_t begun = clock();
	size_t kept = 0;

	(void)state;
	assert_non_null(all);
	assert_non_null(names_of);
	for (size_t i = 0; i < MANY; i++) {
		snprintf(names_of[i], sizeof(names_of[i]), "c%zu", i);
		all[i] = (struct vk_retention_item){.id = names_of[i],
						    .disk = "d",
						    .header = "h",
						    .volumes = volume_names,
						    .volume_count = 4,
						    .unix_seconds = (int64_t)(i * 7919 % MANY) * 3600};
	}
	assert_int_equal(vk_retention_decide(all, MANY, &policy, &err), VK_OK);
	for (size_t i = 0; i < MANY; i++)
		kept += all[i].keep;
	assert_in_range(kept, 12, 34);
	assert_true((clock() - begun) / CLOCKS_PER_SEC < 30);
	free(all);
	free(names_of);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(against_the_naive_one),
		cmocka_unit_test(what_must_always_hold),
		cmocka_unit_test(many),
	};

	return cmocka_run_group_tests_name("retention, random", tests, NULL, NULL);
}
