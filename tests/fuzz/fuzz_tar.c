/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzz entry: the tar of a collector, as it is and with checksums put right, so that what lies behind them is reached. */
#include "fuzz.h"
#include "io/image/tar.h"

enum { BLOCK = 512, CHECKSUM = 148, MAGIC = 257 };

static void seal(uint8_t *block)
{
	unsigned sum = 0;

	memset(block + CHECKSUM, ' ', 8);
	for (size_t i = 0; i < BLOCK; i++)
		sum += block[i];
	snprintf((char *)block + CHECKSUM, 8, "%06o", sum & 0777777);
}

static void check_member(const struct vk_tar *tar, size_t i, size_t size)
{
	const struct vk_tar_member *m = &tar->members[i];

	FUZZ_ASSERT(strnlen(m->name, sizeof(m->name)) < sizeof(m->name));
	FUZZ_ASSERT(vk_import_path_plain(m->name) && m->name[0] != '/');
	FUZZ_ASSERT(strstr(m->name, "../") != m->name && strstr(m->name, "/../") == NULL);
	FUZZ_ASSERT(m->offset_bytes <= size && m->length_bytes <= size - m->offset_bytes);
	FUZZ_ASSERT(i == 0 || strcmp(tar->members[i - 1].name, m->name) < 0);
	FUZZ_ASSERT(vk_tar_find(tar, m->name) == m);
}

static void run(const uint8_t *data, size_t size)
{
	struct vk_io *io = vk_io_memory("input", data, size, false);
	struct vk_error err = {.status = VK_OK};
	struct vk_tar tar;

	FUZZ_ASSERT(io != NULL);
	(void)vk_tar_recognise(io);
	if (vk_tar_read(io, &tar, &err) == VK_OK) {
		for (size_t i = 0; i < tar.count; i++)
			check_member(&tar, i, size);
		FUZZ_ASSERT(vk_tar_find(&tar, "no such/name") == NULL || tar.count > 0);
		vk_tar_free(&tar);
	} else {
		FUZZ_ASSERT(err.status == VK_DAMAGED || err.status == VK_REFUSED || err.status == VK_UNSUPPORTED);
		fuzz_text(err.what, sizeof(err.what));
	}
	vk_io_close(io);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *sealed = malloc(size + 1);

	run(data, size);
	FUZZ_ASSERT(sealed != NULL);
	if (size > 0)
		memcpy(sealed, data, size);
	for (size_t at = 0; at + BLOCK <= size; at += BLOCK)
		if (memcmp(sealed + at + MAGIC, "ustar", 5) == 0)
			seal(sealed + at);
	run(sealed, size);
	free(sealed);
	return 0;
}
