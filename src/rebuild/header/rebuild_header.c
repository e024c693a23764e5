/* SPDX-License-Identifier: Apache-2.0 */
/* Mends or makes anew the headers of one partition on an overlay, and proves the result with the decoders. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/memory.h"
#include "base/texts.h"
#include "rebuild/header/header_work.h"
#include "vmfskit/source.h"

static enum vk_status decode(struct vk_header_work *work, struct vk_error *err)
{
	struct vk_finding_sink sink;

	if (work->vmfs_borrowed)
		memset(&work->vmfs, 0, sizeof(work->vmfs));
	work->vmfs_borrowed = false;
	vk_vmfs_free(&work->vmfs);
	vk_findings_free(&work->findings);
	memset(&work->findings, 0, sizeof(work->findings));
	sink = vk_findings_sink(&work->findings);
	work->vmfs.partition_bytes = work->length_bytes;
	work->is_decoded = true;
	return vk_vmfs_read(work->window, &sink, &work->vmfs, err);
}

/*
 * The partition as the source decoded it, when nothing was put on the overlay yet: false when it did not, or when there
 * are sectors that cannot be read: more of them may be known by now.
 */
static bool borrow_decoded(struct vk_header_work *work, const struct vk_source *disk)
{
	const struct vk_edit *edits;
	const struct vk_range *bad;

	if (vk_overlay_edits(work->overlay, &edits) > 0 || disk->findings.dropped > 0 ||
	    vk_io_bad_ranges(disk->raw, &bad) > 0)
		return false;
	for (size_t i = 0; i < disk->vmfs_count && !work->vmfs_borrowed; i++) {
		const struct vk_vmfs *v = &disk->vmfs[i];

		work->vmfs_borrowed = vk_mul_sat(v->start_sector, disk->sector_size) == work->start_bytes &&
				      v->partition_bytes == work->length_bytes &&
				      v->partition_bytes == work->room_bytes;
		if (work->vmfs_borrowed)
			work->vmfs = *v;
	}
	return work->vmfs_borrowed;
}

/*
 * An entry of a GPT whose checksums are right proves where the partition ends: the disk's own, or the one in the tail
 * of an image that begins behind the beginning of its disk.
 */
static void ask_table(struct vk_header_work *work, const struct vk_source *disk)
{
	const struct vk_table *table = &disk->table;
	const struct vk_partition *partition = vk_tail_gpt_partition(&disk->tail, work->start_bytes);

	if (disk->tail.first_sector != 0)
		table = &disk->tail.table;
	else if (table->kind == VK_TABLE_GPT && table->gpt_chosen >= 0 && table->gpt[table->gpt_chosen].sound)
		for (size_t i = 0; i < table->partition_count && partition == NULL; i++)
			if (vk_mul_sat(table->partitions[i].start_sector, table->sector_size) == work->start_bytes)
				partition = &table->partitions[i];
	if (partition == NULL)
		return;
	work->length_bytes = vk_mul_sat(partition->sectors, table->sector_size);
	work->length_proved = true;
}

/* The report that more blocks confirm stays. */
static enum vk_status try_place(struct vk_header_work *work, int64_t start_bytes, struct vk_error *err)
{
	struct vk_self_report *best = &work->self, here;
	enum vk_status status;

	if (start_bytes < 0 || (best->self_located > 0 && best->volume_start_bytes == start_bytes))
		return VK_OK;
	status = vk_self_report_at(work->window, (uint64_t)start_bytes, vk_io_size_bytes(work->window),
				   &here, err);
	if (status == VK_OK && here.self_located > best->self_located)
		*best = here;
	return status;
}

/*
 * Ask the volume about itself: at the usual place, at the one that the scan of the whole disk votes for, at the one
 * that a usable LVM header names; the strongest answer counts.
 */
static enum vk_status ask_volume(struct vk_header_work *work, struct vk_error *err)
{
	const struct vk_candidate *c = work->options->candidate;
	const struct vk_vote *vote = c != NULL && c->vote.blocks > 0 ? &c->vote : NULL;
	int64_t voted = vote != NULL ? vote->volume_start_bytes - (int64_t)work->start_bytes : -1;
	struct vk_self_report *r = &work->self;
	uint64_t locks = 0;
	enum vk_status status = try_place(work, VK_LVM_DATA_OFFSET, err);

	if (status == VK_OK)
		status = try_place(work, voted, err);
	if (status == VK_OK && work->vmfs.lvm_usable && work->vmfs.lvm.dataOffset <= INT64_MAX)
		status = try_place(work, (int64_t)work->vmfs.lvm.dataOffset, err);
	/* the scan has seen more than this look did */
	if (vote == NULL || vote->blocks <= r->votes || (r->votes > 0 && r->volume_start_bytes != voted))
		return status;
	for (size_t i = 0; i < sizeof(vote->locks) / sizeof(vote->locks[0]); i++)
		locks += vote->locks[i];
	r->volume_start_bytes = voted;
	r->votes = vote->blocks;
	r->highest_volume_offset = vk_max_u64(r->highest_volume_offset, vote->last_addr);
	snprintf(r->votes_from, sizeof(r->votes_from), "%" PRIu64 " locks and %" PRIu64 " heartbeats on the disk",
		 locks, (uint64_t)vote->heartbeats);
	return status;
}

/* Whether the source is large enough to hold a volume's header at all. */
static enum vk_status open_window(struct vk_header_work *work, struct vk_error *err)
{
	uint64_t size = vk_io_size_bytes(vk_overlay_io(work->overlay));
	uint64_t room = size > work->start_bytes ? size - work->start_bytes : 0;

