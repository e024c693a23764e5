/* SPDX-License-Identifier: Apache-2.0 */
/* What the repair of tables and of headers, and a wipe, have in common: open, search, plan, save, write. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crash_point.h"
#include "base/memory.h"
#include "base/checked.h"
#include "repair/guard/guards.h"
#include "repair/repair_state.h"
#include "store/manifest/rebuilt.h"

static void forget(struct vk_repair *repair)
{
	vk_restore_free(repair->restore);
	vk_target_close(&repair->again);
	vk_unsaved_free(&repair->unsaved);
	vk_rebuild_table_free(&repair->table);
	vk_rebuild_header_free(&repair->header);
	vk_find_free(&repair->find);
	free(repair->known_headers);
	for (size_t i = 0; i < repair->member_count; i++)
		vk_source_close(&repair->members[i]);
	free(repair->members);
	for (size_t i = 0; i < repair->known_count; i++)
		vk_known_free(&repair->known[i]);
	free(repair->known);
	free(repair->hints);
	vk_overlay_free(repair->overlay);
	vk_target_close(&repair->target);
	*repair = (struct vk_repair){.kind = repair->kind, .options = repair->options};
}

enum vk_status vk_repair_open(struct vk_repair *repair, const char *target, enum vk_source_kind as,
			      struct vk_error *err)
{
	const struct vk_source *source = &repair->target.source;
	const struct vk_reading *best;
	const struct vk_form *form;
	enum vk_guard guard;
	enum vk_status status;

	forget(repair);
	status = vk_target_open(target, as, repair->options.restore.sector_size, &repair->options.restore.view,
				&repair->target, err);
	if (status != VK_OK)
		return status;
	/* what it holds was printed or packed: there is nothing to write to */
	form = vk_form(vk_io_form_of(source->raw));
	if (form->unfold != NULL && !vk_guard_is_lifted(&repair->options.restore, VK_GUARD_CONTAINER)) {
		vk_error_set(err, VK_REFUSED, source->path, "guard container refuses: this is a %s, not a disk",
			     form->title);
		return vk_error_remedy(err, "nothing can be written to it: name the disk that it was made of; vmfskit "
					    "decode shows what it holds");
	}
	best = source->readings.items;
	guard = source->container != NULL		? VK_GUARD_CONTAINER
		: best->kind == VK_READING_MEMBER ? VK_GUARD_MEMBER
						  : VK_GUARD_READING;
	if (best->repairable || vk_guard_is_lifted(&repair->options.restore, guard))
		return VK_OK;
	/* of these, guards foreign-signature and member speak where a plan is */
	if (repair->kind->of_others && (best->kind == VK_READING_OTHER || best->kind == VK_READING_MEMBER))
		return VK_OK;
	/* what is found in it is nothing that could be put back there: there is no plan that could be shown */
	vk_error_set(err, VK_REFUSED, source->path, "guard %s refuses: this is %s", vk_guard_kind(guard)->name,
		     best->what);
	if (best->kind == VK_READING_UNITS)
		return vk_error_remedy(err, "nothing was written; %s",
				       vk_finding_kind(best->sector_size < vk_io_sector_size(source->given)
							       ? VK_F_SOURCE_EMULATED
							       : VK_F_SOURCE_UNITS)->remedy);
	if (best->attach[0] == '\0')
		return vk_error_remedy(err, "nothing was written; vmfskit decode shows what it is");
	if (source->container != NULL)
		return vk_error_remedy(err, "nothing was written; open it with: %s", best->attach);
	return vk_error_remedy(err, "nothing was written; write to the assembled array or volume, or to the "
				    "partition itself. For reading: %s", best->attach);
}

enum vk_status vk_repair_search(struct vk_repair *repair, bool whole, struct vk_error *err)
{
	const struct vk_source *source = &repair->target.source;
	struct vk_find_options options = repair->options.find;
	char name[400];
	struct vk_text text = vk_text_in(name, sizeof(name));
	enum vk_status status;

	vk_find_free(&repair->find);
	repair->scanned = whole;
	options.hints = repair->hints;
	options.hint_count = repair->hint_count;
	options.likely_only = !whole;
	/* whoever lifts this guard says that the disk is no other system's */
	options.as_own = vk_guard_is_lifted(&repair->options.restore, VK_GUARD_READING);
	if (!whole) {
		options.resume_path = NULL;
		options.progress = NULL;
	} else if (repair->has_partition) {
		uint64_t room = source->size_bytes - repair->partition.offset_bytes,
			length = repair->partition.length_bytes;

		options.range_start_bytes = repair->partition.offset_bytes;
		options.range_length_bytes = length == 0 || length > room ? room : length;
	}
	vk_disk_facts_name(&repair->target.facts, &text);
	options.disk_name = name;
	status = vk_find(source, &options, &repair->find, err);
	repair->searched = status == VK_OK;
	if (status == VK_OK && repair->find.stopped)
		return vk_error_set(err, VK_IO, source->path, "the search was stopped before its end");
	return status;
}

