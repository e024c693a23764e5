/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a host is using a volume: the heartbeat regions in which a slot is taken are watched. */
#include <stdlib.h>

#include "base/checked.h"
#include "doctor/doctor.h"
#include "vol/heartbeat_watch.h"

/* What cannot be read the second time has not changed; the survey reports it. */
static void watch_regions(struct vk_doctor *doc, struct vk_heartbeat_watch *watch)
{
	struct vk_heartbeat_change change;
	struct vk_error ignored;
	struct vk_text text;
	char who[200];
	bool ticked;

	doc->status = vk_heartbeat_watch_begin(watch, doc->source.io, doc->err);
	if (doc->status != VK_OK)
		return;
	vk_heartbeat_watch_wait(doc->options->heartbeat_wait_ms);
	doc->d->watched = watch->left_out == 0;
	for (size_t i = 0; i < watch->count; i++) {
		const struct vk_heartbeat_region *r = &watch->items[i];
		struct vk_subject *subject = r->whose;

		if (vk_heartbeat_region_ticked(r, doc->source.io, &ticked, &change, &ignored) != VK_OK || !ticked)
			continue;
		vk_text_init(&text, who, sizeof(who));
		vk_heartbeat_change_text(&change, &text);
		vk_doctor_report(doc, VK_F_INCIDENT_ALIVE, r->offset_bytes + (uint64_t)change.slot * r->slot_bytes,
				 r->slot_bytes, "heartbeat slot %u changed between two looks: %s", change.slot, who);
		doc->d->alive = true;
		subject->alive = true;
	}
}

bool vk_doctor_listen(struct vk_doctor *doc)
{
	struct vk_heartbeat_watch watch = {.count = 0};

	for (size_t i = 0; i < doc->subject_count; i++) {
		struct vk_subject *s = &doc->subjects[i];
		const struct vk_heartbeats *h = &doc->source.vmfs[s->vmfs].heartbeats;

		doc->d->in_use = doc->d->in_use || h->in_use_count > 0;
		if (h->in_use_count > 0 &&
		    vk_heartbeat_watch_add(&watch, vk_add_sat(s->start_bytes, h->offset_bytes),
					   vk_mul_sat(h->geometry.heartbeat_slots, h->geometry.heartbeat_slot_bytes),
					   h->geometry.heartbeat_slot_bytes))
			watch.items[watch.count - 1].whose = s;
	}
	if (doc->d->in_use && doc->options->heartbeat_wait_ms != 0)
		watch_regions(doc, &watch);
	vk_heartbeat_watch_end(&watch);
	return doc->status == VK_OK;
}
