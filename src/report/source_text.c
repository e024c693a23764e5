/* SPDX-License-Identifier: Apache-2.0 */
/* What is in a source, for people. */
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "base/checked.h"
#include "report/report.h"
#include "base/shown.h"

__attribute__((format(printf, 3, 4))) static void put_line(FILE *out, const char *name, const char *format, ...)
{
	va_list args;

	fprintf(out, "  %-18s ", name);
	va_start(args, format);
	vfprintf(out, format, args);
	va_end(args);
	fputc('\n', out);
}

static const char *or_none(const char *text)
{
	return text[0] == '\0' ? "none" : text;
}

bool vk_report_lvm_readable(const struct vk_vmfs *vmfs)
{
	struct vk_lvm_device d = vmfs->lvm;

	if (d.magic == VK_LVM_MAGIC && vmfs->lvm_seen_bytes >= 8)
		return true;
	d.magic = VK_LVM_MAGIC;
	return vk_lvm_device_usable(&d, vmfs->lvm_seen_bytes);
}

bool vk_report_fs_readable(const struct vk_vmfs *vmfs)
{
	struct vk_fs_descriptor fs = vmfs->fs;

	if (vk_fs_magic_known(fs.magic))
		return true;
	fs.magic = VK_FS_MAGIC_VMFS;
	return vk_fs_descriptor_usable(&fs, vmfs->fs_seen_bytes);
}

static void put_partitions(FILE *out, const struct vk_source *s, const struct vk_report_style *style)
{
	const struct vk_table *t = &s->table;

	fprintf(out, "\nPartition table: %s%s%s%s\n",
		t->kind == VK_TABLE_NONE && vk_table_unread(t) ? "could not be read" :
		t->kind == VK_TABLE_NONE && vk_table_absent(t) ? "not in the source" : vk_table_kind_name(t->kind),
		t->kind == VK_TABLE_GPT && vk_table_absent(t) ? "; its entries are not in the source, or not "
								"completely"
							     : "",
		t->kind == VK_TABLE_GPT && t->gpt_chosen == 1 ? " (read from the backup copy)" : "",
		vk_table_signatures_lost(t) ? "; only its signatures are gone, so systems see no table" : "");
	if (t->partition_count > 0)
		fprintf(out, "  %3s %14s %14s  %-10s  %s\n", "#", "start sector", "sectors", "size", "type");
	for (size_t i = 0; i < t->partition_count; i++) {
		const struct vk_partition *p = &t->partitions[i];
		char type[VK_GUID_TEXT_BYTES];
		const char *name;

		vk_partition_type(p, type, &name);
		fprintf(out, "  %3u %14" PRIu64 " %14" PRIu64 "  %-10s  %s", p->number, p->start_sector, p->sectors,
			vk_shown_size_short(vk_mul_sat(p->sectors, t->sector_size)).text, name);
		if (!p->gpt)
			fprintf(out, " (%s)%s", type, p->logical ? ", logical" : "");
		else if (style->all || strcmp(name, "unknown") == 0)
			fprintf(out, "\n%38s%s", "", type);
		fputc('\n', out);
	}
}

/* Whether the source reaches as far as that field: what it does not hold must not be shown as zero. */
static bool lvm_held(const struct vk_vmfs *v, const char *field)
{
	return vk_field_held(vk_layout_field(&vk_lvm_device_layout, field), v->lvm_seen_bytes);
}

static void put_identity(FILE *out, const struct vk_vmfs *v)
{
	const struct vk_scsi_disk_id *id = &v->lvm.diskID;
	char name[VK_SCSI_NAME_BYTES];
	/* why a name that only the header's disk id tells may be another one */
	const char *doubt = id->type == VK_SCSI_ID_PATH
		? "  [uncertain: the header has a path only, as for a device with an eui. name]"
		: id->type == VK_SCSI_ID_SERIAL
		? "  [uncertain: of a t10. name the header has the serial number and six characters of the model only]"
		: "  [uncertain: the full name cannot be rebuilt from the header]";
	bool certain;

	if (vk_report_lvm_readable(v) && lvm_held(v, "diskID")) {
		put_line(out, "LUN", "%u (when the header was written)", id->lun);
		vk_scsi_disk_id_label(id, name);
		put_line(out, "target label", "%s", or_none(name));
		vk_vmfs_lun_name(v, name, &certain);
		put_line(out, "GUID", "%s%s", name, certain ? "" : doubt);
		vk_scsi_disk_id_vml(id, name);
		put_line(out, "vml name", "%s", or_none(name));
	}
	if (vk_report_lvm_readable(v) && lvm_held(v, "totalBytes"))
		put_line(out, "partition size", "%s, %" PRIu64 " sectors of 512",
			 vk_shown_size_short(v->lvm.totalBytes).text, v->lvm.totalBytes / 512);
	if (vk_report_lvm_readable(v) && lvm_held(v, "devID"))
		put_line(out, "device UUID", "%s", vk_vmfs_uuid_text(&v->lvm.devID).text);
	if (v->volume_count > 0 && v->volumes[0].seen_bytes >= 0x64)
		put_line(out, "volume UUID", "%s", vk_vmfs_uuid_text(&v->volumes[0].volume.uuid).text);
}

