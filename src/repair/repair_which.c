/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which partition is meant whose headers are to be repaired, or whose signatures put away: opens the target as what it
 * is, a disk or the partition itself.
 */
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/checked.h"
#include "repair/guard/guards.h"
#include "repair/repair_state.h"

static void use(struct vk_repair *repair, const struct vk_partition *partition)
{
	uint32_t ss = repair->target.source.sector_size;

	repair->partition.offset_bytes = vk_mul_sat(partition->start_sector, ss);
	repair->partition.length_bytes = vk_mul_sat(partition->sectors, ss);
}

/* It begins with a table of its own, and what lies in it is described there. */
static enum vk_status refuse_extended(const struct vk_repair *repair, const struct vk_partition *p,
				      struct vk_error *err)
{
	const struct vk_table *table = &repair->target.source.table;
	char names[200];
	struct vk_text list = vk_text_in(names, sizeof(names));
	size_t count = 0;

	for (size_t i = 0; i < table->partition_count; i++)
		if (table->partitions[i].logical)
			vk_text_fmt(&list, "%s%u", count++ > 0 ? ", " : "", table->partitions[i].number);
	vk_error_set(err, VK_USAGE, repair->target.source.path,
		     "partition %u is an extended partition: it holds no volume itself, but %s%s", p->number,
		     count > 0 ? "these logical partitions: " : "logical partitions, and none was found", names);
	vk_error_at(err, p->entry_offset_bytes);
	return vk_error_remedy(err, "%s", count > 0 ? "name the logical partition with --partition"
				    : "repair the partition table first (vmfskit repair table), or say where the "
				      "volume begins with --start");
}

static enum vk_status use_number(struct vk_repair *repair, unsigned number, struct vk_error *err)
{
	const struct vk_table *table = &repair->target.source.table;

	for (size_t i = 0; i < table->partition_count; i++) {
		if (table->partitions[i].number != number)
			continue;
		if (vk_partition_is_extended(&table->partitions[i]))
			return refuse_extended(repair, &table->partitions[i], err);
		use(repair, &table->partitions[i]);
		return VK_OK;
	}
	vk_error_set(err, VK_USAGE, repair->target.source.path, "the target's table has no partition %u", number);
	return vk_error_remedy(err, "vmfskit decode shows the table; when it is damaged, repair the table first, or "
				    "say where the partition begins with --start");
}

static enum vk_status use_start(struct vk_repair *repair, uint64_t sector, struct vk_error *err)
{
	const struct vk_source *source = &repair->target.source;
	const struct vk_table *table = &source->table;

	if (sector >= source->size_bytes / source->sector_size)
		return vk_error_set(err, VK_USAGE, source->path, "sector %" PRIu64 " lies behind the end of the target",
				    sector);
	repair->partition = (struct vk_range){vk_mul_sat(sector, source->sector_size), 0};
	for (size_t i = 0; i < table->partition_count; i++) {
		if (table->partitions[i].start_sector != sector)
			continue;
		/* a boot record of the chain stands there: no volume begins with it */
		if (vk_partition_is_extended(&table->partitions[i]))
			return refuse_extended(repair, &table->partitions[i], err);
		use(repair, &table->partitions[i]);
	}
	for (size_t i = 0; i < table->ebr_count; i++) {
		if (table->ebr_lbas[i] != sector)
			continue;
		vk_error_set(err, VK_USAGE, source->path,
			     "sector %" PRIu64 " holds an extended boot record: no volume begins there", sector);
		return vk_error_remedy(err, "vmfskit decode shows the table; name the logical partition behind that "
				       "record with --partition");
	}
	return VK_OK;
}

enum vk_status vk_repair_only_volume(struct vk_repair *repair, struct vk_error *err)
{
	const struct vk_table *table = &repair->target.source.table;
	const struct vk_find *find = &repair->find;
	char names[200];
	struct vk_text list = vk_text_in(names, sizeof(names));
	bool searched = false;
	size_t count = 0;

