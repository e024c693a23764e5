/* SPDX-License-Identifier: Apache-2.0 */
/* Where partitions may begin: what tables, callers, habits and marks say, as one list without repetition. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/checked.h"
#include "find/find_parts.h"

static void add_seed(struct vk_seeds *seeds, const struct vk_seed *seed)
{
	if (vk_append(&seeds->items, &seeds->count, seed, sizeof(*seed)) == NULL)
		seeds->failed = true;
}

/* A start in sectors that fits the arithmetic of the search. */
static bool start_bytes(uint64_t sector, uint64_t sector_size, int64_t *ret_start)
{
	uint64_t bytes;

	if (!vk_mul_u64(sector, sector_size, &bytes) || bytes > INT64_MAX / 2)
		return false;
	*ret_start = (int64_t)bytes;
	return true;
}

static void add_entry(const struct vk_finder *f, struct vk_seeds *seeds, struct vk_seed seed, uint64_t first,
		      uint64_t sectors, uint32_t ss)
{
	if (seeds->count >= VK_TABLE_STARTS_MAX || !start_bytes(first, ss, &seed.start) ||
	    (uint64_t)seed.start >= f->size_bytes)
		return;
	seed.found_by = VK_FOUND_TABLE;
	seed.claimed_bytes = vk_mul_sat(sectors, ss);
	add_seed(seeds, &seed);
}

static void add_gpt_copy(const struct vk_finder *f, struct vk_seeds *seeds, int which)
{
	const struct vk_gpt_copy *copy = &f->source->table.gpt[which];
	uint32_t size = copy->usable && copy->array != NULL ? vk_gpt_entries_bytes(&copy->header) : 0;

	for (uint32_t at = 0, i = 0; at + VK_GPT_ENTRY_BYTES <= size; at += copy->header.entrySize, i++) {
		struct vk_seed seed = {.heard = which == 0 ? VK_HEARD_GPT_PRIMARY : VK_HEARD_GPT_BACKUP,
				       .number = i + 1};
		struct vk_gpt_entry e;

		vk_gpt_entry_decode(copy->array + at, VK_GPT_ENTRY_BYTES, &e);
		if (vk_guid_is_nil(&e.typeGUID) || e.lastLBA < e.firstLBA)
			continue;
		seed.sound = copy->sound && vk_gpt_type_is_vmfs(&e.typeGUID) && f->source->table.kind == VK_TABLE_GPT;
		add_entry(f, seeds, seed, e.firstLBA, e.lastLBA - e.firstLBA + 1, f->source->sector_size);
	}
}

/* Of all copies; the entries of sector 0 also where its signature is gone, or a GPT took its place. */
static void add_table(const struct vk_finder *f, struct vk_seeds *seeds)
{
	const struct vk_table *t = &f->source->table;
	uint32_t ss = f->source->sector_size;

	for (unsigned i = 0; i < 4 && t->mbr_seen_bytes == VK_MBR_BYTES; i++) {
		const struct vk_mbr_entry *e = &t->mbr.entries[i];
		struct vk_seed seed = {.heard = VK_HEARD_MBR, .number = i + 1};

		if (!vk_mbr_entry_used(e) || vk_mbr_type_is_extended(e->type) || e->type == VK_MBR_TYPE_PROTECTIVE)
			continue;
		seed.sound = t->kind == VK_TABLE_MBR && t->mbr.signature == VK_MBR_SIGNATURE &&
			     e->type == VK_MBR_TYPE_VMFS;
		add_entry(f, seeds, seed, e->firstLBA, e->sectors, ss);
	}
	for (int i = 0; i < 2; i++)
		add_gpt_copy(f, seeds, i);
	for (size_t i = 0; i < t->partition_count; i++) {
		const struct vk_partition *p = &t->partitions[i];
		struct vk_seed seed = {.heard = VK_HEARD_EBR, .number = p->number};

		if (!p->logical || vk_partition_is_extended(p))
			continue;
		seed.sound = vk_partition_is_vmfs(p) && t->kind == VK_TABLE_MBR;
		add_entry(f, seeds, seed, p->start_sector, p->sectors, ss);
	}
}