static enum vk_status search_and_rebuild(struct vk_repair *repair, bool whole, struct vk_error *err)
{
	enum vk_status status = vk_repair_search(repair, whole, err);

	vk_rebuild_table_free(&repair->table);
	vk_rebuild_header_free(&repair->header);
	repair->has_table = repair->has_header = repair->has_wipe = false;
	vk_overlay_free(repair->overlay);
	repair->overlay = status == VK_OK ? vk_overlay_new(repair->target.source.io) : NULL;
	if (status != VK_OK)
		return status;
	return repair->overlay != NULL ? repair->kind->rebuild(repair, err) : vk_no_memory(err, NULL);
}

/* What guards do not see of the plan alone: captures that were named although nothing asks for them, and the tail. */
static enum vk_status ask_more(struct vk_repair *repair, struct vk_error *err)
{
	uint64_t end = repair->has_table ? vk_mul_sat(repair->table.grown_from_sectors,
						      repair->target.source.sector_size) : 0;
	const struct vk_edit *edits;
	size_t edit_count = vk_restore_edits(repair->restore, &edits);
	enum vk_status status = VK_OK;

	for (size_t i = 0; status == VK_OK && edit_count > 0 && i < repair->known_count; i++)
		if (repair->known[i].misfit[0] != '\0')
			status = vk_guard_object(repair->restore, repair->known[i].misfit_guard, err, "%s",
						 repair->known[i].misfit);
	/*
	 * the guard goes by the table as it is; where that is lost, the plan still knows of a copy of it, or a capture,
	 * where the disk ended before
	 */
	if (status == VK_OK)
		status = vk_guard_ask_tail(repair->restore, end, "the partition table of before", err);
	for (size_t i = 0; status == VK_OK && repair->has_table && i < repair->known_count; i++) {
		const struct vk_capture *capture = &repair->known[i].capture;

		if (capture->source_kind == VK_SOURCE_DISK && !capture->size_uncertain)
			status = vk_guard_ask_tail(repair->restore, capture->size_bytes, "a capture", err);
	}
	return status;
}

static enum vk_status plan_restore(struct vk_repair *repair, struct vk_error *err)
{
	struct vk_restore_options options = repair->options.restore;
	struct vk_rebuilt rebuilt = {.range_count = 0};
	const struct vk_source *source = &repair->target.source;
	enum vk_status status = VK_OK;

	options.parts = 0;
	if (!repair->kind->describe(repair, &rebuilt))
		status = vk_no_memory(err, NULL);
	if (status == VK_OK)
		status = vk_unsaved_make(source, repair->overlay, &rebuilt, &repair->unsaved, err);
	vk_rebuilt_free(&rebuilt);
	if (status == VK_OK && repair->kind->add != NULL && !repair->kind->add(repair))
		status = vk_no_memory(err, NULL);
	if (status != VK_OK)
		return status;
	vk_stop_point("worked out");
	/*
	 * Captures were judged and the disk was searched since it was read: what stands on it may be somebody's new
	 * work by now. So the guards look at it as it is when the plan is made. What the path names by then must be
	 * the disk that was worked on.
	 */
	status = vk_target_open(source->path, source->kind, source->sector_size,
				&repair->options.restore.view, &repair->again, err);
	if (status == VK_OK)
		status = vk_target_check(&repair->target.id, &repair->target.facts,
					 vk_io_descriptor(repair->again.source.raw), source->path,
					 repair->kind->worked_out, err);
	if (status == VK_OK)
		status = vk_restore_plan_unsaved(&repair->unsaved, repair->overlay, &repair->again, &options,
						 &repair->restore, err);
	if (status == VK_OK)
		status = ask_more(repair, err);
	return status == VK_OK && repair->kind->ask != NULL ? repair->kind->ask(repair, err) : status;
}

enum vk_status vk_repair_plan(const struct vk_repair_kind *kind, const char *target,
			      const struct vk_repair_options *options,
			      struct vk_repair **ret_repair, struct vk_error *err)
{
	struct vk_repair *repair = calloc(1, sizeof(*repair));
	bool whole = options->scan == VK_REPAIR_SCAN_WHOLE;
	enum vk_status status;

