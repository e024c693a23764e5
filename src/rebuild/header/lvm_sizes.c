/* SPDX-License-Identifier: Apache-2.0 */
/* How large device and volume are and where the data begins, from everybody who says something about it. */
#include <stdio.h>
#include <string.h>

#include "base/checked.h"
#include "rebuild/header/lvm_case.h"

#define MAIN_PES ((uint64_t)VK_LVM_PES_PER_MAP * VK_LVM_MAPS_PER_REGION)

static bool data_offset_sound(const struct vk_lvm_case *c, uint64_t offset)
{
	return offset >= 0x1000000 && offset % 4096 == 0 && offset < c->work->room_bytes;
}

static void copy_text(char ret_text[160], const char *text)
{
	snprintf(ret_text, 160, "%s", text);
}

static bool range_sane(const struct vk_lvm_volume *v)
{
	return v->lastPE >= v->firstPE && v->lastPE - v->firstPE < UINT32_MAX;
}

/* PEs that fit between the data offset and a length. */
static uint64_t pes_in(const struct vk_lvm_case *c, uint64_t bytes)
{
	uint64_t data = c->sizes.data_offset;

	return bytes > data ? (bytes - data) / VK_LVM_PE_BYTES : 0;
}

static void decide_first(struct vk_lvm_case *c)
{
	const struct vk_self_report *self = &c->work->self;
	int64_t before = (int64_t)VK_LVM_DATA_OFFSET - self->volume_start_bytes;
	const struct vk_lvm_volume *v = &c->v0;
	struct vk_lvm_sizes *z = &c->sizes;
	const struct vk_ballot *best;
	struct vk_tally t = {0};

	if (c->volume_believed && v->firstPE <= UINT32_MAX && (v->firstPE != 0 || v->numPEs != 0))
		vk_tally_add(&t, v->firstPE, 1, "firstPE");
	if (c->volume_believed && vk_told32(v->numPEs) && v->lastPE <= UINT32_MAX && v->lastPE >= v->numPEs - 1ULL)
		vk_tally_add(&t, v->lastPE - (v->numPEs - 1ULL), 1, "lastPE and numPEs");
	if (c->survey.first_pe.lead > 0 && c->survey.first_pe.value <= UINT32_MAX)
		vk_tally_add(&t, c->survey.first_pe.value, 2, "the PE table");
	if (c->fs_believed)
		vk_tally_add(&t, 0, 2, "the file-system descriptor, which only the head has");
	if (self->votes > 0 && before >= 0 && before % (int64_t)VK_LVM_PE_BYTES == 0)
		vk_tally_add(&t, (uint64_t)before / VK_LVM_PE_BYTES, 2, self->votes_from);
	if (c->sibling != NULL && !c->volume_believed && c->v.numPEs != 0)
		vk_tally_add(&t, c->v.firstPE, 3, "the other extents");
	best = vk_tally_best(&t);
	z->first_pe = best != NULL ? best->value : 0;
	z->first_proved = best != NULL && vk_tally_proves(&t, best->value);
	copy_text(z->first_from, best != NULL ? best->from : "the head is the one extent of most volumes");
	if (best != NULL || t.count == 0)
		return;
	z->first_open = true;
	vk_tally_text(&t, z->first_from, sizeof(z->first_from));
	if (c->volume_believed && v->firstPE <= UINT32_MAX)
		z->first_pe = v->firstPE;
}

static void decide_offset(struct vk_lvm_case *c)
{
	const struct vk_self_report *self = &c->work->self;
	uint64_t volume_at = vk_mul_sat(c->sizes.first_pe, VK_LVM_PE_BYTES);
	struct vk_lvm_sizes *z = &c->sizes;
	const struct vk_ballot *best;
	struct vk_tally t = {0};
	bool usual;

	if (c->device_believed && data_offset_sound(c, c->d0.dataOffset))
		vk_tally_add(&t, c->d0.dataOffset, 1, "dataOffset");
	if (c->survey.data_offset.lead > 0 && data_offset_sound(c, c->survey.data_offset.value))
		vk_tally_add(&t, c->survey.data_offset.value, c->survey.good > 1 ? 2 : 1,
			     "the PE table");
	if (self->votes > 0 && volume_at <= INT64_MAX) {
		int64_t at;

		if (!__builtin_add_overflow(self->volume_start_bytes, (int64_t)volume_at, &at) &&
		    at > 0 && data_offset_sound(c, (uint64_t)at))
			vk_tally_add(&t, (uint64_t)at, 2, self->votes_from);
	}
	if (c->fs_believed && z->first_pe == 0)
		vk_tally_add(&t, c->fs_at - VK_FS_OFFSET, 1, "the place of the file-system descriptor");
	if (c->earlier != NULL)
		vk_tally_add(&t, c->earlier->lvm.dataOffset, 1, c->capture->name);
	best = vk_tally_best(&t);
	z->offset_proved = best != NULL && vk_tally_proves(&t, best->value);
	if (best == NULL && t.count > 0) {
		vk_tally_add(&t, VK_LVM_DATA_OFFSET, 1, "every header seen");
		best = vk_tally_best(&t);
	}
	usual = best == NULL || !data_offset_sound(c, best->value);
	z->offset_proved = z->offset_proved && !usual;
	z->data_offset = usual ? VK_LVM_DATA_OFFSET : best->value;
	copy_text(z->offset_from, usual ? "every header seen" : best->from);
}

