/* SPDX-License-Identifier: Apache-2.0 */
/* What a volume says of itself besides its headers: facts from files and heartbeats, each with its source. */
#include <string.h>

#include "base/checked.h"
#include "evidence/self/parts.h"

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
