/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Puts leftover signatures of VMFS away: the magics by which other systems know a volume become zeros, and nothing
 * else. What was there goes into the undo capture like everything that a repair overwrites.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "base/memory.h"
#include "repair/guard/guards.h"
#include "repair/repair_state.h"
#include "store/manifest/rebuilt.h"
#include "store/plan/plan.h"

const char *vk_wipe_signature_name(enum vk_wipe_signature signature)
{
	return signature == VK_WIPE_LVM ? "lvm" : "fs";
}

/* What may be a leftover: a volume of this disk, of whatever time. Copies inside other volumes belong to those. */
static bool may_be_left(const struct vk_candidate *c)
{
	return !c->start_before_disk && (c->has_header || c->has_fs) &&
	       (!vk_standing_is_ghost(c->standing) || c->standing == VK_GHOST_EARLIER ||
		c->standing == VK_GHOST_FOREIGN || c->standing == VK_GHOST_OUTSIDE);
}

/* One that lives or that a sound table names is no leftover; it is taken only when it is asked for. */
static bool is_leftover(const struct vk_candidate *c)
{
	return may_be_left(c) && c->standing != VK_STANDING_LIVING && !c->table_sound;
}

static enum vk_status count_leftovers(struct vk_repair *repair, bool whole, size_t *ret_count, struct vk_text *starts,
				      struct vk_error *err)
{
	const struct vk_find *find = &repair->find;
	enum vk_status status = vk_repair_search(repair, whole, err);
	bool any = false;

	*ret_count = 0;
	for (size_t i = 0; status == VK_OK && i < find->count; i++)
		any = any || is_leftover(&find->candidates[i]);
	for (size_t i = 0; status == VK_OK && i < find->count; i++) {
		const struct vk_candidate *c = &find->candidates[i];

		if (!(any ? is_leftover(c) : may_be_left(c)))
			continue;
		repair->partition = (struct vk_range){c->start_bytes, c->length_exact ? c->length_bytes : 0};
		vk_text_fmt(starts, "%s%" PRIu64, (*ret_count)++ > 0 ? ", " : "",
			    c->start_bytes / repair->target.source.sector_size);
	}
	return status;
}

static enum vk_status use_leftover(struct vk_repair *repair, struct vk_error *err)
{
	bool whole = repair->options.scan == VK_REPAIR_SCAN_WHOLE;
	char names[200];
	struct vk_text starts = vk_text_in(names, sizeof(names));
	size_t count;
	enum vk_status status;

	status = count_leftovers(repair, whole, &count, &starts, err);
	if (status == VK_OK && count == 0 && repair->options.scan == VK_REPAIR_SCAN_AUTO)
		status = count_leftovers(repair, true, &count, &starts, err);
	if (status != VK_OK || count == 1)
		return status;
	if (count == 0) {
		vk_error_set(err, VK_ABSENT, repair->target.source.path, "no signature of a VMFS volume was found");
		return vk_error_remedy(err, "nothing was written; --start SECTOR looks at one place, whatever the "
					    "search says");
	}
	vk_error_set(err, VK_USAGE, repair->target.source.path,
		     "the volume is ambiguous: volumes begin at sectors %s", names);
	return vk_error_remedy(err, "name it with --partition NUMBER or --start SECTOR");
}

static enum vk_status open_wipe(struct vk_repair *repair, const char *target, struct vk_error *err)
{
	enum vk_status status = vk_repair_choose_partition(repair, target, use_leftover, err);

	if (status != VK_OK)
		return status;
	repair->start_sector = repair->partition.offset_bytes / repair->target.source.sector_size;
	repair->has_partition = true;
	return VK_OK;
}

/* Zeros over the magic, if it stands there; what the search or the header says of the place does not matter then. */
static enum vk_status put_away(struct vk_repair *repair, enum vk_wipe_signature which, uint64_t at, uint32_t magic,
			       struct vk_error *err)
{
	static const uint8_t zeros[VK_WIPE_BYTES];
	struct vk_repair_wipe *wipe = &repair->wipe;
	struct vk_wiped *item = &wipe->items[wipe->count];
	bool lvm = which == VK_WIPE_LVM;
	size_t got = 0;

	*item = (struct vk_wiped){.which = which, .at_bytes = at};
	if (vk_io_read(repair->target.source.io, at, item->was, sizeof(item->was), &got, NULL) != VK_OK)
		item->state = VK_WIPED_UNREAD;
	else if (got < sizeof(item->was))
		item->state = vk_add_sat(at, sizeof(item->was)) > repair->target.source.size_bytes ? VK_WIPED_ABSENT
												   : VK_WIPED_UNREAD;
	else if (magic != 0 && vk_get_le32(item->was) == magic)
		item->state = VK_WIPED_STANDS;
	else
		item->state = VK_WIPED_NOT_THERE;
	wipe->count++;
	if (item->state != VK_WIPED_STANDS)
		return VK_OK;
	return vk_overlay_lay(repair->overlay, at, zeros, sizeof(zeros),
			      lvm ? "LVM device header" : "file-system descriptor",
			      lvm ? VK_WRITE_LVM_HEADER : VK_WRITE_FS_DESCRIPTOR, NULL, err);
}

