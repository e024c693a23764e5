/* SPDX-License-Identifier: Apache-2.0 */
/* The plan as a GPT: numbers, GUIDs and names, then both copies on the overlay. */
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/bytes.h"
#include "base/checked.h"
#include "rebuild/table/plan.h"

/* A GPT of another system, of which nothing stays, lends neither its GUID nor its numbers. */
static bool judged_counts(const struct vk_table_plan *plan)
{
	if (!plan->gpt_judged || !plan->gpt.was_gpt || plan->gpt.sector_size != plan->sector_size)
		return false;
	if (!plan->gpt_foreign)
		return true;
	VK_EACH_PROPOSAL(p, plan)
		if (p->by == VK_PROPOSED_GPT && !vk_proposal_is_volume(p))
			return true;
	return false;
}

enum vk_status vk_table_prepare(struct vk_table_plan *plan, struct vk_error *err)
{
	struct vk_gpt_image *image = &plan->image;

	if (plan->out->kind != VK_TABLE_GPT) {
		plan->first_usable = 1;
		/* an MBR counts both start and length in 32 bits */
		plan->last_usable = vk_min_u64(plan->disk_sectors - 1, 2ULL * UINT32_MAX - 1);
		return VK_OK;
	}
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
	VK_EACH_PROPOSAL(p, plan)
		if (vk_proposal_is_volume(p) && vk_proposal_end(p) > plan->last_usable + 1 &&
		    vk_proposal_end(p) <= image->backup_array_lba)
			plan->last_usable = vk_proposal_end(p) - 1;
	return VK_OK;
}

static const struct vk_candidate *volume_of(const struct vk_table_plan *plan, const struct vk_proposal *p)
{
	return vk_proposal_is_volume(p) ? &plan->find->candidates[p->entry.candidate] : NULL;
}

/*
 * GUIDs for entries whose own survived nowhere: of version 8 (RFC 9562), made from what and bytes, so that a second run
 * gives the same.
 */
static enum vk_status fresh_guid(const char *what, const void *bytes, size_t len, struct vk_guid *ret_guid,
				 struct vk_error *err)
{
	uint8_t digest[EVP_MAX_MD_SIZE];
	EVP_MD_CTX *ctx;
	bool done;

	/* without this the first use reads openssl.cnf, which is not there in an empty root */
	OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
	ctx = EVP_MD_CTX_new();
	if (ctx == NULL)
		return vk_no_memory(err, NULL);
	done = EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1 && EVP_DigestUpdate(ctx, what, strlen(what) + 1) == 1 &&
	       EVP_DigestUpdate(ctx, bytes, len) == 1 && EVP_DigestFinal_ex(ctx, digest, NULL) == 1;
	EVP_MD_CTX_free(ctx);
	if (!done)
		return vk_error_set(err, VK_INTERNAL, NULL, "libcrypto computes no SHA-256");
	memcpy(ret_guid->b, digest, sizeof(ret_guid->b));
	/* the third group is little-endian on the disk: its version is in the upper half of byte 7 */
	ret_guid->b[7] = (uint8_t)((ret_guid->b[7] & 0x0F) | 0x80);
	ret_guid->b[8] = (uint8_t)((ret_guid->b[8] & 0x3F) | 0x80);
	return VK_OK;
}

/*
 * What tells this disk from others of its size: boot disks all have the same layout. The device that a volume knows it
 * lies on, else a file system, or the logical volume below it, else what the first partition holds that does not begin
 * with zeros, which every disk has.
 */
static enum vk_status identify_disk(struct vk_table_plan *plan, struct vk_error *err)
{
	const uint8_t *fs = NULL;
	uint8_t bytes[4096];
	struct vk_guid guid;
	enum vk_status status = VK_OK;

