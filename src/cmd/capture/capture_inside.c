/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Disks that are something of another system. A capture holds bytes of the disk itself: of a LUN that lies inside it
 * has nothing. Whether that LUN is saved is known when all disks of the run are done; else it is said what saves it.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/screen.h"
#include "cmd/capture/capture_run.h"
#include "store/folder/digest.h"
#include "store/import/import_parts.h"

/* All that captures of the same bytes agree in; heartbeats change by themselves. */
static void digest_regions(const struct vk_region *regions, size_t count, char ret_sha256[VK_SHA256_HEX_BYTES])
{
	struct vk_digest digest;
	char line[VK_SHA256_HEX_BYTES + 64];

	ret_sha256[0] = '\0';
	if (vk_digest_init(&digest)) {
		for (size_t i = 0; i < count; i++) {
			const struct vk_region *region = &regions[i];

			if (region->part == VK_PART_HEARTBEATS)
				continue;
			snprintf(line, sizeof(line), "%" PRIu64 " %" PRIu64 " %s\n", region->offset_bytes,
				 region->length_bytes, region->sha256);
			vk_digest_add(&digest, line, strlen(line));
		}
		if (!vk_digest_take(&digest, ret_sha256))
			ret_sha256[0] = '\0';
	}
	vk_digest_free(&digest);
}

/* What a capture of it would save. What cannot be read leaves the digest empty: then it is not known to be saved. */
static void read_inside(const struct vk_source *source, struct capture_inside *inside)
{
	struct vk_capture_plan plan;
	struct vk_origin_file read;
	struct vk_error unread;
	enum vk_status status = vk_capture_plan(source, &plan, &unread);

	if (status != VK_OK)
		return;
	for (size_t i = 0; i < plan.region_count && status == VK_OK; i++) {
		struct vk_region *region = &plan.regions[i];

		if (region->part == VK_PART_HEARTBEATS)
			continue;
		status = vk_import_digest(source->io, region->offset_bytes, region->length_bytes, &read, NULL, &unread);
		memcpy(region->sha256, read.sha256, sizeof(region->sha256));
	}
	if (status == VK_OK && plan.region_count > 0)
		digest_regions(plan.regions, plan.region_count, inside->sha256);
	vk_capture_plan_free(&plan);
}

/* One LUN in it, as captures name it. */
static void add_inside(struct capture_job *job, const struct vk_source *outer, uint32_t sector_size,
		       const struct vk_reading *r)
{
	const struct vk_source_options options = {.look = VK_LOOK_NOT, .sector_size = sector_size};
	struct capture_result *result = &job->result;
	struct capture_inside *inside = &result->inside[result->inside_count];
	struct vk_source source;
	struct vk_error unknown;
	struct vk_io *io;

	for (size_t i = 0; i < result->inside_count; i++)
		if (result->inside[i].reading.at_bytes == r->at_bytes &&
		    result->inside[i].reading.stride_bytes == r->stride_bytes)
			return;
	result->inside_more = result->inside_count == CAPTURE_INSIDE_MAX;
	if (result->inside_more)
		return;
	result->inside_count++;
	*inside = (struct capture_inside){.reading = *r};
	io = r->kind == VK_READING_STRIDE
		     ? vk_io_strided(outer->given, r->stride_bytes)
		     : vk_io_window(outer->given, r->at_bytes, r->length_bytes != 0 ? r->length_bytes : UINT64_MAX);
	if (io == NULL || vk_source_open_io(io, job->disk, VK_FORM_RAW, &options, &source, &unknown) != VK_OK)
		return;
	for (size_t i = 0; i < source.vmfs_count && inside->uuid[0] == '\0'; i++)
		if (source.vmfs[i].lvm_usable)
			vk_vmfs_uuid_format(&source.vmfs[i].lvm.devID, inside->uuid);
	read_inside(&source, inside);
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
	/* what lies at byte 0 is in its own places; the others are some of the same carrier, or possible */
	for (size_t i = 0; i < source->readings.count && holds_lun(r->reading.kind); i++) {
		const struct vk_reading *other = &source->readings.items[i];

		if (holds_lun(other->kind) && (i == 0 || other->weight > VK_READING_WEIGHT_SAID) &&
		    (other->at_bytes != 0 || source->vmfs_count == 0))
			add_inside(job, source, options->sector_size, other);
	}
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]) && !job->run->all; i++)
		if (r->inside_count == 0 && vk_findings_have(found, codes[i], 0))
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

	/* the bytes that it shows have their places on another disk */
	if (source->form == VK_FORM_HEXDUMP) {
		vk_error_set(err, VK_UNSUPPORTED, job->disk,
			     "nothing was saved: this is a listing of bytes, not a disk");
		return vk_error_remedy(err, "vmfskit import %s keeps what it shows", vk_shell_path(job->disk).text);
	}
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

/* An older capture is not of the LUN as it is now; nor is one of a copy of it, whose device UUID is the same. */
static void find_saved(const struct capture_run *run, struct capture_inside *inside)
{
	for (size_t i = 0; i < run->count && inside->saved[0] == '\0'; i++) {
		const struct capture_job *other = &run->jobs[i];
		char sha256[VK_SHA256_HEX_BYTES];

		for (size_t k = 0; k < other->capture.identity_count && inside->uuid[0] != '\0'; k++)
			if (strcmp(other->capture.identities[k].device_uuid, inside->uuid) == 0)
				snprintf(inside->like, sizeof(inside->like), "%s", other->result.id);
		if (other->capture.region_count == 0 || inside->sha256[0] == '\0')
			continue;
		digest_regions(other->capture.regions, other->capture.region_count, sha256);
		if (strcmp(sha256, inside->sha256) == 0)
			snprintf(inside->saved, sizeof(inside->saved), "%s", other->result.id);
	}
}