enum vk_status vk_seeds_likely(const struct vk_finder *f, struct vk_seeds *seeds, struct vk_error *err)
{
	const struct vk_tail_gpt *tail = &f->source->tail;
	uint32_t ss = f->source->sector_size;
	/* the usual starts are logical sectors, and a file does not say what these measure */
	uint64_t most = vk_io_is_device(f->source->raw) && ss == 512 ? 512 : 4096;

	if (f->source->kind == VK_SOURCE_DISK)
		add_table(f, seeds);
	/* of an image that begins behind the beginning of its disk */
	for (size_t i = 0; i < tail->table.partition_count; i++) {
		const struct vk_partition *p = &tail->table.partitions[i];
		struct vk_seed seed = {
			.heard = VK_HEARD_GPT_TAIL, .number = p->number, .sound = vk_partition_is_vmfs(p)};

		if (p->start_sector >= tail->first_sector)
			add_entry(f, seeds, seed, p->start_sector - tail->first_sector, p->sectors,
				  tail->table.sector_size);
	}
	for (size_t i = 0; i < f->options->hint_count; i++) {
		const struct vk_find_hint *hint = &f->options->hints[i];
		struct vk_seed seed = {.found_by = VK_FOUND_HINT, .heard = VK_HEARD_HINT, .number = (unsigned)i,
				       .claimed_bytes = vk_mul_sat(hint->sectors, ss)};

		if (start_bytes(hint->start_sector, ss, &seed.start))
			add_seed(seeds, &seed);
	}
	for (size_t i = 0; i < vk_find_usual_start_count; i++)
		for (uint64_t unit = 512; unit <= most; unit *= 8) {
			struct vk_seed seed = {.found_by = VK_FOUND_USUAL};

			if (start_bytes(vk_find_usual_starts[i], unit, &seed.start) &&
			    (uint64_t)seed.start < f->size_bytes)
				add_seed(seeds, &seed);
		}
	return seeds->failed ? vk_no_memory(err, NULL) : VK_OK;
}

/* One sector tells a structure from a magic in passing; the more relations hold, the better. */
static int score(const struct vk_finder *f, bool is_fs, int64_t at)
{
	uint8_t raw[VK_FS_SECTOR_BYTES];
	struct vk_fs_descriptor fs;
	struct vk_lvm_device d;
	struct vk_vmfs_uuid_parts id;
	size_t got = vk_find_get(f, at, raw, is_fs ? sizeof(raw) : 512);

	if (is_fs) {
		vk_fs_descriptor_decode(raw, got, &fs);
		return vk_fs_descriptor_usable(&fs, got) ? 10 : 1;
	}
	vk_lvm_device_decode(raw, got, &d);
	if (!vk_lvm_device_usable(&d, got))
		return 1;
	vk_vmfs_uuid_decode(&d.devID, &id);
	return 11 + vk_lvm_block_size_sound(d.diskBlockSize) + (d.initTimeUS / 1000000 == id.timeLo) +
	       (d.numPEs != 0 && d.lastPEIndex == d.numPEs - 1) + (d.dataOffset == VK_LVM_DATA_OFFSET) +
	       (d.totalBytes <= f->end_bytes);
}

