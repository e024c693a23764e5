/* SPDX-License-Identifier: Apache-2.0 */
/* Whole practice disks: planned, then written; one disk, or one for each member of a spanned volume. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "lab/lab.h"
#include "vmfskit/text.h"

/* What is being made: one plan for each disk, and the devices of the volume in hand. */
struct making {
	struct vk_lab_spec *spec;
	const char *const *paths;
	size_t count;
	struct vk_lab_plan *plans;
	struct vk_lab_disk *disks;
	size_t created;
	struct vk_lab_device *devices;
	const struct vk_lab_files_asked *files; /* NULL: none */
	FILE *out;
	struct vk_error *err;
};

/* A line for each partition made, below one for its disk when it is the first one of it; d is NULL for an image. */
static void report_partition(const struct making *m, size_t disk, bool first, const struct vk_lab_partition *p,
			     const struct vk_lab_device *d)
{
	const struct vk_lab_plan *plan = &m->plans[disk];
	char buf[80], name[VK_SCSI_NAME_BYTES], uuid[VK_VMFS_UUID_TEXT_BYTES];
	struct vk_text text;
	bool certain;

	if (m->out == NULL)
		return;
	vk_text_init(&text, buf, sizeof(buf));
	vk_text_size(&text, plan->disk_sectors * plan->sector_size);
	if (first)
		fprintf(m->out, "%s: %s, %s, sectors of %u bytes\n", m->paths[disk], buf,
			plan->table == VK_TABLE_MBR   ? "MBR"
			: plan->table == VK_TABLE_GPT ? "GPT"
						      : "no partition table",
			plan->sector_size);
	fprintf(m->out, "  partition %u, sectors %llu to %llu: ", p->number, (unsigned long long)p->start_sector,
		(unsigned long long)(p->start_sector + p->sectors - 1));
	if (d == NULL) {
		fprintf(m->out, "copy of %s\n", p->volume->image);
		return;
	}
	vk_scsi_disk_id_name(&d->header.diskID, name, &certain);
	vk_vmfs_uuid_format(&d->volume.uuid, uuid);
	if (d->head) {
		vk_fs_version_name(&d->fs, buf);
		fprintf(m->out, "%s \"%s\", ", buf, p->volume->label);
	} else {
		fprintf(m->out, "extents %llu to %llu, ", (unsigned long long)d->volume.firstPE,
			(unsigned long long)d->volume.lastPE);
	}
	fprintf(m->out, "volume %s, %s, LUN %u\n", uuid, name, d->header.diskID.lun);
}

/* The files of the one volume, when there are any. */
static enum vk_status fill_volume(struct making *m, size_t place)
{
	struct vk_lab_member members[VK_LAB_MEMBERS_MAX];

	for (size_t i = 0; i < m->count; i++)
		members[i] = (struct vk_lab_member){
			.disk = &m->disks[i],
			.base_bytes = m->plans[i].partitions[place].start_sector * m->spec->sector_size,
			.device = &m->devices[i],
		};
	return vk_lab_fill(m->files, members, m->count, m->err);
}

/* A volume, or one member of it on each disk; the plans of all disks have it at the same place of their lists. */
static enum vk_status write_volume(struct making *m, size_t place, bool first)
{
	const struct vk_lab_volume *v = m->plans[0].partitions[place].volume;
	uint32_t sector_size = m->spec->sector_size;
	struct vk_lab_extent extents[VK_LAB_MEMBERS_MAX];
	enum vk_status status = VK_OK;

	for (size_t i = 0; i < m->count; i++) {
		const struct vk_lab_partition *p = &m->plans[i].partitions[place];

		extents[i] = (struct vk_lab_extent){p->sectors * sector_size, p->number};
	}
	if (v->image[0] == '\0')
		status = vk_lab_devices_make(v, m->spec->seed, (size_t)(v - m->spec->volumes), extents, m->count,
					     sector_size, m->devices, m->err);
	if (m->files != NULL)
		vk_lab_files_needs(m->files, &m->devices[0].needs);
	for (size_t i = 0; i < m->count && status == VK_OK; i++) {
		const struct vk_lab_partition *p = &m->plans[i].partitions[place];
		uint64_t base_bytes = p->start_sector * sector_size;

		if (v->image[0] != '\0')
			vk_lab_write_image(&m->disks[i], base_bytes, v->image);
		else
			vk_lab_write_device(&m->disks[i], base_bytes, &m->devices[i]);
		status = m->disks[i].failed;
	}
	if (status == VK_OK && m->files != NULL)
		status = fill_volume(m, place);
	for (size_t i = 0; i < m->count && status == VK_OK; i++)
		report_partition(m, i, first, &m->plans[i].partitions[place],
				 v->image[0] != '\0' ? NULL : &m->devices[i]);
	return status;
}

