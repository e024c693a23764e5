/* SPDX-License-Identifier: Apache-2.0 */
/* The plan as a GPT: numbers, GUIDs and names, then both copies on the overlay. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/bytes.h"
#include "base/checked.h"
#include "rebuild/table/gpt_name.h"
#include "rebuild/table/gpt_put.h"
#include "rebuild/table/plan.h"

enum { ENTRIES_MAX = VK_GPT_ENTRIES_MAX_BYTES / VK_GPT_ENTRY_BYTES };

/* A GPT of another system, of which nothing stays, lends neither its GUID nor its numbers. */
static bool judged_counts(const struct vk_table_plan *plan)
{
	if (!plan->gpt_judged || !plan->gpt.was_gpt || plan->gpt.sector_size != plan->sector_size)
		return false;
	if (!plan->gpt_foreign)
		return true;
	for (size_t i = 0; i < plan->count; i++)
		if (plan->items[i].by == VK_PROPOSED_GPT && plan->items[i].entry.candidate == SIZE_MAX)
			return true;
	return false;
}

static enum vk_status prepare_image(struct vk_table_plan *plan, struct vk_error *err)
{
	struct vk_gpt_image *image = &plan->image;

	if (judged_counts(plan)) {
		*image = plan->gpt.image;
		memset(&plan->gpt.image, 0, sizeof(plan->gpt.image));
	} else {
		enum vk_status status = vk_gpt_image_init(plan->sector_size, plan->disk_sectors, image, err);

		if (status != VK_OK)
			return status;
	}
	plan->first_usable = image->header.entriesLBA + vk_gpt_entries_sectors(&image->header, plan->sector_size);
	plan->last_usable = image->header.lastUsableLBA;
	/* a volume may use what the header kept free, up to where the table itself lies */
	for (size_t i = 0; i < plan->count; i++) {
		uint64_t end = vk_proposal_end(&plan->items[i]);

		if (plan->items[i].entry.candidate != SIZE_MAX && end > plan->last_usable + 1 &&
		    end <= image->backup_array_lba)
			plan->last_usable = end - 1;
	}
	return VK_OK;
}

enum vk_status vk_table_prepare(struct vk_table_plan *plan, struct vk_error *err)
{
	if (plan->out->kind == VK_TABLE_GPT)
		return prepare_image(plan, err);
	plan->first_usable = 1;
	/* an MBR counts both start and length in 32 bits */
	plan->last_usable = vk_min_u64(plan->disk_sectors - 1, 2ULL * UINT32_MAX - 1);
	return VK_OK;
}

/* Known numbers first, each once; the others take what is free, in the order of the disk. */
static enum vk_status number_all(struct vk_table_plan *plan, struct vk_error *err)
{
	unsigned most = plan->image.header.numEntries, next = 1;
	bool used[ENTRIES_MAX + 1] = {false};
	enum vk_status status = vk_table_keep_numbers(plan, most, used, err);

	for (size_t i = 0; i < plan->count && status == VK_OK; i++) {
		struct vk_proposal *p = &plan->items[i];

		if (p->entry.partition.number != 0)
			continue;
		p->entry.partition.number = vk_table_free_number(used, most, &next);
		if (p->entry.partition.number == 0)
			status = vk_error_set(err, VK_USAGE, plan->source->path,
					      "The GPT has room for %u partitions, and there are %zu", most,
					      plan->count);
		p->entry.number_exact = false;
		p->entry.bytes_exact = false;
	}
	return status;
}

static const struct vk_candidate *volume_of(const struct vk_table_plan *plan, const struct vk_proposal *p)
{
	return p->entry.candidate == SIZE_MAX ? NULL : &plan->find->candidates[p->entry.candidate];
}

/* Of a volume that has no header: its file system's own, else that of the logical volume below. */
static const struct vk_vmfs_uuid *fs_identity(const struct vk_candidate *c)
{
	if (c == NULL || !c->has_fs)
		return NULL;
	if (!vk_all_zero(c->fs.uuid.b, sizeof(c->fs.uuid.b)))
		return &c->fs.uuid;
	return vk_all_zero(c->fs.volInfo.b, sizeof(c->fs.volInfo.b)) ? NULL : &c->fs.volInfo;
}

/* The first partition that does not begin with zeros, which every disk has. */
static enum vk_status contents_identity(const struct vk_table_plan *plan, uint8_t ret_id[16], bool *ret_known,
					struct vk_error *err)
{
	uint8_t bytes[4096];
	struct vk_guid guid;

