/* SPDX-License-Identifier: Apache-2.0 */
/* One moment of a volume: which units files have in it, and what the time since the moment before can have hidden. */
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/memory.h"
#include "undelete/undelete_parts.h"

enum { ENOUGH = 8 }; /* blocks, so that it is no chance */

/* ---- units */

static int by_volume_offset(const void *a, const void *b)
{
	const struct vk_fs_run *x = a, *y = b;

	return x->volume_offset < y->volume_offset ? -1 : x->volume_offset > y->volume_offset;
}

bool vk_gone_units_open(struct vk_gone_search *s)
{
	const struct vk_fs_info *info = vk_fs_info(s->fs);
	const struct vk_fs_system *sbc = &info->system[VK_SYSTEM_SBC];
	struct vk_fs_walk *walk;
	struct vk_fs_run run;

	s->block_bytes = info->file_block_bytes;
	s->blocks = s->clusters.of[VK_CLUSTERS_BLOCKS].resources;
	s->subs = s->clusters.of[VK_CLUSTERS_SUB_BLOCKS].resources;
	if (s->subs == 0 || sbc->file == NULL || !sbc->has_resource)
		return true;
	s->status = vk_fs_walk_open(s->fs, sbc->file, 0, UINT64_MAX, NULL, &walk, s->err);
	if (s->status != VK_OK)
		return false;
	while (s->status == VK_OK && vk_fs_walk_next(walk, &run))
		if (run.kind == VK_RUN_DATA && run.volume_offset != UINT64_MAX &&
		    vk_append(&s->sbc, &s->sbc_count, &run, sizeof(run)) == NULL)
			(void)vk_gone_no_memory(s);
	vk_fs_walk_close(walk);
	if (s->sbc_count > 0)
		qsort(s->sbc, s->sbc_count, sizeof(*s->sbc), by_volume_offset);
	return s->status == VK_OK;
}

static uint64_t key_of_run(const void *run)
{
	return ((const struct vk_fs_run *)run)->volume_offset;
}

/* The sub-block of a byte of .sbc.sf, and how many bytes of it follow; false: the header of a cluster. */
static bool sub_block(const struct vk_gone_search *s, uint64_t offset, uint64_t *ret_number, uint64_t *ret_left)
{
	const struct vk_fs_info *info = vk_fs_info(s->fs);
	const struct vk_resource_file *r = &info->system[VK_SYSTEM_SBC].resource;
	const uint64_t heads = (uint64_t)r->clustersPerGroup * vk_cluster_header_bytes(info->md_alignment);
	uint64_t group, in, index;

	*ret_left = 1;
	if (offset < r->clusterGroupOffset || r->clusterGroupSize == 0 || r->resourceSize == 0)
		return false;
	group = (offset - r->clusterGroupOffset) / r->clusterGroupSize;
	in = (offset - r->clusterGroupOffset) % r->clusterGroupSize;
	if (in < heads)
		return false;
	index = (in - heads) / r->resourceSize;
	*ret_number = vk_add_sat(vk_mul_sat(group * r->clustersPerGroup, r->resourcesPerCluster), index);
	*ret_left = r->resourceSize - (in - heads) % r->resourceSize;
	return index < (uint64_t)r->clustersPerGroup * r->resourcesPerCluster && *ret_number < s->subs;
}

uint64_t vk_gone_unit(const struct vk_gone_search *s, uint64_t at, uint64_t sub_end, uint64_t *ret_end)
{
	const size_t i = vk_first_not_below(s->sbc, s->sbc_count, sizeof(*s->sbc), vk_add_sat(at, 1), key_of_run);
	uint64_t number, left;

	if (i > 0 && at - s->sbc[i - 1].volume_offset < s->sbc[i - 1].length_bytes) {
		const struct vk_fs_run *run = &s->sbc[i - 1];
		const uint64_t offset = run->file_offset + (at - run->volume_offset);

		if (offset < sub_end && sub_block(s, offset, &number, &left)) {
			*ret_end = vk_add_sat(at, left);
			return s->blocks + number;
		}
	}
	*ret_end = UINT64_MAX;
	if (s->block_bytes == 0 || at / s->block_bytes >= s->blocks)
		return UINT64_MAX;
	*ret_end = (at / s->block_bytes + 1) * s->block_bytes;
	return at / s->block_bytes;
}

