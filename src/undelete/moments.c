/* SPDX-License-Identifier: Apache-2.0 */
/* One moment of a volume: which units files have in it. */
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/memory.h"
#include "undelete/undelete_parts.h"


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
		const bool fresh = !vk_gone_bit(s->before.own, u);

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
