/* SPDX-License-Identifier: Apache-2.0 */
/* The list of changes, which bytes they explain, and which partition is which. */
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

void vk_diff_claim_partition(struct vk_differ *d, unsigned partition)
{
	for (int side = 0; side < VK_SIDES; side++)
		for (size_t i = 0; i < d->plans[side].region_count; i++) {
			const struct vk_region *r = &d->plans[side].regions[i];

			if (r->partition == partition && r->part != VK_PART_TABLE)
				vk_diff_claim(d, VK_CLAIM_TOLD, r->offset_bytes, r->length_bytes);
		}
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
	text = vk_text_in(change.message, sizeof(change.message));
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

/* An item of a list: where it begins, its number, and which one of the other side it is. */
struct key {
	uint64_t start_bytes;
	unsigned number;
	size_t partner; /* SIZE_MAX: none */
};

void vk_diff_pairs(struct vk_differ *d, const struct vk_diff_lists *lists)
{
	const char *items[VK_SIDES] = {lists->items[VK_BEFORE], lists->items[VK_AFTER]};
	const size_t size = lists->item_bytes, before_count = lists->counts[VK_BEFORE];
	const size_t count = before_count + lists->counts[VK_AFTER];
	struct key *keys = calloc(count + 1, sizeof(*keys));
	size_t k = before_count;

	if (keys == NULL) {
		vk_diff_no_memory(d);
		return;
	}
	for (size_t i = 0; i < count; i++) {
		const int side = i < before_count ? VK_BEFORE : VK_AFTER;
		const char *item = items[side] + (side == VK_BEFORE ? i : i - before_count) * size;

		keys[i].start_bytes = lists->start_of(d, side, item, &keys[i].number);
		keys[i].partner = SIZE_MAX;
	}
	for (int pass = 0; pass < 3; pass++)
		for (size_t i = 0; i < before_count; i++)
			/* in most tables it is the next one */
			for (size_t tries = before_count; tries < count && keys[i].partner == SIZE_MAX; tries++) {
				if (keys[k].partner == SIZE_MAX &&
				    (pass == 2 || keys[i].start_bytes == keys[k].start_bytes) &&
				    (pass == 1 || keys[i].number == keys[k].number)) {
					keys[i].partner = k;
					keys[k].partner = i;
				}
				k = k + 1 < count ? k + 1 : before_count;
			}
	for (size_t i = 0; i < count && d->status == VK_OK; i++)
		if (i >= before_count && keys[i].partner == SIZE_MAX)
			lists->compare(d, NULL, items[VK_AFTER] + (i - before_count) * size);
		else if (i < before_count)
			lists->compare(d, items[VK_BEFORE] + i * size,
				       keys[i].partner != SIZE_MAX
					       ? items[VK_AFTER] + (keys[i].partner - before_count) * size
					       : NULL);
	free(keys);
}