	/* each partition asks, and the answer is one: of thousands it would be a walk for each */
	if (plan->disk_id_asked)
		return VK_OK;
	plan->disk_id_asked = true;
	VK_EACH_PROPOSAL(p, plan) {
		const struct vk_candidate *c = volume_of(plan, p);

		if (c == NULL)
			continue;
		if (c->has_header && !vk_all_zero(c->lvm.devID.b, sizeof(plan->disk_id))) {
			plan->disk_id_known = true;
			memcpy(plan->disk_id, c->lvm.devID.b, sizeof(plan->disk_id));
			return VK_OK;
		}
		if (fs == NULL && c->has_fs && !vk_all_zero(c->fs.uuid.b, sizeof(plan->disk_id)))
			fs = c->fs.uuid.b;
		else if (fs == NULL && c->has_fs && !vk_all_zero(c->fs.volInfo.b, sizeof(plan->disk_id)))
			fs = c->fs.volInfo.b;
	}
	if (fs != NULL) {
		plan->disk_id_known = true;
		memcpy(plan->disk_id, fs, sizeof(plan->disk_id));
		return VK_OK;
	}
	for (size_t i = 0; i < plan->count && !plan->disk_id_known && status == VK_OK; i++) {
		uint64_t at = vk_mul_sat(vk_proposal_start(&plan->items[i]), plan->sector_size);
		size_t got = 0;

		status = vk_io_read(plan->source->io, at, bytes, sizeof(bytes), &got, err);
		if (status != VK_OK || vk_all_zero(bytes, got))
			continue;
		plan->disk_id_known = true;
		status = fresh_guid("vmfskit contents", bytes, got, &guid, err);
		memcpy(plan->disk_id, guid.b, sizeof(plan->disk_id));
	}
	return status;
}

/* The same on every run: from the identity of the device and where it begins. p NULL: of the disk itself. */
static enum vk_status fresh(struct vk_table_plan *plan, const struct vk_proposal *p, const char *what,
			    struct vk_guid *ret_guid, struct vk_error *err)
{
	const struct vk_candidate *own = p == NULL ? NULL : volume_of(plan, p);
	uint8_t key[16 + 8] = {0};

	if (own != NULL && own->has_header) {
		memcpy(key, own->lvm.devID.b, 16);
	} else {
		enum vk_status status = identify_disk(plan, err);

		if (status != VK_OK)
			return status;
		memcpy(key, plan->disk_id, 16);
		if (!plan->disk_id_known) {
			vk_put_le64(key, plan->disk_sectors);
			vk_table_note(plan,
				      "nothing distinguishes this disk from others: every disk of %llu sectors with "
				      "these partitions gets the same new GUIDs; change them (sgdisk -G) when one "
				      "host sees two such disks",
				      (ull)plan->disk_sectors);
		}
	}
	vk_put_le64(key + 16, p == NULL ? 0 : vk_proposal_start(p));
	return fresh_guid(what, key, sizeof(key), ret_guid, err);
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
		vk_table_gpt_name(NULL, e.name);
		if (!vk_table_type_to_gpt(part->mbr_type, &e.typeGUID) && p->entry.candidate == SIZE_MAX)
			return vk_error_set(err, VK_USAGE, plan->source->path,
					    "a GPT has no type for partition type %02x at sector %llu", part->mbr_type,
					    (ull)part->start_sector);
	}
	if (p->entry.candidate != SIZE_MAX && !vk_gpt_type_is_vmfs(&e.typeGUID) && !vk_guid_parse(type, &e.typeGUID))
		return vk_error_set(err, VK_INTERNAL, NULL, "a type GUID of the program is wrong");
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

/* The copy that counts of a captured GPT that counts in the same sectors; NULL: there is none. */
static const struct vk_gpt_copy *captured_copy(const struct vk_table_plan *plan, const struct vk_known_table *known)
{
	const struct vk_table *table = &known->source->table;

	return table->gpt_chosen < 0 || table->sector_size != plan->sector_size ? NULL : &table->gpt[table->gpt_chosen];
}

static bool take_captured_guid(const struct vk_table_plan *plan, const struct vk_known_table *known,
			       struct vk_guid *ret_guid)
{
	const struct vk_gpt_copy *copy = captured_copy(plan, known);

	if (known->source->table.kind != VK_TABLE_GPT || copy == NULL || vk_guid_is_nil(&copy->header.diskGUID))
		return false;
	*ret_guid = copy->header.diskGUID;
	return true;
}

/*
 * The GUID of an older GPT; several must agree. Its checksum proves that the disk had it then. A table that only moved
 * to a new end keeps it, one that was made anew does not, and nothing tells which it was.
 */
