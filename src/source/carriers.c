/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Carriers and members: what of another system the source is a part of, and whether a LUN lies whole in it. Layers may
 * lie in each other: a partition that is a member of a RAID that holds a volume of LVM2 that is the LUN.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/command.h"
#include "base/memory.h"
#include "source/carrier.h"
#include "source/survey.h"

/* A crafted source must not keep us busy: so many layers in each other, and so many looks at places in all. */
enum { DEPTH_MAX = 4, LOOKS_MAX = 192, FOREIGN_LOOKS_MAX = 24, PARTITIONS_MAX = 32 };

/* In front of the first byte of a VMFS volume nothing of it lies that others could hit. */
enum { HEAD_BYTES = 1 << 20 };

/* Bytes of the source that a layer gives. */
struct place {
	const struct place *outer; /* NULL: the layer lies on the source itself */
	const struct vk_layer *layer;
	uint64_t at, length;
	unsigned depth;
};

struct dive {
	struct vk_survey *survey;
	unsigned looks, foreign_looks;
	bool contradicted; /* the signature lies inside a disk that stands on its own */
	bool in_partition; /* of a disk, which is another system's */
	size_t found;      /* carriers so far */
	struct vk_reading member; /* of the longest partition that is one of a RAID; weight 0: none */
	uint64_t member_bytes;
};

/* How far the source's own table reaches, when it is sound; 0: there is none. */
static uint64_t end_of_own(const struct vk_survey *survey)
{
	const struct vk_table *t = survey->table;
	uint64_t end = survey->own.disk_bytes;

	for (size_t i = 0; i < t->partition_count; i++)
		end = vk_max_u64(end, vk_mul_sat(vk_add_sat(t->partitions[i].start_sector, t->partitions[i].sectors),
						 t->sector_size));
	return survey->own.table_sound ? end : 0;
}

/*
 * A disk with a sound table and VMFS where it points was made after a signature that lies inside it. Not so where the
 * table ends in front of the signature, or behind the source: that is a table of the array.
 */
static bool is_contradicted(const struct vk_survey *survey, uint64_t magic_bytes)
{
	const struct vk_lun_signs *own = &survey->own;
	uint64_t end = end_of_own(survey);

	if (own->fits[own->best].fit != VK_FIT_STRUCTURE)
		return false;
	return own->best == 0 ? magic_bytes < end && end <= vk_io_size_bytes(survey->io) : magic_bytes < HEAD_BYTES;
}

static void put_names(const struct place *p, struct vk_text *text)
{
	if (p->outer != NULL) {
		put_names(p->outer, text);
		vk_text_put(text, ", in it ");
	}
	vk_text_put(text, p->layer->name);
}

static void put_evidence(const struct place *p, struct vk_text *text)
{
	if (p->outer != NULL)
		put_evidence(p->outer, text);
	vk_text_fmt(text, "%s; ", p->layer->evidence);
}

/* What the next layer is opened on. */
struct opened {
	char device[300]; /* as a shell takes it */
	bool is_device;
	bool begun;       /* a command was written */
	uint64_t at, length; /* the part of it that counts; length 0: all */
};

static void put_loop(struct vk_command *line, const struct opened *o)
{
	vk_put_losetup(line, &(struct vk_loop){.device = o->device, .at_bytes = o->at, .length_bytes = o->length});
}

/* Commands up to the device that comes out of layer p. */
static void put_opening(const struct place *p, struct vk_command *line, struct opened *o)
{
	const struct vk_layer *layer = p->layer;

	if (p->outer != NULL)
		put_opening(p->outer, line, o);
	if (layer->open[0] == '\0') {
		o->at = vk_add_sat(o->at, layer->data_bytes);
		o->length = layer->length_bytes;
		return;
	}
	if (o->begun)
		vk_command_add(line, " && ");
	/* the system finds members in partitions of a device by itself; a second way to them would be a duplicate */
	if (!o->is_device || (o->length != 0 && layer->open_takes_device)) {
		vk_command_add(line, "dev=$(");
		put_loop(line, o);
		vk_command_add(line, ") && ");
		snprintf(o->device, sizeof(o->device), "\"$dev\"");
	}
	vk_command_add(line, "%s%s%s%s", layer->open, layer->open_takes_device ? " " : "",
		       layer->open_takes_device ? o->device : "", layer->open_behind);
	*o = (struct opened){.is_device = true, .begun = true};
	snprintf(o->device, sizeof(o->device), "%s", layer->device);
}

