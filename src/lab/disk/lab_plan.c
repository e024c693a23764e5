/* SPDX-License-Identifier: Apache-2.0 */
/* Where the partitions go: free places, lengths, numbers, and whether the table can say it. */
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "lab/disk/practice.h"

enum { MIB = 1 << 20, GPT_ARRAY_BYTES = 128 * VK_GPT_ENTRY_BYTES };
#define DEFAULT_VOLUME_BYTES (10ULL << 30)

/* The sector behind the last that could ever be used while the disk's size is not fixed. */
#define NO_LIMIT ((uint64_t)1 << 62)

void vk_lab_usable(enum vk_table_kind table, uint32_t sector_size, uint64_t disk_sectors,
		   uint64_t *ret_first, uint64_t *ret_last)
{
	uint64_t array = GPT_ARRAY_BYTES / sector_size;
	uint64_t behind = table == VK_TABLE_GPT ? array + 1 : 0;

	*ret_first = table == VK_TABLE_GPT ? array + 2 : table == VK_TABLE_MBR ? 1 : 0;
	*ret_last = disk_sectors > behind ? disk_sectors - behind - 1 : 0;
}

/* Where ESX puts the first partition: 64 KiB in on an MBR, 1 MiB in on a GPT. */
static uint64_t usual_start(enum vk_table_kind table, uint32_t sector_size)
{
	switch (table) {
	case VK_TABLE_MBR:
		return sector_size == 512 ? 128 : MIB / sector_size;
	case VK_TABLE_GPT:
		return MIB / sector_size;
	default:
		return 0;
	}
}

/* The first start beyond `from` that somebody asked for by number. */
static uint64_t next_fixed_start(const struct vk_lab_spec *spec, uint64_t from)
{
	uint64_t next = NO_LIMIT;

	for (size_t i = 0; i < spec->volume_count; i++)
		if (spec->volumes[i].has_start && spec->volumes[i].start_sector > from)
			next = vk_min_u64(next, spec->volumes[i].start_sector -
						(spec->volumes[i].logical ? 63 : 0));
	for (size_t i = 0; i < spec->foreign_count; i++)
		if (spec->foreign[i].start_sector > from)
			next = vk_min_u64(next, spec->foreign[i].start_sector);
	return next;
}

static enum vk_status place_volume(const struct vk_lab_spec *spec, const struct vk_lab_volume *v, uint64_t cursor,
				   uint64_t usable_end, struct vk_lab_partition *ret_partition, struct vk_error *err)
{
	struct vk_lab_partition p = {
		.number = v->number,
		.gpt_name = v->gpt_name,
		.mbr_type = VK_MBR_TYPE_VMFS,
		.start_sector = v->start_sector,
		.volume = v,
	};
	uint64_t bytes = v->size_bytes;
	bool local = v->local;

	if (v->logical && spec->table != VK_TABLE_MBR)
		return vk_error_set(err, VK_USAGE, NULL, "only an MBR has logical partitions");
	if (v->logical && v->number != 0)
		return vk_error_set(err, VK_USAGE, NULL,
				    "logical partitions are numbered by their place in the chain");
	if (v->block_bytes > MIB && v->version != 3)
		return vk_error_set(err, VK_USAGE, NULL,
				    "only VMFS3 has blocks of other sizes than 1 MiB");
	if (!v->has_start) {
		uint64_t align = spec->table == VK_TABLE_NONE ? 1 : MIB / spec->sector_size;

		p.start_sector = cursor == 0 ? usual_start(spec->table, spec->sector_size)
					     : vk_round_up_sat(cursor + (v->logical ? 63 : 0), align);
	}
	if (v->image[0] != '\0') {
		enum vk_status status = vk_lab_image_probe(v->image, &bytes, &local, err);

		if (status != VK_OK)
			return status;
	}
	if (bytes % spec->sector_size != 0)
		return vk_error_set(err, VK_USAGE, v->image[0] != '\0' ? v->image : NULL,
				    "%llu bytes are not whole sectors of %u bytes",
				    (unsigned long long)bytes, spec->sector_size);
	p.sectors = bytes / spec->sector_size;
	if (bytes == 0) {
		uint64_t end = vk_min_u64(next_fixed_start(spec, p.start_sector), usable_end);

		if (end >= NO_LIMIT)
			end = p.start_sector + DEFAULT_VOLUME_BYTES / spec->sector_size;
		p.sectors = end > p.start_sector ? end - p.start_sector : 0;
	}
	if (p.sectors == 0)
		return vk_error_set(err, VK_USAGE, NULL, "no room is left at sector %llu",
				    (unsigned long long)p.start_sector);
	if (p.sectors > NO_LIMIT || p.start_sector > NO_LIMIT)
		return vk_error_set(err, VK_USAGE, NULL, "no disk is that large");
	if (!vk_guid_parse(local ? VK_GPT_TYPE_VMFSL : VK_GPT_TYPE_VMFS, &p.type))
		return vk_error_set(err, VK_INTERNAL, NULL, "a type GUID of the program is wrong");
	*ret_partition = p;
	return VK_OK;
}

