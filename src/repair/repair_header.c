/* SPDX-License-Identifier: Apache-2.0 */
/* Repairs the headers of one partition: which one is meant, who else knows of it, what is exact and what is not. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/checked.h"
#include "repair/repair_state.h"
#include "scsi/device_info.h"
#include "store/plan/plan.h"
#include "store/manifest/rebuilt.h"

static bool add_known(struct vk_repair *repair, const struct vk_source *source, size_t index, const char *name,
		      bool member)
{
	const struct vk_known_header known = {source, index, name, member};

	return vk_append(&repair->known_headers, &repair->known_header_count, &known, sizeof(known)) != NULL;
}

/* This partition in a capture, and other extents of its volume beside it. */
static bool add_capture(struct vk_repair *repair, const struct vk_known *known)
{
	const struct vk_source *source = &known->source;
	bool disk = repair->target.source.kind == VK_SOURCE_DISK;
	const struct vk_vmfs *self = NULL;
	bool fits = true;

	for (size_t i = 0; i < source->vmfs_count && self == NULL; i++) {
		uint64_t start = vk_mul_sat(source->vmfs[i].start_sector, source->sector_size);

		/* of a partition on its own, the only volume of the disk that was captured */
		if (disk ? start != repair->partition.offset_bytes : source->vmfs_count > 1)
			continue;
		self = &source->vmfs[i];
		fits = add_known(repair, source, i, known->name, false);
	}
	for (size_t i = 0; fits && self != NULL && i < source->vmfs_count; i++) {
		const struct vk_vmfs *other = &source->vmfs[i];

		if (other != self && other->volume_count > 0 && self->volume_count > 0 &&
		    memcmp(&other->volumes[0].volume.uuid, &self->volumes[0].volume.uuid,
			   sizeof(self->volumes[0].volume.uuid)) == 0)
			fits = add_known(repair, source, i, known->name, true);
	}
	return fits;
}

static enum vk_status open_partition(struct vk_repair *repair, const char *target, struct vk_error *err)
{
	enum vk_status status = vk_repair_choose_partition(repair, target, vk_repair_only_volume, err);

	/* what lies behind its end nobody has looked at, and a header written to a part of a copy mends nothing */
	if (status == VK_OK && vk_source_is_part(&repair->target.source))
		return vk_source_refuse_part(&repair->target.source, "headers are repaired on the whole disk", err);
	return status;
}

/* Who else knows: captures, and the members that were named. */
static enum vk_status gather(struct vk_repair *repair, struct vk_error *err)
{
	const struct vk_find_hint hint = {
		.start_sector = repair->partition.offset_bytes / repair->target.source.sector_size,
		.sectors = repair->partition.length_bytes / repair->target.source.sector_size,
		.from = "the partition"};
	const struct vk_source_options as_it_is = {.as = VK_SOURCE_AUTO};
	const char *const *paths = repair->options.members;
	bool fits = vk_append(&repair->hints, &repair->hint_count, &hint, sizeof(hint)) != NULL;
	size_t count = 0;

	while (paths != NULL && paths[count] != NULL)
		count++;
	repair->members = calloc(count + 1, sizeof(*repair->members));
	if (repair->members == NULL)
		return vk_no_memory(err, NULL);
	for (size_t i = 0; i < count; i++) {
		enum vk_status status = vk_source_open(paths[i], &as_it_is, &repair->members[i], err);

		if (status != VK_OK)
			return status;
		repair->member_count++;
		status = vk_source_refuse_container(&repair->members[i], err);
		if (status != VK_OK)
			return status;
	}
	for (size_t i = 0; fits && i < repair->known_count; i++)
		fits = add_capture(repair, &repair->known[i]);
	for (size_t i = 0; i < repair->member_count; i++)
		for (size_t k = 0; fits && k < repair->members[i].vmfs_count; k++)
			fits = add_known(repair, &repair->members[i], k, repair->members[i].path, true);
	repair->start_sector = hint.start_sector;
	repair->has_partition = true;
	return fits ? VK_OK : vk_no_memory(err, NULL);
}

static enum vk_status rebuild_header(struct vk_repair *repair, struct vk_error *err)
{
	struct vk_rebuild_header_options options = repair->options.header;
	const struct vk_source *source = &repair->target.source;
	struct vk_scsi_disk_id live_id;
	struct vk_device_info device;
	enum vk_status status;

	vk_device_info_of_io(source->io, &device);
	if (options.live_id == NULL && vk_device_info_disk_id(&device, &live_id))
		options.live_id = &live_id;
	options.candidate = vk_repair_candidate(repair);
	options.known = repair->known_headers;
	options.known_count = repair->known_header_count;
	status = vk_rebuild_header(source, repair->partition.offset_bytes, repair->partition.length_bytes,
				   &options, repair->overlay, &repair->header, err);
	repair->has_header = status == VK_OK;
	return status;
}

/*
 * Where the structures that tell the volume's place are hurt and no self-locating block was asked, asking all may help.
 */
