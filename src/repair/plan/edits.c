/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Puts the chosen regions of a capture on the overlay, and says which regions their undo has to hold. The digest of the
 * plan, over the target and the old and new bytes of every edit, binds --write to what was shown.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "base/bytes.h"
#include "base/memory.h"
#include "base/checked.h"
#include "repair/plan/restore_state.h"
#include "store/folder/digest.h"

enum { CHUNK_BYTES = 1 << 20, UNDO_REGIONS_MAX = 256 };

void vk_restore_add_hole(struct vk_restore *restore, uint64_t offset, uint64_t length)
{
	const size_t kept = sizeof(restore->holes) / sizeof(restore->holes[0]);

	restore->hole_bytes = vk_add_sat(restore->hole_bytes, length);
	if (restore->hole_count > 0 && restore->hole_count <= kept) {
		struct vk_range *last = &restore->holes[restore->hole_count - 1];

		if (last->offset_bytes + last->length_bytes == offset) {
			last->length_bytes += length;
			return;
		}
	}
	if (restore->hole_count < kept)
		restore->holes[restore->hole_count] = (struct vk_range){offset, length};
	restore->hole_count++;
}

bool vk_restore_edits_meet(const struct vk_restore *restore, uint64_t offset, uint64_t length)
{
	const struct vk_edit *edits;
	size_t count = vk_overlay_edits(restore->overlay, &edits);

	for (size_t i = 0; i < count; i++)
		if (vk_ranges_meet(edits[i].offset_bytes, edits[i].length_bytes, offset, length))
			return true;
	return false;
}

bool vk_restore_edits_in_part(const struct vk_restore *restore, enum vk_part part)
{
	for (size_t i = 0; i < restore->capture->region_count; i++) {
		const struct vk_region *region = &restore->capture->regions[i];

		if (region->part == part && restore->chosen[i] &&
		    vk_restore_edits_meet(restore, region->offset_bytes, region->length_bytes))
			return true;
	}
	return false;
}

/* What is put: len bytes of a structure, at offset. */
struct piece {
	uint64_t offset;
	const uint8_t *bytes;
	size_t len;
	const char *name;
	unsigned write_class;
};

/* The target ends inside a sector, which can then not be written: well, if there is nothing to write. */
static enum vk_status put_cut(struct vk_restore *restore, const struct piece *piece, uint64_t start,
			      struct vk_error *err)
{
	struct vk_error ignored;
	uint8_t *bytes = malloc(piece->len + 1);
	bool same;

	if (bytes == NULL)
		return vk_no_memory(err, NULL);
	same = vk_io_read_all(restore->io, piece->offset, bytes, piece->len, &ignored) == VK_OK &&
	       memcmp(bytes, piece->bytes, piece->len) == 0;
	free(bytes);
	if (!same) {
		restore->ends_in_sector = true;
		vk_restore_add_hole(restore, start, restore->target.size_bytes - start);
	}
	return VK_OK;
}

/* A capture made with smaller sectors may end inside a sector: its other bytes stay as they are. */
static enum vk_status put_rounded(struct vk_restore *restore, const struct piece *piece,
				  struct vk_error *err)
{
	uint32_t ss = restore->target.sector_size;
	uint64_t start = piece->offset - piece->offset % ss;
	uint64_t end = vk_round_up_sat(piece->offset + piece->len, ss);
	struct piece whole = *piece;
	enum vk_status status;

	if (start == piece->offset && end == piece->offset + piece->len)
		return vk_overlay_put(restore->overlay, piece->offset, piece->bytes, piece->len, piece->name,
				      piece->write_class, err);
	if (end > restore->target.size_bytes) {
		uint64_t last = restore->target.size_bytes - restore->target.size_bytes % ss;

		if (piece->offset >= last)
			return put_cut(restore, piece, last, err);
		/* whole sectors first, then what is cut */
		whole.len = (size_t)(last - piece->offset);
		status = put_rounded(restore, &whole, err);
		whole = (struct piece){last, piece->bytes + whole.len, piece->len - whole.len,
				       piece->name, piece->write_class};
		return status == VK_OK ? put_cut(restore, &whole, last, err) : status;
	}
	return vk_overlay_lay(restore->overlay, piece->offset, piece->bytes, piece->len, piece->name,
			      piece->write_class, NULL, err);
}

struct walk {
	struct vk_restore *restore;
	struct vk_range_set not_held; /* of the capture's regions: what could not be read when it was taken */
	struct vk_range_set rebuilt;  /* what repair changed */
	const struct vk_region *region;
	struct vk_io *bytes;
	uint8_t *buf; /* CHUNK_BYTES */
};

