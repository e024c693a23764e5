/* SPDX-License-Identifier: Apache-2.0 */
/* Who a disk is: asked through the descriptor that it was opened with. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "scsi/device_info.h"
#include "vmfskit/of_disk.h"

static void take_device(const struct vk_device_info *info, struct vk_disk_facts *facts)
{
	memcpy(facts->wwid, info->wwid, sizeof(facts->wwid));
	memcpy(facts->serial, info->serial, sizeof(facts->serial));
	memcpy(facts->model, info->model, sizeof(facts->model));
	facts->device_partition = info->partition;
	facts->device_start_sector = info->start_sector;
	facts->file = info->file;
}

void vk_disk_facts_read(const struct vk_source *source, struct vk_disk_facts *ret_facts)
{
	const struct vk_table *table = &source->table;
	struct vk_device_info info;

	memset(ret_facts, 0, sizeof(*ret_facts));
	vk_device_info_of_io(source->io, &info);
	take_device(&info, ret_facts);
	ret_facts->is_device = vk_io_is_device(source->io);
	ret_facts->kind = source->kind;
	ret_facts->size_bytes = source->size_bytes;
	ret_facts->source = source;
	if (source->kind != VK_SOURCE_DISK)
		return;
	ret_facts->has_partitions = table->partition_count > 0;
	for (int i = 0; i < 2; i++)
		if (table->gpt[i].present && table->gpt[i].sound && !vk_guid_is_nil(&table->gpt[i].header.diskGUID))
			ret_facts->disk_guids[ret_facts->disk_guid_count++] = table->gpt[i].header.diskGUID;
}

void vk_disk_facts_of_path(const char *path, struct vk_disk_facts *ret_facts)
{
	struct vk_device_info info;
	struct stat st;

	memset(ret_facts, 0, sizeof(*ret_facts));
	vk_device_info_of_path(path, &info);
	take_device(&info, ret_facts);
	if (stat(path, &st) == 0 && S_ISREG(st.st_mode))
		ret_facts->size_bytes = (uint64_t)st.st_size;
}

void vk_disk_facts_free(struct vk_disk_facts *facts)
{
	free(facts->places);
	facts->places = NULL;
	facts->place_count = 0;
}

void vk_disk_facts_text(const struct vk_disk_facts *facts, struct vk_text *out)
{
	vk_text_fmt(out, "wwid %s\nserial %s\nmodel %s\n", facts->wwid, facts->serial, facts->model);
	vk_text_fmt(out, "partition %u at %" PRIu64 "\n", facts->device_partition, facts->device_start_sector);
	vk_text_fmt(out, "file %" PRIu64 ":%" PRIu64 " of %" PRIu64 "\n", facts->file.device, facts->file.inode,
		    facts->file.born_ns);
	vk_text_fmt(out, "size %" PRIu64 "\n", facts->size_bytes);
}

void vk_disk_facts_name(const struct vk_disk_facts *facts, struct vk_text *out)
{
	if (facts->wwid[0] != '\0')
		vk_text_fmt(out, "WWID %s", facts->wwid);
	else if (facts->serial[0] != '\0')
		vk_text_fmt(out, "serial number %s of %s", facts->serial, facts->model);
	else if (facts->file.inode != 0)
		vk_text_fmt(out, "the file with inode %" PRIu64 " of device %" PRIu64, facts->file.inode,
			    facts->file.device);
	else
		return;
	if (facts->wwid[0] == '\0' && facts->serial[0] == '\0' && facts->file.born_ns != 0) {
		vk_text_put(out, ", made ");
		vk_text_time_us(out, facts->file.born_ns / 1000);
	}
	if (facts->device_partition != 0)
		vk_text_fmt(out, ", partition %u", facts->device_partition);
}

bool vk_disk_facts_still(const struct vk_disk_facts *facts, int fd, struct vk_disk_facts *ret_now)
{
	struct vk_device_info info;
	char then_names[1024], now_names[1024];
	struct vk_text text;

	memset(ret_now, 0, sizeof(*ret_now));
	vk_device_info_read(fd, &info);
	take_device(&info, ret_now);
	ret_now->size_bytes = facts->size_bytes;
	text = vk_text_in(then_names, sizeof(then_names));
	vk_disk_facts_text(facts, &text);
	text = vk_text_in(now_names, sizeof(now_names));
	vk_disk_facts_text(ret_now, &text);
	return strcmp(then_names, now_names) == 0;
}