/*
 * The commands that open place p for reading; empty where nothing but its controller does, or where a path does not
 * name all of the source.
 */
static void say_attach(const struct dive *d, const struct place *p, struct vk_reading *r)
{
	struct vk_io *io = d->survey->io;
	struct opened o = {.is_device = vk_io_is_device(io)};
	const char *path = d->survey->path;
	struct vk_command line;
	char *text;

	if (path == NULL || strcmp(path, "-") == 0 || vk_io_is_view(io) ||
	    (!p->layer->whole && p->layer->open[0] == '\0'))
		return;
	snprintf(o.device, sizeof(o.device), "%s", vk_shell_path(path).text);
	vk_command_begin(&line, "");
	put_opening(p, &line, &o);
	if (o.begun && o.length != 0)
		vk_command_add(&line, " && ");
	if (!o.begun || o.length != 0)
		put_loop(&line, &o);
	else
		snprintf(r->device, sizeof(r->device), "%s", o.device);
	text = vk_command_end(&line);
	if (text != NULL && strlen(text) < sizeof(r->attach)) {
		snprintf(r->attach, sizeof(r->attach), "%s", text);
	} else if (p->layer->whole) {
		/* too long for a line: its bytes are all that is needed */
		o = (struct opened){.at = p->at, .length = p->length};
		r->device[0] = '\0';
		snprintf(o.device, sizeof(o.device), "%s", vk_shell_path(path).text);
		free(text);
		vk_command_begin(&line, "");
		put_loop(&line, &o);
		text = vk_command_end(&line);
		snprintf(r->attach, sizeof(r->attach), "%s", text != NULL ? text : "");
	}
	free(text);
}

/* kind: what lies in it, a disk or a partition. */
static bool add_carrier(struct dive *d, const struct place *p, const struct vk_lun_signs *inside,
			enum vk_source_kind kind)
{
	struct vk_reading r = {.kind = VK_READING_CARRIER, .at_bytes = p->at, .length_bytes = p->length};
	/* a table that names its volume in there is none of the source's */
	bool own = (kind == VK_SOURCE_PARTITION || inside->fits[0].fit <= VK_FIT_HINT) &&
		   vk_is_of_source(d->survey->io, p->layer, p->at, p->length,
				   inside->fits[1].fit == VK_FIT_STRUCTURE);
	struct vk_text text;

	if (own && p->layer->empty)
		return true;
	/* what the layer keeps behind the LUN is none of it */
	if (!p->layer->length_known && inside->disk_bytes != 0)
		r.length_bytes = vk_min_u64(p->length, inside->disk_bytes);
	r.sure = inside->copies_agree ? VK_SURE_CERTAIN : VK_SURE_LIKELY;
	r.weight = own						? VK_WEIGHT_NOTHING
		   : d->contradicted				? VK_WEIGHT_STALE
		   : d->in_partition && !inside->copies_agree	? VK_WEIGHT_INSIDE
								: VK_WEIGHT_MEMBER;
	text = vk_text_in(r.what, sizeof(r.what));
	put_names(p, &text);
	vk_text_fmt(&text, " with a %s whole inside, from byte %" PRIu64 " on",
		    kind == VK_SOURCE_DISK ? "LUN" : "VMFS partition", p->at);
	text = vk_text_in(r.evidence, sizeof(r.evidence));
	put_evidence(p, &text);
	if (inside->copies_agree)
		vk_text_put(&text, "both copies of the GPT inside agree");
	else
		vk_text_fmt(&text, "inside there is %s", inside->fits[kind - VK_SOURCE_DISK].why);
	say_attach(d, p, &r);
	d->found += !own;
	return vk_survey_add(d->survey, &r);
}

