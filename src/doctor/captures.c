/* SPDX-License-Identifier: Apache-2.0 */
/* The newest good capture of a disk. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
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
static bool is_wipe_of_this(struct vk_doctor *doc, struct vk_vouching *vouching, const struct vk_capture *undo)
{
	struct vk_findings findings = {0};
	const struct vk_finding_sink sink = vk_findings_sink(&findings);
	struct vk_capture done;
	struct vk_of_disk answer;
	struct vk_error ignored;
	unsigned by;
	bool wiped;

	/* of a damaged disk, as it must be: that the capture itself is sound counts */
	if (!undo->is_undo || vk_capture_is_of(undo, &doc->facts, &answer) < VK_OF_LIKELY ||
	    vk_capture_open(doc->options->store, undo->undo_of, &done, &ignored) != VK_OK)
		return false;
	wiped = vk_rebuilt_is_wipe(&done.rebuilt) &&
		vk_capture_judge(vouching, undo->path, NULL, &sink, &by, &ignored) == VK_OK &&
		(vk_findings_flaws(&findings) & (VK_FLAW_BROKEN | VK_FLAW_DOUBT)) == 0;
	vk_capture_close(&done);
	vk_findings_free(&findings);
	return wiped;
}

/*
 * Whether the disk is as that wipe left it: in each sector that it saved zeros stand over the signature, and all else
 * is as it was. If another byte differs, undo would set back what came later, and refuses that.
 */
static bool stands_as_wiped(struct vk_doctor *doc, const struct vk_capture *undo)
{
	enum { MAGIC_BYTES = 4, SECTOR_MAX = 4096 };
	uint8_t was[SECTOR_MAX], now[SECTOR_MAX];
	struct vk_error ignored;
	struct vk_io *io;
	bool stands = vk_capture_io(undo, &io, &ignored) == VK_OK;

	if (!stands)
		return false;
	for (size_t i = 0; stands && i < undo->region_count; i++) {
		uint64_t at = undo->regions[i].offset_bytes, len = undo->regions[i].length_bytes;

		stands = len > MAGIC_BYTES && len <= sizeof(was) &&
			 vk_io_read_all(io, at, was, (size_t)len, &ignored) == VK_OK &&
			 vk_doctor_read(doc, at, now, (size_t)len) == len && vk_all_zero(now, MAGIC_BYTES) &&
			 (vk_get_le32(was) == VK_LVM_MAGIC || vk_fs_magic_known(vk_get_le32(was))) &&
			 memcmp(was + MAGIC_BYTES, now + MAGIC_BYTES, (size_t)len - MAGIC_BYTES) == 0;
	}
	vk_io_close(io);
	return stands;
}

/* A structure of which only the signature is gone. */
static bool lacks_signature(const struct vk_doctor *doc, const struct vk_area *a)
{
	const struct vk_subject *s = a->subject != SIZE_MAX ? &doc->subjects[a->subject] : NULL;

	return s != NULL && a->kind == VK_AREA_STRUCTURE &&
	       ((s->magic_only && a->layout == &vk_lvm_device_layout) ||
		(s->fs_magic_only && a->layout == &vk_fs_descriptor_layout));
}

/* The newest wipe counts, that is the first. */
static void mark_put_away(struct vk_doctor *doc, const struct vk_capture *undo)
{
	for (size_t i = 0; i < doc->area_count; i++)
		for (size_t k = 0; k < undo->region_count && doc->areas[i].undo == NULL; k++)
			if (undo->regions[k].offset_bytes == doc->areas[i].offset_bytes &&
			    lacks_signature(doc, &doc->areas[i]))
				doc->areas[i].undo = strdup(undo->id);
}

void vk_doctor_find_wipes(struct vk_doctor *doc)
{
	static const char suffix[] = "-undo";
	struct vk_vouching *vouching;
	struct vk_error ignored;
	size_t count, lacking = 0, looked_at = 0;
	char **ids;

	for (size_t i = 0; i < doc->area_count; i++)
		lacking += lacks_signature(doc, &doc->areas[i]);
	if (lacking == 0 || doc->options->store == NULL || vk_source_looked_through(&doc->source) ||
	    vk_store_list(doc->options->store, &ids, &count, &ignored) != VK_OK)
		return;
	vouching = vk_vouching_new(doc->options->store, doc->options->public_key);
	vk_disk_facts_read(&doc->source, &doc->facts);
	for (size_t i = count; i-- > 0;) {
		size_t len = strlen(ids[i]);
		struct vk_capture undo;

		if (vouching != NULL && len >= strlen(suffix) && strcmp(ids[i] + len - strlen(suffix), suffix) == 0 &&
		    looked_at++ < LOOKED_AT_MAX &&
		    vk_capture_open(doc->options->store, ids[i], &undo, &ignored) == VK_OK) {
			if (stands_as_wiped(doc, &undo) && is_wipe_of_this(doc, vouching, &undo))
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