/* Signs that the volume has other extents, and that it has none: how much they weigh, and how many there are. */
static void weigh_extents(struct vk_lvm_case *c)
{
	const struct vk_lvm_volume *v = &c->v0;
	uint64_t reach = vk_mul_sat(vk_add_sat(c->sizes.first_pe, c->sizes.volume_pes), VK_LVM_PE_BYTES);
	const struct vk_self_report *self = &c->work->self;
	enum { ONE, SEVERAL };
	struct vk_tally t = {0};
	unsigned one, several;

	if (c->volume_believed && v->numDevs >= 1 && v->numDevs <= VK_LVM_SD_ENTRIES)
		vk_tally_add(&t, v->numDevs == 1 ? ONE : SEVERAL, 1, "numDevs");
	if (c->volume_believed && v->logicalSize == reach)
		vk_tally_add(&t, ONE, 3, "logicalSize"); /* no room is left for another one */
	else if (c->volume_believed && v->logicalSize > reach && v->logicalSize % VK_LVM_PE_BYTES == 0)
		vk_tally_add(&t, SEVERAL, 1, "logicalSize");
	if (c->sibling != NULL)
		vk_tally_add(&t, SEVERAL, 3, "another extent");
	if (c->sizes.first_pe > 0)
		vk_tally_add(&t, SEVERAL, 3, "the first extent");
	if (c->name_count > 1)
		vk_tally_add(&t, SEVERAL, 1, "the SD table");
	if (self->logical_bytes != 0)
		vk_tally_add(&t, self->logical_bytes > reach ? SEVERAL : ONE, 2, self->size_from);
	if (self->votes > 0 && self->highest_volume_offset >= reach)
		vk_tally_add(&t, SEVERAL, 2, self->votes_from);
	one = several = 0;
	for (size_t i = 0; i < t.count; i++)
		*(t.ballots[i].value == ONE ? &one : &several) = t.ballots[i].weight;
	c->sizes.several = several > one;
	c->sizes.several_open = several == one && several > 0;
	c->sizes.one_proved = one > several && vk_tally_proves(&t, ONE);
}

static uint64_t round_up_pes(uint64_t bytes)
{
	return vk_round_up_sat(bytes, VK_LVM_PE_BYTES) / VK_LVM_PE_BYTES;
}

static void ask_volume(const struct vk_lvm_case *c, struct vk_tally *t)
{
	const struct vk_lvm_volume *v = &c->v0;
	bool spans = c->sizes.first_pe > 0 || c->sibling != NULL ||
		     (c->volume_believed && v->numDevs > 1 && v->numDevs <= VK_LVM_SD_ENTRIES);

	if (c->volume_believed) {
		if (vk_told32(v->numPEs))
			vk_tally_add(t, v->numPEs, 1, "numPEs of the volume");
		if (range_sane(v) && (v->firstPE != 0 || v->lastPE != 0))
			vk_tally_add(t, v->lastPE - v->firstPE + 1, 1, "firstPE and lastPE");
		if (!spans && vk_told64(v->logicalSize) && v->logicalSize % VK_LVM_PE_BYTES == 0)
			vk_tally_add(t, v->logicalSize / VK_LVM_PE_BYTES, 1, "logicalSize");
	} else if (c->sibling != NULL && c->v.numPEs != 0) {
		vk_tally_add(t, c->v.numPEs, 2, "the gap between the other extents");
	}
	if (c->survey.good > 0 && !c->survey.full)
		vk_tally_add(t, c->six ? c->survey.bytes / VK_LVM_PE_BYTES : c->survey.entries, 1,
			     "the PE table");
	if (c->survey.bitmap_plain && !c->survey.full && !c->six)
		vk_tally_add(t, c->survey.bitmap_ones, 1, "the PE bitmap");
	if (!spans && c->work->self.logical_bytes != 0)
		vk_tally_add(t, round_up_pes(c->work->self.logical_bytes), 2, c->work->self.size_from);
	if (c->earlier != NULL)
		vk_tally_add(t, c->earlier->volumes[0].volume.numPEs, 1, c->capture->name);
}

