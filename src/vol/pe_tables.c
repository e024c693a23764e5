/* SPDX-License-Identifier: Apache-2.0 */
/* PE bitmaps and tables of a device: judged entry by entry, kept as runs. */
#include <stdlib.h>

#include "base/memory.h"
#include "base/checked.h"
#include "vol/pe_walk.h"
#include "vol/vmfs_parts.h"

enum {
	BITMAP_BYTES = VK_LVM_PES_PER_MAP / 8,
	TABLE_BYTES = VK_LVM_PES_PER_MAP * VK_LVM_PE_STRIDE,
	EXTS_MAX = 64,         /* 1 PiB; a longer chain is no real one */
	RUNS_MAX = 1 << 19     /* 128 TiB in single extents */
};

struct tables {
	struct vk_vmfs_reader *r;
	uint64_t entries_left; /* as many as the header announces */
	bool too_many_runs;
	uint64_t first_bad;    /* handle offset of the first contradicting entry */
};

static void no_memory(struct tables *t)
{
	t->r->status = vk_no_memory(t->r->err, vk_io_name(t->r->io));
}

static void add_run(struct tables *t, const struct vk_lvm_pe *pe)
{
	struct vk_vmfs *v = t->r->vmfs;
	struct vk_run *last = v->run_count > 0 ? &v->runs[v->run_count - 1] : NULL;
	const struct vk_run run = {pe->lOffset, pe->pOffset, pe->length};

	if (last != NULL && pe->lOffset == last->volume_offset + last->length_bytes &&
	    pe->pOffset == last->device_offset + last->length_bytes &&
	    vk_add_u64(last->length_bytes, pe->length, &last->length_bytes))
		return;
	if (v->run_count == RUNS_MAX)
		t->too_many_runs = true;
	else if (vk_append(&v->runs, &v->run_count, &run, sizeof(run)) == NULL)
		no_memory(t);
}

static size_t get_bytes(void *ctx, uint64_t at, void *buf, size_t len)
{
	return vk_vmfs_get(((struct tables *)ctx)->r, at, buf, len);
}

static void take_entry(void *ctx, const struct vk_pe_pair *pair, uint64_t index, const struct vk_lvm_pe *pe)
{
	struct tables *t = ctx;
	struct vk_vmfs *v = t->r->vmfs;

	if (pe->used == 0)
		return;
	if (!vk_pe_fits(pair, index, pe, &v->lvm)) {
		if (v->pes.contradicting++ == 0)
			t->first_bad = pair->table_at + (index - pair->first_pe) * VK_LVM_PE_STRIDE;
		return;
	}
	v->pes.entries_used++;
	if (v->volume_count > 0 && pe->volumeID == v->volumes[0].volume.volumeID)
		add_run(t, pe);
}

static bool take_pair(const struct vk_pe_walk *walk, struct vk_pe_pair *pair)
{
	struct tables *t = walk->ctx;
	struct vk_vmfs *v = t->r->vmfs;
	uint64_t count = vk_min_u64(t->entries_left, VK_LVM_PES_PER_MAP);
	size_t got;

	if (t->r->status != VK_OK || (v->pes.tables > 0 && t->entries_left == 0))
		return false;
	vk_place_add(t->r, NULL, 0, VK_PART_LVM, pair->bitmap_at, BITMAP_BYTES, "PE bitmap %llu",
		     (unsigned long long)v->pes.tables);
	vk_place_add(t->r, &vk_lvm_pe_layout, VK_LVM_PE_STRIDE, VK_PART_LVM, pair->table_at, TABLE_BYTES,
		     "PE table %llu", (unsigned long long)v->pes.tables);
	got = vk_vmfs_get(t->r, pair->bitmap_at, pair->bitmap, sizeof(pair->bitmap));
	for (size_t i = 0; i < got; i++)
		v->pes.bitmap_ones += (unsigned)__builtin_popcount(pair->bitmap[i]);
	t->entries_left -= count;
	vk_pe_walk_entries(walk, pair, 0, count);
	if (t->r->status != VK_OK)
		return false;
	v->pes.tables++;
	v->pes.tables_held += v->places[v->place_count - 2].presence == VK_PRESENCE_WHOLE &&
			      v->places[v->place_count - 1].presence == VK_PRESENCE_WHOLE;
	return true;
}

static void break_chain(struct tables *t, uint64_t at, const char *why)
{
	vk_finding_say(&t->r->counting, VK_F_LVM_EXT_CHAIN, at, VK_LVM_EXT_BYTES, NULL, NULL, "extended metadata: %s",
		       why);
}

static void take_ext(void *ctx, uint64_t at, const struct vk_lvm_ext *ext)
{
	struct tables *t = ctx;
	struct vk_vmfs *v = t->r->vmfs;

	vk_place_add(t->r, &vk_lvm_ext_layout, 0, VK_PART_LVM, at, 512, "LVM extended metadata %zu", v->ext_count + 1);
	if (ext != NULL &&
	    vk_append(&v->exts, &v->ext_count, &(struct vk_lvm_ext_at){*ext, at}, sizeof(*v->exts)) == NULL)
		no_memory(t);
}

static int by_volume_offset(const void *a, const void *b)
{
	const struct vk_run *x = a;
	const struct vk_run *y = b;

	return x->volume_offset < y->volume_offset ? -1 : x->volume_offset > y->volume_offset;
}

/*
 * The first extent that is here. Where firstPE does not fit lastPE and numPEs one of the three is damaged: another one
 * is taken only where the PE table begins with it, or the volume has no other device.
 */
