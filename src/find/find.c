/* SPDX-License-Identifier: Apache-2.0 */
/* The search: likely places, then the whole disk, then one judgement over all that was heard of. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/checked.h"
#include "find/find_parts.h"

enum { FOREIGN_LOOKS_MAX = 64 };
/*
 * For each candidate: twice what 72 long tables and a short one take, so that crafted ones take nothing from those
 * behind them.
 */
#define PE_BUDGET_BYTES (8ULL << 20)

/* A search at work. */
struct search {
	struct vk_finder f;
	struct vk_find *found;
	struct vk_seeds seeds;
	struct vk_scan scan;
	uint64_t looked_at[FOREIGN_LOOKS_MAX]; /* starts whose foreign signatures are known */
	size_t looks;
	struct vk_error *err;
};

static enum vk_status look_foreign(struct search *s, uint64_t start, uint64_t length)
{
	for (size_t i = 0; i < s->looks; i++)
		if (s->looked_at[i] == start)
			return VK_OK;
	if (s->looks == FOREIGN_LOOKS_MAX || start >= s->f.size_bytes)
		return VK_OK;
	s->looked_at[s->looks++] = start;
	return vk_foreign_look(s->f.io, start, length, &s->found->foreign, s->err);
}

/* On the disk as a whole, in the partitions of its table, and where volumes may begin. */
static enum vk_status look_for_foreign(struct search *s)
{
	const struct vk_table *t = &s->f.source->table;
	enum vk_status status = look_foreign(s, 0, s->f.size_bytes);

	for (size_t i = 0; i < t->partition_count && status == VK_OK; i++)
		if (!vk_partition_is_extended(&t->partitions[i]))
			status = look_foreign(s, vk_mul_sat(t->partitions[i].start_sector, t->sector_size),
					      vk_mul_sat(t->partitions[i].sectors, t->sector_size));
	for (size_t i = 0; i < s->f.count && status == VK_OK; i++) {
		const struct vk_candidate *c = &s->f.probes[i].c;

		if (c->standing <= VK_STANDING_DAMAGED && !c->start_before_disk)
			status = look_foreign(s, c->start_bytes, vk_max_u64(c->length_bytes, c->claimed_bytes));
	}
	s->f.foreign = &s->found->foreign;
	return status;
}

/* An FS descriptor that belongs to a header whose data begins at an unusual place. */
static bool descriptor_is_claimed(const struct vk_finder *f, const struct vk_seed *seed)
{
	for (size_t i = 0; i < f->count; i++)
		if (f->probes[i].c.has_header && f->probes[i].start != seed->start &&
		    f->probes[i].deltas[0] == seed->start + (int64_t)VK_LVM_DATA_OFFSET)
			return true;
	return false;
}

static void probe_seed(struct search *s, const struct vk_seed *seed)
{
	struct vk_finder *f = &s->f;

	f->budget_bytes = PE_BUDGET_BYTES;
	/* one more than there is, to read into */
	if (!vk_probe_read(f, seed, &f->probes[f->count]))
		return;
	vk_judge_rows(f, &f->probes[f->count]);
	f->count++;
}

/* Whole headers first: they say which descriptors are theirs. */
static enum vk_status probe_all(struct search *s)
{
	s->f.left_out = vk_seeds_settle(&s->seeds);
	s->f.count = 0;
	free(s->f.probes);
	s->f.probes = calloc(s->seeds.count + VK_VOTES_MAX + 1, sizeof(*s->f.probes));
	if (s->f.probes == NULL)
		return vk_no_memory(s->err, NULL);
	for (size_t i = 0; i < s->seeds.count; i++)
		if (s->seeds.items[i].found_by != VK_FOUND_FS)
			probe_seed(s, &s->seeds.items[i]);
	for (size_t i = 0; i < s->seeds.count; i++)
		if (s->seeds.items[i].found_by == VK_FOUND_FS && !descriptor_is_claimed(&s->f, &s->seeds.items[i]))
			probe_seed(s, &s->seeds.items[i]);
	return VK_OK;
}

static bool vote_is_claimed(const struct vk_finder *f, int64_t volume_start)
{
	for (size_t i = 0; i < f->count; i++)
		for (size_t k = 0; k < f->probes[i].delta_count; k++)
			if (f->probes[i].deltas[k] == volume_start)
				return true;
	return false;
}

/*
 * Where the partition of these blocks begins. When volume offset 0 would lie before the disk, and no block near it was
 * met, it is a later extent of a volume: behind a start that was named and lies whole extents behind volume offset 0,
 * or else where its first block allows it at the latest.
 */
static struct vk_seed seed_of_vote(const struct search *s, const struct vk_vote *v)
{
	struct vk_seed seed = {.found_by = VK_FOUND_SELF,
			       .start = v->volume_start_bytes - (int64_t)VK_LVM_DATA_OFFSET};
	uint64_t apart = v->first_bytes - (uint64_t)v->volume_start_bytes;
	const struct vk_seed *named = NULL;