	for (size_t i = 0; i < plan->count && !*ret_known; i++) {
		uint64_t start = plan->items[i].entry.partition.start_sector;
		size_t got = 0;
		enum vk_status status = vk_io_read(plan->source->io, vk_mul_sat(start, plan->sector_size), bytes,
						   sizeof(bytes), &got, err);

		if (status != VK_OK)
			return status;
		*ret_known = !vk_all_zero(bytes, got);
		if (!*ret_known)
			continue;
		status = vk_fresh_guid("vmfskit contents", bytes, got, &guid, err);
		if (status != VK_OK)
			return status;
		memcpy(ret_id, guid.b, sizeof(guid.b));
	}
	return VK_OK;
}

/*
 * What tells this disk from others of its size: boot disks all have the same layout. The device that a volume knows it
 * lies on, else a file system, else what the first partition holds.
 */
static enum vk_status identify_disk(struct vk_table_plan *plan, struct vk_error *err)
{
	const struct vk_vmfs_uuid *fs = NULL;

	/* each partition asks, and the answer is one: of thousands it would be a walk for each */
	if (plan->disk_id_asked)
		return VK_OK;
	plan->disk_id_asked = true;
	for (size_t i = 0; i < plan->count; i++) {
		const struct vk_candidate *c = volume_of(plan, &plan->items[i]);

		if (c != NULL && c->has_header && !vk_all_zero(c->lvm.devID.b, sizeof(c->lvm.devID.b))) {
			plan->disk_id_known = true;
			memcpy(plan->disk_id, c->lvm.devID.b, 16);
			return VK_OK;
		}
		if (fs == NULL)
			fs = fs_identity(c);
	}
	if (fs == NULL)
		return contents_identity(plan, plan->disk_id, &plan->disk_id_known, err);
	plan->disk_id_known = true;
	memcpy(plan->disk_id, fs->b, 16);
	return VK_OK;
}

/* The same on every run: from the identity of the device and where it begins. */
static enum vk_status fresh(struct vk_table_plan *plan, const struct vk_proposal *p, const char *what,
			    struct vk_guid *ret_guid, struct vk_error *err)
{
	const struct vk_candidate *own = p == NULL ? NULL : volume_of(plan, p);
	uint8_t key[16 + 8] = {0};
	bool known = own != NULL && own->has_header;
	enum vk_status status = VK_OK;

	if (known) {
		memcpy(key, own->lvm.devID.b, 16);
	} else {
		status = identify_disk(plan, err);
		known = plan->disk_id_known;
		memcpy(key, plan->disk_id, 16);
	}
	if (status != VK_OK)
		return status;
	if (!known) {
		vk_put_le64(key, plan->disk_sectors);
		vk_table_note(
			plan,
			"Nothing on this disk tells it from others: the GUIDs that are new are the same on every disk "
			"of %llu "
			"sectors with these partitions; give it others (sgdisk -G) when two of them are in one host",
			(ull)plan->disk_sectors);
	}
	vk_put_le64(key + 16, p == NULL ? 0 : vk_proposal_start(p));
	return vk_fresh_guid(what, key, sizeof(key), ret_guid, err);
}

static enum vk_status make_entry(struct vk_table_plan *plan, struct vk_proposal *p, struct vk_error *err)
{
	struct vk_partition *part = &p->entry.partition;
	struct vk_gpt_entry e = {.attributes = 0};
	const char *type = p->local ? VK_GPT_TYPE_VMFSL : VK_GPT_TYPE_VMFS;

	if (part->gpt && p->has_entry) {
		e = part->entry;
	} else {
		p->entry.bytes_exact = false;
		vk_gpt_name_put(NULL, e.name);
		if (!vk_table_type_to_gpt(part->mbr_type, &e.typeGUID) && p->entry.candidate == SIZE_MAX)
			return vk_error_set(err, VK_USAGE, plan->source->path,
					    "A GPT has no type for partition type %02x at sector %llu", part->mbr_type,
					    (ull)part->start_sector);
	}
	if (p->entry.candidate != SIZE_MAX && !vk_gpt_type_is_vmfs(&e.typeGUID) && !vk_guid_parse(type, &e.typeGUID))
		return vk_error_set(err, VK_INTERNAL, NULL, "A type GUID of the program is wrong");
	e.firstLBA = part->start_sector;
	e.lastLBA = part->start_sector + part->sectors - 1;
	/* a checksum proves that the entry stood so: none is made up for it */
	if (vk_guid_is_nil(&e.uniqueGUID) && !p->entry.bytes_exact) {
		enum vk_status status = fresh(plan, p, "vmfskit partition", &e.uniqueGUID, err);

		if (status != VK_OK)
			return status;
		p->entry.guid_fresh = true;
		p->entry.bytes_exact = false;
	}
	part->entry = e;
	part->gpt = true;
	part->logical = false;
	part->mbr_type = 0;
	part->entry_offset_bytes = plan->image.header.entriesLBA * plan->sector_size +
				   (part->number - 1ULL) * plan->image.header.entrySize;
	return VK_OK;
}

