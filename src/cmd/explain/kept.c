/* SPDX-License-Identifier: Apache-2.0 */
/* Which capture of the store is the newest of a device, a volume or a label: a
 * sorted list of names. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "cmd/explain/kept.h"

static int by_name(const void *a, const void *b)
{
	const struct vk_kept_name *x = a, *y = b;
	const int order = strcmp(x->name, y->name);

	return order != 0 ? order : (x->item < y->item) - (x->item > y->item);
}

static void add_name(struct vk_kept *kept, const char *name, size_t item)
{
	if (name[0] != '\0')
		kept->names[kept->name_count++] = (struct vk_kept_name){name, item};
}

static size_t names_of(const struct vk_cmd_judged *item)
{
	const bool counts = item->known && !item->capture.is_undo && !item->capture.is_rebuilt;

	return counts ? 1 + 4 * item->capture.identity_count : 0;
}

static bool collect(struct vk_kept *kept)
{
	size_t room = 1;

	for (size_t i = 0; i < kept->item_count; i++)
		room += names_of(&kept->items[i]);
	kept->names = calloc(room, sizeof(*kept->names));
	if (kept->names == NULL)
		return false;
	for (size_t i = 0; i < kept->item_count; i++) {
		const struct vk_capture *capture = &kept->items[i].capture;

		if (names_of(&kept->items[i]) == 0)
			continue;
		add_name(kept, capture->wwid, i);
		for (size_t k = 0; k < capture->identity_count; k++) {
			add_name(kept, capture->identities[k].disk_id, i);
			add_name(kept, capture->identities[k].fs_uuid, i);
			add_name(kept, capture->identities[k].volume_uuid, i);
			add_name(kept, capture->identities[k].fs_label, i);
		}
	}
	qsort(kept->names, kept->name_count, sizeof(*kept->names), by_name);
	return true;
}

enum vk_status vk_kept_load(const char *store, struct vk_kept *ret_kept, struct vk_error *err)
{
	char **paths = NULL;
	enum vk_status status = vk_cmd_store_paths(store, &paths, &ret_kept->item_count, err);

	if (status == VK_ABSENT) {
		ret_kept->item_count = 0;
		return VK_OK;
	}
	if (status != VK_OK)
		return status;
	ret_kept->items = vk_cmd_judge(paths, ret_kept->item_count, NULL);
	free(paths);
	if (ret_kept->items == NULL || !collect(ret_kept))
		return vk_no_memory(err, store);
	return VK_OK;
}

void vk_kept_free(struct vk_kept *kept)
{
	vk_cmd_judged_free(kept->items, kept->item_count);
	free(kept->names);
}

static const struct vk_cmd_judged *find(const struct vk_kept *kept, const char *name)
{
	size_t low = 0, high = kept->name_count;

	if (name[0] == '\0')
		return NULL;
	while (low < high) {
		const size_t middle = low + (high - low) / 2;

		if (strcmp(kept->names[middle].name, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low < kept->name_count && strcmp(kept->names[low].name, name) == 0
		       ? &kept->items[kept->names[low].item]
		       : NULL;
}

const struct vk_cmd_judged *vk_kept_find(const struct vk_kept *kept, const struct vk_explain_subject *subject)
{
	const struct vk_cmd_judged *found = find(kept, subject->volume);

	if (found == NULL)
		found = find(kept, subject->device);
	return found != NULL ? found : find(kept, subject->label);
}
