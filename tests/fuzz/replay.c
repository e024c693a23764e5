/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a fuzz entry over files and over every file of folders: the corpus as an ordinary test. */
#include <dirent.h>
#include <errno.h>
#include <sys/stat.h>

#include "fuzz.h"

static size_t ran;

static bool run_file(const char *path)
{
	FILE *f = fopen(path, "rb");
	uint8_t *data;
	long size;

	if (f == NULL || fseek(f, 0, SEEK_END) != 0 || (size = ftell(f)) < 0 ||
	    fseek(f, 0, SEEK_SET) != 0) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		if (f != NULL)
			fclose(f);
		return false;
	}
	/* exactly as large as the input, so that a sanitizer sees the first byte too many */
	data = malloc(size > 0 ? (size_t)size : 1);
	if (data == NULL || fread(data, 1, (size_t)size, f) != (size_t)size) {
		fprintf(stderr, "%s: cannot be read\n", path);
		fclose(f);
		free(data);
		return false;
	}
	fclose(f);
	fprintf(stderr, "%s\n", path);
	LLVMFuzzerTestOneInput(data, (size_t)size);
	free(data);
	ran++;
	return true;
}

static bool run_folder(const char *path)
{
	struct dirent **names;
	int n = scandir(path, &names, NULL, alphasort);
	bool good = n >= 0;

	if (n < 0)
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
	for (int i = 0; i < n; i++) {
		char full[1024];

		snprintf(full, sizeof(full), "%s/%s", path, names[i]->d_name);
		if (names[i]->d_name[0] != '.' && !run_file(full))
			good = false;
		free(names[i]);
	}
	if (n >= 0)
		free(names);
	return good;
}

/* Exit code 0: all inputs ran. A fault aborts. An empty corpus is a mistake. */
int main(int argc, char **argv)
{
	bool good = true;

	for (int i = 1; i < argc; i++) {
		struct stat st;
		bool folder = stat(argv[i], &st) == 0 && S_ISDIR(st.st_mode);

		if (!(folder ? run_folder(argv[i]) : run_file(argv[i])))
			good = false;
	}
	printf("%zu inputs\n", ran);
	return good && ran > 0 ? 0 : 1;
}
