/* SPDX-License-Identifier: Apache-2.0 */
/* The pieces of a plan into a bundle, byte for byte or redacted. */
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/memory.h"
#include "bundle/redact.h"
#include "vmfskit/directory.h"

/* Where a part of a folder lies. */
struct part {
	uint64_t volume_offset, length_bytes, file_offset;
	uint32_t volume, owner;
};
struct redacting {
	const struct vk_bundle_plan *plan;
	struct vk_redact redact;
	const struct vk_bundle_piece *piece; /* that is copied */
	struct part *parts;                  /* sorted by volume and offset */
	size_t part_count;
	struct vk_fs_file *file;             /* the folder that was looked at last */
	uint32_t file_volume;
};

static int by_place(const void *a, const void *b)
{
	const struct part *x = a, *y = b;

	if (x->volume != y->volume)
		return x->volume < y->volume ? -1 : 1;
	return x->volume_offset < y->volume_offset ? -1 : x->volume_offset > y->volume_offset;
}

static int by_owner(const void *a, const void *b)
{
	const struct part *x = a, *y = b;

	if (x->volume != y->volume)
		return x->volume < y->volume ? -1 : 1;
	return x->owner < y->owner ? -1 : x->owner > y->owner;
}

static enum vk_status open_folder(struct redacting *r, uint32_t volume, uint32_t owner, struct vk_error *err)
{
	enum vk_status status = VK_OK;

	if (r->file != NULL && r->file_volume == volume && r->file->address == owner)
		return VK_OK;
	vk_fs_file_close(r->file);
	r->file = NULL;
	r->file_volume = volume;
	status = vk_fs_file_open(r->plan->volumes[volume].fs, owner, NULL, &r->file, err);
	if (status != VK_OK)
		r->file = NULL;
	/* of one that cannot be opened nothing is kept */
	return status == VK_NOMEM || status == VK_IO ? status : VK_OK;
}

static enum vk_status add_parts(struct redacting *r, uint32_t volume, uint32_t owner, struct vk_error *err)
{
	struct vk_fs_walk *walk;
	struct vk_fs_run run;
	enum vk_status status = open_folder(r, volume, owner, err);

	if (status != VK_OK || r->file == NULL)
		return status;
	status = vk_fs_walk_open(r->plan->volumes[volume].fs, r->file, 0, UINT64_MAX, NULL, &walk, err);
	if (status != VK_OK)
		return status == VK_NOMEM || status == VK_IO ? status : VK_OK;
	while (status == VK_OK && vk_fs_walk_next(walk, &run)) {
		const struct part part = {run.volume_offset, run.length_bytes, run.file_offset, volume, owner};

		if (run.kind == VK_RUN_DATA && vk_append(&r->parts, &r->part_count, &part, sizeof(part)) == NULL)
			status = vk_no_memory(err, NULL);
	}
	vk_fs_walk_close(walk);
	return status;
}

/* Where all folders lie, each walked once. */
static enum vk_status find_parts(struct redacting *r, struct vk_error *err)
{
	struct part *owners = NULL;
	size_t count = 0;
	enum vk_status status = VK_OK;

	for (size_t i = 0; i < r->plan->piece_count && status == VK_OK; i++) {
		const struct vk_bundle_piece *p = &r->plan->pieces[i];
		const struct part owner = {.volume = p->volume, .owner = p->owner};

		if (p->kind == VK_METADATA_FOLDERS && vk_append(&owners, &count, &owner, sizeof(owner)) == NULL)
			status = vk_no_memory(err, NULL);
	}
	if (count > 0)
		qsort(owners, count, sizeof(*owners), by_owner);
	for (size_t i = 0; i < count && status == VK_OK; i++)
		if (i == 0 || by_owner(&owners[i - 1], &owners[i]) != 0)
			status = add_parts(r, owners[i].volume, owners[i].owner, err);
	free(owners);
	if (r->part_count > 0)
		qsort(r->parts, r->part_count, sizeof(*r->parts), by_place);
	return status;
}

