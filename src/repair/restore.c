/* SPDX-License-Identifier: Apache-2.0 */
/* Plans a restore on an overlay, and hands it to the writer. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/crash_point.h"
#include "base/memory.h"
#include "base/checked.h"
#include "base/texts.h"
#include "repair/guard/guards.h"
#include "repair/restore_gaps.h"
#include "repair/unsaved.h"
#include "repair/writer.h"

/* A structure uses these sectors. */
static bool add_used(struct vk_restore *restore, uint64_t start, uint64_t length)
{
	uint32_t ss = restore->target.sector_size;
	uint64_t end = vk_round_up_sat(vk_add_sat(start, length), ss);

	return vk_range_set_add(&restore->used, start - start % ss, end - (start - start % ss));
}

/*
 * How the target looks now where the capture saw VMFS partitions. What lies in these, and in the partitions of the
 * captured table, is not the table's, even where its region reaches in.
 */
static enum vk_status decode_places(struct vk_restore *restore, struct vk_error *err)
{
	const struct vk_capture *capture = restore->capture;
	bool whole_disk = capture->source_kind != VK_SOURCE_PARTITION, sound = true;
	size_t count = restore->captured != NULL ? restore->captured->table.partition_count : 0;

	restore->places = calloc(capture->identity_count + 1, sizeof(*restore->places));
	if (restore->places == NULL)
		return vk_no_memory(err, NULL);
	for (size_t i = 0; i < capture->identity_count; i++) {
		struct vk_captured_place *place = &restore->places[restore->place_count++];
		const struct vk_identity *identity = &capture->identities[i];
		struct vk_finding_sink sink = vk_findings_sink(&place->findings);
		enum vk_status status;

		place->identity = identity;
		if (whole_disk) {
			place->start_bytes = vk_mul_sat(identity->start_sector, capture->sector_size);
			place->length_bytes = vk_mul_sat(identity->sectors, capture->sector_size);
		}
		if (place->length_bytes == 0)
			place->length_bytes = capture->size_bytes;
		place->vmfs.partition = identity->partition;
		place->vmfs.start_sector = whole_disk ? identity->start_sector : 0;
		place->vmfs.sectors = identity->sectors;
		place->vmfs.partition_bytes = place->length_bytes;
		place->window = vk_io_window(restore->io, place->start_bytes, place->length_bytes);
		if (place->window == NULL)
			return vk_no_memory(err, NULL);
		status = vk_vmfs_read(place->window, &sink, &place->vmfs, err);
		if (status != VK_OK)
			return status;
		vk_disk_facts_learn(restore->facts, place->start_bytes, &place->vmfs);
		for (size_t k = 0; k < place->vmfs.place_count; k++)
			sound = sound && add_used(restore, place->start_bytes + place->vmfs.places[k].offset_bytes,
						  place->vmfs.places[k].length_bytes);
		/* the guards ask who it is; what is long is not kept for each of many partitions */
		free(place->vmfs.runs);
		free(place->vmfs.places);
		place->vmfs.runs = NULL;
		place->vmfs.places = NULL;
		place->vmfs.run_count = place->vmfs.place_count = 0;
		if (place->start_bytes > 0)
			sound = sound && vk_range_set_add(&restore->keep_out, place->start_bytes, place->length_bytes);
	}
	for (size_t i = 0; sound && i < count; i++) {
		const struct vk_partition *partition = &restore->captured->table.partitions[i];

		if (!vk_partition_is_extended(partition) && partition->start_sector > 0)
			sound = vk_range_set_add(&restore->keep_out,
						 vk_mul_sat(partition->start_sector, capture->sector_size),
						 vk_mul_sat(partition->sectors, capture->sector_size));
	}
	return sound ? VK_OK : vk_no_memory(err, NULL);
}

