/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a host is using a volume: its heartbeat region read twice. */
#include <stdlib.h>
#include <time.h>

#include "base/checked.h"
#include "doctor/doctor.h"

enum { REGION_MAX_BYTES = 16 << 20 };

struct region {
	size_t subject;
	uint64_t offset;
	size_t length;
	uint32_t slot_bytes;
	uint8_t *first;
};

static void wait_ms(unsigned ms)
{
	struct timespec left = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};

	while (nanosleep(&left, &left) != 0)
		;
}

static bool region_of(const struct vk_doctor *doc, size_t subject, struct region *ret_region)
{
	const struct vk_subject *s = &doc->subjects[subject];
	const struct vk_heartbeats *h = &doc->source.vmfs[s->vmfs].heartbeats;
	uint64_t length = vk_mul_sat(h->geometry.heartbeat_slots, h->geometry.heartbeat_slot_bytes);

	*ret_region = (struct region){.subject = subject,
				      .offset = vk_add_sat(s->start_bytes, h->offset_bytes),
				      .length = (size_t)vk_min_u64(length, REGION_MAX_BYTES),
				      .slot_bytes = h->geometry.heartbeat_slot_bytes};
	return h->in_use_count > 0 && length > 0;
}

static void say_alive(struct vk_doctor *doc, const struct region *r, const struct vk_heartbeat_change *change)
{
	char owner[VK_VMFS_UUID_TEXT_BYTES], ip[61];
	struct vk_finding f;
	struct vk_text text;

	vk_vmfs_uuid_format(&change->after.owner, owner);
	vk_text_init(&text, ip, sizeof(ip));
	vk_text_label(&text, change->after.ip, sizeof(change->after.ip));
	vk_finding_init(&f, VK_F_INCIDENT_ALIVE, r->offset + (uint64_t)change->slot * r->slot_bytes, r->slot_bytes,
			"heartbeat slot %u changed between two looks: host %s%s%s is using the volume", change->slot,
			owner, ip[0] == '\0' ? "" : " at ", ip);
	vk_findings_add(&doc->d->findings, &f);
	doc->d->alive = true;
	doc->subjects[r->subject].alive = true;
}

static void compare(struct vk_doctor *doc, const struct region *r, uint8_t *second)
{
	struct vk_heartbeat_change change;
	size_t got = vk_doctor_read(doc, r->offset, second, r->length);

	if (vk_heartbeats_ticked(r->first, second, got, r->slot_bytes, &change))
		say_alive(doc, r, &change);
}

bool vk_doctor_listen(struct vk_doctor *doc)
{
	struct region regions[VK_SUBJECTS_MAX];
	uint8_t *second = NULL;
	size_t count = 0;

	for (size_t i = 0; i < doc->subject_count; i++)
		count += region_of(doc, i, &regions[count]);
	doc->d->in_use = count > 0;
	if (count == 0 || doc->options->heartbeat_wait_ms == 0)
		return true;
	second = malloc(REGION_MAX_BYTES);
	for (size_t i = 0; i < count; i++) {
		regions[i].first = malloc(regions[i].length);
		if (regions[i].first == NULL || second == NULL)
			vk_doctor_fail(doc, VK_NOMEM, "no memory for the heartbeats");
		else
			vk_doctor_read(doc, regions[i].offset, regions[i].first, regions[i].length);
	}
	if (doc->status == VK_OK)
		wait_ms(doc->options->heartbeat_wait_ms);
	for (size_t i = 0; i < count; i++) {
		if (doc->status == VK_OK)
			compare(doc, &regions[i], second);
		free(regions[i].first);
	}
	free(second);
	doc->d->watched = doc->status == VK_OK;
	return doc->status == VK_OK;
}
