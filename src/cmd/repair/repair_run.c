/* SPDX-License-Identifier: Apache-2.0 */
/* The run of a repair or a wipe: think it through, and do it if that was asked for. */
#include "cmd/repair/repair_run.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cmd/shared/scan_progress.h"
#include "scsi/device_info.h"

/*
 * The name of the LUN that a volume on it was made for, the kernel's own where one has that; false when none tells.
 * after: the target with the planned table.
 */
static bool recorded_name(const struct vk_find *find, const struct vk_source *after, const char *live,
			  char ret_name[VK_SCSI_NAME_BYTES])
{
	bool told = false;

	for (size_t i = 0; i < find->count; i++) {
		const struct vk_candidate *c = &find->candidates[i];
		const struct vk_vmfs *vmfs = NULL;
		char name[VK_SCSI_NAME_BYTES];
		bool certain;

		if (!c->has_header || vk_standing_is_ghost(c->standing) ||
		    vk_scsi_disk_id_is_nil(&c->lvm.diskID))
			continue;
		/* beside the header a volume that is decoded has the name in full */
		for (size_t k = 0; k < after->vmfs_count && vmfs == NULL; k++)
			if (after->vmfs[k].start_sector * after->sector_size == c->start_bytes &&
			    after->vmfs[k].lvm_usable)
				vmfs = &after->vmfs[k];
		if (vmfs != NULL)
			vk_vmfs_lun_name(vmfs, name, &certain);
		else
			vk_scsi_disk_id_name(&c->lvm.diskID, name, &certain);
		if (name[0] == '\0' || !certain || (told && strcasecmp(name, live) != 0))
			continue;
		memcpy(ret_name, name, sizeof(name));
		told = true;
	}
	return told;
}

/* What to type on an ESXi host or on Linux instead of letting repair write the table. */
static enum vk_status make_commands(struct vk_repair_run *run, struct vk_error *err)
{
	const struct vk_source *after = vk_restore_after(run->plan.restore);
	struct vk_device_info device;
	char name[VK_SCSI_NAME_BYTES];
	uint8_t sector0[VK_MBR_BYTES];
	struct vk_table_commands_options options = {.linux_device = run->plan.target};

	vk_device_info_of_io(vk_restore_before(run->plan.restore)->io, &device);
	options.live_name = device.wwid;
	if (recorded_name(vk_repair_find(run->repair), after, device.wwid, name))
		options.esxi_name = name;
	if (vk_io_read_all(after->io, 0, sector0, sizeof(sector0), NULL) == VK_OK)
		options.sector0 = sector0;
	return vk_table_commands_make(vk_repair_table(run->repair), &options, &run->commands, err);
}

/* Who wants to stop while the plan is made does not want it carried out. */
enum vk_status vk_repair_make_plan(struct vk_repair_run *run, struct vk_error *err)
{
	const char *target = run->plan.target;
	struct vk_cmd_progress progress;
	enum vk_status status;

	run->options.restore = run->plan.options;
	run->options.find.progress = vk_cmd_progress_tell;
	run->options.find.ctx = &progress;
	vk_cmd_progress_begin(&progress, run->plan.cmd.call);
	status = run->make(target, &run->options, &run->repair, err);
	run->options.find.ctx = NULL;
	if (!vk_cmd_progress_end(&progress))
		return status;
	vk_error_set(err, VK_IO, target, "stopped before there was a plan; nothing was written");
	if (run->options.find.resume_path == NULL)
		vk_error_remedy(err, "with --resume FILE the next search can be stopped and continued");
	return VK_IO;
}

bool vk_repair_plan_and_write(void *ctx)
{
	struct vk_repair_run *run = ctx;
	struct vk_restore_run *plan = &run->plan;
	const struct vk_rebuild_header *header;
	const struct vk_repair_wipe *wipe;
	const char *const captures[2] = {run->capture_id, plan->undo_id};
	const struct vk_edit *edits;
	struct vk_error err;
	bool lost;
	int code;

	if (vk_repair_make_plan(run, &err) != VK_OK) {
		/* too little is left to work with: of a repair that is a finding, not a failure of the environment */
		code = vk_cli_fail(plan->cmd.call, &err);
		return vk_cmd_ok(&plan->cmd, err.status == VK_ABSENT ? VK_EXIT_FINDINGS : code);
	}
	plan->capture = vk_repair_rebuilt(run->repair);
	/* what is shown only borrows it */
	plan->restore = (struct vk_restore *)(uintptr_t)vk_repair_restore(run->repair);
	/* what this program would not do it tells nobody to do by hand: least of all at byte 0 of what holds the LUN */
	run->has_commands = vk_repair_table(run->repair) != NULL && !vk_restore_refused(plan->restore) &&
			    vk_io_refuse_view(vk_restore_before(plan->restore)->raw, &err) == VK_OK;
	if (run->has_commands && make_commands(run, &err) != VK_OK) {
		run->has_commands = false;
		return vk_cmd_fail(&plan->cmd, &err);
	}
	if (vk_restore_begin_writing(plan))
		vk_restore_written(plan, vk_repair_write(run->repair, run->capture_id, plan->undo_id, &plan->error),
				   VK_EVENT_REPAIR, captures);
	/*
	 * A structure that stays as broken as it was, or damage of which nothing could be mended, is a finding. What
	 * else is lost (a boot loader, a GUID) does not make the result less whole.
	 */
	header = vk_repair_header(run->repair);
	lost = header != NULL && header->lost_count > 0 && vk_restore_edits(plan->restore, &edits) == 0 &&
	       !plan->written;
	for (int i = 0; header != NULL && i < VK_HS_COUNT; i++)
		lost = lost || header->verdicts[i].state == VK_STRUCTURE_LOST;
	/* nor is it known of a signature that cannot be read whether it is gone */
	wipe = vk_repair_wipe(run->repair);
	for (size_t i = 0; wipe != NULL && i < wipe->count; i++)
		lost = lost || wipe->items[i].state == VK_WIPED_UNREAD;
	if (!plan->failed && lost)
		(void)vk_cmd_ok(&plan->cmd, VK_EXIT_FINDINGS);
	return true;
}

void vk_repair_end(void *ctx)
{
	struct vk_repair_run *run = ctx;

	vk_restore_end(&run->plan);
	if (run->has_commands)
		vk_table_commands_free(&run->commands);
	vk_line_check_free(&run->check);
	vk_repair_free(run->repair);
	free(run->members);
	free(run->hints);
	free(run->include);
	free(run->exclude);
}
