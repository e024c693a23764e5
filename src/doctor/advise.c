/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What to run next: what only reads first, and nothing that writes to the disk at all; plans say themselves how to
 * write.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/command.h"
#include "base/memory.h"
#include "doctor/doctor.h"
#include "find/wish.h"

enum { ADVICE_MAX = 8 };

/* What makes the next command read the same bytes. */
static void put_view(struct vk_command *line, const struct vk_io_view *view)
{
	if (view->at_bytes != 0)
		vk_command_add(line, " --at %llu", (unsigned long long)view->at_bytes);
	if (view->stride_bytes != 0)
		vk_command_add(line, " --stride %u", (unsigned)view->stride_bytes);
	if (view->mapfile == NULL)
		return;
	vk_command_add(line, " --mapfile");
	vk_command_path(line, view->mapfile);
}

/* "vmfskit VERB FIRST PATH --store DIR --sector-size N"; NULL when memory ran out. */
static char *command(const struct vk_doctor *doc, const char *verb, const char *first, bool store)
{
	const struct vk_doctor_options *o = doc->options;
	struct vk_command line;

	vk_command_begin(&line, "vmfskit ");
	vk_command_add(&line, "%s", verb);
	if (first != NULL)
		vk_command_path(&line, first);
	if (strcmp(verb, "verify") != 0) {
		vk_command_path(&line, doc->path);
		for (size_t i = 0; i < o->view.piece_count; i++)
			vk_command_path(&line, o->view.pieces[i]);
		put_view(&line, &o->view);
	}
	if (store && o->store != NULL && strcmp(o->store, VK_STORE_DEFAULT) != 0) {
		vk_command_add(&line, " --store");
		vk_command_path(&line, o->store);
	}
	/* the doctor takes the disk; these ask which is meant */
	if (doc->either && (strcmp(verb, "capture") == 0 || strcmp(verb, "find") == 0 || strcmp(verb, "decode") == 0))
		vk_command_add(&line, " --as disk");
	/* capture asks no capture for its word */
	if (store && o->public_key_file != NULL && strcmp(verb, "capture") != 0) {
		vk_command_add(&line, " --public-key");
		vk_command_path(&line, o->public_key_file);
	}
	for (size_t i = 0; i < doc->subject_count && strcmp(verb, "repair table") == 0; i++)
		if (doc->subjects[i].candidate != NULL)
			vk_find_put_wish(&doc->find, &doc->source, doc->subjects[i].candidate, &line);
	/* what a scan found is not found again without one */
	if (o->scan && strcmp(verb, "repair table") == 0)
		vk_command_add(&line, " --scan");
	if (o->sector_size != 0 && strcmp(verb, "verify") != 0)
		vk_command_add(&line, " --sector-size %u", o->sector_size);
	return vk_command_end(&line);
}

/* To be shown in this order; command_line becomes the diagnosis's. NULL: something to do elsewhere. */
__attribute__((format(printf, 3, 4))) static void advise(struct vk_doctor *doc, char *command_line,
							 const char *fmt, ...)
{
	struct vk_diagnosis *d = doc->d;
	struct vk_advice *a = NULL;
	va_list args;

	if (d->advice_count < ADVICE_MAX)
		a = vk_append(&d->advice, &d->advice_count, NULL, sizeof(*a));
	if (a == NULL) {
		free(command_line);
		return;
	}
	a->command = command_line;
	va_start(args, fmt);
	vsnprintf(a->why, sizeof(a->why), fmt, args);
	va_end(args);
}

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
		{VK_F_INCIDENT_ALIVE, "A host is using the volume: move what runs on it away and unmount the datastore "
				      "on every host before anything is written."},
		{VK_F_INCIDENT_SHRUNK, "Make sure that the whole LUN is visible before anything is written. If this is "
				       "a clone, clone again onto a LUN that is at least as long."},
		{VK_F_INCIDENT_TWO_VOLUMES, "Do not mount it. Find out which of the two volumes belongs here: by "
					    "captures, and by the UUIDs of the other LUNs."},
		{VK_F_INCIDENT_REPLICA, "Find out whether this is the original under a new id or a copy of it; the "
					"number or id is put right at the array. Resignaturing is the last resort."},
		{VK_F_INCIDENT_UNREADABLE, "Copy the LUN with ddrescue to another disk and work on the copy."},
	};

	if (captures_matter(doc))
		advise(doc, NULL, "Whether there is a good capture of this disk is not known: look at the store first "
			       "(as root or as its owner, and mounted), then run vmfskit doctor again.");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (vk_doctor_has(doc, rows[i].code) &&
		    (rows[i].code != VK_F_INCIDENT_ALIVE || anything_is_wrong(doc)))
			advise(doc, NULL, "%s", rows[i].why);
	if (!vk_doctor_has(doc, VK_F_INCIDENT_UNREADABLE) &&
	    (vk_doctor_has(doc, VK_F_INCIDENT_FORMATTED) || vk_doctor_has(doc, VK_F_INCIDENT_METADATA_HIT)))
		advise(doc, NULL, "Keep every other system from the LUN, and copy it to another disk if there is "
				  "room: what was overwritten in its data comes back from no table and no header.");
}

