/* SPDX-License-Identifier: Apache-2.0 */
/* A whole GPT onto an overlay: backup, primary, sector 0. What already stands right is left alone. */
#include <string.h>

#include "io/write_class.h"
#include "rebuild/table/plan.h"

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

/* What counts of one part; behind it the sector keeps what it holds. */
static enum vk_status lay_part(const struct vk_gpt_image *image, struct vk_overlay *overlay, enum vk_table_part part,
			       uint64_t lba, const uint8_t *bytes, size_t len, bool *changed, struct vk_error *err)
{
	static const struct {
		const char *reason;
		unsigned write_class;
	} parts[VK_TP_COUNT] = {
		[VK_TP_MBR] = {"protective MBR", VK_WRITE_MBR},
		[VK_TP_PRIMARY_HEADER] = {"primary GPT header", VK_WRITE_GPT_PRIMARY},
		[VK_TP_PRIMARY_ARRAY] = {"primary GPT entries", VK_WRITE_GPT_PRIMARY},
		[VK_TP_BACKUP_ARRAY] = {"backup GPT entries", VK_WRITE_GPT_BACKUP},
		[VK_TP_BACKUP_HEADER] = {"backup GPT header", VK_WRITE_GPT_BACKUP},
	};

	return vk_overlay_lay(overlay, lba * image->sector_size, bytes, len, parts[part].reason,
			      parts[part].write_class, &changed[part], err);
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

/* Array and header of one copy. */
static enum vk_status put_copy(const struct vk_gpt_image *image, struct vk_overlay *overlay, bool primary,
			       bool changed[VK_TP_COUNT], struct vk_error *err)
{
	uint64_t lba = primary ? 1 : image->header.alternateLBA;
	uint8_t sector[4096], now[4096];
	size_t got, len = make_header(image, primary, sector);
	enum vk_status status = lay_part(image, overlay, primary ? VK_TP_PRIMARY_ARRAY : VK_TP_BACKUP_ARRAY,
					 primary ? image->header.entriesLBA : image->backup_array_lba, image->array,
					 vk_gpt_entries_bytes(&image->header), changed, err);

	if (status == VK_OK)
		status = vk_io_read(vk_overlay_io(overlay), lba * image->sector_size, now, image->sector_size, &got,
				    err);
	/* no checksum covers what stands behind a header: it stays as it is */
	if (status != VK_OK || (got == image->sector_size && memcmp(now, sector, len) == 0))
		return status;
	return lay_part(image, overlay, primary ? VK_TP_PRIMARY_HEADER : VK_TP_BACKUP_HEADER, lba, sector, len, changed,
			err);
}

enum vk_status vk_gpt_put(const struct vk_gpt_image *image, struct vk_overlay *overlay, bool *ret_rewritten,
			  struct vk_error *err)
{
	bool changed[VK_TP_COUNT] = {false};
	uint8_t now[VK_MBR_BYTES], mbr[VK_MBR_BYTES];
	size_t got = 0;
	enum vk_status status = check_places(image, overlay, err);
	char problem[160];

	if (status == VK_OK && vk_gpt_entries_problem(&image->header, image->array, problem, sizeof(problem)))
		status = refuse(overlay, err, problem);
	/* the backup first, so that one copy always stands */
	for (int primary = 0; primary < 2 && status == VK_OK; primary++)
		status = put_copy(image, overlay, primary == 1, changed, err);
	if (status == VK_OK)
		status = vk_io_read(vk_overlay_io(overlay), 0, now, sizeof(now), &got, err);
	if (status != VK_OK)
		return status;
	(void)vk_gpt_protective_mbr(got == sizeof(now) ? now : NULL, image->disk_sectors, 0, mbr);
	status = lay_part(image, overlay, VK_TP_MBR, 0, mbr, sizeof(mbr), changed, err);
	if (status == VK_OK && ret_rewritten != NULL)
		memcpy(ret_rewritten, changed, sizeof(changed));
	return status;
}