static bool fs_held(const struct vk_vmfs *v, const char *field)
{
	return vk_field_told(vk_layout_field(&vk_fs_descriptor_layout, field), &v->fs, v->fs_seen_bytes);
}

static void put_fs_summary(FILE *out, const struct vk_vmfs *v)
{
	char version[40];

	if (!v->fs_expected) {
		put_line(out, "file system", "on the first extent of the volume, not here");
		return;
	}
	if (!vk_report_fs_readable(v))
		return;
	if (fs_held(v, "fsLabel"))
		put_line(out, "label", "%s", or_none(vk_shown_label(v->fs.fsLabel, sizeof(v->fs.fsLabel)).text));
	if (fs_held(v, "uuid")) {
		put_line(out, "datastore UUID", "%s", vk_vmfs_uuid_text(&v->fs.uuid).text);
		put_line(out, "made", "%s", vk_report_made(&v->fs.uuid, ", by the host with MAC ").text);
	}
	vk_fs_version_name(&v->fs, version);
	if (fs_held(v, "fileBlockSize"))
		put_line(out, "file system", "%s, blocks of %s", version,
			 vk_shown_size_short(v->fs.fileBlockSize).text);
}

/* A free slot keeps address, stamp, generation and driver of whoever had the volume mounted through it last. */
static void put_slot(FILE *out, const struct vk_heartbeat_slot *s, bool in_use)
{
	const struct vk_shown_label ip = vk_shown_label(s->hb.ip, sizeof(s->hb.ip));
	struct vk_vmfs_uuid_parts host;
	char mac[VK_MAC_TEXT_BYTES];

	vk_vmfs_uuid_decode(&s->hb.owner, &host);
	vk_mac_format(host.macAddr, mac);
	fprintf(out, "  slot %u (volume offset 0x%" PRIX64 "): ", s->slot, s->volume_offset);
	if (in_use)
		fprintf(out, "in use by %s, MAC %s", vk_vmfs_uuid_text(&s->hb.owner).text, mac);
	else
		fprintf(out, "free; the last mount");
	if (ip.text[0] != '\0')
		fprintf(out, "%s IP %s", in_use ? "," : ":", ip.text);
	fprintf(out, ", uptime at the last beat %s, generation %" PRIu64 ", driver %u.%u\n",
		vk_shown_duration_us(s->hb.stamp).text, s->hb.hbGen, s->hb.driveX, s->hb.driveY);
}

static void put_heartbeats(FILE *out, const struct vk_vmfs *v)
{
	const struct vk_heartbeats *h = &v->heartbeats;

	if (!v->fs_expected)
		return;
	fprintf(out, "\nHeartbeats: %u slots of %u bytes", h->geometry.heartbeat_slots,
		h->geometry.heartbeat_slot_bytes);
	if (h->slots_seen < h->geometry.heartbeat_slots)
		fprintf(out, ", %u of them in the source", h->slots_seen);
	fprintf(out, "; %u in use, %u free with history, %u damaged\n", h->in_use_count,
		h->history_count, h->damaged_count);
	for (uint32_t i = 0; i < h->in_use_count && i < VK_HEARTBEATS_KEPT; i++)
		put_slot(out, &h->in_use[i], true);
	for (uint32_t i = 0; i < h->history_count && i < VK_HEARTBEATS_KEPT; i++)
		put_slot(out, &h->history[i], false);
}

/* A structure under its title; more is put behind that. */
static void put_structure(FILE *out, const struct vk_layout *layout, const void *in, size_t seen_bytes,
			  const char *more, const struct vk_report_style *style)
{
	fprintf(out, "\n%s%s\n", layout->title, more);
	vk_report_fields_text(out, layout, in, seen_bytes, "  ", style);
}

