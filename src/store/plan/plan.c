/* SPDX-License-Identifier: Apache-2.0 */
/* Which ranges of a disk are needed to bring its table and VMFS headers back. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/checked.h"
#include "store/plan/plan.h"

/* Bounds that no sound disk comes near: a hostile one must not make a capture huge. */
enum { REGIONS_MAX = 4096, PIECES_MAX = 256 };
static const uint64_t head_max_bytes = 1ULL << 20;
static const uint64_t tail_max_bytes = 4ULL << 20;
static const uint64_t head_least_sectors = 34;
static const uint64_t tail_least_sectors = 33;

struct planner {
	const struct vk_source *source;
	struct vk_region *regions;
	size_t count;
	enum vk_status status;
};

static bool name_taken(const struct planner *p, const char *file)
{
	for (size_t i = 0; i < p->count; i++)
		if (strcmp(p->regions[i].file, file) == 0)
			return true;
	return false;
}

static void plan_region(struct planner *p, enum vk_part part, unsigned partition, const char *name,
			uint64_t start, uint64_t end)
{
	struct vk_region region = {.part = part,
				   .partition = partition,
				   .offset_bytes = start,
				   .length_bytes = end - start};

	if (p->count == REGIONS_MAX) {
		p->status = VK_DAMAGED;
		return;
	}
	snprintf(region.file, sizeof(region.file), "%s.raw", name);
	for (unsigned piece = 2; name_taken(p, region.file); piece++)
		snprintf(region.file, sizeof(region.file), "%s.%u.raw", name, piece);
	if (vk_append(&p->regions, &p->count, &region, sizeof(region)) == NULL)
		p->status = VK_NOMEM;
}

/*
 * On a disk with an MBR a table part never reaches into a partition: what looks like a GPT there is old, and to
 * write it back by hand would destroy what lies there now. Returns the end of the partition that holds the byte,
 * or 0, and brings *stop down to the next one.
 */
static uint64_t fence(const struct planner *p, uint64_t byte, uint64_t *stop)
{
	const struct vk_table *table = &p->source->table;
	uint64_t sector = p->source->sector_size;

	for (size_t i = 0; table->kind == VK_TABLE_MBR && i < table->partition_count; i++) {
		const struct vk_partition *part = &table->partitions[i];
		uint64_t from = vk_mul_sat(part->start_sector, sector);
		uint64_t to = vk_add_sat(from, vk_mul_sat(part->sectors, sector));

		if (vk_partition_is_extended(part) || from == 0)
			continue;
		if (from <= byte && byte < to)
			return to;
		if (from > byte)
			*stop = vk_min_u64(*stop, from);
	}
	return 0;
}

/* Plan start to end, without what is planned already: a byte is saved and written back once. */
static void plan_range(struct planner *p, enum vk_part part, unsigned partition, uint64_t start,
		uint64_t end, const char *fmt, ...) __attribute__((format(printf, 6, 7)));
static void plan_range(struct planner *p, enum vk_part part, unsigned partition, uint64_t start,
		uint64_t end, const char *fmt, ...)
{
	char name[40];
	va_list args;

	va_start(args, fmt);
	vsnprintf(name, sizeof(name), fmt, args);
	va_end(args);
	end = vk_min_u64(end, p->source->size_bytes);
	while (start < end && p->status == VK_OK) {
		uint64_t stop = end;
		uint64_t behind = part == VK_PART_TABLE ? fence(p, start, &stop) : 0;
		bool planned = behind > 0;

		start = vk_max_u64(start, behind);

		for (size_t i = 0; i < p->count && !planned; i++) {
			uint64_t from = p->regions[i].offset_bytes;
			uint64_t to = from + p->regions[i].length_bytes;

			if (from <= start && start < to) {
				start = to;
				planned = true;
			} else if (from > start) {
				stop = vk_min_u64(stop, from);
			}
		}
		if (planned)
			continue;
		plan_region(p, part, partition, name, start, stop);
		start = stop;
	}
}

static bool has_gpt(const struct vk_table *table)
{
	return table->gpt[0].present || table->gpt[1].present;
}

