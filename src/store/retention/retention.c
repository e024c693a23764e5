/* SPDX-License-Identifier: Apache-2.0 */
/* Which captures may go. Sorted once for the periods and once for each kind of group; nothing is compared pairwise. */
#include "base/memory.h"
#include "vmfskit/retention.h"

#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/civil.h"
#include "vmfskit/text.h"

enum period { DAY, WEEK, MONTH, YEAR, PERIODS };

/* What was decided of one item, by its index. */
struct decision {
	bool last[PERIODS];      /* the last of a period that is kept */
	bool same_day_is_kept;   /* a later one of its day stays for that day */
	bool young;              /* damaged or an undo capture, but too young to go */
	bool newest_undo;        /* of its disk, or the newest of those that are not damaged */
	bool best_of_disk;
	bool best_of_volume;
	bool best_of_header;
	bool only_of_header;
};

struct decider {
	struct vk_retention_item *items;
	size_t count;
	unsigned keep[PERIODS];
	struct decision *decisions;
};

/* It stands in for nothing. */
static bool stands_aside(const struct vk_retention_item *item)
{
	return item->is_undo || item->is_rebuilt;
}

/* Newest first. */
static int compare_age(const struct vk_retention_item *a, const struct vk_retention_item *b)
{
	if (a->unix_seconds != b->unix_seconds)
		return a->unix_seconds > b->unix_seconds ? -1 : 1;
	return strverscmp(b->id, a->id);
}

static int compare_in_disk(const void *a, const void *b)
{
	const struct vk_retention_item *x = *(const struct vk_retention_item *const *)a;
	const struct vk_retention_item *y = *(const struct vk_retention_item *const *)b;
	int order = strcmp(x->disk, y->disk);

	return order != 0 ? order : compare_age(x, y);
}

/* Equal for two captures of one period, and growing with time. Week 0 ended on Friday, 1970-01-02, which is day 1. */
static int64_t period_of(enum period period, int64_t day)
{
	struct vk_civil date;

	switch (period) {
	case DAY:
		return day;
	case WEEK:
		return vk_floor_div(day + 5, 7);
	case MONTH:
	case YEAR:
	case PERIODS:
		break;
	}
	date = vk_civil_from_day(day);
	return period == YEAR ? date.year : date.year * 12 + date.month - 1;
}

/* The periods of one disk, from its newest capture on. */
struct walk {
	bool begun;
	int64_t newest_seen[PERIODS]; /* the period of the last good capture that was seen */
	unsigned seen[PERIODS];       /* how many different ones, that one included */
	bool undo_seen;
	bool good_undo_seen;
};

/* Whether one of the first `periods` kinds of periods that are kept reaches back to this day. */
static bool reaches(const struct decider *d, const struct walk *walk, int64_t day, int periods)
{
	for (int p = 0; p < periods; p++) {
		bool same = walk->begun && walk->newest_seen[p] == period_of((enum period)p, day);

		if (walk->seen[p] - same < d->keep[p])
			return true;
	}
	return false;
}

static void walk_undo(const struct decider *d, struct walk *walk, const struct vk_retention_item *item,
		      struct decision *decision, int64_t day)
{
	bool good = item->verdict != VK_RETENTION_DAMAGED;

	decision->newest_undo = !walk->undo_seen || (good && !walk->good_undo_seen);
	walk->undo_seen = true;
	walk->good_undo_seen = walk->good_undo_seen || good;
	decision->young = reaches(d, walk, day, YEAR);
}

static void walk_good(struct decider *d, struct walk *walk, struct decision *decision, int64_t day)
{
	bool later_today = walk->begun && walk->newest_seen[DAY] == day;

	for (int p = 0; p < PERIODS; p++) {
		int64_t period = period_of((enum period)p, day);

		if (walk->begun && walk->newest_seen[p] == period)
			continue;
		walk->newest_seen[p] = period;
		/* no counter of captures in memory wraps */
		walk->seen[p]++;
		decision->last[p] = walk->seen[p] <= d->keep[p];
	}
	decision->same_day_is_kept = later_today && walk->seen[DAY] <= d->keep[DAY];
	walk->begun = true;
}

static void walk_one(struct decider *d, struct walk *walk, const struct vk_retention_item *item)
{
	struct decision *decision = &d->decisions[item - d->items];
	int64_t day = vk_civil_day_of(item->unix_seconds);

	if (item->is_undo)
		walk_undo(d, walk, item, decision, day);
	else if (stands_aside(item))
		return;
	else if (item->verdict != VK_RETENTION_DAMAGED)
		walk_good(d, walk, decision, day);
	else
		decision->young = reaches(d, walk, day, WEEK);
}