/* The part that holds a place, or the next one of the volume; NULL: there is none. */
static const struct part *find_part(const struct redacting *r, uint32_t volume, uint64_t at)
{
	size_t low = 0, high = r->part_count;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;
		const struct part *p = &r->parts[middle];

		if (p->volume < volume || (p->volume == volume && p->volume_offset + p->length_bytes <= at))
			low = middle + 1;
		else
			high = middle;
	}
	return low < r->part_count && r->parts[low].volume == volume ? &r->parts[low] : NULL;
}

/* Entries have 140 bytes, so some lie in two blocks: each is read as a whole. */
static enum vk_status change_entries(struct redacting *r, const struct part *part, uint64_t file_offset, uint8_t *bytes,
				     size_t len, struct vk_error *err)
{
	enum vk_status status = open_folder(r, part->volume, part->owner, err);

	for (size_t done = 0, n; done < len && status == VK_OK; done += n) {
		const uint64_t at = file_offset + done, skip = at % VK_DIR_ENTRY_BYTES;
		uint8_t entry[VK_DIR_ENTRY_BYTES];
		size_t got = 0;

		n = (size_t)vk_min_u64(VK_DIR_ENTRY_BYTES - skip, len - done);
		if (r->file != NULL)
			status = vk_fs_read(r->plan->volumes[part->volume].fs, r->file, at - skip, entry,
					    sizeof(entry), &got, err);
		memset(entry + got, 0, sizeof(entry) - got);
		if (got < sizeof(entry))
			memset(entry, 0, sizeof(entry));
		vk_redact_entries(&r->redact, entry, sizeof(entry));
		memcpy(bytes + done, entry + skip, n);
		if (status == VK_ABSENT || status == VK_DAMAGED)
			status = VK_OK;
	}
	return status;
}

static enum vk_status change_folder(struct redacting *r, uint64_t volume_offset, uint8_t *bytes, size_t len,
				    struct vk_error *err)
{
	const uint32_t volume = r->piece->volume;
	const struct vk_fs_info *info = vk_fs_info(r->plan->volumes[volume].fs);
	enum vk_status status = VK_OK;

	for (size_t done = 0, n; done < len && status == VK_OK; done += n) {
		const uint64_t at = volume_offset + done;
		const struct part *part = find_part(r, volume, at);

		n = len - done;
		if (part == NULL || part->volume_offset > at) {
			n = part != NULL ? (size_t)vk_min_u64(n, part->volume_offset - at) : n;
			memset(bytes + done, 0, n);
			continue;
		}
		n = (size_t)vk_min_u64(n, part->volume_offset + part->length_bytes - at);
		if (info->vmfs6)
			vk_redact_folder6(&r->redact, part->file_offset + at - part->volume_offset, bytes + done, n,
					  info->md_alignment);
		else
			status = change_entries(r, part, part->file_offset + at - part->volume_offset, bytes + done, n,
						err);
	}
	return status;
}

/* Structures of one length, from the beginning of the piece on; what is not whole becomes zeros. */
static void change_descriptors(struct redacting *r, uint64_t inside, uint8_t *bytes, size_t len)
{
	const struct vk_fs_info *info = vk_fs_info(r->plan->volumes[r->piece->volume].fs);
	const size_t unit = info->fd.fd_bytes;

	for (size_t done = 0, n; done < len; done += n) {
		const size_t skip = (size_t)((inside + done) % unit);

		n = (size_t)vk_min_u64(unit - skip, len - done);
		if (n == unit)
			(void)vk_redact_descriptor(&r->redact, info, bytes + done);
		else
			memset(bytes + done, 0, n);
	}
}

