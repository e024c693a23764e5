/* SPDX-License-Identifier: Apache-2.0 */
/* PE bitmaps and tables as they should be; only what differs is put. */
#include <inttypes.h>
#include <string.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "rebuild/header/header_work.h"

enum { PIECE_ENTRIES = 256, BITMAP_BYTES = VK_LVM_PES_PER_MAP / 8, STRIDE = VK_LVM_PE_STRIDE };
#define REGION_PES ((uint64_t)VK_LVM_PES_PER_MAP * VK_LVM_MAPS_PER_REGION)

/* One region, and what became of its tables. */
struct region {
	uint64_t data_offset;
	uint64_t first;        /* number on the device of its first entry */
	uint64_t count;        /* entries in use */
	uint64_t maps;
	struct vk_lvm_geometry geometry;
};
struct tables {
	struct vk_header_work *c;
	uint32_t volume_id;
	uint64_t entries_changed, maps_changed;
	uint64_t not_captured;  /* of the entries that change: those that no capture shows so */
	uint64_t not_proved;    /* of the entries that change: those in which more changes than follows for certain */
	/* partition offsets: of the first entry that changes, behind the last one */
	uint64_t first_changed, end_changed;
	bool keep_entries;      /* those of LVM6 are of free lengths: what covers the volume is right */
	bool rebuilt;           /* nothing of the tables was left */
	bool regrouped;         /* LVM6: how the extents were divided into entries is not known */
	bool proved;            /* where an entry belongs and how many there are */
};

static void make_entry(const struct tables *t, const struct region *r, uint64_t i,
		       struct vk_lvm_pe *ret_pe)
{
	const struct vk_header_work *c = t->c;
	uint64_t unit = c->six ? REGION_PES * VK_LVM_PE_BYTES : VK_LVM_PE_BYTES;
	uint64_t at = vk_mul_sat(i, unit);
	uint64_t own = c->sizes.volume.value * VK_LVM_PE_BYTES;

	*ret_pe = (struct vk_lvm_pe){
		.used = 1,
		.peID = (uint32_t)(r->first + i),
		.volumeID = t->volume_id,
		.pOffset = r->data_offset + at,
		.lOffset = c->sizes.first.value * VK_LVM_PE_BYTES + r->first * VK_LVM_PE_BYTES + at,
		.length = c->six ? vk_min_u64(unit, own - at) : unit,
		.version = 1,
	};
}

static unsigned wrong_fields(const uint8_t raw[STRIDE], const struct vk_lvm_pe *should)
{
	struct vk_lvm_pe now;
	unsigned wrong = 0;

	vk_lvm_pe_decode(raw, STRIDE, &now);
	for (size_t i = 0; i < vk_lvm_pe_layout.count; i++) {
		const struct vk_field *f = &vk_lvm_pe_layout.fields[i];

		wrong += memcmp(vk_mend_member(f, &now), vk_mend_member(f, should), f->size) != 0;
	}
	return wrong;
}

/* Whether the first entry is the one that belongs there, but for one field at most. */
static bool first_shows(const struct tables *t, const struct region *r)
{
	uint8_t raw[STRIDE];
	struct vk_lvm_pe should;

	make_entry(t, r, 0, &should);
	return vk_work_get(t->c, r->geometry.first_bitmap + r->geometry.bitmap_bytes, raw, sizeof(raw)) &&
	       wrong_fields(raw, &should) <= 1;
}

/* Whether the capture shows these bytes at that place of the partition. */
static bool captured(const struct vk_header_work *c, uint64_t at, const uint8_t *bytes, size_t len)
{
	const struct vk_vmfs *k = c->earlier;
	uint8_t then[BITMAP_BYTES];
	struct vk_error ignored;

	if (k == NULL || len > sizeof(then))
		return false;
	at = vk_add_sat(at, vk_mul_sat(k->start_sector, c->capture->source->sector_size));
	return vk_io_read_all(c->capture->source->io, at, then, len, &ignored) == VK_OK &&
		memcmp(then, bytes, len) == 0;
}

/*
 * The entries from `from` on: count in the form they should have, and none behind the last one in use, or a reader of
 * LVM6 would take it. Bytes that no field holds stay, or are not proved.
 */
