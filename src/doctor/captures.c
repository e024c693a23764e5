/* SPDX-License-Identifier: Apache-2.0 */
/* The newest good capture of a disk. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "doctor/doctor.h"
#include "vmfskit/vouch.h"

enum { LOOKED_AT_MAX = 400 }; /* of one disk's, the newest; a year of nights */

/* Of another LUN that has this volume, too, only that is kept: this disk is a copy, and may differ from it rightly. */
static bool is_of_this_disk(struct vk_doctor *doc, const struct vk_capture *c)
{
	struct vk_of_disk answer;

	/* what was captured in sectors of another size has its tables at other places */
	if (c->source_kind != doc->source.kind || c->identity_count == 0 || c->sector_size != doc->source.sector_size)
		return false;
	if (vk_capture_tells_of(c, &doc->facts, &answer))
		return !vk_capture_is_of_old_use(c, &doc->facts);
	if (answer.is_of == VK_OF_NO && answer.same_volume && doc->copy_of[0] == '\0') {
		memcpy(doc->copy_of, c->id, sizeof(doc->copy_of));
		memcpy(doc->copy_why, answer.why, sizeof(doc->copy_why));
	}
	return false;
}

/* One that was taken when another system had written its table says nothing of how the disk was. */
static bool names_its_volumes(const struct vk_source *s)
{
	for (size_t i = 0; i < s->table.partition_count; i++)
		for (size_t k = 0; k < s->vmfs_count; k++)
			if (vk_partition_is_vmfs(&s->table.partitions[i]) &&
			    s->table.partitions[i].start_sector == s->vmfs[k].start_sector)
				return true;
	return s->kind != VK_SOURCE_DISK || s->table.kind == VK_TABLE_NONE;
}

/*
 * Keep it open when it is a good one of this disk: sound in every byte, vouched for, and of a time when the disk was
 * sound. A disk is accused on its word.
 */
static void try_one(struct vk_doctor *doc, struct vk_vouching *vouching, const char *id, size_t *looked_at)
{
	struct vk_known_capture *known = &doc->known;
	struct vk_diagnosis *d = doc->d;
	struct vk_findings findings = {0};
	const struct vk_finding_sink sink = vk_findings_sink(&findings);
	struct vk_error err;
	enum vk_status status;
	unsigned by, flaws = 0;
	bool opened, own;
	char *folder;

	if (asprintf(&folder, "%s/%s", doc->options->store, id) < 0) {
		vk_doctor_fail(doc, VK_NOMEM, "no memory for a path");
		return;
	}
	status = vk_capture_open("", folder, &known->capture, &err);
	opened = status == VK_OK;
	own = opened && is_of_this_disk(doc, &known->capture);
	*looked_at += own;
	if (own) {
		status = vk_capture_judge(vouching, folder, NULL, &sink, &by, &err);
		flaws = vk_findings_flaws(&findings);
	}
	/* one that is damaged is not usable; one that cannot be read may be: the first is reported */
	if (status == VK_IO && d->captures_unknown[0] == '\0')
		snprintf(d->captures_unknown, sizeof(d->captures_unknown), "capture %s cannot be read", id);
	/* its files are what was saved, and the disk was sound then: it is only not vouched for */
	if (own && status == VK_OK && flaws != 0 && (flaws & ~(unsigned)VK_FLAW_DOUBT) == 0 &&
	    d->passed_over_id[0] == '\0') {
		memcpy(d->passed_over_id, known->capture.id, sizeof(d->passed_over_id));
		snprintf(d->passed_over, sizeof(d->passed_over), "%.290s", findings.items[0].message);
	}
	if (own && status == VK_OK && flaws == 0 &&
	    vk_capture_source(&known->capture, &known->source, &err) == VK_OK) {
		known->found = !vk_findings_errors(&known->source.findings) && names_its_volumes(&known->source) &&
			       vk_findings_absent(&known->source.findings) == 0 &&
			       vk_capture_io(&known->capture, &known->io, &err) == VK_OK;
		if (!known->found)
			vk_source_close(&known->source);
	}
	if (opened && !known->found)
		vk_capture_close(&known->capture);
	vk_findings_free(&findings);
	free(folder);
}

