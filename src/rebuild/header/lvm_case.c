/* SPDX-License-Identifier: Apache-2.0 */
/* Reads what is left of an LVM region and decides which of its structures can be believed. */
#include <string.h>

#include "base/checked.h"
#include "rebuild/header/header_work.h"
#include "vol/pe_walk.h"

const struct vk_vmfs *vk_lvm_known_decoded(const struct vk_known_header *known)
{
	const struct vk_vmfs *v;

	if (known->source == NULL || known->vmfs >= known->source->vmfs_count)
		return NULL;
	v = &known->source->vmfs[known->vmfs];
	return v->lvm_usable && v->volume_count > 0 &&
			       v->volumes[0].seen_bytes == VK_LVM_VOLUME_BYTES ? v : NULL;
}

static bool alignment_sound(uint32_t a)
{
	return a >= 512 && a <= 65536 && (a & (a - 1)) == 0;
}

/* The descriptor lies at a known distance behind the data offset, which may itself be wrong. */
static void find_fs(struct vk_header_work *c)
{
	uint64_t places[3] = {c->d0.dataOffset, VK_LVM_DATA_OFFSET, VK_LVM_DATA_OFFSET};

	if (c->self.votes > 0 && c->self.volume_start_bytes > 0)
		places[1] = (uint64_t)c->self.volume_start_bytes;
	for (size_t i = 0; i < 3 && !c->fs_believed; i++) {
		uint8_t sector[VK_FS_SECTOR_BYTES];

		c->fs_at = vk_add_sat(places[i], VK_FS_OFFSET);
		if (!vk_work_get(c, c->fs_at, sector, sizeof(sector)))
			continue;
		vk_fs_descriptor_decode(sector, sizeof(sector), &c->fs);
		c->fs_believed = vk_belief_fs(&c->fs, NULL);
	}
	if (!c->fs_believed) { /* the last place looked at is the usual one */
		c->doubtful = c->fs;
		memset(&c->fs, 0, sizeof(c->fs));
	}
}

/* The place of the volume descriptor tells whether this is LVM6, and with which alignment. */
static void find_volume(struct vk_header_work *c)
{
	static const uint32_t usual[] = {512, 4096, 1024, 2048, 8192, 16384, 32768, 65536};

	for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++) {
		uint8_t raw[VK_LVM_VOLUME_BYTES];
		struct vk_lvm_volume v;
		unsigned score;

		if (!vk_work_get(c, VK_LVM_HEADER_OFFSET + usual[i], raw, sizeof(raw)))
			continue;
		vk_lvm_volume_decode(raw, sizeof(raw), &v);
		score = vk_belief_volume(&v, c->fs_believed ? &c->fs.volInfo : NULL);
		if (score <= c->volume_score)
			continue;
		c->volume_score = score;
		c->volume_at = VK_LVM_HEADER_OFFSET + usual[i];
		c->v0 = v;
		memcpy(c->volume_raw, raw, sizeof(raw));
		c->six = i > 0 || (c->d0.majorVersion == 6 && c->d0.mdAlignment == 512);
		c->alignment = usual[i];
	}
	c->volume_believed = c->volume_score >= VK_BELIEF_ENOUGH;
}

/*
 * No volume descriptor: whether this is LVM6, on which everything behind the header is placed by the alignment (4096 on
 * every volume seen), is told by others.
 */
