/* SPDX-License-Identifier: Apache-2.0 */
/* How large device and volume are and where the data begins, from everybody who says something about it. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/checked.h"
#include "rebuild/header/header_work.h"

#define MAIN_PES ((uint64_t)VK_LVM_PES_PER_MAP * VK_LVM_MAPS_PER_REGION)

static bool data_offset_sound(const struct vk_header_work *c, uint64_t offset)
{
	return offset >= 0x1000000 && offset % 4096 == 0 && offset < c->room_bytes;
}

/* PEs that fit between the data offset and a length. */
static uint64_t pes_in(const struct vk_header_work *c, uint64_t bytes)
{
	uint64_t data = c->sizes.offset.value;

	return bytes > data ? (bytes - data) / VK_LVM_PE_BYTES : 0;
}

static void decide_first(struct vk_header_work *c)
{
	int64_t before = (int64_t)VK_LVM_DATA_OFFSET - c->self.volume_start_bytes;
	const struct vk_lvm_volume *v = &c->v0;
	struct vk_lvm_sizes *z = &c->sizes;
	struct vk_tally t = {0};
	bool first_told = c->volume_believed && v->firstPE <= UINT32_MAX;

	vk_tally_add(&t, first_told && (v->firstPE != 0 || v->numPEs != 0), v->firstPE, 1, "firstPE");
	vk_tally_add(&t, c->volume_believed && vk_told32(v->numPEs) && v->lastPE <= UINT32_MAX &&
		     v->lastPE >= v->numPEs - 1ULL, v->lastPE - (v->numPEs - 1ULL), 1, "lastPE and numPEs");
	vk_tally_add(&t, c->survey.first_pe.lead > 0 && c->survey.first_pe.value <= UINT32_MAX,
		     c->survey.first_pe.value, 2, "the PE table");
	vk_tally_add(&t, c->fs_believed, 0, 2, "the file-system descriptor, which only the head has");
	vk_tally_add(&t, c->self.votes > 0 && before >= 0 && before % (int64_t)VK_LVM_PE_BYTES == 0,
		     (uint64_t)before / VK_LVM_PE_BYTES, 2, c->self.votes_from);
	vk_tally_add(&t, c->sibling != NULL && !c->volume_believed && c->v.numPEs != 0, c->v.firstPE, 3,
		     "the other extents");
	z->first = vk_tally_best(&t, 0, "the head is the one extent of most volumes");
	if (z->first.weight != 0 || t.count == 0)
		return;
	z->first_open = true;
	vk_tally_text(&t, z->first.from, sizeof(z->first.from));
	if (first_told)
		z->first.value = v->firstPE;
}

static void decide_offset(struct vk_header_work *c)
{
	static const char seen[] = "every header seen";
	struct vk_ballot *offset = &c->sizes.offset;
	struct vk_tally t = {0};
	uint64_t volume_at = vk_mul_sat(c->sizes.first.value, VK_LVM_PE_BYTES);
	int64_t at = 0;
	bool votes = c->self.votes > 0 && volume_at <= INT64_MAX &&
		     !__builtin_add_overflow(c->self.volume_start_bytes, (int64_t)volume_at, &at) && at > 0;

	vk_tally_add(&t, c->device_believed && data_offset_sound(c, c->d0.dataOffset), c->d0.dataOffset, 1,
		     "dataOffset");
	vk_tally_add(&t, c->survey.data_offset.lead > 0 && data_offset_sound(c, c->survey.data_offset.value),
		     c->survey.data_offset.value, c->survey.good > 1 ? 2 : 1, "the PE table");
	vk_tally_add(&t, votes && data_offset_sound(c, (uint64_t)at), (uint64_t)at, 2, c->self.votes_from);
	vk_tally_add(&t, c->fs_believed && c->sizes.first.value == 0, c->fs_at - VK_FS_OFFSET, 1,
		     "the place of the file-system descriptor");
	if (c->earlier != NULL)
		vk_tally_add(&t, true, c->earlier->lvm.dataOffset, 1, c->capture->name);
	*offset = vk_tally_best(&t, VK_LVM_DATA_OFFSET, seen);
	if (offset->weight == 0 && t.count > 0) {
		vk_tally_add(&t, true, VK_LVM_DATA_OFFSET, 1, seen);
		*offset = vk_tally_best(&t, VK_LVM_DATA_OFFSET, seen);
		offset->proved = false;
	}
	if (!data_offset_sound(c, offset->value))
		*offset = vk_tally_best(&(struct vk_tally){0}, VK_LVM_DATA_OFFSET, seen);
}