static void put_structures(FILE *out, const struct vk_vmfs *v, const struct vk_report_style *style)
{
	char version[40];

	/* each number as far as it is there */
	snprintf(version, sizeof(version), lvm_held(v, "minorVersion") ? ", LVM %u.%u" : ", LVM %u",
		 v->lvm.majorVersion, v->lvm.minorVersion);
	if (!lvm_held(v, "majorVersion"))
		version[0] = '\0';
	if (vk_report_lvm_readable(v))
		put_structure(out, &vk_lvm_device_layout, &v->lvm, v->lvm_seen_bytes, version, style);
	if (vk_report_lvm_readable(v) && lvm_held(v, "diskID"))
		put_structure(out, &vk_scsi_disk_id_layout, &v->lvm.diskID, VK_SCSI_DISK_ID_BYTES, "", style);
	for (size_t i = 0; i < v->volume_count; i++)
		put_structure(out, &vk_lvm_volume_layout, &v->volumes[i].volume, v->volumes[i].seen_bytes, "", style);
	if (v->pes.tables > 0 && v->lvm_usable)
		fprintf(out, "\nPhysical extents: %" PRIu64 " in use, %" PRIu64
			     " marked in the bitmaps, in %zu stretch%s of the volume%s\n",
			v->pes.entries_used, v->pes.bitmap_ones, v->run_count,
			v->run_count == 1 ? "" : "es",
			v->runs_linear ? "; assumed to be mapped in order: the tables are not usable" : "");
	for (size_t i = 0; i < v->ext_count; i++)
		fprintf(out, "  extended metadata at device offset 0x%" PRIx64 ", data from 0x%" PRIx64 "\n",
			v->exts[i].offset_bytes, v->exts[i].ext.dataOffset);
	for (size_t i = 0; i < v->sd_count; i++)
		fprintf(out, "  member device %zu: %s\n", i,
			vk_shown_label(v->sd_names[i].deviceName, sizeof(v->sd_names[i].deviceName)).text);
	if (v->fs_expected && vk_report_fs_readable(v))
		put_structure(out, &vk_fs_descriptor_layout, &v->fs, v->fs_seen_bytes, "", style);
}

static void put_vmfs(FILE *out, const struct vk_source *s, const struct vk_vmfs *v,
		     const struct vk_report_style *style)
{
	if (s->kind == VK_SOURCE_DISK && v->partition != 0)
		fprintf(out, "\nVMFS partition %u (sectors %" PRIu64 " to %" PRIu64 ")\n", v->partition,
			v->start_sector, vk_add_sat(v->start_sector, v->sectors) - 1);
	else if (s->kind == VK_SOURCE_DISK)
		fprintf(out, "\nVMFS partition that would start at sector %" PRIu64 ", %s\n", v->start_sector,
			vk_table_absent(&s->table) ? "by what lies there" : "not in the table");
	else
		fprintf(out, "\n%s\n", v->volume_only ? "VMFS volume" : "VMFS partition");
	/* what tells which datastore this is and who uses it comes before the fields of its headers */
	put_fs_summary(out, v);
	put_identity(out, v);
	put_heartbeats(out, v);
	put_structures(out, v, style);
}

static void put_place(FILE *out, const struct vk_place *p, uint64_t base)
{
	bool damaged = p->damaged && p->presence == VK_PRESENCE_WHOLE;

	fprintf(out, "  %-10s 0x%012" PRIx64 "  %10" PRIu64 "  %s",
		damaged ? "damaged" : vk_presence_name(p->presence),
		vk_add_sat(base, p->offset_bytes), p->length_bytes, p->name);
	if (p->presence == VK_PRESENCE_CUT)
		fprintf(out, " (%" PRIu64 " bytes of it)", p->held_bytes);
	fputc('\n', out);
}