static void ask_device(const struct vk_lvm_case *c, struct vk_tally *t)
{
	const struct vk_lvm_device *d = &c->d0;

	if (c->device_believed && !c->six && vk_told32(d->numPEs))
		vk_tally_add(t, d->numPEs, 1, "numPEs");
	if (c->device_believed && !c->six && vk_told32(d->lastPEIndex))
		vk_tally_add(t, d->lastPEIndex + 1ULL, 1, "lastPEIndex");
	if (c->device_believed && c->six && vk_told32(d->numPEs6))
		vk_tally_add(t, d->numPEs6, 1, "numPEs6");
	if (c->device_believed && d->totalBytes % 512 == 0 && pes_in(c, d->totalBytes) > 0 &&
	    d->extDevMetadataOffset == 0)
		vk_tally_add(t, pes_in(c, d->totalBytes), 1, "totalBytes");
	if (c->work->length_bytes != 0 &&
	    (c->six || pes_in(c, c->work->length_bytes) <= MAIN_PES))
		vk_tally_add(t, pes_in(c, c->work->length_bytes), 1, "the length of the partition");
}

/*
 * A device may have more extents than its volume uses: then those that speak of each agree among themselves, and one of
 * the lengths has room for so many.
 */
static bool sides_differ(const struct vk_lvm_case *c, const struct vk_tally *volume, const struct vk_tally *device)
{
	const struct vk_ballot *v = vk_tally_best(volume), *d = vk_tally_best(device);

	return v != NULL && d != NULL && vk_tally_proves(volume, v->value) && vk_tally_proves(device, d->value) &&
	       (d->value == v->value || (d->value > v->value && d->voices >= 3 &&
					 (pes_in(c, c->d0.totalBytes) == d->value ||
					  pes_in(c, c->work->length_bytes) == d->value)));
}

/* Of two sides that should agree: this one says so itself, more often than anything else, and is not alone. */
static bool side_proves(const struct vk_tally *side, const struct vk_tally *all, uint64_t value)
{
	const struct vk_ballot *best = vk_tally_best(side);

	return best != NULL && best->value == value && vk_tally_proves(all, value);
}

static void decide_pes(struct vk_lvm_case *c)
{
	struct vk_tally volume = {0}, device = {0}, all = {0};
	struct vk_lvm_sizes *z = &c->sizes;
	const struct vk_ballot *best;

	if (z->first_open) {
		z->pes_open = true;
		snprintf(z->pes_from, sizeof(z->pes_from), "its first extent is %.100s", z->first_from);
		return;
	}
	ask_volume(c, &volume);
	ask_device(c, &device);
	if (sides_differ(c, &volume, &device)) {
		z->volume_pes = vk_tally_best(&volume)->value;
		z->device_pes = vk_tally_best(&device)->value;
		z->volume_proved = z->device_proved = true;
		copy_text(z->volume_pes_from, vk_tally_best(&volume)->from);
		copy_text(z->pes_from, vk_tally_best(&device)->from);
		return;
	}
	vk_tally_merge(&all, &volume);
	vk_tally_merge(&all, &device);
	best = vk_tally_best(&all);
	/* a length alone, or of few who contradict each other: it may be all wrong */
	z->pes_open = best == NULL || best->value == 0 || best->value > UINT32_MAX;
	if (z->pes_open) {
		vk_tally_text(&all, z->pes_from, sizeof(z->pes_from));
		return;
	}
	z->volume_pes = z->device_pes = best->value;
	z->volume_proved = side_proves(&volume, &all, best->value);
	z->device_proved = side_proves(&device, &all, best->value);
	copy_text(z->pes_from, best->from);
	copy_text(z->volume_pes_from, best->from);
	/* more room than the volume takes: only the volume side can tell of its extents */
	if (!c->device_believed && device.count == 1 && volume.count == 1) {
		z->volume_pes = volume.ballots[0].value;
		z->volume_proved = vk_tally_proves(&volume, z->volume_pes);
	}
}

