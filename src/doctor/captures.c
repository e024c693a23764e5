/* SPDX-License-Identifier: Apache-2.0 */
/* The newest good capture of a disk. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "doctor/doctor.h"
#include "vmfskit/live_lun.h"
#include "vmfskit/vouch.h"

enum { LOOKED_AT_MAX = 400 }; /* of one disk's, the newest; a year of nights */

/* Captures that this disk is not judged by, because they are not of it, or nothing shows that they are. */
struct others {
	size_t of_others, of_another_kind, unmatched, undo;
};

/* The name of the LUN that it is of; empty: none is known. */
static const char *lun_name(const struct vk_capture *c)
{
	return c->wwid[0] != '\0' || c->identity_count == 0 ? c->wwid : c->identities[0].disk_id;
}

/* The newest of a disk of this length that may be this one: of a copy that lost its start nothing shows more. */
static void note_candidate(struct vk_doctor *doc, const struct vk_capture *c)
{
	const char *name = lun_name(c);

	if (name[0] == '\0' || doc->facts.wwid[0] != '\0')
		return;
	if (doc->may_be[0] == '\0')
		snprintf(doc->may_be, sizeof(doc->may_be), "%s", name);
	else if (strcasecmp(doc->may_be, name) != 0)
		doc->may_be_several = true;
}

/* Of another LUN that has this volume, too, only that is kept: this disk is a copy, and may differ from it rightly. */
static bool is_of_this_disk(struct vk_doctor *doc, const struct vk_capture *c, struct others *others)
{
	struct vk_of_disk answer = {.is_of = VK_OF_UNKNOWN};

	if (c->is_undo || c->is_rebuilt) {
		others->undo++;
		return false;
	}
	if (c->source_kind != doc->source.kind) {
		others->of_another_kind++;
		return false;
	}
	/* what was captured in sectors of another size has its tables at other places */
	if (c->identity_count > 0 && c->sector_size == doc->source.sector_size) {
		if (vk_capture_tells_of(c, &doc->facts, &answer))
			return true;
		if (vk_capture_may_be_of(c, &doc->facts, &answer))
			note_candidate(doc, c);
	}
	others->of_others += answer.is_of == VK_OF_NO;
	others->unmatched += answer.is_of == VK_OF_UNKNOWN;
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

/* Whether every byte that it holds is on the disk now; heartbeats change by themselves. */
static bool holds_this_state(struct vk_doctor *doc, const struct vk_capture *c)
{
	enum { CHUNK_BYTES = 64 << 10 };
	uint8_t *was = malloc(2 * (size_t)CHUNK_BYTES), *now = was + CHUNK_BYTES;
	struct vk_error ignored;
	struct vk_io *io = NULL;
	bool same = was != NULL && vk_capture_io(c, &io, &ignored) == VK_OK;

	for (size_t i = 0; same && i < c->region_count; i++) {
		const struct vk_region *r = &c->regions[i];

		for (uint64_t pos = 0; same && pos < r->length_bytes && r->part != VK_PART_HEARTBEATS;
		     pos += CHUNK_BYTES) {
			size_t len = (size_t)vk_min_u64(r->length_bytes - pos, CHUNK_BYTES);

			same = vk_io_read_all(io, r->offset_bytes + pos, was, len, &ignored) == VK_OK &&
			       vk_doctor_read(doc, r->offset_bytes + pos, now, len) == len &&
			       memcmp(was, now, len) == 0;
		}
	}
	vk_io_close(io);
	free(was);
	return same;
}

/* The first finding with one of these flaws; "" when there is none. */
static const char *message_of(const struct vk_findings *findings, unsigned flaws)
{
	for (size_t i = 0; i < findings->count; i++)
		if ((vk_finding_flaw(findings->items[i].code) & flaws) != 0)
			return findings->items[i].message;
	return "";
}

/*
 * Why a capture of this disk is not used, of the newest one. One that is whole and of a sound disk, only not vouched
 * for, goes before it: it may be better than any repair. other: what stands against it beside its flaws; may be NULL.
 * judged: the findings are all that there is to say of it. What was imported may hold less than a capture would.
 */
static void pass_over(struct vk_doctor *doc, const struct vk_capture *c, const struct vk_findings *findings,
		      bool judged, const char *other)
{
	struct vk_diagnosis *d = doc->d;
	const unsigned flaws = vk_findings_flaws(findings), unsound = VK_FLAW_BROKEN | VK_FLAW_DOUBT | VK_FLAW_EXTRA;
	const bool doubt = flaws != 0 && (flaws & ~(unsigned)VK_FLAW_DOUBT) == 0;
	const char *intro = "", *why = other != NULL ? other : "";

	if (d->passed_over_id[0] != '\0' && (!doubt || doc->passed_over_doubt))
		return;
	doc->passed_over_doubt = doubt;
	if ((flaws & unsound) != 0) {
		intro = (flaws & VK_FLAW_BROKEN) != 0 ? "it is damaged: " : "";
		why = message_of(findings, (flaws & VK_FLAW_BROKEN) != 0 ? VK_FLAW_BROKEN : unsound);
	} else if (judged && c->imported_count == 0 && c->region_count > 0 && holds_this_state(doc, c)) {
		doc->state_saved = true;
		why = "it holds the disk as it is now, already damaged";
	} else if (flaws != 0) {
		intro = "the disk was already damaged, or not read whole: ";
		why = message_of(findings, flaws);
	}
	memcpy(d->passed_over_id, c->id, sizeof(d->passed_over_id));
	snprintf(d->passed_over, sizeof(d->passed_over), "%s%.240s", intro, why);
}

/* What a sound capture of this disk lacks for judging the disk by it; NULL: nothing. */
static const char *lacks(struct vk_doctor *doc)
{
	const struct vk_known_capture *known = &doc->known;

	if (vk_findings_errors(&known->source.findings))
		return "the disk was already damaged when it was taken";
	if (!names_its_volumes(&known->source))
		return "its table, as another system wrote it, does not list the volumes";
	return vk_findings_absent(&known->source.findings) != 0 ? "it holds only some of the structures" : NULL;
}

/*
 * Keep it open when it is a good one of this disk: sound in every byte, vouched for, and of a time when the disk was
 * sound. A disk is accused on its word.
 */
static void try_one(struct vk_doctor *doc, struct vk_vouching *vouching, const char *id, struct others *others,
		    size_t *looked_at)
{
	struct vk_known_capture *known = &doc->known;
	struct vk_diagnosis *d = doc->d;
	struct vk_findings findings = {0};
	const struct vk_finding_sink sink = vk_findings_sink(&findings);
	const char *against = NULL;
	struct vk_error err;
	enum vk_status status;
	bool opened, own, judged = false;
	unsigned by;
	char *folder;

	if (asprintf(&folder, "%s/%s", doc->options->store, id) < 0) {
		vk_doctor_fail(doc, VK_NOMEM, "no memory for a path");
		return;
	}
	status = vk_capture_open("", folder, &known->capture, &err);
	opened = status == VK_OK;
	own = opened && is_of_this_disk(doc, &known->capture, others);
	*looked_at += own;
	if (own && vk_capture_is_of_old_use(&known->capture, &doc->facts))
		against = "another volume has been made on the disk since";
	else if (own)
		judged = (status = vk_capture_judge(vouching, folder, NULL, &sink, &by, &err)) == VK_OK;
	/* one that is damaged is not usable; one that cannot be read may be: the first is reported */
	if (status == VK_IO && d->captures_unknown[0] == '\0')
		snprintf(d->captures_unknown, sizeof(d->captures_unknown), "capture %s cannot be read", id);
	if (own && status == VK_OK && against == NULL && vk_findings_flaws(&findings) == 0) {
		status = vk_capture_source(&known->capture, &known->source, &err);
		against = status == VK_OK ? lacks(doc) : err.what;
		known->found = against == NULL && vk_capture_io(&known->capture, &known->io, &err) == VK_OK;
		if (!known->found && status == VK_OK)
			vk_source_close(&known->source);
	}
	if (own && status != VK_IO && !known->found)
		pass_over(doc, &known->capture, &findings, judged, against);
	if (opened && !known->found)
		vk_capture_close(&known->capture);
	vk_findings_free(&findings);
	free(folder);
}

/* Why the store has none of this disk. */
static void say_others(struct vk_doctor *doc, const struct others *o, size_t count)
{
	const bool disk = doc->source.kind == VK_SOURCE_DISK;
	const struct {
		size_t count;
		const char *one, *many;
	} rows[] = {
		{o->of_others, "is of another disk", "are of other disks"},
		{o->of_another_kind, disk ? "is of a partition" : "is of a whole disk",
		 disk ? "are of partitions" : "are of whole disks"},
		{o->unmatched, "cannot be matched to this disk", "cannot be matched to this disk"},
		{o->undo, "is what a restore or repair saved", "are what restores and repairs saved"},
		{count - o->of_others - o->of_another_kind - o->unmatched - o->undo, "cannot be opened",
		 "cannot be opened"},
	};
	struct vk_text text;

	vk_text_init(&text, doc->d->passed_over, sizeof(doc->d->passed_over));
	if (count == 0)
		vk_text_put(&text, "the store is empty");
	else
		vk_text_fmt(&text, "the store holds %zu capture%s", count, count == 1 ? "" : "s");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *what = rows[i].count == 1 ? rows[i].one : rows[i].many;

		if (rows[i].count > 0 && rows[i].count == count)
			vk_text_fmt(&text, "%s %s", count == 1 ? ": it" : ": all", what);
		else if (rows[i].count > 0)
			vk_text_fmt(&text, ", %zu %s", rows[i].count, what);
	}
}