/* Signs that the volume has other extents, and that it has none: how much they weigh, and how many there are. */
static void weigh_extents(struct vk_header_work *c)
{
	const struct vk_lvm_volume *v = &c->v0;
	uint64_t reach = vk_mul_sat(vk_add_sat(c->sizes.first.value, c->sizes.volume.value), VK_LVM_PE_BYTES);
	enum { ONE, SEVERAL };
	struct vk_tally t = {0};
	struct vk_ballot best;

	vk_tally_add(&t, c->volume_believed && v->numDevs >= 1 && v->numDevs <= VK_LVM_SD_ENTRIES,
		     v->numDevs == 1 ? ONE : SEVERAL, 1, "numDevs");
	/* no room is left for another one */
	vk_tally_add(&t, c->volume_believed && v->logicalSize == reach, ONE, 3, "logicalSize");
	vk_tally_add(&t, c->volume_believed && v->logicalSize > reach && v->logicalSize % VK_LVM_PE_BYTES == 0,
		     SEVERAL, 1, "logicalSize");
	vk_tally_add(&t, c->sibling != NULL, SEVERAL, 3, "another extent");
	vk_tally_add(&t, c->sizes.first.value > 0, SEVERAL, 3, "the first extent");
	vk_tally_add(&t, c->name_count > 1, SEVERAL, 1, "the SD table");
	vk_tally_add(&t, c->self.logical_bytes != 0, c->self.logical_bytes > reach ? SEVERAL : ONE, 2,
		     c->self.size_from);
	vk_tally_add(&t, c->self.votes > 0 && c->self.highest_volume_offset >= reach, SEVERAL, 2, c->self.votes_from);
	best = vk_tally_best(&t, ONE, "");
	c->sizes.several = best.value == SEVERAL;
	c->sizes.several_open = best.weight == 0 && t.count > 0;
	c->sizes.one_proved = best.value == ONE && best.proved;
}

static uint64_t round_up_pes(uint64_t bytes)
{
	return vk_round_up_sat(bytes, VK_LVM_PE_BYTES) / VK_LVM_PE_BYTES;
}

static void ask_volume(const struct vk_header_work *c, struct vk_tally *t)
{
	const struct vk_lvm_volume *v = &c->v0;
	const struct vk_pe_survey *s = &c->survey;
	bool believed = c->volume_believed;
	bool spans = c->sizes.first.value > 0 || c->sibling != NULL ||
		     (believed && v->numDevs > 1 && v->numDevs <= VK_LVM_SD_ENTRIES);

	vk_tally_add(t, believed && vk_told32(v->numPEs), v->numPEs, 1, "numPEs of the volume");
	vk_tally_add(t, believed && v->lastPE >= v->firstPE && v->lastPE - v->firstPE < UINT32_MAX &&
		     (v->firstPE != 0 || v->lastPE != 0), v->lastPE - v->firstPE + 1, 1, "firstPE and lastPE");
	vk_tally_add(t, believed && !spans && vk_told64(v->logicalSize) && v->logicalSize % VK_LVM_PE_BYTES == 0,
		     v->logicalSize / VK_LVM_PE_BYTES, 1, "logicalSize");
	vk_tally_add(t, !believed && c->sibling != NULL && c->v.numPEs != 0, c->v.numPEs, 2,
		     "the gap between the other extents");
	vk_tally_add(t, s->good > 0 && !s->full, c->six ? s->bytes / VK_LVM_PE_BYTES : s->entries, 1, "the PE table");
	vk_tally_add(t, s->bitmap_plain && !s->full && !c->six, s->bitmap_ones, 1, "the PE bitmap");
	vk_tally_add(t, !spans && c->self.logical_bytes != 0, round_up_pes(c->self.logical_bytes), 2,
		     c->self.size_from);
	if (c->earlier != NULL)
		vk_tally_add(t, true, c->earlier->volumes[0].volume.numPEs, 1, c->capture->name);
}

