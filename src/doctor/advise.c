/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What to run next: what only reads first, and nothing that writes to the disk at all; plans say themselves how to
 * write.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/command.h"
#include "base/memory.h"
#include "doctor/advise.h"
#include "find/wish.h"

static bool table_is_wrong(const struct vk_doctor *doc)
{
	return vk_doctor_has(doc, VK_F_INCIDENT_TABLE_LOST) || vk_doctor_has(doc, VK_F_INCIDENT_TABLE_DAMAGED) ||
	       vk_doctor_has(doc, VK_F_INCIDENT_INITIALISED);
}

static bool header_is_wrong(const struct vk_doctor *doc)
{
	return vk_doctor_has(doc, VK_F_INCIDENT_HEADER_LOST) || vk_doctor_has(doc, VK_F_INCIDENT_DESCRIPTOR_LOST) ||
	       vk_doctor_has(doc, VK_F_INCIDENT_MAGIC_WIPED) || vk_doctor_has(doc, VK_F_INCIDENT_HEARTBEATS);
}

static bool anything_is_wrong(const struct vk_doctor *doc)
{
	return table_is_wrong(doc) || header_is_wrong(doc) || vk_doctor_has(doc, VK_F_INCIDENT_LENGTH) ||
	       doc->d->damaged;
}

/* A store that is not there yet matters only where something is wrong. */
static bool captures_matter(const struct vk_doctor *doc)
{
	return doc->d->captures_unknown[0] != '\0' && !doc->known.found && !vk_doctor_has(doc, VK_F_INCIDENT_PART) &&
	       (!doc->store_absent || anything_is_wrong(doc));
}

/* What to do elsewhere, before any command. */
static void advise_caution(struct vk_doctor *doc)
{
	static const struct {
		enum vk_finding_code code;
		const char *why;
	} rows[] = {
		{VK_F_INCIDENT_ALIVE, "A host is using the volume: move its virtual machines away and unmount the "
				      "datastore on every host before anything is written."},
		{VK_F_INCIDENT_SHRUNK, "Check that the whole LUN is visible before anything is written. If this is a "
				       "clone, clone again onto a LUN of at least the same length."},
		{VK_F_INCIDENT_TWO_VOLUMES, "Do not mount it. Find out which of the two volumes belongs here: by "
					    "captures, and by the UUIDs of the other LUNs."},
		{VK_F_LUNID_DESIGNATOR_CHANGED, "Find out whether this is the original under a new id or a copy of it; "
						"correct the number or id at the array. Resignature only as a last "
						"resort. vmfskit lunid has the remedies."},
		{VK_F_LUNID_KIND_CHANGED, "Find out which firmware or driver was changed; vmfskit lunid has the "
					  "remedies."},
		{VK_F_LUNID_MODEL_CHANGED, "Find out which firmware of the array was changed; vmfskit lunid has the "
					   "remedies."},
		{VK_F_INCIDENT_UNREADABLE, "Copy the LUN with ddrescue to another disk and work on the copy."},
	};

	if (captures_matter(doc))
		vk_advise(doc, NULL,
			  "Whether there is a usable capture of this disk is not known: check the store first (as "
			       "root or as its owner, and mounted), then run vmfskit doctor again.");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (vk_doctor_has(doc, rows[i].code) &&
		    (rows[i].code != VK_F_INCIDENT_ALIVE || anything_is_wrong(doc)))
			vk_advise(doc, NULL, "%s", rows[i].why);
	if (!vk_doctor_has(doc, VK_F_INCIDENT_UNREADABLE) &&
	    (vk_doctor_has(doc, VK_F_INCIDENT_FORMATTED) || vk_doctor_has(doc, VK_F_INCIDENT_METADATA_HIT)))
		vk_advise(doc, NULL, "Keep every other system from the LUN, and copy it to another disk if there is "
				  "room: a table or header does not bring back overwritten data.");
}

/* What is wrong there, but for a signature that was put away on purpose: that is taken back, not repaired. */
static bool is_to_repair(const struct vk_doctor *doc, const struct vk_stretch *s)
{
	return vk_damage_is_harm(s->damage) && (s->area == SIZE_MAX || doc->areas[s->area].undo == NULL);
}

/* Whether something of this volume is harmed that repair header puts right. */
static bool header_is_harmed(const struct vk_doctor *doc, size_t subject)
{
	for (size_t i = 0; i < doc->stretch_count; i++) {
		const struct vk_stretch *s = &doc->stretches[i];
		const struct vk_area *a = s->area != SIZE_MAX ? &doc->areas[s->area] : NULL;

		if (a != NULL && a->subject == subject && is_to_repair(doc, s) && a->symbol[0] != '\0' &&
		    strchr("LVXBPFH", a->symbol[0]) != NULL)
			return true;
	}
	return false;
}

