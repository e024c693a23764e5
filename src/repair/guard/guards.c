/* SPDX-License-Identifier: Apache-2.0 */
/* The table of guards, and those that only compare numbers. */
#include <inttypes.h>
#include <string.h>

#include "repair/guard/guards.h"
#include "vmfskit/vouch.h"

struct verdict {
	size_t errors;
	size_t doubts;
	struct vk_finding first;
	struct vk_finding first_doubt;
};

static void judge_finding(void *ctx, const struct vk_finding *finding)
{
	struct verdict *verdict = ctx;
	unsigned flaw = vk_finding_flaw(finding->code);

	/* that bytes are missing has a guard of its own */
	if ((flaw & VK_FLAW_DOUBT) != 0 && verdict->doubts++ == 0)
		verdict->first_doubt = *finding;
	if (flaw == VK_FLAW_BROKEN && verdict->errors++ == 0)
		verdict->first = *finding;
}

enum vk_status vk_guard_ask_capture(struct vk_restore *restore, bool *ret_sound,
				    struct vk_error *err)
{
	struct verdict verdict = {0};
	const struct vk_finding_sink sink = {judge_finding, &verdict};
	unsigned by = 0;
	enum vk_status status;

	*ret_sound = true;
	if (restore->options.public_key != NULL && restore->options.sign_key == NULL)
		vk_restore_add_remark(restore, "the undo capture will not be signed: name the key with --sign-key, or "
					       "undo will refuse it (guard capture-vouched)");
	/* what was never saved cannot have changed since */
	if (restore->capture->memory != NULL)
		return VK_OK;
	/* the bytes that are judged are those that are kept: what is planned and written is made of them alone */
	restore->kept = *restore->capture;
	restore->kept.held = NULL;
	status = vk_restore_hold(restore, &restore->kept, &sink, &by, err);
	restore->capture = &restore->kept;
	if (status == VK_OK && verdict.doubts > 0)
		status = vk_guard_object(restore, VK_GUARD_CAPTURE_VOUCHED, err,
					 "the capture is not vouched for: %s: %s",
					 vk_finding_kind(verdict.first_doubt.code)->code, verdict.first_doubt.message);
	else if (status == VK_OK && by == 0)
		vk_restore_add_remark(restore, "the capture is vouched for by nothing but itself: it lies outside of "
					       "a store, and no ledger or signature confirms it");
	*ret_sound = verdict.errors == 0;
	if (status != VK_OK || *ret_sound)
		return status;
	return vk_guard_object(restore, VK_GUARD_CAPTURE_VERIFIED, err,
			       "the capture fails verification (errors: %zu); the first is %s: %s",
			       verdict.errors, vk_finding_kind(verdict.first.code)->code,
			       verdict.first.message);
}

static enum vk_status ask_plan(struct vk_restore *restore, struct vk_error *err)
{
	const char *shown = restore->options.plan;

	if (shown == NULL || restore->plan[0] == '\0' || strcmp(shown, restore->plan) == 0)
		return VK_OK;
	return vk_guard_object(restore, VK_GUARD_PLAN, err,
			       "the plan is no longer the one that was shown, %.40s; it is %s: the target, the bytes "
			       "on it or the bytes to write have changed",
			       shown, restore->plan);
}

/* No guard: what the capture holds lies in its places, but whoever imported it must name the right disk. */
static enum vk_status tell_view(struct vk_restore *restore, struct vk_error *err)
{
	char view[1024];
	struct vk_text text = vk_text_in(view, sizeof(view));

	(void)err;
	vk_capture_put_view(restore->capture, &text);
	if (view[0] != '\0')
		vk_restore_add_remark(restore,
				      "the capture was imported from %s: its offsets are those of the disk that is "
				      "read in that way, and the target must be that disk", view);
	return VK_OK;
}

static enum vk_status ask_size(struct vk_restore *restore, struct vk_error *err)
{
	uint64_t seen = restore->target.size_bytes, want = restore->capture->size_bytes;
	uint64_t apart = seen > want ? seen - want : want - seen;