/* Where each structure lies, in the coordinates of the source's kind. */
static void put_places(FILE *out, const struct vk_source *s, const struct vk_report_style *style)
{
	enum { SHOWN = 24 };
	/* a file system that begins with the device lacks no table */
	bool no_table = s->table.kind == VK_TABLE_NONE && s->readings.items[0].kind == VK_READING_OTHER;
	size_t left = 0;

	if (no_table && s->vmfs_count == 0)
		return;
	fprintf(out, "\nStructures\n  %-10s %-14s  %10s\n", "state", s->kind == VK_SOURCE_DISK ? "disk offset" :
		s->kind == VK_SOURCE_VOLUME ? "volume offset" : "device offset", "bytes");
	for (size_t i = 0; i < s->table.place_count && !no_table; i++)
		put_place(out, &s->table.places[i], 0);
	for (size_t i = 0; i < s->vmfs_count; i++) {
		const struct vk_vmfs *v = &s->vmfs[i];
		uint64_t base = vk_mul_sat(v->start_sector, s->sector_size);

		for (size_t k = 0; k < v->place_count; k++) {
			bool plain = v->places[k].presence == VK_PRESENCE_WHOLE && !v->places[k].damaged;

			if (!style->all && plain && k >= SHOWN && v->places[k].layout == NULL &&
			    v->places[k].part == VK_PART_LVM) {
				left++;
				continue;
			}
			put_place(out, &v->places[k], base);
		}
	}
	if (left > 0)
		fprintf(out, "  (%zu more PE bitmaps and tables, all whole; --all shows them)\n", left);
}

/* How much of the whole is here, and that nothing in it is wrong. */
static void put_held(FILE *out, const struct vk_source *s)
{
	const struct vk_vmfs *v = &s->vmfs[0];
	char part[200];
	struct vk_text text;
	double percent;

	if (s->whole.bytes != 0) {
		text = vk_text_in(part, sizeof(part));
		vk_source_put_part(s, &text);
		percent = 100.0 * (double)s->whole.held_bytes / (double)s->whole.bytes;
		/* where only addresses tell, they tell no share */
		if (s->whole.bytes <= vk_io_size_bytes(s->io))
			fputs("  holds a part", out);
		else if (percent < 0.01)
			fputs("  holds less than 0.01 %", out);
		else
			fprintf(out, "  holds %.4g %%", percent);
		fprintf(out, " of the %s: %s, by %s%s\n", s->kind == VK_SOURCE_DISK ? "disk" : "partition", part,
			s->whole.by, vk_findings_bad(&s->findings) ? "" : "; what is here is sound");
	} else if (s->vmfs_count == 1 && s->kind != VK_SOURCE_DISK && !v->volume_only &&
		   (v->lvm.magic != VK_LVM_MAGIC || !lvm_held(v, "totalBytes"))) {
		fputs("  its share of the partition is unknown: the length is in the LVM header\n", out);
	}
}

/* An image that begins behind the beginning of its disk: where, and what lay on that disk. */
void vk_report_tail_text(FILE *out, const struct vk_tail_gpt *tail)
{
	enum { SHOWN = 16 };

	if (tail->first_sector == 0)
		return;
	fprintf(out, "  a backup GPT at the end says: this image begins at sector %" PRIu64 " of its disk",
		tail->first_sector);
	for (size_t i = 0; i < tail->table.partition_count && i < SHOWN; i++) {
		const struct vk_partition *p = &tail->table.partitions[i];

		fprintf(out, "; partition %u: %" PRIu64 " ... %" PRIu64, p->number, p->entry.firstLBA,
			p->entry.lastLBA);
	}
	fputs(tail->table.partition_count > SHOWN ? "; and more\n" : "\n", out);
}

static void show_looked_through(FILE *out, const struct vk_reading *best)
{
	if (best->stride_bytes != 0)
		fputs("What follows describes the disk that its data form.\n", out);
	else if (best->shift_bytes != 0)
		fputs("What follows describes the disk with everything in its place.\n", out);
	else
		fprintf(out, "What follows describes the disk in it, which begins at byte %" PRIu64 " of the "
			     "source.\n", best->at_bytes);
}

void vk_report_extent_text(FILE *out, const struct vk_source *source)
{
	if (vk_source_looked_through(source))
		fprintf(out, "%s, in it a ", vk_shown_size(vk_io_size_bytes(source->given)).text);
	fprintf(out, vk_source_looked_through(source) ? "%s of %s" : "%s, %s", vk_source_kind_name(source->kind),
		vk_shown_size(source->size_bytes).text);
	fprintf(out, ", sectors of %u bytes", source->sector_size);
}

