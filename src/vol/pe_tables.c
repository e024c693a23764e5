/* SPDX-License-Identifier: Apache-2.0 */
/* PE bitmaps and tables of a device: judged entry by entry, kept as runs. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/bytes.h"
#include "base/checked.h"
#include "vol/vmfs_parts.h"

enum {
	BITMAP_BYTES = VK_LVM_PES_PER_MAP / 8,
	TABLE_BYTES = VK_LVM_PES_PER_MAP * VK_LVM_PE_STRIDE,
	PIECE_ENTRIES = 512,
	EXTS_MAX = 64,         /* 1 PiB; a longer chain is no real one */
	RUNS_MAX = 1 << 19     /* 128 TiB in single extents */
};

/* The tables of one header region. */
struct region {
	uint64_t header_offset;
	uint64_t data_offset; /* device offset of its first PE */
	uint64_t first_pe;    /* number on the device of its first PE */
	uint32_t maps;
};

struct walk {
	struct vk_vmfs_reader *r;
	uint64_t entries_left; /* as many as the header announces */
	size_t run_cap;
	bool too_many_runs;
	uint64_t first_bad;    /* handle offset of the first contradicting entry */
};

static void no_memory(struct walk *w)
{
	w->r->status = vk_no_memory(w->r->err, vk_io_name(w->r->io));
}

static void add_run(struct walk *w, const struct vk_lvm_pe *pe)
{
	struct vk_vmfs *v = w->r->vmfs;
	struct vk_run *last = v->run_count > 0 ? &v->runs[v->run_count - 1] : NULL;

	if (last != NULL && pe->lOffset == last->volume_offset + last->length_bytes &&
	    pe->pOffset == last->device_offset + last->length_bytes &&
	    vk_add_u64(last->length_bytes, pe->length, &last->length_bytes))
		return;
	if (v->run_count == RUNS_MAX) {
		w->too_many_runs = true;
		return;
	}
	if (v->runs == NULL || v->run_count == w->run_cap) {
		size_t cap = w->run_cap == 0 ? 16 : w->run_cap * 2;
		struct vk_run *grown = realloc(v->runs, cap * sizeof(*grown));

		if (grown == NULL) {
			no_memory(w);
			return;
		}
		v->runs = grown;
		w->run_cap = cap;
	}
	v->runs[v->run_count++] = (struct vk_run){pe->lOffset, pe->pOffset, pe->length};
}

/* Whether an entry makes sense and says what its place demands. */
static bool fits_place(const struct walk *w, const struct region *g, const struct vk_lvm_pe *pe,
		       uint64_t index)
{
	const struct vk_lvm_device *device = &w->r->vmfs->lvm;
	uint64_t end;

	return vk_lvm_pe_plausible(pe, device) && vk_add_u64(pe->lOffset, pe->length, &end) &&
	       vk_lvm_pe_at_place(pe, device, index, g->data_offset, index - g->first_pe);
}

static void take_entry(struct walk *w, const struct region *g, const uint8_t *raw, uint64_t index,
		       uint64_t at)
{
	struct vk_vmfs *v = w->r->vmfs;
	struct vk_lvm_pe pe;

	vk_lvm_pe_decode(raw, VK_LVM_PE_STRIDE, &pe);
	if (pe.used == 0)
		return;
	if (!fits_place(w, g, &pe, index)) {
		if (v->pes.contradicting++ == 0)
			w->first_bad = at;
		return;
	}
	v->pes.entries_used++;
	if (v->volume_count > 0 && pe.volumeID == v->volumes[0].volume.volumeID)
		add_run(w, &pe);
}

/* One table; `first` is the number on the device of its first PE. */
static void walk_table(struct walk *w, const struct region *g, uint64_t table, uint64_t first)
{
	uint8_t piece[PIECE_ENTRIES * VK_LVM_PE_STRIDE];
	uint64_t count = vk_min_u64(w->entries_left, VK_LVM_PES_PER_MAP);

	w->entries_left -= count;
	for (uint64_t i = 0; i < count && w->r->status == VK_OK; i += PIECE_ENTRIES) {
		uint64_t at = table + i * VK_LVM_PE_STRIDE;
		uint64_t entries = vk_min_u64(PIECE_ENTRIES, count - i);
		struct vk_span span = vk_io_span(w->r->io, at);
		size_t got;

		if (span.state == VK_SPAN_ZERO && span.length_bytes >= entries * VK_LVM_PE_STRIDE)
			continue;
		got = vk_vmfs_get(w->r, at, piece, entries * VK_LVM_PE_STRIDE);
		for (uint64_t k = 0; k < got / VK_LVM_PE_STRIDE; k++)
			take_entry(w, g, piece + k * VK_LVM_PE_STRIDE, first + i + k,
				   at + k * VK_LVM_PE_STRIDE);
	}
}

