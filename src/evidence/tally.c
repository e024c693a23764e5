/* SPDX-License-Identifier: Apache-2.0 */
/* Votes on a number. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "evidence/tally.h"
#include "vmfskit/text.h"

/* The ballot of that value with these voices added; NULL: there is no room for another value. */
static struct vk_ballot *add_voices(struct vk_tally *tally, uint64_t value, unsigned weight, unsigned voices)
{
	struct vk_ballot *b;
	size_t i = 0;

	while (i < tally->count && tally->ballots[i].value != value)
		i++;
	if (i == VK_TALLY_MAX)
		return NULL;
	b = &tally->ballots[i];
	if (i == tally->count)
		tally->ballots[tally->count++] = (struct vk_ballot){.value = value};
	b->weight += weight;
	b->voices += voices;
	tally->weight += weight;
	tally->voices += voices;
	return b;
}

static void add_name(struct vk_ballot *b, const char *from)
{
	struct vk_text text;

	if (b == NULL)
		return;
	text = (struct vk_text){b->from, sizeof(b->from), strlen(b->from)};
	if (text.len_bytes > 0)
		vk_text_put(&text, ", ");
	vk_text_put(&text, from);
}

void vk_tally_add(struct vk_tally *tally, uint64_t value, unsigned weight, const char *from)
{
	add_name(add_voices(tally, value, weight, 1), from);
}

void vk_tally_tell(struct vk_tally *tally, uint64_t value, unsigned weight, const char *from, ...)
{
	struct vk_ballot *b = add_voices(tally, value, weight, 1);
	va_list args;

	if (b == NULL || b->voices > 1)
		return;
	va_start(args, from);
	vsnprintf(b->from, sizeof(b->from), from, args);
	va_end(args);
}

void vk_tally_merge(struct vk_tally *to, const struct vk_tally *from)
{
	for (size_t i = 0; i < from->count; i++) {
		const struct vk_ballot *b = &from->ballots[i];

		add_name(add_voices(to, b->value, b->weight, b->voices), b->from);
	}
}

bool vk_tally_proves(const struct vk_tally *tally, uint64_t value)
{
	for (size_t i = 0; i < tally->count; i++)
		if (tally->ballots[i].value == value)
			return tally->ballots[i].voices >= 2 && 2 * tally->ballots[i].voices > tally->voices;
	return false;
}

const struct vk_ballot *vk_tally_best(const struct vk_tally *tally)
{
	const struct vk_ballot *best = NULL;
	bool tie = false;

	for (size_t i = 0; i < tally->count; i++) {
		const struct vk_ballot *b = &tally->ballots[i];

		if (best != NULL && b->weight <= best->weight) {
			tie = tie || b->weight == best->weight;
			continue;
		}
		best = b;
		tie = false;
	}
	return tie ? NULL : best;
}

void vk_tally_text(const struct vk_tally *tally, char *ret_text, size_t cap)
{
	struct vk_text text;

	vk_text_init(&text, ret_text, cap);
	for (size_t i = 0; i < tally->count; i++)
		vk_text_fmt(&text, "%s%llu (%s)", i > 0 ? " against " : "",
			    (unsigned long long)tally->ballots[i].value, tally->ballots[i].from);
}

void vk_majority_add(struct vk_majority *majority, uint64_t value)
{
	if (majority->lead == 0)
		majority->value = value;
	if (majority->value == value)
		majority->lead++;
	else
		majority->lead--;
}

void vk_majority_close(struct vk_majority *majority, uint64_t voters)
{
	if (majority->lead * 2 < voters)
		*majority = (struct vk_majority){0, 0};
}