/* The magic of a descriptor at this offset of the partition; 0: there is none. */
static uint32_t fs_magic_at(struct vk_io *window, uint64_t offset)
{
	uint8_t magic[VK_WIPE_BYTES];

	if (vk_io_read_all(window, offset, magic, sizeof(magic), NULL) != VK_OK ||
	    !vk_fs_magic_known(vk_get_le32(magic)))
		return 0;
	return vk_get_le32(magic);
}

/*
 * The descriptor lies where the extents of the volume say. With the header's magic gone by then (a run that was cut
 * short) they are not believed: then where the header says that the data begins, and where it begins in every volume
 * seen.
 */
static uint32_t find_fs(const struct vk_repair *repair, struct vk_io *window, const struct vk_vmfs *vmfs,
			uint64_t *ret_offset)
{
	const struct vk_candidate *c = vk_repair_candidate(repair);
	const uint64_t places[] = {
		vmfs->fs_expected ? vmfs->fs_offset_bytes : VK_LVM_DATA_OFFSET + VK_FS_OFFSET,
		vk_add_sat(c != NULL && c->has_header ? c->lvm.dataOffset : VK_LVM_DATA_OFFSET, VK_FS_OFFSET),
		VK_LVM_DATA_OFFSET + VK_FS_OFFSET,
	};

	*ret_offset = places[0];
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		uint32_t magic = fs_magic_at(window, places[i]);

		if (magic == 0)
			continue;
		*ret_offset = places[i];
		return magic;
	}
	return 0;
}

static enum vk_status wipe_signatures(struct vk_repair *repair, struct vk_error *err)
{
	const struct vk_source *source = &repair->target.source;
	uint64_t start = repair->partition.offset_bytes, length = repair->partition.length_bytes, fs_at;
	struct vk_io *window = vk_io_window(source->io, start, length != 0 ? length : source->size_bytes - start);
	struct vk_vmfs vmfs = {.start_sector = repair->start_sector, .partition_bytes = length};
	const struct vk_candidate *c;
	enum vk_status status;
	uint32_t magic;

	memset(&repair->wipe, 0, sizeof(repair->wipe));
	if (window == NULL)
		return vk_no_memory(err, NULL);
	status = vk_vmfs_read(window, NULL, &vmfs, err);
	if (status != VK_OK) {
		vk_io_close(window);
		return status;
	}
	vk_identity_fill(source, &vmfs, &repair->wiped_volume);
	c = vk_repair_candidate(repair);
	repair->wipe.known = c != NULL;
	if (c != NULL) {
		repair->wipe.standing = c->standing;
		memcpy(repair->wipe.why, c->why, sizeof(repair->wipe.why));
	}
	if ((repair->options.signatures & VK_WIPE_FS) != 0) {
		magic = find_fs(repair, window, &vmfs, &fs_at);
		status = put_away(repair, VK_WIPE_FS, vk_add_sat(start, fs_at), magic, err);
	}
	if (status == VK_OK && (repair->options.signatures & VK_WIPE_LVM) != 0)
		status = put_away(repair, VK_WIPE_LVM, vk_add_sat(start, VK_LVM_HEADER_OFFSET), VK_LVM_MAGIC, err);
	vk_vmfs_free(&vmfs);
	vk_io_close(window);
	repair->has_wipe = status == VK_OK;
	return status;
}

/* Where the magics lie is known without a search of everything; what else stands on the disk the likely places tell. */
static bool is_enough(struct vk_repair *repair, enum vk_status status)
{
	(void)repair;
	return status == VK_OK;
}

static bool describe_wipe(const struct vk_repair *repair, struct vk_rebuilt *rebuilt)
{
	bool fits = true;

	strcpy(rebuilt->what, "signatures");
	for (size_t i = 0; fits && i < repair->wipe.count; i++) {
		const struct vk_wiped *item = &repair->wipe.items[i];

		if (item->state == VK_WIPED_STANDS)
			fits = vk_rebuilt_say(&rebuilt->fresh,
					      "the signature %s at byte %" PRIu64 ": zeros, removed on purpose",
					      vk_wipe_signature_name(item->which), item->at_bytes);
	}
	return fits;
}

