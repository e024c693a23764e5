/* SPDX-License-Identifier: Apache-2.0 */
/* The three real volumes, unpacked into memory as they are needed; tests skip where they are absent. */
#ifndef VK_TESTS_REAL_VOLUMES_H
#define VK_TESTS_REAL_VOLUMES_H

#include <unistd.h>

#include "base/bytes.h"
#include "disk_support.h"
#include "lab_memory.h"

struct real_volume {
	const char *name, *path;
	uint64_t bytes;           /* of the image */
	uint64_t partition_bytes; /* it begins at byte 0 */
	uint64_t disk_start;      /* where byte 0 lies on its disk; 0: a partition only */
};
static const struct real_volume real_volumes[] = {
	{"real3", "vmfs3-esx35-volume/partition.img.xz", 1258435584, 1258435584, 0},
	{"real5", "vmfs5-esxi-2021/disk-from-lba-2048.img.xz", 535822336, 534774272, 1 << 20},
	{"real6", "vmfs6-esxi-2021/disk-from-lba-2048.img.xz", 1072693248, 1071645184, 1 << 20},
};
enum { REAL_VOLUMES = sizeof(real_volumes) / sizeof(real_volumes[0]) };

/* The image, from byte `at` of a memory disk of `total` bytes on. A descriptor to close; -1: it is not there. */
static inline int real_volume_unpack(const struct real_volume *v, uint64_t at, uint64_t total)
{
	const char *shared = getenv("VMFSKIT_SHARED");
	struct vk_lab_disk disk;
	char command[600], path[512];
	uint8_t *piece;
	uint64_t done = 0;
	FILE *from;

	snprintf(path, sizeof(path), "%s/data/%s", shared != NULL && shared[0] != '\0' ? shared : "../shared", v->path);
	if (access(path, R_OK) != 0)
		return -1;
	disk = memory_disk(total);
	piece = malloc(1 << 20);
	snprintf(command, sizeof(command), "xz -dc '%s'", path);
	from = popen(command, "r");
	assert_true(piece != NULL && from != NULL);
	for (size_t got; (got = fread(piece, 1, 1 << 20, from)) > 0; done += got)
		if (!vk_all_zero(piece, got))
			assert_int_equal(pwrite(disk.fd, piece, got, (off_t)(at + done)), (ssize_t)got);
	free(piece);
	assert_int_equal(pclose(from), 0);
	assert_int_equal(done, v->bytes);
	return disk.fd;
}

/* A memory disk as a source; the descriptor is closed. */
static inline struct vk_io *memory_io(int fd)
{
	struct vk_error err = {0};
	struct vk_io *io = NULL;
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (vk_io_open_raw(path, &(struct vk_open_options){512}, &io, &err) != VK_OK)
		fail_msg("%s: %s", path, err.what);
	close(fd);
	return io;
}

static inline struct vk_io *real_volume_open(const struct real_volume *v)
{
	int fd = real_volume_unpack(v, 0, v->bytes);

	return fd >= 0 ? memory_io(fd) : NULL;
}

#endif