static enum vk_status put_entries(struct tables *t, const struct region *r, uint64_t table, uint64_t first,
				  uint64_t from, uint64_t count, struct vk_error *err)
{
	uint8_t piece[PIECE_ENTRIES * STRIDE];
	enum vk_status status = VK_OK;

	for (uint64_t i = from, n; i < VK_LVM_PES_PER_MAP && status == VK_OK; i += n) {
		bool in_use = i < count, changed = false;
		uint64_t at = table + i * STRIDE;
		struct vk_span span = vk_io_span(t->c->window, at);

		n = in_use ? vk_min_u64(PIECE_ENTRIES, count - i) : PIECE_ENTRIES - i % PIECE_ENTRIES;
		if (!in_use && span.state == VK_SPAN_ZERO && span.length_bytes >= n * STRIDE)
			continue;
		if (in_use && !vk_work_get_anew(t->c, at, piece, (size_t)n * STRIDE))
			return vk_error_set(err, VK_IO, vk_io_name(t->c->base), "the PE table cannot be read");
		if (!in_use && !vk_work_get(t->c, at, piece, (size_t)n * STRIDE))
			return VK_OK;
		for (uint64_t k = 0; k < n; k++) {
			uint8_t *raw = piece + k * STRIDE;
			struct vk_lvm_pe should;
			unsigned wrong = 0;
			bool plain;

			if (in_use) {
				make_entry(t, r, first + i + k, &should);
				wrong = wrong_fields(raw, &should);
				plain = wrong <= 1 ||
					vk_all_zero(raw + VK_LVM_PE_BYTES_USED, STRIDE - VK_LVM_PE_BYTES_USED);
			} else {
				plain = vk_all_zero(raw + 1, STRIDE - 1);
				wrong = raw[0] != 0 || (t->rebuilt && !plain);
			}
			if (wrong == 0)
				continue;
			if (!in_use || !plain) /* not a damaged field, something else lies here */
				memset(raw, 0, STRIDE);
			if (in_use)
				vk_lvm_pe_encode(&should, raw, STRIDE);
			t->not_captured += !captured(t->c, at + k * STRIDE, raw, STRIDE);
			t->not_proved += !(t->proved && plain);
			if (t->entries_changed++ == 0)
				t->first_changed = at + k * STRIDE;
			t->end_changed = at + (k + 1) * STRIDE;
			changed = true;
		}
		if (changed)
			status = vk_work_put(t->c, at, piece, (size_t)n * STRIDE, "PE table", VK_HEADER_CLASS_TABLES,
					     err);
	}
	return status;
}

static enum vk_status put_bitmap(struct tables *t, uint64_t bitmap, uint64_t ones, struct vk_error *err)
{
	uint8_t now[BITMAP_BYTES], should[BITMAP_BYTES] = {0};
	bool known;

	for (uint64_t i = 0; i < ones; i++)
		should[i / 8] = (uint8_t)(should[i / 8] | 1U << i % 8);
	if (!vk_work_get_anew(t->c, bitmap, now, sizeof(now)))
		return vk_error_set(err, VK_IO, vk_io_name(t->c->base),
				    "the PE bitmap cannot be read");
	if (memcmp(now, should, sizeof(now)) == 0)
		return VK_OK;
	t->maps_changed++;
	known = !t->c->capture_old && !t->c->capture_untied &&
		captured(t->c, bitmap, should, sizeof(should));
	vk_work_range(t->c, &vk_lvm_pe_layout, bitmap, sizeof(should),
		      vk_origin_if(t->proved || known, known ? VK_FIELD_CAPTURE : VK_FIELD_COMPUTED),
		      "PE bitmap: %" PRIu64 " extents in use", ones);
	return vk_work_put(t->c, bitmap, should, sizeof(should), "PE bitmap",
			   VK_HEADER_CLASS_TABLES, err);
}

static enum vk_status put_region(struct tables *t, const struct region *r, struct vk_error *err)
{
	enum vk_status status = VK_OK;

	for (uint64_t pair = 0; pair < r->maps && status == VK_OK; pair++) {
		uint64_t first = pair * VK_LVM_PES_PER_MAP;
		uint64_t count = r->count > first ? vk_min_u64(r->count - first, VK_LVM_PES_PER_MAP) : 0;
		uint64_t bitmap = vk_add_sat(r->geometry.first_bitmap, pair * r->geometry.pair_bytes);
		uint64_t table = vk_add_sat(bitmap, r->geometry.bitmap_bytes);

		status = put_bitmap(t, bitmap, count, err);
		if (status == VK_OK)
			status = put_entries(t, r, table, first, t->keep_entries ? count : 0, count, err);
	}
	return status;
}

/* Further regions as far as their chain can be read. */
static enum vk_status put_exts(struct tables *t, uint64_t done, struct vk_error *err)
{
	struct vk_header_work *c = t->c;
	uint64_t left = c->sizes.volume.value - done;
	enum vk_status status = VK_OK;