	/* what a table or a capture says of that start still holds where nothing stands there any more */
	for (size_t i = 0; i < s->seeds.count; i++)
		if (s->seeds.items[i].start == seed.start) {
			seed = s->seeds.items[i];
			seed.found_by |= VK_FOUND_SELF;
			return seed;
		}
	if (v->heartbeats > 0 || apart < VK_LVM_PE_BYTES || seed.start >= 0)
		return seed;
	for (size_t i = 0; i < s->seeds.count && named == NULL; i++) {
		const struct vk_seed *at = &s->seeds.items[i];
		int64_t data = at->start + (int64_t)VK_LVM_DATA_OFFSET;

		if ((at->found_by & (VK_FOUND_TABLE | VK_FOUND_HINT | VK_FOUND_USUAL)) != 0 &&
		    data > v->volume_start_bytes && (uint64_t)data <= v->first_bytes &&
		    (uint64_t)(data - v->volume_start_bytes) % VK_LVM_PE_BYTES == 0)
			named = at;
	}
	if (named != NULL) {
		seed = *named;
		seed.found_by |= VK_FOUND_SELF;
	} else {
		seed.start += (int64_t)(apart - apart % VK_LVM_PE_BYTES);
	}
	seed.later = true;
	seed.delta = v->volume_start_bytes;
	return seed;
}

/* Places that nothing but locks and heartbeats speak for. */
static void probe_votes(struct search *s)
{
	for (size_t i = 0; i < s->scan.vote_count && i < VK_VOTES_MAX; i++) {
		const struct vk_vote *v = &s->scan.votes[i];
		struct vk_seed seed;

		if (v->blocks < VK_VOTES_COUNT || v->volume_start_bytes > INT64_MAX / 4 ||
		    v->volume_start_bytes < -(INT64_MAX / 4) || vote_is_claimed(&s->f, v->volume_start_bytes))
			continue;
		seed = seed_of_vote(s, v);
		probe_seed(s, &seed);
	}
}

static enum vk_status judge(struct search *s)
{
	enum vk_status status = vk_judge_standings(&s->f, s->err);

	if (status == VK_OK)
		status = look_for_foreign(s);
	for (size_t i = 0; i < s->f.count; i++)
		vk_judge_foreign(&s->f, &s->f.probes[i]);
	if (status == VK_OK)
		status = vk_judge_standings(&s->f, s->err);
	if (status == VK_OK)
		vk_judge_others(&s->f);
	return status;
}

static int in_order(const void *a, const void *b, void *ctx)
{
	const struct vk_probe *probes = ctx;
	const struct vk_candidate *x = &probes[*(const size_t *)a].c;
	const struct vk_candidate *y = &probes[*(const size_t *)b].c;

	if (x->standing != y->standing)
		return x->standing < y->standing ? -1 : 1;
	if (x->start_bytes != y->start_bytes)
		return x->start_bytes < y->start_bytes ? -1 : 1;
	return y->sure_percent < x->sure_percent ? -1 : y->sure_percent > x->sure_percent;
}

/* The candidates in their final order, and whom each lies in by that order. */
static enum vk_status settle(struct search *s, struct vk_candidate **ret_list, size_t *ret_count)
{
	size_t n = s->f.count;
	size_t *order = calloc(n + 1, sizeof(*order));
	size_t *place = calloc(n + 1, sizeof(*place));
	struct vk_candidate *list = calloc(n + 1, sizeof(*list));
	bool ok = order != NULL && place != NULL && list != NULL;

	for (size_t i = 0; ok && i < n; i++)
		order[i] = i;
	if (ok)
		qsort_r(order, n, sizeof(*order), in_order, s->f.probes);
	for (size_t i = 0; ok && i < n; i++)
		place[order[i]] = i;
	for (size_t i = 0; ok && i < n; i++) {
		list[i] = s->f.probes[order[i]].c;
		if (list[i].inside != SIZE_MAX)
			list[i].inside = place[list[i].inside];
	}
	free(order);
	free(place);
	if (ok) {
		*ret_list = list;
		*ret_count = n;
		return VK_OK;
	}
	free(list);
	return vk_no_memory(s->err, NULL);
}

/* What older tables name, from the one of index first on, is looked at like what a table names. */
static enum vk_status probe_older(struct search *s, size_t first)
{
	enum vk_status status = vk_seeds_older(&s->f, s->found, first, &s->seeds, s->err);

	return status == VK_OK ? probe_all(s) : status;
}

static enum vk_status look_at_likely(struct search *s)
{
	const struct vk_find_options *o = s->f.options;
	struct vk_candidate *list;
	size_t count;
	enum vk_status status = vk_seeds_likely(&s->f, &s->seeds, s->err);