/* LVM6: entries of free lengths. numPEs, lastPEIndex and consumedPEs count them, the bitmap has as many ones. */
static void decide_entries(struct vk_lvm_case *c)
{
	const struct vk_pe_survey *s = &c->survey;
	struct vk_lvm_sizes *z = &c->sizes;
	const struct vk_ballot *best;
	struct vk_tally t = {0};

	z->covered = s->good > 0 && s->good == s->entries && s->bytes / VK_LVM_PE_BYTES == z->volume_pes &&
		     s->data_offset.lead == s->good && s->data_offset.value == z->data_offset &&
		     s->first_pe.lead == s->good && s->first_pe.value == z->first_pe && s->volume_id.lead == s->good;
	if (z->covered)
		vk_tally_add(&t, s->entries, 2, "the PE table");
	if (s->bitmap_plain)
		vk_tally_add(&t, s->bitmap_ones, 1, "the PE bitmap");
	if (c->device_believed && vk_told32(c->d0.numPEs))
		vk_tally_add(&t, c->d0.numPEs, 1, "numPEs");
	if (c->device_believed && vk_told32(c->d0.lastPEIndex))
		vk_tally_add(&t, c->d0.lastPEIndex + 1ULL, 1, "lastPEIndex");
	if (c->volume_believed && vk_told32(c->v0.consumedPEs))
		vk_tally_add(&t, c->v0.consumedPEs, 1, "consumedPEs");
	best = vk_tally_best(&t);
	z->entries = z->covered ? s->entries : (z->volume_pes + MAIN_PES - 1) / MAIN_PES;
	z->entries_proved = z->volume_proved && best != NULL && best->value == z->entries &&
		vk_tally_proves(&t, best->value);
}

/* Whether a length agrees with the extents that the device has. */
static bool fits(const struct vk_lvm_case *c, uint64_t bytes)
{
	uint64_t pes = pes_in(c, bytes);

	if (bytes % 512 != 0 || bytes <= c->sizes.data_offset)
		return false;
	if (c->sizes.large) /* each further region takes some of the room */
		return pes >= c->sizes.device_pes &&
		       pes - c->sizes.device_pes <= c->sizes.device_pes / MAIN_PES + 1;
	return pes == c->sizes.device_pes;
}

/* The part of a length that the number of extents does not tell. */
static uint64_t slack(const struct vk_lvm_case *c, uint64_t bytes)
{
	return (bytes - c->sizes.data_offset) % VK_LVM_PE_BYTES;
}

static void take_total(struct vk_lvm_case *c, uint64_t bytes, enum vk_field_origin origin,
		       const char *from)
{
	c->sizes.total_bytes = bytes;
	c->sizes.total_origin = origin;
	copy_text(c->sizes.total_from, from);
}

/* The header names a length that fits the extents. */
static void keep_total(struct vk_lvm_case *c)
{
	uint64_t now = c->d0.totalBytes, length = c->work->length_bytes;
	uint64_t disk = vk_io_size_bytes(c->work->base) - c->work->start_bytes;

	take_total(c, now, VK_FIELD_COPY, "as it is");
	if (length == 0 || length == now || !fits(c, length))
		return;
	if (c->earlier != NULL && c->earlier->lvm.totalBytes == length) {
		take_total(c, length, VK_FIELD_CAPTURE, c->capture->name);
	} else if (now > disk) {
		take_total(c, length, vk_origin_if(c->work->length_proved, VK_FIELD_COPY),
			   "the length of the partition; the one recorded reaches behind the end of the disk");
	} else if (c->earlier == NULL || c->earlier->lvm.totalBytes != now) {
		vk_work_lost(c->work, "totalBytes of the LVM header is %llu and the partition has %llu bytes; both fit "
			     "the number of extents, so it cannot be told which is right: left as it is.",
			     (unsigned long long)now, (unsigned long long)length);
	}
}

/*
 * The header's length is lost or wrong. A length that somebody else names is what stood there when a checksum proves
 * it, or when what is left of the header's own agrees where the extents do not tell.
 */
