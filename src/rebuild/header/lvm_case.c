/* SPDX-License-Identifier: Apache-2.0 */
/* Reads what is left of an LVM region and decides which of its structures can be believed. */
#include <string.h>

#include "base/checked.h"
#include "rebuild/header/lvm_case.h"

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
static void find_fs(struct vk_lvm_case *c)
{
	const struct vk_self_report *self = &c->work->self;
	uint64_t places[3] = {c->d0.dataOffset, VK_LVM_DATA_OFFSET, VK_LVM_DATA_OFFSET};

	if (self->votes > 0 && self->volume_start_bytes > 0)
		places[1] = (uint64_t)self->volume_start_bytes;
	for (size_t i = 0; i < 3 && !c->fs_believed; i++) {
		uint8_t sector[VK_FS_SECTOR_BYTES];

		c->fs_at = vk_add_sat(places[i], VK_FS_OFFSET);
		if (!vk_work_get(c->work, c->fs_at, sector, sizeof(sector)))
			continue;
		vk_fs_descriptor_decode(sector, sizeof(sector), &c->fs);
		c->fs_believed = vk_belief_fs(&c->fs, NULL);
	}
	if (!c->fs_believed) { /* the last place looked at is the usual one */
		c->doubtful = c->fs;
		memset(&c->fs, 0, sizeof(c->fs));
	}
}

static bool try_volume(struct vk_lvm_case *c, uint64_t at)
{
	uint8_t raw[VK_LVM_VOLUME_BYTES];
	struct vk_lvm_volume v;
	unsigned score;

	if (!vk_work_get(c->work, at, raw, sizeof(raw)))
		return false;
	vk_lvm_volume_decode(raw, sizeof(raw), &v);
	score = vk_belief_volume(&v, c->fs_believed ? &c->fs.volInfo : NULL);
	if (score <= c->volume_score)
		return false;
	c->volume_score = score;
	c->volume_at = at;
	c->v0 = v;
	memcpy(c->volume_raw, raw, sizeof(raw));
	return true;
}

/* The place of the volume descriptor tells whether this is LVM6, and with which alignment. */
static void find_volume(struct vk_lvm_case *c)
{
	static const uint32_t usual[] = {4096, 1024, 2048, 8192, 16384, 32768, 65536};

	if (try_volume(c, VK_LVM_HEADER_OFFSET + 512)) {
		c->six = c->d0.majorVersion == 6 && c->d0.mdAlignment == 512;
		c->alignment = 512;
	}
	for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++) {
		if (try_volume(c, VK_LVM_HEADER_OFFSET + usual[i])) {
			c->six = true;
			c->alignment = usual[i];
		}
	}
	c->volume_believed = c->volume_score >= VK_BELIEF_ENOUGH;
}

static void ask_major(struct vk_tally *t, unsigned major, const char *from)
{
	if (vk_fs_version_known(major))
		vk_tally_add(t, major == VK_FS_VMFS6, 1, from);
}

/* Without a volume descriptor whose place would tell. */
static bool six_without_volume(struct vk_lvm_case *c)
{
	const struct vk_self_heartbeats *hb = &c->work->self.heartbeats;
	const struct vk_lvm_device *d = &c->d0;
	const struct vk_ballot *best;
	struct vk_tally t = {0};

	if (c->device_believed && d->majorVersion >= 3 && d->majorVersion <= 6)
		vk_tally_add(&t, d->majorVersion == 6, 1, "majorVersion");
	if (c->device_believed && alignment_sound(d->mdAlignment))
		vk_tally_add(&t, 1, 1, "mdAlignment");
	if (c->device_believed && vk_told32(d->numPEs6))
		vk_tally_add(&t, 1, 1, "numPEs6");
	if (c->fs_believed)
		ask_major(&t, c->fs.majorVersion, "the file-system descriptor");
	if (c->fs_believed && alignment_sound(c->fs.mdAlignment))
		vk_tally_add(&t, 1, 1, "mdAlignment of the file-system descriptor");
	ask_major(&t, vk_work_asked_major(c->work), "the caller");
	ask_major(&t, c->work->self.fs_major, "the system files");
	if (hb->placed > hb->otherwise)
		vk_tally_add(&t, hb->slot_bytes == 4096, 1, "the heartbeat slots");
	best = vk_tally_best(&t);
	c->six_proved = best != NULL && vk_tally_proves(&t, best->value);
	return best != NULL && best->value == 1;
}

