/* SPDX-License-Identifier: Apache-2.0 */
/* What a volume says of itself besides its headers: facts from files and heartbeats, each with its source. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/checked.h"
#include "rebuild/header/header_work.h"
#include "evidence/self/parts.h"

#define VK_SELF_NAME(id, name, what) name,
static const char *const fact_names[] = {VK_SELF_FACTS(VK_SELF_NAME)};

const char *vk_self_fact_name(enum vk_self_fact_id id)
{
	return (unsigned)id < VK_SELF_COUNT ? fact_names[id] : "";
}

void vk_self_add_host(struct vk_self_report *report, const struct vk_vmfs_uuid *uuid, uint64_t offset)
{
	for (unsigned i = 0; i < report->host_count; i++)
		if (vk_vmfs_uuid_equal(&report->hosts[i].uuid, uuid))
			return;
	if (report->host_count < VK_SELF_HOSTS_MAX && !vk_vmfs_uuid_is_nil(uuid))
		report->hosts[report->host_count++] = (struct vk_self_host){*uuid, offset};
}

bool vk_self_get(struct vk_self_look *look, uint64_t volume_offset, void *buf, size_t len)
{
	uint64_t at = vk_add_sat(look->start_bytes, volume_offset);
	size_t got = 0;

	if (look->status != VK_OK || vk_add_sat(at, len) > look->end_bytes)
		return false;
	look->status = vk_io_read(look->io, at, buf, len, &got, look->err);
	return look->status == VK_OK && got == len;
}

void vk_self_tell(struct vk_tally *tally, uint64_t value, unsigned weight, const char *from, ...)
{
	char text[160];
	va_list args;

	for (size_t i = 0; i < tally->count; i++) {
		if (tally->ballots[i].value == value) {
			tally->ballots[i].weight += weight;
			tally->weight += weight;
			tally->ballots[i].voices++;
			tally->voices++;
			return;
		}
	}
	va_start(args, from);
	vsnprintf(text, sizeof(text), from, args);
	va_end(args);
	vk_tally_add(tally, value, weight, text);
}

void vk_self_set(struct vk_self_report *report, enum vk_self_fact_id id, uint64_t value,
		 enum vk_self_sure sure, const char *from, ...)
{
	struct vk_self_fact *f = &report->facts[id];
	va_list args;

	f->value = value;
	f->sure = sure;
	va_start(args, from);
	vsnprintf(f->from, sizeof(f->from), from, args);
	va_end(args);
}

void vk_self_settle(struct vk_self_report *report, enum vk_self_fact_id id, const struct vk_tally *tally)
{
	const struct vk_ballot *best = vk_tally_best(tally);
	unsigned against = best == NULL ? 0 : tally->weight - best->weight;

	if (best == NULL || best->weight <= against)
		return;
	vk_self_set(report, id, best->value, best->weight >= 2 && best->weight >= 2 * against ? VK_SELF_CERTAIN : VK_SELF_LIKELY,
		    "%s", best->from);
}

enum vk_status vk_self_report_at(struct vk_io *io, uint64_t start_bytes, uint64_t end_bytes,
				 struct vk_self_report *ret_report, struct vk_error *err)
{
	struct vk_self_look look = {.io = io, .start_bytes = start_bytes, .end_bytes = end_bytes,
				    .report = ret_report, .err = err};
	struct vk_self_report *r = ret_report;

	memset(r, 0, sizeof(*r));
	r->volume_start_bytes = (int64_t)vk_min_u64(start_bytes, INT64_MAX);
	for (unsigned i = 0; i < VK_SYSTEM_COUNT; i++)
		r->files[i].first_block = UINT64_MAX;
	vk_self_heartbeats_read(&look);
	vk_self_files_read(&look);
	vk_self_facts(&look);
	return look.status;
}

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

enum vk_status vk_self_report_read(struct vk_header_work *work, struct vk_self_report *ret_report,
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