	if (seen == want)
		return VK_OK;
	if (restore->capture->size_uncertain && seen > want) {
		vk_restore_add_remark(restore,
				      "the captured disk had at least %" PRIu64 " bytes, its exact length is not "
				      "known; the target has %" PRIu64 " bytes",
				      want, seen);
		return VK_OK;
	}
	return vk_guard_object(restore, VK_GUARD_SIZE, err,
			       "the target is %" PRIu64 " bytes long, the captured one was %" PRIu64
			       ": %" PRIu64 " byte%s %s",
			       seen, want, apart, apart == 1 ? "" : "s", seen > want ? "more" : "less");
}

static enum vk_status ask_sector_size(struct vk_restore *restore, struct vk_error *err)
{
	if (restore->target.sector_size == restore->capture->sector_size)
		return VK_OK;
	return vk_guard_object(restore, VK_GUARD_SECTOR_SIZE, err,
			       "the target has sectors of %" PRIu32
			       " bytes, the captured one had sectors of %" PRIu32 " bytes",
			       restore->target.sector_size, restore->capture->sector_size);
}

static enum vk_status ask_unreadable(struct vk_restore *restore, struct vk_error *err)
{
	const struct vk_edit *edits;
	size_t count = vk_overlay_edits(restore->overlay, &edits);
	uint64_t at = 0, bytes = 0;
	enum vk_status status = VK_OK;

	for (size_t i = count; i-- > 0;) {
		if (!edits[i].old_unread)
			continue;
		bytes += edits[i].length_bytes;
		at = edits[i].offset_bytes;
	}
	if (restore->hole_count > 0)
		status = vk_guard_object(restore, VK_GUARD_UNREADABLE, err,
					 "%" PRIu64 " bytes to restore, the first at byte %" PRIu64 ", are missing "
					 "in the capture or lie outside of the target; they would stay as they are%s",
					 restore->hole_bytes, restore->holes[0].offset_bytes,
					 restore->ends_in_sector ? "; the target ends inside a sector, which "
								   "cannot be written"
								 : "");
	if (status != VK_OK || bytes == 0)
		return status;
	return vk_guard_object(restore, VK_GUARD_UNREADABLE, err,
			       "%" PRIu64 " bytes of the target, the first at byte %" PRIu64 ", cannot be read: they "
			       "would be overwritten, and the undo capture cannot contain them",
			       bytes, at);
}

static enum vk_status ask_changed(struct vk_restore *restore, struct vk_error *err)
{
	const struct vk_knowledge *known = &restore->knowledge;

	if (!restore->capture->is_undo || restore->known_state)
		return VK_OK;
	if (known->judged)
		return vk_guard_object(restore, VK_GUARD_CHANGED, err,
				       "byte %" PRIu64 " of the target has neither its value from before the restore "
				       "nor the one from after it",
				       known->stranger);
	if (known->has_gaps)
		return vk_guard_object(restore, VK_GUARD_CHANGED, err,
				       "the undo capture also contains bytes that the restore did not write; whether "
				       "they changed since is not known without %s, the capture that was restored",
				       restore->capture->undo_of);
	vk_restore_add_remark(restore,
			      "whether the target changed since the restore is not known without the capture that "
			      "was restored (%s); it is looked for beside the undo capture and in the store",
			      restore->capture->undo_of);
	return VK_OK;
}

static enum vk_status ask_guess(struct vk_restore *restore, struct vk_error *err)
{
	char *const *guessed = restore->capture->rebuilt.guessed;
	size_t count = 0;

	while (guessed != NULL && guessed[count] != NULL)
		count++;
	if (count == 0 || vk_overlay_dirty_bytes(restore->overlay) == 0)
		return VK_OK;
	return vk_guard_object(restore, VK_GUARD_GUESS, err, "%s%.280s", count > 1 ? "several values; the first: " : "",
			       guessed[0]);
}

static const struct vk_gpt_header *sound_header(const struct vk_table *table)
{
	for (int i = 0; table->kind == VK_TABLE_GPT && i < 2; i++)
		if (table->gpt[i].sound)
			return &table->gpt[i].header;
	return NULL;
}

/* The GUID of a sound GPT with partitions is that of another disk. */
static enum vk_status ask_disk_guid(struct vk_restore *restore, struct vk_error *err)
{
	const struct vk_gpt_header *target = sound_header(&restore->before->table);
	const struct vk_gpt_header *captured =
		restore->captured != NULL ? sound_header(&restore->captured->table) : NULL;
	struct vk_guid_text is, was;

