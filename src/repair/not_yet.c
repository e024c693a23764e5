/* SPDX-License-Identifier: Apache-2.0 */
/* Stands in for what other parts bring; goes with the last of them. */
#include "vmfskit/repair.h"

#define WEAK __attribute__((weak))

WEAK enum vk_status vk_rebuild_table(const struct vk_source *source, const struct vk_find *find,
				     const struct vk_rebuild_table_options *options,
				     struct vk_overlay *overlay, struct vk_rebuild_table *ret_table,
				     struct vk_error *err)
{
	(void)find;
	(void)options;
	(void)overlay;
	(void)ret_table;
	return vk_error_set(err, VK_UNSUPPORTED, source->path, "vk_rebuild_table is not there yet");
}

WEAK void vk_rebuild_table_free(struct vk_rebuild_table *table)
{
	(void)table;
}

WEAK const char *vk_entry_origin_name(enum vk_entry_origin origin)
{
	(void)origin;
	return "?";
}

WEAK const char *vk_table_part_name(enum vk_table_part part)
{
	(void)part;
	return "?";
}

WEAK const char *vk_part_state_name(enum vk_part_state state)
{
	(void)state;
	return "?";
}
