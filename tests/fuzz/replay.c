/* SPDX-License-Identifier: Apache-2.0 */
/* Feeds every file of a folder to a fuzz entry, so that the corpora run in the ordinary check too. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay(const char *path)
{
	FILE *f = fopen(path, "rb");
	uint8_t *bytes = NULL;
	long len = -1;

	if (f != NULL && fseek(f, 0, SEEK_END) == 0)
		len = ftell(f);
	/* exactly as long as the input: a sanitizer sees one byte too many */
	if (len >= 0)
		bytes = malloc(len > 0 ? (size_t)len : 1);
	if (bytes == NULL || fseek(f, 0, SEEK_SET) != 0 || fread(bytes, 1, (size_t)len, f) != (size_t)len) {
		fprintf(stderr, "%s: cannot be read\n", path);
		free(bytes);
		if (f != NULL)
			fclose(f);
		return 1;
	}
	fclose(f);
	fprintf(stderr, "%s\n", path); /* the last one named is the one that crashed */
	LLVMFuzzerTestOneInput(bytes, (size_t)len);
	free(bytes);
	return 0;
}

int main(int argc, char **argv)
{
	struct dirent **files = NULL;
	int count = argc == 2 ? scandir(argv[1], &files, NULL, alphasort) : -1;
	unsigned inputs = 0;
	int bad = 0;

	for (int i = 0; i < count; i++) {
		char path[4096];

		if (files[i]->d_name[0] != '.') {
			snprintf(path, sizeof(path), "%s/%s", argv[1], files[i]->d_name);
			bad |= replay(path);
			inputs++;
		}
		free(files[i]);
	}
	free(files);
	/* a corpus that is not there tests nothing */
	printf("%s - %u inputs of %s\n", bad == 0 && inputs > 0 ? "ok" : "not ok", inputs,
	       argc == 2 ? argv[1] : "(no folder named)");
	return bad != 0 || inputs == 0;
}
