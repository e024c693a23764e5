/* SPDX-License-Identifier: Apache-2.0 */
/* The captures of this disk that a repair asks. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/checked.h"
#include "repair/guard/guards.h"
#include "repair/repair_state.h"
#include "vmfskit/of_disk.h"
#include "vmfskit/vouch.h"

enum { KNOWN_MAX = 4, MANIFESTS_MAX = 4096 };

struct search {
	struct vk_repair *repair;
	struct vk_vouching *vouching;
};

void vk_known_free(struct vk_known *known)
{
	vk_source_close(&known->source);
	vk_capture_close(&known->capture);
}

/*
 * Its bytes are kept as they were judged: what is rebuilt from them is written. VK_GUARD_COUNT: nothing speaks
 * against it.
 */
static enum vk_guard judge(const struct search *s, struct vk_capture *capture)
{
	struct vk_error ignored;
	unsigned by, flaws;
	const struct vk_finding_sink sink = vk_flaws_sink(&flaws);

	if (vk_capture_hold(capture, s->vouching, &sink, &by, &ignored) != VK_OK || (flaws & VK_FLAW_BROKEN) != 0)
		return VK_GUARD_CAPTURE_VERIFIED;
	return (flaws & VK_FLAW_DOUBT) != 0 ? VK_GUARD_CAPTURE_VOUCHED : VK_GUARD_COUNT;
}

/* capture becomes known's, also when this fails. */
static enum vk_status keep_capture(struct vk_repair *repair, struct vk_capture *capture, struct vk_error *err)
{
	struct vk_known *known = vk_append(&repair->known, &repair->known_count, NULL, sizeof(*known));
	enum vk_status status;

	if (known == NULL) {
		vk_capture_close(capture);
		return vk_no_memory(err, NULL);
	}
	known->capture = *capture;
	snprintf(known->name, sizeof(known->name), "capture %s", capture->id);
	status = vk_capture_source(&known->capture, &known->source, err);
	if (status != VK_OK) {
		vk_capture_close(&known->capture);
		repair->known_count--;
	}
	return status;
}

/* What was named by hand is asked for whatever it says; what speaks against it is a guard's. */
static enum vk_status consult_named(struct search *s, const char *store, struct vk_error *err)
{
	struct vk_capture capture;
	struct vk_of_disk answer;
	struct vk_known *known;
	enum vk_guard against;
	enum vk_status status = vk_capture_open(store, s->repair->options.capture, &capture, err);

	/* absent is what the planners say when too little is left of the disk */
	if (status == VK_ABSENT && err != NULL)
		err->status = VK_IO;
	if (status != VK_OK)
		return status == VK_ABSENT ? VK_IO : status;
	if (capture.is_undo || capture.is_rebuilt) {
		vk_error_set(err, VK_USAGE, capture.path, "this is not a capture of a disk: %s",
			     capture.is_undo ? "a restore made it of the bytes that it overwrote" : "repair made it");
		vk_capture_close(&capture);
		return VK_USAGE;
	}
	against = judge(s, &capture);
	status = keep_capture(s->repair, &capture, err);
	if (status != VK_OK)
		return status;
	known = &s->repair->known[s->repair->known_count - 1];
	known->misfit_guard = against;
	if (against != VK_GUARD_COUNT) {
		snprintf(known->misfit, sizeof(known->misfit), "capture %s was named; %s", known->capture.id,
			 against == VK_GUARD_CAPTURE_VERIFIED ? "it fails verification"
							      : "it is not vouched for (vmfskit verify says why)");
	} else if (vk_capture_is_of(&known->capture, &s->repair->target.facts, &answer) < VK_OF_LIKELY) {
		known->misfit_guard = vk_guard_of_answer(&answer);
		snprintf(known->misfit, sizeof(known->misfit), "capture %s was named, and %s: %s", known->capture.id,
			 answer.is_of == VK_OF_NO ? "it is not of this disk" : "nothing shows that it is of this disk",
			 answer.why);
	}
	return VK_OK;
}

/* A capture that cannot be read may know better than all that a planner finds. */
static enum vk_status refuse_unread(const struct vk_error *unread, struct vk_error *err)
{
	if (err != NULL)
		*err = *unread;
	(void)vk_error_remedy(err, "run this as root or as the owner of the store; --no-captures plans without them");
	return VK_IO;
}