static void count_bits(struct walk *w, uint64_t bitmap)
{
	uint8_t bits[BITMAP_BYTES];
	size_t got = vk_vmfs_get(w->r, bitmap, bits, sizeof(bits));

	for (size_t i = 0; i < got; i++)
		w->r->vmfs->pes.bitmap_ones += (unsigned)__builtin_popcount(bits[i]);
}

static void walk_region(struct walk *w, const struct region *g)
{
	struct vk_vmfs *v = w->r->vmfs;
	struct vk_lvm_geometry geometry;
	char name[64];
	struct vk_text text;

	vk_lvm_geometry(&v->lvm, g->header_offset, &geometry);
	for (uint32_t i = 0; i < g->maps && w->r->status == VK_OK; i++) {
		uint64_t bitmap = vk_add_sat(geometry.first_bitmap, i * geometry.pair_bytes);
		uint64_t table = vk_add_sat(bitmap, geometry.bitmap_bytes);
		uint64_t first = vk_add_sat(g->first_pe, (uint64_t)i * VK_LVM_PES_PER_MAP);
		bool whole = true;

		if (v->pes.tables > 0 && w->entries_left == 0)
			break;
		vk_text_init(&text, name, sizeof(name));
		vk_text_fmt(&text, "PE bitmap %llu", (unsigned long long)v->pes.tables);
		vk_place_add(w->r, name, NULL, VK_PART_LVM, bitmap, BITMAP_BYTES);
		vk_text_init(&text, name, sizeof(name));
		vk_text_fmt(&text, "PE table %llu", (unsigned long long)v->pes.tables);
		vk_place_add_array(w->r, name, &vk_lvm_pe_layout, VK_LVM_PE_STRIDE, VK_PART_LVM, table,
				   TABLE_BYTES);
		count_bits(w, bitmap);
		walk_table(w, g, table, first);
		for (size_t p = v->place_count; whole && p + 2 > v->place_count && p > 0; p--)
			whole = v->places[p - 1].presence == VK_PRESENCE_WHOLE;
		v->pes.tables++;
		v->pes.tables_held += whole;
	}
}

static void break_chain(struct walk *w, uint64_t at, const char *why)
{
	struct vk_finding f;

	vk_finding_init(&f, VK_F_LVM_EXT_CHAIN, at, VK_LVM_EXT_BYTES, "extended metadata: %s", why);
	vk_finding_put(&w->r->counting, &f);
}

/* Read the block at `at`; false ends the chain. */
static bool read_ext(struct walk *w, uint64_t at, struct vk_lvm_ext *ret_ext)
{
	struct vk_vmfs *v = w->r->vmfs;
	uint8_t raw[512];
	char name[64];
	struct vk_text text;
	size_t got;

	vk_text_init(&text, name, sizeof(name));
	vk_text_fmt(&text, "LVM extended metadata %zu", v->ext_count + 1);
	vk_place_add(w->r, name, &vk_lvm_ext_layout, VK_PART_LVM, at, sizeof(raw));
	got = vk_vmfs_get(w->r, at, raw, sizeof(raw));
	if (got < VK_LVM_EXT_BYTES)
		return false; /* said as a missing structure */
	vk_lvm_ext_decode(raw, got, ret_ext);
	if (ret_ext->magic != VK_LVM_MAGIC || ret_ext->numPEMaps == 0 ||
	    ret_ext->numPEMaps > VK_LVM_MAPS_PER_REGION || ret_ext->dataOffset <= at) {
		break_chain(w, at, "the block is not one");
		return false;
	}
	return true;
}