enum vk_fs_cluster_kind vk_gone_cluster(const struct vk_gone_search *s, uint64_t unit, uint64_t *ret_cluster)
{
	const bool block = unit < s->blocks;
	const enum vk_fs_cluster_kind kind = block ? VK_CLUSTERS_BLOCKS : VK_CLUSTERS_SUB_BLOCKS;

	*ret_cluster = (block ? unit : unit - s->blocks) / vk_max_u64(s->clusters.of[kind].per_cluster, 1);
	return kind;
}

/* ---- what a moment says */

bool vk_gone_moment_open(struct vk_gone_search *s, uint64_t sub_end)
{
	struct vk_gone_moment *m = &s->now;

	vk_gone_moment_free(&s->before);
	s->before = s->now;
	*m = (struct vk_gone_moment){.sub_end = sub_end};
	m->own = calloc(1, (size_t)((s->blocks + s->subs) / 8 + 1));
	if (m->own == NULL)
		return vk_gone_no_memory(s);
	for (unsigned k = 0; k < VK_CLUSTERS_KINDS; k++) {
		const size_t bytes = (size_t)(s->clusters.of[k].count + 1) * sizeof(*m->stamps[k]);

		m->stamps[k] = malloc(bytes);
		if (m->stamps[k] == NULL)
			return vk_gone_no_memory(s);
		memset(m->stamps[k], 0xFF, bytes);
	}
	for (unsigned i = 0; i < 2; i++) {
		const uint64_t count = s->clusters.of[i == 0 ? VK_CLUSTERS_BLOCKS : VK_CLUSTERS_SUB_BLOCKS].count;

		free(s->handed[i]);
		s->handed[i] = calloc((size_t)count + 1, sizeof(*s->handed[i]));
		if (s->handed[i] == NULL)
			return vk_gone_no_memory(s);
	}
	return true;
}

void vk_gone_moment_free(struct vk_gone_moment *moment)
{
	for (unsigned k = 0; k < VK_CLUSTERS_KINDS; k++)
		free(moment->stamps[k]);
	free(moment->own);
	free(moment->files);
	memset(moment, 0, sizeof(*moment));
}

static bool bit(const uint8_t *bits, uint64_t i)
{
	return bits != NULL && (bits[i / 8] >> i % 8 & 1) != 0;
}

/* Sums of it over the ends of ranges are the same for the same units, whatever the ranges are. */
static uint64_t mixed(uint64_t x)
{
	x = (x + 0x9E3779B97F4A7C15) * 0xBF58476D1CE4E5B9;
	x = (x ^ x >> 31) * 0x94D049BB133111EB;
	return x ^ x >> 29;
}

static void count_units(struct vk_gone_search *s, struct vk_gone_sum *sum, uint64_t first, uint64_t end)
{
	uint8_t *own = s->now.own;
	uint64_t from = end;

	sum->units += mixed(end) - mixed(first);
	for (uint64_t u = first; u < end; u++) {
		const bool fresh = !bit(s->before.own, u);

		own[u / 8] = (uint8_t)(own[u / 8] | 1U << u % 8);
		if (fresh && from == end)
			from = u;
		if (!fresh && from < end) {
			sum->fresh += mixed(u) - mixed(from);
			from = end;
		}
	}
	sum->fresh += mixed(end) - mixed(from);
}

