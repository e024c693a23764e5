/* SPDX-License-Identifier: Apache-2.0 */
/* Whole practice disks: planned, then written; one disk, or one for each member of a spanned volume. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "lab/lab.h"

enum vk_status vk_lab_write_device(struct vk_lab_disk *disk, uint64_t base_bytes, const struct vk_lab_device *device,
				   struct vk_error *err)
{
	vk_lab_write_lvm(disk, base_bytes, device, err);
	vk_lab_write_pes(disk, base_bytes, device, err);
	if (device->head && disk->failed == VK_OK) {
		vk_lab_write_fs(disk, base_bytes, device, err);
		vk_lab_write_heartbeats(disk, base_bytes, device, err);
		vk_lab_write_files(disk, base_bytes, device, err);
	}
	return disk->failed;
}

/* What is being made: one plan for each disk, and the devices of the volume in hand. */
struct making {
	const struct vk_lab_spec *spec;
	const char *const *paths;
	const uint64_t *sizes;
	size_t count;
	struct vk_lab_plan *plans;
	struct vk_lab_disk *disks;
	size_t created;
	struct vk_lab_device *devices;
	vk_lab_told told;
	void *arg;
};

static enum vk_status plan_all(struct making *m, struct vk_error *err)
{
	struct vk_lab_spec *copy = malloc(sizeof(*copy) * m->count);
	enum vk_status status = VK_OK;

	if (copy == NULL)
		return vk_no_memory(err, NULL);
	for (size_t i = 0; i < m->count && status == VK_OK; i++) {
		copy[i] = *m->spec;
		if (m->sizes != NULL && m->sizes[i] != 0) {
			copy[i].volumes[0].size_bytes = m->sizes[i];
			copy[i].size_bytes = 0;
		}
		status = vk_lab_plan_make(&copy[i], &m->plans[i], err);
		m->plans[i].disk_index = (unsigned)i;
		/* the volume outlives the copy it was planned from */
		for (size_t k = 0; k < m->plans[i].count; k++)
			if (m->plans[i].partitions[k].volume != NULL)
				m->plans[i].partitions[k].volume =
					&m->spec->volumes[m->plans[i].partitions[k].volume_index];
	}
	free(copy);
	return status;
}

static const struct vk_lab_partition *partition_of(const struct vk_lab_plan *plan, size_t volume)
{
	for (size_t i = 0; i < plan->count; i++)
		if (plan->partitions[i].volume != NULL && plan->partitions[i].volume_index == volume)
			return &plan->partitions[i];
	return NULL;
}

static enum vk_status write_volume(struct making *m, size_t index, struct vk_error *err)
{
	const struct vk_lab_volume *v = &m->spec->volumes[index];
	struct vk_lab_extent extents[VK_LAB_MEMBERS_MAX];
	const struct vk_lab_partition *parts[VK_LAB_MEMBERS_MAX];
	uint32_t sector_size = m->spec->sector_size;
	enum vk_status status;