	/* what was worked out from this very target needs no other proof, and its GUID is whose table won */
	if (restore->captured == NULL || restore->known_state || restore->capture->memory != NULL)
		return VK_OK;
	/* an empty table may have been made in despair; one with partitions belongs to a disk in use */
	if (target == NULL || captured == NULL || restore->before->table.partition_count == 0 ||
	    vk_guid_equal(&target->diskGUID, &captured->diskGUID))
		return VK_OK;
	is = vk_guid_text(&target->diskGUID);
	was = vk_guid_text(&captured->diskGUID);
	/* who writes a table of his own gives the disk another GUID: what else tells the disk decides */
	if (restore->of.is_of >= VK_OF_LIKELY && vk_guard_table_is_of_others(restore)) {
		vk_restore_add_remark(restore,
				      "the table on the target has the disk GUID %s, the captured one %s: "
				      "its author gave it a new one",
				      is.text, was.text);
		return VK_OK;
	}
	return vk_guard_object(restore, VK_GUARD_DISK_ID, err,
			       "the partition table on the target is of disk %s, the captured one of disk %s", is.text,
			       was.text);
}

/* The target holds a disk in another form, or with a footer behind it. */
static enum vk_status ask_container(struct vk_restore *restore, struct vk_error *err)
{
	const struct vk_image_format *format = vk_io_image_format(restore->io);
	const struct vk_form *form = vk_form(vk_io_form_of(restore->io));

	if (form->unfold != NULL)
		return vk_guard_object(restore, VK_GUARD_CONTAINER, err,
				       "the target is a %s, not a disk: name the disk that it was made of",
					       form->title);
	if (restore->before->container != NULL)
		return vk_guard_object(restore, VK_GUARD_CONTAINER, err,
				       "the target is a %s, not a disk; open it with: %s", format->name,
				       restore->before->readings.items[0].attach);
	if (format != NULL && format->raw_inside && vk_overlay_dirty_bytes(restore->overlay) > 0)
		return vk_guard_object(restore, VK_GUARD_CONTAINER, err,
				       "the target is a %s: its first %" PRIu64 " bytes are the disk. Attach them as a "
				       "device of their own and name that: losetup --find --show --sizelimit %" PRIu64
				       " FILE",
				       format->name, restore->target.size_bytes, restore->target.size_bytes);
	return VK_OK;
}

/* The target is a view into something, or a copy that lost something. What other guards ask of is left to them. */
static enum vk_status ask_reading(struct vk_restore *restore, struct vk_error *err)
{
	const struct vk_reading *best = restore->before->readings.items;

	/* an undo finds every byte as it was left: whatever it is, it was written to */
	if (best == NULL || best->repairable || restore->known_state || best->kind == VK_READING_CONTAINER ||
	    best->kind == VK_READING_MEMBER || best->kind == VK_READING_OTHER || best->kind == VK_READING_UNITS)
		return VK_OK; /* of the last, the bytes are the disk's own, however they are counted */
	return vk_guard_object(restore, VK_GUARD_READING, err, "the target is %s", best->what);
}

enum vk_status vk_guards_ask_all(struct vk_restore *restore, struct vk_error *err)
{
	static vk_guard_ask *const guards[] = {
		ask_plan,
		vk_guard_ask_lun,
		tell_view,
		ask_size,
		ask_sector_size,
		vk_guard_ask_kind,
		vk_guard_ask_identity,
		ask_disk_guid,
		vk_guard_ask_unidentified,
		vk_guard_ask_table_kind,
		vk_guard_ask_table_partitions,
		ask_changed,
		ask_container,
		ask_reading,
		vk_guard_ask_foreign,
		vk_guard_ask_in_use,
		vk_guard_ask_heartbeat,
		ask_unreadable,
		ask_guess,
		vk_guard_ask_worse,
	};

	for (size_t i = 0; i < sizeof(guards) / sizeof(guards[0]); i++) {
		enum vk_status status = guards[i](restore, err);

		if (status != VK_OK)
			return status;
	}
	return VK_OK;
}