enum vk_status vk_seeds_marks(const struct vk_finder *f, const struct vk_scan *scan,
			      struct vk_seeds *seeds, struct vk_error *err)
{
	for (size_t i = 0; i < scan->mark_count; i++) {
		const struct vk_mark *mark = &scan->marks[i];
		bool fs = mark->kind == VK_MARK_FS;
		struct vk_seed seed = {.found_by = fs ? VK_FOUND_FS : VK_FOUND_HEADER};

		if (mark->kind == VK_MARK_GPT || mark->offset_bytes > INT64_MAX / 2)
			continue;
		seed.start = (int64_t)(mark->offset_bytes -
				       (fs ? VK_LVM_DATA_OFFSET + VK_FS_OFFSET : VK_LVM_HEADER_OFFSET));
		seed.score = score(f, fs, (int64_t)mark->offset_bytes);
		add_seed(seeds, &seed);
	}
	return seeds->failed ? vk_no_memory(err, NULL) : VK_OK;
}

enum vk_status vk_seeds_older(const struct vk_finder *f, const struct vk_find *found, size_t first,
			      struct vk_seeds *seeds, struct vk_error *err)
{
	for (size_t i = first; i < found->older_count; i++) {
		const struct vk_older_gpt *gpt = &found->older[i];

		for (size_t k = 0; k < gpt->entry_count; k++) {
			const struct vk_gpt_entry *e = &gpt->entries[k].entry;
			struct vk_seed seed = {.heard = VK_HEARD_GPT_OLDER, .number = gpt->entries[k].number};

			add_entry(f, seeds, seed, e->firstLBA, e->lastLBA - e->firstLBA + 1, gpt->sector_size);
		}
	}
	return seeds->failed ? vk_no_memory(err, NULL) : VK_OK;
}

static int by_start(const void *a, const void *b)
{
	const struct vk_seed *x = a;
	const struct vk_seed *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	if (x->sound != y->sound)
		return x->sound ? -1 : 1;
	if ((x->heard != 0) != (y->heard != 0))
		return x->heard != 0 ? -1 : 1;
	return x->heard < y->heard ? -1 : x->heard > y->heard;
}

static int by_score(const void *a, const void *b)
{
	const struct vk_seed *x = a;
	const struct vk_seed *y = b;

	if (x->score != y->score)
		return x->score > y->score ? -1 : 1;
	return x->start < y->start ? -1 : x->start > y->start;
}

/* Another one of the same start: what it says of the length is kept, too. */
static void join(struct vk_seed *seed, const struct vk_seed *other)
{
	seed->found_by |= other->found_by;
	if (other->claimed_bytes != 0 && seed->other_count < VK_SAID_MAX)
		seed->others[seed->other_count++] = (struct vk_said){other->claimed_bytes, other->heard, other->number};
	for (size_t i = 0; i < other->other_count && seed->other_count < VK_SAID_MAX; i++)
		seed->others[seed->other_count++] = other->others[i];
}

size_t vk_seeds_settle(struct vk_seeds *seeds)
{
	size_t kept = 0;
	size_t left_out = 0;

	if (seeds->count == 0)
		return 0;
	qsort(seeds->items, seeds->count, sizeof(*seeds->items), by_start);
	for (size_t i = 0; i < seeds->count; i++) {
		struct vk_seed *last = kept > 0 ? &seeds->items[kept - 1] : NULL;
		const struct vk_seed *s = &seeds->items[i];
		/* what was named comes before what was only met */
		int score = s->score + ((s->found_by & (VK_FOUND_TABLE | VK_FOUND_HINT)) != 0 ? 40 : 0) +
			    ((s->found_by & VK_FOUND_USUAL) != 0 ? 20 : 0);

		if (last == NULL || last->start != s->start) {
			seeds->items[kept] = *s;
			seeds->items[kept++].score = score;
			continue;
		}
		join(last, s);
		last->score += score;
	}
	seeds->count = kept;
	if (kept > VK_CANDIDATES_MAX) {
		left_out = kept - VK_CANDIDATES_MAX;
		qsort(seeds->items, kept, sizeof(*seeds->items), by_score);
		seeds->count = VK_CANDIDATES_MAX;
		qsort(seeds->items, seeds->count, sizeof(*seeds->items), by_start);
	}
	return left_out;
}
