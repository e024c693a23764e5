/* SPDX-License-Identifier: Apache-2.0 */
/* What the time between two moments can have hidden: blocks that were taken and given back. */
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "undelete/undelete_parts.h"

enum {
	ENOUGH = 8,  /* blocks, so that it is no chance */
	MET_MAX = 16 /* files of one cluster that are counted */
};

int vk_gone_compare_sums(const void *a, const void *b)
{
	const struct vk_gone_sum *x = a, *y = b;

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

		while (k < s->before.file_count && vk_gone_compare_sums(&s->before.files[k], f) < 0)
			k++;
		/* system files have generations that were not given out */
		if (k < s->before.file_count && vk_gone_compare_sums(&s->before.files[k], f) == 0)
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

static uint64_t count_changed(const struct vk_gone_search *s, uint64_t first, uint64_t end)
{
	uint64_t changed = 0;

	for (uint64_t u = first; u < end; u++)
		changed += vk_gone_bit(s->now.own, u) != vk_gone_bit(s->before.own, u);
	return changed;
}

/*
 * Blocks that a file has got. Only a map with all files and runs knows which blocks nobody had: of another one none is
 * counted, as what is in no map may have had them all the time.
 */
static uint64_t count_gained(const struct vk_gone_search *s, uint64_t first, uint64_t end)
{
	uint64_t gained = 0;

	if (!s->before.whole)
		return 0;
	for (uint64_t u = first; u < end; u++)
		gained += vk_gone_bit(s->now.own, u) && !vk_gone_bit(s->before.own, u);
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
			had = vk_gone_bit(s->before.own, u);
		gained += !had && count_gained(s, n * small, end) > 0;
	}
	gap->large = c;
	gap->large_read = true;
	gap->large_proved = before != VK_STAMP_NONE && now != VK_STAMP_NONE && now >= before && now - before <= gained;
	return gap->large_proved;
}

/* The units of a cluster. */
static uint64_t units_of(const struct vk_gone_search *s, enum vk_fs_cluster_kind kind, uint64_t cluster,
			 uint64_t *ret_end)
{
	const struct vk_fs_clusters_of *of = &s->clusters.of[kind];
	const bool block = kind == VK_CLUSTERS_BLOCKS;
	const uint64_t first = (block ? 0 : s->blocks) + cluster * of->per_cluster;

	*ret_end = vk_min_u64(first + of->per_cluster, block ? s->blocks : s->blocks + s->subs);
	return first;
}

/* How tokens of blocks, or of sub-blocks, count: what all of them say. */
static void learn_tokens(const struct vk_gone_search *s, struct vk_gone_gap *gap, bool subs)
{
	const enum vk_fs_cluster_kind kind = subs ? VK_CLUSTERS_SUB_BLOCKS : VK_CLUSTERS_BLOCKS;
	const uint64_t *before = s->before.stamps[kind], *now = s->now.stamps[kind];
	uint64_t all = 0, end;

	gap->by_twos[subs] = true;
	gap->by_units[subs] = s->before.whole && s->now.whole;
	for (uint64_t c = 0; c < s->clusters.of[kind].count; c++) {
		const uint64_t first = units_of(s, kind, c, &end);
		const uint64_t changed = count_changed(s, first, end) + 2ULL * s->handed[subs][c];

		/* one that is locked, or changed meanwhile, has none */
		if (before[c] == VK_STAMP_NONE || now[c] == VK_STAMP_NONE) {
			gap->by_units[subs] = false;
			continue;
		}
		gap->by_units[subs] &= now[c] - before[c] == changed;
		gap->by_twos[subs] &= before[c] % 2 == 1 && now[c] % 2 == 1;
		all += changed;
	}
	gap->by_units[subs] &= all >= ENOUGH;
}

void vk_gone_gap_open(struct vk_gone_search *s, struct vk_gone_gap *gap)
{
	const struct vk_gone_moment *before = &s->before, *now = &s->now;

	*gap = (struct vk_gone_gap){.accounted = !vk_fs_info(s->fs)->vmfs6 && before->whole && now->whole &&
						 is_accounted(s)};
	for (unsigned i = 0; i < 2 && !vk_fs_info(s->fs)->vmfs6; i++)
		learn_tokens(s, gap, i == 1);
	for (size_t i = 0, k = 0; gap->accounted && i < before->file_count; i++) {
		const struct vk_gone_sum *was = &before->files[i];

		while (k < now->file_count && vk_gone_compare_sums(&now->files[k], was) < 0)
			k++;
		if (k == now->file_count || vk_gone_compare_sums(&now->files[k], was) != 0)
			note_loser(gap, was, false);
		else if (now->files[k].units != was->units + now->files[k].fresh)
			note_loser(gap, was, now->files[k].fresh != 0);
	}
}