void vk_doctor_find_capture(struct vk_doctor *doc)
{
	struct vk_vouching *vouching;
	struct vk_error err;
	enum vk_status status;
	char **ids;
	size_t count, looked_at = 0;

	/* captures count from the beginning of the device */
	if (doc->options->store == NULL || vk_source_looked_through(&doc->source))
		return;
	status = vk_store_list(doc->options->store, &ids, &count, &err);
	doc->store_absent = status == VK_ABSENT;
	if (status != VK_OK && (status != VK_ABSENT || doc->options->store_named))
		snprintf(doc->d->captures_unknown, sizeof(doc->d->captures_unknown), "%.200s", err.what);
	if (status != VK_OK)
		return;
	vouching = vk_vouching_new(doc->options->store, doc->options->public_key);
	if (vouching == NULL)
		vk_doctor_fail(doc, VK_NOMEM, "no memory for ledgers");
	vk_disk_facts_read(&doc->source, &doc->facts);
	if (doc->facts.wwid[0] == '\0' && doc->options->live_id != NULL)
		snprintf(doc->facts.wwid, sizeof(doc->facts.wwid), "%s", doc->options->live_id);
	for (size_t i = count; i-- > 0 && doc->status == VK_OK && !doc->known.found && looked_at < LOOKED_AT_MAX;)
		try_one(doc, vouching, ids[i], &looked_at);
	for (size_t i = 0; i < count; i++)
		free(ids[i]);
	free(ids);
	vk_vouching_free(vouching);
	vk_disk_facts_free(&doc->facts);
	if (doc->known.found)
		memcpy(doc->d->capture, doc->known.capture.id, sizeof(doc->d->capture));
}

/* An undo capture of this disk, sound and vouched for, of something that put signatures away. */
static bool is_wipe_of_this(struct vk_doctor *doc, struct vk_vouching *vouching, const char *id,
			    struct vk_capture *ret_undo)
{
	const char *store = doc->options->store;
	struct vk_findings findings = {0};
	const struct vk_finding_sink sink = vk_findings_sink(&findings);
	struct vk_capture done = {.is_rebuilt = false};
	struct vk_of_disk answer;
	struct vk_error ignored;
	unsigned by;
	bool wiped;

	if (vk_capture_open(store, id, ret_undo, &ignored) != VK_OK)
		return false;
	/* of a damaged disk, as it must be: that the capture itself is sound counts */
	wiped = ret_undo->is_undo && vk_capture_is_of(ret_undo, &doc->facts, &answer) >= VK_OF_LIKELY &&
		vk_capture_open(store, ret_undo->undo_of, &done, &ignored) == VK_OK;
	if (wiped) {
		wiped = vk_rebuilt_is_wipe(&done.rebuilt) &&
			vk_capture_judge(vouching, ret_undo->path, NULL, &sink, &by, &ignored) == VK_OK &&
			(vk_findings_flaws(&findings) & (VK_FLAW_BROKEN | VK_FLAW_DOUBT)) == 0;
		vk_capture_close(&done);
	}
	vk_findings_free(&findings);
	if (!wiped)
		vk_capture_close(ret_undo);
	return wiped;
}

static void mark_put_away(struct vk_doctor *doc, const struct vk_capture *undo)
{
	for (size_t i = 0; i < doc->subject_count; i++)
		for (size_t k = 0; k < undo->identity_count; k++)
			if ((doc->subjects[i].magic_only || doc->subjects[i].fs_magic_only) &&
			    vk_mul_sat(undo->identities[k].start_sector, undo->sector_size) ==
				    doc->subjects[i].start_bytes) {
				doc->subjects[i].put_away = true;
				memcpy(doc->wipe, undo->id, sizeof(doc->wipe));
			}
}

void vk_doctor_find_wipe(struct vk_doctor *doc)
{
	static const char suffix[] = "-undo";
	struct vk_vouching *vouching;
	struct vk_error ignored;
	bool bare = false;
	char **ids;
	size_t count;

	for (size_t i = 0; i < doc->subject_count; i++)
		bare = bare || doc->subjects[i].magic_only || doc->subjects[i].fs_magic_only;
	if (!bare || doc->options->store == NULL || vk_source_looked_through(&doc->source) ||
	    vk_store_list(doc->options->store, &ids, &count, &ignored) != VK_OK)
		return;
	vouching = vk_vouching_new(doc->options->store, doc->options->public_key);
	vk_disk_facts_read(&doc->source, &doc->facts);
	for (size_t i = count; i-- > 0;) {
		size_t len = strlen(ids[i]);
		struct vk_capture undo;

		if (vouching != NULL && doc->wipe[0] == '\0' && count - i <= LOOKED_AT_MAX && len >= strlen(suffix) &&
		    strcmp(ids[i] + len - strlen(suffix), suffix) == 0 &&
		    is_wipe_of_this(doc, vouching, ids[i], &undo)) {
			mark_put_away(doc, &undo);
			vk_capture_close(&undo);
		}
		free(ids[i]);
	}
	free(ids);
	vk_vouching_free(vouching);
	vk_disk_facts_free(&doc->facts);
}

void vk_known_capture_close(struct vk_known_capture *known)
{
	if (!known->found)
		return;
	vk_io_close(known->io);
	vk_source_close(&known->source);
	vk_capture_close(&known->capture);
	known->found = false;
}