static int by_start(const void *a, const void *b)
{
	const struct vk_lab_partition *x = a;
	const struct vk_lab_partition *y = b;

	return (x->start_sector > y->start_sector) - (x->start_sector < y->start_sector);
}

/* A boot record lies in front of each logical partition, on the track before it as fdisk did it. */
static enum vk_status place_ebrs(struct vk_lab_plan *plan, struct vk_error *err)
{
	uint64_t free_from = 1;

	for (size_t i = 0; i < plan->count; i++) {
		struct vk_lab_partition *p = &plan->partitions[i];

		if (p->volume != NULL && p->volume->logical) {
			if (p->start_sector <= free_from)
				return vk_error_set(err, VK_USAGE, NULL,
						    "no sector is free for the boot record in front of the "
						    "logical partition at sector %llu",
						    (unsigned long long)p->start_sector);
			p->ebr_sector = p->start_sector >= free_from + 63 ? p->start_sector - 63
									  : free_from;
			if (plan->extended_start == 0)
				plan->extended_start = p->ebr_sector;
			plan->extended_sectors =
				p->start_sector + p->sectors - plan->extended_start;
		}
		free_from = p->start_sector + p->sectors;
	}
	if (plan->extended_sectors > UINT32_MAX) {
		vk_error_set(err, VK_USAGE, NULL,
			     "an MBR cannot describe logical partitions that span %llu sectors",
			     (unsigned long long)plan->extended_sectors);
		return vk_error_remedy(err, "beyond 2^32 sectors use --table gpt");
	}
	for (size_t i = 0; i < plan->count; i++) {
		const struct vk_lab_partition *p = &plan->partitions[i];

		if (p->ebr_sector == 0 && p->start_sector > plan->extended_start &&
		    p->start_sector < plan->extended_start + plan->extended_sectors)
			return vk_error_set(err, VK_USAGE, NULL,
					    "the partition at sector %llu lies between logical ones",
					    (unsigned long long)p->start_sector);
	}
	return VK_OK;
}

/* The lowest number that no partition has. */
static unsigned free_number(const struct vk_lab_plan *plan)
{
	unsigned number = 1;
	bool taken = true;

	while (taken) {
		taken = plan->extended_number == number;
		for (size_t i = 0; i < plan->count; i++)
			taken = taken || plan->partitions[i].number == number;
		number += taken;
	}
	return number;
}

static enum vk_status number_all(struct vk_lab_plan *plan, struct vk_error *err)
{
	unsigned most = plan->table == VK_TABLE_MBR ? 4 : 128;
	unsigned logical = 5;

	for (size_t i = 0; i < plan->count; i++) {
		struct vk_lab_partition *p = &plan->partitions[i];

		if (p->ebr_sector != 0) {
			if (plan->extended_number == 0)
				plan->extended_number = free_number(plan);
			p->number = logical++;
			continue;
		}
		if (p->number == 0)
			p->number = free_number(plan);
		if (p->number > most)
			return vk_error_set(err, VK_USAGE, NULL,
					    "the table holds at most %u partitions", most);
		for (size_t k = 0; k < i; k++)
			if (plan->partitions[k].number == p->number)
				return vk_error_set(err, VK_USAGE, NULL,
						    "two partitions are to have the number %u", p->number);
	}
	if (plan->extended_number > 4)
		return vk_error_set(err, VK_USAGE, NULL, "an MBR holds at most 4 primary partitions");
	return VK_OK;
}

static enum vk_status check_fit(const struct vk_lab_plan *plan, struct vk_error *err)
{
	uint64_t first, last;
	uint64_t end = 0;

