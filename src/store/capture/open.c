/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a capture back: its manifest, and the capture as a decoded source. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "store/folder/folder.h"
#include "store/folder/map_file.h"
#include "store/manifest/manifest.h"

static void keep_first(void *ctx, const struct vk_finding *finding)
{
	struct vk_finding *first = ctx;

	if (first->message[0] == '\0')
		*first = *finding;
}

enum vk_status vk_capture_open(const char *store, const char *name, struct vk_capture *ret_capture,
			       struct vk_error *err)
{
	struct vk_finding first = {.message = ""};
	const struct vk_finding_sink sink = {.put = keep_first, .ctx = &first};
	struct vk_manifest *manifest;
	char *path;
	int fd = -1;
	enum vk_status status = vk_store_find(store, name, &path, err);

	if (status != VK_OK)
		return status;
	manifest = calloc(1, sizeof(*manifest));
	if (manifest == NULL)
		status = vk_no_memory(err, path);
	if (status == VK_OK) {
		status = vk_folder_open(path, &fd, err);
		if (status == VK_OK)
			status = vk_manifest_load(fd, path, manifest, err);
	}
	if (status == VK_OK && !vk_manifest_check_ranges(&manifest->capture, &sink)) {
		vk_manifest_free(manifest);
		status = vk_error_set(err, VK_DAMAGED, path, "the manifest is damaged: %s", first.message);
	}
	if (status == VK_ABSENT && fd >= 0)
		status = vk_error_set(err, VK_DAMAGED, path, "the folder has no " VK_MANIFEST_FILE);
	if (status == VK_DAMAGED && fd >= 0)
		vk_error_remedy(err, "use another capture of this disk; vmfskit verify says what is left");
	if (fd >= 0)
		close(fd);
	if (status == VK_OK) {
		*ret_capture = manifest->capture;
		ret_capture->path = path;
	} else {
		free(path);
	}
	free(manifest);
	return status;
}

enum vk_status vk_capture_source(const struct vk_capture *capture, struct vk_source *ret_source,
				 struct vk_error *err)
{
	const struct vk_source_options options = {.look = VK_LOOK_NOT, .as = capture->source_kind,
						  .sector_size = capture->sector_size};
	struct vk_io *io;
	enum vk_status status = vk_capture_io(capture, &io, err);

	if (status != VK_OK)
		return status;
	return vk_source_open_io(io, capture->path, VK_FORM_RAW, &options, ret_source, err);
}

enum vk_status vk_capture_map(const struct vk_capture *capture, size_t map, struct vk_io **ret_io,
			      struct vk_error *err)
{
	enum vk_status status;
	int fd;

	if (map >= capture->map_count)
		return vk_error_set(err, VK_USAGE, capture->path, "the capture has no file map %zu", map);
	status = vk_folder_open(capture->path, &fd, err);
	if (status != VK_OK)
		return status;
	status = vk_map_open(fd, capture->maps[map].file, capture->maps[map].length_bytes, ret_io, err);
	close(fd);
	return status;
}
