/* SPDX-License-Identifier: Apache-2.0 */
/* Compares two sources: keeps the list of changes, and goes through disk, table, volumes and bytes in turn. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/checked.h"
#include "store/diff/diff_parts.h"

bool vk_diff_grow(struct vk_differ *d, void **items, size_t count, size_t *cap, size_t size)
{
	size_t wanted = *cap == 0 ? 16 : *cap * 2;
	void *grown;

	if (count < *cap)
		return true;
	grown = d->status == VK_OK ? realloc(*items, wanted * size) : NULL;
	if (grown == NULL) {
		if (d->status == VK_OK)
			d->status = vk_no_memory(d->err, d->side[VK_AFTER]->path);
		return false;
	}
	*items = grown;
	*cap = wanted;
	return true;
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
	struct vk_claimed *list = &d->claims[claim];

	if (length > 0 && vk_diff_grow(d, (void **)&list->items, list->count, &list->cap,
				       sizeof(*list->items)))
		list->items[list->count++] = (struct vk_range){offset, length};
}

void vk_diff_claim_both(struct vk_differ *d, enum vk_claim claim, const uint64_t at[VK_SIDES],
			uint64_t offset, uint64_t length)
{
	vk_diff_claim(d, claim, vk_add_sat(at[VK_BEFORE], offset), length);
	if (at[VK_AFTER] != at[VK_BEFORE])
		vk_diff_claim(d, claim, vk_add_sat(at[VK_AFTER], offset), length);
}

void vk_diff_number_add(struct vk_differ *d, struct vk_diff_numbers *numbers, unsigned number)
{
	if (vk_diff_grow(d, (void **)&numbers->items, numbers->count, &numbers->cap,
			 sizeof(*numbers->items)))
		numbers->items[numbers->count++] = number;
}

/* A new change without message; NULL when there is no room for it. */
static struct vk_change *add_change(struct vk_differ *d, const struct vk_diff_topic *topic,
				    const char *before, const char *after)
{
	struct vk_diff *diff = d->diff;
	struct vk_change *change;

	if (!topic->is_volatile)
		diff->matters = true;
	if (diff->change_count == VK_CHANGES_MAX) {
		diff->changes_dropped++;
		return NULL;
	}
	if (!vk_diff_grow(d, (void **)&diff->changes, diff->change_count, &d->change_cap,
			  sizeof(*diff->changes)))
		return NULL;
	change = &diff->changes[diff->change_count++];
	memset(change, 0, sizeof(*change));
	change->is_volatile = topic->is_volatile;
	change->partition = topic->partition;
	snprintf(change->subject, sizeof(change->subject), "%s", topic->subject);
	snprintf(change->field, sizeof(change->field), "%s", topic->field);
	snprintf(change->before, sizeof(change->before), "%s", before);
	snprintf(change->after, sizeof(change->after), "%s", after);
	return change;
}

static void begin_message(struct vk_change *change, bool with_subject, struct vk_text *text)
{
	vk_text_init(text, change->message, sizeof(change->message));
	if (change->partition != 0)
		vk_text_fmt(text, "partition %u: ", change->partition);
	if (with_subject)
		vk_text_fmt(text, "%s: ", change->subject);
}

void vk_diff_say(struct vk_differ *d, const struct vk_diff_topic *topic, const char *before,
		 const char *after)
{
	struct vk_change *change = add_change(d, topic, before, after);
	struct vk_text text;

	if (change == NULL)
		return;
	begin_message(change, topic->partition == 0 || !topic->short_message, &text);
	vk_text_fmt(&text, "%s %s -> %s", topic->field, change->before, change->after);
}

void vk_diff_say_so(struct vk_differ *d, const struct vk_diff_topic *topic, const char *before,
		    const char *after, const char *fmt, ...)
{
	struct vk_change *change = add_change(d, topic, before, after);
	struct vk_text text;
	char words[400];
	va_list args;

	if (change == NULL)
		return;
	va_start(args, fmt);
	vsnprintf(words, sizeof(words), fmt, args);
	va_end(args);
	begin_message(change, topic->partition == 0 || !topic->short_message, &text);
	vk_text_put(&text, words);
}

void vk_diff_say_number(struct vk_differ *d, const struct vk_diff_topic *topic, uint64_t before,
			uint64_t after)
{
	char texts[VK_SIDES][24];

	snprintf(texts[VK_BEFORE], sizeof(texts[0]), "%llu", (unsigned long long)before);
	snprintf(texts[VK_AFTER], sizeof(texts[0]), "%llu", (unsigned long long)after);
	vk_diff_say(d, topic, texts[VK_BEFORE], texts[VK_AFTER]);
}

static void compare_sizes(struct vk_differ *d)
{
	const struct vk_source *before = d->side[VK_BEFORE], *after = d->side[VK_AFTER];
	struct vk_diff_topic topic = {.subject = vk_source_kind_name(before->kind), .field = "size"};
	char texts[VK_SIDES][80];

	if (before->size_bytes != after->size_bytes) {
		for (int side = 0; side < VK_SIDES; side++) {
			struct vk_text text;

			vk_text_init(&text, texts[side], sizeof(texts[side]));
			vk_text_size(&text, d->side[side]->size_bytes);
		}
		vk_diff_say(d, &topic, texts[VK_BEFORE], texts[VK_AFTER]);
		d->size_told = true;
	}
	topic.field = "sector size";
	if (before->sector_size != after->sector_size)
		vk_diff_say_number(d, &topic, before->sector_size, after->sector_size);
}

enum vk_status vk_diff_sources(struct vk_source *before, struct vk_source *after,
			       struct vk_diff *ret_diff, struct vk_error *err)
{
	struct vk_diff diff = {0};
	struct vk_differ d = {.side = {before, after}, .diff = &diff, .err = err};

	if (before->kind != after->kind) {
		vk_error_set(err, VK_USAGE, after->path, "a %s cannot be compared with a %s",
			     vk_source_kind_name(before->kind), vk_source_kind_name(after->kind));
		return vk_error_remedy(err, "compare a disk with a disk, or a partition with a partition");
	}
	if (before->kind != VK_SOURCE_DISK && before->kind != VK_SOURCE_PARTITION) {
		vk_error_set(err, VK_USAGE, before->path, "a %s cannot be compared: its place on the disk is not known",
			     vk_source_kind_name(before->kind));
		return vk_error_remedy(err, "compare whole disks, or whole partitions");
	}
	compare_sizes(&d);
	if (before->kind == VK_SOURCE_DISK)
		vk_diff_table(&d);
	vk_diff_vmfs(&d);
	vk_diff_bytes(&d);
	diff.unrelated = d.status == VK_OK && vk_diff_unrelated(&d);
	for (int i = 0; i < VK_CLAIMS; i++)
		free(d.claims[i].items);
	free(d.moved.items);
	free(d.extents_told.items);
	if (d.status != VK_OK) {
		vk_diff_free(&diff);
		return d.status;
	}
	*ret_diff = diff;
	return VK_OK;
}

void vk_diff_free(struct vk_diff *diff)
{
	free(diff->changes);
	free(diff->ranges);
	memset(diff, 0, sizeof(*diff));
}
