/* SPDX-License-Identifier: Apache-2.0 */
/* Mends or makes anew the headers of one partition on an overlay, and proves the result with the decoders. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/checked.h"
#include "base/texts.h"
#include "rebuild/header/header_work.h"
#include "vmfskit/table.h"

static const struct vk_partition *partition_at(const struct vk_table *table, uint64_t start_bytes)
{
	for (size_t i = 0; i < table->partition_count; i++)
		if (vk_mul_sat(table->partitions[i].start_sector, table->sector_size) == start_bytes)
			return &table->partitions[i];
	return NULL;
}

/*
 * An entry of a GPT whose checksums are right proves where the partition ends: the disk's own, or the one in the tail
 * of an image that begins behind the beginning of its disk.
 */
static enum vk_status ask_table(struct vk_header_work *work, struct vk_error *err)
{
	const struct vk_partition *partition = NULL;
	struct vk_tail_gpt tail = {0};
	struct vk_table table = {0};
	uint32_t sector_size = 0;
	enum vk_status status = vk_table_read(work->base, work->sector_size, true, NULL, &table, err);

	if (status == VK_OK)
		status = vk_tail_gpt_read(work->base, 0, &tail, err);
	if (status == VK_OK && tail.first_sector != 0) {
		partition = vk_tail_gpt_partition(&tail, work->start_bytes);
		sector_size = tail.table.sector_size;
	} else if (status == VK_OK && table.kind == VK_TABLE_GPT && table.gpt_chosen >= 0 &&
		   table.gpt[table.gpt_chosen].sound) {
		partition = partition_at(&table, work->start_bytes);
		sector_size = table.sector_size;
	}
	if (partition != NULL) {
		work->length_bytes = vk_mul_sat(partition->sectors, sector_size);
		work->length_proved = true;
	}
	vk_tail_gpt_free(&tail);
	vk_table_free(&table);
	/* what cannot be read there proves nothing */
	return status == VK_IO ? VK_OK : status;
}

/* Whether the source is large enough to hold a volume's header at all. */
static enum vk_status open_work(struct vk_header_work *work, struct vk_error *err)
{
	uint64_t size = vk_io_size_bytes(vk_overlay_io(work->overlay));
	uint64_t room = size > work->start_bytes ? size - work->start_bytes : 0;

	if (work->length_bytes != 0)
		room = vk_min_u64(room, work->length_bytes);
	work->room_bytes = work->sector_size != 0 ? room - room % work->sector_size : 0;
	if (work->sector_size == 0 || work->start_bytes % work->sector_size != 0 ||
	    work->room_bytes <= VK_LVM_DATA_OFFSET) {
		vk_error_set(err, VK_ABSENT, vk_io_name(work->base),
			     "There is no room for a VMFS volume from byte %llu on",
			     (unsigned long long)work->start_bytes);
		return vk_error_remedy(err, "make sure that the whole disk is visible and the start is right");
	}
	work->window =
		vk_io_window(vk_overlay_io(work->overlay), work->start_bytes, work->room_bytes);
	if (work->window == NULL)
		return vk_no_memory(err, vk_io_name(work->base));
	vk_io_set_sector_size(work->window, work->sector_size);
	return VK_OK;
}

static bool known_before(const struct vk_findings *before, const struct vk_finding *finding)
{
	for (size_t i = 0; i < before->count; i++)
		if (before->items[i].code == finding->code &&
		    before->items[i].offset_bytes == finding->offset_bytes)
			return true;
	return false;
}

/*
 * What the decoders say of the result. A contradiction in what was put together means that too little was left to put
 * it together from; what lies behind it may only now be seen to be damaged.
 */
static enum vk_status prove(struct vk_header_work *work, const struct vk_findings *before,
			    struct vk_error *err)
{
	uint64_t data = vk_min_u64(VK_LVM_DATA_OFFSET, work->room_bytes);

