/* SPDX-License-Identifier: Apache-2.0 */
/* One disk of a run of capture: opened, perhaps passed over, captured, compared with its last capture. */
#include <string.h>

#include "base/memory.h"
#include "base/shown.h"
#include "cmd/capture/capture_run.h"
#include "vmfskit/lunid.h"

static bool has_finding(const struct vk_source *source, enum vk_finding_code code)
{
	for (size_t i = 0; i < source->findings.count; i++)
		if (source->findings.items[i].code == code)
			return true;
	return false;
}

/* Of a disk also a partition that is marked as VMFS counts, whatever state it is in. */
static bool has_vmfs(const struct vk_source *source)
{
	return source->vmfs_count > 0 && (source->kind == VK_SOURCE_DISK ||
					  source->vmfs[0].lvm.magic == VK_LVM_MAGIC);
}

/*
 * Why a disk that was found, not named, is passed over; NULL: it is not. One that was captured before never is: that
 * there is nothing on it any more is what must be reported.
 */
static const char *why_skipped(const struct capture_job *job, const struct vk_source *source)
{
	if (!job->run->all || job->previous[0] != '\0')
		return NULL;
	if (source->kind != VK_SOURCE_DISK && source->kind != VK_SOURCE_PARTITION)
		return "it is a piece of a volume, neither a disk nor a partition";
	if (source->container != NULL)
		return "it is a container or compressed file that was written to a device, not a disk";
	if (has_vmfs(source))
		return NULL;
	if (job->only_with_vmfs)
		return "it is put together from other disks, and there is no VMFS on it";
	if (has_finding(source, VK_F_SOURCE_UNREADABLE))
		return NULL;
	if (source->table.kind == VK_TABLE_NONE)
		return "there is neither a partition table nor VMFS on it";
	return job->run->vmfs_only ? "there is no VMFS on it" : NULL;
}

struct taking {
	struct capture_job *job;
	struct vk_capture_options options;
};

/*
 * What is saved are the places of the device itself; a restore writes them there. What it is else is asked of a named
 * one, and where no VMFS is seen.
 */
static enum vk_status open_and_look(struct capture_job *job, struct vk_source *ret_source, struct vk_error *err)
{
	struct vk_source_options options = job->run->source;
	const bool told = options.as != VK_SOURCE_AUTO;
	enum vk_status status;

	options.view = job->view;
	options.look = job->run->all || told ? VK_LOOK_NOT : VK_LOOK_AT;
	options.in_call_since_ms = &job->shared->watch.in_call_since_ms;
	status = vk_source_open(job->disk, &options, ret_source, err);
	if (status == VK_OK && options.look == VK_LOOK_NOT && !told && !job->only_with_vmfs && !has_vmfs(ret_source)) {
		vk_source_close(ret_source);
		options.look = VK_LOOK_AT;
		status = vk_source_open(job->disk, &options, ret_source, err);
	}
	if (status == VK_OK && options.look == VK_LOOK_AT && job->result.reading.weight == 0)
		vk_capture_look(job, &options, ret_source);
	return status;
}

/* Nobody notices a LUN that changed its name before a host boots: it is said the same night, of each reading once. */
static void put_new(void *ctx, const struct vk_finding *f)
{
	struct capture_job *job = ctx;

	if (!vk_findings_have(&job->findings, f->code, f->offset_bytes))
		vk_findings_add(&job->findings, f);
}

static void judge_lun(struct capture_job *job, const struct vk_source *source)
{
	const struct vk_finding_sink sink = {put_new, job};
	struct vk_live_lun live;

	if (!vk_live_lun_of_io(source->io, &live))
		return;
	for (size_t i = 0; i < source->vmfs_count; i++)
		if (source->vmfs[i].lvm_usable)
			vk_lunid_judge_elsewhere(&source->vmfs[i].lvm.diskID, &live,
						 source->vmfs[i].start_sector * source->sector_size +
							 VK_LVM_HEADER_OFFSET + 0x0C, &sink);
}

static enum vk_status open_disk(void *ctx, struct vk_source *ret_source, struct vk_error *err)
{
	struct taking *taking = ctx;
	struct capture_job *job = taking->job;
	const char *skipped;
	enum vk_status status = open_and_look(job, ret_source, err);