	for (size_t i = 0; i < m->count; i++) {
		parts[i] = partition_of(&m->plans[i], index);
		if (parts[i] == NULL)
			return vk_error_set(err, VK_INTERNAL, m->paths[i], "A volume was not planned");
		extents[i] = (struct vk_lab_extent){parts[i]->sectors * sector_size, parts[i]->number};
	}
	if (v->image[0] != '\0') {
		status = vk_lab_write_image(&m->disks[0], parts[0]->start_sector * sector_size,
					    v->image, err);
		if (status == VK_OK && m->told != NULL)
			m->told(m->arg, m->paths[0], &m->plans[0], parts[0], NULL);
		return status;
	}
	status = vk_lab_devices_make(v, m->spec->seed, index, extents, m->count, sector_size, m->devices,
				     err);
	for (size_t i = 0; i < m->count && status == VK_OK; i++) {
		status = vk_lab_write_device(&m->disks[i], parts[i]->start_sector * sector_size,
					     &m->devices[i], err);
		if (status == VK_OK && m->told != NULL)
			m->told(m->arg, m->paths[i], &m->plans[i], parts[i], &m->devices[i]);
	}
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
static enum vk_status check_paths(const struct making *m, struct vk_error *err)
{
	for (size_t i = 0; i < m->count; i++) {
		for (size_t k = 0; k < i; k++)
			if (same_file(m->paths[i], m->paths[k]))
				return vk_error_set(err, VK_USAGE, m->paths[i],
						    "The file is named twice");
		for (size_t k = 0; k < m->spec->volume_count; k++)
			if (m->spec->volumes[k].image[0] != '\0' &&
			    same_file(m->paths[i], m->spec->volumes[k].image))
				return vk_error_set(err, VK_USAGE, m->paths[i],
						    "The disk and the image are the same file");
	}
	return VK_OK;
}

/* The file, its table and the partitions of others. */
static enum vk_status write_disk(struct making *m, size_t index, bool overwrite, struct vk_error *err)
{
	const struct vk_lab_plan *plan = &m->plans[index];
	struct vk_lab_disk *disk = &m->disks[index];
	enum vk_status status = vk_lab_disk_create(m->paths[index], plan->disk_sectors * plan->sector_size, overwrite,
						   disk, err);

	if (status != VK_OK)
		return status;
	m->created++;
	vk_lab_write_table(disk, plan, err);
	for (size_t i = 0; i < plan->count && disk->failed == VK_OK; i++)
		if (plan->partitions[i].fat)
			vk_lab_write_fat(disk, plan, &plan->partitions[i], err);
	return disk->failed;
}

static enum vk_status write_all(struct making *m, bool overwrite, struct vk_error *err)
{
	const struct vk_lab_plan *plan = &m->plans[0];
	enum vk_status status = check_paths(m, err);

	for (size_t i = 0; i < m->count && status == VK_OK; i++)
		status = write_disk(m, i, overwrite, err);
	for (size_t i = 0; i < plan->count && status == VK_OK; i++)
		if (plan->partitions[i].volume != NULL)
			status = write_volume(m, plan->partitions[i].volume_index, err);
	for (size_t i = 0; i < m->created && status == VK_OK; i++)
		status = vk_lab_disk_close(&m->disks[i], err);
	/* half a practice disk is of no use */
	for (size_t i = 0; i < m->created && status != VK_OK; i++) {
		vk_lab_disk_abandon(&m->disks[i]);
		unlink(m->paths[i]);
	}
	return status;
}

enum vk_status vk_lab_make(const struct vk_lab_spec *spec, const char *const *paths,
			   const uint64_t *sizes, size_t count, bool overwrite, vk_lab_told told,
			   void *arg, struct vk_error *err)
{
	struct making m = {.spec = spec, .paths = paths, .sizes = sizes, .count = count,
			   .told = told, .arg = arg};
	enum vk_status status;

	if (count == 0 || count > VK_LAB_MEMBERS_MAX)
		return vk_error_set(err, VK_USAGE, NULL, "A volume spans 1 to %d disks",
				    VK_LAB_MEMBERS_MAX);
	if (count > 1 && (spec->volume_count != 1 || spec->volumes[0].image[0] != '\0'))
		return vk_error_set(err, VK_USAGE, NULL,
				    "Only one volume, and no image, can be spread over several disks");
	m.plans = calloc(count, sizeof(*m.plans));
	m.disks = calloc(count, sizeof(*m.disks));
	m.devices = calloc(count, sizeof(*m.devices));
	if (m.plans == NULL || m.disks == NULL || m.devices == NULL)
		status = vk_no_memory(err, NULL);
	else
		status = plan_all(&m, err);
	if (status == VK_OK)
		status = write_all(&m, overwrite, err);
	free(m.plans);
	free(m.disks);
	free(m.devices);
	return status;
}