	if (repair == NULL)
		return vk_no_memory(err, NULL);
	repair->kind = kind;
	repair->options = *options;
	status = kind->open(repair, target, err);
	if (status == VK_OK)
		status = vk_repair_consult(repair, err);
	if (status == VK_OK && kind->gather != NULL)
		status = kind->gather(repair, err);
	/* first what the likely places tell; a search of everything only when that is not enough */
	if (status == VK_OK) {
		strcpy(repair->why_scanned, whole ? "as requested" : kind->why_likely);
		status = search_and_rebuild(repair, whole, err);
		if (options->scan == VK_REPAIR_SCAN_AUTO && (status == VK_OK || status == VK_ABSENT) &&
		    !kind->is_enough(repair, status))
			status = search_and_rebuild(repair, true, err);
	}
	if (status == VK_OK)
		status = plan_restore(repair, err);
	/* what a survey finds is an answer, also where too little is left for a plan or something stands in its way */
	if (options->survey && repair->searched &&
	    (status == VK_ABSENT || status == VK_REFUSED || status == VK_USAGE || status == VK_UNSUPPORTED)) {
		repair->no_plan = *err;
		vk_restore_free(repair->restore);
		repair->restore = NULL;
		status = VK_OK;
	}
	if (status == VK_OK)
		*ret_repair = repair;
	else
		vk_repair_free(repair);
	return status;
}

void vk_repair_free(struct vk_repair *repair)
{
	if (repair == NULL)
		return;
	forget(repair);
	free(repair);
}

const struct vk_error *vk_repair_no_plan(const struct vk_repair *repair)
{
	return repair->no_plan.status != VK_OK ? &repair->no_plan : NULL;
}

const struct vk_source *vk_repair_source(const struct vk_repair *repair)
{
	return &repair->target.source;
}

const struct vk_find *vk_repair_find(const struct vk_repair *repair)
{
	return &repair->find;
}

const struct vk_rebuild_table *vk_repair_table(const struct vk_repair *repair)
{
	return repair->has_table ? &repair->table : NULL;
}

const struct vk_rebuild_header *vk_repair_header(const struct vk_repair *repair)
{
	return repair->has_header ? &repair->header : NULL;
}

const struct vk_repair_wipe *vk_repair_wipe(const struct vk_repair *repair)
{
	return repair->has_wipe ? &repair->wipe : NULL;
}

bool vk_repair_scanned(const struct vk_repair *repair, const char **ret_why)
{
	*ret_why = repair->why_scanned;
	return repair->scanned;
}

const struct vk_capture *vk_repair_known(const struct vk_repair *repair, size_t n)
{
	return n < repair->known_count ? &repair->known[n].capture : NULL;
}

const char *vk_repair_passed_over(const struct vk_repair *repair)
{
	return repair->passed_over[0] != '\0' ? repair->passed_over : NULL;
}

const char *vk_repair_may_be(const struct vk_repair *repair)
{
	return repair->known_count == 0 && repair->may_be[0] != '\0' ? repair->may_be : NULL;
}

const struct vk_capture *vk_repair_rebuilt(const struct vk_repair *repair)
{
	return &repair->unsaved.capture;
}

uint64_t vk_repair_start_sector(const struct vk_repair *repair)
{
	return repair->start_sector;
}

const struct vk_restore *vk_repair_restore(const struct vk_repair *repair)
{
	return repair->restore;
}

enum vk_status vk_repair_write(struct vk_repair *repair, char ret_capture_id[VK_CAPTURE_ID_BYTES],
			       char ret_undo_id[VK_CAPTURE_ID_BYTES], struct vk_error *err)
{
	const struct vk_restore_options *options = &repair->options.restore;
	const struct vk_store_options use = {.use = VK_STORE_ADD,
					     .sign_key = options->sign_key,
					     .command = options->command};
	struct vk_capture_options take = {.sector_size = repair->target.source.sector_size,
					  .vmfs_optional = true,
					  .rebuilt = &repair->unsaved.capture.rebuilt,
					  .volume = repair->has_wipe ? &repair->wiped_volume : NULL};
	const struct vk_edit *edits;
	enum vk_status status;

	ret_capture_id[0] = '\0';
	ret_undo_id[0] = '\0';
	if (vk_io_refuse_view(repair->target.source.raw, err) != VK_OK)
		return VK_REFUSED;
	if (!vk_restore_refused(repair->restore) && vk_restore_edits(repair->restore, &edits) > 0) {
		status = vk_store_open(options->store != NULL ? options->store : VK_STORE_DEFAULT, &use, &take.store,
				       err);
		if (status != VK_OK)
			return status;
		status = vk_capture_take(&repair->unsaved.after, &take, NULL, ret_capture_id, err);
		vk_store_close(take.store);
		if (status != VK_OK) {
			ret_capture_id[0] = '\0';
			return status;
		}
	}
	/* the undo capture names it as what it undoes, and can ask it what the repair left */
	memcpy(repair->unsaved.capture.id, ret_capture_id, VK_CAPTURE_ID_BYTES);
	return vk_restore_write(repair->restore, ret_undo_id, err);
}
