/* SPDX-License-Identifier: Apache-2.0 */
/* RESTORE.txt: how to put a capture back where there is nothing but dd. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/shown.h"
#include "store/folder/folder.h"
#include "store/manifest/manifest.h"

static bool unreadable_in(const struct vk_capture *c, uint64_t from, uint64_t to)
{
	for (size_t i = 0; i < c->unreadable_count; i++) {
		const struct vk_range *r = &c->unreadable[i];

		if (r->offset_bytes < to && from < vk_add_sat(r->offset_bytes, r->length_bytes))
			return true;
	}
	return false;
}

/*
 * One dd line for the bytes from .. to of a region. Whole sectors are counted in sectors, so that
 * seek is the number that partition tables speak of; anything else, as of a dump cut off
 * anywhere, in bytes.
 */
static void put_dd(FILE *out, const struct vk_capture *c, const struct vk_region *region, uint64_t from,
		   uint64_t to, bool commented)
{
	uint64_t sector = c->sector_size;
	uint64_t seek = region->offset_bytes + from;
	bool holes = unreadable_in(c, seek, region->offset_bytes + to);

	if (holes)
		fprintf(out,
			"# part of this range is not in the file, which has zeros there: the line would write them\n");
	if (commented || holes)
		fputs("# ", out);
	fprintf(out, "dd if=%s of=TARGET", region->file);
	if (seek % sector == 0 && from % sector == 0 && to % sector == 0) {
		fprintf(out, " bs=%" PRIu64, sector);
		if (from > 0)
			fprintf(out, " skip=%" PRIu64, from / sector);
		fprintf(out, " seek=%" PRIu64, seek / sector);
		if (to < region->length_bytes)
			fprintf(out, " count=%" PRIu64, (to - from) / sector);
		fputs(" conv=notrunc,fsync\n", out);
	} else {
		fputs(" bs=64K iflag=fullblock,skip_bytes,count_bytes oflag=seek_bytes", out);
		fprintf(out, " skip=%" PRIu64 " seek=%" PRIu64 " count=%" PRIu64, from, seek,
			to - from);
		fputs(" conv=notrunc,fsync\n", out);
	}
}

static bool named(const struct vk_region *region, const char *prefix)
{
	return strncmp(region->file, prefix, strlen(prefix)) == 0;
}

static bool is_tail(const struct vk_region *region)
{
	return named(region, "gpt-tail") || named(region, "gpt-backup");
}

/*
 * The copy at the end first: while it is written the one at the start stands, and the other way
 * round. Sector 0 comes last, because it is what makes a system look at the rest.
 */
static void put_table(FILE *out, const struct vk_capture *c)
{
	const struct vk_region *head = NULL; /* the region that holds sector 0 */
	uint64_t sector = c->sector_size;

	for (size_t i = 0; i < c->region_count; i++) {
		if (c->regions[i].part != VK_PART_TABLE)
			continue;
		if (head == NULL && c->regions[i].offset_bytes == 0)
			head = &c->regions[i];
		if (!is_tail(&c->regions[i]))
			continue;
		fputs("\n# partition table: the copy of the GPT at the end\n", out);
		put_dd(out, c, &c->regions[i], 0, c->regions[i].length_bytes, false);
	}
	if (head != NULL && head->length_bytes > sector) {
		fputs("\n# partition table: sectors 1 and up (first copy of the GPT, if there is one)\n",
		      out);
		put_dd(out, c, head, sector, head->length_bytes, false);
	}
	for (size_t i = 0; i < c->region_count; i++) {
		const struct vk_region *region = &c->regions[i];

		if (region->part != VK_PART_TABLE || region == head || is_tail(region))
			continue;
		fputs(named(region, "ebr-") ? "\n# partition table: extended boot record\n"
					    : "\n# partition table: more of it\n",
		      out);
		put_dd(out, c, region, 0, region->length_bytes, false);
	}
	if (head != NULL) {
		fputs("\n# partition table: sector 0, the master boot record\n", out);
		put_dd(out, c, head, 0, vk_min_u64(sector, head->length_bytes), false);
	}
}