	vk_lab_usable(plan->table, plan->sector_size, plan->disk_sectors, &first, &last);
	for (size_t i = 0; i < plan->count; i++) {
		const struct vk_lab_partition *p = &plan->partitions[i];
		uint64_t p_end = vk_add_sat(p->start_sector, p->sectors);

		if (p->start_sector < end)
			return vk_error_set(err, VK_USAGE, NULL,
					    "the partition at sector %llu overlaps the one before it",
					    (unsigned long long)p->start_sector);
		if (p->start_sector < first || p_end - 1 > last)
			return vk_error_set(err, VK_USAGE, NULL,
					    "sectors %llu to %llu do not fit the usable ones, %llu to %llu",
					    (unsigned long long)p->start_sector,
					    (unsigned long long)(p_end - 1), (unsigned long long)first,
					    (unsigned long long)last);
		if (plan->table == VK_TABLE_MBR &&
		    (p->start_sector > UINT32_MAX || p->sectors > UINT32_MAX)) {
			vk_error_set(err, VK_USAGE, NULL,
				     "an MBR cannot describe the partition at sector %llu of %llu sectors",
				     (unsigned long long)p->start_sector,
				     (unsigned long long)p->sectors);
			return vk_error_remedy(err, "beyond 2^32 sectors use --table gpt");
		}
		end = p_end;
	}
	return VK_OK;
}

enum vk_status vk_lab_plan_make(const struct vk_lab_spec *spec, struct vk_lab_plan *ret_plan,
				struct vk_error *err)
{
	struct vk_lab_plan *plan = ret_plan;
	enum vk_status status = VK_OK;
	uint64_t usable_end = NO_LIMIT;
	uint64_t cursor = 0;
	uint64_t first, last;

	if (spec->sector_size != 512 && spec->sector_size != 4096)
		return vk_error_set(err, VK_USAGE, NULL, "sectors have 512 or 4096 bytes");
	if (spec->size_bytes % spec->sector_size != 0)
		return vk_error_set(err, VK_USAGE, NULL,
				    "a disk of %llu bytes is not made of whole sectors of %u bytes",
				    (unsigned long long)spec->size_bytes, spec->sector_size);
	if (spec->table == VK_TABLE_NONE && (spec->foreign_count > 0 || spec->volume_count != 1))
		return vk_error_set(err, VK_USAGE, NULL,
				    "without a partition table there is one volume and nothing else");
	if (spec->volume_count + spec->foreign_count == 0)
		return vk_error_set(err, VK_USAGE, NULL, "nothing is to be put on the disk");
	*plan = (struct vk_lab_plan){.table = spec->table,
				     .sector_size = spec->sector_size,
				     .seed = spec->seed};
	if (spec->size_bytes != 0) {
		vk_lab_usable(spec->table, spec->sector_size, spec->size_bytes / spec->sector_size,
			      &first, &last);
		usable_end = last + 1;
	}
	for (size_t i = 0; i < spec->volume_count; i++) {
		struct vk_lab_partition *p = &plan->partitions[plan->count++];

		status = place_volume(spec, &spec->volumes[i], cursor, usable_end, p, err);
		if (status != VK_OK)
			return status;
		cursor = p->start_sector + p->sectors;
	}
	for (size_t i = 0; i < spec->foreign_count; i++)
		plan->partitions[plan->count++] = spec->foreign[i];
	qsort(plan->partitions, plan->count, sizeof(plan->partitions[0]), by_start);
	plan->disk_sectors = spec->size_bytes / spec->sector_size;
	if (spec->size_bytes == 0) {
		const struct vk_lab_partition *p = &plan->partitions[plan->count - 1];

		plan->disk_sectors = p->start_sector + p->sectors;
		/* room for the backup GPT, to whole MiB */
		if (spec->table == VK_TABLE_GPT)
			plan->disk_sectors = vk_add_sat(plan->disk_sectors, GPT_ARRAY_BYTES / spec->sector_size + 1);
		if (spec->table != VK_TABLE_NONE)
			plan->disk_sectors = vk_round_up_sat(plan->disk_sectors, MIB / spec->sector_size);
	}
	if (plan->disk_sectors > INT64_MAX / plan->sector_size)
		return vk_error_set(err, VK_USAGE, NULL, "no disk is that large");
	status = check_fit(plan, err);
	if (status == VK_OK)
		status = place_ebrs(plan, err);
	if (status == VK_OK)
		status = number_all(plan, err);
	return status;
}
