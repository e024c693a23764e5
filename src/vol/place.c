/* SPDX-License-Identifier: Apache-2.0 */
/* Places: how much of a structure a source holds. */
#include <string.h>

#include "base/checked.h"
#include "vmfskit/place.h"

const char *vk_part_name(enum vk_part part)
{
	static const char *const names[] = {[VK_PART_TABLE] = "table", [VK_PART_LVM] = "lvm", [VK_PART_VH] = "vh",
					    [VK_PART_HEARTBEATS] = "heartbeats", [VK_PART_ALL] = "all"};

	return names[part] != NULL ? names[part] : "all";
}

const char *vk_presence_name(enum vk_presence presence)
{
	static const char *const names[] = {"whole", "cut", "absent", "unreadable"};

	return names[presence];
}

void vk_place_settle(struct vk_place *place, struct vk_io *io)
{
	uint64_t first_missing;

	place->held_bytes = vk_io_held(io, place->offset_bytes, place->length_bytes);
	first_missing = vk_add_sat(place->offset_bytes, place->held_bytes);
	if (place->held_bytes == place->length_bytes)
		place->presence = VK_PRESENCE_WHOLE;
	else if (vk_io_span(io, first_missing).state == VK_SPAN_UNREADABLE)
		place->presence = VK_PRESENCE_UNREADABLE;
	else
		place->presence = place->held_bytes > 0 ? VK_PRESENCE_CUT : VK_PRESENCE_ABSENT;
}

void vk_place_init(struct vk_place *place, struct vk_io *io, const char *name,
		   const struct vk_layout *layout, enum vk_part part, uint64_t offset_bytes,
		   uint64_t length_bytes)
{
	struct vk_text text;

	memset(place, 0, sizeof(*place));
	text = vk_text_in(place->name, sizeof(place->name));
	vk_text_put(&text, name);
	place->layout = layout;
	place->part = part;
	place->offset_bytes = offset_bytes;
	place->length_bytes = length_bytes;
	vk_place_settle(place, io);
}

void vk_place_check(const struct vk_place *place, const struct vk_finding_sink *sink)
{
	static const enum vk_finding_code codes[] = {
		[VK_PRESENCE_CUT] = VK_F_STRUCTURE_CUT,
		[VK_PRESENCE_ABSENT] = VK_F_STRUCTURE_ABSENT,
		[VK_PRESENCE_UNREADABLE] = VK_F_SOURCE_UNREADABLE,
	};

	if (place->presence != VK_PRESENCE_WHOLE)
		vk_finding_say(sink, codes[place->presence], place->offset_bytes, place->length_bytes,
			       vk_phrase("%llu bytes", (unsigned long long)place->held_bytes).text,
			       vk_phrase("%llu bytes", (unsigned long long)place->length_bytes).text,
			       "%s: %s", place->name, vk_presence_name(place->presence));
}
