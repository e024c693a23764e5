/* SPDX-License-Identifier: Apache-2.0 */
/* A file of a capture that is no region, as a source: the map of the files of a volume, its metadata. */
#include "store/folder/map_file.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/memory.h"
#include "store/folder/folder.h"

struct map_file {
	int fd;
	uint64_t length;
};

static enum vk_status read_map(void *self, uint64_t offset, void *buf, size_t len, size_t *ret_got,
			       struct vk_error *err)
{
	const struct map_file *file = self;

	*ret_got = offset >= file->length ? 0 : len < file->length - offset ? len : (size_t)(file->length - offset);
	return vk_pread_all(file->fd, buf, *ret_got, offset)
		       ? VK_OK
		       : vk_error_errno(err, errno, NULL, "cannot read a file of the capture");
}

static void close_map(void *self)
{
	struct map_file *file = self;

	close(file->fd);
	free(file);
}

enum vk_status vk_map_open(int folder_fd, const char *name, uint64_t length_bytes, struct vk_io **ret_io,
			   struct vk_error *err)
{
	static const struct vk_io_ops ops = {.read_at = read_map, .close = close_map};
	struct map_file *file = malloc(sizeof(*file));
	enum vk_status status = file != NULL ? vk_folder_open_file(folder_fd, name, &file->fd, &file->length, err)
					     : vk_no_memory(err, name);

	if (status != VK_OK) {
		free(file);
		return status;
	}
	if (file->length != length_bytes) {
		close_map(file);
		return vk_error_set(err, VK_DAMAGED, name, "it does not have its length");
	}
	*ret_io = vk_io_new(&ops, file, name, length_bytes, 512);
	return *ret_io != NULL ? VK_OK : vk_no_memory(err, name);
}