static bool take_captured_guid(const struct vk_table_plan *plan, const struct vk_known_table *known,
			       struct vk_guid *ret_guid)
{
	const struct vk_table *table = &known->source->table;

	if (table->kind != VK_TABLE_GPT || table->gpt_chosen < 0 || table->sector_size != plan->sector_size ||
	    vk_guid_is_nil(&table->gpt[table->gpt_chosen].header.diskGUID))
		return false;
	*ret_guid = table->gpt[table->gpt_chosen].header.diskGUID;
	return true;
}

/* The GUID of the disk: of what stands, of a capture, of a header that nothing proves, or fresh. */
static enum vk_status choose_disk_guid(struct vk_table_plan *plan, struct vk_error *err)
{
	struct vk_guid *guid = &plan->image.header.diskGUID;
	const struct vk_proposal *first = NULL;

	/* one that a checksum proves to be nil was nil */
	if (plan->gpt_judged && plan->gpt.disk_guid_known &&
	    (!vk_guid_is_nil(guid) || (judged_counts(plan) && plan->gpt.header_exact)))
		return VK_OK;
	if (plan->capture != NULL && take_captured_guid(plan, plan->capture, guid))
		return VK_OK;
	for (size_t k = 0; k < plan->options->known_count; k++)
		if (take_captured_guid(plan, &plan->options->known[k], guid))
			return VK_OK;
	plan->out->disk_guid_guessed = !vk_guid_is_nil(guid);
	if (plan->out->disk_guid_guessed)
		return VK_OK;
	for (size_t i = 0; i < plan->count && first == NULL; i++)
		if (plan->items[i].entry.candidate != SIZE_MAX)
			first = &plan->items[i];
	plan->out->disk_guid_fresh = true;
	return fresh(plan, first, "vmfskit disk", guid, err);
}

/* Entries of the image that are not of the plan become unused; the others are put. */
static enum vk_status fill_image(struct vk_table_plan *plan, struct vk_error *err)
{
	struct vk_gpt_header *h = &plan->image.header;
	bool planned[ENTRIES_MAX + 1] = {false};
	bool fits = true;

	for (size_t i = 0; i < plan->count; i++)
		planned[plan->items[i].entry.partition.number] = true;
	for (unsigned n = 1; n <= h->numEntries && fits; n++) {
		struct vk_gpt_entry e;

		if (!vk_gpt_image_get(&plan->image, n, &e) || planned[n])
			continue;
		fits = vk_gpt_image_set(&plan->image, n, NULL);
		if (!vk_table_listed(plan->options->exclude_sectors, plan->options->exclude_count, e.firstLBA))
			vk_table_doubt(
				plan,
				"Entry %u of the GPT, sectors %llu to %llu, goes: it is not taken for a partition", n,
				(ull)e.firstLBA, (ull)e.lastLBA);
	}
	for (size_t i = 0; i < plan->count && fits; i++) {
		const struct vk_partition *part = &plan->items[i].entry.partition;

		fits = vk_gpt_image_set(&plan->image, part->number, &part->entry);
		h->firstUsableLBA = vk_min_u64(h->firstUsableLBA, part->entry.firstLBA);
		h->lastUsableLBA = vk_max_u64(h->lastUsableLBA, part->entry.lastLBA);
	}
	return fits ? VK_OK : vk_error_set(err, VK_INTERNAL, NULL, "The GPT has no such entry");
}

static bool any(const bool rewritten[VK_TP_COUNT])
{
	for (int i = 0; i < VK_TP_COUNT; i++)
		if (rewritten[i])
			return true;
	return false;
}

/* Whether a capture has a GPT with the numbers that the header gets. */
static bool captured_header(const struct vk_table_plan *plan)
{
	const struct vk_gpt_header *h = &plan->image.header;

	for (size_t k = 0; k < plan->options->known_count; k++) {
		const struct vk_table *table = &plan->options->known[k].source->table;
		const struct vk_gpt_copy *copy = table->gpt_chosen < 0 ? NULL : &table->gpt[table->gpt_chosen];

		if (copy != NULL && copy->sound && table->sector_size == plan->sector_size &&
		    copy->header.firstUsableLBA == h->firstUsableLBA &&
		    copy->header.lastUsableLBA == h->lastUsableLBA && copy->header.numEntries == h->numEntries &&
		    copy->header.entrySize == h->entrySize && copy->header.headerSize == h->headerSize &&
		    copy->header.entriesLBA == (copy->lba == 1 ? h->entriesLBA : plan->image.backup_array_lba) &&
		    vk_guid_equal(&copy->header.diskGUID, &h->diskGUID))
			return true;
	}
	return false;
}

