/* SPDX-License-Identifier: Apache-2.0 */
/* The recorded id of a LUN against the live one: the same LUN, or not. */
#include <string.h>
#include <strings.h>

#include "vmfskit/lunid.h"

enum vk_lun_relation vk_lun_relate_names(const char *recorded, const char *live)
{
	static const struct {
		const char *prefix;
		enum vk_lun_relation if_other, if_other_length;
	} kinds[] = {{"naa.", VK_LUN_OTHER, VK_LUN_OTHER_LENGTH},
		     {"eui.", VK_LUN_NOT_COMPARABLE, VK_LUN_NOT_COMPARABLE},
		     {"serial ", VK_LUN_OTHER, VK_LUN_NOT_COMPARABLE}};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		size_t len = strlen(kinds[i].prefix);

		if (strncasecmp(recorded, kinds[i].prefix, len) != 0 || strncasecmp(live, kinds[i].prefix, len) != 0)
			continue;
		if (strlen(recorded) != strlen(live))
			return kinds[i].if_other_length;
		return strcasecmp(recorded, live) == 0 ? VK_LUN_SAME : kinds[i].if_other;
	}
	return VK_LUN_NOT_COMPARABLE;
}

/* Both are paths that ESX gave, in either of their forms. */
static enum vk_lun_relation relate_paths(const struct vk_scsi_disk_id *recorded, const struct vk_live_lun *live)
{
	struct vk_scsi_disk_id a = *recorded, b = live->id;

	if (!live->id_known || live->id.type != VK_SCSI_ID_PATH)
		return VK_LUN_NOT_COMPARABLE;
	vk_scsi_disk_id_shorten(&a);
	vk_scsi_disk_id_shorten(&b);
	return vk_scsi_disk_id_same_lun(&a, &b) ? VK_LUN_SAME : VK_LUN_OTHER;
}

enum vk_lun_relation vk_lun_relate(const struct vk_scsi_disk_id *recorded, const struct vk_live_lun *live)
{
	char name[VK_SCSI_NAME_BYTES];
	enum vk_lun_relation relation;
	bool certain;

	if (vk_scsi_disk_id_is_nil(recorded))
		return VK_LUN_NOT_COMPARABLE;
	vk_scsi_disk_id_name(recorded, name, &certain);
	relation = vk_lun_relate_names(name, live->name);
	if (relation == VK_LUN_OTHER || relation == VK_LUN_OTHER_LENGTH)
		return certain || recorded->type == VK_SCSI_ID_SERIAL ? relation : VK_LUN_NOT_COMPARABLE;
	if (relation == VK_LUN_SAME || recorded->type > VK_SCSI_ID_NAA)
		return relation;
	if (live->kind_known && live->id.type != recorded->type)
		return VK_LUN_OTHER_KIND;
	if (recorded->type == VK_SCSI_ID_PATH)
		return relate_paths(recorded, live);
	/* a device that is named t10. has its serial number, too */
	for (size_t i = 1; i < live->name_count && recorded->type == VK_SCSI_ID_SERIAL; i++)
		if (relation == VK_LUN_NOT_COMPARABLE)
			relation = vk_lun_relate_names(name, live->names[i]);
	return relation;
}