	if (status == VK_OK)
		status = probe_all(s);
	if (status == VK_OK)
		status = judge(s);
	if (status == VK_OK)
		status = vk_older_gpt_likely(&s->f, s->found, s->err);
	if (status == VK_OK && s->found->older_count > 0)
		status = probe_older(s, 0);
	if (status == VK_OK && s->found->older_count > 0)
		status = judge(s);
	if (status != VK_OK || o->likely == NULL || o->likely_only)
		return status;
	status = settle(s, &list, &count);
	if (status != VK_OK)
		return status;
	o->likely(o->ctx, list, count);
	free(list);
	return VK_OK;
}

static enum vk_status scan(struct search *s)
{
	const struct vk_find_options *o = s->f.options;
	size_t older = s->found->older_count;
	struct vk_scan_options options = {.start_bytes = o->range_start_bytes,
					  .length_bytes = o->range_length_bytes,
					  .sector_size = s->f.source->sector_size,
					  .resume_path = o->resume_path,
					  .identity = o->disk_name,
					  .progress = o->progress,
					  .ctx = o->ctx};
	enum vk_status status;

	if (options.length_bytes == 0)
		options.length_bytes = s->f.size_bytes - options.start_bytes;
	status = vk_scan(s->f.io, &options, &s->scan, s->err);
	if (status != VK_OK)
		return status;
	s->f.votes = s->scan.votes;
	s->f.vote_count = s->scan.vote_count;
	status = vk_seeds_marks(&s->f, &s->scan, &s->seeds, s->err);
	if (status == VK_OK)
		status = vk_older_gpt_marks(&s->f, &s->scan, s->found, s->err);
	if (status == VK_OK)
		status = probe_older(s, older);
	if (status != VK_OK)
		return status;
	probe_votes(s);
	return judge(s);
}

/* A table whose checksum fits, or an MBR all of whose partitions end here, says that this is all of the disk. */
static bool may_be_part(const struct vk_source *s)
{
	const struct vk_table *t = &s->table;

	if (vk_io_is_device(s->raw) || s->container != NULL || s->tail.first_sector != 0)
		return false;
	return vk_source_is_part(s) || s->kind != VK_SOURCE_DISK ||
	       (vk_table_gpt_disk_sectors(t) == 0 && (t->kind != VK_TABLE_MBR || t->mbr.signature != VK_MBR_SIGNATURE));
}

enum vk_status vk_find(const struct vk_source *source, const struct vk_find_options *options,
		       struct vk_find *ret_find, struct vk_error *err)
{
	struct vk_find found = {0};
	struct vk_error unasked = {0};
	struct search s = {.found = &found, .err = err != NULL ? err : &unasked};
	uint64_t size = vk_io_size_bytes(source->io), start = options->range_start_bytes, end;
	enum vk_status status;

	s.f.source = source;
	s.f.options = options;
	s.f.io = source->io;
	s.f.size_bytes = size;
	s.f.may_be_part = may_be_part(source);
	s.f.end_bytes = size;
	/* what a volume says of itself is no witness of where the disk ends: only a GPT is */
	if (vk_source_is_part(source))
		s.f.end_bytes = source->whole.at_least || source->kind != VK_SOURCE_DISK ? INT64_MAX
											  : source->whole.bytes;
	if (start % 512 != 0 || !vk_add_u64(start, options->range_length_bytes, &end) || end > size ||
	    (start >= size && size != 0)) {
		vk_error_set(s.err, VK_USAGE, source->path,
			     "the range to search is not within the source, which has %llu bytes",
			     (unsigned long long)size);
		return vk_error_remedy(s.err,
				       "give a start that is a multiple of 512 and a range that ends in the source");
	}
	status = look_at_likely(&s);
	if (status == VK_OK && !options->likely_only)
		status = scan(&s);
	if (status == VK_OK)
		status = settle(&s, &found.candidates, &found.count);
	if (status == VK_OK) {
		found.total_bytes = options->range_length_bytes != 0 ? options->range_length_bytes : size - start;
		found.left_out = s.f.left_out + s.scan.marks_left_out;
		found.votes = s.scan.votes;
		found.vote_count = s.scan.vote_count;
		found.scanned_bytes = s.scan.scanned_bytes;
		found.resumed_bytes = s.scan.resumed_bytes;
		found.resumed_s = s.scan.resumed_s;
		found.holes_bytes = s.scan.holes_bytes;
		found.unreadable = s.scan.unreadable;
		found.unreadable_count = s.scan.unreadable_count;
		found.stopped = s.scan.stopped;
		s.scan.votes = NULL;
		s.scan.unreadable = NULL;
		*ret_find = found;
	} else {
		vk_find_free(&found);
	}
	vk_scan_free(&s.scan);
	free(s.seeds.items);
	free(s.f.probes);
	return status;
}

void vk_find_free(struct vk_find *find)
{
	free(find->candidates);
	free(find->votes);
	for (size_t i = 0; i < find->older_count; i++)
		free(find->older[i].entries);
	free(find->older);
	vk_foreigners_free(&find->foreign);
	free(find->unreadable);
	memset(find, 0, sizeof(*find));
}