void vk_gone_count_run(struct vk_gone_search *s, struct vk_gone_sum *sum, uint64_t at, uint64_t length)
{
	const uint64_t end = vk_add_sat(at, length), all = vk_mul_sat(s->blocks, s->block_bytes);
	uint64_t first = 0, behind = 0, next, more;

	for (; at < end && at < all; at = next) {
		const uint64_t unit = vk_gone_unit(s, at, s->now.sub_end, &next);
		const size_t sub = vk_first_not_below(s->sbc, s->sbc_count, sizeof(*s->sbc), at, key_of_run);
		uint64_t until = vk_min_u64(end, all);

		if (unit == UINT64_MAX)
			continue;
		if (unit != behind || behind == first) {
			if (behind > first)
				count_units(s, sum, first, behind);
			first = unit;
		}
		behind = unit + 1;
		/* up to where sub-blocks may lie */
		if (sub < s->sbc_count)
			until = vk_min_u64(until, s->sbc[sub].volume_offset);
		if (unit >= s->blocks || until <= next)
			continue;
		more = (until - next) / s->block_bytes;
		behind += more;
		next += more * s->block_bytes;
	}
	if (behind > first)
		count_units(s, sum, first, behind);
}

/* ---- the time between two moments */

static int compare_sums(const struct vk_gone_sum *x, const struct vk_gone_sum *y)
{
	if (x->address != y->address)
		return x->address < y->address ? -1 : 1;
	return x->generation != y->generation ? (x->generation < y->generation ? -1 : 1) : 0;
}

static void note_loser(struct vk_gone_gap *gap, const struct vk_gone_sum *file, bool gained)
{
	gap->losers += gained ? 2 : 1;
	gap->address = file->address;
	gap->generation = file->generation;
}

/* Each generation that the clusters of descriptors gave out. */
static bool is_accounted(const struct vk_gone_search *s)
{
	const struct vk_fs_clusters_of *fds = &s->clusters.of[VK_CLUSTERS_DESCRIPTORS];
	const uint64_t *before = s->before.stamps[VK_CLUSTERS_DESCRIPTORS];
	const uint64_t *now = s->now.stamps[VK_CLUSTERS_DESCRIPTORS];
	const struct vk_address_form *form = &vk_fs_info(s->fs)->addresses;
	uint32_t *met = calloc((size_t)fds->count + 1, sizeof(*met));
	bool sound = met != NULL && fds->count > 0;

	for (size_t i = 0, k = 0; sound && i < s->now.file_count; i++) {
		const struct vk_gone_sum *f = &s->now.files[i];
		struct vk_address a;

		while (k < s->before.file_count && compare_sums(&s->before.files[k], f) < 0)
			k++;
		/* system files have generations that were not given out */
		if (k < s->before.file_count && compare_sums(&s->before.files[k], f) == 0)
			continue;
		vk_address_decode(f->address, form, &a);
		if (a.kind == VK_ADDRESS_FD && a.cluster < fds->count && f->generation > before[a.cluster] &&
		    f->generation <= now[a.cluster])
			met[a.cluster]++;
	}
	for (uint64_t c = 0; sound && c < fds->count; c++)
		sound = before[c] != VK_STAMP_NONE && now[c] != VK_STAMP_NONE && now[c] >= before[c] &&
			now[c] - before[c] == met[c];
	free(met);
	return sound;
}

void vk_gone_gap_open(struct vk_gone_search *s, struct vk_gone_gap *gap)
{
	const struct vk_gone_moment *before = &s->before, *now = &s->now;

	*gap = (struct vk_gone_gap){.accounted = before->whole && now->whole && is_accounted(s)};
	if (!gap->accounted)
		return;
	for (size_t i = 0, k = 0; i < before->file_count; i++) {
		const struct vk_gone_sum *was = &before->files[i];

		while (k < now->file_count && compare_sums(&now->files[k], was) < 0)
			k++;
		if (k == now->file_count || compare_sums(&now->files[k], was) != 0)
			note_loser(gap, was, false);
		else if (now->files[k].units != was->units + now->files[k].fresh)
			note_loser(gap, was, now->files[k].fresh != 0);
	}
}

static uint64_t count_changed(const struct vk_gone_search *s, uint64_t first, uint64_t end)
{
	uint64_t changed = 0;

	for (uint64_t u = first; u < end; u++)
		changed += bit(s->now.own, u) != bit(s->before.own, u);
	return changed;
}

