/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes of a given partition image instead of made ones, holes kept. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/bytes.h"
#include "base/checked.h"
#include "lab/lab.h"

enum { PIECE = 1 << 16 };

static int open_image(const char *path, uint64_t *ret_bytes, struct vk_error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;

	if (fd < 0) {
		vk_error_errno(err, errno, path, "The image cannot be opened");
		return -1;
	}
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size == 0) {
		vk_error_set(err, VK_USAGE, path, "The image is not a file with bytes in it");
		close(fd);
		return -1;
	}
	*ret_bytes = (uint64_t)st.st_size;
	return fd;
}

enum vk_status vk_lab_image_probe(const char *path, uint64_t *ret_bytes, bool *ret_local,
				  struct vk_error *err)
{
	struct vk_error ignored = {.status = VK_OK};
	struct vk_error *said = err != NULL ? err : &ignored;
	uint64_t bytes = 0;
	uint8_t magic[4] = {0};
	int fd = open_image(path, &bytes, said);

	if (fd < 0)
		return said->status;
	*ret_bytes = bytes;
	*ret_local = pread(fd, magic, sizeof(magic), (off_t)(VK_LVM_DATA_OFFSET + VK_FS_OFFSET)) == 4 &&
		     vk_get_le32(magic) == VK_FS_MAGIC_VMFSL;
	close(fd);
	return VK_OK;
}

static enum vk_status copy_run(struct vk_lab_disk *disk, uint64_t base_bytes, int fd,
			       const char *path, uint64_t from, uint64_t to, uint8_t *buf,
			       struct vk_error *err)
{
	while (from < to) {
		size_t want = (size_t)vk_min_u64(PIECE - from % PIECE, to - from);
		ssize_t n = pread(fd, buf, want, (off_t)from);
		enum vk_status status;

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return vk_error_errno(err, n < 0 ? errno : EIO, path, "The image cannot be read");
		if (!vk_all_zero(buf, (size_t)n)) {
			status = vk_lab_put(disk, base_bytes + from, buf, (size_t)n, err);
			if (status != VK_OK)
				return status;
		}
		from += (uint64_t)n;
	}
	return VK_OK;
}

enum vk_status vk_lab_write_image(struct vk_lab_disk *disk, uint64_t base_bytes, const char *path,
				  struct vk_error *err)
{
	struct vk_error ignored = {.status = VK_OK};
	struct vk_error *said = err != NULL ? err : &ignored;
	enum vk_status status = VK_OK;
	uint64_t bytes = 0;
	uint8_t *buf;
	uint64_t at = 0;
	int fd = open_image(path, &bytes, said);

	if (fd < 0)
		return said->status;
	buf = malloc(PIECE);
	if (buf == NULL)
		status = vk_no_memory(said, NULL);
	while (status == VK_OK && at < bytes) {
		off_t data = lseek(fd, (off_t)at, SEEK_DATA);
		off_t hole;

		if (data < 0 && errno == ENXIO)
			break;
		/* without SEEK_DATA everything is data */
		hole = data < 0 ? -1 : lseek(fd, data, SEEK_HOLE);
		if (data >= 0)
			at = (uint64_t)data;
		status = copy_run(disk, base_bytes, fd, path, at,
				  hole > 0 ? (uint64_t)hole : bytes, buf, said);
		at = hole > 0 ? (uint64_t)hole : bytes;
	}
	free(buf);
	close(fd);
	return status;
}
