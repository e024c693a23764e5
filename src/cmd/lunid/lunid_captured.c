/* SPDX-License-Identifier: Apache-2.0 */
/* The ids that captures saw: the newest capture of a disk, or of another LUN that had the same volume. */
#include <stdlib.h>
#include <string.h>

#include "cmd/lunid/lunid_run.h"
#include "vmfskit/of_disk.h"

enum { LOOKED_AT_MAX = 400 };

/* The id that a capture recorded of the volume with these UUIDs. */
static bool take_id(const struct vk_capture *c, const struct vk_lvm_device *now, struct vk_scsi_disk_id *ret_id)
{
	struct vk_source source;
	struct vk_error ignored;
	bool found = false;

	if (vk_capture_source(c, &source, &ignored) != VK_OK)
		return false;
	for (size_t i = 0; i < source.vmfs_count && !found; i++) {
		const struct vk_vmfs *was = &source.vmfs[i];

		found = was->lvm_usable && vk_vmfs_uuid_equal(&was->lvm.devID, &now->devID);
		if (found)
			*ret_id = was->lvm.diskID;
	}
	vk_source_close(&source);
	return found;
}

/* Whether a capture saw the device of an extent: its manifest tells. */
static bool saw(const struct vk_capture *c, const struct vk_lvm_device *lvm)
{
	for (size_t i = 0; i < c->identity_count; i++)
		if (strcmp(c->identities[i].device_uuid, vk_vmfs_uuid_text(&lvm->devID).text) == 0)
			return true;
	return false;
}

static void ask_capture(struct lunid_run *run, const struct vk_capture *c)
{
	for (size_t i = 0; i < run->count; i++) {
		struct vk_lunid_extent *e = &run->extents[i];
		const struct vk_lvm_device *lvm = &vk_lunid_vmfs(e)->lvm;

		if (e->captured_known || c->is_undo || c->is_rebuilt || vk_vmfs_uuid_is_nil(&lvm->devID) ||
		    !saw(c, lvm) || !take_id(c, lvm, &e->captured))
			continue;
		e->captured_known = true;
		memcpy(run->captures[i], c->id, sizeof(run->captures[i]));
	}
}

void vk_lunid_find_captured(struct lunid_run *run)
{
	const char *store = vk_cmd_store(run->cmd.call);
	struct vk_error err;
	size_t count = 0, left = run->count;
	char **ids = NULL;
	enum vk_status status = vk_store_list(store, &ids, &count, &err);

	/* a store that was not named need not be there */
	if (status != VK_OK) {
		if (status != VK_ABSENT || vk_cli_value(run->cmd.call, "store") != NULL)
			vk_cmd_fail(&run->cmd, &err);
		return;
	}
	for (size_t i = count, looked = 0; i-- > 0 && left > 0 && looked < LOOKED_AT_MAX; looked++) {
		struct vk_capture c;

		if (vk_capture_open(store, ids[i], &c, &err) != VK_OK)
			continue;
		ask_capture(run, &c);
		vk_capture_close(&c);
		left = 0;
		for (size_t k = 0; k < run->count; k++)
			left += !run->extents[k].captured_known;
	}
	for (size_t i = 0; i < count; i++)
		free(ids[i]);
	free(ids);
}