static uint64_t first_pe(const struct vk_vmfs *v)
{
	const struct vk_lvm_volume *volume = &v->volumes[0].volume;
	uint64_t behind = vk_add_sat(volume->lastPE, 1), other = behind - volume->numPEs;

	if (volume->numPEs == 0 || behind < volume->numPEs || other == volume->firstPE)
		return volume->firstPE;
	if (v->runs != NULL && v->run_count > 0)
		return v->runs[0].volume_offset == vk_mul_sat(other, VK_LVM_PE_BYTES) ? other : volume->firstPE;
	return other == 0 && volume->numDevs == 1 && volume->logicalSize == volume->numPEs * VK_LVM_PE_BYTES
		       ? 0 : volume->firstPE;
}

/* Whether the runs tile what the volume descriptor says is here. */
static bool tiles(const struct vk_vmfs *v)
{
	const struct vk_lvm_volume *volume = &v->volumes[0].volume;
	uint64_t next = vk_mul_sat(v->first_pe, VK_LVM_PE_BYTES);

	for (size_t i = 0; v->runs != NULL && i < v->run_count; i++) {
		if (v->runs[i].volume_offset != next)
			return false;
		next = vk_add_sat(next, v->runs[i].length_bytes);
	}
	return next == vk_mul_sat(vk_add_sat(volume->lastPE, 1), VK_LVM_PE_BYTES);
}

/* What every device seen does: extents in order, one behind the other. */
static void map_linear(struct vk_vmfs *v)
{
	const struct vk_lvm_volume *volume = &v->volumes[0].volume;

	if (v->runs == NULL)
		v->runs = calloc(1, sizeof(*v->runs));
	if (v->runs == NULL)
		return;
	v->runs_linear = true;
	v->run_count = 1;
	v->runs[0] = (struct vk_run){vk_mul_sat(v->first_pe, VK_LVM_PE_BYTES), v->lvm.dataOffset,
				     volume->numPEs * VK_LVM_PE_BYTES};
}

static void check_sums(struct tables *t)
{
	struct vk_vmfs *v = t->r->vmfs;
	const struct vk_finding_sink *sink = &t->r->counting;
	const struct vk_pe_summary *s = &v->pes;
	uint64_t owned = 0;

	for (size_t i = 0; i < v->volume_count; i++)
		owned += v->volumes[i].volume.numPEs;
	if (!vk_lvm_fixed_pes(&v->lvm))
		owned = s->entries_used;
	if (s->bitmap_ones != owned)
		vk_finding_say(sink, VK_F_LVM_PE_BITMAP, v->geometry.first_bitmap, BITMAP_BYTES,
			       vk_phrase("%llu marked", (unsigned long long)s->bitmap_ones).text,
			       vk_phrase("%llu", (unsigned long long)owned).text,
			       "the PE bitmap does not mark what the volume owns");
	if (s->contradicting > 0)
		vk_finding_say(sink, VK_F_LVM_PE_TABLE, t->first_bad, VK_LVM_PE_STRIDE, NULL, NULL,
			       "%llu entries of the PE table contradict the header",
			       (unsigned long long)s->contradicting);
	if (v->volume_count > 0 && !tiles(v))
		vk_finding_say(sink, VK_F_LVM_PE_GAP, v->geometry.first_bitmap + v->geometry.bitmap_bytes, TABLE_BYTES,
			       NULL, NULL, "the PE table does not place the whole volume");
}

void vk_pe_tables_read(struct vk_vmfs_reader *r)
{
	struct vk_vmfs *v = r->vmfs;
	struct tables t = {.r = r};
	const struct vk_pe_walk walk = {.ctx = &t, .get = get_bytes, .holes = r->io, .piece_entries = VK_PE_PIECE_MAX,
					.pair = take_pair, .entry = take_entry, .ext = take_ext};
	struct vk_pe_region region = vk_pe_main_region(&v->lvm);
	uint64_t at;

	if (r->status != VK_OK)
		return;
	v->first_pe = v->volume_count > 0 ? v->volumes[0].volume.firstPE : 0;
	if (!v->lvm_usable)
		region.maps = 1;
	else
		t.entries_left = vk_lvm_fixed_pes(&v->lvm) ? v->lvm.numPEs : UINT64_MAX;
	(void)vk_pe_walk_region(&walk, &region);
	if (!v->lvm_usable || r->status != VK_OK)
		return;
	switch (vk_pe_walk_exts(&walk, &v->lvm, v->lvm.extDevMetadataOffset, v->lvm.dataOffset, UINT64_MAX, EXTS_MAX,
				&at)) {
	case VK_PE_CHAIN_STRANGE:
		break_chain(&t, at, "the block is not one");
		break;
	case VK_PE_CHAIN_ASTRAY:
		break_chain(&t, at, "the chain does not lead upwards");
		break;
	case VK_PE_CHAIN_UNREAD: /* said as a missing structure */
	case VK_PE_CHAIN_ENDS:
		break;
	}
	if (r->status != VK_OK)
		return;
	if (v->runs != NULL)
		qsort(v->runs, v->run_count, sizeof(*v->runs), by_volume_offset);
	if (v->volume_count > 0)
		v->first_pe = first_pe(v);
	if (v->pes.tables_held == v->pes.tables)
		check_sums(&t);
	if (v->volume_count > 0 && (v->pes.tables_held < v->pes.tables || t.too_many_runs || !tiles(v)))
		map_linear(v);
}
