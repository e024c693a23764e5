/* SPDX-License-Identifier: Apache-2.0 */
/* SHA256SUMS and MD5SUMS, in the form that sha256sum and md5sum write and check. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/folder/digest.h"
#include "store/folder/folder.h"
#include "store/manifest/manifest.h"

struct line {
	const char *file;
	const char *digest;
};

static int compare_lines(const void *a, const void *b)
{
	const struct line *x = a;
	const struct line *y = b;

	return strcmp(x->file, y->file);
}

/* The text of these lines, which are freed; NULL when memory ran out, also for them. */
static char *text_of(struct line *lines, size_t count)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = lines != NULL ? open_memstream(&text, &len) : NULL;

	if (out == NULL) {
		free(lines);
		return NULL;
	}
	qsort(lines, count, sizeof(*lines), compare_lines);
	for (size_t i = 0; i < count; i++)
		fprintf(out, "%s  %s\n", lines[i].digest, lines[i].file);
	free(lines);
	if (fclose(out) != 0) {
		free(text);
		return NULL;
	}
	return text;
}

bool vk_capture_has_md5(const struct vk_capture *capture)
{
	for (size_t i = 0; i < capture->region_count; i++)
		if (capture->regions[i].md5[0] != '\0')
			return true;
	return false;
}

char *vk_md5sums_text(const struct vk_capture *capture)
{
	struct line *lines = calloc(capture->region_count + 1, sizeof(*lines));
	size_t count = 0;

	for (size_t i = 0; i < capture->region_count && lines != NULL; i++)
		if (capture->regions[i].md5[0] != '\0')
			lines[count++] = (struct line){capture->regions[i].file, capture->regions[i].md5};
	return text_of(lines, count);
}

char *vk_sums_text(const struct vk_manifest *manifest, const struct vk_sums *sums)
{
	const struct vk_capture *c = &manifest->capture;
	struct line *lines = calloc(c->region_count + c->map_count + c->metadata_count + 4, sizeof(*lines));
	char *md5sums = vk_capture_has_md5(c) ? vk_md5sums_text(c) : NULL;
	char md5sums_sha256[VK_SHA256_HEX_BYTES];
	size_t count = 0;
	bool sound = lines != NULL && (!vk_capture_has_md5(c) ||
		      (md5sums != NULL && vk_digest_bytes(md5sums, strlen(md5sums), md5sums_sha256)));

	free(md5sums);
	if (!sound) {
		free(lines);
		return NULL;
	}
	for (size_t i = 0; i < c->region_count; i++)
		lines[count++] = (struct line){c->regions[i].file, c->regions[i].sha256};
	for (size_t i = 0; i < c->map_count; i++)
		lines[count++] = (struct line){c->maps[i].file, c->maps[i].sha256};
	for (size_t i = 0; i < c->metadata_count; i++)
		lines[count++] = (struct line){c->metadata[i].file, c->metadata[i].sha256};
	lines[count++] = (struct line){VK_RESTORE_FILE, manifest->restore_sha256};
	lines[count++] = (struct line){VK_MANIFEST_FILE, sums->manifest_sha256};
	if (sums->signature_sha256 != NULL)
		lines[count++] = (struct line){VK_SIGNATURE_FILE, sums->signature_sha256};
	if (vk_capture_has_md5(c))
		lines[count++] = (struct line){VK_MD5SUMS_FILE, md5sums_sha256};
	return text_of(lines, count);
}
