/* SPDX-License-Identifier: Apache-2.0 */
/* What comes next where the best reading is not of the source's own bytes: nothing is written to it. */
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "doctor/advise.h"

void vk_advise_attach(struct vk_doctor *doc, const struct vk_reading *reading)
{
	const char *device = reading->device[0] != '\0' ? reading->device : "the device that it prints";

	if (reading->kind == VK_READING_MEMBER && reading->length_bytes == 0 && reading->device[0] != '\0') {
		vk_advise(doc, strdup(reading->attach), "Puts it together for reading only, once all its other disks "
							"are attached, too. Then run vmfskit doctor on %s.", device);
		return;
	}
	vk_advise(doc, strdup(reading->attach),
		  "Gives access to the disk in it, for reading only. Then run vmfskit doctor "
					     "on %s.", device);
}

/* The disk is sound as it is, only counted otherwise than the device. */
static void advise_units(struct vk_doctor *doc, const struct vk_reading *best)
{
	const struct vk_table *t = &doc->source.table;

	if (best->sector_size < vk_io_sector_size(doc->source.given)) {
		vk_advise(doc, strdup(best->attach),
			  "Shows it to this host as ESXi sees it, for reading only. Nothing needs to be written.");
		return;
	}
	vk_advise(doc, NULL, "Set the block size of the LUN back to %u bytes at the array or enclosure: hosts see the "
			  "table again, and nothing needs to be written.", best->sector_size);
	vk_advise(doc, strdup(best->attach),
		  "Shows it to this host in such sectors meanwhile, for reading only. Then run "
					  "vmfskit doctor on the device that comes out.");
	/* what is damaged is repaired where its sectors are those that it counts in */
	if (t->kind == VK_TABLE_GPT && t->gpt[0].sound && t->gpt[1].sound && doc->d->findings.count == 1)
		vk_advise(doc, vk_advice_command(doc, "repair table --convert-sectors 512", NULL, true),
		       "Only if the block size cannot be set back: plans the same partitions in sectors of 512 "
		       "bytes. Nothing is written without --write.");
}

/*
 * A signature that is left of a volume. What lies in a file of the other system is that file's, and of a volume with
 * header and descriptor somebody may want it back.
 */
static bool is_in_the_way(const struct vk_candidate *c)
{
	return c->has_header != c->has_fs && !c->start_before_disk &&
	       (c->standing == VK_GHOST_FOREIGN || c->standing == VK_GHOST_EARLIER ||
		c->standing == VK_STANDING_DAMAGED);
}

static void advise_wipe(struct vk_doctor *doc, unsigned long long start)
{
	char verb[80];

	if (doc->source.kind != VK_SOURCE_DISK)
		return;
	snprintf(verb, sizeof(verb), "wipe --signature all --start %llu", start);
	vk_advise(doc, vk_advice_command(doc, verb, NULL, true),
		  "Only if nobody misses that volume and installers or systems take the disk for VMFS: shows the bytes "
		  "that become zeros, and asks what else lies there. Nothing is written without --write.");
}

/* What a disk of another system may need: nothing, unless it should be a datastore. */
static void advise_other(struct vk_doctor *doc)
{
	if (vk_doctor_was_datastore(doc))
		vk_advise(doc, NULL,
			  "Do not write to it. If the datastore of capture %s is missed, save what the other "
			  "system holds first; vmfskit restore then shows what comes back.",
			  doc->known.capture.id);
	else if (vk_doctor_has(doc, VK_F_INCIDENT_LEFT_OVER))
		vk_advise(doc, NULL, "Do not write to it. If nobody misses the volume, vmfskit wipe removes its "
				     "signatures. If a datastore is missed, stop what uses the disk, copy all of it, "
				     "and run vmfskit repair on the copy: guard reading says what that risks.");
	else
		vk_advise(doc, NULL, "Do not write to it. If it should hold a datastore, check that it is the right "
				     "disk.");
	for (size_t i = 0; i < doc->find.count && !vk_doctor_was_datastore(doc); i++)
		if (is_in_the_way(&doc->find.candidates[i]))
			advise_wipe(doc, vk_doctor_sector(doc, doc->find.candidates[i].start_bytes));
}

/*
 * mdadm reads the formats of DDF and of Intel: --examine shows the array, --assemble makes a container of its disks,
 * and --incremental starts what is in a container; mdadm(8). That has no certain --readonly: the disks are set to it.
 */
static void advise_controller(struct vk_doctor *doc, const char *attach)
{
	vk_advise(doc, strdup(attach), "Shows the array and its other disks; nothing is written.");
	vk_advise(doc, NULL, "Write to none of its disks. Its controller puts it together, or Linux: blockdev --setro "
			     "each disk, mdadm --assemble --readonly /dev/md/raid DISK..., mdadm --incremental "
			     "/dev/md/raid. Then run vmfskit doctor on what comes out.");
}

void vk_advise_reading(struct vk_doctor *doc, const struct vk_reading *best)
{
	if (best->kind == VK_READING_UNITS)
		advise_units(doc, best);
	else if (best->kind == VK_READING_OTHER)
		advise_other(doc);
	else if (best->kind == VK_READING_MEMBER && best->attach[0] != '\0' && best->device[0] == '\0')
		advise_controller(doc, best->attach);
	else if (best->attach[0] != '\0')
		vk_advise_attach(doc, best);
	else
		vk_advise(doc, NULL, "Do not write to it. %s",
		       best->kind == VK_READING_MEMBER
			       ? "Work on the array: assemble it with its controller or the system that made it, and "
				 "run vmfskit doctor on the device that comes out."
			       : "Name the disk itself, or copy it again, and run vmfskit doctor on that.");
}