static uint64_t count_gained(const struct vk_gone_search *s, uint64_t first, uint64_t end)
{
	uint64_t gained = 0;

	for (uint64_t u = first; u < end; u++)
		gained += bit(s->now.own, u) && !bit(s->before.own, u);
	return gained;
}

/* No large block but those that files have was allocated, or became a cluster of small ones. */
static bool large_proved(struct vk_gone_search *s, struct vk_gone_gap *gap, uint64_t cluster)
{
	const struct vk_fs_clusters_of *large = &s->clusters.of[VK_CLUSTERS_LARGE];
	const uint32_t small = s->clusters.of[VK_CLUSTERS_BLOCKS].per_cluster;
	const uint64_t c = cluster / vk_max_u64(large->per_cluster, 1);
	uint64_t before, now, gained = 0;

	if (c >= large->count)
		return false;
	if (gap->large_read && gap->large == c)
		return gap->large_proved;
	before = s->before.stamps[VK_CLUSTERS_LARGE][c];
	now = s->now.stamps[VK_CLUSTERS_LARGE][c];
	for (uint64_t n = c * large->per_cluster; n < (c + 1) * large->per_cluster && n < large->resources; n++) {
		const uint64_t end = vk_min_u64((n + 1) * small, s->blocks);
		bool had = false;

		for (uint64_t u = n * small; u < end && !had; u++)
			had = bit(s->before.own, u);
		gained += !had && count_gained(s, n * small, end) > 0;
	}
	*gap = (struct vk_gone_gap){gap->accounted, gap->losers, gap->address, gap->generation, c, true,
				    before != VK_STAMP_NONE && now != VK_STAMP_NONE && now >= before &&
					    now - before <= gained};
	return gap->large_proved;
}

/*
 * Whether a token that grew so much leaves no room for one who took and gave back: he changes the cluster twice more.
 * Hosts count it on once or twice for all that they do at once, debugvmfs for each block.
 */
static bool is_few(const struct vk_gone_search *s, const struct vk_gone_gap *gap, uint64_t changes, uint64_t first,
		   uint64_t end, uint64_t handed)
{
	const uint64_t changed = count_changed(s, first, end) + 2 * handed;
	const bool gained = handed + count_gained(s, first, end) > 0;

	return changes <= gap->losers + gained + 1 || (changes == changed && changed >= ENOUGH);
}

bool vk_gone_proved(struct vk_gone_search *s, struct vk_gone_gap *gap, const struct vk_gone_piece *piece,
		    enum vk_fs_cluster_kind kind, uint64_t cluster)
{
	const struct vk_fs_clusters_of *of = &s->clusters.of[kind];
	const struct vk_undelete_file *file = &s->out.files[piece->file];
	const bool vmfs6 = vk_fs_info(s->fs)->vmfs6, block = kind == VK_CLUSTERS_BLOCKS;
	const uint64_t base = block ? 0 : s->blocks, first = base + cluster * of->per_cluster;
	const uint64_t end = vk_min_u64(first + of->per_cluster, base + (block ? s->blocks : s->subs));
	uint64_t before, now;

	if (cluster >= of->count)
		return false;
	before = s->before.stamps[kind][cluster];
	now = s->now.stamps[kind][cluster];
	if (vmfs6) {
		if (block && !large_proved(s, gap, cluster))
			return false;
		/* it was and is a large block: it has no stamp of its own */
		if (block && before == VK_STAMP_NONE && now == VK_STAMP_NONE && of->stamps[cluster] == VK_STAMP_NONE &&
		    bit(of->known, cluster))
			return true;
		return before != VK_STAMP_NONE && now != VK_STAMP_NONE && now >= before &&
		       now - before <= s->handed[!block][cluster] + count_gained(s, first, end);
	}
	if (before == VK_STAMP_NONE || now == VK_STAMP_NONE || now < before)
		return false;
	if (now == before)
		return true;
	if (!gap->accounted || gap->losers > 1 ||
	    (gap->losers == 1 && (gap->address != file->address || gap->generation != file->generation)))
		return false;
	return is_few(s, gap, now - before, first, end, s->handed[!block][cluster]);
}
