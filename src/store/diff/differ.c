/* SPDX-License-Identifier: Apache-2.0 */
/* The list of changes, and which bytes they explain. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/checked.h"
#include "base/memory.h"
#include "store/diff/differ.h"

void vk_diff_no_memory(struct vk_differ *d)
{
	if (d->status == VK_OK)
		d->status = vk_no_memory(d->err, d->side[VK_AFTER]->path);
}

size_t vk_diff_read(struct vk_differ *d, int side, uint64_t offset, void *buf, size_t len)
{
	size_t got = 0;

	if (d->status == VK_OK)
		d->status = vk_io_read(d->side[side]->io, offset, buf, len, &got, d->err);
	return d->status == VK_OK ? got : 0;
}

void vk_diff_claim(struct vk_differ *d, enum vk_claim claim, uint64_t offset, uint64_t length)
{
	if (!vk_range_set_add(&d->claims[claim], offset, length))
		vk_diff_no_memory(d);
}

void vk_diff_claim_both(struct vk_differ *d, enum vk_claim claim, const uint64_t at[VK_SIDES], uint64_t offset,
			uint64_t length)
{
	for (int side = 0; side < VK_SIDES; side++)
		vk_diff_claim(d, claim, vk_add_sat(at[side], offset), length);
}

struct vk_diff_told *vk_diff_told(struct vk_differ *d, unsigned partition)
{
	const struct vk_diff_told nothing = {.partition = partition};
	struct vk_diff_told *told;

	for (size_t i = 0; i < d->told_count; i++)
		if (d->told[i].partition == partition)
			return &d->told[i];
	told = vk_append(&d->told, &d->told_count, &nothing, sizeof(nothing));
	if (told == NULL)
		vk_diff_no_memory(d);
	return told;
}

size_t vk_diff_count(const struct vk_differ *d)
{
	return d->diff->change_count + d->diff->changes_dropped;
}

void vk_diff_report(struct vk_differ *d, const struct vk_diff_topic *topic, const char *before, const char *after,
		    const char *words, ...)
{
	struct vk_diff *diff = d->diff;
	struct vk_change change = {.is_volatile = topic->is_volatile, .partition = topic->partition};
	struct vk_text text;
	char own[400];
	va_list args;

	diff->matters = diff->matters || !topic->is_volatile;
	if (diff->change_count == VK_CHANGES_MAX) {
		diff->changes_dropped++;
		return;
	}
	snprintf(change.subject, sizeof(change.subject), "%s", topic->subject);
	snprintf(change.field, sizeof(change.field), "%s", topic->field);
	snprintf(change.before, sizeof(change.before), "%s", before);
	snprintf(change.after, sizeof(change.after), "%s", after);
	vk_text_init(&text, change.message, sizeof(change.message));
	if (topic->partition != 0)
		vk_text_fmt(&text, "partition %u: ", topic->partition);
	if (topic->partition == 0 || !topic->short_message)
		vk_text_fmt(&text, "%s: ", change.subject);
	if (words != NULL) {
		va_start(args, words);
		vsnprintf(own, sizeof(own), words, args);
		va_end(args);
		vk_text_put(&text, own);
	} else {
		vk_text_fmt(&text, "%s %s -> %s", topic->field, change.before, change.after);
	}
	if (vk_append(&diff->changes, &diff->change_count, &change, sizeof(change)) == NULL)
		vk_diff_no_memory(d);
}

void vk_diff_report_number(struct vk_differ *d, const struct vk_diff_topic *topic, uint64_t before, uint64_t after)
{
	char texts[VK_SIDES][24];

	snprintf(texts[VK_BEFORE], sizeof(texts[0]), "%llu", (unsigned long long)before);
	snprintf(texts[VK_AFTER], sizeof(texts[0]), "%llu", (unsigned long long)after);
	vk_diff_report(d, topic, texts[VK_BEFORE], texts[VK_AFTER], NULL);
}

struct key {
	struct vk_diff_key key;
	size_t partner; /* SIZE_MAX: none */
};

static bool fits(const struct vk_diff_key *a, const struct vk_diff_key *b, int pass)
{
	return (pass == 2 || a->start_bytes == b->start_bytes) && (pass == 1 || a->number == b->number);
}

static void pair_up(struct key *keys[VK_SIDES], const size_t counts[VK_SIDES], int pass)
{
	const size_t n = counts[VK_AFTER];
	size_t k = 0;

	for (size_t i = 0; i < counts[VK_BEFORE]; i++) {
		struct key *before = &keys[VK_BEFORE][i];

		/* in most tables it is the next one */
		for (size_t tries = 0; tries < n && before->partner == SIZE_MAX; tries++, k = (k + 1) % n)
			if (keys[VK_AFTER][k].partner == SIZE_MAX && fits(&before->key, &keys[VK_AFTER][k].key, pass)) {
				before->partner = k;
				keys[VK_AFTER][k].partner = i;
			}
	}
}

void vk_diff_pairs(struct vk_differ *d, const struct vk_diff_lists *lists)
{
	struct key *keys[VK_SIDES];
	const char *items[VK_SIDES] = {lists->items[VK_BEFORE], lists->items[VK_AFTER]};
	const size_t size = lists->item_bytes;

	keys[VK_BEFORE] = calloc(lists->counts[VK_BEFORE] + lists->counts[VK_AFTER] + 1, sizeof(struct key));
	if (keys[VK_BEFORE] == NULL) {
		vk_diff_no_memory(d);
		return;
	}
	keys[VK_AFTER] = keys[VK_BEFORE] + lists->counts[VK_BEFORE];
	for (int side = 0; side < VK_SIDES; side++)
		for (size_t i = 0; i < lists->counts[side]; i++)
			keys[side][i] = (struct key){lists->key_of(d, side, items[side] + i * size), SIZE_MAX};
	for (int pass = 0; pass < 3 && d->status == VK_OK; pass++)
		pair_up(keys, lists->counts, pass);
	for (size_t i = 0; i < lists->counts[VK_BEFORE] && d->status == VK_OK; i++) {
		const size_t partner = keys[VK_BEFORE][i].partner;

		lists->compare(d, items[VK_BEFORE] + i * size,
			       partner != SIZE_MAX ? items[VK_AFTER] + partner * size : NULL);
	}
	for (size_t i = 0; i < lists->counts[VK_AFTER] && d->status == VK_OK; i++)
		if (keys[VK_AFTER][i].partner == SIZE_MAX)
			lists->compare(d, NULL, items[VK_AFTER] + i * size);
	free(keys[VK_BEFORE]);
}
