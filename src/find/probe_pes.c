/* SPDX-License-Identifier: Apache-2.0 */
/* PE bitmaps and tables of a candidate: whether they agree with its header, within a bound of reading. */
#include "base/checked.h"
#include "find/find_parts.h"
#include "vol/pe_walk.h"

enum {
	MAPS_MAX = 72,      /* 128 TB and more */
	EDGE_ENTRIES = 128, /* of a long table the first and the last ones */
	SHORT_TABLE = 2048  /* entries that are all looked at */
};

struct look {
	struct vk_finder *f;
	struct vk_probe *p;
	uint64_t ones;      /* bits set in the bitmaps */
	uint64_t entries;   /* used ones that were looked at */
	uint64_t wrong;
	uint64_t maps;
	uint64_t pes_left;  /* of the device, of fixed size */
	bool unread;        /* some bytes are not there, or the budget is used up */
	uint64_t length;    /* sum of the extents seen */
};

/* All of it, within the budget, or nothing. */
static size_t get_bytes(void *ctx, uint64_t at, void *buf, size_t len)
{
	struct look *l = ctx;

	if (l->f->budget_bytes >= len) {
		l->f->budget_bytes -= len;
		if (vk_find_get(l->f, l->p->start + (int64_t)at, buf, len) == len)
			return len;
	}
	l->unread = true;
	return 0;
}

static void add_delta(struct vk_probe *p, int64_t delta, bool first)
{
	if (first) {
		p->deltas[0] = delta;
		return;
	}
	for (size_t i = 0; i < p->delta_count; i++)
		if (p->deltas[i] == delta)
			return;
	if (p->delta_count < VK_DELTAS_MAX)
		p->deltas[p->delta_count++] = delta;
}

static void take_entry(void *ctx, const struct vk_pe_pair *pair, uint64_t index, const struct vk_lvm_pe *pe)
{
	struct look *l = ctx;

	l->entries++;
	if ((pe->used == 1) != vk_pe_marked(pair, index - pair->first_pe) || !vk_pe_fits(pair, index, pe, &l->p->lvm)) {
		l->wrong++;
		return;
	}
	l->length = vk_add_sat(l->length, pe->length);
	if (pe->pOffset < INT64_MAX / 4 && pe->lOffset < INT64_MAX / 4)
		add_delta(l->p, l->p->start + (int64_t)pe->pOffset - (int64_t)pe->lOffset,
			  l->entries == 1 && l->maps == 0);
}

static void look_at_table(const struct vk_pe_walk *walk, const struct vk_pe_pair *pair)
{
	struct look *l = walk->ctx;
	uint64_t used = 0;

	for (uint64_t i = 0; i < VK_LVM_PES_PER_MAP; i++)
		if (vk_pe_marked(pair, i)) {
			l->ones++;
			used = i + 1;
		}
	/* behind the last one that is marked: the entry that a lost bitmap would hide */
	used = vk_max_u64(used, vk_lvm_fixed_pes(&l->p->lvm) ? vk_min_u64(l->pes_left, VK_LVM_PES_PER_MAP) : 1);
	if (used <= SHORT_TABLE) {
		vk_pe_walk_entries(walk, pair, 0, used);
		return;
	}
	vk_pe_walk_entries(walk, pair, 0, EDGE_ENTRIES);
	vk_pe_walk_entries(walk, pair, used / 2, EDGE_ENTRIES);
	vk_pe_walk_entries(walk, pair, used - EDGE_ENTRIES, EDGE_ENTRIES);
}

static bool take_pair(const struct vk_pe_walk *walk, struct vk_pe_pair *pair)
{
	struct look *l = walk->ctx;

	if (l->maps == MAPS_MAX || pair->bitmap_at > INT64_MAX / 4 || (l->maps > 0 && l->pes_left == 0))
		return false;
	if (get_bytes(l, pair->bitmap_at, pair->bitmap, sizeof(pair->bitmap)) > 0)
		look_at_table(walk, pair);
	l->pes_left -= vk_min_u64(l->pes_left, VK_LVM_PES_PER_MAP);
	l->maps++;
	return true;
}

static void take_ext(void *ctx, uint64_t at, const struct vk_lvm_ext *ext)
{
	struct look *l = ctx;

	if (ext != NULL)
		l->p->ext_at[l->p->ext_count++] = (uint64_t)(l->p->start + (int64_t)at);
}

static void conclude(struct look *l)
{
	struct vk_probe *p = l->p;
	bool all = l->entries == l->ones;
	uint64_t owned = p->c.volume.numPEs;
	/* extents of LVM6 may be longer than one unit */
	uint64_t marked = vk_lvm_fixed_pes(&p->lvm) ? l->ones : all ? l->length / VK_LVM_PE_BYTES : owned;

	if (l->ones == 0 && !l->unread)
		vk_judge_row(p, VK_CHECK_PE_TABLES, VK_VERDICT_FAIL, "the PE bitmap is empty");
	else if (l->wrong > 0)
		vk_judge_row(p, VK_CHECK_PE_TABLES, VK_VERDICT_FAIL, "%llu of %llu entries contradict the header",
			     (unsigned long long)l->wrong, (unsigned long long)l->entries);
	else if (l->unread)
		vk_judge_row(p, VK_CHECK_PE_TABLES, VK_VERDICT_UNKNOWN, "some of them cannot be read");
	else if (p->c.has_volume && marked != owned)
		vk_judge_row(p, VK_CHECK_PE_TABLES, VK_VERDICT_FAIL, "%llu extents are marked, the volume owns %llu",
			     (unsigned long long)marked, (unsigned long long)owned);
	else
		vk_judge_row(p, VK_CHECK_PE_TABLES, VK_VERDICT_PASS, "%llu extents marked, %s%llu entries fit",
			     (unsigned long long)l->ones, all ? "their " : "",
			     (unsigned long long)l->entries);
	p->has_pes = p->c.checks[VK_CHECK_PE_TABLES].verdict == VK_VERDICT_PASS;
}

void vk_probe_pes(struct vk_finder *f, struct vk_probe *p)
{
	struct look l = {.f = f, .p = p};
	const struct vk_pe_walk walk = {.ctx = &l, .get = get_bytes, .piece_entries = EDGE_ENTRIES, .whole = true,
					.pair = take_pair, .entry = take_entry, .ext = take_ext};
	const struct vk_pe_region region = vk_pe_main_region(&p->lvm);
	uint64_t first_pe = p->c.has_volume ? p->c.volume.firstPE : 0;
	uint64_t at;

	l.pes_left = vk_lvm_fixed_pes(&p->lvm) ? p->lvm.numPEs : UINT64_MAX;
	if (p->lvm.dataOffset > INT64_MAX / 4 || first_pe > INT64_MAX / 4 / VK_LVM_PE_BYTES)
		return;
	p->deltas[0] = p->start + (int64_t)p->lvm.dataOffset - (int64_t)(first_pe * VK_LVM_PE_BYTES);
	(void)vk_pe_walk_region(&walk, &region);
	switch (vk_pe_walk_exts(&walk, &p->lvm, p->lvm.extDevMetadataOffset, p->lvm.dataOffset,
				vk_min_u64(p->lvm.totalBytes, INT64_MAX / 4),
				sizeof(p->ext_at) / sizeof(p->ext_at[0]), &at)) {
	case VK_PE_CHAIN_ENDS:
		break;
	case VK_PE_CHAIN_STRANGE:
		l.wrong++;
		break;
	case VK_PE_CHAIN_UNREAD:
	case VK_PE_CHAIN_ASTRAY:
		l.unread = true;
		break;
	}
	conclude(&l);
}
