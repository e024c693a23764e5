/* SPDX-License-Identifier: Apache-2.0 */
/* What the repair of tables and of headers has in common: open, search, plan, save, write. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/memory.h"
#include "base/checked.h"
#include "repair/guard/guards.h"
#include "repair/repair_state.h"
#include "store/manifest/rebuilt.h"

enum vk_status vk_repair_no_memory(struct vk_error *err)
{
	return vk_no_memory(err, NULL);
}

static void forget(struct vk_repair *repair)
{
	vk_restore_free(repair->restore);
	if (repair->has_unsaved)
		vk_unsaved_free(&repair->unsaved);
	if (repair->has_table)
		vk_rebuild_table_free(&repair->table);
	if (repair->has_header)
		vk_rebuild_header_free(&repair->header);
	if (repair->has_find)
		vk_find_free(&repair->find);
	for (size_t i = 0; i < repair->member_count; i++)
		vk_source_close(&repair->members[i]);
	free(repair->members);
	for (size_t i = 0; i < repair->known_count; i++)
		vk_known_free(&repair->known[i]);
	free(repair->known);
	free(repair->hints);
	vk_overlay_free(repair->overlay);
	if (repair->has_source)
		vk_source_close(&repair->source);
	*repair = (struct vk_repair){.options = repair->options};
}

enum vk_status vk_repair_new_overlay(struct vk_repair *repair, struct vk_error *err)
{
	vk_overlay_free(repair->overlay);
	repair->overlay = vk_overlay_new(repair->source.io);
	return repair->overlay != NULL ? VK_OK : vk_repair_no_memory(err);
}

static enum vk_status open_raw(const struct vk_repair *repair, const char *target, struct vk_io **ret_io,
			       struct vk_error *err)
{
	const struct vk_open_options options = {.sector_size = repair->options.restore.sector_size, .uncached = true};
	struct stat st;

	if (stat(target, &st) == 0 && !S_ISBLK(st.st_mode) && !S_ISREG(st.st_mode))
		return vk_error_set(err, VK_USAGE, target, "The target must be a block device or a file");
	return vk_io_open_raw(target, &options, ret_io, err);
}

/* Nothing that is found in a container says anything of the disk: there is no plan that could be shown. */
static enum vk_status ask_container(const struct vk_repair *repair, struct vk_error *err)
{
	const struct vk_image_format *format = repair->source.container;

	if (format == NULL || vk_guard_is_lifted(&repair->options.restore, VK_GUARD_CONTAINER))
		return VK_OK;
	vk_error_set(err, VK_REFUSED, repair->source.path, "guard container refuses: this is a %s, not a disk",
		     format->name);
	vk_error_remedy(err, "Nothing was written; open it with: %s", format->open);
	return VK_REFUSED;
}

enum vk_status vk_repair_open(struct vk_repair *repair, const char *target, enum vk_source_kind as,
			      struct vk_error *err)
{
	const struct vk_source_options options = {.as = as,
						  .sector_size = repair->options.restore.sector_size};
	struct vk_io *io;
	enum vk_status status;

	forget(repair);
	status = open_raw(repair, target, &io, err);
	if (status != VK_OK)
		return status;
	status = vk_source_open_io(io, target, VK_FORM_RAW, &options, &repair->source, err);
	if (status != VK_OK)
		return status;
	repair->has_source = true;
	status = ask_container(repair, err);
	if (status != VK_OK)
		return status;
	/* of a file it was recognised only now; edits come in whole sectors of that size */
	vk_io_set_sector_size(repair->source.io, repair->source.sector_size);
	return vk_repair_new_overlay(repair, err);
}

enum vk_status vk_repair_search(struct vk_repair *repair, bool whole, const struct vk_stretch *stretch,
				struct vk_error *err)
{
	struct vk_find_options options = repair->options.find;
	struct vk_disk_facts facts;
	char name[400];
	struct vk_text text;
	enum vk_status status;

	if (repair->has_find)
		vk_find_free(&repair->find);
	repair->has_find = false;
	repair->scanned = whole;
	options.hints = repair->hints;
	options.hint_count = repair->hint_count;
	options.likely_only = !whole;
	if (!whole) {
		options.resume_path = NULL;
		options.progress = NULL;
	}
	if (stretch != NULL) {
		options.range_start_bytes = stretch->start;
		options.range_length_bytes = stretch->length;
	}
	vk_text_init(&text, name, sizeof(name));
	vk_disk_facts_read(&repair->source, &facts);
	vk_disk_facts_name(&facts, &text);
	vk_disk_facts_free(&facts);
	options.disk_name = name;
	status = vk_find(&repair->source, &options, &repair->find, err);
	repair->has_find = status == VK_OK;
	if (status == VK_OK && repair->find.stopped)
		return vk_error_set(err, VK_IO, repair->source.path, "The search was stopped before its end");
	return status;
}

