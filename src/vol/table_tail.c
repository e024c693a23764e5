/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The backup GPT at the end of an image that begins behind the beginning of its disk: the disk is read as if it were
 * all there.
 */
#include <string.h>

#include "base/memory.h"
#include "base/checked.h"
#include "vol/table_parts.h"

/*
 * Where the disk began, by the header in the last whole sector; 0: it is none, or it says that the image begins with
 * the disk.
 */
static enum vk_status displacement(struct vk_io *io, uint32_t sector_size, uint64_t *ret_sectors, struct vk_error *err)
{
	uint64_t sectors = vk_io_size_bytes(io) / sector_size, end;
	struct vk_gpt_header header;
	uint8_t raw[512];
	enum vk_status status;
	size_t got;

	*ret_sectors = 0;
	if (sectors == 0)
		return VK_OK;
	status = vk_io_read(io, (sectors - 1) * sector_size, raw, sizeof(raw), &got, err);
	if (status != VK_OK || got < sizeof(raw) || !vk_gpt_has_signature(raw, got))
		return status;
	vk_gpt_header_decode(raw, got, &header);
	if (header.myLBA >= sectors && vk_add_u64(header.myLBA, 1, &end) && vk_mul_u64(end, sector_size, &end) &&
	    end <= INT64_MAX)
		*ret_sectors = header.myLBA - (sectors - 1);
	return VK_OK;
}

enum vk_status vk_tail_gpt_read(struct vk_io *io, uint32_t sector_size, struct vk_tail_gpt *ret_tail,
				struct vk_error *err)
{
	static const uint32_t sizes[] = {512, 4096};
	struct vk_tail_gpt tail = {.table.gpt_chosen = -1};

	for (size_t i = 0; i < 2 && tail.first_sector == 0; i++) {
		struct vk_io *disk;
		uint64_t first;
		enum vk_status status;

		if (sector_size != 0 && sector_size != sizes[i])
			continue;
		status = displacement(io, sizes[i], &first, err);
		if (status != VK_OK)
			return status;
		if (first == 0)
			continue;
		disk = vk_io_shifted(io, first * sizes[i]);
		if (disk == NULL)
			return vk_no_memory(err, vk_io_name(io));
		status = vk_table_read(disk, sizes[i], true, NULL, &tail.table, err);
		vk_io_close(disk);
		if (status != VK_OK)
			return status;
		if (tail.table.kind == VK_TABLE_GPT && tail.table.gpt_chosen == 1 && tail.table.gpt[1].sound)
			tail.first_sector = first;
		else
			vk_tail_gpt_free(&tail);
	}
	*ret_tail = tail;
	return VK_OK;
}

void vk_tail_gpt_free(struct vk_tail_gpt *tail)
{
	vk_table_free(&tail->table);
	tail->first_sector = 0;
}

const struct vk_partition *vk_tail_gpt_partition(const struct vk_tail_gpt *tail, uint64_t start_bytes)
{
	for (size_t i = 0; tail->first_sector != 0 && i < tail->table.partition_count; i++) {
		const struct vk_partition *p = &tail->table.partitions[i];
		uint64_t start; /* in the image, in bytes */

		if (p->start_sector >= tail->first_sector &&
		    vk_mul_u64(p->start_sector - tail->first_sector, tail->table.sector_size, &start) &&
		    start == start_bytes)
			return p;
	}
	return NULL;
}