static bool mark_periods(struct decider *d)
{
	struct vk_retention_item **order = calloc(d->count, sizeof(struct vk_retention_item *));
	struct walk walk = {.begun = false};

	if (order == NULL)
		return false;
	for (size_t i = 0; i < d->count; i++)
		order[i] = &d->items[i];
	qsort(order, d->count, sizeof(struct vk_retention_item *), compare_in_disk);
	for (size_t i = 0; i < d->count; i++) {
		if (i > 0 && strcmp(order[i - 1]->disk, order[i]->disk) != 0)
			walk = (struct walk){.begun = false};
		walk_one(d, &walk, order[i]);
	}
	free(order);
	return true;
}

/* Captures that could stand in for each other: those with equal keys. */
struct member {
	const char *key;
	const char *second_key;
	const struct vk_retention_item *item;
};

static int compare_keys(const struct member *a, const struct member *b)
{
	int order = strcmp(a->key, b->key);

	return order != 0 ? order : strcmp(a->second_key, b->second_key);
}

/* The best of a group first: by verdict, then the newest. */
static int compare_members(const void *a, const void *b)
{
	const struct member *x = a;
	const struct member *y = b;
	int order = compare_keys(x, y);

	if (order != 0)
		return order;
	if (x->item->verdict != y->item->verdict)
		return x->item->verdict < y->item->verdict ? -1 : 1;
	return compare_age(x->item, y->item);
}

/* Mark the best of each group, or all of one that holds nothing good. */
static void mark_best(struct decider *d, struct member *members, size_t count,
		      void (*mark)(struct decision *decision, bool is_only))
{
	size_t first = 0;

	if (count == 0)
		return;
	qsort(members, count, sizeof(*members), compare_members);
	for (size_t i = 0; i < count; i++) {
		bool ends = i + 1 == count || compare_keys(&members[i], &members[i + 1]) != 0;

		if (i > 0 && compare_keys(&members[i - 1], &members[i]) != 0)
			first = i;
		if (i == first || members[first].item->verdict == VK_RETENTION_DAMAGED)
			mark(&d->decisions[members[i].item - d->items], i == first && ends);
	}
}

static void mark_disk(struct decision *decision, bool is_only)
{
	(void)is_only;
	decision->best_of_disk = true;
}

static void mark_volume(struct decision *decision, bool is_only)
{
	(void)is_only;
	decision->best_of_volume = true;
}

static void mark_header(struct decision *decision, bool is_only)
{
	decision->best_of_header = true;
	decision->only_of_header = is_only;
}

static void mark_groups(struct decider *d, struct member *members)
{
	size_t n = 0;

	for (size_t i = 0; i < d->count; i++)
		if (!stands_aside(&d->items[i]))
			members[n++] = (struct member){d->items[i].disk, "", &d->items[i]};
	mark_best(d, members, n, mark_disk);
	n = 0;
	for (size_t i = 0; i < d->count; i++)
		for (size_t k = 0; !stands_aside(&d->items[i]) && k < d->items[i].volume_count; k++)
			members[n++] = (struct member){d->items[i].volumes[k], "", &d->items[i]};
	mark_best(d, members, n, mark_volume);
	n = 0;
	for (size_t i = 0; i < d->count; i++)
		if (!stands_aside(&d->items[i]) && d->items[i].header[0] != '\0')
			members[n++] = (struct member){d->items[i].disk, d->items[i].header, &d->items[i]};
	mark_best(d, members, n, mark_header);
}

/* As many members as the largest of the three kinds of groups has; NULL when memory ran out. */
static struct member *new_members(const struct decider *d)
{
	uint64_t most = 0;

	for (size_t i = 0; i < d->count; i++)
		most = vk_add_sat(most, d->items[i].volume_count);
	most = vk_max_u64(most, d->count);
	return most <= SIZE_MAX ? calloc((size_t)most, sizeof(struct member)) : NULL;
}

static void put_separator(struct vk_text *text, const char *separator)
{
	if (text->len_bytes > 0)
		vk_text_put(text, separator);
}

static void put_date(struct vk_text *text, struct vk_civil date)
{
	vk_text_fmt(text, "%04lld-%02u-%02u", (long long)date.year, date.month, date.day);
}

