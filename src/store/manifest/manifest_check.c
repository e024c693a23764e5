/* SPDX-License-Identifier: Apache-2.0 */
/* Names and ranges of a manifest, judged. */
#include <string.h>

#include "base/checked.h"
#include "store/folder/folder.h"
#include "store/manifest/manifest.h"

bool vk_file_name_plain(const char *name)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";

	return name[0] != '\0' && name[0] != '.' && name[0] != '-' &&
	       strspn(name, plain) == strlen(name) && strcmp(name, VK_MANIFEST_FILE) != 0 &&
	       strcmp(name, VK_SUMS_FILE) != 0 && strcmp(name, VK_RESTORE_FILE) != 0 &&
	       strcmp(name, VK_MD5SUMS_FILE) != 0 && strcmp(name, VK_SIGNATURE_FILE) != 0;
}

static void put_range(const struct vk_finding_sink *sink, const struct vk_region *region,
		      const char *what, const char *other)
{
	struct vk_finding finding;

	vk_finding_init(&finding, VK_F_CAPTURE_RANGE, region->offset_bytes, region->length_bytes,
			"region %s %s%s", region->file, what, other);
	vk_finding_put(sink, &finding);
}

bool vk_manifest_check_ranges(const struct vk_capture *capture, const struct vk_finding_sink *sink)
{
	bool sound = true;
	uint64_t last_end = 0;

	for (size_t i = 0; i < capture->region_count; i++) {
		const struct vk_region *region = &capture->regions[i];
		uint64_t end = vk_add_sat(region->offset_bytes, region->length_bytes);

		if (end > capture->size_bytes) {
			put_range(sink, region, "reaches past the end of the disk", "");
			sound = false;
		}
		if (i > 0 && region->offset_bytes < capture->regions[i - 1].offset_bytes) {
			put_range(sink, region, "is out of order behind ",
				  capture->regions[i - 1].file);
			sound = false;
		} else if (region->offset_bytes < last_end) {
			put_range(sink, region, "overlaps ", capture->regions[i - 1].file);
			sound = false;
		}
		last_end = vk_max_u64(last_end, end);
	}
	return sound;
}
