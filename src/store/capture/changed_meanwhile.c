/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a disk is still what was saved of it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/checked.h"
#include "store/plan/plan.h"
#include "store/capture/taking.h"

enum { CHUNK_BYTES = 64 << 10, SHOWN_BYTES = 16 };

struct looker {
	const struct vk_taking *taking;
	const struct vk_source *source;
	uint8_t *saved; /* CHUNK_BYTES each */
	uint8_t *now;
	struct vk_findings *changes;
};

static bool load_saved(struct looker *l, uint64_t offset, size_t len)
{
	const char *file;

	return vk_taking_read_back(l->taking, offset, l->saved, len, &file);
}

/* Compare the first len bytes of both buffers, which lie at offset; tell of the range that differs. */
static bool differs(struct looker *l, const char *name, uint64_t offset, size_t len)
{
	struct vk_finding finding;
	size_t first = 0, last = len, shown;
	struct vk_text text;

	if (memcmp(l->saved, l->now, len) == 0)
		return false;
	while (l->saved[first] == l->now[first])
		first++;
	while (l->saved[last - 1] == l->now[last - 1])
		last--;
	shown = (size_t)vk_min_u64(last - first, SHOWN_BYTES);
	vk_finding_init(&finding, VK_F_CAPTURE_CHANGING, offset + first, last - first,
			"%s changed while it was read, each of %d times", name, VK_CAPTURE_TRIES);
	text = vk_text_in(finding.seen, sizeof(finding.seen));
	vk_text_hex(&text, l->now + first, shown);
	text = vk_text_in(finding.expected, sizeof(finding.expected));
	vk_text_hex(&text, l->saved + first, shown);
	vk_findings_add(l->changes, &finding);
	return true;
}

/*
 * Read it again. What cannot be read, now or then, is told elsewhere. One range of each structure is enough to tell.
 */
static void look_again(struct looker *l, const char *name, uint64_t offset, uint64_t length)
{
	struct vk_error unread;

	for (uint64_t pos = 0; pos < length; pos += CHUNK_BYTES) {
		const size_t len = (size_t)vk_min_u64(CHUNK_BYTES, length - pos);

		if (!load_saved(l, offset + pos, len) ||
		    vk_io_read_all(l->source->io, offset + pos, l->now, len, &unread) != VK_OK ||
		    differs(l, name, offset + pos, len))
			return;
	}
}

/*
 * What the plan was made from was read before what was saved; raw bytes of it, or decoded: then bytes between the
 * fields count as the same.
 */
static bool was_other(struct looker *l, const char *name, uint64_t offset, size_t len,
		      const void *raw, const struct vk_layout *layout, const void *decoded)
{
	if (len > CHUNK_BYTES || !load_saved(l, offset, len))
		return false;
	memcpy(l->now, raw != NULL ? raw : l->saved, len);
	if (layout != NULL)
		(void)vk_layout_encode(layout, decoded, l->now, len);
	return differs(l, name, offset, len);
}

static void look_at_table(struct looker *l)
{
	const struct vk_table *table = &l->source->table;

	for (size_t i = 0; i < table->place_count; i++) {
		const struct vk_place *place = &table->places[i];
		const uint64_t at = place->offset_bytes;
		bool moved = false;

		if (place->presence != VK_PRESENCE_WHOLE)
			continue;
		if (place->layout == &vk_mbr_layout && at == 0)
			moved = was_other(l, place->name, 0, VK_MBR_BYTES, NULL, &vk_mbr_layout, &table->mbr);
		for (unsigned k = 0; k < 2 && !moved; k++) {
			const struct vk_gpt_copy *copy = &table->gpt[k];

			if (copy->sector != NULL && place->layout == &vk_gpt_header_layout &&
			    at == vk_mul_sat(copy->lba, table->sector_size))
				moved = was_other(l, place->name, at, table->sector_size, copy->sector, NULL, NULL);
			else if (copy->array != NULL && place->element == &vk_gpt_entry_layout &&
				 at == vk_mul_sat(copy->header.entriesLBA, table->sector_size))
				moved = was_other(l, place->name, at, vk_gpt_entries_bytes(&copy->header), copy->array,
						  NULL, NULL);
		}
		if (!moved)
			look_again(l, place->name, at, place->length_bytes);
	}
}

/* The decoded structure that lies at a place of the partition; NULL for others. */
static const void *decoded_at(const struct vk_vmfs *vmfs, const struct vk_place *place)
{
	if (place->layout == &vk_lvm_device_layout)
		return &vmfs->lvm;
	if (place->layout == &vk_fs_descriptor_layout)
		return &vmfs->fs;
	for (size_t i = 0; place->layout == &vk_lvm_volume_layout && i < vmfs->volume_count; i++)
		if (vmfs->volumes[i].offset_bytes == place->offset_bytes)
			return &vmfs->volumes[i].volume;
	return NULL;
}

static void look_at_partition(struct looker *l, const struct vk_vmfs *vmfs)
{
	uint64_t base = vk_plan_base(l->source, vmfs);

	for (size_t i = 0; i < vmfs->place_count; i++) {
		const struct vk_place *place = &vmfs->places[i];
		const void *decoded = decoded_at(vmfs, place);
		uint64_t at = vk_add_sat(base, place->offset_bytes);
		char name[100];

		if (decoded == NULL || place->presence != VK_PRESENCE_WHOLE)
			continue;
		snprintf(name, sizeof(name), "the %s of partition %u", place->name, vmfs->partition);
		if (!was_other(l, name, at, (size_t)vk_min_u64(place->length_bytes, CHUNK_BYTES), NULL,
			       place->layout, decoded))
			look_again(l, name, at, place->length_bytes);
	}
}

enum vk_status vk_taking_moved(const struct vk_taking *taking, const struct vk_source *source,
			       struct vk_findings *ret_changes, struct vk_error *err)
{
	struct looker l = {.taking = taking, .source = source, .changes = ret_changes};

	l.saved = malloc(CHUNK_BYTES);
	l.now = malloc(CHUNK_BYTES);
	if (l.saved == NULL || l.now == NULL) {
		free(l.saved);
		free(l.now);
		return vk_no_memory(err, source->path);
	}
	look_at_table(&l);
	for (size_t i = 0; i < source->vmfs_count; i++)
		look_at_partition(&l, &source->vmfs[i]);
	free(l.saved);
	free(l.now);
	return VK_OK;
}