	if (status != VK_OK)
		return status;
	/* of these it is said what they are */
	if (job->previous[0] == '\0' && (job->result.inside_count > 0 || job->result.reading.kind == VK_READING_MEMBER))
		taking->options.vmfs_optional = true;
	job->result.decode_findings = 0;
	for (size_t i = 0; i < ret_source->findings.count; i++)
		job->result.decode_findings += vk_finding_kind(ret_source->findings.items[i].code)->severity != VK_INFO;
	skipped = why_skipped(job, ret_source);
	/* a capture of a container would hold nothing that can be restored */
	if (skipped == NULL)
		status = vk_source_refuse_container(ret_source, err);
	if (skipped == NULL && status == VK_OK)
		status = vk_capture_refuse_others(job, ret_source, err);
	if (skipped != NULL)
		status = vk_error_set(err, VK_ABSENT, job->disk, "%s", skipped);
	job->result.skipped = skipped != NULL;
	if (status != VK_OK)
		vk_source_close(ret_source);
	else
		judge_lun(job, ret_source);
	return status;
}

/* Everything but heartbeats is byte for byte what it was: the usual night. */
static bool is_same(const struct vk_capture *before, const struct vk_capture *after)
{
	if (before->source_kind != after->source_kind || before->size_bytes != after->size_bytes ||
	    before->sector_size != after->sector_size || before->region_count != after->region_count ||
	    before->unreadable_count != after->unreadable_count)
		return false;
	for (size_t i = 0; i < after->region_count; i++) {
		/* both are sorted by offset */
		const struct vk_region *now = &after->regions[i], *old = &before->regions[i];

		if (strcmp(old->file, now->file) != 0 || old->offset_bytes != now->offset_bytes ||
		    old->length_bytes != now->length_bytes ||
		    (now->part != VK_PART_HEARTBEATS && strcmp(old->sha256, now->sha256) != 0))
			return false;
	}
	return true;
}

static void add_change(struct capture_job *job, const struct vk_change *change)
{
	if (vk_append(&job->changes, &job->change_count, change, sizeof(*change)) == NULL)
		job->result.changes_dropped++;
}

static void add_plain(struct capture_job *job, const char *field, const char *before, const char *after)
{
	struct vk_change change = {.subject = "disk"};

	snprintf(change.field, sizeof(change.field), "%s", field);
	snprintf(change.before, sizeof(change.before), "%s", before);
	snprintf(change.after, sizeof(change.after), "%s", after);
	snprintf(change.message, sizeof(change.message), "%s: %s -> %s", field, change.before, change.after);
	add_change(job, &change);
}

/* What changed since the last capture of the disk. */
static void compare(struct capture_job *job, const struct vk_capture *before)
{
	const struct vk_capture *after = &job->capture;
	struct vk_source old, now;
	struct vk_diff diff = {0};
	struct vk_error err;
	enum vk_status status;

	if (before->source_kind != after->source_kind) {
		add_plain(job, "kind", vk_source_kind_name(before->source_kind),
			  vk_source_kind_name(after->source_kind));
		return;
	}
	if (is_same(before, after))
		return;
	status = vk_capture_source(before, &old, &err);
	if (status == VK_OK) {
		status = vk_capture_source(after, &now, &err);
		if (status == VK_OK) {
			status = vk_diff_sources(&old, &now, &diff, &err);
			vk_source_close(&now);
		}
		vk_source_close(&old);
	}
	if (status != VK_OK) {
		add_plain(job, "comparison", before->id, err.what);
		return;
	}
	for (size_t i = 0; i < diff.change_count; i++)
		if (!diff.changes[i].is_volatile)
			add_change(job, &diff.changes[i]);
	job->result.changes_dropped += diff.changes_dropped;
	/* the difference is reported in one way or another */
	if (diff.matters && job->change_count + job->result.changes_dropped == 0)
		add_plain(job, "saved bytes", before->id, "different");
	vk_diff_free(&diff);
}

/* A virtual disk that is gone, or not in a map that is not whole: the next night would not miss it any more. */
static void add_disk(struct capture_job *job, unsigned partition, const struct vk_file_change *file)
{
	struct vk_change change = {.partition = partition, .subject = "virtual disk", .field = "file", .after = "none"};
	const char *path = file->before->path;
	char shown[400];

	vk_label_into(change.before, sizeof(change.before), path, strlen(path));
	vk_label_into(shown, sizeof(shown), path, strlen(path));
	snprintf(change.message, sizeof(change.message), "partition %u: %s: %s (%.60s)", partition,
		 file->kind == VK_FILE_VANISHED ? "deleted or moved" : "not seen, and not all files could be mapped",
		 shown, vk_shown_size_short(file->before->size_bytes).text);
	add_change(job, &change);
}

