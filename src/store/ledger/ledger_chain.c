/* SPDX-License-Identifier: Apache-2.0 */
/* What became of a chain of lines. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/hex_digit.h"
#include "store/ledger/ledger_chain.h"

/* Of so many lines with the same number the links are looked at: more would cost time that an attacker sets. */
enum { SAME_SEQ_MAX = 8 };

void vk_chain_digest(const char *hex, uint8_t ret_digest[VK_CHAIN_DIGEST_BYTES])
{
	for (size_t i = 0; i < VK_CHAIN_DIGEST_BYTES; i++)
		ret_digest[i] = vk_hex_byte(hex + 2 * i);
}

static bool same(const uint8_t *a, const uint8_t *b)
{
	return memcmp(a, b, VK_CHAIN_DIGEST_BYTES) == 0;
}

struct sorting {
	uint64_t seq;
	uint32_t index;
};

static int compare_seq(const void *a, const void *b)
{
	const struct sorting *x = a;
	const struct sorting *y = b;

	if (x->seq != y->seq)
		return x->seq < y->seq ? -1 : 1;
	return x->index < y->index ? -1 : x->index > y->index;
}

/* Lines of one number: from .. from+count of the sorted ones. */
struct group {
	const struct sorting *at;
	size_t count;
};

static struct group group_at(const struct sorting *sorted, size_t count, size_t from)
{
	struct group g = {.at = sorted + from};

	while (from + g.count < count && sorted[from + g.count].seq == g.at->seq)
		g.count++;
	return g;
}

static size_t looked_at(const struct group *g)
{
	return g->count < SAME_SEQ_MAX ? g->count : SAME_SEQ_MAX;
}

static bool names(const struct vk_chain_mark *mark, const struct vk_chain_line *line)
{
	return mark->seq == line->seq && same(mark->digest, line->digest);
}

/* How well a line hangs in the chain: 2 for the link that the next line or a mark has to it, 1 for its own to the one before. */
static unsigned links(const struct vk_chain *chain, const struct vk_chain_line *line, const struct group *before,
		      const struct group *behind)
{
	static const uint8_t origin[VK_CHAIN_DIGEST_BYTES];
	bool forward = names(&chain->head, line) || names(&chain->anchor, line);
	bool backward = line->seq == 1 && same(line->previous, origin);

	for (size_t i = 0; behind->count > 0 && behind->at->seq == line->seq + 1 && i < looked_at(behind); i++)
		forward = forward || same(chain->lines[behind->at[i].index].previous, line->digest);
	for (size_t i = 0; before->count > 0 && before->at->seq + 1 == line->seq && i < looked_at(before); i++)
		backward = backward || same(chain->lines[before->at[i].index].digest, line->previous);
	return (forward ? 2U : 0) + (backward ? 1U : 0);
}

/* One line of each number; into order, with how it is linked. Returns how many. */
static size_t choose(const struct vk_chain *chain, const struct sorting *sorted, size_t count, uint32_t *order)
{
	struct group before = {.count = 0};
	size_t chosen = 0;

	for (size_t at = 0; at < count;) {
		struct group g = group_at(sorted, count, at);
		struct group behind = {.count = 0};
		unsigned best_links = 0;
		uint32_t best = g.at[0].index;

		if (at + g.count < count)
			behind = group_at(sorted, count, at + g.count);
		for (size_t i = 0; i < looked_at(&g); i++) {
			unsigned n = links(chain, &chain->lines[g.at[i].index], &before, &behind);

			if (n > best_links) {
				best_links = n;
				best = g.at[i].index;
			}
		}
		chain->lines[best].is_linked = best_links > 0;
		order[chosen++] = best;
		before = g;
		at += g.count;
	}
	return chosen;
}

/*
 * What is linked is genuine. What is not is taken for a line of this ledger only when it stands where its number belongs;
 * else it was put in, or its number was altered, which the gap that it left will tell.
 */
static void keep_genuine(struct vk_chain *chain)
{
	size_t kept = 0;
	size_t next = 0; /* the next linked one, in order */

	for (size_t i = 0; i < chain->order_count; i++) {
		uint32_t at = chain->order[i];
		bool fits = chain->lines[at].is_linked;

		while (next < chain->order_count && (next <= i || !chain->lines[chain->order[next]].is_linked))
			next++;
		if (!fits)
			fits = (kept == 0 || chain->order[kept - 1] < at) &&
			       (next == chain->order_count || at < chain->order[next]);
		chain->lines[at].is_genuine = fits;
		if (fits)
			chain->order[kept++] = at;
	}
	chain->order_count = kept;
}