/* What speaks against a capture that was named although nothing on the target asks for it. */
static enum vk_status object_to_misfits(struct vk_repair *repair, struct vk_error *err)
{
	const struct vk_edit *edits;
	enum vk_status status = VK_OK;

	if (vk_restore_edits(repair->restore, &edits) == 0)
		return VK_OK;
	for (size_t i = 0; status == VK_OK && i < repair->known_count; i++)
		if (repair->known[i].misfit[0] != '\0')
			status = vk_guard_object(repair->restore, repair->known[i].misfit_guard, err, "%s",
						 repair->known[i].misfit);
	return status;
}

/*
 * The guard goes by the table as it is; where that is lost, the plan still knows of a copy of it, or a capture, where the disk
 * ended before.
 */
static enum vk_status object_to_tail(struct vk_repair *repair, struct vk_error *err)
{
	uint64_t end = repair->has_table ? vk_mul_sat(repair->table.grown_from_sectors, repair->source.sector_size) : 0;
	enum vk_status status = vk_guard_ask_tail(repair->restore, end, "The partition table of before", err);

	for (size_t i = 0; status == VK_OK && repair->has_table && i < repair->known_count; i++) {
		const struct vk_capture *capture = &repair->known[i].capture;

		if (capture->source_kind == VK_SOURCE_DISK && !capture->size_uncertain)
			status = vk_guard_ask_tail(repair->restore, capture->size_bytes, "A capture", err);
	}
	return status;
}

enum vk_status vk_repair_finish(struct vk_repair *repair, struct vk_rebuilt *rebuilt,
				bool (*add)(struct vk_repair *repair), struct vk_error *err)
{
	struct vk_restore_options options = repair->options.restore;
	enum vk_status status =
		vk_unsaved_make(&repair->source, repair->overlay, rebuilt, &repair->unsaved, err);

	repair->has_unsaved = status == VK_OK;
	if (status == VK_OK && add != NULL && !add(repair))
		status = vk_repair_no_memory(err);
	options.parts = 0;
	if (status == VK_OK)
		status = vk_restore_plan(&repair->unsaved.capture, repair->source.path, &options,
					 &repair->restore, err);
	if (status == VK_OK)
		status = vk_unsaved_check(repair->overlay, repair->restore, err);
	if (status == VK_OK)
		status = object_to_misfits(repair, err);
	return status == VK_OK ? object_to_tail(repair, err) : status;
}

void vk_repair_free(struct vk_repair *repair)
{
	if (repair == NULL)
		return;
	forget(repair);
	free(repair);
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

static enum vk_status save(struct vk_repair *repair, char ret_id[VK_CAPTURE_ID_BYTES], struct vk_error *err)
{
	const struct vk_restore_options *options = &repair->options.restore;
	const struct vk_store_options use = {.use = VK_STORE_ADD,
					     .sign_key = options->sign_key,
					     .command = options->command};
	struct vk_capture_options take = {.sector_size = repair->source.sector_size,
					  .vmfs_optional = true,
					  .rebuilt = &repair->unsaved.capture.rebuilt};
	struct vk_store *store;
	enum vk_status status =
		vk_store_open(options->store != NULL ? options->store : VK_STORE_DEFAULT, &use, &store, err);

	if (status != VK_OK)
		return status;
	take.store = store;
	status = vk_capture_take(&repair->unsaved.after, &take, NULL, ret_id, err);
	vk_store_close(store);
	return status;
}

enum vk_status vk_repair_write(struct vk_repair *repair, char ret_capture_id[VK_CAPTURE_ID_BYTES],
			       char ret_undo_id[VK_CAPTURE_ID_BYTES], struct vk_error *err)
{
	const struct vk_edit *edits;
	bool refused = vk_restore_refused(repair->restore);
	enum vk_status status = VK_OK;

	ret_capture_id[0] = '\0';
	ret_undo_id[0] = '\0';
	if (!refused && vk_restore_edits(repair->restore, &edits) > 0)
		status = save(repair, ret_capture_id, err);
	if (status != VK_OK) {
		ret_capture_id[0] = '\0';
		return status;
	}
	/* the undo capture names it as what it undoes, and can ask it what the repair left */
	memcpy(repair->unsaved.capture.id, ret_capture_id, VK_CAPTURE_ID_BYTES);
	return vk_restore_write(repair->restore, ret_undo_id, err);
}
