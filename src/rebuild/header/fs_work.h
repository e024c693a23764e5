/* SPDX-License-Identifier: Apache-2.0 */
/* The file-system descriptor in the making: what stands there, what else is known, and what it is to become. */
#ifndef VK_REBUILD_FS_WORK_H
#define VK_REBUILD_FS_WORK_H

#include "evidence/lvm/belief.h"
#include "rebuild/header/header_work.h"
#include "rebuild/header/mend.h"

struct vk_fs_work {
	struct vk_header_work *work;
	struct vk_mending m;
	uint8_t sector[VK_FS_SECTOR_BYTES];
	struct vk_fs_descriptor was;  /* as it stands there */
	struct vk_fs_descriptor is;   /* as it is to be */
	bool trusted;                 /* this is the descriptor: a field stays unless something speaks against it */
	const struct vk_lvm_volume *lv; /* NULL: the LVM volume is not known */
	const struct vk_fs_descriptor *capture; /* as a capture of this volume shows it; NULL: none does */
	uint8_t capture_sector[VK_FS_SECTOR_BYTES];
};

enum { VK_FS_DENSE = 4, VK_FS_LOCAL = 0x100 };

/*
 * An exact origin wants two witnesses besides the field that agree, neither of them put by this plan. A value must not
 * hang on that, or a second run would change more than the first.
 */
static inline enum vk_field_origin vk_fs_by(bool two_witnesses)
{
	return vk_origin_if(two_witnesses, VK_FIELD_COPY);
}
/* The capture that shows this descriptor, if one is known. */
void vk_fs_find_capture(struct vk_fs_work *fs);
/*
 * What never changes in the life of a file system is taken from the capture, and all of it when the descriptor is lost.
 */
void vk_fs_take_capture(struct vk_fs_work *fs);

/* Judge a group of fields each, and set those that cannot be right. The version first: others depend on it. */
bool vk_fs_judge_version(struct vk_fs_work *fs); /* false: nothing tells the version */
void vk_fs_judge_magic(struct vk_fs_work *fs);
void vk_fs_judge_sizes(struct vk_fs_work *fs);
void vk_fs_judge_identity(struct vk_fs_work *fs);
void vk_fs_judge_config(struct vk_fs_work *fs);
void vk_fs_judge_label(struct vk_fs_work *fs);
void vk_fs_judge_places(struct vk_fs_work *fs);
void vk_fs_judge_six(struct vk_fs_work *fs);
/* What VMFS 5 and 6 have behind the sizes and nothing else holds, where it is lost. */
void vk_fs_judge_usual(struct vk_fs_work *fs);
/* A number that the system files tell too: it stays when it is plausible, unless they are certain of another. */
void vk_fs_judge_number(struct vk_fs_work *fs, const char *name, enum vk_self_fact_id id,
			bool (*plausible)(uint64_t), uint64_t usual);

static inline const struct vk_self_fact *vk_fs_fact(const struct vk_fs_work *fs, enum vk_self_fact_id id)
{
	return &fs->work->self.facts[id];
}

#endif
