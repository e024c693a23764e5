/* SPDX-License-Identifier: Apache-2.0 */
/* Votes on a number. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "evidence/tally.h"
#include "vmfskit/text.h"

/* The ballot of that value with one voice more; NULL: there is no room for another value. */
static struct vk_ballot *add_voice(struct vk_tally *tally, uint64_t value, unsigned weight)
{
	struct vk_ballot *b = tally->ballots;

	while (b < tally->ballots + tally->count && b->value != value)
		b++;
	if (b == tally->ballots + VK_TALLY_MAX)
		return NULL;
	if (b == tally->ballots + tally->count)
		tally->ballots[tally->count++] = (struct vk_ballot){.value = value};
	b->weight += weight;
	b->voices++;
	tally->weight += weight;
	tally->voices++;
	return b;
}

void vk_tally_add(struct vk_tally *tally, bool heard, uint64_t value, unsigned weight, const char *from)
{
	struct vk_ballot *b = heard ? add_voice(tally, value, weight) : NULL;
	struct vk_text text;

	if (b == NULL)
		return;
	text = (struct vk_text){b->from, sizeof(b->from), strlen(b->from)};
	vk_text_fmt(&text, "%s%s", b->voices > 1 ? ", " : "", from);
}

void vk_tally_tell(struct vk_tally *tally, uint64_t value, unsigned weight, const char *from, ...)
{
	struct vk_ballot *b = add_voice(tally, value, weight);
	va_list args;

	if (b == NULL || b->voices > 1)
		return;
	va_start(args, from);
	vsnprintf(b->from, sizeof(b->from), from, args);
	va_end(args);
}

struct vk_ballot vk_tally_best(const struct vk_tally *tally, uint64_t otherwise, const char *from_otherwise)
{
	struct vk_ballot best = {0};
	bool tie = true;

	for (size_t i = 0; i < tally->count; i++) {
		const struct vk_ballot *b = &tally->ballots[i];

		if (b->weight > best.weight)
			best = *b;
		else if (b->weight < best.weight)
			continue;
		tie = b->value != best.value;
	}
	if (tie) {
		best = (struct vk_ballot){.value = otherwise};
		snprintf(best.from, sizeof(best.from), "%s", from_otherwise);
		return best;
	}
	best.proved = best.voices >= 2 && 2 * best.voices > tally->voices;
	return best;
}

void vk_tally_text(const struct vk_tally *tally, char *ret_text, size_t cap)
{
	struct vk_text text = vk_text_in(ret_text, cap);

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
