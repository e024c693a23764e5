/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Parts that are not put back although the target differs from the capture there: a person who reads "nothing to
 * change" must not take that for "nothing differs".
 */
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "repair/plan/restore_state.h"

enum { PIECE_BYTES = 256 << 10 };

/* Whether captured and present bytes differ; what cannot be read on either side is not compared. */
static bool differs(struct vk_restore *restore, const struct vk_region *region, uint8_t *a, uint8_t *b)
{
	for (uint64_t done = 0; done < region->length_bytes;) {
		uint64_t at = region->offset_bytes + done;
		size_t want = (size_t)vk_min_u64(PIECE_BYTES, region->length_bytes - done);
		size_t is;
		size_t was;

		if (vk_io_read(restore->io, at, a, want, &is, NULL) != VK_OK ||
		    vk_io_read(restore->captured_io, at, b, want, &was, NULL) != VK_OK ||
		    is < want || was < want)
			return false;
		if (memcmp(a, b, want) != 0)
			return true;
		done += want;
	}
	return false;
}

static bool said(const struct vk_restore *restore, size_t index, const bool *different)
{
	const struct vk_region *regions = restore->capture->regions;

	for (size_t i = 0; i < index; i++)
		if (different[i] && regions[i].part == regions[index].part &&
		    regions[i].partition == regions[index].partition)
			return true;
	return false;
}

void vk_restore_say_left_out(struct vk_restore *restore)
{
	const struct vk_capture *capture = restore->capture;
	uint8_t *buf = malloc(2 * (size_t)PIECE_BYTES);
	bool *different = calloc(capture->region_count + 1, sizeof(*different));
	char list[200];
	struct vk_text text;

	vk_text_init(&text, list, sizeof(list));
	for (size_t i = 0; buf != NULL && different != NULL && i < capture->region_count; i++) {
		const struct vk_region *region = &capture->regions[i];

		if (restore->chosen[i] || region->part == VK_PART_TABLE)
			continue;
		different[i] = differs(restore, region, buf, buf + PIECE_BYTES);
		if (!different[i] || said(restore, i, different))
			continue;
		vk_text_fmt(&text, "%s%s of partition %u", text.len_bytes > 0 ? ", " : "",
			    vk_part_name(region->part), region->partition);
	}
	if (text.len_bytes > 0)
		vk_restore_add_remark(restore,
				      "not put back, although other bytes are there than were captured: %s; "
				      "--part names what to put back",
				      list);
	free(buf);
	free(different);
}
