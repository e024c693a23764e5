/* SPDX-License-Identifier: Apache-2.0 */
/* PE bitmaps and tables of a candidate: whether they agree with its header, within a bound of reading. */
#include <string.h>

#include "base/checked.h"
#include "find/find_parts.h"

enum {
	BITMAP_BYTES = VK_LVM_PES_PER_MAP / 8,
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

static bool spend(struct look *l, uint64_t bytes)
{
	if (l->f->budget_bytes < bytes) {
		l->unread = true;
		return false;
	}
	l->f->budget_bytes -= bytes;
	return true;
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

/* A region of the header and its tables. */
struct region {
	uint64_t header_offset;
	uint64_t data_offset;
	uint64_t first_pe;
	uint32_t maps;
};

static void look_at_entry(struct look *l, const struct region *g, const uint8_t *raw, uint64_t index,
			  bool marked)
{
	struct vk_lvm_pe pe;
	uint64_t end;

	vk_lvm_pe_decode(raw, VK_LVM_PE_STRIDE, &pe);
	if (pe.used == 0 && !marked)
		return;
	l->entries++;
	if ((pe.used == 1) != marked || !vk_lvm_pe_plausible(&pe, &l->p->lvm) ||
	    !vk_add_u64(pe.lOffset, pe.length, &end) ||
	    !vk_lvm_pe_at_place(&pe, &l->p->lvm, index, g->data_offset, index - g->first_pe)) {
		l->wrong++;
		return;
	}
	l->length = vk_add_sat(l->length, pe.length);
	if (pe.pOffset < INT64_MAX / 4 && pe.lOffset < INT64_MAX / 4)
		add_delta(l->p, l->p->start + (int64_t)pe.pOffset - (int64_t)pe.lOffset,
			  l->entries == 1 && l->maps == 0);
}

static bool bit(const uint8_t *bitmap, uint64_t i)
{
	return (bitmap[i / 8] >> (i % 8) & 1) != 0;
}

/* Entries first .. first+count-1 of one table. */
static void look_at_entries(struct look *l, const struct region *g, uint64_t table, uint64_t index,
			    const uint8_t *bitmap, uint64_t first, uint64_t count)
{
	uint8_t piece[128 * VK_LVM_PE_STRIDE];

	for (uint64_t i = first; i < first + count; i += 128) {
		uint64_t n = vk_min_u64(128, first + count - i);
		size_t len = (size_t)n * VK_LVM_PE_STRIDE;

		if (!spend(l, len))
			return;
		if (vk_find_get(l->f, l->p->start + (int64_t)(table + i * VK_LVM_PE_STRIDE), piece, len) < len) {
			l->unread = true;
			return;
		}
		for (uint64_t k = 0; k < n; k++)
			look_at_entry(l, g, piece + k * VK_LVM_PE_STRIDE, index + i + k, bit(bitmap, i + k));
	}
}

static void look_at_map(struct look *l, const struct region *g, uint64_t bitmap_at, uint64_t table_at,
			uint64_t first)
{
	uint8_t bitmap[BITMAP_BYTES];
	uint64_t used = 0;

	if (!spend(l, sizeof(bitmap)))
		return;
	if (vk_find_get(l->f, l->p->start + (int64_t)bitmap_at, bitmap, sizeof(bitmap)) < sizeof(bitmap)) {
		l->unread = true;
		return;
	}
	for (uint64_t i = 0; i < VK_LVM_PES_PER_MAP; i++)
		if (bit(bitmap, i)) {
			l->ones++;
			used = i + 1;
		}
	/* behind the last one that is marked: the entry that a lost bitmap would hide */
	used = vk_max_u64(used, vk_lvm_fixed_pes(&l->p->lvm) ? vk_min_u64(l->pes_left, VK_LVM_PES_PER_MAP) : 1);
	if (used <= SHORT_TABLE) {
		look_at_entries(l, g, table_at, first, bitmap, 0, used);
		return;
	}
	look_at_entries(l, g, table_at, first, bitmap, 0, EDGE_ENTRIES);
	look_at_entries(l, g, table_at, first, bitmap, used / 2, EDGE_ENTRIES);
	look_at_entries(l, g, table_at, first, bitmap, used - EDGE_ENTRIES, EDGE_ENTRIES);
}

static void look_at_region(struct look *l, const struct region *g)
{
	struct vk_lvm_geometry geometry;

	vk_lvm_geometry(&l->p->lvm, g->header_offset, &geometry);
	for (uint32_t i = 0; i < g->maps && l->maps < MAPS_MAX; i++) {
		uint64_t bitmap = vk_add_sat(geometry.first_bitmap, i * geometry.pair_bytes);

		if (bitmap > INT64_MAX / 4 || (l->maps > 0 && l->pes_left == 0))
			return;
		look_at_map(l, g, bitmap, bitmap + geometry.bitmap_bytes,
			    g->first_pe + (uint64_t)i * VK_LVM_PES_PER_MAP);
		l->pes_left -= vk_min_u64(l->pes_left, VK_LVM_PES_PER_MAP);
		l->maps++;
	}
}

static void look_at_exts(struct look *l)
{
	struct vk_probe *p = l->p;
	uint64_t at = p->lvm.extDevMetadataOffset;
	uint64_t before = p->lvm.dataOffset;
	uint64_t first = (uint64_t)vk_lvm_main_maps(&p->lvm) * VK_LVM_PES_PER_MAP;

	while (at != 0) {
		uint8_t raw[512];
		struct vk_lvm_ext ext;
		struct region g;

		if (at <= before || at > p->lvm.totalBytes || at > INT64_MAX / 4 ||
		    p->ext_count == sizeof(p->ext_at) / sizeof(p->ext_at[0]) ||
		    vk_find_get(l->f, p->start + (int64_t)at, raw, sizeof(raw)) < sizeof(raw)) {
			l->unread = true;
			return;
		}
		vk_lvm_ext_decode(raw, sizeof(raw), &ext);
		if (ext.magic != VK_LVM_MAGIC || ext.numPEMaps == 0 ||
		    ext.numPEMaps > VK_LVM_MAPS_PER_REGION || ext.dataOffset <= at) {
			l->wrong++;
			return;
		}
		p->ext_at[p->ext_count++] = (uint64_t)(p->start + (int64_t)at);
		g = (struct region){at, ext.dataOffset, first, ext.numPEMaps};
		look_at_region(l, &g);
		first += (uint64_t)ext.numPEMaps * VK_LVM_PES_PER_MAP;
		before = at;
		at = ext.nextOffset;
	}
}

static void conclude(struct look *l)
{
	struct vk_probe *p = l->p;
	bool all = l->entries == l->ones;
	uint64_t owned = p->c.volume.numPEs;
	/* extents of LVM6 may be longer than one unit */
	uint64_t marked = vk_lvm_fixed_pes(&p->lvm) ? l->ones : all ? l->length / VK_LVM_PE_BYTES : owned;

	if (l->ones == 0)
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
	struct region g = {VK_LVM_HEADER_OFFSET, p->lvm.dataOffset, 0, vk_lvm_main_maps(&p->lvm)};
	uint64_t first_pe = p->c.has_volume ? p->c.volume.firstPE : 0;

	l.pes_left = vk_lvm_fixed_pes(&p->lvm) ? p->lvm.numPEs : UINT64_MAX;
	if (p->lvm.dataOffset > INT64_MAX / 4 || first_pe > INT64_MAX / 4 / VK_LVM_PE_BYTES)
		return;
	p->deltas[0] = p->start + (int64_t)p->lvm.dataOffset - (int64_t)(first_pe * VK_LVM_PE_BYTES);
	look_at_region(&l, &g);
	look_at_exts(&l);
	conclude(&l);
}