static void ask_device(const struct vk_header_work *c, struct vk_tally *t)
{
	const struct vk_lvm_device *d = &c->d0;
	bool believed = c->device_believed;
	uint64_t length = pes_in(c, c->length_bytes);

	vk_tally_add(t, believed && !c->six && vk_told32(d->numPEs), d->numPEs, 1, "numPEs");
	vk_tally_add(t, believed && !c->six && vk_told32(d->lastPEIndex), d->lastPEIndex + 1ULL, 1, "lastPEIndex");
	vk_tally_add(t, believed && c->six && vk_told32(d->numPEs6), d->numPEs6, 1, "numPEs6");
	vk_tally_add(t, believed && d->totalBytes % 512 == 0 && pes_in(c, d->totalBytes) > 0 &&
		     d->extDevMetadataOffset == 0, pes_in(c, d->totalBytes), 1, "totalBytes");
	vk_tally_add(t, c->length_bytes != 0 && (c->six || length <= MAIN_PES), length, 1,
		     "the length of the partition");
}

static void decide_pes(struct vk_header_work *c)
{
	struct vk_tally volume_side = {0}, device_side = {0}, all = {0};
	struct vk_lvm_sizes *z = &c->sizes;
	struct vk_ballot volume, device, best;

	if (z->first_open) {
		z->pes_open = true;
		snprintf(z->device.from, sizeof(z->device.from), "its first extent is %.100s", z->first.from);
		return;
	}
	ask_volume(c, &volume_side);
	ask_device(c, &device_side);
	volume = vk_tally_best(&volume_side, 0, "");
	device = vk_tally_best(&device_side, 0, "");
	/*
	 * A device may have more extents than its volume uses: then those that speak of each agree among themselves,
	 * and one of the lengths has room for so many.
	 */
	if (volume.proved && device.proved &&
	    (device.value == volume.value ||
	     (device.value > volume.value && device.voices >= 3 &&
	      (pes_in(c, c->d0.totalBytes) == device.value || pes_in(c, c->length_bytes) == device.value)))) {
		z->volume = volume;
		z->device = device;
		return;
	}
	ask_volume(c, &all);
	ask_device(c, &all);
	best = vk_tally_best(&all, 0, "");
	/* a length alone, or of few who contradict each other: it may be all wrong */
	z->pes_open = best.value == 0 || best.value > UINT32_MAX;
	if (z->pes_open) {
		vk_tally_text(&all, z->device.from, sizeof(z->device.from));
		return;
	}
	z->volume = z->device = best;
	/* of two sides that should agree: each says so itself, more often than anything else, and is not alone */
	z->volume.proved = best.proved && volume.value == best.value;
	z->device.proved = best.proved && device.value == best.value;
	/* more room than the volume takes: only the volume side can tell of its extents */
	if (!c->device_believed && device_side.count == 1 && volume_side.count == 1) {
		z->volume.value = volume.value;
		z->volume.proved = volume.proved;
	}
}