static bool take_older_guid(struct vk_table_plan *plan, struct vk_guid *ret_guid)
{
	const struct vk_older_gpt *found = NULL;

	for (size_t i = 0; i < plan->find->older_count; i++) {
		const struct vk_older_gpt *gpt = &plan->find->older[i];

		if (vk_guid_is_nil(&gpt->header.diskGUID))
			continue;
		if (found != NULL && !vk_guid_equal(&found->header.diskGUID, &gpt->header.diskGUID))
			return false;
		found = gpt;
	}
	if (found == NULL || !vk_table_hears_older(plan))
		return false;
	*ret_guid = found->header.diskGUID;
	vk_table_doubt(plan,
		       "the GUID of the disk is that of the older GPT at byte %llu: its checksum proves that the disk "
		       "had it when it was %llu bytes long, not that no table was made anew since",
		       (ull)found->offset_bytes, (ull)vk_mul_sat(found->disk_sectors, found->sector_size));
	return true;
}

/* The GUID of the disk: of what stands, of a capture, of a header that nothing proves, of an older GPT, or fresh. */
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
	if (vk_guid_is_nil(guid) && take_older_guid(plan, guid))
		return VK_OK;
	plan->out->disk_guid_guessed = !vk_guid_is_nil(guid);
	plan->out->disk_guid_fresh = vk_guid_is_nil(guid);
	VK_EACH_PROPOSAL(p, plan)
		if (first == NULL && vk_proposal_is_volume(p))
			first = p;
	return plan->out->disk_guid_fresh ? fresh(plan, first, "vmfskit disk", guid, err) : VK_OK;
}

/* Entries of the image that are not of the plan become unused; the others are put. */
static enum vk_status fill_image(struct vk_table_plan *plan, struct vk_error *err)
{
	struct vk_gpt_header *h = &plan->image.header;
	bool planned[VK_TABLE_NUMBERS + 1] = {false};
	bool fits = true;

	VK_EACH_PROPOSAL(p, plan)
		planned[p->entry.partition.number] = true;
	for (unsigned n = 1; n <= h->numEntries && fits; n++) {
		struct vk_gpt_entry e;

		if (planned[n] || !vk_gpt_image_get(&plan->image, n, &e))
			continue;
		fits = vk_gpt_image_set(&plan->image, n, NULL);
		if (!vk_table_excluded(plan, e.firstLBA))
			vk_table_doubt(
				plan,
				"entry %u of the GPT, sectors %llu to %llu, is removed: it is not taken for a "
				"partition", n,
				(ull)e.firstLBA, (ull)e.lastLBA);
	}
	VK_EACH_PROPOSAL(p, plan) {
		const struct vk_gpt_entry *e = &p->entry.partition.entry;

		fits = fits && vk_gpt_image_set(&plan->image, p->entry.partition.number, e);
		h->firstUsableLBA = vk_min_u64(h->firstUsableLBA, e->firstLBA);
		h->lastUsableLBA = vk_max_u64(h->lastUsableLBA, e->lastLBA);
	}
	return fits ? VK_OK : vk_error_set(err, VK_INTERNAL, NULL, "the GPT has no such entry");
}

/* Whether a capture has a GPT with the numbers that the header gets. */
static bool captured_header(const struct vk_table_plan *plan)
{
	const struct vk_gpt_header *h = &plan->image.header;

	for (size_t k = 0; k < plan->options->known_count; k++) {
		const struct vk_gpt_copy *copy = captured_copy(plan, &plan->options->known[k]);

		if (copy != NULL && copy->sound && copy->header.firstUsableLBA == h->firstUsableLBA &&
		    copy->header.lastUsableLBA == h->lastUsableLBA && copy->header.numEntries == h->numEntries &&
		    copy->header.entrySize == h->entrySize && copy->header.headerSize == h->headerSize &&
		    copy->header.entriesLBA == (copy->lba == 1 ? h->entriesLBA : plan->image.backup_array_lba) &&
		    vk_guid_equal(&copy->header.diskGUID, &h->diskGUID))
			return true;
	}
	return false;
}

