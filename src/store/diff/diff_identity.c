/* SPDX-License-Identifier: Apache-2.0 */
/* Whether two sources have any identity in common. */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "store/diff/diff_parts.h"

/* Identities of 16 bytes; nil ones are none. */
struct identities {
	uint8_t (*items)[16];
	size_t count;
	size_t cap;
};

static void add(struct vk_differ *d, struct identities *list, const void *bytes)
{
	if (!vk_all_zero(bytes, 16) && vk_diff_grow(d, (void **)&list->items, list->count, &list->cap, 16))
		memcpy(list->items[list->count++], bytes, 16);
}

static int compare(const void *a, const void *b)
{
	return memcmp(a, b, 16);
}

static void collect(struct vk_differ *d, const struct vk_source *source, struct identities *list)
{
	const struct vk_table *table = &source->table;

	if (table->kind == VK_TABLE_GPT && table->gpt_chosen >= 0)
		add(d, list, &table->gpt[table->gpt_chosen].header.diskGUID);
	for (size_t i = 0; i < table->partition_count; i++)
		if (table->partitions[i].gpt)
			add(d, list, &table->partitions[i].entry.uniqueGUID);
	for (size_t i = 0; i < source->vmfs_count; i++) {
		const struct vk_vmfs *v = &source->vmfs[i];

		if (v->lvm_usable)
			add(d, list, &v->lvm.devID);
		for (size_t k = 0; k < v->volume_count; k++)
			add(d, list, &v->volumes[k].volume.uuid);
		if (v->fs_usable)
			add(d, list, &v->fs.uuid);
	}
	if (list->count > 0)
		qsort(list->items, list->count, 16, compare);
}

bool vk_diff_unrelated(struct vk_differ *d)
{
	struct identities lists[VK_SIDES] = {{0}};
	size_t before = 0, after = 0;
	bool common = false;

	for (int side = 0; side < VK_SIDES; side++)
		collect(d, d->side[side], &lists[side]);
	while (before < lists[VK_BEFORE].count && after < lists[VK_AFTER].count && !common) {
		int order = compare(lists[VK_BEFORE].items[before], lists[VK_AFTER].items[after]);

		common = order == 0;
		before += order <= 0;
		after += order >= 0;
	}
	common = common || lists[VK_BEFORE].count == 0 || lists[VK_AFTER].count == 0;
	free(lists[VK_BEFORE].items);
	free(lists[VK_AFTER].items);
	return !common;
}
