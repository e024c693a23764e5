/* SPDX-License-Identifier: Apache-2.0 */
/* The recorded id of a LUN against the live one. */
#include "evidence/identity.h"

#include <string.h>
#include <strings.h>

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

enum vk_lun_relation vk_lun_relate(const struct vk_scsi_disk_id *recorded, const struct vk_live_lun *live,
				   char ret_name[VK_SCSI_NAME_BYTES])
{
	enum vk_lun_relation relation;
	bool certain;

	ret_name[0] = '\0';
	if (vk_scsi_disk_id_is_nil(recorded))
		return VK_LUN_NOT_COMPARABLE;
	vk_scsi_disk_id_name(recorded, ret_name, &certain);
	relation = vk_lun_relate_names(ret_name, live->name);
	if ((relation == VK_LUN_OTHER || relation == VK_LUN_OTHER_LENGTH) && !certain)
		return VK_LUN_NOT_COMPARABLE;
	if (relation == VK_LUN_SAME && live->number_known && live->number != recorded->lun)
		return VK_LUN_OTHER_NUMBER;
	return relation;
}