static uint64_t array_bytes(const struct vk_gpt_copy *copy, uint32_t sector_size)
{
	return copy->usable ? vk_round_up_sat(vk_gpt_entries_bytes(&copy->header), sector_size) : 0;
}

/*
 * To the first partition. A VMFS partition in front of sector 34 of a disk without GPT is saved
 * by its own regions; sector 0, or all of the first GPT copy, stays here whatever a damaged table
 * says.
 */
static uint64_t head_end(const struct vk_source *source, const struct vk_vmfs *vmfs, size_t count)
{
	uint64_t sector = source->sector_size;
	uint64_t end = UINT64_MAX;
	uint64_t least = (has_gpt(&source->table) ? head_least_sectors : 1) * sector;

	for (size_t i = 0; i < source->table.partition_count; i++)
		end = vk_min_u64(end, vk_mul_sat(source->table.partitions[i].start_sector, sector));
	for (size_t i = 0; i < count; i++)
		end = vk_min_u64(end, vk_mul_sat(vmfs[i].start_sector, sector));
	end = vk_max_u64(vk_min_u64(end, head_max_bytes), head_least_sectors * sector);
	for (size_t i = 0; i < count; i++)
		end = vk_min_u64(end, vk_mul_sat(vmfs[i].start_sector, sector));
	return vk_max_u64(end, least);
}

static void plan_table_start(struct planner *p, const struct vk_vmfs *vmfs, size_t count)
{
	const struct vk_table *table = &p->source->table;
	const struct vk_gpt_copy *primary = &table->gpt[0];
	uint64_t sector = p->source->sector_size;

	plan_range(p, VK_PART_TABLE, 0, 0, head_end(p->source, vmfs, count), "head");
	if (primary->usable) {
		uint64_t start = vk_mul_sat(primary->header.entriesLBA, sector);

		plan_range(p, VK_PART_TABLE, 0, start, vk_add_sat(start, array_bytes(primary, p->source->sector_size)),
		    "gpt-entries");
	}
	for (size_t i = 0; i < table->ebr_count; i++) {
		uint64_t start = vk_mul_sat(table->ebr_lbas[i], sector);

		plan_range(p, VK_PART_TABLE, 0, start, vk_add_sat(start, sector), "ebr-%llu",
		    (unsigned long long)table->ebr_lbas[i]);
	}
}

static void plan_table_end(struct planner *p)
{
	const struct vk_gpt_copy *backup = &p->source->table.gpt[1];
	uint64_t sector = p->source->sector_size;
	uint64_t size = p->source->size_bytes / sector * sector;
	uint64_t tail;
	uint64_t start = UINT64_MAX;
	uint64_t header_end = 0;

	if (!has_gpt(&p->source->table) || size < tail_least_sectors * sector)
		return;
	tail = size - tail_least_sectors * sector;
	if (backup->present) {
		start = vk_mul_sat(backup->lba, sector);
		header_end = vk_add_sat(start, sector);
	}
	if (backup->usable)
		start = vk_min_u64(start, vk_mul_sat(backup->header.entriesLBA, sector));
	if (start < tail && size - start <= tail_max_bytes)
		tail = start;
	plan_range(p, VK_PART_TABLE, 0, tail, size, "gpt-tail");
	/* a disk that was grown keeps its copy where the end was */
	if (start < tail && header_end > start && header_end - start <= tail_max_bytes)
		plan_range(p, VK_PART_TABLE, 0, start, header_end, "gpt-backup");
}

static void plan_volume_range(struct planner *p, const struct vk_vmfs *vmfs, enum vk_part part,
			      uint64_t bound, uint64_t from, uint64_t to, const char *name)
{
	uint64_t base = vk_plan_base(p->source, vmfs);

	for (unsigned i = 0; from < to && i < PIECES_MAX; i++) {
		uint64_t length;
		uint64_t start = vk_add_sat(base, vk_plan_map(vmfs, from, &length));
		uint64_t end;

		length = vk_min_u64(length, to - from);
		end = vk_min_u64(vk_add_sat(start, length), bound);
		plan_range(p, part, vmfs->partition, start, end, "p%u-%s", vmfs->partition, name);
		from += length;
	}
}