/* On LVM6 everything behind the header is placed by it; 4096 on every volume seen. */
static void assume_alignment(struct vk_lvm_case *c)
{
	const struct vk_self_report *self = &c->work->self;
	const struct vk_self_fact *fact = &self->facts[VK_SELF_MD_ALIGNMENT];
	const struct vk_ballot *best;
	struct vk_tally t = {0};

	if (c->device_believed && alignment_sound(c->d0.mdAlignment))
		vk_tally_add(&t, c->d0.mdAlignment, 1, "mdAlignment");
	if (c->fs_believed && alignment_sound(c->fs.mdAlignment))
		vk_tally_add(&t, c->fs.mdAlignment, 1, "mdAlignment of the file-system descriptor");
	if (fact->sure >= VK_SELF_LIKELY)
		vk_tally_add(&t, fact->value, 1, fact->from);
	if (self->heartbeats.placed > self->heartbeats.otherwise)
		vk_tally_add(&t, self->heartbeats.slot_bytes, 1, "the heartbeat slots");
	best = vk_tally_best(&t);
	c->alignment = best != NULL && alignment_sound((uint32_t)best->value) ? (uint32_t)best->value : 4096;
	c->six_proved = c->six_proved && vk_tally_proves(&t, c->alignment);
}

/* No volume descriptor: where it belongs. */
static void assume_layout(struct vk_lvm_case *c)
{
	c->six = six_without_volume(c);
	c->alignment = 4096;
	if (c->six)
		assume_alignment(c);
	c->volume_at = VK_LVM_HEADER_OFFSET + (c->six ? c->alignment : 512);
	memset(&c->v0, 0, sizeof(c->v0));
	memset(c->volume_raw, 0, sizeof(c->volume_raw));
	if (vk_work_get(c->work, c->volume_at, c->volume_raw, sizeof(c->volume_raw)))
		vk_lvm_volume_decode(c->volume_raw, sizeof(c->volume_raw), &c->v0);
}

/* Before LVM5 other things may lie there; a name that is none counts for nothing. */
static void read_names(struct vk_lvm_case *c)
{
	uint8_t table[VK_LVM_SD_ENTRIES * VK_LVM_SD_BYTES];

	if ((c->device_believed && (c->d0.majorVersion == 3 || c->d0.majorVersion == 4)) ||
	    !vk_work_get(c->work, c->geometry.sd_table, table, sizeof(table)))
		return;
	for (size_t i = 0; i < VK_LVM_SD_ENTRIES; i++) {
		const uint8_t *raw = table + i * VK_LVM_SD_BYTES;

		if (memchr(raw, '.', 8) == NULL || memchr(raw, '\0', VK_LVM_SD_BYTES) == NULL)
			return;
		vk_lvm_sd_decode(raw, VK_LVM_SD_BYTES, &c->names[c->name_count++]);
	}
}

/* Of a header that is not believed, parts that say themselves that they are sound. */
static void salvage_device(struct vk_lvm_case *c)
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

void vk_lvm_case_open(struct vk_header_work *work, struct vk_lvm_case *ret_case)
{
	struct vk_lvm_case *c = ret_case;
	struct vk_lvm_device like = {.majorVersion = 5};

	memset(c, 0, sizeof(*c));
	c->work = work;
	/* what is not held at all is zero, too */
	(void)vk_work_get_anew(work, VK_LVM_HEADER_OFFSET, c->device_raw, sizeof(c->device_raw));
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
	vk_pe_survey_read(c);
	if (c->device_believed)
		vk_lvm_exts_read(c, c->d0.extDevMetadataOffset);
	c->d = c->d0;
	c->v = c->v0;
	c->device = (struct vk_mending){.work = work, .layout = &vk_lvm_device_layout, .was = &c->d0, .is = &c->d,
					.at = VK_LVM_HEADER_OFFSET};
	c->disk_id = (struct vk_mending){.work = work, .layout = &vk_scsi_disk_id_layout, .was = &c->d0.diskID,
					 .is = &c->d.diskID,
					 .at = VK_LVM_HEADER_OFFSET + 0x0C};
	c->volume = (struct vk_mending){.work = work, .layout = &vk_lvm_volume_layout, .was = &c->v0, .is = &c->v,
					.at = c->volume_at};
	if (!c->device_believed)
		salvage_device(c);
	if (!c->volume_believed) {
		memset(&c->v, 0, sizeof(c->v));
		c->volume.rebuilt = true;
	}
}