static void change_heartbeats(uint64_t inside, uint8_t *bytes, size_t len)
{
	enum { SECTOR = 512 };

	for (size_t done = 0, n; done < len; done += n) {
		const size_t skip = (size_t)((inside + done) % SECTOR);

		n = (size_t)vk_min_u64(SECTOR - skip, len - done);
		if (n == SECTOR)
			vk_redact_heartbeat(bytes + done);
		else
			memset(bytes + done, 0, n);
	}
}

static enum vk_status change(void *ctx, uint64_t offset, uint8_t *bytes, size_t len, struct vk_error *err)
{
	struct redacting *r = ctx;
	const uint64_t inside = offset - r->piece->offset_bytes;
	enum vk_status status = VK_OK;

	if (r->piece->kind == VK_METADATA_FOLDERS)
		status = change_folder(r, r->piece->volume_offset + inside, bytes, len, err);
	else if (r->piece->kind == VK_METADATA_DESCRIPTORS)
		change_descriptors(r, inside, bytes, len);
	else if (r->piece->kind == VK_METADATA_HEARTBEATS)
		change_heartbeats(inside, bytes, len);
	if (status == VK_OK && r->redact.failed)
		return vk_error_set(err, VK_INTERNAL, r->plan->source->path, "a name cannot be hashed");
	return status;
}

/* Whole descriptors, each without the contents in it: zeros would be taken for these. */
static enum vk_status add_descriptors(struct redacting *r, struct vk_bundle_writer *writer, uint64_t at, uint8_t *bytes,
				      size_t len, struct vk_error *err)
{
	const struct vk_fs_info *info = vk_fs_info(r->plan->volumes[r->piece->volume].fs);
	enum vk_status status = VK_OK;

	for (size_t done = 0; done < len && status == VK_OK; done += info->fd.fd_bytes) {
		const size_t kept = vk_redact_descriptor(&r->redact, info, bytes + done);

		status = vk_bundle_add(writer, at + done, bytes + done, kept, err);
	}
	return status;
}

static enum vk_status copy_descriptors(struct redacting *r, struct vk_bundle_writer *writer, struct vk_error *err)
{
	const uint32_t unit = vk_fs_info(r->plan->volumes[r->piece->volume].fs)->fd.fd_bytes;
	uint8_t *bytes = malloc(VK_BUNDLE_FRAME_BYTES);
	enum vk_status status = bytes != NULL ? VK_OK : vk_no_memory(err, NULL);
	struct vk_io *io = r->plan->source->io;

	for (uint64_t done = 0; done < r->piece->length_bytes && status == VK_OK;) {
		const uint64_t at = r->piece->offset_bytes + done;
		const size_t n = (size_t)vk_min_u64(r->piece->length_bytes - done, VK_BUNDLE_FRAME_BYTES / unit * unit);
		size_t got = 0;

		status = vk_io_read(io, at, bytes, n, &got, err);
		if (status == VK_OK && got == n && n % unit == 0)
			status = add_descriptors(r, writer, at, bytes, n, err);
		else if (status == VK_OK)
			status = vk_bundle_copy(writer, io, at, n, change, r, err);
		done += n;
	}
	free(bytes);
	return status;
}

enum vk_status vk_bundle_write(const struct vk_bundle_plan *plan, struct vk_bundle_writer *writer,
			       const uint8_t key[VK_REDACT_KEY_BYTES], struct vk_error *err)
{
	struct redacting r = {.plan = plan, .redact = {.key = key}};
	enum vk_status status = key != NULL ? find_parts(&r, err) : VK_OK;

	for (size_t i = 0; i < plan->piece_count && status == VK_OK; i++) {
		r.piece = &plan->pieces[i];
		status = key != NULL && r.piece->kind == VK_METADATA_DESCRIPTORS
				 ? copy_descriptors(&r, writer, err)
				 : vk_bundle_copy(writer, plan->source->io, r.piece->offset_bytes,
						  r.piece->length_bytes, key != NULL ? change : NULL, &r, err);
	}
	vk_fs_file_close(r.file);
	free(r.parts);
	return status;
}