static void put_periods(struct vk_text *text, const struct decision *decision, int64_t unix_seconds)
{
	static const char *const names[PERIODS] = {"the day ", "the week to Friday ", "the month ", "the year "};
	int64_t day = vk_civil_day_of(unix_seconds);
	struct vk_civil date = vk_civil_from_day(day);
	bool any = false;

	for (int p = 0; p < PERIODS; p++) {
		if (!decision->last[p])
			continue;
		if (any)
			vk_text_put(text, ", ");
		else
			put_separator(text, "; ");
		vk_text_put(text, any ? "" : "last of ");
		vk_text_put(text, names[p]);
		any = true;
		if (p == DAY)
			put_date(text, date);
		else if (p == WEEK)
			put_date(text, vk_civil_from_day(period_of(WEEK, day) * 7 + 1));
		else if (p == MONTH)
			vk_text_fmt(text, "%04lld-%02u", (long long)date.year, date.month);
		else
			vk_text_fmt(text, "%04lld", (long long)date.year);
	}
}

static void put_best(struct vk_text *text, const struct decision *decision, enum vk_retention_verdict verdict)
{
	static const char *const kinds[] = {"newest sound capture of", "newest capture, as none is sound, of",
					    "there is nothing better of"};

	if (!decision->best_of_disk && !decision->best_of_volume)
		return;
	put_separator(text, "; ");
	vk_text_fmt(text, "%s its %s", kinds[verdict],
		    !decision->best_of_volume ? "disk"
		    : decision->best_of_disk  ? "disk and volume"
					      : "volume");
}

static void put_header(struct vk_text *text, const struct decision *decision,
		       const struct vk_retention_item *item)
{
	if (!decision->best_of_header)
		return;
	put_separator(text, "; ");
	vk_text_fmt(text, "%s with this %s",
		    decision->only_of_header                  ? "the only capture"
		    : item->verdict == VK_RETENTION_DAMAGED ? "there is nothing better"
							      : "newest capture",
		    item->header_is_table ? "partition table" : "LVM header");
}

static void put_aside(struct vk_text *text, const struct vk_retention_item *item, const struct decision *decision)
{
	const char *why = item->is_rebuilt	  ? "rebuilt by repair"
			  : !item->is_undo	  ? NULL
			  : decision->newest_undo ? "newest undo capture of its disk"
			  : decision->young	  ? "undo capture of a time that is kept"
						  : NULL;

	if (why == NULL)
		return;
	put_separator(text, "; ");
	vk_text_put(text, why);
}

static void conclude(struct vk_retention_item *item, const struct decision *decision)
{
	struct vk_text text;

	vk_text_init(&text, item->why, sizeof(item->why));
	if (item->pinned)
		vk_text_put(&text, "pinned");
	put_aside(&text, item, decision);
	put_periods(&text, decision, item->unix_seconds);
	put_best(&text, decision, item->verdict);
	put_header(&text, decision, item);
	if (decision->young && !item->is_undo) {
		put_separator(&text, "; ");
		vk_text_put(&text, "damaged, kept for a while so that somebody can look why");
	}
	item->keep = text.len_bytes > 0;
	if (item->keep)
		return;
	if (item->is_undo)
		vk_text_put(&text, "undo capture older than the days, weeks and months that are kept");
	else if (item->verdict == VK_RETENTION_DAMAGED)
		vk_text_put(&text, "damaged, and there are better ones");
	else if (decision->same_day_is_kept)
		vk_text_put(&text, "a later one of the same day stays");
	else
		vk_text_put(&text, "older than the rules keep");
}

enum vk_status vk_retention_decide(struct vk_retention_item *items, size_t count,
				   const struct vk_retention_policy *policy, struct vk_error *err)
{
	struct decider d = {.items = items,
			    .count = count,
			    .keep = {policy->keep_daily, policy->keep_weekly, policy->keep_monthly,
				     policy->keep_yearly}};
	struct member *members;
	bool sound;

	if (count == 0)
		return VK_OK;
	d.decisions = calloc(count, sizeof(*d.decisions));
	members = new_members(&d);
	sound = d.decisions != NULL && members != NULL && mark_periods(&d);
	if (sound) {
		mark_groups(&d, members);
		for (size_t i = 0; i < count; i++)
			conclude(&items[i], &d.decisions[i]);
	}
	free(members);
	free(d.decisions);
	return sound ? VK_OK : vk_no_memory(err, NULL);
}