/* What must be said so that a repair of the table names the volume that begins there. */
static enum vk_wish wish_of(const struct vk_doctor *doc, uint64_t start_bytes)
{
	for (size_t i = 0; i < doc->subject_count; i++)
		if (doc->subjects[i].start_bytes == start_bytes && doc->subjects[i].candidate != NULL)
			return vk_find_wish(&doc->find, &doc->source, doc->subjects[i].candidate);
	return VK_WISH_NONE;
}

/* repair header must be told which volume, unless there is but one. */
static void advise_headers(struct vk_doctor *doc)
{
	for (size_t i = 0; i < doc->d->volume_count; i++) {
		const struct vk_diagnosed_volume *v = &doc->d->volumes[i];
		unsigned number = v->named ? v->partition : 0;
		char verb[80] = "repair header";

		/* headers are written into no partition of another system: the table comes first */
		if (!header_is_harmed(doc, i) || wish_of(doc, v->start_bytes) != VK_WISH_NONE)
			continue;
		if (number != 0 && doc->d->volume_count > 1)
			snprintf(verb, sizeof(verb), "repair header --partition %u", number);
		else if (number == 0 && doc->source.kind == VK_SOURCE_DISK)
			snprintf(verb, sizeof(verb), "repair header --start %llu",
				 vk_doctor_sector(doc, v->start_bytes));
		vk_advise(doc, vk_advice_command(doc, verb, NULL, true),
		       "Plans the header from what is left of the volume, and shows every field with its origin. "
		       "Nothing is written without --write.");
	}
}

static void advise_repair(struct vk_doctor *doc)
{
	bool chosen = false, copy = false;

	if (doc->d->unknown)
		return;
	for (size_t i = 0; i < doc->subject_count; i++) {
		enum vk_wish wish = wish_of(doc, doc->subjects[i].start_bytes);

		chosen = chosen || wish == VK_WISH_ASKED;
		copy = copy || wish == VK_WISH_COPY;
	}
	if (doc->source.kind == VK_SOURCE_DISK && (chosen || !copy) &&
	    (table_is_wrong(doc) || vk_doctor_has(doc, VK_F_INCIDENT_GROWN)))
		vk_advise(doc, vk_advice_command(doc, "repair table", NULL, true),
		    chosen ? "Only if you need the volume and nothing of that system: plans the table that lists the "
			     "volume, and shows which partitions are lost. Nothing is written without --write."
			   : "Plans the table from what is left on the disk, and shows every entry with its origin. "
			     "Nothing is written without --write.");
	if (header_is_wrong(doc))
		advise_headers(doc);
}

/* Restore leaves heartbeats alone unless --part names them; repair header makes free slots of them. */
static bool only_heartbeats_are_wrong(const struct vk_doctor *doc)
{
	for (size_t i = 0; i < doc->d->range_count; i++)
		if (vk_damage_is_harm(doc->d->ranges[i].damage) && doc->d->ranges[i].symbol[0] != 'H')
			return false;
	return vk_doctor_has(doc, VK_F_INCIDENT_HEARTBEATS) != NULL;
}

/* Restore leaves sectors alone that no structure uses, unless another system's signature says whose they are. */
static bool only_unused_are_wrong(const struct vk_doctor *doc)
{
	bool any = false;

	for (size_t i = 0; i < doc->stretch_count; i++) {
		const struct vk_stretch *s = &doc->stretches[i];
		const struct vk_area *a = s->area != SIZE_MAX ? &doc->areas[s->area] : NULL;

		if (!vk_damage_is_harm(s->damage))
			continue;
		if (a == NULL || s->damage == VK_DAMAGE_FOREIGN || a->kind != VK_AREA_EMPTY ||
		    (a->part != VK_PART_LVM && a->part != VK_PART_VH))
			return false;
		any = true;
	}
	return any;
}

static void advise_decode(struct vk_doctor *doc)
{
	if (vk_doctor_has(doc, VK_F_INCIDENT_LENGTH))
		vk_advise(doc, vk_advice_command(doc, "decode", NULL, false),
			  "Shows the entry and the header side by side.");
	else if (doc->table_objected || doc->volume_objected || vk_doctor_has(doc, VK_F_INCIDENT_TWO_VOLUMES))
		vk_advise(doc, vk_advice_command(doc, "decode", NULL, false),
			  "Shows the contradicting fields.");
}

