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
#include "repair/last_look.h"
#include "repair/restore.h"

/* The guards ask who it is; what is long is not kept for each of many partitions. */
static void keep_identity(struct vk_vmfs *vmfs)
{
	free(vmfs->runs);
	free(vmfs->places);
	vmfs->runs = NULL;
	vmfs->places = NULL;
	vmfs->run_count = 0;
	vmfs->place_count = 0;
}

/* How the target looks now where the capture saw VMFS partitions. */
static enum vk_status decode_places(struct vk_restore *restore, struct vk_error *err)
{
	const struct vk_capture *capture = restore->capture;
	bool whole_disk = capture->source_kind != VK_SOURCE_PARTITION;

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
		keep_identity(&place->vmfs);
	}
	return VK_OK;
}

/* What lies in the captured table's partitions is not the table's, even where its region reaches in. */
static enum vk_status fence_partitions(struct vk_restore *restore, struct vk_error *err)
{
	size_t count = restore->captured != NULL ? restore->captured->table.partition_count : 0;
	uint32_t ss = restore->capture->sector_size;
	bool sound = true;

	for (size_t i = 0; sound && i < count; i++) {
		const struct vk_partition *partition = &restore->captured->table.partitions[i];

		if (!vk_partition_is_extended(partition) && partition->start_sector > 0)
			sound = vk_range_set_add(&restore->keep_out, vk_mul_sat(partition->start_sector, ss),
						 vk_mul_sat(partition->sectors, ss));
	}
	for (size_t i = 0; sound && i < restore->place_count; i++)
		if (restore->places[i].start_bytes > 0)
			sound = vk_range_set_add(&restore->keep_out, restore->places[i].start_bytes,
						 restore->places[i].length_bytes);
	return sound ? VK_OK : vk_no_memory(err, NULL);
}

static enum vk_status read_capture(struct vk_restore *restore, const struct vk_unsaved *unsaved, struct vk_error *err)
{
	const struct vk_capture *capture = restore->capture;
	enum vk_status status = vk_capture_io(capture, &restore->captured_io, err);

	if (unsaved != NULL)
		restore->captured = &unsaved->after;
	if (status != VK_OK || capture->is_undo || unsaved != NULL)
		return status;
	status = vk_source_over(restore->captured_io, capture->path, capture->source_kind, restore->target.sector_size,
				&restore->own_captured, err);
	if (status == VK_OK)
		restore->captured = &restore->own_captured;
	return status;
}

static enum vk_status list_structures(struct vk_restore *restore, const struct vk_unsaved *unsaved,
				      struct vk_error *err)
{
	enum vk_status status = read_capture(restore, unsaved, err);

	if (status == VK_OK)
		status = decode_places(restore, err);
	if (status == VK_OK)
		status = fence_partitions(restore, err);
	if (status == VK_OK)
		status = vk_structures_list(restore->captured != NULL ? restore->captured : restore->before,
					    &restore->structures, err);
	return status;
}

static enum vk_status plan_edits(struct vk_restore *restore, const struct vk_unsaved *unsaved, struct vk_error *err)
{
	enum vk_status status = list_structures(restore, unsaved, err);

	if (status == VK_OK)
		status = vk_restore_choose(restore, err);
	if (status == VK_OK)
		status = vk_restore_edit(restore, err);
	if (status == VK_OK)
		status = vk_restore_known_state(restore, &restore->known_state, err);
	if (status == VK_OK)
		status = vk_restore_make_digest(restore, err);
	return status;
}

/*
 * The result is decoded like any disk; of what repair worked out that was done, and the plan is shown to be the same.
 */
static enum vk_status decode_result(struct vk_restore *restore, const struct vk_unsaved *unsaved,
				    const struct vk_overlay *overlay, struct vk_error *err)
{
	enum vk_status status;

	if (unsaved != NULL) {
		restore->after = &unsaved->after;
		return vk_unsaved_check(overlay, restore, err);
	}
	status = vk_source_over(vk_overlay_io(restore->overlay), restore->path, restore->capture->source_kind,
				restore->target.sector_size, &restore->own_after, err);
	if (status == VK_OK)
		restore->after = &restore->own_after;
	return status;
}