/* Put what lies at offset, up to *end or to where something else begins; *end is then that place. */
static enum vk_status put_next(const struct walk *walk, uint64_t offset, uint64_t *end,
			       struct vk_error *err)
{
	struct vk_restore *restore = walk->restore;
	const struct vk_capture *capture = restore->capture;
	struct vk_structure item;
	uint64_t length = *end - offset;
	struct piece piece;
	enum vk_status status;
	bool leave = walk->region->part == VK_PART_TABLE && !capture->is_undo &&
		     vk_range_set_holds(&restore->keep_out, offset, &length);
	bool hole;

	if (!leave && capture->is_rebuilt && restore->options.parts == 0)
		leave = !vk_range_set_holds(&walk->rebuilt, offset, &length);
	if (!leave && restore->gaps_only != NULL && restore->gaps_only[walk->region - capture->regions])
		leave = vk_range_set_holds(&restore->used, offset, &length);
	hole = !leave && vk_range_set_holds(&walk->not_held, offset, &length);
	*end = offset + length;
	if (hole)
		vk_restore_add_hole(restore, offset, length);
	if (leave || hole)
		return VK_OK;
	*end = vk_min_u64(*end, offset + CHUNK_BYTES - offset % CHUNK_BYTES);
	item = vk_structures_at(&restore->structures, walk->region, offset, *end);
	*end = item.end;
	piece = (struct piece){
		.offset = offset,
		.bytes = walk->buf,
		.len = (size_t)(*end - offset),
		.name = item.name,
		.write_class = item.write_class,
	};
	status = vk_io_read_all(walk->bytes, offset - walk->region->offset_bytes, walk->buf,
				piece.len, err);
	if (status != VK_OK) {
		if (status == VK_ABSENT)
			vk_error_set(err, VK_DAMAGED, capture->path, "%s is shorter than recorded",
				     walk->region->file);
		return status;
	}
	return put_rounded(restore, &piece, err);
}

enum vk_status vk_restore_edit(struct vk_restore *restore, struct vk_error *err)
{
	const struct vk_capture *c = restore->capture;
	struct walk walk = {.restore = restore, .buf = malloc(CHUNK_BYTES)};
	enum vk_status status = VK_OK;

	if (walk.buf == NULL || !vk_range_set_add_all(&walk.not_held, c->unreadable, c->unreadable_count) ||
	    !vk_range_set_add_all(&walk.rebuilt, c->rebuilt.ranges, c->rebuilt.range_count))
		status = vk_no_memory(err, NULL);
	for (size_t i = 0; status == VK_OK && i < c->region_count; i++) {
		uint64_t at = c->regions[i].offset_bytes, next;
		uint64_t end = vk_min_u64(vk_add_sat(at, c->regions[i].length_bytes), restore->target.size_bytes);

		if (!restore->chosen[i])
			continue;
		status = vk_capture_region(c, i, &walk.bytes, err);
		if (status != VK_OK)
			break;
		walk.region = &c->regions[i];
		for (; status == VK_OK && at < end; at = next) {
			next = end;
			status = put_next(&walk, at, &next, err);
		}
		vk_io_close(walk.bytes);
	}
	vk_range_set_free(&walk.not_held);
	vk_range_set_free(&walk.rebuilt);
	free(walk.buf);
	return status;
}

/* Ranges of edits that one region of the undo capture covers. */
struct group {
	size_t region;
	uint64_t start;
	uint64_t end;
	bool joined; /* over bytes that are not written */
};

/* The table's region may reach over partitions: what lies there is not the undo's either. */
static bool may_join(const struct vk_restore *restore, enum vk_part part, uint64_t from, uint64_t to,
		     uint64_t most)
{
	uint64_t free_bytes = UINT64_MAX;

	if (to - from > most)
		return false;
	if (part != VK_PART_TABLE)
		return true;
	return from >= to || (!vk_range_set_holds(&restore->keep_out, from, &free_bytes) && free_bytes >= to - from);
}

/* Groups of edits that lie at most `most` bytes apart; groups may be NULL to only count. */
static size_t group_edits(const struct vk_restore *restore, uint64_t most, struct group *groups)
{
	const struct vk_capture *capture = restore->capture;
	const struct vk_edit *edits;
	size_t edit_count = vk_overlay_edits(restore->overlay, &edits), count = 0;
	struct group last = {0};

	for (size_t r = 0; r < capture->region_count; r++) {
		const struct vk_region *region = &capture->regions[r];
		uint64_t region_end = vk_add_sat(region->offset_bytes, region->length_bytes);
		bool open = false;

		for (size_t e = 0; restore->chosen[r] && e < edit_count; e++) {
			uint64_t start = vk_max_u64(edits[e].offset_bytes, region->offset_bytes);
			uint64_t end = vk_min_u64(edits[e].offset_bytes + edits[e].length_bytes,
						  region_end);

			if (start >= end)
				continue;
			if (open && may_join(restore, region->part, last.end, start, most)) {
				last.joined = last.joined || start > last.end;
				last.end = end;
			} else {
				last = (struct group){r, start, end, false};
				count++;
				open = true;
			}
			if (groups != NULL)
				groups[count - 1] = last;
		}
	}
	return count;
}