static void find_total(struct vk_lvm_case *c)
{
	const struct vk_lvm_sizes *z = &c->sizes;
	uint64_t length = c->work->length_bytes, room = c->work->room_bytes, now = c->d0.totalBytes;
	uint64_t least = vk_add_sat(z->data_offset, vk_mul_sat(z->device_pes, VK_LVM_PE_BYTES));
	bool left = c->device_believed && now % 512 == 0 && vk_told64(now);

	if (length != 0 && fits(c, length))
		take_total(c, length, vk_origin_if(z->device_proved && (c->work->length_proved ||
				   (left && slack(c, now) == slack(c, length)) ||
				   (c->earlier != NULL && c->earlier->lvm.totalBytes == length)), VK_FIELD_COPY),
			   "the length of the partition");
	else if (c->earlier != NULL && fits(c, c->earlier->lvm.totalBytes))
		take_total(c, c->earlier->lvm.totalBytes, vk_origin_if(!c->work->capture_old, VK_FIELD_CAPTURE),
			   c->capture->name);
	else if (left && !z->large && fits(c, least + slack(c, now)))
		take_total(c, least + slack(c, now), VK_FIELD_USUAL, "what is left of totalBytes, and the extents");
	else if (length == 0 && fits(c, room))
		take_total(c, room, VK_FIELD_USUAL, "a partition up to the end of the disk");
	else
		take_total(c, least, VK_FIELD_USUAL, "the least that holds the extents; the rest is not known");
}

static enum vk_status refuse_several(const struct vk_lvm_case *c, struct vk_error *err)
{
	enum vk_status status = vk_error_set(
		err, VK_UNSUPPORTED, vk_io_name(c->work->base),
		     "The %s is lost and the volume is larger than this partition (%llu extents of 256 MiB, "
		     "room for %llu): it spans several devices, or the partition's length is wrong",
		     c->device_believed ? "volume descriptor" : c->volume_believed ? "LVM header" :
		     "LVM header and volume descriptor",
		     (unsigned long long)vk_max_u64(round_up_pes(c->work->self.logical_bytes),
						    c->sizes.first_pe + c->sizes.volume_pes),
		     (unsigned long long)pes_in(c, c->work->room_bytes));
	vk_error_remedy(err, "give the other extents, or a capture of this one");
	return status;
}

static enum vk_status check_lost(const struct vk_lvm_case *c, struct vk_error *err)
{
	const struct vk_lvm_sizes *z = &c->sizes;
	enum vk_status status;

	if (c->device_believed && c->volume_believed)
		return VK_OK;
	if (!c->device_believed && z->large && !c->six && c->earlier == NULL) {
		status = vk_error_set(err, VK_UNSUPPORTED, vk_io_name(c->work->base),
			     "The LVM header of a device of more than 16 TiB is lost: where its extended metadata lay "
			     "is not known for certain");
		vk_error_remedy(err, "restore it from a capture");
		return status;
	}
	if (z->pes_open) {
		status = vk_error_set(err, VK_ABSENT, vk_io_name(c->work->base),
			     "The size of the volume cannot be found out: %s",
			     z->pes_from[0] != '\0' ? z->pes_from : "nobody says it");
		vk_error_remedy(err, "give the length of the partition, or a capture of it");
		return status;
	}
	if ((z->several && !(c->sibling != NULL && c->v.numPEs != 0) && c->earlier == NULL &&
	     !c->volume_believed) ||
	    z->volume_pes > pes_in(c, c->work->room_bytes))
		return refuse_several(c, err);
	return VK_OK;
}

/* Extended metadata that the header does not name: looked for where the extents of the main region end. */
static void find_exts(struct vk_lvm_case *c)
{
	uint64_t at = vk_add_sat(c->sizes.data_offset, MAIN_PES * VK_LVM_PE_BYTES);

	if (!c->sizes.large || c->ext_count > 0)
		return;
	vk_lvm_exts_read(c, at);
	if (c->ext_count > 0)
		c->ext_found_at = at;
}

enum vk_status vk_lvm_sizes_decide(struct vk_lvm_case *c, struct vk_error *err)
{
	struct vk_lvm_sizes *z = &c->sizes;
	enum vk_status status;

	decide_first(c);
	decide_offset(c);
	decide_pes(c);
	z->large = !c->six && (z->device_pes > MAIN_PES || c->survey.full || c->ext_count > 0 ||
			       pes_in(c, c->work->length_bytes) > MAIN_PES);
	find_exts(c);
	weigh_extents(c);
	if (c->six)
		decide_entries(c);
	status = check_lost(c, err);
	if (status != VK_OK)
		return status;
	z->logical_pes = z->several ? c->v.logicalSize / VK_LVM_PE_BYTES : z->volume_pes;
	if (z->pes_open)
		vk_work_lost(c->work, "How many extents the device has is not certain: %s. The numbers stay as they "
				      "are.",
			     z->pes_from);
	else if (c->device_believed && fits(c, c->d0.totalBytes))
		keep_total(c);
	else
		find_total(c);
	return VK_OK;
}