	for (size_t i = 0; i < table->partition_count; i++) {
		if (!vk_partition_is_vmfs(&table->partitions[i]))
			continue;
		use(repair, &table->partitions[i]);
		vk_text_fmt(&list, "%s%u", count++ > 0 ? ", " : "", table->partitions[i].number);
	}
	if (count == 0) {
		enum vk_status status = vk_repair_search(repair, repair->options.scan == VK_REPAIR_SCAN_WHOLE, err);

		if (status != VK_OK)
			return status;
		searched = true;
	}
	for (size_t i = 0; searched && i < find->count; i++) {
		const struct vk_candidate *candidate = &find->candidates[i];

		if (vk_standing_is_ghost(candidate->standing) || candidate->start_before_disk)
			continue;
		/* the least that a volume needs is no length */
		repair->partition = (struct vk_range){candidate->start_bytes,
						    candidate->length_exact ? candidate->length_bytes : 0};
		vk_text_fmt(&list, "%s%" PRIu64, count++ > 0 ? ", " : "",
			    candidate->start_bytes / repair->target.source.sector_size);
	}
	if (count == 1)
		return VK_OK;
	vk_error_set(err, VK_USAGE, repair->target.source.path, "the partition is ambiguous: %s%s",
		     count == 0 ? "the table lists none, and none was found at the likely places"
		     : searched ? "volumes were found that begin at sectors "
				: "the table has these VMFS partitions: ",
		     names);
	return vk_error_remedy(err, "name it with --partition NUMBER or --start SECTOR; --start 0 says that the "
				    "target is the partition itself");
}

enum vk_status vk_repair_choose_partition(struct vk_repair *repair, const char *target, vk_repair_only *only,
					  struct vk_error *err)
{
	const struct vk_repair_options *options = &repair->options;
	enum vk_source_kind kind = options->has_start || options->partition != 0 ? VK_SOURCE_DISK : VK_SOURCE_AUTO;
	const struct vk_source *source = &repair->target.source;
	enum vk_status status;
	struct stat st;
	dev_t disk;

	if ((options->has_start && options->start_sector == 0 && options->partition == 0) ||
	    (stat(target, &st) == 0 && S_ISBLK(st.st_mode) && vk_disk_of_partition(st.st_rdev, &disk, NULL)))
		kind = VK_SOURCE_PARTITION;
	status = vk_repair_open(repair, target, kind, err);
	if (status == VK_USAGE && kind == VK_SOURCE_AUTO && source->path == NULL)
		return vk_error_remedy(err, "say what it is: --start 0 for a partition, --partition NUMBER or --start "
					    "SECTOR for a disk");
	if (status != VK_OK)
		return status;
	if (source->kind != VK_SOURCE_DISK && source->kind != VK_SOURCE_PARTITION) {
		vk_error_set(err, VK_USAGE, target, "the target is a piece of a partition: a %s",
			     vk_source_kind_name(source->kind));
		return vk_error_remedy(err, "name the disk or the whole partition");
	}
	if (source->kind == VK_SOURCE_PARTITION) {
		repair->partition = (struct vk_range){0, source->size_bytes};
		return VK_OK;
	}
	if (options->partition != 0)
		status = use_number(repair, options->partition, err);
	else if (options->has_start)
		status = use_start(repair, options->start_sector, err);
	else
		status = only(repair, err);
	if (status != VK_OK || repair->partition.offset_bytes != 0)
		return status;
	/* a volume that begins at byte 0 makes the target a partition, whatever it looked like */
	status = vk_repair_open(repair, target, VK_SOURCE_PARTITION, err);
	repair->partition = (struct vk_range){0, status == VK_OK ? source->size_bytes : 0};
	return status;
}

const struct vk_candidate *vk_repair_candidate(const struct vk_repair *repair)
{
	const struct vk_find *find = &repair->find;

	for (size_t i = 0; i < find->count; i++)
		if (find->candidates[i].start_bytes == repair->partition.offset_bytes &&
		    !find->candidates[i].start_before_disk)
			return &find->candidates[i];
	return NULL;
}