/* Told once: of the night after this one that is the last capture. */
static void add_unlisted(struct capture_job *job, unsigned partition, uint64_t files)
{
	struct vk_change change = {.partition = partition, .subject = "files", .field = "list", .after = "none"};

	snprintf(change.before, sizeof(change.before), "%llu files", (unsigned long long)files);
	snprintf(change.message, sizeof(change.message), "partition %u: the files could not be listed: what vanished "
		 "is not known", partition);
	add_change(job, &change);
}

/* Files that hosts make and remove all the time are for vmfskit diff. only: NULL: of all partitions. */
static void compare_maps(struct capture_job *job, const struct vk_capture *before, const unsigned *only)
{
	struct vk_files_diff *diffs;
	size_t count;
	struct vk_error err;

	if (vk_diff_files(before, &job->capture, &diffs, &count, &err) != VK_OK) {
		VK_FINDINGS_SAY(&job->findings, VK_F_CAPTURE_FILE_MAP, 0, 0, NULL, NULL,
				"the files could not be compared with those of %s: %.120s", before->id, err.what);
		return;
	}
	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < diffs[i].change_count && (only == NULL || *only == diffs[i].partition); k++) {
			const struct vk_file_change *file = &diffs[i].changes[k];

			if (vk_file_change_matters(file) ||
			    (file->kind == VK_FILE_UNSEEN && vk_file_map_is_disk(file->before)))
				add_disk(job, diffs[i].partition, file);
		}
	vk_diff_files_free(diffs, count);
}

/* With the newest map of that partition which is older than the last capture. */
static void compare_older(struct capture_job *job, unsigned partition)
{
	struct vk_last_disk disk = {.path = job->disk, .other_paths = job->other_paths, .wwid = job->wwid,
				    .facts = &job->run->facts[job - job->run->jobs], .before = job->previous,
				    .partition = partition};
	struct vk_capture older;
	struct vk_error err;
	enum vk_status status = vk_last_captures(job->run->capture.store, &disk, 1, &err);

	if (status == VK_OK && disk.id[0] == '\0')
		return;
	if (status == VK_OK)
		status = vk_capture_open(vk_cmd_store(job->run->cmd.call), disk.id, &older, &err);
	if (status != VK_OK) {
		VK_FINDINGS_SAY(&job->findings, VK_F_CAPTURE_FILE_MAP, 0, 0, NULL, NULL,
				"the files could not be compared with those of an older night: %.120s", err.what);
		return;
	}
	compare_maps(job, &older, &partition);
	vk_capture_close(&older);
}

/* A night without a map must not make anybody forget what was there before it. */
static void compare_files(struct capture_job *job, const struct vk_capture *last)
{
	const struct vk_capture *now = &job->capture;

	compare_maps(job, last, NULL);
	for (size_t i = 0; i < now->map_count; i++)
		if (!vk_capture_has_map(last, now->maps[i].partition))
			compare_older(job, now->maps[i].partition);
	/* that the volume itself is gone, or was not asked for its files, is another matter */
	for (size_t i = 0; i < last->map_count && job->run->capture.files_limit_bytes > 0; i++)
		for (size_t k = 0; k < now->identity_count; k++)
			if (now->identities[k].partition == last->maps[i].partition &&
			    !vk_capture_has_map(now, last->maps[i].partition))
				add_unlisted(job, last->maps[i].partition, last->maps[i].files);
}

void vk_capture_job(struct capture_job *job)
{
	const char *store = vk_cmd_store(job->run->cmd.call);
	struct capture_result *r = &job->result;
	struct taking taking = {.job = job, .options = job->run->capture};
	struct vk_capture_options *options = &taking.options;
	struct vk_finding_sink sink = vk_findings_sink(&job->findings);
	struct vk_capture last = {.identity_count = 0};
	struct vk_error unknown;

	r->compared = job->previous[0] != '\0' && vk_capture_open(store, job->previous, &last, &unknown) == VK_OK;
	options->watch = &job->shared->watch;
	options->watch->timeout_s = job->run->timeout_s;
	options->other_paths = job->other_paths;
	options->previous = job->previous[0] != '\0' ? job->previous : NULL;
	/* where the last capture had VMFS its absence is a finding, wherever the disk was found */
	options->vmfs_optional = job->run->all && last.identity_count == 0;
	r->status = vk_capture_take_live(open_disk, &taking, options, &sink, r->id, &r->err);
	r->most_map_bytes = options->watch->most_map_bytes;
	r->most_metadata_bytes = options->watch->most_metadata_bytes;
	if (r->status == VK_OK)
		r->status = vk_capture_open(store, r->id, &job->capture, &r->err);
	if (r->status == VK_OK && r->compared) {
		compare(job, &last);
		compare_files(job, &last);
	}
	if (r->compared)
		vk_capture_close(&last);
}