/* unsaved: what repair worked out, from overlay; else NULL. */
static enum vk_status make_plan(struct vk_restore *restore, const struct vk_unsaved *unsaved,
				const struct vk_overlay *overlay, struct vk_error *err)
{
	const struct vk_capture *capture = restore->capture;
	uint32_t ss = restore->target.sector_size;
	enum vk_status status = vk_capture_io(capture, &restore->captured_io, err);

	if (status == VK_OK && unsaved != NULL) {
		restore->captured = restore->after = &unsaved->after;
	} else if (status == VK_OK && !capture->is_undo) {
		status = vk_source_over(restore->captured_io, capture->path, capture->source_kind, ss,
					&restore->own_captured, err);
		restore->captured = status == VK_OK ? &restore->own_captured : NULL;
	}
	if (status == VK_OK)
		status = decode_places(restore, err);
	/* of signatures that go, what stands there now says what they are of */
	if (status == VK_OK)
		status = vk_structures_list(restore->captured != NULL && !vk_rebuilt_is_wipe(&capture->rebuilt)
						    ? restore->captured : restore->before,
					    &restore->structures, err);
	for (size_t i = 0; i < restore->structures.count && status == VK_OK; i++)
		if (!add_used(restore, restore->structures.items[i].start,
			      restore->structures.items[i].end - restore->structures.items[i].start))
			status = vk_no_memory(err, NULL);
	if (status == VK_OK)
		status = vk_restore_choose(restore, err);
	if (status == VK_OK)
		status = vk_restore_choose_gaps(restore, err);
	if (status == VK_OK)
		status = vk_restore_edit(restore, err);
	if (status == VK_OK)
		status = vk_restore_known_state(restore, &restore->known_state, err);
	if (status == VK_OK)
		status = vk_restore_make_digest(restore, err);
	if (status != VK_OK)
		return status;
	/* the result is decoded like any disk; what repair worked out was, and the plan must be the same */
	if (unsaved != NULL) {
		status = vk_unsaved_check(overlay, restore, err);
	} else {
		status = vk_source_over(vk_overlay_io(restore->overlay), restore->path, capture->source_kind, ss,
					&restore->own_after, err);
		restore->after = &restore->own_after;
	}
	if (status != VK_OK)
		return status;
	if (!capture->is_undo && !capture->is_rebuilt)
		vk_restore_say_left_out(restore);
	status = vk_guards_ask_all(restore, err);
	return status == VK_OK && restore->remark_lost ? vk_no_memory(err, NULL) : status;
}

/* path: of the target, to be opened; or target: it is open. */
static enum vk_status start_plan(struct vk_restore *restore, const char *path, struct vk_target *target,
				 bool *ret_sound, struct vk_error *err)
{
	const struct vk_capture *capture = restore->capture;
	uint32_t sector_size = restore->options.sector_size;
	struct stat st;
	enum vk_status status;

	restore->store = restore->options.store != NULL ? restore->options.store : VK_STORE_DEFAULT;
	/* judging reads all of the capture: the target is opened behind it, so that the guards see what stands then */
	status = vk_guard_ask_capture(restore, ret_sound, err);
	if (status != VK_OK)
		return status;
	vk_stop_point("capture judged");
	if (target == NULL) {
		if (sector_size == 0 && stat(path, &st) == 0 && S_ISREG(st.st_mode))
			sector_size = capture->sector_size;
		target = &restore->own;
		status = vk_target_open(path, capture->source_kind, sector_size, &restore->options.view, target, err);
		if (status != VK_OK)
			return status;
	}
	restore->path = target->path;
	restore->target = target->id;
	restore->io = target->source.raw;
	restore->before = &target->source;
	restore->facts = &target->facts;
	restore->overlay = vk_overlay_new(restore->io);
	return restore->overlay != NULL ? VK_OK : vk_no_memory(err, NULL);
}

static enum vk_status plan(const struct vk_capture *capture, const char *path, struct vk_target *target,
			   const struct vk_unsaved *unsaved, const struct vk_overlay *overlay,
			   const struct vk_restore_options *options, struct vk_restore **ret_restore,
			   struct vk_error *err)
{
	struct vk_restore *restore = calloc(1, sizeof(*restore));
	bool sound = true;
	enum vk_status status;

	if (restore == NULL)
		return vk_no_memory(err, NULL);
	restore->capture = capture;
	restore->options = *options;
	status = start_plan(restore, path, target, &sound, err);
	/* of a capture that is refused for being broken nothing more is believed, not even its counts */
	if (status == VK_OK && (sound || !vk_restore_refused(restore)))
		status = make_plan(restore, unsaved, overlay, err);
	else if (status == VK_OK)
		status = vk_source_over(vk_overlay_io(restore->overlay), restore->path, capture->source_kind,
					restore->target.sector_size, &restore->own_after, err);
	if (restore->after == NULL)
		restore->after = &restore->own_after;
	if (status != VK_OK) {
		vk_restore_free(restore);
		return status;
	}
	*ret_restore = restore;
	return VK_OK;
}

enum vk_status vk_restore_plan(const struct vk_capture *capture, const char *target,
			       const struct vk_restore_options *options,
			       struct vk_restore **ret_restore, struct vk_error *err)
{
	return plan(capture, target, NULL, NULL, NULL, options, ret_restore, err);
}

enum vk_status vk_restore_plan_unsaved(const struct vk_unsaved *unsaved, const struct vk_overlay *overlay,
				       struct vk_target *target, const struct vk_restore_options *options,
				       struct vk_restore **ret_restore, struct vk_error *err)
{
	return plan(&unsaved->capture, NULL, target, unsaved, overlay, options, ret_restore, err);
}