/* Whether the table's bytes of this sector 0 are known: those that stand say so, or a capture has them. */
static bool protection_known(const struct vk_table_plan *plan, uint64_t before_sectors)
{
	const uint8_t *now = plan->mbr.readable ? plan->mbr.sector : NULL;
	uint8_t mbr[VK_MBR_BYTES], then[VK_MBR_BYTES];
	bool known = vk_gpt_protective_mbr(now, plan->disk_sectors, before_sectors, mbr);

	for (size_t k = 0; k < plan->options->known_count && now != NULL && !known; k++)
		known = vk_io_read_all(plan->options->known[k].source->io, 0, then, sizeof(then), NULL) == VK_OK &&
			memcmp(then + VK_MBR_ENTRY_OFFSET, mbr + VK_MBR_ENTRY_OFFSET,
			       sizeof(then) - VK_MBR_ENTRY_OFFSET) == 0;
	return known;
}

/* What is written and not known, beside the entries of the plan, which speak for themselves. */
static void doubt_gpt(struct vk_table_plan *plan, const struct vk_gpt_header *before, const bool rewritten[VK_TP_COUNT])
{
	const struct vk_gpt_judgement *gpt = &plan->gpt;
	const struct vk_gpt_header *h = &plan->image.header;
	bool counts = judged_counts(plan), captured = captured_header(plan), any = false;

	for (int i = 0; i < VK_TP_COUNT; i++)
		any = any || rewritten[i];
	if (!any)
		return;
	if (rewritten[VK_TP_MBR] && !protection_known(plan, counts ? gpt->mbr_from_sectors : 0))
		vk_table_doubt(
			plan,
			"sector 0: type, first sector and signature of the protective MBR are known; %sthe rest of "
			"its entry (length, heads and sectors) gets the usual values, and other entries that make no "
			"sense are removed",
			plan->mbr.readable ? "" : "boot code and disk signature become zeros, and ");
	if (!captured && (!counts || !gpt->header_exact || !gpt->usable_known))
		vk_table_doubt(plan,
			       "the usable range (sectors %llu to %llu) and the number of entries (%u) of the GPT are "
			       "the usual ones",
			       (ull)h->firstUsableLBA, (ull)h->lastUsableLBA, h->numEntries);
	else if (!captured && !gpt->places_known)
		vk_table_doubt(plan,
			       "where the entries of the GPT lay is not known: they are written to the usual place");
	if (counts && !captured &&
	    (h->firstUsableLBA != before->firstUsableLBA || h->lastUsableLBA != before->lastUsableLBA))
		vk_table_doubt(
			plan,
			"the usable range of the GPT becomes sectors %llu to %llu, so that it holds all partitions",
			(ull)h->firstUsableLBA, (ull)h->lastUsableLBA);
	if (counts && gpt->disputed)
		vk_table_doubt(
			plan, "there are two different whole tables, and nothing proves which is newer: %s",
			gpt->why_right);
	if (!counts && !captured)
		vk_table_doubt(plan, "nothing of a GPT is left: the bytes in the places of its other entries are "
				     "overwritten");
	if (counts && !captured && !vk_gpt_proof_exact(gpt->proof))
		vk_table_doubt(plan, "no checksum proves the entries of the GPT as a whole");
	if (counts && !captured && !gpt->header_exact && !plan->out->disk_guid_fresh)
		vk_table_doubt(plan, "the GUID of the disk comes from damaged headers, and nothing proves it");
}

enum vk_status vk_table_put_gpt(struct vk_table_plan *plan, struct vk_error *err)
{
	struct vk_rebuild_table *out = plan->out;
	const struct vk_gpt_header before = plan->image.header;
	bool rewritten[VK_TP_COUNT] = {false};
	unsigned most = before.numEntries, extended = 0;
	enum vk_status status = vk_table_number(plan, most, &extended, SIZE_MAX, err);

	for (size_t i = 0; i < plan->count && status == VK_OK; i++) {
		if (plan->items[i].entry.partition.number == 0)
			return vk_error_set(err, VK_USAGE, plan->source->path,
					    "the GPT has room for %u partitions, and there are %zu", most, plan->count);
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