static void walk_exts(struct walk *w)
{
	struct vk_vmfs *v = w->r->vmfs;
	uint64_t at = v->lvm.extDevMetadataOffset;
	uint64_t before = v->lvm.dataOffset;
	uint64_t first = (uint64_t)vk_lvm_main_maps(&v->lvm) * VK_LVM_PES_PER_MAP;

	if (at == 0)
		return;
	v->exts = calloc(EXTS_MAX, sizeof(*v->exts));
	if (v->exts == NULL) {
		no_memory(w);
		return;
	}
	while (at != 0 && w->r->status == VK_OK) {
		struct vk_lvm_ext ext;
		struct region g;

		if (v->ext_count == EXTS_MAX || at <= before) {
			break_chain(w, at, "the chain does not lead upwards");
			return;
		}
		if (!read_ext(w, at, &ext))
			return;
		v->exts[v->ext_count++] = (struct vk_lvm_ext_at){ext, at};
		g = (struct region){at, ext.dataOffset, first, ext.numPEMaps};
		walk_region(w, &g);
		first += (uint64_t)ext.numPEMaps * VK_LVM_PES_PER_MAP;
		before = at;
		at = ext.nextOffset;
	}
}

static int by_volume_offset(const void *a, const void *b)
{
	const struct vk_run *x = a;
	const struct vk_run *y = b;

	return x->volume_offset < y->volume_offset ? -1 : x->volume_offset > y->volume_offset;
}

/* Whether the runs tile what the volume descriptor says is here. */
static bool tiles(const struct vk_vmfs *v)
{
	const struct vk_lvm_volume *volume = &v->volumes[0].volume;
	uint64_t next = vk_mul_sat(volume->firstPE, VK_LVM_PE_BYTES);

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
	v->runs[0] = (struct vk_run){vk_mul_sat(volume->firstPE, VK_LVM_PE_BYTES), v->lvm.dataOffset,
				     volume->numPEs * VK_LVM_PE_BYTES};
}

static void check_sums(struct walk *w)
{
	struct vk_vmfs *v = w->r->vmfs;
	const struct vk_pe_summary *s = &v->pes;
	bool fixed = vk_lvm_fixed_pes(&v->lvm);
	uint64_t owned = 0;
	struct vk_finding f;

	for (size_t i = 0; i < v->volume_count; i++)
		owned += v->volumes[i].volume.numPEs;
	if (!fixed)
		owned = s->entries_used;
	if (s->bitmap_ones != owned) {
		vk_finding_init(&f, VK_F_LVM_PE_BITMAP, v->geometry.first_bitmap, BITMAP_BYTES,
				"the PE bitmap does not mark what the volume owns");
		vk_finding_seen(&f, "%llu marked", (unsigned long long)s->bitmap_ones);
		vk_finding_expected(&f, "%llu", (unsigned long long)owned);
		vk_finding_put(&w->r->counting, &f);
	}
	if (s->contradicting > 0) {
		vk_finding_init(&f, VK_F_LVM_PE_TABLE, w->first_bad, VK_LVM_PE_STRIDE,
				"%llu entries of the PE table contradict the header",
				(unsigned long long)s->contradicting);
		vk_finding_put(&w->r->counting, &f);
	}
	if (v->volume_count > 0 && !tiles(v)) {
		vk_finding_init(&f, VK_F_LVM_PE_GAP, v->geometry.first_bitmap + v->geometry.bitmap_bytes,
				TABLE_BYTES, "the PE table does not place the whole volume");
		vk_finding_put(&w->r->counting, &f);
	}
}

void vk_pe_tables_read(struct vk_vmfs_reader *r)
{
	struct vk_vmfs *v = r->vmfs;
	struct walk w = {.r = r};
	struct region g = {VK_LVM_HEADER_OFFSET, v->lvm.dataOffset, 0, 1};

	if (r->status != VK_OK)
		return;
	if (v->lvm_usable) {
		g.maps = vk_lvm_main_maps(&v->lvm);
		w.entries_left = vk_lvm_fixed_pes(&v->lvm) ? v->lvm.numPEs : UINT64_MAX;
	}
	walk_region(&w, &g);
	if (!v->lvm_usable || r->status != VK_OK)
		return;
	walk_exts(&w);
	if (r->status != VK_OK)
		return;
	if (v->runs != NULL)
		qsort(v->runs, v->run_count, sizeof(*v->runs), by_volume_offset);
	if (v->pes.tables_held == v->pes.tables)
		check_sums(&w);
	if (v->volume_count > 0 && (v->pes.tables_held < v->pes.tables || w.too_many_runs || !tiles(v)))
		map_linear(v);
}