/* LVM6: entries of free lengths. numPEs, lastPEIndex and consumedPEs count them, the bitmap has as many ones. */
static void decide_entries(struct vk_header_work *c)
{
	const struct vk_pe_survey *s = &c->survey;
	struct vk_lvm_sizes *z = &c->sizes;
	struct vk_tally t = {0};
	uint64_t entries;

	z->covered = s->good > 0 && s->good == s->entries && s->bytes / VK_LVM_PE_BYTES == z->volume.value &&
		     s->data_offset.lead == s->good && s->data_offset.value == z->offset.value &&
		     s->first_pe.lead == s->good && s->first_pe.value == z->first.value &&
		     s->volume_id.lead == s->good;
	vk_tally_add(&t, z->covered, s->entries, 2, "the PE table");
	vk_tally_add(&t, s->bitmap_plain, s->bitmap_ones, 1, "the PE bitmap");
	vk_tally_add(&t, c->device_believed && vk_told32(c->d0.numPEs), c->d0.numPEs, 1, "numPEs");
	vk_tally_add(&t, c->device_believed && vk_told32(c->d0.lastPEIndex), c->d0.lastPEIndex + 1ULL, 1,
		     "lastPEIndex");
	vk_tally_add(&t, c->volume_believed && vk_told32(c->v0.consumedPEs), c->v0.consumedPEs, 1, "consumedPEs");
	entries = z->covered ? s->entries : (z->volume.value + MAIN_PES - 1) / MAIN_PES;
	z->entries = vk_tally_best(&t, entries, "");
	z->entries.proved = z->entries.proved && z->volume.proved && z->entries.value == entries;
	z->entries.value = entries;
	strcpy(z->entries.from, "entries of the PE table");
}

/* Whether a length agrees with the extents that the device has. */
static bool fits(const struct vk_header_work *c, uint64_t bytes)
{
	uint64_t pes = pes_in(c, bytes), device = c->sizes.device.value;

	if (bytes % 512 != 0 || bytes <= c->sizes.offset.value)
		return false;
	if (c->sizes.large) /* each further region takes some of the room */
		return pes >= device && pes - device <= device / MAIN_PES + 1;
	return pes == device;
}

/* The part of a length that the number of extents does not tell. */
static uint64_t slack(const struct vk_header_work *c, uint64_t bytes)
{
	return (bytes - c->sizes.offset.value) % VK_LVM_PE_BYTES;
}

static void take_total(struct vk_header_work *c, uint64_t bytes, enum vk_field_origin origin, const char *from)
{
	c->sizes.total_bytes = bytes;
	c->sizes.total_origin = origin;
	c->sizes.total_from = from;
}

/*
 * The header's length stays when it fits the extents, unless it cannot be. A length that somebody else names is what
 * stood there when a checksum proves it, or when what is left of the header's own agrees where the extents do not tell.
 */
static void decide_total(struct vk_header_work *c)
{
	uint64_t length = c->length_bytes, room = c->room_bytes, now = c->d0.totalBytes;
	uint64_t disk = vk_io_size_bytes(c->base) - c->start_bytes;
	uint64_t least = vk_add_sat(c->sizes.offset.value, vk_mul_sat(c->sizes.device.value, VK_LVM_PE_BYTES));
	uint64_t then = c->earlier != NULL ? c->earlier->lvm.totalBytes : 0;
	bool left = c->device_believed && now % 512 == 0 && vk_told64(now);
	bool length_fits = length != 0 && fits(c, length);
	const char *captured = c->earlier != NULL ? c->capture->name : NULL;

	if (c->device_believed && fits(c, now)) {
		take_total(c, now, VK_FIELD_COPY, "as it is");
		if (length == now || !length_fits)
			return;
		if (then == length)
			take_total(c, length, VK_FIELD_CAPTURE, captured);
		else if (now > disk)
			take_total(c, length, vk_origin_if(c->length_proved, VK_FIELD_COPY),
				   "the length of the partition; the recorded one reaches past the end of the disk");
		else if (captured == NULL || then != now)
			vk_work_lost(c, "totalBytes of the LVM header is %" PRIu64 " and the partition has "
				     "%" PRIu64 " bytes; both fit the number of extents, so which is right is not "
				     "known: left as it is.", now, length);
	} else if (length_fits) {
		take_total(c, length, vk_origin_if(c->sizes.device.proved &&
						   (c->length_proved || (left && slack(c, now) == slack(c, length)) ||
						    then == length), VK_FIELD_COPY), "the length of the partition");
	} else if (captured != NULL && fits(c, then)) {
		take_total(c, then, vk_origin_if(!c->capture_old, VK_FIELD_CAPTURE), captured);
	} else if (left && !c->sizes.large && fits(c, least + slack(c, now))) {
		take_total(c, least + slack(c, now), VK_FIELD_USUAL, "what is left of totalBytes, and the extents");
	} else if (length == 0 && fits(c, room)) {
		take_total(c, room, VK_FIELD_USUAL, "a partition up to the end of the disk");
	} else {
		take_total(c, least, VK_FIELD_USUAL, "the least that holds the extents; the rest is not known");
	}
}