static enum vk_status consult_store(struct search *s, const char *store, struct vk_error *err)
{
	struct vk_repair *repair = s->repair;
	char **ids = NULL;
	size_t count = 0;
	struct vk_error unread, ignored;
	enum vk_status status = vk_store_list(store, &ids, &count, &unread);

	/* a repair that has no captures to ask is what repair is for */
	if (status == VK_ABSENT)
		return VK_OK;
	if (status != VK_OK)
		return status == VK_NOMEM ? vk_no_memory(err, NULL) : refuse_unread(&unread, err);
	for (size_t i = count; i-- > 0 && status == VK_OK && repair->known_count < KNOWN_MAX &&
			       count - i <= MANIFESTS_MAX;) {
		struct vk_capture capture;
		struct vk_of_disk answer;
		enum vk_guard against = VK_GUARD_LUN;
		enum vk_status opened = vk_capture_open(store, ids[i], &capture, &unread);

		if (opened == VK_IO)
			status = refuse_unread(&unread, err);
		if (opened != VK_OK)
			continue;
		if (repair->target.source.kind == VK_SOURCE_DISK && capture.source_kind != VK_SOURCE_DISK)
			; /* of a partition: it says nothing of the disk */
		else if (vk_capture_tells_of(&capture, &repair->target.facts, &answer))
			against = judge(s, &capture);
		else if (repair->may_be[0] == '\0' &&
			 vk_capture_may_be_of(&capture, &repair->target.facts, &answer))
			memcpy(repair->may_be, capture.id, sizeof(repair->may_be));
		if (against == VK_GUARD_CAPTURE_VOUCHED && repair->passed_over[0] == '\0')
			memcpy(repair->passed_over, capture.id, sizeof(repair->passed_over));
		if (against != VK_GUARD_COUNT)
			vk_capture_close(&capture);
		else if (keep_capture(repair, &capture, &ignored) == VK_NOMEM)
			status = vk_no_memory(err, NULL);
	}
	for (size_t i = 0; i < count; i++)
		free(ids[i]);
	free(ids);
	return status;
}

/* Where the captures saw volumes is looked at first. */
static enum vk_status take_hints(struct vk_repair *repair, struct vk_error *err)
{
	const struct vk_find_options *given = &repair->options.find;
	bool sound = true;

	for (size_t i = 0; sound && i < given->hint_count; i++)
		sound = vk_append(&repair->hints, &repair->hint_count, &given->hints[i],
				  sizeof(given->hints[i])) != NULL;
	for (size_t i = 0; i < repair->known_count; i++) {
		const struct vk_capture *capture = &repair->known[i].capture;

		for (size_t k = 0; sound && k < capture->identity_count; k++) {
			const struct vk_identity *identity = &capture->identities[k];
			/* of a partition, or of another kind than the target: it begins at byte 0 */
			bool same = capture->source_kind == VK_SOURCE_DISK &&
				    repair->target.source.kind == VK_SOURCE_DISK;
			const struct vk_find_hint hint = {
				.start_sector = same ? vk_mul_sat(identity->start_sector, capture->sector_size) /
							       repair->target.source.sector_size
						     : 0,
				.sectors = vk_mul_sat(identity->sectors, capture->sector_size) /
					   repair->target.source.sector_size,
				.from = repair->known[i].name};
			sound = vk_append(&repair->hints, &repair->hint_count, &hint, sizeof(hint)) != NULL;
		}
	}
	return sound ? VK_OK : vk_no_memory(err, NULL);
}

enum vk_status vk_repair_consult(struct vk_repair *repair, struct vk_error *err)
{
	const char *store = repair->options.restore.store;
	struct search s = {.repair = repair};
	enum vk_status status = VK_OK;

	store = store != NULL ? store : VK_STORE_DEFAULT;
	s.vouching = vk_vouching_new(store, repair->options.restore.public_key);
	if (s.vouching == NULL)
		return vk_no_memory(err, NULL);
	if (repair->options.capture != NULL)
		status = consult_named(&s, store, err);
	else if (repair->options.use_captures)
		status = consult_store(&s, store, err);
	vk_vouching_free(s.vouching);
	return status == VK_OK ? take_hints(repair, err) : status;
}
