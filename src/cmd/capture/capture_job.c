/* SPDX-License-Identifier: Apache-2.0 */
/* One disk of a run of capture: opened, perhaps passed over, captured, compared with its last capture. */
#include "cmd/capture/capture_run.h"

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

static enum vk_status open_disk(void *ctx, struct vk_source *ret_source, struct vk_error *err)
{
	struct capture_job *job = ctx;
	struct vk_source_options options = job->run->source;
	const char *skipped;
	enum vk_status status;

	options.in_call_since_ms = &job->shared->in_call_since_ms;
	status = vk_source_open(job->disk, &options, ret_source, err);
	if (status != VK_OK)
		return status;
	job->result.decode_findings = 0;
	for (size_t i = 0; i < ret_source->findings.count; i++)
		job->result.decode_findings += vk_finding_kind(ret_source->findings.items[i].code)->severity != VK_INFO;
	skipped = why_skipped(job, ret_source);
	/* a capture of a container would hold nothing that can be restored */
	if (skipped == NULL)
		status = vk_source_refuse_container(ret_source, err);
	else
		status = vk_error_set(err, VK_ABSENT, job->disk, "%s", skipped);
	job->result.skipped = skipped != NULL;
	if (status != VK_OK)
		vk_source_close(ret_source);
	return status;
}

void vk_capture_job(struct capture_job *job)
{
	const char *store = vk_cmd_store(job->run->cmd.call);
	struct capture_result *r = &job->result;
	struct vk_capture_options options = job->run->capture;
	struct vk_finding_sink sink = vk_findings_sink(&job->findings);
	struct vk_capture last = {.identity_count = 0};
	struct vk_error unknown;

	r->compared = job->previous[0] != '\0' && vk_capture_open(store, job->previous, &last, &unknown) == VK_OK;
	options.other_paths = job->other_paths;
	options.previous = job->previous[0] != '\0' ? job->previous : NULL;
	/* where the last capture had VMFS its absence is a finding, wherever the disk was found */
	options.vmfs_optional = job->run->all && last.identity_count == 0;
	r->status = vk_capture_take_live(open_disk, job, &options, &sink, r->id, &r->err);
	if (r->status == VK_OK)
		r->status = vk_capture_open(store, r->id, &job->capture, &r->err);
	if (r->status == VK_OK && r->compared)
		vk_capture_compare(job, &last);
	if (r->compared)
		vk_capture_close(&last);
}