static enum vk_status make_plan(struct vk_restore *restore, const struct vk_unsaved *unsaved,
				const struct vk_overlay *overlay, bool capture_sound, struct vk_error *err)
{
	bool hopeless;
	enum vk_status status = VK_OK;

	restore->overlay = vk_overlay_new(restore->io);
	if (restore->overlay == NULL)
		return vk_no_memory(err, NULL);
	/* of a capture that is refused for being broken nothing more is believed, not even its counts */
	hopeless = !capture_sound && vk_restore_refused(restore);
	if (!hopeless)
		status = plan_edits(restore, unsaved, err);
	if (status == VK_OK)
		status = decode_result(restore, unsaved, overlay, err);
	if (status != VK_OK || hopeless)
		return status;
	if (!restore->capture->is_undo && !restore->capture->is_rebuilt)
		vk_restore_say_left_out(restore);
	status = vk_guards_ask_all(restore, err);
	return status == VK_OK && restore->remark_lost ? vk_no_memory(err, NULL) : status;
}

/* path: of the target, to be opened; target: it is open. */
static enum vk_status start_plan(struct vk_restore *restore, const char *path, struct vk_target *target,
				 bool *ret_sound, struct vk_error *err)
{
	const struct vk_capture *capture = restore->capture;
	uint32_t sector_size = restore->options.sector_size;
	struct stat st;
	enum vk_status status;

	restore->store = strdup(restore->options.store != NULL ? restore->options.store : VK_STORE_DEFAULT);
	restore->options.store = restore->store;
	if (restore->store == NULL)
		return vk_no_memory(err, NULL);
	/* judging reads all of the capture: the target is opened behind it, so that the guards see what stands then */
	status = vk_guard_ask_capture(restore, ret_sound, err);
	if (status != VK_OK)
		return status;
	vk_stop_point("capture judged");
	if (target == NULL) {
		if (sector_size == 0 && stat(path, &st) == 0 && S_ISREG(st.st_mode))
			sector_size = capture->sector_size;
		target = &restore->own;
		status = vk_target_open(path, capture->source_kind, sector_size, target, err);
		if (status != VK_OK)
			return status;
	}
	restore->path = target->path;
	restore->target = target->id;
	restore->io = target->source.raw;
	restore->before = &target->source;
	restore->facts = &target->facts;
	return VK_OK;
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
	if (status == VK_OK)
		status = make_plan(restore, unsaved, overlay, sound, err);
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
	free(restore->chosen);
	free(restore->choices);
	free(restore->objections);
	vk_sentences_free(&restore->remarks, &restore->remark_count);
	free(restore->store);
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

static enum vk_status take_undo(struct vk_restore *restore, struct vk_store *store,
				char ret_undo_id[VK_CAPTURE_ID_BYTES], struct vk_error *err)
{
	struct vk_capture_options options = {.store = store,
					     .sector_size = restore->target.sector_size};
	struct vk_region *regions;
	size_t count;
	enum vk_status status = vk_restore_undo_regions(restore, &regions, &count, err);

	if (status != VK_OK)
		return status;
	status = vk_capture_take_undo(restore->io, restore->capture, regions, count, &options,
				      ret_undo_id, err);
	free(regions);
	return status;
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
		.before_write = vk_last_look_before,
		.after_write = vk_last_look_after,
	};
	const struct vk_store_options use = {.use = VK_STORE_ADD,
					     .sign_key = restore->options.sign_key,
					     .command = restore->options.command};
	struct vk_last_look look = {.restore = restore, .undo_id = ret_undo_id};
	const struct vk_objection *refusal = vk_restore_first_refusal(restore);
	struct vk_text note;
	enum vk_status status;

	job.ctx = &look;
	ret_undo_id[0] = '\0';
	if (refusal != NULL)
		return vk_error_set(err, VK_REFUSED, restore->path, "Guard %s: %s", vk_guard_kind(refusal->guard)->name,
				    refusal->message);
	job.edit_count = vk_overlay_edits(restore->overlay, &job.edits);
	if (job.edit_count == 0)
		return VK_OK;
	status = vk_store_open(restore->store, &use, &look.store, err);
	if (status != VK_OK)
		return status;
	status = take_undo(restore, look.store, ret_undo_id, err);
	if (status == VK_OK) {
		if (restore->options.undo_taken != NULL)
			restore->options.undo_taken(restore->options.undo_taken_ctx, ret_undo_id);
		job.reread_table = vk_restore_edits_in_part(restore, VK_PART_TABLE);
		vk_text_init(&note, restore->note, sizeof(restore->note));
		status = vk_writer_run(&job, &note, err);
	}
	vk_store_close(look.store);
	return status;
}