	if (work->length_bytes != 0)
		room = vk_min_u64(room, work->length_bytes);
	work->room_bytes = work->sector_size != 0 ? room - room % work->sector_size : 0;
	if (work->sector_size == 0 || work->start_bytes % work->sector_size != 0 ||
	    work->room_bytes <= VK_LVM_DATA_OFFSET) {
		vk_error_set(err, VK_ABSENT, vk_io_name(work->base),
			     "there is no room for a VMFS volume from byte %" PRIu64 " on", work->start_bytes);
		return vk_error_remedy(err, "check that the whole disk is visible and the start is right");
	}
	work->window = vk_io_window(vk_overlay_io(work->overlay), work->start_bytes, work->room_bytes);
	if (work->window == NULL)
		return vk_no_memory(err, vk_io_name(work->base));
	vk_io_set_sector_size(work->window, work->sector_size);
	return VK_OK;
}

/* start_bytes: where what the findings before speak of begins. */
static bool known_before(const struct vk_findings *before, uint64_t start_bytes, const struct vk_finding *finding)
{
	for (size_t i = 0; i < before->count; i++)
		if (before->items[i].code == finding->code &&
		    before->items[i].offset_bytes == vk_add_sat(start_bytes, finding->offset_bytes))
			return true;
	return false;
}

/*
 * What the decoders say of the result. A contradiction in what was put together means that too little was left to put
 * it together from; what lies behind it may only now be seen to be damaged.
 */
static enum vk_status prove(struct vk_header_work *work, const struct vk_findings *before, uint64_t start_bytes,
			    struct vk_error *err)
{
	uint64_t data = vk_min_u64(VK_LVM_DATA_OFFSET, work->room_bytes);

	for (size_t i = 0; i < work->findings.count; i++) {
		const struct vk_finding *f = &work->findings.items[i];
		const struct vk_finding_kind *kind = vk_finding_kind(f->code);

		if (kind->severity == VK_INFO || known_before(before, start_bytes, f))
			continue;
		if (f->offset_bytes < data && kind->severity == VK_ERROR) {
			vk_error_set(err, VK_ABSENT, vk_io_name(work->base),
				     "too little is left of the headers: together they contradict each other (%s)",
				     f->message);
			vk_error_at(err, work->start_bytes + f->offset_bytes);
			return vk_error_remedy(err, "restore them from a capture, or name one with --capture");
		}
		vk_work_lost(work, "seen only now, at byte %" PRIu64 " of the partition: %s.", f->offset_bytes,
			     f->message);
	}
	return VK_OK;
}

static enum vk_status plan(struct vk_header_work *work, const struct vk_source *disk, struct vk_error *err)
{
	static enum vk_status (*const parts[])(struct vk_header_work *, struct vk_error *) = {
		vk_rebuild_lvm, vk_rebuild_fs, vk_rebuild_heartbeats};
	bool borrowed = borrow_decoded(work, disk);
	enum vk_status status = borrowed ? VK_OK : decode(work, err);
	struct vk_findings before = work->findings;

	memset(&work->findings, 0, sizeof(work->findings));
	work->is_decoded = true;
	if (status == VK_OK)
		status = ask_volume(work, err);
	for (size_t i = 0; status == VK_OK && i < sizeof(parts) / sizeof(parts[0]); i++) {
		status = parts[i](work, err);
		if (status == VK_OK && !work->is_decoded)
			status = decode(work, err);
	}
	/* nothing that was put: nothing can be seen only now */
	if (status == VK_OK && !work->vmfs_borrowed)
		status = prove(work, borrowed ? &disk->findings : &before, borrowed ? work->start_bytes : 0, err);
	vk_findings_free(&before);
	return status;
}

enum vk_status vk_rebuild_header(const struct vk_source *disk, uint64_t start_bytes, uint64_t length_bytes,
				 const struct vk_rebuild_header_options *options,
				 struct vk_overlay *overlay, struct vk_rebuild_header *ret_header,
				 struct vk_error *err)
{
	static const struct vk_rebuild_header_options usual;
	struct vk_rebuild_header header = {0};
	struct vk_header_work *work = malloc(sizeof(*work));
	const struct vk_edit *edits;
	size_t edits_before = vk_overlay_edits(overlay, &edits);
	enum vk_status status;

	if (work == NULL)
		return vk_no_memory(err, vk_io_name(disk->io));
	*work = (struct vk_header_work){.overlay = overlay, .base = disk->io, .start_bytes = start_bytes,
					.length_bytes = length_bytes, .sector_size = disk->sector_size,
					.options = options != NULL ? options : &usual, .header = &header};
	for (size_t i = 0; i < VK_HS_COUNT; i++)
		header.verdicts[i].state = VK_STRUCTURE_NONE;
	ask_table(work, disk);
	status = open_window(work, err);
	if (status == VK_OK)
		status = plan(work, disk, err);
	if (status == VK_OK && work->no_memory)
		status = vk_no_memory(err, vk_io_name(disk->io));
	header.nothing_to_do = vk_overlay_edits(overlay, &edits) == edits_before && header.field_count == 0;
	if (!work->vmfs_borrowed)
		vk_vmfs_free(&work->vmfs);
	vk_findings_free(&work->findings);
	vk_io_close(work->window);
	free(work);
	if (status == VK_OK)
		*ret_header = header;
	else
		vk_rebuild_header_free(&header);
	return status;
}

void vk_rebuild_header_free(struct vk_rebuild_header *header)
{
	vk_sentences_free(&header->lost, &header->lost_count);
	vk_sentences_free(&header->notes, &header->note_count);
	free(header->fields);
	memset(header, 0, sizeof(*header));
}
