/* SPDX-License-Identifier: Apache-2.0 */
/* manifest.json: read, and what was understood written again must be read as the same. */
#include <stdlib.h>

#include "fuzz.h"
#include "store/manifest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vk_findings findings = {0};
	struct vk_finding_sink sink = vk_findings_sink(&findings);
	struct vk_manifest manifest;
	struct vk_manifest again;
	struct vk_error err;
	bool canonical = false;
	char *text = NULL;
	char *sums;
	char *restore;
	size_t len = 0;

	if (vk_manifest_read((const char *)data, size, "fuzz", &manifest, &canonical, &err) != VK_OK)
		return 0;
	for (size_t i = 0; i < manifest.capture.region_count; i++) {
		const struct vk_region *r = &manifest.capture.regions[i];

		FUZZ_ASSERT(vk_file_name_plain(r->file));
		FUZZ_ASSERT(vk_sha256_text(r->sha256));
		FUZZ_ASSERT(r->offset_bytes <= UINT64_MAX - r->length_bytes);
	}
	vk_manifest_check_ranges(&manifest.capture, &sink);
	sums = vk_sums_text(&manifest, manifest.restore_sha256);
	restore = vk_restore_text(&manifest.capture);
	if (vk_manifest_write(&manifest, &text, &len, &err) == VK_OK) {
		if (vk_manifest_read(text, len, "again", &again, &canonical, &err) == VK_OK) {
			FUZZ_ASSERT(canonical);
			FUZZ_ASSERT(again.capture.region_count == manifest.capture.region_count);
			vk_manifest_free(&again);
		}
	}
	free(text);
	free(sums);
	free(restore);
	vk_findings_free(&findings);
	vk_manifest_free(&manifest);
	return 0;
}
