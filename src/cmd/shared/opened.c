/* SPDX-License-Identifier: Apache-2.0 */
/* What a name on the command line may mean, opened. */
#include "cmd/shared/opened.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/command.h"
#include "base/memory.h"
#include "base/texts.h"
#include "vmfskit/store.h"
#include "vmfskit/text.h"

/* A folder without what every capture has: the captures in it, when it is a store. */
static enum vk_status explain_folder(const char *path, enum vk_status status, struct vk_error *err)
{
	static const char *const marks[] = {"manifest.json", "SHA256SUMS"};
	char **ids = NULL, newest[3 * (VK_CAPTURE_ID_BYTES + 2)] = "";
	struct vk_text text = vk_text_in(newest, sizeof(newest));
	size_t count = 0;
	struct stat st;

	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		char file[PATH_MAX + 32];

		snprintf(file, sizeof(file), "%s/%s", path, marks[i]);
		if (lstat(file, &st) == 0 || errno != ENOENT)
			return status;
	}
	if (vk_store_list(path, &ids, &count, NULL) != VK_OK || count == 0) {
		vk_sentences_free(&ids, &count);
		status = vk_error_set(err, VK_USAGE, path, "this is a folder, and no capture");
		vk_error_remedy(err,
				"name a disk, a partition, the folder of a capture, or a file that holds an image");
		return status;
	}
	for (size_t i = count; i > 0 && count - i < 3; i--)
		vk_text_fmt(&text, "%s%s", i < count ? ", " : "", ids[i - 1]);
	status = vk_error_set(err, VK_USAGE, path, "this folder is a store: it holds %zu capture%s, the newest %s",
			      count, count == 1 ? "" : "s", newest);
	vk_sentences_free(&ids, &count);
	vk_error_remedy(err, "name a capture, %s/ID; vmfskit list --store %s shows them all", vk_shell_path(path).text,
			vk_shell_path(path).text);
	return status;
}

/* Owns source and capture (path NULL: none), also when this fails. */
static enum vk_status keep(struct vk_cmd_opened *opened, struct vk_source *source, struct vk_capture *capture,
			   struct vk_error *err)
{
	if (vk_append(&opened->captures, &opened->capture_count, capture, sizeof(*capture)) != NULL &&
	    vk_append(&opened->sources, &opened->count, source, sizeof(*source)) != NULL)
		return VK_OK;
	if (capture->path != NULL && opened->capture_count == opened->count)
		vk_capture_close(capture);
	vk_source_close(source);
	return vk_no_memory(err, NULL);
}

/* The listings of other disks in the same text. */
static enum vk_status open_others(const struct vk_source_options *options, struct vk_cmd_opened *opened,
				  struct vk_error *err)
{
	for (;;) {
		const struct vk_source *before = &opened->sources[opened->count - 1];
		struct vk_io *io = vk_io_take_next(before->given);
		struct vk_capture none = {.path = NULL};
		struct vk_source source;
		enum vk_status status;

		if (io == NULL)
			return VK_OK;
		status = vk_source_open_io(io, vk_io_name(io), before->form, options, &source, err);
		if (status == VK_OK)
			status = keep(opened, &source, &none, err);
		if (status != VK_OK)
			return status;
	}
}

static enum vk_status open_one(const char *store, const char *path, const struct vk_source_options *options,
			       struct vk_source *source, struct vk_capture *capture, struct vk_error *err)
{
	char here[PATH_MAX + 8];
	enum vk_status status;
	struct stat st;
	bool is_here = strcmp(path, "-") == 0 || stat(path, &st) == 0 || strchr(path, '/') != NULL;

	if (is_here && (strcmp(path, "-") == 0 || stat(path, &st) != 0 || !S_ISDIR(st.st_mode)))
		return vk_source_open(path, options, source, err);
	snprintf(here, sizeof(here), "%s%s", is_here && strchr(path, '/') == NULL ? "./" : "", path);
	status = vk_capture_open(store, here, capture, err);
	if (!is_here && (status == VK_ABSENT || status == VK_IO)) {
		struct vk_error other;
		enum vk_status raw = vk_source_open(path, options, source, &other);

		if (status == VK_ABSENT && raw != VK_OK)
			*err = other;
		return raw != VK_OK && status == VK_IO ? status : raw;
	}
	if (status != VK_OK)
		return status == VK_DAMAGED && is_here ? explain_folder(path, status, err) : status;
	status = vk_capture_source(capture, source, err);
	if (status != VK_OK)
		vk_capture_close(capture);
	return status;
}

enum vk_status vk_cmd_open_any(const struct vk_cmd *cmd, const char *path, const struct vk_source_options *options,
			       struct vk_cmd_opened *opened, struct vk_error *err)
{
	struct vk_capture capture = {.path = NULL};
	struct vk_source source;
	enum vk_status status = open_one(vk_cmd_store(cmd->call), path, options, &source, &capture, err);

	if (status == VK_OK)
		status = keep(opened, &source, &capture, err);
	return status == VK_OK && options->several ? open_others(options, opened, err) : status;
}

void vk_cmd_opened_free(struct vk_cmd_opened *opened)
{
	for (size_t i = 0; i < opened->count; i++)
		vk_source_close(&opened->sources[i]);
	for (size_t i = 0; i < opened->capture_count; i++)
		if (opened->captures[i].path != NULL)
			vk_capture_close(&opened->captures[i]);
	free(opened->sources);
	free(opened->captures);
	*opened = (struct vk_cmd_opened){.sources = NULL};
}
