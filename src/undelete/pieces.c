/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes of files that are gone: who has them in one moment after the other, until each has its state. */
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/memory.h"
#include "undelete/undelete_parts.h"

enum { GIVE_BACK = 1 << 16 }; /* pieces */

void vk_gone_resolve(struct vk_gone_search *s, const struct vk_gone_piece *piece, enum vk_undelete_state state,
		     enum vk_undelete_why why, const char *by)
{
	struct vk_undelete_file *file = &s->out.files[piece->file];
	const struct vk_undelete_range range = {
		.file_offset = piece->file_offset, .length_bytes = piece->length, .volume_offset = piece->at, .by = by,
		.since = state == VK_UNDELETE_REUSED ? s->since : 0, .kind = VK_RUN_DATA, .state = state, .why = why};

	if (s->ranges_left == 0) {
		/* what has no range is unknown: vk_gone_finish */
		s->out.unfinished = true;
		return;
	}
	s->ranges_left--;
	if (vk_append(&file->ranges, &file->range_count, &range, sizeof(range)) == NULL)
		(void)vk_gone_no_memory(s);
}

/* From from to end of it. */
static struct vk_gone_piece part_of(const struct vk_gone_piece *piece, uint64_t from, uint64_t end)
{
	struct vk_gone_piece part = *piece;

	part.at = from;
	part.length = end - from;
	part.file_offset += from - piece->at;
	return part;
}

/* Pieces that take the place of all others. */
struct rebuilt {
	struct vk_gone_search *s;
	struct vk_gone_piece *pieces;
	size_t count;
};

static void keep(struct rebuilt *r, const struct vk_gone_piece *piece, uint64_t from, uint64_t end)
{
	const struct vk_gone_piece part = part_of(piece, from, end);

	if (end > from && r->s->status == VK_OK &&
	    vk_append(&r->pieces, &r->count, &part, sizeof(part)) == NULL)
		(void)vk_gone_no_memory(r->s);
}

static void replace(struct rebuilt *r)
{
	free(r->s->pieces);
	r->s->pieces = r->pieces;
	r->s->piece_count = r->count;
}

/* ---- hits */

