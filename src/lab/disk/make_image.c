/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes of a given partition image instead of made ones, holes kept. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "lab/disk/practice.h"
#include "vmfskit/io.h"

enum { PIECE = 1 << 16 };

static enum vk_status open_image(const char *path, struct vk_io **ret_io, struct vk_error *err)
{
	struct stat st;

	if (stat(path, &st) == 0 && (!S_ISREG(st.st_mode) || st.st_size == 0))
		return vk_error_set(err, VK_USAGE, path, "the image is not a file with bytes in it");
	return vk_io_open_raw(path, NULL, ret_io, err);
}

enum vk_status vk_lab_image_probe(const char *path, uint64_t *ret_bytes, bool *ret_local, struct vk_error *err)
{
	struct vk_error ignored;
	uint8_t magic[4] = {0};
	size_t got;
	struct vk_io *io;
	enum vk_status status = open_image(path, &io, err);

	if (status != VK_OK)
		return status;
	*ret_bytes = vk_io_size_bytes(io);
	*ret_local = vk_io_read(io, VK_LVM_DATA_OFFSET + VK_FS_OFFSET, magic, sizeof(magic), &got, &ignored) == VK_OK &&
		     vk_get_le32(magic) == VK_FS_MAGIC_VMFSL;
	vk_io_close(io);
	return VK_OK;
}

enum vk_status vk_lab_write_image(struct vk_lab_disk *disk, uint64_t base_bytes, const char *path)
{
	uint8_t *buf = vk_lab_alloc(disk, PIECE);
	struct vk_io *io = NULL;
	uint64_t bytes = 0;

	if (buf != NULL && vk_lab_fail(disk, open_image(path, &io, disk->err)) == VK_OK)
		bytes = vk_io_size_bytes(io);
	for (uint64_t at = 0, len; at < bytes && disk->failed == VK_OK; at += len) {
		struct vk_span span = vk_io_span(io, at);

		len = vk_min_u64(span.length_bytes, bytes - at);
		if (span.state == VK_SPAN_ZERO && len > 0)
			continue;
		len = vk_min_u64(PIECE - at % PIECE, bytes - at);
		vk_lab_fail(disk, vk_io_read_all(io, at, buf, (size_t)len, disk->err));
		if (!vk_all_zero(buf, (size_t)len))
			vk_lab_put(disk, base_bytes + at, buf, (size_t)len);
	}
	vk_io_close(io);
	free(buf);
	return disk->failed;
}