/* magic_bytes: of the signature, in the source. */
static bool add_member(struct dive *d, const struct place *p, uint64_t magic_bytes)
{
	struct vk_reading r = {.kind = VK_READING_MEMBER, .sure = VK_SURE_CERTAIN};
	const struct vk_lun_signs *own = &d->survey->own;
	bool own_seen = own->shows_vmfs || own->fits[own->best].fit == VK_FIT_STRUCTURE;
	struct vk_text text;

	/* a LUN is still seen in its own place, and nothing in that of the array: it was made over the LUN */
	if (own_seen && magic_bytes < HEAD_BYTES && !p->layer->in_use)
		r.weight = VK_WEIGHT_NOTHING;
	else
		r.weight = d->contradicted ? VK_WEIGHT_STALE : VK_WEIGHT_MEMBER;
	text = vk_text_in(r.what, sizeof(r.what));
	put_names(p, &text);
	vk_text_put(&text, p->layer->sealed ? ": its content cannot be read without the key"
					    : ": its data can be read in the array only");
	text = vk_text_in(r.evidence, sizeof(r.evidence));
	put_evidence(p, &text);
	r.evidence[strlen(r.evidence) - strlen("; ")] = '\0'; /* no layer is without evidence */
	if (p->layer->whole) {
		r.at_bytes = p->at;
		r.length_bytes = p->length;
	}
	say_attach(d, p, &r);
	if (p->outer == NULL)
		return vk_survey_add(d->survey, &r);
	if (p->outer->length > d->member_bytes) {
		d->member = r;
		d->member_bytes = p->outer->length;
	}
	return true;
}

static bool look_into(struct dive *d, const struct place *p);

/* Each layer that the signature tells of. False: the survey has failed. */
static bool look_through(struct dive *d, const struct place *outer, struct vk_io *io, const struct vk_foreign *f)
{
	struct vk_layers layers = {.count = 0};
	uint64_t base = outer != NULL ? outer->at : 0;
	struct vk_foreign found = *f;
	size_t before = d->found;
	bool fine;

	found.magic_bytes -= base;
	fine = vk_layers_read(io, &found, &layers);
	if (!fine)
		d->survey->status = vk_no_memory(d->survey->err, vk_io_name(d->survey->io));
	for (size_t i = 0; i < layers.count && fine; i++) {
		const struct vk_layer *layer = &layers.items[i];
		struct place p = {.outer = outer, .layer = layer, .at = base + layer->data_bytes,
				  .length = layer->length_bytes, .depth = outer != NULL ? outer->depth + 1 : 1};

		fine = !layer->whole || look_into(d, &p);
		/* a disk with a partition of a RAID is one of that: NAS boxes make them so */
		if (fine && i == layers.count - 1 && d->found == before &&
		    (outer == NULL || (d->in_partition && strcmp(f->type, "linux_raid_member") == 0)))
			fine = add_member(d, &p, f->magic_bytes);
	}
	free(layers.items);
	return fine;
}

/* What stands at a usual start of a LUN inside a file system lies in a file of that, wherever that file is. */
static bool lies_in_file(struct dive *d, const struct place *p, const struct vk_lun_signs *inside)
{
	struct vk_foreigners foreign = {.count = 0};
	bool in_file = false;

	if (!d->in_partition || inside->fits[0].fit > VK_FIT_HINT)
		return false;
	d->survey->status = vk_foreign_look(d->survey->io, p->at, p->length, &foreign, d->survey->err);
	for (size_t i = 0; i < foreign.count; i++)
		in_file = in_file || foreign.items[i].kind == VK_FOREIGN_FILE_SYSTEM;
	vk_foreigners_free(&foreign);
	return in_file;
}

static bool look_for_members(struct dive *d, const struct place *p, struct vk_io *io)
{
	struct vk_foreigners foreign = {.count = 0};
	bool fine;

	if (p->depth >= DEPTH_MAX || d->foreign_looks++ >= FOREIGN_LOOKS_MAX)
		return true;
	d->survey->status = vk_foreign_look(d->survey->io, p->at, p->length, &foreign, d->survey->err);
	fine = d->survey->status == VK_OK;
	for (size_t i = 0; i < foreign.count && fine; i++)
		if (vk_foreign_is_member(&foreign.items[i]) && foreign.items[i].magic_bytes >= p->at)
			fine = look_through(d, p, io, &foreign.items[i]);
	vk_foreigners_free(&foreign);
	return fine;
}