void vk_report_readings_text(FILE *out, const struct vk_source *source)
{
	const struct vk_image_format *format = vk_io_image_format(source->given);
	const struct vk_readings *readings = &source->readings;
	const struct vk_io_join *join = vk_io_join(source->given);

	/* what its bytes look like says nothing of the disk */
	if (join != NULL && join->first[0] != '\0') {
		fprintf(out, "This is a later piece of the split dump that begins with %s. Name that file: the pieces "
			"beside it are read with it.\n", vk_shown_name(join->first).text);
		return;
	}
	for (size_t i = 0; i < readings->count; i++) {
		const struct vk_reading *r = &readings->items[i];

		/* that the bytes could be a disk's own is no news where something else was seen in them */
		if (i > 0 && r->weight <= VK_READING_WEIGHT_SAID)
			break;
		/* another system's disk is a whole disk, too; and nobody doubts what is certain */
		if (i > 0 && vk_reading_is_own(r) &&
		    (readings->items[0].kind == VK_READING_OTHER || readings->items[0].sure == VK_SURE_CERTAIN))
			continue;
		fprintf(out, "%s %s: %s.\n",
			i > 0 ? "It could also be" : r->sure == VK_SURE_POSSIBLE ? "This may be"
			      : r->sure == VK_SURE_LIKELY ? "This is likely" : "This is",
			r->what, r->evidence);
		/* of a place that was named by hand whoever named it knows how to get there */
		if (vk_reading_is_own(r))
			continue;
		if (r->attach[0] != '\0')
			fprintf(out, "  %s: %s\n",
				r->kind == VK_READING_UNITS ? "For access to the disk in such sectors, for reading"
				: r->kind != VK_READING_MEMBER || r->length_bytes != 0
					? "For access to the disk in it, for reading"
				: r->device[0] == '\0' ? "To see what it is a part of"
						       : "To open it for reading, with its other parts attached",
				r->attach);
		if (r->attach[0] != '\0' && r->device[0] != '\0')
			fprintf(out, "  The disk is then %s.\n", r->device);
	}
	if (vk_source_looked_through(source))
		show_looked_through(out, &readings->items[0]);
	else if (vk_source_in_other_units(source))
		fprintf(out, "What follows counts sectors of %u bytes, as the table does.\n", source->sector_size);
	else if (!readings->items[0].repairable && !vk_source_is_text(source) &&
		 readings->items[0].kind != VK_READING_OTHER)
		fputs("What follows describes the bytes as they are, not a disk in them.\n", out);
	if (source->form == VK_FORM_RAW && format != NULL && format->raw_inside)
		fprintf(out,
			"This is a %s: its first %" PRIu64 " bytes are the disk, and the footer behind them is left "
			"out.\n",
			format->name, source->size_bytes);
}

void vk_report_source_text(FILE *out, const struct vk_source *source,
			   const struct vk_report_style *style)
{
	static const char *const forms[] = {"", ", unfolded from a VMFSIMG image",
					    ", read from a hexdump listing", ", read from a bundle"};

	if (vk_source_is_text(source)) {
		fprintf(out, "%s: text, %s\n", source->path, vk_shown_size(source->size_bytes).text);
		vk_report_readings_text(out, source);
		return;
	}
	fprintf(out, "%s: ", source->path);
	vk_report_extent_text(out, source);
	fprintf(out, "%s\n", forms[source->form]);
	vk_report_readings_text(out, source);
	if (source->origin_bytes > 0)
		fprintf(out, "  a fragment: its first byte is %s offset 0x%" PRIx64 "\n",
			source->kind == VK_SOURCE_VOLUME ? "volume" : "device", source->origin_bytes);
	put_held(out, source);
	vk_report_tail_text(out, &source->tail);
	if (source->kind == VK_SOURCE_DISK)
		put_partitions(out, source, style);
	for (size_t i = 0; i < source->vmfs_count; i++)
		put_vmfs(out, source, &source->vmfs[i], style);
	put_places(out, source, style);
}

void vk_report_volumes_text(FILE *out, const struct vk_volume *volumes, size_t count,
			    const struct vk_source *sources)
{
	for (size_t i = 0; i < count; i++) {
		const struct vk_volume *v = &volumes[i];

		if (v->num_devs < 2 && v->extent_count < 2)
			continue;
		fprintf(out, "\nVolume %s, %s, %zu of %u extents, %s\n", vk_vmfs_uuid_text(&v->uuid).text,
			vk_shown_size_short(v->logical_bytes).text, v->extent_count, v->num_devs,
			v->complete ? "complete" : "not complete");
		if (v->has_fs)
			put_line(out, "label", "%s",
				 or_none(vk_shown_label(v->fs.fsLabel, sizeof(v->fs.fsLabel)).text));
		for (size_t k = 0; k < v->extent_count; k++)
			fprintf(out, "  extents %" PRIu64 " to %" PRIu64 "  %s\n", v->extents[k].first_pe,
				v->extents[k].last_pe, sources[v->extents[k].source].path);
	}
}
