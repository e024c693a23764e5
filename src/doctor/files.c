/* SPDX-License-Identifier: Apache-2.0 */
/* The files and folders that damaged ranges belong to, volume by volume: of all disks that were diagnosed together. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/memory.h"
#include "doctor/doctor.h"

/* One volume, from all disks that hold an extent of it. */
struct naming {
	struct vk_diagnosis *diagnoses;
	const struct vk_extent *extents;
	size_t extent_count;
	struct vk_fs_extent *opened;    /* of each, with a window of its own */
	struct vk_fs_damage *damage;
	size_t damage_count;
};

static const struct vk_vmfs *vmfs_of(const struct naming *n, size_t extent)
{
	return &n->diagnoses[n->extents[extent].source].source->vmfs[n->extents[extent].vmfs];
}

static uint64_t start_of(const struct naming *n, size_t extent)
{
	return vk_mul_sat(vmfs_of(n, extent)->start_sector, n->diagnoses[n->extents[extent].source].sector_size);
}

static struct vk_diagnosed_volume *volume_at(struct vk_diagnosis *d, uint64_t start)
{
	for (size_t i = 0; i < d->volume_count; i++)
		if (d->volumes[i].start_bytes == start)
			return &d->volumes[i];
	return NULL;
}

static bool is_wrong(const struct vk_damage_range *r)
{
	return vk_damage_is_harm(r->damage) || r->damage == VK_DAMAGE_UNREADABLE;
}

/* What is wrong in the extent, counted from its first byte. */
static bool add_damage(struct naming *n, size_t extent)
{
	const struct vk_diagnosis *d = &n->diagnoses[n->extents[extent].source];
	const struct vk_diagnosed_volume *v = volume_at(n->diagnoses + n->extents[extent].source, start_of(n, extent));
	uint64_t start = start_of(n, extent), end = d->size_bytes;

	if (v != NULL && v->length_bytes != 0)
		end = vk_min_u64(end, vk_add_sat(start, v->length_bytes));
	for (size_t i = 0; i < d->range_count; i++) {
		const struct vk_damage_range *r = &d->ranges[i];
		uint64_t from = vk_max_u64(r->offset_bytes, start);
		uint64_t to = vk_min_u64(r->offset_bytes + r->length_bytes, end);
		const struct vk_fs_damage damage = {extent, {from - start, to - from}};

		if (is_wrong(r) && from < to &&
		    vk_append(&n->damage, &n->damage_count, &damage, sizeof(damage)) == NULL)
			return false;
	}
	return true;
}

static bool is_unread(const struct naming *n)
{
	for (size_t i = 0; i < n->extent_count; i++)
		for (size_t k = 0; k < n->diagnoses[n->extents[i].source].findings.count; k++)
			if (n->diagnoses[n->extents[i].source].findings.items[k].code == VK_F_INCIDENT_UNREADABLE)
				return true;
	return false;
}

static bool open_extents(struct naming *n)
{
	n->opened = calloc(n->extent_count + 1, sizeof(*n->opened));
	for (size_t i = 0; n->opened != NULL && i < n->extent_count; i++) {
		const struct vk_diagnosis *d = &n->diagnoses[n->extents[i].source];

		n->opened[i] = (struct vk_fs_extent){.vmfs = vmfs_of(n, i), .source = n->extents[i].source,
						     .source_bytes = start_of(n, i), .name = d->path};
		n->opened[i].io = vk_io_window(d->source->io, start_of(n, i), UINT64_MAX);
		if (n->opened[i].io == NULL || !add_damage(n, i))
			return false;
	}
	return n->opened != NULL;
}

static void say_unknown(struct vk_diagnosed_hits *hits)
{
	struct vk_text text = vk_text_in(hits->unknown, sizeof(hits->unknown));
	const struct vk_fs_hits *h = &hits->found;

	if (h->names_unknown)
		vk_text_put(&text, "folders cannot be read wholly");
	if (h->lost_files > 0)
		vk_text_fmt(&text, "%s%llu file descriptors cannot be read, or are damaged",
			    text.len_bytes > 0 ? "; " : "", (unsigned long long)h->lost_files);
	if (h->unfinished)
		vk_text_fmt(&text, "%sthe volume has more files or blocks than were looked at",
			    text.len_bytes > 0 ? "; " : "");
}

/* Of a volume that cannot be opened. */
static void say_lost(const struct naming *n, struct vk_diagnosed_hits *hits, const struct vk_error *why)
{
	snprintf(hits->unknown, sizeof(hits->unknown), "%s",
		 vmfs_of(n, 0)->fs_expected
			 ? why->what
			 : "the list of files is on the first extent of the volume: name its disk, too");
}

static enum vk_status name_volume(struct naming *n, struct vk_diagnosed_volume *out)
{
	struct vk_diagnosed_hits *hits = calloc(1, sizeof(*hits));
	struct vk_error why = {0};
	struct vk_fs *fs = NULL;
	enum vk_status status;

	if (hits == NULL || !open_extents(n)) {
		free(hits);
		return VK_NOMEM;
	}
	status = vk_fs_open(n->opened, n->extent_count, NULL, &fs, &why);
	if (status == VK_OK)
		status = vk_fs_hits_find(fs, n->damage, n->damage_count, &hits->found, &why);
	vk_fs_close(fs);
	hits->opened = status == VK_OK;
	if (hits->opened)
		say_unknown(hits);
	else
		say_lost(n, hits, &why);
	/* what cannot be read is found with the files: without them it may be theirs */
	if (status != VK_NOMEM &&
	    (hits->found.bytes > 0 || n->damage_count > 0 || (!hits->opened && is_unread(n))))
		out->hits = hits;
	else
		free(hits);
	return status == VK_NOMEM ? VK_NOMEM : VK_OK;
}

static enum vk_status name_one(struct vk_diagnosis *diagnoses, const struct vk_extent *extents, size_t count)
{
	struct naming n = {.diagnoses = diagnoses, .extents = extents, .extent_count = count};
	struct vk_diagnosed_volume *out = volume_at(&diagnoses[extents[0].source], start_of(&n, 0));
	enum vk_status status = out != NULL && out->hits == NULL ? name_volume(&n, out) : VK_OK;

	for (size_t i = 0; n.opened != NULL && i < count; i++)
		vk_io_close(n.opened[i].io);
	free(n.opened);
	free(n.damage);
	return status;
}

enum vk_status vk_doctor_name_files(struct vk_diagnosis *diagnoses, size_t count, const struct vk_volume *volumes,
				    size_t volume_count, struct vk_error *err)
{
	enum vk_status status = VK_OK;

	for (size_t i = 0; i < volume_count && status == VK_OK; i++)
		status = name_one(diagnoses, volumes[i].extents, volumes[i].extent_count);
	/* those that no LVM header tells of */
	for (size_t i = 0; i < count; i++)
		for (size_t v = 0; v < diagnoses[i].source->vmfs_count && status == VK_OK; v++)
			if (diagnoses[i].source->vmfs[v].volume_count == 0)
				status = name_one(diagnoses, &(struct vk_extent){.source = i, .vmfs = v}, 1);
	return status == VK_OK ? VK_OK : vk_no_memory(err, NULL);
}