static void assume_layout(struct vk_header_work *c)
{
	static const char by_device[] = "mdAlignment", by_fs[] = "mdAlignment of the file-system descriptor";
	const struct vk_self_heartbeats *hb = &c->self.heartbeats;
	const struct vk_self_fact *fact = &c->self.facts[VK_SELF_MD_ALIGNMENT];
	unsigned majors[] = {c->fs.majorVersion, vk_work_asked_major(c), c->self.fs_major};
	bool device_aligned = c->device_believed && alignment_sound(c->d0.mdAlignment);
	bool fs_aligned = c->fs_believed && alignment_sound(c->fs.mdAlignment);
	bool beats = hb->placed > hb->otherwise;
	struct vk_tally six = {0}, alignment = {0};
	struct vk_ballot best;

	vk_tally_add(&six, c->device_believed && c->d0.majorVersion >= 3 && c->d0.majorVersion <= 6,
		     c->d0.majorVersion == 6, 1, "majorVersion");
	vk_tally_add(&six, device_aligned, 1, 1, by_device);
	vk_tally_add(&six, c->device_believed && vk_told32(c->d0.numPEs6), 1, 1, "numPEs6");
	vk_tally_add(&six, fs_aligned, 1, 1, by_fs);
	for (size_t i = 0; i < 3; i++)
		vk_tally_add(&six, (i > 0 || c->fs_believed) && vk_fs_version_known(majors[i]),
			     majors[i] == VK_FS_VMFS6, 1, "the version of the file system");
	vk_tally_add(&six, beats, hb->slot_bytes == 4096, 1, "the heartbeat slots");
	best = vk_tally_best(&six, 0, "");
	c->six = best.value == 1;
	c->six_proved = best.proved;
	c->alignment = 4096;
	if (c->six) {
		vk_tally_add(&alignment, device_aligned, c->d0.mdAlignment, 1, by_device);
		vk_tally_add(&alignment, fs_aligned, c->fs.mdAlignment, 1, by_fs);
		vk_tally_add(&alignment, fact->sure >= VK_SELF_LIKELY, fact->value, 1, fact->from);
		vk_tally_add(&alignment, beats, hb->slot_bytes, 1, "the heartbeat slots");
		best = vk_tally_best(&alignment, 4096, "");
		if (alignment_sound((uint32_t)best.value))
			c->alignment = (uint32_t)best.value;
		c->six_proved = c->six_proved && best.proved && best.value == c->alignment;
	}
	c->volume_at = VK_LVM_HEADER_OFFSET + (c->six ? c->alignment : 512);
	memset(&c->v0, 0, sizeof(c->v0));
	memset(c->volume_raw, 0, sizeof(c->volume_raw));
	if (vk_work_get(c, c->volume_at, c->volume_raw, sizeof(c->volume_raw)))
		vk_lvm_volume_decode(c->volume_raw, sizeof(c->volume_raw), &c->v0);
}

/* Before LVM5 other things may lie there; a name that is none counts for nothing. */
static void read_names(struct vk_header_work *c)
{
	uint8_t table[VK_LVM_SD_ENTRIES * VK_LVM_SD_BYTES];

	if ((c->device_believed && (c->d0.majorVersion == 3 || c->d0.majorVersion == 4)) ||
	    !vk_work_get(c, c->geometry.sd_table, table, sizeof(table)))
		return;
	for (size_t i = 0; i < VK_LVM_SD_ENTRIES; i++) {
		const uint8_t *raw = table + i * VK_LVM_SD_BYTES;

		if (memchr(raw, '.', 8) == NULL || memchr(raw, '\0', VK_LVM_SD_BYTES) == NULL)
			return;
		vk_lvm_sd_decode(raw, VK_LVM_SD_BYTES, &c->names[c->name_count++]);
	}
}

/* PE bitmaps and tables on their own, without a header to believe. */
static size_t get_bytes(void *ctx, uint64_t at, void *buf, size_t len)
{
	return vk_work_get(ctx, at, buf, len) ? len : 0;
}

static void survey_entry(void *ctx, const struct vk_pe_pair *pair, uint64_t index, const struct vk_lvm_pe *pe)
{
	struct vk_header_work *c = ctx;
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
	struct vk_header_work *c = walk->ctx;
	struct vk_pe_survey *s = &c->survey;
	uint64_t before = s->bitmap_ones;

	if (!vk_work_get(c, pair->bitmap_at, pair->bitmap, sizeof(pair->bitmap)))
		return false;
	for (size_t i = 0; i < sizeof(pair->bitmap); i++) {
		unsigned byte = pair->bitmap[i];

		/* the first bits of all, without a gap */
		s->bitmap_plain = s->bitmap_plain && (byte == 0 || s->bitmap_ones == pair->first_pe + i * 8) &&
			(byte & (byte + 1)) == 0;
		s->bitmap_ones += (unsigned)__builtin_popcount(byte);
	}
	vk_pe_walk_entries(walk, pair, 0, VK_LVM_PES_PER_MAP);
	return s->bitmap_ones - before == VK_LVM_PES_PER_MAP || s->entries == pair->first_pe + VK_LVM_PES_PER_MAP;
}

static void keep_ext(void *ctx, uint64_t at, const struct vk_lvm_ext *ext)
{
	struct vk_header_work *c = ctx;

	if (ext != NULL)
		c->exts[c->ext_count++] = (struct vk_lvm_ext_at){*ext, at};
}

