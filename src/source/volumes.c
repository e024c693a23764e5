/* SPDX-License-Identifier: Apache-2.0 */
/* Volumes from their extents: which devices belong together, and which is missing. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/checked.h"
#include "vmfskit/source.h"

static const struct vk_lvm_volume *volume_of(const struct vk_source *sources, const struct vk_extent *e)
{
	return &sources[e->source].vmfs[e->vmfs].volumes[0].volume;
}

static struct vk_volume *find_volume(struct vk_volume *volumes, size_t count,
				     const struct vk_lvm_volume *v)
{
	for (size_t i = 0; i < count; i++)
		if (volumes[i].snap_id == v->snapID && vk_vmfs_uuid_equal(&volumes[i].uuid, &v->uuid))
			return &volumes[i];
	return NULL;
}

static int by_first_pe(const void *a, const void *b)
{
	const struct vk_extent *x = a;
	const struct vk_extent *y = b;

	return x->first_pe < y->first_pe ? -1 : x->first_pe > y->first_pe;
}

static void say_missing(const struct vk_volume *volume, uint64_t first, uint64_t last,
			const struct vk_finding_sink *sink)
{

	vk_finding_say(sink, VK_F_VOLUME_EXTENT_MISSING, 0, 0,
		       vk_phrase("%zu of %u devices", volume->extent_count, volume->num_devs).text,
		       vk_phrase("%u devices", volume->num_devs).text,
		       "volume %s: the extent with physical extents %llu to %llu is missing",
		       vk_vmfs_uuid_text(&volume->uuid).text, (unsigned long long)first, (unsigned long long)last);
}

static void say_conflict(const struct vk_volume *volume, const struct vk_source *sources,
			 const struct vk_extent *a, const struct vk_extent *b,
			 const struct vk_finding_sink *sink)
{
	char uuid[VK_VMFS_UUID_TEXT_BYTES];

	vk_vmfs_uuid_format(&volume->uuid, uuid);
	vk_finding_say(sink, VK_F_VOLUME_EXTENT_CONFLICT, 0, 0, NULL, NULL,
		       "volume %s: %.60s and %.60s claim the same extents", uuid, sources[a->source].path,
		       sources[b->source].path);
}

static struct vk_phrase about(const struct vk_lvm_volume *v)
{
	return vk_phrase("generation %llu, %llu bytes, %u devices", (unsigned long long)v->generation,
			 (unsigned long long)v->logicalSize, v->numDevs);
}

static void check_members(const struct vk_volume *volume, const struct vk_source *sources,
			  const struct vk_finding_sink *sink)
{
	const struct vk_extent *e = volume->extents;
	const struct vk_lvm_volume *first = volume_of(sources, &e[0]);

	for (size_t i = 1; i < volume->extent_count; i++) {
		const struct vk_lvm_volume *v = volume_of(sources, &e[i]);

		if (v->generation != first->generation || v->logicalSize != first->logicalSize ||
		    v->numDevs != first->numDevs)
			vk_finding_say(sink, VK_F_VOLUME_MEMBERS_DIFFER, 0, 0, about(v).text, about(first).text,
				       "%.100s disagrees with %.100s about the volume", sources[e[i].source].path,
				       sources[e[0].source].path);
	}
}

static void check_volume(struct vk_volume *volume, const struct vk_source *sources,
			 const struct vk_finding_sink *sink)
{
	uint64_t pes = volume->logical_bytes / VK_LVM_PE_BYTES;
	uint64_t next = 0;
	bool sound = true;

	qsort(volume->extents, volume->extent_count, sizeof(*volume->extents), by_first_pe);
	for (size_t i = 0; i < volume->extent_count; i++) {
		const struct vk_extent *e = &volume->extents[i];

		if (e->first_pe < next) {
			say_conflict(volume, sources, &volume->extents[i - (i > 0)], e, sink);
			sound = false;
		} else if (e->first_pe > next) {
			say_missing(volume, next, e->first_pe - 1, sink);
			sound = false;
		}
		next = vk_max_u64(next, vk_add_sat(e->last_pe, 1));
	}
	if (next < pes) {
		say_missing(volume, next, pes - 1, sink);
		sound = false;
	}
	volume->complete = sound;
	check_members(volume, sources, sink);
}

static void take_fs(struct vk_volume *volume, const struct vk_source *sources)
{
	const struct vk_extent *head = &volume->extents[0];
	const struct vk_vmfs *v = &sources[head->source].vmfs[head->vmfs];

	if (head->first_pe != 0 || !v->fs_usable)
		return;
	volume->has_fs = true;
	volume->fs = v->fs;
}

static enum vk_status collect(const struct vk_source *sources, size_t count,
			      struct vk_volume **volumes, size_t *volume_count)
{
	for (size_t s = 0; s < count; s++) {
		for (size_t d = 0; d < sources[s].vmfs_count; d++) {
			const struct vk_vmfs *v = &sources[s].vmfs[d];
			const struct vk_lvm_volume *lv;
			struct vk_volume *found;

			if (v->volume_count == 0 || v->volumes[0].seen_bytes < VK_LVM_VOLUME_BYTES)
				continue;
			lv = &v->volumes[0].volume;
			found = find_volume(*volumes, *volume_count, lv);
			if (found == NULL) {
				const struct vk_volume fresh = {.uuid = lv->uuid,
								.snap_id = lv->snapID,
								.num_devs = lv->numDevs,
								.logical_bytes = lv->logicalSize};

				found = vk_append(volumes, volume_count, &fresh, sizeof(fresh));
			}
			if (found == NULL || vk_append(&found->extents, &found->extent_count,
						       &(struct vk_extent){s, d, v->first_pe, lv->lastPE},
						       sizeof(struct vk_extent)) == NULL)
				return VK_NOMEM;
		}
	}
	return VK_OK;
}

enum vk_status vk_volumes_assemble(const struct vk_source *sources, size_t count,
				   const struct vk_finding_sink *sink, struct vk_volume **ret_volumes,
				   size_t *ret_count, struct vk_error *err)
{
	struct vk_volume *volumes = NULL;
	size_t volume_count = 0;

	if (collect(sources, count, &volumes, &volume_count) != VK_OK) {
		vk_volumes_free(volumes, volume_count);
		return vk_no_memory(err, NULL);
	}
	for (size_t i = 0; i < volume_count; i++) {
		check_volume(&volumes[i], sources, sink);
		take_fs(&volumes[i], sources);
	}
	*ret_volumes = volumes;
	*ret_count = volume_count;
	return VK_OK;
}

void vk_volumes_free(struct vk_volume *volumes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(volumes[i].extents);
	free(volumes);
}