/* How much of a region's file name tells what it is: without the sector that an undo capture adds. */
static size_t stem_of(const char *file)
{
	size_t stem = strcspn(file, ".");

	for (size_t i = 0; i + 2 < stem; i++)
		if (file[i] == '-' && file[i + 1] == 's' && file[i + 2] >= '0' &&
		    file[i + 2] <= '9')
			return i;
	return stem < 30 ? stem : 30;
}

enum vk_status vk_restore_undo_regions(const struct vk_restore *restore,
				       struct vk_region **ret_regions, size_t *ret_count,
				       struct vk_error *err)
{
	static const uint64_t joins[] = {0, 4096, 65536, 1 << 20, 16 << 20};
	const size_t levels = sizeof(joins) / sizeof(joins[0]);
	struct group *groups;
	struct vk_region *regions;
	size_t count = group_edits(restore, joins[0], NULL), level = 0;

	/* exactly what is written, unless that makes a folder of thousands of files */
	while (count > UNDO_REGIONS_MAX && restore->hole_count == 0 && level + 1 < levels)
		count = group_edits(restore, joins[++level], NULL);
	groups = calloc(count + 1, sizeof(*groups));
	regions = calloc(count + 1, sizeof(*regions));
	if (groups == NULL || regions == NULL) {
		free(groups);
		free(regions);
		return vk_no_memory(err, NULL);
	}
	group_edits(restore, joins[level], groups);
	for (size_t i = 0; i < count; i++) {
		const struct vk_region *of = &restore->capture->regions[groups[i].region];

		regions[i].part = of->part;
		regions[i].partition = of->partition;
		regions[i].offset_bytes = groups[i].start;
		regions[i].length_bytes = groups[i].end - groups[i].start;
		snprintf(regions[i].file, sizeof(regions[i].file), "%.*s-s%" PRIu64 "%s.raw", (int)stem_of(of->file),
			 of->file, groups[i].start / restore->target.sector_size,
			 groups[i].joined ? VK_JOINED_MARK : "");
	}
	free(groups);
	*ret_regions = regions;
	*ret_count = count;
	return VK_OK;
}

/*
 * The target comes first: what must still be the same when the plan is carried out. A path is no part of it: it may
 * come to name another device. No time is part of it either, nor what a host in use writes beside the edits.
 */
enum vk_status vk_restore_make_digest(struct vk_restore *restore, struct vk_error *err)
{
	const struct vk_disk_facts *facts = restore->facts;
	const struct vk_edit *edits;
	size_t count = vk_overlay_edits(restore->overlay, &edits);
	char hex[VK_SHA256_HEX_BYTES], lines[1024];
	struct vk_text text = vk_text_in(lines, sizeof(lines));
	struct vk_digest digest;
	bool done;

	restore->plan[0] = '\0';
	if (count == 0)
		return VK_OK;
	if (!vk_digest_init(&digest))
		return vk_no_memory(err, NULL);
	vk_text_fmt(&text, "vmfskit plan 1\nsector %" PRIu32 "\n", restore->target.sector_size);
	/* a device without a name of its own is known by its number only */
	if (facts->is_device && facts->wwid[0] == '\0' && facts->serial[0] == '\0')
		vk_text_fmt(&text, "device %u:%u\n", major(restore->target.rdev), minor(restore->target.rdev));
	vk_disk_facts_text(facts, &text);
	vk_digest_add(&digest, lines, text.len_bytes);
	for (size_t i = 0; i < count; i++) {
		uint8_t place[16];

		/* place and length come first, so that no two lists of edits are the same stream of bytes */
		vk_put_le64(place, edits[i].offset_bytes);
		vk_put_le64(place + 8, edits[i].length_bytes);
		vk_digest_add(&digest, place, sizeof(place));
		if (edits[i].old_unread)
			vk_digest_add(&digest, "unread", 6);
		vk_digest_add(&digest, edits[i].old_bytes, edits[i].length_bytes);
		vk_digest_add(&digest, edits[i].new_bytes, edits[i].length_bytes);
	}
	done = vk_digest_take(&digest, hex);
	vk_digest_free(&digest);
	if (!done)
		return vk_no_memory(err, NULL);
	snprintf(restore->plan, sizeof(restore->plan), "%.*s", VK_PLAN_DIGEST_BYTES - 1, hex);
	return VK_OK;
}

const char *vk_restore_plan_digest(const struct vk_restore *restore)
{
	return restore->plan;
}
