/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Disks that are something of another system. A capture holds bytes of the disk itself: of a LUN that lies inside it
 * has nothing. Whether that LUN is saved is known when all disks of the run are done; else it is said what saves it.
 */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/screen.h"
#include "cmd/capture/capture_run.h"

/* The first VMFS device of the LUN in it, as captures name it; empty where that cannot be read. */
static void name_inside(struct capture_job *job, const struct vk_source_options *as_it_is)
{
	struct vk_source_options options = *as_it_is;
	struct vk_source source;
	struct vk_error unknown;

	options.look = VK_LOOK_THROUGH;
	if (vk_source_open(job->disk, &options, &source, &unknown) != VK_OK)
		return;
	for (size_t i = 0; i < source.vmfs_count && job->result.inside[0] == '\0'; i++)
		if (source.vmfs[i].lvm_usable)
			vk_vmfs_uuid_format(&source.vmfs[i].lvm.devID, job->result.inside);
	vk_source_close(&source);
}

static bool holds_lun(enum vk_reading_kind kind)
{
	return kind == VK_READING_CARRIER || kind == VK_READING_STRIDE;
}

void vk_capture_look(struct capture_job *job, const struct vk_source_options *options, const struct vk_source *source)
{
	static const enum vk_finding_code codes[] = {VK_F_SOURCE_CARRIER, VK_F_SOURCE_MEMBER,  VK_F_SOURCE_OTHER,
						     VK_F_SOURCE_STRIDE,  VK_F_SOURCE_SHIFTED, VK_F_SOURCE_GLUED};
	const struct vk_findings *found = &source->findings;
	struct capture_result *r = &job->result;

	r->reading = source->readings.items[0];
	r->is_device = vk_io_is_device(source->given);
	/* what lies at byte 0 is in its own places */
	r->is_inside = holds_lun(r->reading.kind) && (r->reading.at_bytes != 0 || source->vmfs_count == 0);
	if (r->is_inside)
		name_inside(job, options);
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]) && !job->run->all; i++)
		if (!r->is_inside && vk_findings_have(found, codes[i], 0))
			VK_FINDINGS_SAY(&job->findings, codes[i], 0, 0, NULL, NULL, "%s", r->reading.what);
	for (size_t i = 0; i < found->count; i++)
		if (found->items[i].code == VK_F_SOURCE_PIECE_MISSING)
			vk_findings_add(&job->findings, &found->items[i]);
}

enum vk_status vk_capture_refuse_others(const struct capture_job *job, const struct vk_source *source,
					struct vk_error *err)
{
	const struct vk_reading *r = &job->result.reading;
	const bool of_others = holds_lun(r->kind) || r->kind == VK_READING_MEMBER || r->kind == VK_READING_OTHER;

	/* of one that was captured before it is reported what is gone */
	if (!of_others || job->previous[0] != '\0' || source->kind != VK_SOURCE_DISK ||
	    source->table.kind != VK_TABLE_NONE || source->vmfs_count > 0)
		return VK_OK;
	vk_error_set(err, VK_ABSENT, job->disk, "nothing was saved: this is %s", r->what);
	if (holds_lun(r->kind))
		return vk_error_remedy(err, "%s", vk_finding_kind(VK_F_CAPTURE_LUN_INSIDE)->remedy);
	return vk_error_remedy(err, "%s", vk_finding_kind(r->kind == VK_READING_MEMBER ? VK_F_SOURCE_MEMBER
										       : VK_F_SOURCE_OTHER)->remedy);
}

/* The capture of this run that has the LUN in it; NULL: there is none. An older one is not of the LUN as it is now. */
static const char *saved_as(const struct capture_run *run, const struct capture_job *job)
{
	for (size_t i = 0; i < run->count && job->result.inside[0] != '\0'; i++) {
		const struct capture_job *other = &run->jobs[i];

		for (size_t k = 0; k < other->capture.identity_count; k++)
			if (strcmp(other->capture.identities[k].device_uuid, job->result.inside) == 0)
				return other->result.id;
	}
	return NULL;
}

/* What saves the LUN in it; NULL: nothing that could be said as a command. */
static char *saving_command(const struct capture_run *run, const struct capture_job *job)
{
	const struct vk_reading *r = &job->result.reading;
	struct vk_command command;
	bool known = true;
	char *text;

	vk_command_begin(&command, "");
	if (!job->result.is_device) {
		vk_command_add(&command, "vmfskit import");
		vk_cmd_put_source(&command, job->disk, &job->view);
	} else if (r->device[0] != '\0') {
		vk_command_add(&command, "%s && vmfskit capture %s", r->attach, r->device);
	} else if (strncmp(r->attach, "losetup ", 8) == 0) {
		vk_command_add(&command, "dev=$(%s) && vmfskit capture \"$dev\"", r->attach);
	} else {
		known = false;
	}
	vk_cmd_put_options(&command, run->cmd.call, "store config");
	text = vk_command_end(&command);
	if (known)
		return text;
	free(text);
	return NULL;
}

void vk_capture_settle_inside(struct capture_run *run)
{
	for (size_t i = 0; i < run->count; i++) {
		struct capture_job *job = &run->jobs[i];
		struct capture_result *r = &job->result;

		job->saved = r->is_inside ? saved_as(run, job) : NULL;
		if (!r->is_inside || job->saved != NULL)
			continue;
		job->next = saving_command(run, job);
		if (r->skipped) {
			vk_error_set(&r->err, VK_ABSENT, job->disk, "the LUN in it was not saved: this is %s",
				     r->reading.what);
			r->status = vk_error_remedy(&r->err, "%s, or pass over the disk with --exclude",
						    vk_finding_kind(VK_F_CAPTURE_LUN_INSIDE)->remedy);
			r->skipped = false;
		} else if (r->status == VK_OK) {
			VK_FINDINGS_SAY(&job->findings, VK_F_CAPTURE_LUN_INSIDE, r->reading.at_bytes,
					r->reading.length_bytes, NULL, NULL, "the LUN in it was not saved: this is %s",
					r->reading.what);
		}
	}
}

void vk_capture_put_inside(FILE *out, const struct capture_run *run)
{
	for (size_t i = 0; i < run->count; i++) {
		const struct capture_job *job = &run->jobs[i];

		if (job->saved != NULL && !run->all) {
			fprintf(out, "%s: the LUN in it is saved as %s\n", job->disk, job->saved);
		} else if (job->next != NULL) {
			fprintf(out, "%s: this saves the LUN in it:\n", job->disk);
			vk_screen_paste(out, "  %s\n", job->next);
		}
	}
}

json_t *vk_capture_inside_json(const struct capture_run *run, struct vk_json *root)
{
	json_t *array = json_array();

	for (size_t i = 0; i < run->count; i++) {
		const struct capture_job *job = &run->jobs[i];
		struct vk_json o;

		if (!job->result.is_inside)
			continue;
		o = vk_json_begin();
		vk_json_set_text(&o, "disk", job->disk);
		vk_json_set_text(&o, "what", job->result.reading.what);
		vk_json_set_number(&o, "at_bytes", job->result.reading.at_bytes);
		vk_json_set_text(&o, "saved", job->saved);
		vk_json_set_text(&o, "next", job->next);
		vk_json_append(array, vk_json_end(&o), root);
	}
	return array;
}