static const struct vk_gone_sum *sum_of(const struct vk_gone_moment *m, const struct vk_undelete_file *file)
{
	const struct vk_gone_sum want = {.address = file->address, .generation = file->generation};
	size_t low = 0, high = m->file_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (vk_gone_compare_sums(&m->files[middle], &want) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low < m->file_count && vk_gone_compare_sums(&m->files[low], &want) == 0 ? &m->files[low] : NULL;
}

/* It lost blocks; ret_all: all of them. */
static bool is_loser(const struct vk_gone_search *s, const struct vk_undelete_file *file, bool *ret_all)
{
	const struct vk_gone_sum *was = sum_of(&s->before, file), *is = sum_of(&s->now, file);

	*ret_all = is == NULL;
	return was != NULL && (is == NULL || is->units != was->units + is->fresh);
}

/* Whether it still had one of these blocks of the piece in the moment before. Else it cannot have lost it. */
static bool had_some(const struct vk_gone_search *s, const struct vk_gone_piece *p, uint64_t first, uint64_t end)
{
	uint64_t u = vk_max_u64(p->at / s->block_bytes, first);

	/* what others had is no piece any more */
	end = vk_min_u64((p->at + p->length - 1) / s->block_bytes + 1, end);
	while (u < end && !vk_gone_bit(s->before.own, u))
		u++;
	return u < end;
}

/* How many files at least lost blocks of this cluster: whole is the first of those that lie in it. */
static size_t known_losers(const struct vk_gone_search *s, struct vk_gone_gap *gap, const struct vk_gone_piece *whole,
			   size_t index, uint64_t cluster)
{
	uint32_t met[MET_MAX];
	size_t met_count = 0, vanished = 0, cut = 0;
	uint64_t end;
	const uint64_t first = units_of(s, VK_CLUSTERS_BLOCKS, cluster, &end);
	bool all;

	if (gap->counted && gap->cluster == cluster)
		return gap->known;
	for (size_t k = index; k < s->sorted && s->pieces[k].at < end * s->block_bytes; k++) {
		const struct vk_gone_piece *p = k == index ? whole : &s->pieces[k];
		size_t i = 0;

		while (i < met_count && met[i] != p->file)
			i++;
		if (i < met_count || met_count == MET_MAX || p->sub || !had_some(s, p, first, end))
			continue;
		met[met_count++] = p->file;
		if (is_loser(s, &s->out.files[p->file], &all))
			*(all ? &vanished : &cut) += 1;
	}
	gap->counted = true;
	gap->cluster = cluster;
	/* a file that is there may have its blocks of this cluster still */
	return gap->known = vanished + (cut > 0);
}

/* The file is known from the moment before: a sub-block is not followed through later maps. */
static bool had_sub_block(const struct vk_gone_search *s, const struct vk_undelete_file *file)
{
	return file->map == (s->since == VK_UNDELETE_TODAY ? 0 : (size_t)s->since + 1);
}

/* VMFS 3 and 5: by the tokens of the cluster, which grew by that. */
static bool tokens_prove(const struct vk_gone_search *s, struct vk_gone_gap *gap, const struct vk_gone_piece *whole,
			 size_t index, uint64_t unit, uint64_t grew)
{
	const struct vk_undelete_file *file = &s->out.files[whole->file];
	uint64_t cluster, end;
	const enum vk_fs_cluster_kind kind = vk_gone_cluster(s, unit, &cluster);
	const uint64_t first = units_of(s, kind, cluster, &end);
	const bool sub = kind != VK_CLUSTERS_BLOCKS;
	/* who takes and gives back locks the cluster twice more than those who are known to have changed it */
	const bool gained = s->handed[sub][cluster] + count_gained(s, first, end) > 0;
	const bool had = sub ? had_sub_block(s, file) : had_some(s, whole, first, end);
	bool all;
	size_t losers;

	/* .sbc.sf has all sub-blocks: which of them the file itself got anew is not seen */
	if (sub && !had && sum_of(&s->now, file) != NULL)
		return false;
	if (gap->by_twos[sub]) {
		losers = sub ? had && is_loser(s, file, &all) : known_losers(s, gap, whole, index, cluster);
		if (grew <= 2 * (losers + gained))
			return true;
	}
	if (!gap->accounted || gap->losers > 1 ||
	    (gap->losers == 1 && (gap->address != file->address || gap->generation != file->generation)))
		return false;
	losers = gap->losers == 1 && had;
	return gap->by_units[sub] || (!gap->by_twos[sub] && grew <= losers + gained + 1);
}

bool vk_gone_proved(struct vk_gone_search *s, struct vk_gone_gap *gap, const struct vk_gone_piece *whole, size_t index,
		    uint64_t unit)
{
	uint64_t cluster, before, now, end, first;
	const enum vk_fs_cluster_kind kind = vk_gone_cluster(s, unit, &cluster);
	const struct vk_fs_clusters_of *of = &s->clusters.of[kind];
	const bool vmfs6 = vk_fs_info(s->fs)->vmfs6, block = kind == VK_CLUSTERS_BLOCKS;

	if (cluster >= of->count)
		return false;
	before = s->before.stamps[kind][cluster];
	now = s->now.stamps[kind][cluster];
	if (vmfs6 && block && !large_proved(s, gap, cluster))
		return false;
	/* it was and is a large block: it has no stamp of its own */
	if (vmfs6 && block && before == VK_STAMP_NONE && now == VK_STAMP_NONE &&
	    of->stamps[cluster] == VK_STAMP_NONE && vk_gone_bit(of->known, cluster))
		return true;
	if (before == VK_STAMP_NONE || now == VK_STAMP_NONE || now < before)
		return false;
	if (now == before)
		return true;
	if (!vmfs6)
		return tokens_prove(s, gap, whole, index, unit, now - before);
	first = units_of(s, kind, cluster, &end);
	return now - before <= s->handed[!block][cluster] + count_gained(s, first, end);
}
