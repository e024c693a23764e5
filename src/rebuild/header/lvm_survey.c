/* SPDX-License-Identifier: Apache-2.0 */
/* What PE bitmaps and tables say on their own, without a header to believe. */
#include "base/checked.h"
#include "rebuild/header/lvm_case.h"
#include "vol/pe_walk.h"

static size_t get_bytes(void *ctx, uint64_t at, void *buf, size_t len)
{
	return vk_work_get(((struct vk_lvm_case *)ctx)->work, at, buf, len) ? len : 0;
}

static void survey_entry(void *ctx, const struct vk_pe_pair *pair, uint64_t index, const struct vk_lvm_pe *pe)
{
	struct vk_lvm_case *c = ctx;
	struct vk_pe_survey *s = &c->survey;
	uint64_t before = c->six ? s->bytes : index * VK_LVM_PE_BYTES;

	(void)pair;
	if (pe->used != 1 || pe->peID != index || pe->length == 0 || pe->length % VK_LVM_PE_BYTES != 0 ||
	    (!c->six && pe->length != VK_LVM_PE_BYTES))
		return;
	s->good++;
	s->entries = index + 1;
	if (pe->pOffset >= before)
		vk_majority_add(&s->data_offset, pe->pOffset - before);
	if (pe->lOffset >= before && (pe->lOffset - before) % VK_LVM_PE_BYTES == 0)
		vk_majority_add(&s->first_pe, (pe->lOffset - before) / VK_LVM_PE_BYTES);
	vk_majority_add(&s->volume_id, pe->volumeID);
	s->bytes = vk_add_sat(s->bytes, pe->length);
}

/* False when the pair is not full: nothing follows. */
static bool survey_pair(const struct vk_pe_walk *walk, struct vk_pe_pair *pair)
{
	struct vk_lvm_case *c = walk->ctx;
	struct vk_pe_survey *s = &c->survey;
	uint64_t ones = 0;

	if (get_bytes(c, pair->bitmap_at, pair->bitmap, sizeof(pair->bitmap)) == 0)
		return false;
	s->held = true;
	for (size_t i = 0; i < sizeof(pair->bitmap); i++) {
		unsigned byte = pair->bitmap[i], bits = (unsigned)__builtin_popcount(byte);

		/* the first bits of all, without a gap */
		s->bitmap_plain = s->bitmap_plain && (byte == 0 || s->bitmap_ones == pair->first_pe + i * 8) &&
			(byte & (byte + 1)) == 0;
		ones += bits;
		s->bitmap_ones += bits;
	}
	vk_pe_walk_entries(walk, pair, 0, VK_LVM_PES_PER_MAP);
	return ones == VK_LVM_PES_PER_MAP || s->entries == pair->first_pe + VK_LVM_PES_PER_MAP;
}

static void keep_ext(void *ctx, uint64_t at, const struct vk_lvm_ext *ext)
{
	struct vk_lvm_case *c = ctx;

	if (ext != NULL)
		c->exts[c->ext_count++] = (struct vk_lvm_ext_at){*ext, at};
}

static struct vk_pe_walk walk_of(struct vk_lvm_case *c)
{
	return (struct vk_pe_walk){.ctx = c, .get = get_bytes, .holes = c->work->window, .piece_entries = 256,
				   .whole = true,
				   .pair = survey_pair, .entry = survey_entry, .ext = keep_ext};
}

void vk_pe_survey_read(struct vk_lvm_case *c)
{
	struct vk_pe_survey *s = &c->survey;
	const struct vk_pe_region region = {.geometry = c->geometry, .maps = c->six ? 1 : VK_LVM_MAPS_PER_REGION};
	const struct vk_pe_walk walk = walk_of(c);

	s->bitmap_plain = true;
	s->full = vk_pe_walk_region(&walk, &region) && region.maps == VK_LVM_MAPS_PER_REGION;
	s->bitmap_plain = s->bitmap_plain && s->bitmap_ones > 0;
	vk_majority_close(&s->data_offset, s->good);
	vk_majority_close(&s->first_pe, s->good);
	vk_majority_close(&s->volume_id, s->good);
}

void vk_lvm_exts_read(struct vk_lvm_case *c, uint64_t at)
{
	struct vk_pe_walk walk = walk_of(c);

	walk.pair = NULL;
	c->ext_count = 0;
	(void)vk_pe_walk_exts(&walk, &c->d0, at, VK_LVM_HEADER_OFFSET, UINT64_MAX, VK_LVM_EXTS_MAX, &at);
}