/* Partitions that are another system's; in them may lie what lies on disks, too. */
static bool look_into_partitions(struct dive *d, const struct place *outer, const struct vk_table *table)
{
	uint64_t base = outer != NULL ? outer->at : 0;
	uint64_t length = outer != NULL ? outer->length : vk_io_size_bytes(d->survey->io);

	for (size_t i = 0; i < table->partition_count && i < PARTITIONS_MAX; i++) {
		const struct vk_partition *part = &table->partitions[i];
		struct vk_layer layer = {.whole = true,
					 .length_known = true,
					 .data_bytes = vk_mul_sat(part->start_sector, table->sector_size),
					 .length_bytes = vk_mul_sat(part->sectors, table->sector_size)};
		struct place p = {.outer = outer, .layer = &layer, .depth = outer != NULL ? outer->depth + 1 : 1};

		if (vk_partition_is_vmfs(part) || vk_partition_is_extended(part) || layer.data_bytes == 0 ||
		    layer.data_bytes >= length || layer.length_bytes == 0)
			continue;
		layer.length_bytes = vk_min_u64(layer.length_bytes, length - layer.data_bytes);
		snprintf(layer.name, sizeof(layer.name), "partition %u of a disk", part->number);
		snprintf(layer.evidence, sizeof(layer.evidence), "the table names it");
		p.at = base + layer.data_bytes;
		p.length = layer.length_bytes;
		if (!look_into(d, &p))
			return false;
	}
	return true;
}

/* The table of a place that is no LUN: it may name partitions. */
static bool look_for_partitions(struct dive *d, const struct place *p, struct vk_io *io)
{
	struct vk_table table = {.gpt_chosen = -1};
	bool fine;

	if (p->depth >= DEPTH_MAX)
		return true;
	d->survey->status = vk_table_read(io, 0, true, NULL, &table, d->survey->err);
	fine = d->survey->status == VK_OK && look_into_partitions(d, p, &table);
	vk_table_free(&table);
	return fine;
}

/* A LUN, or something in which there may be one. False: the survey has failed. */
static bool look_into(struct dive *d, const struct place *p)
{
	struct vk_lun_signs inside = {.best = 0};
	struct vk_io *io;
	bool fine;

	if (d->looks++ >= LOOKS_MAX)
		return true;
	io = vk_io_window(d->survey->io, p->at, p->length);
	if (io == NULL) {
		d->survey->status = vk_no_memory(d->survey->err, vk_io_name(d->survey->io));
		return false;
	}
	d->survey->status = vk_lun_signs_read(io, d->survey->sector_size, &inside, d->survey->err);
	fine = d->survey->status == VK_OK;
	if (fine && inside.shows_vmfs && !lies_in_file(d, p, &inside))
		fine = d->survey->status == VK_OK && add_carrier(d, p, &inside, VK_SOURCE_DISK);
	/* a partition of somebody's disk is looked at by itself */
	else if (fine && inside.fits[1].fit == VK_FIT_STRUCTURE && !d->in_partition)
		fine = add_carrier(d, p, &inside, VK_SOURCE_PARTITION);
	else if (fine)
		fine = look_for_members(d, p, io) &&
		       (inside.fits[0].fit != VK_FIT_TABLE || look_for_partitions(d, p, io));
	vk_io_close(io);
	return fine;
}

void vk_look_at_carriers(struct vk_survey *survey)
{
	struct dive d = {.survey = survey};

	for (size_t i = 0; i < survey->foreign->count; i++) {
		const struct vk_foreign *f = &survey->foreign->items[i];

		d.contradicted = is_contradicted(survey, f->magic_bytes);
		/* an OSD of Ceph is a whole system, and its label says whether it is in use */
		if (vk_foreign_is_member(f) && strcmp(f->type, "ceph_bluestore") != 0 &&
		    !look_through(&d, NULL, survey->io, f))
			return;
	}
	/* whoever has VMFS of its own on it, lost or not, is no disk of another system */
	d.in_partition = true;
	d.contradicted = false;
	if (d.found == 0 && !survey->own.shows_vmfs && survey->own.fits[0].fit == VK_FIT_TABLE)
		if (look_into_partitions(&d, NULL, survey->table) && d.found == 0 && d.member_bytes > 0 &&
		    !vk_survey_add(survey, &d.member))
			return; /* the status says it */
}