void vk_restore_free(struct vk_restore *restore)
{
	if (restore == NULL)
		return;
	vk_guard_heartbeat_forget(restore);
	vk_source_close(&restore->own_after);
	vk_overlay_free(restore->overlay);
	for (size_t i = 0; i < restore->place_count; i++) {
		vk_vmfs_free(&restore->places[i].vmfs);
		vk_findings_free(&restore->places[i].findings);
		vk_io_close(restore->places[i].window);
	}
	free(restore->places);
	vk_structures_free(&restore->structures);
	vk_source_close(&restore->own_captured);
	vk_io_close(restore->captured_io);
	vk_io_close(restore->kept.held);
	vk_target_close(&restore->own);
	vk_range_set_free(&restore->keep_out);
	vk_range_set_free(&restore->used);
	free(restore->chosen);
	free(restore->gaps_only);
	free(restore->choices);
	free(restore->objections);
	vk_sentences_free(&restore->remarks, &restore->remark_count);
	free(restore);
}

unsigned vk_restore_parts(const struct vk_restore *restore)
{
	return restore->parts;
}

size_t vk_restore_choices(const struct vk_restore *restore,
			  const struct vk_restore_choice **ret_choices)
{
	*ret_choices = restore->choices;
	return restore->choice_count;
}

size_t vk_restore_edits(const struct vk_restore *restore, const struct vk_edit **ret_edits)
{
	return vk_overlay_edits(restore->overlay, ret_edits);
}

const struct vk_source *vk_restore_before(const struct vk_restore *restore)
{
	return restore->before;
}

const struct vk_source *vk_restore_after(const struct vk_restore *restore)
{
	return restore->after;
}

uint64_t vk_restore_written_bytes(const struct vk_restore *restore)
{
	return restore->written_bytes;
}

const char *vk_restore_note(const struct vk_restore *restore)
{
	return restore->note;
}

/* Whether the plan may be carried out at all. */
static enum vk_status may_write(const struct vk_restore *restore, struct vk_error *err)
{
	const struct vk_objection *refusal = vk_restore_first_refusal(restore);

	if (vk_io_refuse_view(restore->io, err) != VK_OK)
		return VK_REFUSED;
	return refusal == NULL ? VK_OK
			       : vk_error_set(err, VK_REFUSED, restore->path, "guard %s: %s",
					      vk_guard_kind(refusal->guard)->name, refusal->message);
}

enum vk_status vk_restore_write_scratch(struct vk_restore *restore, struct vk_error *err)
{
	struct vk_write_job job = {.path = restore->path,
				   .target = restore->target,
				   .facts = restore->facts,
				   .ret_written = &restore->written_bytes};
	enum vk_status status = may_write(restore, err);
	struct vk_text note = vk_text_in(restore->note, sizeof(restore->note));

	job.edit_count = vk_overlay_edits(restore->overlay, &job.edits);
	return status != VK_OK || job.edit_count == 0 ? status : vk_writer_run(&job, &note, err);
}

enum vk_status vk_restore_write(struct vk_restore *restore, char ret_undo_id[VK_CAPTURE_ID_BYTES],
				struct vk_error *err)
{
	struct vk_write_job job = {
		.path = restore->path,
		.target = restore->target,
		.facts = restore->facts,
		.shared = restore->held && vk_guard_is_lifted(&restore->options, VK_GUARD_IN_USE),
		.store = restore->store,
		.undo_id = ret_undo_id,
		.ret_written = &restore->written_bytes,
		.restore = restore,
	};
	const struct vk_store_options use = {.use = VK_STORE_ADD,
					     .sign_key = restore->options.sign_key,
					     .command = restore->options.command};
	struct vk_capture_options take = {.sector_size = restore->target.sector_size};
	struct vk_region *regions = NULL;
	struct vk_text note;
	enum vk_status status;
	size_t count;

	ret_undo_id[0] = '\0';
	status = may_write(restore, err);
	if (status != VK_OK)
		return status;
	job.edit_count = vk_overlay_edits(restore->overlay, &job.edits);
	if (job.edit_count == 0)
		return VK_OK;
	status = vk_store_open(restore->store, &use, &job.ledger, err);
	if (status != VK_OK)
		return status;
	take.store = job.ledger;
	status = vk_restore_undo_regions(restore, &regions, &count, err);
	if (status == VK_OK)
		status = vk_capture_take_undo(restore->io, restore->capture, regions, count, &take, ret_undo_id, err);
	free(regions);
	if (status == VK_OK) {
		if (restore->options.undo_taken != NULL)
			restore->options.undo_taken(restore->options.undo_taken_ctx, ret_undo_id);
		job.reread_table = vk_restore_edits_in_part(restore, VK_PART_TABLE);
		note = vk_text_in(restore->note, sizeof(restore->note));
		status = vk_writer_run(&job, &note, err);
	}
	vk_store_close(job.ledger);
	return status;
}