/* Whether enough is known to make anew what is lost. */
static enum vk_status check_lost(const struct vk_header_work *c, struct vk_error *err)
{
	const struct vk_lvm_sizes *z = &c->sizes;
	uint64_t room = pes_in(c, c->room_bytes);

	if (c->device_believed && c->volume_believed)
		return VK_OK;
	if (!c->device_believed && z->large && !c->six && c->earlier == NULL) {
		vk_error_set(err, VK_UNSUPPORTED, vk_io_name(c->base),
			     "the LVM header of a device of more than 16 TiB is lost: where its extended metadata lay "
			     "is not known for certain");
		return vk_error_remedy(err, "restore it from a capture");
	}
	if (z->pes_open) {
		vk_error_set(err, VK_ABSENT, vk_io_name(c->base), "the size of the volume is not known: %s",
			     z->device.from[0] != '\0' ? z->device.from : "nothing shows it");
		return vk_error_remedy(err, "give the length of the partition, or a capture of it");
	}
	if (z->volume.value <= room && (!z->several || (c->sibling != NULL && c->v.numPEs != 0) ||
					c->earlier != NULL || c->volume_believed))
		return VK_OK;
	vk_error_set(err, VK_UNSUPPORTED, vk_io_name(c->base),
		     "the %s is lost and the volume is larger than this partition (%" PRIu64 " extents of 256 MiB, "
		     "room for %" PRIu64 "): it spans several devices, or the partition's length is wrong",
		     c->device_believed ? "volume descriptor" : c->volume_believed ? "LVM header" :
		     "LVM header and volume descriptor",
		     vk_max_u64(round_up_pes(c->self.logical_bytes), z->first.value + z->volume.value), room);
	return vk_error_remedy(err, "give the other extents, or a capture of this one");
}

enum vk_status vk_lvm_sizes_decide(struct vk_header_work *c, struct vk_error *err)
{
	struct vk_lvm_sizes *z = &c->sizes;
	uint64_t main_end;
	enum vk_status status;

	decide_first(c);
	decide_offset(c);
	decide_pes(c);
	z->large = !c->six && (z->device.value > MAIN_PES || c->survey.full || c->ext_count > 0 ||
			       pes_in(c, c->length_bytes) > MAIN_PES);
	/* extended metadata that the header does not name is looked for where the extents of the main region end */
	main_end = vk_add_sat(z->offset.value, MAIN_PES * VK_LVM_PE_BYTES);
	if (z->large && c->ext_count == 0) {
		vk_lvm_exts_read(c, main_end);
		c->ext_found_at = c->ext_count > 0 ? main_end : 0;
	}
	weigh_extents(c);
	if (c->six)
		decide_entries(c);
	status = check_lost(c, err);
	if (status != VK_OK)
		return status;
	if (z->pes_open)
		vk_work_lost(c, "how many extents the device has is not certain: %s. The numbers stay as they are.",
			     z->device.from);
	else
		decide_total(c);
	return VK_OK;
}