/* Whether a capture has these bytes of sector 0. */
static bool captured_mbr(const struct vk_table_plan *plan, const uint8_t mbr[VK_MBR_BYTES])
{
	for (size_t k = 0; k < plan->options->known_count; k++) {
		uint8_t then[VK_MBR_BYTES];
		size_t got = 0;

		if (vk_io_read(plan->options->known[k].source->io, 0, then, sizeof(then), &got, NULL) == VK_OK &&
		    got == sizeof(then) &&
		    memcmp(then + VK_MBR_ENTRY_OFFSET, mbr + VK_MBR_ENTRY_OFFSET, sizeof(then) - VK_MBR_ENTRY_OFFSET) ==
			    0)
			return true;
	}
	return false;
}

/* What is written and not known, beside the entries of the plan, which speak for themselves. */
static void doubt_gpt(struct vk_table_plan *plan, const struct vk_gpt_header *before, const bool rewritten[VK_TP_COUNT])
{
	const struct vk_gpt_judgement *gpt = &plan->gpt;
	const struct vk_gpt_header *h = &plan->image.header;
	bool counts = judged_counts(plan), captured = captured_header(plan);
	uint8_t mbr[VK_MBR_BYTES];

	if (rewritten[VK_TP_MBR] &&
	    !vk_gpt_protective_mbr(plan->mbr.readable ? plan->mbr.sector : NULL, plan->disk_sectors,
				   counts ? gpt->mbr_from_sectors : 0, mbr) &&
	    !(plan->mbr.readable && captured_mbr(plan, mbr)))
		vk_table_doubt(
			plan,
			"Sector 0: type, first sector and signature of what protects the GPT are known; %sthe rest of "
			"its entry with length, heads and sectors is what is usual, and other entries that make no "
			"sense go",
			plan->mbr.readable ? "" : "boot code and disk signature become zeros, and ");
	if (!any(rewritten))
		return;
	if (!captured && (!counts || !gpt->header_exact || !gpt->usable_known))
		vk_table_doubt(plan,
			       "The usable range (sectors %llu to %llu) and the number of entries (%u) of the GPT are "
			       "the usual ones",
			       (ull)h->firstUsableLBA, (ull)h->lastUsableLBA, h->numEntries);
	else if (!captured && !gpt->places_known)
		vk_table_doubt(plan,
			       "Where the entries of the GPT lay is not known: they are put into the usual place");
	if (counts && !captured &&
	    (h->firstUsableLBA != before->firstUsableLBA || h->lastUsableLBA != before->lastUsableLBA))
		vk_table_doubt(
			plan,
			"The usable range of the GPT becomes sectors %llu to %llu, so that it holds all partitions",
			(ull)h->firstUsableLBA, (ull)h->lastUsableLBA);
	if (counts && gpt->disputed)
		vk_table_doubt(
			plan, "Two tables that differ are there, each whole, and nothing proves which is the newer: %s",
			gpt->why_right);
	if (!counts && !captured)
		vk_table_doubt(plan, "Nothing of a GPT is left: what stands in the places of its other entries goes");
	if (counts && !captured && !vk_gpt_proof_exact(gpt->proof))
		vk_table_doubt(plan, "No checksum proves the entries of the GPT as a whole");
	if (counts && !captured && !gpt->header_exact && !plan->out->disk_guid_fresh)
		vk_table_doubt(plan, "The GUID of the disk is that of damaged headers, which nothing proves");
}

enum vk_status vk_table_put_gpt(struct vk_table_plan *plan, struct vk_error *err)
{
	struct vk_rebuild_table *out = plan->out;
	const struct vk_gpt_header before = plan->image.header;
	bool rewritten[VK_TP_COUNT] = {false};
	enum vk_status status = number_all(plan, err);

	for (size_t i = 0; i < plan->count && status == VK_OK; i++) {
		status = make_entry(plan, &plan->items[i], err);
		vk_table_planned(plan, &plan->items[i].entry);
	}
	if (status == VK_OK)
		status = choose_disk_guid(plan, err);
	if (status == VK_OK)
		status = fill_image(plan, err);
	if (status == VK_OK)
		status = vk_gpt_put(&plan->image, plan->overlay, rewritten, err);
	if (status != VK_OK)
		return status;
	doubt_gpt(plan, &before, rewritten);
	for (int i = 0; i < VK_TP_COUNT; i++) {
		if (plan->gpt_judged)
			out->parts[i] = plan->gpt.parts[i];
		out->parts[i].rewritten = rewritten[i];
		if (plan->gpt_foreign &&
		    (vk_part_state_stands(out->parts[i].state) || out->parts[i].state == VK_PART_STATE_STALE))
			out->parts[i].state = VK_PART_STATE_FOREIGN;
	}
	out->disk_guid = plan->image.header.diskGUID;
	out->first_usable_lba = plan->image.header.firstUsableLBA;
	out->last_usable_lba = plan->image.header.lastUsableLBA;
	return VK_OK;
}