static bool same_file(const char *a, const char *b)
{
	struct stat x, y;

	if (stat(a, &x) != 0 || stat(b, &y) != 0)
		return strcmp(a, b) == 0;
	return x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* Making a disk empties its file: that must neither be another disk nor an image that is to be read. */
static enum vk_status check_paths(const struct making *m)
{
	for (size_t i = 0; i < m->count; i++) {
		for (size_t k = 0; k < i; k++)
			if (same_file(m->paths[i], m->paths[k]))
				return vk_error_set(m->err, VK_USAGE, m->paths[i], "the file is named twice");
		for (size_t k = 0; k < m->spec->volume_count; k++)
			if (m->spec->volumes[k].image[0] != '\0' &&
			    same_file(m->paths[i], m->spec->volumes[k].image))
				return vk_error_set(m->err, VK_USAGE, m->paths[i],
						    "the disk and the image are the same file");
	}
	return VK_OK;
}

/* All files with their tables and the partitions of others, then the volumes. */
static enum vk_status write_all(struct making *m, bool overwrite)
{
	enum vk_status status = check_paths(m);
	bool first = true;

	for (size_t i = 0; i < m->count && status == VK_OK; i++) {
		const struct vk_lab_plan *plan = &m->plans[i];
		struct vk_lab_disk *disk = &m->disks[i];

		status = vk_lab_disk_create(m->paths[i], plan->disk_sectors * plan->sector_size, overwrite, disk,
					    m->err);
		if (status != VK_OK)
			break;
		m->created++;
		vk_lab_write_table(disk, plan);
		for (size_t k = 0; k < plan->count; k++)
			if (plan->partitions[k].fat)
				vk_lab_write_fat(disk, plan, &plan->partitions[k]);
		status = disk->failed;
	}
	for (size_t i = 0; i < m->plans[0].count && status == VK_OK; i++)
		if (m->plans[0].partitions[i].volume != NULL) {
			status = write_volume(m, i, first);
			first = false;
		}
	for (size_t i = 0; i < m->created; i++) {
		enum vk_status closed = vk_lab_disk_close(&m->disks[i]);

		status = status == VK_OK ? closed : status;
	}
	/* half a practice disk is of no use */
	for (size_t i = 0; i < m->created && status != VK_OK; i++)
		unlink(m->paths[i]);
	return status;
}

enum vk_status vk_lab_make(struct vk_lab_spec *spec, const char *const *paths, const uint64_t *sizes, size_t count,
			   const struct vk_lab_files_asked *files, bool overwrite, FILE *out, struct vk_error *err)
{
	struct making m = {.spec = spec, .paths = paths, .count = count, .files = files, .out = out, .err = err};
	uint64_t disk_bytes = spec->size_bytes, volume_bytes = spec->volumes[0].size_bytes;
	enum vk_status status = VK_OK;

	if (count == 0 || count > VK_LAB_MEMBERS_MAX)
		return vk_error_set(err, VK_USAGE, NULL, "a volume spans 1 to %d disks",
				    VK_LAB_MEMBERS_MAX);
	if (count > 1 && (spec->volume_count != 1 || spec->volumes[0].image[0] != '\0'))
		return vk_error_set(err, VK_USAGE, NULL,
				    "only one volume, and no image, can be spread over several disks");
	if (files != NULL && (spec->volume_count != 1 || spec->volumes[0].image[0] != '\0'))
		return vk_error_set(err, VK_USAGE, NULL, "files are put into a single volume only, and into no image");
	m.plans = calloc(count, sizeof(*m.plans));
	m.disks = calloc(count, sizeof(*m.disks));
	m.devices = calloc(count, sizeof(*m.devices));
	if (m.plans == NULL || m.disks == NULL || m.devices == NULL)
		status = vk_no_memory(err, NULL);
	for (size_t i = 0; i < count && status == VK_OK; i++) {
		bool own_size = sizes != NULL && sizes[i] != 0;

		spec->size_bytes = own_size ? 0 : disk_bytes;
		spec->volumes[0].size_bytes = own_size ? sizes[i] : volume_bytes;
		status = vk_lab_plan_make(spec, &m.plans[i], err);
		m.plans[i].disk_index = (unsigned)i;
	}
	if (status == VK_OK)
		status = write_all(&m, overwrite);
	free(m.plans);
	free(m.disks);
	free(m.devices);
	return status;
}