	for (size_t i = 0; i < c->ext_count && status == VK_OK; i++) {
		struct region r = {.data_offset = c->exts[i].ext.dataOffset, .first = done};

		r.maps = c->exts[i].ext.numPEMaps;
		r.count = vk_min_u64(left, r.maps * VK_LVM_PES_PER_MAP);
		vk_lvm_geometry(&c->d, c->exts[i].offset_bytes, &r.geometry);
		status = put_region(t, &r, err);
		done += r.count;
		left -= r.count;
	}
	if (status == VK_OK && left > 0)
		vk_work_lost(c, "the PE tables of %" PRIu64 " extents lie behind extended metadata that cannot be "
				"reached: they were not checked.", left);
	return status;
}

static void give_verdict(const struct tables *t)
{
	struct vk_header_work *c = t->c;
	uint64_t extents = c->sizes.volume.value;
	/* a volume that grew has other tables than its capture shows */
	bool proved = t->not_captured == 0 && c->earlier != NULL && !c->capture_old && !c->capture_untied;
	bool guess = (t->rebuilt || t->regrouped || t->not_proved > 0) && !proved;

	if (t->entries_changed > 0)
		vk_work_range(c, &vk_lvm_pe_layout, t->first_changed, t->end_changed - t->first_changed,
			      guess ? VK_FIELD_USUAL : proved ? VK_FIELD_CAPTURE : VK_FIELD_COMPUTED,
			      "%" PRIu64 " PE table entries, one extent behind the other from the data offset on%s%s",
			      t->entries_changed, proved ? ", as in " : "", proved ? c->capture->name : "");
	if (t->entries_changed == 0 && t->maps_changed == 0)
		vk_work_verdict(c, VK_HS_PE_TABLES, VK_STRUCTURE_CONSISTENT, "every extent is where it belongs");
	else if (t->rebuilt && proved)
		vk_work_verdict(c, VK_HS_PE_TABLES, VK_STRUCTURE_REBUILT, "%" PRIu64 " extents, each entry as in %s",
				extents, c->capture->name);
	else if (t->rebuilt)
		vk_work_verdict(c, VK_HS_PE_TABLES, VK_STRUCTURE_REBUILT,
				"%" PRIu64 " extents one behind the other, as on every device seen; their number from "
				"%s", extents, c->sizes.volume.from);
	else if (t->regrouped && !proved)
		vk_work_verdict(c, VK_HS_PE_TABLES, VK_STRUCTURE_REBUILT,
				"%" PRIu64 " extents in as few entries as hold them: how they were divided is not "
				"known", extents);
	else
		vk_work_verdict(c, VK_HS_PE_TABLES, VK_STRUCTURE_MENDED,
				"corrected: entries %" PRIu64 ", bitmaps %" PRIu64 "; %s", t->entries_changed,
				t->maps_changed, t->proved && t->not_proved == 0
				? "the others and the sizes show the order" : "that they were so is not proved");
}

enum vk_status vk_lvm_tables_put(struct vk_header_work *c, struct vk_error *err)
{
	const struct vk_lvm_sizes *z = &c->sizes;
	struct tables t = {.c = c};
	struct region r = {.data_offset = c->sizes.offset.value, .geometry = c->geometry};
	struct vk_ballot id;
	enum vk_status status;

	if (!vk_work_wants(c, VK_HS_PE_TABLES) || c->sizes.pes_open || c->d.numVolumes != 1) {
		vk_work_verdict(c, VK_HS_PE_TABLES, VK_STRUCTURE_NONE, "%s",
				c->d.numVolumes > 1 ? "the device holds several volumes: not checked"
						    : "not looked at");
		return VK_OK;
	}
	id = vk_lvm_volume_id(c);
	t.volume_id = (uint32_t)id.value;
	t.proved = id.proved && z->volume.proved && z->offset.proved && z->first.proved && c->six_proved &&
		   (!c->six || z->entries.proved);
	t.rebuilt = c->survey.good == 0 && !first_shows(&t, &r);
	r.count = c->six ? z->entries.value : vk_min_u64(z->volume.value, REGION_PES);
	t.keep_entries = c->six && z->covered;
	/* one entry that is known to be the only one covers everything */
	t.regrouped = c->six && !z->covered && !(z->entries.proved && z->entries.value == 1);
	r.maps = c->six ? 1 : (r.count + VK_LVM_PES_PER_MAP - 1) / VK_LVM_PES_PER_MAP;
	if (c->six && r.count > VK_LVM_PES_PER_MAP)
		return vk_error_set(err, VK_UNSUPPORTED, vk_io_name(c->base),
				    "PE tables of a device of that size have no known form");
	status = put_region(&t, &r, err);
	if (status == VK_OK && !c->six && c->sizes.volume.value > r.count)
		status = put_exts(&t, r.count, err);
	if (status == VK_OK)
		give_verdict(&t);
	return status;
}
