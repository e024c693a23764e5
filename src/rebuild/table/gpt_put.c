/* SPDX-License-Identifier: Apache-2.0 */
/* A whole GPT onto an overlay: backup, primary, sector 0. What already stands right is left alone. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/checked.h"
#include "io/write_class.h"
#include "rebuild/table/gpt_put.h"

static enum vk_status refuse(struct vk_overlay *overlay, struct vk_error *err, const char *why)
{
	return vk_error_set(err, VK_USAGE, vk_io_name(vk_overlay_io(overlay)), "%s", why);
}

/* Header, array, usable sectors, array, header: in this order and apart. */
static enum vk_status check_places(const struct vk_gpt_image *image, struct vk_overlay *overlay, struct vk_error *err)
{
	const struct vk_gpt_header *h = &image->header;
	uint64_t bytes = vk_io_size_bytes(vk_overlay_io(overlay));
	uint64_t sectors = vk_gpt_entries_sectors(h, image->sector_size);

	if (vk_gpt_entries_bytes(h) == 0 || h->headerSize < VK_GPT_HEADER_BYTES || h->headerSize > image->sector_size)
		return refuse(overlay, err, "the numbers of this GPT make no sense");
	if (image->disk_sectors != bytes / image->sector_size)
		return refuse(overlay, err, "the GPT is meant for a disk of another size");
	/* whole sectors are written; what ends inside one cannot hold the copy at its end */
	if (bytes % vk_io_sector_size(vk_overlay_io(overlay)) >= image->sector_size)
		return refuse(overlay, err, "the disk ends inside a sector, where the copy of the GPT would lie");
	if (h->alternateLBA != image->disk_sectors - 1 || h->entriesLBA < 2 ||
	    vk_add_sat(h->entriesLBA, sectors) > h->firstUsableLBA || h->firstUsableLBA > h->lastUsableLBA ||
	    h->lastUsableLBA >= image->backup_array_lba ||
	    vk_add_sat(image->backup_array_lba, sectors) > h->alternateLBA)
		return refuse(overlay, err, "the parts of this GPT would lie over each other");
	return VK_OK;
}

static const char *const reasons[VK_TP_COUNT] = {
	"protective MBR", "primary GPT header", "primary GPT entries", "backup GPT entries", "backup GPT header", "",
};

/* What counts of one part; behind it the sector keeps what it holds. */
static enum vk_status lay_part(const struct vk_gpt_image *image, struct vk_overlay *overlay, enum vk_table_part part,
			       uint64_t lba, const uint8_t *bytes, size_t len, bool *ret_changed, struct vk_error *err)
{
	unsigned write_class = part == VK_TP_MBR                                           ? VK_WRITE_MBR
			       : part == VK_TP_BACKUP_ARRAY || part == VK_TP_BACKUP_HEADER ? VK_WRITE_GPT_BACKUP
											   : VK_WRITE_GPT_PRIMARY;

	return vk_overlay_lay(overlay, lba * image->sector_size, bytes, len, reasons[part], write_class, ret_changed,
			      err);
}

/* The header of one copy, sealed; how long it is. */
static size_t make_header(const struct vk_gpt_image *image, bool primary, uint8_t *ret_sector)
{
	struct vk_gpt_header h = image->header;

	memcpy(ret_sector, image->sector, image->sector_size);
	h.myLBA = primary ? 1 : image->header.alternateLBA;
	h.alternateLBA = primary ? image->header.alternateLBA : 1;
	h.entriesLBA = primary ? image->header.entriesLBA : image->backup_array_lba;
	vk_gpt_header_encode(&h, ret_sector, image->sector_size);
	/* its numbers were checked */
	(void)vk_gpt_seal(ret_sector, image->sector_size, image->array);
	return h.headerSize;
}

static enum vk_status put_header(const struct vk_gpt_image *image, struct vk_overlay *overlay, bool primary,
				 bool *ret_changed, struct vk_error *err)
{
	uint64_t lba = primary ? 1 : image->header.alternateLBA;
	uint8_t *sector = malloc(image->sector_size);
	uint8_t now[4096];
	enum vk_status status;
	size_t got, len;

	if (sector == NULL)
		return vk_no_memory(err, NULL);
	len = make_header(image, primary, sector);
	status = vk_io_read(vk_overlay_io(overlay), lba * image->sector_size, now, image->sector_size, &got, err);
	/* no checksum covers what stands behind a header: it stays as it is */
	if (status == VK_OK && (got < image->sector_size || memcmp(now, sector, len) != 0))
		status = lay_part(image, overlay, primary ? VK_TP_PRIMARY_HEADER : VK_TP_BACKUP_HEADER, lba, sector,
				  len, ret_changed, err);
	free(sector);
	return status;
}

/* Array and header of one copy. */
static enum vk_status put_copy(const struct vk_gpt_image *image, struct vk_overlay *overlay, bool primary,
			       bool changed[VK_TP_COUNT], struct vk_error *err)
{
	enum vk_table_part array = primary ? VK_TP_PRIMARY_ARRAY : VK_TP_BACKUP_ARRAY;
	enum vk_status status = lay_part(image, overlay, array,
					 primary ? image->header.entriesLBA : image->backup_array_lba, image->array,
					 vk_gpt_entries_bytes(&image->header), &changed[array], err);

	if (status != VK_OK)
		return status;
	return put_header(image, overlay, primary, &changed[primary ? VK_TP_PRIMARY_HEADER : VK_TP_BACKUP_HEADER], err);
}

static enum vk_status put_mbr(const struct vk_gpt_image *image, struct vk_overlay *overlay, bool *ret_changed,
			      struct vk_error *err)
{
	uint8_t now[VK_MBR_BYTES], mbr[VK_MBR_BYTES];
	size_t got;
	enum vk_status status = vk_io_read(vk_overlay_io(overlay), 0, now, sizeof(now), &got, err);

	if (status != VK_OK)
		return status;
	(void)vk_gpt_protective_mbr(got == sizeof(now) ? now : NULL, image->disk_sectors, 0, mbr);
	return lay_part(image, overlay, VK_TP_MBR, 0, mbr, sizeof(mbr), ret_changed, err);
}

enum vk_status vk_gpt_put(const struct vk_gpt_image *image, struct vk_overlay *overlay, bool *ret_rewritten,
			  struct vk_error *err)
{
	bool changed[VK_TP_COUNT] = {false};
	enum vk_status status = check_places(image, overlay, err);
	char problem[160];

	if (status == VK_OK && vk_gpt_entries_problem(&image->header, image->array, problem, sizeof(problem)))
		status = refuse(overlay, err, problem);
	/* the backup first, so that one copy always stands */
	for (int primary = 0; primary < 2 && status == VK_OK; primary++)
		status = put_copy(image, overlay, primary == 1, changed, err);
	if (status == VK_OK)
		status = put_mbr(image, overlay, &changed[VK_TP_MBR], err);
	if (status == VK_OK && ret_rewritten != NULL)
		memcpy(ret_rewritten, changed, sizeof(changed));
	return status;
}