static void survey_tables(struct vk_header_work *c)
{
	struct vk_pe_survey *s = &c->survey;
	const struct vk_pe_region region = {.geometry = c->geometry, .maps = c->six ? 1 : VK_LVM_MAPS_PER_REGION};
	const struct vk_pe_walk walk = {.ctx = c, .get = get_bytes, .holes = c->window, .piece_entries = 256,
					.whole = true, .pair = survey_pair, .entry = survey_entry};

	s->bitmap_plain = true;
	s->full = vk_pe_walk_region(&walk, &region) && region.maps == VK_LVM_MAPS_PER_REGION;
	s->bitmap_plain = s->bitmap_plain && s->bitmap_ones > 0;
	vk_majority_close(&s->data_offset, s->good);
	vk_majority_close(&s->first_pe, s->good);
	vk_majority_close(&s->volume_id, s->good);
}

void vk_lvm_exts_read(struct vk_header_work *c, uint64_t at)
{
	const struct vk_pe_walk walk = {.ctx = c, .get = get_bytes, .ext = keep_ext};

	c->ext_count = 0;
	(void)vk_pe_walk_exts(&walk, &c->d0, at, VK_LVM_HEADER_OFFSET, UINT64_MAX, VK_LVM_EXTS_MAX, &at);
}

/* Of a header that is not believed, parts that say themselves that they are sound. */
static void salvage_device(struct vk_header_work *c)
{
	const struct vk_lvm_device *d0 = &c->d0;
	const char *why = "what is left of the header: devID and initTimeUS name the same second";

	memset(&c->d, 0, sizeof(c->d));
	c->device.rebuilt = c->disk_id.rebuilt = true;
	if (vk_lvm_disk_id_sound(&d0->diskID)) {
		c->d.diskID = d0->diskID;
		c->disk_id.rebuilt = false;
	}
	if (!vk_lvm_device_time_sound(d0))
		return;
	vk_mend_bytes(&c->device, "devID", &d0->devID, VK_FIELD_COPY, "%s", why);
	vk_mend_number(&c->device, "initTimeUS", d0->initTimeUS, VK_FIELD_COPY, "%s", why);
	if (d0->modTimeUS >= d0->initTimeUS && d0->modTimeUS / 1000000 <= UINT32_MAX)
		vk_mend_number(&c->device, "modTimeUS", d0->modTimeUS, VK_FIELD_USUAL,
			       "what is left of the header");
}

void vk_lvm_case_open(struct vk_header_work *c)
{
	struct vk_lvm_device like = {.majorVersion = 5};

	/* what is not held at all is zero, too */
	(void)vk_work_get_anew(c, VK_LVM_HEADER_OFFSET, c->device_raw, sizeof(c->device_raw));
	vk_lvm_device_decode(c->device_raw, sizeof(c->device_raw), &c->d0);
	c->device_believed = vk_belief_device(&c->d0);
	find_fs(c);
	find_volume(c);
	c->six_proved = c->volume_believed;
	if (!c->volume_believed)
		assume_layout(c);
	like.majorVersion = c->six ? 6 : 5;
	like.mdAlignment = c->six ? c->alignment : 0;
	vk_lvm_geometry(&like, VK_LVM_HEADER_OFFSET, &c->geometry);
	read_names(c);
	survey_tables(c);
	if (c->device_believed)
		vk_lvm_exts_read(c, c->d0.extDevMetadataOffset);
	c->d = c->d0;
	c->v = c->v0;
	c->device = (struct vk_mending){.work = c, .layout = &vk_lvm_device_layout, .was = &c->d0, .is = &c->d,
					.at = VK_LVM_HEADER_OFFSET};
	c->disk_id = (struct vk_mending){.work = c, .layout = &vk_scsi_disk_id_layout, .was = &c->d0.diskID,
					 .is = &c->d.diskID, .at = VK_LVM_HEADER_OFFSET + 0x0C};
	c->volume = (struct vk_mending){.work = c, .layout = &vk_lvm_volume_layout, .was = &c->v0, .is = &c->v,
					.at = c->volume_at, .rebuilt = !c->volume_believed};
	if (!c->device_believed)
		salvage_device(c);
	if (!c->volume_believed)
		memset(&c->v, 0, sizeof(c->v));
}
