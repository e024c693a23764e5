/* SPDX-License-Identifier: Apache-2.0 */
/* One look at one place: bytes of the volume, and facts with their source. */
#include <stdarg.h>
#include <stdio.h>

#include "base/checked.h"
#include "evidence/self/parts.h"

bool vk_self_get(struct vk_self_look *look, uint64_t volume_offset, void *buf, size_t len)
{
	uint64_t at = vk_add_sat(look->start_bytes, volume_offset);
	size_t got = 0;

	if (look->status != VK_OK || vk_add_sat(at, len) > look->end_bytes)
		return false;
	look->status = vk_io_read(look->io, at, buf, len, &got, look->err);
	return look->status == VK_OK && got == len;
}

void vk_self_add_host(struct vk_self_report *report, const struct vk_vmfs_uuid *uuid, uint64_t offset)
{
	for (unsigned i = 0; i < report->host_count; i++)
		if (vk_vmfs_uuid_equal(&report->hosts[i].uuid, uuid))
			return;
	if (report->host_count < VK_SELF_HOSTS_MAX && !vk_vmfs_uuid_is_nil(uuid))
		report->hosts[report->host_count++] = (struct vk_self_host){*uuid, offset};
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
	struct vk_ballot best = vk_tally_best(tally, 0, "");
	unsigned against = tally->weight - best.weight;

	if (best.weight > against)
		vk_self_set(report, id, best.value, best.weight >= 2 && best.weight >= 2 * against ? VK_SELF_CERTAIN :
			    VK_SELF_LIKELY, "%s", best.from);
}