/* Neither a capture nor a repair of the beginning of a disk is one of the disk. */
static void advise_more(struct vk_doctor *doc)
{
	enum { COPY_BYTES = 64 << 20 };
	const struct vk_whole *whole = &doc->source.whole;
	char missing[100];
	struct vk_text text;

	vk_text_init(&text, missing, sizeof(missing));
	(void)vk_source_put_missing(&doc->source, &text);
	vk_advise(doc, NULL, "Name the whole LUN, or dump more of it: the rest is unknown, and a part of a disk "
			  "cannot be repaired.");
	/* nobody takes less than that for a copy of a LUN, nor a bundle, which is whole as it is */
	if (doc->source.size_bytes < COPY_BYTES || doc->source.form == VK_FORM_BUNDLE)
		return;
	vk_advise(doc, NULL,
		  "If it should be a whole copy, it was cut short (%s): copy again onto at least %llu bytes.",
	       missing, (unsigned long long)whole->bytes);
}

/* What vmfskit wipe put away is taken back. Returns whether nothing else is wrong. */
static bool advise_undo(struct vk_doctor *doc)
{
	const char *last = "";
	bool only = true;

	for (size_t i = 0; i < doc->area_count; i++) {
		if (doc->areas[i].undo == NULL || strcmp(doc->areas[i].undo, last) == 0)
			continue;
		last = doc->areas[i].undo;
		vk_advise(doc, vk_advice_command(doc, "undo", last, true),
			  "Only if the volume is missed: vmfskit wipe put its signatures away on purpose, and this "
			  "shows what would come back. Nothing is written without --write.");
	}
	for (size_t i = 0; i < doc->stretch_count; i++)
		only = only && !is_to_repair(doc, &doc->stretches[i]);
	return last[0] != '\0' && only && !table_is_wrong(doc);
}

static void advise_saving(struct vk_doctor *doc)
{
	if (!doc->state_saved)
		vk_advise(doc, vk_advice_command(doc, "capture", NULL, true),
			  "Saves what is still there before anything is tried. The disk is only read.");
}

/* Of a copy that lost its start only a person knows which LUN it is of. */
static void advise_name(struct vk_doctor *doc)
{
	char verb[300];

	if (doc->known.found || doc->d->passed_over_id[0] != '\0' || doc->may_be[0] == '\0' ||
	    (doc->subject_count > 0 && !anything_is_wrong(doc)))
		return;
	snprintf(verb, sizeof(verb), "doctor --live-id %s",
		 doc->may_be_several ? "NAME" : vk_shell_path(doc->may_be).text);
	vk_advise(doc, vk_advice_command(doc, verb, NULL, true),
		  "Only if you know that this is that LUN or a copy of it: its captures are used then.%s",
		  doc->may_be_several ? " vmfskit status shows the names of the LUNs." : "");
}

static void advise_commands(struct vk_doctor *doc)
{
	advise_name(doc);
	if (vk_doctor_has(doc, VK_F_INCIDENT_PART)) {
		advise_more(doc);
		advise_decode(doc);
		return;
	}
	if (advise_undo(doc)) {
		advise_repair(doc); /* of a disk that was grown */
		advise_decode(doc);
		return;
	}
	if (doc->subject_count == 0 && !doc->known.found) {
		if (!doc->options->scan && !doc->unread)
			vk_advise(doc, vk_advice_command(doc, "find", NULL, true),
			       "Nothing is at the usual places: this reads the whole disk.");
		return;
	}
	if (!anything_is_wrong(doc)) {
		if (doc->options->store != NULL && !doc->known.found && doc->subject_count > 0 && !doc->state_saved)
			vk_advise(doc, vk_advice_command(doc, "capture", NULL, true),
			    "There is no usable capture of this disk: take one now%s. The disk is only read.",
			    vk_doctor_has(doc, VK_F_INCIDENT_UNREADABLE) ? "; what can be read is saved" :
			    vk_findings_bad(&doc->d->findings) ? "" : ", while it is sound");
		if (vk_doctor_has(doc, VK_F_INCIDENT_GROWN))
			advise_repair(doc);
		if (vk_doctor_has(doc, VK_F_INCIDENT_SHRUNK) && !doc->cut_into && doc->source.whole.bytes != 0 &&
		    doc->source.kind == VK_SOURCE_DISK && !doc->d->unknown)
			vk_advise(doc, vk_advice_command(doc, "repair table", NULL, true),
			       "Only if the LUN keeps this length: plans the table for the new end; no partition "
			       "ends behind it. Nothing is written without --write.");
		/* whether a volume was deleted on purpose only a person knows */
		if (vk_doctor_has(doc, VK_F_INCIDENT_UNNAMED) && !doc->d->unknown)
			vk_advise(doc, vk_advice_command(doc, "repair table", NULL, true),
			       "Only if the volume outside of all partitions is missed: plans a table that lists it, "
			       "too. Nothing is written without --write.");
		advise_decode(doc);
		return;
	}
	if (doc->known.found && only_heartbeats_are_wrong(doc)) {
		advise_repair(doc);
		return;
	}
	if (doc->known.found && only_unused_are_wrong(doc)) {
		vk_advise(doc, vk_advice_command(doc, "diff", doc->known.capture.id, true),
		       "Shows which of these sectors differ from the capture. No known structure uses them; vmfskit "
		       "restore restores them only with --part.");
		return;
	}
	if (doc->known.found && !vk_doctor_has(doc, VK_F_INCIDENT_GROWN)) {
		vk_advise(doc, vk_advice_command(doc, "restore", doc->known.capture.id, true),
		    "Shows what the capture of %.20s would restore, byte for byte. Nothing is written without "
		    "--write.",
		    doc->known.capture.time);
		return;
	}
	if (doc->passed_over_doubt && !doc->known.found)
		vk_advise(doc, vk_advice_command(doc, "verify", doc->d->passed_over_id, true),
		    "Says why the newest capture of this disk is not used. If it is yours and unaltered, a restore "
		    "from it is better than a repair.");
	advise_saving(doc);
	advise_repair(doc);
	advise_decode(doc);
}