/* A capture has the name that the kernel gave; of a vml. name that is the one that ESX makes of it. */
static void take_live_id(struct vk_doctor *doc)
{
	const char *name = doc->options->live_id;
	struct vk_live_lun live;
	struct vk_error ignored;
	bool known = name != NULL && vk_live_lun_of_name(name, &live, &ignored) == VK_OK;

	if (name != NULL)
		snprintf(doc->facts.wwid, sizeof(doc->facts.wwid), "%.190s",
			 known && strncmp(name, "vml.", 4) == 0 ? live.name : name);
}

void vk_doctor_find_capture(struct vk_doctor *doc)
{
	struct vk_vouching *vouching;
	struct vk_error err;
	enum vk_status status;
	char **ids;
	struct others others = {0};
	size_t count, looked_at = 0;

	/* captures count from the beginning of the device */
	if (doc->options->store == NULL || vk_source_looked_through(&doc->source) ||
	    vk_doctor_first_piece(doc) != NULL)
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
	if (doc->facts.wwid[0] == '\0')
		take_live_id(doc);
	for (size_t i = count; i-- > 0 && doc->status == VK_OK && !doc->known.found && looked_at < LOOKED_AT_MAX;)
		try_one(doc, vouching, ids[i], &others, &looked_at);
	if (!doc->known.found && looked_at == 0 && doc->d->captures_unknown[0] == '\0')
		say_others(doc, &others, count);
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