/* The first piece that ends behind at. */
static size_t first_behind(const struct vk_gone_search *s, uint64_t at)
{
	size_t low = 0, high = s->piece_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (s->pieces[middle].at + s->pieces[middle].length <= at)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static const char *name_of(struct vk_gone_search *s)
{
	char *copy;

	if (s->at.by != NULL)
		return s->at.by;
	copy = strdup(s->at.path);
	if (copy == NULL || vk_append(&s->out.names, &s->out.name_count, &copy, sizeof(copy)) == NULL) {
		free(copy);
		(void)vk_gone_no_memory(s);
		return NULL;
	}
	return s->at.by = copy;
}

/* Units that one file had in the moment before, and another one has now. */
static void count_handed(struct vk_gone_search *s, uint64_t at, uint64_t end)
{
	uint64_t unit, next, cluster;

	for (; at < end; at = next) {
		unit = vk_gone_unit(s, at, s->now.sub_end, &next);
		if (unit == UINT64_MAX)
			continue;
		/* a unit counts where it begins */
		if (at != 0 && vk_gone_unit(s, at - 1, s->now.sub_end, &cluster) == unit)
			continue;
		if (s->before.own == NULL || (s->before.own[unit / 8] >> unit % 8 & 1) == 0)
			continue;
		if (vk_gone_cluster(s, unit, &cluster) == VK_CLUSTERS_BLOCKS)
			s->handed[0][cluster]++;
		else
			s->handed[1][cluster]++;
	}
}

static bool is_sub_owner(const struct vk_gone_search *s)
{
	return s->at.file.address == vk_fd_address(0, VK_SYSTEM_SBC);
}

void vk_gone_hit(struct vk_gone_search *s, const struct vk_fs_run *run, bool own)
{
	const struct vk_file_map_file *f = &s->at.file;
	uint64_t at = run->volume_offset, end = vk_add_sat(at, run->length_bytes), unit_end = end;

	/* the rest of its last unit is its own, too */
	if (end > at && vk_gone_unit(s, end - 1, s->now.sub_end, &unit_end) != UINT64_MAX)
		end = unit_end;
	for (size_t i = first_behind(s, at); i < s->piece_count && s->status == VK_OK && s->pieces[i].at < end; i++) {
		const struct vk_gone_piece *p = &s->pieces[i];
		const struct vk_undelete_file *of = &s->out.files[p->file];
		struct vk_gone_hit hit = {i, vk_max_u64(at, p->at), vk_min_u64(end, p->at + p->length), NULL};
		const bool same = of->address == f->address && of->generation == f->generation;
		const bool there = same && p->file_offset - p->at == run->file_offset - run->volume_offset;

		if ((own ? !same : there) || (p->sub && is_sub_owner(s)))
			continue;
		if (!there && (hit.by = name_of(s)) == NULL)
			return;
		if (s->hits == NULL && (s->hits = calloc(VK_GONE_HITS, sizeof(*s->hits))) == NULL) {
			(void)vk_gone_no_memory(s);
			return;
		}
		s->hits[s->hit_count++] = hit;
		if (s->hit_count == VK_GONE_HITS) {
			vk_gone_apply(s);
			at = hit.end;
			i = first_behind(s, at) - 1;
		}
	}
}

static int by_place(const void *a, const void *b)
{
	const struct vk_gone_hit *x = a, *y = b;

	if (x->at != y->at)
		return x->at < y->at ? -1 : 1;
	return x->end != y->end ? (x->end < y->end ? -1 : 1) : 0;
}

void vk_gone_apply(struct vk_gone_search *s)
{
	struct rebuilt r = {.s = s};
	size_t h = 0;

	if (s->hit_count == 0 || s->status != VK_OK)
		return;
	qsort(s->hits, s->hit_count, sizeof(*s->hits), by_place);
	for (size_t i = 0; i < s->piece_count && s->status == VK_OK; i++) {
		const struct vk_gone_piece *p = &s->pieces[i];
		uint64_t done = p->at;

		for (; h < s->hit_count && s->hits[h].piece == i; h++) {
			const struct vk_gone_hit *hit = &s->hits[h];
			const uint64_t from = vk_max_u64(hit->at, done);
			struct vk_gone_piece part;

			if (hit->end <= done)
				continue;
			keep(&r, p, done, from);
			part = part_of(p, from, hit->end);
			if (hit->by != NULL) {
				count_handed(s, from, hit->end);
				vk_gone_resolve(s, &part, VK_UNDELETE_REUSED, VK_UNDELETE_SURE, hit->by);
			} else {
				const struct vk_undelete_file *file = &s->out.files[part.file];
				const enum vk_undelete_why why =
					vk_gone_is_back(s, file) ? VK_UNDELETE_WENT_BACK
					: part.unproved && file->cut ? VK_UNDELETE_UNPROVED : VK_UNDELETE_SURE;

				vk_gone_resolve(s, &part, why == VK_UNDELETE_SURE ? VK_UNDELETE_UNTOUCHED
										  : VK_UNDELETE_UNKNOWN, why, NULL);
			}
			done = hit->end;
		}
		keep(&r, p, done, p->at + p->length);
	}
	replace(&r);
	s->hit_count = 0;
}

/* ---- pieces of the files that are gone now */

static int by_offset(const void *a, const void *b)
{
	const struct vk_gone_piece *x = a, *y = b;

	if (x->at != y->at)
		return x->at < y->at ? -1 : 1;
	return x->file != y->file ? (x->file < y->file ? -1 : 1) : 0;
}

void vk_gone_join(struct vk_gone_search *s)
{
	struct rebuilt r = {.s = s};
	uint64_t end = 0;

	if (s->new_count == 0 || s->status != VK_OK)
		return;
	qsort(s->new_pieces, s->new_count, sizeof(*s->new_pieces), by_offset);
	for (size_t i = 0, k = 0; (i < s->piece_count || k < s->new_count) && s->status == VK_OK;) {
		const bool old = k == s->new_count ||
				 (i < s->piece_count && s->pieces[i].at <= s->new_pieces[k].at);
		const struct vk_gone_piece *p = old ? &s->pieces[i++] : &s->new_pieces[k++];
		const uint64_t p_end = p->at + p->length, from = vk_min_u64(vk_max_u64(p->at, end), p_end);

		if (from > p->at) {
			const struct vk_gone_piece twice = part_of(p, p->at, from);

			vk_gone_resolve(s, &twice, VK_UNDELETE_UNKNOWN, VK_UNDELETE_CONTRADICTED, NULL);
		}
		keep(&r, p, from, p_end);
		end = vk_max_u64(end, p_end);
	}
	replace(&r);
	free(s->new_pieces);
	s->new_pieces = NULL;
	s->new_count = 0;
}

/* ---- the time between two moments, and today */

/* The unit of a place in a piece, and how far what is said of its cluster holds. */
static uint64_t unit_in(const struct vk_gone_search *s, const struct vk_gone_piece *p, uint64_t at, uint64_t *ret_end)
{
	return vk_gone_unit(s, at, p->sub ? UINT64_MAX : 0, ret_end);
}

/* The file itself gave it back and got it anew: what others have got is no piece any more. */
static bool is_got_anew(const struct vk_gone_search *s, uint64_t unit)
{
	return vk_gone_bit(s->now.own, unit) && !vk_gone_bit(s->before.own, unit);
}

static bool is_proved(struct vk_gone_search *s, struct vk_gone_gap *gap, size_t piece, const struct vk_gone_piece *p,
		      uint64_t at, uint64_t *ret_end)
{
	const uint64_t unit = unit_in(s, p, at, ret_end);
	const uint32_t per = s->clusters.of[VK_CLUSTERS_BLOCKS].per_cluster;
	uint64_t cluster, end = unit + 1;

	if (unit == UINT64_MAX)
		return false;
	if (vk_gone_cluster(s, unit, &cluster) == VK_CLUSTERS_BLOCKS) {
		const uint64_t most = vk_min_u64((cluster + 1) * per, (p->at + p->length - 1) / s->block_bytes + 1);

		while (end < most && is_got_anew(s, end) == is_got_anew(s, unit))
			end++;
		*ret_end = end * s->block_bytes;
	}
	return !is_got_anew(s, unit) && vk_gone_proved(s, gap, p, piece, unit);
}

void vk_gone_prove(struct vk_gone_search *s)
{
	const size_t count = s->piece_count;
	struct vk_gone_gap gap;

	if (count == 0 || s->status != VK_OK)
		return;
	vk_gone_gap_open(s, &gap);
	s->sorted = count;
	/* parts of pieces come behind all others */
	for (size_t i = 0; i < count && s->status == VK_OK; i++) {
		const struct vk_gone_piece whole = s->pieces[i];
		const uint64_t end = whole.at + whole.length;
		uint64_t next = end;
		bool was = whole.unproved;
		size_t last = i;

		for (uint64_t at = whole.at; !whole.unproved && at < end && s->status == VK_OK; at = next) {
			const bool unproved = !is_proved(s, &gap, i, &whole, at, &next);
			struct vk_gone_piece part = part_of(&whole, at, end);

			part.unproved = unproved;
			if (at == whole.at) {
				s->pieces[i] = part;
			} else if (unproved != was) {
				s->pieces[last].length = at - s->pieces[last].at;
				last = s->piece_count;
				if (vk_append(&s->pieces, &s->piece_count, &part, sizeof(part)) == NULL)
					(void)vk_gone_no_memory(s);
			}
			was = unproved;
		}
	}
	if (s->piece_count > count)
		qsort(s->pieces, s->piece_count, sizeof(*s->pieces), by_offset);
}

static enum vk_undelete_why why_today(const struct vk_gone_search *s, const struct vk_gone_piece *p, uint64_t unit)
{
	const bool block = unit < s->blocks;
	const struct vk_fs_clusters_of *of = &s->clusters.of[block ? VK_CLUSTERS_BLOCKS : VK_CLUSTERS_SUB_BLOCKS];
	const uint64_t n = block ? unit : unit - s->blocks, cluster = of->per_cluster == 0 ? 0 : n / of->per_cluster;

	if (unit == UINT64_MAX || of->known == NULL || n >= of->resources ||
	    (of->known[cluster / 8] >> cluster % 8 & 1) == 0)
		return VK_UNDELETE_UNREADABLE;
	if ((of->allocated[n / 8] >> n % 8 & 1) != 0)
		return VK_UNDELETE_ALLOCATED;
	if (vk_gone_is_back(s, &s->out.files[p->file]))
		return VK_UNDELETE_WENT_BACK;
	return p->unproved ? VK_UNDELETE_UNPROVED : VK_UNDELETE_SURE;
}

static void settle_part(struct vk_gone_search *s, const struct vk_gone_piece *p, uint64_t from, uint64_t end,
			enum vk_undelete_why why)
{
	const struct vk_gone_piece part = part_of(p, from, end);

	if (end > from)
		vk_gone_resolve(s, &part, why == VK_UNDELETE_SURE ? VK_UNDELETE_UNTOUCHED : VK_UNDELETE_UNKNOWN, why,
				NULL);
}

void vk_gone_settle(struct vk_gone_search *s)
{
	for (size_t i = s->piece_count; i-- > 0 && s->status == VK_OK;) {
		const struct vk_gone_piece *p = &s->pieces[i];
		const uint64_t end = p->at + p->length;
		enum vk_undelete_why was = VK_UNDELETE_SURE;
		uint64_t from = p->at, next;

		for (uint64_t at = from; at < end; at = next) {
			const uint64_t unit = unit_in(s, p, at, &next);
			const enum vk_undelete_why why = why_today(s, p, unit);

			if (why != was) {
				settle_part(s, p, from, at, was);
				from = at;
				was = why;
			}
		}
		settle_part(s, p, from, end, was);
		/* they make room for the ranges that they become */
		if (i > 0 && i % GIVE_BACK == 0) {
			void *fewer = realloc(s->pieces, i * sizeof(*s->pieces));

			s->pieces = fewer != NULL ? fewer : s->pieces;
		}
	}
	free(s->pieces);
	s->pieces = NULL;
	s->piece_count = 0;
}