/* Nothing can be written through it, and a capture of it could be put back nowhere. */
static void advise_view(struct vk_doctor *doc)
{
	advise_caution(doc);
	if (anything_is_wrong(doc) && doc->source.readings.items[0].attach[0] != '\0')
		vk_advise_attach(doc, &doc->source.readings.items[0]);
	if (anything_is_wrong(doc))
		vk_advise(doc, NULL,
			  "A source that is read in this way cannot be written. Assemble the array or volume that it "
				  "is a part of, or copy the bytes that are read here into one file; then run "
				  "vmfskit doctor on that.");
	if (doc->subject_count == 0 && !doc->known.found && !doc->options->scan)
		vk_advise(doc, vk_advice_command(doc, "find", NULL, true),
			  "Nothing is at the usual places: this reads all of it.");
	advise_decode(doc);
}

/* What says over the whole disk that it is a part of something: a repair would be refused, and rightly. */
static const struct vk_foreign *member_over_it(const struct vk_doctor *doc)
{
	for (size_t i = 0; i < doc->find.foreign.count && i < VK_INTRUDERS_MAX; i++)
		if (doc->confirmed[i] && vk_foreign_is_member(&doc->find.foreign.items[i]) &&
		    doc->find.foreign.items[i].start_bytes == 0)
			return &doc->find.foreign.items[i];
	return NULL;
}

static void advise_member(struct vk_doctor *doc, const struct vk_foreign *member)
{
	if (!doc->known.found)
		advise_saving(doc);
	vk_advise(doc, NULL,
		  "It carries the signature of %.40s. Assemble the array or pool and work on that. If that is no "
		  "longer used, the signature is left over: vmfskit restore and repair say where it lies and what "
		  "writing over it risks.", member->type);
}

void vk_doctor_advise(struct vk_doctor *doc)
{
	const struct vk_foreign *member = member_over_it(doc);

	doc->d->again = vk_advice_command(doc, "doctor --json", NULL, true);
	if (vk_doctor_first_piece(doc) != NULL) {
		const char *own = doc->path;

		doc->path = vk_doctor_first_piece(doc);
		vk_advise(doc, vk_advice_command(doc, "doctor", NULL, true),
			  "Reads all pieces that lie beside each other, as one disk.");
		doc->path = own;
		return;
	}
	if (!doc->source.readings.items[0].repairable) {
		vk_advise_reading(doc, &doc->source.readings.items[0]);
		return;
	}
	if (vk_doctor_has(doc, VK_F_INCIDENT_STRIPES)) {
		vk_advise(doc, NULL, "Do not write to it. Check the order of disks and the stripe size of the array; "
				  "then run vmfskit doctor again.");
		return;
	}
	/* of what could not be read nobody knows that it is to be repaired */
	doc->d->unknown = doc->unread || captures_matter(doc);
	if (vk_doctor_has(doc, VK_F_INCIDENT_MEMBER)) {
		vk_advise(doc, NULL, "Do not write to it. If its array or pool can be assembled, do that and run "
				  "vmfskit doctor on the device that comes out.");
		return;
	}
	if (vk_io_is_view(doc->source.raw)) {
		advise_view(doc);
		return;
	}
	advise_caution(doc);
	if (member != NULL)
		advise_member(doc, member);
	else
		advise_commands(doc);
}
