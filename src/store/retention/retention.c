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
/* Captures that could stand in for each other: of one disk, of one volume, of one disk with one header. */
enum group { OF_DISK, OF_VOLUME, OF_HEADER, GROUPS };

/* What was decided of one item, by its index. */
struct decision {
	bool last[PERIODS];      /* the last of a period that is kept */
	bool same_day_is_kept;   /* a later one of its day stays for that day */
	bool young;              /* damaged or an undo capture, but too young to go */
	bool newest_undo;        /* of its disk, or the newest of those that are not damaged */
	bool best_of[GROUPS];
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
static int64_t period_of(int period, int64_t day)
{
	struct vk_civil date = vk_civil_from_day(day);

	if (period == DAY)
		return day;
	if (period == WEEK)
		return vk_floor_div(day + 5, 7);
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
		bool same = walk->begun && walk->newest_seen[p] == period_of(p, day);

		if (walk->seen[p] - same < d->keep[p])
			return true;
	}
	return false;
}

static void walk_one(struct decider *d, struct walk *walk, const struct vk_retention_item *item)
{
	struct decision *decision = &d->decisions[item - d->items];
	int64_t day = vk_civil_day_of(item->unix_seconds);
	bool good = item->verdict != VK_RETENTION_DAMAGED;
	bool later_today = walk->begun && walk->newest_seen[DAY] == day;

	if (item->is_undo) {
		decision->newest_undo = !walk->undo_seen || (good && !walk->good_undo_seen);
		walk->undo_seen = true;
		walk->good_undo_seen = walk->good_undo_seen || good;
		decision->young = reaches(d, walk, day, YEAR);
		return;
	}
	if (stands_aside(item))
		return;
	if (!good) {
		decision->young = reaches(d, walk, day, WEEK);
		return;
	}
	for (int p = 0; p < PERIODS; p++) {
		int64_t period = period_of(p, day);

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

/* Of one group are those with equal keys. */
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
static void mark_best(struct decider *d, struct member *members, size_t count, enum group group)
{
	size_t first = 0;

	if (count > 0)
		qsort(members, count, sizeof(*members), compare_members);
	for (size_t i = 0; i < count; i++) {
		bool ends = i + 1 == count || compare_keys(&members[i], &members[i + 1]) != 0;
		struct decision *decision = &d->decisions[members[i].item - d->items];

		if (i > 0 && compare_keys(&members[i - 1], &members[i]) != 0)
			first = i;
		if (i != first && members[first].item->verdict != VK_RETENTION_DAMAGED)
			continue;
		decision->best_of[group] = true;
		if (group == OF_HEADER)
			decision->only_of_header = i == first && ends;
	}
}

/* False when memory ran out. */
static bool mark_groups(struct decider *d)
{
	struct member *members;
	uint64_t most = 1; /* members that the largest of the three kinds of groups has, and never none */

	for (size_t i = 0; i < d->count; i++)
		most = vk_add_sat(most, d->items[i].volume_count);
	most = vk_max_u64(most, d->count);
	members = most <= SIZE_MAX ? calloc((size_t)most, sizeof(*members)) : NULL;
	if (members == NULL)
		return false;
	for (enum group group = OF_DISK; group < GROUPS; group++) {
		size_t n = 0;

		for (size_t i = 0; i < d->count; i++) {
			const struct vk_retention_item *item = &d->items[i];
			size_t times = group == OF_VOLUME ? item->volume_count
				       : group == OF_DISK ? 1
							  : item->header[0] != '\0';

			for (size_t k = 0; !stands_aside(item) && k < times; k++)
				members[n++] = (struct member){group == OF_VOLUME ? item->volumes[k] : item->disk,
							       group == OF_HEADER ? item->header : "", item};
		}
		mark_best(d, members, n, group);
	}
	free(members);
	return true;
}

static void put_reason(struct vk_text *text, const char *reason)
{
	if (reason == NULL)
		return;
	vk_text_put(text, text->len_bytes > 0 ? "; " : "");
	vk_text_put(text, reason);
}

static void put_periods(struct vk_text *text, const struct decision *decision, int64_t unix_seconds)
{
	static const char *const names[PERIODS] = {"the day ", "the week to Friday ", "the month ", "the year "};
	int64_t day = vk_civil_day_of(unix_seconds);
	bool any = false;

	for (int p = 0; p < PERIODS; p++) {
		struct vk_civil date = vk_civil_from_day(p == WEEK ? period_of(WEEK, day) * 7 + 1 : day);

		if (!decision->last[p])
			continue;
		if (any)
			vk_text_put(text, ", ");
		else
			put_reason(text, "last of ");
		any = true;
		vk_text_put(text, names[p]);
		vk_text_fmt(text, "%04lld", (long long)date.year);
		if (p != YEAR)
			vk_text_fmt(text, "-%02u", date.month);
		if (p == DAY || p == WEEK)
			vk_text_fmt(text, "-%02u", date.day);
	}
}

static void put_best(struct vk_text *text, const struct decision *decision, const struct vk_retention_item *item)
{
	static const char *const kinds[] = {"newest sound capture of", "newest capture, as none is sound, of",
					    "there is nothing better of"};
	const bool *best_of = decision->best_of;
	bool damaged = item->verdict == VK_RETENTION_DAMAGED;

	if (best_of[OF_DISK] || best_of[OF_VOLUME]) {
		put_reason(text, kinds[item->verdict]);
		vk_text_put(text, !best_of[OF_VOLUME] ? " its disk"
				  : best_of[OF_DISK]  ? " its disk and volume"
						      : " its volume");
	}
	if (best_of[OF_HEADER]) {
		put_reason(text, decision->only_of_header ? "the only capture"
				 : damaged		  ? "there is nothing better"
							  : "newest capture");
		vk_text_put(text, item->header_is_table ? " with this partition table" : " with this LVM header");
	}
}

static void conclude(struct vk_retention_item *item, const struct decision *decision)
{
	bool damaged = item->verdict == VK_RETENTION_DAMAGED;
	struct vk_text text = vk_text_in(item->why, sizeof(item->why));

	put_reason(&text, item->pinned ? "pinned" : NULL);
	put_reason(&text, item->is_rebuilt	  ? "rebuilt by repair"
			  : !item->is_undo	  ? NULL
			  : decision->newest_undo ? "newest undo capture of its disk"
			  : decision->young	  ? "undo capture of a time that is kept"
						  : NULL);
	put_periods(&text, decision, item->unix_seconds);
	put_best(&text, decision, item);
	if (decision->young && !item->is_undo)
		put_reason(&text, "damaged, kept for a while so that the cause can be found");
	item->keep = text.len_bytes > 0;
	if (!item->keep)
		vk_text_put(&text, item->is_undo ? "undo capture older than the days, weeks and months that are kept"
				   : damaged	 ? "damaged, and there are better ones"
				   : decision->same_day_is_kept ? "a later one of the same day stays"
								: "older than the rules keep");
}

enum vk_status vk_retention_decide(struct vk_retention_item *items, size_t count,
				   const struct vk_retention_policy *policy, struct vk_error *err)
{
	struct decider d = {.items = items,
			    .count = count,
			    .keep = {policy->keep_daily, policy->keep_weekly, policy->keep_monthly,
				     policy->keep_yearly}};
	bool sound;

	if (count == 0)
		return VK_OK;
	d.decisions = calloc(count, sizeof(*d.decisions));
	sound = d.decisions != NULL && mark_periods(&d) && mark_groups(&d);
	for (size_t i = 0; sound && i < count; i++)
		conclude(&items[i], &d.decisions[i]);
	free(d.decisions);
	return sound ? VK_OK : vk_no_memory(err, NULL);
}
