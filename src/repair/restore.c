/* SPDX-License-Identifier: Apache-2.0 */
/* Plans a restore on an overlay, and hands it to the writer. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/checked.h"
#include "base/texts.h"
#include "repair/guard/guards.h"
#include "repair/last_look.h"

static enum vk_status no_memory(struct vk_error *err)
{
	return vk_no_memory(err, NULL);
}

/* What the path leads to. Nothing is opened yet: who it is, is asked of what was opened. */
static enum vk_status find_target(struct vk_restore *restore, const char *target,
				  struct vk_error *err)
{
	struct stat st;

	restore->path = realpath(target, NULL);
	if (restore->path == NULL || stat(restore->path, &st) != 0) {
		vk_error_errno(err, errno, target, "Cannot find the target");
		return vk_error_remedy(err, "Name the disk or the image file to restore to");
	}
	if (!S_ISBLK(st.st_mode) && !S_ISREG(st.st_mode))
		return vk_error_set(err, VK_USAGE, target,
				    "The target must be a block device or a file");
	restore->target.is_device = S_ISBLK(st.st_mode);
	return VK_OK;
}

static enum vk_status open_target(struct vk_restore *restore, struct vk_error *err)
{
	struct vk_open_options options = {.sector_size = restore->options.sector_size, .uncached = true};
	enum vk_status status;
	struct stat st;

	if (options.sector_size == 0 && !restore->target.is_device)
		options.sector_size = restore->capture->sector_size;
	status = vk_io_open_raw(restore->path, &options, &restore->io, err);
	if (status != VK_OK)
		return status;
	if (fstat(vk_io_descriptor(restore->io), &st) != 0)
		return vk_error_errno(err, errno, restore->path, "Cannot examine the target");
	restore->target.is_device = S_ISBLK(st.st_mode);
	restore->target.dev = st.st_dev;
	restore->target.ino = st.st_ino;
	restore->target.rdev = restore->target.is_device ? st.st_rdev : 0;
	restore->target.size_bytes = vk_io_size_bytes(restore->io);
	restore->target.footer_bytes = vk_io_footer_bytes(restore->io);
	restore->target.sector_size = vk_io_sector_size(restore->io);
	return VK_OK;
}

/* Decode a source that someone else owns. */
static enum vk_status decode(const struct vk_restore *restore, struct vk_io *io, const char *path,
			     struct vk_source *ret_source, struct vk_error *err)
{
	struct vk_source_options options = {.as = restore->capture->source_kind,
					    .sector_size = restore->target.sector_size};
	struct vk_io *window = vk_io_window(io, 0, vk_io_size_bytes(io));

	if (window == NULL)
		return no_memory(err);
	vk_io_set_sector_size(window, restore->target.sector_size);
	return vk_source_open_io(window, path, VK_FORM_RAW, &options, ret_source, err);
}

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
		return no_memory(err);
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
			return no_memory(err);
		status = vk_vmfs_read(place->window, &sink, &place->vmfs, err);
		if (status != VK_OK)
			return status;
		keep_identity(&place->vmfs);
	}
	return VK_OK;
}

/* What lies in the captured table's partitions is not the table's, even where its region reaches in. */
static enum vk_status fence_partitions(struct vk_restore *restore, struct vk_error *err)
{
	size_t count = restore->has_captured ? restore->captured.table.partition_count : 0;
	uint32_t ss = restore->capture->sector_size;
	bool sound = true;

	for (size_t i = 0; sound && i < count; i++) {
		const struct vk_partition *partition = &restore->captured.table.partitions[i];

		if (!vk_partition_is_extended(partition) && partition->start_sector > 0)
			sound = vk_range_set_add(&restore->keep_out, vk_mul_sat(partition->start_sector, ss),
						 vk_mul_sat(partition->sectors, ss));
	}
	for (size_t i = 0; sound && i < restore->place_count; i++)
		if (restore->places[i].start_bytes > 0)
			sound = vk_range_set_add(&restore->keep_out, restore->places[i].start_bytes,
						 restore->places[i].length_bytes);
	return sound ? VK_OK : no_memory(err);
}

static enum vk_status look_at_capture(struct vk_restore *restore, struct vk_error *err)
{
	const struct vk_capture *capture = restore->capture;
	enum vk_status status = vk_capture_io(capture, &restore->captured_io, err);

	if (status != VK_OK || capture->is_undo)
		return status;
	status = decode(restore, restore->captured_io, capture->path, &restore->captured, err);
	restore->has_captured = status == VK_OK;
	return status;
}

static enum vk_status look(struct vk_restore *restore, struct vk_error *err)
{
	const struct vk_capture *capture = restore->capture;
	enum vk_status status = look_at_capture(restore, err);

	if (status == VK_OK)
		status = decode_places(restore, err);
	if (status == VK_OK)
		status = fence_partitions(restore, err);
	if (status == VK_OK)
		status = vk_structures_list(capture->is_undo ? &restore->before : &restore->captured,
					    &restore->structures, err);
	return status;
}