static void put_part(FILE *out, const struct vk_capture *c, enum vk_part part, const char *title)
{
	for (size_t i = 0; i < c->region_count; i++) {
		const struct vk_region *region = &c->regions[i];

		if (region->part != part)
			continue;
		fprintf(out, "\n# partition %u: %s\n", region->partition, title);
		if (part == VK_PART_HEARTBEATS)
			fputs("# only when they are destroyed and no host has the volume open\n", out);
		put_dd(out, c, region, 0, region->length_bytes, part == VK_PART_HEARTBEATS);
	}
}

/* The line that saves what a region's line will overwrite; if=TARGET and of=SAFE/... swapped brings it back. */
static void put_save(FILE *out, const struct vk_capture *c, const struct vk_region *region)
{
	uint64_t sector = c->sector_size;

	if (region->offset_bytes % sector == 0 && region->length_bytes % sector == 0)
		fprintf(out, "   dd if=TARGET of=SAFE/before-%s bs=%" PRIu64 " skip=%" PRIu64 " count=%" PRIu64 "\n",
			region->file, sector, region->offset_bytes / sector,
			region->length_bytes / sector);
	else
		fprintf(out,
			"   dd if=TARGET of=SAFE/before-%s bs=64K iflag=fullblock,skip_bytes,count_bytes skip=%" PRIu64
			" count=%" PRIu64 "\n",
			region->file, region->offset_bytes, region->length_bytes);
}

static void put_identity_step(FILE *out, const struct vk_capture *c)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:-";
	/* only what cannot be anything else in a shell is put into a command */
	bool is_plain = c->wwid[0] != '\0' && c->wwid[0] != '-' && c->wwid[strspn(c->wwid, plain)] == '\0';

	fputs("2. Check that TARGET is the captured disk. Snapshots of the array, replicas and copies have\n   the "
	      "same headers; only the WWID and the serial number differ:\n   Linux:  lsblk -d -o "
	      "NAME,SIZE,WWN,SERIAL,MODEL    (it writes naa.6000 as 0x6000)\n           cat "
	      "/sys/block/sdX/device/wwid    (sdX: TARGET without /dev/)\n",
	      out);
	fprintf(out, "   ESXi:   esxcli storage core device list -d %s    (the name of a device is its WWID)\n",
		is_plain ? c->wwid : "naa....");
	fputs(c->wwid[0] != '\0'
		      ? "   Both must give the WWID above. If they give another one, do not write: it is another "
			"disk.\n"
		      : "   The WWID of the captured disk was not known. If a LUN name (naa....) is shown with a\n   "
			"volume above, its headers were written for that LUN: compare it. Else compare the place.\n",
	      out);
	fputs("   blockdev --getsize64 TARGET must give ", out);
	fputs(c->size_uncertain ? "at least the size above, which is not known exactly. No host\n   may be using it.\n"
				: "the size above. No host may be using it.\n",
	      out);
}

void vk_capture_put_view(const struct vk_capture *c, struct vk_text *text)
{
	const char *before = "";

	for (size_t i = 0; i < c->imported_count; i++) {
		const struct vk_origin_file *file = &c->imported[i];

		if (file->at_bytes == 0 && file->stride_bytes == 0 && file->mapfile[0] == '\0')
			continue;
		vk_text_fmt(text, "%s%s", before, file->name);
		if (file->stride_bytes != 0)
			vk_text_fmt(text, ", of each %" PRIu64 " bytes the first 512", file->stride_bytes);
		if (file->at_bytes != 0)
			vk_text_fmt(text, "%s from byte %" PRIu64 " on", file->stride_bytes != 0 ? ", of these" : "",
				    file->at_bytes);
		if (file->mapfile[0] != '\0')
			vk_text_fmt(text, ", as far as %s says it was read", file->mapfile);
		before = "; ";
	}
}

