/* SPDX-License-Identifier: Apache-2.0 */
/* SHA256SUMS, in the form that sha256sum writes and checks. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/folder.h"
#include "store/manifest.h"

struct line {
	const char *file;
	const char *sha256;
};

static int compare_lines(const void *a, const void *b)
{
	const struct line *x = a;
	const struct line *y = b;

	return strcmp(x->file, y->file);
}

char *vk_sums_text(const struct vk_manifest *manifest, const char *manifest_sha256)
{
	const struct vk_capture *c = &manifest->capture;
	size_t count = c->region_count + 2;
	struct line *lines = calloc(count, sizeof(*lines));
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	if (lines == NULL || out == NULL) {
		free(lines);
		if (out != NULL)
			fclose(out);
		free(text);
		return NULL;
	}
	for (size_t i = 0; i < c->region_count; i++) {
		lines[i].file = c->regions[i].file;
		lines[i].sha256 = c->regions[i].sha256;
	}
	lines[count - 2].file = VK_RESTORE_FILE;
	lines[count - 2].sha256 = manifest->restore_sha256;
	lines[count - 1].file = VK_MANIFEST_FILE;
	lines[count - 1].sha256 = manifest_sha256;
	qsort(lines, count, sizeof(*lines), compare_lines);
	for (size_t i = 0; i < count; i++)
		fprintf(out, "%s  %s\n", lines[i].sha256, lines[i].file);
	free(lines);
	if (fclose(out) != 0) {
		free(text);
		return NULL;
	}
	return text;
}
