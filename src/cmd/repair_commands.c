/* SPDX-License-Identifier: Apache-2.0 */
/* What to type on an ESXi host or on Linux instead of letting repair write the table. */
#include <string.h>

#include "cmd/repair_run.h"
#include "report/table_commands.h"

/* The name under which ESXi knows the disk: what a volume on it says; false when none does. */
static bool name_of_disk(const struct vk_repair_run *run, char ret_path[VK_SCSI_NAME_BYTES + 32])
{
	const struct vk_find *find = vk_repair_find(run->repair);
	struct vk_text text;

	for (size_t i = 0; i < find->count; i++) {
		const struct vk_candidate *c = &find->candidates[i];
		char name[VK_SCSI_NAME_BYTES];
		bool certain;

		if (!c->has_header || vk_standing_is_ghost(c->standing) ||
		    vk_scsi_disk_id_is_nil(&c->lvm.diskID))
			continue;
		vk_scsi_disk_id_name(&c->lvm.diskID, name, &certain);
		if (name[0] == '\0' || !certain)
			continue;
		vk_text_init(&text, ret_path, VK_SCSI_NAME_BYTES + 32);
		vk_text_fmt(&text, "/vmfs/devices/disks/%s", name);
		return true;
	}
	return false;
}

enum vk_status vk_repair_commands(const struct vk_repair_run *run,
				  struct vk_table_commands *ret_commands, struct vk_error *err)
{
	const struct vk_source *after = vk_restore_after(vk_repair_restore(run->repair));
	char esxi[VK_SCSI_NAME_BYTES + 32];
	uint8_t sector0[VK_MBR_BYTES];
	struct vk_table_commands_options options = {.linux_device = run->target};
	size_t got = 0;

	if (name_of_disk(run, esxi))
		options.esxi_device = esxi;
	if (after != NULL &&
	    vk_io_read(after->io, 0, sector0, sizeof(sector0), &got, NULL) == VK_OK &&
	    got == sizeof(sector0))
		options.sector0 = sector0;
	return vk_table_commands_make(vk_repair_table(run->repair), &options, ret_commands, err);
}

int vk_repair_show_commands(const struct vk_repair_run *run)
{
	struct vk_table_commands commands;
	struct vk_error err;
	const struct vk_rebuild_table *table = vk_repair_table(run->repair);

	if (vk_repair_commands(run, &commands, &err) != VK_OK)
		return vk_cli_fail(run->call, &err);
	/* who only sees the commands must know as well */
	for (size_t i = 0; vk_cli_flag(run->call, "commands-only") && i < table->lost_count; i++) {
		fputs("# lost: ", run->call->out);
		vk_cmd_show_label(run->call->out, table->lost[i]);
		fputc('\n', run->call->out);
	}
	vk_table_commands_text(run->call->out, &commands);
	vk_table_commands_free(&commands);
	return VK_EXIT_OK;
}
