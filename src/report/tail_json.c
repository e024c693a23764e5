/* SPDX-License-Identifier: Apache-2.0 */
/* The backup GPT at the end of an image, for scripts. Its sectors are those of the disk whose end the image is. */
#include "report/report.h"

json_t *vk_report_tail_json(const struct vk_tail_gpt *tail, json_t *table)
{
	const struct vk_gpt_header *h = &tail->table.gpt[1].header;
	char guid[VK_GUID_TEXT_BYTES];

	vk_guid_format(&h->diskGUID, guid);
	/* a sound copy: its sectors lie on a disk whose bytes can be counted */
	return json_pack("{s:I,s:I,s:I,s:I,s:I,s:s,s:o}", "first_sector", (json_int_t)tail->first_sector, "disk_sectors",
			 (json_int_t)tail->table.disk_sectors, "sector_size", (json_int_t)tail->table.sector_size,
			 "first_usable_sector", (json_int_t)h->firstUsableLBA, "last_usable_sector", (json_int_t)h->lastUsableLBA,
			 "disk_guid", guid, "table", table);
}
