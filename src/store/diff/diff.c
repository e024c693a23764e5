/* SPDX-License-Identifier: Apache-2.0 */
/* Compares two sources: goes through disk, table, volumes and bytes in turn. */
#include <stdlib.h>
#include <string.h>

#include "base/shown.h"
#include "store/diff/differ.h"

static void compare_sizes(struct vk_differ *d)
{
	const struct vk_source *before = d->side[VK_BEFORE], *after = d->side[VK_AFTER];
	struct vk_diff_topic topic = {.subject = vk_source_kind_name(before->kind), .field = "size"};

	d->size_told = before->size_bytes != after->size_bytes;
	if (d->size_told && !d->partial[VK_BEFORE] && !d->partial[VK_AFTER])
		vk_diff_report(d, &topic, vk_shown_size(before->size_bytes).text, vk_shown_size(after->size_bytes).text,
			       NULL);
	topic.field = "sector size";
	if (before->sector_size != after->sector_size)
		vk_diff_report_number(d, &topic, before->sector_size, after->sector_size);
}

static bool is_same(const char *a, const char *b)
{
	return a[0] != '\0' && strcmp(a, b) == 0;
}

/* Both name volumes, or both a disk, and nothing of one is on the other. */
static bool are_unrelated(const struct vk_differ *d)
{
	const struct vk_guid *guids[VK_SIDES] = {NULL, NULL};
	bool named[VK_SIDES] = {false, false};

	for (int side = 0; side < VK_SIDES; side++) {
		const struct vk_table *table = &d->side[side]->table;

		if (table->gpt_chosen >= 0)
			guids[side] = &table->gpt[table->gpt_chosen].header.diskGUID;
		for (size_t i = 0; i < d->plans[side].identity_count; i++) {
			const struct vk_identity *id = &d->plans[side].identities[i];

			named[side] = named[side] || id->device_uuid[0] != '\0' || id->fs_uuid[0] != '\0';
			for (size_t k = 0; k < d->plans[!side].identity_count; k++) {
				const struct vk_identity *other = &d->plans[!side].identities[k];

				if (is_same(id->device_uuid, other->device_uuid) ||
				    is_same(id->volume_uuid, other->volume_uuid) ||
				    is_same(id->fs_uuid, other->fs_uuid))
					return false;
			}
		}
	}
	if (guids[VK_BEFORE] != NULL && guids[VK_AFTER] != NULL)
		return !vk_guid_equal(guids[VK_BEFORE], guids[VK_AFTER]);
	return named[VK_BEFORE] && named[VK_AFTER];
}

enum vk_status vk_diff_sources(struct vk_source *before, struct vk_source *after, struct vk_diff *ret_diff,
			       struct vk_error *err)
{
	struct vk_diff diff = {0};
	struct vk_differ d = {.side = {before, after}, .diff = &diff, .err = err};

	if (before->kind != after->kind) {
		vk_error_set(err, VK_USAGE, after->path, "a %s cannot be compared with a %s",
			     vk_source_kind_name(before->kind), vk_source_kind_name(after->kind));
		return vk_error_remedy(err, "compare a disk with a disk, or a partition with a partition");
	}
	if (before->kind != VK_SOURCE_DISK && before->kind != VK_SOURCE_PARTITION) {
		vk_error_set(err, VK_USAGE, before->path, "a %s cannot be compared: its place on the disk is not known",
			     vk_source_kind_name(before->kind));
		return vk_error_remedy(err, "compare whole disks, or whole partitions");
	}
	for (int side = 0; side < VK_SIDES && d.status == VK_OK; side++) {
		d.partial[side] = (d.side[side]->form == VK_FORM_HEXDUMP || d.side[side]->form == VK_FORM_BUNDLE) &&
				  d.side[side]->whole.bytes != 0;
		d.status = vk_capture_plan(d.side[side], &d.plans[side], err);
	}
	compare_sizes(&d);
	if (before->kind == VK_SOURCE_DISK)
		vk_diff_table(&d);
	vk_diff_vmfs(&d);
	vk_diff_bytes(&d);
	diff.unrelated = d.status == VK_OK && are_unrelated(&d);
	for (int i = 0; i < VK_CLAIMS; i++)
		vk_range_set_free(&d.claims[i]);
	for (int side = 0; side < VK_SIDES; side++)
		vk_capture_plan_free(&d.plans[side]);
	if (d.status == VK_OK)
		*ret_diff = diff;
	else
		vk_diff_free(&diff);
	return d.status;
}

void vk_diff_free(struct vk_diff *diff)
{
	free(diff->changes);
	free(diff->ranges);
	memset(diff, 0, sizeof(*diff));
}
