/* SPDX-License-Identifier: Apache-2.0 */
/* What PE bitmaps and tables say on their own, without a header to believe. */
#include "base/bytes.h"
#include "base/checked.h"
#include "rebuild/header/lvm_case.h"

enum { PIECE_ENTRIES = 256, BITMAP_BYTES = VK_LVM_PES_PER_MAP / 8 };

/* One voter more: the majority of a stream in one pass. */
static void vote(struct vk_majority *m, uint64_t value)
{
	if (m->lead == 0) {
		m->value = value;
		m->lead = 1;
	} else if (m->value == value) {
		m->lead++;
	} else {
		m->lead--;
	}
}

/* Who does not lead clearly has not won. */
static void close_vote(struct vk_majority *m, uint64_t voters)
{
	if (m->lead == 0 || m->lead * 2 < voters)
		*m = (struct vk_majority){0, 0};
}

static void survey_entry(struct vk_lvm_case *c, const uint8_t *raw, uint64_t index)
{
	struct vk_pe_survey *s = &c->survey;
	struct vk_lvm_pe pe;
	uint64_t before = c->six ? s->bytes : index * VK_LVM_PE_BYTES;

	vk_lvm_pe_decode(raw, VK_LVM_PE_STRIDE, &pe);
	if (pe.used != 1 || pe.peID != index || pe.length == 0 || pe.length % VK_LVM_PE_BYTES != 0 ||
	    (!c->six && pe.length != VK_LVM_PE_BYTES))
		return;
	s->good++;
	s->entries = index + 1;
	if (pe.pOffset >= before)
		vote(&s->data_offset, pe.pOffset - before);
	if (pe.lOffset >= before && (pe.lOffset - before) % VK_LVM_PE_BYTES == 0)
		vote(&s->first_pe, (pe.lOffset - before) / VK_LVM_PE_BYTES);
	vote(&s->volume_id, pe.volumeID);
	s->bytes = vk_add_sat(s->bytes, pe.length);
}

/* False when the pair is not full: nothing follows. */
static bool survey_pair(struct vk_lvm_case *c, uint32_t pair)
{
	struct vk_pe_survey *s = &c->survey;
	uint8_t piece[PIECE_ENTRIES * VK_LVM_PE_STRIDE], bits[BITMAP_BYTES];
	uint64_t bitmap = c->geometry.first_bitmap + pair * c->geometry.pair_bytes;
	uint64_t table = bitmap + c->geometry.bitmap_bytes;
	uint64_t ones = 0;
	uint64_t first = (uint64_t)pair * VK_LVM_PES_PER_MAP;

	if (!vk_work_get(c->work, bitmap, bits, sizeof(bits)))
		return false;
	s->held = true;
	for (size_t i = 0; i < sizeof(bits); i++) {
		/* the first bits of all, without a gap */
		s->bitmap_plain = s->bitmap_plain && (bits[i] == 0 || s->bitmap_ones == (first + i * 8)) &&
				  (bits[i] & (bits[i] + 1U)) == 0;
		ones += (unsigned)__builtin_popcount(bits[i]);
		s->bitmap_ones += (unsigned)__builtin_popcount(bits[i]);
	}
	for (uint64_t i = 0; i < VK_LVM_PES_PER_MAP; i += PIECE_ENTRIES) {
		struct vk_span span = vk_io_span(c->work->window, table + i * VK_LVM_PE_STRIDE);

		if (span.state == VK_SPAN_ZERO && span.length_bytes >= sizeof(piece))
			continue;
		if (!vk_work_get(c->work, table + i * VK_LVM_PE_STRIDE, piece, sizeof(piece)))
			break;
		for (uint64_t k = 0; k < PIECE_ENTRIES; k++)
			if (piece[k * VK_LVM_PE_STRIDE] != 0)
				survey_entry(c, piece + k * VK_LVM_PE_STRIDE, first + i + k);
	}
	return ones == VK_LVM_PES_PER_MAP || s->entries == first + VK_LVM_PES_PER_MAP;
}

void vk_pe_survey_read(struct vk_lvm_case *c)
{
	struct vk_pe_survey *s = &c->survey;
	uint32_t pair = 0;

	s->bitmap_plain = true;
	while (pair < (c->six ? 1 : VK_LVM_MAPS_PER_REGION) && survey_pair(c, pair))
		pair++;
	s->full = pair == VK_LVM_MAPS_PER_REGION;
	s->bitmap_plain = s->bitmap_plain && s->bitmap_ones > 0;
	close_vote(&s->data_offset, s->good);
	close_vote(&s->first_pe, s->good);
	close_vote(&s->volume_id, s->good);
}

void vk_lvm_exts_read(struct vk_lvm_case *c, uint64_t at)
{
	uint64_t before = VK_LVM_HEADER_OFFSET;

	c->ext_count = 0;
	while (at > before && c->ext_count < VK_LVM_EXTS_MAX) {
		struct vk_lvm_ext_at *e = &c->exts[c->ext_count];
		uint8_t raw[VK_LVM_EXT_BYTES];

		if (!vk_work_get(c->work, at, raw, sizeof(raw)))
			return;
		vk_lvm_ext_decode(raw, sizeof(raw), &e->ext);
		if (e->ext.magic != VK_LVM_MAGIC || e->ext.numPEMaps == 0 ||
		    e->ext.numPEMaps > VK_LVM_MAPS_PER_REGION || e->ext.dataOffset <= at)
			return;
		e->offset_bytes = at;
		c->ext_count++;
		before = at;
		at = e->ext.nextOffset;
	}
}