	for (size_t i = 0; i < work->findings.count; i++) {
		const struct vk_finding *f = &work->findings.items[i];
		const struct vk_finding_kind *kind = vk_finding_kind(f->code);

		if (kind->severity == VK_INFO || known_before(before, f))
			continue;
		if (f->offset_bytes < data && kind->severity == VK_ERROR) {
			vk_error_set(err, VK_ABSENT, vk_io_name(work->base),
				     "Too little is left of the headers: put together, they contradict themselves (%s)",
				     f->message);
			vk_error_at(err, work->start_bytes + f->offset_bytes);
			return vk_error_remedy(err, "restore them from a capture, or give one to ask with --capture");
		}
		vk_work_lost(work, "Seen only now, at byte %llu of the partition: %s.",
			     (unsigned long long)f->offset_bytes, f->message);
	}
	return VK_OK;
}

static bool nothing_to_do(const struct vk_header_work *work, size_t edits_before)
{
	const struct vk_edit *edits;

	return vk_overlay_edits(work->overlay, &edits) == edits_before &&
	       work->header->field_count == 0;
}

static enum vk_status plan(struct vk_header_work *work, struct vk_error *err)
{
	static enum vk_status (*const parts[])(struct vk_header_work *, struct vk_error *) = {
		vk_rebuild_lvm, vk_rebuild_fs, vk_rebuild_heartbeats};
	enum vk_status status = vk_work_decode(work, err);
	struct vk_findings before;

	if (status != VK_OK)
		return status;
	before = work->findings;
	memset(&work->findings, 0, sizeof(work->findings));
	status = vk_work_ask_volume(work, &work->self, err);
	for (size_t i = 0; status == VK_OK && i < sizeof(parts) / sizeof(parts[0]); i++) {
		status = parts[i](work, err);
		if (status == VK_OK && !work->is_decoded)
			status = vk_work_decode(work, err);
	}
	if (status == VK_OK)
		status = prove(work, &before, err);
	vk_findings_free(&before);
	return status;
}

enum vk_status vk_rebuild_header(struct vk_io *io, uint64_t start_bytes, uint64_t length_bytes,
				 uint32_t sector_size,
				 const struct vk_rebuild_header_options *options,
				 struct vk_overlay *overlay, struct vk_rebuild_header *ret_header,
				 struct vk_error *err)
{
	static const struct vk_rebuild_header_options usual;
	struct vk_rebuild_header header = {0};
	struct vk_header_work work = {
		.overlay = overlay,
		.base = io,
		.start_bytes = start_bytes,
		.length_bytes = length_bytes,
		.sector_size = sector_size,
		.options = options != NULL ? options : &usual,
		.header = &header,
	};
	const struct vk_edit *edits;
	size_t edits_before = vk_overlay_edits(overlay, &edits);
	enum vk_status status = work.sector_size == 0 ? VK_OK : ask_table(&work, err);

	if (status == VK_OK)
		status = open_work(&work, err);
	for (size_t i = 0; i < VK_HS_COUNT; i++)
		header.verdicts[i].state = VK_STRUCTURE_NONE;
	if (status == VK_OK)
		status = plan(&work, err);
	if (status == VK_OK && work.no_memory)
		status = vk_no_memory(err, vk_io_name(io));
	if (status == VK_OK)
		header.nothing_to_do = nothing_to_do(&work, edits_before);
	vk_vmfs_free(&work.vmfs);
	vk_findings_free(&work.findings);
	vk_io_close(work.window);
	if (status != VK_OK) {
		vk_rebuild_header_free(&header);
		return status;
	}
	*ret_header = header;
	return VK_OK;
}

void vk_rebuild_header_free(struct vk_rebuild_header *header)
{
	vk_sentences_free(&header->lost, &header->lost_count);
	vk_sentences_free(&header->notes, &header->note_count);
	free(header->fields);
	memset(header, 0, sizeof(*header));
}