/* Whether something of this volume is harmed that repair header puts right. */
static bool header_is_harmed(const struct vk_diagnosis *d, const struct vk_diagnosed_volume *v)
{
	for (size_t i = 0; i < d->range_count; i++)
		if (d->ranges[i].volume_start_bytes == v->start_bytes && vk_damage_is_harm(d->ranges[i].damage) &&
		    d->ranges[i].symbol[0] != '\0' && strchr("LVXBPFH", d->ranges[i].symbol[0]) != NULL)
			return true;
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
		if (!header_is_harmed(doc->d, v) || wish_of(doc, v->start_bytes) != VK_WISH_NONE)
			continue;
		if (number != 0 && doc->d->volume_count > 1)
			snprintf(verb, sizeof(verb), "repair header --partition %u", number);
		else if (number == 0 && doc->source.kind == VK_SOURCE_DISK)
			snprintf(verb, sizeof(verb), "repair header --start %llu",
				 vk_doctor_sector(doc, v->start_bytes));
		advise(doc, command(doc, verb, NULL, true),
		       "Plans the header from what the volume still says about itself, and shows every field with its "
		       "origin. Nothing is written without --write.");
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
		advise(doc, command(doc, "repair table", NULL, true),
		    chosen ? "Only if the volume is what is wanted, and nothing of that system: plans the table that "
			     "names it, and shows which partitions go. Nothing is written without --write."
			   : "Plans the table that fits what is still there, and shows every entry with its origin. "
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
		advise(doc, command(doc, "decode", NULL, false), "Shows the entry and the header side by side.");
	else if (doc->table_objected || doc->volume_objected || vk_doctor_has(doc, VK_F_INCIDENT_TWO_VOLUMES))
		advise(doc, command(doc, "decode", NULL, false), "Shows what contradicts what, field by field.");
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
	advise(doc, NULL, "Name the whole LUN, or dump more of it: of the rest nothing is known, and nothing is "
			  "repaired on a part of a disk.");
	/* nobody takes less than that for a copy of a LUN */
	if (doc->source.size_bytes < COPY_BYTES)
		return;
	advise(doc, NULL, "If it should be a whole copy, it was cut short (%s): copy again onto at least %llu bytes.",
	       missing, (unsigned long long)whole->bytes);
}

static void advise_commands(struct vk_doctor *doc)
{
	if (vk_doctor_has(doc, VK_F_INCIDENT_PART)) {
		advise_more(doc);
		advise_decode(doc);
		return;
	}
	if (doc->subject_count == 0 && !doc->known.found) {
		if (!doc->options->scan && !vk_doctor_has(doc, VK_F_INCIDENT_UNREADABLE))
			advise(doc, command(doc, "find", NULL, true),
			       "Nothing is at the usual places: this reads the whole disk.");
		return;
	}
	if (!anything_is_wrong(doc)) {
		if (doc->options->store != NULL && !doc->known.found && doc->subject_count > 0)
			advise(doc, command(doc, "capture", NULL, true),
			    "There is no good capture of this disk: take one now%s. The disk is only read.",
			    vk_doctor_has(doc, VK_F_INCIDENT_UNREADABLE) ? "; what can be read is saved" :
			    vk_findings_bad(&doc->d->findings) ? "" : ", while it is sound");
		if (vk_doctor_has(doc, VK_F_INCIDENT_GROWN))
			advise_repair(doc);
		if (vk_doctor_has(doc, VK_F_INCIDENT_SHRUNK) && !doc->cut_into && doc->source.whole.bytes != 0 &&
		    doc->source.kind == VK_SOURCE_DISK && !doc->d->unknown)
			advise(doc, command(doc, "repair table", NULL, true),
			       "Only if the LUN stays as short: no partition ends behind it, so the table is fitted to "
			       "its new end. Nothing is written without --write.");
		/* whether a volume was deleted on purpose only a person knows */
		if (vk_doctor_has(doc, VK_F_INCIDENT_UNNAMED) && !doc->d->unknown)
			advise(doc, command(doc, "repair table", NULL, true),
			       "Only if the volume that no partition names is missed: plans a table that names it, "
			       "too. Nothing is written without --write.");
		advise_decode(doc);
		return;
	}
	if (doc->known.found && only_heartbeats_are_wrong(doc)) {
		advise_repair(doc);
		return;
	}
	if (doc->known.found && only_unused_are_wrong(doc)) {
		advise(doc, command(doc, "diff", doc->known.capture.id, true),
		       "Shows which of these sectors are others than captured. No structure is known to use them; "
		       "vmfskit restore puts them back only when their part is named with --part.");
		return;
	}
	if (doc->known.found && !vk_doctor_has(doc, VK_F_INCIDENT_GROWN)) {
		advise(doc, command(doc, "restore", doc->known.capture.id, true),
		    "Shows what the capture of %.20s would put back, byte for byte. Nothing is written without "
		    "--write.",
		    doc->known.capture.time);
		return;
	}
	if (doc->d->passed_over_id[0] != '\0' && !doc->known.found)
		advise(doc, command(doc, "verify", doc->d->passed_over_id, true),
		    "Tells why the newest capture of this disk is not used. If you know that it is yours and "
		    "unaltered, to restore from it is better than to repair.");
	advise(doc, command(doc, "capture", NULL, true),
	    "Saves what is still there before anything is tried. The disk is only read.");
	advise_repair(doc);
	advise_decode(doc);
}

/* The way to the disk itself, for reading. */
static void advise_attach(struct vk_doctor *doc, const struct vk_reading *reading)
{
	const char *device = reading->device[0] != '\0' ? reading->device : "the device that it prints";

	advise(doc, strdup(reading->attach), "Gives access to the disk in it, for reading only. Then run vmfskit doctor "
					     "on %s.", device);
}

/* Nothing can be written through it, and a capture of it could be put back nowhere. */
static void advise_view(struct vk_doctor *doc)
{
	advise_caution(doc);
	if (anything_is_wrong(doc) && doc->source.readings.items[0].attach[0] != '\0')
		advise_attach(doc, &doc->source.readings.items[0]);
	if (anything_is_wrong(doc))
		advise(doc, NULL, "Nothing is written to it as it is read here. Put together the array or volume that "
				  "it is a part of, or copy what is read here into one file; then run vmfskit doctor "
				  "on that.");
	if (doc->subject_count == 0 && !doc->known.found && !doc->options->scan)
		advise(doc, command(doc, "find", NULL, true), "Nothing is at the usual places: this reads all of it.");
	advise_decode(doc);
}

/* The disk is sound as it is, only counted otherwise than the device. */
static void advise_units(struct vk_doctor *doc, const struct vk_reading *best)
{
	const struct vk_table *t = &doc->source.table;

	if (best->sector_size < vk_io_sector_size(doc->source.given)) {
		advise(doc, strdup(best->attach), "Shows it to this host as ESXi sees it, for reading only. Nothing is "
						  "to be written.");
		return;
	}
	advise(doc, NULL, "Set the block size of the LUN back to %u bytes at the array or enclosure: hosts see the "
			  "table again, and nothing needs to be written.", best->sector_size);
	advise(doc, strdup(best->attach), "Shows it to this host in such sectors meanwhile, for reading only. Then run "
					  "vmfskit doctor on the device that comes out.");
	/* what is damaged is repaired where its sectors are those that it counts in */
	if (t->kind == VK_TABLE_GPT && t->gpt[0].sound && t->gpt[1].sound && doc->d->findings.count == 1)
		advise(doc, command(doc, "repair table --convert-sectors 512", NULL, true),
		       "Only when the block size cannot be set back: plans the same partitions, counted in sectors of "
		       "512 bytes. Nothing is written without --write.");
}

/* What a disk of another system may need: nothing, unless it should be a datastore. */
static void advise_other(struct vk_doctor *doc)
{
	if (vk_doctor_was_datastore(doc))
		advise(doc, NULL, "Do not write to it. If the datastore of capture %s is missed, save what the other "
				  "system holds first; vmfskit restore then shows what comes back.",
		       doc->known.capture.id);
	else if (vk_doctor_has(doc, VK_F_INCIDENT_LEFT_OVER))
		advise(doc, NULL, "Do not write to it. Should it hold a datastore, stop what uses it and copy it "
				  "whole; repair that copy with --override reading. If nobody misses the volume, "
				  "vmfskit wipe puts its signatures away.");
	else
		advise(doc, NULL, "Do not write to it. If it should hold a datastore, make sure that it is the right "
				  "disk.%s", doc->source.vmfs_count == 0 ? "" : " If what is left of VMFS is in "
				  "anybody's way, vmfskit wipe puts its signatures away.");
}

/* Nothing may be written to a source whose bytes are not the disk's own. */
static void advise_reading(struct vk_doctor *doc, const struct vk_reading *best)
{
	if (best->kind == VK_READING_UNITS)
		advise_units(doc, best);
	else if (best->kind == VK_READING_OTHER)
		advise_other(doc);
	else if (best->attach[0] != '\0')
		advise_attach(doc, best);
	else
		advise(doc, NULL, "Do not write to it. %s",
		       best->kind == VK_READING_MEMBER
			       ? "The array is what to work on: put it together with its controller or the system that "
				 "made it, and run vmfskit doctor on the device that comes out."
			       : "Name the disk itself, or copy it again, and run vmfskit doctor on that.");
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
		advise(doc, command(doc, "capture", NULL, true),
		       "Saves what is still there before anything is tried. The disk is only read.");
	advise(doc, NULL, "It carries the signature of %.40s. If that is in use, put it together: the array or pool is "
			  "what to work on. Only who knows that nobody uses it lets vmfskit restore or repair write, "
			  "with --override member.", member->type);
}

void vk_doctor_advise(struct vk_doctor *doc)
{
	const struct vk_foreign *member = member_over_it(doc);

	if (!doc->source.readings.items[0].repairable) {
		advise_reading(doc, &doc->source.readings.items[0]);
		return;
	}
	if (vk_doctor_has(doc, VK_F_INCIDENT_STRIPES)) {
		advise(doc, NULL, "Do not write to it. Look at the order of disks and the stripe size of the array; "
				  "then run vmfskit doctor again.");
		return;
	}
	/* of what could not be read nobody knows that it is to be repaired */
	doc->d->unknown = vk_doctor_has(doc, VK_F_INCIDENT_UNREADABLE) || captures_matter(doc);
	if (vk_doctor_has(doc, VK_F_INCIDENT_MEMBER)) {
		advise(doc, NULL, "Do not write to it. If an array or pool it is a part of can be put together, do "
				  "that and run vmfskit doctor on the device that comes out.");
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