/* What saves the LUN in it; NULL: nothing that could be said as a command. */
static char *saving_command(const struct capture_run *run, const struct capture_job *job, size_t index)
{
	const struct vk_reading *r = &job->result.inside[index].reading;
	struct vk_command command;
	bool known = true;
	char *text;

	vk_command_begin(&command, "");
	if (!job->result.is_device) {
		/* by itself it takes what the best reading is of */
		bool best = r->at_bytes == job->result.reading.at_bytes &&
			    r->stride_bytes == job->result.reading.stride_bytes;

		vk_command_add(&command, "vmfskit import");
		if (!best && r->stride_bytes != 0)
			vk_command_add(&command, " --stride %" PRIu32, r->stride_bytes);
		else if (!best)
			vk_command_add(&command, " --at %" PRIu64, r->at_bytes);
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

static void say_unsaved(struct capture_job *job, const struct capture_inside *inside)
{
	char seen[VK_CAPTURE_ID_BYTES + 40] = "";

	if (inside->like[0] != '\0')
		snprintf(seen, sizeof(seen), "other bytes than in %s", inside->like);
	VK_FINDINGS_SAY(&job->findings, VK_F_CAPTURE_LUN_INSIDE, inside->reading.at_bytes, inside->reading.length_bytes,
			seen[0] != '\0' ? seen : NULL, NULL, "the LUN in it was not saved: this is %s",
			inside->reading.what);
}

/* A disk of which nothing was captured: the first of the LUNs in it stands for all, whose commands follow. */
static void fail_unsaved(struct capture_job *job, const struct capture_inside *inside, size_t count)
{
	struct capture_result *r = &job->result;
	char which[VK_CAPTURE_ID_BYTES + 80];
	struct vk_text text = vk_text_in(which, sizeof(which));

	if (count > 1)
		vk_text_fmt(&text, "%zu LUNs in it were not saved, the first", count);
	else
		vk_text_put(&text, "the LUN in it was not saved");
	if (inside->like[0] != '\0')
		vk_text_fmt(&text, " (it has other bytes than in %s)", inside->like);
	vk_error_set(&r->err, VK_ABSENT, job->disk, "%s: this is %s", which, inside->reading.what);
	r->status = vk_error_remedy(&r->err, "%s, or pass over the disk with --exclude",
				    vk_finding_kind(VK_F_CAPTURE_LUN_INSIDE)->remedy);
	r->skipped = false;
}

static void settle_job(struct capture_run *run, struct capture_job *job)
{
	struct capture_result *r = &job->result;
	const struct capture_inside *first = NULL;
	size_t unsaved = 0;

	for (size_t i = 0; i < r->inside_count; i++) {
		struct capture_inside *inside = &r->inside[i];

		find_saved(run, inside);
		if (inside->saved[0] != '\0')
			continue;
		first = first != NULL ? first : inside;
		unsaved++;
		job->next[i] = saving_command(run, job, i);
		if (r->status == VK_OK && !r->skipped)
			say_unsaved(job, inside);
	}
	if (r->skipped && first != NULL)
		fail_unsaved(job, first, unsaved);
	else if (r->inside_more)
		VK_FINDINGS_SAY(&job->findings, VK_F_CAPTURE_LUN_INSIDE, 0, 0, NULL, NULL,
				"more than %d LUNs lie in it; the others were not looked at", CAPTURE_INSIDE_MAX);
}

void vk_capture_settle_inside(struct capture_run *run)
{
	for (size_t i = 0; i < run->count; i++)
		settle_job(run, &run->jobs[i]);
}

static void put_inside(FILE *out, const struct capture_run *run, const struct capture_job *job, size_t index)
{
	const struct capture_inside *inside = &job->result.inside[index];
	char which[64] = "in it";

	if (job->result.inside_count > 1)
		snprintf(which, sizeof(which), "at byte %" PRIu64 " of it", inside->reading.at_bytes);
	if (inside->saved[0] != '\0' && !run->all) {
		fprintf(out, "%s: the LUN %s is saved as %s\n", job->disk, which, inside->saved);
	} else if (job->next[index] != NULL) {
		fprintf(out, "%s: this saves the LUN %s:\n", job->disk, which);
		vk_screen_paste(out, "  %s\n", job->next[index]);
	}
}

void vk_capture_put_inside(FILE *out, const struct capture_run *run)
{
	for (size_t i = 0; i < run->count; i++)
		for (size_t k = 0; k < run->jobs[i].result.inside_count; k++)
			put_inside(out, run, &run->jobs[i], k);
}

json_t *vk_capture_inside_json(const struct capture_run *run, struct vk_json *root)
{
	json_t *array = json_array();

	for (size_t n = 0; n < run->count * CAPTURE_INSIDE_MAX; n++) {
		const struct capture_job *job = &run->jobs[n / CAPTURE_INSIDE_MAX];
		const struct capture_inside *inside = &job->result.inside[n % CAPTURE_INSIDE_MAX];
		struct vk_json o;

		if (n % CAPTURE_INSIDE_MAX >= job->result.inside_count)
			continue;
		o = vk_json_begin();
		VK_JSON_SET(&o, VK_KEY("disk", job->disk), VK_KEY("what", inside->reading.what),
			    VK_KEY("at_bytes", inside->reading.at_bytes),
			    VK_KEY("saved", inside->saved[0] != '\0' ? inside->saved : NULL),
			    VK_KEY("like", inside->saved[0] == '\0' && inside->like[0] != '\0' ? inside->like : NULL),
			    VK_KEY("next", job->next[n % CAPTURE_INSIDE_MAX]));
		vk_json_append(array, vk_json_end(&o), root);
	}
	return array;
}
