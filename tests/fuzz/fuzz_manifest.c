/* SPDX-License-Identifier: Apache-2.0 */
/* The manifest of a capture: whatever is accepted can be written, read again, judged and told of. */
#include "fuzz.h"
#include "store/folder/digest.h"
#include "store/manifest/manifest.h"

static void check_texts(const struct vk_capture *c)
{
	fuzz_text(c->id, sizeof(c->id));
	fuzz_text(c->undo_of, sizeof(c->undo_of));
	fuzz_text(c->host, sizeof(c->host));
	fuzz_text(c->time, sizeof(c->time));
	fuzz_text(c->version, sizeof(c->version));
	fuzz_text(c->user, sizeof(c->user));
	fuzz_text(c->ended, sizeof(c->ended));
	FUZZ_ASSERT(c->signer[0] == '\0' || vk_sha256_text(c->signer));
	fuzz_text(c->source_path, sizeof(c->source_path));
	fuzz_text(c->disk_serial, sizeof(c->disk_serial));
	FUZZ_ASSERT(c->sector_size == 512 || c->sector_size == 4096);
	for (size_t i = 0; i < c->identity_count; i++) {
		fuzz_text(c->identities[i].disk_id, sizeof(c->identities[i].disk_id));
		fuzz_text(c->identities[i].fs_label, sizeof(c->identities[i].fs_label));
		fuzz_text(c->identities[i].fs_uuid, sizeof(c->identities[i].fs_uuid));
	}
	for (size_t i = 0; i < c->region_count; i++) {
		fuzz_text(c->regions[i].file, sizeof(c->regions[i].file));
		FUZZ_ASSERT(strchr(c->regions[i].file, '/') == NULL && c->regions[i].file[0] != '.');
		FUZZ_ASSERT(c->regions[i].length_bytes > 0);
		FUZZ_ASSERT(c->regions[i].length_bytes <= VK_REGION_MAX_BYTES);
		FUZZ_ASSERT(vk_sha256_text(c->regions[i].sha256));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vk_manifest manifest;
	struct vk_manifest again;
	struct vk_error err = {.status = VK_OK};
	struct fuzz_count count;
	const struct vk_finding_sink sink = fuzz_sink(&count);
	bool canonical = false;
	struct vk_sums sums;
	char *text;
	size_t len;

	if (vk_manifest_read((const char *)data, size, "here", &manifest, &canonical, &err) != VK_OK) {
		FUZZ_ASSERT(err.what[0] != '\0');
		fuzz_text(err.what, sizeof(err.what));
		return 0;
	}
	check_texts(&manifest.capture);
	FUZZ_ASSERT(vk_manifest_check_ranges(&manifest.capture, &sink) == (count.count == 0));
	FUZZ_ASSERT(vk_manifest_write(&manifest, &text, &len, &err) == VK_OK);
	FUZZ_ASSERT(vk_manifest_read(text, len, "here", &again, &canonical, &err) == VK_OK);
	FUZZ_ASSERT(canonical);
	FUZZ_ASSERT(again.capture.region_count == manifest.capture.region_count);
	free(text);
	sums.manifest_sha256 = again.restore_sha256;
	sums.signature_sha256 = again.capture.signer[0] != '\0' ? again.capture.signer : NULL;
	text = vk_sums_text(&again, &sums);
	FUZZ_ASSERT(text != NULL && strlen(text) > 2 * 64);
	free(text);
	text = vk_restore_text(&again.capture);
	FUZZ_ASSERT(text != NULL && strlen(text) > 100);
	free(text);
	vk_manifest_free(&again);
	vk_manifest_free(&manifest);
	return 0;
}