static bool is_enough(struct vk_repair *repair, enum vk_status status)
{
	static const enum vk_header_structure telling[] = {VK_HS_LVM_HEADER, VK_HS_VOLUME, VK_HS_FS_DESCRIPTOR};
	const struct vk_candidate *candidate = vk_repair_candidate(repair);
	bool voted = candidate != NULL && candidate->vote.blocks > 0, enough = status == VK_OK;

	for (size_t i = 0; enough && !voted && i < sizeof(telling) / sizeof(telling[0]); i++) {
		enum vk_structure_state state = repair->header.verdicts[telling[i]].state;

		enough = state != VK_STRUCTURE_REBUILT && state != VK_STRUCTURE_LOST;
	}
	if (!enough)
		strcpy(repair->why_scanned, "too little is left of the headers themselves");
	return enough;
}

static bool describe_header(const struct vk_repair *repair, struct vk_rebuilt *rebuilt)
{
	const struct vk_rebuild_header *header = &repair->header;
	bool fits = true;

	strcpy(rebuilt->what, "header");
	for (size_t i = 0; fits && i < header->field_count; i++) {
		const struct vk_rebuilt_field *field = &header->fields[i];
		bool exact = vk_field_origin_exact(field->origin);
		const char *origin = vk_field_origin_name(field->origin), *from = field->from;
		const char *name = field->field != NULL ? field->field->name : "as a whole";
		const char *becomes = field->is[0] != '\0' ? field->is : from;

		if (!exact && header->guessed)
			fits = vk_rebuilt_say(&rebuilt->guessed, "%s at byte 0x%" PRIx64 " of the partition, %s: "
					      "nothing proves it (%s%s%s)", field->layout->name, field->structure_bytes,
					      name, origin, becomes[0] != '\0' ? ": " : "", becomes);
		fits = fits && vk_rebuilt_say(exact ? &rebuilt->exact : &rebuilt->fresh, "%s at byte 0x%" PRIx64
					      " of the partition, %s: %s%s%s", field->layout->name,
					      field->structure_bytes, name, origin, from[0] != '\0' ? ", " : "", from);
	}
	for (size_t i = 0; fits && i < header->lost_count; i++)
		fits = vk_rebuilt_say(&rebuilt->lost, "%s", header->lost[i]);
	if (fits && header->guessed && rebuilt->guessed == NULL)
		fits = vk_rebuilt_say(&rebuilt->guessed, "a value of the headers could not be known");
	return fits;
}

/* An id that was made up stands for none that was there; all others were proved from the volume itself. */
static bool is_proved(const struct vk_rebuild_header *header, const struct vk_layout *layout,
		      const char *prefix)
{
	for (size_t i = 0; i < header->field_count; i++) {
		const struct vk_rebuilt_field *field = &header->fields[i];

		if (field->layout == layout && !vk_field_origin_exact(field->origin) &&
		    (field->field == NULL || strncmp(field->field->name, prefix, strlen(prefix)) == 0))
			return false;
	}
	return true;
}

/* The ids that stand there now and were found to be damage. */
static bool add_replaced(struct vk_repair *repair)
{
	const struct vk_rebuild_header *header = &repair->header;
	struct vk_capture *capture = &repair->unsaved.capture;
	const struct vk_identity none = {.start_sector = 0}, *is = &none, *was;
	bool fits = true;

	for (size_t i = 0; i < capture->identity_count; i++)
		if (capture->identities[i].start_sector == repair->start_sector)
			is = &capture->identities[i];
	was = vk_disk_facts_place(&repair->target.facts, vk_mul_sat(repair->start_sector,
								    repair->target.source.sector_size));
	if (was == NULL)
		return true;
	const struct {
		const char *was, *is;
		const struct vk_layout *layout; /* whose field of this name has to be proved */
		const char *prefix;
	} ids[] = {
		{was->device_uuid, is->device_uuid, &vk_lvm_device_layout, "devID"},
		{was->disk_id, is->disk_id, &vk_lvm_device_layout, "diskID"},
		{was->volume_uuid, is->volume_uuid, &vk_lvm_volume_layout, "uuid"},
		{was->fs_uuid, is->fs_uuid, &vk_fs_descriptor_layout, "uuid"},
	};
	for (size_t i = 0; fits && i < sizeof(ids) / sizeof(ids[0]); i++)
		if (ids[i].was[0] != '\0' && strcmp(ids[i].was, ids[i].is) != 0 &&
		    is_proved(header, ids[i].layout, ids[i].prefix) &&
		    (ids[i].was != was->disk_id || is_proved(header, &vk_scsi_disk_id_layout, "")))
			fits = vk_rebuilt_say(&capture->rebuilt.replaced, "%s", ids[i].was);
	return fits;
}

enum vk_status vk_repair_plan_header(const char *target, const struct vk_repair_options *options,
				     struct vk_repair **ret_repair, struct vk_error *err)
{
	static const struct vk_repair_kind kind = {
		.why_likely = "the headers themselves tell enough",
		.worked_out = "the headers were worked out",
		.open = open_partition,
		.gather = gather,
		.rebuild = rebuild_header,
		.is_enough = is_enough,
		.describe = describe_header,
		.add = add_replaced,
	};

	return vk_repair_plan(&kind, target, options, ret_repair, err);
}