/* The plan knows the volume whose signatures go: without them it would be taken for somebody else's. */
static bool add_volume(struct vk_repair *repair)
{
	struct vk_capture *capture = &repair->unsaved.capture;

	for (size_t i = 0; i < capture->identity_count; i++)
		if (capture->identities[i].start_sector == repair->start_sector)
			return true;
	return vk_append(&capture->identities, &capture->identity_count, &repair->wiped_volume,
			 sizeof(repair->wiped_volume)) != NULL;
}

/* A VMFS partition of a sound table that one of the signatures lies in; NULL: none. */
static const struct vk_partition *naming(const struct vk_repair *repair)
{
	const struct vk_source *now = &repair->again.source;
	const struct vk_table *table = &now->table;
	const struct vk_edit *edits;
	size_t count = vk_restore_edits(repair->restore, &edits);

	if (now->kind != VK_SOURCE_DISK || vk_table_sound_kind(table) == VK_TABLE_NONE)
		return NULL;
	for (size_t i = 0; i < table->partition_count; i++) {
		const struct vk_partition *p = &table->partitions[i];

		for (size_t k = 0; vk_partition_is_vmfs(p) && k < count; k++)
			if (vk_ranges_meet(vk_mul_sat(p->start_sector, now->sector_size),
					   vk_mul_sat(p->sectors, now->sector_size), edits[k].offset_bytes,
					   edits[k].length_bytes))
				return p;
	}
	return NULL;
}

/* A living volume that one of the signatures lies in; NULL: none. */
static const struct vk_candidate *living(const struct vk_repair *repair)
{
	const struct vk_edit *edits;
	size_t count = vk_restore_edits(repair->restore, &edits);

	for (size_t i = 0; i < repair->find.count; i++) {
		const struct vk_candidate *c = &repair->find.candidates[i];

		for (size_t k = 0; c->standing == VK_STANDING_LIVING && k < count; k++)
			if (vk_ranges_meet(c->start_bytes, vk_max_u64(c->length_bytes, c->told_bytes),
					   edits[k].offset_bytes, edits[k].length_bytes))
				return c;
	}
	return NULL;
}

/* What to do when an objection was added: no capture is newer than what is there. */
static enum vk_status leave_it(struct vk_repair *repair, enum vk_status objected)
{
	if (objected == VK_OK)
		vk_guard_add_remedy(repair->restore, "leave it, or name the leftover with --start; lift this guard "
				    "only when nobody needs the volume: no system finds it then", false);
	return objected;
}

/* Guard worse: a volume that is whole, or that a sound table names, would not be found any more. */
static enum vk_status ask_living(struct vk_repair *repair, struct vk_error *err)
{
	const struct vk_partition *p = naming(repair);
	const struct vk_candidate *c = living(repair);
	uint32_t ss = repair->again.source.sector_size;
	const struct vk_edit *edits;
	enum vk_status status = VK_OK;

	if (vk_restore_edits(repair->restore, &edits) == 0)
		return VK_OK;
	if (p != NULL)
		status = leave_it(repair, vk_guard_object(repair->restore, VK_GUARD_WORSE, err,
					 "the signature is not a leftover: it lies in partition %u of the sound "
					 "table, which is a VMFS partition and begins at sector %" PRIu64, p->number,
					 p->start_sector));
	if (status == VK_OK && c != NULL)
		status = leave_it(repair, vk_guard_object(repair->restore, VK_GUARD_WORSE, err,
					 "the signature is not a leftover: it lies in the volume that begins at "
					 "sector %" PRIu64 " and is alive: %s", c->start_bytes / ss, c->why));
	/* of a partition on its own no table is there to say that it is something else by now */
	if (status == VK_OK && p == NULL && c == NULL && repair->again.source.kind == VK_SOURCE_PARTITION &&
	    repair->wipe.known && !vk_standing_is_ghost(repair->wipe.standing))
		status = leave_it(repair, vk_guard_object(repair->restore, VK_GUARD_WORSE, err,
					 "nothing shows that the signature is a leftover: the target is the "
					 "partition itself, the volume in it is %s, and there is no table to check; "
					 "name the whole disk",
					 vk_standing_name(repair->wipe.standing)));
	return status;
}

enum vk_status vk_repair_plan_wipe(const char *target, const struct vk_repair_options *options,
				   struct vk_repair **ret_repair, struct vk_error *err)
{
	static const struct vk_repair_kind kind = {
		.why_likely = "where the signatures lie is known",
		.worked_out = "the signatures were looked at",
		.of_others = true,
		.open = open_wipe,
		.rebuild = wipe_signatures,
		.is_enough = is_enough,
		.describe = describe_wipe,
		.add = add_volume,
		.ask = ask_living,
	};

	return vk_repair_plan(&kind, target, options, ret_repair, err);
}