static void put_lines(const struct vk_chain *chain, const struct vk_finding_sink *sink, enum vk_finding_code code,
		      uint32_t at, const char *message, uint64_t first, uint64_t last)
{
	/* of an empty ledger there is no line to point at */
	const struct vk_chain_line none = {.seq = 0};
	const struct vk_chain_line *line = at < chain->count ? &chain->lines[at] : &none;
	struct vk_finding finding;
	char which[80];
	struct vk_text text;

	vk_text_init(&text, which, sizeof(which));
	if (first == last)
		vk_text_fmt(&text, "line %llu", (unsigned long long)first);
	else
		vk_text_fmt(&text, "lines %llu to %llu", (unsigned long long)first, (unsigned long long)last);
	vk_finding_init(&finding, code, line->offset_bytes, line->length_bytes, "%s %s", which, message);
	vk_finding_put(sink, &finding);
}

/* Lines from .. to of the file that have no place elsewhere are what became of those whose numbers are missing; returns how many. */
static uint64_t fill_gap(struct vk_chain *chain, size_t from, size_t to, uint64_t first, uint64_t end,
			 const struct vk_finding_sink *sink)
{
	uint64_t filled = 0;

	for (size_t k = from; k < to && first + filled < end && !chain->lines[k].is_genuine; k++) {
		if (chain->lines[k].seq != 0)
			put_lines(chain, sink, VK_F_LEDGER_ALTERED, (uint32_t)k, "was altered, its number, too",
				  first + filled, first + filled);
		chain->lines[k].is_genuine = chain->lines[k].is_altered = true;
		filled++;
	}
	return filled;
}

/* Numbers missing in front of the genuine line order[i]. */
static void judge_gap(struct vk_chain *chain, size_t i, const struct vk_finding_sink *sink)
{
	uint32_t at = chain->order[i];
	uint64_t first = i > 0 ? chain->lines[chain->order[i - 1]].seq + 1 : 1;
	uint64_t end = chain->lines[at].seq;

	first += fill_gap(chain, i > 0 ? (size_t)chain->order[i - 1] + 1 : 0, at, first, end, sink);
	if (first < end)
		put_lines(chain, sink, VK_F_LEDGER_REMOVED, at, end - first == 1 ? "is gone" : "are gone", first, end - 1);
}

/* Numbers up to the head's that are missing behind the last genuine line. */
static void judge_end(struct vk_chain *chain, const struct vk_finding_sink *sink)
{
	size_t last = chain->order_count > 0 ? chain->order[chain->order_count - 1] : 0;
	uint64_t first = chain->order_count > 0 ? chain->lines[last].seq + 1 : 1;

	if (chain->head.seq < first)
		return;
	first += fill_gap(chain, chain->order_count > 0 ? last + 1 : 0, chain->count, first, chain->head.seq + 1, sink);
	if (first <= chain->head.seq)
		put_lines(chain, sink, VK_F_LEDGER_CUT, (uint32_t)(chain->count > 0 ? chain->count - 1 : 0),
			  first == chain->head.seq ? "was cut off: the head of the ledger names it"
						   : "were cut off: the head of the ledger names the last of them",
			  first, chain->head.seq);
}

static void put_altered(struct vk_chain *chain, uint32_t at, const struct vk_finding_sink *sink)
{
	if (!chain->lines[at].is_altered)
		put_lines(chain, sink, VK_F_LEDGER_ALTERED, at, "is not what was written", chain->lines[at].seq,
			  chain->lines[at].seq);
	chain->lines[at].is_altered = true;
}

/* Whether something that knows the line order[i] from elsewhere says that it was another. */
static bool is_denied(const struct vk_chain *chain, size_t i)
{
	const struct vk_chain_line *line = &chain->lines[chain->order[i]];
	const struct vk_chain_line *next =
		i + 1 < chain->order_count ? &chain->lines[chain->order[i + 1]] : NULL;

	if (next != NULL && next->seq == line->seq + 1)
		return !same(next->previous, line->digest);
	return (chain->head.seq == line->seq && !same(chain->head.digest, line->digest)) ||
	       (chain->anchor.seq == line->seq && !same(chain->anchor.digest, line->digest));
}