static enum vk_status plan_edits(struct vk_restore *restore, struct vk_error *err)
{
	enum vk_status status = look(restore, err);

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

static enum vk_status think(struct vk_restore *restore, struct vk_error *err)
{
	bool capture_sound = true, hopeless;
	enum vk_status status = vk_guard_ask_capture(restore, &capture_sound, err);

	if (status == VK_OK)
		status = decode(restore, restore->io, restore->path, &restore->before, err);
	if (status != VK_OK)
		return status;
	restore->has_before = true;
	vk_disk_facts_read(&restore->before, &restore->facts);
	restore->overlay = vk_overlay_new(restore->io);
	if (restore->overlay == NULL)
		return no_memory(err);
	/* of a capture that is refused for being broken nothing more is believed, not even its counts */
	hopeless = !capture_sound && vk_restore_refused(restore);
	if (!hopeless)
		status = plan_edits(restore, err);
	if (status != VK_OK)
		return status;
	status = decode(restore, vk_overlay_io(restore->overlay), restore->path, &restore->after,
			err);
	if (status != VK_OK)
		return status;
	restore->has_after = true;
	if (hopeless)
		return VK_OK;
	if (!restore->capture->is_undo && !restore->capture->is_rebuilt)
		vk_restore_say_left_out(restore);
	status = vk_guards_ask_all(restore, err);
	return status == VK_OK && restore->remark_lost ? no_memory(err) : status;
}

enum vk_status vk_restore_plan(const struct vk_capture *capture, const char *target,
			       const struct vk_restore_options *options,
			       struct vk_restore **ret_restore, struct vk_error *err)
{
	struct vk_restore *restore = calloc(1, sizeof(*restore));
	enum vk_status status;

	if (restore == NULL)
		return no_memory(err);
	restore->capture = capture;
	restore->options = *options;
	restore->store = strdup(options->store != NULL ? options->store : VK_STORE_DEFAULT);
	restore->options.store = restore->store;
	status = restore->store == NULL ? no_memory(err) : find_target(restore, target, err);
	if (status == VK_OK)
		status = open_target(restore, err);
	if (status == VK_OK)
		status = think(restore, err);
	if (status != VK_OK) {
		vk_restore_free(restore);
		return status;
	}
	*ret_restore = restore;
	return VK_OK;
}

void vk_restore_free(struct vk_restore *restore)
{
	if (restore == NULL)
		return;
	vk_guard_heartbeat_forget(restore);
	if (restore->has_after)
		vk_source_close(&restore->after);
	vk_overlay_free(restore->overlay);
	for (size_t i = 0; i < restore->place_count; i++) {
		vk_vmfs_free(&restore->places[i].vmfs);
		vk_findings_free(&restore->places[i].findings);
		vk_io_close(restore->places[i].window);
	}
	free(restore->places);
	vk_structures_free(&restore->structures);
	if (restore->has_captured)
		vk_source_close(&restore->captured);
	vk_io_close(restore->captured_io);
	vk_io_close(restore->kept.held);
	vk_disk_facts_free(&restore->facts);
	if (restore->has_before)
		vk_source_close(&restore->before);
	vk_io_close(restore->io);
	vk_range_set_free(&restore->keep_out);
	free(restore->chosen);
	free(restore->choices);
	free(restore->objections);
	vk_sentences_free(&restore->remarks, &restore->remark_count);
	free(restore->store);
	free(restore->path);
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

size_t vk_restore_objections(const struct vk_restore *restore,
			     const struct vk_objection **ret_objections)
{
	*ret_objections = restore->objections;
	return restore->objection_count;
}

bool vk_restore_refused(const struct vk_restore *restore)
{
	for (size_t i = 0; i < restore->objection_count; i++)
		if (!restore->objections[i].overridden)
			return true;
	return false;
}

const struct vk_source *vk_restore_before(const struct vk_restore *restore)
{
	return &restore->before;
}

const struct vk_source *vk_restore_after(const struct vk_restore *restore)
{
	return &restore->after;
}

uint64_t vk_restore_written_bytes(const struct vk_restore *restore)
{
	return restore->written_bytes;
}

const char *vk_restore_note(const struct vk_restore *restore)
{
	return restore->note;
}

void vk_restore_add_remark(struct vk_restore *restore, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	if (!vk_sentence_vadd(&restore->remarks, &restore->remark_count, format, args))
		restore->remark_lost = true;
	va_end(args);
}

const char *vk_restore_remark(const struct vk_restore *restore, size_t n)
{
	return n < restore->remark_count ? restore->remarks[n] : NULL;
}

static enum vk_status refuse(const struct vk_restore *restore, struct vk_error *err)
{
	for (size_t i = 0; i < restore->objection_count; i++)
		if (!restore->objections[i].overridden)
			return vk_error_set(err, VK_REFUSED, restore->path, "Guard %s: %s",
					    vk_guard_kind(restore->objections[i].guard)->name,
					    restore->objections[i].message);
	return VK_OK;
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
		.facts = &restore->facts,
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
	struct vk_text note;
	enum vk_status status;

	job.ctx = &look;
	ret_undo_id[0] = '\0';
	if (vk_restore_refused(restore))
		return refuse(restore, err);
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