static void plan_vmfs(struct planner *p, const struct vk_vmfs *vmfs)
{
	uint64_t base = vk_plan_base(p->source, vmfs);
	uint64_t bound = p->source->size_bytes;
	struct vk_fs_geometry geometry = vk_plan_geometry(vmfs);

	if (vmfs->partition_bytes != 0)
		bound = vk_min_u64(bound, vk_add_sat(base, vmfs->partition_bytes));
	plan_range(p, VK_PART_LVM, vmfs->partition, base,
	    vk_min_u64(vk_add_sat(base, vk_plan_data_offset(vmfs)), bound), "p%u-lvm",
	    vmfs->partition);
	for (size_t i = 0; i < vmfs->ext_count && i < PIECES_MAX; i++) {
		const struct vk_lvm_ext_at *at = &vmfs->exts[i];
		uint64_t start = vk_add_sat(base, at->offset_bytes);
		uint64_t length = VK_LVM_DATA_OFFSET;

		if (at->ext.dataOffset > at->offset_bytes &&
		    at->ext.dataOffset - at->offset_bytes <= VK_PLAN_LVM_MAX_BYTES)
			length = at->ext.dataOffset - at->offset_bytes;
		plan_range(p, VK_PART_LVM, vmfs->partition, start,
		    vk_min_u64(vk_add_sat(start, length), bound), "p%u-lvm-ext%zu", vmfs->partition,
		    i + 1);
	}
	if (!vmfs->fs_expected)
		return;
	plan_volume_range(p, vmfs, VK_PART_VH, bound, 0, geometry.heartbeat_offset, "vh");
	plan_volume_range(p, vmfs, VK_PART_HEARTBEATS, bound, geometry.heartbeat_offset,
			  geometry.heartbeat_end, "heartbeats");
	plan_volume_range(p, vmfs, VK_PART_VH, bound, geometry.heartbeat_end, geometry.vh_end,
			  "vh-tail");
}

int vk_region_compare(const void *a, const void *b)
{
	const struct vk_region *x = a;
	const struct vk_region *y = b;

	return x->offset_bytes < y->offset_bytes ? -1 : x->offset_bytes > y->offset_bytes;
}

enum vk_status vk_capture_plan(const struct vk_source *source, struct vk_capture_plan *ret_plan,
			       struct vk_error *err)
{
	struct planner p = {.source = source};
	struct vk_capture_plan plan = {0};
	struct vk_vmfs spare;
	size_t count;
	const struct vk_vmfs *vmfs = vk_plan_partitions(source, &spare, &count);

	if (source->kind != VK_SOURCE_DISK && source->kind != VK_SOURCE_PARTITION) {
		vk_error_set(err, VK_USAGE, source->path,
			     "a %s cannot be captured: its place on the disk is not known",
			     vk_source_kind_name(source->kind));
		return vk_error_remedy(err, "name the disk, or a whole partition");
	}
	if (source->kind == VK_SOURCE_DISK) {
		plan_table_start(&p, vmfs, count);
		plan_table_end(&p);
	}
	for (size_t i = 0; i < count; i++)
		plan_vmfs(&p, &vmfs[i]);
	plan.identities = calloc(count + 1, sizeof(*plan.identities));
	if (p.status != VK_OK || plan.identities == NULL) {
		bool many = p.status == VK_DAMAGED;

		free(p.regions);
		free(plan.identities);
		if (!many)
			return vk_no_memory(err, source->path);
		vk_error_set(err, VK_DAMAGED, source->path,
			     "the partition table asks for more than %d regions", REGIONS_MAX);
		return vk_error_remedy(err, "no sound disk does: look at it with vmfskit decode");
	}
	for (size_t i = 0; i < count; i++)
		vk_identity_fill(source, &vmfs[i], &plan.identities[i]);
	if (p.count > 0)
		qsort(p.regions, p.count, sizeof(*p.regions), vk_region_compare);
	plan.regions = p.regions;
	plan.region_count = p.count;
	plan.identity_count = count;
	*ret_plan = plan;
	return VK_OK;
}

void vk_capture_plan_free(struct vk_capture_plan *plan)
{
	free(plan->regions);
	free(plan->identities);
	memset(plan, 0, sizeof(*plan));
}
