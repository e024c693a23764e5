/* SPDX-License-Identifier: Apache-2.0 */
/* Damage done by other systems: a disk formatted with ext4, or initialised and formatted by Windows. */
#include <errno.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bytes.h"
#include "lab/lab_break.h"

extern char **environ;

enum vk_status vk_lab_mkfs_ext4(const char *path, struct vk_error *err)
{
	/* nodiscard: only what mkfs writes is destroyed, as on a LUN that cannot give blocks back */
	static const char *const places[] = {"mkfs.ext4", "/usr/sbin/mkfs.ext4", "/sbin/mkfs.ext4"};
	const char *const argv[] = {"mkfs.ext4", "-F", "-q", "-E", "nodiscard", "--", path, NULL};
	int code = ENOENT;
	int status;
	pid_t pid;

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]) && code == ENOENT; i++)
		code = posix_spawnp(&pid, places[i], NULL, NULL, (char *const *)(uintptr_t)argv, environ);
	if (code == ENOENT) {
		vk_error_set(err, VK_ABSENT, NULL, "the program mkfs.ext4 is not installed");
		return vk_error_remedy(err, "install the package e2fsprogs");
	}
	if (code != 0)
		return vk_error_errno(err, code, NULL, "the program mkfs.ext4 cannot be started");
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return vk_error_errno(err, errno, path, "the end of mkfs.ext4 was not seen");
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		return vk_error_set(err, VK_IO, path, "mkfs.ext4 failed (its message is above)");
	return VK_OK;
}

enum { MFT_CLUSTER = 4, CLUSTER_BYTES = 4096, RECORDS = 4, END_OF_ATTRIBUTES = 0x38 };

/*
 * The boot sector alone is not taken for NTFS: readers want the first records of the file table too. They come
 * without attributes, as a format leaves nothing that a practice needs.
 */
void vk_lab_put_ntfs(struct vk_lab_disk *disk, uint64_t offset_bytes, uint64_t length_bytes, uint32_t sector_size,
		     struct vk_lab_range ret_ranges[2])
{
	uint32_t record_bytes = sector_size == 512 ? 1024 : CLUSTER_BYTES;
	uint64_t sectors = length_bytes / sector_size;
	uint8_t table[RECORDS * CLUSTER_BYTES] = {0};
	uint8_t boot[512] = "\xEB\x52\x90NTFS    ";

	if (length_bytes < 1 << 20) {
		vk_lab_fail(disk, vk_error_set(disk->err, VK_USAGE, disk->path, "the place is too small for NTFS"));
		return;
	}
	vk_put_le16(boot + 0x0B, (uint16_t)sector_size);
	boot[0x0D] = (uint8_t)(CLUSTER_BYTES / sector_size);
	boot[0x15] = 0xF8;
	vk_put_le16(boot + 0x18, 63);
	vk_put_le16(boot + 0x1A, 255);
	vk_put_le32(boot + 0x1C, (uint32_t)(offset_bytes / sector_size));
	vk_put_le32(boot + 0x24, 0x00800080);
	vk_put_le64(boot + 0x28, sectors - 1);
	vk_put_le64(boot + 0x30, MFT_CLUSTER);
	vk_put_le64(boot + 0x38, sectors / (CLUSTER_BYTES / sector_size) / 2);
	/* records of 1 KiB (2^10) on small sectors, of one cluster on large ones */
	boot[0x40] = sector_size == 512 ? 0xF6 : 1;
	boot[0x44] = 1;
	vk_put_le64(boot + 0x48, 0x5EC0A7D0E6A7C0DEULL);
	boot[0x1FE] = 0x55;
	boot[0x1FF] = 0xAA;
	for (uint32_t i = 0; i < RECORDS; i++) {
		uint8_t *record = table + (size_t)i * record_bytes;

		memcpy(record, "FILE", 4);
		vk_put_le16(record + 0x14, END_OF_ATTRIBUTES);
		vk_put_le16(record + 0x16, 1);
		vk_put_le32(record + 0x18, END_OF_ATTRIBUTES + 8);
		vk_put_le32(record + 0x1C, record_bytes);
		vk_put_le32(record + 0x2C, i);
		vk_put_le32(record + END_OF_ATTRIBUTES, 0xFFFFFFFF);
	}
	ret_ranges[0] = (struct vk_lab_range){offset_bytes, sizeof(boot), "NTFS boot sector"};
	ret_ranges[1] = (struct vk_lab_range){offset_bytes + MFT_CLUSTER * CLUSTER_BYTES,
					      (uint64_t)RECORDS * record_bytes, "NTFS file table"};
	vk_lab_put(disk, offset_bytes, boot, sizeof(boot));
	vk_lab_put(disk, ret_ranges[1].offset_bytes, table, (size_t)ret_ranges[1].length_bytes);
}