/* A link that does not hold is the fault of the line behind it when that is denied, too; else of the one before. */
static void judge_links(struct vk_chain *chain, const struct vk_finding_sink *sink)
{
	static const uint8_t origin[VK_CHAIN_DIGEST_BYTES];

	for (size_t i = 0; i < chain->order_count; i++) {
		const struct vk_chain_line *line = &chain->lines[chain->order[i]];
		const struct vk_chain_line *last = i > 0 ? &chain->lines[chain->order[i - 1]] : NULL;
		bool follows = last != NULL && last->seq + 1 == line->seq;

		if (line->seq == 1 && !same(line->previous, origin))
			put_altered(chain, chain->order[i], sink);
		if (!follows || last->is_altered || same(last->digest, line->previous))
			continue;
		put_altered(chain, chain->order[is_denied(chain, i) ? i : i - 1], sink);
	}
}

/* The chain is sound in the order of its numbers, but the lines do not stand in it. */
static void judge_places(const struct vk_chain *chain, const struct vk_finding_sink *sink)
{
	for (size_t i = 1; i < chain->order_count; i++) {
		const struct vk_chain_line *line = &chain->lines[chain->order[i]];

		if (chain->order[i] < chain->order[i - 1])
			put_lines(chain, sink, VK_F_LEDGER_REORDERED, chain->order[i],
				  "stands in front of the one that was written before it", line->seq, line->seq);
	}
}

static void judge_rest(const struct vk_chain *chain, const struct vk_finding_sink *sink)
{
	for (size_t i = 0; i < chain->count; i++)
		if (!chain->lines[i].is_genuine && chain->lines[i].seq != 0)
			put_lines(chain, sink, VK_F_LEDGER_INSERTED, (uint32_t)i, "as it stands here was put in",
				  chain->lines[i].seq, chain->lines[i].seq);
}

enum vk_status vk_chain_judge(struct vk_chain *chain, const struct vk_finding_sink *sink, struct vk_error *err)
{
	struct sorting *sorted = calloc(chain->count + 1, sizeof(*sorted));
	size_t count = 0;

	chain->order = calloc(chain->count + 1, sizeof(*chain->order));
	if (sorted == NULL || chain->order == NULL) {
		free(sorted);
		return vk_no_memory(err, VK_LEDGER_FILE);
	}
	for (size_t i = 0; i < chain->count; i++)
		if (chain->lines[i].seq != 0)
			sorted[count++] = (struct sorting){chain->lines[i].seq, (uint32_t)i};
	qsort(sorted, count, sizeof(*sorted), compare_seq);
	chain->order_count = choose(chain, sorted, count, chain->order);
	free(sorted);
	keep_genuine(chain);
	for (size_t i = 0; i < chain->order_count; i++)
		judge_gap(chain, i, sink);
	judge_end(chain, sink);
	judge_links(chain, sink);
	judge_places(chain, sink);
	judge_rest(chain, sink);
	return VK_OK;
}

struct vk_chain_line *vk_chain_find(const struct vk_chain *chain, uint64_t seq)
{
	size_t low = 0;
	size_t high = chain->order_count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (chain->lines[chain->order[mid]].seq < seq)
			low = mid + 1;
		else
			high = mid;
	}
	if (low == chain->order_count || chain->lines[chain->order[low]].seq != seq)
		return NULL;
	return &chain->lines[chain->order[low]];
}

enum vk_chain_fit vk_chain_fit(const struct vk_chain *chain, const struct vk_chain_mark *mark)
{
	const struct vk_chain_line *last =
		chain->order_count > 0 ? &chain->lines[chain->order[chain->order_count - 1]] : NULL;
	const struct vk_chain_line *line = vk_chain_find(chain, mark->seq);
	const struct vk_chain_line *next = vk_chain_find(chain, mark->seq + 1);

	if (last == NULL || mark->seq > last->seq)
		return VK_CHAIN_BEYOND;
	if ((line != NULL && same(line->digest, mark->digest)) || (next != NULL && same(next->previous, mark->digest)))
		return VK_CHAIN_FITS;
	/* nothing is left that could tell */
	if (line == NULL && next == NULL)
		return VK_CHAIN_FITS;
	return line == last ? VK_CHAIN_LAST : VK_CHAIN_OTHER;
}
