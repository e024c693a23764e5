/* SPDX-License-Identifier: Apache-2.0 */
/* Where the volume is asked about itself: at the places that header, votes and habit name. */
#include <stdio.h>
#include <string.h>

#include "base/checked.h"
#include "rebuild/header/header_work.h"

/* The report that more blocks confirm stays. */
static enum vk_status try_place(struct vk_header_work *work, int64_t start_bytes,
				struct vk_self_report *best, struct vk_error *err)
{
	struct vk_self_report here;
	enum vk_status status;

	if (start_bytes < 0 || (best->self_located > 0 && best->volume_start_bytes == start_bytes))
		return VK_OK;
	status = vk_self_report_at(work->window, (uint64_t)start_bytes, vk_io_size_bytes(work->window),
				   &here, err);
	if (status == VK_OK && here.self_located > best->self_located)
		*best = here;
	return status;
}

/* The scan of the whole disk has seen more than this look did. */
static void take_vote(struct vk_self_report *r, const struct vk_vote *vote, int64_t volume_start)
{
	uint64_t locks = 0;

	if (vote->blocks <= r->votes || (r->votes > 0 && r->volume_start_bytes != volume_start))
		return;
	for (size_t i = 0; i < sizeof(vote->locks) / sizeof(vote->locks[0]); i++)
		locks += vote->locks[i];
	r->volume_start_bytes = volume_start;
	r->votes = vote->blocks;
	r->highest_volume_offset = vk_max_u64(r->highest_volume_offset, vote->last_addr);
	snprintf(r->votes_from, sizeof(r->votes_from), "%llu locks and %llu heartbeats on the disk",
		 (unsigned long long)locks, (unsigned long long)vote->heartbeats);
}

enum vk_status vk_work_ask_volume(struct vk_header_work *work, struct vk_self_report *ret_report,
				   struct vk_error *err)
{
	const struct vk_candidate *c = work->options->candidate;
	const struct vk_vote *vote = c != NULL && c->vote.blocks > 0 ? &c->vote : NULL;
	int64_t voted = vote != NULL ? vote->volume_start_bytes - (int64_t)work->start_bytes : -1;
	enum vk_status status;

	memset(ret_report, 0, sizeof(*ret_report));
	status = try_place(work, VK_LVM_DATA_OFFSET, ret_report, err);
	if (status == VK_OK && voted >= 0)
		status = try_place(work, voted, ret_report, err);
	if (status == VK_OK && work->vmfs.lvm_usable && work->vmfs.lvm.dataOffset <= INT64_MAX)
		status = try_place(work, (int64_t)work->vmfs.lvm.dataOffset, ret_report, err);
	if (status == VK_OK && vote != NULL)
		take_vote(ret_report, vote, voted);
	return status;
}