/* Nothing here differs from night to night, so that the file is kept once. */
static void put_opening(FILE *out, const struct vk_capture *c)
{
	char read_as[1024];
	struct vk_text view = vk_text_in(read_as, sizeof(read_as));

	vk_capture_put_view(c, &view);
	if (c->is_rebuilt)
		fputs("This capture was rebuilt by vmfskit repair: it is what the disk should hold, not what a\n"
		      "disk once held. What is exact, made new and lost: " VK_MANIFEST_FILE "\n\n",
		      out);
	if (c->is_undo)
		fputs("This is an undo capture: what a restore overwrote, with all damage that was in it, and no\n"
		      "backup. The lines below take that restore back; vmfskit undo does it with guards.\n\n",
		      out);
	fprintf(out,
		"How to restore this capture with only dd and sha256sum.\n\nCapture  as this folder is called; when "
		"it was taken and by whom: " VK_MANIFEST_FILE "\n%s%s%sFrom     %s on host %s: %s%s, sectors of %u "
							      "bytes\n%s",
		c->is_undo ? "Undoes   the restore of " : "", c->is_undo ? c->undo_of : "", c->is_undo ? "\n" : "",
		c->source_path, c->host[0] != '\0' ? c->host : "(not known)", c->size_uncertain ? "at least " : "",
		vk_shown_size(c->size_bytes).text, c->sector_size,
		c->imported != NULL ? "Imported; the files that it was made of: " VK_MANIFEST_FILE "\n" : "");
	if (read_as[0] != '\0')
		fprintf(out,
			"Read as  %s. Offsets below count in the disk that is\n         read so: TARGET is that disk, "
			"not what it was read from.\n", read_as);
	/* what the device said of itself; a line of its own, for people compare it with another screen */
	if (c->wwid[0] != '\0')
		fprintf(out, "WWID     %s\n", c->wwid);
	if (c->disk_serial[0] != '\0')
		fprintf(out, "Serial   %s\n", c->disk_serial);
	if (c->disk_model[0] != '\0')
		fprintf(out, "Model    %s\n", c->disk_model);
	for (size_t i = 0; i < c->identity_count; i++) {
		const struct vk_identity *id = &c->identities[i];

		fprintf(out, "Volume   partition %u, sector %" PRIu64 ": %s%s%s%s%s\n",
			id->partition, id->start_sector,
			id->fs_label[0] != '\0' ? id->fs_label : "(no label known)",
			id->volume_uuid[0] != '\0' ? ", " : "", id->volume_uuid,
			id->disk_id[0] != '\0' ? ", " : "", id->disk_id);
	}
	fputs("\n1. In this folder run:  sha256sum -c SHA256SUMS\n"
	      "   If any line does not say OK, do not write anything: use another capture.\n",
	      out);
	put_identity_step(out, c);
	fputs("3. Save what is there now, into another folder than this one (SAFE), with these lines:\n",
	      out);
	for (size_t i = 0; i < c->region_count; i++)
		put_save(out, c, &c->regions[i]);
	fputs("4. Run the lines below in this order, with the disk in the place of TARGET. Leave\n"
	      "   out what is not damaged. Lines that begin with # are not to be run as they are.\n",
	      out);
	if (c->source_kind == VK_SOURCE_DISK)
		fputs("5. Let the system read the table again: blockdev --rereadpt TARGET\n"
		      "   On each ESX host rescan the storage: esxcli storage core adapter rescan --all\n",
		      out);
}

char *vk_restore_text(const struct vk_capture *capture)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	if (out == NULL)
		return NULL;
	put_opening(out, capture);
	put_table(out, capture);
	put_part(out, capture, VK_PART_LVM, "LVM header and tables");
	put_part(out, capture, VK_PART_VH, "volume header (.vh.sf)");
	put_part(out, capture, VK_PART_HEARTBEATS, "heartbeats");
	if (fclose(out) != 0) {
		free(text);
		return NULL;
	}
	return text;
}
