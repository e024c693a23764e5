/* SPDX-License-Identifier: Apache-2.0 */
/* What to type on an ESXi host or on Linux instead of letting repair write the table. */
#include <string.h>
#include <strings.h>

#include "cmd/repair/repair_run.h"
#include "report/table_commands.h"
#include "scsi/device_info.h"

/* Beside the header a volume that is decoded, with the planned table, has the name in full. */
static void name_of(const struct vk_source *after, const struct vk_candidate *c, char ret_name[VK_SCSI_NAME_BYTES],
		    bool *ret_certain)
{
	for (size_t i = 0; i < after->vmfs_count; i++)
		if (after->vmfs[i].start_sector * after->sector_size == c->start_bytes && after->vmfs[i].lvm_usable) {
			vk_vmfs_lun_name(&after->vmfs[i], ret_name, ret_certain);
			return;
		}
	vk_scsi_disk_id_name(&c->lvm.diskID, ret_name, ret_certain);
}

/* The name of the LUN that a volume on it was made for, the kernel's own where one has that; false when none tells. */
static bool recorded_name(const struct vk_repair_run *run, const char *live, char ret_name[VK_SCSI_NAME_BYTES])
{
	const struct vk_find *find = vk_repair_find(run->repair);
	const struct vk_source *after = vk_restore_after(run->plan.restore);
	bool told = false;

	for (size_t i = 0; i < find->count; i++) {
		const struct vk_candidate *c = &find->candidates[i];
		char name[VK_SCSI_NAME_BYTES];
		bool certain;

		if (!c->has_header || vk_standing_is_ghost(c->standing) ||
		    vk_scsi_disk_id_is_nil(&c->lvm.diskID))
			continue;
		name_of(after, c, name, &certain);
		if (name[0] == '\0' || !certain || (told && strcasecmp(name, live) != 0))
			continue;
		memcpy(ret_name, name, sizeof(name));
		told = true;
	}
	return told;
}

enum vk_status vk_repair_make_commands(struct vk_repair_run *run, struct vk_error *err)
{
	const struct vk_source *after = vk_restore_after(run->plan.restore);
	struct vk_device_info device;
	char name[VK_SCSI_NAME_BYTES];
	uint8_t sector0[VK_MBR_BYTES];
	struct vk_table_commands_options options = {.linux_device = run->plan.target};
	size_t got = 0;

	vk_device_info_of_io(vk_restore_before(run->plan.restore)->io, &device);
	options.live_name = device.wwid;
	if (recorded_name(run, device.wwid, name))
		options.esxi_name = name;
	if (vk_io_read(after->io, 0, sector0, sizeof(sector0), &got, NULL) == VK_OK && got == sizeof(sector0))
		options.sector0 = sector0;
	return vk_table_commands_make(vk_repair_table(run->repair), &options, &run->commands, err);
}
